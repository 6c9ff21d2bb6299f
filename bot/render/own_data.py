"""What is kept of a person, as the person reads it: figures, told answers, for how long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.clock import TAIPEI
from bot.dialogue import effects as e
from bot.messages import Reply
from bot.render.checks import Words
from bot.render.verdicts import value_text
from bot.render.voice import Voice
from knowledge.catalog import format_figure
from knowledge.library import Knowledge
from knowledge.models import Figure

MOST_FIXES = 8
Told = tuple[str, str, object]
"""(subject, fact, JSON value)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One told answer in words. `subject`: self, other_person, business; `special`: kept shortest, said sparingly."""

    subject: str
    fact: str
    value: object
    label: str
    shown: str
    special: bool


def answers(told: Sequence[Told], voice: Voice, knowledge: Knowledge, on: date) -> tuple[Answer, ...]:
    """Told answers in the reader's words; one about a fact that is asked no more stays as it was kept."""
    return tuple(_answer(*each, voice, knowledge, on) for each in told)


def _answer(subject: str, name: str, value: object, voice: Voice, knowledge: Knowledge, on: date) -> Answer:
    fact = knowledge.facts.get(name)
    if fact is None:
        return Answer(subject, name, value, name, json.dumps(value, ensure_ascii=False), False)
    shown = value_text(voice, knowledge, name, value, on)
    return Answer(subject, name, value, voice(f"fact.{name}.label"), shown, fact.sensitivity == "special")


def kept(effect: e.ShowKept, voice: Voice, knowledge: Knowledge, words: Words) -> Reply:
    """Everything in one bubble. Of a special answer only that it is there: the screen may be seen by others."""
    day = datetime.fromtimestamp(effect.kept.since, TAIPEI).date() if effect.kept.since else effect.on
    text = words.fill(
        "kept",
        voice,
        kept=effect.kept,
        since=format_figure(Figure(value=day.isoformat(), unit="date", source="kept"), voice.lang),
        answers=answers(effect.answers, voice, knowledge, effect.on),
        passing=answers(effect.passing, voice, knowledge, effect.on),
        case=effect.case,
        restricted=effect.restricted,
        retention=effect.retention,
    )
    fixes = tuple(
        e.Option(f"mydata:fix:{subject}:{fact}", "conversation.choice.change", (("fact", f"fact.{fact}.label"),))
        for subject, fact, _ in effect.answers
        if effect.changes and fact in knowledge.facts
    )
    return words.reply(text, voice, (*fixes[:MOST_FIXES], *effect.options))
