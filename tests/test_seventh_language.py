"""A seventh language is data alone: a catalog and its own name. A pseudo-language (accents, 40 % longer) shows every
string that is not translatable or does not fit."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from conftest import TIME

from bot.dialogue.effects import Ask, Hotlines, OpenCase, Say, ShowCards, ShowTopic, Welcome
from bot.dialogue.options import ASPECTS, MENU, PERSON
from bot.pipeline.resources import Resources, load_resources
from bot.render.plain import choices_of, text_of
from knowledge.catalog.maintenance import merge
from knowledge.catalog.pofiles import read_catalog, write_catalog
from knowledge.check import check
from knowledge.sources import PACKAGED

LANG, NAME = "my", "မြန်မာ"
ACCENTS = str.maketrans("aeiouyAEIOUYbcdnst", "áéíóúýÁÉÍÓÚÝḅćḍñšť")
_KEPT = re.compile(r"(\{\w+\}|[(（](?:[^()（）]|[(（][^()（）]*[)）])*[)）])")
_URL = re.compile(r"https?://\S+")
_WORD = re.compile(r"[^\W\d_]+")
# Names that are the same in every language.
SAME = {"LINE", "NT", "GoodJob", "Filipino", "English", "Bahasa", "Indonesia", "Vi", "Language", "Bot", "Esc"}


def pseudo(text: str) -> str:
    """The English text with accents and 40 % longer; placeholders and brackets stay."""
    parts = [part if _KEPT.fullmatch(part) else part.translate(ACCENTS) for part in _KEPT.split(text)]
    longer = "~" * (2 * len(_KEPT.sub("", text)) // 5)
    return "".join(parts) + (f" {longer}" if longer else "")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The knowledge folder with one language more, added as docs/translators.md says."""
    folder = tmp_path_factory.mktemp("seventh") / "knowledge"
    shutil.copytree(PACKAGED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    texts = folder / "texts" / "conversation.yaml"
    own = "language.fil: Filipino\n"
    assert own in texts.read_text("utf-8")
    texts.write_text(texts.read_text("utf-8").replace(own, f"{own}language.{LANG}: {NAME}\n"), "utf-8")
    (folder / "locale" / LANG / "LC_MESSAGES").mkdir(parents=True)
    shutil.copy(folder / "locale/en/LC_MESSAGES/labor_bot.po", folder / "locale" / LANG / "LC_MESSAGES")
    merge(folder)
    catalog = read_catalog(folder / "locale", LANG)
    entries = [dataclasses.replace(entry, text=pseudo(entry.text)) for entry in catalog.entries]
    write_catalog(dataclasses.replace(catalog, lang=LANG, entries=tuple(entries)))
    return folder


@pytest.fixture(scope="module")
def seventh(root: Path) -> Resources:
    return load_resources(TIME, root=root)


def strange(text: str) -> list[str]:
    """Words that were not translated."""
    words = _WORD.findall(_KEPT.sub(" ", _URL.sub(" ", text)))
    return [word for word in words if word.isascii() and len(word) > 2 and word not in SAME]


def test_it_is_offered_by_its_own_name(seventh: Resources) -> None:
    assert seventh.languages[-1] == LANG
    (reply, *_) = seventh.renderer.replies((Welcome(),), "zh-TW", "self")
    assert f"lang:{LANG}" in [choice.id for choice in choices_of(reply)]


def test_everything_said_is_translatable(seventh: Resources) -> None:
    known = seventh.knowledge
    effects = [
        Welcome(),
        Say("conversation.menu", (MENU, PERSON)),
        Hotlines(("violence", "self_harm")),
        OpenCase("asked"),
        *(
            ShowCards("conversation.cards", tuple(topics[:8]), (("name", f"browse.audience.{name}"),))
            for name, topics in known.by_audience.items()
        ),
        *(Ask("p15", "p15", fact, "self", first=True, left=5) for fact in ("age", "work_since_graduation")),
        *(
            ShowTopic(topic.id, aspect)
            for topic in known.topics.values()
            for aspect in ("", *(each for each in ASPECTS if topic.says(each)))
        ),
    ]
    left = {}
    for effect in effects:
        for reply in seventh.renderer.replies((effect,), LANG, "self"):
            shown = "\n".join([text_of(reply), *(choice.label for choice in choices_of(reply))])
            if strange(shown):
                left[f"{effect}"[:60]] = strange(shown)
    assert left == {}


def test_the_check_tells_what_does_not_fit(root: Path) -> None:
    faults = [str(fault) for fault in check(root)]
    own = [fault for fault in faults if f"/{LANG}/" in fault]
    assert faults == own
    assert own
    assert all("fit a button" in fault for fault in own), own[:5]
