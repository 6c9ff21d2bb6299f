"""What LINE knows of one official account: people, groups, tokens, quota, menus, and what everybody received."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .line_limits import (
    RATE_OF_THE_OTHERS,
    RATES,
    RETRY_KEY_SECONDS,
    TOKEN_EVENT_SECONDS,
    TOKEN_SECONDS,
    Finding,
    Json,
)
from .serving import Clock

OAUTH_SECONDS = 900


@dataclass
class Person:
    """A user. Without `friend` or `consents` the profile is not shown."""

    id: str
    name: str
    language: str | None = "zh-TW"
    friend: bool = True
    consents: bool = True
    blocked: bool = False


@dataclass
class Chat:
    """A group or room and who is in it."""

    id: str
    name: str
    members: list[str]
    left: bool = False


@dataclass
class ReplyToken:
    """Good once, until `fresh_until`."""

    chat: str
    event_at: float
    fresh_until: float
    used: bool = False


@dataclass
class Content:
    """What somebody sent: bytes, their type, and whether they are ready (processing, succeeded, failed)."""

    body: bytes
    media_type: str
    state: str = "succeeded"


@dataclass(frozen=True)
class Received:
    """One message that somebody received; `how` is reply or push."""

    to: str
    message: Json
    how: str
    request_id: str
    at: float

    @property
    def text(self) -> str:
        """The words a person reads first."""
        return str(self.message.get("text") or self.message.get("altText") or "")


@dataclass(frozen=True)
class Accepted:
    """A push that was accepted under a retry key."""

    request_id: str
    sent: tuple[Json, ...]
    digest: str
    at: float


@dataclass(frozen=True)
class Fault:
    """What the bot did wrong. `refused` says whether it got an error for it."""

    operation: str
    path: str
    message: str
    refused: bool
    source: str


@dataclass
class RichMenu:
    """A menu and its picture."""

    id: str
    document: Json
    image: bytes = b""
    media_type: str = ""


@dataclass
class Menus:
    """The rich menus of the account."""

    known: dict[str, RichMenu] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    of_users: dict[str, str] = field(default_factory=dict)
    default: str | None = None

    def shown(self, user: str) -> str | None:
        """The menu that a person sees: their own before the default."""
        return self.of_users.get(user) or self.default

    def remove(self, menu: str) -> None:
        """Delete it with everything that points to it, but for aliases."""
        del self.known[menu]
        self.of_users = {user: each for user, each in self.of_users.items() if each != menu}
        if self.default == menu:
            self.default = None


def line_id(letter: str, name: str) -> str:
    """An id of the form LINE gives (U, C or R and 32 hex digits), the same for the same name."""
    return letter + hashlib.sha256(f"{letter}{name}".encode()).hexdigest()[:32]


class Account:
    """The state behind the endpoints. All times are seconds of `clock`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.bot_id = line_id("U", "the bot itself")
        self.tokens: dict[str, float | None] = {}
        self.people: dict[str, Person] = {}
        self.chats: dict[str, Chat] = {}
        self.reply_tokens: dict[str, ReplyToken] = {}
        self.contents: dict[str, Content] = {}
        self.menus = Menus()
        self.quota: int | None = None
        self.used = 0
        self.accepted: dict[str, Accepted] = {}
        self.log: list[Received] = []
        self.loadings: list[tuple[str, int]] = []
        self.faults: list[Fault] = []
        self.webhook = ""
        self.webhook_active = True
        self.changed = threading.Condition()
        self.on_message: Callable[[Received], None] | None = None
        self._numbers = itertools.count(1)
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def number(self) -> int:
        """A number not used before."""
        return next(self._numbers)

    def message_id(self) -> str:
        """The id of a new message: digits."""
        return str(500_000_000_000_000_000 + self.number())

    def person(self, user: str) -> Person:
        """A person by id, met here for the first time if need be."""
        return self.people.setdefault(user, Person(user, f"user {user[1:7]}"))

    def issue_access_token(self, seconds: float | None) -> str:
        """A channel access token; None never ends."""
        token = secrets.token_urlsafe(24)
        self.tokens[token] = None if seconds is None else self.clock() + seconds
        return token

    def token_seconds(self, token: str) -> float | None:
        """How long a channel access token is good; 0 when it is not."""
        if token not in self.tokens:
            return 0.0
        until = self.tokens[token]
        return None if until is None else max(0.0, until - self.clock())

    def issue_reply_token(self, chat: str, event_at: float) -> str:
        """A reply token for an event that leaves now."""
        token = secrets.token_hex(16)
        self.reply_tokens[token] = ReplyToken(chat, event_at, self.clock() + TOKEN_SECONDS)
        return token

    def refresh_reply_token(self, token: str) -> None:
        """The event is delivered now: a minute from here, unless it was used or the event is too old."""
        known = self.reply_tokens.get(token)
        if known and not known.used and self.clock() - known.event_at <= TOKEN_EVENT_SECONDS:
            known.fresh_until = self.clock() + TOKEN_SECONDS

    def spend_reply_token(self, token: Any) -> str | None:
        """The chat of a token that is still good, which is then used; None for any other."""
        known = self.reply_tokens.get(token) if isinstance(token, str) else None
        if known is None or known.used or self.clock() >= known.fresh_until:
            return None
        known.used = True
        return known.chat

    def recipients(self, to: str) -> list[str] | None:
        """Who gets a push to a user, group or room; None when LINE does not know it."""
        if to in self.people:
            return [] if self.people[to].blocked or not self.people[to].friend else [to]
        if to in self.chats and not self.chats[to].left:
            return self.chats[to].members
        return None

    def retried(self, key: str) -> Accepted | None:
        """The push that was accepted under this key within a day."""
        known = self.accepted.get(key.lower())
        return known if known and self.clock() - known.at < RETRY_KEY_SECONDS else None

    def deliver(self, to: str, messages: list[Json], how: str, request_id: str) -> list[Json]:
        """Hand messages to a chat; the `sentMessages` of the answer."""
        sent: list[Json] = []
        reached = self.recipients(to) or []
        with self.changed:
            for message in messages:
                quotable = message.get("type") in ("text", "textV2", "sticker", "image", "video", "template", "flex")
                sent.append(
                    {"id": self.message_id(), **({"quoteToken": secrets.token_urlsafe(16)} if quotable else {})}
                )
                if reached:
                    self._note(Received(to, message, how, request_id, self.clock()))
            self.changed.notify_all()
        return sent

    def _note(self, received: Received) -> None:
        self.log.append(received)
        if self.on_message:
            self.on_message(received)

    def blame(self, operation: str, findings: list[Finding]) -> None:
        """Keep what the bot did wrong."""
        with self.changed:
            self.faults += [Fault(operation, each.path, each.message, each.refused, each.source) for each in findings]
            self.changed.notify_all()

    def too_many(self, operation: str) -> bool:
        """Count a request; whether the documented rate is exceeded."""
        most, seconds = RATES.get(operation, RATE_OF_THE_OTHERS)
        calls = self._calls[operation]
        now = self.clock()
        while calls and now - calls[0] >= seconds:
            calls.popleft()
        if len(calls) >= most:
            return True
        calls.append(now)
        return False

    def profile(self, user: str) -> Mapping[str, Any] | None:
        """The profile that the API shows; None where LINE answers 404."""
        person = self.people.get(user)
        if person is None or person.blocked or not person.friend or not person.consents:
            return None
        shown: dict[str, Any] = {"userId": person.id, "displayName": person.name}
        if person.language:
            shown["language"] = person.language
        return shown
