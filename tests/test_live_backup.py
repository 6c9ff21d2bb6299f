"""Backups of a server under load, put back in a fresh place where a server goes on from them: nothing is missing.

LABOR_BOT_BACKUPS says how many copies (2); `make endurance` makes ten.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from deploying import run, tool
from killing import City
from postgres import Cluster, cluster, programs

COPIES = int(os.environ.get("LABOR_BOT_BACKUPS", "2"))
SENDERS, USERS_EACH = 6, 4
BETWEEN = 1.0  # seconds of load before each copy
DRAIN_LIMIT = 120.0
Sent = dict[str, list[str]]
Query = Callable[[str], list[tuple[Any, ...]]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 60 * COPIES)]
needs_postgresql = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed here")
WHOLE = (
    "SELECT c.id FROM conversations c WHERE pending <> (SELECT count(*) FROM inbox i WHERE i.conversation_id = c.id)",
    "SELECT c.id FROM conversations c WHERE outgoing <> (SELECT count(*) FROM outbox o WHERE o.conversation_id = c.id"
    " AND o.state IN ('queued', 'sending'))",
    "SELECT o.id FROM outbox o WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = o.conversation_id"
    " AND m.seq = o.first_seq)",
    "SELECT i.id FROM inbox i JOIN messages m ON m.event_id = i.event_id AND m.conversation_id = i.conversation_id",
)


def test_copies_of_the_file(tmp_path: Path) -> None:
    """`labor-bot backup` beside the server, `labor-bot restore` into a folder that is new."""
    home = tmp_path / "home"
    home.mkdir()
    at_home = {"LABOR_BOT_DATA_DIR": str(home), "LABOR_BOT_DATABASE_URL": ""}

    def copy(number: int) -> None:
        run("staff", "add", f"worker-{number}", **at_home)  # a row in the trail
        run("backup", "--to", str(tmp_path / f"{number}.db"), **at_home)

    def put_back(number: int) -> City:
        place = tmp_path / f"place-{number}"
        place.mkdir()
        run("restore", str(tmp_path / f"{number}.db"), LABOR_BOT_DATA_DIR=str(place), LABOR_BOT_DATABASE_URL="")
        return City(place, random.Random())

    asyncio.run(story(City(home, random.Random()), copy, put_back))


@needs_postgresql
def test_dumps_of_postgresql(tmp_path: Path) -> None:
    """pg_dump beside two servers, pg_restore into a database that is new, as operations.md says."""
    with cluster() as server:
        url = server.create("live")

        def copy(number: int) -> None:
            run("staff", "add", f"worker-{number}", LABOR_BOT_DATABASE_URL=url, LABOR_BOT_DATA_DIR=str(tmp_path))
            subprocess.run([tool("pg_dump"), "-Fc", "-f", str(tmp_path / f"{number}.dump"), "-d", url], check=True)

        def put_back(number: int) -> City:
            return City(made(tmp_path / f"place-{number}"), random.Random(), restored(server, tmp_path, number))

        asyncio.run(story(City(made(tmp_path / "home"), random.Random(), url), copy, put_back))


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def restored(server: Cluster, folder: Path, number: int) -> str:
    """A database of the dump's content."""
    url = server.create(f"restored_{number}")
    command = [tool("pg_restore"), "--exit-on-error", "--single-transaction", "-d", url]
    subprocess.run([*command, str(folder / f"{number}.dump")], check=True)
    return url


async def story(city: City, copy: Callable[[int], None], put_back: Callable[[int], City]) -> None:
    """Several copies while citizens write; each is then looked at, and served."""
    before: list[Sent] = []
    took: list[float] = []
    try:
        async with city.receiving(), aiohttp.ClientSession() as session:
            await asyncio.gather(*(city.start(session, server) for server in city.servers))
            senders = [asyncio.create_task(city.sender(session, f"s{n}", USERS_EACH)) for n in range(SENDERS)]
            for number in range(COPIES):
                await asyncio.sleep(BETWEEN)
                before.append({user: list(events) for user, events in city.sent.items()})
                began = time.monotonic()
                await asyncio.to_thread(copy, number)
                took.append(time.monotonic() - began)
            city.stopping = True
            await asyncio.gather(*senders)
    finally:
        city.stop()
    for number, sent in enumerate(before):
        await goes_on(put_back(number), sent, city.sent)
    print(
        f"\n{COPIES} copies under load, each in {max(took):.1f} s at most; {sum(map(len, city.sent.values()))} messages"
        f" accepted, before each copy {[sum(map(len, sent.values())) for sent in before]}: all in it"
    )


async def goes_on(city: City, before: Sent, after: Sent) -> None:
    """Whole as it lies there; then the server works off what waits in it and knows each message again."""
    kept = events_in(city.look)
    for user, events in before.items():
        assert set(events) <= set(kept[user]), f"{user} misses {set(events) - set(kept[user])}"
    assert max(Counter(event for events in kept.values() for event in events).values()) == 1
    for query in WHOLE:
        assert city.look(query) == [], query
    try:
        async with city.receiving(), aiohttp.ClientSession() as session:
            await asyncio.gather(*(city.start(session, server) for server in city.servers))
            for user, events in before.items():
                bodies = [city._event(user, event) for event in events]
                answer = await city._insist(session, bodies)
                assert answer == {"accepted": 0, "repeated": len(events), "refused": []}
            async with asyncio.timeout(DRAIN_LIMIT):
                while city.look("SELECT 1 FROM conversations WHERE pending > 0 OR outgoing > 0"):  # noqa: ASYNC110
                    await asyncio.sleep(0.3)
    finally:
        city.stop()
    taken = transcript(city.look)
    for user, events in taken.items():
        assert events == after[user][: len(events)], f"{user}: not what was said, in its order"
        assert len(events) >= len(before.get(user, ()))
    assert city.look("SELECT count(*) FROM inbox") == [(0,)]
    assert city.look("SELECT DISTINCT state FROM outbox") == [("sent",)]
    verified = run("audit", "verify", LABOR_BOT_DATA_DIR=str(city.folder), LABOR_BOT_DATABASE_URL=city.url)
    assert int(re.findall(r"^\d+", verified)[0]) > 0


def events_in(query: Query) -> Sent:
    """Every event of each citizen that waits or was taken."""
    found = transcript(query)
    waiting = "SELECT a.user_id, i.event_id FROM inbox i JOIN addresses a ON a.id = i.address_id"
    for user, event in query(waiting):
        found.setdefault(user, []).append(event)
    return found


def transcript(query: Query) -> Sent:
    """What was taken of each citizen, in order."""
    found: Sent = {}
    for user, event in query(
        "SELECT a.user_id, m.event_id FROM messages m JOIN addresses a ON a.id = m.address_id"
        " WHERE m.author = 'citizen' ORDER BY m.conversation_id, m.seq"
    ):
        found.setdefault(user, []).append(event)
    return found
