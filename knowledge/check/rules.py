"""The lint of the rules: every check of rules, their facts and their golden cases in one place."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from knowledge.catalog.entries import Entry, leaf_places
from knowledge.catalog.maintenance import LANGUAGES, wanted
from knowledge.catalog.pofiles import by_key, languages, read_catalog
from knowledge.check.cases import case_faults
from knowledge.check.completeness import stands_in
from knowledge.check.leaves import leaf_faults
from knowledge.check.rulebook import Rulebook, Written, locator_of, read_rulebook
from knowledge.check.undefined import undefined_faults
from knowledge.faults import Fault, KnowledgeError, fault_at
from knowledge.models import Figure
from knowledge.reading import Document, Place
from knowledge.rules import topic_of_rule
from knowledge.sources import Sources
from knowledge.validated import Validated

_TIMES = re.compile(r"(.+)_times")


def rule_faults(sources: Sources, valid: Validated) -> Iterator[Fault]:
    """Every fault of the rules, and of facts and figures that only make sense with them."""
    book = read_rulebook(sources, valid)
    yield from book.faults
    for document in sources.rules:
        yield from _source_faults(document)
    for written in book.rules:
        yield from leaf_faults(written, book.facts)
        yield from case_faults(written, book.facts)
    yield from undefined_faults(sources.root, book)
    yield from _label_faults(book)
    yield from _idle_faults(sources, book)
    for program in valid.programs:
        for text, name in _totals(program.model.figures):
            yield program.fault(text, "figures", name, "value")
    for chapter in valid.chapters:
        for text, name in _totals(chapter.model.figures):
            yield chapter.fault(text, "figures", name, "value")


def translation_warnings(locale: Path, entries: tuple[Entry, ...]) -> Iterator[Fault]:
    """For each catalog, how many texts of rules and facts its readers get in another language, and where to begin."""
    for lang in dict.fromkeys((*LANGUAGES, *languages(locale))):
        try:
            po = read_catalog(locale, lang)
        except KnowledgeError as error:
            yield from error.faults
            continue
        known, late = by_key(po.entries), list[str]()
        for entry in wanted(entries, lang):
            if entry.key.startswith(("rule.", "fact.")):
                told = known.get(entry.key)
                late += [] if told and told.text and not told.fuzzy and told.source == entry.text else [entry.key]
        if late:
            line = min((known[key].line for key in late if key in known), default=1)
            text = f"{len(late)} texts of rules and facts are missing or out of date ({late[0]} ...): translate them"
            yield fault_at(po.path, line, text)


def _source_faults(document: Document) -> Iterator[Fault]:
    rules = document.part("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, dict) or not (locator := locator_of(str(rule.get("id")))):
            continue
        audience = rule.get("kind") == "audience"
        places: list[Place] = [("rules", index)] if audience else []
        for place in (*places, *leaf_places(document, index)):
            source = document.part(*place, "source")
            # An audience rule says once for all of its leaves where it is printed.
            if source is None and audience != (len(place) == 2):
                continue
            if source is None:
                text = f"the source is missing: say where it is printed, such as '{locator}, 一'"
                yield document.fault(f"{rule['id']}: {text}", *place)
            elif not isinstance(source, str) or not stands_in(source, locator):
                text = f"the source '{source}' must begin with '{locator}' and name the place, such as '{locator}, 一'"
                yield document.fault(f"{rule['id']}: {text}", *place, "source")


def _label_faults(book: Rulebook) -> Iterator[Fault]:
    """People choose between the rules of a topic that judge; an audience is called by its addressee."""
    topics = defaultdict[str, list[Written]](list)
    for written in book.rules:
        if written.rule.kind != "audience":
            topics[topic_of_rule(written.rule.id)].append(written)
    for topic, rules in topics.items():
        labels = Counter(written.rule.label for written in rules)
        for written in rules if len(rules) > 1 else ():
            label = written.rule.label
            if not label:
                yield written.fault(f"{topic} has several rules: give each a label, this one has none", "id")
            elif labels[label] > 1:
                yield written.fault(f"another rule of {topic} has the label {label}: change one of them", "label")


def _idle_faults(sources: Sources, book: Rulebook) -> Iterator[Fault]:
    """Facts no rule tests. One named as a condition that the plan never explains is known, yet nothing to ask."""
    asked = set[str]()
    for document in sources.rules:
        rules = document.part("rules")
        for index in range(len(rules) if isinstance(rules, list) else 0):
            for place in leaf_places(document, index):
                leaf = document.part(*place)
                asked.add(str(leaf.get("name") if leaf.get("undefined") else leaf.get("fact")))
    for document in sources.facts if not sources.unread_rules() else ():
        for index, name in enumerate(book.facts):
            if name not in asked:
                text = f"no rule asks for the fact '{name}' or ranks by it: use it in a rule or remove it"
                yield document.fault(text, "facts", index, "id")


def _totals(figures: Mapping[str, Figure]) -> Iterator[tuple[str, str]]:
    """`x_total` must be `x` (or `x_amount`) times `x_times`, as far as all three are printed."""
    for name in figures:
        if not (match := _TIMES.fullmatch(name)):
            continue
        base, total = match[1], f"{match[1]}_total"
        amount = base if base in figures else f"{base}_amount"
        numbers = [_number(figures.get(each)) for each in (amount, name, total)]
        one, times, printed = numbers
        if one is not None and times is not None and printed is not None and one * times != printed:
            text = f"{amount} x {name} is {one * times:g}, {total} is {printed:g}: correct one of them after the print"
            yield text, total


def _number(figure: Figure | None) -> float | None:
    """The figure in whole units; None for a range or a text."""
    if figure is None or len(figure.numbers) != 1:
        return None
    return figure.numbers[0] * (1000 if figure.unit == "thousand_ntd" else 1)
