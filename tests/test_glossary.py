"""The binding terms: each catalog says them, each style guide lists them, and a wrong one is caught at its line."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

from knowledge.catalog.maintenance import LANGUAGES
from knowledge.catalog.pofiles import Translation, po_path, read_catalog, write_catalog
from knowledge.check import check
from knowledge.check.glossary import FILE, read_glossary
from knowledge.faults import Fault
from knowledge.glossary import Glossary
from knowledge.sources import PACKAGED

CONTENT = ("plans", "texts", "locale", "facts.yaml", "hotlines.yaml", FILE)


@cache
def glossary() -> Glossary:
    located, faults = read_glossary(PACKAGED)
    assert located is not None, faults
    return located.model


def rows(lang: str) -> list[str]:
    """The lines of the glossary table of a style guide."""
    guide = (ROOT / "docs" / "style" / f"{lang}.md").read_text("utf-8")
    table = guide.partition("\n## Glossary\n")[2].partition("\n## ")[0]
    return [line.casefold() for line in table.splitlines() if line.startswith("|")]


def test_there_are_terms_enough() -> None:
    assert len(glossary().terms) >= 40


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_style_guide_lists_every_term_with_its_form(lang: str) -> None:
    lines = rows(lang)
    missing = [
        term.zh[0]
        for term in glossary().terms
        if not any(
            any(zh in line for zh in term.zh) and any(form.casefold() in line for form in term.forms[lang])
            for line in lines
        )
    ]
    assert missing == []


def test_the_longest_spelling_comes_first() -> None:
    spellings = [spelling for spelling, _ in glossary().spellings()]
    assert [len(each) for each in spellings] == sorted(map(len, spellings), reverse=True)
    assert spellings.index("失業認定") < spellings.index("失業")


SMALL = """terms:
  - zh: [失業]
    forms: {en: [unemploy], vi: [thất nghiệp], id: [menganggur], th: [ว่างงาน], fil: [walang trabaho]}
  - zh: [失業認定]
    forms: {en: [certification], vi: [xác nhận], id: [pengesahan], th: [การรับรอง], fil: [pagkumpirma]}
"""

Build = Callable[..., tuple[Path, list[Fault]]]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """A knowledge folder with two terms, one Chinese text (web.send) and its translations; and what the check says."""

    def built(chinese: str, glossary: str = SMALL, fuzzy: bool = False, **texts: str) -> tuple[Path, list[Fault]]:
        (tmp_path / "texts").mkdir()
        (tmp_path / "texts" / "web.yaml").write_text(f"back: 返回\nsend: {chinese}\n", "utf-8")
        (tmp_path / FILE).write_text(glossary, "utf-8")
        for lang, text in texts.items():
            made = (Translation("web.back", "返回", "x"), Translation("web.send", chinese, text, fuzzy=fuzzy))
            po = dataclasses.replace(read_catalog(PACKAGED / "locale", "en"), lang=lang, entries=made)
            write_catalog(dataclasses.replace(po, path=po_path(tmp_path / "locale", lang)))
        return tmp_path, [fault for fault in check(tmp_path) if "glossary" in f"{fault}"]

    return built


def test_a_term_that_is_not_used_is_a_fault_at_its_entry(build: Build) -> None:
    root, faults = build("失業的人", vi="người mất việc", en="Unemployed people")
    assert [fault.file for fault in faults] == [str(po_path(root / "locale", "vi"))]
    lines = po_path(root / "locale", "vi").read_text("utf-8").splitlines()
    assert lines[faults[0].line - 2 : faults[0].line] == ['msgctxt "web.send"', 'msgid "失業的人"']
    assert faults[0].text.startswith("web.send: 失業 is 'thất nghiệp' in the glossary")


@pytest.mark.parametrize(
    ("chinese", "lang", "text", "wrong"),
    [
        ("失業認定", "en", "Certification that you have no work", []),
        ("失業認定", "en", "Unemployment paper", ["失業認定"]),
        ("失業者的失業認定", "en", "Certification for people without work", ["失業"]),
        ("失業者", "en", "UNEMPLOYED people", []),
        ("失業者", "en", "People who left reunemployment", ["失業"]),
        ("失業者", "th", "คนว่างงาน", []),
        ("失業者", "en", "{unemployed} people", ["失業"]),
        ("失業者", "my", "xxx", []),
        ("{unemployed}人", "en", "people", []),
    ],
)
def test_forms(build: Build, chinese: str, lang: str, text: str, wrong: list[str]) -> None:
    _, faults = build(chinese, **{lang: text})
    assert [fault.text.split()[1] for fault in faults] == wrong


def test_what_is_not_served_is_not_judged(build: Build) -> None:
    assert build("失業的人", fuzzy=True, en="people")[1] == []


EXCEPT = SMALL.replace(
    "  - zh: [失業認定]", "    except:\n      - {key: web.send, lang: [en], why: a button}\n  - zh: [失業認定]"
)


def test_an_exception_holds_for_its_language_alone(build: Build) -> None:
    _, faults = build("失業的人", EXCEPT, en="people", vi="người")
    assert [Path(fault.file).parts[-3] for fault in faults] == ["vi"]


@pytest.mark.parametrize(
    ("chinese", "text", "says"),
    [
        ("失業的人", "Unemployed people", "web.send says the term in en: remove the exception"),
        ("失業認定", "Certification", "web.send does not say 失業: remove the exception"),
    ],
)
def test_an_exception_that_is_not_needed_is_a_fault(build: Build, chinese: str, text: str, says: str) -> None:
    root, faults = build(chinese, EXCEPT, en=text)
    assert [(fault.file, fault.line, fault.text) for fault in faults] == [(str(root / FILE), 5, says)]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("key: web.send", "key: web.sent", 5, "no text has the key 'web.sent'"),
        (", fil: [walang trabaho]", "", 2, "no form in the language fil"),
        ("vi: [thất nghiệp]", "vi: []", 3, "'terms.0.forms.vi'"),
        ("th: [ว่างงาน]", "th: ว่างงาน", 3, "'terms.0.forms.th'"),
        ("zh: [失業認定]", "zh: [失業認定, 失業]", 1, "the term 失業 stands here twice"),
        ("lang: [en]", "lang: [my]", 2, "excepted in my, which has no forms"),
        (", why: a button", "", 5, "'terms.0.except.0.why' is missing"),
        ("    except:", "    excepts:", 4, "unknown key 'terms.0.excepts'"),
        ("terms:", "terms: [", 2, "not valid YAML"),
    ],
)
def test_faults_of_the_glossary_itself(build: Build, old: str, new: str, line: int, says: str) -> None:
    assert old in EXCEPT
    root, faults = build("失業的人", EXCEPT.replace(old, new, 1), en="people")
    found = [fault for fault in faults if fault.file == str(root / FILE) and says in fault.text]
    assert [fault.line for fault in found] == [line], faults


def test_a_missing_glossary_is_a_fault(tmp_path: Path) -> None:
    faults = [fault for fault in check(tmp_path) if fault.file == str(tmp_path / FILE)]
    assert ["cannot be read" in fault.text for fault in faults] == [True]


# What a translator may write by mistake, and the term the check must name.
WRONG = {
    "en": ("p18.name", "Job Hunting Plan", "現場徵才"),
    "vi": ("p03.label", "Nhóm việc thiện của hội", "工會"),
    "id": ("p08.eligibility", "Program ini menyebut PMI dan agen. Rencana tidak menulis syarat lain.", "移工"),
    "th": ("p03.name", "กลุ่มทำความดีของสมาคม", "工會"),
    "fil": ("p15.name", "Serbisyo para sa Matatandang Unang Beses Maghanap ng Trabaho", "青年"),
}


def test_a_wrong_term_in_the_packaged_catalogs_is_caught(tmp_path: Path) -> None:
    for name in CONTENT:
        (shutil.copytree if (PACKAGED / name).is_dir() else shutil.copy)(PACKAGED / name, tmp_path / name)
    for lang, (key, text, _) in WRONG.items():
        po = read_catalog(tmp_path / "locale", lang)
        entries = [dataclasses.replace(entry, text=text) if entry.key == key else entry for entry in po.entries]
        write_catalog(dataclasses.replace(po, entries=tuple(entries)))
    faults = check(tmp_path)
    for lang, (key, _, term) in WRONG.items():
        path = po_path(tmp_path / "locale", lang)
        text = path.read_text("utf-8")
        line = text[: text.index(f'msgctxt "{key}"')].count("\n") + 2
        said = [fault.text for fault in faults if (fault.file, fault.line) == (str(path), line)]
        assert [each for each in said if each.startswith(f"{key}: {term} is")], said
