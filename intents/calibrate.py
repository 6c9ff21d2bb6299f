"""Finds sharpness and thresholds on cross-validated scores, so that a chance of 0.9 is right nine times in ten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from intents.decide import Limits, Stage
from intents.labels import OUTSIDE, URGENT, stem
from intents.model import Floats, groups

FALSE_ALARMS = 0.02
"""Ordinary messages that may be taken for danger, as a share; recall is as high as that allows."""

UNSURE_ALARMS = 0.04
"""The same among the messages that the second stage is asked about: fewer than half of all, and the hard ones."""

WRONG_COSTS = 0.5
"""What an answer to another question costs, where a right one is worth 1 and a fitting choice of options 0.5.

The cross-validated models miss every sentence of a pattern, so they are wrong far more often than the one that is used.
"""

REFUSED_COSTS = 0.0
"""Beyond the half point it loses anyway: refusing is kind and cheap, and near misses have to be refused."""

_ANSWER = np.arange(0.2, 0.8, 0.04)
_CLARIFY = np.arange(0.1, 0.7, 0.05)
_OUTSIDE = np.arange(0.25, 0.9, 0.05)


@dataclass(frozen=True)
class Scored:
    """Cross-validated margins of many sentences: one row each, with language, true label and weight."""

    labels: tuple[str, ...]
    scores: Floats
    langs: npt.NDArray[np.str_]
    truth: npt.NDArray[np.str_]
    weights: Floats

    def of(self, chosen: npt.NDArray[np.bool_]) -> Scored:
        """The chosen rows."""
        parts = {name: getattr(self, name)[chosen] for name in ("scores", "langs", "truth", "weights")}
        return replace(self, **parts)


def sharpness(scored: Scored) -> dict[str, float]:
    """Per language the factor on the margins under which the chances fit best (least log loss over groups)."""
    found = {}
    for lang in sorted(set(scored.langs.tolist())):
        part = scored.of(scored.langs == lang)
        trials = {float(f): _loss(part, float(f)) for f in np.arange(1.0, 9.0, 0.25)}
        found[lang] = min(trials, key=lambda factor: trials[factor])
    return found


def stage(scored: Scored, alarms: float = FALSE_ALARMS) -> tuple[Stage, dict[str, dict[str, float]]]:
    """How to read these scores, and what that reaches per language. `alarms`: share of false ones allowed."""
    factors = sharpness(scored)
    found, reached = limits(scored, factors, alarms)
    return Stage(factors, found), reached


def unsure(scored: Scored, read: Stage, ask: float) -> npt.NDArray[np.bool_]:
    """Which rows the first stage is unsure of: no group has a chance of `ask`."""
    _, sums = chances(scored, read.sharpness)
    below: npt.NDArray[np.bool_] = sums.max(axis=1) < ask
    return below


def together(
    first: Scored, both: Scored, stages: tuple[Stage, Stage], asked: npt.NDArray[np.bool_]
) -> tuple[dict[str, dict[str, float]], float]:
    """What the two stages reach per language when the second is asked about some rows, and how often that is."""
    parts = []
    for scored, read, chosen in ((first, stages[0], ~asked), (both, stages[1], asked)):
        names, sums = chances(scored.of(chosen), read.sharpness)
        parts.append((Outcomes.of(scored.of(chosen), names, sums), read.limits, scored.langs[chosen]))
    langs = sorted(set(first.langs.tolist()))
    return {lang: _joined(parts, lang) for lang in langs}, float(first.weights[asked].sum() / first.weights.sum())


def _joined(parts: Sequence[tuple[Outcomes, Limits, npt.NDArray[np.str_]]], lang: str) -> dict[str, float]:
    """Shares of one language over rows that were read with different limits."""
    tables = [(table.only(langs == lang), read) for table, read, langs in parts]
    counts = [table.counts(read) for table, read in tables]
    return {
        name: round(sum(each[name][0] for each in counts) / max(sum(each[name][1] for each in counts), 1e-9), 4)
        for name in counts[0]
    }


def chances(scored: Scored, factors: Mapping[str, float]) -> tuple[tuple[str, ...], Floats]:
    """Group names, and the chance of each group for every row."""
    factor = np.array([factors[lang] for lang in scored.langs.tolist()], np.float32)
    raised = np.exp((scored.scores - scored.scores.max(axis=1, keepdims=True)) * factor[:, None])
    raised /= raised.sum(axis=1, keepdims=True)
    names, members = groups(scored.labels)
    sums = np.stack([raised[:, members == number].sum(axis=1) for number in range(len(names))], axis=1)
    return names, sums.astype(np.float32)


def limits(
    scored: Scored, factors: Mapping[str, float], alarms: float = FALSE_ALARMS
) -> tuple[Limits, dict[str, dict[str, float]]]:
    """The thresholds that serve best over all languages, and what they reach per language."""
    names, sums = chances(scored, factors)
    table = Outcomes.of(scored, names, sums)
    alarm = table.alarm(alarms)
    best = max(
        (Limits(float(a), float(c), float(o), alarm) for a, c, o in product(_ANSWER, _CLARIFY, _OUTSIDE)),
        key=table.worth,
    )
    rounded = Limits(*(round(value, 3) for value in (best.answer, best.clarify, best.outside, best.urgent)))
    langs = sorted(set(scored.langs.tolist()))
    return rounded, {lang: table.only(scored.langs == lang).shares(rounded) for lang in langs}


@dataclass(frozen=True)
class Outcomes:
    """Per row what decisions would lead to: the numbers that thresholds are compared with."""

    weights: Floats
    best: Floats
    three: Floats
    outside: Floats
    danger: Floats
    is_outside: npt.NDArray[np.bool_]
    is_danger: npt.NDArray[np.bool_]
    hit: npt.NDArray[np.bool_]
    among: npt.NDArray[np.bool_]

    @staticmethod
    def of(scored: Scored, names: Sequence[str], sums: Floats) -> Outcomes:
        """From chances of groups."""
        truth = np.array([stem(label) for label in scored.truth.tolist()])
        inner = sums.copy()
        inner[:, [names.index(OUTSIDE), names.index(URGENT)]] = 0
        order = np.argsort(-inner, axis=1)[:, :3]
        shown = np.array(names)[order]
        return Outcomes(
            weights=scored.weights,
            best=np.take_along_axis(inner, order[:, :1], axis=1)[:, 0],
            three=np.take_along_axis(inner, order, axis=1).sum(axis=1),
            outside=sums[:, names.index(OUTSIDE)],
            danger=sums[:, names.index(URGENT)],
            is_outside=truth == OUTSIDE,
            is_danger=truth == URGENT,
            hit=shown[:, 0] == truth,
            among=(shown == truth[:, None]).any(axis=1),
        )

    def only(self, chosen: npt.NDArray[np.bool_]) -> Outcomes:
        """The chosen rows."""
        return Outcomes(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})

    def alarm(self, allowed: float) -> float:
        """The least chance of danger that keeps false alarms within this share."""
        calm = ~self.is_danger
        order = np.argsort(-self.danger[calm])
        share = np.cumsum(self.weights[calm][order]) / self.weights[calm].sum()
        return float(self.danger[calm][order][np.searchsorted(share, allowed)])

    def shares(self, limits: Limits) -> dict[str, float]:
        """right (a fitting choice counts half), wrong, refused (covered), urgent recall, false urgent: shares."""
        return {name: round(got / of, 4) if of else 0.0 for name, (got, of) in self.counts(limits).items()}

    def counts(self, limits: Limits) -> dict[str, tuple[float, float]]:
        """The same as weights: how much of how much."""
        alarm = self.danger >= limits.urgent
        refuse = ~alarm & (self.outside >= limits.outside)
        answer = ~alarm & ~refuse & (self.best >= limits.answer) & (self.best > self.outside)
        clarify = ~alarm & ~refuse & ~answer & (self.three >= limits.clarify)
        refuse |= ~alarm & ~answer & ~clarify
        good = alarm & self.is_danger | answer & self.hit | refuse & self.is_outside
        half = clarify & (self.among | self.is_outside)
        everything = np.ones(len(self.weights), bool)
        return {
            "right": self._weight(good + 0.5 * half, everything),
            "wrong": self._weight(answer & ~self.hit, everything),
            "clarify": self._weight(clarify, everything),
            "refused": self._weight(refuse, ~self.is_outside),
            "outside refused": self._weight(refuse, self.is_outside),
            "urgent recall": self._weight(alarm, self.is_danger),
            "false urgent": self._weight(alarm, ~self.is_danger),
        }

    def worth(self, limits: Limits) -> float:
        """What thresholds are worth: right answers less the cost of wrong and refused ones."""
        got = self.shares(limits)
        return got["right"] - WRONG_COSTS * got["wrong"] - REFUSED_COSTS * got["refused"]

    def _weight(self, counted: npt.NDArray[Any], among: npt.NDArray[np.bool_]) -> tuple[float, float]:
        return float((self.weights * among * counted).sum()), float((self.weights * among).sum())


def _loss(scored: Scored, factor: float) -> float:
    names, sums = chances(scored, dict.fromkeys(scored.langs.tolist(), factor))
    columns = np.array([names.index(stem(label)) for label in scored.truth.tolist()])
    likely = np.maximum(sums[np.arange(len(columns)), columns], 1e-9)
    return float(-(scored.weights * np.log(likely)).sum())
