"""Conditions in plain English, made of fact ids and figures, for the pages of rule authors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge.rules.tree import Condition, Leaf

NOT_DEFINED = "the plan does not define it"

_UNITS = {"age": " years", "months": " months"}
_FORMS: Mapping[str, str] = {
    "at_least": "{} or more",
    "at_most": "{} or less",
    "below": "less than {}",
    "before": "before {}",
    "on": "on {}",
}


def plain(name: str) -> str:
    """A fact's or leaf's id as words."""
    return name.replace("_", " ")


def needed(leaf: Leaf, kind: str = "") -> str:
    """What a leaf asks for; `kind` is the type of its fact, which gives the unit."""
    return NOT_DEFINED if leaf.undefined else condition_words(leaf, kind)


def left_open(leaf: Leaf, kind: str = "") -> str:
    """The answers for which the plan's word has no meaning; empty where there are none."""
    return " or ".join(condition_words(condition, kind) for condition in leaf.undefined_when)


def condition_words(condition: Condition, kind: str = "") -> str:
    """One test, such as `18 to 29 years` or `part time or casual or military`."""
    operand = condition.operand
    if isinstance(operand, bool):
        return "yes" if operand else "no"
    if condition.operator in ("is", "one_of"):
        names = (operand,) if isinstance(operand, str) else operand
        return " or ".join(plain(name) for name in names) or "no answer by itself"
    if condition.operator == "between":
        low, high = (_amount(number, kind) for number in operand)
        return f"{low} to {high}{_UNITS.get(kind, '')}"
    return _FORMS[condition.operator].format(_amount(operand, kind) + _UNITS.get(kind, ""))


def _amount(operand: Any, kind: str) -> str:
    if not isinstance(operand, int | float):
        return str(operand)
    return f"NT${operand:,}" if kind == "money" else f"{operand:,}"
