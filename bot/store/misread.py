"""Messages that caseworkers say the bot misread: masked rows for the authors of utterances."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.authors import FATE, IN_LANGUAGE, NOT_APART, SETTLER, WANTED, Fate, Sought, fate
from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection


@dataclass(frozen=True, slots=True)
class Misread:
    """A message as the caseworker hands it on: masked text, language, the labels it was read as, the one meant.

    `meant` is empty where none of the labels was.
    """

    text: str
    lang: str
    understood: tuple[str, ...]
    meant: str


@dataclass(frozen=True, slots=True)
class MisreadRow:
    """A row of the list. `at` in Unix seconds; `who` sent it."""

    id: int
    at: float
    who: str
    misread: Misread
    fate: Fate


def add(connection: Connection, staff: int, conversation: int, event_id: str, found: Misread) -> None:
    """One row a message: who sends it again changes the row, and it is new again."""
    connection.execute(
        "INSERT INTO misread (conversation_id, event_id, at, staff_id, lang, text, understood, meant)"
        f" VALUES (:conversation, :event, {NOW}, :staff, :lang, :text, :understood, :meant)"
        " ON CONFLICT (conversation_id, event_id) DO UPDATE SET at = excluded.at, staff_id = excluded.staff_id,"
        " text = excluded.text, meant = excluded.meant, state = 'new', settled_at = NULL, settled_by = NULL",
        {
            "conversation": conversation,
            "event": event_id,
            "staff": staff,
            "lang": found.lang,
            "text": encode(found.text),
            "understood": " ".join(found.understood),
            "meant": found.meant,
        },
    )


def rows(connection: Connection, sought: Sought) -> list[MisreadRow]:
    """Rows newest first."""
    found = connection.all(
        f"SELECT x.id, x.at, x.lang, x.text, x.understood, x.meant, s.name AS who, {FATE} FROM misread x"
        f" JOIN staff s ON s.id = x.staff_id {SETTLER} WHERE {WANTED} AND {IN_LANGUAGE} AND {NOT_APART}"
        " ORDER BY x.id DESC LIMIT :limit",
        sought.params,
    )
    return [
        MisreadRow(
            row["id"],
            row["at"],
            row["who"],
            Misread(decode(row["text"]), row["lang"], tuple(row["understood"].split()), row["meant"]),
            fate(row),
        )
        for row in found
    ]


def of_conversation(connection: Connection, conversation: int) -> dict[str, tuple[float, str]]:
    """What was handed on of a conversation: when (Unix seconds) and what, by event."""
    found = connection.all(
        "SELECT event_id, at, text FROM misread WHERE conversation_id = :id ORDER BY id", {"id": conversation}
    )
    return {row["event_id"]: (row["at"], decode(row["text"])) for row in found}
