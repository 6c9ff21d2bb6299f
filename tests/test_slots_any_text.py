"""Any text at all, as an answer to any question: a value, "does not know", "declined" or unreadable, never an error."""

from __future__ import annotations

from datetime import date

from conftest import loaded
from hypothesis import given, settings
from hypothesis import strategies as st
from test_slots import AS_OF, FACTS, LANGUAGES, SINCE, said

from intents.slots import parse
from knowledge.rules.values import Born, from_json, shown, to_json

_PIECES = (
    "民國 年 月 日 歲 個月 半 多 快 不到 前 從 去年 次 沒有 是 不 有 煤 一 二 十 百 兩 廿 - / . , 0 1 2 7 30 31 101 "
    "2012 99999 last june since born half a year years old and ago before ปี เดือน พ.ศ. năm tháng tuổi taon buwan na "
    "tahun bulan ( [ * \\ + ? ' \" \u200b \ud800 🙂"
)
PIECES = st.sampled_from(_PIECES.split(" "))
TEXTS = st.one_of(
    st.text(max_size=60), st.lists(PIECES, max_size=9).map("".join), st.lists(PIECES, max_size=9).map(" ".join)
)


@settings(max_examples=250, deadline=None)
@given(text=TEXTS, lang=st.sampled_from(LANGUAGES), fact=st.sampled_from(sorted(FACTS)), on=st.dates(date(1950, 1, 1)))
def test_any_text_is_read_or_refused(text: str, lang: str, fact: str, on: date) -> None:
    born = Born(date(1950, 1, 1), date(1950, 12, 31))
    parsed = parse(FACTS[fact], text, lang, on, loaded().words, after=date(2012, 7, 31), born=born)
    assert (parsed.kind == "unreadable") == (parsed.value is None)
    if parsed.value is not None:
        assert from_json(to_json(parsed.value)) == parsed.value
        shown(parsed.value, on)
        assert getattr(parsed.value, "lo", 0) <= getattr(parsed.value, "hi", 0)


@settings(max_examples=120, deadline=None)
@given(age=st.integers(0, 120), on=st.dates(date(2018, 1, 1), date(2030, 12, 31)))
def test_an_age_in_digits_is_that_age(age: int, on: date) -> None:
    for text in (str(age), f"{age}歲", f"I am {age}", f"{age} tuổi"):
        parsed = parse(FACTS["age"], text, "vi", on, loaded().words)
        assert parsed.value is not None
        assert shown(parsed.value, on) == age


@settings(max_examples=120, deadline=None)
@given(day=st.dates(date(1912, 1, 1), AS_OF))
def test_a_date_is_read_in_every_form(day: date) -> None:
    forms = (
        day.isoformat(),
        f"民國{day.year - 1911}年{day.month}月{day.day}日",
        f"{day.year}年{day.month}月{day.day}號",
        f"{day.day} {day:%B} {day.year}",
        f"{day:%B} {day.day}, {day.year}",
    )
    for form in forms:
        assert said(SINCE, form, "en") == day.isoformat(), form
