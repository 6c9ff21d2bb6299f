"""Finds authored phrases inside a message: whole words in scripts with blanks, anywhere in Chinese and Thai."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from intents.normalise import fold

_BLANKLESS = re.compile(r"[\u3100-\u31ff\u3400-\u9fff\u0e00-\u0e7f]")
# Where a phrase can begin: a blank, a Chinese or Thai character, the first of a run of others.
_BEGINNING = re.compile(r" |[\u3100-\u31ff\u3400-\u9fff\u0e00-\u0e7f]|(?<=[^a-z0-9])[a-z0-9]")
START = 4

_EDGE = re.compile(r"[^\w\u0300-\u036f\u0e00-\u0e7f/+-]+")


def spaced(text: str) -> str:
    """A folded text with single blanks for punctuation and one at either end, in which phrases are looked for."""
    return f" {_EDGE.sub(' ', text).strip()} "


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase that stands in a message: of which kind and name, and as what to look for."""

    kind: str
    name: str
    phrase: str


@dataclass(frozen=True)
class Phrases:
    """All authored phrases, filed under their first (up to) `START` characters, so that one walk finds every kind."""

    starts: Mapping[str, tuple[Hit, ...]]

    @staticmethod
    def of(lists: Iterable[tuple[str, str, Iterable[str]]]) -> Phrases:
        """From (kind, name, phrases); they are folded here, so that they may be written as people would."""
        hits = {Hit(kind, name, needle(phrase)): None for kind, name, phrases in lists for phrase in phrases}
        starts: dict[str, list[Hit]] = {}
        for hit in hits:
            if hit.phrase.strip():
                starts.setdefault(hit.phrase[:START], []).append(hit)
        return Phrases({start: tuple(entries) for start, entries in starts.items()})

    def found(self, text: str) -> tuple[Hit, ...]:
        """Every phrase in a `spaced` text, longest first, phrases of one length as they come."""
        get = self.starts.get
        hits: dict[Hit, None] = {}
        for at in _BEGINNING.finditer(text):
            start = at.start()
            for end in range(start + 1, start + START + 1):
                for hit in get(text[start:end], ()):
                    if text.startswith(hit.phrase, start):
                        hits[hit] = None
        return tuple(sorted(hits, key=lambda hit: -len(hit.phrase)))


def of_kind(hits: Iterable[Hit], kind: str) -> list[Hit]:
    """The hits of one kind."""
    return [hit for hit in hits if hit.kind == kind]


def apart(hits: Iterable[Hit], text: str) -> tuple[list[Hit], str]:
    """The hits that lie in no longer one, and what their removal leaves of the `spaced` text."""
    outer = []
    for hit in hits:
        if hit.phrase in text:
            text = text.replace(hit.phrase, " ")
            outer.append(hit)
    return outer, text


def needle(phrase: str) -> str:
    """What to look for: a phrase in a script with blanks must stand between blanks."""
    folded = spaced(fold(phrase))
    return folded.strip() if _BLANKLESS.search(folded) else folded
