"""Worker and sender: poisoned messages, retries, the breaker, dead letters, order of deliveries."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from storing import Channel, answers, hurry, opened, rows, said, take, told

from bot.channels.port import Parcel, Receipt, Sent
from bot.messages import Reply
from bot.pipeline.hub import Hub
from bot.pipeline.resources import Resources
from bot.pipeline.sender import BREAKER_FAILURES, GIVE_UP_AFTER, Sender
from bot.pipeline.worker import TRIES, Taken, Worker
from bot.store import Store, StoreUnavailable
from bot.store.records import Bundle, Event, Lease, Outcome, Turn

DOWN = Receipt(Sent.RETRY, "503", outage=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as store:
        yield store


class Mind:
    """Echoes every event; stumbles over the word poison."""

    def take(self, lease: Lease) -> Taken:
        for event in lease.events:
            assert "poison" not in (event.text or "")
        return answers(lease), "en", ""

    def apologize(self, lease: Lease, event: Event) -> Taken:
        return [Turn(event, Reply(event.text or "", "en"), bundles=(Bundle((Reply("sorry", "en"),)),))], "en", ""


class Unwritable(Mind):
    """Its answers cannot be kept."""

    def take(self, lease: Lease) -> Taken:
        turns, lang, state = answers(lease), "en", ""
        return [dataclasses.replace(turn, facts={("self", "age"): object()}) for turn in turns], lang, state


async def work(store: Store, mind: Any, rounds: int = 8) -> None:
    """As many rounds as a poisoned message may need; pauses between tries are passed over."""
    worker = Worker(store, mind, Hub())
    for _ in range(rounds):
        await worker.drain()
        await store.database.write(lambda c: c.execute("UPDATE conversations SET leased_until = 0"))


# -- poisoned messages


@pytest.mark.parametrize("mind", [Mind(), Unwritable()])
def test_after_five_tries_the_citizen_is_told(store: Store, mind: Mind) -> None:
    async def story() -> list[int]:
        await store.accept([said("1", "poison")])
        tries = []
        for _ in range(TRIES):
            tries.append(rows(store, "SELECT coalesce(max(attempts), -1) FROM inbox")[0][0])
            await work(store, mind, 1)
        return tries

    assert asyncio.run(story()) == [0, 1, 2, 3, 4]
    assert told(store, 1) == [("citizen", "poison", "sent"), ("bot", "sorry", "queued")]
    assert rows(store, "SELECT state, attempts FROM inbox") == [("failed", 5)]


def test_only_the_poisoned_message_is_given_up(store: Store) -> None:
    async def story() -> None:
        await store.accept([said("1"), said("2", "poison", ms=2), said("3", ms=3), said("other", user="v")])
        await work(store, Mind())

    asyncio.run(story())
    assert [text for author, text, _ in told(store, 1) if author == "bot"] == ["re 1", "sorry", "re 3"]
    assert [text for _, text, _ in told(store, 2)] == ["other", "re other"]


def test_answers_that_cannot_be_kept_undo_no_others(store: Store) -> None:
    class Partly(Unwritable):
        def take(self, lease: Lease) -> Taken:
            return Unwritable.take(self, lease) if lease.events[0].text == "poison" else Mind.take(self, lease)

    async def story() -> None:
        await store.accept([said("1", user="a"), said("2", "poison", user="b"), said("3", user="c")])
        await Worker(store, Partly(), Hub()).drain()

    asyncio.run(story())
    assert rows(store, "SELECT body LIKE '%re 1%' OR body LIKE '%re 3%' FROM messages WHERE author = 'bot'") == [
        (1,),
        (1,),
    ]
    assert rows(store, "SELECT event_id, attempts FROM inbox") == [("2", 1)]


def test_a_mind_that_cannot_even_apologize_stops_nobody(store: Store) -> None:
    class Speechless(Mind):
        def apologize(self, lease: Lease, event: Event) -> Taken:
            raise RuntimeError("no words")

    async def story() -> None:
        await store.accept([said("1", "poison"), said("2", ms=2)])
        await work(store, Speechless())

    asyncio.run(story())
    assert told(store, 1) == [("citizen", "2", "sent"), ("bot", "re 2", "queued")]
    assert rows(store, "SELECT event_id, state FROM inbox") == [("1", "failed")]
    assert rows(store, "SELECT pending FROM conversations") == [(0,)]


def test_a_state_that_cannot_be_read_starts_anew(open_house: Callable[..., Any]) -> None:
    async def story() -> list[str]:
        async with open_house() as (house, _):
            await house.door.accept([said("0", "menu")])
            await house.worker.drain()
            await house.store.database.write(lambda c: c.execute("UPDATE conversations SET state = '0{\"no\": 1}'"))
            await house.door.accept([said("1", "你好", ms=2)])
            for _ in range(TRIES):
                await house.worker.drain()
                await house.store.database.write(lambda c: c.execute("UPDATE conversations SET leased_until = 0"))
            await house.door.accept([said("2", "你好", ms=3)])
            await house.worker.drain()
            return [entry.event_id for entry in house.store.entries(1) if entry.event_id]

    assert asyncio.run(story()) == ["0", "1", "2"]


def test_the_loops_survive_a_store_that_cannot_be_written(store: Store, resources: Resources) -> None:
    async def story() -> list[str]:
        channel = Channel()
        worker = Worker(store, Mind(), Hub())
        sender = Sender(store, {"hook": channel}, Hub(), worker.sent)
        lease, worker_lease = store.lease_deliveries, store.lease
        stumbles = iter([StoreUnavailable("full"), RuntimeError("a fault of ours")])
        arrived = asyncio.Event()

        async def unsteady(real: Callable[..., Awaitable[Any]], *args: Any, **more: Any) -> Any:
            for error in stumbles:
                raise error
            return await real(*args, **more)

        async def send(parcel: Parcel) -> Receipt:
            arrived.set()
            return await Channel.send(channel, parcel)

        store.lease_deliveries = lambda *args, **more: unsteady(lease, *args, **more)  # type: ignore[method-assign]
        store.lease = lambda *args, **more: unsteady(worker_lease, *args, **more)  # type: ignore[method-assign]
        channel.send = send  # type: ignore[method-assign]
        await store.accept([said("1")])
        tasks = [asyncio.create_task(worker.run()), asyncio.create_task(sender.run())]
        await arrived.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return channel.texts

    assert asyncio.run(story()) == ["re 1"]


# -- deliveries


def outcomes_of(store: Store) -> list[Outcome]:
    """Every outcome that the sender writes down from now on."""
    seen: list[Outcome] = []
    real = store.finish

    async def finish(outcomes: Any) -> None:
        seen.extend(outcomes)
        await real(outcomes)

    store.finish = finish  # type: ignore[method-assign]
    return seen


def sender_of(store: Store, channel: Channel) -> Sender:
    return Sender(store, {"hook": channel}, Hub(), asyncio.Event())


def test_a_temporary_failure_is_retried_with_growing_delay(store: Store) -> None:
    seen = outcomes_of(store)

    async def story() -> None:
        channel = Channel(*[Receipt(Sent.RETRY, "429")] * 12)
        sender = sender_of(store, channel)
        await take(store, said("1"))
        for _ in range(13):
            await sender.drain()
            await hurry(store)
        assert len({parcel.retry_key for parcel in channel.parcels}) == 1

    asyncio.run(story())
    for number, outcome in enumerate(seen[:-1]):
        assert min(600, 2**number) / 2 <= outcome.delay <= min(600, 2**number)
    assert seen[-1].result == "sent"
    assert told(store, 1)[-1] == ("bot", "re 1", "sent")


def test_a_delay_asked_by_the_platform_is_kept(store: Store) -> None:
    seen = outcomes_of(store)

    async def story() -> None:
        await take(store, said("1"))
        await sender_of(store, Channel(Receipt(Sent.RETRY, "429", 7.0))).drain()

    asyncio.run(story())
    assert [outcome.delay for outcome in seen] == [7.0]
    assert 6 < (store.next_due() or 0) <= 7


def test_a_permanent_failure_is_a_dead_letter_at_once(store: Store) -> None:
    async def story() -> list[str]:
        channel = Channel(Receipt(Sent.DEAD, "400"))
        sender = sender_of(store, channel)
        await take(store, said("1"))
        await sender.drain()
        await take(store, said("2", ms=2))
        await sender.drain()
        return channel.texts

    assert asyncio.run(story()) == ["re 1", "re 2"]
    assert rows(store, "SELECT state, error, attempts FROM outbox") == [("dead", "400", 1), ("sent", "", 1)]
    assert [status for author, _, status in told(store, 1) if author == "bot"] == ["failed", "sent"]


def test_after_a_day_a_delivery_is_given_up(store: Store) -> None:
    async def story() -> None:
        await take(store, said("1"))
        await store.database.write(
            lambda c: c.execute(f"UPDATE outbox SET created_at = created_at - {GIVE_UP_AFTER + 1}")
        )
        await sender_of(store, Channel(DOWN)).drain()

    asyncio.run(story())
    assert rows(store, "SELECT state FROM outbox") == [("dead",)]


def test_answers_keep_their_order_while_one_is_retried(store: Store) -> None:
    async def story() -> list[str]:
        channel = Channel(Receipt(Sent.RETRY, "429"), Receipt(Sent.RETRY, "429"))
        sender = sender_of(store, channel)
        await take(store, said("1"), said("2", ms=2))
        await sender.drain()
        await take(store, said("3", ms=3))
        await sender.drain()
        assert channel.texts == ["re 1"]
        for _ in range(2):
            await hurry(store)
            await sender.drain()
        return channel.texts

    assert asyncio.run(story()) == ["re 1", "re 1", "re 1", "re 2", "re 3"]


def test_one_conversation_in_trouble_does_not_hold_up_the_others(store: Store) -> None:
    async def story() -> list[str]:
        channel = Channel(Receipt(Sent.RETRY, "429"))
        sender = sender_of(store, channel)
        await take(store, said("1"))
        await sender.drain()
        await take(store, said("2", user="v"))
        await sender.drain()
        return channel.texts

    assert asyncio.run(story()) == ["re 1", "re 2"]


def test_the_breaker_opens_after_five_outages_and_probes(store: Store) -> None:
    seen = outcomes_of(store)

    async def story() -> list[int]:
        channel = Channel(*[DOWN] * 6)
        sender = sender_of(store, channel)
        for number in range(8):
            await take(store, said(f"{number}", user=f"u{number}"))
        for _ in range(BREAKER_FAILURES):
            await sender.drain()
        tried = [len(channel.parcels)]
        for _ in range(2):
            await hurry(store)
            await sender.drain()
        tried.append(len(channel.parcels))
        for _ in range(2):  # a probe that fails, a probe that arrives
            await hurry(store)
            sender.breakers["hook"].open_until = 0.0
            await sender.drain()
            tried.append(len(channel.parcels))
        await hurry(store)
        await sender.drain()
        return [*tried, len(channel.parcels)]

    tried = asyncio.run(story())
    assert tried[0] >= BREAKER_FAILURES
    assert tried[1] == tried[0]
    assert tried[2] == tried[1] + 1
    assert rows(store, "SELECT state, count(*) FROM outbox GROUP BY state") == [("sent", 8)]
    assert all(outcome.delay <= 5.0 for outcome in seen if outcome.error == "channel down")


def test_a_refusal_of_one_chat_never_opens_the_breaker(store: Store) -> None:
    async def story() -> int:
        channel = Channel(*[Receipt(Sent.DEAD, "403"), Receipt(Sent.RETRY, "429", 60.0)] * BREAKER_FAILURES)
        sender = sender_of(store, channel)
        for number in range(2 * BREAKER_FAILURES + 1):
            await take(store, said(f"{number}", user=f"u{number}"))
            await sender.drain()
        return len(channel.parcels)

    assert asyncio.run(story()) == 2 * BREAKER_FAILURES + 1


def test_a_fault_of_ours_in_a_channel_is_retried(store: Store) -> None:
    class Broken(Channel):
        async def send(self, parcel: Parcel) -> Receipt:
            raise RuntimeError

    async def story() -> None:
        await take(store, said("1"))
        await sender_of(store, Broken()).drain()

    asyncio.run(story())
    assert rows(store, "SELECT state, error FROM outbox") == [("queued", "RuntimeError")]


def test_a_channel_that_was_switched_off_is_a_dead_letter(store: Store) -> None:
    async def story() -> None:
        await take(store, said("1"))
        await Sender(store, {}, Hub(), asyncio.Event()).drain()

    asyncio.run(story())
    assert rows(store, "SELECT state, error FROM outbox") == [("dead", "channel off")]
