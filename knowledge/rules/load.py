"""Reads the rules of a YAML file, fills in the topic's figures, and checks them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from knowledge.faults import Fault, KnowledgeError
from knowledge.models import FigureValue
from knowledge.reading import Document, Place, read, validate
from knowledge.rules.tree import Leaf, Rule, RuleEntry, leaves_of, placeholders

_TYPED_NUMBER = re.compile(r"[0-9０-９]")
_BRACES = re.compile(r"\{[^}]*\}")


def load_rules(path: Path, figures: Mapping[str, FigureValue]) -> tuple[Rule, ...]:
    """The rules under the key `rules` of a file. Raises KnowledgeError with file and line of every fault."""
    document = read(path)
    if not isinstance(document.data, dict) or not isinstance(document.data.get("rules"), list):
        raise KnowledgeError([document.fault("the key 'rules' with a list of rules is missing")])
    filled = _fill_in(document, figures)
    rules = tuple(_rule(filled, index, figures) for index in range(len(filled.data["rules"])))
    faults = [fault for index, rule in enumerate(rules) for fault in _text_faults(filled, index, rule)]
    if faults:
        raise KnowledgeError(faults)
    return rules


def _rule(document: Document, index: int, figures: Mapping[str, FigureValue]) -> Rule:
    entry = validate(RuleEntry, document, "rules", index)
    return Rule(
        id=entry.id,
        kind=entry.kind,
        subjects=entry.subjects,
        tree=entry.tree,
        figures=figures,
        apply_months=entry.apply_months,
        typical=entry.typical,
        cases=entry.cases,
        label=entry.label or "",
        addressee=entry.addressee or "",
        source=entry.source or "",
    )


def _fill_in(document: Document, figures: Mapping[str, FigureValue]) -> Document:
    faults: list[Fault] = []

    def fill(data: Any, place: Place) -> Any:
        if isinstance(data, list):
            return [fill(item, (*place, index)) for index, item in enumerate(data)]
        if not isinstance(data, dict):
            return data
        if set(data) != {"figure"}:
            return {key: fill(item, (*place, key)) for key, item in data.items()}
        if data["figure"] in figures:
            return figures[data["figure"]]
        faults.append(document.fault(f"the topic has no figure '{data['figure']}'", *place))
        return None

    data = {"rules": fill(document.data["rules"], ("rules",))}
    if faults:
        raise KnowledgeError(faults)
    return replace(document, data=data)


def _text_faults(document: Document, index: int, rule: Rule) -> Iterator[Fault]:
    for leaf in leaves_of(rule.tree):
        for text in leaf.text.model_dump(exclude_none=True).values():
            yield from _faults_of_text(document, index, rule, leaf, text)


def _faults_of_text(document: Document, index: int, rule: Rule, leaf: Leaf, text: str) -> Iterator[Fault]:
    where = f"rule {rule.id}, leaf {leaf.name}"
    for name in placeholders(text):
        if name not in rule.figures:
            yield document.fault(f"{where}: the topic has no figure '{name}'", "rules", index)
    if _TYPED_NUMBER.search(_BRACES.sub("", text)):
        yield document.fault(f"{where}: a number is typed into a text; name its figure in braces", "rules", index)
