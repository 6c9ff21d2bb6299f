"""Wake-ups inside one process and between servers: "this conversation changed", never what changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

DESK = "desk"


class Hub:
    """Topics are conversation ids, or DESK. Listeners always look again for themselves."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self.outward: Callable[[str], None] | None = None  # tells the other servers, where there are any

    def publish(self, topic: int | str) -> None:
        """Wake everyone who listens to the topic, on every server."""
        self.heard(str(topic))
        if self.outward is not None:
            self.outward(str(topic))

    def heard(self, topic: str) -> None:
        """Wake everyone who listens to the topic here."""
        for event in self._listeners.get(topic, ()):
            event.set()

    def listening(self, desk: bool) -> int:
        """How many listen here: to the desk, or to conversations."""
        return sum(len(events) for topic, events in self._listeners.items() if (topic == DESK) is desk)

    async def watch(self, about: int | str, poll: float) -> AsyncIterator[None]:
        """Yield once at the start, then at every wake-up and at least every `poll` seconds."""
        topic, event = str(about), asyncio.Event()
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
