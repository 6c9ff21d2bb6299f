"""What an installation adds to the plan: sourced, dated answers where the plan is silent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from knowledge.catalog.templates import placeholders, typed_digits
from knowledge.faults import Fault, KnowledgeError
from knowledge.models import Figure, Line, Name, Strict
from knowledge.reading import Document, read, validate

Aspect: TypeAlias = Literal["eligibility", "amount", "period", "where", "how-to-apply", "documents", "contact"]


class Addition(Strict):
    """One answer from outside the plan. `as_of` is the day somebody last confirmed it with `source`."""

    topic: Line
    aspect: Aspect
    text: Line
    figures: Mapping[Name, Figure]
    source: Line
    as_of: date

    @property
    def key(self) -> str:
        """Its catalog key."""
        return f"addition.{self.topic}.{self.aspect}"


class AdditionFile(Strict):
    """One file of additions as written."""

    additions: Annotated[tuple[Addition, ...], Field(min_length=1)]


def load_additions(folder: Path, topics: Collection[str]) -> tuple[Addition, ...]:
    """Every addition in `folder/additions/*.yaml`. Raises KnowledgeError with file and line of every fault.

    A folder without such files adds nothing; a folder that does not exist is a mistake and raises.
    """
    if not folder.is_dir():
        raise KnowledgeError([Fault(str(folder), 1, "this knowledge folder does not exist: make it or unset it")])
    documents = [read(path) for path in sorted(folder.glob("additions/*.yaml"))]
    files = [(document, validate(AdditionFile, document).additions) for document in documents]
    faults = [fault for document, additions in files for fault in _faults(document, additions, topics)]
    if faults:
        raise KnowledgeError(faults)
    return tuple(addition for _, additions in files for addition in additions)


def _faults(document: Document, additions: tuple[Addition, ...], topics: Collection[str]) -> Iterator[Fault]:
    for index, addition in enumerate(additions):
        place = ("additions", index)
        if addition.topic not in topics:
            yield document.fault(f"'{addition.topic}' is no topic: correct it", *place, "topic")
        if digits := typed_digits(addition.text):
            yield document.fault(f"the digits {digits} are typed into the text: make them a figure", *place, "text")
        for name in sorted(placeholders(addition.text) - addition.figures.keys()):
            yield document.fault(f"{{{name}}} is not defined: add the figure '{name}'", *place, "text")
