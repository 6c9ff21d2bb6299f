"""The card of a program beside a case, in the caseworker's words; sent to the citizen in theirs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk import views
from bot.desk.frame import Frame, whole
from bot.desk.rights import Right
from bot.dialogue.effects import ShowTopic
from bot.dialogue.options import ASPECTS
from bot.dialogue.state import SCREENING, State
from bot.dialogue.world import World
from bot.messages import Entry, Reply
from bot.pipeline.resources import Resources
from bot.render.replies import Renderer
from bot.render.verdicts import period
from bot.render.voice import Voice
from bot.store.records import CaseRow, NotHolder, StaffRow
from knowledge.catalog import SOURCE_LANGUAGE, figures_for, format_figure
from knowledge.library import Knowledge
from knowledge.rules import topic_of_rule
from knowledge.rules.tree import placeholders
from knowledge.rules.window import window
from knowledge.topics import ASPECT_TEXTS, Topic

MOST_CARDS = 4
OVERVIEW = "overview"
SHOWN = tuple(aspect for aspect in ASPECTS if aspect != "budget")
AMOUNTS = ("ntd", "thousand_ntd", "percent")  # figures that say by themselves what they are

_SOURCE = re.compile(r"(item|overview) (\d+)(?:, (.+))?")
_KINDS = {"item": "program", "overview": "chapter"}


@dataclass(frozen=True, slots=True)
class Section:
    """One aspect as the citizen reads it. `sources`: where the plan prints it, with the amounts printed there."""

    aspect: str
    lines: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProgramCard:
    """One program, scheme or chapter. `official` is its Chinese name; `silent`: aspects that the plan says nothing of;
    `notes`: oddities noted with the entry, in Chinese."""

    topic: str
    label: str
    name: str
    official: str
    number: str
    window: str
    summary: str
    sections: tuple[Section, ...]
    silent: str
    notes: tuple[str, ...]


_place = lru_cache(maxsize=1024)(_SOURCE.fullmatch)


def source_words(source: str, voice: Voice) -> str:
    """A place in the plan, such as `item 15, 一`, in the reader's words."""
    match = _place(source)
    if match is None:
        return source
    place = voice(f"conversation.card.{_KINDS[match[1]]}", number=match[2])
    return voice("desk_side.place", place=place, part=match[3].replace(", ", "")) if match[3] else place


# -- what the side of a case shows


def cards(resources: Resources, topics: Sequence[str], world: World, voice: Voice) -> list[ProgramCard]:
    """The cards of these topics."""
    return [_card(world.knowledge.topics[topic], resources.renderer, world.today, voice.lang) for topic in topics]


def talked_about(row: CaseRow, state: State, knowledge: Knowledge, entries: Sequence[Entry]) -> list[str]:
    """The case's topic, what is being checked, then what was talked about, the newest first."""
    found = [row.topic]
    if state.interview and state.interview.rule != SCREENING:
        found.append(topic_of_rule(state.interview.rule))
    found.append(state.topic)
    for entry in reversed(entries):
        if entry.reading.get("decision") == "answer":
            found += entry.reading.get("topics", ())[:1]
    return [topic for topic in dict.fromkeys(found) if topic in knowledge.topics][:MOST_CARDS]


@lru_cache(maxsize=1024)
def _card(topic: Topic, renderer: Renderer, on: date, lang: str) -> ProgramCard:
    """The same for every case on a day."""
    voice = Voice(renderer.catalog, lang, {})
    kind = "chapter" if topic.kind == "chapter" else "program"
    spoken = [aspect for aspect in SHOWN if says(topic, aspect, renderer.knowledge)]
    now = window(topic, on)
    silent = [voice(f"conversation.aspect.{aspect}") for aspect in SHOWN if aspect not in spoken]
    return ProgramCard(
        topic=topic.id,
        label=voice(f"{topic.id}.label"),
        name=renderer.text(topic, "name", voice),
        official=renderer.catalog.text(SOURCE_LANGUAGE, f"{topic.id}.name", figures_for(topic, SOURCE_LANGUAGE)).text,
        number=voice(f"conversation.card.{kind}", number=topic.number),
        window=voice(f"conversation.window.{now}", period=period(topic, voice)) if topic.period else "",
        summary=renderer.text(topic, "summary", voice),
        sections=tuple(_section(topic, aspect, renderer, voice) for aspect in spoken),
        silent=voice("conversation.list.comma").join(silent),
        notes=topic.notes,
    )


def says(topic: Topic, aspect: str, knowledge: Knowledge) -> bool:
    """Is there anything to tell, by the plan or by this installation?"""
    return aspect in SHOWN and (topic.says(aspect) or (topic.id, aspect) in knowledge.additions)


def _section(topic: Topic, aspect: str, renderer: Renderer, voice: Voice) -> Section:
    lines = renderer.aspect(topic, aspect, voice)
    if aspect == "period" and topic.apply is not None:
        lines.append(period(topic, voice))
    return Section(aspect, tuple(lines), _sources(topic, aspect, voice))


def _sources(topic: Topic, aspect: str, voice: Voice) -> tuple[str, ...]:
    """Where the figures of an aspect are printed, the amounts among them named."""
    figures = {**topic.frame_figures, **topic.figures}
    names = placeholders(topic.texts.get(ASPECT_TEXTS[aspect]) or "")
    if aspect == "period" and topic.period is not None:
        names = ("start", *names)
    amounts: dict[str, list[str]] = {}
    for name in names:
        figure = figures.get(name)
        if figure is not None:
            found = amounts.setdefault(figure.source, [])
            found += [format_figure(figure, voice.lang)] if figure.unit in AMOUNTS else []
    if aspect == "period" and topic.apply is not None:
        amounts.setdefault(topic.apply.source, [])
    return tuple(_printed(source, found, voice) for source, found in amounts.items())


def _printed(source: str, amounts: Sequence[str], voice: Voice) -> str:
    words = source_words(source, voice)
    if not amounts:
        return words
    listed = voice("conversation.list.comma").join(dict.fromkeys(amounts))
    return voice("desk_side.amounts", amounts=listed, place=words)


# -- sending


@dataclass
class ProgramCards:
    """One form: the card, or one part of it, as a message of the caseworker."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        return [Route("/desk/cases/{id:int}/card", self.frame.post(self.send, Right.ANSWER), methods=["POST"])]

    async def send(self, request: Request, staff: StaffRow) -> Response:
        """`topic` and `aspect` in the citizen's language; only who holds the case can."""
        store = self.frame.house.store
        row = store.case(request.path_params["id"])
        if row is None:
            return self.frame.error(request, "desk.error_no_case", 404)
        if not views.sees(row, staff):
            return self.frame.error(request, "desk.error_held", 403)
        form = await self.frame.form(request)
        knowledge, aspect = self.frame.resources.knowledge, form.get("aspect", OVERVIEW)
        topic = knowledge.topics.get(form.get("topic", ""))
        if topic is None or not (aspect == OVERVIEW or says(topic, aspect, knowledge)):
            return self.frame.error(request, "desk_side.error_card", 404)
        reply, chinese = (self._said(topic, aspect, lang) for lang in (row.lang, SOURCE_LANGUAGE))
        reading = {} if row.lang == SOURCE_LANGUAGE else {"original": chinese.text}
        form_id = f"card/{form.get('id', '')[:64]}/{topic.id}/{aspect}"
        try:
            await store.reply(row.id, staff.id, whole(form.get("fence")), form_id, reply, reading)
        except NotHolder:
            return self.frame.error(request, "desk_side.error_not_holder", 409)
        await store.note(staff.id, "card.send", f"case/{row.id}")
        self.frame.changed(row.conversation)
        return RedirectResponse(f"/desk/cases/{row.id}", 303)

    def _said(self, topic: Topic, aspect: str, lang: str) -> Reply:
        """What the bot would say, without its buttons: it does not listen while a person holds the conversation."""
        effect = ShowTopic(topic.id, "" if aspect == OVERVIEW else aspect)
        (reply,) = self.frame.resources.renderer.replies((effect,), lang)
        return dataclasses.replace(reply, choices=())
