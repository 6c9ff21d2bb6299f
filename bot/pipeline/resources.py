"""What every turn and every page needs, loaded once at the start."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from bot.clock import Clock, now
from bot.dialogue import Staffing, World
from bot.messages import Retention
from bot.pipeline.assistant import Assistant, Links
from bot.render.pages import Pages
from bot.render.replies import Renderer
from intents.encoder import Encoder
from intents.encoder.ahead import Ahead
from intents.encoder.process import SECONDS, EncoderProcess, installed
from intents.slots import Words, load_words
from intents.slots.controls import Controls
from intents.understand import Understander
from knowledge.catalog import Catalog
from knowledge.catalog.figures import SOURCE_LANGUAGE
from knowledge.catalog.pofiles import languages
from knowledge.library import Knowledge, load
from knowledge.sources import PACKAGED

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
UTTERANCES = Path(__file__).parent.parent.parent / "intents" / "data"
OWN_NAME = "conversation.language."
PATIENT_SECONDS = 5.0
ON_DUTY_SECONDS = 15 * 60.0


@dataclass(frozen=True)
class Resources:
    """Knowledge, words and the parts that use them. `clock` says what time it is for rules and texts."""

    knowledge: Knowledge
    catalog: Catalog
    understander: Understander
    words: Words
    controls: Controls
    renderer: Renderer
    pages: Pages
    clock: Clock
    encoder: Ahead | None = None
    retention: Retention = field(default_factory=Retention)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages it answers in, the source first; every turn and every page asks."""
        return languages_of(self.knowledge)

    def world(self, now: datetime, staffing: Staffing) -> World:
        """What a step may look at."""
        return World(self.knowledge, self.words, self.controls, self.languages, self.catalog, now, staffing)

    def assistant(
        self,
        staffing: Callable[[datetime], Staffing],
        platforms: Collection[str] = (),
        links: Callable[[str, str], Links] = lambda channel, token: (),
        copies: Callable[[str, str], str] = lambda channel, token: "",
    ) -> Assistant:
        """The assistant of one house. `platforms`: its messaging channels; `links` lead from one channel to others,
        `copies` to what is kept of a person."""
        return Assistant(
            self.knowledge,
            self.understander,
            self.words,
            self.controls,
            self.renderer,
            self.languages,
            self.clock,
            staffing,
            self.encoder,
            platforms,
            links,
            copies,
            self.retention,
        )


def start_encoder(patient: bool = False) -> EncoderProcess | None:
    """The encoder's process, starting; None where its package is not installed. `patient`: wait until it answers."""
    if not installed():
        return None
    encoder = EncoderProcess(time.monotonic, seconds=PATIENT_SECONDS if patient else SECONDS, patient=patient)
    encoder.start()
    return encoder


def load_resources(
    clock: Clock = now, extra: Path | None = None, encoder: Encoder | None = None, root: Path = PACKAGED
) -> Resources:
    """Load everything; takes about a second. `extra`: an installation's own knowledge folder.

    With an `encoder` unclear messages are read twice; an `Ahead` never makes the event loop wait for that.

    Raises knowledge.faults.KnowledgeError when the knowledge cannot be used.
    """
    knowledge = load(root, extra)
    catalog = Catalog.of(knowledge)
    spoken = languages_of(knowledge)
    renderer = Renderer(knowledge, catalog, TEMPLATES, spoken)
    own_names = tuple((code, knowledge.texts[f"{OWN_NAME}{code}"]) for code in spoken)
    understander = Understander.load(names=names_of(knowledge, catalog), encoder=encoder)
    return Resources(
        knowledge=knowledge,
        catalog=catalog,
        understander=understander,
        words=load_words(UTTERANCES, understander.words),
        controls=Controls.of(understander.words),
        renderer=renderer,
        pages=Pages(catalog, TEMPLATES, own_names, {}),
        clock=clock,
        encoder=encoder if isinstance(encoder, Ahead) else None,
    )


def languages_of(knowledge: Knowledge) -> tuple[str, ...]:
    """The source, then every language with a catalog and its own name among the texts, in the order of the names."""
    written = {SOURCE_LANGUAGE, *languages(knowledge.root / "locale")}
    named = [key.removeprefix(OWN_NAME) for key in knowledge.texts if key.startswith(OWN_NAME)]
    return tuple(sorted((code for code in named if code in written), key=lambda code: code != SOURCE_LANGUAGE))


def names_of(knowledge: Knowledge, catalog: Catalog) -> dict[str, dict[str, list[str]]]:
    """Every name under which a topic may be called, by topic and language."""
    found: dict[str, dict[str, list[str]]] = {}
    for topic in knowledge.topics.values():
        by_lang = {"zh-TW": [topic.id, topic.name, topic.label, *topic.aliases]}
        for lang in languages_of(knowledge)[1:]:
            keys = [key for key in (f"{topic.id}.name", f"{topic.id}.label") if catalog.translated(lang, key)]
            if keys:
                by_lang[lang] = [catalog.text(lang, key).text for key in keys]
        found[topic.id] = by_lang
    return found
