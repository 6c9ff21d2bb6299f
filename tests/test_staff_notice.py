"""The staff group's notice: its own bot and pace, a topic in a forum opened once, a group that moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from standins.telegram import TOKEN, Standin

from bot.channels.port import Receipt, Sent
from bot.channels.staff_notice import StaffNotice
from bot.channels.telegram_wire import JITTER

GROUP, FORUM, NEW = -100_5, -100_6, -100_7
Story = Callable[[StaffNotice], Awaitable[Any]]


@dataclass
class Memory:
    """What is kept between processes."""

    kept: dict[str, str] = field(default_factory=dict)
    broken: bool = False

    async def keep(self, key: str, value: str) -> None:
        if self.broken:
            raise OSError("nothing can be kept")
        self.kept[key] = value


@pytest.fixture
def tg() -> Iterator[Standin]:
    """A Telegram with a group and a forum, which can be asked what they are."""
    with Standin() as standin:
        standin.world.group(GROUP, "Staff", plain=True)
        standin.world.group(FORUM, "Desk", forum=True)
        standin.methods["getChat"] = lambda params: standin.in_chats.chat(params).about
        yield standin


def told(tg: Standin, memory: Memory, story: Story, chat: int = FORUM, **options: Any) -> Any:
    """Run a story with the notice of one process."""

    async def tell() -> Any:
        notice = StaffNotice(
            TOKEN, str(chat), tg.base_url, lambda: memory.kept, memory.keep, topic="New cases", **options
        )
        try:
            return await story(notice)
        finally:
            await notice.close()

    return asyncio.run(tell())


def posted(tg: Standin, memory: Memory, *texts: str, chat: int = FORUM) -> list[Receipt]:
    """What comes of posts one after the other."""

    async def story(notice: StaffNotice) -> list[Receipt]:
        return [await notice.post(text) for text in texts]

    found: list[Receipt] = told(tg, memory, story, chat)
    return found


def threads(tg: Standin, kind: str = "message") -> list[int]:
    """The topics of what the forum received."""
    return [item.thread for item in tg.chat(FORUM).received if item.kind == kind]


def test_a_plain_group_gets_posts_without_a_topic(tg: Standin) -> None:
    memory = Memory()
    assert posted(tg, memory, "<b>A-17</b> &lt;masked&gt;", "two", chat=GROUP) == [Receipt(Sent.SENT)] * 2
    assert tg.chat(GROUP).texts == ["A-17 <masked>", "two"]
    assert memory.kept == {}
    assert len(tg.called("getChat")) == 1
    assert tg.faults == []


def test_a_forum_gets_one_topic_for_all_posts_also_of_later_processes(tg: Standin) -> None:
    memory = Memory()
    posted(tg, memory, "1", "2")
    posted(tg, memory, "3")
    (topic,) = threads(tg, "topic")
    assert threads(tg) == [topic] * 3
    assert tg.chat(FORUM).topics == {topic: "New cases"}
    assert memory.kept["staff.topic"] == str(topic)
    assert tg.faults == []


def test_first_posts_at_the_same_time_open_one_topic(tg: Standin) -> None:
    async def story(notice: StaffNotice) -> list[Receipt]:
        return list(await asyncio.gather(*(notice.post(str(number)) for number in range(4))))

    assert told(tg, Memory(), story) == [Receipt(Sent.SENT)] * 4
    assert len(set(threads(tg))) == len(threads(tg, "topic")) == 1


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_pitfall_12_a_deleted_topic_is_opened_anew_once(tg: Standin, at_once: int) -> None:
    memory = Memory()

    async def story(notice: StaffNotice) -> list[Receipt]:
        await notice.post("before")
        tg.chat(FORUM).topics.clear()
        tg.next("createForumTopic", delay=0.1)
        return list(await asyncio.gather(*(notice.post(str(number)) for number in range(at_once))))

    assert told(tg, memory, story) == [Receipt(Sent.SENT)] * at_once
    old, new = threads(tg, "topic")
    assert threads(tg) == [old] + [new] * at_once
    assert sorted(tg.chat(FORUM).texts[1:]) == [str(number) for number in range(at_once)]
    assert memory.kept["staff.topic"] == str(new)
    assert tg.faults == []


def test_a_topic_that_disappears_again_and_again_ends_the_post(tg: Standin) -> None:
    tg.next("sendMessage", status=400, description="Bad Request: message thread not found", times=3)
    assert posted(tg, Memory(), "1") == [Receipt(Sent.DEAD, "400")]
    assert len(tg.called("sendMessage")) == 2


@pytest.mark.parametrize("known", [False, True])
def test_where_no_topic_may_be_opened_the_post_goes_to_the_group(tg: Standin, known: bool) -> None:
    memory = Memory({"staff.topic": "77", "staff.topic.of": str(FORUM)} if known else {})
    tg.next("createForumTopic", status=400, description="Bad Request: not enough rights to create a topic", times=9)
    assert posted(tg, memory, "1", "2") == [Receipt(Sent.SENT)] * 2
    assert threads(tg) == [0, 0]
    assert len(tg.called("createForumTopic")) == 1


def test_topics_switched_off_at_once_do_not_lose_posts(tg: Standin) -> None:
    async def story(notice: StaffNotice) -> list[Receipt]:
        await notice.post("before")
        tg.chat(FORUM).topics.clear()
        tg.chat(FORUM).about.pop("is_forum")
        return list(await asyncio.gather(*(notice.post(str(number)) for number in range(3))))

    assert told(tg, Memory(), story) == [Receipt(Sent.SENT)] * 3
    assert threads(tg)[1:] == [0, 0, 0]


def test_a_group_that_moved_is_followed_and_remembered(tg: Standin) -> None:
    memory = Memory()
    tg.world.user(5)
    tg.make.migrate(5, GROUP, NEW)
    assert posted(tg, memory, "1", "2", chat=GROUP) == [Receipt(Sent.SENT)] * 2
    assert posted(tg, memory, "3", chat=GROUP) == [Receipt(Sent.SENT)]
    assert tg.chat(NEW).texts == ["1", "2", "3"]
    assert memory.kept["staff.chat"] == str(NEW)
    assert [call.values["chat_id"] for call in tg.called("sendMessage")] == [str(NEW)] * 3


def test_a_group_that_moves_between_two_posts_is_followed(tg: Standin) -> None:
    async def story(notice: StaffNotice) -> Receipt:
        await notice.post("1")
        tg.world.user(5)
        tg.make.migrate(5, GROUP, NEW)
        return await notice.post("2")

    assert told(tg, Memory(), story, GROUP) == Receipt(Sent.SENT)
    assert (tg.chat(GROUP).texts, tg.chat(NEW).texts) == (["1"], ["2"])


def test_what_was_kept_for_another_group_counts_no_more(tg: Standin) -> None:
    memory = Memory({"staff.chat": "-1", "staff.chat.of": "-2", "staff.topic": "9", "staff.topic.of": "-1"})
    assert posted(tg, memory, "1") == [Receipt(Sent.SENT)]
    assert threads(tg) == threads(tg, "topic")


def test_what_cannot_be_kept_holds_until_the_end(tg: Standin) -> None:
    memory = Memory(broken=True)
    assert posted(tg, memory, "1", "2") == [Receipt(Sent.SENT)] * 2
    assert len(threads(tg, "topic")) == 1
    assert memory.kept == {}


@pytest.mark.parametrize("method", ["sendMessage", "getChat", "createForumTopic"])
def test_a_refusal_that_says_how_long_is_waited_for(tg: Standin, method: str) -> None:
    tg.next(method, retry_after=9)

    async def story(notice: StaffNotice) -> list[Receipt]:
        return [await notice.post("1"), await notice.post("1")]

    first, second = told(tg, Memory(), story)
    for found in (first, second):
        assert found.result is Sent.RETRY
        assert 8.5 <= found.delay <= 9 + JITTER
    assert len(tg.called(method)) == 1, "it is left alone meanwhile"


@pytest.mark.parametrize(
    ("trouble", "receipt"),
    [
        ({"status": 403, "description": "Forbidden: bot was kicked"}, Receipt(Sent.WAITING, "403", blocked=True)),
        ({"status": 502}, Receipt(Sent.RETRY, "502", outage=True)),
        ({"cut": "after"}, Receipt(Sent.PROBABLY, "no answer", unsure=True)),
        ({"status": 400, "description": "Bad Request: can't parse entities"}, Receipt(Sent.DEAD, "400")),
    ],
)
def test_other_trouble_has_its_outcome(tg: Standin, trouble: dict[str, Any], receipt: Receipt) -> None:
    tg.next("sendMessage", **trouble)
    assert posted(tg, Memory(), "1", chat=GROUP) == [receipt]


def test_twenty_a_minute_and_no_more(tg: Standin) -> None:
    now = [1000.0]
    sends = 19  # opening the topic is one

    async def story(notice: StaffNotice) -> None:
        for number in range(sends):
            assert (await notice.post(str(number))).result is Sent.SENT
        found = await notice.post("more")
        assert (found.result, found.error) == (Sent.RETRY, "pace")
        assert 60 <= found.delay <= 62
        now[0] += 62
        assert (await notice.post("more")).result is Sent.SENT

    told(tg, Memory(), story, monotonic=lambda: now[0])
    assert len(threads(tg)) == sends + 1
    assert tg.faults == []
