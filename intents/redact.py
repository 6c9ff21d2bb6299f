"""Masks what could name a person: their numbers in every text, also addresses and names where authors read it."""

from __future__ import annotations

import re
from collections.abc import Collection

from intents.personal import Found, find

MASK = "‹…›"

_NAME_WORD = r"[^\s,.;，。；、!?！？]{1,24}"
# What people write before their name, and how many words of it follow at most.
_LEADS = {
    "my name is ": 3, "name's ": 2, "tên là ": 4, "ten la ": 4, "em tên ": 3, "tôi tên ": 3, "toi ten ": 3,
    "nama saya ": 3, "nama sy ": 2, "nama aku ": 2, "ชื่อ": 1, "ชื่อ ": 2, "pangalan ko ay ": 3,
    "pangalan ko po ay ": 3, "ako po si ": 3, "ako si ": 3,
}  # fmt: skip
_NAMES = (
    re.compile(r"(?<=我叫)[^\s，。,]{2,4}|(?<=我是)[^\s，。,]{1,3}(?=小姐|先生|女士)|(?<=名字是)[^\s，。,]{2,4}"),
    *(re.compile(rf"(?i)(?<={lead})(?:{_NAME_WORD} ?){{1,{words}}}") for lead, words in _LEADS.items()),
)
_PATTERNS = (
    re.compile(r"\bhttps?://\S+|\bwww\.\S+", re.IGNORECASE),
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"(?i)(?:line\s*id|fb|facebook|whats ?app|zalo|telegram|ig)\s*[:：]\s*\S+"),
    re.compile(r"(?<!\w)@[\w.]{3,}"),
    # identity and residence numbers, passports
    re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,2}[- ]?\d{6,9}(?!\d)"),
    # telephones, accounts, cards: a run of digits with single separators, unless it is a date or an amount
    re.compile(r"(?<![\d,.$/-])(?!\d{4}[-/]\d{1,2}[-/]\d{1,2}(?!\d))\+?\d(?:[ ()-]?\d){6,}(?!\d)"),
    *_NAMES,
    re.compile(r"\d{1,4}\s*巷\S{0,12}號|\d{1,4}\s*號(?:\s*\d{1,3}\s*樓)?"),
)


def masked(text: str, but: Collection[str] = ()) -> str:
    """The text with a mask in place of every number of a person, except of the kinds `but`."""
    return covered(text, [found for found in find(text) if found.kind not in but])


def covered(text: str, found: Collection[Found]) -> str:
    """The text with a mask in place of what was found in it."""
    for each in sorted(found, key=lambda each: each.start, reverse=True):
        text = text[: each.start] + MASK + text[each.end :]
    return text


def redacted(text: str) -> str:
    """The text with a mask in place of what could name a person. Rather too much than too little."""
    text = masked(text)
    for pattern in _PATTERNS:
        text = pattern.sub(MASK, text)
    return text
