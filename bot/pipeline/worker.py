"""The worker: leases conversations, takes their events in order, commits what they lead to."""

from __future__ import annotations

import asyncio
import uuid
from typing import Protocol

from bot import observe
from bot.pipeline.hub import DESK, Hub
from bot.store import Store, StoreUnavailable
from bot.store.records import Committed, Event, Lease, StaleFence, Turn

BATCH = 64
POLL_SECONDS = 1.0
TRIES = 3


class Mind(Protocol):
    """What the worker needs of the assistant."""

    def take(self, lease: Lease) -> tuple[list[Turn], str, str]:
        """The turns of a lease's events, the language and the new state document."""
        ...

    def apologize(self, lease: Lease, event: Event) -> tuple[list[Turn], str, str]:
        """A turn that tells the citizen that this message could not be worked on."""
        ...


class Worker:
    """Runs turns until stopped. `drain` runs what there is and returns."""

    def __init__(self, store: Store, mind: Mind, hub: Hub) -> None:
        self._store = store
        self._mind = mind
        self._hub = hub
        self._owner = uuid.uuid4().hex
        self.wake = asyncio.Event()
        self.sent = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                busy = await self.drain()
            except StoreUnavailable as error:
                observe.failure("lease", error)
                await asyncio.sleep(POLL_SECONDS)
                continue
            if not busy:
                await self._wait()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), POLL_SECONDS)
        except TimeoutError:
            pass
        self.wake.clear()

    async def drain(self) -> bool:
        """Take one batch; True when there was anything to do."""
        leases = await self._store.lease(self._owner, BATCH)
        if leases:
            await asyncio.gather(*(self._take(lease) for lease in leases))
        return bool(leases)

    async def _take(self, lease: Lease) -> None:
        if not lease.events:
            await self._store.release(lease, None, TRIES)
            return
        try:
            turns, lang, state = self._mind.take(lease)
        except Exception as error:  # a poisoned message must not stop the others
            observe.failure("turn", error)
            await self._failed(lease)
            return
        await self._commit(lease, turns, lang, state)

    async def _commit(self, lease: Lease, turns: list[Turn], lang: str, state: str) -> None:
        try:
            done = await self._store.commit(lease, turns, lang, state)
        except StaleFence:
            observe.count("turns.stale")
            return
        except StoreUnavailable as error:
            observe.failure("commit", error)  # the lease runs out and the events are taken again
            return
        except Exception as error:
            observe.failure("commit", error)
            await self._store.release(lease, lease.events[0], TRIES)
            return
        self._announce(done, turns)

    def _announce(self, done: Committed, turns: list[Turn]) -> None:
        observe.count("turns", len(turns))
        self._hub.publish(done.conversation)
        if done.case or any(turn.alarm for turn in turns):
            self._hub.publish(DESK)
        if done.outgoing:
            self.sent.set()
        if done.more:
            self.wake.set()

    async def _failed(self, lease: Lease) -> None:
        """One event a lease from here on; after the last try the citizen is told and the event is done."""
        event = lease.events[0]
        if event.attempts + 1 < TRIES:
            await self._store.release(lease, event, TRIES)
            return
        observe.count("turns.given_up")
        turns, lang, state = self._mind.apologize(lease, event)
        await self._commit(lease, turns, lang, state)
