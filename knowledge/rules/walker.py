"""The one walk over a rule: verdict, reasons, what is missing, what to ask next, what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from knowledge.rules.change import nearest_miss, to_find_out
from knowledge.rules.outlook import best_first, can_matter, opened, root_truth, savings, states_of
from knowledge.rules.tree import AllOf, AnyOf, Change, Leaf, LeafResult, NotOf, Result, Rule
from knowledge.rules.truth import FALSE, PLAIN, TRUE, UNKNOWN, leaf_truth
from knowledge.rules.values import NOT_ASKED, Value, shown

TRUTHS: Mapping[bool | None, int] = {False: FALSE, None: UNKNOWN, True: TRUE}

# An audience rule only ranks: the plan names whom a program is for and states no condition, so there is no "no".
VERDICTS: Mapping[str, Mapping[int, str]] = {
    "benefit": {TRUE: "eligible", FALSE: "not_eligible", UNKNOWN: "cannot_tell"},
    "duty": {TRUE: "applies", FALSE: "does_not_apply", UNKNOWN: "cannot_tell"},
    "audience": {TRUE: "fits", FALSE: "cannot_tell", UNKNOWN: "cannot_tell"},
}


def evaluate(rule: Rule, facts: Mapping[str, Value], on: date) -> Result:
    """What the rule says about these facts on a day. Facts it does not know are ignored.

    Raises ValueError for a fact of the wrong type; `knowledge.facts.read_value` checks JSON before it comes here.
    """
    told = tuple((fact, type(facts[fact]), facts[fact]) for fact in rule.facts if fact in facts)
    return _evaluated(rule, told, on)


@lru_cache(maxsize=8192)
def _evaluated(rule: Rule, told: tuple[tuple[str, type, Value], ...], on: date) -> Result:
    """The type is part of the key: 1, 1.0 and True are equal and not the same answer."""
    facts = {fact: value for fact, _, value in told}
    values = [facts.get(fact, NOT_ASKED) for fact in rule.facts]
    states = states_of(rule, values, on)
    truth = root_truth(rule, states)
    askable = best_first(rule, states)
    missing = can_matter(rule, opened(rule, states, values))
    return Result(
        rule=rule.id,
        verdict=VERDICTS[rule.kind][truth],
        settled=not askable,
        leaves=_leaf_results(rule, facts, on),
        missing=missing,
        would_change=_would_change(rule, facts, on, truth, missing),
        askable=askable,
    )


def next_question(rule: Rule, facts: Mapping[str, Value], on: date) -> str | None:
    """The most useful fact to ask next, or None when the rule is settled."""
    values = [facts.get(fact, NOT_ASKED) for fact in rule.facts]
    return next(iter(best_first(rule, states_of(rule, values, on))), None)


def usefulness(rule: Rule, facts: Mapping[str, Value], on: date) -> Mapping[str, float]:
    """For each fact worth asking: the number of this rule's questions one expects to be rid of by the answer."""
    values = [facts.get(fact, NOT_ASKED) for fact in rule.facts]
    return savings(rule, states_of(rule, values, on))


def _would_change(
    rule: Rule, facts: Mapping[str, Value], on: date, truth: int, missing: tuple[str, ...]
) -> tuple[Change, ...]:
    if rule.kind == "audience":
        return ()
    if truth == FALSE:
        return nearest_miss(rule, facts, on)
    return to_find_out(rule, missing) if truth == UNKNOWN else ()


def _leaf_results(rule: Rule, facts: Mapping[str, Value], on: date) -> tuple[LeafResult, ...]:
    found = [_leaf_result(rule, place, *_typed(facts, leaf), on) for place, leaf in enumerate(rule.leaves)]
    truths = {id(leaf): TRUTHS[result.truth] for leaf, result in zip(rule.leaves, found, strict=True)}
    bearing = {id(leaf) for leaf in bears(rule.tree, truths)}
    return tuple(
        result if id(leaf) in bearing else replace(result, counts=False)
        for leaf, result in zip(rule.leaves, found, strict=True)
    )


def bears(node: Any, truths: Mapping[int, int]) -> Iterator[Leaf]:
    """The leaves that bear on the node's truth, in author order.

    Of a group of which one is enough: the met ones if it is met, else the open ones, else all. Of a group of which
    all are needed: all of them, so that people see what they have already.
    """
    match node:
        case AllOf():
            for branch in node.all:
                yield from bears(branch, truths)
        case AnyOf():
            best = _truth(node, truths)
            for branch in node.any:
                if _truth(branch, truths) == best:
                    yield from bears(branch, truths)
        case NotOf():
            yield from bears(node.not_, truths)
        case _:
            yield node


def _truth(node: Any, truths: Mapping[int, int]) -> int:
    match node:
        case AllOf():
            return min((_truth(branch, truths) for branch in node.all), default=TRUE)
        case AnyOf():
            return max(_truth(branch, truths) for branch in node.any)
        case NotOf():
            return TRUE - _truth(node.not_, truths)
    return truths[id(node)]


def _typed(facts: Mapping[str, Value], leaf: Leaf) -> tuple[type, Value]:
    value = facts.get(leaf.fact or "", NOT_ASKED)
    return type(value), value


@lru_cache(maxsize=8192)
def _leaf_result(rule: Rule, place: int, _: type, value: Value, on: date) -> LeafResult:
    leaf = rule.leaves[place]
    truth, why = leaf_truth(leaf, value, on)
    state = {TRUE: "met", FALSE: "unmet"}.get(truth, "undefined" if why == "undefined_in_source" else "unknown")
    if state == "undefined" and leaf.text.undefined is None:
        state = "unknown"
    told = getattr(leaf.text, state) is not None
    return LeafResult(
        fact=leaf.fact or "",
        name=leaf.name,
        truth=PLAIN[truth],
        why=why,
        value=shown(value, on),
        needed=leaf.needed,
        text_key=rule.text_key(leaf, state) if told else "",
        params=rule.params(leaf, state) if told else {},
        source=leaf.source,
    )
