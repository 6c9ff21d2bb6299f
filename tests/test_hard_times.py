"""Messages that kill the process, crowds of connections that say nothing: everybody else is served."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import psycopg
import pytest
from postgres import cluster, programs
from steady import Watched
from town import Town

from bot.pipeline.worker import TRIES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
needs_postgresql = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed here")
DEADLY = "the word that kills"
KEPT, SILENT, DRIPPING = 500, 100, 100
QUICK = 10.0  # seconds within which a webhook is answered on any machine, whoever else is connected
CONNECTIONS_OF_A_SERVER = 12


def test_a_message_that_kills_the_server_is_aside_after_five_deaths(tmp_path: Path) -> None:
    town = Town(tmp_path, more={"WATCHED_DEADLY": DEADLY})
    deaths = asyncio.run(killed_again_and_again(town))
    assert deaths == TRIES
    lines = town.rows("SELECT a.user_id, m.author, m.event_id FROM messages m JOIN addresses a ON a.id = m.address_id")
    heard = {(user, event) for user, author, event in lines if author == "citizen"}
    assert town.rows("SELECT state, attempts > 0 FROM inbox") == [("failed", 1)]
    said = town.sent["hook", "u1"]
    assert {("u1", event) for event in said[1:]} | {("u2", event) for event in town.sent["hook", "u2"]} <= heard
    assert [row[0] for row in town.rows("SELECT DISTINCT state FROM outbox")] == ["sent"]
    assert {*said, *town.sent["hook", "u2"]} <= set(town.replies), "each was answered, the deadly one by an apology"


async def killed_again_and_again(town: Town) -> int:
    """How often the server had to be started anew until its queue was worked off."""
    deaths = 0
    async with town.open():
        writers = [asyncio.create_task(one) for one in (write(town, 1, f"here is {DEADLY}"), write(town, 2, "hello"))]
        while not (writers[0].done() and writers[1].done() and town.server.lives() and worked_off(town)):
            if not town.server.lives():
                deaths += 1
                assert deaths <= TRIES
                with contextlib.suppress(AssertionError):  # it may die before it is ready
                    await town.server.start()
                continue
            await asyncio.sleep(0.1)
        await asyncio.gather(*writers)
    return deaths


async def write(town: Town, number: int, text: str) -> None:
    """A text, and two taps after it."""
    for what in ({"text": text}, {"choice": "menu"}, {"choice": "topic:p15"}):
        await town.say("hook", number, what)


def worked_off(town: Town) -> bool:
    """Does nothing wait any more?"""
    return not town.rows("SELECT 1 FROM conversations WHERE pending > 0 OR outgoing > 0")


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def test_hundreds_of_idle_connections_are_borne(tmp_path: Path, engine: str) -> None:
    if engine == "sqlite":
        asyncio.run(crowded(Town(tmp_path)))
        return
    with cluster("max_connections=40") as database:
        town = Town(tmp_path, database.create("crowd"))
        asyncio.run(crowded(town))


async def crowded(town: Town) -> None:
    """Kept connections, silent ones and dripping ones all stay open while citizens of every channel write."""
    async with town.open(), contextlib.AsyncExitStack() as stack:
        await town.say("web", 1, {"choice": "menu"})
        alone = open_files(town.server)
        kept = await stack.enter_async_context(crowd(town))
        async with asyncio.timeout(20):
            while open_files(town.server) < alone + KEPT + SILENT + DRIPPING:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        worst = 0.0
        for number in range(20):
            for channel in ("hook", "line", "web"):
                began = time.monotonic()
                await town.say(channel, number % 3, {"choice": "menu"})
                worst = max(worst, time.monotonic() - began)
        assert set(town.answers) <= {(channel, status) for channel in ("hook", "line", "web") for status in (200, 202)}
        for _ in range(2):
            assert await asyncio.gather(*(ask(*one) for one in kept)) == [True] * KEPT
        used = connections(town)
        await town.drain()
        print(
            f"\n{KEPT} kept, {SILENT} silent, {DRIPPING} dripping; slowest of 60 posts {worst * 1000:.0f} ms;"
            f" {used} connections to the database"
        )
        assert worst < QUICK
        assert used <= CONNECTIONS_OF_A_SERVER
    town.check()


def open_files(server: Watched) -> int:
    """How many the process has."""
    assert server.process is not None
    return psutil.Process(server.process.pid).num_fds()


def connections(town: Town) -> int:
    """How many of the database's connections the server holds."""
    if not town.url:
        return 0
    with psycopg.connect(town.url) as database:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        row = database.execute(query).fetchone()
        return int(row[0]) if row else 0


Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def crowd(town: Town) -> AsyncIterator[list[Connected]]:
    """Those who asked once and keep the connection; the others are only there."""
    opened: list[Connected] = []
    try:
        for number in range(KEPT + SILENT + DRIPPING):
            opened.append(await asyncio.open_connection("127.0.0.1", town.server.port))
            if number >= KEPT + SILENT:
                opened[-1][1].write(b"POST /webhook/hook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        kept = opened[:KEPT]
        assert await asyncio.gather(*(ask(*one) for one in kept)) == [True] * KEPT
        yield kept
    finally:
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Is it answered on this connection?"""
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    async with asyncio.timeout(20):
        while not answer.endswith(b"\r\n\r\nok"):
            more = await reader.read(2000)
            if not more:
                return False
            answer += more
    return answer.startswith(b"HTTP/1.1 200")
