"""Other cities in a message: one sign for all of them, so that what is learned of one holds for every other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from intents.normalise import fold
from intents.phrases import spaced

SIGN = " §§§"
"""Appended to a folded text that names another city; the model learns what it weighs."""

_BLANKLESS = re.compile(r"[\u3100-\u31ff\u3400-\u9fff\u0e00-\u0e7f]")


@dataclass(frozen=True)
class Elsewhere:
    """Finds names of other cities. `own` is looked for first: 新北 is no other city, nor is New Taipei Taipei."""

    own: re.Pattern[str]
    other: re.Pattern[str]

    @staticmethod
    def of(names: Mapping[str, Iterable[str]]) -> Elsewhere:
        """From the lists `own` and `other` of data/cities.yaml."""
        return Elsewhere(_any(names.get("own", ())), _any(names.get("other", ())))

    def marked(self, folded: str) -> str:
        """The text for the model, with the sign where another city is named."""
        return folded + SIGN if self.other.search(self.own.sub(" ", spaced(folded))) else folded


def _any(names: Iterable[str]) -> re.Pattern[str]:
    folded = sorted({fold(name) for name in names}, key=lambda name: (-len(name), name))
    parts = [re.escape(name) if _BLANKLESS.search(name) else rf"(?<!\w){re.escape(name)}(?!\w)" for name in folded]
    return re.compile("|".join(parts) or r"(?!)")
