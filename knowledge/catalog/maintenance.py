"""Keeps the PO files in step with the Chinese: extract, merge, coverage, and a one-off fill."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.catalog.entries import Entry, collect
from knowledge.catalog.pofiles import PoFile, Translation, by_key, languages, po_path, read_catalog, write_catalog
from knowledge.faults import KnowledgeError
from knowledge.sources import Sources, read_sources

LANGUAGES = ("en", "vi", "id", "th", "fil")

# Caseworkers read Chinese; English is there for colleagues and tests.
_DESK_LANGUAGES = ("en",)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far one catalog is: entries in all, translated, fuzzy, and still empty."""

    lang: str
    total: int
    translated: int
    fuzzy: int
    reviewed_by: str

    @property
    def missing(self) -> int:
        """Entries without any text."""
        return self.total - self.translated - self.fuzzy

    @property
    def percent(self) -> float:
        """Share of translated entries, 0 to 100."""
        return 100 * self.translated / self.total if self.total else 100.0


@dataclass(frozen=True, slots=True)
class Filled:
    """What `fill` did: entries filled, keys that already had a text, keys that no entry has."""

    filled: int
    kept: tuple[str, ...]
    unknown: tuple[str, ...]


def extract(root: Path) -> tuple[Entry, ...]:
    """Every Chinese text of the folder. Raises KnowledgeError where a file cannot be read."""
    return tuple(collect(_sources(root)))


def wanted(entries: Iterable[Entry], lang: str) -> tuple[Entry, ...]:
    """The entries that the catalog of `lang` holds."""
    return tuple(entry for entry in entries if lang in _DESK_LANGUAGES or not entry.key.startswith("desk"))


def merge(root: Path) -> tuple[Path, ...]:
    """Brings every catalog up to date, makes those that are missing, and returns the files that changed.

    A text whose Chinese changed stays, marked fuzzy with the Chinese before; entries without a source are dropped.
    """
    sources = _sources(root)
    locale = root / "locale"
    changed = []
    for lang in dict.fromkeys((*LANGUAGES, *languages(locale))):
        old = _read(locale, lang)
        known = by_key(old.entries)
        entries = [_merged(entry, sources, known.get(entry.key)) for entry in wanted(collect(sources), lang)]
        if write_catalog(dataclasses.replace(old, entries=tuple(entries))):
            changed.append(old.path)
    return tuple(changed)


def coverage(root: Path) -> tuple[Coverage, ...]:
    """One row per catalog, in the order of the alphabet."""
    entries = extract(root)
    rows = []
    for lang in languages(root / "locale"):
        po = read_catalog(root / "locale", lang)
        source = {entry.key: entry.text for entry in wanted(entries, lang)}
        texts = [entry for entry in po.entries if entry.key in source and entry.text]
        fuzzy = sum(entry.fuzzy or entry.source != source[entry.key] for entry in texts)
        rows.append(Coverage(lang, len(source), len(texts) - fuzzy, fuzzy, po.reviewed_by))
    return tuple(rows)


def coverage_table(rows: Iterable[Coverage]) -> str:
    """The rows as lines of text, a heading first."""
    lines = ["language  total  translated  fuzzy  missing  percent  reviewed by"]
    for row in rows:
        numbers = f"{row.total:>5}  {row.translated:>10}  {row.fuzzy:>5}  {row.missing:>7}  {row.percent:>6.1f}%"
        lines.append(f"{row.lang:<8}  {numbers}  {row.reviewed_by}")
    return "\n".join(lines)


def fill(root: Path, lang: str, json_path: Path) -> Filled:
    """Fills empty entries of a catalog from a flat JSON object of texts by key. Never overwrites a text."""
    texts: Mapping[str, str] = json.loads(json_path.read_text(encoding="utf-8"))
    po = read_catalog(root / "locale", lang)
    known = by_key(po.entries)
    new = {key: text for key, text in texts.items() if key in known and not known[key].text}
    entries = tuple(dataclasses.replace(entry, text=new.get(entry.key, entry.text)) for entry in po.entries)
    write_catalog(dataclasses.replace(po, entries=entries))
    kept = tuple(key for key in texts if key in known and known[key].text not in ("", texts[key]))
    return Filled(len(new), kept, tuple(key for key in texts if key not in known))


def _sources(root: Path) -> Sources:
    sources = read_sources(root)
    if sources.faults:
        raise KnowledgeError(sources.faults)
    return sources


def _read(locale: Path, lang: str) -> PoFile:
    if po_path(locale, lang).exists():
        return read_catalog(locale, lang)
    return PoFile(po_path(locale, lang), lang, "", ())


def _merged(entry: Entry, sources: Sources, old: Translation | None) -> Translation:
    fresh = Translation(entry.key, entry.text, files=(sources.name(entry.document),))
    if old is None:
        return fresh
    fresh = dataclasses.replace(fresh, text=old.text, comments=old.comments)
    if not old.text or (old.source == entry.text and not old.fuzzy):
        return fresh
    return dataclasses.replace(fresh, fuzzy=True, previous=old.previous or old.source)
