"""All rules of a knowledge folder with the places they are written at, and what keeps them from being judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from knowledge.catalog.entries import leaf_places
from knowledge.facts import Fact, load_facts
from knowledge.faults import Fault, KnowledgeError
from knowledge.models import FigureValue
from knowledge.reading import Document, Place
from knowledge.rules import Leaf, Rule, load_rules
from knowledge.rules.tree import Condition
from knowledge.sources import Sources
from knowledge.validated import Validated

_ID = re.compile(r"(p|ov)0*(\d+)")


@dataclass(frozen=True)
class Written:
    """A rule and where it stands."""

    rule: Rule
    document: Document
    index: int

    def fault(self, text: str, *place: str | int) -> Fault:
        """A fault at `place` inside the rule."""
        return self.document.fault(f"{self.rule.id}: {text}", "rules", self.index, *place)

    def leaf_fault(self, leaf: Leaf, text: str) -> Fault:
        """A fault at a leaf."""
        place = next(place for each, place in self.leaves if each is leaf)
        return self.document.fault(f"{self.rule.id}, leaf {leaf.name}: {text}", *place)

    @cached_property
    def leaves(self) -> tuple[tuple[Leaf, Place], ...]:
        """The leaves that stand in the file, with their places. An audience without `when` has none."""
        places = tuple(leaf_places(self.document, self.index))
        return tuple(zip(self.rule.leaves, places, strict=True)) if places else ()


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules that can be judged and the facts they test; `faults` say why others cannot.

    `unread` are the names of the rule files (p15) of which a rule is missing here.
    """

    rules: tuple[Written, ...]
    facts: Mapping[str, Fact]
    faults: tuple[Fault, ...]
    unread: frozenset[str]


def read_rulebook(sources: Sources, valid: Validated) -> Rulebook:
    """Loads every rule that has its topic and its facts. Never raises: see `faults`."""
    facts, faults = _facts(sources)
    figures = {topic: {name: each.value for name, each in own.items()} for topic, own in valid.figures().items()}
    rules, unread = list[Written](), set(sources.unread_rules())
    for document in sources.rules:
        found, wrong = _rules(document, figures)
        faults += wrong
        for each in found:
            own = list(_reference_faults(each, facts))
            faults += own
            rules += [] if own or not facts else [each]
            if own:
                unread.add(document.path.stem)
        if not found:
            unread.add(document.path.stem)
    return Rulebook(tuple(rules), facts, tuple(faults), frozenset(unread))


def locator_of(rule_id: str) -> str:
    """Where the plan prints what a rule says, such as `item 15` or `overview 6`; empty for what is no id."""
    match = _ID.match(rule_id)
    return f"{'item' if match[1] == 'p' else 'overview'} {match[2]}" if match else ""


def _facts(sources: Sources) -> tuple[Mapping[str, Fact], list[Fault]]:
    if not sources.facts:
        return {}, []
    try:
        return load_facts(sources.facts[0].path), []
    except KnowledgeError as error:
        return {}, list(error.faults)


def _rules(
    document: Document, figures: Mapping[str, Mapping[str, FigureValue]]
) -> tuple[tuple[Written, ...], tuple[Fault, ...]]:
    topic = document.path.stem
    if topic not in figures:
        # A program that does not fit its model has its own fault; a wrong name is the file's.
        if any(document.path.parent.parent.glob(f"programs/{topic[1:]}-*.yaml")):
            return (), ()
        return (), (document.fault(f"{topic} is no topic: name the file after one, such as p15.yaml"),)
    try:
        rules = load_rules(document.path, figures[topic])
    except KnowledgeError as error:
        return (), error.faults
    return tuple(Written(rule, document, index) for index, rule in enumerate(rules)), ()


def _reference_faults(written: Written, facts: Mapping[str, Fact]) -> Iterator[Fault]:
    document, rule = written.document, written.rule
    if rule.id.partition(".")[0] != document.path.stem.partition(".")[0]:
        yield document.fault(f"the rule {rule.id} does not belong into this file", "rules", written.index, "id")
    for leaf, place in written.leaves if facts else ():
        if leaf.fact is None:
            continue
        if leaf.fact not in facts:
            yield document.fault(f"the fact '{leaf.fact}' is not in facts.yaml: add or correct it", *place, "fact")
            continue
        for figure in facts[leaf.fact].figures:
            if figure not in rule.figures:
                text = f"the fact '{leaf.fact}' quotes the figure '{figure}', which the topic does not have: add it"
                yield document.fault(text, *place, "fact")
        for condition in (leaf, *leaf.undefined_when):
            if misfit := _misfit(condition, facts[leaf.fact]):
                yield written.leaf_fault(leaf, misfit)


def _misfit(condition: Condition, fact: Fact) -> str:
    """What is wrong where a test cannot be made on a fact of this type; empty where it can."""
    operand = condition.operand
    if fact.type == "bool":
        return "" if isinstance(operand, bool) else f"the fact '{fact.id}' is yes or no: test it with `is: true`"
    if fact.type == "enum":
        if condition.operator not in ("is", "one_of") or isinstance(operand, bool):
            return f"the fact '{fact.id}' has choices: test it with `is` or `one_of`"
        unknown = [name for name in named(condition) if name not in fact.choices]
        choices = ", ".join(fact.choices)
        return f"'{unknown[0]}' is no choice of the fact '{fact.id}': write one of {choices}" if unknown else ""
    if fact.type == "date":
        return "" if isinstance(operand, date) else f"the fact '{fact.id}' is a date: test it with `before` or `on`"
    if condition.operator in ("is", "one_of") or isinstance(operand, date):
        return f"the fact '{fact.id}' is a number: test it with `at_least`, `at_most`, `below` or `between`"
    return ""


def named(condition: Condition) -> tuple[str, ...]:
    """The choices that a test of an enum names."""
    operand = condition.operand
    return (operand,) if isinstance(operand, str) else tuple(operand)
