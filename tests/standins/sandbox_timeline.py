"""What each chat shows, line after line, and what the page asks to be done in it."""

from __future__ import annotations

import base64
import itertools
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from .telegram_limits import Refusal

Json = dict[str, Any]
Sending = Coroutine[Any, Any, None]


class Impossible(Exception):
    """What the page asks for cannot be done; the message says why."""


@dataclass
class Entry:
    """One line of a chat. `who`: the person's name, empty for the bot; `how`: the way it came or went.

    `delivery` tells what the bot's webhook answered. `event` is what was delivered, to be repeated or taken back.
    """

    number: int
    at: float
    who: str
    content: Json
    how: str = ""
    delivery: str = ""
    failed: bool = False
    event: Json = field(default_factory=dict)

    def shown(self) -> Json:
        """As the page takes it; the time in milliseconds."""
        return {
            "number": self.number,
            "at": int(self.at * 1000),
            "who": self.who,
            "content": self.content,
            "how": self.how,
            "delivery": self.delivery,
            "failed": self.failed,
        }


class Timeline:
    """The lines of all chats of one platform; stand-ins and page use it from threads of their own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, list[Entry]] = {}
        self._numbers = itertools.count(1)

    def add(self, chat: str, who: str, content: Json, how: str = "", event: Json | None = None) -> Entry:
        """A new line at the end of a chat."""
        with self._lock:
            entry = Entry(next(self._numbers), self._clock(), who, content, how, event=event or {})
            self._entries.setdefault(chat, []).append(entry)
            return entry

    def of(self, chat: str) -> list[Entry]:
        """A chat's lines in order."""
        with self._lock:
            return list(self._entries.get(chat, ()))

    def came(self, chat: str) -> int:
        """How many lines of the bot a chat has."""
        return sum(not entry.who for entry in self.of(chat))

    def find(self, chat: str, number: int) -> Entry:
        """The line of a number. Raises Impossible."""
        for entry in self.of(chat):
            if entry.number == number:
                return entry
        raise Impossible("there is no such message")

    def newest(self, chat: str) -> Entry:
        """The newest line that was delivered to the bot. Raises Impossible."""
        for entry in reversed(self.of(chat)):
            if entry.event:
                return entry
        raise Impossible("nothing was sent yet")


@dataclass(frozen=True)
class Order:
    """One thing to do: in which chat, as whom, and what the deed needs."""

    act: str
    chat: str
    who: str
    values: Json

    def text(self, name: str) -> str:
        """A value as text. Raises Impossible where it is missing."""
        value = self.values.get(name)
        if not isinstance(value, str):
            raise Impossible(f"{name} is missing")
        return value

    def number(self, name: str) -> float:
        """A value as a number. Raises Impossible."""
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Impossible(f"{name} is no number")
        return value

    def content(self) -> bytes:
        """The bytes of a file. Raises Impossible."""
        try:
            return base64.b64decode(self.text("data"), validate=True)
        except ValueError:
            raise Impossible("data is no base64") from None

    @property
    def picture(self) -> bool:
        """Whether the file is a picture."""
        return str(self.values.get("type", "")).startswith("image/")


def perform(deeds: dict[str, Callable[[Order], Sending | None]], order: Order) -> Sending | None:
    """Do it; what is still to be delivered comes back. Raises Impossible."""
    if order.act not in deeds:
        raise Impossible(f"there is no {order.act} here")
    try:
        return deeds[order.act](order)
    except (AssertionError, KeyError, Refusal, TypeError, ValueError) as error:
        raise Impossible(f"{order.act}: {error}") from error
