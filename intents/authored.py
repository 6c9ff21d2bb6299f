"""Reads the authored utterances, word lists and languages, with file and line for every fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intents.grammar import GrammarError, expand
from intents.labels import LANGUAGES, URGENT
from knowledge import reading
from knowledge.faults import KnowledgeError
from knowledge.reading import Document, Place

DATA = Path(__file__).parent / "data"

Words = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something an author has to look at. `line` is 1-based, 0 where the whole file is meant."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One authored pattern and the sentences it stands for. `label` of a danger is `urgent.<class>`."""

    lang: str
    label: str
    text: str
    file: str
    line: int
    sentences: tuple[str, ...]

    @property
    def group(self) -> str:
        """What training and testing may not share."""
        return f"{self.lang}/{self.label}/{self.text}"


@dataclass(frozen=True, slots=True)
class Authored:
    """All of `data/`: patterns, word lists per language, languages, other intents, places, what was wrong."""

    patterns: tuple[Pattern, ...]
    words: Mapping[str, Words]
    languages: Mapping[str, Any]
    intents: Mapping[str, str]
    districts: Mapping[str, Any]
    cities: Mapping[str, Any]
    faults: tuple[Fault, ...]


def read(root: Path = DATA) -> Authored:
    """Everything under `root`; files and patterns that do not parse are left out and reported as faults."""
    faults: list[Fault] = []
    patterns: list[Pattern] = []
    words: dict[str, Words] = {}
    for lang in LANGUAGES:
        lists = _data(root, f"{lang}/_lists.yaml", faults)
        words[lang] = _data(root, f"{lang}/_words.yaml", faults)
        for path in sorted((root / lang).glob("[!_]*.yaml")):
            patterns += _file(root, path, lang, lists, faults)
    languages = _data(root, "languages.yaml", faults)
    intents = _data(root, "intents.yaml", faults)
    districts = _data(root, "districts.yaml", faults)
    cities = _data(root, "cities.yaml", faults)
    return Authored(tuple(patterns), words, languages, intents, districts, cities, tuple(faults))


def inputs(root: Path = DATA) -> list[Path]:
    """The files that training reads, in a fixed order."""
    return sorted(root.rglob("*.yaml"), key=lambda path: path.relative_to(root).as_posix())


def _file(root: Path, path: Path, lang: str, lists: Mapping[str, Any], faults: list[Fault]) -> list[Pattern]:
    name = path.relative_to(root).as_posix()
    doc = _load(root, name, faults)
    if doc is None or not isinstance(doc.data, dict):
        return []
    if (label := doc.data.get("label")) != path.stem:
        faults.append(Fault(name, 1, f"label {label!r} is not the name of the file"))
        return []
    found = []
    for label, place in _blocks(doc.data, path.stem):
        for position, text in enumerate(doc.part(*place) or ()):
            line = doc.line(*place, position)
            try:
                sentences = tuple(expand(str(text), lists))
            except GrammarError as error:
                faults.append(Fault(name, line, str(error)))
                continue
            found.append(Pattern(lang, label, str(text), name, line, sentences))
    return found


def _blocks(data: Mapping[str, Any], label: str) -> Iterator[tuple[str, Place]]:
    if label == URGENT:
        for danger in data.get("classes", {}):
            yield f"{URGENT}.{danger}", ("classes", danger)
    else:
        yield label, ("utterances",)


def _data(root: Path, name: str, faults: list[Fault]) -> dict[str, Any]:
    doc = _load(root, name, faults)
    return doc.data if doc is not None and isinstance(doc.data, dict) else {}


def _load(root: Path, name: str, faults: list[Fault]) -> Document | None:
    path = root / name
    if not path.exists():
        return None
    try:
        return reading.read(path)
    except KnowledgeError as error:
        faults += [Fault(name, fault.line, f"does not parse: {fault.text}") for fault in error.faults]
    return None
