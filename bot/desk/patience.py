"""Slows guessing down: after some free tries every further one has to wait longer than the last."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

REMEMBERED = 20_000


class TooMany(Exception):
    """Too many tries; `seconds` until the next one is looked at."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass
class Patience:
    """`free` tries at once, then waits of `first` seconds that double up to `longest`.

    A try counts when it begins, so that many at the same time are no way around; it is taken back when it was right.
    A key that was quiet for twice `longest` is forgotten. Kept in memory: a restart forgets too.
    """

    free: int
    first: float = 15.0
    longest: float = 900.0
    monotonic: Callable[[], float] = time.monotonic
    _tries: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)  # key: how many, the last when

    def take(self, key: str) -> None:
        """A try begins."""
        self._tries[key] = (self._count(key) + 1, self.monotonic())
        self._tries.move_to_end(key)
        if len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)

    def wait(self, key: str) -> float:
        """Seconds until a try is looked at, 0 for now."""
        over = self._count(key) - self.free
        if over < 0:
            return 0.0
        pause = min(self.longest, self.first * 2.0 ** min(over, 30))
        return max(0.0, self._tries[key][1] + pause - self.monotonic())

    def take_back(self, key: str) -> None:
        """The last try was right."""
        if count := self._count(key):
            self._tries[key] = (count - 1, self._tries[key][1])

    def forget(self, key: str) -> None:
        """All is well again."""
        self._tries.pop(key, None)

    def _count(self, key: str) -> int:
        count, last = self._tries.get(key, (0, 0.0))
        return count if self.monotonic() - last < 2 * self.longest else 0
