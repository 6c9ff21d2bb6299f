"""What a report is asked for: a period in days of Taipei, a language, a channel."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from urllib.parse import urlencode

from bot.clock import TAIPEI
from bot.store.reports import Span

LATEST = ("7", "30", "90")
LONGEST_DAYS = 366
CHANNELS = ("web", "line", "telegram", "hook")
DAY = 86400.0


class BadPeriod(ValueError):
    """The period cannot be used; the message is the key of the text that says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the form as they were typed. `period`: 7, 30, 90, month or range."""

    period: str = "30"
    month: str = ""
    since: str = ""
    until: str = ""
    lang: str = ""
    channel: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], languages: Collection[str]) -> Asked:
        """From a query string; a language or channel that is none means all of them."""
        lang, channel = query.get("lang", ""), query.get("channel", "")
        return cls(
            query.get("period", "30"),
            query.get("month", "").strip(),
            query.get("since", "").strip(),
            query.get("until", "").strip(),
            lang if lang in languages else "",
            channel if channel in CHANNELS else "",
        )

    @property
    def query(self) -> str:
        """As a query string again, without empty fields."""
        fields = {name: getattr(self, name) for name in ("period", "month", "since", "until", "lang", "channel")}
        return urlencode({name: value for name, value in fields.items() if value})

    @property
    def filtered(self) -> bool:
        """Is only one language or channel asked for?"""
        return bool(self.lang or self.channel)


@dataclass(frozen=True)
class Period:
    """Whole days, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @cached_property
    def start(self) -> float:
        """Its first instant in Unix seconds; asked for every row that is counted."""
        return datetime.combine(self.first, time(), TAIPEI).timestamp()

    def span(self, asked: Asked) -> Span:
        """The rows to count."""
        return Span(self.start, self.start + self.days * DAY, asked.lang, asked.channel)

    def day(self, at: float) -> date:
        """The day of an instant in the period: Taipei keeps no summer time."""
        return self.first + timedelta(days=int((at - self.start) // DAY))


def period_of(asked: Asked, today: date) -> Period:
    """The days asked for, none after today. Raises BadPeriod with the key of a text."""
    if asked.period in LATEST:
        return Period(today - timedelta(days=int(asked.period) - 1), today)
    if asked.period == "month":
        first = _month(asked.month)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    elif asked.period == "range":
        first, last = _day(asked.since), _day(asked.until)
    else:
        raise BadPeriod("desk_reports.error_period")
    if last < first:
        raise BadPeriod("desk_reports.error_order")
    if first > today:
        raise BadPeriod("desk_reports.error_future")
    period = Period(first, min(last, today))
    if period.days > LONGEST_DAYS:
        raise BadPeriod("desk_reports.error_long")
    return period


def _month(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
            return _sane(date.fromisoformat(f"{text}-01"))
    except ValueError:
        pass
    raise BadPeriod("desk_reports.error_month")


def _day(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return _sane(date.fromisoformat(text))
    except ValueError:
        pass
    raise BadPeriod("desk_reports.error_day")


def _sane(day: date) -> date:
    """A day that this century's arithmetic can take."""
    if day.year < 2000 or day.year > 2999:
        raise ValueError(day)
    return day
