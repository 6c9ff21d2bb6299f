"""Links that carry a conversation to another channel: random, short-lived, good once."""

from __future__ import annotations

import hashlib

from bot.store import erasing
from bot.store.database import NOW, Connection

MINUTES = 10
OPENED, SAME, EXPIRED, BUSY = "opened", "same", "expired", "busy"


def issue(connection: Connection, conversation: int, token: str) -> None:
    """Remember the hash of a token; an earlier link of the conversation is good no more."""
    connection.execute("DELETE FROM resume_links WHERE conversation_id = :id", {"id": conversation})
    connection.execute(
        f"INSERT INTO resume_links VALUES (:token, :id, {NOW} + :seconds)",
        {"token": _hash(token), "id": conversation, "seconds": MINUTES * 60.0},
    )


def purge(connection: Connection) -> None:
    """Links past their time go."""
    connection.execute(f"DELETE FROM resume_links WHERE until <= {NOW}")


def arrive(connection: Connection, token: str, address_id: int, conversation: int) -> tuple[int, str, int]:
    """Somebody came with a token from an address: (conversation from now on, how it went, the address left behind).

    The address moves into the older conversation only when its own one is empty. An unused token stays good.
    """
    row = connection.one(
        f"SELECT conversation_id FROM resume_links WHERE token = :token AND until > {NOW}", {"token": _hash(token)}
    )
    if row is None:
        return conversation, EXPIRED, 0
    target = row["conversation_id"]
    if target != conversation and not _empty(connection, conversation):
        return conversation, BUSY, 0
    connection.execute("DELETE FROM resume_links WHERE token = :token", {"token": _hash(token)})
    if target == conversation:
        return conversation, SAME, 0
    before = connection.one("SELECT address_id FROM conversations WHERE id = :id", {"id": target})
    _merge(connection, conversation, target)
    return target, OPENED, before["address_id"] if before is not None and before["address_id"] != address_id else 0


def _empty(connection: Connection, conversation: int) -> bool:
    """Nothing was said or told there, and nobody else is in it."""
    return (
        connection.one(
            "SELECT 1 FROM conversations v WHERE v.id = :id AND ("
            " EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = v.id AND m.author = 'citizen')"
            " OR EXISTS (SELECT 1 FROM cases c WHERE c.conversation_id = v.id)"
            " OR EXISTS (SELECT 1 FROM facts f WHERE f.conversation_id = v.id)"
            " OR (SELECT count(*) FROM addresses a WHERE a.conversation_id = v.id) > 1 OR v.pending > 0)",
            {"id": conversation},
        )
        is None
    )


def _merge(connection: Connection, empty: int, target: int) -> None:
    key = {"empty": empty, "target": target}
    for table in (*erasing.BY_CONVERSATION, "inbox", "legal_holds"):
        connection.execute(f"DELETE FROM {table} WHERE conversation_id = :empty", key)
    connection.execute("UPDATE privacy_requests SET conversation_id = :target WHERE conversation_id = :empty", key)
    connection.execute("UPDATE addresses SET conversation_id = :target WHERE conversation_id = :empty", key)
    connection.execute("DELETE FROM conversations WHERE id = :empty", key)
    connection.execute("UPDATE conversations SET ended = 0 WHERE id = :target", key)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
