"""Texts with {placeholders}, compiled once and filled quickly."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text: `literals` stand around `names`, one more of them than names."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    def fill(self, value_of: Callable[[str], str]) -> str:
        """The text with every placeholder replaced. What `value_of` raises for a missing value passes through."""
        if not self.names:
            return self.literals[0]
        parts = [self.literals[0]]
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            parts.append(value_of(name))
            parts.append(literal)
        return "".join(parts)


def compile_template(text: str) -> Template:
    """The text as a template. A brace that belongs to no placeholder stays as it is; the check reports it."""
    pieces = PLACEHOLDER.split(text)
    return Template(tuple(pieces[::2]), tuple(pieces[1::2]))


def placeholders(text: str) -> frozenset[str]:
    """The names of the placeholders in the text."""
    return frozenset(PLACEHOLDER.findall(text))


def stray_braces(text: str) -> bool:
    """Whether a brace stands outside a well-formed placeholder."""
    rest = PLACEHOLDER.sub("", text)
    return "{" in rest or "}" in rest


def typed_digits(text: str) -> str:
    """The digits that stand outside placeholders, of whatever script."""
    rest = PLACEHOLDER.sub("", text)
    return "".join(sign for sign in rest if unicodedata.category(sign) in ("Nd", "Nl", "No"))
