"""One running house: store, worker, sender and door, started and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot import observe
from bot.channels.port import Channel, Messenger
from bot.channels.web import CHANNEL as WEB
from bot.dialogue import Staffing
from bot.pipeline.assistant import Links
from bot.pipeline.budgets import Budgets, Limits
from bot.pipeline.errands import Errands
from bot.pipeline.front_door import FrontDoor
from bot.pipeline.hub import Hub
from bot.pipeline.measures import Watched
from bot.pipeline.resources import ON_DUTY_SECONDS, Resources
from bot.pipeline.sender import Sender
from bot.pipeline.surge import Surge
from bot.pipeline.timetable import USUAL, Service, Timetable
from bot.pipeline.worker import Worker
from bot.store import Store
from bot.store.connection import Bell

WORKERS = 2
LAST_SECONDS = 5.0
BEAT_SECONDS = 1.0
BEAT_ALONE_SECONDS = 5.0  # nobody else waits for it; it tells whether the store can be written
BEATS_MISSED = 3
YOUNG_OBJECTS = 10_000  # a turn makes some hundred objects, and hardly any of them in cycles


class HouseTaken(Exception):
    """Another process owns this database: SQLite is for one."""


@dataclass
class House:
    """The parts and their tasks."""

    store: Store
    hub: Hub
    worker: Worker
    sender: Sender
    door: FrontDoor
    lock: int | None
    messengers: Mapping[str, Messenger]
    errands: Errands
    timetable: Timetable
    surge: Surge
    draining: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _beaten: float = -math.inf
    _bell: Bell | None = None

    async def start(self) -> None:
        """Free what a killed process held, then work."""
        gc.freeze()  # knowledge and model stay as they are: the collector need not look through them again and again
        gc.set_threshold(YOUNG_OBJECTS)
        if self.lock is not None:
            await self.store.release_all()
        await self._beat()  # so that what this one leases is freed if it dies at once
        self._bell = self._neighbors()
        for messenger in self.messengers.values():
            await messenger.open()
        self.worker.outlet = self.sender
        self._tasks = [asyncio.create_task(self.worker.run()) for _ in range(WORKERS)]
        self._tasks.append(asyncio.create_task(self.sender.run()))
        if self.messengers:
            self._tasks.append(asyncio.create_task(self.errands.run()))
        self._tasks.append(asyncio.create_task(self.surge.run()))
        self._tasks.append(asyncio.create_task(self._beats()))

    def drain(self) -> None:
        """The end is near: `ready` says no from now on, and everything else goes on until `stop`."""
        self.draining = True

    async def stop(self, seconds: float = LAST_SECONDS) -> None:
        """Let running turns and sends end within `seconds`, finish the store's writes, free leases and the file."""
        self.draining, until = True, time.monotonic() + seconds
        self.worker.stopping = True
        self.worker.wake.set()
        await _ended(self._tasks[:WORKERS], until)
        self.sender.stopping = True  # only now: turns hand it their answers
        self.sender.wake.set()
        await _ended(self._tasks[WORKERS : WORKERS + 1], until)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.sender.finish(max(0.1, until - time.monotonic()))
        for messenger in self.messengers.values():
            await messenger.close()
        await self._leave()
        self.close()

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self._beat()

    @property
    def _every(self) -> float:
        return BEAT_SECONDS if self.lock is None else BEAT_ALONE_SECONDS

    async def _beat(self) -> None:
        """A sign of life to the other servers; what a dead one held is worked on here at once."""
        try:
            freed = await self.store.servers.beat(self.worker.owner)
        except Exception as error:  # the store does not answer: the others are as badly off
            observe.failure("sign of life", error)
            self._beaten = -math.inf
            return
        self._beaten = time.monotonic()
        if freed:
            observe.count("servers.taken_over", freed)
            self.worker.wake.set()
            self.sender.wake.set()

    async def _leave(self) -> None:
        """Others need not wait until it is plain that this server is gone."""
        with contextlib.suppress(*self.store.database.engine.errors, OSError):
            await self.store.servers.leave(self.worker.owner)

    def _neighbors(self) -> Bell | None:
        """Hear what other servers change, and tell them what changes here."""
        loop = asyncio.get_running_loop()

        def heard(topic: str) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self.hub.heard, topic)

        bell = self.store.database.engine.bell(heard)
        self.hub.outward = bell.ring if bell is not None else None
        return bell

    def close(self) -> None:
        """Close the store and free the file."""
        if self._bell is not None:
            self._bell.close()
        self.store.close()
        if self.lock is not None:
            release(self.lock)

    async def settle(self) -> None:
        """Take and deliver everything there is, without the tasks: for the console and for tests."""
        while await self.worker.drain():
            await self.sender.drain()
        await self.sender.drain()

    def ready(self) -> bool:
        """Can messages be taken?"""
        return not self.unready()

    def unready(self) -> list[str]:
        """Why no messages should come here: `draining`; `tasks`, `writer`: one ended; `store`: it takes no writes."""
        found = {
            "draining": self.draining,
            "tasks": not self._tasks or any(task.done() for task in self._tasks),
            "writer": not self.store.database.alive,
            "store": time.monotonic() - self._beaten > BEATS_MISSED * self._every,
        }
        return [reason for reason, holds in found.items() if holds]


def build_house(
    database: Path | str,
    resources: Resources,
    channels: Mapping[str, Channel],
    messengers: Mapping[str, Messenger] = {},
    public_url: str = "",
    service: Service = USUAL,
    limits: Limits | None = None,
) -> House:
    """Open the database and put the parts together. `messengers`: the channels of messaging platforms.

    Raises HouseTaken when another process has the database file open as its house; on PostgreSQL there may be several.
    """
    lock = own(database) if isinstance(database, Path) else None
    store = Store(database)
    hub = Hub()
    timetable = Timetable(service, store)
    assistant = resources.assistant(
        _Staffing(store, timetable),
        frozenset(messengers),
        _links(messengers, public_url),
        lambda channel, token: f"{public_url}/mydata/{token}" if public_url or channel == WEB else "",
    )
    worker = Worker(store, Watched(assistant), hub)
    bundling = frozenset(name for name, messenger in messengers.items() if messenger.bundles)
    sender = Sender(store, {**channels, **messengers}, hub, worker.sent, worker.owner, bundling=bundling)
    errands = Errands(store, messengers, resources.renderer, hub, worker.sent)
    if messengers:
        worker.guess = errands.language
    understand = resources.understander.understand
    budgets = Budgets(limits or Limits(), lambda text: bool(understand(text).urgent))
    surge = Surge(
        store,
        worker,
        resources.renderer,
        worker.sent,
        lambda text: understand(text).lang,
        budgets.limits.saturated_seconds,
    )
    door = FrontDoor(store, worker, hub, resources.clock, budgets)
    return House(store, hub, worker, sender, door, lock, messengers, errands, timetable, surge)


async def _ended(tasks: list[asyncio.Task[None]], until: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=max(0.0, until - time.monotonic()))


class _Staffing:
    """Who is at the desk, and when it opens; the clock of the turns may be another than the one by which staff come.

    Service hours go by minutes: within one they are looked up anew only when somebody came or the days changed.
    """

    def __init__(self, store: Store, timetable: Timetable) -> None:
        self._store = store
        self._timetable = timetable
        self._known: tuple[object, ...] = ()
        self._hours: tuple[bool, datetime | None] = (False, None)

    def __call__(self, now: datetime) -> Staffing:
        """As of `now`."""
        there, hours, real = self._store.staff_last_there(), self._timetable.hours, time.time()
        known = (hours, there, now.replace(second=0, microsecond=0), real // 60)
        if known != self._known:
            opens = None if hours.is_open(now) else hours.next_opening(now)
            self._known, self._hours = known, (self._timetable.within_a_day(there, real), opens)
        lately, opens = self._hours
        return Staffing(on_duty=self._store.staff_seen_within(ON_DUTY_SECONDS), seen_lately=lately, opens=opens)


def _links(messengers: Mapping[str, Messenger], public_url: str) -> Callable[[str, str], Links]:
    """Where a conversation can go on from a channel, as links that carry a token."""

    def links(channel: str, token: str) -> Links:
        found = [("conversation.move_web", f"{public_url}/resume/{token}")] if public_url and channel != "web" else []
        for name, messenger in messengers.items():
            url = messenger.resume_url(token) if name != channel else ""
            if url:
                found.append((f"conversation.move_{name}", url))
        return tuple(found)

    return links


def own(database: Path) -> int:
    """Own this file until `release`; raises HouseTaken when another process does."""
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(database.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise HouseTaken(str(database)) from None
    return lock


def release(lock: int) -> None:
    """Let the file go."""
    os.close(lock)
