"""From one update of Telegram to what it means here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot.channels.fields import NAME_LIMIT, coordinates, maybe_name, name_of, object_of, one_line
from bot.channels.telegram_group import said_to_us, words_for_us
from bot.channels.text import sound
from bot.channels.tongues import of_tag
from bot.messages import Address, Attachment, Incoming, Kind

CHANNEL = "telegram"
CHOICE_BYTES = 64
DOWNLOAD_BYTES = 20_000_000
COMMANDS = {
    "start": "start",
    "menu": "menu",
    "check": "checks",
    "person": "handoff",
    "language": "language",
    "privacy": "privacy",
    "forget": "forget",
    "withdraw": "withdraw",
    "stations": "stations",
}
Part = dict[str, Any]
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w{1,64})?(?:\s+(.*))?", re.DOTALL)
_RESUME = re.compile(r"[A-Za-z0-9_-]{22}")
_OUT = ("left", "kicked")


@dataclass(frozen=True, slots=True)
class Self:
    """Our own account: its id, and its name without the @, empty while that is not known."""

    id: str
    username: str = ""


def read(update: object, me: Self, now_ms: Callable[[], int]) -> Incoming | None:
    """What an update means; None when it is nothing for us. `now_ms` stands in where an update has no time.

    Raises ValueError when it is malformed.
    """
    if not isinstance(update, dict):
        raise ValueError("an update must be an object")
    number = _whole(update, "update_id")
    for kind, reader in _KINDS.items():
        if kind in update:
            return reader(object_of(update, kind), _Frame(number, me, now_ms))
    return None


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is known beside the content of an update."""

    number: int
    me: Self
    now_ms: Callable[[], int]

    def incoming(self, chat: int, seconds: int | None, sender: Part | None) -> Incoming:
        """The event without its content. Within a second the updates keep their order."""
        return Incoming(
            Address(CHANNEL, self.me.id, str(chat)),
            str(self.number),
            self.now_ms() if seconds is None else seconds * 1000 + self.number % 1000,
            lang=of_tag(maybe_name(sender or {}, "language_code")),
        )


# -- kinds of updates


def _message(message: Part, frame: _Frame) -> Incoming | None:
    chat = object_of(message, "chat")
    if "migrate_to_chat_id" in message:
        found = frame.incoming(_whole(chat, "id"), _whole(message, "date"), None)
        return replace(found, kind=Kind.MOVED, about=str(_whole(message, "migrate_to_chat_id")), group=True)
    sender = _person(message)
    if sender is None:
        return None
    plain = frame.incoming(_whole(chat, "id"), _whole(message, "date"), sender)
    found = replace(plain, message_id=str(_whole(message, "message_id")))
    if chat.get("type") == "private":
        return _content(message, found)
    if not _is_group(chat) or not said_to_us(message, frame.me.id, frame.me.username):
        return None
    return _said(words_for_us(message, frame.me.id, frame.me.username), replace(found, group=True))


def _edited(message: Part, frame: _Frame) -> Incoming | None:
    chat, sender = object_of(message, "chat"), _person(message)
    text = message.get("text", message.get("caption"))
    if sender is None or text is None:  # no words: a live location that moved
        return None
    private = chat.get("type") == "private"
    if not private and not (_is_group(chat) and said_to_us(message, frame.me.id, frame.me.username)):
        return None
    about = str(_whole(message, "message_id"))
    seconds = _whole(message, "edit_date" if "edit_date" in message else "date")
    found = frame.incoming(_whole(chat, "id"), seconds, sender)
    words = sound(_text(text)) if private else words_for_us(message, frame.me.id, frame.me.username)
    return replace(
        found, kind=Kind.EDITED, text=words, about=about, message_id=about, keeps_old=True, group=not private
    )


def _tapped(query: Part, frame: _Frame) -> Incoming | None:
    """A button of a group is none of ours; the message may be too old to be shown, or not be there at all."""
    sender = _person(query)
    if sender is None or "data" not in query:
        return None
    message = query.get("message")
    chat = object_of(message, "chat") if isinstance(message, dict) else {"id": sender.get("id"), "type": "private"}
    if chat.get("type") != "private":
        return None
    data = _text(query["data"])
    known = 0 < len(data.encode("utf-8", "replace")) <= CHOICE_BYTES and sound(data) == data
    return replace(frame.incoming(_whole(chat, "id"), None, sender), choice=data if known else "unknown")


def _member(change: Part, frame: _Frame) -> Incoming | None:
    """What became of ourselves: blocked or let in again by a person, removed from or added to a group."""
    chat = object_of(change, "chat")
    before, after = (object_of(change, f"{age}_chat_member").get("status") for age in ("old", "new"))
    sender = change.get("from")
    found = frame.incoming(_whole(chat, "id"), _whole(change, "date"), sender if isinstance(sender, dict) else None)
    if chat.get("type") == "private":
        if after == "kicked":
            return replace(found, kind=Kind.BLOCKED)
        return replace(found, choice="start") if after == "member" and before == "kicked" else None
    if not _is_group(chat):
        return None
    found = replace(found, group=True)
    if after in _OUT:
        return replace(found, kind=Kind.BLOCKED)
    return replace(found, choice="joined") if before in _OUT else None


_KINDS: dict[str, Callable[[Part, _Frame], Incoming | None]] = {
    "message": _message,
    "edited_message": _edited,
    "callback_query": _tapped,
    "my_chat_member": _member,
}
ALLOWED = tuple(_KINDS)


# -- what a message holds


def _content(message: Part, found: Incoming) -> Incoming | None:
    reader = next((reader for kind, reader in _CONTENTS.items() if kind in message), None)
    return reader(message, found) if reader else None


def _words(message: Part, found: Incoming) -> Incoming:
    return _said(sound(_text(message["text"])), found)


def _said(text: str, found: Incoming) -> Incoming:
    command = _COMMAND.fullmatch(text.strip())
    if command:
        return _commanded(command[1].lower(), command[2] or "", text, found)
    return replace(found, text=text) if text.strip() else replace(found, choice="unreadable")


def _commanded(command: str, rest: str, text: str, found: Incoming) -> Incoming:
    """A command is a button by another name: no message to be edited or taken back."""
    tapped = replace(found, message_id="")
    if command == "start" and _RESUME.fullmatch(rest.strip()) and not found.group:
        return replace(tapped, choice="resume", resume=rest.strip())
    if command in COMMANDS:
        return replace(tapped, choice=COMMANDS[command])
    name = re.match(r"\s*/(\w+)", text)
    assert name, "the pattern of a command found one"
    return replace(found, text=f"{name[1]} {rest}".strip())


def _photo(message: Part, found: Incoming) -> Incoming:
    sizes = message["photo"]
    if not isinstance(sizes, list) or not sizes or not all(isinstance(size, dict) for size in sizes):
        raise ValueError("a photo must have sizes")
    fitting = [size for size in sizes if _size(size) <= DOWNLOAD_BYTES] or sizes[:1]
    best = max(fitting, key=lambda size: _size(size, "width") * _size(size, "height"))
    return _file(message, found, Attachment("image", name_of(best, "file_id"), mime="image/jpeg", size=_size(best)))


def _document(message: Part, found: Incoming) -> Incoming:
    document = object_of(message, "document")
    kind = "image" if maybe_name(document, "mime_type").startswith("image/") else "file"
    return _file(message, found, _attachment(kind, document))


def _video(message: Part, found: Incoming) -> Incoming:
    kind = next(kind for kind in ("video", "video_note", "animation") if kind in message)
    return _file(message, found, _attachment("video", object_of(message, kind)))


def _attachment(kind: str, about: Part) -> Attachment:
    name = one_line(about.get("file_name"))[:NAME_LIMIT]
    return Attachment(kind, name_of(about, "file_id"), name, maybe_name(about, "mime_type"), _size(about))


def _file(message: Part, found: Incoming, attachment: Attachment) -> Incoming:
    caption = message.get("caption")
    text = sound(_text(caption)) if caption is not None else ""
    return replace(found, kind=Kind.FILE, attachment=attachment, text=text if text.strip() else None)


def _place(message: Part, found: Incoming) -> Incoming:
    venue = message.get("venue")
    named = [one_line(venue.get(field)) for field in ("address", "title")] if isinstance(venue, dict) else []
    words = ", ".join(part for part in named if part)
    return replace(found, kind=Kind.PLACE, text=words or coordinates(object_of(message, "location")))


def _as(choice: str) -> Callable[[Part, Incoming], Incoming]:
    return lambda message, found: replace(found, choice=choice)


_CONTENTS: dict[str, Callable[[Part, Incoming], Incoming]] = {
    "text": _words,
    "photo": _photo,
    "animation": _video,  # comes with a document that says the same
    "document": _document,
    "video": _video,
    "video_note": _video,
    "voice": _as("voice"),
    "audio": _as("voice"),
    "sticker": _as("sticker"),
    "venue": _place,
    "location": _place,
    **{
        kind: _as("unreadable")
        for kind in ("contact", "poll", "dice", "game", "story", "checklist", "paid_media", "rich_message")
    },
}


# -- fields


def _person(part: Part) -> Part | None:
    """Who did it; None where nobody is named, or another bot."""
    sender = part.get("from")
    if sender is None:
        return None
    if not isinstance(sender, dict):
        raise ValueError("a sender must be an object")
    return None if sender.get("is_bot") is True else sender


def _is_group(chat: Part) -> bool:
    return chat.get("type") in ("group", "supergroup")


def _whole(part: Part, field: str) -> int:
    value = part.get(field)
    if type(value) is not int or not -(2**53) < value < 2**53:
        raise ValueError(f"{field} must be a whole number")
    if value < 0 and field in ("date", "edit_date", "update_id", "message_id"):
        raise ValueError(f"{field} must not be negative")
    return value


def _size(part: Part, field: str = "file_size") -> int:
    value = part.get(field)
    return value if type(value) is int and 0 <= value < 2**53 else 0


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("words must be a text")
    return value
