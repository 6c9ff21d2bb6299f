"""Lengths as platforms count them (UTF-16 units, grapheme clusters, bytes), and cutting that breaks no letter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_SARA_AM = "\u0e33"
# Letters that stand alone beside any other of them: Latin, Han, kana, full-width forms, the common signs.
_ALONE = re.compile(r"[\0-\u02ff\u1e00-\u200c\u200e-\u20cf\u3000-\u3029\u3030-\u3098\u309b-\ua4cf\uff00-\uffef]*")
_SENTENCE_ENDS = re.compile(r"(?<=[。！？!?.])\s*|(?<=\n)|(?<=[；;])\s*")


def utf16(text: str) -> int:
    """UTF-16 code units: an emoji or a rare Han character counts two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clusters(text: str) -> Iterator[str]:
    """The text letter by letter as a reader sees them: marks, joiners and flags stay with what they belong to."""
    if _ALONE.fullmatch(text):
        yield from text
        return
    found = ""
    for letter in text:
        if found and _continues(found, letter):
            found += letter
            continue
        if found:
            yield found
        found = letter
    if found:
        yield found


def _continues(before: str, letter: str) -> bool:
    if letter in (_JOINER, _SARA_AM) or before[-1] == _JOINER:
        return True
    if unicodedata.category(letter) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= letter <= "\U0001f3ff":
        return True
    return _is_flag(letter) and len(before) == 1 and _is_flag(before)


def _is_flag(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def graphemes(text: str) -> int:
    """How many letters a reader sees."""
    return len(text) if _ALONE.fullmatch(text) else sum(1 for _ in clusters(text))


def cut(text: str, limit: int) -> str:
    """At most `limit` graphemes; what is cut ends in an ellipsis."""
    whole = list(clusters(text))
    return text if len(whole) <= limit else _ended(whole[: limit - 1])


def cut_utf16(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, never inside a letter; what is cut ends in an ellipsis."""
    if utf16(text) <= limit:
        return text
    return _ended(list(clusters(next(_filled(clusters(text), limit - 1)))))


def _ended(whole: list[str]) -> str:
    """What is left of a cut text, without blanks before the ellipsis; a blank that belongs to a letter stays."""
    while whole and whole[-1].isspace():
        whole.pop()
    return "".join(whole) + "…"


def parted(text: str, limit: int) -> list[str]:
    """The text in parts of at most `limit` UTF-16 units: between paragraphs, else sentences, else letters."""
    if utf16(text) <= limit:
        return [text]
    return [part for part in (each.strip() for each in _filled(_pieces(text, limit), limit)) if part]


def _pieces(text: str, limit: int) -> Iterator[str]:
    for paragraph in re.split(r"(?<=\n\n)", text):
        if utf16(paragraph) <= limit:
            yield paragraph
            continue
        for sentence in _SENTENCE_ENDS.split(paragraph):
            yield from [sentence] if utf16(sentence) <= limit else clusters(sentence)


def _filled(pieces: Iterator[str], limit: int) -> Iterator[str]:
    part, size = "", 0
    for piece in pieces:
        more = utf16(piece)
        if part and size + more > limit:
            yield part
            part, size = "", 0
        part, size = part + piece, size + more
    if part:
        yield part
