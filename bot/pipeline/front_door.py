"""The house as channels see it: events in, transcripts out, wake-ups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from bot import observe, tracing
from bot.channels.port import Standing
from bot.clock import Clock
from bot.dialogue.care import urgent_lately
from bot.dialogue.state import from_doc
from bot.messages import Address, Author, Entry, Incoming, Reply, Speaker
from bot.pipeline.budgets import Budgets
from bot.pipeline.hub import DESK, Hub
from bot.pipeline.worker import Worker
from bot.store import Store

POLL_SECONDS = 20.0


class FrontDoor:
    """Implements channels.port.Door over store, worker and hub."""

    def __init__(self, store: Store, worker: Worker, hub: Hub, clock: Clock, budgets: Budgets | None = None) -> None:
        self._store = store
        self._worker = worker
        self._hub = hub
        self._clock = clock
        self._budgets = budgets or Budgets()

    async def accept(self, incomings: Sequence[Incoming]) -> list[bool]:
        """Keep events durably and wake the worker; for each, whether it was new."""
        over, urgent = self._budgets.sort(incomings)
        if over:
            observe.count("events.deferred", len(over) - len(urgent))
        accepted = await self._store.accept(incomings, over, urgent)
        new = [one.new for one in accepted]
        tracing.accepted(incomings, new)
        observe.count("events.new", sum(new))
        observe.count("events.repeated", len(new) - sum(new))
        if any(new):
            self._worker.wake.set()
        return new

    def conversation(self, address: Address) -> int | None:
        """The conversation of an address."""
        return self._store.conversation_of(address)

    def shown(self, conversation: int, after: int = 0) -> list[Entry]:
        """The lines a citizen may see after a sequence number."""
        return self._store.shown(conversation, after)

    def pending(self, conversation: int) -> list[Entry]:
        """What the citizen wrote that no turn has taken yet."""
        lang = self.standing(conversation).lang
        return [
            Entry(
                None,
                Author.CITIZEN,
                Reply(event.text or "…", lang),
                event.accepted_at,
                "pending",
                event_id=event.event_id,
            )
            for event in self._store.waiting_events(conversation)
        ]

    def standing(self, conversation: int) -> Standing:
        """Who speaks now, in which language, whether an urgent matter was touched within a day."""
        row = self._store.speaker(conversation)
        if row is None:
            return Standing(Speaker.BOT, "", False)
        state = from_doc(self._store.state(conversation), {})
        urgent = urgent_lately(state, self._clock().timestamp())
        return Standing(Speaker(row["speaker"]), row["lang"], urgent, bool(row["ended"]))

    def watch(self, conversation: int) -> AsyncIterator[None]:
        """Wakes whenever the conversation may have changed."""
        return self._hub.watch(conversation, POLL_SECONDS)

    async def settled(self, conversation: int, seconds: float) -> bool:
        """Wait until nothing is under way, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                async for _ in self._hub.watch(conversation, 0.25):
                    if not self._store.busy(conversation):
                        return True
        except TimeoutError:
            pass
        return not self._store.busy(conversation)

    async def end(self, conversation: int) -> None:
        """The citizen left on this device for good."""
        await self._store.end(conversation)
        self._hub.publish(conversation)
        self._hub.publish(DESK)
