"""Which question comes next: of one rule, or of all that a screening looks at."""

from __future__ import annotations

from dataclasses import dataclass

from bot.dialogue import told
from bot.dialogue.state import SCREENING, SITUATIONS, State
from bot.dialogue.world import World
from knowledge.rules import Result, Rule, usefulness

MOST_SITUATIONS = 10  # with "done", "none" and "stop" as many buttons as LINE shows
LEAST_SITUATIONS = 3


@dataclass(frozen=True, slots=True)
class Question:
    """The next question: a fact and the rule that asks it, or SITUATIONS and the facts to tick.

    `left`: how many questions there can still be, this one included.
    """

    fact: str
    rule: Rule
    left: int
    situations: tuple[str, ...] = ()


def next_question(state: State, world: World) -> Question | None:
    """The next question that can still matter; None when all is settled or passed over."""
    assert state.interview is not None
    rules = told.rules_of(state, world)
    open_rules = tuple((rule, result) for rule in rules if (result := told.result_of(state, world, rule)).askable)
    if state.interview.rule == SCREENING:
        return _screening_question(state, world, rules, open_rules)
    for rule, result in open_rules:
        left = _not_passed(state, result)
        if left:
            return Question(left[0], rule, len(left))
    return None


def _not_passed(state: State, result: Result) -> tuple[str, ...]:
    passed = state.interview.passed if state.interview else ()
    return tuple(fact for fact in result.askable if fact not in passed)


def _screening_question(
    state: State, world: World, rules: tuple[Rule, ...], open_rules: tuple[tuple[Rule, Result], ...]
) -> Question | None:
    assert state.interview is not None
    asking = tuple((rule, result) for rule, result in open_rules if rule.kind != "audience")
    facts = dict.fromkeys(fact for _, result in asking for fact in _not_passed(state, result))
    if not state.interview.shown:
        shown = situations(state, world, rules, tuple(facts))
        if len(shown) >= LEAST_SITUATIONS:
            return Question(SITUATIONS, rules[0], len(facts), shown)
    if not facts:
        return None
    fact = _most_useful(state, world, asking, tuple(facts))
    return Question(fact, next(rule for rule, result in asking if fact in result.askable), len(facts))


def _most_useful(state: State, world: World, asking: tuple[tuple[Rule, Result], ...], facts: tuple[str, ...]) -> str:
    """The fact that rids one of the most questions over all open rules; ties keep author order."""
    values = told.values(state, world)
    saved = dict.fromkeys(facts, 0.0)
    for rule, _ in asking:
        for fact, number in usefulness(rule, values, world.today).items():
            saved[fact] = saved.get(fact, 0.0) + number
    return max(facts, key=lambda fact: round(saved[fact], 6))


def situations(state: State, world: World, rules: tuple[Rule, ...], open_facts: tuple[str, ...]) -> tuple[str, ...]:
    """The facts to tick in a list: those that can matter to a benefit, or that speak for an audience."""
    known = told.values(state, world)
    ranking = {fact for rule in rules if rule.kind == "audience" for fact in rule.facts}
    found = (
        name
        for name, fact in world.knowledge.facts.items()
        if fact.texts.situation and state.subject in fact.subjects and name not in known
        if name in open_facts or name in ranking
    )
    return tuple(found)[:MOST_SITUATIONS]
