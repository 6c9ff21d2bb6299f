"""Amounts of NT dollars in an answer: "5,000萬", "80 million", "5 juta", and what hedges make of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from intents.slots.parsed import UNREADABLE, Parsed, value
from intents.slots.quantities import with_hedge
from knowledge.rules.values import Range

MOST = 10**12
_TIMES: Mapping[str, int] = {
    "億": 100_000_000, "千萬": 10**7, "百萬": 10**6, "十萬": 100_000, "萬": 10_000, "千": 1_000,
    "billion": 10**9, "bilyon": 10**9, "miliar": 10**9, "milyar": 10**9, "tỷ": 10**9, "ty": 10**9,
    "พันล้าน": 10**9, "ร้อยล้าน": 10**8, "สิบล้าน": 10**7, "ล้าน": 10**6, "แสน": 100_000,
    "หมื่น": 10_000, "พัน": 1_000,
    "million": 10**6, "millions": 10**6, "mil": 10**6, "m": 10**6, "milyon": 10**6, "juta": 10**6, "jt": 10**6,
    "nghìn vạn": 10**7, "ngàn vạn": 10**7, "nghin van": 10**7, "ngan van": 10**7, "vạn": 10_000,
    "van": 10_000, "wan": 10_000,
    "triệu": 10**6, "trieu": 10**6, "tr": 10**6, "thousand": 1_000, "k": 1_000, "libo": 1_000,
    "ribu": 1_000, "rb": 1_000,
    "nghìn": 1_000, "ngàn": 1_000, "nghin": 1_000, "ngan": 1_000,
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, _TIMES), key=len, reverse=True))
_PART = re.compile(rf"(?<![\d.,])(\d[\d.,]*)\s*(?:na\s+)?((?:{_UNIT})(?![a-zà-ỹ]))?")
_JOIN = re.compile(r"\s*(?:零|又|and)?\s*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_NOT_MONEY = re.compile(
    r"\d\s*(?:人|名|位|歲|年|月|日|件|%|people|persons?|workers?|employees?|years?|months?|days?|người|orang|คน|ปี|tao|taon)"
)
_SHORT_M = re.compile(r"\d\s*m(?![a-z])")  # a thousand million there, a million elsewhere
_ODD = re.compile(r"(\d{1,4})[多幾餘](億|千萬|百萬|萬)")
_BETWEEN = re.compile(r"\bbetween (.+?) and ")
_SPAN = re.compile(rf"\d\s*(?:{_UNIT})?\s*(?:元|塊)?\s*(?:-|~|到|至|to|sampai|hingga|đến|ถึง|hanggang)\s*(?:nt\$)?\s*\d")


def read_money(text: str, lang: str) -> Parsed:
    """One amount in a tidy text with digits, in full NT$. Two amounts, or a number of something else, are none."""
    if _NOT_MONEY.search(text) or (lang == "id" and _SHORT_M.search(text)):
        return UNREADABLE
    odd = _ODD.search(text)
    text = _ODD.sub(r"\1\2", text)
    text = _BETWEEN.sub(r"\1 to ", text)
    amounts = _amounts(text)
    if len(amounts) == 2 and _SPAN.search(text):
        low, high = _spanned(text, amounts)
        return value(Range(int(low), int(high)), shown_back=True) if low <= high <= MOST else UNREADABLE
    if len(amounts) != 1 or not 0 <= amounts[0] <= MOST:
        return UNREADABLE
    if odd:
        unit = _TIMES[odd[2]]
        return value(Range(int(amounts[0]), int(amounts[0]) + unit * 10 ** (len(odd[1]) - 1)), shown_back=True)
    if "出頭" in text:
        return value(Range(int(amounts[0]), int(amounts[0] * 1.1)), shown_back=True)
    found = with_hedge(text, amounts[0], amounts[0], step=max(1.0, amounts[0] / 10))
    if found.open:
        return value(Range(int(found.lo), MOST), shown_back=True)
    if found.lo != found.hi:
        return value(Range(int(found.lo), int(found.hi)), shown_back=True)
    return value(int(found.lo), shown_back=True)


def _amounts(text: str) -> list[float]:
    """The amounts of a text; "1億2000萬" and "8 million 500 thousand" are one."""
    found: list[float] = []
    end, unit = -1, 0
    for match in _PART.finditer(text):
        times = _TIMES.get(match[2] or "", 1)
        amount = _number(match[1].rstrip(".,")) * times
        joined = found and unit > times and _JOIN.fullmatch(text, end, match.start())
        if joined:
            found[-1] += amount
        else:
            found.append(amount)
        end, unit = match.end(), times
    return found


def _number(written: str) -> float:
    if _GROUPED.fullmatch(written):
        return float(re.sub(r"[.,]", "", written))
    try:
        return float(written.replace(",", "."))
    except ValueError:
        return -1.0


def _spanned(text: str, amounts: list[float]) -> tuple[float, float]:
    """ "4000到6000萬": the unit of the second is meant for both."""
    low, high = amounts
    units = [match[2] for match in _PART.finditer(text)]
    if units[0] is None and units[1] is not None:
        low *= _TIMES[units[1]]
    return low, high
