"""The template grammar of the authored utterances: `[optional]`, `(one|other)`, `<list>`, all of them nesting."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

CAP = 12
"""Sentences taken of one pattern, spread evenly over all it can say."""

_GOLDEN = 0.6180339887498949
_BLANKS = re.compile(r"\s+")
_MARKS = re.compile(r"[\[\]()|<>]")
Lists = Mapping[str, Sequence[str]]


class GrammarError(ValueError):
    """A pattern that does not parse; the message says where."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences; a sequence is a tuple of literal texts and further choices."""

    options: tuple[tuple[str | Choice, ...], ...]


def expand(pattern: str, lists: Lists | None = None, cap: int = CAP) -> list[str]:
    """The sentences a pattern stands for, at most `cap`, always the same ones and without repetition.

    Raises GrammarError on unbalanced brackets and unknown lists.
    """
    whole = parse(pattern, lists or {})
    total = _count(whole)
    # Steps of the golden ratio spread over all parts of the space, so that every alternative is met early.
    picks = range(total) if total <= cap else [int(number * _GOLDEN % 1 * total) for number in range(cap)]
    texts = (_BLANKS.sub(" ", _say(whole, pick)).strip() for pick in picks)
    return list(dict.fromkeys(text for text in texts if text))


def parse(pattern: str, lists: Lists) -> Choice:
    """The tree of a pattern."""
    found, end = _alternatives(pattern, 0, "", lists)
    if end != len(pattern):
        raise GrammarError(f"unexpected {pattern[end]!r} at {end + 1} in {pattern!r}")
    return found


def _alternatives(pattern: str, at: int, closing: str, lists: Lists) -> tuple[Choice, int]:
    options: list[tuple[str | Choice, ...]] = []
    parts: list[str | Choice] = []
    while at < len(pattern) and pattern[at] not in (closing or "])"):
        char = pattern[at]
        if char == "|" and closing:
            options.append(tuple(parts))
            parts, at = [], at + 1
        elif char in "[(":
            inner, at = _bracket(pattern, at, lists)
            parts.append(inner)
        elif char == "<":
            named, at = _named(pattern, at, lists)
            parts.append(named)
        else:
            stop = _MARKS.search(pattern, at + 1)
            end = stop.start() if stop else len(pattern)
            parts.append(pattern[at:end])
            at = end
    options.append(tuple(parts))
    return Choice(tuple(options)), at


def _bracket(pattern: str, at: int, lists: Lists) -> tuple[Choice, int]:
    closing = "]" if pattern[at] == "[" else ")"
    inner, end = _alternatives(pattern, at + 1, closing, lists)
    if end >= len(pattern):
        raise GrammarError(f"{pattern[at]!r} at {at + 1} is never closed in {pattern!r}")
    if closing == "]":
        inner = Choice((*inner.options, ()))
    return inner, end + 1


def _named(pattern: str, at: int, lists: Lists) -> tuple[Choice, int]:
    end = pattern.find(">", at)
    name = pattern[at + 1 : end]
    if end < 0 or name not in lists:
        raise GrammarError(f"unknown list {name!r} at {at + 1} in {pattern!r}")
    return Choice(tuple((str(word),) for word in lists[name])), end + 1


def _count(node: str | Choice) -> int:
    if isinstance(node, str):
        return 1
    return sum(prod(map(_count, option)) for option in node.options)


def _say(node: str | Choice, number: int) -> str:
    """Sentence `number` of a node, counted through its alternatives in order."""
    if isinstance(node, str):
        return node
    for option in node.options:
        size = prod(map(_count, option))
        if number < size:
            break
        number -= size
    said = []
    for part in option:
        number, own = divmod(number, _count(part))
        said.append(_say(part, own))
    return "".join(said)
