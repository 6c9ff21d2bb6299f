"""The service hours as they stand now, and the clocks of cases that run in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from bot.clock import TAIPEI
from bot.hours import DEFAULT, Hours, Week, spans_of, week_of
from bot.store import Store
from bot.store.hours import OverrideRow
from bot.store.records import CaseRow


@dataclass(frozen=True)
class Service:
    """What an installation sets: its week, and within how many service seconds a case should be answered first."""

    week: Week
    first_answer: float


USUAL = Service(week_of(DEFAULT), 3600.0)


@dataclass
class Timetable:
    """All times are Unix seconds, all lengths service seconds."""

    service: Service
    store: Store
    _rows: tuple[OverrideRow, ...] = ()
    _hours: Hours = field(init=False)

    def __post_init__(self) -> None:
        self._hours = Hours(self.service.week)

    @property
    def hours(self) -> Hours:
        """The week, the public calendar, and the days the desk set."""
        rows = self.store.hours.overrides()
        if rows is not self._rows:
            days = {date.fromisoformat(row.day): spans_of(row.spans) if row.spans else () for row in rows}
            self._rows, self._hours = rows, Hours(self.service.week, days)
        return self._hours

    def between(self, begin: float, end: float) -> float:
        """The service time between two moments."""
        return self.hours.service_seconds(_moment(begin), _moment(end))

    def passed(self, begin: float, seconds: float, now: float) -> bool:
        """Have so many service seconds passed since?"""
        due = self.hours.add_service(_moment(begin), seconds)
        return due is not None and due.timestamp() <= now

    def within_a_day(self, begin: float, now: float) -> bool:
        """Is less than one service day gone since?"""
        return not self.passed(begin, self.hours.service_day, now)

    def overdue(self, opened_at: float, now: float) -> bool:
        """Is the first answer to a case opened then due by now?"""
        return self.passed(opened_at, self.service.first_answer, now)

    def late(self, case: CaseRow, now: float) -> bool:
        """Does an open case wait too long for its first answer?"""
        return case.state != "closed" and case.first_answer_at is None and self.overdue(case.opened_at, now)

    def first_answer(self, case: CaseRow) -> float | None:
        """How long a case waited for its first answer; None while it does."""
        return None if case.first_answer_at is None else self.between(case.opened_at, case.first_answer_at)

    def resolution(self, case: CaseRow) -> float | None:
        """How long a case was open; None while it is."""
        return None if case.closed_at is None else self.between(case.opened_at, case.closed_at)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, TAIPEI)
