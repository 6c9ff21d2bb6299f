"""What a channel needs of the house, and what the house needs of a channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.messages import Address, Entry, Incoming, Reply, Speaker


class Sent(StrEnum):
    """How a send ended. RETRY: not delivered, try again. DEAD: it can never be delivered."""

    SENT = "sent"
    PROBABLY = "probably"
    RETRY = "retry"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one send. `delay`: seconds the platform asks to wait. `outage`: the channel as a whole fails."""

    result: Sent
    error: str = ""
    delay: float = 0.0
    outage: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery for a channel to send. `reply_token` is empty once it is not fresh any more."""

    address: Address
    replies: tuple[Reply, ...]
    in_reply_to: str
    retry_key: str
    reply_token: str = ""


class Channel(Protocol):
    """The sending side of a channel."""

    async def send(self, parcel: Parcel) -> Receipt:
        """Deliver one parcel."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How a conversation stands: who speaks, its language, whether hotlines were shown lately, whether it was ended."""

    speaker: Speaker
    lang: str
    urgent: bool
    ended: bool = False


class Door(Protocol):
    """The house as a channel sees it. Writing methods raise OSError when nothing can be kept now."""

    async def accept(self, incomings: Sequence[Incoming]) -> list[bool]:
        """Keep events durably; for each, whether it was new."""
        ...

    def conversation(self, address: Address) -> int | None:
        """The conversation of an address."""
        ...

    def shown(self, conversation: int, after: int = 0) -> list[Entry]:
        """The lines a citizen may see after a sequence number."""
        ...

    def pending(self, conversation: int) -> list[Entry]:
        """What the citizen wrote that no turn has taken yet."""
        ...

    def standing(self, conversation: int) -> Standing:
        """Who speaks now, in which language."""
        ...

    def watch(self, conversation: int) -> AsyncIterator[None]:
        """Wakes whenever the conversation may have changed, and now and then anyway."""
        ...

    async def settled(self, conversation: int, seconds: float) -> bool:
        """Wait until every event is taken and answered, at most so long; True when it is."""
        ...

    async def end(self, conversation: int) -> None:
        """The citizen left on this device for good."""
        ...
