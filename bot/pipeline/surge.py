"""When more comes in than can be answered soon: measured, and said once to each who waits, in their language."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot import observe
from bot.dialogue.effects import Say
from bot.messages import Notice, Reply
from bot.pipeline.worker import Worker
from bot.render.replies import Renderer
from bot.store import Store
from bot.store.crowd import Queue, Waiting

EVERY_SECONDS = 1.0
TELL_AFTER = 5.0
AT_ONCE = 50  # told a second: telling must not become the storm
RATE_AT_FIRST = 20.0  # turns a second, until some were measured
LEAST_RATE = 1.0
WEIGHT = 0.3
BY_TOKEN = "line"  # telling would use up the token of the answer: see Errands, which does it when the token ends  # noqa: S105


@dataclass
class Surge:
    """Looks every second. `language` reads the language of a text; empty for none."""

    store: Store
    worker: Worker
    renderer: Renderer
    sent: asyncio.Event
    language: Callable[[str], str]
    seconds: float
    monotonic: Callable[[], float] = time.monotonic
    rate: float = RATE_AT_FIRST
    saturated: bool = False
    queue: Queue = field(default_factory=Queue)
    _done: int = 0
    _at: float | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.once()
            except Exception as error:  # the store, or a fault of ours: the next look is soon
                observe.failure("surge", error)
            await asyncio.sleep(EVERY_SECONDS)

    async def once(self) -> None:
        """Measure; where more waits than is answered in `seconds`, tell those who wait."""
        busy = self.queue.events > 0
        self.queue = self.store.crowd.queue()
        self._measure(busy and self.queue.events > 0)
        self.saturated = self.queue.events > self.rate * self.seconds or self.queue.oldest > self.seconds
        if self.saturated:
            await self._tell()

    def _measure(self, busy: bool) -> None:
        """Turns a second of this server, as long as there is something to do all the time."""
        now, done = self.monotonic(), self.worker.done
        if busy and self._at is not None and now > self._at:
            measured = (done - self._done) / (now - self._at)
            self.rate = max(LEAST_RATE, self.rate + WEIGHT * (measured - self.rate))
        self._at, self._done = now, done

    async def _tell(self) -> None:
        waiting = self.store.crowd.untold(TELL_AFTER, BY_TOKEN, AT_ONCE)
        if not waiting:
            return
        told = await self.store.crowd.tell([(each, self._reply(each)) for each in waiting])
        observe.count("surge.told", told)
        self.sent.set()

    def _reply(self, waiting: Waiting) -> Reply:
        lang = waiting.lang
        if not lang:
            text, shown = self.store.crowd.first_words(waiting.conversation)
            lang = (self.language(text) if text else "") or shown
        (reply,) = self.renderer.replies((Say("conversation.busy", notice=Notice.CASE),), lang or "zh-TW")
        return reply
