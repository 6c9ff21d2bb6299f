"""The sender: drains the outbox in order per conversation, retries what may be retried, gives up what cannot."""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot import observe
from bot.channels.port import Channel, Parcel, Receipt, Sent
from bot.messages import Notice
from bot.pipeline import measures
from bot.pipeline.hub import DESK, Hub
from bot.store import Store, StoreUnavailable
from bot.store.records import Delivery, Outcome

AT_ONCE = 64
POLL_SECONDS = 1.0
FIRST_RETRY = 1.0
LONGEST_RETRY = 600.0
FINISH_TRIES = 20  # a second apart: well within the time for which deliveries are held
GIVE_UP_AFTER = 23 * 3600.0
BREAKER_FAILURES = 5
BREAKER_SECONDS = 5.0


_TELLING = (Sent.DEAD, Sent.WAITING)  # what the desk should see at once


def _of_a_case(delivery: Delivery) -> bool:
    """Is this a line that a caseworker waits to see delivered?"""
    return delivery.author == "staff" or any(reply.notice is Notice.CASE for reply in delivery.replies)


@dataclass
class Breaker:
    """Opens after so many outages in a row; then one delivery every few seconds probes the channel."""

    failures: int = 0
    open_until: float = 0.0

    def blocked(self, now: float) -> float:
        """Seconds to wait before the next try; 0 when it may go. A probe pushes the next one back."""
        if self.failures < BREAKER_FAILURES:
            return 0.0
        if now < self.open_until:
            return self.open_until - now
        self.open_until = now + BREAKER_SECONDS
        return 0.0

    def note(self, outage: bool, now: float) -> None:
        """How a try ended."""
        self.failures = self.failures + 1 if outage else 0
        if self.failures >= BREAKER_FAILURES:
            self.open_until = now + BREAKER_SECONDS


@dataclass
class Sender:
    """Takes due deliveries and hands them to their channels."""

    store: Store
    channels: Mapping[str, Channel]
    hub: Hub
    wake: asyncio.Event
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    breakers: dict[str, Breaker] = field(default_factory=dict)
    bundling: frozenset[str] = frozenset()
    stopping: bool = False
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _ended: list[Outcome] = field(default_factory=list)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Send until cancelled; nothing more is taken once it is stopping."""
        while not self.stopping:
            try:
                await self._round()
            except Exception as error:  # the store, or a fault of ours: sending leases run out
                observe.failure("deliveries", error)
                await asyncio.sleep(POLL_SECONDS)

    async def _round(self) -> None:
        free = AT_ONCE - len(self._running)
        deliveries = await self._lease(free) if free > 0 else []
        for delivery in deliveries:
            self.send(delivery)
        if not deliveries and not self.stopping:
            await self._wait()

    async def _lease(self, limit: int) -> list[Delivery]:
        return await self.store.lease_deliveries(self.owner, limit, bundling=self.bundling)

    def send(self, delivery: Delivery) -> None:
        """Deliver beside everything else: one that this sender holds."""
        task = asyncio.create_task(self._deliver(delivery))
        self._running.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if len(self._running) == AT_ONCE - 1:
            self.wake.set()  # there is room again

    @property
    def takes(self) -> bool:
        """Is there room for one more?"""
        return len(self._running) < AT_ONCE

    async def _wait(self) -> None:
        due = self.store.next_due()
        pause = POLL_SECONDS if due is None else min(POLL_SECONDS, max(0.01, due))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self.wake.wait()
        self.wake.clear()

    async def drain(self) -> None:
        """Send everything that is due now and return."""
        while deliveries := await self._lease(AT_ONCE):
            await asyncio.gather(*(self._deliver(delivery) for delivery in deliveries))

    async def _deliver(self, delivery: Delivery) -> None:
        began = measures.follow(delivery)
        outcome = await self._attempt(delivery)
        measures.sent(outcome, began)
        self._ended.append(outcome)
        async with self._writing:  # whoever is first writes down what ended meanwhile as well
            outcomes, self._ended = self._ended, []
            if outcomes:
                await self._write_down(outcomes)

    async def _write_down(self, outcomes: list[Outcome]) -> None:
        try:
            waits = await self._finished(outcomes)
        except Exception as error:
            observe.failure("finish", error)  # the sending leases run out; a receiver may see them again
            return
        for outcome in outcomes:
            self.hub.publish(outcome.delivery.conversation)
        if any(outcome.result in _TELLING or _of_a_case(outcome.delivery) for outcome in outcomes):
            self.hub.publish(DESK)
        if waits:
            self.wake.set()

    async def _finished(self, outcomes: list[Outcome]) -> bool:
        """Where the store is away it is tried again, but no longer than the deliveries are surely ours."""
        for _ in range(FINISH_TRIES):
            try:
                return await self.store.finish(outcomes)
            except StoreUnavailable as error:
                observe.failure("finish", error)
                await asyncio.sleep(POLL_SECONDS)
        return await self.store.finish(outcomes)

    async def finish(self, seconds: float) -> None:
        """Let what is on the wire arrive and be written down, so that an orderly stop repeats nothing."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def _attempt(self, delivery: Delivery) -> Outcome:
        channel = self.channels.get(delivery.address.channel)
        if channel is None:
            return Outcome(delivery, Sent.DEAD, error="channel off")
        loop = asyncio.get_running_loop()
        breaker = self.breakers.setdefault(delivery.address.channel, Breaker())
        blocked = breaker.blocked(loop.time())
        if blocked:
            receipt = Receipt(Sent.RETRY, "channel down", blocked, parts=delivery.skip, unsure=delivery.unsure)
            return replace(self._again(delivery, receipt), held=True)
        parcel = Parcel(
            delivery.address,
            delivery.replies,
            delivery.in_reply_to,
            delivery.retry_key,
            delivery.reply_token,
            delivery.skip,
            delivery.unsure,
        )
        try:
            receipt = await channel.send(parcel)
        except Exception as error:  # a fault of ours in one channel must not stop the sender
            observe.failure("send", error)
            receipt = Receipt(Sent.RETRY, type(error).__name__, parts=delivery.skip, unsure=delivery.unsure)
        breaker.note(receipt.outage, loop.time())
        if receipt.result is Sent.RETRY:
            return self._again(delivery, receipt)
        return _outcome(delivery, receipt, receipt.result)

    def _again(self, delivery: Delivery, receipt: Receipt) -> Outcome:
        if delivery.age > GIVE_UP_AFTER:
            return _outcome(delivery, receipt, Sent.DEAD)
        backoff = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(delivery.attempts - 1, 20))
        delay = receipt.delay or backoff * random.uniform(0.5, 1.0)
        return _outcome(delivery, receipt, Sent.RETRY, delay)


def _outcome(delivery: Delivery, receipt: Receipt, result: Sent, delay: float = 0.0) -> Outcome:
    return Outcome(
        delivery,
        result.value,
        delay,
        receipt.error,
        done=receipt.done,
        parts=receipt.parts,
        unsure=receipt.unsure,
        blocked=receipt.blocked,
        moved=receipt.moved,
    )
