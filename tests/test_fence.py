"""An answer computed before a caseworker's claim never goes out after it; only the holder speaks."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from storing import (
    NOTICE,
    Channel,
    address,
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

from bot.channels.port import Parcel, Receipt, Sent
from bot.messages import Notice, Reply, Speaker
from bot.pipeline.hub import Hub
from bot.pipeline.sender import Sender
from bot.pipeline.worker import Taken, Worker
from bot.store import Store, cases
from bot.store.database import Connection
from bot.store.records import CaseOpening, CaseTaken, Event, Lease, NotHolder, Outcome, StaleFence, Turn


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


def test_a_case_held_too_long_returns_to_the_queue(store: Store) -> None:
    async def story() -> None:
        case, ann, bob = await waiting_case(store), await staff(store, "ann"), await staff(store, "bob")
        fence = await store.claim(case, ann, NOTICE)
        assert store.held_too_long(0) == []  # the citizen has not written since
        await take(store, said("1", ms=2), turns=lambda held: [Turn(held.events[0], Reply("1", "en"))])
        assert store.held_too_long(3600) == []
        (held,) = store.held_too_long(0)
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
        await take(store, said("1", ms=2), turns=lambda held: [Turn(held.events[0], Reply("1", "en"))])
        (held,) = store.held_too_long(0)
        await store.reply(case, ann, fence, "form", Reply("yes", "en"))
        return await store.back_to_queue(held, Reply("back", "en"))

    assert asyncio.run(story()) is False


# -- any interleaving of worker, sender, citizens and caseworkers


class Mind:
    """Echoes; opens a case for "help"; says a safety notice for "danger"; silent while a person holds."""

    def take(self, lease: Lease) -> Taken:
        return [self._turn(event, lease.speaker) for event in lease.events], "en", ""

    def apologize(self, lease: Lease, event: Event) -> Taken:
        raise AssertionError("nothing here fails")

    def _turn(self, event: Event, speaker: Speaker) -> Turn:
        danger = "danger" in (event.text or "")
        if speaker is Speaker.HUMAN:
            return answer(event, Notice.SAFETY) if danger else Turn(event, Reply(event.text or "", "en"))
        if "help" in (event.text or ""):
            return answer(event, Notice.CASE, case=CaseOpening(f"n-{event.event_id}", "asked"))
        return answer(event, Notice.SAFETY, Notice.NONE) if danger else answer(event)


@dataclass
class Stage:
    """A store with everyone at work on it, and a log of what happened in which order."""

    store: Store
    chance: random.Random
    hands: bool
    log: list[tuple[str, str, object]] = field(default_factory=list)
    worker: Worker = field(init=False)
    written: dict[str, list[str]] = field(default_factory=dict)
    answered: dict[str, list[str]] = field(default_factory=dict)
    writing: bool = True

    @property
    def users(self) -> dict[int, str]:
        """Who each conversation belongs to."""
        return dict(rows(self.store, "SELECT conversation_id, user_id FROM addresses"))  # type: ignore[arg-type]

    async def pause(self) -> None:
        await asyncio.sleep(self.chance.random() * 0.004)

    async def send(self, parcel: Parcel) -> Receipt:
        """A slow channel that fails now and then, before or after it delivered."""
        notice = any(reply.notice for reply in parcel.replies)
        bot = all(not reply.text.startswith("staff") for reply in parcel.replies)
        self.log.append(("notice" if notice else "bot" if bot else "staff", parcel.address.user, parcel.retry_key))
        await self.pause()
        return Receipt(Sent.RETRY, "503", delay=0.001) if self.chance.random() < 0.3 else Receipt(Sent.SENT)

    async def citizen(self, user: str) -> None:
        for number in range(12):
            text = self.chance.choice(["hello", "help", "danger", "hello"])
            event = f"{user}-{number}"
            self.written.setdefault(user, []).append(f"{event} {text}")
            await self.store.accept([said(event, f"{event} {text}", user, ms=number)])
            self.worker.wake.set()
            await self.pause()

    async def caseworker(self, name: str) -> None:
        me = await staff(self.store, name)
        while self.writing:
            for case in self.store.cases("waiting", me):
                await self.pause()
                try:
                    fence = await self.store.database.write(lambda c, case=case: self._claim(c, case.id, me))  # type: ignore[misc]
                except CaseTaken:
                    continue
                await self._handle(case.id, me, fence)
            await self.pause()

    def _claim(self, connection: Connection, case: int, me: int) -> int:
        """Claim, and note in the same step what was on the wire: each delivery with the number of its tries."""
        wire = connection.all("SELECT retry_key, attempts FROM outbox WHERE state = 'sending'")
        fence = cases.claim(connection, case, me, NOTICE)
        found = cases.get(connection, case)
        assert found is not None
        self.log.append(("claim", self.users[found.conversation], {row["retry_key"]: row["attempts"] for row in wire}))
        return fence

    async def _handle(self, case: int, me: int, fence: int) -> None:
        for number in range(self.chance.randint(0, 3)):
            await self.pause()
            text = f"staff {case} {fence} {number}"
            try:
                for _ in range(self.chance.randint(1, 2)):
                    await self.store.reply(case, me, fence, text, Reply(text, "en"))
            except NotHolder:
                return
            found = self.store.case(case)
            assert found is not None
            self.answered.setdefault(str(found.conversation), []).append(text)
        await self.pause()
        await self._let_go(case, me, fence)

    async def _let_go(self, case: int, me: int, fence: int) -> None:
        """Close, or be too slow; the log says so before the bot may speak again."""
        found = self.store.case(case)
        assert found is not None
        left = ("left", self.users[found.conversation], None)
        if self.chance.random() < 0.7:
            bye = Reply("bye", "en", notice=Notice.CASE)
            await self.store.database.write(lambda c: (cases.close(c, case, me, fence, bye), self.log.append(left)))
            return
        while not (held := [one for one in self.store.held_too_long(0) if one.id == case]):
            if not self.writing:
                return
            await self.pause()
        back = Reply("back", "en", notice=Notice.CASE)
        await self.store.database.write(lambda c: (cases.back_to_queue(c, held[0], back), self.log.append(left)))

    async def play(self) -> None:
        self.worker = Worker(self.store, Mind(), Hub())
        sender = Sender(self.store, {"hook": self}, Hub(), self.worker.sent)
        self.worker.outlet = sender if self.hands else None
        loops = [asyncio.create_task(task) for task in (self.worker.run(), self.worker.run(), sender.run())]
        people = [asyncio.create_task(self.caseworker(name)) for name in ("ann", "bob")]
        await asyncio.gather(*(self.citizen(f"u{number}") for number in range(5)))
        self.writing = False
        await asyncio.gather(*people)
        while rows(self.store, "SELECT 1 FROM conversations WHERE pending > 0 OR outgoing > 0"):
            await asyncio.sleep(0.01)
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)

    def check(self) -> None:
        """After a claim no try of a bot answer starts but the one that was on the wire then."""
        wire: dict[str, dict[str, int]] = {}
        tries: Counter[str] = Counter()
        for kind, user, what in self.log:
            if kind == "claim":
                wire[user] = what  # type: ignore[assignment]
            elif kind == "left":
                wire.pop(user)
            elif kind == "bot":
                tries[str(what)] += 1
                if user in wire:
                    assert tries[str(what)] <= wire[user].get(str(what), 0), f"{what} went to {user} after the claim"
        assert any(kind == "claim" for kind, _, _ in self.log)
        for user, texts in self.written.items():
            conversation = self.store.conversation_of(address(user)) or 0
            lines = [(e.author.value, e.reply.text, e.status) for e in self.store.entries(conversation, limit=10_000)]
            assert [text for author, text, _ in lines if author == "citizen"] == texts
            staffs = [(text, status) for author, text, status in lines if author == "staff"]
            assert staffs == [(text, "sent") for text in self.answered.get(str(conversation), [])]
            assert {status for author, _, status in lines if author == "bot"} <= {"sent", "withdrawn"}


@pytest.mark.parametrize("hands", [True, False], ids=["handed over", "by the outbox"])
@pytest.mark.parametrize("seed", range(4))
def test_no_answer_overtakes_a_claim_in_any_interleaving(store: Store, seed: int, hands: bool) -> None:
    stage = Stage(store, random.Random(seed), hands)
    asyncio.run(stage.play())
    stage.check()
