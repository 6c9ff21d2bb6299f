"""Service time between many pairs of moments: the open spans of a period are laid out once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from bot.clock import TAIPEI
from bot.hours import Spans

MINUTE = 60.0


class ServiceClock:
    """Runs while the desk is open, from the beginning of one day until the end of another; stands still before and
    after. `spans` says when it is open on a day."""

    def __init__(self, spans: Callable[[date], Spans], first: date, last: date) -> None:
        self._opens: list[float] = []
        self._closes: list[float] = []
        self._before: list[float] = []  # service seconds until a span begins
        passed = 0.0
        for number in range((last - first).days + 1):
            midnight = datetime.combine(first + timedelta(days=number), time(), TAIPEI).timestamp()
            for begin, end in spans(first + timedelta(days=number)):
                self._opens.append(midnight + begin * MINUTE)
                self._closes.append(midnight + end * MINUTE)
                self._before.append(passed)
                passed += (end - begin) * MINUTE

    def between(self, begin: float, end: float) -> float:
        """Service seconds between two moments in Unix seconds; 0 when the second is not later."""
        return max(0.0, self._at(end) - self._at(begin))

    def _at(self, moment: float) -> float:
        index = bisect_right(self._opens, moment) - 1
        if index < 0:
            return 0.0
        return self._before[index] + min(moment, self._closes[index]) - self._opens[index]
