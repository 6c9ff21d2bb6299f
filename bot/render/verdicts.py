"""Facts and results in words: values as people say them, reasons, what is missing, what would change it."""

from __future__ import annotations

from datetime import date
from typing import Any

from babel.numbers import format_decimal

from bot.dialogue.effects import ShowVerdict
from bot.render.voice import Voice
from knowledge.catalog import figures_for, format_figure
from knowledge.catalog.figures import locale_of
from knowledge.library import Knowledge, Topic
from knowledge.models import Figure
from knowledge.rules import Change, LeafResult, Result
from knowledge.rules.values import Born, Since, Unknown, from_json, shown

ORDER = {False: 0, None: 1, True: 2}
NEGATIVE = ("not_eligible", "does_not_apply")


def fact_text(voice: Voice, knowledge: Knowledge, fact_id: str, field: str, subject: str, topic_id: str) -> str:
    """A text of a fact (question, narrower, help, why), worded for the subject, with the asking topic's figures."""
    fact = knowledge.facts[fact_id]
    key = fact.question_key(subject) if field == "question" else f"fact.{fact_id}.{field}"
    if not voice.knows(key):
        return ""
    figures = figures_for(knowledge.topics[topic_id], voice.language_of(key))
    return voice(key, **figures)


def value_text(voice: Voice, knowledge: Knowledge, fact_id: str, raw: Any, on: date) -> str:
    """A told value as a person would say it. An age or duration that grows is said as of `on`."""
    value = from_json(raw)
    if isinstance(value, Unknown):
        return voice("conversation.value.declined" if value.reason == "declined" else "conversation.value.unknown")
    choice = knowledge.facts[fact_id].choice_of(raw)
    if choice is not None:
        return voice(f"fact.{fact_id}.choice.{choice}")
    if isinstance(value, Born | Since):
        raw = shown(value, on)
    if knowledge.facts[fact_id].type == "money":
        return _money(raw, voice)
    if isinstance(raw, list) and raw[0] != raw[1]:
        return voice("conversation.value.between", low=_one(raw[0], voice), high=_one(raw[1], voice))
    return _one(raw[0] if isinstance(raw, list) else raw, voice)


def _money(raw: Any, voice: Voice) -> str:
    if not isinstance(raw, list):
        return format_figure(Figure(value=raw, unit="ntd", source="told"), voice.lang)
    low, high = (_money(each, voice) for each in raw)
    return voice("conversation.value.between", low=low, high=high)


def _one(raw: Any, voice: Voice) -> str:
    if isinstance(raw, str):
        return format_figure(Figure(value=raw, unit="date", source="told"), voice.lang)
    return format_decimal(raw, locale=locale_of(voice.lang))


def context(effect: ShowVerdict, topic: Topic, voice: Voice, knowledge: Knowledge) -> dict[str, Any]:
    """What the verdict's template needs."""
    result = effect.result
    return {
        "verdict": result.verdict,
        "reasons": [leaf_text(leaf, topic, voice) for leaf in _told(result)],
        "missing": _missing(result, voice),
        "changes": [change_text(change, topic, voice) for change in result.would_change if _worth(change, result)],
        "window": effect.window,
        "period": period(topic, voice),
    }


def _told(result: Result) -> list[LeafResult]:
    """Unmet conditions first, then open ones, then met ones; a No needs no list of what was never asked."""
    told = [leaf for leaf in result.leaves if leaf.counts and leaf.text_key]
    shown_ones = [leaf for leaf in told if not (result.verdict in NEGATIVE and leaf.truth is None)]
    return sorted(shown_ones, key=lambda leaf: ORDER[leaf.truth])


def leaf_text(leaf: LeafResult, topic: Topic, voice: Voice) -> str:
    """What a condition says as it came out. It has a `text_key`."""
    return voice(leaf.text_key, **figures_for(topic, voice.language_of(leaf.text_key)))


def _missing(result: Result, voice: Voice) -> str:
    if result.verdict != "cannot_tell":
        return ""
    labels = [voice(f"fact.{fact}.label") for fact in result.missing]
    return voice("conversation.list.comma").join(labels)


def _worth(change: Change, result: Result) -> bool:
    """One that can come about, and that does not merely repeat a reason."""
    repeats = change.on is None and change.text_key in {leaf.text_key for leaf in result.leaves}
    return change.possible and change.kind == "become" and not repeats


def change_text(change: Change, topic: Topic, voice: Voice) -> str:
    """What would change a verdict, with the day it comes about by itself."""
    text = voice(change.text_key, **figures_for(topic, voice.language_of(change.text_key)))
    if change.on is None:
        return text
    day = format_figure(Figure(value=change.on.isoformat(), unit="date", source="computed"), voice.lang)
    return voice("conversation.verdict.change_on", text=text, day=day)


def period(topic: Topic, voice: Voice) -> str:
    """When one can apply, else when the program runs."""
    if topic.apply is not None:
        months = [
            format_figure(Figure(value=month, unit="month", source=topic.apply.source), voice.lang)
            for month in topic.apply.months
        ]
        return voice("conversation.period.apply", months=voice("conversation.list.comma").join(months))
    if topic.period is None:
        return ""
    frame = figures_for(topic, voice.lang)
    return voice("conversation.period.run", start=frame["start"], end=frame["end"])
