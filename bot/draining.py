"""The end of a server in order: said at once to those who ask `/readyz`, heard a moment later by everybody else."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

STARTUP_FAILURE = 3


class Draining(uvicorn.Server):
    """uvicorn that on SIGTERM goes on for `notice` seconds, so that balancers see it; a second signal ends it now."""

    def __init__(self, config: uvicorn.Config, notice: float, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._notice = notice
        self._drain = drain
        self._until: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        super().handle_exit(sig, frame)
        self._drain()
        if sig == signal.SIGTERM and self._until is None:
            self._until = time.monotonic() + self._notice
            self.should_exit = False

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: is it time?"""
        if self._until is not None and time.monotonic() >= self._until:
            self.should_exit = True
        return await super().on_tick(counter)

    def run_until_told(self) -> None:
        """Serve until a signal comes; exits when it could not start."""
        try:
            self.run()
        except KeyboardInterrupt:
            pass
        if not self.started:
            sys.exit(STARTUP_FAILURE)
