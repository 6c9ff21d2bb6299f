"""What the store hands out and takes in: leases, turns, deliveries, cases, staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.messages import Address, Attachment, DataRequest, Kept, Kind, Notice, Reply, Speaker
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
    """An accepted event that waits for its turn; its first fields as in Incoming.

    `accepted_at` is in seconds by the database's clock. `gone`: it was taken back before its turn. `again`: facts that
    the edited message had told; `reworded`: it had held the words of a rating. `withdrew`: a message was taken back for
    it. `resumed`: how a resume link went, `left`: the address that the conversation was at before. `retried`: when
    it was moved aside before (Unix seconds), so that its line is in the transcript; 0 for never.
    """

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
    kind: Kind = Kind.SAID
    message_id: str = ""
    attachment: Attachment | None = None
    group: bool = False
    silent: bool = False
    gone: bool = False
    again: tuple[str, ...] = ()
    reworded: bool = False
    withdrew: bool = False
    resumed: str = ""
    left: int = 0
    retried: float = 0.0


@dataclass(frozen=True, slots=True)
class Lease:
    """A conversation held for a while by one worker, with the events to take, oldest first.

    `waits`: answers are there that could not be delivered until the person writes again. `restricted`: the person's
    data is kept apart. `kept`: what is kept, counted, where an event asks for it.
    """

    conversation: int
    fence: int
    lang: str
    state: str
    speaker: Speaker
    taken_ms: int
    facts: Mapping[str, Mapping[str, Any]]
    case: CaseRow | None
    events: tuple[Event, ...]
    waits: bool = False
    barred: bool = False
    restricted: bool = False
    kept: Kept | None = None


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
class Original:
    """Words as they were typed before numbers in them were masked, and the kinds of those numbers."""

    text: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one event leads to. `facts` maps (subject, fact) to a JSON value, or to None to drop it.

    `heard`: the citizen's line in the transcript, None for none. `unanswered`: what the bot could not answer;
    `picked`: the label tapped after that. `file`: to be fetched for the open case. `resume`: the token of a link that
    was offered. `farewell`: what the address `event.left` is told. `menu`: the person's menu changes its language.
    `helped`: the answer to "did this help?"; `words`: a few words about it. `requests`: what the person asked about
    their data; `restrict`: keep it apart from now on, or no longer; `copy`: the token of a link to a copy of it.
    `how` the facts were told (see Told); `passing`: those of them that were mentioned before and are taken over now.
    `original`: the words of a line in which something is masked.
    `aside`: the event could not be worked on and is kept aside.
    """

    event: Event
    heard: Reply | None
    late: bool = False
    reading: Mapping[str, Any] = field(default_factory=dict)
    bundles: tuple[Bundle, ...] = ()
    facts: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    case: CaseOpening | None = None
    alarm: bool = False
    forget: bool = False
    unanswered: Unanswered | None = None
    picked: str = ""
    file: Attachment | None = None
    resume: str = ""
    farewell: Reply | None = None
    menu: bool = False
    helped: bool | None = None
    words: str = ""
    requests: tuple[DataRequest, ...] = ()
    restrict: bool | None = None
    copy: str = ""
    how: str = ""
    passing: frozenset[tuple[str, str]] = frozenset()
    original: Original | None = None
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A fact as it is kept. `value` is JSON, `at` in seconds by the database's clock, `event_id` what told it.

    `how`: choice, list, text, passing (mentioned before and taken over), desk (corrected there); empty: not recorded.
    """

    subject: str
    fact: str
    value: Any
    at: float
    event_id: str = ""
    how: str = ""


Thought = tuple[Lease, Sequence[Turn], str, str]
"""A lease, the turns of its events, the language and the new state document: what a commit takes."""


@dataclass(frozen=True, slots=True)
class Line:
    """An open line of a transcript on its way: of which outbox row, its number, what it says."""

    row: int
    seq: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is on its way to one address: one outbox row, or several together.

    `reply_token` is empty once it is no longer fresh. `skip`: messages of the first line that arrived before.
    `unsure`: an earlier try had an unknown outcome. `attempts` and `age` (seconds) are those of the first row.
    """

    rows: tuple[int, ...]
    conversation: int
    address: Address
    in_reply_to: str
    retry_key: str
    attempts: int
    created_at: float
    age: float
    lines: tuple[Line, ...]
    author: str
    reply_token: str = ""
    skip: int = 0
    unsure: bool = False

    @property
    def replies(self) -> tuple[Reply, ...]:
        """What the lines say."""
        return tuple(line.reply for line in self.lines)


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
    """How a delivery ended: sent, probably, dead, waiting (for the person's next message), or retry after `delay` s.

    Where not everything went: `done` lines arrived, and `parts` messages of the next. `blocked`: the address cannot be
    reached. `moved`: its new id. `held`: it was not tried at all, because its channel is down.
    """

    delivery: Delivery
    result: str
    delay: float = 0.0
    error: str = ""
    done: int = 0
    parts: int = 0
    unsure: bool = False
    blocked: bool = False
    moved: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case with its people resolved. Times in Unix seconds. `blocked`: the citizen cannot be reached.

    `barred`: they may not ask for a person. `restricted`: their data is kept apart, so that nobody may open it.
    `for_*`: whom it was transferred to, or is meant for by its language. `aim`: how near a waiting case is to whoever
    asked for the list, 0 nearest.
    """

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
    blocked: bool = False
    barred: bool = False
    for_staff: int | None = None
    for_lang: str = ""
    for_topic: str = ""
    parked_until: float | None = None
    outcome: str = ""
    first_answer_at: float | None = None
    restricted: bool = False
    aim: int = 1


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A caseworker's account. `second`: a code is asked at the log-in; `languages`: the codes they answer in; `late`:
    the one-time password was not used in its time."""

    id: int
    name: str
    role: str
    password_hash: str
    must_change: bool
    disabled: bool
    second: bool = False
    languages: tuple[str, ...] = ()
    late: bool = False
