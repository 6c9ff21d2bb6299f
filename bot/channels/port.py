"""What a channel needs of the house, and what the house needs of a channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from bot.messages import Address, Attachment, Entry, Incoming, Reply, Speaker


class Sent(StrEnum):
    """How a send ended. RETRY: not delivered, try again. DEAD: it can never be delivered.

    PROBABLY: the outcome is unknown and a repetition could double it. WAITING: it can go only with the person's next
    message (no quota, blocked, or a fresh reply token is wanted).
    """

    SENT = "sent"
    PROBABLY = "probably"
    RETRY = "retry"
    DEAD = "dead"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one send. `delay`: seconds the platform asks to wait. `outage`: the channel as a whole fails.

    Where not everything went: `done` replies of the parcel are delivered whole, and of the next one `parts` messages.
    `unsure`: the outcome of the last try is unknown. `blocked`: the person cannot be reached. `moved`: the chat's new
    id.
    """

    result: Sent
    error: str = ""
    delay: float = 0.0
    outage: bool = False
    done: int = 0
    parts: int = 0
    unsure: bool = False
    blocked: bool = False
    moved: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery for a channel to send. `reply_token` is empty once it is not fresh any more.

    Of the first reply `skip` messages are delivered already. `unsure`: an earlier try had an unknown outcome.
    """

    address: Address
    replies: tuple[Reply, ...]
    in_reply_to: str
    retry_key: str
    reply_token: str = ""
    skip: int = 0
    unsure: bool = False


class Channel(Protocol):
    """The sending side of a channel."""

    async def send(self, parcel: Parcel) -> Receipt:
        """Deliver one parcel."""
        ...


class FetchFailed(Exception):
    """A file could not be fetched. `final`: it never will be (gone, or larger than allowed)."""

    def __init__(self, reason: str, final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many messages that nobody waits for may be sent this month, and how many were; `limit` None: any number."""

    limit: int | None
    used: int

    @property
    def left(self) -> int | None:
        """How many are left; None: any number."""
        return None if self.limit is None else max(0, self.limit - self.used)


class Messenger(Channel, Protocol):
    """A channel of a messaging platform: beside sending it can look things up there. None of it is ever needed."""

    bundles: bool
    """Should everything that waits for one person go in one send?"""

    async def open(self) -> None:
        """Connect, inside the running event loop."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...

    async def language(self, address: Address) -> str:
        """The language the person's account is set to, as one of ours; empty when unknown. At most a second."""
        ...

    async def working(self, address: Address) -> None:
        """Show the person that an answer is being made."""
        ...

    async def link_menu(self, address: Address, lang: str) -> bool:
        """Give the person the menu of a language; False: try again later."""
        ...

    async def menus(self) -> str:
        """Which menus there are, as a text that changes with them; empty: none, or not known now."""
        ...

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """The content of a file, at most `limit` bytes.

        Raises FetchFailed.
        """
        ...

    def allowance(self) -> Allowance | None:
        """The month's quota as last read; None where there is none."""
        ...

    def resume_url(self, token: str) -> str:
        """A link that opens a chat here and carries a resume token; empty when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One told answer: whom it is about, the fact, its JSON value; the same in the reader's words."""

    subject: str
    fact: str
    value: Any
    label: str
    shown: str


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case of the person: its number, when it was opened and closed, in Unix seconds."""

    number: str
    opened_at: float
    closed_at: float | None


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that the person sent: what kind, its name, its size in bytes, whether it is kept."""

    kind: str
    name: str
    size: int
    kept: bool


@dataclass(frozen=True, slots=True)
class KeptRating:
    """How the person rated: when (Unix seconds), whether it had helped, the words added."""

    at: float
    helped: bool
    words: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Everything kept of one person: the language it is worded in, since when (Unix seconds), what was said and told.

    `state` is the dialogue's own document (JSON); of the entries `reading` says how the assistant understood them.
    `handed_on`: when (Unix seconds) and what caseworkers gave to the authors of the assistant as misread.
    """

    lang: str
    since: float
    channels: tuple[str, ...]
    entries: tuple[Entry, ...]
    answers: tuple[KeptAnswer, ...]
    cases: tuple[KeptCase, ...]
    files: tuple[KeptFile, ...]
    restricted: bool
    state: str
    ratings: tuple[KeptRating, ...] = ()
    handed_on: tuple[tuple[float, str], ...] = ()


class Copies(Protocol):
    """Who hands out copies of what is kept."""

    async def spend(self, token: str) -> Copy | None:
        """The copy that a link leads to, once; None for a token that is spent, late or not ours.

        Raises OSError when the store cannot be written.
        """
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
