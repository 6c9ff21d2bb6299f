"""What can be known about a fact: a value, an interval, or a reason why it is not known; and its JSON form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from math import floor, isfinite
from typing import Any, Literal, TypeAlias, get_args

from knowledge.rules.spans import months_between, years_between

Reason: TypeAlias = Literal["not_asked", "declined", "does_not_know", "imprecise", "conflict", "undefined_in_source"]
REASONS: tuple[str, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not known, and why. `imprecise` as a value means: asked for more precisely already, and it stays so."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Days:
    """A day that lies between `lo` and `hi`, both included."""

    lo: date
    hi: date


@dataclass(frozen=True, slots=True)
class Born:
    """A day of birth between `lo` and `hi`: an age that grows with the day it is asked on."""

    lo: date
    hi: date


@dataclass(frozen=True, slots=True)
class Since:
    """Something that began between `lo` and `hi` and still lasts: a number of months that grows."""

    lo: date
    hi: date


@dataclass(frozen=True, slots=True)
class Range:
    """A number between `lo` and `hi`, both included."""

    lo: float
    hi: float


Value: TypeAlias = bool | int | float | str | date | Days | Born | Since | Range | Unknown
Interval: TypeAlias = Days | Born | Since | Range

NOT_ASKED = Unknown("not_asked")
_WORDS: dict[str, Reason] = {"unknown": "does_not_know", "declined": "declined"}
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY_PAIRS: dict[str, type[Born | Since]] = {"born": Born, "since": Since}


def is_known(value: Value) -> bool:
    """Is there a value, be it an interval?"""
    return not isinstance(value, Unknown)


def number_bounds(value: Value, on: date) -> tuple[float, float]:
    """The lowest and highest number `value` can be on `on`: years of age for Born, months for Since."""
    match value:
        case Born():
            return years_between(value.hi, on), years_between(value.lo, on)
        case Since():
            return months_between(value.hi, on), months_between(value.lo, on)
        case Range():
            return value.lo, value.hi
        case int() | float() if not isinstance(value, bool):
            return value, value
    raise ValueError(f"{value!r} is not a number")


def day_bounds(value: Value) -> tuple[date, date]:
    """The first and last day `value` can be."""
    match value:
        case date():
            return value, value
        case Days():
            return value.lo, value.hi
    raise ValueError(f"{value!r} is not a day")


def from_json(raw: Any) -> Value:
    """The value of a JSON document. Raises ValueError for anything that is not one.

    `null` is not asked, "unknown" does not know, "declined" declined; an ISO date is a day; a list of two ISO dates
    or of two numbers is an interval; `{"born": [day, day]}`, `{"since": [day, day]}` and `{"unknown": reason}`.
    """
    match raw:
        case None:
            return NOT_ASKED
        case bool():
            return raw
        case int() | float():
            return _number(raw)
        case str():
            return _from_text(raw)
        case [lo, hi]:
            return _pair(lo, hi)
        case dict() if len(raw) == 1:
            return _from_object(*next(iter(raw.items())))
    raise ValueError(f"not a value: {raw!r}")


def _number(raw: Any) -> int | float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not isfinite(raw):
        raise ValueError(f"not a number: {raw!r}")
    return raw


def _from_text(raw: str) -> Value:
    if raw in _WORDS:
        return Unknown(_WORDS[raw])
    if not raw.strip():
        raise ValueError("an empty text is not a value: use null for not asked")
    return date.fromisoformat(raw) if _ISO_DAY.fullmatch(raw) else raw


def _pair(lo: Any, hi: Any) -> Days | Range:
    if isinstance(lo, str) and isinstance(hi, str):
        return Days(*_day_pair(lo, hi))
    if _number(lo) > _number(hi):
        raise ValueError(f"the interval [{lo}, {hi}] ends before it starts")
    return Range(lo, hi)


def _day_pair(lo: Any, hi: Any) -> tuple[date, date]:
    for text in (lo, hi):
        if not isinstance(text, str) or not _ISO_DAY.fullmatch(text):
            raise ValueError(f"not an ISO date: {text!r}")
    first, last = date.fromisoformat(lo), date.fromisoformat(hi)
    if first > last:
        raise ValueError(f"the interval [{lo}, {hi}] ends before it starts")
    return first, last


def _from_object(key: Any, raw: Any) -> Value:
    if key == "unknown" and raw in REASONS:
        return Unknown(raw)
    if key in _DAY_PAIRS and isinstance(raw, list) and len(raw) == 2:
        return _DAY_PAIRS[key](*_day_pair(*raw))
    raise ValueError(f"not a value: {{{key!r}: {raw!r}}}")


def to_json(value: Value) -> Any:
    """The JSON form that `from_json` reads back."""
    match value:
        case Unknown():
            return _unknown_to_json(value)
        case date():
            return value.isoformat()
        case Days():
            return [value.lo.isoformat(), value.hi.isoformat()]
        case Born():
            return {"born": [value.lo.isoformat(), value.hi.isoformat()]}
        case Since():
            return {"since": [value.lo.isoformat(), value.hi.isoformat()]}
        case Range():
            return [value.lo, value.hi]
    return value


def _unknown_to_json(value: Unknown) -> Any:
    if value.reason == "not_asked":
        return None
    names = {reason: word for word, reason in _WORDS.items()}
    return names.get(value.reason, {"unknown": value.reason})


def shown(value: Value, on: date) -> Any:
    """The value as a person would say it on `on`, in JSON: an age in years, a duration in completed months."""
    if not isinstance(value, Born | Since):
        return to_json(value)
    lo, hi = (floor(bound) for bound in number_bounds(value, on))
    return lo if lo == hi else [lo, hi]
