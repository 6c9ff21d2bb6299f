"""Scores a message with a linear model over n-grams: numpy alone, no training library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intents.features import grams, words
from intents.labels import stem

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Space:
    """The features that count, with their weight by rarity. Character and word features are scaled apart."""

    index: Mapping[str, int]
    rarity: Floats

    def vector(self, text: str) -> tuple[Ints, Floats]:
        """Feature numbers and values of a folded text; each of the two blocks has length one or is empty."""
        chars, char_values = self._block(grams(text))
        terms, term_values = self._block(words(text))
        return np.concatenate((chars, terms)), np.concatenate((char_values, term_values))

    def _block(self, found: Iterable[str]) -> tuple[Ints, Floats]:
        counts: dict[int, int] = {}
        get = self.index.get
        for name in found:
            number = get(name)
            if number is not None:
                counts[number] = counts.get(number, 0) + 1
        numbers = np.fromiter(counts.keys(), np.int64, len(counts))
        often = np.fromiter(counts.values(), np.float32, len(counts))
        values = (1 + np.log(often)) * self.rarity[numbers]
        length = np.sqrt(values @ values)
        return numbers, (values / length if length else values).astype(np.float32)


@dataclass(frozen=True)
class Model:
    """One row of weights per feature, one column per label, stored in bytes with a scale per feature."""

    labels: tuple[str, ...]
    space: Space
    weights: npt.NDArray[np.int8]
    scales: Floats
    bias: Floats

    def scores(self, text: str) -> Floats:
        """The margin of every label for a folded text."""
        numbers, values = self.space.vector(text)
        rows = self.weights[numbers].astype(np.float32)
        return ((values * self.scales[numbers]) @ rows + self.bias).astype(np.float32)


def pack(weights: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Weights (features, labels) as bytes, and the scale that brings each row back."""
    scales = np.maximum(np.abs(weights).max(axis=1), 1e-9) / 127
    return np.rint(weights / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def chances(scores: Floats, sharpness: float) -> Floats:
    """Probabilities of the labels: the softmax of the margins times a calibrated sharpness."""
    raised = np.exp((scores - scores.max()) * sharpness)
    result: Floats = (raised / raised.sum()).astype(np.float32)
    return result


def groups(labels: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The labels cut at the dot (`p06.4` is p06, `urgent.injury` is urgent), and each label's group number."""
    names = tuple(dict.fromkeys(map(stem, labels)))
    return names, np.array([names.index(stem(label)) for label in labels], np.int64)
