"""Every answer in every language: wholly in it, with the same figures as in English, official names in Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from bot.dialogue.effects import ShowTopic
from bot.dialogue.options import ASPECTS
from bot.pipeline.resources import Resources
from bot.render.plain import text_of
from intents import artefact
from intents.labels import LANGUAGES
from intents.language import detect
from intents.normalise import HAN, fold

TRANSLATED = LANGUAGES[1:]
_BRACKETS = re.compile(r"[(（](?:[^()（）]|[(（][^()（）]*[)）])*[)）]")
_MONTH = re.compile(r"tháng \d{1,2}(?!\d)")  # Vietnamese counts its months
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_GROUPS = re.compile(r"[.,](?=\d{3}(?:\D|$))")
BUDDHIST = 543


def shown(resources: Resources, lang: str) -> dict[str, str]:
    """Every topic whole and each aspect the plan speaks of, as a reader of the language sees it."""
    found = {}
    for topic in resources.knowledge.topics.values():
        for aspect in ("", *(each for each in ASPECTS if topic.says(each))):
            replies = resources.renderer.replies((ShowTopic(topic.id, aspect),), lang, "self")
            found[f"{topic.id} {aspect}".strip()] = "\n".join(text_of(reply) for reply in replies)
    return found


def numbers(text: str, lang: str) -> set[str]:
    """The numbers of a text without separators of groups; Buddhist years as Western ones."""
    found = {
        _GROUPS.sub("", number).replace(",", ".")
        for number in _NUMBER.findall(_MONTH.sub(" ", _BRACKETS.sub(" ", text)))
    }
    if lang != "th":
        return found
    return {str(int(n) - BUDDHIST) if n.isdecimal() and 2500 < int(n) < 2600 else n for n in found}


@pytest.mark.parametrize("lang", TRANSLATED)
def test_every_answer_is_in_the_reader_s_language(resources: Resources, lang: str) -> None:
    letters = artefact.load().letters
    notice = resources.catalog.text(lang, "conversation.fallback").text
    strange = {}
    for key, text in shown(resources, lang).items():
        bare = _BRACKETS.sub(" ", text)
        if notice in text or HAN.search(bare) or detect(fold(bare), letters) != lang:
            strange[key] = text
    assert strange == {}


@pytest.mark.parametrize("lang", TRANSLATED[1:])
def test_every_answer_carries_the_figures_of_the_english_one(resources: Resources, lang: str) -> None:
    english, own = shown(resources, "en"), shown(resources, lang)
    differ = {
        key: numbers(text, lang) ^ numbers(english[key], "en")
        for key, text in own.items()
        if numbers(text, lang) != numbers(english[key], "en")
    }
    assert differ == {}


@pytest.mark.parametrize("lang", TRANSLATED)
def test_nothing_is_missing_or_out_of_date(resources: Resources, lang: str) -> None:
    topics = [f"{topic}.{part}" for topic in resources.knowledge.topics for part in ("name", "label")]
    assert [key for key in topics if not resources.catalog.translated(lang, key)] == []


@pytest.mark.parametrize("lang", TRANSLATED)
def test_a_reviewer_gets_every_text_beside_its_chinese(tmp_path: Path, resources: Resources, lang: str) -> None:
    path = tmp_path / "review.html"
    done = CliRunner().invoke(main, ["knowledge", "review", lang, "-o", str(path)])
    assert done.exit_code == 0, done.output
    html = path.read_text("utf-8")
    assert html.count("☐") >= 629
    assert f"{resources.knowledge.topics['p15'].name}</h2>" in html
    assert "{allowance}" in html  # as it is written, beside how it reads
    assert "5,000" in html or "5.000" in html
    unknown = CliRunner().invoke(main, ["knowledge", "review", "xx", "-o", str(path)])
    assert unknown.exit_code == 1
    assert "fil" in unknown.output
