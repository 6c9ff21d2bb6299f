"""HTML of the web chat and the desk: Jinja2 pages around the same bubbles that the live stream sends."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from bot.clock import TAIPEI
from bot.messages import Author, Card, Choice, Entry, Link, Notice, Reply
from bot.render.ways import split
from knowledge.catalog import Catalog

STATUS = {
    "queued": "pending",
    "pending": "pending",
    "probably": "probably",
    "failed": "failed",
    "undelivered": "waiting",
    "late": "late",
    "withdrawn": "withdrawn",
    "unsent": "unsent",
    "edited": "edited",
}


@dataclass(frozen=True, slots=True)
class Bubble:
    """One line of a transcript as the templates see it. `ways_out`: the recurring last choices, shown apart; `ticks`:
    what can be chosen together, as check boxes; `original`: the Chinese of a phrase, for the desk alone."""

    seq: int | None
    author: str
    name: str | None
    lang: str
    paragraphs: tuple[str, ...]
    links: tuple[Link, ...] = ()
    ticks: tuple[Choice, ...] = ()
    choices: tuple[Choice, ...] = ()
    ways_out: tuple[Choice, ...] = ()
    cards: tuple[Card, ...] = ()
    time: str = ""
    iso: str = ""
    status: str = "sent"
    client_id: str | None = None
    safety: bool = False
    source: str | None = None
    current: bool = False
    automatic: bool = False
    event_id: str = ""
    original: str = ""


def bubble_of(entry: Entry, current: bool = False) -> Bubble:
    """A transcript line as a bubble. Times are Taipei's."""
    reply = entry.reply
    at = datetime.fromtimestamp(entry.at, TAIPEI) if entry.at else None
    buttons = tuple(choice for choice in reply.choices if choice.ticked is None)
    own, ways_out = split(buttons)
    return Bubble(
        seq=entry.seq,
        author=entry.author.value,
        name=entry.name or None,
        lang=reply.lang,
        paragraphs=_paragraphs(reply),
        links=reply.links,
        ticks=tuple(choice for choice in reply.choices if choice.ticked is not None),
        choices=own,
        ways_out=ways_out,
        cards=reply.cards,
        time=at.strftime("%H:%M") if at else "",
        iso=at.isoformat(timespec="seconds") if at else "",
        status=STATUS.get(entry.status, "sent"),
        client_id=entry.event_id.rpartition(":")[2] or None if entry.author is Author.CITIZEN else None,
        safety=reply.notice is Notice.SAFETY,
        source=reply.source or None,
        current=current,
        automatic=reply.notice is Notice.SAFETY and not reply.choices,  # sent while a person holds the conversation
        event_id=entry.event_id,
        original=str(entry.reading.get("original", "")) if entry.author is Author.STAFF else "",
    )


def _paragraphs(reply: Reply) -> tuple[str, ...]:
    """The paragraphs of a reply; a numbered list that stands there as check boxes is not said twice."""
    boxes = any(choice.ticked is not None for choice in reply.choices)
    parts = (part for part in reply.text.split("\n\n") if part.strip())
    return tuple(part for part in parts if not (boxes and part.startswith("1. ")))


@dataclass
class Pages:
    """Renders pages in a language. `static` files are addressed by the hash of their content."""

    catalog: Catalog
    templates: Path
    languages: tuple[tuple[str, str], ...]
    common: dict[str, str]
    _environment: Environment = field(init=False)
    _plain: dict[tuple[str, str], str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(self.templates),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            auto_reload=False,
        )
        self._template = cache(self._environment.get_template)
        self._static = cache(self._static_url)

    def _static_url(self, name: str) -> str:
        digest = hashlib.sha256((self.templates / "static" / name).read_bytes()).hexdigest()[:12]
        return f"/static/{name}?v={digest}"

    def words(self, lang: str, key: str, **params: Any) -> str:
        """One text of the catalog."""
        if params:
            return self.catalog.text(lang, key, {**self.common, **{k: str(v) for k, v in params.items()}}).text
        known = self._plain.get((lang, key))  # a long list asks for the same texts again and again
        if known is None:
            known = self._plain[lang, key] = self.catalog.text(lang, key, self.common).text
        return known

    def render(self, page: str, lang: str, **context: Any) -> str:
        """One page or fragment."""
        template: Template = self._template(page)
        return template.render(
            lang=lang, t=lambda key, **params: self.words(lang, key, **params), static=self._static, **context
        )

    def bubble(self, lang: str, entry: Entry) -> str:
        """One bubble for the live stream."""
        return self.render("web/_bubble.html", lang, b=bubble_of(entry, current=True))

    def language_list(self, lang: str) -> list[dict[str, Any]]:
        """Every language in its own name, the present one marked."""
        return [{"code": code, "name": name, "current": code == lang} for code, name in self.languages]


def with_current(entries: Sequence[Entry]) -> list[Bubble]:
    """Bubbles of a transcript: the choices after the citizen's last line are the current ones."""
    last = max((index for index, entry in enumerate(entries) if entry.author is Author.CITIZEN), default=-1)
    return [bubble_of(entry, current=index > last) for index, entry in enumerate(entries)]
