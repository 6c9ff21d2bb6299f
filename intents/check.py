"""Looks the authored utterances over: duplicates, missing and thin labels, broken files, stolen sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from intents.authored import DATA, Authored, Fault, Pattern, read
from intents.elsewhere import Elsewhere
from intents.labels import LANGUAGES, TOPIC, URGENT, stem
from intents.lexicon import key
from intents.normalise import clean, fold
from intents.urgent import CLASSES

LEAST = 25
"""Patterns a label needs per language."""

UNEVEN = 3
"""Times the usual number of patterns from which a topic outweighs the others."""

SURE_THEFT = 0.6
"""Chance of another label from which a sentence counts as stolen by it."""

_WORD_LISTS = (
    "yes",
    "no",
    "not_sure",
    "decline",
    "back",
    "stop",
    "more",
    "menu",
    "person",
    "self",
    "other_person",
    "business",
    "callback",
    "call_times",
)


def check(root: Path = DATA) -> list[Fault]:
    """All faults that can be told without training, by file and line."""
    authored = read(root)
    found = (_labels, _thin, _uneven, _duplicates, _lists)
    faults = [*authored.faults, *(fault for look in found for fault in look(authored))]
    return sorted(faults, key=lambda fault: (fault.file, fault.line))


def warnings(root: Path = DATA) -> list[Fault]:
    """What works and is not finished: topics that a language has no sentences of; only their names are known there."""
    patterns = read(root).patterns
    topics = {pattern.label for pattern in patterns if TOPIC.fullmatch(pattern.label)}
    present = {(pattern.lang, pattern.label) for pattern in patterns}
    text = "in this language only its names lead to it: add the file with sentences of {}"
    begun = {pattern.lang for pattern in patterns}
    missing = ((lang, topic) for lang in begun for topic in topics if (lang, topic) not in present)
    return [Fault(f"{lang}/{topic}.yaml", 0, text.format(topic)) for lang, topic in sorted(missing)]


def stolen(root: Path = DATA) -> list[Fault]:
    """Patterns that cross-validation gives to another label for sure; trains six models, about a minute."""
    # Here, since scikit-learn is a build dependency that a running bot does not have.
    from intents import calibrate, train
    from intents.fitting import samples

    authored = read(root)
    rows = samples(authored.patterns, Elsewhere.of(authored.cities).marked)
    scored = train.cross_validated(rows, tuple(sorted({row.label for row in rows})))
    names, chances = calibrate.chances(scored, calibrate.sharpness(scored))
    at = {pattern.group: pattern for pattern in authored.patterns}
    faults: dict[str, Fault] = {}
    for row, own in zip(rows, chances, strict=True):
        best = int(np.argmax(own))
        if names[best] != stem(row.label) and own[best] >= SURE_THEFT:
            text = f"{row.text!r} of {row.label} reads as {names[best]} ({own[best]:.2f})"
            faults.setdefault(row.group, Fault(at[row.group].file, at[row.group].line, text))
    return sorted(faults.values(), key=lambda fault: (fault.file, fault.line))


def _begun(authored: Authored) -> list[str]:
    """Languages with any utterance; the others are still to come."""
    return [lang for lang in LANGUAGES if any(pattern.lang == lang for pattern in authored.patterns)]


def _labels(authored: Authored) -> Iterable[Fault]:
    wanted = {label for label in authored.intents if label != URGENT} | {f"{URGENT}.{name}" for name in CLASSES}
    topics = {pattern.label for pattern in authored.patterns if TOPIC.fullmatch(pattern.label)}
    for lang in _begun(authored):
        present = {pattern.label for pattern in authored.patterns if pattern.lang == lang}
        for label in sorted(wanted - present):
            file = URGENT if label.startswith(URGENT) else label
            yield Fault(f"{lang}/{file}.yaml", 0, f"no {label}")
        for label in sorted(present - wanted - topics):
            yield Fault(f"{lang}/{label}.yaml", 1, f"unknown label {label}; intents.yaml does not list it")


def _thin(authored: Authored) -> Iterable[Fault]:
    counts = Counter((pattern.lang, pattern.label, pattern.file) for pattern in authored.patterns)
    for (_, label, file), count in sorted(counts.items()):
        if count < LEAST:
            yield Fault(file, 1, f"{label} has {count} patterns; at least {LEAST} are needed")


def _uneven(authored: Authored) -> Iterable[Fault]:
    """A topic with far more patterns than its neighbors draws their messages to itself."""
    for lang in _begun(authored):
        own = [pattern for pattern in authored.patterns if pattern.lang == lang and TOPIC.fullmatch(pattern.label)]
        counts = Counter(pattern.label for pattern in own)
        if not counts:
            continue
        usual = sorted(counts.values())[len(counts) // 2]
        for label, count in sorted(counts.items()):
            if count > UNEVEN * usual:
                text = f"{label} has {count} patterns, others have {usual}: add to the others, or take some away"
                yield Fault(f"{lang}/{label}.yaml", 1, text)


def _duplicates(authored: Authored) -> Iterable[Fault]:
    """A sentence under two labels, or a pattern written twice in one file; the later one is reported."""
    owner: dict[str, Pattern] = {}
    written: dict[tuple[str, str], Pattern] = {}
    for pattern in authored.patterns:
        keys = [k for k in dict.fromkeys(key(fold(text)) for text in pattern.sentences) if k]
        clash = next((owner[k] for k in keys if k in owner and owner[k].label != pattern.label), None)
        twice = written.setdefault((pattern.file, clean(pattern.text).casefold()), pattern)
        if clash:
            text = f"{pattern.text!r} also says {clash.label}, {clash.file}:{clash.line}"
            yield Fault(pattern.file, pattern.line, text)
        elif twice is not pattern:
            yield Fault(pattern.file, pattern.line, f"{pattern.text!r} is there already in line {twice.line}")
        for k in keys:
            owner.setdefault(k, pattern)


def _lists(authored: Authored) -> Iterable[Fault]:
    """Word lists every language needs, also those without utterances yet."""
    for lang in LANGUAGES:
        lists = authored.words.get(lang, {})
        file = f"{lang}/_words.yaml"
        yield from (Fault(file, 0, f"no list {name}") for name in _WORD_LISTS if not lists.get(name))
        yield from _marks(lists.get("urgent_marks", {}), file)
        if lang not in authored.languages.get("languages", {}):
            yield Fault("languages.yaml", 0, f"no language {lang}")


def _marks(marks: dict[str, Sequence[str]], file: str) -> Iterable[Fault]:
    yield from (Fault(file, 0, f"no urgent marks for {name}") for name in CLASSES if not marks.get(name))
    yield from (Fault(file, 0, f"unknown urgent class {name}") for name in marks if name not in CLASSES)
