"""Sending to Telegram: every outcome the platform has, its pace, files, taps, and the button that asks for a place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from conftest import free_port
from standins.telegram import TOKEN, Standin
from standins.telegram_trouble import Trouble
from standins.telegram_world import Received
from starlette.responses import Response

from bot import observe
from bot.channels import telegram_wire
from bot.channels.port import FetchFailed, Parcel, Receipt, Sent
from bot.channels.telegram import ANSWERS_WAITING, TelegramChannel
from bot.channels.telegram_events import Self
from bot.channels.telegram_pace import REMEMBERED, Pace
from bot.channels.telegram_wire import JITTER
from bot.messages import Address, Attachment, Card, Choice, Reply
from bot.render.telegram import CALLBACK_BYTES, messages

AN, BINH, GROUP = 5, 6, -100_5
Story = Callable[[TelegramChannel], Awaitable[Any]]


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tg() -> Iterator[Standin]:
    """A Telegram that knows two people and a group."""
    with Standin() as standin:
        for user in (AN, BINH):
            standin.world.user(user)
        standin.world.group(GROUP, "Dormitory", plain=True)
        yield standin


def parcel(*texts: str | Reply, chat: int = AN, skip: int = 0, unsure: bool = False) -> Parcel:
    """Replies to a chat; without any, one with two buttons."""
    some = texts or (Reply("Chào", "vi", choices=(Choice("menu", "Menu"), Choice("handoff", "A person"))),)
    replies = tuple(text if isinstance(text, Reply) else Reply(text, "vi") for text in some)
    return Parcel(Address("telegram", "123456", str(chat)), replies, "e1", "key", skip=skip, unsure=unsure)


def told(tg: Standin, story: Story, token: str = TOKEN, **options: Any) -> Any:
    """Run a story with an open channel."""

    async def tell() -> Any:
        channel = TelegramChannel(token, tg.base_url, **options)
        await channel.open()
        try:
            return await story(channel)
        finally:
            await channel.close()

    return asyncio.run(tell())


def sent(tg: Standin, given: Parcel, **options: Any) -> Receipt:
    """What comes of sending one parcel."""
    found = told(tg, lambda channel: channel.send(given), **options)
    assert isinstance(found, Receipt)
    return found


LONG = Reply("A" * 3000 + "\n\n" + "B" * 3000, "vi")


def refused_at(tg: Standin, start: str, **trouble: Any) -> None:
    """Telegram refuses every message that starts so."""
    real, refusal = tg.methods["sendMessage"], Trouble(**trouble).refusal()

    def send(params: Any) -> Any:
        if refusal and params.text("text").startswith(start):
            raise refusal
        return real(params)

    tg.methods["sendMessage"] = send


# -- what arrives


def test_replies_arrive_in_order_with_their_buttons(tg: Standin) -> None:
    first = Reply("Tin\n\n1 < 2 & <b>", "vi", "nguồn <1>", (Choice("check:p15", "Có"), Choice("menu", "Menu")))
    assert sent(tg, parcel(first, "hai")) == Receipt(Sent.SENT)
    assert tg.chat(AN).texts == ["Tin\n\n1 < 2 & <b>\n\nnguồn <1>", "hai"]
    assert [button.data for row in tg.chat(AN).received[0].rows for button in row] == ["check:p15", "menu"]
    assert [each["type"] for each in tg.chat(AN).received[0].entities] == ["bold"]
    (call, _) = tg.called("sendMessage")
    assert call.values["link_preview_options"] == '{"is_disabled": true}'
    assert tg.faults == []


def test_a_long_text_comes_in_parts_and_skip_leaves_out_what_is_there(tg: Standin) -> None:
    long = Reply("A" * 3000 + "\n\n" + "B" * 3000 + "\n\n" + "C" * 3000, "vi", choices=(Choice("menu", "Menu"),))
    assert sent(tg, parcel(long, "end", skip=2)) == Receipt(Sent.SENT)
    assert [text[0] for text in tg.chat(AN).texts] == ["C", "e"]
    assert sent(tg, parcel(long, "end")) == Receipt(Sent.SENT)
    assert [text[0] for text in tg.chat(AN).texts] == ["C", "e", "A", "B", "C", "e"]
    assert sent(tg, parcel("x", skip=3)) == Receipt(Sent.SENT)
    assert tg.faults == []


SCRIPTS = {"han": "中", "thai": "ที่", "vietnamese": "ệ", "burmese": "မြ", "emoji": "👍🏽"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_pitfall_08_callback_data_is_counted_in_bytes(tg: Standin, script: str) -> None:
    letter = SCRIPTS[script]
    fits = letter * (CALLBACK_BYTES // len(letter.encode()))
    fits += "x" * (CALLBACK_BYTES - len(fits.encode()))
    reply = Reply(
        "?", "en", choices=(Choice(fits, letter * 80), Choice(fits + "x", "too long"), Choice("menu", "Menu"))
    )
    assert sent(tg, parcel(reply)) == Receipt(Sent.SENT)
    assert [button.data for row in tg.chat(AN).rows for button in row] == [fits, "menu"]
    assert tg.make.tap(AN, fits)["callback_query"]["data"] == fits
    assert tg.faults == []


def test_pitfall_17_a_proxy_in_the_environment_changes_nothing_here(
    tg: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert sent(tg, parcel()) == Receipt(Sent.SENT)


def test_far_away_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    far = TelegramChannel(TOKEN, "http://api.telegram.invalid/bot")

    async def story() -> Receipt:
        found = await far.send(parcel())
        await far.close()
        return found

    assert asyncio.run(story()) == Receipt(Sent.RETRY, "unreachable", outage=True)


# -- the place


def place(*choices: Choice, text: str = "Where?", cards: tuple[Card, ...] = ()) -> Reply:
    """A reply that asks for a location."""
    return Reply(text, "en", choices=(*choices, Choice("location", "Send my place")), cards=cards)


MENU = Choice("menu", "Menu")


@pytest.mark.parametrize(
    ("reply", "texts", "buttons"),
    [
        (place(), ["Where?"], []),
        (place(MENU), ["Where?", "Send my place"], [["menu"], []]),
        (place(MENU, text="A" * 4000 + "\n\n" + "B" * 200), ["A" * 4000, "B" * 200], [["menu"], []]),
        (place(MENU, cards=(Card("One"), Card("Two"))), ["Where?", "One", "Two", "Send my place"], [[], [], ["menu"]]),
    ],
)
def test_a_place_is_asked_for_in_place_of_the_keyboard(
    tg: Standin, reply: Reply, texts: list[str], buttons: list[list[str]]
) -> None:
    assert sent(tg, parcel(reply)) == Receipt(Sent.SENT)
    chat = tg.chat(AN)
    assert chat.texts == texts
    data = [[button.data for row in item.rows for button in row if button.data] for item in chat.received]
    assert data[: len(buttons)] == buttons
    assert [(button.label, button.asks) for row in chat.keyboard for button in row] == [
        ("Send my place", "request_location")
    ]
    assert tg.faults == []


def test_a_group_is_never_asked_for_a_place(tg: Standin) -> None:
    assert sent(tg, parcel(place(MENU), chat=GROUP)) == Receipt(Sent.SENT)
    assert tg.chat(GROUP).texts == ["Where?"]
    assert tg.chat(GROUP).keyboard == ()
    assert not any("location" in str(each.rows) for each in messages([place(MENU)], private=False))


# -- what goes wrong

OUTCOMES: dict[str, tuple[dict[str, Any], Receipt]] = {
    "blocked": ({"status": 403}, Receipt(Sent.WAITING, "403", blocked=True)),
    "deactivated": (
        {"status": 400, "description": "Bad Request: user is deactivated"},
        Receipt(Sent.DEAD, "400"),
    ),
    "moved": ({"migrate_to": -9}, Receipt(Sent.RETRY, "moved", 0.01, moved="-9")),
    "no such chat": ({"status": 400, "description": "Bad Request: chat not found"}, Receipt(Sent.DEAD, "400")),
    "broken": ({"status": 500}, Receipt(Sent.RETRY, "500", outage=True)),
    "gateway": ({"status": 502}, Receipt(Sent.RETRY, "502", outage=True)),
    "slow gateway": ({"status": 504}, Receipt(Sent.RETRY, "504", outage=True)),
    "token": ({"status": 401}, Receipt(Sent.RETRY, "401", outage=True)),
    "not found": ({"status": 404}, Receipt(Sent.RETRY, "401", outage=True)),
    "conflict": ({"status": 409}, Receipt(Sent.RETRY, "409", outage=True)),
    "teapot": ({"status": 418}, Receipt(Sent.RETRY, "NetworkError", outage=True)),
    "bare 429": ({"status": 429}, Receipt(Sent.RETRY, "429")),
}


@pytest.mark.parametrize("case", OUTCOMES)
@pytest.mark.parametrize(("at", "done", "parts"), [("1", 0, 0), ("B", 1, 1), ("c", 2, 0)])
def test_each_refusal_has_its_outcome_and_says_how_far_it_went(
    tg: Standin, case: str, at: str, done: int, parts: int
) -> None:
    trouble, receipt = OUTCOMES[case]
    refused_at(tg, at, **trouble)
    found = sent(tg, parcel("1", LONG, "c"))
    assert found == replace(receipt, done=done, parts=parts)
    assert len(tg.chat(AN).texts) == done + parts + (at == "c")
    assert tg.faults == []


def test_progress_counts_what_was_there_before(tg: Standin) -> None:
    refused_at(tg, "B", status=500)
    assert sent(tg, parcel(LONG, skip=1)) == Receipt(Sent.RETRY, "500", outage=True, parts=1)
    assert tg.chat(AN).texts == []


def test_a_refusal_that_says_how_long_is_waited_for(tg: Standin) -> None:
    tg.next("sendMessage", retry_after=7)
    found = sent(tg, parcel())
    assert (found.result, found.error, found.outage) == (Sent.RETRY, "429", False)
    assert 7.0 <= found.delay <= 7.0 + JITTER


def test_a_platform_out_of_reach_is_an_outage(tg: Standin) -> None:
    async def story() -> Receipt:
        channel = TelegramChannel(TOKEN, f"http://127.0.0.1:{free_port()}/bot")
        await channel.open()
        found = await channel.send(parcel())
        assert channel.resume_url("t") == ""
        await channel.close()
        return found

    assert asyncio.run(story()) == Receipt(Sent.RETRY, "unreachable", outage=True)


@pytest.mark.parametrize("cut", ["before", "after"])
def test_what_may_have_arrived_is_not_repeated_and_the_rest_follows(tg: Standin, cut: str) -> None:
    tg.next("sendMessage", cut=cut)
    assert sent(tg, parcel("1", "2")) == Receipt(Sent.PROBABLY, "no answer", unsure=True)
    assert tg.chat(AN).texts == (["1", "2"] if cut == "after" else ["2"])


def test_an_answer_that_does_not_come_is_not_repeated(tg: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_wire, "READ_SECONDS", 0.1)
    tg.next("sendMessage", delay=0.3)
    assert sent(tg, parcel("1", "2")).result is Sent.PROBABLY
    assert sorted(tg.chat(AN).texts) == ["1", "2"]


def test_an_answer_that_is_no_json_is_not_repeated(
    tg: Standin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def odd(*given: Any) -> tuple[Response, str]:
        return Response("<html>secret-word</html>"), ""

    monkeypatch.setattr(tg, "perform", odd)
    assert sent(tg, parcel("1")) == Receipt(Sent.PROBABLY, "no answer", unsure=True)
    assert "secret-word" not in caplog.text


def test_doubt_is_kept_when_a_later_message_fails(tg: Standin) -> None:
    tg.next("sendMessage", cut="after")
    tg.next("sendMessage", status=500)
    found = sent(tg, parcel("1", "2"))
    assert found == Receipt(Sent.RETRY, "500", outage=True, done=1, unsure=True)
    assert sent(tg, parcel("2", unsure=True)).result is Sent.PROBABLY


def test_one_parcel_does_not_keep_its_sender_for_ever(tg: Standin) -> None:
    clock = Clock()

    def passes(item: Received) -> None:
        clock.now += 15.0

    tg.world.listeners.append(passes)
    assert sent(tg, parcel("1", "2", "3", "4"), monotonic=clock) == Receipt(
        Sent.RETRY, "slow", 0.01, outage=True, done=2
    )
    assert tg.chat(AN).texts == ["1", "2"]


@pytest.mark.parametrize(
    "words",
    [
        "can't parse entities: Unsupported start tag",
        "BUTTON_DATA_INVALID",
        "can't parse reply keyboard markup JSON object",
    ],
)
def test_what_is_refused_for_its_form_goes_as_plain_words(tg: Standin, words: str) -> None:
    before = observe.counters["telegram.plain"]
    tg.next("sendMessage", status=400, description=f"Bad Request: {words}")
    reply = Reply("T & <b>\n\nx", "vi", "source", (MENU,))
    assert sent(tg, parcel(reply)) == Receipt(Sent.SENT)
    assert tg.chat(AN).texts == ["T & <b>\n\nx\n\nsource"]
    assert tg.chat(AN).rows == ()
    assert "parse_mode" not in tg.called("sendMessage")[-1].values
    assert observe.counters["telegram.plain"] == before + 1
    assert tg.faults == []


@pytest.mark.parametrize("case", OUTCOMES)
def test_plain_words_may_be_refused_as_well(tg: Standin, case: str) -> None:
    trouble, receipt = OUTCOMES[case]
    tg.next("sendMessage", status=400, description="Bad Request: can't parse entities")
    tg.next("sendMessage", **trouble)
    assert sent(tg, parcel()) == receipt
    assert len(tg.called("sendMessage")) == 2


def test_a_strange_token_keeps_nothing_from_starting(tg: Standin) -> None:
    assert sent_with_strange_token(tg) == Receipt(Sent.RETRY, "401", outage=True)


def sent_with_strange_token(tg: Standin) -> Receipt:
    found = told(tg, lambda channel: channel.send(parcel()), token="123456:another-token-of-somebody-else")
    assert isinstance(found, Receipt)
    return found


def test_nothing_is_logged_that_tells_who_said_what(tg: Standin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for trouble in ({}, {"status": 502}, {"cut": "after"}, {"status": 400, "description": "Bad Request: secret-word"}):
        if trouble:
            tg.next("sendMessage", **trouble)
        sent(tg, parcel("secret-word"))
    sent_with_strange_token(tg)
    assert tg.chat(AN).texts
    for word in ("secret-word", TOKEN.partition(":")[2], "another-token"):
        assert word not in caplog.text


# -- pace


def test_following_the_delays_nobody_is_ever_refused() -> None:
    """Many chats and a group at once: all is sent, no chat waits longer than its own limit and the overall one."""
    clock = Clock()
    users = range(100, 150)
    tg = Standin(rates=True, now=clock)
    for user in users:
        tg.world.user(user)
    tg.world.group(GROUP)

    async def story(channel: TelegramChannel) -> None:
        waiting = {chat: (clock(), [str(n) for n in range(3)]) for chat in users}
        waiting |= {AN: (clock(), [str(n) for n in range(9)]), GROUP: (clock(), [str(n) for n in range(25)])}
        while waiting:
            chat = min(waiting, key=lambda each: waiting[each][0])
            due, texts = waiting.pop(chat)
            clock.now = max(clock.now, due)
            found = await channel.send(parcel(*texts, chat=chat))
            assert found.result in (Sent.SENT, Sent.RETRY)
            if found.result is Sent.RETRY:
                assert (found.error, found.outage) == ("pace", False)
                waiting[chat] = (clock() + found.delay, texts[found.done :])

    with tg:
        tg.world.user(AN)
        told(tg, story, monotonic=clock)
    assert all(tg.chat(user).texts == list("012") for user in users)
    assert len(tg.chat(AN).texts) == 9
    assert len(tg.chat(GROUP).texts) == 25
    assert {call.status for call in tg.called("sendMessage")} == {200}
    assert clock() < 1000 + 75
    assert tg.faults == []


def test_one_chat_that_must_wait_delays_no_other(tg: Standin) -> None:
    clock = Clock()
    tg.next("sendMessage", chat=AN, retry_after=30)

    async def story(channel: TelegramChannel) -> list[Receipt]:
        chats = (AN, BINH, AN, BINH)
        return [await channel.send(parcel("x", chat=chat)) for chat in chats]

    found = told(tg, story, monotonic=clock)
    assert [each.result for each in found] == [Sent.RETRY, Sent.SENT, Sent.RETRY, Sent.SENT]
    assert 30 <= found[2].delay <= 30 + JITTER
    assert len(tg.called("sendMessage")) == 3, "it is not asked again before the time is over"


def test_three_chats_refused_within_a_second_stop_everybody() -> None:
    clock = Clock()
    pace = Pace(clock)
    for chat in ("1", "1", "2"):
        pace.hold(chat, 8.0)
    assert pace.wait("4") == 0.0
    clock.now += 1.5
    pace.hold("3", 8.0)
    assert pace.wait("4") == 0.0, "the others were refused earlier"
    for chat in ("5", "6"):
        pace.hold(chat, 8.0)
    assert pace.wait("4") == pytest.approx(8.0)
    clock.now += 8.0
    assert pace.wait("4") == 0.0


def test_a_chat_may_burst_and_then_has_one_a_second() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert [pace.wait("1") for _ in range(5)] == [0.0] * 5
    assert pace.wait("1") == pytest.approx(1.0)
    clock.now += 1.0
    assert pace.wait("1") == 0.0
    assert pace.wait("1") == pytest.approx(1.0)
    clock.now += 100.0
    assert [pace.wait("1") == 0.0 for _ in range(6)] == [True] * 5 + [False]


def test_only_chats_that_must_wait_are_remembered() -> None:
    clock = Clock()
    pace = Pace(clock)
    for chat in range(3 * REMEMBERED):
        clock.now += 0.6
        assert pace.wait(str(chat)) == 0.0
        pace.hold(f"-{chat}", 0.5)
        assert pace.remembered <= REMEMBERED + 2


# -- taps, language, links


def test_taps_are_answered_and_late_answers_forgiven(tg: Standin) -> None:
    failed = observe.counters["telegram.answer_failed"]

    async def story(channel: TelegramChannel) -> None:
        await channel.send(parcel())
        first, late = (tg.make.tap(AN, "menu")["callback_query"]["id"] for _ in range(2))
        channel.answer(first)
        await asyncio.to_thread(tg.wait_for, lambda: tg.unanswered() == [late])
        tg.clock.advance(60)
        channel.answer(late)
        await asyncio.to_thread(tg.wait_for, lambda: observe.counters["telegram.answer_failed"] == failed + 1)

    told(tg, story)
    assert tg.faults == []


def test_too_many_taps_are_dropped_and_counted(tg: Standin) -> None:
    before = observe.counters["telegram.unanswered"]

    async def story(channel: TelegramChannel) -> None:
        for number in range(ANSWERS_WAITING + 3):
            channel.answer(f"query{number}")

    told(tg, story)
    assert observe.counters["telegram.unanswered"] == before + 3


def test_typing_is_shown_and_does_not_matter(tg: Standin) -> None:
    tg.next("sendChatAction", status=500)

    async def story(channel: TelegramChannel) -> None:
        address = parcel().address
        await channel.working(address)
        await channel.working(address)
        assert await channel.language(address) == ""
        assert await channel.link_menu(address, "vi")
        assert channel.allowance() is None
        assert not channel.bundles

    told(tg, story)
    assert [item.text for item in tg.chat(AN).received] == ["typing"]
    assert tg.faults == []


def test_a_resume_link_names_us(tg: Standin) -> None:
    async def story(channel: TelegramChannel) -> None:
        assert channel.me() == Self("123456", "standin_test_bot")
        assert (
            channel.resume_url("AbCdEfGhIjKlMnOpQrSt-_") == "https://t.me/standin_test_bot?start=AbCdEfGhIjKlMnOpQrSt-_"
        )

    told(tg, story)


def test_our_name_is_learned_later_when_telegram_was_down(tg: Standin) -> None:
    clock = Clock()
    tg.next("getMe", status=502, times=2)

    def asked(times: int) -> bool:
        return len(tg.called("getMe")) == times

    async def story(channel: TelegramChannel) -> None:
        assert channel.me() == Self("123456")
        assert channel.resume_url("t") == ""
        await asyncio.sleep(0.05)
        assert asked(1), "not at once again"
        for tries in (2, 3):
            clock.now += 60
            channel.me()
            channel.me()
            await asyncio.to_thread(tg.wait_for, partial(asked, tries))
            await asyncio.sleep(0.05)
        assert channel.resume_url("t") == "https://t.me/standin_test_bot?start=t"

    told(tg, story, monotonic=clock)
    assert TelegramChannel(TOKEN, tg.base_url).me() == Self("123456"), "outside a loop nothing is asked"


# -- files


def fetched(tg: Standin, attachment: Attachment, limit: int = 1000) -> Any:
    """The content, or the failure."""

    async def story(channel: TelegramChannel) -> Any:
        try:
            return await channel.fetch(attachment, limit)
        except FetchFailed as error:
            return error.reason, error.final

    return told(tg, story)


def test_a_file_is_fetched(tg: Standin) -> None:
    about = tg.make.photo(AN, b"\xff\xd8 picture")["message"]["photo"][-1]
    assert fetched(tg, Attachment("image", about["file_id"], size=about["file_size"])) == b"\xff\xd8 picture"
    assert tg.faults == []


@pytest.mark.parametrize(
    ("size", "told_size", "content", "found"),
    [
        (2000, 2000, b"x", ("large", True)),
        (2000, 0, b"x", ("large", True)),
        (20_000_001, 0, b"x", ("large", True)),
        (None, 0, b"x" * 2000, ("large", True)),
        (10, 10, b"x" * 2000, ("large", True)),
    ],
)
def test_a_file_that_is_too_large_never_comes(
    tg: Standin, size: int | None, told_size: int, content: bytes, found: Any
) -> None:
    ref = tg.make.document(AN, content, size=size)["message"]["document"]["file_id"]
    assert fetched(tg, Attachment("file", ref, size=told_size)) == found


def test_telegrams_own_limit_holds_too(tg: Standin) -> None:
    ref = tg.make.document(AN, size=20_000_001)["message"]["document"]["file_id"]
    assert fetched(tg, Attachment("file", ref), limit=50_000_000) == ("large", True)
    assert fetched(tg, Attachment("file", ref, size=20_000_001), limit=50_000_000) == ("large", True)
    assert len(tg.called("getFile")) == 1


@pytest.mark.parametrize("method", ["getFile", "download"])
@pytest.mark.parametrize(
    ("trouble", "final"),
    [
        ({"status": 500}, False),
        ({"retry_after": 3}, False),
        ({"cut": "before"}, False),
        ({"status": 404}, False),
        ({"status": 400, "description": "Bad Request: invalid file_id"}, True),
        ({"status": 400, "description": "Bad Request: wrong file_id or the file is temporarily unavailable"}, False),
    ],
)
def test_a_file_that_does_not_come_now(tg: Standin, method: str, trouble: dict[str, Any], final: bool) -> None:
    tg.next(method, **trouble)
    ref = tg.make.document(AN)["message"]["document"]["file_id"]
    found = fetched(tg, Attachment("file", ref))
    assert isinstance(found, tuple)
    assert found[1] is final
