"""Wake-ups inside one process: "this conversation changed", never what changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Hashable

DESK = "desk"


class Hub:
    """Topics are conversation ids, or DESK. Listeners always look again for themselves."""

    def __init__(self) -> None:
        self._listeners: dict[Hashable, set[asyncio.Event]] = {}

    def publish(self, topic: Hashable) -> None:
        """Wake everyone who listens to the topic."""
        for event in self._listeners.get(topic, ()):
            event.set()

    async def watch(self, topic: Hashable, poll: float) -> AsyncIterator[None]:
        """Yield once at the start, then at every wake-up and at least every `poll` seconds."""
        event = asyncio.Event()
        self._listeners.setdefault(topic, set()).add(event)
        try:
            while True:
                yield
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(poll):
                        await event.wait()
                event.clear()
        finally:
            listeners = self._listeners.get(topic, set())
            listeners.discard(event)
            if not listeners:
                self._listeners.pop(topic, None)
