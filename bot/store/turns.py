"""Writing what turns led to: refused as a whole when the fence has moved on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from bot.messages import Notice, Reply, reply_to_doc
from bot.store import cases
from bot.store.codec import encode
from bot.store.database import NOW, Connection
from bot.store.records import Bundle, Committed, Event, Lease, StaleFence, Turn

RETRY_NAMESPACE = uuid.UUID("6f1a1f0e-3c35-5b0e-9a55-0c3f5b8f7a11")
TOKEN_SECONDS = 50.0


def commit(connection: Connection, lease: Lease, turns: Sequence[Turn], lang: str, state: str) -> Committed:
    """One conversation's turns: transcript, state, facts, outbox, case, inbox done.

    Raises StaleFence when the conversation was leased or taken over since.
    """
    seq = _take_fence(connection, lease, turns, lang, state)
    opened = ""
    outgoing = 0
    for turn in turns:
        if turn.forget:
            outgoing = 0
            forget(connection, lease.conversation)
        else:
            seq = _hear(connection, lease.conversation, turn, seq)
        for ordinal, bundle in enumerate(turn.bundles):
            seq = say(connection, lease.conversation, turn.event, bundle, seq, lease.fence, ordinal)
            outgoing += 1
        _keep_facts(connection, lease.conversation, turn)
        if turn.case is not None:
            opened = cases.open_new(connection, lease.conversation, turn.case, lang, turn.event.address.channel)
        elif turn.alarm:
            cases.alarm(connection, lease.conversation)
        connection.execute("DELETE FROM inbox WHERE id = :id", {"id": turn.event.id})
    more = _finish(connection, lease.conversation, seq, outgoing)
    return Committed(lease.conversation, more=more, outgoing=outgoing > 0, case=opened)


def _take_fence(connection: Connection, lease: Lease, turns: Sequence[Turn], lang: str, state: str) -> int:
    taken = max([lease.taken_ms, *(turn.event.sent_ms for turn in turns)])
    row = connection.execute(
        f"UPDATE conversations SET state = :state, lang = :lang, taken_ms = :taken, updated_at = {NOW},"
        " pending = pending - :done, leased_until = 0, leased_by = ''"
        " WHERE id = :id AND fence = :fence RETURNING next_seq",
        {
            "state": encode(state),
            "lang": lang,
            "taken": taken,
            "done": len(turns),
            "id": lease.conversation,
            "fence": lease.fence,
        },
    ).fetchone()
    if row is None:
        raise StaleFence(lease.conversation)
    seq: int = row["next_seq"]
    return seq


def _finish(connection: Connection, conversation: int, seq: int, outgoing: int) -> bool:
    row = connection.execute(
        f"UPDATE conversations SET next_seq = :seq, outgoing_after = CASE WHEN outgoing = 0 THEN {NOW} ELSE outgoing_after END,"
        f" outgoing = outgoing + :outgoing, pending_since = {NOW} WHERE id = :id RETURNING pending",
        {"seq": seq, "outgoing": outgoing, "id": conversation},
    ).fetchone()
    return bool(row["pending"] > 0)


def _hear(connection: Connection, conversation: int, turn: Turn, seq: int) -> int:
    add_message(
        connection,
        conversation,
        seq,
        "citizen",
        turn.event.address_id,
        turn.heard,
        "late" if turn.late else "sent",
        event_id=turn.event.event_id,
        reading=json.dumps(dict(turn.reading), ensure_ascii=False) if turn.reading else "",
        at=turn.event.accepted_at,
    )
    return seq + 1


def add_message(
    connection: Connection,
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
) -> None:
    """One line of the transcript. `at` None means now."""
    connection.execute(
        "INSERT INTO messages (conversation_id, seq, author, staff_id, address_id, event_id, at, body, reading, status)"
        f" VALUES (:conversation, :seq, :author, :staff, :address, :event, coalesce(:at, {NOW}), :body, :reading, :status)",
        {
            "conversation": conversation,
            "seq": seq,
            "author": author,
            "staff": staff_id,
            "address": address_id,
            "event": event_id,
            "at": at,
            "body": encode(json.dumps(reply_to_doc(reply), ensure_ascii=False)),
            "reading": encode(reading) if reading else "",
            "status": status,
        },
    )


def say(
    connection: Connection,
    conversation: int,
    event: Event,
    bundle: Bundle,
    seq: int,
    fence: int,
    ordinal: int,
) -> int:
    """Put one bundle of the bot into transcript and outbox; returns the next free sequence number."""
    first = seq
    for reply in bundle.replies:
        add_message(connection, conversation, seq, "bot", event.address_id, reply, "queued")
        seq += 1
    add_outgoing(
        connection,
        conversation,
        event.address_id,
        (first, seq - 1),
        "bot",
        bundle.notice,
        fence,
        retry_key(conversation, event.event_id, ordinal),
        in_reply_to=event.event_id,
        reply_token=event.reply_token,
        token_until=event.accepted_at + TOKEN_SECONDS if event.reply_token else 0.0,
    )
    return seq


def retry_key(conversation: int, event_id: str, ordinal: int) -> str:
    """The same key for the same answer, however often it is computed."""
    return str(uuid.uuid5(RETRY_NAMESPACE, f"{conversation}/{event_id}/{ordinal}"))


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
) -> None:
    """One delivery for the sender; the caller counts it in conversations.outgoing."""
    connection.execute(
        "INSERT INTO outbox (conversation_id, address_id, in_reply_to, first_seq, last_seq, author, notice, fence,"
        " retry_key, reply_token, token_until, created_at)"
        " VALUES (:conversation, :address, :event, :first, :last, :author, :notice, :fence, :key, :token, :until,"
        f" {NOW})",
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
        },
    )


def _keep_facts(connection: Connection, conversation: int, turn: Turn) -> None:
    for (subject, fact), value in turn.facts.items():
        key = {"conversation": conversation, "subject": subject, "fact": fact}
        if value is None:
            connection.execute(
                "DELETE FROM facts WHERE conversation_id = :conversation AND subject = :subject AND fact = :fact", key
            )
            continue
        connection.execute(
            f"INSERT INTO facts VALUES (:conversation, :subject, :fact, :value, {NOW})"
            " ON CONFLICT (conversation_id, subject, fact) DO UPDATE SET value = excluded.value, at = excluded.at",
            key | {"value": encode(json.dumps(value, ensure_ascii=False))},
        )


def forget(connection: Connection, conversation: int) -> dict[str, int]:
    """Erase what a conversation said and told; returns how many rows of each kind went. The case rows keep no content."""
    key = {"id": conversation}
    erased = {
        table: connection.execute(f"DELETE FROM {table} WHERE conversation_id = :id", key).rowcount
        for table in ("outbox", "messages", "facts")
    }
    connection.execute("DELETE FROM inbox WHERE conversation_id = :id AND state = 'failed'", key)
    connection.execute(
        "DELETE FROM drafts WHERE case_id IN (SELECT id FROM cases WHERE conversation_id = :id)", key
    )
    connection.execute(
        f"UPDATE cases SET state = 'closed', closed_at = {NOW}, topic = '' WHERE conversation_id = :id AND state <> 'closed'",
        key,
    )
    connection.execute(
        "UPDATE conversations SET speaker = 'bot', holder = NULL, outgoing = 0, speaker_fence = fence WHERE id = :id", key
    )
    return erased
