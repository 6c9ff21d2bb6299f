"""Faults that a translator may plant in any language: `labor-bot knowledge check` names each with file and line."""

from __future__ import annotations

import dataclasses
import re
import shutil
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from knowledge.catalog.pofiles import by_key, po_path, read_catalog, write_catalog
from knowledge.sources import PACKAGED

CONTENT = ("plans", "texts", "locale", "facts.yaml", "hotlines.yaml", "glossary.yaml")
LOST = "{allowance_times} {allowance_total}"
FULL = f"{{allowance}} {LOST}"
LONG = "x" * 31

# By language and key: what replaces the translation, and what the check must say of it.
PLANTS = {
    ("en", "p15.amount"): (f"NT$5,000 each time: {FULL}", "the digits 5000 are typed"),
    ("vi", "p15.amount"): (f"Mỗi lần ５ nghìn: {FULL}", "the digits ５ are typed"),
    ("id", "p15.amount"): (f"Setiap kali 5.000: {FULL}", "the digits 5000 are typed"),
    ("th", "p15.amount"): (f"ครั้งละ ๕ พัน: {FULL}", "the digits ๕ are typed"),
    ("fil", "p15.amount"): (f"Tig-5 libo: {FULL}", "the digits 5 are typed"),
    ("en", "p02.amount"): ("Each year, for each person.", "{payment} is lost in the translation"),
    ("vi", "p02.amount"): ("Mỗi người mỗi năm.", "{payment} is lost in the translation"),
    ("id", "p02.amount"): ("{Payment} setiap tahun.", "a brace without a partner or a bad name"),
    ("th", "p02.amount"): ("{payment} {age_min} ต่อปี", "{age_min} is only in the translation"),
    ("fil", "p02.amount"): ("{bayad} taon-taon.", "{bayad} is only in the translation"),
    ("en", "p15.label"): ("x" * 25, "a label of 25 characters: at most 24 fit"),
    ("vi", "p15.label"): (LONG, "a label of 31 characters: at most 30 fit"),
    ("id", "browse.audience.youth"): (LONG, "a label of 31 characters"),
    ("th", "conversation.choice.menu"): ("ที่" * 31, "a label of 31 characters"),
    ("fil", "conversation.aspect.amount"): (LONG, "a label of 31 characters"),
    ("vi", "p15.purpose"): ("This is for the young people who are looking for work.", "most of it is English"),
    ("id", "p15.purpose"): ("You will get help with this plan for the jobs.", "most of it is English"),
    ("th", "p15.purpose"): ("This is for young people who look for work.", "no Thai letter in it"),
    ("fil", "p15.purpose"): ("Ask the office of the city for what you need.", "most of it is English"),
    ("en", "p15.purpose"): ("Counseling helps 青年 see their way.", "the Chinese '青' stands outside brackets"),
    ("vi", "p15.where"): ("Nộp đơn tại 就業服務站 của thành phố.", "the Chinese '就' stands outside brackets"),
    ("id", "p15.where"): ("Ajukan di สถานี kota ini.", "Thai letters in a language that has none"),
    ("th", "p15.where"): ("ยื่นที่ 就業服務站", "the Chinese '就' stands outside brackets"),
    ("fil", "p15.where"): ("Mag-apply po sa สถานี ng lungsod.", "Thai letters in a language that has none"),
    ("en", "p15.summary"): ("See https://ilabor.ntpc.gov.tw for it.", "a URL is typed"),
    ("vi", "p15.summary"): ("Xem www.ntpc.gov.tw để biết thêm.", "a URL is typed"),
    ("id", "p15.summary"): ("Lihat ilabor.ntpc.gov.tw untuk ini.", "a URL is typed"),
    ("th", "p15.summary"): ("ดูที่ http://ntpc.gov.tw", "a URL is typed"),
    ("fil", "p15.summary"): ("Tingnan ang example.org para rito.", "a URL is typed"),
    ("en", "p15.eligibility"): ("Six months without a job.", "'Six' is the figure 'months_without_work'"),
    ("vi", "p15.eligibility"): ("Chưa có việc sáu tháng.", "{months_without_work} is lost"),
    ("id", "p15.eligibility"): ("Enam bulan tanpa pekerjaan.", "{months_without_work} is lost"),
    ("th", "p15.eligibility"): ("ไม่มีงานทำหกเดือน", "{months_without_work} is lost"),
    ("fil", "p15.eligibility"): ("Anim na buwang walang trabaho.", "{months_without_work} is lost"),
    ("vi", "p15.how_to_apply"): (unicodedata.normalize("NFD", "Nộp đơn ở đó."), "Unicode form NFC"),
    ("fil", "p15.how_to_apply"): (unicodedata.normalize("NFD", "Mag-apply sa Parañaque."), "Unicode form NFC"),
    ("en", "p15.how_to_apply"): ("Apply there. ", "blanks at an end"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A knowledge folder with every fault planted, and what the command prints of it."""
    root = tmp_path_factory.mktemp("planted")
    for name in CONTENT:
        (shutil.copytree if (PACKAGED / name).is_dir() else shutil.copy)(PACKAGED / name, root / name)
    for lang in sorted({lang for lang, _ in PLANTS}):
        po = read_catalog(root / "locale", lang)
        texts = {key: text for (each, key), (text, _) in PLANTS.items() if each == lang}
        assert texts.keys() <= by_key(po.entries).keys()
        planted = [
            dataclasses.replace(entry, text=texts[entry.key], fuzzy=False, previous="") if entry.key in texts else entry
            for entry in po.entries
        ]
        write_catalog(dataclasses.replace(po, entries=tuple(planted)))
    done = CliRunner().invoke(main, ["knowledge", "check", "--root", str(root)])
    assert done.exit_code == 1, done.output
    return root, done.output


@pytest.mark.parametrize(("lang", "key"), PLANTS)
def test_a_planted_fault_is_named_with_file_and_line(told: tuple[Path, str], lang: str, key: str) -> None:
    root, output = told
    path, (_, says) = po_path(root / "locale", lang), PLANTS[lang, key]
    text = path.read_text("utf-8")
    line = text[: text.index(f'msgctxt "{key}"')].count("\n") + 2
    found = re.findall(rf"^{re.escape(str(path))}:{line}: {re.escape(key)}: (.*)$", output, re.MULTILINE)
    assert any(says in each for each in found), found
