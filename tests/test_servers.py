"""Signs of life of servers on one database: what a dead one held is free within seconds, and only that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import place
from storing import answers, now, rows, said, take

from bot.store import Store
from bot.store.servers import LATE_SECONDS, OWN_SIGNS, QUIET_SECONDS, Servers


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(place(tmp_path / "t.db"))
    yield opened
    opened.close()


def be_quiet(store: Store, server: str, seconds: float) -> None:
    """So long ago was its last sign."""
    now(
        store,
        lambda c: c.execute("UPDATE servers SET seen_at = seen_at - :s WHERE id = :id", {"s": seconds, "id": server}),
    )


async def beats(server: Servers, name: str, times: int = OWN_SIGNS) -> list[int]:
    """So many signs, one after the other; how many it found dead at each."""
    return [await server.beat(name) for _ in range(times)]


async def holding(store: Store) -> None:
    """`one` holds an event of a, and an answer to b: handed over at its commit."""
    servers = Servers(store.database)
    await servers.beat("one")
    await servers.beat("two")
    await store.accept([said("b1", user="b")])
    (lease,) = await store.lease("one", 8)
    await store.commit_all([(lease, answers(lease), "en", "")], "one")
    await store.accept([said("a1", user="a")])
    assert len(await store.lease("one", 8)) == 1


def held(store: Store) -> tuple[int, int]:
    """Conversations leased to a worker, and to a sender."""
    ((leased, sending),) = rows(
        store,
        "SELECT sum(CASE WHEN leased_by <> '' THEN 1 ELSE 0 END) AS a,"
        " sum(CASE WHEN sending_by <> '' THEN 1 ELSE 0 END) AS b"
        " FROM conversations",
    )
    return leased, sending


def test_what_a_dead_server_held_is_free_for_the_others(store: Store) -> None:
    async def story() -> None:
        await holding(store)
        be_quiet(store, "one", QUIET_SECONDS + 1)
        assert await beats(store.servers, "two") == [0, 0, 1]
        assert len(await store.lease("two", 8)) == 1
        assert len(await store.lease_deliveries("two", 8)) == 1

    asyncio.run(story())
    assert store.servers.living() == ["two"]


def test_who_lives_keeps_what_it_holds(store: Store) -> None:
    async def story() -> None:
        await holding(store)
        be_quiet(store, "one", (QUIET_SECONDS + LATE_SECONDS) / 2)
        assert sum(await beats(store.servers, "two", 2 * OWN_SIGNS)) == 0

    asyncio.run(story())
    assert held(store) == (1, 1)


def test_where_all_were_quiet_nobody_is_dead(store: Store) -> None:
    async def story() -> None:
        await holding(store)
        one, two = Servers(store.database), Servers(store.database)
        for _ in range(3):
            be_quiet(store, "one", QUIET_SECONDS + 1)
            be_quiet(store, "two", QUIET_SECONDS + 1)
            assert sum(await beats(two, "two", OWN_SIGNS - 1)) == 0
            assert sum(await beats(one, "one")) == 0
            assert sum(await beats(two, "two")) == 0

    asyncio.run(story())
    assert held(store) == (1, 1)


def test_a_server_that_was_only_slow_writes_nothing_over_the_others(store: Store) -> None:
    async def story() -> None:
        await Servers(store.database).beat("one")
        await Servers(store.database).beat("two")
        await store.accept([said("a1", user="a")])
        (slow,) = await store.lease("one", 8)
        be_quiet(store, "one", QUIET_SECONDS + 1)
        assert await beats(store.servers, "two") == [0, 0, 1]
        (quick,) = await store.lease("two", 8)
        assert await store.commit_all([(slow, answers(slow), "en", "")]) == [None]
        assert await store.commit_all([(quick, answers(quick), "en", "")]) != [None]
        assert await Servers(store.database).beat("one") == 0

    asyncio.run(story())
    assert sorted(store.servers.living()) == ["one", "two"]


def test_who_leaves_holds_nothing(store: Store) -> None:
    async def story() -> None:
        await holding(store)
        await store.servers.leave("one")

    asyncio.run(story())
    assert held(store) == (0, 0)
    asyncio.run(take(store, said("a2", user="a")))
