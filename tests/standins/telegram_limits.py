"""Telegram's limits as a table of our own, each with its unit, and the errors that answer a breach."""

from __future__ import annotations

import re
from collections.abc import Sized
from dataclasses import dataclass, field
from typing import Any

from .units import utf8, utf16


@dataclass
class Refusal(Exception):
    """An answer other than success. `parameters` as in Telegram's error body."""

    code: int
    description: str
    parameters: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code} {self.description}"


class Breach(Refusal):
    """A refusal that the caller could have avoided: it is also recorded as a fault."""


def breach(description: str) -> Breach:
    """The 400 for a request that breaks a rule."""
    return Breach(400, f"Bad Request: {description}")


@dataclass(frozen=True)
class Limit:
    """A row: what is counted, from where to where, Telegram's words for too little and too much."""

    unit: str
    low: int
    high: int
    short: str
    long: str
    remark: str


LIMITS: dict[str, Limit] = {
    "text": Limit("utf16", 1, 4096, "message text is empty", "message is too long", "after entity parsing, trimmed"),
    "caption": Limit("utf16", 0, 1024, "", "message caption is too long", "after entity parsing"),
    "entities": Limit("items", 0, 100, "", "", "the rest is dropped without a word: a fault without an error"),
    "callback_data": Limit("bytes", 1, 64, "BUTTON_DATA_INVALID", "BUTTON_DATA_INVALID", "UTF-8; 21 Han characters"),
    "label": Limit("utf16", 1, 4096, "inline keyboard button text is empty", "REPLY_MARKUP_INVALID", "wording ours"),
    "row": Limit("items", 0, 8, "", "REPLY_MARKUP_TOO_LONG", "inline buttons side by side"),
    "inline_keyboard": Limit("items", 0, 100, "", "REPLY_MARKUP_TOO_LONG", "inline buttons in all"),
    "keyboard_row": Limit("items", 0, 12, "", "REPLY_MARKUP_TOO_LONG", "reply keyboard; seen, not documented"),
    "keyboard": Limit("items", 0, 300, "", "REPLY_MARKUP_TOO_LONG", "reply keyboard; seen, not documented"),
    "input_field_placeholder": Limit("utf16", 1, 64, "placeholder is empty", "placeholder is too long", "wording ours"),
    "callback_answer": Limit("utf16", 0, 200, "", "MESSAGE_TOO_LONG", "the notice over the chat"),
    "commands": Limit("items", 0, 100, "", "BOT_COMMANDS_TOO_MUCH", "per scope and language; wording ours"),
    "command": Limit("utf16", 1, 32, "BOT_COMMAND_INVALID", "BOT_COMMAND_INVALID", "a-z, 0-9, _"),
    "command_description": Limit(
        "utf16", 1, 256, "BOT_COMMAND_DESCRIPTION_INVALID", "BOT_COMMAND_DESCRIPTION_INVALID", "one line in the menu"
    ),
    "description": Limit("utf16", 0, 512, "", "bot description is too long", "per language; wording ours"),
    "short_description": Limit("utf16", 0, 120, "", "bot short description is too long", "per language; wording ours"),
    "name": Limit("utf16", 0, 64, "", "bot name is too long", "per language; wording ours"),
    "secret_token": Limit("utf16", 1, 256, "secret token is empty", "secret token is too long", "A-Z, a-z, 0-9, _, -"),
    "max_connections": Limit("value", 1, 100, "max_connections is too small", "max_connections is too big", "of 40"),
    "limit": Limit("value", 1, 100, "limit is too small", "limit is too big", "Telegram itself only clips it"),
    "topic_name": Limit("utf16", 1, 128, "TOPIC_TITLE_EMPTY", "TOPIC_TITLE_TOO_LONG", "a forum's topic"),
    "start_payload": Limit("utf16", 0, 64, "", "START_PARAM_TOO_LONG", "A-Z, a-z, 0-9, _, -; checked where we make it"),
    "photo": Limit("value", 1, 10_000_000, "file must be non-empty", "file is too big", "bytes of an upload"),
    "document": Limit("value", 1, 50_000_000, "file must be non-empty", "file is too big", "bytes of an upload"),
    "download": Limit("value", 0, 20_000_000, "", "file is too big", "bytes of a file that getFile gives"),
}

QUERY_SECONDS = 15.0  # how long a tapped button waits for its answer: seen, not documented
LINK_SECONDS = 3600.0  # how long a download link holds at least
DELETE_SECONDS = 48 * 3600.0  # older messages cannot be deleted
ACTIONS = {
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"),
    *("choose_sticker", "find_location", "record_video_note", "upload_video_note"),
}
SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}
UPDATE_KINDS = {
    *("message", "edited_message", "channel_post", "edited_channel_post", "guest_message", "managed_bot"),
    *("business_connection", "business_message", "edited_business_message", "deleted_business_messages"),
    *("message_reaction", "message_reaction_count", "inline_query", "chosen_inline_result", "callback_query"),
    *("shipping_query", "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer"),
    *("my_chat_member", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost"),
}
UNASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})  # come only when asked for
PORTS = (80, 88, 443, 8443)
TOKEN = re.compile(r"[A-Za-z0-9_-]*")
COMMAND = re.compile(r"[a-z0-9_]+")
LANGUAGE = re.compile(r"[a-z]{2}")
SCHEMES = ("http", "https", "tg", "ton", "tonsite")


def measure(value: Any, unit: str) -> int:
    """The size of a value in a unit of the table."""
    if unit == "utf16":
        return utf16(value)
    if unit == "bytes":
        return utf8(value)
    if unit == "items":
        assert isinstance(value, Sized)
        return len(value)
    return int(value)


def hold(name: str, value: Any) -> None:
    """Raises a Breach in Telegram's words unless the value is inside the row `name`."""
    limit = LIMITS[name]
    size = measure(value, limit.unit)
    if size < limit.low:
        raise breach(limit.short)
    if size > limit.high:
        raise breach(limit.long)


def check_language(code: str) -> None:
    """Two letters, or empty for everybody else."""
    if code and not LANGUAGE.fullmatch(code):
        raise breach("LANG_CODE_INVALID")


def check_secret(secret: str) -> None:
    """The secret that every webhook request will carry."""
    hold("secret_token", secret)
    if not TOKEN.fullmatch(secret):
        raise breach("secret token contains unallowed characters")


def check_command(command: dict[str, Any]) -> None:
    """One row of a menu of commands."""
    name = str(command.get("command", "")).removeprefix("/")
    hold("command", name)
    if not COMMAND.fullmatch(name):
        raise breach("BOT_COMMAND_INVALID")
    hold("command_description", str(command.get("description", "")))


def check_scope(scope: dict[str, Any]) -> None:
    """For whom commands are shown."""
    needed = SCOPES.get(str(scope.get("type", "")))
    if needed is None:
        raise breach("can't parse BotCommandScope: unsupported type specified")
    for key in needed:
        if key not in scope:
            raise breach(f"can't parse BotCommandScope: {key} is empty")
