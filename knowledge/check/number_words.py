"""Finds number words in Chinese and English text, with the numbers they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "兩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_GROUPS = {"萬": 10**4, "億": 10**8}
_RUN = re.compile(f"[{''.join([*_DIGITS, *_UNITS, *_GROUPS])}]+")

_CHINESE_HALVES = {"半年": 6, "一半": 50, "減半": 50}
_ENGLISH_HALVES = {"half a year": 6, "half-year": 6, "half of": 50, "by half": 50}

# One numeral alone is a number only before a counter: 四次, not 一案到底 or 三重.
_COUNTERS = frozenset("歲年個月分次人條項屆日元家種類處國所倍成名位間小時天週期件張場級大%％")

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ENGLISH = {word: value for value, word in enumerate(_ONES)}
_ENGLISH |= {word: 10 * tens for tens, word in enumerate(_TENS, 2)}
_ENGLISH |= {"once": 1, "twice": 2, "thrice": 3, "dozen": 12}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6}
_ENGLISH_RUN = re.compile(
    rf"\b(?:{'|'.join([*_ENGLISH, *_SCALES])})(?:(?:[\s-]+(?:and\s+)?)(?:{'|'.join([*_ENGLISH, *_SCALES])}))*\b",
    re.IGNORECASE,
)


def chinese_numbers(text: str) -> Iterator[tuple[str, int]]:
    """Each Chinese number word of the text, with its value."""
    for match in _RUN.finditer(text):
        word, after, before = match[0], text[match.end() : match.end() + 1], text[match.start() - 1 : match.start()]
        if len(word) == 1 and after not in _COUNTERS and before != "第":
            continue
        value = _chinese_value(word)
        if value is not None:
            yield word, value * 10 if after == "成" else value
    yield from ((word, value) for word, value in _CHINESE_HALVES.items() if word in text)


def _chinese_value(word: str) -> int | None:
    if all(sign in _DIGITS for sign in word):
        return int("".join(str(_DIGITS[sign]) for sign in word))
    total = group = digit = 0
    for sign in word:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in _UNITS:
            group += (digit or 1) * _UNITS[sign]
            digit = 0
        else:
            if not group and not digit:
                return None
            total += (group + digit) * _GROUPS[sign]
            group = digit = 0
    return total + group + digit


def english_numbers(text: str) -> Iterator[tuple[str, int]]:
    """Each English number word of the text, with its value."""
    for match in _ENGLISH_RUN.finditer(text):
        yield match[0], _english_value(match[0].lower())
    yield from ((words, value) for words, value in _ENGLISH_HALVES.items() if words in text.lower())


def _english_value(words: str) -> int:
    total = group = 0
    for word in re.split(r"[\s-]+", words):
        if word in _SCALES:
            group = max(group, 1) * _SCALES[word]
            if _SCALES[word] >= 1000:
                total, group = total + group, 0
        elif word != "and":
            group += _ENGLISH[word]
    return total + group
