"""Reading a conversation back: for the citizen what was delivered, for the desk everything with its state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.messages import Author, Entry, reply_from_doc
from bot.store.codec import decode
from bot.store.database import Connection, Row
from bot.store.records import Told

_SELECT = "SELECT m.*, coalesce(s.name, '') AS staff_name FROM messages m LEFT JOIN staff s ON s.id = m.staff_id"
SHOWN = ("sent", "late", "probably", "failed", "undelivered", "unsent", "edited")


def _entry(row: Row) -> Entry:
    reading = decode(row["reading"])
    return Entry(
        seq=row["seq"],
        author=Author(row["author"]),
        reply=reply_from_doc(json.loads(decode(row["body"]))),
        at=row["at"],
        status=row["status"],
        name=row["staff_name"],
        event_id=row["event_id"],
        reading=json.loads(reading) if reading else {},
    )


def entries(
    connection: Connection, conversation: int, after: int = 0, limit: int = 200, before: int | None = None
) -> list[Entry]:
    """`limit` lines in order: the newest of all, or of those before a line, or those that follow right `after` one."""
    order, until = "ASC" if after else "DESC", "" if before is None else " AND m.seq < :before"
    rows = connection.all(
        f"{_SELECT} WHERE m.conversation_id = :id AND m.seq > :after{until} ORDER BY m.seq {order} LIMIT :limit",
        {"id": conversation, "after": after, "limit": limit} | ({} if before is None else {"before": before}),
    )
    return [_entry(row) for row in (rows if after else reversed(rows))]


def entry(connection: Connection, conversation: int, seq: int) -> Entry | None:
    """The line with this number."""
    row = connection.one(f"{_SELECT} WHERE m.conversation_id = :id AND m.seq = :seq", {"id": conversation, "seq": seq})
    return None if row is None else _entry(row)


def of_events(connection: Connection, conversation: int, events: Sequence[str]) -> list[Entry]:
    """The lines that came with these events, in order."""
    if not events:
        return []
    params = {f"event_{number}": event for number, event in enumerate(events)}
    among = ", ".join(f":{name}" for name in params)
    rows = connection.all(
        f"{_SELECT} WHERE m.conversation_id = :id AND m.event_id IN ({among}) ORDER BY m.seq",
        {"id": conversation, **params},
    )
    return [_entry(row) for row in rows]


def shown(connection: Connection, conversation: int, after: int = 0, limit: int = 200) -> list[Entry]:
    """What the citizen may see after `after`: it stops before the first line that is still on its way."""
    found = []
    for entry in entries(connection, conversation, after, limit):
        if entry.status == "queued":
            break
        if entry.status in SHOWN:
            found.append(entry)
    return found


def facts(connection: Connection, conversation: int) -> list[tuple[str, str, Any]]:
    """(subject, fact, JSON value) told so far."""
    return [(each.subject, each.fact, each.value) for each in told(connection, conversation)]


def told(connection: Connection, conversation: int) -> list[Told]:
    """The facts told so far in the order of their telling, with how and when."""
    rows = connection.all("SELECT * FROM facts WHERE conversation_id = :id ORDER BY at", {"id": conversation})
    return [
        Told(row["subject"], row["fact"], json.loads(decode(row["value"])), row["at"], row["event_id"], row["how"])
        for row in rows
    ]


def state(connection: Connection, conversation: int) -> str:
    """The dialogue's state document; empty before the first turn."""
    row = connection.one("SELECT state FROM conversations WHERE id = :id", {"id": conversation})
    return "" if row is None else decode(row["state"])


def addresses(connection: Connection, conversation: int) -> list[tuple[str, str, str]]:
    """The addresses of a conversation."""
    rows = connection.all(
        "SELECT channel, account, user_id FROM addresses WHERE conversation_id = :id", {"id": conversation}
    )
    return [(row["channel"], row["account"], row["user_id"]) for row in rows]


def busy(connection: Connection, conversation: int) -> bool:
    """Is there an event not yet taken or an answer not yet delivered?"""
    row = connection.one("SELECT pending, outgoing FROM conversations WHERE id = :id", {"id": conversation})
    return row is not None and (row["pending"] > 0 or row["outgoing"] > 0)


def end(connection: Connection, conversation: int) -> None:
    """The citizen left on a device: its address leads nowhere from now on."""
    connection.execute("UPDATE conversations SET ended = 1 WHERE id = :id", {"id": conversation})
