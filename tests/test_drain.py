"""SIGTERM under load: told at once, listened to a moment longer, and nothing that was accepted is lost."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import aiohttp
import pytest
from killing import City, Server
from postgres import cluster, programs
from test_kill import each_event_took_effect_once_in_order, every_reply_was_delivered_in_order, finish

SENDERS = 4
LIVES = 2
ENDS_WITHIN = 12.0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ended_under_load_nothing_is_lost_and_nothing_held(tmp_path: Path) -> None:
    run(City(tmp_path, random.Random()))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed here")
def test_one_of_two_servers_ended_under_load(tmp_path: Path) -> None:
    with cluster() as server:
        run(City(tmp_path, random.Random(), server.create("draining")))


def run(city: City) -> None:
    """Play, then look at what is kept and what arrived."""
    try:
        asyncio.run(play(city))
    finally:
        city.stop()
    each_event_took_effect_once_in_order(city)
    every_reply_was_delivered_in_order(city)
    keys = [one.key for one in city.received]
    assert len(keys) == len(set(keys)), "an orderly end repeats nothing"


async def play(city: City) -> None:
    """Load all the time; one server ends in order and starts again."""
    async with city.receiving(), aiohttp.ClientSession() as session:
        await asyncio.gather(*(city.start(session, server) for server in city.servers))
        senders = [asyncio.create_task(city.sender(session, f"s{n}", 3)) for n in range(SENDERS)]
        for _ in range(LIVES):
            await asyncio.sleep(0.5)
            await end(city, session, city.servers[0])
            await city.start(session, city.servers[0])
        await finish(city, senders)


async def end(city: City, session: aiohttp.ClientSession, server: Server) -> None:
    """SIGTERM: `/readyz` says no while the door is still open; what it held is free once it is gone."""
    assert server.process is not None
    server.process.terminate()
    began, told = time.monotonic(), False
    while server.process.poll() is None:
        try:
            async with session.get(f"http://127.0.0.1:{server.port}/readyz") as answer:
                told = told or answer.status == 503
        except (aiohttp.ClientError, OSError):
            if len(city.servers) == 1:
                city.up.clear()
            server.up = False
        await asyncio.sleep(0.02)
        assert time.monotonic() - began < ENDS_WITHIN
    assert told
    server.up = False
    if len(city.servers) == 1:
        city.up.clear()
        assert city.look("SELECT 1 FROM conversations WHERE leased_by <> '' OR sending_by <> ''") == []
