"""What is said to us in a group of Telegram, where others talk too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.channels.text import sound

Part = dict[str, Any]
Span = tuple[int, int]


def said_to_us(message: Part, bot_id: str, username: str) -> bool:
    """Does a text mention us, answer a message of ours, or hold a command with our name?"""
    if not isinstance(message.get("text"), str):
        return False
    return _answers_us(message, bot_id) or any(
        mentions or command for _, mentions, command in _entities(message, bot_id, username)
    )


def words_for_us(message: Part, bot_id: str, username: str) -> str:
    """The text without the mentions of us, safe to keep."""
    text = message["text"]
    spans = [span for span, mentions, _ in _entities(message, bot_id, username) if mentions]
    for start, end in sorted(spans, reverse=True):
        text = _without(text, start, end)
    return sound(text)


def _answers_us(message: Part, bot_id: str) -> bool:
    """In a topic every message answers the one that opened the topic: that is no answer."""
    answered = message.get("reply_to_message")
    if not isinstance(answered, dict) or "forum_topic_created" in answered:
        return False
    author = answered.get("from")
    return isinstance(author, dict) and str(author.get("id")) == bot_id


def _entities(message: Part, bot_id: str, username: str) -> Iterator[tuple[Span, bool, bool]]:
    """Each marked part of the text: where in UTF-16 units, whether it mentions us, whether it is a command for us."""
    name = f"@{username.lower()}" if username else ""
    entities = message.get("entities")
    for entity in entities if isinstance(entities, list) else ():
        span = _span(entity) if isinstance(entity, dict) else None
        if span is None:
            continue
        words = _within(message["text"], *span).lower()
        user = entity.get("user")
        named = entity.get("type") == "text_mention" and isinstance(user, dict) and str(user.get("id")) == bot_id
        mentions = named or (entity.get("type") == "mention" and words == name != "")
        yield span, mentions, entity.get("type") == "bot_command" and bool(name) and words.endswith(name)


def _span(entity: Part) -> Span | None:
    offset, length = entity.get("offset"), entity.get("length")
    if type(offset) is not int or type(length) is not int or not 0 <= offset < 2**31 or not 0 < length < 2**31:
        return None
    return offset, offset + length


def _within(text: str, start: int, end: int) -> str:
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "replace")


def _without(text: str, start: int, end: int) -> str:
    before, after = _within(text, 0, start).rstrip(" "), _within(text, end, 2**31).lstrip(" ")
    return " ".join(part for part in (before, after) if part)
