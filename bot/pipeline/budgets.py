"""Whose messages wait until those of others are taken: budgets of a person, a channel and the whole house."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.channels.budget import Budget
from bot.messages import Incoming

LOOKS_PER_MINUTE, LOOKS_AT_ONCE = 30, 5  # texts over the budget that are read for danger as they come, of one person


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages a minute before they wait, `burst` those that one person may send at once.

    `saturated_seconds`: people are told when the queue is longer than what is answered in so long.
    """

    person: int = 30
    burst: int = 10
    channel: int = 6000
    house: int = 12_000
    saturated_seconds: float = 20.0


def _calm(text: str) -> bool:
    return False


@dataclass
class Budgets:
    """Nothing is refused: what is over a budget is kept, and taken after what is not. `urgent` reads a text."""

    limits: Limits = field(default_factory=Limits)
    urgent: Callable[[str], bool] = _calm
    monotonic: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        limits, now = self.limits, self.monotonic
        self._person = Budget(limits.person, now, limits.burst)
        self._channel = Budget(limits.channel, now)
        self._house = Budget(limits.house, now)
        self._looks = Budget(LOOKS_PER_MINUTE, now, LOOKS_AT_ONCE)

    def sort(self, incomings: Sequence[Incoming]) -> tuple[list[int], list[int]]:
        """The places of events that wait for those of others, and of those among them that must not, being urgent."""
        over = [place for place, incoming in enumerate(incomings) if self._over(incoming)]
        urgent = [place for place in over if self._is_urgent(incomings[place])]
        return over, urgent

    def _over(self, incoming: Incoming) -> bool:
        within = (
            self._person.take(_person(incoming)),
            self._channel.take(incoming.address.channel),
            self._house.take(""),
        )
        return not all(within)

    def _is_urgent(self, incoming: Incoming) -> bool:
        text = incoming.text or ""
        return bool(text) and self._looks.take(_person(incoming)) and self.urgent(text)


def _person(incoming: Incoming) -> str:
    address = incoming.address
    return "\x1f".join((address.channel, address.account, address.user))
