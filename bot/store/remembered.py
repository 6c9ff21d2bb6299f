"""What every turn asks for is looked up once and kept until it changes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
SHARED_SECONDS = 2.0


class Remembered(Generic[T]):
    """Call it for the value. With other servers on the database it is looked up again after two seconds."""

    def __init__(self, look: Callable[[], T], shared: bool) -> None:
        self._look = look
        self._seconds = SHARED_SECONDS if shared else math.inf
        self._value: T | None = None
        self._until = -math.inf

    def __call__(self) -> T:
        """The value, at most two seconds old."""
        if self._value is None or time.monotonic() >= self._until:
            self._value = self._look()
            self._until = time.monotonic() + self._seconds
        return self._value

    def forget(self) -> None:
        """It changed."""
        self._value = None
