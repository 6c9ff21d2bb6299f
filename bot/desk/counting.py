"""Counting by days and weeks, medians, shares; small numbers kept untold where they could lead to a person."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from bot.desk.csv_safe import Cell
from bot.desk.period import DAY, Period

FEW = 5
PERCENTILE = 90
HIDDEN = "*"


def few(number: int) -> bool:
    """Could the number lead to a person?"""
    return 0 < number < FEW


def untold(numbers: Sequence[int]) -> list[Cell]:
    """Counts with the small ones as "<5". Where that hides a single one, the next larger is left out as well, because
    the sum could tell it."""
    cells: list[Cell] = [f"<{FEW}" if few(number) else number for number in numbers]
    if sum(map(few, numbers)) == 1:
        others = [index for index, number in enumerate(numbers) if number >= FEW]
        if others:
            cells[min(others, key=lambda index: numbers[index])] = HIDDEN
    return cells


def told(numbers: Sequence[int], protect: bool) -> list[Cell]:
    """Counts as they are, or with the small ones untold."""
    return untold(numbers) if protect else list(numbers)


def share(part: int, whole: int, protect: bool = True) -> float | None:
    """Per cent to one decimal; None of nothing, and where part or rest could lead to a person."""
    if not whole or (protect and (few(part) or few(whole - part))):
        return None
    return round(100 * part / whole, 1)


def middle_of(times: Sequence[float]) -> float | None:
    """The median to one decimal; None of too few to say."""
    return None if len(times) < FEW else round(statistics.median(times), 1)


def slow_of(times: Sequence[float]) -> float | None:
    """The time within which nine of ten were done (nearest rank), to one decimal; None of too few to say."""
    if len(times) < FEW:
        return None
    return round(sorted(times)[math.ceil(len(times) * PERCENTILE / 100) - 1], 1)


def first_days(period: Period, weeks: bool) -> list[date]:
    """The first day of every day or week of the period; the first week may be cut short."""
    if not weeks:
        return [period.first + timedelta(days=index) for index in range(period.days)]
    monday = _monday(period.first)
    return [max(period.first, monday + timedelta(weeks=n)) for n in range((period.last - monday).days // 7 + 1)]


def first_day(period: Period, at: float, weeks: bool) -> date:
    """The day, or the first day of the week, that an instant of the period belongs to."""
    return _firsts(period, weeks)[int((at - period.start) // DAY)]


@lru_cache(maxsize=64)
def _firsts(period: Period, weeks: bool) -> tuple[date, ...]:
    """The same for each day of the period: a year of a large desk asks a hundred thousand times."""
    days = (period.first + timedelta(days=index) for index in range(period.days))
    return tuple(max(period.first, _monday(day)) if weeks else day for day in days)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
