"""Names of topics, menu words and stations in a message: exact, contained, or misspelt. Never whole utterances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from intents.normalise import HAN, fold, plain
from intents.phrases import Hit, apart, of_kind, spaced

Names = Mapping[str, Mapping[str, Sequence[str]]]

CUTOFF = 85.0
"""Least similarity (0 to 100) of a misspelt name; below it, names of other things come in."""

NAME = "name"
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Named:
    """A topic or intent whose name stands in the message. `how`: exact, contained or misspelt; `score` is 0 to 1."""

    label: str
    name: str
    how: str
    score: float


@dataclass(frozen=True)
class Lexicon:
    """All names: `exact` by key, `spelled` those long enough to be found in longer messages or misspelt."""

    exact: Mapping[str, str]
    spelled: Mapping[str, str]

    @staticmethod
    def of(names: Names, words: Mapping[str, Iterable[str]] | None = None) -> Lexicon:
        """From topic names per language and words per intent (`menu`). A name of two topics counts for none."""
        owners: dict[str, set[str]] = {}
        for label, by_lang in names.items():
            for name in {name for listed in by_lang.values() for name in listed}:
                for twin in (fold(name), plain(fold(name))):
                    owners.setdefault(key(twin), set()).add(label)
        clear = {name: next(iter(labels)) for name, labels in sorted(owners.items()) if len(labels) == 1 and name}
        extra = {key(fold(word)): label for label, listed in (words or {}).items() for word in listed}
        long = sorted((name for name in clear if _telling(name)), key=lambda name: (-len(name), name))
        return Lexicon({**extra, **clear}, {name: clear[name] for name in long})

    def phrases(self) -> list[tuple[str, str, list[str]]]:
        """What to look for inside messages, as (kind, topic, names)."""
        within: dict[str, list[str]] = {}
        for name, label in self.spelled.items():
            within.setdefault(label, []).append(name)
        return [(NAME, label, names) for label, names in within.items()]

    def match(self, text: str) -> Named | None:
        """The folded message is a name, word for word."""
        label = self.exact.get(key(text))
        return Named(label, key(text), "exact", 1.0) if label else None

    def misspelt(self, text: str) -> Named | None:
        """The folded message is nearly a name: only names long enough, only messages as short as names."""
        wanted = key(text)
        if not _telling(wanted) or len(wanted) > _LONGEST:
            return None
        hit = process.extractOne(wanted, self.spelled.keys(), scorer=fuzz.ratio, score_cutoff=CUTOFF)
        return Named(self.spelled[hit[0]], hit[0], "misspelt", hit[1] / 100) if hit else None


def inside(hits: Iterable[Hit], room: str) -> list[Named]:
    """Names that stand in a longer message, longest first; a name inside another name is left out."""
    outer, _ = apart(of_kind(hits, NAME), room)
    return [Named(hit.name, hit.phrase.strip(), "contained", 1.0) for hit in outer]


def key(text: str) -> str:
    """A folded text as it is compared whole: no punctuation, and no blanks beside Chinese."""
    bare = spaced(text).strip()
    if not any(map(str.isalnum, bare)):
        return ""
    return bare.replace(" ", "") if HAN.search(bare) else bare


def _telling(name: str) -> bool:
    """Long enough not to turn up by chance: four characters in Chinese, two words or nine letters elsewhere."""
    if HAN.search(name):
        return len(name) >= 4
    return len(name) >= 9
