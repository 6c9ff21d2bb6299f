"""From calibrated chances to what to do: answer, ask which, refuse. A wrong answer is worse than a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from intents.labels import OUTSIDE, TOPIC, URGENT
from intents.model import Floats, Ints

OPTIONS = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """The thresholds, found by cross-validation on our own data (see calibrate.py).

    `answer`: least chance of the best reading. `clarify`: least chance of the best three together.
    `outside`: chance of out-of-scope from which nothing is offered. `urgent`: least chance of danger without a mark.
    """

    answer: float
    clarify: float
    outside: float
    urgent: float


@dataclass(frozen=True, slots=True)
class Stage:
    """How the scores of one stage are read: per language the factor that turns them into chances, and the limits."""

    sharpness: Mapping[str, float]
    limits: Limits

    def factor(self, lang: str) -> float:
        """Of a language without training sentences: the least of all, so that nothing in it is too sure."""
        return self.sharpness.get(lang) or min(self.sharpness.values())


@dataclass(frozen=True, slots=True)
class Ranked:
    """Readings, likeliest first: group (`p06`, `stations`), its best label (`p06.4`), chance of the group."""

    group: str
    label: str
    chance: float


def rank(labels: Sequence[str], names: Sequence[str], members: Ints, chances: Floats) -> list[Ranked]:
    """Groups by chance. A scheme stands for its program where it is likelier than the program's own label."""
    sums = np.bincount(members, weights=chances, minlength=len(names))
    order = np.argsort(-sums, kind="stable")[:6]
    return [_ranked(labels, names[group], members, int(group), chances, float(sums[group])) for group in order]


def _ranked(labels: Sequence[str], name: str, members: Ints, group: int, chances: Floats, total: float) -> Ranked:
    own = np.flatnonzero(members == group)
    best = int(own[chances[own].argmax()])
    return Ranked(name, labels[best], total)


def decide(ranked: Sequence[Ranked], limits: Limits) -> str:
    """answer, clarify or refuse. Danger and hand-over are told apart by the caller."""
    outside = sum(r.chance for r in ranked if r.group == OUTSIDE)
    inside = options(ranked)
    if not inside or outside >= limits.outside:
        return "refuse"
    best = inside[0].chance
    if best >= limits.answer and best > outside:
        return "answer"
    return "clarify" if sum(r.chance for r in inside[:OPTIONS]) >= limits.clarify else "refuse"


def options(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The readings that can be offered to choose from."""
    return [r for r in ranked if r.group not in (OUTSIDE, URGENT)]


def topics(ranked: Sequence[Ranked], least: float = 0.05) -> tuple[str, ...]:
    """Topic ids, best first, a scheme before its program; runners-up only with a chance of at least `least`."""
    named: list[str] = []
    for place, reading in enumerate(ranked):
        if TOPIC.fullmatch(reading.label) and (place == 0 or reading.chance >= least):
            named += [reading.label, reading.group]
    return tuple(dict.fromkeys(named))


def offered(ranked: Sequence[Ranked], least: float = 0.08) -> tuple[str, ...]:
    """Two or three labels to choose from: the best two, and a third where it is close."""
    inside = options(ranked)
    third = [r for r in inside[2:OPTIONS] if r.chance >= max(least, inside[0].chance / 4)]
    return tuple(r.label for r in [*inside[:2], *third])


def boosted(scores: Floats, labels: Sequence[str], named: Mapping[str, float]) -> Floats:
    """Margins raised for labels whose name stands in the message."""
    raised = scores.copy()
    for label, amount in named.items():
        if label in labels:
            raised[labels.index(label)] += amount
    return raised
