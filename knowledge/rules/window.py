"""Can one apply on a day? By the months of application if the plan names them, else by the program's period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol, TypeAlias

from knowledge.models import year_month
from knowledge.rules.spans import last_of_month

Window: TypeAlias = Literal["open", "not_yet", "closed", "not_confirmed"]


class Scheduled(Protocol):
    """Anything with times: months 1 to 12 to apply in (or none), first and last day of its period, the plan's year."""

    @property
    def apply_months(self) -> Sequence[int]: ...
    @property
    def period_start(self) -> date: ...
    @property
    def period_end(self) -> date: ...
    @property
    def year(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of a topic. `period_end` is the last day, included."""

    apply_months: tuple[int, ...]
    period_start: date
    period_end: date
    year: int = 2018

    @classmethod
    def of(cls, start: str, end: str, apply_months: Sequence[int] = (), year: int = 2018) -> Schedule:
        """A schedule from a period's first and last month, `YYYY-MM`."""
        first = date(*year_month(start), 1)
        return cls(tuple(apply_months), first, last_of_month(*year_month(end)), year)


def window(topic: Scheduled, on: date) -> Window:
    """The window on a day. Outside the plan's year nothing is confirmed."""
    if on.year != topic.year:
        return "not_confirmed"
    if topic.apply_months:
        return _by_month(topic.apply_months, on.month)
    if on < topic.period_start:
        return "not_yet"
    return "open" if on <= topic.period_end else "closed"


def _by_month(months: Sequence[int], month: int) -> Window:
    if month in months:
        return "open"
    return "not_yet" if month < max(months) else "closed"
