"""Trouble: what a test plans for the next calls, and Telegram's limits on how fast a bot may send."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .telegram_limits import Refusal

WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass
class Trouble:
    """What happens to the next calls of a method; see `Standin.next`."""

    method: str = "*"
    chat: int | None = None
    status: int = 0
    description: str = ""
    retry_after: int = 0
    migrate_to: int = 0
    delay: float = 0.0
    cut: str = ""
    times: int = 1

    def fits(self, method: str, chat: str) -> bool:
        """Whether it is meant for this call."""
        return self.method in ("*", method) and (self.chat is None or str(self.chat) == chat)

    def refusal(self) -> Refusal | None:
        """The error it answers with, None when the call is carried out."""
        if self.retry_after:
            return flood(self.retry_after)
        if self.migrate_to:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            return Refusal(400, self.description or words, {"migrate_to_chat_id": self.migrate_to})
        return Refusal(self.status, self.description or WORDS.get(self.status, "Error")) if self.status else None


@dataclass
class Plan:
    """Planned trouble; what was planned first happens first."""

    planned: list[Trouble] = field(default_factory=list)

    def take(self, method: str, chat: str) -> Trouble:
        """The trouble of this call; none at all most of the time."""
        for trouble in self.planned:
            if trouble.fits(method, chat):
                trouble.times -= 1
                if not trouble.times:
                    self.planned.remove(trouble)
                return trouble
        return Trouble()


def flood(seconds: float) -> Refusal:
    """The error for sending too fast."""
    wait = max(1, math.ceil(seconds))
    return Refusal(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})


@dataclass
class Rates:
    """One a second to a chat after a burst, 20 a minute to a group, 30 a second in all. Edits count as sends."""

    clock: Callable[[], float]
    on: bool = False
    burst: int = 5
    per_minute: int = 20
    per_second: int = 30
    tokens: dict[int, tuple[float, float]] = field(default_factory=dict)
    groups: dict[int, deque[float]] = field(default_factory=dict)
    sent: deque[float] = field(default_factory=deque)
    until: dict[int, float] = field(default_factory=dict)
    hasty: list[int] = field(default_factory=list)

    def send(self, chat: int) -> None:
        """Counts a send to a chat. Raises a Refusal with retry_after when it is one too many."""
        if not self.on:
            return
        now = self.clock()
        if now < self.until.get(chat, 0.0):
            self.hasty.append(chat)
            raise flood(self.until[chat] - now)
        wait = max(self.overall(now), self.group(chat, now) if chat < 0 else self.bucket(chat, now))
        if wait > 0:
            self.until[chat] = now + max(1, math.ceil(wait))
            raise flood(wait)
        self.count(chat, now)

    def overall(self, now: float) -> float:
        """Seconds to wait for a place among all sends."""
        while self.sent and now - self.sent[0] >= 1:
            self.sent.popleft()
        return 1 - (now - self.sent[0]) if len(self.sent) >= self.per_second else 0.0

    def group(self, chat: int, now: float) -> float:
        """Seconds to wait for a place in a group's minute."""
        times = self.groups.setdefault(chat, deque())
        while times and now - times[0] >= 60:
            times.popleft()
        return 60 - (now - times[0]) if len(times) >= self.per_minute else 0.0

    def bucket(self, chat: int, now: float) -> float:
        """Seconds to wait until a private chat takes one more."""
        left, then = self.tokens.get(chat, (float(self.burst), now))
        left = min(float(self.burst), left + now - then)
        self.tokens[chat] = (left, now)
        return 1 - left if left < 1 else 0.0

    def count(self, chat: int, now: float) -> None:
        """A send that went through."""
        self.sent.append(now)
        if chat < 0:
            self.groups[chat].append(now)
        else:
            left, then = self.tokens[chat]
            self.tokens[chat] = (left - 1, then)
