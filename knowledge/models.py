"""The strict models of one plan: program, scheme, chapter, and what they are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, StringConstraints, model_validator

Unit: TypeAlias = Literal[
    "ntd", "thousand_ntd", "age", "years", "months", "minutes", "percent", "times", "count", "persons", "article",
    "paragraph", "roc_year", "month", "roc_year_month", "date", "phone", "url", "edition", "code",
]  # fmt: skip
PolicySource: TypeAlias = Literal["city", "central", "midterm", "other"]
Fund: TypeAlias = Literal["employment_security_fund", "central", "city"]
Audience: TypeAlias = Literal[
    "job_seeker", "youth", "student", "worker", "employer", "migrant_worker", "disability", "retiree", "union",
    "entrepreneur", "new_resident", "indigenous", "mid_aged", "family", "maker", "teacher", "resident",
]  # fmt: skip
Theme: TypeAlias = Literal[
    "jobs", "training", "allowances", "rights", "safety", "migrants", "disability", "leisure", "learning",
    "business", "startup", "childcare",
]  # fmt: skip

FigureValue: TypeAlias = int | float | str | tuple[int | float, int | float]

_TEXT_UNITS = {
    "roc_year_month": re.compile(r"\d{4}-(0[1-9]|1[0-2])"),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "phone": re.compile(r"[0-9()+#\- ]{3,20}"),
    "url": re.compile(r"https?://[^\s]+"),
    "code": re.compile(r"\S+"),
}
_HIGHEST = {"percent": 100, "month": 12, "age": 120, "roc_year": 200}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _figure_value(value: object) -> FigureValue:
    if isinstance(value, list):
        if len(value) != 2 or not all(map(_is_number, value)) or value[0] >= value[1]:
            raise ValueError("a range is written [low, high] with low below high")
        return (value[0], value[1])
    if _is_number(value) or isinstance(value, str):
        assert isinstance(value, int | float | str)
        return value
    raise ValueError("a value is a number, a range [low, high], or a text")


class Strict(BaseModel):
    """What all content models share: frozen, and no key that the model does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Line: TypeAlias = Annotated[str, StringConstraints(min_length=1, pattern=r"^\S(.*\S)?$")]
Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
YearMonth: TypeAlias = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
TopicId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^(p\d\d(\.\d)?|ov\d)$")]


class Figure(Strict):
    """A named quantity. `value` is in `unit`: a number, (low, high), or a text for dates, phones, URLs and codes.

    `ntd` is full New Taiwan dollars; `date` ISO `YYYY-MM-DD`; `roc_year_month` ISO `YYYY-MM`; `roc_year` ROC years.
    """

    value: Annotated[FigureValue, PlainValidator(_figure_value)]
    unit: Unit
    source: Line

    @model_validator(mode="after")
    def _value_fits_unit(self) -> Self:
        pattern = _TEXT_UNITS.get(self.unit)
        if (pattern is not None) != isinstance(self.value, str):
            raise ValueError(f"a value of unit {self.unit} is a {'text in quotes' if pattern else 'number'}")
        if isinstance(self.value, str) and pattern is not None and not pattern.fullmatch(self.value):
            raise ValueError(f"'{self.value}' does not look like unit {self.unit}")
        if self.unit == "date":
            date.fromisoformat(str(self.value))
        self._check_size()
        return self

    def _check_size(self) -> None:
        highest = _HIGHEST.get(self.unit)
        for number in self.numbers:
            if number < 0 or (highest is not None and number > highest):
                raise ValueError(f"{number} is out of range for unit {self.unit}")

    @property
    def numbers(self) -> tuple[int | float, ...]:
        """The numbers of the value: none for a text, two for a range."""
        if isinstance(self.value, str):
            return ()
        return self.value if isinstance(self.value, tuple) else (self.value,)


class Budget(Strict):
    """What a program costs in thousand NT$, and who pays: `parts` is empty where the plan prints no note."""

    thousand_ntd: Annotated[int, Field(gt=0)]
    parts: Mapping[Fund, Annotated[int, Field(gt=0)]]
    source: Line

    @model_validator(mode="after")
    def _parts_sum(self) -> Self:
        total = sum(self.parts.values())
        if self.parts and total != self.thousand_ntd:
            raise ValueError(f"the parts sum to {total}, the budget is {self.thousand_ntd}: correct one of them")
        return self


class Period(Strict):
    """When a program runs: first and last month, both included."""

    start: YearMonth
    end: YearMonth
    source: Line

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"the end {self.end} is before the start {self.start}: swap or correct them")
        return self


class Apply(Strict):
    """The months (1 to 12) in which one can apply, where they differ from the period."""

    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], Field(min_length=1)]
    source: Line


class Texts(Strict):
    """One text per aspect; null where the plan is silent."""

    summary: Line
    purpose: Line | None
    eligibility: Line | None
    amount: Line | None
    where: Line | None
    how_to_apply: Line | None
    period: Line | None
    documents: Line | None
    contact: Line | None


class Entry(Strict):
    """What programs, schemes and chapters have in common."""

    name: Line
    label: Line
    aliases: Annotated[tuple[Line, ...], Field(min_length=2, max_length=8)]
    audiences: Annotated[tuple[Audience, ...], Field(min_length=1)]
    themes: Annotated[tuple[Theme, ...], Field(min_length=1)]
    related: Annotated[tuple[TopicId, ...], Field(min_length=2, max_length=4)]
    texts: Texts

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for key in ("aliases", "audiences", "themes", "related"):
            values = getattr(self, key)
            if len(set(values)) != len(values):
                raise ValueError(f"{key} names something twice: keep one")
        return self


class Scheme(Entry):
    """One of the projects under a program, of which the plan prints little."""

    id: Annotated[str, StringConstraints(pattern=r"^p\d\d\.\d$")]
    source: Line


class Chapter(Entry):
    """One chapter of the plan's overview."""

    id: Annotated[str, StringConstraints(pattern=r"^ov\d$")]
    number: Annotated[int, Field(ge=1)]
    figures: Mapping[Name, Figure]
    notes: tuple[Line, ...]


class Program(Entry):
    """One numbered item of the plan."""

    id: Annotated[str, StringConstraints(pattern=r"^p\d\d$")]
    number: Annotated[int, Field(ge=1)]
    policy_sources: Annotated[tuple[PolicySource, ...], Field(min_length=1)]
    budget: Budget
    period: Period
    apply: Apply | None = None
    area: Line
    figures: Mapping[Name, Figure]
    schemes: tuple[Scheme, ...]
    notes: tuple[Line, ...]


def year_month(value: str) -> tuple[int, int]:
    """Year and month (1 to 12) of an ISO `YYYY-MM`."""
    year, month = value.split("-")
    return int(year), int(month)
