"""Builds the tables of language detection from authored words and sentences; a build step without any library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import log

from intents.authored import Authored
from intents.language import ORDER, Letters
from intents.normalise import fold, plain

LATIN = ("en", "vi", "id", "fil")
FREQUENT = 40
"""What a listed small word counts for, in occurrences: the word lists alone hold hardly any."""

_SMOOTH = 1e-5


def build(authored: Authored) -> Letters:
    """The tables, from frequent words, word lists and utterances of the four Latin-script languages."""
    languages = authored.languages.get("languages", {})
    counts = {lang: _counts(authored, lang, languages.get(lang, {}).get("frequent", "")) for lang in LATIN}
    neutral = frozenset(fold(word) for word in authored.languages.get("neutral", ()))
    return Letters(LATIN, _posteriors(counts), _triples(counts), neutral)


def _counts(authored: Authored, lang: str, frequent: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    lists = authored.words.get(lang, {})
    for value in lists.values():
        listed = [phrase for part in value.values() for phrase in part] if isinstance(value, Mapping) else value
        counts.update(word for phrase in listed for word in _words(phrase))
    for pattern in authored.patterns:
        if pattern.lang == lang:
            counts.update(set(word for text in pattern.sentences for word in _words(text)))
    for word in frequent.split():
        counts[plain(fold(word))] += FREQUENT
    return counts


def _words(text: str) -> Iterable[str]:
    return (word for word in plain(fold(text)).replace("-", " ").split() if word.isalpha() and word.isascii())


def _posteriors(counts: Mapping[str, Counter[str]]) -> dict[str, tuple[float, ...]]:
    """Per word: log chance of each language, given the word."""
    sizes = {lang: sum(counter.values()) for lang, counter in counts.items()}
    table = {}
    for word in sorted({word for counter in counts.values() for word in counter}):
        rates = [counts[lang][word] / sizes[lang] + _SMOOTH for lang in LATIN]
        table[word] = tuple(round(log(rate / sum(rates)), 3) for rate in rates)
    return table


def _triples(counts: Mapping[str, Counter[str]]) -> dict[str, tuple[float, ...]]:
    """Per letter triple: log of its rate among the distinct words of each language."""
    found: dict[str, Counter[str]] = {}
    for lang, counter in counts.items():
        found[lang] = Counter(f"^{word}$"[at : at + ORDER] for word in counter for at in range(len(word) + 3 - ORDER))
    sizes = {lang: sum(counter.values()) for lang, counter in found.items()}
    names = sorted({triple for counter in found.values() for triple in counter})
    return {
        name: tuple(round(log((found[lang][name] + 0.2) / (sizes[lang] + 0.2 * len(names))), 3) for lang in LATIN)
        for name in names
    }
