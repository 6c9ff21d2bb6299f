"""A page for reviewers: every text of a language beside its Chinese, in context, with its figures, to be printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from knowledge.catalog import Catalog, figures_for
from knowledge.catalog.templates import placeholders
from knowledge.library import Knowledge


@dataclass(frozen=True, slots=True)
class Row:
    """One text: key, the Chinese and the translation as readers see them, the translation as it is written."""

    key: str
    chinese: str
    shown: str
    written: str


@dataclass(frozen=True, slots=True)
class Section:
    """The texts of one topic or room of texts."""

    title: str
    rows: tuple[Row, ...]


def page(knowledge: Knowledge, catalog: Catalog, lang: str, written: Mapping[str, str], templates: Path) -> str:
    """The page as HTML. `written`: the translations of `lang` by key, in the order they are to be read."""
    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    sections = tuple(_sections(knowledge, catalog, lang, written))
    return environment.get_template("print/review.html").render(
        lang=lang,
        name=knowledge.texts[f"conversation.language.{lang}"],
        reviewed_by=catalog.reviewed_by(lang),
        sections=sections,
        total=sum(len(section.rows) for section in sections),
    )


def _sections(knowledge: Knowledge, catalog: Catalog, lang: str, written: Mapping[str, str]) -> Iterator[Section]:
    for owner, keys in groupby(written, lambda key: _owner(knowledge, key)):
        topic = knowledge.topics.get(owner)
        title = f"{owner}　{topic.name}" if topic else owner
        yield Section(title, tuple(_row(knowledge, catalog, lang, key, written[key]) for key in keys))


def _owner(knowledge: Knowledge, key: str) -> str:
    """The topic of a key (`p06.4.amount`, `rule.p15...`), or its first word."""
    parts = key.split(".")
    for size in (2, 1):
        if ".".join(parts[:size]) in knowledge.topics:
            return ".".join(parts[:size])
    return parts[0]


def _row(knowledge: Knowledge, catalog: Catalog, lang: str, key: str, written: str) -> Row:
    topic = knowledge.topics.get(_owner(knowledge, key))
    names = placeholders(knowledge.texts[key]) | placeholders(written)

    def shown(reader: str) -> str:
        figures = figures_for(topic, reader) if topic else {}
        return catalog.text(reader, key, {**{name: f"‹{name}›" for name in names}, **figures}).text

    return Row(key, shown("zh-TW"), shown(lang), written)
