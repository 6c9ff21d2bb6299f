"""Recognises danger and distress: authored marks, and the classifier's urgent classes. Recall comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from intents.labels import URGENT
from intents.model import Floats
from intents.phrases import Hit, of_kind
from intents.result import Evidence

CLASSES = (
    "self_harm",
    "injury",
    "violence",
    "harassment",
    "confinement",
    "trafficking",
    "withheld_papers",
    "deportation",
    "unpaid_wages",
)
"""All classes of danger; where two are as likely, the earlier one is told first."""

MARK = "urgent"
SHARE = 0.35
"""A second class is told as well where it has at least this part of the first one's chance."""


@dataclass(frozen=True)
class Danger:
    """The classes found, likeliest first, with the chance of any danger and what spoke for it."""

    classes: tuple[str, ...]
    chance: float
    why: tuple[Evidence, ...]


def phrases(words: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """The marks of all languages, as (kind, class, marks): people in danger mix languages."""
    return [
        (MARK, danger, marks) for lists in words.values() for danger, marks in lists.get("urgent_marks", {}).items()
    ]


def look(hits: Iterable[Hit], labels: Sequence[str], chances: Floats, least: float) -> Danger | None:
    """The danger in a message, by its marks and the classifier's chances; None below `least` without a mark."""
    marked = {hit.name: hit.phrase.strip() for hit in reversed(of_kind(hits, MARK))}
    guessed = {
        label.partition(".")[2]: float(chance)
        for label, chance in zip(labels, chances.tolist(), strict=True)
        if label.startswith(URGENT + ".")
    }
    total = sum(guessed.values())
    if not marked and total < least:
        return None
    strength = {name: guessed.get(name, 0.0) + (name in marked) for name in CLASSES}
    least_told = max(SHARE * max(strength.values()), 1e-6)
    told = sorted((name for name in CLASSES if strength[name] >= least_told), key=lambda name: -strength[name])
    why = tuple(Evidence("urgent mark", f"{URGENT}.{name}", 1.0, mark) for name, mark in marked.items())
    guess = Evidence("classifier", f"{URGENT}.{told[0]}", round(total, 3), "sum of the urgent classes")
    return Danger(tuple(told[:3]), 1.0 if marked else total, (*why, guess))
