"""The signed webhook: bad input gets a clear answer and changes nothing; a good event is answered by a signed post."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from receiving import receiving

from bot import config
from bot.channels.hook import BODY_LIMIT, SIGNATURE, TEXT_LIMIT, parse, payload, sign, verify
from bot.channels.port import Parcel
from bot.messages import Address, Card, Choice, Incoming, Link, Reply
from bot.pipeline.resources import Resources
from bot.server import Server
from bot.store import Store, StoreUnavailable

SECRET = "the-key-of-the-test"
GOLDEN = Path(__file__).parent / "webhooks" / "hook_reply.json"


def event(event_id: str = "e1", **fields: Any) -> dict[str, Any]:
    """A good event unless a field says otherwise."""
    return {"id": event_id, "timestamp": 1_790_000_000_000, "user": "u", **(fields or {"text": "你好"})}


@dataclass
class Outside:
    """Another system of the city: sends signed events, keeps what is posted back."""

    client: httpx.AsyncClient
    database: Path
    posted: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    async def post(self, body: bytes | str, signature: bytes | str | None = None, **headers: str) -> httpx.Response:
        """Signed rightly unless a signature is given; an empty one is left out."""
        raw = body.encode() if isinstance(body, str) else body
        signature = sign(SECRET, raw) if signature is None else signature
        signed: dict[Any, Any] = {SIGNATURE: signature} if signature else {}
        return await self.client.post("/webhook/hook", content=raw, headers={**headers, **signed})

    async def send(self, *events: Any) -> dict[str, Any]:
        """Events in one body that must be read; the answer's document."""
        response = await self.post(json.dumps({"events": events}))
        assert response.status_code == 200
        found: dict[str, Any] = response.json()
        return found

    async def receive(self, request: web.Request) -> web.Response:
        """The reply URL."""
        body = await request.read()
        assert verify(SECRET, body, request.headers.get(SIGNATURE))
        await self.posted.put(json.loads(body))
        return web.Response()

    def kept(self) -> list[list[tuple[Any, ...]]]:
        """Every row that an event could have left."""
        store = Store(self.database)
        try:
            tables = ("conversations", "addresses", "seen", "inbox", "messages", "outbox")
            return [[tuple(row) for row in store.database.read.all(f"SELECT * FROM {table}")] for table in tables]
        finally:
            store.close()


@pytest.fixture
def outside(resources: Resources, tmp_path: Path) -> Callable[..., Any]:
    """The real app with its house at work, and a receiver of replies."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Outside]:
        client = httpx.AsyncClient(base_url="http://test")
        outside = Outside(client, tmp_path / "labor-bot.db")
        async with client, receiving("/replies", outside.receive) as receiver:
            hook = {"LABOR_BOT_HOOK_SECRET": SECRET, "LABOR_BOT_HOOK_REPLY_URL": f"{receiver}/replies"}
            app = Server(config.load({"LABOR_BOT_DATA_DIR": str(tmp_path)} | hook), resources).app()
            outside.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
            async with app.router.lifespan_context(app), outside.client:
                yield outside

    return opened


def story(outside: Callable[..., Any], told: Callable[[Outside], Awaitable[None]]) -> None:
    """Run a story with the house open."""

    async def tell() -> None:
        async with outside() as opened:
            await told(opened)

    asyncio.run(tell())


# -- refused as a whole

GOOD = json.dumps({"events": [event()]}).encode()
REFUSED_SIGNATURES: dict[str, bytes | str] = {
    "missing": "",
    "forged": "0" * 64,
    "of another key": sign("another key", GOOD),
    "of another body": sign(SECRET, GOOD + b" "),
    "in capitals": sign(SECRET, GOOD).upper(),
    "not ascii": "é".encode("latin-1") * 64,
    "not utf-8": b"\xff\xfe",
    "very long": "a" * 10_000,
}
UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "not json": b"hello",
    "form data": b"events=1",
    "broken utf-8": b'{"events": ["\xff\xfe"]}',
    "deep": b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "endless number": b'{"events": ' + b"1" * 10_000 + b"}",
    "a list": b"[]",
    "a text": b'"events"',
    "null": b"null",
    "no events": b"{}",
    "events no list": b'{"events": {}}',
}


@pytest.mark.parametrize("signature", REFUSED_SIGNATURES.values(), ids=REFUSED_SIGNATURES)
def test_without_our_signature_nothing_is_read(outside: Callable[..., Any], signature: bytes | str) -> None:
    async def told(there: Outside) -> None:
        before = there.kept()
        response = await there.post(GOOD, signature)
        assert response.status_code == 401
        assert SIGNATURE in response.json()["error"]
        assert there.kept() == before

    story(outside, told)


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_changes_nothing(outside: Callable[..., Any], body: bytes) -> None:
    async def told(there: Outside) -> None:
        before = there.kept()
        response = await there.post(body)
        assert response.status_code == 400
        assert response.json()["error"]
        assert there.kept() == before

    story(outside, told)


def test_a_body_over_the_limit_is_not_read_to_its_end(outside: Callable[..., Any]) -> None:
    async def told(there: Outside) -> None:
        before = there.kept()
        big = json.dumps({"events": [event(text="x" * 2_000_000)]}).encode()
        for headers in ({}, {"Content-Length": "1"}):
            response = await there.post(big, **headers)
            assert response.status_code == 413
            assert str(BODY_LIMIT) in response.json()["error"]
        assert there.kept() == before

    story(outside, told)


def test_only_posts_are_taken(outside: Callable[..., Any]) -> None:
    async def told(there: Outside) -> None:
        assert (await there.client.get("/webhook/hook")).status_code == 405

    story(outside, told)


def test_a_store_that_cannot_be_written_is_a_503(outside: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*args: Any) -> Any:
        raise StoreUnavailable("full")

    async def told(there: Outside) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Store, "accept", full)
            response = await there.post(GOOD)
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert await there.send(event()) == {"accepted": 1, "repeated": 0, "refused": []}

    story(outside, told)


# -- malformed events among good ones

MALFORMED: dict[str, Any] = {
    "no object": 7,
    "null": None,
    "no id": {"timestamp": 1, "user": "u", "text": "x"},
    "id a number": event(5),  # type: ignore[arg-type]
    "id empty": event(""),
    "id too long": event("x" * 201),
    "id with a control character": event("a\x00"),
    "id with a lone surrogate": event("\ud800"),
    "no user": {"id": "bad", "timestamp": 1, "text": "x"},
    "user with a control character": event("bad", user="\x07", text="x"),
    "timestamp a text": event("bad", timestamp="1", text="x"),
    "timestamp true": event("bad", timestamp=True, text="x"),
    "timestamp negative": event("bad", timestamp=-1, text="x"),
    "timestamp a fraction": event("bad", timestamp=1.5, text="x"),
    "timestamp not a number": event("bad", timestamp=float("nan"), text="x"),
    "timestamp too large": event("bad", timestamp=2**63, text="x"),
    "neither text nor choice": event("bad", other=1),
    "text and choice": event("bad", text="x", choice="menu"),
    "text a list": event("bad", text=["x"]),
    "text empty": event("bad", text=""),
    "text of blanks": event("bad", text=" \n\t "),
    "text of control characters": event("bad", text="\x00\x01\x7f"),
    "text of 100,000 characters": event("bad", text="勞" * 100_000),
    "choice empty": event("bad", choice=""),
    "choice too long": event("bad", choice="x" * 201),
}


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_event_is_named_and_loses_no_other(bad: Any) -> None:
    document = json.loads(json.dumps({"events": [event("before"), bad, event("after")]}))
    good, refused = parse(document)
    assert [one.event_id for one in good] == ["before", "after"]
    ((index, error),) = [(one["index"], one["error"]) for one in refused]
    assert index == 1
    assert error


def test_the_answer_says_which_events_were_refused(outside: Callable[..., Any]) -> None:
    async def told(there: Outside) -> None:
        before = there.kept()
        found = await there.send(*MALFORMED.values())
        assert (found["accepted"], found["repeated"]) == (0, 0)
        assert [one["index"] for one in found["refused"]] == list(range(len(MALFORMED)))
        assert there.kept() == before
        found = await there.send(event("1"), 7, event("2"), event("1"))
        assert (found["accepted"], found["repeated"]) == (2, 1)
        assert [one["index"] for one in found["refused"]] == [1]

    story(outside, told)


# -- strange but well-formed

STRANGE: dict[str, dict[str, str]] = {
    "emoji only": {"text": "😀👩‍👩‍👧🇹🇼"},
    "control characters around words": {"text": "\x00尋職\x1b[31m津貼\u202e"},
    "lone surrogate": {"text": "尋職津貼\ud83d"},
    "html": {"text": "<script>alert(1)</script><b>津貼"},
    "template": {"text": "{{ 7*7 }} {% raw %} ${x} %s {0}"},
    "as long as allowed": {"text": "勞" * TEXT_LIMIT},
    "unknown choice": {"choice": "no:such:choice"},
    "choice of an unknown topic": {"choice": "topic:p99"},
    "choice of a fact that was not asked": {"choice": "answer:age:33"},
    "choice with html": {"choice": "<b>"},
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_strange_input_is_answered_kindly(outside: Callable[..., Any], strange: dict[str, str]) -> None:
    async def told(there: Outside) -> None:
        assert await there.send(event("first", text="你好")) == {"accepted": 1, "repeated": 0, "refused": []}
        await there.posted.get()
        assert (await there.send(event("strange", **strange)))["accepted"] == 1
        reply = await there.posted.get()
        assert reply["in_reply_to"] == "strange"
        assert reply["user"] == "u"
        assert all(message["text"].strip() for message in reply["messages"])
        assert any(message["choices"] for message in reply["messages"])

    story(outside, told)


def test_an_unknown_choice_leaves_the_conversation_as_it_was(outside: Callable[..., Any]) -> None:
    async def told(there: Outside) -> None:
        await there.send(event("1", choice="check:p15"))
        await there.posted.get()
        (before,) = [row["state"] for row in states(there)]
        for number, choice in enumerate(("no:such", "topic:p99", "answer:no_such_fact:1", "subject:nobody", "lang:xx")):
            await there.send(event(f"bad{number}", choice=choice))
            await there.posted.get()
        (after,) = [row["state"] for row in states(there)]
        assert after == before

    story(outside, told)


def states(there: Outside) -> list[Any]:
    store = Store(there.database)
    try:
        return list(store.database.read.all("SELECT state FROM conversations"))
    finally:
        store.close()


# -- what is posted back


def test_a_redelivery_is_answered_once(outside: Callable[..., Any]) -> None:
    async def told(there: Outside) -> None:
        assert (await there.send(event("1")))["accepted"] == 1
        first = await there.posted.get()
        assert await there.send(event("1"), event("1")) == {"accepted": 0, "repeated": 2, "refused": []}
        await there.send(event("2"))
        second = await there.posted.get()
        assert [first["in_reply_to"], second["in_reply_to"]] == ["1", "2"]
        assert first["id"] != second["id"]
        assert there.posted.empty()

    story(outside, told)


def test_the_posted_document_is_the_documented_one() -> None:
    choice = Choice("topic:p15", "青年就業")
    card = Card("卡片", "第 15 項", "一句話", "", (Choice("check:p15", "看看我適不適合"),))
    replies = (
        Reply("第一段\n\n• 一行", "zh-TW", source="107 年度計畫第 15 項", choices=(choice,)),
        Reply("Two", "en", cards=(card,), links=(Link("1955", "tel:1955"),)),
    )
    parcel = Parcel(Address("hook", "", "市民 1"), replies, "event-7", "0b0a7a0e-0000-5000-8000-000000000000")
    assert json.loads(payload(parcel)) == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_ids_are_kept_exactly_as_they_came() -> None:
    decomposed = "e\u0301"
    (incoming,), refused = parse({"events": [event(decomposed, user=decomposed, text=decomposed)]})
    assert not refused
    assert incoming == Incoming(Address("hook", "", decomposed), decomposed, 1_790_000_000_000, text="é")
