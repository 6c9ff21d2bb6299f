"""What a message is scored by: character n-grams inside words and, for scripts with blanks, words and word pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

WORD_MARK = "\t"
"""Starts every word feature, so that it never equals a character n-gram."""

_TOKENS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\u3100-\u312f]+|[\u0e00-\u0e7f]+|[^\W_]+|[^\w\s]")
_LATIN = re.compile(r"[^\W_\u3400-\u9fff\uf900-\ufaff\u3100-\u312f\u0e00-\u0e7f]+(?:'[^\W\d_]+)?")
_HAN_SIZES = (1, 2, 3)
_THAI_SIZES = (2, 3, 4)
_LATIN_SIZES = (2, 3, 4, 5)


def grams(text: str) -> list[str]:
    """Character n-grams of a folded text, never across a blank; one blank stands for the edge of a word."""
    return [gram for token in _TOKENS.findall(text) for gram in _token_grams(token)]


def words(text: str) -> list[str]:
    """Words and pairs of neighboring words of the text's parts in scripts that write blanks."""
    found = _LATIN.findall(text)
    pairs = [f"{WORD_MARK}{left} {right}" for left, right in pairwise(found)]
    return [WORD_MARK + word for word in found] + pairs


def _token_grams(token: str) -> Iterator[str]:
    first = token[0]
    sizes = _HAN_SIZES if first >= "\u3100" else _THAI_SIZES if "\u0e00" <= first <= "\u0e7f" else _LATIN_SIZES
    padded = f" {token} "
    for size in sizes:
        if size == 1:
            yield from token
        elif len(padded) <= size:
            yield padded
            break
        else:
            yield from [padded[at : at + size] for at in range(len(padded) - size + 1)]
