"""What can still matter: which facts could change a rule's verdict, and which of them to ask first.

A fact is looked at through the leaves that test it: its *signature* is the tuple of their truths. A fact that may be
asked can come out with any signature its remaining values give, or stay as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple, TypeAlias

from knowledge.rules.tree import AllOf, AnyOf, Condition, Leaf, NotOf, Rule
from knowledge.rules.truth import TRUE, UNKNOWN, leaf_truth
from knowledge.rules.values import Born, Days, Range, Since, Unknown, Value, day_bounds, number_bounds

Signature: TypeAlias = tuple[int, ...]
Truths: TypeAlias = tuple[int, ...]  # one truth for each signature of the fact looked at

_ANY_DAY = date(2018, 1, 1)
_OTHER = "other"  # an enum value no leaf names
_ASKABLE = ("not_asked", "conflict")


class FactState(NamedTuple):
    """A fact as the rule sees it: how its leaves stand, and how they may stand once it is asked.

    `may_be` begins with `now` (an answer may leave all as it is); an answer that the plan leaves open looks the same.
    """

    now: Signature
    may_be: tuple[Signature, ...]


def states_of(rule: Rule, values: Sequence[Value], on: date) -> tuple[FactState, ...]:
    """The state of each fact of the rule, in the order of `rule.facts`."""
    kinds: list[type] = [type(value) for value in values]  # 1, 1.0 and True are equal, and not the same answer
    return tuple(_state(rule, *told, on) for told in zip(rule.facts, kinds, values, strict=True))


def opened(rule: Rule, states: Sequence[FactState], values: Sequence[Value]) -> tuple[FactState, ...]:
    """The same states, as if facts that were declined or are not known could be asked once more."""
    return tuple(
        FactState(state.now, (state.now, *_signatures(rule, fact))) if _could_be_told(value) else state
        for fact, state, value in zip(rule.facts, states, values, strict=True)
    )


def _could_be_told(value: Value) -> bool:
    return isinstance(value, Unknown) and value.reason != "undefined_in_source"


@lru_cache(maxsize=8192)
def _state(rule: Rule, fact: str, _: type, value: Value, on: date) -> FactState:
    leaves = _leaves_on(rule, fact)
    now = tuple(leaf_truth(leaf, value, on)[0] for leaf in leaves)
    if isinstance(value, Unknown):
        return FactState(now, (now, *_signatures(rule, fact)) if value.reason in _ASKABLE else (now,))
    if isinstance(value, Days | Born | Since | Range) and UNKNOWN in now:
        inside = (_signature(leaves, item) for item in _values_inside(leaves, value, on))
        return FactState(now, (now, *dict.fromkeys(inside)))
    return FactState(now, (now,))


@lru_cache(maxsize=1024)
def _leaves_on(rule: Rule, fact: str) -> tuple[Leaf, ...]:
    return tuple(leaf for leaf in rule.leaves if leaf.fact == fact)


@lru_cache(maxsize=256)
def _places(rule: Rule) -> dict[int, int]:
    """Where each leaf (by identity: it lives as long as its rule) stands in its fact's signature."""
    return {id(leaf): index for fact in rule.facts for index, leaf in enumerate(_leaves_on(rule, fact))}


@lru_cache(maxsize=1024)
def _signatures(rule: Rule, fact: str) -> tuple[Signature, ...]:
    """Every signature the fact can have once its value is known."""
    leaves = _leaves_on(rule, fact)
    return tuple(dict.fromkeys(_signature(leaves, value) for value in samples(leaves)))


def _signature(leaves: Iterable[Leaf], value: Value) -> Signature:
    return tuple(leaf_truth(leaf, value, _ANY_DAY)[0] for leaf in leaves)


def samples(leaves: Iterable[Leaf]) -> tuple[Value, ...]:
    """Values on both sides of every boundary of these leaves, and on it."""
    found: dict[Value, None] = {}
    for leaf in leaves:
        for condition in (leaf, *leaf.undefined_when):
            found.update(dict.fromkeys(_around(condition)))
    return tuple(found)


def _around(condition: Condition) -> Iterator[Value]:
    operand = condition.operand
    if isinstance(operand, bool):
        yield from (True, False)
    elif condition.operator in ("is", "one_of"):
        yield from (operand,) if isinstance(operand, str) else operand
        yield _OTHER
    elif isinstance(operand, date):
        yield from (operand + timedelta(days=step) for step in (-1, 0, 1))
    else:
        for number in operand if isinstance(operand, tuple) else (operand,):
            yield from (number - 1, number, number + 1)


def _values_inside(leaves: Sequence[Leaf], value: Days | Born | Since | Range, on: date) -> Iterator[Value]:
    lo: Any
    hi: Any
    lo, hi = day_bounds(value) if isinstance(value, Days) else number_bounds(value, on)
    yield from (lo, hi)
    for sample in samples(leaves):
        inside: Any = sample
        if lo <= inside <= hi:
            yield sample


def root_truth(rule: Rule, states: Sequence[FactState]) -> int:
    """The rule's truth as things stand."""
    now = {fact: state.now for fact, state in zip(rule.facts, states, strict=True)}
    places = _places(rule)

    def truth(node: Any) -> int:
        match node:
            case AllOf():
                return min(map(truth, node.all), default=TRUE)
            case AnyOf():
                return max(map(truth, node.any))
            case NotOf():
                return TRUE - truth(node.not_)
        return UNKNOWN if node.fact is None else now[node.fact][places[id(node)]]

    return truth(rule.tree)


@lru_cache(maxsize=65536)
def can_matter(rule: Rule, states: tuple[FactState, ...]) -> tuple[str, ...]:
    """The facts that can still change the verdict, in author order."""
    if root_truth(rule, states) != UNKNOWN:
        return ()
    return tuple(fact for fact in rule.facts if _matters(rule, states, fact))


def _matters(rule: Rule, states: Sequence[FactState], fact: str) -> bool:
    """Is there any outcome of the other facts with which this one decides?

    A fact that several leaves share is tried value by value; the rest is independent, so sets of truths are exact.
    """
    by_fact = dict(zip(rule.facts, states, strict=True))
    mine = by_fact[fact].may_be
    if len(mine) == 1:
        return False
    shared = [name for name in rule.facts if name != fact and len(_leaves_on(rule, name)) > 1]
    outcomes: dict[str, tuple[tuple[Signature, ...], ...]] = {
        name: tuple((signature,) * len(mine) for signature in state.may_be) for name, state in by_fact.items()
    }
    outcomes[fact] = (mine,)
    for choice in product(*(outcomes[name] for name in shared)):
        fixed = {name: (outcome,) for name, outcome in zip(shared, choice, strict=True)}
        if any(len(set(truths)) > 1 for truths in _fold(rule, {**outcomes, **fixed})):
            return True
    return False


def _fold(rule: Rule, outcomes: dict[str, tuple[tuple[Signature, ...], ...]]) -> frozenset[Truths]:
    width = len(next(iter(outcomes.values()))[0]) if outcomes else 1
    places = _places(rule)

    def truths(node: Any) -> frozenset[Truths]:
        match node:
            case AllOf():
                return _combine(min, [truths(branch) for branch in node.all])
            case AnyOf():
                return _combine(max, [truths(branch) for branch in node.any])
            case NotOf():
                return frozenset(tuple(TRUE - truth for truth in item) for item in truths(node.not_))
        if node.fact is None:
            return frozenset([(UNKNOWN,) * width])
        index = places[id(node)]
        return frozenset(tuple(signature[index] for signature in outcome) for outcome in outcomes[node.fact])

    return truths(rule.tree)


def _combine(pick: Any, branches: list[frozenset[Truths]]) -> frozenset[Truths]:
    found = branches[0]
    for branch in branches[1:]:
        found = frozenset(tuple(map(pick, one, other)) for one in found for other in branch)
    return found


@lru_cache(maxsize=65536)
def best_first(rule: Rule, states: tuple[FactState, ...]) -> tuple[str, ...]:
    """The facts that can still matter, the one that leaves the fewest questions first; ties keep author order."""
    facts = can_matter(rule, states)
    if len(facts) < 2:
        return facts
    return tuple(sorted(facts, key=lambda fact: round(_questions_left(rule, states, fact), 6)))


@lru_cache(maxsize=65536)
def savings(rule: Rule, states: tuple[FactState, ...]) -> Mapping[str, float]:
    """For each fact that can still matter: how many questions of this rule one expects to be rid of by asking it."""
    facts = can_matter(rule, states)
    return {fact: len(facts) - (_questions_left(rule, states, fact) if len(facts) > 1 else 0.0) for fact in facts}


def _questions_left(rule: Rule, states: tuple[FactState, ...], fact: str) -> float:
    place = rule.facts.index(fact)
    known = states[place].may_be[1:]
    weights = _weights(known, _leaves_on(rule, fact)[0].likely)
    total = 0.0
    for signature, weight in zip(known, weights, strict=True):
        after = (*states[:place], FactState(signature, (signature,)), *states[place + 1 :])
        total += weight * len(can_matter(rule, after))
    return total


def _weights(signatures: Sequence[Signature], likely: float) -> list[float]:
    met = sum(signature[0] == TRUE for signature in signatures)
    rest = len(signatures) - met
    if not met or not rest:
        return [1 / len(signatures)] * len(signatures)
    return [likely / met if signature[0] == TRUE else (1 - likely) / rest for signature in signatures]
