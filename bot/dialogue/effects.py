"""What a turn wants to happen: said in ids and figures, never in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.messages import DataRequest, Kept, Notice, Retention
from knowledge.rules import Result


@dataclass(frozen=True, slots=True)
class Option:
    """A button: its id and the catalog key of its label. `names` fill placeholders with other texts, by key; `ticked`:
    one of several to choose together, and whether it is, with the key of its long `text`."""

    id: str
    key: str
    names: tuple[tuple[str, str], ...] = ()
    ticked: bool | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """One text of the catalog. `topic` names the topic whose name the text may quote as {topic}; `links` are
    (catalog key of the label, address). `at`: a moment in Taipei's time that the text quotes as {day} and {time}."""

    key: str
    options: tuple[Option, ...] = ()
    topic: str = ""
    params: tuple[tuple[str, str], ...] = ()
    notice: Notice = Notice.NONE
    links: tuple[tuple[str, str], ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first notice: what this is, what it is not, what is kept, how to reach a person; six languages."""


@dataclass(frozen=True, slots=True)
class ShowTopic:
    """A topic, whole (`aspect` empty or overview) or one aspect of it."""

    topic: str
    aspect: str = ""


@dataclass(frozen=True, slots=True)
class ShowCards:
    """Topics as cards under a heading. `names` fill the heading's placeholders with other texts, by key."""

    key: str
    topics: tuple[str, ...]
    names: tuple[tuple[str, str], ...] = ()
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A question of an interview about `subject`. `left` is the greatest number of questions still to come.

    `count`: the number of rules looked at when the question belongs to the screening, else 0.
    """

    rule: str
    topic: str
    fact: str
    subject: str
    first: bool = False
    helping: bool = False
    narrower: bool = False
    left: int = 0
    can_go_back: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True)
class AskSituations:
    """The list of situations to tick. `count` is the number of rules the screening looks at."""

    subject: str
    facts: tuple[str, ...]
    ticked: tuple[str, ...]
    count: int
    first: bool = False
    helping: bool = False


@dataclass(frozen=True, slots=True)
class Ticked:
    """What was ticked in the list of situations, shown so that a misreading can be corrected."""

    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefilled:
    """Answers told in earlier messages, taken over into a check, each with a way to change it."""

    answers: tuple[tuple[str, object], ...]
    on: date


@dataclass(frozen=True, slots=True)
class Readback:
    """How an answer was read, shown so that a misreading can be corrected."""

    fact: str
    value: object
    subject: str
    on: date


@dataclass(frozen=True, slots=True)
class ShowSummary:
    """The answers of an interview, each with a way to change it; `situations`: the list of them can be changed too."""

    subject: str
    answers: tuple[tuple[str, object], ...]
    on: date
    situations: bool = False


@dataclass(frozen=True)
class ShowVerdict:
    """The result of a check by the plan's rules on a day."""

    rule: str
    topic: str
    subject: str
    result: Result
    window: str
    on: date


@dataclass(frozen=True)
class ShowGroups:
    """The result of the screening: every rule it looked at with its window. `early`: questions were left."""

    subject: str
    results: tuple[tuple[Result, str], ...]
    early: bool


@dataclass(frozen=True, slots=True)
class Hotlines:
    """Hotlines for classes of urgency, before anything else. `automatic`: a person holds the conversation."""

    classes: tuple[str, ...]
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Hand over to a person."""

    reason: str
    topic: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Forget:
    """Erase what this conversation said and told."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The answer to "did this help?"."""

    helped: bool


@dataclass(frozen=True, slots=True)
class RateWords:
    """A few words about the rating."""

    words: str


@dataclass(frozen=True, slots=True)
class OfferMove:
    """Links that carry the conversation to another channel. Their secret is made where the turn is taken."""


@dataclass(frozen=True, slots=True)
class ShowKept:
    """What is kept of the person. `answers` and what was read in `passing`: (subject, fact, JSON value); `case`: the
    open case's number; `changes`: each answer has a way to change it."""

    kept: Kept
    answers: tuple[tuple[str, str, object], ...]
    passing: tuple[tuple[str, str, object], ...]
    case: str
    restricted: bool
    retention: Retention
    on: date
    changes: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class AskOfData:
    """A request about one's own data is recorded."""

    request: DataRequest


@dataclass(frozen=True, slots=True)
class KeepApart:
    """The data is kept apart from now on, or no longer."""

    on: bool


@dataclass(frozen=True, slots=True)
class OfferCopy:
    """A link to a copy of one's own data. Its secret is made where the turn is taken."""


Effect = (
    Say
    | Welcome
    | ShowTopic
    | ShowCards
    | Ask
    | AskSituations
    | Ticked
    | Prefilled
    | Readback
    | ShowSummary
    | ShowVerdict
    | ShowGroups
    | Hotlines
    | OpenCase
    | Forget
    | OfferMove
    | Rate
    | RateWords
    | ShowKept
    | AskOfData
    | KeepApart
    | OfferCopy
)
