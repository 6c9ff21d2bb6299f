"""The closed list of conditions that the plan names and does not define: every one is on it, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from knowledge.check.rulebook import Rulebook
from knowledge.faults import Fault, KnowledgeError
from knowledge.models import Line, Name, Strict
from knowledge.reading import read, validate
from knowledge.rules import Leaf
from knowledge.rules.tree import RuleId
from knowledge.sources import PLAN
from knowledge.validated import Located


class UndefinedWords(Strict):
    """The file as written: for each rule the leaves that can stay open for ever, with the reason in English."""

    undefined: Mapping[RuleId, Mapping[Name, Line]]


def read_undefined(root: Path) -> Located[UndefinedWords]:
    """The closed list of a knowledge folder. Raises KnowledgeError where it cannot be used."""
    document = read(undefined_path(root))
    return Located(validate(UndefinedWords, document), document)


def undefined_path(root: Path) -> Path:
    """Where the closed list lies."""
    return root / "plans" / PLAN / "undefined.yaml"


def undefined_faults(root: Path, book: Rulebook) -> Iterator[Fault]:
    """Leaves that are not on the list, and lines of the list that no leaf stands for."""
    try:
        listed = read_undefined(root)
    except KnowledgeError as error:
        yield from error.faults
        return
    words, found = listed.model.undefined, set[tuple[str, str]]()
    for written in book.rules:
        for leaf, _ in written.leaves:
            if not can_stay_open(leaf):
                continue
            found.add((written.rule.id, leaf.name))
            if leaf.name not in words.get(written.rule.id, {}):
                text = "the plan's undefined words are a closed list: define it, or add it with its reason to"
                yield written.leaf_fault(leaf, f"{text} {undefined_path(root).name} under {written.rule.id}")
    for rule, leaves in words.items():
        for name in leaves if rule.partition(".")[0] not in book.unread else ():
            if (rule, name) not in found:
                text = f"the rule {rule} has no undefined leaf '{name}': correct or remove this line"
                yield listed.fault(text, "undefined", rule, name)


def can_stay_open(leaf: Leaf) -> bool:
    """Whether some answer, or any, leaves the condition open because the plan's word has no meaning for it."""
    return bool(leaf.undefined or leaf.undefined_when or leaf.text.undefined)
