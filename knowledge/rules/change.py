"""What would change a verdict: the smallest set of conditions that are not met, or not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any

from knowledge.rules.spans import add_months, last_of_month
from knowledge.rules.tree import AllOf, AnyOf, Change, Leaf, NotOf, Rule
from knowledge.rules.truth import FALSE, TRUE, UNKNOWN, leaf_truth
from knowledge.rules.values import NOT_ASKED, Born, Since, Value, number_bounds

PLAN_YEAR = 2018
NEVER = 99  # a leaf that nothing can make true is the last resort


@dataclass(frozen=True, slots=True)
class _Way:
    """Leaves that must turn out otherwise; `open` counts those that are merely not known."""

    leaves: tuple[Leaf, ...] = ()
    hopeless: int = 0
    open: int = 0

    def __add__(self, other: _Way) -> _Way:
        return _Way(self.leaves + other.leaves, self.hopeless + other.hopeless, self.open + other.open)

    @property
    def cost(self) -> tuple[int, int, int]:
        return self.hopeless, len(self.leaves), self.open


def nearest_miss(rule: Rule, facts: Mapping[str, Value], on: date) -> tuple[Change, ...]:
    """The fewest unmet leaves between these facts and a yes; ones that can still come about are preferred."""
    way = _way(rule.tree, True, facts, on)
    return tuple(_become(rule, leaf, _told(facts, leaf), on) for leaf in way.leaves)


def to_find_out(rule: Rule, facts: Sequence[str]) -> tuple[Change, ...]:
    """The unknown facts that would decide, as things to find out."""
    return tuple(
        Change(fact, leaf.name, "find_out", rule.text_key(leaf, "unknown"), rule.params(leaf, "unknown"), True)
        for fact in facts
        for leaf in rule.leaves
        if leaf.fact == fact and leaf.text.unknown is not None
    )


def _told(facts: Mapping[str, Value], leaf: Leaf) -> Value:
    return facts.get(leaf.fact or "", NOT_ASKED)


def _way(node: Any, want: bool, facts: Mapping[str, Value], on: date) -> _Way:
    match node:
        case AllOf() | AnyOf():
            branches = node.all if isinstance(node, AllOf) else node.any
            ways = [_way(branch, want, facts, on) for branch in branches]
            every = isinstance(node, AllOf) == want
            return sum(ways[1:], ways[0]) if every else min(ways, key=lambda way: way.cost)
        case NotOf():
            return _way(node.not_, not want, facts, on)
    truth, _ = leaf_truth(node, _told(facts, node), on)
    if truth == UNKNOWN:
        return _Way(open=1)
    if truth == (TRUE if want else FALSE):
        return _Way()
    if node.is_guard:
        return _Way(hopeless=NEVER)
    return _Way((node,), 0 if _can_come(node, _told(facts, node), on) else 1)


def _can_come(leaf: Leaf, value: Value, on: date) -> bool:
    if leaf.moves != "up":
        return leaf.moves == "free"
    return _threshold(leaf) is not None and number_bounds(value, on)[1] < (_threshold(leaf) or 0)


def _threshold(leaf: Leaf) -> float | None:
    return leaf.between[0] if leaf.between else leaf.at_least


def _become(rule: Rule, leaf: Leaf, value: Value, on: date) -> Change:
    possible = _can_come(leaf, value, on)
    state = "change" if possible and leaf.text.change else "unmet"
    day = _day_it_comes(rule, leaf, value, on) if possible else None
    return Change(
        leaf.fact or "", leaf.name, "become", rule.text_key(leaf, state), rule.params(leaf, state), possible, day
    )


def _day_it_comes(rule: Rule, leaf: Leaf, value: Value, on: date) -> date | None:
    """The first sure day in the plan year; no day on which nobody can apply any more, and none outside that year."""
    threshold = _threshold(leaf)
    if on.year != PLAN_YEAR or leaf.moves != "up" or threshold is None or not isinstance(value, Born | Since):
        return None
    day = add_months(value.hi, ceil(threshold) * (12 if isinstance(value, Born) else 1))
    last = last_of_month(PLAN_YEAR, max(rule.apply_months, default=12))
    return day if on < day <= last else None
