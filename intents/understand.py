"""The way of one message through understanding: language, danger, exact words, names, classifier, decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from intents import artefact, asking, callback, decide, details, lexicon, normalise, urgent
from intents.artefact import Artefact
from intents.decide import Ranked, Stage
from intents.elsewhere import Elsewhere
from intents.encoder import Encoder
from intents.head import affordable, reads
from intents.labels import OUTSIDE, TOPIC, URGENT, stem
from intents.language import detect, follows, guess
from intents.lexicon import Lexicon, Named, Names, key
from intents.model import Floats, chances, groups
from intents.phrases import Hit, Phrases, spaced
from intents.result import Context, Evidence, Understood
from intents.urgent import Danger

CACHED = 4096
"""Messages kept, as looked at and as understood in a context: many people write the same short sentences."""

BOOST = {"contained": 1.2, "misspelt": 0.9}
"""What a topic's name in the message adds to its margin (margins lie between about -1 and 1)."""

UNTAUGHT = 0.0
"""Margin of a topic that is younger than the model: nothing but its name speaks for it."""

NO_CONTEXT = Context()

UNSURE = 0.6
"""Below this chance misspelt names are looked for: the search costs more than the whole rest."""


@dataclass(frozen=True, slots=True)
class _Message:
    """A message in its forms: cleaned, folded, spaced; with its language and the authored phrases in it.

    `heard` is the language it seems to be in, `lang` the one to answer in.
    """

    text: str
    folded: str
    room: str
    heard: str
    lang: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a message may mean, likeliest first, what spoke for it, and the stage whose limits hold."""

    ranked: tuple[Ranked, ...]
    why: tuple[Evidence, ...]
    stage: Stage


@dataclass(frozen=True, slots=True)
class _Scored:
    """The scores of the labels, and the stage that says how to read them."""

    scores: Floats
    spread: Floats
    stage: Stage
    both: bool


@dataclass(frozen=True, slots=True)
class _Looked:
    """A message with the danger it speaks of or else its reading; neither where it has no letter.

    `missed`: the encoder should have been heard, and was not.
    """

    message: _Message
    danger: Danger | None
    reading: _Reading | None
    missed: bool = False


@dataclass(frozen=True)
class _First:
    """What the first stage knows of a message, and whether the second should be asked."""

    message: _Message
    margins: Floats
    spread: Floats
    sure: Named | None
    asks: bool


class _Missed(Exception):
    """Looked at without an encoder that was away: not to be remembered (a cache keeps no exceptions)."""

    def __init__(self, looked: _Looked) -> None:
        super().__init__("missed")
        self.looked = looked


class _NotKept(Exception):
    """The same for what was understood of it."""

    def __init__(self, understood: Understood) -> None:
        super().__init__("not kept")
        self.understood = understood


class Understander:
    """Understands messages. Pure but for a bounded cache; safe to share between threads.

    With an `encoder` (and an artefact trained with one) messages the first stage is unsure of are read a second time;
    without a vector in time the first stage decides alone, by stricter limits.
    """

    def __init__(self, trained: Artefact, names: Names, encoder: Encoder | None = None) -> None:
        self._trained = trained
        self._encoder = encoder if trained.head and trained.both else None
        self._groups, self._members = groups(trained.model.labels)
        menu = {"menu": [word for lists in trained.words.values() for word in lists.get("menu", ())]}
        self._lexicon = Lexicon.of(names, menu)
        self._phrases = Phrases.of(
            [
                *urgent.phrases(trained.words),
                *asking.phrases(trained.words, trained.languages),
                *callback.phrases(trained.words),
                *details.phrases(trained.districts),
                *self._lexicon.phrases(),
            ]
        )
        self._elsewhere = Elsewhere.of(trained.cities)
        self._known = lru_cache(CACHED)(self._understand)
        self._looked_at = lru_cache(CACHED)(self._look)
        self._first = lru_cache(CACHED)(self._first_stage)

    @classmethod
    def load(
        cls, names: Names | None = None, root: Path = artefact.PACKAGED, encoder: Encoder | None = None
    ) -> Understander:
        """With the artefact under `root`. `names`: topic id -> language -> names, aliases and labels."""
        normalise.prepare()
        return cls(artefact.load(root), names or {}, encoder)

    @property
    def words(self) -> Mapping[str, Any]:
        """The authored word lists per language (control words, aspects, audiences), as read at training."""
        return self._trained.words

    def understand(self, text: str, context: Context = NO_CONTEXT) -> Understood:
        """What a message means. Never raises on any text."""
        try:
            return self._known(normalise.clean(text), context)
        except _NotKept as passing:
            return passing.understood

    def to_encode(self, text: str, context: Context = NO_CONTEXT) -> str | None:
        """What the encoder will be asked for this message, None where it will not: to fetch it ahead."""
        first = self._first(normalise.clean(text), context.lang, context.lang_chosen)
        return first.message.folded if first.asks and self._encoder else None

    def _understand(self, clean: str, context: Context) -> Understood:
        try:
            looked = self._looked_at(clean, context.lang, context.lang_chosen)
        except _Missed as early:
            looked = early.looked
        if looked.danger:
            found = _detailed(_endangered(looked.message, looked.danger), looked.message)
        elif looked.reading is None:
            found = Understood("", context.lang, OUTSIDE, (), "", "refuse", 1.0)
        else:
            found = _detailed(self._decided(looked.message, looked.reading, context), looked.message)
        if looked.missed:
            raise _NotKept(found)
        return found

    def _look(self, clean: str, lang: str, lang_chosen: bool) -> _Looked:
        """The costly part, the same whatever the conversation is about."""
        first = self._first(clean, lang, lang_chosen)
        message, sure = first.message, first.sure
        if not key(message.folded):
            return _Looked(message, None, None)
        scored = self._scored(first)
        danger = urgent.look(message.hits, self._trained.model.labels, scored.spread, scored.stage.limits.urgent)
        missed = first.asks and self._encoder is not None and not scored.both
        if danger and (sure is None or sure.label.startswith(URGENT)):
            looked = _Looked(message, danger, None, missed)
        elif sure:
            looked = _Looked(message, None, _Reading((_certain(sure),), (_seen(sure),), scored.stage))
        else:
            looked = _Looked(message, None, self._classified(message, scored), missed)
        if missed:
            raise _Missed(looked)
        return looked

    def _first_stage(self, clean: str, lang: str, lang_chosen: bool) -> _First:
        """Everything but the encoder."""
        trained, message = self._trained, self._message(clean, lang, lang_chosen)
        margins = trained.model.scores(self._elsewhere.marked(message.folded))
        if np.array_equal(margins, trained.model.bias):
            margins = np.zeros_like(margins)  # nothing known in it: no label is likelier than another
        spread = chances(margins, trained.first.factor(message.heard))
        sure = self._exact(message.folded)
        best = float(np.bincount(self._members, weights=spread).max())
        asks = sure is None and best < trained.ask and affordable(message.folded)
        asks = asks and reads(message.heard, message.folded)
        return _First(message, margins, spread, sure, asks)

    def _scored(self, first: _First) -> _Scored:
        """The scores of the first stage, or of both where the first is unsure and the encoder answers."""
        trained = self._trained
        vector = self._encoder.encode(first.message.folded) if first.asks and self._encoder else None
        if vector is None or trained.head is None or trained.both is None:
            return _Scored(first.margins, first.spread, trained.first, False)
        scores = trained.head.mixed(first.margins, vector)
        return _Scored(scores, chances(scores, trained.both.factor(first.message.heard)), trained.both, True)

    def _message(self, clean: str, lang: str, lang_chosen: bool) -> _Message:
        folded = normalise.fold(clean)
        room = spaced(folded)
        detected = detect(folded, self._trained.letters, lang)
        if lang and detected != lang and not follows(folded):
            detected = None
        if not lang and detected is None:
            detected = guess(folded, self._trained.letters)
        lang = lang if lang_chosen or not detected else detected
        return _Message(clean, folded, room, detected or lang, lang, self._phrases.found(room))

    def _exact(self, folded: str) -> Named | None:
        named = self._lexicon.match(folded)
        if named:
            return named
        label = self._trained.exact.get(key(folded))
        return Named(label, key(folded), "exact", 1.0) if label else None

    def _classified(self, message: _Message, scored: _Scored) -> _Reading:
        labels, spread = self._trained.model.labels, scored.spread
        names, members = self._groups, self._members
        named = lexicon.inside(message.hits, message.room)
        if not named and float(spread.max()) < UNSURE:
            near = self._lexicon.misspelt(message.folded)
            named = [near] if near else []
        if named:
            boosts = {n.label: BOOST[n.how] * n.score for n in reversed(named)}
            scores = scored.scores
            if untaught := tuple(label for label in boosts if label not in labels):
                labels, scores = (*labels, *untaught), np.append(scores, np.full(len(untaught), UNTAUGHT, np.float32))
                names, members = groups(labels)
            spread = chances(decide.boosted(scores, labels, boosts), scored.stage.factor(message.heard))
        ranked = tuple(decide.rank(labels, names, members, spread))
        who = "both stages" if scored.both else "classifier"
        guesses = (Evidence(who, r.label, round(r.chance, 3)) for r in ranked[:3])
        return _Reading(ranked, (*map(_seen, named), *guesses), scored.stage)

    def _decided(self, message: _Message, reading: _Reading, context: Context) -> Understood:
        wanted = asking.language(message.hits, message.room)
        if wanted and (wanted.alone or reading.ranked[0].group == "language"):
            return _answered(message, reading, "language", wants=wanted.code)
        if callback.wanted(message.text, message.folded, message.hits, message.lang):
            return _called(message, reading)
        decision = decide.decide(reading.ranked, self._limits(message, reading))
        asked = asking.aspect(message.hits, message.room)
        settled = reading.why[0].stage == "exact" and not TOPIC.fullmatch(reading.ranked[0].group)
        if asked and asked.alone and reading.why[0].stage != "name" and not settled:
            return _follow_up(message, reading, context)
        if decision != "answer" and asked and context.topic and len(message.folded) <= SHORT:
            return _follow_up(message, reading, context)
        if decision == "answer":
            return _answered(message, reading, reading.ranked[0].group)
        return _open(message, reading, decision)

    def _limits(self, message: _Message, reading: _Reading) -> decide.Limits:
        """In a language without training sentences nothing is answered on the classifier's word alone."""
        limits = reading.stage.limits
        if message.heard in reading.stage.sharpness or reading.why[0].stage in ("name", "exact"):
            return limits
        return replace(limits, answer=0.97, clarify=max(limits.clarify, 0.5))


NOTHING_NAMED = ("screening", "stations", "handoff")
"""What is offered where an aspect was asked of nothing."""

SHORT = 40
"""Characters up to which an unclear message with an aspect is taken as a follow-up."""


def _detailed(found: Understood, message: _Message) -> Understood:
    asked = asking.aspect(message.hits, message.room)
    return replace(
        found,
        aspect=asked.name if asked else "",
        audience=asking.audience(message.hits),
        details=details.find(message.folded, message.heard, message.hits),
        callback=callback.wanted(message.text, message.folded, message.hits, message.lang),
    )


def _called(message: _Message, reading: _Reading) -> Understood:
    """Somebody wants to be phoned: that is for a person, whatever it is about."""
    why = (Evidence("call back", "handoff", 1.0), *reading.why)
    return Understood(message.text, message.lang, "handoff", (), "", "handoff", 1.0, why=why)


def _endangered(message: _Message, danger: Danger) -> Understood:
    sure = round(danger.chance, 3)
    return Understood(message.text, message.lang, URGENT, (), "", "urgent", sure, danger.classes, why=danger.why)


def _follow_up(message: _Message, reading: _Reading, context: Context) -> Understood:
    """An aspect and nothing else: of the topic last spoken of; without one, ask what it is about."""
    if not context.topic:
        return _open(message, reading, "clarify", NOTHING_NAMED)
    topic = Ranked(stem(context.topic), context.topic, 0.9)
    why = (Evidence("follow-up", context.topic, 0.9, "only an aspect was named"), *reading.why)
    return _answered(message, _Reading((topic,), why, reading.stage), topic.group)


def _answered(message: _Message, reading: _Reading, group: str, wants: str = "") -> Understood:
    best = reading.ranked[0]
    intent = "program" if not wants and TOPIC.fullmatch(group) else group
    return Understood(
        text=message.text,
        lang=message.lang,
        intent=intent,
        topics=decide.topics(reading.ranked) if intent == "program" else (),
        aspect="",
        decision={"handoff": "handoff", OUTSIDE: "refuse", URGENT: "urgent"}.get(intent, "answer"),
        confidence=round(best.chance, 3) if not wants else 1.0,
        urgent=(best.label.partition(".")[2],) if intent == URGENT else (),
        wants_language=wants,
        why=reading.why,
    )


def _open(message: _Message, reading: _Reading, decision: str, shown: Sequence[str] = ()) -> Understood:
    """Asked back or refused. The intent of a question back is that of the best guess."""
    inside = decide.options(reading.ranked)
    if decision == "refuse" or not inside:
        outside = 1 - sum(r.chance for r in inside[:1])
        return Understood(message.text, message.lang, OUTSIDE, (), "", "refuse", round(outside, 3), why=reading.why)
    topics = tuple(shown) or decide.offered(reading.ranked)
    intent = "program" if TOPIC.fullmatch(inside[0].group) else inside[0].group
    sure = min(1.0, sum(r.chance for r in inside[: decide.OPTIONS]))
    return Understood(message.text, message.lang, intent, topics, "", "clarify", round(sure, 3), why=reading.why)


def _certain(named: Named) -> Ranked:
    return Ranked(stem(named.label), named.label, 1.0)


def _seen(named: Named) -> Evidence:
    return Evidence("exact" if named.how == "exact" else "name", named.label, round(named.score, 3), named.name)
