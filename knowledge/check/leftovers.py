"""Is a translation in its own language: script, no Chinese outside brackets, no English left over, composed letters?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_THAI = re.compile(r"[\u0e01-\u0e4e]")
_BRACKETS = re.compile(r"[(（](?:[^()（）]|[(（][^()（）]*[)）])*[)）]")
_PLACEHOLDER = re.compile(r"\{\w+\}")
_WORD = re.compile(r"[^\W\d_]+")
# Small words that no sentence in English does without and that the other languages do not write.
_ENGLISH = frozenset(
    {
        "the",
        "of",
        "and",
        "is",
        "are",
        "you",
        "your",
        "for",
        "with",
        "this",
        "that",
        "not",
        "will",
        "from",
        "have",
        "what",
    }
)
_LEAST_WORDS = 4
_SHARE = 0.25
_ANY_LANGUAGE = ("conversation.language.", "conversation.choice.language", "web.language")
"""Languages are called by their own names in every language, and the way to them is readable for all."""


def leftover_texts(lang: str, key: str, text: str) -> Iterator[str]:
    """What is wrong with the language of a translation."""
    if unicodedata.normalize("NFC", text) != text:
        yield "letters and marks are not composed: save the text in Unicode form NFC"
    if key.startswith(_ANY_LANGUAGE):
        return
    bare = _PLACEHOLDER.sub(" ", _BRACKETS.sub(" ", text))
    if found := _HAN.search(bare):
        yield f"the Chinese {found[0]!r} stands outside brackets: translate it, or put the official name in brackets"
    words = [word.casefold() for word in _WORD.findall(bare)]
    latin = [word for word in words if word.isascii()]
    if lang == "th":
        if len(latin) >= _LEAST_WORDS and not _THAI.search(bare):
            yield "no Thai letter in it: is it still English?"
    elif _THAI.search(bare):
        yield "Thai letters in a language that has none"
    if lang != "en" and len(latin) >= _LEAST_WORDS:
        english = sum(word in _ENGLISH for word in latin)
        if english >= 2 and english / len(latin) >= _SHARE:
            yield "most of it is English: translate it"
