"""Which lines of a numbered list a typed answer ticks: "1 3 5", "一和三", "1-3", "none", or the words of a line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from intents.slots.number_words import digits
from intents.slots.text import LONGEST, has_phrase, is_question, tidy
from intents.slots.words import Words

_RANGE = re.compile(r"(\d{1,2})\s*(?:-|~|到|至|to|sampai|đến|ถึง|hanggang)\s*(\d{1,2})(?!\d)")
_NUMBER = re.compile(r"\d+")
_AND = re.compile(r"\b(?:at|and|dan|và|va|saka)\b|[和跟與及、]|และ|กับ")
# What may stand between numbers; a word of four letters or more means that the numbers count something else.
_WORDY = re.compile(r"[a-zà-ỹ]{4,}|[\u0e00-\u0e7f]{6,}|[\u4e00-\u9fff]{4,}")
_FILLERS = re.compile(
    r"\b(?:number|numbers|nomor|nomer|item|items|line|lines|option|options|choose|pilih|chọn|then|only|and|dan|và|saka)\b"
    r"|選項|選擇|號碼|還有|以及|เลือกข้อ|เลือก|และ|ข้อ|หมายเลข"
)


def read_ticks(text: str, lang: str, labels: Sequence[str], words: Words) -> frozenset[int] | None:
    """The places (from 0) that are ticked, empty for "none"; None where the text cannot be read."""
    plain = tidy(text[: 2 * LONGEST])
    if not plain or len(plain) > LONGEST or is_question(plain):
        return None
    if any(lexicon.has("no", plain) or lexicon.has("none", plain) for lexicon in words.lexicons(lang)):
        return frozenset()
    named = frozenset(place for place, label in enumerate(labels) if has_phrase(plain, tidy(label)))
    return named or _numbered(digits(_AND.sub(" , ", plain), lang), len(labels))


def _numbered(text: str, count: int) -> frozenset[int] | None:
    if _WORDY.search(_FILLERS.sub(" ", text)):
        return None
    text = _RANGE.sub(lambda m: " ".join(map(str, range(int(m[1]), int(m[2]) + 1))), text)
    numbers = [int(found) for found in _NUMBER.findall(text)]
    if count < 10 and len(numbers) == 1 and numbers[0] > count:  # "135"
        numbers = [int(digit) for digit in str(numbers[0])]
    if not numbers or not all(1 <= number <= count for number in numbers):
        return None
    return frozenset(number - 1 for number in numbers)
