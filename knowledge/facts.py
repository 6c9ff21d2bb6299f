"""The closed vocabulary of facts: type, domain, words, and how an answer in JSON is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from knowledge.faults import KnowledgeError
from knowledge.models import Line, Name, Strict
from knowledge.reading import read, validate
from knowledge.rules.tree import placeholders
from knowledge.rules.values import NOT_ASKED, Born, Days, Range, Since, Unknown, Value, from_json

FactType: TypeAlias = Literal["bool", "enum", "age", "months", "integer", "money", "date"]
Subject: TypeAlias = Literal["self", "other_person", "business"]

YES_NO = {"yes": True, "no": False}
_INTERVALS: Mapping[str, tuple[type[Any], ...]] = {
    "age": (Born, Range),
    "months": (Since, Range),
    "integer": (Range,),
    "money": (Range,),
    "date": (Days,),
}
_WHOLE = ("age", "integer", "money")


class Domain(Strict):
    """The smallest and greatest number that can be an answer: years, months, NT$, or a count."""

    min: float
    max: float


class FactTexts(Strict):
    """The fact's short name, what is asked, by whom it is about; `narrower` follows an answer too rough to decide.

    `question` is for the fact's first subject; `situation` is the line of a list to tick, where the fact stands in one.
    """

    label: Line
    situation: Line | None = None
    question: Line
    question_other_person: Line | None = None
    question_business: Line | None = None
    help: Line
    why: Line
    narrower: Line | None = None


class Fact(Strict):
    """One thing that can be told. `choices` maps a value's id to its label; for bool these are `yes` and `no`.

    `after` names the figure of the asking rule before which an event does not count. `sensitivity` special: asked only
    with its reason, and never repeated outside the check. `excludes` names bool facts that are False where this one is
    True. `detail` is the kind of detail in a message that tells this fact, `volunteer` says that its words may tell it.
    """

    id: Name
    type: FactType
    subjects: Annotated[tuple[Subject, ...], Field(min_length=1)]
    sensitivity: Literal["normal", "special"] = "normal"
    parsers: Annotated[tuple[FactType, ...], Field(min_length=1)]
    domain: Domain | None = None
    after: Name | None = None
    excludes: tuple[Name, ...] = ()
    detail: Name | None = None
    volunteer: bool = False
    choices: Mapping[Name, Line] = Field(default_factory=dict)
    texts: FactTexts

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "bool" and set(self.choices) != set(YES_NO):
            raise ValueError("a bool has the choices 'yes' and 'no'")
        if (self.type == "enum") != (self.type != "bool" and bool(self.choices)):
            raise ValueError("an enum, and only an enum or a bool, has choices")
        if (self.type in (*_WHOLE, "months")) != (self.domain is not None):
            raise ValueError("a number, and only a number, has a domain")
        for subject in self.subjects[1:]:
            if getattr(self.texts, f"question_{subject}") is None:
                raise ValueError(f"the question for {subject} is missing")
        return self

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures of the asking rule that the texts name."""
        return tuple(dict.fromkeys(name for text in self.catalog.values() for name in placeholders(text)))

    @property
    def catalog(self) -> dict[str, str]:
        """Every text by its catalog key, such as `fact.age.question.other_person` or `fact.age.choice.yes`."""
        texts = self.texts.model_dump(exclude_none=True)
        named = {f"fact.{self.id}.{key.replace('question_', 'question.')}": text for key, text in texts.items()}
        return named | {f"fact.{self.id}.choice.{value}": label for value, label in self.choices.items()}

    def question_key(self, subject: str) -> str:
        """The catalog key of the question about a subject."""
        asked = (
            ""
            if subject == self.subjects[0] or f"question_{subject}" not in self.texts.model_fields_set
            else f".{subject}"
        )
        return f"fact.{self.id}.question{asked}"

    def choice_value(self, choice: str) -> bool | str:
        """The JSON value of a choice: True or False for a bool, else the id itself ("unknown", "declined" too)."""
        return YES_NO.get(choice, choice) if self.type == "bool" else choice

    def choice_of(self, value: Any) -> str | None:
        """The choice a JSON value stands for, or None."""
        choice = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        return choice if isinstance(choice, str) and choice in self.choices else None


def completed(facts: Mapping[str, Fact], told: Mapping[str, Value]) -> dict[str, Value]:
    """The told facts, and what they exclude: who is in employment is not unemployed."""
    found = dict(told)
    for name, value in told.items():
        if value is True and name in facts:
            for other in facts[name].excludes:
                if isinstance(found.get(other, NOT_ASKED), Unknown):
                    found[other] = False
    return found


class FactFile(Strict):
    """The file as written."""

    facts: Annotated[tuple[Fact, ...], Field(min_length=1)]


def load_facts(path: Path) -> Mapping[str, Fact]:
    """The facts of a file by id, in author order. Raises KnowledgeError with file and line of every fault."""
    document = read(path)
    facts = validate(FactFile, document).facts
    faults = [document.fault(text, "facts", index) for index, text in _faults(facts)]
    if faults:
        raise KnowledgeError(faults)
    return {fact.id: fact for fact in facts}


def _faults(facts: tuple[Fact, ...]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for index, fact in enumerate(facts):
        if fact.id in seen:
            yield index, f"the fact '{fact.id}' stands here twice: keep one"
        seen.add(fact.id)
        for key, text in fact.catalog.items():
            if any(letter.isdigit() for letter in text):
                yield index, f"{key}: a number is typed into a text; name its figure in braces"


def read_value(fact: Fact, raw: Any) -> Value:
    """The value of a JSON answer, checked against the fact. Raises ValueError that says what is expected."""
    value = from_json(raw)
    if isinstance(value, Unknown):
        return value
    if not _fits(fact, value):
        raise ValueError(f"{fact.id}: {raw!r} is not {_expected(fact)}")
    return value


def _fits(fact: Fact, value: Value) -> bool:
    if fact.type == "bool":
        return isinstance(value, bool)
    if fact.type == "enum":
        return isinstance(value, str) and value in fact.choices
    if isinstance(value, _INTERVALS[fact.type]):
        return not isinstance(value, Range) or (_inside(fact, value.lo) and _inside(fact, value.hi))
    if fact.type == "date":
        return isinstance(value, date)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (fact.type not in _WHOLE or value == int(value)) and _inside(fact, value)


def _inside(fact: Fact, number: float) -> bool:
    return fact.domain is None or fact.domain.min <= number <= fact.domain.max


def _expected(fact: Fact) -> str:
    if fact.type == "bool":
        return "true or false"
    if fact.type == "enum":
        return f"one of {', '.join(fact.choices)}"
    if fact.type == "date":
        return "an ISO date or an interval of two"
    kind = "a whole number" if fact.type in _WHOLE else "a number"
    limits = f" from {fact.domain.min:g} to {fact.domain.max:g}" if fact.domain else ""
    return f"{kind}{limits}"
