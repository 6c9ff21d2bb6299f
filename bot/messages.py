"""The words all rooms share: what comes in, what goes out, what a transcript holds. Imports nothing of the house."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")
_write = json.JSONEncoder(ensure_ascii=False).encode


class Speaker(StrEnum):
    """Who may speak to the citizen: the bot, the bot while a case waits, or a caseworker."""

    BOT = "bot"
    WAITING = "waiting"
    HUMAN = "human"


class Author(StrEnum):
    """Who wrote a line of the transcript."""

    CITIZEN = "citizen"
    BOT = "bot"
    STAFF = "staff"


class Notice(StrEnum):
    """Why an outgoing message may be sent although a caseworker took over."""

    NONE = ""
    SAFETY = "safety"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a citizen is reached: channel, receiving account of that channel, user id there."""

    channel: str
    account: str
    user: str


class Kind(StrEnum):
    """What happened. SAID: something written or pressed. FILE: a picture, document, video or sound. PLACE: a location.

    EDITED, UNSENT: an earlier message, named by `about`, changed or taken back. BLOCKED: nothing reaches the person any
    more. MOVED: the platform gave the chat another id.
    """

    SAID = "said"
    FILE = "file"
    PLACE = "place"
    EDITED = "edited"
    UNSENT = "unsent"
    BLOCKED = "blocked"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a person sent, still with the platform. `kind`: image, file, video or audio; `ref`: the platform's
    handle to fetch it by; `size` in bytes; what the platform does not tell is empty or 0."""

    kind: str
    ref: str
    name: str = ""
    mime: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event from a channel. `sent_ms` is the platform's time stamp in milliseconds.

    SAID: exactly one of `text` and `choice` is set. EDITED: `text` is the new version, `about` the platform's id of the
    message; `keeps_old` where staff may see both versions. UNSENT: `about`. FILE: `attachment`, and its caption as
    `text`. PLACE: `text` is the address, or else the coordinates. MOVED: `about` is the new id of the chat.

    `message_id` is the platform's id of the message itself, by which it can be edited or unsent. `welcomed` says that
    the channel shows the first notice by itself, `lang` in which language, or what the account is set to: that of the
    conversation until something else is written or chosen. `group`: said to a group that others read. `silent`: another
    program answers now, so nothing is said. `resume`: the token of a resume link.
    """

    address: Address
    event_id: str
    sent_ms: int
    text: str | None = None
    choice: str | None = None
    reply_token: str | None = None
    welcomed: bool = False
    lang: str = ""
    kind: Kind = Kind.SAID
    message_id: str = ""
    about: str = ""
    keeps_old: bool = False
    attachment: Attachment | None = None
    group: bool = False
    silent: bool = False
    resume: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: what comes back when it is pressed, and its label in the reader's language.

    `ticked`: one of several that can be chosen together, and whether it is; None for an ordinary button. `text`: what
    a check box says, where there is room for more than a button holds.
    """

    id: str
    label: str
    ticked: bool | None = None
    text: str = ""

    @property
    def marked(self) -> str:
        """The label with its mark, for channels without check boxes."""
        return self.label if self.ticked is None else f"{'☑' if self.ticked else '☐'} {self.label}"


@dataclass(frozen=True, slots=True)
class Link:
    """A link, such as the `tel:` of a hotline."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Card:
    """One entry of a list that can be opened: a title, a line of text, where it comes from, its buttons."""

    title: str
    subtitle: str = ""
    text: str = ""
    source: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """One bubble, neutral of any channel. `text`: paragraphs parted by blank lines, list lines start with a bullet."""

    text: str
    lang: str
    source: str = ""
    choices: tuple[Choice, ...] = ()
    cards: tuple[Card, ...] = ()
    links: tuple[Link, ...] = ()
    notice: Notice = Notice.NONE
    made: dict[str, Any] | None = field(default=None, init=False, compare=False, repr=False)

    def remembered(self) -> Reply:
        """The same, said to many: what is made of it from now on is kept with it."""
        object.__setattr__(self, "made", {})
        return self

    def once(self, name: str, make: Callable[[Reply], T]) -> T:
        """What `make` makes of it, kept under `name` where the reply is remembered. One of a single person never is."""
        if self.made is None:
            return make(self)
        if name not in self.made:
            self.made[name] = make(self)
        found: T = self.made[name]
        return found


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transcript. `at` is in seconds of Unix time; `status` says how its delivery stands."""

    seq: int | None
    author: Author
    reply: Reply
    at: float
    status: str = "sent"
    name: str = ""
    event_id: str = ""
    reading: Mapping[str, Any] = field(default_factory=dict)


def reply_to_json(reply: Reply) -> str:
    """The document of a reply as it is stored."""
    return reply.once("json", _to_json)


def _to_json(reply: Reply) -> str:
    return _write(reply_to_doc(reply))


def reply_to_doc(reply: Reply) -> dict[str, Any]:
    """The reply as a JSON document; empty fields are left out."""
    doc: dict[str, Any] = {"text": reply.text, "lang": reply.lang}
    if reply.source:
        doc["source"] = reply.source
    if reply.choices:
        doc["choices"] = [_choice_to_doc(choice) for choice in reply.choices]
    if reply.cards:
        doc["cards"] = [
            [card.title, card.subtitle, card.text, card.source, [[c.id, c.label] for c in card.choices]]
            for card in reply.cards
        ]
    if reply.links:
        doc["links"] = [[link.label, link.href] for link in reply.links]
    if reply.notice:
        doc["notice"] = reply.notice.value
    return doc


def _choice_to_doc(choice: Choice) -> list[Any]:
    if choice.ticked is None:
        return [choice.id, choice.label]
    return [choice.id, choice.label, choice.ticked, choice.text]


def reply_from_doc(doc: Mapping[str, Any]) -> Reply:
    """The reply of a document that `reply_to_doc` made."""
    return Reply(
        text=doc["text"],
        lang=doc["lang"],
        source=doc.get("source", ""),
        choices=tuple(Choice(*pair) for pair in doc.get("choices", ())),
        cards=tuple(
            Card(title, subtitle, text, source, tuple(Choice(*pair) for pair in choices))
            for title, subtitle, text, source, choices in doc.get("cards", ())
        ),
        links=tuple(Link(*pair) for pair in doc.get("links", ())),
        notice=Notice(doc.get("notice", "")),
    )


LEGAL_DAYS = {"see": 15, "copy": 15, "correct": 30, "stop": 30, "delete": 30}  # until a request must be answered


@dataclass(frozen=True, slots=True)
class DataRequest:
    """What a person asks about their own data. `kind`: see, copy, correct, stop, delete; `settled`: done at once, so
    that it is only recorded; any other waits for the privacy officer."""

    kind: str
    settled: bool

    @property
    def days(self) -> int:
        """Days until the answer is due, by the law."""
        return LEGAL_DAYS[self.kind]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a conversation, counted; `since` in Unix seconds. `held`: it must not be erased now."""

    messages: int = 0
    answers: int = 0
    files: int = 0
    since: float = 0.0
    held: bool = False


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept, in days: what was said after it was last used, answers of a special kind and cases
    after the case closed, what could not be delivered, hashes of events, words with a masked number after the case."""

    chat: int = 90
    special: int = 7
    case: int = 365
    undelivered: int = 30
    hashes: int = 90
    masked: int = 7
