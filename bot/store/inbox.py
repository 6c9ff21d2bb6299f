"""Taking events in once, and leasing conversations to work on them in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from bot.messages import Address, Incoming, Speaker
from bot.store import cases
from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Row
from bot.store.records import Accepted, CaseRow, Event, Lease

EVENTS_PER_LEASE = 20


def event_key(incoming: Incoming) -> bytes:
    """The content-free key that makes a redelivery harmless."""
    address = incoming.address
    text = "\x1f".join((address.channel, address.account, incoming.event_id))
    return hashlib.sha256(text.encode()).digest()


def accept(connection: Connection, incomings: Sequence[Incoming]) -> list[Accepted]:
    """Keep each event once; a repetition changes nothing."""
    return [_accept(connection, incoming) for incoming in incomings]


def _accept(connection: Connection, incoming: Incoming) -> Accepted:
    key = event_key(incoming)
    fresh = connection.execute(
        f"INSERT INTO seen (key, day) VALUES (:key, CAST({NOW} / 86400 AS INTEGER)) ON CONFLICT DO NOTHING",
        {"key": key},
    ).rowcount
    address_id, conversation = address_of(connection, incoming.address, create=bool(fresh))
    if not fresh:
        return Accepted(conversation, new=False)
    connection.execute(
        "INSERT INTO inbox (conversation_id, address_id, event_id, sent_ms, body, accepted_at)"
        f" VALUES (:conversation, :address, :event, :sent_ms, :body, {NOW})",
        {
            "conversation": conversation,
            "address": address_id,
            "event": incoming.event_id,
            "sent_ms": incoming.sent_ms,
            "body": encode(_body(incoming)),
        },
    )
    connection.execute(
        f"UPDATE conversations SET pending_since = CASE WHEN pending = 0 THEN {NOW} ELSE pending_since END,"
        " pending = pending + 1, address_id = :address WHERE id = :id",
        {"address": address_id, "id": conversation},
    )
    return Accepted(conversation, new=True)


def _body(incoming: Incoming) -> str:
    doc: dict[str, Any] = {}
    if incoming.text is not None:
        doc["text"] = incoming.text
    if incoming.choice is not None:
        doc["choice"] = incoming.choice
    if incoming.reply_token:
        doc["reply_token"] = incoming.reply_token
    if incoming.welcomed:
        doc["welcomed"] = True
    if incoming.lang:
        doc["lang"] = incoming.lang
    return json.dumps(doc, ensure_ascii=False)


def address_of(connection: Connection, address: Address, create: bool) -> tuple[int, int]:
    """(address id, conversation id) of an address; (0, 0) when unknown and not to be created."""
    found = connection.one(
        "SELECT id, conversation_id FROM addresses WHERE channel = :channel AND account = :account AND user_id = :user",
        {"channel": address.channel, "account": address.account, "user": address.user},
    )
    if found is not None:
        return found["id"], found["conversation_id"]
    if not create:
        return 0, 0
    conversation = connection.execute(
        f"INSERT INTO conversations (opened_at, updated_at) VALUES ({NOW}, {NOW}) RETURNING id"
    ).fetchone()["id"]
    address_id = connection.execute(
        "INSERT INTO addresses (conversation_id, channel, account, user_id)"
        " VALUES (:conversation, :channel, :account, :user) RETURNING id",
        {"conversation": conversation, "channel": address.channel, "account": address.account, "user": address.user},
    ).fetchone()["id"]
    return address_id, conversation


def lease(connection: Connection, owner: str, limit: int, seconds: float) -> list[Lease]:
    """Hold up to `limit` conversations that have events, longest waiting first, for `seconds`.

    A lease raises the fence: whoever held the conversation before can no longer write.
    """
    rows = connection.all(
        f"UPDATE conversations SET leased_by = :owner, leased_until = {NOW} + :seconds, fence = fence + 1"
        f" WHERE id IN (SELECT id FROM conversations WHERE pending > 0 AND leased_until <= {NOW}"
        " ORDER BY pending_since LIMIT :limit)"
        " RETURNING id, fence, lang, state, speaker, taken_ms",
        {"owner": owner, "seconds": seconds, "limit": limit},
    )
    if not rows:
        return []
    ids = ",".join(str(row["id"]) for row in rows)
    events = _events(connection, ids)
    facts = _facts(connection, ids)
    held = _open_cases(connection, [row["id"] for row in rows if row["speaker"] != Speaker.BOT])
    return [_lease(row, events.get(row["id"], []), facts.get(row["id"], {}), held.get(row["id"])) for row in rows]


def _lease(row: Row, events: list[Event], facts: dict[str, dict[str, Any]], case: CaseRow | None) -> Lease:
    return Lease(
        conversation=row["id"],
        fence=row["fence"],
        lang=row["lang"],
        state=decode(row["state"]),
        speaker=Speaker(row["speaker"]),
        taken_ms=row["taken_ms"],
        facts=facts,
        case=case,
        events=tuple(events[:EVENTS_PER_LEASE]),
    )


def _events(connection: Connection, ids: str) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {}
    for row in connection.all(
        "SELECT i.*, a.channel, a.account, a.user_id FROM inbox i JOIN addresses a ON a.id = i.address_id"
        f" WHERE i.conversation_id IN ({ids}) AND i.state = 'new' ORDER BY i.conversation_id, i.sent_ms, i.id"
    ):
        body = json.loads(decode(row["body"]))
        event = Event(
            id=row["id"],
            event_id=row["event_id"],
            address_id=row["address_id"],
            address=Address(row["channel"], row["account"], row["user_id"]),
            sent_ms=row["sent_ms"],
            accepted_at=row["accepted_at"],
            attempts=row["attempts"],
            text=body.get("text"),
            choice=body.get("choice"),
            reply_token=body.get("reply_token", ""),
            welcomed=body.get("welcomed", False),
            lang=body.get("lang", ""),
        )
        found.setdefault(row["conversation_id"], []).append(event)
    return found


def _facts(connection: Connection, ids: str) -> dict[int, dict[str, dict[str, Any]]]:
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for row in connection.all(f"SELECT * FROM facts WHERE conversation_id IN ({ids})"):
        subjects = found.setdefault(row["conversation_id"], {})
        subjects.setdefault(row["subject"], {})[row["fact"]] = json.loads(decode(row["value"]))
    return found


def _open_cases(connection: Connection, conversations: list[int]) -> dict[int, CaseRow]:
    found = (cases.open_case(connection, conversation) for conversation in conversations)
    return {case.conversation: case for case in found if case is not None}


def release(connection: Connection, conversation: int, fence: int, failed: Event | None, tries: int) -> bool:
    """Give a lease back after a failed turn; an event that failed `tries` times is moved aside. True when it was.

    Whoever lost the lease meanwhile changes nothing.
    """
    aside = failed is not None and failed.attempts + 1 >= tries
    held = connection.execute(
        f"UPDATE conversations SET leased_until = {NOW} + :pause, leased_by = '', pending = pending - :aside"
        " WHERE id = :id AND fence = :fence RETURNING id",
        {"id": conversation, "fence": fence, "pause": 0.0 if aside else 0.5, "aside": int(aside)},
    ).fetchone()
    if held is None:
        return False
    if failed is not None:
        connection.execute(
            "UPDATE inbox SET attempts = attempts + 1, state = :state WHERE id = :id",
            {"state": "failed" if aside else "new", "id": failed.id},
        )
    return aside


def release_all(connection: Connection) -> None:
    """Free every lease: for the start of the one process that owns the file."""
    connection.execute("UPDATE conversations SET leased_until = 0, leased_by = '' WHERE leased_until > 0")
    connection.execute("UPDATE conversations SET sending_until = 0, sending_by = '' WHERE sending_until > 0")


def waiting_events(connection: Connection, conversation: int) -> list[Event]:
    """Events accepted but not yet taken, in order."""
    return _events(connection, str(int(conversation))).get(conversation, [])
