"""What a message asks besides its topic: an aspect, for whom, or another language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from intents.normalise import HAN
from intents.phrases import Hit, apart, of_kind

ORDER = ("budget", "documents", "contact", "how-to-apply", "amount", "period", "where", "eligibility", "overview")
"""Aspects, the more telling first: between phrases of equal length the earlier one wins."""

_ASPECT, _AUDIENCE, _CALLED, _REQUEST, _FILLER = "aspect", "audience", "called", "request", "filler"
MAYBE = "maybe"
"""Weak signs that somebody asks whether they may or must: eligibility, where no other aspect is asked."""

_LEFT_HAN = 1
_LEFT_LETTERS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """An aspect asked for; `alone` where the message holds nothing else that could name a matter."""

    name: str
    alone: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """A language named; `alone` where the message holds nothing but the request for it."""

    code: str
    alone: bool


def phrases(
    words: Mapping[str, Mapping[str, Any]], languages: Mapping[str, Any]
) -> list[tuple[str, str, Iterable[str]]]:
    """The authored phrases of all languages, as (kind, name, phrases): people mix languages."""
    listed: list[tuple[str, str, Iterable[str]]] = [
        (_REQUEST, "", languages.get("request", ())),
        (_FILLER, "", languages.get("fillers", ())),
    ]
    for lists in words.values():
        listed += [(_ASPECT, name, found) for name, found in lists.get("aspects", {}).items()]
        listed += [(_AUDIENCE, name, found) for name, found in lists.get("audiences", {}).items()]
    for code, one in languages.get("languages", {}).items():
        listed.append((_CALLED, code, [*one["called"], one["name"]]))
    return listed


def aspect(hits: Iterable[Hit], room: str) -> Asked | None:
    """The aspect a `spaced` text asks for."""
    found = of_kind(hits, _ASPECT)
    if not found:
        return None
    _, left = apart([*found, *of_kind(hits, _FILLER)], room)
    outer, _ = apart(found, room)
    named = [hit for hit in outer if hit.name != MAYBE]
    if not named:
        return Asked("eligibility", _nothing(left))
    # Money spent by the city is asked in the words for money one gets, and one word more.
    best = next((hit for hit in named if hit.name == "budget"), None) or min(
        named, key=lambda hit: (-len(hit.phrase.strip()), ORDER.index(hit.name))
    )
    return Asked(best.name, _nothing(left))


def audience(hits: Iterable[Hit]) -> str:
    """Whom a text says it is for, or an empty string."""
    return next((hit.name for hit in of_kind(hits, _AUDIENCE)), "")


def language(hits: Iterable[Hit], room: str) -> Wanted | None:
    """The language a `spaced` text names, unless it names several."""
    named, left = apart(of_kind(hits, _CALLED), room)
    codes = {hit.name for hit in named}
    if len(codes) != 1:
        return None
    _, left = apart(of_kind(hits, _REQUEST), left)
    return Wanted(codes.pop(), _nothing(left))


def _nothing(left: str) -> bool:
    """Is what is left too little to name a matter?"""
    bare = [char for char in left if char.isalnum()]
    han = sum(1 for char in bare if HAN.match(char))
    return han <= _LEFT_HAN and len(bare) - han <= _LEFT_LETTERS
