"""Which of the six languages a message is written in: scripts first, then letters and small words for Latin ones."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from intents.normalise import plain

ORDER = 3
"""Letters of a word that the letter model looks at together."""

SURE = 1.6
"""Log odds over the runner-up from which a language is decided."""

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\u3100-\u312f\u31a0-\u31bf]")
_THAI = re.compile(r"[\u0e00-\u0e7f]+")
_WORD = re.compile(r"[^\W\d_]+")
# Letters that only Vietnamese writes among the six; acute and grave ones alone also stand in names and loan words.
_VIETNAMESE = re.compile(r"[ăâđêôơưạảãấầẩẫậắằẳẵặẹẻẽếềểễệỉịĩọỏõốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]")
_ACCENTED = re.compile(r"[àáèéìíòóùúý]")
_FLOOR = -10.0
# One strange word (a name, a typo) may not outvote all the others.
_LEAST = -4.0


@dataclass(frozen=True)
class Letters:
    """Per known word the log chance of each language, per letter triple its log rate. Built by letters.py."""

    langs: tuple[str, ...]
    words: Mapping[str, tuple[float, ...]]
    triples: Mapping[str, tuple[float, ...]]
    neutral: frozenset[str]

    def scores(self, words: Iterable[str]) -> list[float]:
        """Summed log chances of the languages over the words, in the order of `langs`."""
        totals = [0.0] * len(self.langs)
        for word in words:
            for index, value in enumerate(self.words.get(word) or self._spelled(word)):
                totals[index] += value
        return totals

    def _spelled(self, word: str) -> list[float]:
        """The log chances of an unknown word, by its letters."""
        padded = f"^{word[:20]}$"
        floor = (_FLOOR,) * len(self.langs)
        rows = [self.triples.get(padded[at : at + ORDER], floor) for at in range(len(padded) - ORDER + 1)]
        # Neighboring triples overlap: together they tell less than their number.
        sums = [sum(column) / math.sqrt(max(1, len(rows))) for column in zip(*rows, strict=True)]
        top = max(sums)
        total = top + math.log(sum(math.exp(value - top) for value in sums))
        return [max(value - total, _LEAST) for value in sums]


def detect(text: str, letters: Letters) -> str | None:
    """The language of a folded text, or None where it cannot be told (too short, or a word of all languages)."""
    if text in letters.neutral:
        return None
    han = len(_HAN.findall(text))
    thai = sum(map(len, _THAI.findall(text)))
    words = [word for word in _WORD.findall(_THAI.sub(" ", _HAN.sub(" ", text))) if word not in letters.neutral]
    if thai and thai >= 2 * han and thai >= len(words):
        return "th"
    known = sum(plain(word) in letters.words for word in words)
    if han and han >= 2 * len(words) + known:
        return "zh-TW"
    found = latin(words, letters)
    if found:
        return found
    return "zh-TW" if han else "th" if thai else None


def latin(words: list[str], letters: Letters) -> str | None:
    """The Latin language of lower-case words, or None below `SURE`."""
    if not words:
        return None
    if any(map(_VIETNAMESE.search, words)) or 3 * sum(map(bool, map(_ACCENTED.search, words))) >= len(words):
        return "vi"
    scores = letters.scores(plain(word) for word in words)
    best, second = sorted(scores, reverse=True)[:2]
    if best - second < SURE:
        return None
    return letters.langs[scores.index(best)]
