"""Dates in an answer as intervals of days: Western, ROC and Buddhist years, month names, "last June", "for ages"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from intents.slots import lexicon as lex
from intents.slots.parsed import UNREADABLE, Parsed, value
from knowledge.rules.spans import OPEN_PAST, add_months, begun_before, last_of_month
from knowledge.rules.values import Born, Days

_ROC = 1911
_BUDDHIST = 543
_SEP = r"\s*[-/.年]\s*"
_N2 = r"(\d{1,2})"
_Y4 = r"(?<![\d.])(\d{4})"
_DAY_END = r"\s*(?:日|號)?(?!\d)"
_TH_YEAR = r"(?:,?\s*(?:of\s+)?(?:năm\s+|nam\s+|tahun\s+|พ\.ศ\.\s*|ค\.ศ\.\s*|ปี\s*)?)"

_MINGUO = re.compile(r"(?:năm )?dân quốc|(?:nam )?dan quoc|\bmin ?guo\b|(?:ปี)?(?:หมินกั๋ว|มินกั๋ว|หมินกว๋อ)")
_YM_NAMED = re.compile(rf"{_Y4}\s+{lex.MONTH_NAME}(?!\s*\d)")
_BEFORE_ROC = re.compile(r"民國?前\s*(\d{1,2})\s*年?")
_YMD = re.compile(rf"{_Y4}{_SEP}{_N2}\s*[-/.月]\s*{_N2}{_DAY_END}")
_ROC_YMD = re.compile(rf"(?<![\d./-])(?:(?:民國|roc)\s*|(?=\d\d))(\d{{1,3}}){_SEP}{_N2}\s*[-/.月]\s*{_N2}{_DAY_END}")
_DMY = re.compile(rf"(?<![\d.]){_N2}\s*[-/.]\s*{_N2}\s*[-/.]\s*(\d{{4}})(?!\d)")
_COMPACT = re.compile(r"(?<!\d)(19\d\d|20\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])(?!\d)")
_COMPACT_ROC = re.compile(r"(?<!\d)(0\d\d|1[01]\d)(0[1-9]|1[0-2])([0-2]\d|3[01])(?!\d)")
_MDY_NAMED = re.compile(rf"\b{lex.MONTH_NAME}\s*(\d{{1,2}})(?:st|nd|rd|th)?{_TH_YEAR}(\d{{4}})(?!\d)")
_DMY_NAMED = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?(?: of| ng)?\s*{lex.MONTH_NAME}{_TH_YEAR}(\d{{4}})(?!\d)")
_DMY_VIET = re.compile(
    r"(?<!\d)(?:ngày\s+|ngay\s+)?(\d{1,2})\s*(?:tháng|thang)\s*(\d{1,2})\s*,?\s*(?:năm|nam)\s*(\d{4})"
)
_YM = re.compile(rf"{_Y4}\s*(?:[-/]|年\s*)(0?[1-9]|1[0-2])\s*月?(?![\d/-])")
_ROC_YM = re.compile(
    r"(?<![\d./-])(?:(?:民國|roc)\s*|(?=\d\d))(\d{1,3})\s*(?:年\s*(0?[1-9]|1[0-2])\s*月|/(0?[1-9]|1[0-2])(?![\d/]))"
)
_MY_NAMED = re.compile(rf"{lex.MONTH_NAME}{_TH_YEAR}(\d{{4}})(?!\d)")
_MY_VIET = re.compile(r"(?:tháng|thang)\s*(\d{1,2})\s*,?\s*(?:năm\s*|nam\s*|/\s*)?(\d{4})(?!\d)")
_MY = re.compile(r"(?<![\d/.])(0?[1-9]|1[0-2])\s*[/-]\s*(\d{4})(?![\d/-])")
_DECADE = re.compile(r"(?<!\d)((?:19|20)\d0)\s*(?:'?s\b|年代)|(?<!\d)(\d0)(?:'?s\b|\s*年代)")
_ROC_DECADE = re.compile(r"(?:民國\s*|(?=[4-9]0\s*幾))(\d{1,2}0)(?:\s*(?:幾|多|餘)\s*年(?!了|前)|\s*年代)")
_ROC_YEAR = re.compile(r"(?:民國|roc)\s*(\d{1,3})\s*年?(?!\d)")
_YEAR = re.compile(r"(?<![\d.,$])((?:19|20|24|25)\d\d)(?!\d|\s*(?:元|塊|人))")
_SHORT_YEAR = re.compile(r"(?<![\d./-])(\d{1,3})\s*年(?:次|生|出生)?(?!\s*(?:前|以前|了|多|來|級))")
_LAST_YEAR = (
    (re.compile(r"前年|\byear before last\b"), 2),
    (
        re.compile(
            r"去年|\blast year\b|năm ngoái|nam ngoai|năm trước"
            r"|tahun (?:lalu|kemarin)|ปีที่แล้ว|ปีก่อน|nakaraang taon|last taon"
        ),
        1,
    ),
    (re.compile(r"今年|\bthis year\b|năm nay|nam nay|tahun ini|ปีนี้|ngayong taon"), 0),
)
_LAST_MONTH = re.compile(
    r"上個?月|\blast month\b|tháng trước|tháng rồi|thang truoc|bulan (?:lalu|kemarin)|เดือนที่แล้ว|เดือนก่อน|nakaraang buwan"
)
_THIS_MONTH = re.compile(r"這個?月|本月|\bthis month\b|tháng này|thang nay|bulan ini|เดือนนี้|ngayong buwan")
_MONTH_DAY = re.compile(rf"(?<!\d){_N2}\s*月\s*{_N2}\s*(?:日|號)")
_MONTH_ONLY = re.compile(rf"(?<![\d個]){_N2}\s*月(?!\d)|(?:tháng|thang)\s*(\d{{1,2}})(?!\d)|(?<![a-z]){lex.MONTH_NAME}")
_AGO = re.compile(
    rf"(?<![\d.])(\d{{1,3}}(?:\.\d)?)\s*(?:多|幾|餘)?{lex.LINK}({lex.YEAR}|{lex.MONTH})(?:多)?\s*"
    r"(?:以前|之前|前|ago|trước|truoc|(?:yang )?lalu|ที่แล้ว|ก่อน|(?:na )?ang nakalipas|ang nakaraan)"
)
_FOR = re.compile(
    rf"(?:住|設籍|了|滿|\bfor|\bsudah|\budah|\budh|\bsdh|\bselama|\bđã|\bda|\bđược|\btrong|มา|\bmga|since)"
    rf"[^\d]{{0,8}}(\d{{1,2}})\s*(?:多|幾|餘)?{lex.LINK}({lex.YEAR})"
    rf"|(?<![\d.])(\d{{1,2}})\s*(?:多|幾|餘)?{lex.LINK}({lex.YEAR})(?:多|半)?\s*(?:了|now|rồi|แล้ว|na\b|already)"
)
_DECADES = re.compile(r"(?:好)?幾10年|數10年|\bdecades\b|hàng chục năm|puluhan tahun|หลาย(?:สิบ|10)ปี")
_FROM_BIRTH = re.compile(
    r"出生(?:就|後|以後|時|開始|到現在)|從出生|一出生|自出生"
    r"|\bsince (?:i was |he was |she was )?(?:birth|born)|\bborn (?:here|in new taipei|there)"
    r"|\bfrom birth|sejak lahir|từ khi sinh|tu khi sinh|ตั้งแต่เกิด|mula (?:nang )?(?:ipinanganak|isilang|pagkasilang)"
)
_FROM_CHILDHOOD = re.compile(
    r"從小|自小|自幼|打從小|一直(?:都|以來)?(?:是|在|住|設)"
    r"|\bsince (?:i was |he was |she was )?(?:a )?(?:child|childhood|kid|little)"
    r"|\balways\b|\bmy (?:whole|entire) life|\ball my life|\bwhole life"
    r"|sejak kecil|từ nhỏ|tu nho|ตั้งแต่เด็ก|mula pagkabata"
)
_SINCE_AGE = re.compile(
    r"(\d{1,2})\s*歲(?:就|開始|起|時|那年|的時候|遷|搬|設)"
    r"|\bsince (?:i|he|she) was (\d{1,2})\b|\bat (?:the )?age (?:of )?(\d{1,2})\b"
)
_UNTIL = re.compile(r"以前|\bbefore\b|\bsebelum\b|\bbago\b|trước|truoc|ก่อน|(?<!\d)之前|(?<=[年月日號\d])\s*前")
_STRICTLY = re.compile(r"\bbefore\b|之前|\bsebelum\b|\bbago\b|trước|truoc|ก่อน")
_FROM = re.compile(r"以後|之後|\bafter\b|\bsetelah\b|\bpagkatapos\b|sau\b|หลัง|(?<=[年月日號\d])\s*後")


@dataclass(frozen=True, slots=True)
class _Found:
    """An interval, where it stands in the text, and whether it was interpreted."""

    days: Days
    start: int
    end: int
    rough: bool = False


def read_days(text: str, as_of: date, born: Born | None = None) -> Parsed:
    """A past day or interval of days in a tidy text with digits; `born` gives "since birth" a meaning."""
    found = find_days(text, as_of, born)
    if found is None or found.lo > as_of:
        return UNREADABLE
    days = Days(found.lo, min(found.hi, as_of))
    exact = days.lo == days.hi and _YMD.fullmatch(text) is not None
    return value(days.lo if days.lo == days.hi else days, shown_back=not exact)


def find_days(text: str, as_of: date, born: Born | None = None) -> Days | None:
    """The one interval a text names, or None if it names none, several, or an impossible one."""
    text = _MINGUO.sub("民國", text)
    first = _first(text, as_of, born)
    if first is None:
        return None
    rest = text[: first.start] + " " * (first.end - first.start) + text[first.end :]
    second = _first(rest, as_of, born)
    if second is not None and (second.days.hi < first.days.lo or second.days.lo > first.days.hi):
        between = rest[min(first.end, second.end) : max(first.start, second.start)]
        if not re.fullmatch(
            r"\s*(?:年)?\s*(?:-|~|到|至|或|to|or|and|sampai|hingga|đến|ถึง|hanggang)\s*(?:民國)?\s*", between
        ):
            return None
        return Days(min(first.days.lo, second.days.lo), max(first.days.hi, second.days.hi))
    return _bounded(text, first, as_of)


def first_dated(text: str, as_of: date) -> Days | None:
    """The first day or year that is named by its number, without durations and "last year"."""
    exact = (_try(make, match) for pattern, make in _EXACT for match in [pattern.search(text)] if match)
    named = next((days for days in exact if days), None)
    if named is not None:
        return named
    year = _YEAR.search(text) or re.search(r"(?<!\d)(?:[7-9]\d|1\d\d)(?=\s*年)", text)
    found = _by_year(f"{year[0]}年", as_of) if year else None
    return found.days if found else None


def _bounded(text: str, found: _Found, as_of: date) -> Days:
    days = found.days
    around = text[max(0, found.start - 10) : found.end + 6]
    if not found.rough and _UNTIL.search(around):
        last = days.lo - timedelta(days=1) if _STRICTLY.search(around) else days.hi
        return Days(min(OPEN_PAST, last), last)
    if not found.rough and _FROM.search(around):
        return Days(days.lo, max(days.lo, as_of))
    if lex.ABOUT.search(text) and days.lo != OPEN_PAST:
        margin = 366 if (days.hi - days.lo).days > 31 else 31
        return Days(days.lo - timedelta(days=margin), days.hi + timedelta(days=margin))
    return days


def _first(text: str, as_of: date, born: Born | None) -> _Found | None:
    """The most exact reading first; an impossible date ends the search rather than being read as something else."""
    for pattern, make in _EXACT:
        match = pattern.search(text)
        if match:
            days = _try(make, match)
            return _Found(days, *match.span(), rough=pattern is _DECADE) if days else None
    return _since_birth(text, born) or _relative(text, as_of) or _by_year(text, as_of)


def _try(make: Callable[[re.Match[str]], Days], match: re.Match[str]) -> Days | None:
    try:
        return make(match)
    except (ValueError, OverflowError):
        return None


def _western(year: str | int) -> int:
    number = int(year)
    return number - _BUDDHIST if number >= 2400 else number


def _day(year: str | int, month: str | int, day: str | int) -> Days:
    found = date(_western(year), _month_number(month), int(day))
    return Days(found, found)


def _month_number(month: str | int) -> int:
    return lex.MONTH_NAMES.get(month) or int(month) if isinstance(month, str) else month


def _month(year: str | int, month: str | int) -> Days:
    first = date(_western(year), _month_number(month), 1)
    return Days(first, last_of_month(first.year, first.month))


def _year(year: int, last: int | None = None) -> Days:
    return Days(date(year, 1, 1), date(last or year, 12, 31))


def _either(first: str, second: str, year: str) -> Days:
    """12/07/2012: day first or month first; both if both are possible."""
    found = []
    for month, day in ((second, first), (first, second)):
        try:
            found.append(_day(year, month, day).lo)
        except ValueError:
            continue
    return Days(min(found), max(found))


def _decade(match: re.Match[str]) -> Days:
    start = int(match[1]) if match[1] else 1900 + int(match[2])
    return _year(start, start + 9)


_EXACT: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Days]], ...] = (
    (_YMD, lambda m: _day(m[1], m[2], m[3])),
    (_DMY, lambda m: _either(m[1], m[2], m[3])),
    (_ROC_YMD, lambda m: _day(int(m[1]) + _ROC, m[2], m[3])),
    (_COMPACT, lambda m: _day(m[1], m[2], m[3])),
    (_COMPACT_ROC, lambda m: _day(int(m[1]) + _ROC, m[2], m[3])),
    (_MDY_NAMED, lambda m: _day(m[3], m[1], m[2])),
    (_DMY_NAMED, lambda m: _day(m[3], m[2], m[1])),
    (_DMY_VIET, lambda m: _day(m[3], m[2], m[1])),
    (_YM, lambda m: _month(m[1], m[2])),
    (_ROC_YM, lambda m: _month(int(m[1]) + _ROC, m[2] or m[3])),
    (_YM_NAMED, lambda m: _month(m[1], m[2])),
    (_MY_NAMED, lambda m: _month(m[2], m[1])),
    (_MY_VIET, lambda m: _month(m[2], m[1])),
    (_MY, lambda m: _month(m[2], m[1])),
    (_ROC_DECADE, lambda m: _year(int(m[1]) + _ROC, int(m[1]) + _ROC + 9)),
    (_DECADE, _decade),
    (_BEFORE_ROC, lambda m: _year(_ROC + 1 - int(m[1]))),
    (_ROC_YEAR, lambda m: _year(int(m[1]) + _ROC)),
)


def _since_birth(text: str, born: Born | None) -> _Found | None:
    if born is None:
        return None
    match = _FROM_BIRTH.search(text)
    if match:
        return _Found(Days(born.lo, born.hi), *match.span(), rough=True)
    match = _FROM_CHILDHOOD.search(text)
    if match:
        return _Found(Days(born.lo, add_months(born.hi, 12 * 12)), *match.span(), rough=True)
    match = _SINCE_AGE.search(text)
    if not match:
        return None
    years = int(next(group for group in match.groups() if group))
    return _Found(
        Days(add_months(born.lo, 12 * years), add_months(born.hi, 12 * years + 12)), *match.span(), rough=True
    )


def _relative(text: str, as_of: date) -> _Found | None:
    match = _DECADES.search(text)
    if match:
        return _Found(Days(OPEN_PAST, add_months(as_of, -240)), *match.span(), rough=True)
    match = _AGO.search(text)
    if match:
        return _Found(_ago(float(match[1]), match[2], as_of), *match.span(), rough=True)
    match = _FOR.search(text)
    if match:
        return _Found(_ago(float(match[1] or match[3]), "年", as_of), *match.span(), rough=True)
    for pattern, days in ((_LAST_MONTH, add_months(as_of, -1)), (_THIS_MONTH, as_of)):
        match = pattern.search(text)
        if match:
            return _Found(_month(days.year, days.month), *match.span())
    return _in_near_year(text, as_of)


def _ago(number: float, unit: str, as_of: date) -> Days:
    """N years ago: people round, so half a year either way, and a year either way from ten years on."""
    months = number * (12 if re.match(lex.YEAR, unit) else 1)
    around = 0 if months < 12 else (6 if months < 120 else 12)
    return Days(begun_before(int(months) + around, as_of)[0], begun_before(max(0, int(months) - around), as_of)[1])


def _in_near_year(text: str, as_of: date) -> _Found | None:
    """Last year, this year, each with a month or without; a month alone is the latest one that has begun."""
    month, where = _named_month(text)
    if month is None and where:
        return None
    for pattern, back in _LAST_YEAR:
        match = pattern.search(text)
        if match:
            start, end = (
                min(match.start(), where[0] if where else match.start()),
                max(match.end(), where[1] if where else 0),
            )
            return _Found(_month(as_of.year - back, month) if month else _year(as_of.year - back), start, end)
    if month is None or where is None:
        return None
    day = _MONTH_DAY.search(text)
    year = as_of.year if (month, int(day[2]) if day else 1) <= (as_of.month, as_of.day) else as_of.year - 1
    days = _day_or_none(year, month, day[2]) if day else _month(year, month)
    if days and year == as_of.year and re.search(rf"\blast {lex.MONTH_NAME}", text):
        days = Days(_month(year - 1, month).lo, days.hi)  # "last June" in November: this year's, or the one before
    return _Found(days, *where) if days else None


def _day_or_none(year: int, month: int, day: str) -> Days | None:
    try:
        return _day(year, month, day)
    except ValueError:
        return None


def _named_month(text: str) -> tuple[int | None, tuple[int, int] | None]:
    match = _MONTH_DAY.search(text) or _MONTH_ONLY.search(text)
    if not match:
        return None, None
    month = _month_number(next(group for group in match.groups() if group))
    return (month if 1 <= month <= 12 else None), match.span()


def _by_year(text: str, as_of: date) -> _Found | None:
    match = _YEAR.search(text)
    if match:
        return _Found(_year(_western(match[1])), *match.span())
    match = _SHORT_YEAR.search(text)
    if not match:
        return None
    number = int(match[1])
    roc = _year(number + _ROC) if number else None
    if roc is None or number + _ROC > as_of.year + 1:
        return None
    if number >= 70 or re.search(r"年(?:次|生|出生)", match[0]):
        return _Found(roc, *match.span())
    # "30年" may be the ROC year 30 or thirty years; both stay possible.
    ago = _ago(number, "年", as_of)
    return _Found(Days(min(roc.lo, ago.lo), max(roc.hi, ago.hi)), *match.span(), rough=True)
