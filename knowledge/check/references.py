"""Does every name point at something: related topics, labels of audiences and themes, facts and figures of rules?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from knowledge.catalog.entries import Entry, leaf_places
from knowledge.facts import Fact, load_facts
from knowledge.faults import Fault, KnowledgeError, fault_at
from knowledge.hotlines import Danger
from knowledge.models import Audience, Figure, Theme
from knowledge.reading import Document, Place
from knowledge.rules import Rule, load_rules
from knowledge.sources import Sources
from knowledge.validated import Validated


def reference_faults(sources: Sources, valid: Validated, entries: tuple[Entry, ...]) -> Iterator[Fault]:
    """Names that point at nothing, and rules or facts that do not load."""
    yield from _related_faults(sources)
    yield from _label_faults(sources, {entry.key for entry in entries})
    yield from _danger_faults(valid)
    facts, fact_faults = _facts(sources)
    yield from fact_faults
    for document in sources.rules:
        yield from _rule_faults(document, valid.figures(), facts)


def _related_faults(sources: Sources) -> Iterator[Fault]:
    known = {topic.id for topic in sources.topics()} | sources.unread()
    for topic in sources.topics():
        related = topic.data.get("related")
        for index, name in enumerate(related if isinstance(related, list) else ()):
            place: Place = (*topic.place, "related", index)
            if name not in known:
                yield topic.document.fault(f"{topic.id}: related '{name}' is no topic: correct or remove it", *place)
            elif name == topic.id:
                yield topic.document.fault(f"{topic.id} names itself as related: remove it", *place)


def _label_faults(sources: Sources, keys: set[str]) -> Iterator[Fault]:
    file = sources.root / "texts" / "browse.yaml"
    for kind, names in (("audience", get_args(Audience)), ("theme", get_args(Theme))):
        for name in names:
            if f"browse.{kind}.{name}" not in keys:
                yield fault_at(file, 1, f"the label '{kind}.{name}' is missing: add it")


def _danger_faults(valid: Validated) -> Iterator[Fault]:
    for hotlines in valid.hotlines:
        for danger in get_args(Danger):
            if danger not in hotlines.model.dangers:
                yield hotlines.fault(f"no hotline for '{danger}': add it under 'dangers'", "dangers")


def _facts(sources: Sources) -> tuple[Mapping[str, Fact] | None, tuple[Fault, ...]]:
    if not sources.facts:
        return None, ()
    try:
        return load_facts(sources.facts[0].path), ()
    except KnowledgeError as error:
        return None, error.faults


def _rule_faults(
    document: Document, figures: Mapping[str, Mapping[str, Figure]], facts: Mapping[str, Fact] | None
) -> Iterator[Fault]:
    topic = document.path.stem
    if topic not in figures:
        # A program that does not fit its model has its own fault; a wrong name is the file's.
        if not any(document.path.parent.parent.glob(f"programs/{topic[1:]}-*.yaml")):
            yield document.fault(f"{topic} is no topic: name the file after one, such as p15.yaml")
        return
    values = {name: figure.value for name, figure in figures[topic].items()}
    try:
        rules = load_rules(document.path, values)
    except KnowledgeError as error:
        yield from error.faults
        return
    for index, rule in enumerate(rules):
        yield from _rule_reference_faults(document, index, rule, facts)


def _rule_reference_faults(
    document: Document, index: int, rule: Rule, facts: Mapping[str, Fact] | None
) -> Iterator[Fault]:
    if rule.id.partition(".")[0] != document.path.stem.partition(".")[0]:
        yield document.fault(f"the rule {rule.id} does not belong into this file", "rules", index, "id")
    if facts is None:
        return
    for place in leaf_places(document, index):
        name = document.part(*place, "fact")
        if name is None:
            continue
        if name not in facts:
            yield document.fault(f"the fact '{name}' is not in facts.yaml: add or correct it", *place, "fact")
            continue
        for figure in facts[name].figures:
            if figure not in rule.figures:
                text = f"the fact '{name}' quotes the figure '{figure}', which the topic does not have: add it"
                yield document.fault(text, *place, "fact")
