"""Free-text answers in six languages: read right, or said to be unreadable; never a guess, never an error."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from conftest import loaded

from intents.slots import Parsed, Words, parse
from knowledge.facts import load_facts
from knowledge.rules.values import Born, shown, to_json

ROOT = Path(__file__).parent.parent
FACTS = load_facts(ROOT / "knowledge" / "facts.yaml")
AS_OF = date(2018, 7, 15)
LANGUAGES = ("zh-TW", "en", "vi", "id", "th", "fil")
SINCE = "registered_since"
MONTHS = "months_without_work_since_graduation"
WORK = "work_since_graduation"


def read(fact: str, text: str, lang: str = "zh-TW", **more: Any) -> Parsed:
    return parse(FACTS[fact], text, lang, AS_OF, loaded().words, **more)


def said(fact: str, text: str, lang: str = "zh-TW", **more: Any) -> Any:
    """The value as a person would say it on the day, or the kind of answer."""
    parsed = read(fact, text, lang, **more)
    return shown(parsed.value, AS_OF) if parsed.kind == "value" and parsed.value is not None else parsed.kind


@pytest.mark.parametrize(
    ("lang", "text", "age"),
    [
        ("zh-TW", "72歲", 72),
        ("zh-TW", "７２", 72),
        ("zh-TW", "七十二", 72),
        ("zh-TW", "我爸今年七十二歲了", 72),
        ("zh-TW", "一百零一歲", 101),
        ("zh-TW", "72岁", 72),
        ("zh-TW", "民國42年生", [64, 65]),
        ("zh-TW", "42年次", [64, 65]),
        ("zh-TW", "民國42年3月5日", 65),
        ("zh-TW", "1953/7/15生", 65),
        ("zh-TW", "1953年7月16日出生", 64),
        ("zh-TW", "六十多歲", [60, 69]),
        ("zh-TW", "六十五六歲", [65, 66]),
        ("zh-TW", "快65歲", 64),
        ("zh-TW", "不到18", [0, 17]),
        ("zh-TW", "虛歲66", [64, 65]),
        ("zh-TW", "大概65", [64, 66]),
        ("zh-TW", "65歲以上", [65, 130]),
        ("en", "seventy-two", 72),
        ("en", "he is 72 years old", 72),
        ("en", "born 1990", [27, 28]),
        ("en", "born on July 15, 1953", 65),
        ("en", "nineteen fifty-three", [64, 65]),
        ("en", "almost 65", 64),
        ("en", "sixty-something", [60, 69]),
        ("vi", "72 tuổi", 72),
        ("vi", "ba tôi bảy mươi hai tuổi", 72),
        ("vi", "sinh năm 1953", [64, 65]),
        ("id", "dua puluh lima tahun", 25),
        ("id", "umur saya 25", 25),
        ("th", "ยี่สิบห้าปี", 25),
        ("th", "๒๕", 25),
        ("th", "เกิดปี 2496", [64, 65]),
        ("fil", "dalawampu't lima", 25),
        ("fil", "72 taong gulang", 72),
    ],
)
def test_age(lang: str, text: str, age: Any) -> None:
    assert said("age", text, lang) == age


@pytest.mark.parametrize(
    "text", ["我30他29", "五個月", "72公斤", "-5", "200", "三重", "2030年生", "my father is 72 and I am 40", "第3次"]
)
def test_no_age(text: str) -> None:
    assert said("age", text) == "unreadable"


@pytest.mark.parametrize(
    ("lang", "text", "months"),
    [
        ("zh-TW", "半年", 6),
        ("zh-TW", "6個月", 6),
        ("zh-TW", "八個月", 8),
        ("zh-TW", "五個月", 5),
        ("zh-TW", "一年半", 18),
        ("zh-TW", "1年2個月", 14),
        ("zh-TW", "不到半年", [0, 5]),
        ("zh-TW", "快半年", 5),
        ("zh-TW", "大約半年", [5, 7]),
        ("zh-TW", "七八個月", [7, 8]),
        ("zh-TW", "去年6月畢業", [12, 13]),
        ("zh-TW", "剛畢業", 0),
        ("zh-TW", "3週", 0),
        ("en", "6 months", 6),
        ("en", "half a year", 6),
        ("en", "a year and a half", 18),
        ("en", "one and a half years", 18),
        ("en", "six and a half months", 6),
        ("en", "less than six months", [0, 5]),
        ("en", "since January 2018", [5, 6]),
        ("en", "last June", [0, 13]),
        ("vi", "nửa năm", 6),
        ("vi", "một năm rưỡi", 18),
        ("id", "6 bulan", 6),
        ("id", "setengah tahun", 6),
        ("th", "หกเดือน", 6),
        ("th", "ครึ่งปี", 6),
        ("fil", "anim na buwan", 6),
        ("fil", "isang taon at kalahati", 18),
    ],
)
def test_months(lang: str, text: str, months: Any) -> None:
    assert said(MONTHS, text, lang) == months


def test_more_than_half_a_year_has_no_known_start() -> None:
    for text in ("超過半年", "半年多", "more than half a year"):
        assert said(MONTHS, text)[0] == 6


def test_months_and_a_bit_are_so_many_completed_ones() -> None:
    for text in ("五個多月", "5 個多月"):
        assert said(MONTHS, text) == 5
    assert said(MONTHS, "5 bulan lebih", "id") == 5


@pytest.mark.parametrize("text", ["沒有", "6月", "很久", "apple", "100年"])
def test_no_months(text: str) -> None:
    assert said(MONTHS, text) == "unreadable"


@pytest.mark.parametrize(
    ("lang", "text", "day"),
    [
        ("zh-TW", "民國101年7月30日", "2012-07-30"),
        ("zh-TW", "民國一百零一年七月三十一日", "2012-07-31"),
        ("zh-TW", "101/7/30", "2012-07-30"),
        ("zh-TW", "1010730", "2012-07-30"),
        ("zh-TW", "2012年8月1號", "2012-08-01"),
        ("zh-TW", "101年7月", ["2012-07-01", "2012-07-31"]),
        ("zh-TW", "民國70年", ["1981-01-01", "1981-12-31"]),
        ("zh-TW", "民國六十幾年", ["1971-01-01", "1980-12-31"]),
        ("zh-TW", "80年代", ["1980-01-01", "1989-12-31"]),
        ("zh-TW", "去年", ["2017-01-01", "2017-12-31"]),
        ("zh-TW", "上個月", ["2018-06-01", "2018-06-30"]),
        ("zh-TW", "2012年7月31日前", ["1900-01-01", "2012-07-31"]),
        ("zh-TW", "2010到2011年", ["2010-01-01", "2011-12-31"]),
        ("en", "2012-07-30", "2012-07-30"),
        ("en", "July 30, 2012", "2012-07-30"),
        ("en", "30 July 2012", "2012-07-30"),
        ("en", "7/31/2012", "2012-07-31"),
        ("en", "03/04/2012", ["2012-03-04", "2012-04-03"]),
        ("en", "since 1990", ["1990-01-01", "1990-12-31"]),
        ("en", "before 2012", ["1900-01-01", "2011-12-31"]),
        ("en", "20 years ago", ["1997-06-16", "1999-07-15"]),
        ("vi", "ngày 30 tháng 7 năm 2012", "2012-07-30"),
        ("id", "30 Juli 2012", "2012-07-30"),
        ("th", "30 ก.ค. 2555", "2012-07-30"),
        ("fil", "Hulyo 30, 2012", "2012-07-30"),
    ],
)
def test_date(lang: str, text: str, day: Any) -> None:
    assert said(SINCE, text, lang) == day


@pytest.mark.parametrize("text", ["2012-02-30", "民國101年13月1日", "2030年", "很久以前", "1950年和1980年", "7"])
def test_no_date(text: str) -> None:
    assert said(SINCE, text) == "unreadable"


def test_since_birth_needs_an_age() -> None:
    born = Born(date(1950, 1, 1), date(1950, 12, 31))
    for text in ("出生就在這裡", "從小", "since birth", "since I was 20", "always"):
        assert said(SINCE, text) == "unreadable"
    assert said(SINCE, "出生就在這裡", born=born) == ["1950-01-01", "1950-12-31"]
    assert said(SINCE, "since I was 20", "en", born=born) == ["1970-01-01", "1971-12-31"]


def test_a_last_month_is_the_same_month_only_when_the_year_is_clear() -> None:
    parsed = parse(FACTS[SINCE], "last June", "en", date(2018, 3, 1), loaded().words)
    assert to_json(parsed.value or "") == ["2017-06-01", "2017-06-30"]
    assert parsed.shown_back


@pytest.mark.parametrize(
    ("lang", "text", "times"),
    [
        ("zh-TW", "沒領過", 0),
        ("zh-TW", "還沒", 0),
        ("zh-TW", "一次都沒有", 0),
        ("zh-TW", "一次", 1),
        ("zh-TW", "兩次", 2),
        ("zh-TW", "領了四次", 4),
        ("en", "never", 0),
        ("en", "twice", 2),
        ("en", "I got it three times", 3),
        ("vi", "hai lần", 2),
        ("id", "tiga kali", 3),
        ("th", "2 ครั้ง", 2),
        ("fil", "dalawang beses", 2),
    ],
)
def test_times(lang: str, text: str, times: int) -> None:
    assert said("times_received", text, lang) == times


YES = [
    (
        "registered_in_city",
        "zh-TW",
        ["有", "是", "對啊", "戶籍在板橋", "設籍新北市", "戶籍在臺北縣", "是啊我戶籍在三重"],
    ),
    ("registered_in_city", "en", ["yes", "yes I am registered", "registered in New Taipei"]),
    ("coal_mine_work", "zh-TW", ["有啊，在煤礦做了三十年", "挖煤", "有做過", "不是金礦，是煤礦", "以前當過煤礦工人"]),
    ("coal_mine_work", "en", ["he worked in a coal mine for 20 years", "yes he did", "not gold, coal"]),
    ("moved_out_since", "zh-TW", ["搬去桃園兩年又搬回來", "有，2015年遷出", "離開過"]),
    ("moved_out_since", "en", ["moved to Taipei and came back in 2016"]),
    ("mine_insurance_record", "zh-TW", ["有勞保", "有投保紀錄"]),
    ("first_job_search", "zh-TW", ["是第一次", "從來沒找過工作"]),
    ("first_job_search", "en", ["yes, first job"]),
    ("accepts_referral", "zh-TW", ["願意", "可以", "好啊", "沒問題", "都可以"]),
    ("accepts_referral", "en", ["sure", "ok", "no problem", "I am willing", "of course"]),
    ("accepts_referral", "vi", ["có", "đồng ý", "dong y", "dạ được"]),
    ("accepts_referral", "id", ["mau", "iya pak", "bersedia"]),
    ("accepts_referral", "th", ["ยินดีค่ะ", "ได้ครับ"]),
    ("accepts_referral", "fil", ["oo", "payag po ako"]),
]
NO = [
    (
        "registered_in_city",
        "zh-TW",
        ["沒有", "不是", "沒有喔", "還沒", "戶籍在台北", "住新北但戶籍在桃園", "只是租房子"],
    ),
    ("registered_in_city", "zh-TW", ["沒有設籍在新北", "戶籍不在新北", "不是，我沒有", "戶籍在新竹"]),
    (
        "registered_in_city",
        "en",
        ["no", "not yet", "nope", "I live in New Taipei but registered in Taipei", "no, only rent"],
    ),
    ("coal_mine_work", "zh-TW", ["我爸在金瓜石挖金礦", "有，在金礦", "不是煤礦，是金礦", "沒有做過", "沒在煤礦做過"]),
    (
        "coal_mine_work",
        "en",
        ["I worked in a gold mine", "never", "no he did not", "not coal, gold", "never worked there"],
    ),
    ("moved_out_since", "zh-TW", ["沒有遷出過", "一直住這", "沒搬過家", "在新北市內搬過"]),
    ("moved_out_since", "en", ["never moved", "no", "yes, I never moved"]),
    ("mine_insurance_record", "zh-TW", ["沒有投保", "沒有保險"]),
    ("first_job_search", "zh-TW", ["不是第一次", "之前做過工作"]),
    ("accepts_referral", "zh-TW", ["不願意", "不想", "不太想"]),
    ("accepts_referral", "en", ["not willing", "I don't want"]),
    ("accepts_referral", "vi", ["không", "khong muon"]),
    ("accepts_referral", "id", ["tidak mau", "enggak"]),
    ("accepts_referral", "th", ["ไม่", "ไม่ยินดี"]),
    ("accepts_referral", "fil", ["hindi", "ayaw ko"]),
]
NEITHER = [
    ("registered_in_city", "zh-TW", ["72", "1", "我住板橋", "有什麼條件嗎", "是什麼意思", "哈哈", "🙂", "有，沒有"]),
    ("registered_in_city", "en", ["I live in Banqiao", "what is that?", "I don't understand", "yes no", "5"]),
    ("coal_mine_work", "zh-TW", ["住在煤礦旁邊", "是我爸爸"]),
    ("accepts_referral", "zh-TW", ["如果薪水高才願意", "可以拒絕嗎"]),
    ("accepts_referral", "en", ["yes but only near home"]),
    ("first_job_search", "zh-TW", ["3", "2012-07-30"]),
]


def rows(table: list[tuple[str, str, list[str]]]) -> list[tuple[str, str, str]]:
    return [(fact, lang, text) for fact, lang, texts in table for text in texts]


@pytest.mark.parametrize(("fact", "lang", "text"), rows(YES))
def test_yes(fact: str, lang: str, text: str) -> None:
    assert said(fact, text, lang) is True


@pytest.mark.parametrize(("fact", "lang", "text"), rows(NO))
def test_no(fact: str, lang: str, text: str) -> None:
    assert said(fact, text, lang) is False


@pytest.mark.parametrize(("fact", "lang", "text"), rows(NEITHER))
def test_neither_yes_nor_no(fact: str, lang: str, text: str) -> None:
    assert said(fact, text, lang) == "unreadable"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("民國95年遷出，97年遷回", {"unknown": "undefined_in_source"}),
        ("yes, in 2005", {"unknown": "undefined_in_source"}),
        ("yes in 2015", True),
        ("有，101年8月遷出", True),
        ("moved out in 2012", "unreadable"),
        ("沒有", False),
        ("有", True),
    ],
)
def test_a_move_before_the_day_is_left_open_by_the_plan(text: str, expected: Any) -> None:
    assert said("moved_out_since", text, "en", after=date(2012, 7, 31)) == expected


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("都沒有工作過", "none"),
        ("沒有", "none"),
        ("打工", "part_time_or_casual"),
        ("沒有正職，只有打工", "part_time_or_casual"),
        ("還沒找到正職，目前打工", "part_time_or_casual"),
        ("當過兵", "military"),
        ("退伍後一直沒工作", "military"),
        ("做過正職兩個月", "regular"),
        ("never worked", "none"),
        ("part-time at a shop", "part_time_or_casual"),
        ("not full time, only part time", "part_time_or_casual"),
        ("I did military service", "military"),
        ("full-time job", "regular"),
        ("在找正職", "unreadable"),
        ("I am looking for a full-time job", "unreadable"),
        ("2", "unreadable"),
        ("沒打過工", "unreadable"),
    ],
)
def test_choice(text: str, choice: str) -> None:
    assert said(WORK, text) == choice


@pytest.mark.parametrize("fact", ["age", SINCE, MONTHS, WORK, "coal_mine_work", "times_received"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("不知道", "does_not_know"),
        ("我不記得了", "does_not_know"),
        ("not sure", "does_not_know"),
        ("I don't remember", "does_not_know"),
        ("不想說", "declined"),
        ("prefer not to say", "declined"),
        ("", "unreadable"),
        ("   \u200b", "unreadable"),
        ("7" * 500, "unreadable"),
    ],
)
def test_no_answer(fact: str, text: str, kind: str) -> None:
    assert read(fact, text).kind == kind


def test_what_was_interpreted_is_shown_back() -> None:
    for fact, text in (("age", "民國42年生"), ("age", "快65"), (MONTHS, "去年6月畢業"), ("coal_mine_work", "挖金礦")):
        assert read(fact, text).shown_back, text
    for fact, text in (("age", "72歲"), (MONTHS, "6個月"), ("coal_mine_work", "沒有"), (SINCE, "2012-07-30")):
        assert not read(fact, text).shown_back, text


def test_words_can_be_injected() -> None:
    words = Words.of({"xx": {"yes": ["Ja"], "no": ["Nein"]}}, {})
    assert parse(FACTS["coal_mine_work"], "ja", "xx", AS_OF, words).value is True
    assert parse(FACTS["coal_mine_work"], "NEIN", "xx", AS_OF, words).value is False
    assert parse(FACTS["coal_mine_work"], "yes", "xx", AS_OF, words).kind == "unreadable"


def test_cues_use_no_escape_that_lower_case_would_turn_round() -> None:
    for path in (ROOT / "intents" / "data").glob("*/_cues.yaml"):
        assert not re.search(r"\\[A-Z]", path.read_text(encoding="utf-8")), path


def test_every_cue_names_a_fact_and_a_choice() -> None:
    for lexicon in loaded().words.by_lang.values():
        for fact, cues in lexicon.facts.items():
            assert {choice for choice, _ in cues} <= {*FACTS[fact].choices, "not_sure"}


@dataclass(frozen=True)
class Head:
    """A head count, for a type that no fact of this plan's first rules has."""

    id: str = "employees"
    type: str = "integer"
    choices: dict[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("text", "count"),
    [("50人", 50), ("51 employees", 51), ("五十個人", 50), ("50人以下", [0, 50]), ("about 50", [45, 55]), ("12", 12)],
)
def test_head_count(text: str, count: Any) -> None:
    parsed = parse(Head(), text, "zh-TW", AS_OF, loaded().words)
    assert to_json(parsed.value or "") == count
