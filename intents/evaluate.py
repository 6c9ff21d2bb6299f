"""Scores understanding on labelled messages (JSON lines with id, lang, text, expect), per language."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intents.labels import OUTSIDE, URGENT, stem
from intents.result import Context, Understood
from intents.understand import Understander

ALL = "all"
Watch = Callable[[], float]
_SCRIPTS_WITHOUT_BLANKS = ("zh-TW", "th")


def _stopped() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """One message and how it was understood. `right` is 1, 0.5 or 0; `lang_right` None where it does not count."""

    id: str
    lang: str
    expect: tuple[str, ...]
    found: Understood
    right: float
    wrong: bool
    refused: bool
    lang_right: bool | None
    ms: float

    @property
    def label(self) -> str:
        """What the message was taken for, cut at the dot."""
        return _label(self.found)


@dataclass(frozen=True)
class Report:
    """All cases, with the shares per language (`all` first)."""

    cases: tuple[Case, ...]

    def shares(self, lang: str = ALL) -> dict[str, float]:
        """Shares in percent: right, wrong, clarify, refused, outside, urgent, false urgent, language; n; ms."""
        own = [case for case in self.cases if lang in (ALL, case.lang)]
        covered = [case for case in own if case.expect[0] != OUTSIDE]
        danger = [case for case in own if case.expect[0] == URGENT]
        calm = [case for case in own if URGENT not in case.expect]
        spoken = [case for case in own if case.lang_right is not None]
        return {
            "n": len(own),
            "right": _percent(case.right for case in own),
            "wrong": _percent(case.wrong for case in own),
            "clarify": _percent(case.found.decision == "clarify" for case in own),
            "refused": _percent(case.refused for case in covered),
            "outside": _percent(case.right for case in own if case.expect[0] == OUTSIDE),
            "urgent": _percent(_alarmed(case.found) for case in danger),
            "false urgent": _percent(_alarmed(case.found) for case in calm),
            "language": _percent(bool(case.lang_right) for case in spoken),
            "ms": round(sorted(case.ms for case in own)[len(own) // 2], 3) if own else 0.0,
        }

    def confusion(self) -> list[tuple[str, str, int]]:
        """(expected, found, times) of answers and refusals that do not count as right, most frequent first."""
        pairs = Counter((case.expect[0], case.label) for case in self.cases if case.right < 0.5)
        return [(expected, found, times) for (expected, found), times in pairs.most_common()]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the cases, as they come."""
        return tuple(dict.fromkeys(case.lang for case in self.cases))

    def answers(self, lang: str = ALL) -> list[tuple[float, float]]:
        """(confidence, right) of what was answered: what calibration is about."""
        return [
            (case.found.confidence, case.right)
            for case in self.cases
            if lang in (ALL, case.lang) and case.found.decision == "answer"
        ]

    def times(self) -> tuple[float, float]:
        """Milliseconds a message: median and 99th percentile."""
        ordered = sorted(case.ms for case in self.cases)
        return (ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]) if ordered else (0.0, 0.0)

    def table(self) -> str:
        """The shares as text, one line per language."""
        langs = [ALL, *self.languages]
        rows = {lang: self.shares(lang) for lang in langs}
        head = f"{'':7}" + "".join(f"{name:>13}" for name in rows[ALL])
        return "\n".join(
            [head, *(f"{lang:7}" + "".join(f"{v:13g}" for v in row.values()) for lang, row in rows.items())]
        )


def evaluate(understander: Understander, rows: Iterable[Mapping[str, Any]], watch: Watch = _stopped) -> Report:
    """Understands every row without context and scores it as the README of the evaluation set says.

    `watch` tells seconds (`time.perf_counter`); without one the times are 0, for this room has no clock.
    """
    return Report(tuple(_case(understander, row, watch) for row in rows))


def evaluate_file(understander: Understander, path: Path, watch: Watch = _stopped) -> Report:
    """The same for a file of JSON lines."""
    lines = path.read_text("utf-8").splitlines()
    return evaluate(understander, [json.loads(line) for line in lines if line.strip()], watch)


def _case(understander: Understander, row: Mapping[str, Any], watch: Watch) -> Case:
    start = watch()
    found = understander.understand(row["text"], Context())
    ms = (watch() - start) * 1000
    expect = tuple(row["expect"])
    answered = found.decision in ("answer", "handoff", "urgent")
    wrong = found.decision == "answer" and _label(found) not in expect
    refused = found.decision == "refuse" and expect[0] != OUTSIDE
    return Case(
        str(row.get("id", "")),
        row["lang"],
        expect,
        found,
        _right(found, expect, answered),
        wrong,
        refused,
        _language(found, row, expect),
        ms,
    )


def _right(found: Understood, expect: Sequence[str], answered: bool) -> float:
    if found.decision == "clarify":
        shown = {stem(label) for label in found.topics}
        return 0.5 if OUTSIDE in expect or shown & set(expect) else 0.0
    if OUTSIDE in expect and found.decision in ("refuse", "handoff"):
        return 1.0
    return float(answered and _label(found) in expect)


def _language(found: Understood, row: Mapping[str, Any], expect: Sequence[str]) -> bool | None:
    long = len(row["text"].split()) >= 2 or row["lang"] in _SCRIPTS_WITHOUT_BLANKS
    return found.lang == row["lang"] if long and "language" not in expect else None


def _label(found: Understood) -> str:
    if found.intent == "program" and found.topics:
        return stem(found.topics[0])
    return found.intent


def _alarmed(found: Understood) -> bool:
    return URGENT in (found.intent, found.decision)


def _percent(values: Iterable[float]) -> float:
    listed = [float(value) for value in values]
    return round(100 * sum(listed) / len(listed), 1) if listed else 0.0
