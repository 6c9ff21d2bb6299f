"""The vocabulary of facts: complete words, honest types, and faults that say where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from knowledge.facts import Fact, load_facts, read_value
from knowledge.faults import KnowledgeError
from knowledge.rules.values import NOT_ASKED, Born, Unknown, from_json, to_json

FACTS = load_facts(Path(__file__).parent.parent / "knowledge" / "facts.yaml")

GOOD = """
facts:
  - id: union_member
    type: bool
    subjects: [self]
    parsers: [bool]
    choices: {"yes": 是, "no": 不是}
    texts: {label: 工會會員, question: 您是工會會員嗎？, help: 請看會員證。, why: 這是條件。}
"""


def test_every_fact_has_its_words() -> None:
    for fact in FACTS.values():
        assert fact.catalog[f"fact.{fact.id}.why"]
        assert fact.catalog[f"fact.{fact.id}.help"]
        for subject in fact.subjects:
            assert fact.question_key(subject) in fact.catalog


def test_the_words_of_a_question_fit_the_subject() -> None:
    assert FACTS["age"].question_key("self") == "fact.age.question"
    assert FACTS["age"].question_key("other_person") == "fact.age.question.other_person"
    assert FACTS["moved_out_since"].figures == ("registered_before",)


def test_choices_and_json_values() -> None:
    assert FACTS["coal_mine_work"].choice_value("yes") is True
    assert FACTS["coal_mine_work"].choice_of(False) == "no"
    assert FACTS["work_since_graduation"].choice_value("military") == "military"
    assert FACTS["work_since_graduation"].choice_of("unknown") is None
    assert FACTS["age"].choice_of(1) is None


@pytest.mark.parametrize(
    ("fact", "raw"),
    [
        ("age", 72),
        ("age", [64, 66]),
        ("age", {"born": ["1953-01-01", "1953-12-31"]}),
        ("registered_in_city", True),
        ("registered_since", "2012-07-30"),
        ("registered_since", ["1990-01-01", "1990-12-31"]),
        ("months_without_work_since_graduation", 5.9),
        ("months_without_work_since_graduation", {"since": ["2018-01-01", "2018-01-31"]}),
        ("work_since_graduation", "none"),
        ("times_received", 4),
        ("age", None),
        ("age", "unknown"),
        ("age", "declined"),
        ("moved_out_since", {"unknown": "undefined_in_source"}),
    ],
)
def test_a_json_answer_is_read_and_written_back(fact: str, raw: Any) -> None:
    assert to_json(read_value(FACTS[fact], raw)) == raw


@pytest.mark.parametrize(
    ("fact", "raw"),
    [
        ("age", "72"),
        ("age", 72.5),
        ("age", -1),
        ("age", 131),
        ("age", True),
        ("age", float("nan")),
        ("age", ["1953-01-01", "1953-12-31"]),
        ("age", [66, 64]),
        ("registered_in_city", 1),
        ("registered_in_city", "yes"),
        ("registered_since", "2012-02-30"),
        ("registered_since", "101/7/30"),
        ("registered_since", ["1990-12-31", "1990-01-01"]),
        ("registered_since", 2012),
        ("work_since_graduation", "freelance"),
        ("work_since_graduation", ""),
        ("times_received", 1.5),
        ("times_received", {"since": ["2018-01-01", "2018-01-31"]}),
        ("age", {"unknown": "lost"}),
        ("age", {"born": "1953"}),
        ("age", [1, 2, 3]),
    ],
)
def test_a_wrong_json_answer_is_refused(fact: str, raw: Any) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_value(FACTS[fact], raw)


def test_words_for_unknown_values() -> None:
    assert from_json(None) is NOT_ASKED
    assert from_json("unknown") == Unknown("does_not_know")
    assert isinstance(from_json({"born": ["1953-01-01", "1953-12-31"]}), Born)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("type: bool", "type: yesno", "must be one of"),
        ("why: 這是條件。", "because: 這是條件。", "unknown key"),
        ("您是工會會員嗎？", "您滿65歲嗎？", "a number is typed into a text"),
        ("subjects: [self]", "subjects: [self, business]", "the question for business is missing"),
        ('{"yes": 是, "no": 不是}', '{"yes": 是}', "a bool has the choices"),
        ("parsers: [bool]", "parsers: [bool]\n    domain: {min: 0, max: 1}", "has a domain"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert isinstance(load_facts(path)["union_member"], Fact)
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=said) as error:
        load_facts(path)
    assert str(path) in str(error.value)


def test_a_fact_stands_once(tmp_path: Path) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text(GOOD + GOOD.replace("facts:\n", "").lstrip("\n"), encoding="utf-8")
    with pytest.raises(KnowledgeError, match="stands here twice"):
        load_facts(path)
