"""What the stand-in knows: the bot, people, chats with their messages, files, tapped buttons, faults."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .telegram_keyboard import Rows, buttons
from .telegram_limits import Breach, Refusal, breach

Json = dict[str, Any]


@dataclass(frozen=True)
class Received:
    """Something a chat saw happen. `kind`: message, edit, buttons, delete, action, answer, topic."""

    kind: str
    chat: int
    message: int = 0
    text: str = ""
    rows: Rows = ()
    entities: tuple[Json, ...] = ()
    thread: int = 0
    at: float = 0.0

    @property
    def labels(self) -> list[str]:
        """The labels of its buttons."""
        return [button.label for row in self.rows for button in row]


@dataclass(frozen=True)
class Fault:
    """A breach of the platform's rules. `refused`: Telegram answers it with an error."""

    method: str
    description: str
    refused: bool = True


@dataclass(frozen=True)
class Call:
    """A call as it came and how it was answered; status 0 when the line was cut."""

    method: str
    values: Json
    status: int
    description: str
    at: float


def words(message: Json) -> str:
    """The text of a message or under its file."""
    return str(message.get("text", message.get("caption", "")))


@dataclass
class Chat:
    """A private chat or a group: what it is, what stands in it, what it received."""

    about: Json
    messages: dict[int, Json] = field(default_factory=dict)
    markups: dict[int, Json] = field(default_factory=dict)
    topics: dict[int, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    keyboard: Rows = ()
    closed: str = ""
    successor: int = 0

    @property
    def id(self) -> int:
        """Negative for groups."""
        return int(self.about["id"])

    @property
    def private(self) -> bool:
        """Whether one person alone sits here."""
        return bool(self.about["type"] == "private")

    @property
    def texts(self) -> list[str]:
        """Every message that came, as it was first seen."""
        return [item.text for item in self.received if item.kind == "message"]

    @property
    def screen(self) -> list[str]:
        """The bot's messages as they stand now, without the deleted ones."""
        bots = [message for message in self.messages.values() if message.get("from", {}).get("is_bot")]
        return [words(message) for message in bots]

    @property
    def last(self) -> Received:
        """The message that came last."""
        return [item for item in self.received if item.kind == "message"][-1]

    @property
    def rows(self) -> Rows:
        """The buttons under the bot's newest message that has some."""
        return next((buttons(markup) for markup in reversed(self.markups.values()) if buttons(markup)), ())

    def open(self) -> None:
        """Raises a Refusal when nothing can be sent here."""
        if self.successor:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, words, {"migrate_to_chat_id": self.successor})
        if self.closed:
            raise Refusal(403, f"Forbidden: {self.closed}")


@dataclass
class File:
    """A file on the platform. `size` may be more than the content has."""

    id: str
    path: str
    content: bytes
    size: int
    linked: float = -1.0

    @property
    def about(self) -> Json:
        """The names every kind of file has."""
        return {"file_id": self.id, "file_unique_id": f"u{self.id}", "file_size": self.size}


@dataclass
class Query:
    """A tapped button that waits for its answer."""

    id: str
    chat: int
    at: float
    answers: list[Json] = field(default_factory=list)


@dataclass
class World:
    """Everything behind one bot. Guarded by `lock`, since tests and the server's thread both use it."""

    bot: Json
    clock: Callable[[], float]
    users: dict[int, Json] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    listeners: list[Callable[[Received], None]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1001))
    updates: itertools.count[int] = field(default_factory=lambda: itertools.count(700_000_001))
    lock: threading.RLock = field(default_factory=threading.RLock)

    def user(self, user: int, name: str = "", lang: str = "") -> Json:
        """A person, made known together with the private chat when new."""
        about = self.users.setdefault(user, {"id": user, "is_bot": False, "first_name": name or f"Citizen {user}"})
        about |= {"language_code": lang} if lang else {}
        if user not in self.chats:
            self.chats[user] = Chat({"id": user, "type": "private", "first_name": about["first_name"]})
        return about

    def group(self, chat: int, title: str = "Group", *, forum: bool = False, plain: bool = False) -> Chat:
        """A supergroup (`plain`: an ordinary group), made known when new."""
        kind = "group" if plain else "supergroup"
        extra = {"is_forum": True} if forum else {}
        return self.chats.setdefault(chat, Chat({"id": chat, "type": kind, "title": title, **extra}))

    def chat(self, chat: int) -> Chat:
        """A chat that the bot may write to. Raises a Refusal for any other."""
        found = self.chats.get(chat)
        if found is None:
            raise Refusal(400, "Bad Request: chat not found")
        found.open()
        return found

    def topic(self, chat: Chat, name: str) -> int:
        """A new topic of a forum; its thread id."""
        if not chat.about.get("is_forum"):
            raise Refusal(400, "Bad Request: the chat is not a forum")
        thread = next(self.numbers)
        chat.topics[thread] = name
        return thread

    def thread(self, chat: Chat, thread: int) -> Json:
        """The fields of a message in a topic. Raises a Refusal for a topic that is not there."""
        if not thread:
            return {}
        if thread not in chat.topics:
            raise Refusal(400, "Bad Request: message thread not found")
        return {"message_thread_id": thread, "is_topic_message": True}

    def message(self, chat: Chat, sender: Json | None, content: Json) -> Json:
        """A new message in a chat, from the bot or from a person."""
        number = next(self.numbers)
        head: Json = {"message_id": number, "date": int(self.clock()), "chat": chat.about}
        message = {**head, **({"from": sender} if sender else {}), **content}
        chat.messages[number] = message
        return message

    def file(self, path: str, content: bytes, size: int | None = None) -> File:
        """A new file on the platform."""
        number = len(self.files)
        file = File(f"file{number:04d}", path.format(number), content, len(content) if size is None else size)
        self.files[file.id] = file
        return file

    def note(self, received: Received) -> None:
        """Something a chat saw."""
        self.chats[received.chat].received.append(received)
        for listener in self.listeners:
            listener(received)

    def quiet(self, method: str, description: str) -> None:
        """A fault that Telegram answers with no error."""
        self.faults.append(Fault(method, description, refused=False))

    def answered(self, query: str, answer: Json, patience: float) -> None:
        """The answer to a tapped button: once, in time."""
        found = self.queries.get(query)
        words = "query is too old and response timeout expired or query ID is invalid"
        if found is None or found.answers:
            raise breach(words)
        if self.clock() - found.at > patience:
            raise Refusal(400, f"Bad Request: {words}")
        found.answers.append(answer)

    def refused(self, method: str, refusal: Refusal) -> None:
        """Records a breach; other refusals are no fault of the caller."""
        if isinstance(refusal, Breach):
            self.faults.append(Fault(method, refusal.description))
