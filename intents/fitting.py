"""Fits the linear model to labelled sentences; a build step, the only place that needs scikit-learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import log

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from intents.authored import Pattern
from intents.encoder import Vector
from intents.features import grams, words
from intents.head import Head, centered, reads
from intents.model import Floats, Model, Space, pack
from intents.normalise import fold, plain

PENALTY = 1.0
"""Inverse regularisation of the linear model, chosen by cross-validation over 0.2 to 2."""

FEATURES = 60_000
"""Features kept: those with the heaviest weights; what was cut changed no decision in cross-validation."""

FOLDS = 5

HEAD_PENALTY = 3.0
"""Inverse regularisation of the second stage, chosen by cross-validation over 1 to 30."""

ENCODED = 3
"""Sentences of one pattern that are encoded for training: more of them say hardly anything new to the encoder."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One training sentence, folded. Sentences of one pattern share `group`; `weight` is less for many of them."""

    lang: str
    label: str
    text: str
    group: str
    weight: float


def samples(patterns: Sequence[Pattern], mark: Callable[[str], str] = str) -> list[Sample]:
    """All sentences of the patterns, folded and marked, with the augmented twins; no text twice under one label."""
    found: dict[tuple[str, str], Sample] = {}
    for pattern in patterns:
        texts = dict.fromkeys(twin for text in pattern.sentences for twin in twins(fold(text), pattern.lang))
        weight = len(texts) ** -0.5
        for text in map(mark, filter(None, texts)):
            found.setdefault((pattern.label, text), Sample(pattern.lang, pattern.label, text, pattern.group, weight))
    return list(found.values())


def twins(text: str, lang: str) -> tuple[str, ...]:
    """The text and how else people of that language type it: Vietnamese without diacritics, Thai without blanks."""
    if lang == "vi":
        return (text, plain(text))
    if lang == "th":
        return (text, text.replace(" ", ""))
    return (text,)


def fold_of(group: str) -> int:
    """The cross-validation part a group belongs to; by its hash, so that a new pattern moves no other."""
    return blake2b(group.encode(), digest_size=4).digest()[0] % FOLDS


def fit(rows: Sequence[Sample], features: int | None = FEATURES) -> Model:
    """A model of the samples, cut to `features` (None: uncut). The same samples give the same model."""
    space = space_of([row.text for row in rows])
    labels, weights, bias = _margins(rows, space)
    if features is not None and len(space.index) > features:
        heavy = np.argsort(-np.linalg.norm(weights, axis=1) * space.rarity, kind="stable")[:features]
        names = list(space.index)
        space = _space(sorted(names[number] for number in heavy), space)
        labels, weights, bias = _margins(rows, space)
    packed, scales = pack(weights)
    return Model(labels, space, packed, scales, bias)


def chosen(rows: Sequence[Sample]) -> list[int]:
    """The rows that the second stage is trained on: the first `ENCODED` of every pattern."""
    seen: Counter[str] = Counter()
    found = []
    for number, row in enumerate(rows):
        if seen[row.group] < ENCODED and reads(row.lang, row.text):
            seen[row.group] += 1
            found.append(number)
    return found


def fit_head(rows: Sequence[Sample], vectors: Vector, labels: Sequence[str]) -> Head:
    """The second stage for these rows and their vectors; `labels` gives the order of its columns."""
    mean = vectors.mean(axis=0).astype(np.float32)
    machine = LogisticRegression(C=HEAD_PENALTY, max_iter=300)
    machine.fit(centered(vectors, mean), [row.label for row in rows], [row.weight for row in rows])
    weights = np.zeros((vectors.shape[1], len(labels)), np.float32)
    bias = np.full(len(labels), -20.0, np.float32)  # a label without rows
    for place, label in enumerate(machine.classes_):
        column = list(labels).index(label)
        weights[:, column], bias[column] = machine.coef_[place], machine.intercept_[place]
    return Head(mean, weights, bias)


def space_of(texts: Sequence[str]) -> Space:
    """All features of the texts, weighted by rarity as usual: 1 + ln((1 + texts) / (1 + texts with it))."""
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(set(grams(text)) | set(words(text)))
    names = sorted(seen)
    rarity = np.array([1 + log((1 + len(texts)) / (1 + seen[name])) for name in names], np.float32)
    return Space({name: number for number, name in enumerate(names)}, rarity.astype(np.float16).astype(np.float32))


def _space(names: Sequence[str], larger: Space) -> Space:
    rarity = larger.rarity[[larger.index[name] for name in names]]
    return Space({name: number for number, name in enumerate(names)}, rarity)


def _margins(rows: Sequence[Sample], space: Space) -> tuple[tuple[str, ...], Floats, Floats]:
    machine = LinearSVC(C=PENALTY, random_state=0, max_iter=3000)
    machine.fit(matrix([row.text for row in rows], space), [row.label for row in rows], [row.weight for row in rows])
    return tuple(machine.classes_), machine.coef_.T.astype(np.float32), machine.intercept_.astype(np.float32)


def matrix(texts: Sequence[str], space: Space) -> csr_matrix:
    """The vectors of the texts, one row each."""
    vectors = [space.vector(text) for text in texts]
    starts = np.cumsum([0, *(len(numbers) for numbers, _ in vectors)])
    numbers = np.concatenate([numbers for numbers, _ in vectors])
    values = np.concatenate([values for _, values in vectors])
    return csr_matrix((values, numbers, starts), shape=(len(texts), len(space.index)))
