"""The knowledge room: loading, inheritance, look-ups, export, additions, and every planted fault caught at its line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from knowledge.additions import load_additions
from knowledge.check import check
from knowledge.check.number_words import chinese_numbers, english_numbers
from knowledge.export import export
from knowledge.faults import Fault, KnowledgeError
from knowledge.library import Knowledge, load
from knowledge.reading import read
from knowledge.sources import PACKAGED

CONTENT = ("plans", "texts", "locale", "facts.yaml", "hotlines.yaml", "glossary.yaml")


@cache
def knowledge() -> Knowledge:
    return load()


def copy(target: Path) -> Path:
    """A knowledge folder of one's own, without the code."""
    for name in CONTENT:
        if (PACKAGED / name).is_dir():
            shutil.copytree(PACKAGED / name, target / name)
        else:
            shutil.copy(PACKAGED / name, target / name)
    return target


def test_the_packaged_knowledge_is_clean() -> None:
    assert [str(fault) for fault in check()] == []


def test_topics_stand_in_the_order_of_the_plan() -> None:
    ids = list(knowledge().topics)
    schemes = [f"p06.{number}" for number in range(1, 8)]
    programs = [f"p{number:02d}" for number in range(1, 28)]
    assert ids == [*programs[:6], *schemes, *programs[6:], *(f"ov{number}" for number in range(1, 9))]
    assert (knowledge().plan, knowledge().year) == ("107", 2018)


def test_a_scheme_has_what_the_plan_prints_for_all_schemes_and_no_more() -> None:
    scheme, program = knowledge().topics["p06.4"], knowledge().topics["p06"]
    assert (scheme.parent, scheme.kind, scheme.number) == ("p06", "scheme", 6)
    assert (scheme.period, scheme.area, scheme.figures) == (program.period, program.area, program.figures)
    assert scheme.budget is None
    assert scheme.source.place == "一, (四)"


@pytest.mark.parametrize(
    ("topic", "aspect", "says"),
    [
        ("p15", "overview", True),
        ("p15", "amount", True),
        ("p15", "how-to-apply", True),
        ("p15", "documents", False),
        ("p15", "period", True),
        ("p15", "budget", True),
        ("p06.1", "eligibility", False),
        ("p06.1", "period", True),
        ("p06.1", "budget", False),
        ("ov1", "budget", False),
        ("ov2", "period", False),
        ("p15", "no such aspect", False),
    ],
)
def test_a_topic_knows_what_it_says(topic: str, aspect: str, says: bool) -> None:
    assert knowledge().topics[topic].says(aspect) is says


def test_times_of_a_topic() -> None:
    miners, chapter = knowledge().topics["p02"], knowledge().topics["ov1"]
    assert (miners.apply_months, miners.year) == ((7,), 2018)
    assert (miners.period_start, miners.period_end) == (date(2018, 7, 1), date(2018, 9, 30))
    assert (chapter.period_start, chapter.period_end) == (date(2018, 1, 1), date(2018, 12, 31))


def test_topics_by_audience_and_theme() -> None:
    assert "p15" in knowledge().by_audience["youth"]
    assert "p07" in knowledge().by_theme["migrants"]
    listed = {topic for topics in knowledge().by_audience.values() for topic in topics}
    assert listed == set(knowledge().topics)
    assert {topic for topics in knowledge().by_theme.values() for topic in topics} == listed


def test_hotlines_come_in_order_and_each_once() -> None:
    lines = knowledge().hotlines_for("self_harm", "violence", "nothing known")
    assert [line.number for line in lines] == ["1925", "119", "110", "113", "1955"]
    assert all(line.figures["number"].source.startswith("outside the plan") for line in lines)


def test_rules_and_facts_belong_together() -> None:
    assert {"p02", "p15"} <= set(knowledge().rules)
    for rule in knowledge().rules.values():
        assert set(rule.facts) <= set(knowledge().facts)
        assert set(rule.texts) <= set(knowledge().texts)
    for fact in knowledge().facts.values():
        assert fact.catalog.items() <= knowledge().texts.items()


def test_nothing_read_can_be_changed() -> None:
    topics: Mapping[str, object] = knowledge().topics
    with pytest.raises(TypeError):
        topics["p01"] = None  # type: ignore[index]
    with pytest.raises(ValueError, match="frozen"):
        knowledge().topics["p02"].figures["payment"].value = 3000


def test_export_keeps_its_contract() -> None:
    document = json.loads(json.dumps(export(knowledge())))
    assert list(document) == ["plan", "programs", "chapters"]
    assert [program["number"] for program in document["programs"]] == list(range(1, 28))
    keys = "id number name budget_thousand_ntd funding policy_sources start end area figures schemes"
    assert all(list(program) == keys.split() for program in document["programs"])
    figure = document["programs"][9]["figures"]["trial_minutes"]
    assert figure == {"value": [10, 15], "unit": "minutes", "source": "item 10, 一, (一)"}
    assert document["programs"][4]["name"] == "107年度勞動部勞工退休準備金按月提撥查核作業計畫"
    assert "{" not in "".join(entry["name"] for entry in [*document["programs"], *document["chapters"]])


@dataclass(frozen=True)
class Plant:
    """A fault: `old` becomes `new` in `file`; the check must report `says` on the line of `at` (default: of `new`)."""

    file: str
    old: str
    new: str
    says: str
    at: str | None = None

    def put(self, root: Path) -> None:
        path = self.path(root)
        text = path.read_text(encoding="utf-8")
        assert self.old in text, self
        path.write_text(text.replace(self.old, self.new, 1), encoding="utf-8")

    def path(self, root: Path) -> Path:
        return next(root.glob(self.file))

    def line(self, root: Path) -> int:
        text = self.path(root).read_text(encoding="utf-8")
        mark = self.new if self.at is None else self.at
        return text[: text.index(mark)].count("\n") + 1


def item(number: int) -> str:
    return f"plans/107/programs/{number:02d}-*.yaml"


CHAPTERS = "plans/107/chapters.yaml"

PLANTS = {
    "digit": Plant(item(1), "以班級為單位上課", "以3個班級上課", "the digits 3 are typed", "  summary:"),
    "full-width digit": Plant(item(3), "號召工會拿出", "號召３個工會拿出", "the digits ３ are typed", "  summary:"),
    "number word": Plant(item(2), "；年滿{age_min}歲", "；年滿六十五歲", "write {age_min}"),
    "no source": Plant(
        item(4), ', source: "item 4, 一, (一)"', "", "'figures.duty_employees.source' is missing", "  duty_"
    ),
    "stray brace": Plant(item(5), '"{plan_year}年度', '"{plan_year年度', "a brace without a partner"),
    "scheme missing": Plant(item(6), "id: p06.7", "id: p06.8", "scheme p06.7 is missing", "schemes:"),
    "scheme unknown": Plant(item(6), "p06.8", "p06.9", "no scheme p06.9"),
    "budget parts": Plant(item(7), "city: 475", "city: 476", "the parts sum to 2476", "budget:"),
    "end before start": Plant(item(8), "end: 2018-12", "end: 2017-12", "is before the start"),
    "related": Plant(item(9), "related: [ov2,", "related: [p99,", "related 'p99' is no topic"),
    "unit": Plant(item(10), "unit: minutes", "unit: hours", "'figures.trial_minutes.unit' must be one of"),
    "missing field": Plant(item(11), "  contact: null\n", "", "'texts.contact' is missing", "texts:"),
    "unknown key": Plant(item(12), "area: 全市", "area: 全市\ncolor: red", "unknown key 'color'", "color: red"),
    "id": Plant(item(13), "id: p13", "id: p14", "number 13 and id p14", "number: 13"),
    "theme": Plant(item(16), "themes: [jobs,", "themes: [work,", "'themes.0' must be one of"),
    "placeholder": Plant(item(17), "最高{loan_max}", "最高{loan_most}", "{loan_most} is not defined", "  amount:"),
    "number": Plant(item(18), "number: 18", "number: 28", "number 28 and id p18"),
    "audience": Plant(item(19), "[job_seeker,", "[job_hunter,", "'audiences.0' must be one of"),
    "range": Plant(item(20), "value: 50,", "value: [50, 5],", "a range is written [low, high]"),
    "not YAML": Plant(item(21), "area: 全市", "area: [全市", "not valid YAML", "audiences:"),
    "key twice": Plant(item(22), "area: 全市", "area: 全市\narea: 板橋", "'area' stands here twice", "area: 板橋"),
    "label": Plant(item(23), "label: 勞動條件宣導", "label: 勞動條件宣導計畫宣導會說明會", "at most 12 fit a button"),
    "boxes": Plant(item(24), "[other]", "[others]", "'policy_sources.0' must be one of"),
    "source of another item": Plant(item(25), "source: item 25,", "source: item 24,", "must begin with 'item 25'"),
    "empty text": Plant(item(26), "purpose: 精進", 'purpose: ""  # 精進', "'texts.purpose'"),
    "value of a wrong type": Plant(
        item(27), '{value: "5-3",', "{value: 5,", "a value of unit code is a text", "  base_unit"
    ),
    "chapter missing": Plant(CHAPTERS, "id: ov8", "id: ov9", "chapter ov8 is missing", "chapters:"),
    "chapter twice": Plant(
        CHAPTERS, "id: ov6", "id: ov5", "ov5 stands here and in chapters.yaml", "id: ov5\n    number: 6"
    ),
    "rule fact": Plant(
        "plans/107/rules/p15.yaml", "fact: accepts_referral", "fact: accepts_job", "'accepts_job' is not"
    ),
    "rule figure": Plant("plans/107/rules/p02.yaml", "figure: age_min", "figure: age_low", "no figure 'age_low'"),
    "interface digit": Plant("texts/web.yaml", "send: 送出", "send: 送出1", "web.send: the digits 1 are typed"),
    "audience label": Plant(
        "texts/browse.yaml", "audience.union:", "audience.guild:", "'audience.union' is missing", "#"
    ),
    "danger": Plant("hotlines.yaml", "  deportation:", "  deported:", "'dangers.deported"),
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    root = copy(tmp_path_factory.mktemp("planted"))
    for plant in PLANTS.values():
        plant.put(root)
    next(root.glob(item(14))).unlink()
    return SimpleNamespace(root=root, faults=check(root))


def matching(faults: list[Fault], path: Path, says: str) -> list[Fault]:
    return [fault for fault in faults if fault.file == str(path) and says in fault.text]


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_caught_at_its_line(planted: SimpleNamespace, name: str) -> None:
    plant = PLANTS[name]
    found = matching(planted.faults, plant.path(planted.root), plant.says)
    assert found, f"{plant.says} is not among\n" + "\n".join(map(str, planted.faults))
    assert plant.line(planted.root) in {fault.line for fault in found}


def test_a_missing_program_is_reported(tmp_path: Path) -> None:
    root = copy(tmp_path)
    next(root.glob(item(14))).unlink()
    faults = check(root)
    assert matching(faults, root / "plans" / "107" / "programs", "program p14 is missing: add the file 14-<name>.yaml")
    assert matching(faults, next(root.glob(item(15))), "related 'p14' is no topic")


def test_a_missing_file_is_reported_and_load_refuses(tmp_path: Path) -> None:
    root = copy(tmp_path)
    (root / "facts.yaml").unlink()
    assert matching(check(root), root / "facts.yaml", "cannot be read")
    with pytest.raises(KnowledgeError, match=r"facts\.yaml:1: cannot be read"):
        load(root)


def test_yaml_is_1_2_and_keeps_dates_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text('a: no\nb: 2018-01-01\nc: [1, 0x10, 1.5, null, true]\n"1955": x\n', encoding="utf-8")
    document = read(path)
    assert document.data == {"a": "no", "b": "2018-01-01", "c": [1, 16, 1.5, None, True], "1955": "x"}
    assert document.line("c", 2) == 3
    assert document.line("c", 99, "deeper") == 3


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [("", 1, "empty"), ("a: 1\nb: [", 2, "not valid YAML"), ("a: 1\n7: 2\n", 2, "not a text")],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        read(path)
    assert caught.value.faults[0].line >= line
    assert says in caught.value.faults[0].text


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("年滿六十五歲", [65]),
        ("每次五千元，最多四次", [5000, 4]),
        ("兩萬元", [20000]),
        ("一億二千萬", [120_000_000]),
        ("一百零四年", [104]),
        ("第二項", [2]),
        ("減收五成", [50]),
        ("連續半年", [6]),
        ("一案到底，統一在三重辦理，一起", []),
    ],
)
def test_chinese_number_words(text: str, numbers: list[int]) -> None:
    assert [value for _, value in chinese_numbers(text)] == numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("five thousand dollars, twice", [5000, 2]),
        ("Twenty-nine years", [29]),
        ("one hundred and four", [104]),
        ("one million", [1_000_000]),
        ("half a year", [6]),
        ("someone often attends", []),
    ],
)
def test_english_number_words(text: str, numbers: list[int]) -> None:
    assert [value for _, value in english_numbers(text)] == numbers


ADDITION = """additions:
  - topic: p15
    aspect: contact
    text: 請打{phone}。
    figures:
      phone: {value: "02-1234-5678", unit: phone, source: letter of the bureau}
    source: letter of the bureau
    as_of: 2018-03-01
"""


def test_additions_stand_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "additions").mkdir()
    (tmp_path / "additions" / "phones.yaml").write_text(ADDITION, encoding="utf-8")
    extended = load(extra=tmp_path)
    addition = extended.additions["p15", "contact"]
    assert (addition.as_of, addition.key) == (date(2018, 3, 1), "addition.p15.contact")
    assert extended.texts[addition.key] == "請打{phone}。"
    assert not extended.topics["p15"].says("contact")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("topic: p15", "topic: p99", 2, "'p99' is no topic"),
        ("{phone}。", "5號。", 4, "the digits 5"),
        ("{phone}。", "{fax}。", 4, "{fax} is not defined"),
        ("    source: letter of the bureau\n    as", "    as", 2, "source' is missing"),
    ],
)
def test_faults_of_additions(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    (tmp_path / "additions").mkdir()
    (tmp_path / "additions" / "phones.yaml").write_text(ADDITION.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_additions(tmp_path, knowledge().topics)
    assert [(fault.line, says in fault.text) for fault in caught.value.faults] == [(line, True)]
