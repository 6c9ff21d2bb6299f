"""`python -m bench.screening`: how many questions the screening needs, over every merged state it can come to.

A state is what the open rules still see: states in which the same facts can still matter in the same way are one.
Every answer is tried: each outcome that some rule tells apart, and "not sure". A turn is one message or one tap; the
list of situations is one turn when typed ("1 3 5") or sent as check boxes, and a tap a mark and one more on buttons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

from bot.dialogue import Staffing, interview, told
from bot.dialogue.state import SITUATIONS, State
from bot.dialogue.world import World
from bot.pipeline.resources import load_resources
from knowledge.rules import Rule
from knowledge.rules.outlook import samples, states_of
from knowledge.rules.values import NOT_ASKED, Value, to_json

ON = datetime(2018, 7, 15, 4, tzinfo=UTC)
NOT_SURE = 0.05  # the share of answers that are "not sure"


@dataclass(frozen=True, slots=True)
class Rest:
    """From one state on: most turns, expected turns by the authors' `likely`, paths and their turns, taps expected."""

    most: int
    expected: float
    paths: int
    turns: int
    taps: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What `measure` found for one subject."""

    states: int
    most: int
    expected: float
    mean: float
    taps: float


def main() -> None:
    """Print the figures of each subject."""
    resources = load_resources()
    world = resources.world(ON, Staffing())
    print("screening: questions until every rule is settled (goal: 6 on average, 12 at worst)")
    for subject in ("self", "business"):
        found = measure(world, subject)
        rules = [rule for rule in told.screened(world, subject) if rule.kind != "audience"]
        print(
            f"  {subject:9} {len(rules)} rules, {found.states} merged states: expected {found.expected:.1f} turns, "
            f"mean of all paths {found.mean:.1f}, at worst {found.most}; {found.taps:.1f} taps expected on buttons"
        )


def measure(world: World, subject: str) -> Figures:
    """Walk every merged state of the screening of one subject."""
    known: dict[Any, Rest] = {}

    def rest(state: State) -> Rest:
        key = _key(state, world)
        if key not in known:
            known[key] = _rest(state, world, rest)
        return known[key]

    start, _ = interview.screen(State(lang="en", subject=subject), world, 0, subject)
    found = rest(start)
    return Figures(len(known), found.most, found.expected, found.turns / found.paths, found.taps)


def _key(state: State, world: World) -> Any:
    assert state.interview is not None
    values = told.values(state, world)
    seen = []
    for rule in told.screened(world, state.subject):
        if rule.kind != "audience" and told.result_of(state, world, rule).askable:
            row = [values.get(fact, NOT_ASKED) for fact in rule.facts]
            seen.append((rule.id, states_of(rule, row, world.today)))
    return state.asking.fact if state.asking else None, tuple(seen), state.interview.passed


def _rest(state: State, world: World, rest: Any) -> Rest:
    if state.asking is None:
        return Rest(0, 0.0, 1, 0, 0.0)
    most, expected, paths, turns, taps = 0, 0.0, 0, 0, 0.0
    for weight, after, tapped in _answers(state, world):
        found = rest(after)
        most = max(most, found.most + 1)
        expected += weight * (found.expected + 1)
        paths, turns = paths + found.paths, turns + found.turns + found.paths
        taps += weight * (found.taps + tapped)
    return Rest(most, expected, paths, turns, taps)


def _answers(state: State, world: World) -> Iterator[tuple[float, State, int]]:
    """Every answer to the open question: its weight (they sum to 1), the state after it, its taps."""
    assert state.asking is not None
    assert state.interview is not None
    fact = state.asking.fact
    if fact == SITUATIONS:
        yield from _lists(state, world)
        return
    rules = [rule for rule in told.screened(world, state.subject) if rule.kind != "audience" and fact in rule.facts]
    outcomes = _outcomes(fact, rules, world)
    for weight, value in outcomes:
        yield (1 - NOT_SURE) * weight, interview.take(state, world, to_json(value), 0)[0], 1
    yield NOT_SURE, interview.take(state, world, "unknown", 0)[0], 1


def _lists(state: State, world: World) -> Iterator[tuple[float, State, int]]:
    assert state.interview is not None
    shown = state.interview.shown
    chances = [_likely(fact, world, state.subject) for fact in shown]
    for marks in product((True, False), repeat=len(shown)):
        weight = 1.0
        for mark, chance in zip(marks, chances, strict=True):
            weight *= chance if mark else 1 - chance
        ticked = frozenset(fact for fact, mark in zip(shown, marks, strict=True) if mark)
        yield weight, interview.take_situations(state, world, ticked, 0)[0], len(ticked) + 1


def _likely(fact: str, world: World, subject: str) -> float:
    for rule in told.screened(world, subject):
        for leaf in rule.leaves:
            if leaf.fact == fact and rule.kind != "audience":
                met = leaf.operand is True
                return leaf.likely if met else 1 - leaf.likely
    return 0.1


def _outcomes(fact: str, rules: list[Rule], world: World) -> list[tuple[float, Value]]:
    """One value for each way in which the rules tell values apart, with the share of such answers."""
    leaves = [leaf for rule in rules for leaf in rule.leaves if leaf.fact == fact]
    kinds: dict[Any, Value] = {}
    for value in samples(leaves):
        if value == "other":
            continue
        row = tuple(
            states_of(rule, [value if name == fact else NOT_ASKED for name in rule.facts], world.today)[
                rule.facts.index(fact)
            ].now
            for rule in rules
        )
        kinds.setdefault(row, value)
    met = [row for row in kinds if any(truth == 2 for signature in row for truth in signature)]
    likely = leaves[0].likely if len(met) not in (0, len(kinds)) else 1.0
    found = []
    for row, value in kinds.items():
        group = len(met) if row in met else len(kinds) - len(met)
        share = likely if row in met or not met else 1 - likely
        found.append((share / group if met else 1 / len(kinds), value))
    return found


if __name__ == "__main__":
    main()
