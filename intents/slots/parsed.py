"""What comes out of reading an answer, and what a parser needs to know of a fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from knowledge.rules.values import Unknown, Value

Kind: TypeAlias = Literal["value", "does_not_know", "declined", "unreadable"]


class FactLike(Protocol):
    """The part of a fact that a parser looks at; `choices` maps an enum's values to labels."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def choices(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Parsed:
    """An answer as read. `shown_back`: it was interpreted, so the person should see how and may correct it."""

    kind: Kind
    value: Value | None = None
    shown_back: bool = False


UNREADABLE = Parsed("unreadable")
DOES_NOT_KNOW = Parsed("does_not_know", Unknown("does_not_know"))
DECLINED = Parsed("declined", Unknown("declined"))


def value(read: Value, shown_back: bool = False) -> Parsed:
    """A value read."""
    return Parsed("value", read, shown_back)
