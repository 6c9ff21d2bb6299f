"""How fast one bot may send: per chat, per group and overall. Only what is not full again is remembered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

PER_SECOND = 30
BURST = 5  # private chats: so many at once, and one a second
PER_MINUTE = 20  # groups
SECOND, MINUTE = 1.05, 61.0  # a little more than Telegram counts, which sees messages later than we do
REMEMBERED = 5000
REFUSED_CHATS = 3  # refusals for so many chats within a second mean the bot, not a chat
LONGEST_LINE = 60.0
HAIR = 1e-6


@dataclass
class Pace:
    """Says how long a chat has to wait. No chat's own limit ever delays another."""

    monotonic: Callable[[], float]
    _all: deque[float] = field(default_factory=deque)
    _full: dict[str, float] = field(default_factory=dict)
    _groups: dict[str, deque[float]] = field(default_factory=dict)
    _held: dict[str, float] = field(default_factory=dict)
    _paused: float = float("-inf")
    _next: float = float("-inf")
    _refused: deque[tuple[float, str]] = field(default_factory=deque)

    def wait(self, chat: str) -> float:
        """Seconds until a message may go to the chat; 0: now, and it is counted."""
        now = self.monotonic()
        until = max(self._paused, self._held.get(chat, now))
        wait = max(until - now, _full_for(self._all, PER_SECOND, SECOND, now), self._own(chat, now))
        if wait > HAIR:
            return max(wait, self._line_up(now))
        self.count(chat)
        return 0.0

    def _line_up(self, now: float) -> float:
        """Where the bot as a whole is full, whoever is refused comes back one after another, not all at once."""
        if len(self._all) < PER_SECOND:
            return 0.0
        self._next = max(self._next, self._all[0] + SECOND) + SECOND / PER_SECOND
        return min(self._next - now, LONGEST_LINE)

    def count(self, chat: str) -> None:
        """One went to the chat, whether it might or not."""
        now = self.monotonic()
        self._all.append(now)
        if chat.startswith("-"):
            self._groups.setdefault(chat, deque()).append(now)
        else:
            self._full[chat] = max(now, self._full.get(chat, now)) + 1.0
        if self.remembered > REMEMBERED:
            self._forget(now)

    def hold(self, chat: str, seconds: float) -> None:
        """Telegram asked to leave the chat alone for `seconds`; several chats at once: all of them."""
        now = self.monotonic()
        self._held[chat] = now + seconds
        self._refused.append((now, chat))
        while now - self._refused[0][0] > 1.0:
            self._refused.popleft()
        if len({each for _, each in self._refused}) >= REFUSED_CHATS:
            self._paused = max(self._paused, now + seconds)

    @property
    def remembered(self) -> int:
        """How many chats are remembered."""
        return len(self._full) + len(self._groups) + len(self._held)

    def _own(self, chat: str, now: float) -> float:
        if chat.startswith("-"):
            return _full_for(self._groups.get(chat, deque()), PER_MINUTE, MINUTE, now)
        return self._full.get(chat, now) - now - (BURST - 1)

    def _forget(self, now: float) -> None:
        self._full = {chat: full for chat, full in self._full.items() if full > now}
        self._held = {chat: until for chat, until in self._held.items() if until > now}
        self._groups = {chat: sent for chat, sent in self._groups.items() if sent and sent[-1] + MINUTE > now}


def _full_for(sent: deque[float], most: int, seconds: float, now: float) -> float:
    """Seconds until there is room for one more among the `most` in any `seconds`."""
    while sent and sent[0] + seconds <= now:
        sent.popleft()
    return sent[0] + seconds - now if len(sent) >= most else 0.0
