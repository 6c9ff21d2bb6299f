"""What every turn and every page needs, loaded once at the start."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.clock import Clock, now
from bot.pipeline.assistant import Assistant
from bot.render.pages import Pages
from bot.render.replies import Renderer
from intents.encoder import Encoder
from intents.encoder.ahead import Ahead
from intents.encoder.process import SECONDS, EncoderProcess, installed
from intents.slots import Words, load_words
from intents.slots.controls import Controls
from intents.understand import Understander
from knowledge.catalog import Catalog
from knowledge.library import Knowledge, load

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
UTTERANCES = Path(__file__).parent.parent.parent / "intents" / "data"
LANGUAGES = ("zh-TW", "en", "vi", "id", "th", "fil")
PATIENT_SECONDS = 5.0
ON_DUTY_SECONDS = 15 * 60.0
LATELY_SECONDS = 24 * 3600.0


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

    def assistant(self, staffing: Callable[[], tuple[bool, bool]]) -> Assistant:
        """The assistant of one house."""
        return Assistant(
            self.knowledge,
            self.understander,
            self.words,
            self.controls,
            self.renderer,
            LANGUAGES,
            self.clock,
            staffing,
            self.encoder,
        )


def start_encoder(patient: bool = False) -> EncoderProcess | None:
    """The encoder's process, starting; None where its package is not installed. `patient`: wait until it answers."""
    if not installed():
        return None
    encoder = EncoderProcess(time.monotonic, seconds=PATIENT_SECONDS if patient else SECONDS, patient=patient)
    encoder.start()
    return encoder


def load_resources(clock: Clock = now, extra: Path | None = None, encoder: Encoder | None = None) -> Resources:
    """Load everything; takes about a second. `extra`: an installation's own knowledge folder.

    With an `encoder` unclear messages are read twice; an `Ahead` never makes the event loop wait for that.

    Raises knowledge.faults.KnowledgeError when the knowledge cannot be used.
    """
    knowledge = load(extra=extra)
    catalog = Catalog.of(knowledge)
    renderer = Renderer(knowledge, catalog, TEMPLATES, LANGUAGES)
    own_names = tuple((code, knowledge.texts[f"conversation.language.{code}"]) for code in LANGUAGES)
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


def names_of(knowledge: Knowledge, catalog: Catalog) -> dict[str, dict[str, list[str]]]:
    """Every name under which a topic may be called, by topic and language."""
    found: dict[str, dict[str, list[str]]] = {}
    for topic in knowledge.topics.values():
        by_lang = {"zh-TW": [topic.id, topic.name, topic.label, *topic.aliases]}
        for lang in LANGUAGES[1:]:
            keys = [key for key in (f"{topic.id}.name", f"{topic.id}.label") if catalog.translated(lang, key)]
            if keys:
                by_lang[lang] = [catalog.text(lang, key).text for key in keys]
        found[topic.id] = by_lang
    return found
