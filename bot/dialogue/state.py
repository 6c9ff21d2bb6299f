"""What a conversation remembers between turns, and its JSON document."""

from __future__ import annotations

import dataclasses
import json
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SCREENING = "screening"
SITUATIONS = "situations"

Facts = Mapping[str, Mapping[str, Any]]  # subject -> fact -> JSON value


def by_subject(rows: Iterable[tuple[str, str, Any]]) -> dict[str, dict[str, Any]]:
    """Facts as kept (subject, fact, JSON value), in order, as a state holds them."""
    told: dict[str, dict[str, Any]] = {}
    for subject, fact, value in rows:
        told.setdefault(subject, {})[fact] = value
    return told


@dataclass(frozen=True, slots=True)
class Interview:
    """A running check: rule (or SCREENING: all of them), whom it is about, the facts asked so far in order, the ones
    passed over; of the list of situations the facts `shown`, and those ticked while it waits."""

    rule: str
    subject: str
    asked: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    ticked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """The question that waits for an answer (a fact, or SITUATIONS), since when, how often it was misread.

    `since_ms` is in the platform's milliseconds.
    """

    fact: str
    since_ms: int
    tries: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """A conversation's state. `facts` is kept beside the document, each fact in a row of its own.

    `volunteered` are facts (JSON values) read in messages that nobody had asked for, about `about` (empty: not said).
    `words_since_ms`: since when a few words about the rating are awaited, `words_asked_ms`: when they were last asked
    for (both in the platform's milliseconds; 0: not). `warned`: told that numbers of a person do not belong here.
    """

    lang: str = ""
    lang_chosen: bool = False
    welcomed: bool = False
    topic: str = ""
    aspect: str = ""
    subject: str = "self"
    interview: Interview | None = None
    asking: Asking | None = None
    misses: int = 0
    ended: tuple[str, ...] = ()
    urgent_at: tuple[tuple[str, float], ...] = ()
    rating: bool = False
    words_since_ms: int = 0
    words_asked_ms: int = 0
    about: str = ""
    volunteered: tuple[tuple[str, Any], ...] = ()
    warned: bool = False
    facts: Facts = field(default_factory=dict)

    def told(self) -> Mapping[str, Any]:
        """The facts told about the subject now spoken of."""
        return self.facts.get(self.subject, {})

    def with_fact(self, fact: str, value: Any) -> State:
        """The state after a fact was told about the present subject; None takes it back."""
        mine = dict(self.told())
        if value is None:
            mine.pop(fact, None)
        else:
            mine[fact] = value
        return dataclasses.replace(self, facts={**self.facts, self.subject: mine})


def to_doc(state: State) -> str:
    """The state as a JSON document, without its facts and without what is at its default."""
    values = zip(_KEPT, _kept(state), _DEFAULTS, strict=True)
    return _write({name: value for name, value, default in values if value != default})


def from_doc(text: str, facts: Facts) -> State:
    """The state of a document and the facts kept beside it; an empty document is a new conversation."""
    if not text or text == "{}":
        return State(facts=facts)
    doc = json.loads(text)
    for name, read in _READ.items():
        if name in doc:
            doc[name] = read(doc[name])
    return State(**doc, facts=facts)


def _interview(doc: Mapping[str, Any]) -> Interview:
    lists = (tuple(doc.get(name, ())) for name in ("asked", "passed", "shown", "ticked"))
    return Interview(doc["rule"], doc["subject"], *lists)


def _pairs(doc: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in doc)


def _plain(part: Any) -> dict[str, Any]:
    """An interview or a question as a document."""
    return {name: getattr(part, name) for name in part.__slots__}


_KEPT = tuple(each.name for each in dataclasses.fields(State) if each.name != "facts")
_kept = operator.attrgetter(*_KEPT)
_DEFAULTS = _kept(State())
_write = json.JSONEncoder(ensure_ascii=False, default=_plain).encode
_READ: Mapping[str, Callable[[Any], Any]] = {
    "interview": _interview,
    "asking": lambda doc: Asking(**doc),
    "ended": tuple,
    "urgent_at": _pairs,
    "volunteered": _pairs,
}
