"""Two servers on one PostgreSQL: each event once and in order, one holder a case, one audit chain, wake-ups, breaks."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from engines import server
from postgres import programs
from storing import NOTICE, answers, now, rows, said, staff, waiting_case, went_well

from bot.pipeline.hub import Hub
from bot.store import Store, StoreUnavailable, audit
from bot.store.postgres import Postgres
from bot.store.records import CaseTaken
from bot.store.schema import scripts

pytestmark = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed here")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return server().store(tmp_path / "shared")


@pytest.fixture
def servers(url: str) -> Iterator[tuple[Store, Store]]:
    one, two = Store(url), Store(url)
    yield one, two
    one.close()
    two.close()


async def work(store: Store, name: str, taken: list[tuple[int, str]], quiet: int = 40) -> None:
    """A worker and a sender that go on until there was nothing to do for a while."""
    idle = 0
    while idle < quiet:
        leases = await store.lease(name, 8)
        if leases:
            done = await store.commit_all([(lease, answers(lease), "en", "") for lease in leases])
            for lease, committed in zip(leases, done, strict=True):
                if committed is not None:
                    taken += [(lease.conversation, event.event_id) for event in lease.events]
        for delivery in await store.lease_deliveries(name, 8):
            await store.finish([went_well(delivery)])
            leases.append(delivery)  # type: ignore[arg-type]
        idle = 0 if leases else idle + 1
        await asyncio.sleep(0.002)


def test_events_that_reach_both_are_taken_once_and_in_order(servers: tuple[Store, Store]) -> None:
    chance = random.Random(7)
    events = [said(f"{user}-{n}", user=str(user), ms=n) for user in range(12) for n in range(15)]
    taken: list[tuple[int, str]] = []

    async def story() -> None:
        async def deliver(store: Store) -> None:
            mine = [event for event in events if chance.random() < 0.8]
            for event in sorted(mine + chance.sample(mine, 40), key=lambda one: one.sent_ms):
                await store.accept([event])

        await asyncio.gather(
            *(deliver(store) for store in servers), *(work(store, str(n), taken) for n, store in enumerate(servers))
        )
        for store in servers:
            await store.accept(events)
        await asyncio.gather(*(work(store, str(n), taken) for n, store in enumerate(servers)))

    asyncio.run(story())
    assert Counter(event for _, event in taken) == Counter(event.event_id for event in events)
    store = servers[0]
    assert rows(store, "SELECT count(*) FROM inbox") == [(0,)]
    assert rows(store, "SELECT count(*) FROM outbox WHERE state <> 'sent'") == [(0,)]
    assert rows(store, "SELECT sum(pending) + sum(outgoing) FROM conversations") == [(0,)]
    for (conversation,) in rows(store, "SELECT id FROM conversations"):
        lines = rows(
            store, "SELECT seq, author FROM messages WHERE conversation_id = :id ORDER BY seq", id=conversation
        )
        assert [seq for seq, _ in lines] == list(range(1, 31))
        assert Counter(author for _, author in lines) == {"citizen": 15, "bot": 15}


def test_of_claims_on_both_exactly_one_holds(servers: tuple[Store, Store]) -> None:
    async def story() -> None:
        one, two = servers
        lin, chen = await staff(one, "lin"), await staff(one, "chen")
        for n in range(15):
            case = await waiting_case(one, f"u{n}")
            results = await asyncio.gather(
                one.claim(case, lin, NOTICE), two.claim(case, chen, NOTICE), return_exceptions=True
            )
            assert [type(result) for result in results].count(CaseTaken) == 1
            holder = rows(one, "SELECT holder FROM cases WHERE id = :id", id=case)[0][0]
            assert holder == (chen if isinstance(results[0], CaseTaken) else lin)
            assert rows(
                one,
                "SELECT speaker, holder FROM conversations c WHERE holder = :h AND id ="
                " (SELECT conversation_id FROM cases WHERE id = :id)",
                h=holder,
                id=case,
            ) == [("human", holder)]

    asyncio.run(story())


def test_both_write_one_audit_chain(servers: tuple[Store, Store]) -> None:
    async def story() -> None:
        await asyncio.gather(
            *(
                store.note(None, "a.b", f"{name}/{n}")
                for name, store in zip("xy", servers, strict=True)
                for n in range(60)
            )
        )

    asyncio.run(story())
    verified = servers[1].audit.verify()
    assert (verified.rows, verified.fault) == (120, None)
    with pytest.raises(psycopg.Error, match="append-only"):
        now(servers[0], lambda c: c.execute("UPDATE audit SET why = 'x'"))
    with pytest.raises(psycopg.Error, match="append-only"):
        now(servers[0], lambda c: c.execute("TRUNCATE audit"))


def test_a_reader_writes_nothing(servers: tuple[Store, Store]) -> None:
    with pytest.raises(psycopg.Error):
        servers[0].database.read.execute("DELETE FROM seen")


def test_several_servers_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    url = server().create(f"new_{tmp_path.name}")
    errors: list[BaseException] = []

    def start() -> None:
        try:
            Postgres(url).migrate()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    store = Store(url)
    numbers = [number for (number,) in rows(store, "SELECT number FROM migrations ORDER BY number")]
    assert numbers == [number for number, _ in scripts("postgresql")]
    store.close()


def test_what_changes_on_one_wakes_whoever_listens_at_the_other(url: str) -> None:
    async def story() -> None:
        here, there = Hub(), Hub()
        engine = Postgres(url)
        loop = asyncio.get_running_loop()
        bells = [
            engine.bell(lambda topic, hub=hub: loop.call_soon_threadsafe(hub.heard, topic)) for hub in (here, there)
        ]
        here.outward, there.outward = (bell.ring for bell in bells)
        heard = 0

        async def listen() -> None:
            nonlocal heard
            async for _ in there.watch(12, 30.0):
                heard += 1
                if heard == 2:
                    return

        listener = asyncio.create_task(listen())
        async with asyncio.timeout(10):
            while not listener.done():
                here.publish(12)
                await asyncio.sleep(0.02)
        for bell in bells:
            await asyncio.to_thread(bell.close)
        assert heard == 2

    asyncio.run(story())


def test_broken_connections_are_an_unavailable_store_and_then_whole_again(servers: tuple[Store, Store]) -> None:
    store, other = servers
    assert store.staff_count() == 0
    now(
        other,
        lambda c: c.all(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        ),
    )
    assert store.staff_count() == 0
    with pytest.raises(StoreUnavailable):
        asyncio.run(store.accept([said("1")]))
    assert asyncio.run(store.accept([said("1")]))[0].new


def test_a_failing_statement_undoes_only_its_own_operation(servers: tuple[Store, Store]) -> None:
    store, _ = servers

    async def story() -> list[object]:
        return list(
            await asyncio.gather(
                store.accept([said("1")]),
                store.database.write(lambda c: c.execute("SELECT nothing_of_that_name FROM audit")),
                store.note(None, "a.b", "c/1"),
                return_exceptions=True,
            )
        )

    accepted, failed, noted = asyncio.run(story())
    assert accepted[0].new  # type: ignore[index]
    assert isinstance(failed, psycopg.Error)
    assert noted is None
    assert audit.verify(store.database.read).rows == 1
