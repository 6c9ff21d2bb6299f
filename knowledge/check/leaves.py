"""Does every condition of a rule do something: can it be met beside its neighbours, does it change a verdict?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any, TypeAlias

from knowledge.check.rulebook import Written
from knowledge.facts import Fact
from knowledge.faults import Fault
from knowledge.rules import VERDICTS, Leaf, Rule
from knowledge.rules.outlook import samples
from knowledge.rules.tree import AllOf, AnyOf, NotOf
from knowledge.rules.truth import FALSE, TRUE, UNKNOWN, leaf_truth
from knowledge.rules.values import Value

Truths: TypeAlias = Mapping[int, int]  # by the identity of a leaf
Wanted: TypeAlias = tuple[Leaf, int]

_ANY_DAY = date(2018, 7, 15)  # samples are plain values: the day does not matter


def leaf_faults(written: Written, facts: Mapping[str, Fact]) -> Iterator[Fault]:
    """Leaves that can never be met beside the others, and leaves without which every verdict stays the same."""
    if not written.leaves:
        return
    contradictory = list(_contradictory(written.rule, facts))
    for leaf, text in contradictory:
        yield written.leaf_fault(leaf, text)
    rows = tuple(_rows(written.rule, facts))
    # Beside a contradiction nothing changes anything: that one is to be corrected first.
    for leaf, _ in written.leaves if not contradictory else ():
        if not _changes(written.rule, leaf, rows):
            text = "it never changes a verdict: remove it, or correct it or its neighbours"
            yield written.leaf_fault(leaf, text)


def _values(fact: Fact, leaves: Sequence[Leaf]) -> tuple[Value, ...]:
    """Every choice, or the values around every boundary that are possible answers."""
    if fact.type == "bool":
        return True, False
    if fact.type == "enum":
        return tuple(fact.choices)
    if fact.domain is None:
        return samples(leaves)
    lowest, highest = fact.domain.min, fact.domain.max
    inside = (value for value in samples(leaves) if isinstance(value, int | float) and lowest <= value <= highest)
    return tuple(dict.fromkeys((lowest, *inside, highest)))


def _tests(rule: Rule, fact: str) -> tuple[Leaf, ...]:
    return tuple(leaf for leaf in rule.leaves if leaf.fact == fact)


def _rows(rule: Rule, facts: Mapping[str, Fact]) -> Iterator[Truths]:
    """How the leaves can stand together, over the product of all facts' values."""
    still = {id(leaf): UNKNOWN for leaf in rule.leaves if leaf.fact is None}
    outcomes = []
    for name in rule.facts:
        leaves = _tests(rule, name)
        signatures = (
            tuple(leaf_truth(leaf, value, _ANY_DAY)[0] for leaf in leaves) for value in _values(facts[name], leaves)
        )
        ids = [id(leaf) for leaf in leaves]
        outcomes.append([dict(zip(ids, signature, strict=True)) for signature in dict.fromkeys(signatures)])
    for chosen in product(*outcomes):
        yield {**still, **{leaf: truth for part in chosen for leaf, truth in part.items()}}


def _changes(rule: Rule, leaf: Leaf, rows: Sequence[Truths]) -> bool:
    """Would any verdict be another without the leaf?

    Of several conditions that the plan leaves open each would hide the others, so they are looked at one by one.
    """
    hidden = frozenset(id(each) for each in rule.leaves if leaf.undefined and each.undefined and each is not leaf)
    without = hidden | {id(leaf)}
    verdicts = VERDICTS[rule.kind]
    for row in rows:
        before, after = _truth(rule.tree, row, hidden), _truth(rule.tree, row, without)
        if after is None or (before is not None and verdicts[before] != verdicts[after]):
            return True
    return False


def _truth(node: Any, truths: Truths, without: frozenset[int]) -> int | None:
    """The truth of a tree from which leaves are taken away; None where nothing is left."""
    match node:
        case AllOf() | AnyOf():
            branches = node.all if isinstance(node, AllOf) else node.any
            found = [_truth(branch, truths, without) for branch in branches]
            left = [truth for truth in found if truth is not None]
            return (min if isinstance(node, AllOf) else max)(left) if left else None
        case NotOf():
            inner = _truth(node.not_, truths, without)
            return None if inner is None else TRUE - inner
    return None if id(node) in without else truths[id(node)]


def _contradictory(rule: Rule, facts: Mapping[str, Fact]) -> Iterator[tuple[Leaf, str]]:
    for group in _groups(rule.tree):
        for name in dict.fromkeys(leaf.fact for leaf, _ in group if leaf.fact):
            together = [(leaf, wanted) for leaf, wanted in group if leaf.fact == name and not leaf.is_guard]
            yield from _clash(together, _values(facts[name], _tests(rule, name)))


def _clash(together: Sequence[Wanted], values: Sequence[Value]) -> Iterator[tuple[Leaf, str]]:
    left = values
    for place, (leaf, wanted) in enumerate(together):
        left = [value for value in left if leaf_truth(leaf, value, _ANY_DAY)[0] == wanted]
        if not left:
            others = ", ".join(other.name for other, _ in together[:place])
            beside = f"can never be met together with {others}, which must hold as well" if others else "can never hold"
            yield leaf, f"it {beside}: correct one of the limits on '{leaf.fact}'"
            return


def _groups(node: Any) -> Iterator[list[Wanted]]:
    """The leaves that must hold together, with the truth each must have."""
    leaves, rest = _conjuncts(node)
    yield leaves
    for branch in rest:
        yield from _groups(branch)


def _conjuncts(node: Any) -> tuple[list[Wanted], list[Any]]:
    match node:
        case AllOf():
            parts = [_conjuncts(branch) for branch in node.all]
            return [leaf for leaves, _ in parts for leaf in leaves], [each for _, rest in parts for each in rest]
        case AnyOf():
            return [], list(node.any)
        case NotOf(not_=Leaf() as leaf):
            return [(leaf, FALSE)], []
        case NotOf():
            return [], [node.not_]
    return [(node, TRUE)], []
