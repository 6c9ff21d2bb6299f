"""The words of an answer by language: yes, no, not sure, rather not say, and the cues of single facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from intents.slots.text import REMEMBERED, bare, has_phrase, tidy
from knowledge.reading import read

Patterns: TypeAlias = tuple[re.Pattern[str], ...]
Cues: TypeAlias = tuple[tuple[str, Patterns], ...]  # choice and its patterns, in author order

_LISTS = ("yes", "no", "not_sure", "decline", "none")
_ENGLISH_WORDS = (
    "i my the a am was have had we our is do don't yes it with he she they are were i'm not for of to never"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split(" "))
_LANGUAGES_OF_ALL = ("en", "zh-TW")  # read in any conversation: people mix them with their own language


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language: lists compared with a whole answer, patterns for a clause, patterns of single facts."""

    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    clauses: Cues = ()
    facts: Mapping[str, Cues] = field(default_factory=dict)
    subjects: Cues = ()
    long: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        found = {name: tuple(filter(_is_long, phrases)) for name, phrases in self.lists.items()}
        object.__setattr__(self, "long", found)

    def has(self, name: str, text: str) -> bool:
        """Is the text, as a whole, one of a list?"""
        return text in self.lists.get(name, ())

    def mentions(self, name: str, text: str) -> bool:
        """Does a phrase of a list stand inside the text? Short words count only as a whole answer."""
        return any(has_phrase(text, phrase) for phrase in self.long.get(name, ()))


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The lexicons by language code. Loaded once; equal to nothing but itself, so that readings can be remembered."""

    by_lang: Mapping[str, Lexicon]

    def lexicons(self, lang: str) -> Iterator[Lexicon]:
        """The writer's language first, then those that everybody mixes in."""
        for code in dict.fromkeys((lang, *_LANGUAGES_OF_ALL)):
            if code in self.by_lang:
                yield self.by_lang[code]

    def cues(self, text: str, lang: str) -> Iterator[Lexicon]:
        """The lexicons whose cues may be looked for in a tidy text: the writer's own, and a mixed-in one where the text
        is short or plainly in that language. "Naghahanap ako ng full time" is no English answer."""
        for code in dict.fromkeys((lang, *_LANGUAGES_OF_ALL)):
            if code in self.by_lang and (code == lang or _reads_as(code, text)):
                yield self.by_lang[code]

    def is_bare(self, text: str, lang: str) -> bool:
        """Is the text no more than a yes, a no, "not sure" or a number? Without a question it means nothing."""
        plain = tidy(text[:100])
        if plain.isdecimal():
            return len(plain) < 4
        return any(lexicon.has(name, plain) for lexicon in self.lexicons(lang) for name in ("yes", "no", "not_sure"))

    def subject(self, text: str, lang: str) -> str:
        """Whom a message speaks of where it says so: `other_person` ("my father is 72"), `business`, or empty."""
        return _subject(self, tidy(text[:400]), lang)

    @classmethod
    def of(cls, words: Mapping[str, Mapping[str, Any]], cues: Mapping[str, Mapping[str, Any]]) -> Words:
        """From the contents of `_words.yaml` (lists) and `_cues.yaml` (patterns), each by language code."""
        codes = sorted({*words, *cues})
        return cls({code: _lexicon(words.get(code, {}), cues.get(code, {})) for code in codes})


@lru_cache(maxsize=REMEMBERED)
def _subject(words: Words, plain: str, lang: str) -> str:
    unmarked = bare(plain)
    for lexicon in words.lexicons(lang):
        for subject, patterns in lexicon.subjects:
            if any(pattern.search(plain) or pattern.search(unmarked) for pattern in patterns):
                return subject
    return ""


def load_words(folder: Path, lists: Mapping[str, Mapping[str, Any]] | None = None) -> Words:
    """The word lists under `<folder>/<lang>/`; `lists`: the contents of `_words.yaml` where they were read already.

    Raises KnowledgeError for a file that cannot be read.
    """
    return Words.of(_by_lang(folder, "_words.yaml") if lists is None else lists, _by_lang(folder, "_cues.yaml"))


def _by_lang(folder: Path, name: str) -> dict[str, Any]:
    return {path.parent.name: read(path).data for path in sorted(folder.glob(f"*/{name}"))}


def _lexicon(words: Mapping[str, Any], cues: Mapping[str, Any]) -> Lexicon:
    return Lexicon(
        lists={name: frozenset(_both(words.get(name, ()))) for name in _LISTS},
        clauses=_cues(cues.get("clauses", {})),
        facts={fact: _cues(choices) for fact, choices in cues.get("facts", {}).items()},
        subjects=_cues(cues.get("subjects", {})),
    )


def _both(phrases: Iterable[str]) -> Iterator[str]:
    for phrase in phrases:
        yield tidy(phrase)
        yield bare(tidy(phrase))


def _cues(choices: Mapping[str, Iterable[str]]) -> Cues:
    return tuple((choice, tuple(map(_pattern, patterns))) for choice, patterns in choices.items())


@lru_cache(maxsize=4096)
def _pattern(source: str) -> re.Pattern[str]:
    """A pattern in the same form as the text it meets; lower case too, so `\\W` and its like cannot be used."""
    return re.compile(tidy(source))


def _reads_as(code: str, text: str) -> bool:
    if code == "zh-TW":
        letters = [letter for letter in text if letter.isalpha()]
        return sum("\u4e00" <= letter <= "\u9fff" for letter in letters) * 2 >= len(letters)
    words = text.split()
    return len(words) <= 3 or any(word.strip(".,!") in _ENGLISH for word in words)


def _is_long(phrase: str) -> bool:
    if "\u0e00" <= phrase[0] <= "\u0e7f":
        return len(phrase) >= 5
    if phrase.isascii() or any("\u00c0" <= letter <= "\u1eff" for letter in phrase):
        return " " in phrase
    return len(phrase) >= 3
