"""Reads one answer: picks the parser of the fact's type and keeps "not sure" and "rather not say" apart."""

from __future__ import annotations

import re
from datetime import date

from intents.slots import lexicon as lex
from intents.slots.choices import read_choice
from intents.slots.dates import find_days, read_days
from intents.slots.money import read_money
from intents.slots.number_words import digits
from intents.slots.parsed import DECLINED, DOES_NOT_KNOW, UNREADABLE, FactLike, Parsed, value
from intents.slots.quantities import read_age, read_count, read_months
from intents.slots.text import LONGEST, is_question, tidy
from intents.slots.words import Words
from intents.slots.yes_no import read_yes_no
from knowledge.rules.values import Born, Days, Since

_BIRTH = re.compile(
    r"生|年次|\bborn\b|\bb-?day\b|\bbirth|\bdob\b|\bsn\b|\bsinh\b|\blahir\b|kelahiran|เกิด|ipinanganak|kaarawan|isinilang"
)
_DAY_FIRST = ("vi", "id", "th")
_SLASHED = re.compile(r"(?<![\d./-])(\d{1,2})\s*[-/.]\s*(0?[1-9]|1[0-2])\s*[-/.]\s*((?:19|20|24|25)\d\d)(?!\d)")
_GOING_ON = re.compile(r"(?<=\d)\s*(?:ปี)?\s*(?:ย่าง|เข้า|going on|jalan|turning)\s*\d{1,2}")
_SHORT_BIRTH_YEAR = re.compile(
    r"((?:\bborn|\blahir|\bkelahiran|\bsinh|\bipinanganak)(?:\s+(?:in|on|năm|nam|tahun|thn|noong|taong))?\s+'?)([3-9]\d)(?![\d./-])"
)
_YEAR_ALONE = re.compile(
    r"(?:民國\s*\d{1,3}\s*年?|(?:19|20|24|25)\d\d\s*年?|(?:民國\s*)?\d{2,4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*[日號]?"
    r"|\d{1,2}\s*[-/.]\s*\d{1,2}\s*[-/.]\s*(?:19|20|24|25)\d\d"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? ?{lex.MONTH_NAME},? ?(?:19|20|24|25)\d\d"
    rf"|{lex.MONTH_NAME} ?\d{{1,2}}(?:st|nd|rd|th)?,? ?(?:19|20|24|25)\d\d)"
)
_BEGAN = re.compile(
    r"畢業|從|自|起|開始|\bsince\b|\bfrom\b|graduat|\blast\b|去年|前年|今年"
    r"|từ|tu thang|tốt nghiệp|sejak|lulus|ตั้งแต่|จบ|mula|nagtapos|ngoái|lalu|ที่แล้ว"
)


def parse(
    fact: FactLike,
    text: str,
    lang: str,
    as_of: date,
    words: Words,
    *,
    after: date | None = None,
    born: Born | None = None,
) -> Parsed:
    """The answer in `text` to the question about `fact`, as of a day. Never raises, never guesses.

    `after`: the day of the asking rule before which an event is undefined (facts with `after`); `born`: the subject's
    days of birth if told, without which "since birth" cannot be read.
    """
    plain = tidy(text[: 2 * LONGEST])
    if lang in _DAY_FIRST:
        plain = _SLASHED.sub(r"\3-\2-\1", plain)
    if not plain or len(plain) > LONGEST:
        return UNREADABLE
    if fact.type == "bool":
        return read_yes_no(fact.id, plain, lang, words, after, as_of)
    whole = _no_answer(plain, lang, words, inside=False)
    if whole is not None:
        return whole
    if fact.type in ("integer", "money", "age") and ("?" in plain or not re.search(r"\d", digits(plain, lang))):
        early = UNREADABLE if is_question(plain) else _no_answer(plain, lang, words, inside=True)
        if early is not None:
            return early
    read = _read(fact, plain, lang, as_of, words, born)
    if read.kind != "unreadable":
        return read
    return _no_answer(plain, lang, words, inside=True) or UNREADABLE


def _no_answer(text: str, lang: str, words: Words, inside: bool) -> Parsed | None:
    for name, answer in (("decline", DECLINED), ("not_sure", DOES_NOT_KNOW)):
        for lexicon in words.lexicons(lang):
            if lexicon.has(name, text) or (inside and lexicon.mentions(name, text)):
                return answer
    return None


def _read(fact: FactLike, text: str, lang: str, as_of: date, words: Words, born: Born | None) -> Parsed:
    if fact.type == "enum":
        return read_choice(fact, text, lang, words)
    numbers = digits(text, lang)
    match fact.type:
        case "age":
            return _age(numbers, as_of)
        case "months":
            return _months(numbers, as_of)
        case "date":
            return read_days(numbers, as_of, born)
        case "integer":
            return read_count(numbers)
        case "money":
            return read_money(numbers, lang)
    return UNREADABLE


def _age(text: str, as_of: date) -> Parsed:
    text = _GOING_ON.sub("", text)
    text = _SHORT_BIRTH_YEAR.sub(r"\g<1>19\2", text)
    if _BIRTH.search(text) or _YEAR_ALONE.fullmatch(text):
        days = find_days(text, as_of)
        if days is not None:
            return _born(days, as_of)
        if "年次" in text:
            return UNREADABLE
    return read_age(text, as_of)


def _born(days: Days, as_of: date) -> Parsed:
    if days.hi > as_of or days.lo.year < 1890:
        return UNREADABLE
    return value(Born(days.lo, days.hi), shown_back=True)


def _months(text: str, as_of: date) -> Parsed:
    duration = read_months(text, as_of)
    if duration.kind == "value" and not _BEGAN.search(text):
        return duration
    days = find_days(text, as_of)
    if days is not None and days.lo <= as_of and (_BEGAN.search(text) or _YEAR_ALONE.fullmatch(text)):
        return value(Since(days.lo, min(days.hi, as_of)), shown_back=True)
    return duration
