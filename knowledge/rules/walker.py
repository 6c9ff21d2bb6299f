"""The one walk over a rule: verdict, reasons, what is missing, what to ask next, what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from knowledge.rules.change import nearest_miss, to_find_out
from knowledge.rules.outlook import best_first, can_matter, opened, root_truth, states_of
from knowledge.rules.tree import Change, Leaf, LeafResult, Result, Rule
from knowledge.rules.truth import FALSE, PLAIN, TRUE, UNKNOWN, leaf_truth
from knowledge.rules.values import NOT_ASKED, Value, shown

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
        leaves=tuple(_leaf_result(rule, place, *_typed(facts, leaf), on) for place, leaf in enumerate(rule.leaves)),
        missing=missing,
        would_change=_would_change(rule, facts, on, truth, missing),
        askable=askable,
    )


def next_question(rule: Rule, facts: Mapping[str, Value], on: date) -> str | None:
    """The most useful fact to ask next, or None when the rule is settled."""
    values = [facts.get(fact, NOT_ASKED) for fact in rule.facts]
    return next(iter(best_first(rule, states_of(rule, values, on))), None)


def _would_change(
    rule: Rule, facts: Mapping[str, Value], on: date, truth: int, missing: tuple[str, ...]
) -> tuple[Change, ...]:
    if truth == FALSE:
        return nearest_miss(rule, facts, on)
    return to_find_out(rule, missing) if truth == UNKNOWN else ()


def _typed(facts: Mapping[str, Value], leaf: Leaf) -> tuple[type, Value]:
    value = facts.get(leaf.fact or "", NOT_ASKED)
    return type(value), value


@lru_cache(maxsize=8192)
def _leaf_result(rule: Rule, place: int, _: type, value: Value, on: date) -> LeafResult:
    leaf = rule.leaves[place]
    truth, why = leaf_truth(leaf, value, on)
    state = {TRUE: "met", FALSE: "unmet"}.get(truth, "undefined" if why == "undefined_in_source" else "unknown")
    if getattr(leaf.text, state) is None:
        state = "unknown"
    return LeafResult(
        fact=leaf.fact or "",
        name=leaf.name,
        truth=PLAIN[truth],
        why=why,
        value=shown(value, on),
        needed=leaf.needed,
        text_key=rule.text_key(leaf, state),
        params=rule.params(leaf, state),
        source=leaf.source,
    )
