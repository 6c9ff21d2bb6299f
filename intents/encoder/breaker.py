"""A circuit breaker: after some failures in a row nothing is tried for a while, longer each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 3
FIRST_PAUSE = 10.0
LONGEST_PAUSE = 600.0


@dataclass
class Breaker:
    """`now` tells seconds that only go forward."""

    now: Callable[[], float]
    failures: int = 0
    closed_at: float = 0.0
    pause: float = FIRST_PAUSE

    @property
    def open(self) -> bool:
        """Is it a time not to try?"""
        return self.now() < self.closed_at

    def failed(self) -> None:
        """One more failure."""
        self.failures += 1
        if self.failures >= FAILURES:
            self.closed_at = self.now() + self.pause
            self.pause = min(2 * self.pause, LONGEST_PAUSE)
            self.failures = 0

    def worked(self) -> None:
        """All is well again."""
        self.failures, self.pause = 0, FIRST_PAUSE
