"""No answer overtakes a claim while citizens, caseworkers, worker and a slow, failing channel all run at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from storing import NOTICE, address, answer, opened, rows, said, staff

from bot.channels.port import Parcel, Receipt, Sent
from bot.messages import Notice, Reply, Speaker
from bot.pipeline.hub import Hub
from bot.pipeline.sender import Sender
from bot.pipeline.worker import Taken, Worker
from bot.store import Store, cases
from bot.store.database import Connection
from bot.store.records import CaseOpening, CaseTaken, Event, Lease, NotHolder, Turn


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as store:
        yield store


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
        while not (held := [one for one, _ in self.store.held_too_long(0) if one.id == case]):
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
        while rows(self.store, "SELECT 1 FROM conversations WHERE pending > 0 OR outgoing > 0"):  # noqa: ASYNC110
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
