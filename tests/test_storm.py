"""Floods, poisoned messages, slow clients, a full disk: everybody else is served, and nothing kept is lost."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import engines
import pytest
import uvicorn
from conftest import free_port
from site_app import running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from storing import Channel, answers, hurry, opened, rows, said, take, told

from bot.channels.port import Receipt, Sent
from bot.messages import Reply
from bot.pipeline.budgets import Budgets, Limits
from bot.pipeline.hub import Hub
from bot.pipeline.resources import Resources
from bot.pipeline.sender import BREAKER_FAILURES, BREAKER_SECONDS, Sender
from bot.pipeline.surge import Surge
from bot.pipeline.worker import TRIES, Taken, Worker
from bot.slow import patient_for
from bot.store import Store, StoreUnavailable
from bot.store.leasing import EVENTS_OF_A_FLOOD
from bot.store.records import Bundle, Event, Lease, Turn

DOWN = Receipt(Sent.RETRY, "503", outage=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as store:
        yield store


class Mind:
    """Echoes, and keeps what it was asked to think about; stumbles over the word poison."""

    def __init__(self) -> None:
        self.thought: list[str] = []

    def ahead(self, leases: Any) -> None:
        return None

    def take(self, lease: Lease) -> Taken:
        self.thought += [event.event_id for event in lease.events]
        assert not any("poison" in (event.text or "") for event in lease.events)
        return answers(lease), "en", ""

    def apologize(self, lease: Lease, event: Event) -> Taken:
        return [Turn(event, Reply(event.text or "", "en"), bundles=(Bundle((Reply("sorry", "en"),)),))], "en", ""


async def died(store: Store) -> None:
    """The process is gone, and another one starts."""
    await store.release_all()


# -- messages that kill


def test_a_message_that_kills_the_process_is_aside_after_five_tries(store: Store) -> None:
    async def story() -> list[str]:
        await store.accept([said("killer", "poison"), said("after", ms=2), said("other", user="v")])
        assert len(await store.lease("1", 10, suspects=False)) == 2
        await died(store)
        for _ in range(TRIES - 1):  # whoever else was in that batch is taken apart from it
            (lease,) = await store.lease("n", 1, suspects=True)
            assert [event.event_id for event in lease.events] == ["killer"]
            await died(store)
        mind = Mind()
        worker = Worker(store, mind, Hub())
        for _ in range(6):
            await worker.drain()
        return mind.thought

    assert "killer" not in asyncio.run(story())
    assert [text for author, text, _ in told(store, 1) if author == "bot"] == ["sorry", "re after"]
    assert [text for author, text, _ in told(store, 2) if author == "bot"] == ["re other"]
    assert rows(store, "SELECT event_id, state FROM inbox") == [("killer", "failed")]
    assert rows(store, "SELECT suspect, pending FROM conversations") == [(0, 0), (0, 0)]


def test_whoever_was_in_the_batch_of_a_killer_loses_no_tries(store: Store) -> None:
    async def story() -> None:
        await store.accept([said("innocent", user="v"), said("killer", "poison")])
        await store.lease("1", 10, suspects=False)
        await died(store)
        worker = Worker(store, Mind(), Hub())
        for _ in range(3):
            await worker.drain()

    asyncio.run(story())
    assert told(store, 1)[-1][1] == "re innocent"


def test_a_message_put_aside_can_be_tried_again_and_is_heard_once(store: Store) -> None:
    async def story() -> None:
        await store.accept([said("1", "poison")])
        worker = Worker(store, Mind(), Hub())
        for _ in range(TRIES):
            await worker.drain()
            await store.database.write(lambda c: c.execute("UPDATE conversations SET leased_until = 0"))
        (row,) = store.aside.listing()
        assert (row.channel, row.case, store.aside.count()) == ("hook", 0, 1)
        await store.database.write(
            lambda c: c.execute("INSERT INTO staff (name, role, password_hash, created_at) VALUES ('a', '', '', 0)")
        )
        assert await store.aside.retry(row.id, 1)
        assert not await store.aside.retry(row.id, 1)
        (lease,) = await store.lease("w", 1)
        assert lease.events[0].retried
        worker = Worker(store, Calm(), Hub())
        await store.database.write(lambda c: c.execute("UPDATE conversations SET leased_until = 0"))
        await worker.drain()

    class Calm(Mind):
        def take(self, lease: Lease) -> Taken:
            return answers(lease), "en", ""

    asyncio.run(story())
    assert [text for _, text, _ in told(store, 1)] == ["poison", "sorry", "re 1"]
    assert rows(store, "SELECT action FROM audit") == [("aside.retry",)]
    assert rows(store, "SELECT count(*) FROM inbox") == [(0,)]


# -- floods


def test_a_flood_of_one_person_lets_the_others_pass(store: Store) -> None:
    async def story() -> tuple[int, list[int]]:
        flood = [said(f"f{n}", user="flooder", ms=n) for n in range(300)]
        await store.accept(flood, deferred=range(len(flood)))
        await store.accept([said(f"n{n}", user=f"u{n}") for n in range(50)])
        worker, mind = Worker(store, mind := Mind(), Hub()), mind
        for _ in range(2):
            await worker.drain()
        early = list(mind.thought)
        while await worker.drain():
            pass
        places = [int(event[1:]) for event in mind.thought if event.startswith("f")]
        return sum(event.startswith("n") for event in early), places

    passed, places = asyncio.run(story())
    assert passed == 50
    assert places == list(range(300))


def test_of_a_flood_only_a_little_is_read_at_a_time(store: Store) -> None:
    async def story() -> int:
        await store.accept([said(f"{n}", ms=n) for n in range(100)])
        (lease,) = await store.lease("w", 1)
        return len(lease.events)

    assert asyncio.run(story()) == EVENTS_OF_A_FLOOD


def test_over_the_budget_only_urgent_texts_are_not_put_off() -> None:
    now = [0.0]
    budgets = Budgets(Limits(person=60, burst=2), lambda text: "fire" in text, lambda: now[0])
    assert budgets.sort([said(f"{n}") for n in range(4)]) == ([2, 3], [])
    assert budgets.sort([said("4", "fire"), said("5", user="v")]) == ([0], [0])
    now[0] = 1.0
    assert budgets.sort([said("6"), said("7")]) == ([1], [])


def test_an_urgent_text_brings_its_conversation_forward(store: Store) -> None:
    async def story() -> list[int]:
        await store.accept([said("1", user="a")], deferred=[0])
        await store.accept([said("2", user="b")])
        await store.accept([said("3", user="a", ms=2)], deferred=[0], urgent=[0])
        (first,) = await store.lease("w", 1)
        return [first.conversation]

    assert asyncio.run(story()) == [1]


def test_people_are_told_once_in_their_language(store: Store, resources: Resources) -> None:
    async def story() -> None:
        await store.accept([said("1", "hello there", user="a"), said("2", user="b")])
        await store.database.write(lambda c: c.execute("UPDATE inbox SET accepted_at = accepted_at - 30"))
        worker = Worker(store, Mind(), Hub())
        surge = Surge(store, worker, resources.renderer, worker.sent, lambda text: "vi" if text == "2" else "en", 10.0)
        for _ in range(3):
            await surge.once()
        assert surge.saturated
        assert (surge.queue.events, surge.queue.people, surge.queue.oldest > 29) == (2, 2, True)

    asyncio.run(story())
    pages = resources.pages
    assert [text for _, text, _ in told(store, 1)] == [pages.words("en", "conversation.busy")]
    assert [text for _, text, _ in told(store, 2)] == [pages.words("vi", "conversation.busy")]


# -- deliveries


def test_a_delivery_held_back_by_the_breaker_is_no_try(store: Store) -> None:
    async def story() -> list[tuple[Any, ...]]:
        await take(store, said("1"))
        sender = Sender(store, {"hook": Channel(*[DOWN] * 50)}, Hub(), asyncio.Event())
        for _ in range(BREAKER_FAILURES + 10):
            await hurry(store)
            await sender.drain()
        return rows(store, "SELECT attempts FROM outbox")

    assert BREAKER_SECONDS > 1
    assert asyncio.run(story()) == [(BREAKER_FAILURES,)]


# -- a full disk


@pytest.mark.skipif(engines.on_postgresql(), reason="pages of a file")
def test_on_a_full_disk_nothing_is_accepted_and_then_it_goes_on(store: Store) -> None:
    async def limit(pages: int) -> None:
        await store.database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone())

    async def story() -> tuple[list[str], list[str]]:
        await limit(1)  # not less than there are: full from now on
        good, bad = [], []
        for n in range(40):
            try:
                await store.accept([said(f"{n}", "x" * 3000, user=f"u{n}")])
                good.append(f"{n}")
            except StoreUnavailable:
                bad.append(f"{n}")
        await limit(100_000)
        await store.accept([said(n, user=f"u{n}") for n in bad])
        return good, bad

    good, bad = asyncio.run(story())
    assert bad
    kept = {event for (event,) in rows(store, "SELECT event_id FROM inbox")}
    assert kept == {*good, *bad}


# -- clients


@contextlib.contextmanager
def served(seconds: float) -> Iterator[int]:
    async def echo(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    port = free_port()
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", http=patient_for(seconds)))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join()


def drip(port: int, start: bytes) -> float:
    """Send a byte now and then; after how long the connection is cut."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.settimeout(0.05)
        slow.sendall(start)
        while time.monotonic() - began < 10:
            try:
                slow.sendall(start[-1:] and b"a")
                if not slow.recv(100):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    return time.monotonic() - began


def ask(connection: socket.socket) -> bytes:
    connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
    answer = b""
    while not answer.endswith(b"\r\n\r\n2"):
        more = connection.recv(1000)
        assert more, answer
        answer += more
    return answer


@pytest.mark.parametrize(
    "start",
    [b"", b"GET / HTTP/1.1\r\nX-A: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"],
    ids=["nothing", "headers", "body"],
)
def test_a_dripping_client_is_cut_while_others_are_served(start: bytes) -> None:
    with served(0.4) as port, socket.create_connection(("127.0.0.1", port)) as other:
        found: list[float] = []
        thread = threading.Thread(target=lambda: found.append(drip(port, start)))
        thread.start()
        for _ in range(6):
            assert ask(other).startswith(b"HTTP/1.1 200")
            time.sleep(0.1)
        thread.join()
    assert 0.3 < found[0] < 5


# -- what people see


@pytest.mark.parametrize(("lang", "code"), [("zh-TW", "zh-TW"), ("vi", "vi"), ("th", "th")])
def test_a_store_that_fails_is_told_in_the_language_of_the_reader(
    resources: Resources, tmp_path: Path, lang: str, code: str
) -> None:
    with running(resources, tmp_path) as site:
        handler = site.app.exception_handlers[StoreUnavailable]

        async def call(path: str, *headers: tuple[bytes, bytes]) -> Any:
            scope = {"type": "http", "method": "GET", "path": path, "headers": list(headers), "query_string": b""}
            return await handler(Request(scope), StoreUnavailable("full"))

        asked = (b"accept-language", lang.encode())
        page = site.portal.call(call, "/mydata/x", asked)
        script = site.portal.call(call, "/x", asked, (b"accept", b"application/json"))
        hook = site.portal.call(call, "/webhook/hook", asked)
    text = resources.pages.words(code, "web.error_store")
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert text in page.body.decode()
    assert script.status_code == 503
    assert text in script.body.decode("unicode_escape") or text.encode() in script.body
    assert (hook.status_code, b"try again" in hook.body) == (503, True)


def test_the_desk_lists_what_could_not_be_worked_on_without_its_words(
    resources: Resources, tmp_path: Path, moving_clock: Callable[..., Any]
) -> None:
    with running(resources, tmp_path) as site:
        visitor = site.browser()
        visitor.say("尋職津貼")
        senior, agent = site.caseworker("lin", "senior"), site.caseworker("an", "agent")
        site._connection().execute(
            "INSERT INTO inbox (conversation_id, address_id, event_id, sent_ms, body, accepted_at, state, aside_at)"
            " VALUES (1, 1, 'e', 1, '0{\"text\": \"secret words\"}', 1, 'failed', 2)"
        )
        assert "/desk/aside" in senior.get("/desk").text
        page = senior.get("/desk/aside")
        assert page.status_code == 200
        assert "secret" not in page.text
        assert agent.get("/desk/aside").status_code == 403
        assert agent.post("/desk/aside/dismiss", {"event": "1"}).status_code == 403
        number = str(site.rows("SELECT id FROM inbox WHERE state = 'failed'")[0][0])
        assert senior.post("/desk/aside/dismiss", {"event": number}).headers["location"] == "/desk/aside"
        assert "problem" in senior.post("/desk/aside/retry", {"event": number}).headers["location"]
        assert site.rows("SELECT count(*) FROM audit WHERE action = 'aside.dismiss'")[0][0] == 1
