"""Reads the authored utterances, word lists and languages, with file and line for every fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from intents.grammar import GrammarError, expand
from intents.labels import LANGUAGES, URGENT

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
        lists = _plain(_load(root, f"{lang}/_lists.yaml", faults) or {})
        words[lang] = _plain(_load(root, f"{lang}/_words.yaml", faults) or {})
        for path in sorted((root / lang).glob("[!_]*.yaml")):
            patterns += _file(root, path, lang, lists, faults)
    languages = _plain(_load(root, "languages.yaml", faults) or {})
    intents = _plain(_load(root, "intents.yaml", faults) or {})
    districts = _plain(_load(root, "districts.yaml", faults) or {})
    cities = _plain(_load(root, "cities.yaml", faults) or {})
    return Authored(tuple(patterns), words, languages, intents, districts, cities, tuple(faults))


def inputs(root: Path = DATA) -> list[Path]:
    """The files that training reads, in a fixed order."""
    return sorted(root.rglob("*.yaml"), key=lambda path: path.relative_to(root).as_posix())


def _file(root: Path, path: Path, lang: str, lists: Mapping[str, Any], faults: list[Fault]) -> list[Pattern]:
    name = path.relative_to(root).as_posix()
    doc = _load(root, name, faults)
    if not isinstance(doc, dict):
        return []
    if doc.get("label") != path.stem:
        faults.append(Fault(name, 1, f"label {doc.get('label')!r} is not the name of the file"))
        return []
    found = []
    for label, texts in _blocks(doc, path.stem):
        for position, text in enumerate(texts):
            line = texts.lc.item(position)[0] + 1
            try:
                sentences = tuple(expand(str(text), lists))
            except GrammarError as error:
                faults.append(Fault(name, line, str(error)))
                continue
            found.append(Pattern(lang, label, str(text), name, line, sentences))
    return found


def _blocks(doc: Mapping[str, Any], label: str) -> Iterator[tuple[str, Any]]:
    if label == URGENT:
        for danger, texts in doc.get("classes", {}).items():
            yield f"{URGENT}.{danger}", texts
    else:
        yield label, doc.get("utterances", ())


def _load(root: Path, name: str, faults: list[Fault]) -> Any:
    path = root / name
    if not path.exists():
        return None
    try:
        return YAML(typ="rt").load(path.read_text("utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        faults.append(Fault(name, line, f"does not parse: {error.problem}"))
    return None


def _plain(node: Any) -> Any:
    """Plain dicts, lists and strings instead of the reader's own types."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value) for value in node]
    return node if node is None or isinstance(node, int | float | bool) else str(node)
