"""The lines of a transcript and the deliveries that point at them, whoever speaks."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from bot.messages import Notice, Reply, reply_to_json
from bot.store.codec import encode
from bot.store.database import NOW, Connection, Row

RETRY_NAMESPACE = uuid.UUID("6f1a1f0e-3c35-5b0e-9a55-0c3f5b8f7a11").bytes
ADD_MESSAGE = (
    "INSERT INTO messages (conversation_id, seq, author, staff_id, address_id, event_id, at, body, reading, status,"
    f" message_id) VALUES (:conversation, :seq, :author, :staff, :address, :event, coalesce(:at, {NOW}), :body,"
    " :reading, :status, :message)"
)


def line(
    conversation: int,
    seq: int,
    author: str,
    address_id: int,
    reply: Reply,
    status: str,
    *,
    event_id: str = "",
    reading: str = "",
    staff_id: int | None = None,
    at: float | None = None,
    message_id: str = "",
) -> dict[str, Any]:
    """One line of the transcript as ADD_MESSAGE takes it. `at` None means now; `message_id` is the platform's."""
    return {
        "conversation": conversation,
        "seq": seq,
        "author": author,
        "staff": staff_id,
        "address": address_id,
        "event": event_id,
        "at": at,
        "body": encode(reply_to_json(reply)),
        "reading": encode(reading) if reading else "",
        "status": status,
        "message": message_id,
    }


def add_message(
    connection: Connection,
    conversation: int,
    seq: int,
    author: str,
    address_id: int,
    reply: Reply,
    status: str,
    staff_id: int | None = None,
    reading: str = "",
) -> None:
    """One line of the transcript, written now."""
    connection.execute(
        ADD_MESSAGE, line(conversation, seq, author, address_id, reply, status, staff_id=staff_id, reading=reading)
    )


def retry_key(conversation: int, event_id: str, ordinal: int) -> str:
    """The same key for the same answer, however often it is computed."""
    name = f"{conversation}/{event_id}/{ordinal}".encode()
    digest = hashlib.sha1(RETRY_NAMESPACE + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"  # as uuid5 has it


def add_outgoing(
    connection: Connection,
    conversation: int,
    address_id: int,
    seqs: tuple[int, int],
    author: str,
    notice: Notice,
    fence: int,
    key: str,
    *,
    in_reply_to: str = "",
    reply_token: str = "",
    token_until: float = 0.0,
    on_wire: bool = False,
) -> Row:
    """One delivery for the sender, or already with it; the caller counts it in conversations.outgoing."""
    row: Row = connection.execute(
        "INSERT INTO outbox (conversation_id, address_id, in_reply_to, first_seq, last_seq, author, notice, fence,"
        " retry_key, reply_token, token_until, state, attempts, created_at)"
        " VALUES (:conversation, :address, :event, :first, :last, :author, :notice, :fence, :key, :token, :until,"
        f" :state, :attempts, {NOW}) RETURNING id, retry_key, token_until, created_at",
        {
            "conversation": conversation,
            "address": address_id,
            "event": in_reply_to,
            "first": seqs[0],
            "last": seqs[1],
            "author": author,
            "notice": notice.value,
            "fence": fence,
            "key": key,
            "token": reply_token,
            "until": token_until,
            "state": "sending" if on_wire else "queued",
            "attempts": int(on_wire),
        },
    ).fetchone()
    return row


def tell(
    connection: Connection,
    conversation: int,
    reply: Reply,
    key: str,
    address_id: int = 0,
    notice: Notice = Notice.CASE,
    reply_token: str = "",
    token_until: float = 0.0,
) -> None:
    """A notice of the bot outside of any turn, which goes out whoever speaks; to the address last written from, or
    another one of the conversation. `key` names it: the same key makes the same retry key."""
    row = connection.execute(
        f"UPDATE conversations SET next_seq = next_seq + 1, updated_at = {NOW},"
        f" outgoing_after = CASE WHEN outgoing = 0 THEN {NOW} ELSE outgoing_after END, outgoing = outgoing + 1"
        " WHERE id = :id RETURNING next_seq - 1 AS seq, address_id, fence",
        {"id": conversation},
    ).fetchone()
    address, seq = address_id or row["address_id"], row["seq"]
    add_message(connection, conversation, seq, "bot", address, reply, "queued")
    add_outgoing(
        connection,
        conversation,
        address,
        (seq, seq),
        "bot",
        notice,
        row["fence"],
        retry_key(conversation, key, 0),
        reply_token=reply_token,
        token_until=token_until,
    )
