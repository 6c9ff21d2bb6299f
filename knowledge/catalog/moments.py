"""Days and times of the day as people of a language write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time

from babel.dates import format_date, format_skeleton, format_time

from knowledge.catalog.figures import SOURCE_LANGUAGE, locale_of

NARROW_BLANK = "\u202f"  # Babel's before AM and PM; some phones show a box
_DAYS: Mapping[str, str] = {
    SOURCE_LANGUAGE: "{rest}（{weekday}）",
    "vi": "{weekday}, ngày {rest}",
    "th": "{weekday}ที่ {rest}",
}


def moment(at: datetime, lang: str) -> dict[str, str]:
    """`day` and `time` of a moment for the placeholders of a text."""
    return {"day": day_name(at.date(), lang), "time": day_time(at.time(), lang)}


def day_name(day: date, lang: str) -> str:
    """A day of the year at hand with its weekday: Tuesday, November 24."""
    locale = locale_of(lang)
    rest = format_skeleton("MMMMd", day, locale=locale)
    return _DAYS.get(lang, "{weekday}, {rest}").format(weekday=weekday_name(day, lang), rest=rest)


def weekday_name(day: date, lang: str) -> str:
    """The day of the week, as it stands inside a sentence."""
    name = format_date(day, "EEEE", locale=locale_of(lang))
    return f"{name[:1].lower()}{name[1:]}" if lang == "vi" else name


def day_time(at: time, lang: str) -> str:
    """A time of the day: 1:30 PM."""
    shown = format_time(at, "short", locale=locale_of(lang)).replace(NARROW_BLANK, " ")
    return f"{shown} น." if lang == "th" else shown
