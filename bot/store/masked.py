"""Messages as they were typed before a number in them was masked: kept apart, and shown to the holder of a case."""

from __future__ import annotations

from bot.store import audit
from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Database
from bot.store.records import NotHolder, Original

WITHOUT_CASE_SECONDS = 86400.0  # who typed a number may ask for a person afterwards


def add(connection: Connection, conversation: int, event_id: str, seq: int, original: Original) -> None:
    """Keep the words of a line."""
    connection.execute(
        "INSERT INTO masked (conversation_id, event_id, seq, kind, at, body)"
        f" VALUES (:conversation, :event, :seq, :kind, {NOW}, :body) ON CONFLICT DO NOTHING",
        {
            "conversation": conversation,
            "event": event_id,
            "seq": seq,
            "kind": " ".join(original.kinds),
            "body": encode(original.text),
        },
    )


def drop(connection: Connection, conversation: int, event_id: str) -> None:
    """The message was taken back or changed."""
    connection.execute(
        "DELETE FROM masked WHERE conversation_id = :id AND event_id = :event", {"id": conversation, "event": event_id}
    )


def show(connection: Connection, case_id: int, staff_id: int, seq: int) -> str:
    """The words of a line, written down in the audit trail; empty where none are kept.

    Raises NotHolder unless this caseworker holds the case now.
    """
    held = connection.one(
        "SELECT c.conversation_id FROM cases c JOIN conversations v ON v.id = c.conversation_id"
        " WHERE c.id = :case AND c.state = 'human' AND c.holder = :staff AND v.restricted = 0",
        {"case": case_id, "staff": staff_id},
    )
    if held is None:
        raise NotHolder(case_id)
    row = connection.one(
        "SELECT body FROM masked WHERE conversation_id = :id AND seq = :seq",
        {"id": held["conversation_id"], "seq": seq},
    )
    if row is None:
        return ""
    audit.append(connection, staff_id, "case.unmask", f"case/{case_id}")
    return decode(row["body"])


class Masked:
    """The originals of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lines(self, conversation: int) -> frozenset[int]:
        """The numbers of the lines whose words are kept."""
        rows = self._database.read.all("SELECT seq FROM masked WHERE conversation_id = :id", {"id": conversation})
        return frozenset(row["seq"] for row in rows)

    async def show(self, case_id: int, staff_id: int, seq: int) -> str:
        """The words of a line (see show); raises StoreUnavailable when it could not be written down."""
        return await self._database.write(lambda c: show(c, case_id, staff_id, seq))
