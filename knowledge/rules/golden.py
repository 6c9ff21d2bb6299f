"""A finished check as a golden case: only the rule's own facts, as coarse as no reason changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from knowledge.rules.spans import last_of_month
from knowledge.rules.tree import Rule
from knowledge.rules.truth import leaf_truth
from knowledge.rules.values import NOT_ASKED, Born, Days, Since, Value, number_bounds, to_json


def redacted(rule: Rule, facts: Mapping[str, Value], on: date) -> dict[str, Any]:
    """The told facts of the rule in JSON. Days of birth become ages, days years or months, where that is enough."""
    return {name: to_json(_coarse(rule, name, facts[name], on)) for name in rule.facts if _told(facts, name)}


def _told(facts: Mapping[str, Value], name: str) -> bool:
    return facts.get(name, NOT_ASKED) != NOT_ASKED


def _coarse(rule: Rule, name: str, value: Value, on: date) -> Value:
    """The coarsest value that every leaf on the fact judges alike."""
    wanted = _truths(rule, name, value, on)
    return next((each for each in _coarser(value, on) if _truths(rule, name, each, on) == wanted), value)


def _truths(rule: Rule, name: str, value: Value, on: date) -> list[Any]:
    return [leaf_truth(leaf, value, on) for leaf in rule.leaves if leaf.fact == name]


def _coarser(value: Value, on: date) -> Iterator[Value]:
    if isinstance(value, Born | Since):
        low, high = number_bounds(value, on)
        if int(low) == int(high):
            yield int(low)
        if low == high:
            yield round(low, 1)
    elif isinstance(value, date):
        yield Days(date(value.year, 1, 1), date(value.year, 12, 31))
        yield Days(value.replace(day=1), last_of_month(value.year, value.month))
