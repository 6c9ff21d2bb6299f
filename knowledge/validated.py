"""Holds every file of a knowledge folder against its model, and keeps model and place together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from knowledge.faults import Fault, KnowledgeError
from knowledge.hotlines import Hotlines
from knowledge.models import Chapter, Figure, Program, Strict
from knowledge.reading import Document, Place, validate
from knowledge.sources import Sources

S = TypeVar("S", bound=Strict)
Where = tuple[Document, Place]


@dataclass(frozen=True, slots=True)
class Located(Generic[S]):
    """A model and where it was read."""

    model: S
    document: Document
    place: Place = ()

    def fault(self, text: str, *place: str | int) -> Fault:
        """A fault at `place` inside the model."""
        return self.document.fault(text, *self.place, *place)


@dataclass(frozen=True, slots=True)
class Validated:
    """What fits its model; `faults` say what does not."""

    programs: tuple[Located[Program], ...]
    chapters: tuple[Located[Chapter], ...]
    hotlines: tuple[Located[Hotlines], ...]
    faults: tuple[Fault, ...]

    def figures(self) -> dict[str, Mapping[str, Figure]]:
        """The figures of every program and chapter by its id."""
        programs = {program.model.id: program.model.figures for program in self.programs}
        return programs | {chapter.model.id: chapter.model.figures for chapter in self.chapters}


def validate_all(sources: Sources) -> Validated:
    """Validates every program, chapter and hotline. Never raises: see `faults`."""
    faults = list[Fault]()
    programs: list[Where] = [(document, ()) for document in sources.programs]
    chapters = [where for document in sources.chapters for where in _chapters(document, faults)]
    hotlines: list[Where] = [(document, ()) for document in sources.hotlines]
    return Validated(
        tuple(_located(Program, programs, faults)),
        tuple(_located(Chapter, chapters, faults)),
        tuple(_located(Hotlines, hotlines, faults)),
        tuple(faults),
    )


def _chapters(document: Document, faults: list[Fault]) -> Iterator[Where]:
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("chapters"), list):
        faults.append(document.fault("needs a list under the key 'chapters'"))
        return
    unknown = sorted(data.keys() - {"chapters"})
    faults.extend(document.fault(f"unknown key '{key}': correct its spelling or remove it", key) for key in unknown)
    for index in range(len(data["chapters"])):
        yield document, ("chapters", index)


def _located(model: type[S], places: list[Where], faults: list[Fault]) -> Iterator[Located[S]]:
    for document, place in places:
        try:
            yield Located(validate(model, document, *place), document, place)
        except KnowledgeError as error:
            faults.extend(error.faults)
