"""What understanding takes in beside the text, and what it gives back: frozen, printable, comparable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """What the conversation already knows: language (chosen by the person?), topic and aspect last spoken of.

    `expecting` says that the bot has a question open, so that short control words belong to it.
    """

    lang: str = ""
    lang_chosen: bool = False
    topic: str = ""
    aspect: str = ""
    expecting: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that spoke for a reading: the stage, the label, how strongly (0 to 1), and what was seen."""

    stage: str
    label: str
    score: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """Something told in passing. `kind`: date, amount, age, employees, duration, district; `text`: the words for it."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Callback:
    """A wish to be phoned back: number and time as far as they were written (else empty), language to speak."""

    number: str
    when: str
    lang: str


@dataclass(frozen=True, slots=True)
class Understood:
    """A message as understood.

    `topics` are best first, a scheme before its program; for `clarify` they are the two or three options to show
    (topic ids or intent names). `decision` is answer, clarify, refuse, handoff or urgent. `urgent` names the classes of
    danger, likeliest first. `text` is the cleaned text, empty where nothing readable was written.
    `confidence` is calibrated: 0.9 means that nine of ten such readings are right.
    """

    text: str
    lang: str
    intent: str
    topics: tuple[str, ...]
    aspect: str
    decision: str
    confidence: float
    urgent: tuple[str, ...] = ()
    audience: str = ""
    wants_language: str = ""
    why: tuple[Evidence, ...] = ()
    details: tuple[Detail, ...] = ()
    callback: Callback | None = None
