"""Prints one figure in one language: NT$, Chinese 萬, ROC and Buddhist years, month names, ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, format_percent

from knowledge.models import Figure, year_month

SOURCE_LANGUAGE = "zh-TW"
ROC_OFFSET = 1911
BUDDHIST_OFFSET = 543
RANGE = "\u2013"

Number = int | float


@lru_cache(maxsize=8192)
def format_figure(figure: Figure, lang: str) -> str:
    """The figure as `lang` prints it. Counts, ages and years come bare: the sentence around them names the thing."""
    if isinstance(figure.value, str):
        own = _TEXTS.get(figure.unit)
        return own(figure.value, lang) if own else figure.value
    if figure.unit in ("ntd", "thousand_ntd"):
        factor = 1000 if figure.unit == "thousand_ntd" else 1
        return _money([number * factor for number in figure.numbers], lang)
    if figure.unit == "percent":
        return _percent(figure.numbers, lang)
    return RANGE.join(_BARE.get(figure.unit, _decimal)(number, lang) for number in figure.numbers)


def format_figures(figures: Mapping[str, Figure], lang: str) -> dict[str, str]:
    """Every figure of the mapping as `lang` prints it."""
    return {name: format_figure(figure, lang) for name, figure in figures.items()}


@lru_cache(maxsize=64)
def locale_of(lang: str) -> Locale:
    """Babel's locale of one of our language codes; English for a code that Babel does not know."""
    try:
        return Locale.parse("zh_Hant_TW" if lang == SOURCE_LANGUAGE else lang.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


def _decimal(number: Number, lang: str) -> str:
    return format_decimal(number, locale=locale_of(lang))


def _percent(numbers: tuple[Number, ...], lang: str) -> str:
    last = format_percent(numbers[-1] / 100, format=None, locale=locale_of(lang), decimal_quantization=False)
    return RANGE.join([*(_decimal(number, lang) for number in numbers[:-1]), last])


def _money(amounts: list[Number], lang: str) -> str:
    if lang == SOURCE_LANGUAGE:
        return f"新臺幣{RANGE.join(map(_chinese_amount, amounts))}元"
    return f"NT${RANGE.join(_decimal(amount, lang) for amount in amounts)}"


def _chinese_amount(amount: Number) -> str:
    # 1萬5,000, 5,000萬, 2億4,245萬4,000: groups of four digits, a comma inside a group.
    hundred_millions, rest = divmod(amount, 10**8)
    ten_thousands, units = divmod(rest, 10**4)
    groups = [(hundred_millions, "億"), (ten_thousands, "萬"), (units, "")]
    printed = "".join(f"{_decimal(count, SOURCE_LANGUAGE)}{sign}" for count, sign in groups if count)
    return printed or "0"


def _year(roc_year: Number, lang: str) -> str:
    if lang == SOURCE_LANGUAGE:
        return str(roc_year)
    return str(roc_year + ROC_OFFSET + (BUDDHIST_OFFSET if lang == "th" else 0))


def _month(number: Number, lang: str) -> str:
    if lang == SOURCE_LANGUAGE:
        return str(number)
    return format_date(date(2000, int(number), 1), "MMMM", locale=locale_of(lang))


def _year_month(value: str, lang: str) -> str:
    year, month = year_month(value)
    if lang == SOURCE_LANGUAGE:
        return f"{year - ROC_OFFSET}年{month}月（{year}年{month}月）"
    if lang == "th":
        return f"{_month(month, lang)} {year + BUDDHIST_OFFSET}"
    return format_skeleton("yMMMM", date(year, month, 1), locale=locale_of(lang))


def _date(value: str, lang: str) -> str:
    day = date.fromisoformat(value)
    if lang == SOURCE_LANGUAGE:
        return f"{day.year - ROC_OFFSET}年{day.month}月{day.day}日（{day.year}年{day.month}月{day.day}日）"
    if lang == "th":
        return f"{day.day} {_year_month(value[:7], lang)}"
    if lang == "vi":  # as people write it; Babel's form has a comma where they say "năm"
        return f"{day.day} tháng {day.month} năm {day.year}"
    return format_date(day, "long", locale=locale_of(lang))


_TEXTS: Mapping[str, Callable[[str, str], str]] = {"roc_year_month": _year_month, "date": _date}
_BARE: Mapping[str, Callable[[Number, str], str]] = {"roc_year": _year, "month": _month}
