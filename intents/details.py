"""Details told in passing: ages, amounts, dates, durations, company sizes, districts; cut out as they were written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from intents.normalise import plain
from intents.phrases import Hit, of_kind
from intents.result import Detail
from intents.slots import lexicon as lex
from intents.slots.number_words import digits

DISTRICT = "district"
MOST = 8
"""Details kept of one message."""

_CURRENCY_BEFORE = r"(?:nt\$|ntd|nt|twd|\$|台幣|新台幣)\s*"
_CURRENCY_AFTER = (
    rf"(?:元|塊錢?|圓|nt\$|ntd|nt{lex.END}|twd|dollars?{lex.END}|đài tệ|dai te|tệ|บาท|หยวน|เหรียญ|dolar{lex.END}|piso)"
)
_SIZE = (
    r"(?:\d{1,3}(?:,\d{3})+|\d{1,9}(?:\.\d+)?)"
    r"\s*(?:萬|千|k\b|ribu|juta|nghìn|ngàn|triệu|vạn|van\b|หมื่น|พัน|แสน|thousand|million|mil\b)?"
)
_ROC_DATE = r"(?:民國)?\s*\d{2,4}\s*年\s*\d{1,2}\s*月(?:\s*\d{1,2}\s*[日號])?"
_LATIN_DATE = (
    rf"\d{{1,2}}\s*(?:ng\s|of\s)?{lex.MONTH_NAME}(?:\s*,?\s*\d{{4}})?|{lex.MONTH_NAME}\s*\d{{1,4}}(?:\s*,\s*\d{{4}})?"
)
_VIET_DATE = r"(?:ngày|ngay)\s*\d{1,2}\s*(?:tháng|thang|/|-)\s*\d{1,2}(?:\s*(?:năm|nam|/|-)\s*\d{4})?"

# The order matters: what one kind has taken, a later one does not read again.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "date",
        re.compile(
            rf"{_ROC_DATE}|{_VIET_DATE}|{_LATIN_DATE}|\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/]\d{{1,2}}[-/]\d{{4}}"
            r"|民國\s*\d{1,3}\s*年|(?<![\d.,$])(?:19|20)\d\d(?![\d,.]|\s*(?:元|塊|人|萬))"
        ),
    ),
    ("amount", re.compile(rf"{_CURRENCY_BEFORE}{_SIZE}|{_SIZE}\s*{_CURRENCY_AFTER}|\d+(?:\.\d+)?\s*萬")),
    (
        "age",
        re.compile(
            rf"{lex.NUMBER}\s*(?:足|實)?歲|{lex.NUMBER}{lex.LINK}(?:years?[ -]?old|yrs?[ -]?old|y\.?/?o){lex.END}"
            rf"|{lex.NUMBER}\s*(?:tuổi|tuoi|anyos|ขวบ)"
            r"|(?:umur|usia|อายุ|edad|tuổi|tuoi|aged?)\s*(?:ko|saya|ko ay|ay)?\s*\d{1,3}"
            rf"|{lex.NUMBER}\s*taong gulang|(?<=\bi am )\d{{2}}(?=\s*(?:,|and\b|$))"
        ),
    ),
    ("employees", re.compile(rf"{lex.NUMBER}\s*(?:個)?\s*{lex.PEOPLE}")),
    ("duration", re.compile(rf"{lex.NUMBER}{lex.LINK}(?:{lex.MONTH}|{lex.YEAR}|{lex.WEEK}|{lex.DAY})")),
)


def phrases(districts: Mapping[str, Sequence[str]]) -> list[tuple[str, str, Iterable[str]]]:
    """The names of districts to look for inside messages, as (kind, Chinese name, spellings)."""
    return [
        (DISTRICT, name, dict.fromkeys([name, *spellings, *(plain(each) for each in spellings)]))
        for name, spellings in districts.items()
    ]


def find(folded: str, lang: str, hits: Iterable[Hit]) -> tuple[Detail, ...]:
    """The details of a folded text: kind, and the words that tell it (of a district its Chinese name).

    Kinds: date, amount, age, employees, duration, district. The words still have to be read by the parser of the fact
    that is asked for, on the day it is asked: "last June" means another month each year.
    """
    left = digits(folded, lang)
    found = []
    for kind, pattern in _PATTERNS:
        found += [Detail(kind, match[0].strip()) for match in pattern.finditer(left)]
        left = pattern.sub(" ; ", left)
    places = dict.fromkeys(hit.name for hit in of_kind(hits, DISTRICT))
    return tuple(dict.fromkeys([*found, *(Detail(DISTRICT, name) for name in places)]))[:MOST]
