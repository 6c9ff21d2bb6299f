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


FAITHFUL = 1.5
"""Log odds that the language spoken so far is granted: who mixes two languages is not answered in turns."""


def follows(text: str) -> bool:
    """Is a folded text long enough to change the language of a conversation? A name or a thank-you is not."""
    if len(_THAI.findall(text)) or len(_HAN.findall(text)) >= LEAST_HAN:
        return True
    words = _WORD.findall(_HAN.sub(" ", text))
    return len(words) >= 2 and sum(map(len, words)) >= LEAST_LETTERS


LEAST_HAN, LEAST_LETTERS = 4, 7
LEAST_GUESSED = 3

MIXERS = ("vi", "id", "fil")
"""Who writes these puts Chinese names of programs between; who writes Chinese puts in English words, never these."""


def guess(text: str, letters: Letters) -> str:
    """The likeliest language of a folded text that `detect` is unsure of, or an empty string: better than none."""
    words = [
        word for word in _latin_words(text, letters.neutral) if any("a" <= letter <= "z" for letter in plain(word))
    ]
    if sum(map(len, words)) < LEAST_GUESSED or text in letters.neutral:
        return ""
    scores = letters.scores(plain(word) for word in words)
    return letters.langs[scores.index(max(scores))]


def _strange(words: Iterable[str], letters: Letters) -> bool:
    """Is there a known word that is far likelier in its own language than in English?"""
    english = letters.langs.index("en")
    rows = (letters.words.get(plain(word)) for word in words)
    return any(row is not None and max(row) - row[english] > SURE for row in rows)


def detect(text: str, letters: Letters, spoken: str = "") -> str | None:
    """The language of a folded text, or None where it cannot be told (too short, or a word of all languages).

    `spoken`: the language of the conversation so far; between languages of one script it is favored a little.
    """
    if text in letters.neutral:
        return None
    words = _latin_words(text, letters.neutral)
    known = sum(plain(word) in letters.words for word in words)
    found = latin(words, letters, spoken)
    written = _script(text, len(words), known)
    if written == "zh-TW" and found in MIXERS and _strange(words, letters):
        return found
    if written or found:
        return written or found
    return "zh-TW" if _HAN.search(text) else "th" if _THAI.search(text) else None


def scripts(text: str) -> str | None:
    """What the script alone tells of a folded text: Thai, Chinese, or letters that only Vietnamese writes."""
    words = _latin_words(text, frozenset())
    return _script(text, len(words), 0) or ("vi" if any(map(_VIETNAMESE.search, words)) else None)


def _latin_words(text: str, neutral: frozenset[str]) -> list[str]:
    return [word for word in _WORD.findall(_THAI.sub(" ", _HAN.sub(" ", text))) if word not in neutral]


def _script(text: str, words: int, known: int) -> str | None:
    """Thai or Chinese where it outweighs the Latin words, of which `known` are words of the other four languages."""
    han = len(_HAN.findall(text))
    thai = sum(map(len, _THAI.findall(text)))
    if thai and thai >= 2 * han and thai >= words:
        return "th"
    return "zh-TW" if han and han >= 2 * words + known else None


def latin(words: list[str], letters: Letters, spoken: str = "") -> str | None:
    """The Latin language of lower-case words, or None below `SURE`."""
    if not words:
        return None
    if any(map(_VIETNAMESE.search, words)) or 3 * sum(map(bool, map(_ACCENTED.search, words))) >= len(words):
        return "vi"
    scores = letters.scores(plain(word) for word in words)
    if spoken in letters.langs:
        scores[letters.langs.index(spoken)] += FAITHFUL
    best, second = sorted(scores, reverse=True)[:2]
    if best - second < SURE:
        return None
    return letters.langs[scores.index(best)]
