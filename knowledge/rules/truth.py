"""Kleene truth of one leaf: 0 is false, 1 unknown, 2 true, so that `all` is the least and `any` the greatest."""

from __future__ import annotations

from datetime import date

from knowledge.rules.tree import Condition, Leaf
from knowledge.rules.values import Reason, Unknown, Value, day_bounds, number_bounds

FALSE, UNKNOWN, TRUE = 0, 1, 2
PLAIN: dict[int, bool | None] = {FALSE: False, UNKNOWN: None, TRUE: True}


def leaf_truth(leaf: Leaf, value: Value, on: date) -> tuple[int, Reason | None]:
    """The truth of a leaf and, where it is unknown, why. Raises ValueError for a value of the wrong type."""
    if leaf.undefined:
        return UNKNOWN, "undefined_in_source"
    if isinstance(value, Unknown):
        return UNKNOWN, value.reason
    carved = [condition_truth(condition, value, on) for condition in leaf.undefined_when]
    if True in carved:
        return UNKNOWN, "undefined_in_source"
    main = condition_truth(leaf, value, on)
    if main is None or None in carved:
        return UNKNOWN, "imprecise"
    return (TRUE if main else FALSE), None


def condition_truth(condition: Condition, value: Value, on: date) -> bool | None:
    """Does a known value pass a test? None if only a part of an interval does."""
    operand = condition.operand
    match condition.operator:
        case "is":
            return _same(value, operand)
        case "one_of":
            return any(_same(value, item) is True for item in operand)
        case "before":
            first, last = day_bounds(value)
            return True if last < operand else (False if first >= operand else None)
        case "on":
            first, last = day_bounds(value)
            return first == last == operand or (None if first <= operand <= last else False)
    lo, hi = number_bounds(value, on)
    if condition.below is not None:
        return True if hi < condition.below else (False if lo >= condition.below else None)
    lowest, highest = _limits(condition)
    if lo >= lowest and hi <= highest:
        return True
    return False if hi < lowest or lo > highest else None


def _same(value: Value, operand: bool | str) -> bool:
    if type(value) is not type(operand):
        raise ValueError(f"{value!r} cannot be compared with {operand!r}")
    return value == operand


def _limits(condition: Condition) -> tuple[float, float]:
    if condition.between is not None:
        return condition.between
    lowest = float("-inf") if condition.at_least is None else condition.at_least
    highest = float("inf") if condition.at_most is None else condition.at_most
    return lowest, highest
