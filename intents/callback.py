"""Somebody wants to be phoned back: the wish, the number, the time, as far as they were written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from intents.phrases import Hit, of_kind
from intents.result import Callback

WISH, TIME = "callback", "call time"
_NUMBER = re.compile(
    r"(?<![\d-])(?:\+?886[\s-]?|\(?0)\d(?:[\s()-]{0,2}\d){6,9}(?![\d-])(?:\s*(?:#|ext\.?|分機)\s*\d{1,5})?"
)
_CLOCK = re.compile(
    r"(?:上午|下午|早上|晚上|中午|傍晚)?\s*\d{1,2}\s*(?:點半?|時|:\d\d)(?:\s*(?:以後|之後|以前|之前|後|前))?"
    r"|\d{1,2}(?::\d\d)?\s*(?:am|pm|a\.m\.|p\.m\.|o'?clock)\b"
    r"|\d{1,2}\s*(?:giờ|gio|h)(?:\s*\d{2})?(?:\s*(?:sáng|trưa|chiều|tối|sang|trua|chieu|toi))?\b"
    r"|\b(?:jam|pukul)\s*\d{1,2}(?:[.:]\d\d)?(?:\s*(?:pagi|siang|sore|malam))?"
    r"|(?:บ่าย|ตี|เที่ยง)?\s*\d{1,2}\s*(?:โมง|ทุ่ม|น\.)(?:เช้า|เย็น)?"
    r"|\balas[- ]\d{1,2}(?:\s*ng\s*(?:umaga|hapon|gabi))?"
)
_SHORTEST, _LONGEST = 8, 16


def phrases(words: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, Iterable[str]]]:
    """The authored wishes and times of day of all languages."""
    listed: list[tuple[str, str, Iterable[str]]] = []
    for lists in words.values():
        listed += [(WISH, "", lists.get("callback", ())), (TIME, "", lists.get("call_times", ()))]
    return listed


def wanted(clean: str, folded: str, hits: Iterable[Hit], lang: str) -> Callback | None:
    """The wish to be phoned; None where none was said. `lang`: the language to speak."""
    hits = tuple(hits)
    if not of_kind(hits, WISH):
        return None
    return Callback(number(clean), when(folded, hits), lang)


def number(text: str) -> str:
    """The telephone number in a text as digits (with a leading + where given), or an empty string."""
    for match in _NUMBER.finditer(text):
        main, _, extension = re.sub(r"ext\.?|分機", "#", match[0]).partition("#")
        bare = re.sub(r"[^\d+]", "", main)
        if _SHORTEST <= len(bare) <= _LONGEST:
            return bare + (f"#{extension.strip()}" if extension.strip() else "")
    return ""


def when(folded: str, hits: Iterable[Hit]) -> str:
    """The time of day as it was written, in the order it was written."""
    spots = {match.start(): match[0].strip() for match in _CLOCK.finditer(folded)}
    for hit in of_kind(hits, TIME):
        at = folded.find(hit.phrase.strip())
        if at >= 0 and not any(start <= at < start + len(text) for start, text in spots.items()):
            spots[at] = hit.phrase.strip()
    return " ".join(spots[at] for at in sorted(spots))[:80]
