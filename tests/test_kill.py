"""Under SIGKILL no accepted message is lost, each takes effect once, order is kept, repetitions lie in the kill window.

LABOR_BOT_KILLS says how often (30); `make endurance` kills 200 times.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
from killing import City

KILLS = int(os.environ.get("LABOR_BOT_KILLS", "30"))
SENDERS, USERS_EACH = 8, 3
DRAIN_LIMIT = 120.0


@pytest.mark.slow
@pytest.mark.timeout(120 + 15 * KILLS)
def test_killed_again_and_again_under_load(tmp_path: Path) -> None:
    city = City(tmp_path, random.Random())
    began = time.monotonic()
    try:
        asyncio.run(play(city))
    finally:
        city.stop()
    print(report(city, time.monotonic() - began))
    each_event_took_effect_once_in_order(city)
    every_reply_was_delivered_in_order(city)
    repetitions_lie_in_the_kill_window(city)
    assert city.on_disk("PRAGMA integrity_check") == [("ok",)]
    assert len(city.deaths) == KILLS


async def play(city: City) -> None:
    """Load all the time; start, kill, start, kill; at the end let everything drain."""
    async with city.receiving(), aiohttp.ClientSession() as session:
        senders = [asyncio.create_task(city.sender(session, f"s{n}", USERS_EACH)) for n in range(SENDERS)]
        for number in range(KILLS):
            await city.start(session)
            await (at_a_random_moment(city) if number % 2 else at_a_delivery(city))
        city.at_delivery = None
        await city.start(session)
        city.stopping = True
        await asyncio.gather(*senders)
        async with asyncio.timeout(DRAIN_LIMIT):
            while city.on_disk("SELECT 1 FROM conversations WHERE pending > 0 OR outgoing > 0"):  # noqa: ASYNC110
                await asyncio.sleep(0.5)


async def at_a_random_moment(city: City) -> None:
    """Kill somewhere within the first second of work."""
    await asyncio.sleep(city.chance.random())
    city.kill()


async def at_a_delivery(city: City) -> None:
    """Kill while a delivery is being received: its sender cannot have written it down."""
    left = city.chance.randint(1, 200)
    killed = asyncio.Event()

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            city.kill()
            killed.set()

    city.at_delivery = count
    await killed.wait()


def each_event_took_effect_once_in_order(city: City) -> None:
    """The transcript of each citizen is what was sent: nothing lost, nothing twice, nothing out of order."""
    heard: dict[str, list[str]] = {}
    lines = "SELECT a.user_id, m.event_id FROM messages m JOIN addresses a ON a.id = m.address_id"
    for user, event in city.on_disk(f"{lines} WHERE m.author = 'citizen' ORDER BY m.conversation_id, m.seq"):
        heard.setdefault(user, []).append(event)
    assert heard == city.sent
    assert city.on_disk("SELECT count(*) FROM inbox") == [(0,)]
    assert city.on_disk("SELECT DISTINCT status FROM messages") == [("sent",)]
    assert city.on_disk("SELECT count(*) FROM seen") == [(sum(map(len, city.sent.values())),)]


def every_reply_was_delivered_in_order(city: City) -> None:
    """Each outbox row arrived; per citizen the receiver saw the answers in the order of the messages."""
    made = [key for (key,) in city.on_disk("SELECT retry_key FROM outbox ORDER BY id")]
    assert len(made) == sum(map(len, city.sent.values()))
    assert {one.key for one in city.received} == set(made)
    assert city.on_disk("SELECT DISTINCT state FROM outbox") == [("sent",)]
    for user, events in city.sent.items():
        order = {event: number for number, event in enumerate(events)}
        arrived = [order[one.event] for one in city.received if one.user == user]
        assert all(one <= other for one, other in pairwise(arrived)), f"{user} got answers out of order"


def repetitions_lie_in_the_kill_window(city: City) -> None:
    """A delivery comes again only in a later life, and only if the one that was killed had it on the wire."""
    last: dict[str, int] = {}
    for one in city.received:
        if one.key in last:
            assert one.life > last[one.key], f"{one.key} came twice in one life"
            assert one.key in city.deaths[last[one.key]].on_the_wire, f"{one.key} was recorded, yet came again"
        last[one.key] = one.life


def report(city: City, seconds: float) -> str:
    """What happened, for people."""
    first = {}
    for one in city.received:
        first.setdefault(one.key, one)
    again = [key for key, times in Counter(one.key for one in city.received).items() if times > 1]
    waits = [city.deaths[first[key].life].at - first[key].at for key in again]
    sent = sum(map(len, city.sent.values()))
    return (
        f"\n{len(city.deaths)} kills in {seconds:.0f} s; {sent} events of {len(city.sent)} citizens accepted, in"
        f" {city.counts['posts']} posts, {city.counts['insisted']} of them sent again for want of a 200,"
        f" {city.counts['repeated on purpose']} repeated on purpose\n"
        f"{len(city.received)} deliveries received, {len(city.received) - len(first)} of them repetitions"
        f" (of {len(again)} answers), the first of each at most {1000 * max(waits, default=0):.0f} ms before its kill;"
        f" on the wire at a kill: {sum(len(death.on_the_wire) for death in city.deaths)}"
    )
