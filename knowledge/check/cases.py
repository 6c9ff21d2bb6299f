"""The golden cases of a rule: do they hold, and is there one on, and one just outside, every boundary?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias

from knowledge.check.rulebook import Written, named
from knowledge.facts import Fact, completed, read_value
from knowledge.faults import Fault
from knowledge.rules import VERDICTS, Leaf, evaluate
from knowledge.rules.tree import Condition
from knowledge.rules.values import Value, day_bounds, is_known, number_bounds

Told: TypeAlias = tuple[Mapping[str, Value], date]
Test: TypeAlias = Callable[[Value, date], bool]


@dataclass(frozen=True, slots=True)
class _Need:
    """A value that some case must have: an example of it in JSON, where it lies, and how to know it."""

    example: Any
    where: str
    test: Test


def case_faults(written: Written, facts: Mapping[str, Fact]) -> Iterator[Fault]:
    """Cases that cannot be read or give another verdict, and boundaries that no case looks at."""
    wrong = [*_fact_faults(written, written.rule.typical, facts, "typical")]
    for place, case in enumerate(written.rule.cases):
        key = "given" if case.given is not None else "but"
        wrong += _fact_faults(written, getattr(case, key), facts, "cases", place, key)
    if wrong:
        yield from wrong
        return
    told = list[Told]()
    for place, case in enumerate(written.rule.cases):
        raw = case.facts(written.rule.typical)
        values = completed(facts, {name: read_value(facts[name], item) for name, item in raw.items()})
        told.append((values, case.on))
        verdict = evaluate(written.rule, values, case.on).verdict
        if verdict != case.expect:
            verdicts = ", ".join(dict.fromkeys(VERDICTS[written.rule.kind].values()))
            hint = (
                "correct the rule or the case"
                if case.expect in VERDICTS[written.rule.kind].values()
                else f"write one of {verdicts}"
            )
            yield written.fault(
                f"the case expects {case.expect}, the rule says {verdict}: {hint}", "cases", place, "expect"
            )
    for leaf, _ in written.leaves:
        yield from _boundary_faults(written, leaf, facts, told)


def _fact_faults(
    written: Written, raw: Mapping[str, Any], facts: Mapping[str, Fact], *place: str | int
) -> Iterator[Fault]:
    for name, item in raw.items():
        if name not in facts:
            yield written.fault(f"the fact '{name}' is not in facts.yaml: add or correct it", *place, name)
            continue
        try:
            read_value(facts[name], item)
        except ValueError as error:
            yield written.fault(f"{error}: correct the value", *place, name)


def _boundary_faults(written: Written, leaf: Leaf, facts: Mapping[str, Fact], told: list[Told]) -> Iterator[Fault]:
    if leaf.fact is None:
        return
    values = [(case[leaf.fact], on) for case, on in told if leaf.fact in case and is_known(case[leaf.fact])]
    for need in _needs(leaf, facts[leaf.fact]):
        if not any(need.test(value, on) for value, on in values):
            key = "but" if written.rule.typical else "given"
            example = f"{{{key}: {{{leaf.fact}: {need.example}}}, expect: ...}}"
            yield written.leaf_fault(leaf, f"no case has '{leaf.fact}' {need.where}: add such as `- {example}`")


def _needs(leaf: Leaf, fact: Fact) -> Iterator[_Need]:
    if fact.type == "bool":
        yield from (_same(value) for value in (True, False))
        return
    if fact.type == "enum":
        yield from _choices(leaf, fact)
        return
    for condition in (leaf, *leaf.undefined_when):
        yield from _days(condition) if fact.type == "date" else _numbers(condition, fact)


def _same(choice: bool | str) -> _Need:
    shown = str(choice).lower() if isinstance(choice, bool) else choice
    return _Need(shown, f"as {shown}", lambda value, _: value == choice)


def _choices(leaf: Leaf, fact: Fact) -> Iterator[_Need]:
    names = tuple(dict.fromkeys(name for each in (leaf, *leaf.undefined_when) for name in named(each)))
    yield from (_same(name) for name in names)
    others = [choice for choice in fact.choices if choice not in names]
    if others:
        yield _Need(others[0], f"as a choice besides {', '.join(names)}", lambda value, _: value in others)


def _days(condition: Condition) -> Iterator[_Need]:
    limit: date = condition.operand
    for step in (-1, 0) if condition.operator == "before" else (-1, 0, 1):
        day = limit + timedelta(days=step)
        yield _Need(f'"{day}"', f"on {day}", _is_day(day))


def _is_day(day: date) -> Test:
    return lambda value, _: day_bounds(value) == (day, day)


def _numbers(condition: Condition, fact: Fact) -> Iterator[_Need]:
    operand = condition.operand
    low, high = operand if isinstance(operand, tuple) else (operand, operand)
    lowest, highest = (fact.domain.min, fact.domain.max) if fact.domain else (float("-inf"), float("inf"))
    if condition.operator != "at_most":
        yield _Need(low, f"on the boundary {low}", lambda value, on: number_bounds(value, on) == (low, low))
        if low > lowest:
            yield _Need(low - 1, f"just below {low}", lambda value, on: low - 1 <= _exact(value, on) < low)
    if condition.operator in ("at_most", "between"):
        yield _Need(high, f"on the boundary {high}", lambda value, on: number_bounds(value, on) == (high, high))
        if high < highest:
            yield _Need(high + 1, f"just above {high}", lambda value, on: high < _exact(value, on) <= high + 1)


def _exact(value: Value, on: date) -> float:
    """The number itself; not a number (which no comparison passes) for one that is told roughly."""
    low, high = number_bounds(value, on)
    return low if low == high else float("nan")
