"""Collects every Chinese text of a knowledge folder under its stable key, with the place where it is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.reading import Document, Place
from knowledge.sources import RawTopic, Sources


@dataclass(frozen=True, slots=True)
class Entry:
    """One text. `owner` is the topic or hotline whose figures it may quote (empty for the program's own words)."""

    key: str
    text: str
    owner: str
    document: Document
    place: Place

    @property
    def line(self) -> int:
        """The line it stands on."""
        return self.document.line(*self.place)


def collect(sources: Sources) -> Iterator[Entry]:
    """Every text, in the order of the files. Skips what has not the right shape: the models report that."""
    for topic in sources.topics():
        if topic.id:
            yield from _topic(topic)
    for document in sources.rules:
        for index, rule in enumerate(_items(document, "rules")):
            yield from _rule(document, rule, index)
    for document in sources.facts:
        for index, fact in enumerate(_items(document, "facts")):
            yield from _fact(document, index, f"fact.{fact.get('id')}")
    for document in sources.hotlines:
        for index, hotline in enumerate(_items(document, "hotlines")):
            prefix = f"hotline.{hotline.get('id')}"
            yield from _leaves(document, ("hotlines", index, "texts"), prefix, prefix)
    for document in sources.texts:
        yield from _leaves(document, (), document.path.stem, "")


def _topic(topic: RawTopic) -> Iterator[Entry]:
    # A scheme quotes the figures of its program.
    owner = topic.id.partition(".")[0]
    for field in ("name", "label"):
        if isinstance(topic.data.get(field), str):
            yield Entry(f"{topic.id}.{field}", topic.data[field], owner, topic.document, (*topic.place, field))
    yield from _leaves(topic.document, (*topic.place, "texts"), topic.id, owner)


def _fact(document: Document, index: int, prefix: str) -> Iterator[Entry]:
    for entry in _leaves(document, ("facts", index, "texts"), prefix, ""):
        # The question about another subject, `question_business`, has the key `question.business`.
        yield dataclasses.replace(entry, key=entry.key.replace(".question_", ".question."))
    yield from _leaves(document, ("facts", index, "choices"), f"{prefix}.choice", "")


def _rule(document: Document, rule: dict[str, Any], index: int) -> Iterator[Entry]:
    owner = str(rule.get("id")).partition(".")[0]
    for field in ("label", "addressee"):
        if isinstance(rule.get(field), str):
            yield Entry(f"rule.{rule.get('id')}.{field}", rule[field], owner, document, ("rules", index, field))
    for place in leaf_places(document, index):
        leaf = document.part(*place)
        name = leaf.get("name") or leaf.get("fact")
        yield from _leaves(document, (*place, "text"), f"rule.{rule.get('id')}.{name}", owner)


def leaf_places(document: Document, rule: int) -> Iterator[Place]:
    """Where the leaves of a rule (by its position in the file) stand, in author order."""
    yield from _leaf_places(document.part("rules", rule, "when"), ("rules", rule, "when"))


def _leaf_places(node: Any, place: Place) -> Iterator[Place]:
    if isinstance(node, list):
        for index, branch in enumerate(node):
            yield from _leaf_places(branch, (*place, index))
    elif isinstance(node, dict):
        groups = [key for key in ("all", "any", "not") if key in node]
        if not groups:
            yield place
        for key in groups:
            yield from _leaf_places(node[key], (*place, key))


def _leaves(document: Document, place: Place, prefix: str, owner: str) -> Iterator[Entry]:
    texts = document.part(*place)
    for key, value in texts.items() if isinstance(texts, dict) else ():
        if isinstance(value, str):
            yield Entry(f"{prefix}.{key}", value, owner, document, (*place, key))
        elif isinstance(value, dict):
            yield from _leaves(document, (*place, key), f"{prefix}.{key}", owner)


def _items(document: Document, key: str) -> list[dict[str, Any]]:
    items = document.part(key)
    return [item if isinstance(item, dict) else {} for item in items] if isinstance(items, list) else []
