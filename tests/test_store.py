"""The store's promises: each event once, one owner a conversation, order, shared commits that fail alone."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from storing import address, answer, answers, now, opened, rows, said, take, told, went_well

from bot.messages import Incoming
from bot.store import Store, StoreUnavailable, inbox, leasing, outbox, turns
from bot.store.database import Connection
from bot.store.records import Delivery, Lease, StaleFence, Turn


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as store:
        yield store


def lease(store: Store, owner: str = "a", seconds: float = 30.0) -> list[Lease]:
    """Conversations leased now; negative seconds give a lease that ran out at once."""
    found: list[Lease] = now(store, lambda c: leasing.lease(c, owner, 10, seconds))
    return found


def accept(store: Store, *events: Incoming) -> list[bool]:
    """For each event, whether it was new."""
    return [one.new for one in now(store, lambda c: inbox.accept(c, events))]


def commit(store: Store, held: Lease) -> None:
    now(store, lambda c: turns.commit(c, held, answers(held), "en", ""))


# -- accepted once


def test_a_redelivery_changes_nothing(store: Store) -> None:
    assert accept(store, said("1"), said("2"), said("1")) == [True, True, False]
    assert accept(store, said("2"), said("3")) == [False, True]
    (held,) = lease(store)
    assert [event.event_id for event in held.events] == ["1", "2", "3"]
    commit(store, held)
    assert accept(store, said("1"), said("2"), said("3")) == [False] * 3
    assert lease(store) == []


def test_the_same_id_on_another_channel_or_account_is_another_event(store: Store) -> None:
    one = said("1")
    others = [
        dataclasses.replace(one, address=dataclasses.replace(address(), **{name: "x"}))
        for name in ("channel", "account")
    ]
    assert accept(store, one, *others) == [True, True, True]


def test_a_repetition_with_other_content_or_user_keeps_the_first(store: Store) -> None:
    assert accept(store, said("1", "first")) == [True]
    assert accept(store, said("1", "second"), said("1", "third", user="v")) == [False, False]
    (held,) = lease(store)
    assert [event.text for event in held.events] == ["first"]
    assert store.conversation_of(address("v")) is None


# -- leases and fences


def test_a_lease_excludes_a_second_owner(store: Store) -> None:
    accept(store, said("1"))
    (held,) = lease(store, "a")
    accept(store, said("2"))
    assert lease(store, "b") == []
    commit(store, held)
    (second,) = lease(store, "b")
    assert [event.event_id for event in second.events] == ["2"]
    assert second.fence > held.fence


def test_an_expired_lease_is_taken_again_and_its_first_owner_is_refused(store: Store) -> None:
    accept(store, said("1"))
    (first,) = lease(store, "a", seconds=-1)
    (second,) = lease(store, "b")
    assert [event.event_id for event in second.events] == ["1"]
    with pytest.raises(StaleFence):
        commit(store, first)
    assert told(store, second.conversation) == []
    commit(store, second)
    with pytest.raises(StaleFence):
        commit(store, first)
    assert told(store, second.conversation) == [("citizen", "1", "sent"), ("bot", "re 1", "queued")]


def test_a_failure_told_by_a_former_owner_counts_for_nothing(store: Store) -> None:
    accept(store, said("1"))
    (first,) = lease(store, "a", seconds=-1)
    (second,) = lease(store, "b")
    assert now(store, lambda c: leasing.release(c, first.conversation, first.fence, first.events[0], tries=1)) is False
    commit(store, second)
    assert not store.busy(second.conversation) or rows(store, "SELECT pending FROM conversations") == [(0,)]


def test_leases_of_a_killed_process_are_freed_at_the_start(store: Store) -> None:
    accept(store, said("1"))
    assert lease(store, "dead", seconds=1e6)
    now(store, leasing.release_all)
    assert len(lease(store, "b")) == 1


def test_the_longest_waiting_conversation_comes_first(store: Store) -> None:
    for number in range(5):
        accept(store, said(f"{number}", user=f"u{number}"))
    found = now(store, lambda c: leasing.lease(c, "a", 2, 30))
    assert {held.events[0].event_id for held in found} == {"0", "1"}


# -- order


def test_order_is_platform_time_then_arrival(store: Store) -> None:
    accept(store, said("c", ms=30), said("a2", ms=10), said("b", ms=20))
    accept(store, said("a3", ms=10))
    (held,) = lease(store)
    assert [event.event_id for event in held.events] == ["a2", "a3", "b", "c"]


def test_what_arrives_after_a_later_one_was_taken_is_marked_late(store: Store) -> None:
    accept(store, said("later", ms=20))
    (held,) = lease(store)
    commit(store, held)
    accept(store, said("earlier", ms=10))
    (held,) = lease(store)
    assert held.taken_ms == 20
    late = [answer(event, late=event.sent_ms < held.taken_ms) for event in held.events]
    now(store, lambda c: turns.commit(c, held, late, "en", ""))
    assert told(store, held.conversation)[2] == ("citizen", "earlier", "late")


# -- answers handed over at the commit


def test_the_first_answer_is_handed_over_as_a_lease_would_give_it(store: Store) -> None:
    accept(store, said("1"), said("2", ms=2))
    (held,) = lease(store)
    done = now(store, lambda c: turns.commit(c, held, answers(held), "en", "", "sender"))
    assert done.outgoing
    assert outgoing(store) == []
    now(store, leasing.release_all)  # as after a kill: what was handed over comes again, the same
    (again,) = outgoing(store)
    assert dataclasses.replace(again, attempts=1, age=0.0) == done.handed
    now(store, lambda c: outbox.finish(c, [went_well(done.handed)]))
    assert [one.in_reply_to for one in outgoing(store)] == ["2"]


def test_nothing_is_handed_over_while_another_is_on_its_way(store: Store) -> None:
    asyncio.run(take(store, said("1")))
    for state in ("queued", "sending"):
        assert rows(store, "SELECT state FROM outbox WHERE in_reply_to = '1'") == [(state,)]
        accept(store, said(f"after {state}", ms=5))
        (held,) = lease(store)
        done = now(store, lambda c, held=held: turns.commit(c, held, answers(held), "en", "", "sender"))
        assert done.handed is None
        outgoing(store)
    assert rows(store, "SELECT outgoing FROM conversations") == [(3,)]


def outgoing(store: Store) -> list[Delivery]:
    """Deliveries leased now."""
    found: list[Delivery] = now(store, lambda c: outbox.lease(c, "s", 10, 60))
    return found


def test_a_stale_lease_leaves_the_others_of_its_commit_alone(store: Store) -> None:
    accept(store, said("1", user="u"), said("2", user="v"))
    first, second = lease(store, "a", seconds=-1)
    (again,) = now(store, lambda c: leasing.lease(c, "b", 1, 30))
    stale = first if first.conversation == again.conversation else second
    done = asyncio.run(store.commit_all([(held, answers(held), "en", "") for held in (first, second)]))
    assert [one is None for one in done] == [first is stale, second is stale]
    assert rows(store, "SELECT count(*) FROM messages WHERE conversation_id = :id", id=stale.conversation) == [(0,)]
    assert rows(store, "SELECT count(*) FROM messages") == [(2,)]


# -- shared commits


def test_a_failing_operation_undoes_only_itself(store: Store) -> None:
    async def together() -> list[object]:
        held = asyncio.ensure_future(store.database.write(lambda c: gate.result()))
        await asyncio.sleep(0)
        work = [store.accept([said(str(n), user=str(n))]) for n in range(3)]
        bad = store.database.write(half_then_fail)
        tasks = [asyncio.ensure_future(one) for one in (work[0], bad, work[1], work[2])]
        await asyncio.sleep(0)
        gate.set_result(None)
        await held
        return await asyncio.gather(*tasks, return_exceptions=True)

    from concurrent.futures import Future

    gate: Future[None] = Future()
    first, failed, *others = asyncio.run(together())
    assert isinstance(failed, ZeroDivisionError)
    assert all(one[0].new for one in (first, *others))  # type: ignore[index]
    assert rows(store, "SELECT count(*) FROM inbox") == [(3,)]


def half_then_fail(connection: Connection) -> None:
    inbox.accept(connection, [said("half", user="half")])
    raise ZeroDivisionError


def test_many_waiters_share_commits(store: Store) -> None:
    async def many() -> None:
        await asyncio.gather(*(store.accept([said(str(n), user=str(n))]) for n in range(200)))

    asyncio.run(many())
    assert store.database.operations == 200
    assert store.database.commits < 200


@pytest.mark.sqlite
def test_a_full_disk_is_store_unavailable_and_leaves_nothing_half_written(store: Store) -> None:
    accept(store, said("before"))
    pages = rows(store, "PRAGMA page_count")[0][0]
    now(store, lambda c: c.one(f"PRAGMA max_page_count = {pages}"))
    before = everything(store)
    big = said("big", "x" * 100_000, user="v")
    with pytest.raises(StoreUnavailable):
        asyncio.run(store.accept([said("small", user="w"), big]))
    assert everything(store) == before
    now(store, lambda c: c.one("PRAGMA max_page_count = 1000000"))
    assert accept(store, said("small", user="w"), big) == [True, True]


@pytest.mark.sqlite
def test_a_locked_database_is_store_unavailable_and_recovers(store: Store) -> None:
    store.database._writer.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(store.database.engine.path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            asyncio.run(store.accept([said("1")]))
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert rows(store, "SELECT count(*) FROM seen") == [(0,)]
    assert accept(store, said("1")) == [True]


def everything(store: Store) -> list[list[tuple[object, ...]]]:
    """Every row of the tables that events and turns touch."""
    return [
        rows(store, f"SELECT * FROM {table}")
        for table in ("conversations", "addresses", "seen", "inbox", "messages", "outbox")
    ]


# -- forgetting


@pytest.mark.sqlite
def test_forget_erases_content_and_a_redelivery_is_still_a_repetition(store: Store) -> None:
    secret = "a-very-private-sentence"

    def forgetting(held: Lease) -> list[Turn]:
        return [answer(held.events[0], forget=True)]

    async def story() -> int:
        await take(store, said("1", secret), turns=lambda held: [answer(held.events[0], facts={("self", "age"): 33})])
        (failed,) = [said("2", secret)]
        await store.accept([failed])
        (held,) = await store.lease("w", 1)
        assert await store.release(held, held.events[0], tries=1)
        return (await take(store, said("3", "forget me"), turns=forgetting)).conversation

    conversation = asyncio.run(story())
    assert told(store, conversation) == [("bot", "re 3", "queued")]
    assert store.facts(conversation) == []
    assert rows(store, "SELECT pending, outgoing FROM conversations") == [(0, 1)]
    dump = "\n".join(store.database.read.raw.iterdump())
    assert secret not in dump
    assert accept(store, said("1", secret), said("2", secret), said("3")) == [False] * 3
    assert rows(store, "SELECT count(*) FROM inbox") == [(0,)]


# -- any interleaving keeps each event once


class Interleaving(RuleBasedStateMachine):
    """Two owners, repeated events, leases that run out, turns that fail: each event has one effect, in order."""

    def __init__(self) -> None:
        super().__init__()
        from tempfile import TemporaryDirectory

        self.folder = TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "t.db")
        self.sent: list[str] = []
        self.held: list[Lease] = []
        self.clock = 0

    def teardown(self) -> None:
        try:
            self.drain()
            for user in ("u", "v"):
                conversation = self.store.conversation_of(address(user))
                heard = [text for author, text, _ in told(self.store, conversation or 0) if author == "citizen"]
                assert heard == [event for event in self.sent if event.startswith(user)]
            assert rows(self.store, "SELECT count(*) FROM inbox") == [(0,)]
        finally:
            self.store.close()
            self.folder.cleanup()

    def drain(self) -> None:
        now(self.store, leasing.release_all)
        while found := lease(self.store):
            for held in found:
                commit(self.store, held)

    @rule(user=st.sampled_from("uv"), count=st.integers(1, 3))
    def accept_new(self, user: str, count: int) -> None:
        events = []
        for _ in range(count):
            self.clock += 1
            self.sent.append(f"{user}{self.clock}")
            events.append(said(self.sent[-1], user=user, ms=self.clock))
        assert accept(self.store, *events) == [True] * count

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def accept_again(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(self.sent))
        assert accept(self.store, said(event, user=event[0])) == [False]

    @rule(owner=st.sampled_from("ab"), seconds=st.sampled_from([30.0, -1.0]))
    def take_lease(self, owner: str, seconds: float) -> None:
        self.held.extend(lease(self.store, owner, seconds))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), fails=st.booleans())
    def finish_lease(self, data: st.DataObject, fails: bool) -> None:
        held = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        if fails:
            now(self.store, lambda c: leasing.release(c, held.conversation, held.fence, held.events[0], tries=10**6))
            return
        try:
            commit(self.store, held)
        except StaleFence:
            pass

    @invariant()
    def counts_agree(self) -> None:
        pending = rows(self.store, "SELECT coalesce(sum(pending), 0) FROM conversations")
        assert pending == rows(self.store, "SELECT count(*) FROM inbox WHERE state = 'new'")
        outgoing = rows(self.store, "SELECT coalesce(sum(outgoing), 0) FROM conversations")
        assert outgoing == rows(self.store, "SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')")


Interleaving.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestInterleaving = Interleaving.TestCase
