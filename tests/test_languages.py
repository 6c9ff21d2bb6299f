"""Every answer in every language: wholly in it, with the same figures as in English, official names in Chinese."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner
from conftest import TIME

from bot.cli.main import main
from bot.dialogue import Heard, Staffing, step
from bot.dialogue.effects import Ask, Effect, Hotlines, Say, ShowCards, ShowTopic, ShowVerdict, Welcome
from bot.dialogue.options import ASPECTS
from bot.dialogue.state import State
from bot.messages import Card, Choice, Link, Reply
from bot.pipeline.resources import Resources
from bot.render.plain import choices_of, text_of
from intents import artefact
from intents.labels import LANGUAGES
from intents.language import detect
from intents.normalise import HAN, fold
from knowledge.check.texts import graphemes
from knowledge.facts import read_value
from knowledge.hotlines import Danger
from knowledge.rules import Result, Rule, evaluate, topic_of_rule
from knowledge.rules.window import Window

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


# What the narrowest channel takes: LINE counts texts in UTF-16 units and labels in what a reader sees, Telegram texts
# in UTF-16 units and the data of a button in bytes.
LINE_TEXT, TELEGRAM_TEXT = 5000, 4096
BUTTON, TITLE, LABEL = 40, 40, 64
POSTBACK, CALLBACK = 300, 64
PAGE = 8
FORMS: tuple[dict[str, Any], ...] = ({"helping": True}, {"narrower": True})


def utf16(text: str) -> int:
    """The length of a text as the platforms count it."""
    return len(text.encode("utf-16-le")) // 2


def misfits(reply: Reply) -> Iterator[str]:
    """What of a reply some channel would refuse or cut."""
    if utf16(text_of(reply)) > min(LINE_TEXT, TELEGRAM_TEXT):
        yield f"a text of {utf16(text_of(reply))} units"
    yield from (f"the title {card.title}" for card in reply.cards if graphemes(card.title) > TITLE)
    buttons = [*reply.choices, *(choice for card in reply.cards for choice in card.choices)]
    yield from (f"the button {each.label}" for each in buttons if not 0 < graphemes(each.label) <= BUTTON)
    yield from (
        f"the id {each.id}" for each in buttons if utf16(each.id) > POSTBACK or len(each.id.encode()) > CALLBACK
    )
    labels = [*(each.label for each in choices_of(reply)), *(link.label for link in reply.links)]
    yield from (f"the label {each}" for each in labels if len(each) > LABEL)


def told(rule: Rule, resources: Resources) -> Iterator[Result]:
    """What the rule says of each of its golden cases, and of somebody who told nothing yet."""
    facts = resources.knowledge.facts
    today = TIME().date()
    yield evaluate(rule, {}, today)
    for case in rule.cases:
        given = {name: read_value(facts[name], raw) for name, raw in case.facts(rule.typical).items()}
        yield evaluate(rule, given, case.on)


def everything(resources: Resources) -> Iterator[Effect]:
    """Every topic and aspect, page of cards, question, verdict and hotline."""
    known, today = resources.knowledge, TIME().date()
    yield Welcome()
    for topic in known.topics.values():
        yield from (ShowTopic(topic.id, aspect) for aspect in ("", *ASPECTS) if not aspect or topic.says(aspect))
        yield from (Say(f"conversation.unknown.{aspect}", topic=topic.id) for aspect in ASPECTS)
    for kind, lists in (("audience", known.by_audience), ("theme", known.by_theme)):
        for name, topics in lists.items():
            for start in range(0, len(topics), PAGE):
                heading = (("name", f"browse.{kind}.{name}"),)
                yield ShowCards("conversation.cards", tuple(topics[start : start + PAGE]), heading)
    for rule in known.rules.values():
        topic_id = topic_of_rule(rule.id)
        for subject in rule.subjects:
            for fact in (each for each in rule.facts if subject in known.facts[each].subjects):
                for extra in FORMS:
                    yield Ask(rule.id, topic_id, fact, subject, first=True, left=9, can_go_back=True, **extra)
            for result in told(rule, resources) if rule.kind != "audience" else ():
                yield from (
                    ShowVerdict(rule.id, topic_id, subject, result, window, today) for window in get_args(Window)
                )
    dangers = get_args(Danger)
    yield from (Hotlines(classes) for classes in (*((danger,) for danger in dangers), dangers))


def pressed(resources: Resources, lang: str) -> Iterator[tuple[str, Reply]]:
    """Every reply that is reached by pressing buttons alone, each button once, with the id of the button."""
    world = resources.world(TIME(), Staffing(on_duty=False, seen_lately=False, next_case="20261123-ABCDE"))
    waiting, seen = deque([("menu", State(lang=lang, lang_chosen=True, welcomed=True))]), {"menu"}
    while waiting:
        choice, state = waiting.popleft()
        after, effects = step(state, Heard(0, choice), world)
        for reply in resources.renderer.replies(effects, lang, after.subject):
            yield choice, reply
            for other in choices_of(reply):
                if other.id not in seen and not other.id.startswith("lang:"):
                    seen.add(other.id)
                    waiting.append((other.id, after))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_answer_fits_every_channel(resources: Resources, lang: str) -> None:
    wrong = {}
    for effect in everything(resources):
        for reply in resources.renderer.replies((effect,), lang, "self"):
            if found := list(misfits(reply)):
                wrong[f"{effect}"[:80]] = found
    assert wrong == {}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_menu_fits_every_channel(resources: Resources, lang: str) -> None:
    replies = list(pressed(resources, lang))
    wrong = {choice: found for choice, reply in replies if (found := list(misfits(reply)))}
    assert wrong == {}
    reached = {choice for choice, _ in replies}
    assert {f"topic:{topic}" for topic in resources.knowledge.topics} <= reached
    assert {"who", "themes", "checks", "handoff", "forget", "language"} <= reached


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply("𠮷" * 2049, "zh-TW"), "a text of 4098 units"),
        (Reply("a", "en", cards=(Card("x" * 41),)), "the title"),
        (Reply("a", "en", choices=(Choice("a", "x" * 41),)), "the button"),
        (Reply("a", "en", choices=(Choice("a", ""),)), "the button"),
        (Reply("a", "en", choices=(Choice("選" * 22, "a"),)), "the id"),
        (Reply("a", "en", links=(Link("x" * 65, "tel:1"),)), "the label"),
        (Reply("a", "th", choices=(Choice("a", "ที่" * 40),)), "the label"),
    ],
)
def test_what_does_not_fit_is_seen(reply: Reply, says: str) -> None:
    assert [each.startswith(says) for each in misfits(reply)] == [True]
