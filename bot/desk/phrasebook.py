"""The sentences that caseworkers send in the citizen's language: packaged ones, those of the desk, which come first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache

from bot.pipeline.resources import Resources
from bot.store import Store
from bot.store.phrases import PhraseRow
from bot.store.records import CaseRow, StaffRow
from knowledge.catalog import SOURCE_LANGUAGE, Catalog
from knowledge.catalog.figures import RANGE, format_figure
from knowledge.catalog.moments import day_time
from knowledge.catalog.pofiles import languages
from knowledge.catalog.templates import PLACEHOLDER, compile_template
from knowledge.library import Knowledge
from knowledge.models import Figure

PREFIX = "phrasebook."
SLOTS = (
    "staff", "name", "day", "time", "place", "phone", "number", "unit", "documents", "duration", "hotline", "amount",
)  # fmt: skip
SLOT_LIMIT = 200
SUGGESTIONS = 6
ENDING = 4  # answers after which a case may be near its end

FIRST = ("greet.hello", "greet.read", "ask.what")
LAST = ("close.solved", "close.more", "close.thanks")
URGENT = ("ask.safe", "ask.where", "call.danger")
FITTING: Mapping[str, tuple[str, ...]] = {
    "p02": ("doc.bring", "when.come"),
    "p04": ("doc.bring", "when.come"),
    "p06": ("ask.unpaid", "doc.letter", "next.mediation"),
    "p06.2": ("doc.bring", "when.come"),
    "p06.3": ("ask.injury", "call.doctor", "doc.bring"),
    "p07": ("when.come",),
    "p08": ("ask.papers", "ask.broker", "call.1955"),
    "p13": ("when.open", "doc.bring"),
    "p14": ("when.open", "doc.bring"),
    "p15": ("doc.bring", "when.come"),
    "p16": ("doc.bring", "when.come"),
    "p17": ("doc.bring", "when.come"),
    "p20": ("doc.bring", "when.come"),
    "p23": ("ask.wage", "ask.hours", "next.inspection"),
    "p25": ("doc.bring", "when.come"),
}
HOTLINES = {"call.1955": "1955", "call.danger": "110"}

_SLOT = re.compile(rf"\{{({'|'.join(SLOTS)})\}}")
_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)"
_TIMES = re.compile(rf"{_CLOCK}(?:\s*[-–~～至]\s*{_CLOCK})?")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One sentence. `texts` by language, slots in braces; `version` 0: as packaged; `row`: what the desk keeps."""

    key: str
    texts: Mapping[str, str]
    version: int = 0
    topic: str = ""
    retired: bool = False
    row: PhraseRow | None = None

    @property
    def chinese(self) -> str:
        """The Chinese, with its slots."""
        return self.texts.get(SOURCE_LANGUAGE, "")

    @property
    def group(self) -> str:
        """What it is for: the first word of its key."""
        return self.key.partition(".")[0]

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of its slots, in the order of the Chinese."""
        return tuple(dict.fromkeys(PLACEHOLDER.findall(self.chinese)))

    def filled(self, lang: str, values: Mapping[str, str]) -> str:
        """The sentence in a language that it has, with the slots filled. An empty slot stays as it is written."""
        template = compile_template(self.texts[lang])
        return template.fill(lambda name: shown(name, values[name], lang) if values.get(name) else f"{{{name}}}")


def shown(slot: str, value: str, lang: str) -> str:
    """What stands in a slot: ISO days and times as the language writes them, anything else as it was typed."""
    if slot == "day":
        try:
            iso = date.fromisoformat(value).isoformat()
        except ValueError:
            return value
        return format_figure(Figure(value=iso, unit="date", source="desk"), lang)
    if slot == "time" and (match := _TIMES.fullmatch(value)):
        hours = [group for group in match.groups() if group is not None]
        return RANGE.join(
            day_time(time(int(hours[index]), int(hours[index + 1])), lang) for index in range(0, len(hours), 2)
        )
    return value


@lru_cache(maxsize=8)
def packaged(knowledge: Knowledge, catalog: Catalog) -> Mapping[str, Phrase]:
    """The sentences that come with the program, in the order of their file, each in the languages that have it."""
    spoken = (SOURCE_LANGUAGE, *languages(knowledge.root / "locale"))
    found = {}
    for key, chinese in knowledge.texts.items():
        if key.startswith(PREFIX):
            slots = {name: f"{{{name}}}" for name in PLACEHOLDER.findall(chinese)}
            texts = {lang: catalog.text(lang, key, slots).text for lang in spoken if catalog.translated(lang, key)}
            found[key.removeprefix(PREFIX)] = Phrase(key.removeprefix(PREFIX), texts)
    return found


def phrasebook(resources: Resources, store: Store) -> dict[str, Phrase]:
    """Every sentence by key, as it stands now; retired ones too."""
    found = dict(packaged(resources.knowledge, resources.catalog))
    for row in store.phrases.newest():
        wording = row.wording
        found[row.key] = Phrase(row.key, wording.texts, row.version, wording.topic, wording.retired, row)
    return found


def language_name(resources: Resources, reader: str, lang: str) -> str:
    """A language as the reader calls it; in its own name where the reader's language has no word for it."""
    key = f"desk_phrases.language_{lang}"
    return resources.pages.words(reader, key if key in resources.catalog else f"conversation.language.{lang}")


# -- what the pane of a case offers


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of a sentence. `kind` is the kind of the input: date or text."""

    name: str
    value: str

    @property
    def kind(self) -> str:
        """A day is picked, everything else is typed."""
        return "date" if self.name == "day" else "text"


Parts = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A sentence for one case. `theirs` is empty where the citizen's language lacks it; parts: (text, is it a slot)."""

    key: str
    group: str
    chinese: Parts
    theirs: Parts
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Pane:
    """What the side of a case shows: sentences to begin with, then all the others by group.

    `lang`: the citizen's language, `their_name` as the caseworker calls it. `form_id` names what is sent from this
    state of the transcript.
    """

    lang: str
    their_name: str
    form_id: str
    suggested: tuple[Offer, ...]
    groups: tuple[tuple[str, tuple[Offer, ...]], ...]


def phrases_for(resources: Resources, store: Store, row: CaseRow, staff: StaffRow, reader: str) -> Pane:
    """The phrasebook for a case, what fits its state and topic and is used most at the front.

    `reader` is the language of the page.
    """
    served = [phrase for phrase in phrasebook(resources, store).values() if not phrase.retired]
    ranked = _ranked(served, row, store.phrases.answers(row.conversation, row.opened_at), store.phrases.uses(row.topic))
    first = [phrase for phrase in ranked if row.lang in phrase.texts][:SUGGESTIONS]
    groups: dict[str, list[Offer]] = {}
    for phrase in served:
        groups.setdefault(phrase.group, []).append(_offer(phrase, row, staff))
    last = store.entries(row.conversation, limit=1)
    return Pane(
        lang=row.lang,
        their_name=language_name(resources, reader, row.lang),
        form_id=str(last[-1].seq if last else 0),
        suggested=tuple(_offer(phrase, row, staff) for phrase in first),
        groups=tuple((group, tuple(offers)) for group, offers in groups.items()),
    )


def _ranked(served: Sequence[Phrase], row: CaseRow, answers: int, uses: Mapping[str, tuple[int, int]]) -> list[Phrase]:
    """By state of the case, then by topic, then by how often it is sent, here and anywhere."""
    state = FIRST if answers == 0 else LAST if answers >= ENDING else ()
    fitting = FITTING.get(row.topic, FITTING.get(row.topic.partition(".")[0], ()))

    def rank(phrase: Phrase) -> tuple[int, int, int, int, int]:
        key = phrase.key
        return (
            URGENT.index(key) if row.urgent and key in URGENT else len(URGENT),
            state.index(key) if key in state else len(FIRST),
            -int(key in fitting or (bool(row.topic) and phrase.topic in (row.topic, row.topic.partition(".")[0]))),
            -uses.get(key, (0, 0))[0],
            -uses.get(key, (0, 0))[1],
        )

    return sorted(served, key=rank)


def _offer(phrase: Phrase, row: CaseRow, staff: StaffRow) -> Offer:
    slots = tuple(Slot(name, given(phrase, name, row, staff)) for name in phrase.slots)
    return Offer(phrase.key, phrase.group, parts(phrase.chinese), parts(phrase.texts.get(row.lang, "")), slots)


def offered(phrase: Phrase, row: CaseRow, values: Mapping[str, str]) -> Offer:
    """The same with what was typed into its slots."""
    slots = tuple(Slot(name, values.get(name, "")) for name in phrase.slots)
    theirs = phrase.filled(row.lang, values) if row.lang in phrase.texts else ""
    return Offer(phrase.key, phrase.group, parts(phrase.filled(SOURCE_LANGUAGE, values)), parts(theirs), slots)


def given(phrase: Phrase, slot: str, row: CaseRow, staff: StaffRow) -> str:
    """What a slot holds before anything is typed: what the desk knows anyway."""
    if slot == "hotline":
        return HOTLINES.get(phrase.key, "")
    return {"staff": staff.name, "number": row.number}.get(slot, "")


def parts(text: str) -> Parts:
    """A text cut at its slots: (words, False) and (name of the slot, True)."""
    pieces = _SLOT.split(text)
    return tuple((piece, index % 2 == 1) for index, piece in enumerate(pieces) if piece)
