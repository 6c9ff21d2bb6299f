"""Finds and reads the files of a knowledge folder: plan, facts, rules, hotlines, texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.faults import Fault, KnowledgeError
from knowledge.reading import Document, Place, read

PACKAGED = Path(__file__).parent
PLAN = "107"
YEAR = 2018


@dataclass(frozen=True, slots=True)
class RawTopic:
    """A program, scheme or chapter as written, not yet held against its model. `id` is empty where none is given."""

    id: str
    document: Document
    place: Place
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sources:
    """Every file of a knowledge folder, read but not yet judged. `faults` are the files that could not be read."""

    root: Path
    programs: tuple[Document, ...]
    chapters: tuple[Document, ...]
    rules: tuple[Document, ...]
    facts: tuple[Document, ...]
    hotlines: tuple[Document, ...]
    texts: tuple[Document, ...]
    faults: tuple[Fault, ...]

    def documents(self) -> Iterator[Document]:
        """Every file in the order of the catalogs."""
        yield from self.programs
        yield from self.chapters
        yield from self.rules
        yield from self.facts
        yield from self.hotlines
        yield from self.texts

    def topics(self) -> Iterator[RawTopic]:
        """Programs, each followed by its schemes, then chapters."""
        for document in self.programs:
            yield from _raw_topics(document, ())
            yield from _raw_topics(document, ("schemes",))
        for document in self.chapters:
            yield from _raw_topics(document, ("chapters",))

    def unread(self) -> frozenset[str]:
        """The ids, by file name, of programs whose file cannot be read: they have a fault of their own already."""
        files = {path.name[:2] for path in (self.root / "plans" / PLAN / "programs").glob("*.yaml")}
        return frozenset(f"p{number}" for number in files - {document.path.name[:2] for document in self.programs})

    def unread_rules(self) -> frozenset[str]:
        """The names (p15) of rule files that cannot be read."""
        files = (self.root / "plans" / PLAN / "rules").glob("*.yaml")
        return frozenset({path.stem for path in files} - {document.path.stem for document in self.rules})

    def name(self, document: Document) -> str:
        """The file's path inside the knowledge folder, with forward slashes."""
        return document.path.relative_to(self.root).as_posix()


def read_sources(root: Path) -> Sources:
    """Reads the folder `root`. Never raises: what cannot be read is in `faults`."""
    plan, faults = root / "plans" / PLAN, list[Fault]()

    def documents(*paths: Path) -> tuple[Document, ...]:
        return tuple(_readable(paths, faults))

    return Sources(
        root=root,
        programs=documents(*sorted((plan / "programs").glob("*.yaml"))),
        chapters=documents(plan / "chapters.yaml"),
        rules=documents(*sorted((plan / "rules").glob("*.yaml"))),
        facts=documents(root / "facts.yaml"),
        hotlines=documents(root / "hotlines.yaml"),
        texts=documents(*sorted((root / "texts").glob("*.yaml"))),
        faults=tuple(faults),
    )


def _readable(paths: tuple[Path, ...], faults: list[Fault]) -> Iterator[Document]:
    for path in paths:
        try:
            yield read(path)
        except KnowledgeError as error:
            faults.extend(error.faults)


def _raw_topics(document: Document, place: Place) -> Iterator[RawTopic]:
    found = document.part(*place)
    items = [(place, found)] if not place else [((*place, i), item) for i, item in enumerate(found or ())]
    for where, item in items:
        if isinstance(item, dict):
            name = item.get("id")
            yield RawTopic(name if isinstance(name, str) else "", document, where, item)
