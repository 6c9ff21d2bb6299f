"""The second reader: a multilingual sentence encoder in a process of its own, for what the first stage is unsure of."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

SIZE = 384
"""Numbers in the vector of a text."""

Vector = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Turns a text into its direction among all meanings."""

    def encode(self, text: str) -> Vector | None:
        """A vector of `SIZE` numbers and length 1, or None where none is to be had in time. Never raises."""
        ...
