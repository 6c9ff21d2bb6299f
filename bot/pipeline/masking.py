"""What is kept of a message in which somebody typed numbers that belong to a person."""

from __future__ import annotations

import dataclasses
import re

from bot.messages import Kind
from bot.store.records import CaseRow, Event, Original
from intents import Understood
from intents.personal import PHONE, Found, find
from intents.redact import covered, masked
from knowledge.library import Knowledge

ASKED_FOR_PHONE = ("callback", "voice")  # reasons of a case for which the bot asks where to call


def public_numbers(knowledge: Knowledge) -> frozenset[str]:
    """The telephone numbers that the city prints, as digits: whoever quotes one tells nothing of a person."""
    figures = [figure for topic in knowledge.topics.values() for figure in topic.figures.values()]
    return frozenset(_digits(str(figure.value)) for figure in figures if figure.unit == "phone")


def hide(
    event: Event, understood: Understood | None, case: CaseRow | None, public: frozenset[str]
) -> tuple[Event, Original | None]:
    """The event as it may be kept, and its words as they were typed where something is masked in them.

    Telephone numbers stay where they were asked for: in a wish to be phoned.
    """
    file = event.attachment
    if file is not None and (name := masked(file.name)) != file.name:
        event = dataclasses.replace(event, attachment=dataclasses.replace(file, name=name))
    if not event.text or event.gone or event.kind is Kind.PLACE:
        return event, None
    phones = understood is not None and understood.callback is not None
    phones = phones or (case is not None and case.reason in ASKED_FOR_PHONE)
    found = [each for each in find(event.text) if not _stays(event.text, each, phones, public)]
    if not found:
        return event, None
    kinds = tuple(sorted({each.kind for each in found}))
    return dataclasses.replace(event, text=covered(event.text, found)), Original(event.text, kinds)


def _stays(text: str, found: Found, phones: bool, public: frozenset[str]) -> bool:
    return found.kind == PHONE and (phones or _digits(text[found.start : found.end]) in public)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
