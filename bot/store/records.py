"""What the store hands out and takes in: leases, turns, deliveries, cases, staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.messages import Address, Notice, Reply, Speaker
from bot.store.unanswered import Unanswered


class StaleFence(Exception):
    """Somebody else took the conversation over after this work began; nothing of it was kept."""


class NotHolder(Exception):
    """This caseworker does not hold the conversation (any more)."""


class CaseTaken(Exception):
    """The case is not waiting: a colleague has it or it is closed."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """How one incoming event fared: new or a repetition, and whose conversation it is."""

    conversation: int
    new: bool


@dataclass(frozen=True, slots=True)
class Event:
    """An accepted event that waits for its turn. `accepted_at` is in seconds by the database's clock."""

    id: int
    event_id: str
    address_id: int
    address: Address
    sent_ms: int
    accepted_at: float
    attempts: int
    text: str | None = None
    choice: str | None = None
    reply_token: str = ""
    welcomed: bool = False
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A conversation held for a while by one worker, with the events to take, oldest first."""

    conversation: int
    fence: int
    lang: str
    state: str
    speaker: Speaker
    taken_ms: int
    facts: Mapping[str, Mapping[str, Any]]
    case: CaseRow | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Replies that leave in one delivery."""

    replies: tuple[Reply, ...]
    notice: Notice = Notice.NONE


@dataclass(frozen=True, slots=True)
class CaseOpening:
    """A wish to hand over to a person; `number` is the case's number if it opens now."""

    number: str
    reason: str
    topic: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What one event leads to. `facts` maps (subject, fact) to a JSON value, or to None to drop it.

    `unanswered`: what the bot could not answer; `picked`: the label tapped after that.
    """

    event: Event
    heard: Reply
    late: bool = False
    reading: Mapping[str, Any] = field(default_factory=dict)
    bundles: tuple[Bundle, ...] = ()
    facts: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    case: CaseOpening | None = None
    alarm: bool = False
    forget: bool = False
    unanswered: Unanswered | None = None
    picked: str = ""


Thought = tuple[Lease, Sequence[Turn], str, str]
"""A lease, the turns of its events, the language and the new state document: what a commit takes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One outbox row on its way. `reply_token` is empty once it is no longer fresh."""

    id: int
    conversation: int
    address: Address
    in_reply_to: str
    retry_key: str
    attempts: int
    created_at: float
    age: float
    replies: tuple[Reply, ...]
    author: str
    reply_token: str = ""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit of turns did: whether events are left, whether deliveries wait, the case that was opened.

    `handed` is a delivery that the sender named in the commit now holds.
    """

    conversation: int
    more: bool
    outgoing: bool
    case: str = ""
    handed: Delivery | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery ended: sent, probably, dead, or retry after `delay` seconds."""

    delivery: Delivery
    result: str
    delay: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case with its people resolved. Times in Unix seconds."""

    id: int
    number: str
    conversation: int
    state: str
    reason: str
    topic: str
    lang: str
    channel: str
    urgent: bool
    holder: int | None
    holder_name: str
    opened_at: float
    answered_at: float | None
    closed_at: float | None
    closed_seq: int | None


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A caseworker's account."""

    id: int
    name: str
    role: str
    password_hash: str
    must_change: bool
    disabled: bool
