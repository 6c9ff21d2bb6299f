"""The sending side of LINE with the vendor's SDK against the stand-in: how each send ends, and what is looked up."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import aiohttp
import pytest
from conftest import free_port
from hypothesis import given, settings
from hypothesis import strategies as st
from standins.line import Standin
from standins.line_account import RichMenu
from standins.line_http import (
    CUT,
    CUT_AFTER,
    MONTHLY,
    RATE_LIMIT,
    SERVER_ERROR,
    SERVER_ERROR_AFTER,
    UNAVAILABLE,
    Trouble,
    slow,
)
from standins.line_samples import menu

from bot import observe
from bot.channels import line_wire
from bot.channels.line import LineChannel, retry_key
from bot.channels.line_account import MENU_SECONDS, QUOTA_SECONDS
from bot.channels.line_wire import PUBLIC_BASE
from bot.channels.port import Allowance, FetchFailed, Parcel, Receipt, Sent
from bot.channels.tongues import of_tag
from bot.messages import Address, Attachment, Card, Choice, Link, Reply
from bot.pipeline.resources import TEMPLATES, Resources
from bot.render.limits import utf16
from bot.render.line import MESSAGES_A_REQUEST, LineRenderer, Request
from intents.labels import LANGUAGES

T = TypeVar("T")
CONTENT = Trouble(400, "The request body has 1 error(s)")
INVALID = Trouble(400, "Invalid reply token")
MENU = Choice("menu", "主選單")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@dataclass
class Scene:
    """A person An, an account, and the channel to it."""

    line: Standin
    runner: asyncio.Runner
    renderer: LineRenderer
    now: float = 1000.0
    base: str = ""
    channel: LineChannel = field(init=False)

    def __post_init__(self) -> None:
        self.an = self.line.user("An", language="vi")
        self.channel = self.fresh(self.base or self.line.url)

    def fresh(self, base: str) -> LineChannel:
        """A channel that nothing was read by."""
        return LineChannel(self.renderer, self.line.token, base, lambda: self.now, pauses=(0.01, 0.02))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """In the loop of the channel."""
        return self.runner.run(work)

    def token(self) -> str:
        """A fresh reply token of An's."""
        return str(self.line.events.text(self.an, "hi")["replyToken"])

    def parcel(self, *replies: Reply | str, token: str = "", to: str = "", **more: Any) -> Parcel:
        """A delivery to An."""
        whole = tuple(each if isinstance(each, Reply) else Reply(each, "vi") for each in replies)
        return Parcel(Address("line", self.line.account.bot_id, to or self.an), whole, "e", "k", token, **more)

    def send(self, *replies: Reply | str, **more: Any) -> Receipt:
        """Deliver to An."""
        return self.run(self.channel.send(self.parcel(*replies, **more)))

    def codes(self, operation: str) -> list[int]:
        """What was answered to the requests of an operation."""
        return [call.status for call in self.line.calls(operation)]

    def retry_keys(self) -> list[str]:
        """The retry keys of all pushes."""
        return [call.headers["x-line-retry-key"] for call in self.line.calls("push")]

    @property
    def how(self) -> list[str]:
        """How each message came to An."""
        return [each.how for each in self.line.received(self.an)]

    @property
    def texts(self) -> list[str]:
        """What An reads."""
        return self.line.texts(self.an)

    @property
    def address(self) -> Address:
        """An's."""
        return Address("line", self.line.account.bot_id, self.an)


@pytest.fixture(scope="module")
def renderer(resources: Resources) -> LineRenderer:
    """With the labels of the catalog."""
    return LineRenderer(TEMPLATES, lambda lang, key: resources.catalog.text(lang, key, {}).text)


@pytest.fixture
def scene(renderer: LineRenderer) -> Iterator[Scene]:
    """Whatever a test does, LINE must have nothing to complain about."""
    with Standin() as line, asyncio.Runner() as runner:
        scene = Scene(line, runner, renderer)
        yield scene
        runner.run(scene.channel.close())
        assert line.faults == []


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is counted, in order."""
    found: list[str] = []
    monkeypatch.setattr(observe, "count", lambda name, by=1: found.append(name))
    return found


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests time out soon."""
    monkeypatch.setattr(line_wire, "TIMEOUT", aiohttp.ClientTimeout(total=0.1))


def long(words: str) -> Reply:
    """A reply of six messages."""
    return Reply("\n\n".join(words * 1100 + f"{number}" for number in range(6)), "vi")


# -- by reply token


def test_a_fresh_token_carries_everything_in_one_request(scene: Scene) -> None:
    card = Reply("卡", "zh-TW", source="來源", choices=(Choice("check:p15", "查"), MENU))
    assert scene.send("một", card, token=scene.token()) == Receipt(Sent.SENT)
    assert scene.texts == ["một", "卡"]
    assert scene.how == ["reply", "reply"]
    assert [each["label"] for each in scene.line.buttons(scene.an)] == ["查", "主選單"]
    assert scene.codes("push") == []


@pytest.mark.parametrize("why", ["used", "expired"])
def test_a_token_that_is_no_good_costs_a_push(scene: Scene, why: str, counted: list[str]) -> None:
    token = scene.token()
    if why == "used":
        scene.send("first", token=token)
    else:
        scene.line.clock.advance(61)
    assert scene.send("hi", token=token) == Receipt(Sent.SENT)
    assert scene.how[-1] == "push"
    assert counted == ["line.token_stale"]


def test_a_token_that_is_no_good_after_a_try_of_unknown_outcome_is_no_reason_to_push(scene: Scene) -> None:
    token = scene.token()
    scene.send("hi", token=token)
    assert scene.send("hi", token=token, unsure=True).result is Sent.PROBABLY
    assert scene.texts == ["hi"]
    assert scene.codes("push") == []


@pytest.mark.parametrize("trouble", [CUT, SERVER_ERROR, UNAVAILABLE], ids=["cut", "500", "503"])
def test_a_reply_of_unknown_outcome_is_tried_again_with_the_same_token(scene: Scene, trouble: Trouble) -> None:
    scene.line.next("reply", trouble, trouble)
    assert scene.send("hi", token=scene.token()) == Receipt(Sent.SENT)
    assert scene.texts == ["hi"]
    assert len(scene.line.calls("reply")) == 3


@pytest.mark.parametrize("trouble", [CUT_AFTER, SERVER_ERROR_AFTER, slow(0.3)], ids=["cut", "500", "slow"])
@pytest.mark.usefixtures("hasty")
def test_a_reply_that_arrived_though_its_answer_did_not_is_probably_sent_once(scene: Scene, trouble: Trouble) -> None:
    scene.line.next("reply", trouble)
    assert scene.send("hi", token=scene.token()).result is Sent.PROBABLY
    assert scene.texts == ["hi"]
    assert scene.codes("push") == []


@pytest.mark.parametrize("trouble", [CUT, CUT_AFTER, SERVER_ERROR], ids=["before", "after", "500"])
def test_a_reply_that_stays_unknown_is_for_later(scene: Scene, trouble: Trouble) -> None:
    scene.line.next("reply", *[trouble] * 3)
    receipt = scene.send("hi", token=scene.token())
    assert (receipt.result, receipt.unsure, receipt.outage) == (Sent.RETRY, True, True)
    assert len(scene.line.calls("reply")) == 3


def test_an_unknown_outcome_without_a_token_is_not_pushed(scene: Scene) -> None:
    assert scene.send("hi", unsure=True).result is Sent.PROBABLY
    assert scene.line.calls() == []


def test_behind_an_unknown_beginning_the_rest_still_waits(scene: Scene) -> None:
    receipt = scene.send(*"1234567", unsure=True)
    assert (receipt.result, receipt.done, receipt.unsure) == (Sent.WAITING, 5, False)
    token = scene.token()
    scene.send("0", token=token)
    assert scene.send(*"1234567", token=token, unsure=True) == receipt
    assert scene.send(*"67", token=scene.token()) == Receipt(Sent.SENT)


def test_a_connection_that_is_refused_leaves_nothing_unknown(scene: Scene) -> None:
    down = scene.fresh(f"http://127.0.0.1:{free_port()}")
    for token, unsure in (("t", False), ("t", True), ("", False)):
        receipt = scene.run(down.send(scene.parcel("hi", token=token, unsure=unsure)))
        assert receipt == Receipt(Sent.RETRY, "not reached", outage=True, unsure=unsure)
    scene.run(down.close())


@pytest.mark.parametrize(
    ("trouble", "receipt"),
    [
        (RATE_LIMIT, Receipt(Sent.RETRY, "429")),
        (Trouble(401, "no"), Receipt(Sent.RETRY, "401", outage=True)),
        (Trouble(403, "no"), Receipt(Sent.RETRY, "401", outage=True)),
        (Trouble(404, "no"), Receipt(Sent.DEAD, "404")),
        (Trouble(413, "no"), Receipt(Sent.DEAD, "413")),
    ],
    ids=lambda value: value.status if isinstance(value, Trouble) else "",
)
@pytest.mark.parametrize("by", ["reply", "push"])
def test_a_refusal_by_its_status(scene: Scene, by: str, trouble: Trouble, receipt: Receipt) -> None:
    scene.line.next(by, trouble)
    assert scene.send("hi", token=scene.token() if by == "reply" else "") == receipt
    assert scene.texts == []


def test_a_revoked_access_token_is_an_outage_that_an_operator_must_end(scene: Scene, counted: list[str]) -> None:
    scene.line.revoke()
    assert scene.send("hi").outage
    assert "line.unauthorized" in counted


# -- more than a request holds


def test_pitfall_07_five_messages_a_request_and_quick_replies_on_the_last_one_only(scene: Scene) -> None:
    replies = [Reply(f"{number}", "vi", choices=(MENU,)) for number in range(7)]
    receipt = scene.send(*replies, token=scene.token())
    assert receipt == Receipt(Sent.WAITING, "more", done=5)
    assert ["quickReply" in each.message for each in scene.line.received(scene.an)] == [False] * 4 + [True]
    first, second = scene.line.buttons(scene.an)
    assert (first["data"], second["data"]) == ("more", "menu")
    event = scene.line.tap(scene.an, first["label"])
    assert scene.send(*replies[receipt.done :], token=event["replyToken"]) == Receipt(Sent.SENT)
    assert scene.texts == [*"0123456"]
    assert [each["data"] for each in scene.line.buttons(scene.an)] == ["menu"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_button_for_the_rest_is_in_the_language_of_the_rest(scene: Scene, resources: Resources, lang: str) -> None:
    scene.send(*[Reply("x", lang)] * 6, token=scene.token())
    (button,) = scene.line.buttons(scene.an)
    assert button["label"] == resources.catalog.text(lang, "conversation.choice.more", {}).text


def test_a_reply_longer_than_a_request_goes_on_where_it_was_cut(scene: Scene) -> None:
    reply = long("dài ")
    whole = "".join(message["text"] for batch in scene.renderer.requests([reply]) for message in batch)
    first = scene.send(reply, "end", token=scene.token())
    assert (first.result, first.done, first.parts) == (Sent.WAITING, 0, 5)
    assert [each["data"] for each in scene.line.buttons(scene.an)] == ["more"]
    second = scene.send(reply, "end", token=scene.token(), skip=first.parts)
    assert second.result is Sent.SENT
    assert "".join(scene.texts) == whole + "end"


def test_what_a_group_does_not_get_at_once_has_no_button_that_we_would_not_hear(scene: Scene) -> None:
    group = scene.line.group("workers", scene.an)
    token = scene.line.events.text(scene.an, "@bot", group=group, mentions=["@bot"])["replyToken"]
    assert scene.send(*"1234567", token=token, to=group) == Receipt(Sent.WAITING, "more", done=5)
    assert scene.line.texts(group) == [*"12345"]
    assert scene.line.buttons(group) == []


lengths = st.lists(st.integers(0, 13), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(lengths, st.integers(0, 13))
def test_requests_keep_order_and_tear_only_what_fits_in_none(sizes: list[int], skip: int) -> None:
    requests = packed_sizes(sizes, skip)
    flat = [message["text"] for request in requests for message in request.messages]
    assert flat == [f"{r}.{m}" for r, size in enumerate(sizes) for m in range(size)][min(skip, sizes[0]) :]
    for request, following in zip(requests, [*requests, None][1:], strict=True):
        assert 1 <= len(request.messages) <= MESSAGES_A_REQUEST
        if following is None:
            assert (request.done, request.parts) == (len(sizes), 0)
            continue
        after = following.messages[0]["text"]
        left = [size - (min(skip, size) if not r else 0) for r, size in enumerate(sizes)]
        if request.parts:
            assert after == f"{request.done}.{request.parts}"
            assert left[request.done] > MESSAGES_A_REQUEST
        else:
            assert all(left[r] == 0 for r in range(request.done, int(after.split(".")[0])))


def packed_sizes(sizes: list[int], skip: int) -> list[Request]:
    """Requests of replies that become so many messages."""

    class Sized(LineRenderer):
        def _messages(self, reply: Reply) -> Iterator[dict[str, Any]]:
            place = int(reply.text)
            yield from ({"type": "text", "text": f"{place}.{m}"} for m in range(sizes[place]))

    return Sized(TEMPLATES).packed([Reply(f"{place}", "en") for place in range(len(sizes))], skip)


# -- by push


def test_without_a_token_everything_is_pushed_under_keys_of_its_own(scene: Scene) -> None:
    assert scene.send(*"1234567") == Receipt(Sent.SENT)
    assert scene.texts == [*"1234567"]
    assert len({uuid.UUID(key) for key in scene.retry_keys()}) == 2


@pytest.mark.parametrize("trouble", [CUT, SERVER_ERROR], ids=["cut", "500"])
def test_a_push_that_failed_is_repeated_with_its_key(scene: Scene, trouble: Trouble) -> None:
    scene.line.next("push", trouble)
    receipt = scene.send("hi")
    assert (receipt.result, receipt.outage, receipt.unsure) == (Sent.RETRY, True, False)
    assert scene.send("hi") == Receipt(Sent.SENT)
    assert scene.texts == ["hi"]
    assert len(set(scene.retry_keys())) == 1


@pytest.mark.parametrize("trouble", [CUT_AFTER, SERVER_ERROR_AFTER, slow(0.3)], ids=["cut", "500", "slow"])
@pytest.mark.usefixtures("hasty")
def test_pitfall_06_what_line_had_already_counts_as_sent(scene: Scene, trouble: Trouble) -> None:
    scene.line.next("push", trouble)
    assert scene.send("hi").result is Sent.RETRY
    assert scene.send("hi") == Receipt(Sent.SENT)
    assert scene.texts == ["hi"]
    assert scene.codes("push")[-1] == 409


def test_other_messages_have_another_key_also_under_the_same_name(scene: Scene) -> None:
    parcel = scene.parcel("a")
    keys = [retry_key(parcel, Request(({"type": "text", "text": text},), 1)) for text in ("a", "b", "a")]
    other = retry_key(replace(parcel, retry_key="k2"), Request(({"type": "text", "text": "a"},), 1))
    assert keys[0] == keys[2]
    assert len({*keys, other}) == 3


def test_what_is_left_of_a_push_is_not_taken_for_its_beginning(scene: Scene) -> None:
    scene.send("0")
    scene.line.next("push", Trouble(), SERVER_ERROR)
    receipt = scene.send(*"1234567")
    assert (receipt.result, receipt.done, receipt.parts) == (Sent.RETRY, 5, 0)
    assert scene.send(*"1234567"[receipt.done :]) == Receipt(Sent.SENT)
    assert scene.texts == [*"01234567"]


def test_the_rest_of_a_long_reply_is_repeated_with_its_key(scene: Scene) -> None:
    scene.run(scene.channel.open())
    scene.line.next("push", Trouble(), SERVER_ERROR_AFTER)
    reply = long("dài ")
    receipt = scene.send(reply)
    assert (receipt.result, receipt.done, receipt.parts) == (Sent.RETRY, 0, 5)
    assert scene.send(reply, skip=5) == Receipt(Sent.SENT)
    assert len(scene.texts) == 6
    assert scene.send(reply, skip=6) == Receipt(Sent.SENT)
    assert len(scene.texts) == 6


# -- quota


def test_the_quota_is_read_at_the_start_and_counted_on(scene: Scene) -> None:
    scene.line.limit(3, used=1)
    assert scene.channel.allowance() is None
    scene.run(scene.channel.open())
    assert scene.channel.allowance() == Allowance(3, 1)
    scene.send("hi")
    assert scene.channel.allowance() == Allowance(3, 2)
    scene.send("hi", token=scene.token())
    assert scene.channel.allowance() == Allowance(3, 2)
    scene.run(scene.channel.open())
    assert scene.codes("quota") == [200]


def test_an_account_without_a_limit(scene: Scene) -> None:
    scene.run(scene.channel.open())
    assert scene.send("hi") == Receipt(Sent.SENT)
    assert scene.channel.allowance() == Allowance(None, 1)


def test_with_nothing_left_nothing_is_asked(scene: Scene) -> None:
    scene.line.limit(1)
    scene.run(scene.channel.open())
    receipt = scene.send(*"1234567")
    assert receipt == Receipt(Sent.WAITING, "quota", done=5)
    assert scene.codes("push") == [200]
    assert scene.send(*"67", token=scene.token()) == Receipt(Sent.SENT)


def test_a_quota_read_long_ago_is_read_again_before_a_push(scene: Scene) -> None:
    scene.line.limit(0)
    scene.run(scene.channel.open())
    scene.line.limit(10)
    assert scene.send("hi").result is Sent.WAITING
    scene.now += QUOTA_SECONDS + 1
    assert scene.send("hi") == Receipt(Sent.SENT)


def test_a_spent_quota_is_told_from_a_rate(scene: Scene) -> None:
    scene.line.limit(5)
    scene.run(scene.channel.open())
    scene.line.next("push", RATE_LIMIT)
    assert scene.send("hi") == Receipt(Sent.RETRY, "429")
    scene.line.limit(5, used=5)
    assert scene.send("hi") == Receipt(Sent.WAITING, "quota")
    assert scene.channel.allowance() == Allowance(5, 5)


def test_a_monthly_limit_is_believed_where_some_is_left_but_not_enough(scene: Scene) -> None:
    group = scene.line.group("workers", scene.an, scene.line.user("Bình"))
    scene.line.limit(1)
    assert scene.send("hi", to=group) == Receipt(Sent.WAITING, "quota")
    scene.line.next("push", MONTHLY)
    scene.line.outage(SERVER_ERROR, "quota")
    scene.now += QUOTA_SECONDS + 1
    assert scene.send("hi") == Receipt(Sent.WAITING, "quota")


def test_many_pushes_at_once_read_the_quota_once(scene: Scene) -> None:
    async def many() -> None:
        await asyncio.gather(*(scene.channel.send(scene.parcel(f"{number}")) for number in range(8)))

    scene.run(many())
    assert scene.codes("quota") == [200]
    assert len(scene.texts) == 8


def test_an_unreadable_quota_stops_nothing(scene: Scene, counted: list[str]) -> None:
    scene.line.outage(SERVER_ERROR, "quota")
    scene.line.outage(CUT, "consumption")
    scene.run(scene.channel.open())
    assert scene.send("hi") == Receipt(Sent.SENT)
    assert scene.channel.allowance() is None
    assert counted == ["line.quota.failed"] * 2


# -- in words alone


CARD = Card("就業獎助", "p15", "說明", choices=(Choice("topic:p15", "看"),))


@pytest.mark.parametrize("by", ["reply", "push"])
def test_refused_cards_go_as_words_with_the_same_token(scene: Scene, by: str, counted: list[str]) -> None:
    scene.line.next(by, CONTENT)
    reply = Reply("請看", "zh-TW", source="計畫", cards=(CARD,), links=(Link("專線", "tel:1955"),))
    assert scene.send(reply, token=scene.token() if by == "reply" else "") == Receipt(Sent.SENT)
    (text,) = scene.texts
    assert all(words in text for words in ("請看", "就業獎助", "p15", "說明", "計畫", "tel:1955"))
    assert scene.how == [by]
    assert counted == ["line.plain"]


@pytest.mark.parametrize("by", ["reply", "push"])
def test_words_that_are_refused_too_are_dead(scene: Scene, by: str) -> None:
    scene.line.next(by, CONTENT, CONTENT)
    assert scene.send("hi", token=scene.token() if by == "reply" else "") == Receipt(Sent.DEAD, "400")
    assert len(scene.line.calls(by)) == 2


def test_words_go_by_push_where_the_token_ran_out_meanwhile(scene: Scene) -> None:
    scene.line.next("reply", CONTENT, INVALID)
    assert scene.send(Reply("請看", "zh-TW", cards=(CARD,)), token=scene.token()) == Receipt(Sent.SENT)
    assert scene.how == ["push"]
    assert "就業獎助" in scene.texts[0]


def test_more_words_than_one_request_wait_as_well(scene: Scene) -> None:
    scene.line.next("reply", CONTENT)
    assert scene.send(*"1234567", token=scene.token()) == Receipt(Sent.WAITING, "more", done=5)
    assert [each["data"] for each in scene.line.buttons(scene.an)] == ["more"]


def test_a_push_refused_in_the_middle_goes_on_in_words_from_there(scene: Scene) -> None:
    scene.line.next("push", Trouble(), CONTENT, SERVER_ERROR)
    receipt = scene.send(*"1234567")
    assert (receipt.result, receipt.done) == (Sent.RETRY, 5)
    scene.line.next("push", CONTENT)
    assert scene.send(*"67") == Receipt(Sent.SENT)
    assert scene.texts == [*"1234567"]


def test_no_words_are_longer_than_five_messages() -> None:
    (request,) = LineRenderer(TEMPLATES).plain([Reply("長" * 60_000, "zh-TW")])
    texts = [message["text"] for message in request.messages]
    assert [utf16(text) <= 5000 for text in texts] == [True] * 5
    assert texts[-1].endswith("…")


# -- the environment


@pytest.mark.parametrize("way", ["reply", "push", "profile", "content"])
def test_pitfall_17_a_proxy_of_the_environment_does_not_stand_before_this_machine(
    scene: Scene, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    if way == "profile":
        assert scene.run(scene.channel.language(scene.address)) == "vi"
    elif way == "content":
        assert scene.run(scene.channel.fetch(picture(scene), 100)) == b"\x89PNG"
    else:
        assert scene.send("hi", token=scene.token() if way == "reply" else "") == Receipt(Sent.SENT)


def test_elsewhere_a_proxy_of_the_environment_is_used_and_contents_have_their_host(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode().split()[1])
        writer.close()

    async def through() -> None:
        server = await asyncio.start_server(proxy, "127.0.0.1", 0)
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        channel = scene.fresh(PUBLIC_BASE)
        assert (await channel.send(scene.parcel("hi"))).outage
        with pytest.raises(FetchFailed):
            await channel.fetch(Attachment("image", "1"), 10)
        await channel.close()
        server.close()

    scene.run(through())
    assert {*asked} == {"api.line.me:443", "api-data.line.me:443"}


# -- looking up


@pytest.mark.parametrize(
    ("tag", "lang"),
    [
        ("zh-TW", "zh-TW"),
        ("zh-Hans", "zh-TW"),
        ("zh", "zh-TW"),
        ("en-GB", "en"),
        ("vi", "vi"),
        ("id-ID", "id"),
        ("in", "id"),
        ("th", "th"),
        ("tl", "fil"),
        ("fil-PH", "fil"),
        ("EN_us", "en"),
        ("ja", ""),
        ("", ""),
        ("english", ""),
    ],
)
def test_a_language_tag_is_one_of_ours_or_none(scene: Scene, tag: str, lang: str) -> None:
    assert of_tag(tag) == lang
    address = replace(scene.address, user=scene.line.user(f"somebody {tag}", language=tag or None))
    assert scene.run(scene.channel.language(address)) == lang


def test_a_language_that_is_not_told_is_unknown_and_nothing_is_raised(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    shy = replace(scene.address, user=scene.line.user("shy", consents=False))
    assert scene.run(scene.channel.language(shy)) == ""
    assert scene.run(scene.channel.language(replace(scene.address, user=scene.line.group("workers")))) == ""
    monkeypatch.setattr("bot.channels.line.LANGUAGE_SECONDS", 0.05)
    scene.line.next("profile", slow(0.3), CUT, CUT, SERVER_ERROR, RATE_LIMIT)  # the first cut is tried again
    assert [scene.run(scene.channel.language(scene.address)) for _ in range(5)] == ["", "", "", "", "vi"]


def test_work_is_shown_to_people_only_and_its_failure_to_nobody(scene: Scene) -> None:
    scene.run(scene.channel.working(scene.address))
    assert scene.line.account.loadings == [(scene.an, 20)]
    scene.line.next("loading", RATE_LIMIT, CUT)
    for _ in range(2):
        scene.run(scene.channel.working(scene.address))
    scene.run(scene.channel.working(replace(scene.address, user=scene.line.group("workers"))))
    assert len(scene.line.calls("loading")) == 3


def picture(scene: Scene) -> Attachment:
    """One that An sent."""
    return Attachment("image", scene.line.events.image(scene.an, b"\x89PNG")["message"]["id"])


def test_a_file_is_fetched_within_its_limit(scene: Scene) -> None:
    attachment = picture(scene)
    assert scene.run(scene.channel.fetch(attachment, 4)) == b"\x89PNG"
    with pytest.raises(FetchFailed) as failed:
        scene.run(scene.channel.fetch(attachment, 3))
    assert (failed.value.reason, failed.value.final) == ("large", True)


def test_a_file_that_cannot_be_had_now_or_ever(scene: Scene) -> None:
    film = Attachment("video", scene.line.events.video(scene.an)["message"]["id"])
    gone = picture(scene)
    scene.line.expire(gone.ref)

    def why(attachment: Attachment) -> tuple[str, bool]:
        with pytest.raises(FetchFailed) as failed:
            scene.run(scene.channel.fetch(attachment, 100))
        return failed.value.reason, failed.value.final

    assert why(film) == ("not ready", False)
    assert why(gone) == ("gone", True)
    assert why(Attachment("image", "../../richmenu/list")) == ("gone", True)
    scene.line.next("content", SERVER_ERROR, CUT, CUT, Trouble(410, "gone"))  # the first cut is tried again
    there = picture(scene)
    assert [why(there) for _ in range(3)] == [("500", False), ("ServerDisconnectedError", False), ("gone", True)]


def test_an_endless_file_is_left_at_the_limit(scene: Scene) -> None:
    """Without a length announced it is read only as far as allowed."""

    async def endless() -> tuple[str, int]:
        sent = 0

        async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
            try:
                while sent < 50_000_000:
                    writer.write(b"x" * 100_000)
                    await writer.drain()
                    sent += 100_000
            except ConnectionError:
                pass
            writer.close()

        server = await asyncio.start_server(pour, "127.0.0.1", 0)
        channel = scene.fresh(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(FetchFailed) as failed:
            await channel.fetch(Attachment("image", "1"), 1_000_000)
        await channel.close()
        server.close()
        return failed.value.reason, sent

    reason, sent = scene.run(endless())
    assert reason == "large"
    assert sent < 20_000_000


def test_a_resume_link_opens_the_chat_with_the_token_written(scene: Scene) -> None:
    token = "AbCdEfGhIjKlMnOpQrSt_-"
    assert scene.channel.resume_url(token) == ""
    scene.run(scene.channel.open())
    url = scene.channel.resume_url(token)
    assert url.startswith("https://line.me/R/oaMessage/%40")
    assert url.endswith(f"/?resume%20{token}")


# -- menus


def made(scene: Scene, name: str) -> str:
    """A rich menu of the account."""
    found = RichMenu(f"richmenu-{scene.line.account.number():032x}", menu(name=name), b"png", "image/png")
    scene.line.account.menus.known[found.id] = found
    return found.id


def test_a_person_gets_the_newest_menu_of_their_language(scene: Scene) -> None:
    made(scene, "labor-bot/vi/old")
    newest, thai = made(scene, "labor-bot/vi/new"), made(scene, "labor-bot/th/x")
    made(scene, "somebody else's")
    for lang, shown in (("vi", newest), ("th", thai), ("vi", newest), ("fil", newest)):
        assert scene.run(scene.channel.link_menu(scene.address, lang))
        assert scene.line.account.menus.shown(scene.an) == shown
    assert scene.codes("rich menu list") == [200]


def test_without_menus_of_ours_there_is_nothing_to_do(scene: Scene) -> None:
    made(scene, "somebody else's")
    assert scene.run(scene.channel.link_menu(scene.address, "vi"))
    assert scene.line.calls("link") == []
    fresh = made(scene, "labor-bot/vi/1")
    scene.now += MENU_SECONDS + 1
    assert scene.run(scene.channel.link_menu(replace(scene.address, user=scene.line.group("workers")), "vi"))
    assert scene.line.calls("link") == []
    assert scene.run(scene.channel.link_menu(scene.address, "vi"))
    assert scene.line.account.menus.shown(scene.an) == fresh


def test_a_menu_that_was_replaced_gives_way_to_its_successor(scene: Scene) -> None:
    old = made(scene, "labor-bot/vi/1")
    assert scene.run(scene.channel.link_menu(scene.address, "vi"))
    scene.line.account.menus.remove(old)
    new = made(scene, "labor-bot/vi/2")
    assert scene.run(scene.channel.link_menu(scene.address, "vi"))
    assert scene.line.account.menus.shown(scene.an) == new
    scene.line.account.menus.remove(new)
    assert scene.run(scene.channel.link_menu(scene.address, "vi"))


@pytest.mark.parametrize("operation", ["rich menu list", "link"])
@pytest.mark.parametrize("trouble", [SERVER_ERROR, CUT, RATE_LIMIT], ids=["500", "cut", "429"])
def test_a_menu_that_cannot_be_linked_now_is_for_later(scene: Scene, operation: str, trouble: Trouble) -> None:
    made(scene, "labor-bot/vi/1")
    scene.line.outage(trouble, operation)
    assert not scene.run(scene.channel.link_menu(scene.address, "vi"))
    scene.line.outage(None, operation)
    assert scene.run(scene.channel.link_menu(scene.address, "vi"))


# -- opening and closing


def test_a_closed_channel_opens_again_on_demand(scene: Scene) -> None:
    scene.run(scene.channel.close())
    assert scene.send("hi") == Receipt(Sent.SENT)
    scene.run(scene.channel.close())
    scene.run(scene.channel.open())
    assert scene.send("hi") == Receipt(Sent.SENT)


def test_nothing_to_say_is_said_without_a_request(scene: Scene) -> None:
    assert scene.send() == Receipt(Sent.SENT)
    assert scene.line.calls() == []
