"""The catalogs: figures in six languages, fallback, PO files, extract and merge, planted faults in translations."""

from __future__ import annotations

import dataclasses
import json
import shutil
from functools import cache
from pathlib import Path

import pytest

from knowledge.catalog import Catalog, Text, figures_for, format_figure
from knowledge.catalog.maintenance import LANGUAGES, coverage, coverage_table, extract, fill, merge, wanted
from knowledge.catalog.pofiles import UNREVIEWED, PoFile, Translation, by_key, po_path, read_catalog, write_catalog
from knowledge.catalog.templates import compile_template, placeholders, stray_braces
from knowledge.check import check
from knowledge.check.leftovers import leftover_texts
from knowledge.faults import Fault, KnowledgeError
from knowledge.library import Knowledge, load
from knowledge.models import Figure
from knowledge.reading import read
from knowledge.sources import PACKAGED


@cache
def knowledge() -> Knowledge:
    return load()


def figure(value: object, unit: str) -> Figure:
    raw = list(value) if isinstance(value, tuple) else value
    return Figure.model_validate_json(json.dumps({"value": raw, "unit": unit, "source": "item 1"}))


PRINTED = [
    (5000, "ntd", ["新臺幣5,000元", "NT$5,000", "NT$5.000", "NT$5.000", "NT$5,000", "NT$5,000"]),
    (20000, "ntd", ["新臺幣2萬元", "NT$20,000", "NT$20.000", "NT$20.000", "NT$20,000", "NT$20,000"]),
    (15000, "ntd", ["新臺幣1萬5,000元", "NT$15,000", "NT$15.000", "NT$15.000", "NT$15,000", "NT$15,000"]),
    ((3000, 5000), "ntd", ["新臺幣3,000–5,000元", "NT$3,000–5,000", "NT$3.000–5.000", None, None, None]),
    (50_000_000, "ntd", ["新臺幣5,000萬元", "NT$50,000,000", None, None, None, None]),
    (242_454, "thousand_ntd", ["新臺幣2億4,245萬4,000元", "NT$242,454,000", "NT$242.454.000", None, None, None]),
    ((10, 15), "minutes", ["10–15"] * 6),
    (50, "percent", ["50%"] * 6),
    (2.5, "percent", ["2.5%", "2.5%", "2,5%", "2,5%", "2.5%", "2.5%"]),
    ((2, 5), "percent", ["2–5%"] * 6),
    (18, "age", ["18"] * 6),
    (1200, "persons", ["1,200", "1,200", "1.200", "1.200", "1,200", "1,200"]),
    (104, "roc_year", ["104", "2015", "2015", "2015", "2558", "2015"]),
    (7, "month", ["7", "July", "tháng 7", "Juli", "กรกฎาคม", "Hulyo"]),
    (
        "2018-01",
        "roc_year_month",
        ["107年1月（2018年1月）", "January 2018", "tháng 1 năm 2018", "Januari 2018", "มกราคม 2561", "Enero 2018"],
    ),
    (
        "2012-07-31",
        "date",
        [
            "101年7月31日（2012年7月31日）",
            "July 31, 2012",
            "31 tháng 7 năm 2012",
            "31 Juli 2012",
            "31 กรกฎาคม 2555",
            "Hulyo 31, 2012",
        ],
    ),
    ("(02)8969-2107", "phone", ["(02)8969-2107"] * 6),
    ("5-3", "code", ["5-3"] * 6),
]


@pytest.mark.parametrize(("value", "unit", "printed"), PRINTED)
def test_a_figure_prints_as_the_language_does(value: object, unit: str, printed: list[str | None]) -> None:
    for lang, text in zip(("zh-TW", "en", "vi", "id", "th", "fil"), printed, strict=True):
        assert text is None or format_figure(figure(value, unit), lang) == text


def test_a_language_babel_does_not_know_prints_as_english() -> None:
    assert format_figure(figure(7, "month"), "xx-pseudo") == "July"


def test_figures_of_a_topic_bring_the_plan_year_and_the_frame() -> None:
    figures = figures_for(knowledge().topics["p14"], "zh-TW")
    assert (figures["plan_year"], figures["plan_year_ad"]) == ("107", "2018")
    assert figures["budget"] == "新臺幣3,587萬4,000元"
    assert figures["budget_city"] == "新臺幣959萬8,000元"
    assert (figures["start"], figures["end"]) == ("107年1月（2018年1月）", "107年12月（2018年12月）")
    assert figures_for(knowledge().topics["p15"], "th")["plan_year"] == "2561"


def test_templates() -> None:
    template = compile_template("a {b} c {d_1}{b}")
    assert template.names == ("b", "d_1", "b")
    assert template.fill({"b": "1", "d_1": "2"}.__getitem__) == "a 1 c 21"
    assert placeholders("{a} {a} {b}") == {"a", "b"}
    assert [stray_braces(text) for text in ("{a}", "{A}", "{a", "a}", "{{a}}")] == [False, True, True, True, True]


SOURCE = {"a": "甲", "b": "乙{n}次", "c": "丙{n}{more}", "d": "{plan_year}年", "e": "戊"}


def make_catalog(tmp_path: Path, **texts: dict[str, str | Translation]) -> Catalog:
    for lang, entries in texts.items():
        made = [
            text if isinstance(text, Translation) else Translation(key, SOURCE[key], text)
            for key, text in entries.items()
        ]
        write_catalog(PoFile(po_path(tmp_path, lang), lang, "", tuple(made)))
    return Catalog(SOURCE, tmp_path)


def test_text_falls_back_to_english_then_chinese(tmp_path: Path) -> None:
    catalog = make_catalog(tmp_path, en={"a": "A", "b": "B {n} times"}, vi={"a": "Á"})
    assert catalog.text("vi", "a") == Text("Á", "vi")
    assert catalog.text("vi", "b", {"n": figure(1200, "count")}) == Text("B 1,200 times", "en")
    assert catalog.text("vi", "e") == Text("戊", "zh-TW")
    assert catalog.text("th", "a") == Text("A", "en")
    assert catalog.text("zh-TW", "a") == Text("甲", "zh-TW")
    assert catalog.translated("vi", "a")
    assert not catalog.translated("vi", "b")
    assert "a" in catalog
    assert "z" not in catalog
    with pytest.raises(KeyError):
        catalog.text("vi", "z")


def test_a_fuzzy_or_outdated_entry_counts_as_missing(tmp_path: Path) -> None:
    fuzzy = Translation("a", "甲", "Á", fuzzy=True)
    outdated = Translation("e", "己", "É")
    catalog = make_catalog(tmp_path, en={"a": "A"}, vi={"a": fuzzy, "e": outdated})
    assert catalog.text("vi", "a") == Text("A", "en")
    assert catalog.text("vi", "e") == Text("戊", "zh-TW")


def test_a_translation_that_lacks_a_parameter_is_passed_over(tmp_path: Path) -> None:
    catalog = make_catalog(tmp_path, en={"b": "B {n} {what}"})
    assert catalog.text("en", "b", {"n": 3}) == Text("乙3次", "zh-TW")
    assert catalog.text("en", "c", {"n": 3}) == Text("丙3…", "zh-TW")


def test_the_plan_year_is_known_everywhere(tmp_path: Path) -> None:
    catalog = make_catalog(tmp_path, en={"d": "in {plan_year}"}, th={"d": "ปี {plan_year}"})
    assert [catalog.text(lang, "d").text for lang in ("zh-TW", "en", "th")] == ["107年", "in 2018", "ปี 2561"]


def test_reviews(tmp_path: Path) -> None:
    catalog = make_catalog(tmp_path, en={"a": "A"})
    assert [catalog.reviewed_by(lang) for lang in ("en", "zh-TW", "vi")] == ["", "", ""]
    po = read_catalog(tmp_path, "en")
    assert po.reviewed_by == UNREVIEWED
    write_catalog(dataclasses.replace(po, reviewed_by="A. Reader, 2018"))
    assert Catalog(SOURCE, tmp_path).reviewed_by("en") == "A. Reader, 2018"


def test_po_files_survive_a_round_trip(tmp_path: Path) -> None:
    entries = (
        Translation("a", '甲"\\', 'A "b" \\ {n}\n', files=("texts/a b.yaml",), comments=("a note",)),
        Translation("b", "乙", "", comments=()),
        Translation("c", "丙", "C", fuzzy=True, previous='丙" one'),
    )
    po = PoFile(po_path(tmp_path, "fil"), "fil", "", entries)
    assert write_catalog(po)
    assert not write_catalog(po)
    read = read_catalog(tmp_path, "fil").entries
    assert [dataclasses.replace(entry, line=1, files=()) for entry in read] == [
        dataclasses.replace(entry, files=()) for entry in entries
    ]
    text = po.path.read_text(encoding="utf-8")
    assert '"Plural-Forms: nplurals=2; plural=(n > 1);\\n"' in text
    assert "Date" not in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_packaged_catalogs_state_language_and_review(lang: str) -> None:
    po = read_catalog(PACKAGED / "locale", lang)
    text = po.path.read_text(encoding="utf-8")
    assert f'"Language: {lang}\\n"' in text
    assert po.reviewed_by == UNREVIEWED
    assert po.faults == ()
    if lang in ("vi", "id", "th"):
        assert '"Plural-Forms: nplurals=1; plural=0;\\n"' in text


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A knowledge folder with one program, one text file and the catalogs of those."""
    programs = tmp_path / "plans" / "107" / "programs"
    programs.mkdir(parents=True)
    shutil.copy(next(PACKAGED.glob("plans/107/programs/15-*.yaml")), programs)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "web.yaml").write_text("send: 送出\nback: 返回\n", encoding="utf-8")
    (tmp_path / "texts" / "desk.yaml").write_text("close: 結案\n", encoding="utf-8")
    (tmp_path / "plans" / "107" / "chapters.yaml").write_text("chapters: []\n", encoding="utf-8")
    (tmp_path / "facts.yaml").write_text("facts: []\n", encoding="utf-8")
    (tmp_path / "hotlines.yaml").write_text("hotlines: []\n", encoding="utf-8")
    merge(tmp_path)
    return tmp_path


def test_extract_gives_stable_keys_with_their_place(small: Path) -> None:
    entries = {entry.key: entry for entry in extract(small)}
    assert entries["p15.amount"].text == "每次{allowance}，最多領{allowance_times}次，共{allowance_total}。"
    assert entries["p15.amount"].owner == "p15"
    assert "p15.documents" not in entries
    assert (entries["web.back"].text, entries["web.back"].line) == ("返回", 2)


def test_every_kind_of_text_is_extracted() -> None:
    keys = {entry.key for entry in extract(PACKAGED)}
    wanted_keys = ["p05.name", "p06.4.summary", "ov6.amount", "hotline.1955.name", "browse.audience.youth", "web.send"]
    rule_keys = ["rule.p15.age.unmet", "fact.age.question", "fact.age.question.other_person"]
    assert {*wanted_keys, *rule_keys, "fact.registered_in_city.choice.yes"} <= keys
    assert keys == set(knowledge().texts)


def test_keys_of_text_files_are_file_name_and_key() -> None:
    for file in (PACKAGED / "texts").glob("*.yaml"):
        keys = {f"{file.stem}.{key}" for key in read(file).data}
        assert keys == {key for key in knowledge().texts if key.startswith(f"{file.stem}.")}


def test_merge_keeps_marks_and_drops(small: Path) -> None:
    filled = small / "fill.json"
    filled.write_text(json.dumps({"web.send": "Gửi", "web.back": "Trở lại", "web.gone": "x"}), encoding="utf-8")
    result = fill(small, "vi", filled)
    assert (result.filled, result.kept, result.unknown) == (2, (), ("web.gone",))
    (small / "texts" / "web.yaml").write_text("send: 送出訊息\nnew: 新的\n", encoding="utf-8")
    assert po_path(small / "locale", "vi") in merge(small)
    entries = by_key(read_catalog(small / "locale", "vi").entries)
    assert entries["web.send"].text == "Gửi"
    assert (entries["web.send"].fuzzy, entries["web.send"].previous) == (True, "送出")
    assert entries["web.new"].text == ""
    assert "web.back" not in entries
    assert merge(small) == ()


def test_fill_never_overwrites(small: Path) -> None:
    first, second = small / "1.json", small / "2.json"
    first.write_text('{"web.send": "Send"}', encoding="utf-8")
    second.write_text('{"web.send": "Submit"}', encoding="utf-8")
    fill(small, "en", first)
    assert fill(small, "en", second).kept == ("web.send",)
    assert by_key(read_catalog(small / "locale", "en").entries)["web.send"].text == "Send"


def test_the_desk_is_translated_into_english_only(small: Path) -> None:
    for lang in LANGUAGES:
        assert ("desk.close" in by_key(read_catalog(small / "locale", lang).entries)) == (lang == "en")


def test_another_language_needs_only_a_folder(small: Path) -> None:
    (small / "locale" / "my" / "LC_MESSAGES").mkdir(parents=True)
    assert merge(small) == (po_path(small / "locale", "my"),)
    po = read_catalog(small / "locale", "my")
    assert len(po.entries) == len(wanted(extract(small), "my"))


def test_coverage_counts_translated_and_fuzzy(small: Path) -> None:
    filled = small / "fill.json"
    filled.write_text('{"web.send": "ส่ง", "web.back": "กลับ"}', encoding="utf-8")
    fill(small, "th", filled)
    (small / "texts" / "web.yaml").write_text("send: 送出\nback: 回上頁\n", encoding="utf-8")
    row = next(row for row in coverage(small) if row.lang == "th")
    assert (row.translated, row.fuzzy, row.missing) == (1, 1, row.total - 2)
    assert len(coverage_table([row]).splitlines()) == 2


# What replaces the English translation, and what the check must say of it.
PLANTS = {
    "p15.amount": ("5000 each time, {allowance} {allowance_times} {allowance_total}", "the digits 5000"),
    "p15.where": ("Apply at www.example.org.", "a URL is typed"),
    "p02.amount": ("Every year for those who qualify.", "{payment} is lost in the translation"),
    "p02.period": ("{apply_month} {payment}", "{payment} is only in the translation"),
    "p15.summary": ("You get it four times, five thousand each.", "'four' is the figure 'allowance_times'"),
    "p15.label": ("Youth job-search allowance of the city", "at most 24 fit a button"),
    "p01.summary": ("Labor classes {", "a brace without a partner"),
    "p01.purpose": (" Labor classes.", "blanks at an end"),
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Fault]]:
    root = tmp_path_factory.mktemp("planted")
    for name in ("plans", "texts", "locale"):
        shutil.copytree(PACKAGED / name, root / name)
    for name in ("facts.yaml", "hotlines.yaml", "glossary.yaml"):
        shutil.copy(PACKAGED / name, root / name)
    merge(root)
    locale = root / "locale"
    english = read_catalog(locale, "en")
    entries = [dataclasses.replace(e, text=PLANTS[e.key][0]) if e.key in PLANTS else e for e in english.entries]
    entries = [dataclasses.replace(e, source="舊的") if e.key == "p27.name" else e for e in entries]
    write_catalog(dataclasses.replace(english, entries=tuple(entries)))
    vietnamese = po_path(locale, "vi")
    vietnamese.write_text(vietnamese.read_text(encoding="utf-8") + 'msgctxt "x"\nmessage "y"\n', encoding="utf-8")
    thai = po_path(locale, "th")
    thai.write_text(thai.read_text(encoding="utf-8").replace('"Reviewed-By', '"X-By'), encoding="utf-8")
    indonesian = read_catalog(locale, "id")
    write_catalog(dataclasses.replace(indonesian, entries=(*indonesian.entries, indonesian.entries[0])))
    po_path(locale, "fil").unlink()
    return root, check(root)


@pytest.mark.parametrize("key", PLANTS)
def test_a_planted_fault_in_a_translation_is_caught(planted: tuple[Path, list[Fault]], key: str) -> None:
    root, faults = planted
    text = po_path(root / "locale", "en").read_text(encoding="utf-8")
    line = text[: text.index(f'msgctxt "{key}"')].count("\n") + 2
    found = [
        fault.text for fault in faults if fault.line == line and fault.file.endswith("en/LC_MESSAGES/labor_bot.po")
    ]
    assert any(each.startswith(f"{key}: ") and PLANTS[key][1] in each for each in found), found


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("en", "1 entries are behind the Chinese (p27.name"),
        ("vi", "not a valid PO file"),
        ("th", "does not say who reviewed"),
        ("id", "p01.name stands here twice"),
        ("fil", "cannot be read"),
    ],
)
def test_a_planted_fault_of_a_whole_catalog_is_caught(planted: tuple[Path, list[Fault]], lang: str, says: str) -> None:
    root, faults = planted
    file = str(po_path(root / "locale", lang))
    assert any(fault.file == file and says in fault.text for fault in faults)


def test_a_broken_catalog_is_refused_by_name(planted: tuple[Path, list[Fault]]) -> None:
    with pytest.raises(KnowledgeError, match=r"vi/LC_MESSAGES/labor_bot\.po:\d+: not a valid PO file"):
        read_catalog(planted[0] / "locale", "vi")


def test_every_program_answers_in_english_with_the_same_figures() -> None:
    catalog = Catalog.of(knowledge())
    for topic in knowledge().topics.values():
        for name, text in topic.texts.items():
            if text is None:
                continue
            answer = catalog.text("en", f"{topic.id}.{name}", topic.figures)
            assert answer.lang == "en", f"{topic.id}.{name}"
            figures = figures_for(topic, "en")
            assert all(figures[each] in answer.text for each in placeholders(text)), f"{topic.id}.{name}"


@pytest.mark.parametrize(
    ("lang", "text", "fault"),
    [
        ("vi", "You will get the allowance for this", "English"),
        ("id", "This is for young people who are looking for work", "English"),
        ("fil", "Ask the office for the papers that you need, and bring them with you", "English"),
        ("th", "Ask the office about it", "no Thai letter"),
        ("vi", "Bạn có thể xin trợ cấp ที่นี่", "Thai letters"),
        ("en", "Ask the 勞工局 about it", "outside brackets"),
        ("th", "ติดต่อ勞工局", "outside brackets"),
        ("vi", "Cục Lao động to\u0302i", "NFC"),
    ],
)
def test_a_translation_in_another_language_is_a_fault(lang: str, text: str, fault: str) -> None:
    assert [each for each in leftover_texts(lang, "p15.summary", text) if fault in each]


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("vi", "Cục Lao động (勞工局) trợ cấp {allowance} cho thanh niên tìm việc lần đầu"),
        ("id", "Tunjangan {allowance} untuk anak muda yang pertama kali mencari kerja (初次尋職)"),
        ("fil", "Mag-apply po sa employment service station (就業服務站) para sa job search allowance"),
        ("th", "เงินช่วยหางาน (尋職津貼) {allowance}"),
        ("th", "GoodJob"),
        ("en", "Volunteer lawyers (義務律師法令諮詢（電話諮詢）雙通服務)"),
    ],
)
def test_official_names_and_borrowed_words_are_none(lang: str, text: str) -> None:
    assert list(leftover_texts(lang, "p15.summary", text)) == []


def test_five_catalogs_are_complete() -> None:
    for row in coverage(PACKAGED):
        assert (row.missing, row.fuzzy) == (0, 0), row
