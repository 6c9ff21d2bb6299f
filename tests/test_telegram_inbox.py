"""Telegram's updates: what each kind means, what is refused, and that none is confirmed before it is kept."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standins.telegram import TOKEN, Standin
from standins.telegram_inbox import HEADER
from standins.telegram_spec import load
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bot import observe
from bot.channels.port import Parcel
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_inbox import (
    ALLOWED,
    BODY_LIMIT,
    Order,
    Poller,
    Self,
    TelegramInbox,
    parse,
    query_of,
    verify,
)
from bot.channels.telegram_setup import hook
from bot.messages import Address, Choice, Incoming, Kind, Reply

AN, SECRET = 5, "the-secret_of-the-test"
ME = Self("123456", "standin_test_bot")
NOW_MS = 1_790_000_000_777
GOLDEN = Path(__file__).parent / "webhooks" / "telegram"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json") if not path.stem.endswith(".expected"))


@dataclass
class Doorstep:
    """Keeps what is accepted, tells it apart as the store does; refuses as often as `refusals` says."""

    kept: list[Incoming] = field(default_factory=list)
    refusals: int = 0
    error: type[Exception] = OSError

    async def accept(self, incomings: Sequence[Incoming]) -> list[bool]:
        if self.refusals:
            self.refusals -= 1
            raise self.error("nothing can be kept")
        known = {(each.address.account, each.event_id) for each in self.kept}
        new = [(each.address.account, each.event_id) not in known for each in incomings]
        self.kept += [each for each, is_new in zip(incomings, new, strict=True) if is_new]
        return new

    @property
    def texts(self) -> list[str | None]:
        return [each.text for each in self.kept]


@dataclass
class Hook:
    """The webhook in an app, called as a server would."""

    door: Any = field(default_factory=Doorstep)
    answered: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        inbox = TelegramInbox(self.door, lambda: ME, SECRET, self.answered.append, lambda: NOW_MS)

        async def unavailable(request: Any, error: Exception) -> Response:
            return Response(status_code=503)

        route = Route("/webhook/telegram", inbox.receive, methods=["POST"])
        return Starlette(routes=[route], exception_handlers={OSError: unavailable})

    async def apost(self, url: str, headers: dict[Any, Any], body: Any) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app()), base_url="http://test") as client:
            return (await client.post("/webhook/telegram", headers=headers, content=body)).status_code

    def post(self, body: Any, secret: Any = SECRET, **headers: str) -> int:
        """The status; an empty secret is left out."""
        return asyncio.run(self.apost("", {**headers, **({HEADER: secret} if secret else {})}, body))


def golden(name: str) -> dict[str, Any]:
    """An update."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def expected(name: str) -> dict[str, Any] | None:
    """What it means."""
    found: dict[str, Any] | None = json.loads((GOLDEN / f"{name}.expected.json").read_text(encoding="utf-8"))
    return found


def told(incoming: Incoming | None) -> dict[str, Any] | None:
    """An event without the fields that say nothing, as in the files."""
    if incoming is None:
        return None
    said = {name: value for name, value in asdict(incoming).items() if value not in ("", None, False, Kind.SAID)}
    said["user"] = said.pop("address")["user"]
    if incoming.attachment:
        said["attachment"] = {name: value for name, value in said["attachment"].items() if value not in ("", 0)}
    return said


def read(update: Any, me: Self = ME) -> Incoming | None:
    """An update as the inbox reads it, at a fixed time."""
    return parse(update, me, lambda: NOW_MS)


# -- each kind of update


@pytest.mark.parametrize("name", NAMES)
def test_each_update_means_what_its_file_says(name: str) -> None:
    malformed = observe.counters["telegram.malformed"]
    found = read(golden(name))
    assert told(found) == expected(name)
    assert observe.counters["telegram.malformed"] == malformed
    if found:
        assert (found.address.channel, found.address.account) == ("telegram", "123456")
        if found.kind is Kind.SAID:
            assert (found.text is None) != (found.choice is None)


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_as_telegram_sends_them(name: str) -> None:
    spec = load()
    if spec is None:
        pytest.skip("no copy of the Bot API at hand")
    assert spec.value(golden(name), ["Update"], "update") == []


def test_the_kinds_that_are_asked_for_are_those_that_are_read() -> None:
    assert ALLOWED == ("message", "edited_message", "callback_query", "my_chat_member")
    kinds = {kind for name in NAMES if expected(name) for kind in golden(name) if kind != "update_id"}
    assert kinds == set(ALLOWED)


def test_order_within_a_second_is_kept() -> None:
    update = golden("text")
    times = []
    for number in range(881_000_100, 881_000_110):
        found = read({**update, "update_id": number})
        assert found is not None
        times.append(found.sent_ms)
    assert times == sorted(set(times))
    assert {each // 1000 for each in times} == {update["message"]["date"]}


def test_an_update_that_could_not_be_kept_comes_again_in_its_place() -> None:
    """A tap has the time of its arrival, a text after it the begun second: its place behind the tap must hold."""
    order, who = Order(), Address("telegram", "123456", "77")
    tap, text, third = (Incoming(who, str(number), ms, text="x") for number, ms in ((7, 5_500), (8, 5_008), (9, 5_009)))
    places = [order.placed(each).sent_ms for each in (tap, text, third)]
    assert places == sorted(set(places))
    assert [order.placed(each).sent_ms for each in (text, third, tap)] == [places[1], places[2], places[0]]


@pytest.mark.parametrize(
    ("name", "kind", "about", "group"),
    [
        ("channel_post", None, "", False),
        ("group_as_channel", None, "", False),
        ("group_migrated", Kind.MOVED, "-1001234567890", True),
        ("group_migrated_from", None, "", False),
    ],
)
def test_pitfall_18_no_sender_or_another_chat_id(name: str, kind: Kind | None, about: str, group: bool) -> None:
    found = read(golden(name))
    assert (found.kind if found else None) is kind
    if found:
        assert (found.about, found.group, found.address) == (about, group, Address("telegram", "123456", "-4242"))


def test_while_our_name_is_unknown_only_the_id_counts() -> None:
    nameless = Self("123456")
    assert read(golden("group_mention"), nameless) is None
    assert read(golden("group_command"), nameless) is None
    assert told(read(golden("group_reply"), nameless)) == expected("group_reply")
    assert told(read(golden("group_text_mention"), nameless)) == expected("group_text_mention")
    assert told(read(golden("command_with_name"), nameless)) == expected("command_with_name")


BROKEN: dict[str, Any] = {
    "no object": [1],
    "no number": {"message": {}},
    "number as text": {"update_id": "1", "message": {}},
    "message as text": {"update_id": 1, "message": "hi"},
    "no chat": {"update_id": 1, "message": {"date": 1, "from": {"id": 1}, "text": "x"}},
    "no date": {"update_id": 1, "message": {"chat": {"id": 1, "type": "private"}, "from": {"id": 1}, "text": "x"}},
    "sender as text": {"update_id": 1, "message": {"chat": {"id": 1}, "date": 1, "from": "An", "text": "x"}},
}


@pytest.mark.parametrize("case", BROKEN)
def test_malformed_updates_are_counted(case: str) -> None:
    before = observe.counters["telegram.malformed"]
    assert read(BROKEN[case]) is None
    assert observe.counters["telegram.malformed"] == before + 1


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("text", "text", 5),
        ("photo", "photo", []),
        ("photo", "photo", [5]),
        ("document", "document", {"file_name": "x"}),
        ("location", "location", {"latitude": float("nan"), "longitude": 1.0}),
        ("location", "location", {"latitude": 91, "longitude": 1.0}),
        ("location", "location", {"latitude": True, "longitude": 1.0}),
        ("text", "date", -1),
        ("text", "date", 10**400),
        ("text", "message_id", None),
        ("photo", "caption", {}),
    ],
)
def test_malformed_contents_are_counted(name: str, field: str, value: Any) -> None:
    before = observe.counters["telegram.malformed"]
    update = golden(name)
    update["message"][field] = value
    assert read(update) is None
    assert observe.counters["telegram.malformed"] == before + 1


# -- the webhook


@pytest.mark.parametrize(
    ("body", "secret", "headers", "status", "kept"),
    [
        (json.dumps(golden("text")), SECRET, {}, 200, 1),
        (json.dumps(golden("channel_post")), SECRET, {}, 200, 0),
        (json.dumps({"update_id": "x"}), SECRET, {}, 200, 0),
        (json.dumps(golden("text")), "", {}, 401, 0),
        (json.dumps(golden("text")), SECRET + "x", {}, 401, 0),
        (json.dumps(golden("text")), "ключ".encode(), {}, 401, 0),
        (b"", SECRET, {}, 400, 0),
        (b"[]", SECRET, {}, 400, 0),
        (b"\xff{", SECRET, {}, 400, 0),
        (b"[" * 100_000, SECRET, {}, 400, 0),
        (b" " * (BODY_LIMIT + 1), SECRET, {}, 413, 0),
        (b"x", SECRET, {"content-length": str(BODY_LIMIT + 1)}, 413, 0),
    ],
)
def test_the_webhook_answers(body: Any, secret: Any, headers: dict[str, str], status: int, kept: int) -> None:
    called = Hook()
    assert called.post(body, secret, **headers) == status
    assert len(called.door.kept) == kept


def test_without_a_secret_of_ours_nothing_gets_in() -> None:
    assert not verify("", "")
    assert not verify("", None)
    assert not verify("", "x")


def test_a_repeated_update_is_kept_once_and_every_tap_answered() -> None:
    called = Hook()
    body = json.dumps(golden("tapped"))
    assert [called.post(body), called.post(body)] == [200, 200]
    assert [each.choice for each in called.door.kept] == ["check:p15"]
    assert called.answered == [golden("tapped")["callback_query"]["id"]] * 2


def test_a_tap_that_means_nothing_stops_spinning_too() -> None:
    called = Hook()
    assert called.post(json.dumps(golden("tapped_in_group"))) == 200
    assert (called.door.kept, len(called.answered)) == ([], 1)
    assert [query_of(each) for each in (None, {}, {"callback_query": {"id": 5}}, golden("text"))] == [""] * 4


def test_what_cannot_be_kept_is_not_confirmed_and_not_answered() -> None:
    called = Hook(Doorstep(refusals=1))
    body = json.dumps(golden("tapped"))
    assert called.post(body) == 503
    assert called.answered == []
    assert called.post(body) == 200
    assert len(called.door.kept) == len(called.answered) == 1


@pytest.fixture
def tg() -> Iterator[Standin]:
    """A Telegram that knows one person."""
    with Standin() as standin:
        standin.world.user(AN, "An", "vi")
        yield standin


def test_telegram_itself_posts_and_repeats_until_it_is_kept(tg: Standin) -> None:
    called = Hook(Doorstep(refusals=2))
    tg.inbox.post = called.apost

    async def story() -> None:
        channel = TelegramChannel(TOKEN, tg.base_url)
        await hook(channel.bot, "https://bot.example", SECRET, lambda line: None)
        assert (await tg.adeliver(tg.make.text(AN, "Chào"), pause=0.001)).statuses == (503, 503, 200)
        assert (await tg.adeliver(tg.block(AN))).statuses == (200,)
        assert not (await tg.adeliver(tg.make.channel_post(-1009, "news"))).wanted
        await channel.close()

    asyncio.run(story())
    assert [(each.kind, each.text, each.lang) for each in called.door.kept] == [
        (Kind.SAID, "Chào", "vi"),
        (Kind.BLOCKED, None, "vi"),
    ]
    assert tg.faults == []


def test_refusals_leave_nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    called = Hook()
    for secret, body in (("wrong-secret", b"{}"), (SECRET, b'{"update_id": "wrong-number"}'), (SECRET, b"wrong-body")):
        called.post(body, secret)
    assert "wrong" not in caplog.text


# -- hostile and mutated updates

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all parts of a document."""
    if path:
        yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_mutated_updates_never_raise(name: str, data: st.DataObject) -> None:
    update = copy.deepcopy(golden(name))
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(sorted(places(update), key=str)))
        node = update
        for key in way:
            node = node[key]
        if data.draw(st.booleans()):
            node[last] = data.draw(JSON)
        else:
            del node[last]
        if not update:
            break
    found = read(update)
    assert found is None or found.address.account == "123456"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40) | JSON.map(lambda document: json.dumps(document).encode()), st.booleans())
def test_hostile_bodies_get_an_answer(body: bytes, trusted: bool) -> None:
    assert Hook().post(body, SECRET if trusted else "x") in ({200, 400} if trusted else {401})


# -- asking for updates


@dataclass
class Polling:
    """A poller at work. `pauses` are those it made after failures; they take no time here."""

    tg: Standin
    door: Doorstep
    pauses: list[float] = field(default_factory=list)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0.01)

    async def until(self, condition: Callable[[], Any]) -> None:
        """Polls until the condition holds."""
        await asyncio.to_thread(self.tg.wait_for, condition)


def polled(tg: Standin, door: Doorstep, story: Callable[[Polling], Awaitable[None]]) -> Polling:
    """Tell a story while a poller runs."""
    polling = Polling(tg, door)

    async def tell() -> None:
        channel = TelegramChannel(TOKEN, tg.base_url)
        await channel.open()
        poller = Poller(channel, door, (1.0, 2.0, 5.0), 1, sleep=polling.pause)  # type: ignore[arg-type]
        task = asyncio.create_task(poller.run())
        try:
            await story(polling)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await channel.close()

    asyncio.run(tell())
    return polling


def test_polling_takes_everything_in_order_and_confirms_it(tg: Standin) -> None:
    tg.inbox.pending = [tg.make.text(AN, text) for text in "abc"]

    async def story(polling: Polling) -> None:
        await polling.until(lambda: len(polling.door.kept) == 3 and not tg.inbox.pending)
        tg.inbox.pending.append(tg.make.text(AN, "d"))
        await polling.until(lambda: len(polling.door.kept) == 4 and not tg.inbox.pending)

    polling = polled(tg, Doorstep(), story)
    assert polling.door.texts == ["a", "b", "c", "d"]
    assert polling.pauses == []
    assert tg.inbox.allowed == list(ALLOWED)
    assert tg.faults == []


def test_polling_first_ends_the_webhook_and_keeps_what_waits(tg: Standin) -> None:
    channel = TelegramChannel(TOKEN, tg.base_url)

    async def hooked() -> None:
        await hook(channel.bot, "https://bot.example", SECRET, lambda line: None)
        await channel.close()

    asyncio.run(hooked())
    tg.inbox.pending = [tg.make.text(AN, "a")]

    async def story(polling: Polling) -> None:
        await polling.until(lambda: polling.door.kept)

    assert polled(tg, Doorstep(), story).pauses == []
    assert tg.inbox.webhook is None


def test_polling_loses_nothing_by_one_bad_update(tg: Standin) -> None:
    bad: dict[str, Any] = {"update_id": next(tg.world.updates), "message": {"text": 5, "chat": []}}
    tg.inbox.pending = [tg.make.text(AN, "a"), bad, tg.make.text(AN, "b")]

    async def story(polling: Polling) -> None:
        await polling.until(lambda: not tg.inbox.pending)

    polling = polled(tg, Doorstep(), story)
    assert polling.door.texts == ["a", "b"]
    assert polling.pauses == []


@pytest.mark.parametrize(("error", "times"), [(OSError, 2), (ValueError, 1)])
def test_polling_repeats_what_could_not_be_kept(tg: Standin, error: type[Exception], times: int) -> None:
    tg.inbox.pending = [tg.make.text(AN, "a"), tg.make.text(AN, "b")]

    async def story(polling: Polling) -> None:
        await polling.until(lambda: polling.door.kept and not tg.inbox.pending)

    polling = polled(tg, Doorstep(refusals=times, error=error), story)
    assert polling.door.texts == ["a", "b"]
    assert polling.pauses == [1.0, 2.0][:times]


@pytest.mark.parametrize(
    ("trouble", "pauses"),
    [
        ({"status": 409, "times": 4}, [1.0, 2.0, 5.0, 5.0]),
        ({"status": 502}, [1.0]),
        ({"retry_after": 7}, [7.0]),
        ({"cut": "before"}, [1.0]),
        ({"cut": "after"}, [1.0]),
        ({"status": 401}, [1.0]),
    ],
)
@pytest.mark.parametrize("method", ["getUpdates", "deleteWebhook"])
def test_polling_goes_on_after_trouble(tg: Standin, method: str, trouble: dict[str, Any], pauses: list[float]) -> None:
    tg.next(method, **trouble)
    tg.inbox.pending = [tg.make.text(AN, "a")]

    async def story(polling: Polling) -> None:
        await polling.until(lambda: polling.door.kept and not tg.inbox.pending)

    polling = polled(tg, Doorstep(), story)
    assert polling.door.texts == ["a"]
    assert polling.pauses == pauses
    assert tg.faults == []


def test_an_update_that_cannot_be_confirmed_does_not_turn_in_circles(tg: Standin) -> None:
    numberless: dict[str, Any] = {"update_id": "x", "message": {}}

    async def answer(params: Any) -> list[dict[str, Any]]:
        return [numberless]

    tg.inbox.updates = answer  # type: ignore[method-assign]

    async def story(polling: Polling) -> None:
        await polling.until(lambda: len(polling.pauses) >= 3)

    assert polled(tg, Doorstep(), story).pauses[:3] == [1.0, 2.0, 5.0]


def test_polling_answers_taps(tg: Standin) -> None:
    async def story(polling: Polling) -> None:
        channel = TelegramChannel(TOKEN, tg.base_url)
        buttons = (Choice("menu", "Menu"),)
        await channel.send(Parcel(Address("telegram", "123456", str(AN)), (Reply("?", "en", "", buttons),), "", ""))
        await channel.close()
        tg.inbox.pending = [tg.make.tap(AN, "menu")]
        await polling.until(lambda: not tg.unanswered())

    polling = polled(tg, Doorstep(), story)
    assert [each.choice for each in polling.door.kept] == ["menu"]
    assert tg.faults == []
