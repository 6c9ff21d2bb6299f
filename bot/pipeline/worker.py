"""The worker: leases conversations, takes their events in order, commits what they lead to."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from bot import observe
from bot.messages import Address, Speaker
from bot.pipeline import measures
from bot.pipeline.hub import DESK, Hub
from bot.store import Store, StoreUnavailable
from bot.store.records import Committed, Delivery, Event, Lease, Thought, Turn

BATCH = 32  # conversations a commit: few hand-overs between threads, and the event loop is never kept for long
POLL_SECONDS = 1.0
TRIES = 5
SUSPECTS_EVERY = 1.0
SUSPECTS_AT_ONCE = 8
RETRY_WITHIN = 2.0
Taken = tuple[list[Turn], str, str]


class Mind(Protocol):
    """What the worker needs of the assistant."""

    def ahead(self, leases: Sequence[Lease]) -> Callable[[], None] | None:
        """What may take a while and should be done in a thread before `take`; None where there is nothing."""
        ...

    def take(self, lease: Lease) -> Taken:
        """The turns of a lease's events, the language and the new state document."""
        ...

    def apologize(self, lease: Lease, event: Event) -> Taken:
        """A turn that tells the citizen that this message could not be worked on."""
        ...


class Outlet(Protocol):
    """Who sends: a commit may hand it the answer at once, so that it need not be leased again."""

    owner: str

    @property
    def takes(self) -> bool:
        """Is there room for one more?"""
        ...

    def send(self, delivery: Delivery) -> None:
        """Deliver beside everything else."""
        ...


Guess = Callable[[Address], Awaitable[str]]
"""The language an account is set to, as far as its platform tells; never raises, and takes a second at most."""


class Worker:
    """Runs turns until stopped; `drain` runs what there is. Without an outlet answers wait in the outbox."""

    def __init__(self, store: Store, mind: Mind, hub: Hub) -> None:
        self._store = store
        self._mind = mind
        self._hub = hub
        self.owner = uuid.uuid4().hex  # of this server: its sender goes by the same name
        self.wake = asyncio.Event()
        self.sent = asyncio.Event()
        self.outlet: Outlet | None = None
        self.guess: Guess | None = None
        self.done = 0
        self.stopping = False
        self._look_at = 0.0
        self._failed_at = -RETRY_WITHIN
        self._unlucky: set[int] = set()
        self._left: dict[int, int] = {}  # conversation and fence of leases whose commit failed with the store
        self._suspects = asyncio.Lock()

    async def run(self) -> None:
        """Work until cancelled, or to the end of a batch once it is stopping."""
        while not self.stopping:
            try:
                busy = await self.drain()
            except Exception as error:  # the store, or a fault of ours: leases run out, events stay
                observe.failure("worker", error)
                await asyncio.sleep(POLL_SECONDS)
                continue
            if not busy and not self.stopping:
                await self._wait()

    async def _wait(self) -> None:
        # not asyncio.wait_for: in Python 3.11 it may swallow a cancellation, and the house would never stop
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self.wake.wait()
        self.wake.clear()

    async def drain(self) -> bool:
        """Take one batch; True when there was anything to do."""
        if self._left:  # the store was away: what was held then need not wait until its lease has run out
            await self._store.give_back(self._left)
            self._left = {}
        leases = await self._store.lease(self.owner, BATCH, suspects=False)
        if leases:
            await self._take_some(await self._with_languages(leases))
        return await self._take_suspects() or bool(leases)

    async def _take_suspects(self) -> bool:
        """Conversations whose last lease did not end well, each by itself: what made it so must not hit others."""
        now = time.monotonic()
        if self._suspects.locked() or not (now >= self._look_at or now < self._failed_at + RETRY_WITHIN):
            return False
        self._look_at = now + SUSPECTS_EVERY
        async with self._suspects:
            for taken in range(SUSPECTS_AT_ONCE):
                leases = await self._store.lease(self.owner, 1, suspects=True)
                if not leases:
                    return taken > 0
                self._look_at = 0.0
                await self._take(leases[0])
        return True

    async def _take_some(self, leases: list[Lease]) -> None:
        """Think about all of a batch and commit it in one step; what fails is taken again alone."""
        thoughts: list[Thought] = []
        alone: list[Lease] = []
        await self._think_ahead(leases)
        for lease in leases:
            if not lease.events:
                alone.append(lease)
                continue
            try:
                thoughts.append((lease, *self._mind.take(lease)))
            except Exception:  # told and counted when it fails alone
                alone.append(lease)
        try:
            done = await self._store.commit_all(thoughts, self._sender())
        except StoreUnavailable as error:
            observe.failure("commit", error)  # the leases are given back and the events are taken again
            self._failed([lease for lease, *_ in thoughts])
        except Exception:
            alone += [lease for lease, *_ in thoughts]
        else:
            for committed, (lease, turns, *_) in zip(done, thoughts, strict=True):
                self._announce(committed, lease, turns)
        for lease in alone:
            await self._take(lease)

    async def _with_languages(self, leases: list[Lease]) -> list[Lease]:
        """Whoever writes for the first time is greeted in the language of the account, where the platform tells."""
        new = [lease for lease in leases if not lease.state and lease.events and not lease.events[0].lang]
        if self.guess is None or not new:
            return leases
        guesses = await asyncio.gather(*(self.guess(lease.events[0].address) for lease in new))
        known = {lease.conversation: lang for lease, lang in zip(new, guesses, strict=True) if lang}
        return [_in_language(lease, known.get(lease.conversation, "")) for lease in leases]

    async def _think_ahead(self, leases: list[Lease]) -> None:
        """What takes a while is done beside the event loop; without it the turns are taken all the same."""
        try:
            ahead = self._mind.ahead(leases)
            if ahead is not None:
                await asyncio.to_thread(ahead)
        except Exception as error:
            observe.failure("think ahead", error)

    def _sender(self) -> str:
        """Who may take answers along, if anyone."""
        return self.outlet.owner if self.outlet is not None and self.outlet.takes else ""

    async def _take(self, lease: Lease) -> None:
        """Take all events of a lease; if that fails, the first alone; after its last try the citizen is told."""
        if not lease.events:
            await self._store.release(lease, None, TRIES)
            return
        if lease.events[0].attempts > TRIES and not self._was_unlucky(lease):  # whoever tried died of it each time
            await self._give_up(lease, lease.events[0])
            return
        if await self._turns(lease, lambda: self._mind.take(lease)):
            return
        event = lease.events[0]
        if len(lease.events) > 1:
            await self._take(dataclasses.replace(lease, events=(event,)))
        elif event.attempts < TRIES:
            self._failed_at = time.monotonic()
            await self._store.release(lease, event, TRIES)
        else:
            await self._give_up(lease, event)

    async def _give_up(self, lease: Lease, event: Event) -> None:
        """Aside with it, for the staff to see; the citizen is told."""
        observe.count("turns.given_up")
        if not await self._turns(lease, lambda: _aside(self._mind.apologize(lease, event))):
            await self._store.release(lease, event, TRIES)

    async def _turns(self, lease: Lease, think: Callable[[], Taken]) -> bool:
        """Think and commit; False when this failed because of the events themselves."""
        try:
            turns, lang, state = _heard_once(think())
            (done,) = await self._store.commit_all([(lease, turns, lang, state)], self._sender())
        except StoreUnavailable as error:
            observe.failure("commit", error)  # the lease is given back and the events are taken again
            self._failed([lease])
        except Exception as error:  # a poisoned message must not stop the others
            observe.failure("turn", error)
            return False
        else:
            self._announce(done, lease, turns)
        return True

    def _failed(self, leases: Sequence[Lease]) -> None:
        """The store failed while these were held."""
        self._unlucky |= {lease.conversation for lease in leases}
        self._left |= {lease.conversation: lease.fence for lease in leases}

    def _was_unlucky(self, lease: Lease) -> bool:
        """Was it the store that failed, and not the event? Then it gets another try."""
        unlucky = lease.conversation in self._unlucky
        self._unlucky.discard(lease.conversation)
        return unlucky

    def _announce(self, done: Committed | None, lease: Lease, turns: Sequence[Turn]) -> None:
        if done is None:
            observe.count("turns.stale")
            return
        observe.count("turns", len(turns))
        measures.committed(lease, turns)
        self.done += len(turns)
        self._hub.publish(done.conversation)
        if done.case or lease.speaker is not Speaker.BOT or any(turn.alarm for turn in turns):
            self._hub.publish(DESK)
        if done.handed is not None and self.outlet is not None:
            self.outlet.send(done.handed)
        if done.outgoing:
            self.sent.set()
        if done.more:
            self.wake.set()


def _aside(taken: Taken) -> Taken:
    turns, lang, state = taken
    return [dataclasses.replace(turn, aside=True) for turn in turns], lang, state


def _heard_once(taken: Taken) -> Taken:
    """An event that was moved aside has its line in the transcript already."""
    turns, lang, state = taken
    if any(turn.event.retried for turn in turns):
        turns = [dataclasses.replace(turn, heard=None) if turn.event.retried else turn for turn in turns]
    return turns, lang, state


def _in_language(lease: Lease, lang: str) -> Lease:
    if not lang:
        return lease
    first = dataclasses.replace(lease.events[0], lang=lang)
    return dataclasses.replace(lease, events=(first, *lease.events[1:]))
