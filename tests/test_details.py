"""What is told in passing, wishes to be phoned, other cities, masking, and the list of what could not be answered."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.conversation import Conversation
from bot.cli.main import main
from bot.pipeline.resources import Resources
from bot.store import Store
from bot.store.authors import Sought
from intents import Context
from intents.adopt import AdoptError, adopt
from intents.authored import DATA, read
from intents.calibration import curve, error, svg
from intents.elsewhere import SIGN, Elsewhere
from intents.normalise import fold
from intents.redact import MASK, redacted
from knowledge import reading

TOLD = {
    "我爸72歲，民國101年7月30日搬走": "age:72歲 date:民國101年7月30日",
    "公司有三十個員工在土城，想貸款50萬元": "employees:30個員工 amount:50萬元 district:土城",
    "I am 24, graduated in June 2017, no job for 7 months": "age:24 date:june_2017 duration:7_months",
    "tôi 35 tuổi, lương 23000 đài tệ, ở Bản Kiều": "age:35_tuổi amount:23000_đài_tệ district:板橋",
    "toi o ban kieu": "district:板橋",
    "saya umur 29, kerja 3 tahun, gaji NT$ 20,000": "age:umur_29 duration:3_tahun amount:nt$_20,000",
    "ผมอายุ 45 ทำงานมา 2 ปี แถวซานฉง": "age:อายุ_45 duration:2_ปี district:三重",
    "35 anyos na po ako, 6 na buwan walang trabaho, Xindian": "age:35_anyos duration:6_na_buwan district:新店",
    "hello": "",
}


@pytest.mark.parametrize(("text", "found"), TOLD.items())
def test_details_are_cut_out_as_they_were_written(resources: Resources, text: str, found: str) -> None:
    understood = resources.understander.understand(text, Context())
    assert {f"{each.kind}:{each.text.replace(' ', '_')}" for each in understood.details} == set(found.split())


@pytest.mark.parametrize(
    ("text", "number", "when"),
    [
        ("請打電話給我 0912-345-678，下午三點以後", "0912345678", "下午"),
        ("麻煩回電 02-2960-3456 分機 12", "0229603456#12", ""),
        ("call me back at +886 912 345 678 tomorrow", "+886912345678", "tomorrow"),
        ("gọi lại cho tôi số 0987654321 buổi tối", "0987654321", "buổi tối"),
        ("tolong telepon saya 0911 222 333 jam 7 malam", "0911222333", "jam 7 malam"),
        ("ช่วยโทรกลับหน่อย 0955-111-222 ตอนเย็น", "0955111222", "ตอนเย็น"),
        ("pakitawagan po ako sa 0933 444 555 mamayang gabi", "0933444555", "mamayang gabi"),
        ("please call me back", "", ""),
    ],
)
def test_a_wish_to_be_phoned(resources: Resources, text: str, number: str, when: str) -> None:
    understood = resources.understander.understand(text, Context())
    assert understood.decision == "handoff"
    assert understood.callback is not None
    assert understood.callback.number == number
    assert when in understood.callback.when
    assert understood.callback.lang == understood.lang


def test_numbers_of_identity_and_years_are_no_telephones(resources: Resources) -> None:
    for text in ("call me, my ID is A123456789", "call me, I came in 2016"):
        understood = resources.understander.understand(text, Context())
        assert understood.callback is not None
        assert understood.callback.number == ""


@pytest.mark.parametrize(
    ("text", "elsewhere"),
    [
        ("台北市的就業服務站", True),
        ("新北市的就業服務站", False),
        ("臺北縣改制前", False),
        ("job fair in Taipei", True),
        ("job fair in New Taipei", False),
        ("vay vốn ở Cao Hùng", True),
        ("toi o dao vien", True),
        ("loker di Taoyuan", True),
        ("งานในไทเป", True),
        ("งานในนิวไทเป", False),
        ("nasa Taichung po ako", True),
        ("hello", False),
    ],
)
def test_other_cities_are_told_from_ours(text: str, elsewhere: bool) -> None:
    assert other_cities().marked(fold(text)).endswith(SIGN) is elsewhere


@cache
def other_cities() -> Elsewhere:
    return Elsewhere.of(reading.read(DATA / "cities.yaml").data)


# --- masking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("我叫王小明，電話0912-345-678", f"我叫{MASK}，電話{MASK}"),
        ("my ARC is AC01234567 ok", f"my ARC is {MASK} ok"),
        ("帳號 012-345678901234", f"帳號 {MASK}"),
        ("write to a.b@example.com", f"write to {MASK}"),
        ("tôi tên Nguyễn Thị Hoa, muốn đổi chủ", f"tôi tên {MASK}, muốn đổi chủ"),
        ("民國101年7月30日 50萬元 2018-07-01 1955", "民國101年7月30日 50萬元 2018-07-01 1955"),
        ("住中山路12巷3號", f"住中山路{MASK}"),
    ],
)
def test_what_could_name_a_person_is_masked(text: str, left: str) -> None:
    assert redacted(text) == left


@given(st.text(max_size=400))
def test_masking_never_raises(text: str) -> None:
    redacted(text)


@given(
    st.from_regex(r"\A09[0-9]{8}\Z") | st.from_regex(r"\A[A-Z][12][0-9]{8}\Z"), st.sampled_from(["", "，", " ", "是"])
)
def test_numbers_of_people_never_get_through(number: str, around: str) -> None:
    assert number not in redacted(f"請問{around}{number}{around}可以嗎")


# --- what could not be answered --------------------------------------------------------------------------------------


def test_unanswered_messages_are_listed_masked_and_can_be_adopted(
    tmp_path: Path, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "labor-bot.db"
    understood = map(resources.understander.understand, ("就業", "補助", "課程", "安全", "就業 安全", "補助 課程"))
    asked = next(each for each in understood if each.decision == "clarify" and each.topics[0].startswith("p"))
    unclear, offered = asked.text, asked.topics[0]
    monkeypatch.setenv("LABOR_BOT_DATA_DIR", str(tmp_path))

    async def talk() -> None:
        async with Conversation.open(database, "zh-TW", "", resources) as conversation:
            await conversation.line({"text": "附近哪裡有好吃的拉麵 0912345678"})
            await conversation.line({"text": unclear})
            await conversation.line({"choice": f"topic:{offered}"})
            await conversation.line({"text": "尋職津貼多少錢"})

    asyncio.run(talk())
    store = Store(database)
    rows = {row.text: row for row in store.authors.unanswered(Sought())}
    store.close()
    assert len(rows) == 2
    assert not any("0912345678" in text for text in rows)
    assert (rows[unclear].decision, rows[unclear].offered, rows[unclear].picked) == ("clarify", asked.topics, offered)
    listed = CliRunner().invoke(main, ["intents", "unanswered", "--jsonl"])
    assert listed.exit_code == 0
    assert unclear in listed.output
    gone = CliRunner().invoke(main, ["intents", "dismiss", str(rows[unclear].id)])
    assert gone.exit_code == 0
    assert unclear not in CliRunner().invoke(main, ["intents", "unanswered"]).output
    unknown = CliRunner().invoke(main, ["intents", "adopt", "999", "p15"])
    assert unknown.exit_code == 1
    assert "intents unanswered" in unknown.output


def test_being_forgotten_takes_the_unanswered_rows_along(tmp_path: Path, resources: Resources) -> None:
    async def talk() -> int:
        async with Conversation.open(tmp_path / "chat.db", "zh-TW", "", resources) as conversation:
            await conversation.line({"text": "附近哪裡有好吃的拉麵"})
            before = len(Store(tmp_path / "chat.db").authors.unanswered(Sought()))
            await conversation.line({"choice": "forget:yes"})
            return before

    assert asyncio.run(talk()) == 1
    assert Store(tmp_path / "chat.db").authors.unanswered(Sought()) == []


def test_adopting_puts_the_sentence_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "p15.yaml").write_text("label: p15\nutterances:\n  - one\n", "utf-8")
    urgent = "label: urgent\nclasses:\n  injury:\n    - a\n  violence:\n    - b\n"
    (tmp_path / "en" / "urgent.yaml").write_text(urgent, "utf-8")
    adopt('is it: [really] "so"?', "en", "p15", tmp_path)
    adopt("he fell", "en", "urgent.injury", tmp_path)
    found = {f"{each.label}: {each.text}" for each in read(tmp_path).patterns}
    kept = {"p15: one", "urgent.injury: a", "urgent.violence: b"}
    assert found == {*kept, 'p15: is it:  really  "so"?', "urgent.injury: he fell"}
    for wrong in (("x", "xx", "p15"), ("x", "en", "p99"), ("x", "en", "urgent.rain"), ("one", "en", "p15")):
        with pytest.raises(AdoptError):
            adopt(*wrong, tmp_path)


# --- calibration -----------------------------------------------------------------------------------------------------


def test_a_calibration_curve_tells_how_far_confidence_can_be_believed() -> None:
    bins = curve([(0.95, 1.0)] * 9 + [(0.95, 0.0)] + [(0.55, 1.0), (0.55, 0.0), (1.0, 1.0)])
    assert [each.count for each in bins] == [2, 11]
    assert error(curve([(1.0, 1.0)] * 5)) == 0
    assert error(curve([(1.0, 0.0)] * 5)) == 1
    picture = svg({"en": bins, "th <": ()}, "A & B")
    assert picture.startswith("<svg")
    assert "A &amp; B" in picture
    assert "th &lt;" in picture


def test_old_rows_go_and_new_ones_stay(tmp_path: Path, resources: Resources) -> None:
    async def talk() -> tuple[int, int]:
        async with Conversation.open(tmp_path / "chat.db", "zh-TW", "", resources) as conversation:
            await conversation.line({"text": "附近哪裡有好吃的拉麵"})
        store = Store(tmp_path / "chat.db")
        kept = await store.purge_unanswered()
        store.database.write_now(lambda c: c.execute("UPDATE unanswered SET at = at - 91 * 86400.0"))
        gone = await store.purge_unanswered()
        store.close()
        return kept, gone

    assert asyncio.run(talk()) == (0, 1)
