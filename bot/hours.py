"""When the desk is open, and time counted in service hours. All in Taipei's time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from bot.clock import TAIPEI

Span = tuple[int, int]
"""Minutes of a day: the first one open, the first one closed again (at most 1440)."""
Spans = tuple[Span, ...]
Week = tuple[Spans, ...]
"""The spans of seven days, Monday first."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DEFAULT = "Mon-Fri 08:00-12:00 13:30-17:30"
FULL_DAY = 24 * 60
HORIZON = timedelta(days=400)
ONE_DAY = timedelta(days=1)
SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
DAY_RANGE = re.compile(r"(\w+)(?:-(\w+))?")
DASHES = str.maketrans(dict.fromkeys("–—−~～", "-") | dict.fromkeys(",，、;；", " "))


class HoursError(ValueError):
    """Hours that cannot be used. `kind`: form, midnight, overlap, day, twice or none; `said`: the part in question."""

    def __init__(self, kind: str, said: str = "") -> None:
        super().__init__(_FAULTS[kind].format(said=said))
        self.kind = kind
        self.said = said


_FAULTS = {
    "form": "{said!r} is no span like 08:00-12:00",
    "midnight": "{said!r} does not end after it begins; hours over midnight are two spans, one a day",
    "overlap": "{said!r} overlaps another span of the day",
    "day": "{said!r} is no day or range of days like Mon or Mon-Fri",
    "twice": "{said} is given twice",
    "none": "no hours are given",
}


def spans_of(text: str) -> Spans:
    """Spans of one day, such as `08:00-12:00 13:30-17:30`, sorted; dashes and separators as people type them.

    Raises HoursError.
    """
    plain = unicodedata.normalize("NFKC", text).translate(DASHES)
    parts = re.sub(r"\s*-\s*", "-", plain).split()
    if not parts:
        raise HoursError("none")
    found: list[Span] = []
    for begin, end, said in sorted(map(_span, parts)):
        if found and begin < found[-1][1]:
            raise HoursError("overlap", said)
        if found and begin == found[-1][1]:
            begin = found.pop()[0]
        found.append((begin, end))
    return tuple(found)


def _span(text: str) -> tuple[int, int, str]:
    match = SPAN.fullmatch(text)
    if match is None:
        raise HoursError("form", text)
    first, first_minute, last, last_minute = map(int, match.groups())
    begin, end = 60 * first + first_minute, 60 * last + last_minute
    if max(first_minute, last_minute) > 59 or max(begin, end) > FULL_DAY:
        raise HoursError("form", text)
    if end <= begin:
        raise HoursError("midnight", text)
    return begin, end, text


def week_of(text: str) -> Week:
    """A week such as `Mon-Fri 08:00-12:00 13:30-17:30; Sat 09:00-12:00`; days that are not named are closed.

    Raises HoursError.
    """
    week: dict[int, Spans] = {}
    for part in filter(str.strip, text.split(";")):
        named, _, spans = part.strip().partition(" ")
        for day in (each for days in named.split(",") for each in _days(days)):
            if day in week:
                raise HoursError("twice", DAYS[day])
            week[day] = spans_of(spans)
    if not week:
        raise HoursError("none")
    return tuple(week.get(day, ()) for day in range(7))


def _days(text: str) -> range:
    match = DAY_RANGE.fullmatch(text)
    first, last = (match[1].title(), (match[2] or match[1]).title()) if match else ("", "")
    if first not in DAYS or last not in DAYS or DAYS.index(last) < DAYS.index(first):
        raise HoursError("day", text)
    return range(DAYS.index(first), DAYS.index(last) + 1)


def written(spans: Spans) -> str:
    """Spans as `spans_of` reads them."""
    return " ".join(f"{_clock(begin)}-{_clock(end)}" for begin, end in spans)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@dataclass(frozen=True, slots=True)
class PublicDays:
    """One year of Taiwan's government offices: days off, and weekend days worked in exchange for one."""

    off: frozenset[date]
    worked: frozenset[date]


@lru_cache(maxsize=64)
def public_days(year: int) -> PublicDays:
    """The public calendar of a year from the `holidays` library, which knows 1998 to 2100."""
    from holidays import country_holidays  # a fifth of a second: commands that need no calendar do not wait

    found = country_holidays("TW", years=year)
    return PublicDays(frozenset(found), frozenset(day for day in found.weekend_workdays if day.year == year))


@lru_cache(maxsize=64)
def public_names(year: int, lang: str) -> Mapping[date, str]:
    """The names of a year's days off, in Chinese or else in English."""
    from holidays import country_holidays

    return dict(country_holidays("TW", years=year, language="zh_TW" if lang == "zh-TW" else "en_US").items())


@dataclass(frozen=True)
class Hours:
    """The week, the public calendar on top of it, and on top of both what the desk set for single `days`.

    Moments are aware datetimes. What never comes within 400 days is None.
    """

    week: Week
    days: Mapping[date, Spans] = field(default_factory=dict)

    @property
    def workday(self) -> Spans:
        """The spans of an ordinary working day: the first of the week that has any. Make-up workdays have them too."""
        return next(spans for spans in self.week if spans)

    @property
    def service_day(self) -> float:
        """The seconds of an ordinary working day."""
        return 60.0 * sum(end - begin for begin, end in self.workday)

    def spans(self, day: date) -> Spans:
        """When the desk is open on a day."""
        if day in self.days:
            return self.days[day]
        public = public_days(day.year)
        if day in public.worked:
            return self.workday
        return () if day in public.off else self.week[day.weekday()]

    def is_open(self, at: datetime) -> bool:
        """Is the desk open at this moment? The last minute of a span is still open, its end is not."""
        return self.closing(at) is not None

    def closing(self, at: datetime) -> datetime | None:
        """When the span ends that is open at this moment; None when the desk is closed."""
        first = next(self._stretches(at, at + ONE_DAY), None)
        return first[1] if first is not None and first[0] <= at else None

    def next_opening(self, at: datetime) -> datetime | None:
        """The first open moment from `at` on: `at` itself while the desk is open."""
        first = next(self._stretches(at, at + HORIZON), None)
        return max(at, first[0]) if first else None

    def service_seconds(self, begin: datetime, end: datetime) -> float:
        """The service time between two moments, in seconds; 0 when the second is not later."""
        found = self._stretches(begin, end)
        return sum(((min(last, end) - max(first, begin)).total_seconds() for first, last in found), 0.0)

    def add_service(self, at: datetime, seconds: float) -> datetime | None:
        """The earliest moment by which `seconds` of service time have passed since `at`."""
        left = timedelta(seconds=seconds)
        while left > timedelta():
            opens = self.next_opening(at)
            closes = opens and self.closing(opens)
            if opens is None or closes is None:
                return None
            at = min(closes, opens + left)
            left -= at - opens
        return at

    def _stretches(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open spans that touch the time between two moments, in order, whole."""
        begin, end = begin.astimezone(TAIPEI), end.astimezone(TAIPEI)
        midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        while begin < end and midnight < end:
            for first, last in self.spans(midnight.date()):
                opens, closes = midnight + timedelta(minutes=first), midnight + timedelta(minutes=last)
                if closes > begin and opens < end:
                    yield opens, closes
            midnight += ONE_DAY
