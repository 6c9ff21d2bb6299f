"""The programs against the plan: golden rows for all 27, and the printed text itself where it is at hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from knowledge.export import export
from knowledge.library import load
from knowledge.models import Figure

SEED = Path(__file__).parents[2] / "shared" / "seed" / "labor-affairs-plan-107.txt"
needs_seed = pytest.mark.skipif(not SEED.exists(), reason=f"the printed plan is not here: {SEED}")

# number: thousand NT$, funding (f: employment security fund, m: other ministry money, c: city), boxes, months
GOLDEN = {
    1: (2818, {}, ["central", "midterm"], 1, 12),
    2: (15900, {}, ["other"], 7, 9),
    3: (300, {}, ["midterm"], 1, 12),
    4: (2850, {}, ["city", "midterm"], 1, 12),
    5: (13238, {"f": 13238}, ["central", "midterm"], 1, 12),
    6: (46418, {}, ["city", "midterm"], 1, 12),
    7: (2475, {"f": 2000, "c": 475}, ["midterm"], 1, 12),
    8: (39598, {"f": 39598}, ["midterm"], 1, 12),
    9: (4000, {}, ["midterm"], 1, 12),
    10: (1116, {"f": 700, "c": 416}, ["other"], 1, 12),
    11: (13822, {}, ["midterm"], 1, 12),
    12: (2185, {}, ["midterm"], 1, 12),
    13: (242454, {"m": 242454}, ["central", "midterm"], 1, 12),
    14: (35874, {"f": 26276, "c": 9598}, ["city", "midterm"], 1, 12),
    15: (13600, {}, ["midterm", "other"], 1, 12),
    16: (4347, {}, ["other"], 1, 12),
    17: (5370, {}, ["city"], 1, 12),
    18: (6650, {"f": 2400, "c": 4250}, ["city"], 1, 12),
    19: (666, {}, ["other"], 1, 12),
    20: (2600, {}, ["other"], 1, 11),
    21: (493, {}, ["other"], 2, 12),
    22: (1876, {}, ["other"], 2, 11),
    23: (147, {}, ["other"], 3, 11),
    24: (380, {}, ["other"], 3, 11),
    25: (29840, {}, ["central", "midterm"], 1, 12),
    26: (3420, {}, ["other"], 1, 12),
    27: (4000, {}, ["other"], 1, 12),
}
FUNDS = {"f": "employment_security_fund", "m": "central", "c": "city"}
BOXES = {"本府": "city", "中央": "central", "機關": "midterm", "其他": "other"}

SCHEMES = [
    "勞工涉訟權益補助",
    "失業勞工子女就學補助",
    "職業災害慰助",
    "義務律師法令諮詢（電話諮詢）雙通服務",
    "職場達人獎勵計畫",
    "企業有托育、勞工無憂慮計畫",
    "高風險家庭個案公部門短期就業安置計畫",
]
CHAPTERS = [
    "建立多元就業服務功能",
    "促進身心障礙者就業",
    "維護勞工權益保障勞工福祉",
    "提升人才培訓及技能升級",
    "推動勞工教育提升勞動競爭力",
    "建構安全衛生勞動環境",
    "強化外籍勞工優質服務",
    "推展勞工休閒育樂活動",
]


@cache
def exported() -> dict[str, Any]:
    return export(load())


def program(number: int) -> dict[str, Any]:
    return next(each for each in exported()["programs"] if each["number"] == number)


@pytest.mark.parametrize("number", GOLDEN)
def test_program_has_the_printed_numbers(number: int) -> None:
    budget, funding, boxes, start, end = GOLDEN[number]
    found = program(number)
    assert found["id"] == f"p{number:02d}"
    assert found["budget_thousand_ntd"] == budget
    assert found["funding"] == {FUNDS[fund]: amount for fund, amount in funding.items()}
    assert found["policy_sources"] == boxes
    assert (found["start"], found["end"]) == (f"2018-{start:02d}", f"2018-{end:02d}")
    assert found["area"] == "全市"


def test_schemes_and_chapters_bear_their_printed_names() -> None:
    assert [scheme["name"] for scheme in program(6)["schemes"]] == SCHEMES
    assert [scheme["id"] for scheme in program(6)["schemes"]] == [f"p06.{number}" for number in range(1, 8)]
    assert all(not program(number)["schemes"] for number in GOLDEN if number != 6)
    assert [chapter["name"] for chapter in exported()["chapters"]] == CHAPTERS


@dataclass(frozen=True)
class Printed:
    """What the printed text of one item says, read without the project's code."""

    name: str
    budget: int
    funding: dict[str, int]
    boxes: list[str]
    start: str
    end: str
    text: str


@cache
def printed_items() -> dict[int, Printed]:
    text = SEED.read_text(encoding="utf-8")
    at = text.index("項次")
    starts = []
    for number in range(1, 28):
        match = re.compile(rf"^{number} (?=\S)", re.MULTILINE).search(text, at)
        assert match, f"item {number} is not found in the printed text"
        starts.append(match.start())
        at = match.end()
    ends = [*starts[1:], len(text)]
    return {n: printed(text[a:b], n) for n, (a, b) in enumerate(zip(starts, ends, strict=True), 1)}


def printed(text: str, number: int) -> Printed:
    boxes = re.findall(r"([□■])\s*(本府|中央|機關|其他)", text)
    months = re.search(r"計畫期程.*?自\s*107\s*年\s*(\d+)\s*月\s*至\s*107\s*年\s*(\d+)\s*月", text, re.DOTALL)
    money = re.search(r"([\d][\d,.]*)\s*((?:中央：|本府：|[\d,()\s]|就業安定基金|由勞動部委|辦經費支應)*?)全市", text)
    assert len(boxes) == 4
    assert months
    assert money
    return Printed(
        name=re.sub(r"\s", "", text[: re.search("[□■]", text).start()]).removeprefix(str(number)),  # type: ignore[union-attr]
        budget=int(re.sub("[,.]", "", money[1])),
        funding=printed_funding(re.sub(r"\s", "", money[2]), int(re.sub("[,.]", "", money[1]))),
        boxes=[BOXES[name] for sign, name in boxes if sign == "■"],
        start=f"2018-{int(months[1]):02d}",
        end=f"2018-{int(months[2]):02d}",
        text=re.sub(r"\s", "", text),
    )


def printed_funding(note: str, budget: int) -> dict[str, int]:
    split = re.search(r"中央：([\d,]+)\(就業安定基金\)本府：([\d,]+)", note)
    if split:
        fund, city = (int(amount.replace(",", "")) for amount in split.groups())
        return {"employment_security_fund": fund, "city": city}
    if "就業安定基金" in note:
        return {"employment_security_fund": budget}
    return {"central": budget} if "勞動部" in note else {}


@needs_seed
@pytest.mark.parametrize("number", GOLDEN)
def test_program_agrees_with_the_printed_text(number: int) -> None:
    item, found = printed_items()[number], program(number)
    assert re.sub(r"\s", "", found["name"]) == item.name
    assert found["budget_thousand_ntd"] == item.budget
    assert found["funding"] == item.funding
    assert found["policy_sources"] == item.boxes
    assert (found["start"], found["end"]) == (item.start, item.end)


@needs_seed
def test_golden_rows_agree_with_the_printed_text() -> None:
    for number, (budget, _, boxes, start, end) in GOLDEN.items():
        item = printed_items()[number]
        assert (item.budget, item.boxes) == (budget, boxes)
        assert (item.start, item.end) == (f"2018-{start:02d}", f"2018-{end:02d}")


def printed_forms(figure: Figure) -> list[str]:
    """How the plan may print a figure, without blanks."""
    if figure.unit == "date":
        year, month, day = str(figure.value).split("-")
        return [f"{int(year) - 1911}年{int(month)}月{int(day)}日"]
    if figure.unit == "roc_year_month":
        year, month = str(figure.value).split("-")
        return [f"{int(year) - 1911}年{int(month)}月"]
    if isinstance(figure.value, tuple):
        return ["-".join(map(str, figure.value))]
    forms = [str(figure.value)]
    if isinstance(figure.value, int):
        tens, rest = divmod(figure.value, 10_000)
        forms += [f"{figure.value:,}", f"{tens:,}萬{rest:,}" if rest else f"{tens:,}萬"]
    return forms


@needs_seed
def test_every_figure_stands_in_the_printed_text() -> None:
    overview = re.sub(r"\s", "", SEED.read_text(encoding="utf-8").partition("項次")[0])
    for topic in load().topics.values():
        text = overview if topic.kind == "chapter" else printed_items()[topic.number].text
        for name, figure in topic.figures.items():
            assert any(form in text for form in printed_forms(figure)), f"{topic.id}: {name} = {figure.value}"
