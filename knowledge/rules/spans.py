"""Days, ages in completed years and months in calendar months: how far two days lie apart."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

OPEN_PAST = date(1900, 1, 1)  # the start of an interval that has no known start


def add_months(day: date, months: int) -> date:
    """The same day `months` later (or earlier), or the last day of a month that is too short for it."""
    index = min(max(day.year * 12 + day.month - 1 + months, 12), 9999 * 12 + 11)
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def years_between(born: date, on: date) -> int:
    """Completed years from `born` to `on`, never below 0."""
    return max(0, on.year - born.year - ((on.month, on.day) < (born.month, born.day)))


def months_between(since: date, on: date) -> float:
    """Calendar months from `since` to `on`: whole ones, plus the part of the month begun; never below 0."""
    if since >= on:
        return 0.0
    whole = (on.year - since.year) * 12 + on.month - since.month
    if add_months(since, whole) > on:
        whole -= 1
    start, end = add_months(since, whole), add_months(since, whole + 1)
    return whole + (on - start).days / max(1, (end - start).days)


def born_at_age(years: int, on: date) -> tuple[date, date]:
    """The first and last day of birth of somebody who is `years` completed years old on `on`."""
    return add_months(on, -12 * (years + 1)) + timedelta(days=1), add_months(on, -12 * years)


def begun_before(months: float, on: date) -> tuple[date, date]:
    """The first and last start of something that has lasted `months` on `on`; whole months mean "so many and a bit"."""
    if months != int(months):
        day = add_months(on, -int(months)) - timedelta(days=round((months - int(months)) * 30))
        return day, day
    first, last = add_months(on, -int(months) - 1), add_months(on, -int(months))
    while months_between(first, on) >= months + 1:
        first += timedelta(days=1)
    return first, last


def last_of_month(year: int, month: int) -> date:
    """The last day of a month (1 to 12)."""
    return date(year, month, monthrange(year, month)[1])
