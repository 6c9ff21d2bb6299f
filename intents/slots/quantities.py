"""Ages, counts and durations in an answer, with "about", "almost", "less than" and "more than"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from intents.slots import lexicon as lex
from intents.slots.parsed import UNREADABLE, Parsed, value
from knowledge.rules.spans import OPEN_PAST, begun_before, born_at_age
from knowledge.rules.values import Born, Range, Since, Value

OLDEST = 130
LONGEST_MONTHS = 720
MOST = 10_000_000
_SPAN = re.compile(
    r"(\d{1,7}(?:\.\d)?)\s*(?:-|~|到|至|或|to|or|sampai|hingga|đến|ถึง|hanggang)\s*(\d{1,7}(?:\.\d)?)(?!\d)"
)
_THOUSANDS = re.compile(r"(?<=\d)[.,](?=\d{3}(?!\d))")
_ORDINAL = re.compile(r"第\s*\d|第一|lần thứ|lan thu|ครั้งที่|คนที่|\bke-?\d|\bpang-?\d|\d(?:st|nd|rd|th)\b|\bfirst\b")
_AT_LEAST = re.compile(
    r"以上|至少|\b(?:at least|or more|or older)\b|\+|ít nhất|trở lên|tro len"
    r"|\bminimal\b|\bke atas\b|อย่างน้อย|ขึ้นไป|\bpataas\b"
)
_BETWEEN = re.compile(r"\bbetween (\d[\d.,]*) and (?=\d)")
_NOT_ONE = re.compile(r"\b(?:ni|kahit|even|not even) (?:1|isa|isang|one)\b|(?:沒|一次).{0,2}1次(?=都|也)")
_BRACKETS = re.compile(r"\([^()]*\)")
_AND_A_BIT = re.compile(  # "five months and a bit": what follows the unit adds less than one of them
    r"\d ?個多月|(?<![.])\d ?年多|(?:months?|years?) (?:and )?(?:something|plus|a bit)"
    r"|(?:bulan|tahun) lebih|(?:เดือน|ปี)กว่า|(?:tháng|năm|thang|nam) (?:hơn|hon)\b|(?:buwan|taon)(?: na)? mahigit"
)
_NEAR_YEAR = re.compile(r"(?:tháng|thang) \d{1,2} (?:năm|nam) (?:ngoái|ngoai|trước|truoc|nay)")
_INCLUSIVE = re.compile(
    r"以下|以內|\bwithin\b|\bat most\b|\bup to\b|\bor (?:fewer|less)\b|tối đa|trở xuống|toi da|tro xuong"
    r"|\bmaksimal\b|\bke bawah\b|ไม่เกิน|\bpababa\b|\b(?:lalampas|hihigit)\b"
)
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d(?!\d))")
_NUMBER = re.compile(r"(?<![\d.])-?\d{1,9}(?:,\d{3})*(?:\.\d+)?")
_AGE = re.compile(rf"(?<![\d./-]){lex.NUMBER}{lex.LINK}(?:多|幾|餘|\s?something|\s?ish)?\s*{lex.AGE}(?!前|後|ago|lalu)")
_VIET_AGE = re.compile(r"(?:tuổi|tuoi|umur|usia|edad|อายุ|age|aged)\s*(?:ko|saya|là|la|is|ay|:)?\s*(\d{1,3})(?!\d)")
_ALIEN = re.compile(
    r"\d\s*(?:個月|月|日|號|天|週|星期|元|塊|萬|公斤|公分|樓|點|分鐘|小時|次|%|months?|times?|weeks?|days?|dollars?|ntd?|kg|km|hours?"
    r"|minutes?|percent|lần|kali|beses|tháng|bulan|เดือน|buwan)"
)
_FEW = re.compile(
    r"幾個月|好幾個月|\b(?:few|several|some) months\b|mấy tháng|vài tháng|beberapa bulan|หลายเดือน|ilang buwan"
)
_JUST_NOW = re.compile(
    r"剛畢業|剛剛畢業|\bjust graduated\b|mới tốt nghiệp|baru lulus|เพิ่งจบ|kaka-?graduate|kakagraduate"
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as meant: between `lo` and `hi`, `open` if there is no upper bound; `rough` if it was interpreted."""

    lo: float
    hi: float
    open: bool = False
    rough: bool = False


_NOT_ONCE = re.compile(r"[01]次(?:都|也)|\b(?:not|never)(?: even)? 1(?: times?)?\b")


def read_age(text: str, as_of: date) -> Parsed:
    """An age in years (not a date of birth), as an interval of days of birth."""
    amount = _amount(text, _numbers(text, _AGE, _VIET_AGE), whole=True)
    if amount is None or amount.lo < 0 or amount.hi > OLDEST:
        return UNREADABLE
    lo, hi = int(amount.lo), int(amount.hi)
    if lex.NOMINAL_AGE.search(text):
        lo, hi = max(0, lo - 2), max(0, hi - 1)
    first, last = born_at_age(OLDEST if amount.open else hi, as_of)[0], born_at_age(lo, as_of)[1]
    return value(Born(first, last), shown_back=amount.rough or lo != hi or not _is_plain(text, lex.AGE))


def read_count(text: str) -> Parsed:
    """How many times, or how many people."""
    text = _BETWEEN.sub(r"\1 to ", _THOUSANDS.sub("", text))
    text = _NOT_ONE.sub("", _BRACKETS.sub("", text))
    if lex.NONE_YET.search(text) and not _numbers(_NOT_ONCE.sub("", text)):
        return value(0, shown_back=True)
    if _ORDINAL.search(text):
        return UNREADABLE
    pattern = re.compile(rf"(?<![\d.]){lex.NUMBER}{lex.LINK}(?:{lex.TIMES}|{lex.PEOPLE})")
    amount = _amount(text, _numbers(text, pattern), whole=True, counted=True)
    if amount is None or amount.lo < 0 or amount.hi > MOST:
        return UNREADABLE
    read: Value = (
        int(amount.lo) if amount.lo == amount.hi and not amount.open else Range(int(amount.lo), int(amount.hi))
    )
    if amount.open:
        read = Range(int(amount.lo), MOST)
    return value(read, shown_back=amount.rough or not _is_plain(text, f"(?:{lex.TIMES}|{lex.PEOPLE})"))


def read_months(text: str, as_of: date) -> Parsed:
    """A duration, as the interval of days on which it began; a bare number means months."""
    if _NEAR_YEAR.search(text):
        return UNREADABLE  # a date, "June last year", which in Vietnamese holds a number before the word for year
    text = _DECIMAL_COMMA.sub(".", text)
    if _JUST_NOW.search(text) and not _NUMBER.search(text):
        return value(Since(*begun_before(0, as_of)), shown_back=True)
    if _FEW.search(text):
        return value(Since(begun_before(11, as_of)[0], begun_before(2, as_of)[1]), shown_back=True)
    days = _in_days(text)
    if days is not None:
        return _lasted_days(days, as_of)
    months = _in_months(text)
    if months is None or months.hi > LONGEST_MONTHS or months.lo < 0:
        return UNREADABLE
    first = OPEN_PAST if months.open else begun_before(months.hi, as_of)[0]
    last = as_of if months.lo == 0 and months.rough else begun_before(months.lo, as_of)[1]
    return value(Since(min(first, last), last), shown_back=months.rough or not _is_plain(text, lex.MONTH))


def _lasted_days(days: int, as_of: date) -> Parsed:
    if days > 30 * LONGEST_MONTHS:
        return UNREADABLE
    day = as_of - timedelta(days=days)
    return value(Since(day, day), shown_back=True)


def _in_days(text: str) -> int | None:
    """Days and weeks, where no month or year is named."""
    if re.search(rf"\d{lex.LINK}(?:{lex.MONTH}|{lex.YEAR})", text) or _hedged(text):
        return None
    weeks = re.findall(rf"(?<![\d.])(\d{{1,4}}){lex.LINK}{lex.WEEK}", text)
    days = re.findall(rf"(?<![\d.])(\d{{1,5}}){lex.LINK}{lex.DAY}", text)
    if len(weeks) > 1 or len(days) > 1 or not (weeks or days):
        return None
    return sum(int(number) * 7 for number in weeks) + sum(int(number) for number in days)


def _in_months(text: str) -> Amount | None:
    """The duration in months; a whole number of months or years means "so many and a bit"."""
    half = r"(\s*(?:半|rưỡi|ruoi|setengah|ครึ่ง|at kalahati))?"
    years = re.findall(rf"(?<![\d.-]){lex.NUMBER}{lex.LINK}{lex.YEAR}{half}", text)
    months = re.findall(rf"(?<![\d.-]){lex.NUMBER}{lex.LINK}(?:個半月|{lex.MONTH}){half}", text)
    span = _SPAN.search(text)
    if span:
        factor = 12 if years and not months else 1
        return _ordered(float(span[1]) * factor, float(span[2]) * factor)
    if len(years) > 1 or len(months) > 1:
        return None
    if not years and not months:
        return _bare_months(text)
    if years and months and "." in years[0][0]:  # "half a year, say five months": two ways to say it, no sum
        lo, hi = sorted((float(years[0][0]) * 12, float(months[0][0])))
        return Amount(lo, hi, rough=True)
    total = sum((float(n) + (0.5 if h else 0)) * 12 for n, h in years)
    total += sum(float(n) + (0.5 if h or "個半月" in text else 0) for n, h in months)
    if _AND_A_BIT.search(text):
        return Amount(total, total + (11 if years and not months else 0), rough=True)
    bit = 11 if years and not months and total % 12 == 0 else 0
    return with_hedge(text, total, total + bit, step=max(1.0, round(total / 10)))


def _bare_months(text: str) -> Amount | None:
    numbers = _numbers(text)
    if len(numbers) != 1 or _ALIEN.search(text) or re.search(r"[a-z]{4,}", text):
        return None
    return with_hedge(text, numbers[0], numbers[0], step=1)


def _ordered(lo: float, hi: float) -> Amount | None:
    return Amount(lo, hi, rough=True) if lo <= hi else None


def _numbers(text: str, *patterns: re.Pattern[str]) -> list[float]:
    """The numbers that stand with one of the units, or else all numbers."""
    for pattern in patterns:
        found = [float(match[1]) for match in pattern.finditer(text)]
        if found:
            return found
    return [float(match[0].replace(",", "")) for match in _NUMBER.finditer(text)] if not patterns else _lone(text)


def _lone(text: str) -> list[float]:
    return [] if _ALIEN.search(text) else _numbers(text)


def _amount(text: str, numbers: list[float], whole: bool, counted: bool = False) -> Amount | None:
    span = _SPAN.search(text)
    if span and not re.search(r"\d[/-]\d+[/-]\d", text):
        return _ordered(float(span[1]), float(span[2]))
    if len(set(numbers)) != 1 or (whole and numbers[0] != int(numbers[0])):
        return None
    return with_hedge(
        text, numbers[0], numbers[0], step=max(1, round(numbers[0] / 10)) if counted else 1, whole=counted
    )


def _is_plain(text: str, unit: str) -> bool:
    """A number with its unit, or a bare one, and hardly anything else."""
    return (
        re.fullmatch(rf"(?:我|i am |i'm |he is |she is )?{lex.NUMBER}{lex.LINK}{unit}?(?:了| po| na)?[.。!]?", text)
        is not None
    )


def _hedged(text: str) -> bool:
    return any(hedge.search(text) for hedge in (lex.ABOUT, lex.ALMOST, lex.LESS, lex.MORE, lex.ODD))


def with_hedge(text: str, lo: float, hi: float, step: float, whole: bool = False) -> Amount:
    """What "about", "almost", "less than", "more than" and "sixty-something" make of a number."""
    odd = lex.ODD.search(text)
    if lex.LESS.search(text):
        inclusive = _INCLUSIVE.search(text)
        return Amount(0, lo if inclusive else max(0, lo - 1), rough=True)
    if lex.ALMOST.search(text):
        return Amount(max(0, lo - step), max(0, lo - 1), rough=True)
    if odd and "出頭" in text:
        return Amount(lo, lo + 3, rough=True)
    if (
        odd
        and lo >= 10
        and lo % 10 == 0
        and odd[0].strip() in ("多", "幾", "餘", "something", "ish", "-ish", "an", "-an", "s", "'s", "mấy")
    ):
        return Amount(lo, lo + 9, rough=True)
    if lex.MORE.search(text) and not _AT_LEAST.search(text) and lo == int(lo) and whole:
        return Amount(lo + 1, hi + 1, open=True, rough=True)
    if odd or lex.MORE.search(text):
        return Amount(lo, hi, open=True, rough=True)
    if lex.ABOUT.search(text):
        return Amount(max(0, lo - step), hi + step, rough=True)
    return Amount(lo, hi)
