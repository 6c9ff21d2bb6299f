"""How much one key may send: token buckets in memory, forgotten when full again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 20_000


class Budget:
    """`per_minute` events for each key, in bursts of at most `burst`; of at most as many where that is not given."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float], burst: int | None = None) -> None:
        self._per_minute = per_minute
        self._burst = float(per_minute if burst is None else burst)
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Use one; False when the key has none left."""
        now = self._monotonic()
        left, since = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_minute / 60.0)
        allowed = left >= 1.0
        self._buckets[key] = (left - 1.0 if allowed else left, now)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return allowed
