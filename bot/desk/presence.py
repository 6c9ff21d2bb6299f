"""Who looks at which case now: in memory, forgotten after half a minute without a sign."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

FRESH_SECONDS = 30.0


@dataclass
class Presence:
    """Signs of caseworkers at cases."""

    monotonic: Callable[[], float] = time.monotonic
    _seen: dict[int, dict[int, tuple[str, float]]] = field(default_factory=dict)

    def seen(self, case_id: int, staff_id: int, name: str) -> None:
        """A caseworker looks at a case now."""
        self._seen.setdefault(case_id, {})[staff_id] = (name, self.monotonic())

    def others(self, case_id: int, staff_id: int) -> list[str]:
        """The names of the others who look at it."""
        fresh = self.monotonic() - FRESH_SECONDS
        here = {number: sign for number, sign in self._seen.get(case_id, {}).items() if sign[1] >= fresh}
        if here:
            self._seen[case_id] = here
        else:
            self._seen.pop(case_id, None)
        return sorted(name for number, (name, _) in here.items() if number != staff_id)
