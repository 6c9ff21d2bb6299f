"""An answer computed before a caseworker's claim never goes out after it; only the holder speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from storing import (
    NOTICE,
    Channel,
    answer,
    answers,
    hurry,
    opened,
    rows,
    said,
    staff,
    take,
    told,
    waiting_case,
    went_well,
)

from bot.channels.port import Sent
from bot.messages import Notice, Reply, Speaker
from bot.pipeline.hub import Hub
from bot.pipeline.sender import Sender
from bot.store import Store
from bot.store.database import NOW
from bot.store.records import CaseTaken, Lease, NotHolder, Outcome, StaleFence, Turn


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as store:
        yield store


def status_of(store: Store, text: str) -> str:
    """How the line with this text stands in the transcript."""
    (found,) = [status for _, line, status in told(store, 1) if line == text]
    return found


async def send_all(store: Store) -> list[str]:
    """Send whatever is due; the texts that went out, in order."""
    channel = Channel()
    await hurry(store)
    await Sender(store, {"hook": channel}, Hub(), asyncio.Event()).drain()
    return channel.texts


# -- the bot's answer and the claim, in every order


def test_computed_then_claimed_is_refused(store: Store) -> None:
    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        await store.accept([said("1", ms=2)])
        (held,) = await store.lease("w", 10)
        await store.claim(case, ann, NOTICE)
        with pytest.raises(StaleFence):
            await store.commit(held, answers(held), "en", "")
        (again,) = await store.lease("w", 10)
        assert again.speaker is Speaker.HUMAN
        assert [event.event_id for event in again.events] == ["1"]
        await store.commit(again, [Turn(again.events[0], Reply("1", "en"))], "en", "")
        return await send_all(store)

    assert asyncio.run(story()) == [NOTICE.text]
    assert ("citizen", "1", "sent") in told(store, 1)


def test_committed_but_unsent_is_withdrawn_by_the_claim(store: Store) -> None:
    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        await take(store, said("1", ms=2), said("2", ms=3))
        await store.claim(case, ann, NOTICE)
        return await send_all(store)

    assert asyncio.run(story()) == [NOTICE.text]
    assert status_of(store, "re 1") == status_of(store, "re 2") == "withdrawn"
    assert [entry.reply.text for entry in store.shown(1)][-3:] == ["1", "2", NOTICE.text]


def test_on_the_wire_at_the_claim_is_shown_as_sent_when_it_arrived(store: Store) -> None:
    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        await take(store, said("1", ms=2))
        (wire,) = await store.lease_deliveries("s", 10)
        await store.claim(case, ann, NOTICE)
        await store.finish([went_well(wire)])
        return await send_all(store)

    assert asyncio.run(story()) == [NOTICE.text]
    assert status_of(store, "re 1") == "sent"


def test_on_the_wire_at_the_claim_is_withdrawn_when_it_must_be_tried_again(store: Store) -> None:
    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        await take(store, said("1", ms=2))
        (wire,) = await store.lease_deliveries("s", 10)
        await store.claim(case, ann, NOTICE)
        await store.finish([Outcome(wire, Sent.RETRY.value, delay=0.0)])
        return await send_all(store)

    assert asyncio.run(story()) == [NOTICE.text]
    assert status_of(store, "re 1") == "withdrawn"


def test_on_the_wire_when_the_process_died_is_withdrawn_after_the_claim(store: Store) -> None:
    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        await take(store, said("1", ms=2))
        await store.lease_deliveries("s", 10)
        await store.claim(case, ann, NOTICE)
        await store.release_all()
        return await send_all(store)

    assert asyncio.run(story()) == [NOTICE.text]
    assert status_of(store, "re 1") == "withdrawn"


def test_claimed_then_computed_stays_silent_by_the_lease(store: Store) -> None:
    async def story() -> Lease:
        case, ann = await waiting_case(store), await staff(store, "ann")
        await store.claim(case, ann, NOTICE)
        await store.accept([said("1", ms=2)])
        (held,) = await store.lease("w", 10)
        return held

    held = asyncio.run(story())
    assert held.speaker is Speaker.HUMAN
    assert held.case is not None
    assert held.case.holder_name == "ann"


@pytest.mark.parametrize("notice", [Notice.SAFETY, Notice.CASE])
def test_notices_go_out_whoever_speaks(store: Store, notice: Notice) -> None:
    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")

        def both(lease: Lease) -> list[Turn]:
            return [answer(lease.events[0], notice, Notice.NONE)]

        await take(store, said("1", ms=2), turns=both)
        await store.claim(case, ann, NOTICE)
        return await send_all(store)

    assert asyncio.run(story()) == ["re 1", NOTICE.text]
    assert [status for author, text, status in told(store, 1) if text == "re 1"] == ["sent", "withdrawn"]


# -- who may write


def test_two_claims_race_and_one_wins(store: Store) -> None:
    async def story() -> list[object]:
        case, people = await waiting_case(store), [await staff(store, name) for name in ("ann", "bob", "cy")]
        claims = [store.claim(case, person, NOTICE) for person in people]
        return await asyncio.gather(*claims, return_exceptions=True)

    results = asyncio.run(story())
    assert sum(isinstance(result, int) for result in results) == 1
    assert sum(isinstance(result, CaseTaken) for result in results) == 2
    assert rows(store, "SELECT count(*) FROM outbox WHERE notice = 'case' AND state = 'queued'") == [(1,)]


def test_a_reply_needs_holder_and_fence(store: Store) -> None:
    async def story() -> list[str]:
        case, ann, bob = await waiting_case(store), await staff(store, "ann"), await staff(store, "bob")
        with pytest.raises(NotHolder):
            await store.reply(case, ann, 0, "early", Reply("early", "en"))
        fence = await store.claim(case, ann, NOTICE)
        for person, number in ((bob, fence), (ann, fence - 1), (ann, fence + 1)):
            with pytest.raises(NotHolder):
                await store.reply(case, person, number, f"{person}/{number}", Reply("no", "en"))
        with pytest.raises(NotHolder):
            await store.reply(case + 99, ann, fence, "elsewhere", Reply("no", "en"))
        await store.reply(case, ann, fence, "form", Reply("yes", "en"))
        return await send_all(store)

    assert asyncio.run(story()) == [NOTICE.text, "yes"]


def test_a_reply_survives_the_citizens_next_message(store: Store) -> None:
    """Leases raise the fence as well: the caseworker's stays good until the speaker changes."""

    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        fence = await store.claim(case, ann, NOTICE)
        await take(store, said("1", ms=2), turns=lambda held: [Turn(held.events[0], Reply("1", "en"))])
        await store.reply(case, ann, fence, "form", Reply("yes", "en"))
        return await send_all(store)

    assert asyncio.run(story()) == [NOTICE.text, "yes"]


def test_a_form_sent_twice_is_one_message(store: Store) -> None:
    async def story() -> list[int]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        fence = await store.claim(case, ann, NOTICE)
        forms = [store.reply(case, ann, fence, "form", Reply("yes", "en")) for _ in range(5)]
        return list(await asyncio.gather(*forms))

    assert len(set(asyncio.run(story()))) == 1
    assert [text for author, text, _ in told(store, 1) if author == "staff"] == ["yes"]


# -- the way back


def test_after_closing_the_bot_speaks_again_and_the_caseworker_does_not(store: Store) -> None:
    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        fence = await store.claim(case, ann, NOTICE)
        with pytest.raises(NotHolder):
            await store.close_case(case, ann, fence - 1, Reply("bye", "en"))
        await store.close_case(case, ann, fence, Reply("bye", "en"))
        for step in (
            store.reply(case, ann, fence, "form", Reply("no", "en")),
            store.close_case(case, ann, fence, NOTICE),
        ):
            with pytest.raises(NotHolder):
                await step
        await store.accept([said("1", ms=2)])
        (held,) = await store.lease("w", 10)
        assert (held.speaker, held.case) == (Speaker.BOT, None)
        await store.commit(held, answers(held), "en", "")
        return await send_all(store)

    assert asyncio.run(story()) == [NOTICE.text, "bye", "re 1"]


def test_what_a_caseworker_wrote_goes_out_although_the_case_closed(store: Store) -> None:
    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        fence = await store.claim(case, ann, NOTICE)
        await store.reply(case, ann, fence, "form", Reply("yes", "en"))
        await store.close_case(case, ann, fence, Reply("bye", "en"))
        return await send_all(store)

    assert asyncio.run(story()) == [NOTICE.text, "yes", "bye"]


def test_a_turn_thought_under_the_caseworker_is_thought_again_after_closing(store: Store) -> None:
    async def story() -> list[str]:
        case, ann = await waiting_case(store), await staff(store, "ann")
        fence = await store.claim(case, ann, NOTICE)
        await store.accept([said("1", ms=2)])
        (held,) = await store.lease("w", 10)
        await store.close_case(case, ann, fence, Reply("bye", "en"))
        with pytest.raises(StaleFence):
            await store.commit(held, [Turn(held.events[0], Reply("1", "en"))], "en", "")
        (again,) = await store.lease("w", 10)
        await store.commit(again, answers(again), "en", "")
        return await send_all(store)

    assert asyncio.run(story())[-1] == "re 1"


def next_tick(store: Store) -> None:
    """Until the database's clock, which moves in milliseconds, shows another time: two events are then apart."""
    first = _clock(store)
    while _clock(store) == first:
        pass


def _clock(store: Store) -> float:
    row = store.database.read.one(f"SELECT {NOW} AS now")
    assert row is not None
    return float(row["now"])


def test_a_case_held_too_long_returns_to_the_queue(store: Store) -> None:
    async def story() -> None:
        case, ann, bob = await waiting_case(store), await staff(store, "ann"), await staff(store, "bob")
        fence = await store.claim(case, ann, NOTICE)
        assert store.held_too_long(0) == []  # the citizen has not written since
        next_tick(store)
        await take(store, said("1", ms=2), turns=lambda held: [Turn(held.events[0], Reply("1", "en"))])
        assert store.held_too_long(3600) == []
        ((held, _),) = store.held_too_long(0)
        assert await store.back_to_queue(held, Reply("back", "en"))
        assert not await store.back_to_queue(held, Reply("back", "en"))
        with pytest.raises(NotHolder):
            await store.reply(case, ann, fence, "form", Reply("no", "en"))
        assert (store.speaker(1) or {})["speaker"] == "waiting"
        await store.claim(case, bob, NOTICE)

    asyncio.run(story())


def test_a_case_answered_just_now_is_not_taken_away(store: Store) -> None:
    async def story() -> bool:
        case, ann = await waiting_case(store), await staff(store, "ann")
        fence = await store.claim(case, ann, NOTICE)
        next_tick(store)
        await take(store, said("1", ms=2), turns=lambda held: [Turn(held.events[0], Reply("1", "en"))])
        ((held, _),) = store.held_too_long(0)
        await store.reply(case, ann, fence, "form", Reply("yes", "en"))
        return await store.back_to_queue(held, Reply("back", "en"))

    assert asyncio.run(story()) is False
