"""The second stage: from the encoder's vector of a message to the labels; numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intents.encoder import Vector
from intents.model import Floats
from intents.normalise import plain

SHARE = 0.3
"""What a log chance of the second stage counts for beside a margin of the first; by cross-validation."""


@dataclass(frozen=True)
class Head:
    """A linear model over vectors: `mean` (size), `weights` (size, labels), `bias` (labels)."""

    mean: Floats
    weights: Floats
    bias: Floats

    def scores(self, vector: Vector) -> Floats:
        """The log chance of every label for one vector (size) or many (rows, size)."""
        raw = centered(vector, self.mean) @ self.weights + self.bias
        raw = raw - raw.max(axis=-1, keepdims=True)
        logs: Floats = (raw - np.log(np.exp(raw).sum(axis=-1, keepdims=True))).astype(np.float32)
        return logs

    def mixed(self, margins: Floats, vector: Vector) -> Floats:
        """Both stages together, on the scale of margins."""
        both: Floats = (margins + SHARE * np.maximum(self.scores(vector), LEAST)).astype(np.float32)
        return both


LEAST = -8.0
"""Log chance below which nothing counts: one stage may doubt the other, not forbid it."""


def reads(lang: str, folded: str) -> bool:
    """Can the encoder read this? Vietnamese without diacritics it cannot: its vote was measured to do harm."""
    return lang != "vi" or folded != plain(folded)


def affordable(folded: str) -> bool:
    """Is a message short enough for the encoder's time? Of a long one the first stage sees enough (measured)."""
    tokens = sum(1.0 if char >= "\u3000" else THAI if "\u0e00" <= char <= "\u0e7f" else LATIN for char in folded)
    return tokens <= TOKENS


TOKENS = 20
"""Tokens that are encoded in 40 ms on one core, some 2 ms each."""

THAI, LATIN = 0.42, 0.33
"""Tokens a character, by the look of the encoder's vocabulary; a Chinese character is one."""


def centered(vectors: Vector, mean: Floats) -> Floats:
    """Directions from the mean: the raw ones all lie close together."""
    moved = vectors - mean
    unit: Floats = (moved / np.maximum(np.linalg.norm(moved, axis=-1, keepdims=True), 1e-9)).astype(np.float32)
    return unit
