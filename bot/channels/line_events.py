"""From one event of LINE's webhook to what it means here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from bot.channels.fields import NAME_LIMIT, coordinates, maybe_name, name_of, object_of, one_line
from bot.channels.text import sound
from bot.messages import Address, Attachment, Incoming, Kind

CHANNEL = "line"
CHOICE_LIMIT = 100
Event = dict[str, Any]
_RESUME = re.compile(r"resume ([A-Za-z0-9_-]{22})", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class Passed(StrEnum):
    """Why an event that can be read is not taken; GROUP needs no counting."""

    KIND = "line.skipped"
    NO_USER = "line.no_user"
    GROUP = ""


def read(event: Any, account: str) -> Incoming | Passed:
    """What an event means; `account` is the receiving account.

    Raises ValueError when it is malformed.
    """
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ValueError("an event must be an object with a type")
    reader = _KINDS.get(event["type"])
    if reader is None:
        return Passed.KIND
    incoming = _bare(event, account)
    return incoming if isinstance(incoming, Passed) else reader(event, incoming)


def _bare(event: Event, account: str) -> Incoming | Passed:
    """What every event tells: from which chat, when, and how to reply."""
    source = object_of(event, "source")
    field = {"user": "userId", "group": "groupId", "room": "roomId"}.get(str(source.get("type")))
    if field is None:
        raise ValueError("a source must be a user, a group or a room")
    if source.get(field) is None and field == "userId":
        return Passed.NO_USER
    sent_ms = event.get("timestamp")
    if type(sent_ms) is not int or not 0 <= sent_ms < 2**53:
        raise ValueError("timestamp must be whole milliseconds")
    silent = event.get("mode") == "standby"
    return Incoming(
        Address(CHANNEL, account, name_of(source, field)),
        _event_id(event),
        sent_ms,
        reply_token=None if silent else maybe_name(event, "replyToken") or None,
        silent=silent,
        group=field != "userId",
    )


def _event_id(event: Event) -> str:
    """LINE's own id, the same at each delivery; without one a hash of what does not change."""
    given = maybe_name(event, "webhookEventId")
    if given:
        return given
    lasting = {key: value for key, value in event.items() if key != "deliveryContext"}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()


# -- kinds of events


def _message(event: Event, incoming: Incoming) -> Incoming | Passed:
    message = object_of(event, "message")
    kind = message.get("type")
    if incoming.group and not (kind == "text" and _spans(message)):
        return Passed.GROUP
    reader = _MESSAGES.get(kind) if isinstance(kind, str) else None
    if reader is None:
        return Passed.KIND
    return reader(message, replace(incoming, message_id=maybe_name(message, "id")))


def _postback(event: Event, incoming: Incoming) -> Incoming | Passed:
    if incoming.group:
        return Passed.GROUP
    postback = object_of(event, "postback")
    data = postback.get("data")
    if not isinstance(data, str):
        raise ValueError("the data of a postback must be a text")
    params = postback.get("params")
    date = params.get("date") if isinstance(params, dict) else None
    return replace(incoming, choice=_choice(data, date))


def _choice(data: str, date: Any) -> str:
    """What a button means; anything that none of ours says is unknown."""
    said = sound(data)
    if date is not None and not (isinstance(date, str) and _DATE.fullmatch(date)):
        return "unknown"
    known = 0 < len(said) <= CHOICE_LIMIT and said == data
    return (f"{said}:{date}" if date else said) if known else "unknown"


def _unsend(event: Event, incoming: Incoming) -> Incoming:
    return replace(incoming, kind=Kind.UNSENT, about=name_of(object_of(event, "unsend"), "messageId"))


def _edited(event: Event, incoming: Incoming) -> Incoming:
    """In a group an edit may speak to nobody of us any more: only the old version goes."""
    message = object_of(event, "message")
    about = name_of(message, "id")
    if incoming.group:
        return replace(incoming, kind=Kind.UNSENT, about=about)
    text = _text_of(message)
    return replace(incoming, kind=Kind.EDITED, text=text, about=about, message_id=about)


def _follow(event: Event, incoming: Incoming) -> Incoming | Passed:
    return Passed.KIND if incoming.group else replace(incoming, choice="start")


def _join(event: Event, incoming: Incoming) -> Incoming | Passed:
    return replace(incoming, choice="joined") if incoming.group else Passed.KIND


def _gone(event: Event, incoming: Incoming) -> Incoming:
    return replace(incoming, kind=Kind.BLOCKED, reply_token=None)


# -- kinds of messages


def _text(message: Event, incoming: Incoming) -> Incoming:
    text = _text_of(message)
    resume = None if incoming.group else _RESUME.fullmatch(text.strip())
    if resume:
        return replace(incoming, choice="resume", resume=resume[1])
    return replace(incoming, text=text) if text.strip() else replace(incoming, choice="unreadable")


def _file(message: Event, incoming: Incoming) -> Incoming:
    size = message.get("fileSize")
    attachment = Attachment(
        kind=message["type"],
        ref=name_of(message, "id"),
        name=one_line(message.get("fileName"))[:NAME_LIMIT],
        size=size if type(size) is int and 0 <= size < 2**53 else 0,
    )
    return replace(incoming, kind=Kind.FILE, attachment=attachment)


def _place(message: Event, incoming: Incoming) -> Incoming:
    words = one_line(message.get("address")) or one_line(message.get("title"))
    return replace(incoming, kind=Kind.PLACE, text=words or coordinates(message))


def _voice(message: Event, incoming: Incoming) -> Incoming:
    return replace(incoming, choice="voice")


def _sticker(message: Event, incoming: Incoming) -> Incoming:
    return replace(incoming, choice="sticker")


_KINDS: dict[str, Callable[[Event, Incoming], Incoming | Passed]] = {
    "message": _message,
    "messageEdited": _edited,
    "postback": _postback,
    "follow": _follow,
    "unfollow": _gone,
    "unsend": _unsend,
    "join": _join,
    "leave": _gone,
}
_MESSAGES: dict[str, Callable[[Event, Incoming], Incoming]] = {
    "text": _text,
    "image": _file,
    "video": _file,
    "file": _file,
    "audio": _voice,
    "sticker": _sticker,
    "location": _place,
}


# -- fields


def _text_of(message: Event) -> str:
    """The words of a message without the mention of us, safe to keep."""
    text = message.get("text")
    if not isinstance(text, str):
        raise ValueError("a message must have a text")
    spans = _spans(message)
    for start, end in sorted(spans, reverse=True):
        text = _without(text, start, end)
    return sound(text.strip() if spans else text)


def _spans(message: Event) -> list[tuple[int, int]]:
    """Where the text mentions us: (start, end) in UTF-16 units."""
    mention = message.get("mention")
    mentionees = mention.get("mentionees") if isinstance(mention, dict) else None
    found = []
    for each in mentionees if isinstance(mentionees, list) else ():
        if isinstance(each, dict) and each.get("isSelf") is True:
            start, length = _units(each, "index"), _units(each, "length")
            found.append((start, start + length) if min(start, length) >= 0 else (0, 0))
    return found


def _units(mentionee: Event, field: str) -> int:
    value = mentionee.get(field)
    return value if isinstance(value, int) and value < 2**31 else -1


def _without(text: str, start: int, end: int) -> str:
    units = text.encode("utf-16-le", "surrogatepass")
    before, after = (part.decode("utf-16-le", "surrogatepass") for part in (units[: 2 * start], units[2 * end :]))
    return " ".join(part for part in (before.rstrip(" "), after.lstrip(" ")) if part)
