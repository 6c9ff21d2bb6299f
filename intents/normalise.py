"""Brings a message into one form: width, case, simplified to traditional, blanks, and a twin without diacritics."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import opencc

LIMIT = 2000
"""Characters of a message that count; nobody's question is longer, and a longer text must not cost more."""

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")

_BLANKS = re.compile(r"\s+")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_REPEATED = re.compile(r"(.)\1{3,}", re.DOTALL)
# Zero-width and direction marks, soft hyphen, variation selectors, controls: invisible, so they may not matter.
_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# Pairs that people of Taiwan use for one another; conversion by phrase tables would only pick one of them.
_VARIANTS = str.maketrans("臺僱裏着妳您祂牠祇衹喫佈説祕羣牀峯", "台雇裡著你你他他只只吃布說秘群床峰")
# The conversion table counts these as simplified, yet they are what people of Taiwan write.
_LOCAL = frozenset("雇群床秘峰吃台污灶")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": " "})
_LETTERS = str.maketrans({"đ": "d", "Đ": "D"})


def clean(text: str) -> str:
    """The message as a person would read it: NFKC, no invisible characters, single blanks, at most `LIMIT` long."""
    cut = _INVISIBLE.sub("", text[: 2 * LIMIT])
    wide = unicodedata.normalize("NFKC", cut)
    return _BLANKS.sub(" ", _INVISIBLE.sub("", wide)).strip()[:LIMIT].rstrip()


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """The form that is matched and scored: cleaned, lower case, traditional, `don't` as `dont`, `aaaa` as `aaa`."""
    low = _APOSTROPHE.sub("", clean(text).translate(_QUOTES).casefold())
    if HAN.search(low):
        low = traditional(low).translate(_VARIANTS)
    return _BLANKS.sub(" ", _REPEATED.sub(r"\1\1\1", low)).strip()


def traditional(text: str) -> str:
    """Simplified characters turned into traditional ones by phrase; text without any stays as it was written."""
    if _simplified().isdisjoint(text):
        return text
    converted: str = _converter().convert(text)
    return converted


def plain(text: str) -> str:
    """The twin without diacritics, as many type Vietnamese: `hộ chiếu` becomes `ho chieu`. Thai keeps its vowels."""
    apart = unicodedata.normalize("NFD", text)
    bare = "".join(c for c in apart if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def prepare() -> None:
    """Loads the conversion tables, so that the first message does not wait for them."""
    _simplified()
    _converter()


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("s2t")


@cache
def _simplified() -> frozenset[str]:
    """Characters that are written in simplified Chinese only: the table maps them, and never to themselves."""
    table = Path(opencc.__file__).parent / "dictionary" / "STCharacters.txt"
    rows = (line.split("\t") for line in table.read_text("utf-8").splitlines() if "\t" in line)
    return frozenset(one for one, many in rows if one not in many.split()) - _LOCAL
