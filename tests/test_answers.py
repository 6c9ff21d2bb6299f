"""Typed answers (tests/answers): what people write to each question in six languages, and how it must be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tables import table

from bot.pipeline.resources import Resources
from intents.slots import Words, parse
from knowledge.facts import load_facts
from knowledge.rules.values import to_json
from knowledge.sources import PACKAGED

FOLDER = Path(__file__).parent / "answers"
FACTS = load_facts(PACKAGED / "facts.yaml")
ON = date(2018, 7, 15)
REGISTERED_BEFORE = date(2012, 7, 31)
OTHERS = ("unreadable", "does_not_know", "declined")


@pytest.fixture(scope="module")
def words(resources: Resources) -> Words:
    return resources.words


def tables() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for fact, rows in table(path).items():
            yield pytest.param(path.stem, fact, rows, id=f"{path.stem}-{fact}")


@pytest.mark.parametrize(("lang", "fact", "rows"), list(tables()))
def test_typed_answers_are_read_as_meant(lang: str, fact: str, rows: dict[Any, Any], words: Words) -> None:
    wrong = {}
    for text, wanted in rows.items():
        found = read(lang, fact, str(text), words)
        if found != plain(wanted):
            wrong[text] = (found, wanted)
    assert wrong == {}


def read(lang: str, fact: str, text: str, words: Words) -> Any:
    """How an answer is read: a JSON value, or one of OTHERS."""
    after = REGISTERED_BEFORE if FACTS[fact].after else None
    parsed = parse(FACTS[fact], text, lang, ON, words, after=after)
    return to_json(parsed.value) if parsed.kind == "value" and parsed.value is not None else parsed.kind


def plain(wanted: Any) -> Any:
    """The expected value in JSON: YAML writes days as days."""
    return wanted.isoformat() if isinstance(wanted, date) else wanted


def test_every_fact_is_answered_in_every_language() -> None:
    found = {(path.stem, fact) for path in FOLDER.glob("*.yaml") for fact in table(path)}
    languages = ("en", "fil", "id", "th", "vi", "zh-TW")
    assert {(lang, fact) for lang in languages for fact in FACTS} - found == set()
