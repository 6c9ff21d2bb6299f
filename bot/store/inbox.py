"""Taking events in once, and leasing conversations to work on them in order."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from bot.messages import Address, Incoming, Kind
from bot.store import resume, taking_back
from bot.store.codec import encode
from bot.store.database import NOW, Connection
from bot.store.records import Accepted

FLOOD_SECONDS = 5.0
DEFERRED_SECONDS = 30.0
WITHDRAW = "withdraw"


def event_key(incoming: Incoming) -> bytes:
    """The content-free key that makes a redelivery harmless."""
    address = incoming.address
    text = "\x1f".join((address.channel, address.account, incoming.event_id))
    return hashlib.sha256(text.encode()).digest()


def accept(
    connection: Connection, incomings: Sequence[Incoming], deferred: Collection[int] = (), urgent: Collection[int] = ()
) -> list[Accepted]:
    """Keep each event once; a repetition changes nothing.

    Conversations whose events are `deferred` (places in `incomings`) are taken after those of others, `urgent` before.
    """
    return [
        _accept(connection, incoming, -DEFERRED_SECONDS if place in urgent else DEFERRED_SECONDS * (place in deferred))
        for place, incoming in enumerate(incomings)
    ]


def _accept(connection: Connection, incoming: Incoming, later: float) -> Accepted:
    key = event_key(incoming)
    fresh = connection.execute(
        f"INSERT INTO seen (key, day) VALUES (:key, CAST({NOW} / 86400 AS INTEGER)) ON CONFLICT DO NOTHING",
        {"key": key},
    ).rowcount
    makes = bool(fresh) and incoming.kind not in (Kind.UNSENT, Kind.BLOCKED, Kind.MOVED)
    address_id, conversation, blocked = address_of(connection, incoming.address, create=makes)
    if not fresh:
        return Accepted(conversation, new=False)
    if blocked and makes:
        reaches(connection, address_id)
    arrived = _ARRIVE.get(incoming.kind, _arrive_said)(connection, incoming, address_id, conversation)
    if arrived is None:
        return Accepted(conversation, new=True)
    conversation, more = arrived
    connection.execute(
        "INSERT INTO inbox (conversation_id, address_id, event_id, sent_ms, body, accepted_at, message_id, reply_token)"
        f" VALUES (:conversation, :address, :event, :sent_ms, :body, {NOW}, :message, :token)",
        {
            "conversation": conversation,
            "address": address_id,
            "event": incoming.event_id,
            "sent_ms": incoming.sent_ms,
            "body": encode(_body(incoming, more)),
            "message": incoming.message_id,
            "token": incoming.reply_token or "",
        },
    )
    connection.execute(
        f"UPDATE conversations SET pending_since = CASE WHEN pending = 0 OR :later < 0 THEN {NOW} + :later"
        " ELSE pending_since END,"
        " pending = pending + 1, address_id = CASE WHEN :speaks THEN :address ELSE address_id END WHERE id = :id",
        {"address": address_id, "id": conversation, "speaks": incoming.kind is not Kind.UNSENT, "later": later},
    )
    return Accepted(conversation, new=True)


More = dict[str, Any]
Arrived = tuple[int, More] | None
"""The conversation and what the turn is told beside the event; None where there is nothing to take."""


def _arrive_said(connection: Connection, incoming: Incoming, address_id: int, conversation: int) -> Arrived:
    """Something said, pressed or sent; one that was taken back before it came is kept as its tombstone."""
    if incoming.message_id and taking_back.fate(connection, incoming.address, incoming.message_id):
        return conversation, {"gone": True}
    if incoming.resume:
        conversation, outcome, left = resume.arrive(connection, incoming.resume, address_id, conversation)
        return conversation, {"resumed": outcome, "left": left}
    if incoming.choice == WITHDRAW:
        return conversation, {"withdrew": _withdraw(connection, incoming, address_id, conversation)}
    return conversation, {}


def _withdraw(connection: Connection, incoming: Incoming, address_id: int, conversation: int) -> bool:
    """The person takes the newest message back: for platforms that do not tell of deletions."""
    waiting, lines = taking_back.last_message(connection, address_id)
    for row in (*waiting, *lines):
        if row["message_id"]:
            taking_back.remember(connection, incoming.address, row["message_id"], taking_back.UNSENT)
    return taking_back.take_back(connection, conversation, waiting, lines, taking_back.UNSENT, False).found


def _arrive_edited(connection: Connection, incoming: Incoming, address_id: int, conversation: int) -> Arrived:
    """The new version is taken as a message; the old one goes, or is marked where staff see both."""
    if taking_back.fate(connection, incoming.address, incoming.about) == taking_back.UNSENT:
        return conversation, {"gone": True}
    waiting, lines = taking_back.of_message(connection, address_id, incoming.about)
    if not incoming.keeps_old:
        taking_back.remember(connection, incoming.address, incoming.about, taking_back.EDITED)
    back = taking_back.take_back(
        connection, conversation, waiting, lines, taking_back.EDITED, incoming.keeps_old and not waiting
    )
    more: More = {"again": list(back.facts)} if back.facts else {}
    return conversation, more | ({"reworded": True} if back.words else {})


def _arrive_unsent(connection: Connection, incoming: Incoming, address_id: int, conversation: int) -> Arrived:
    """Blanked at once; a turn follows only where one may have learned something from it."""
    taking_back.remember(connection, incoming.address, incoming.about, taking_back.UNSENT)
    if not conversation:
        return None
    waiting, lines = taking_back.of_message(connection, address_id, incoming.about)
    back = taking_back.take_back(connection, conversation, waiting, lines, taking_back.UNSENT, False)
    return (conversation, {}) if back.found else None


def _arrive_blocked(connection: Connection, incoming: Incoming, address_id: int, conversation: int) -> Arrived:
    """Nothing is sent there any more; what waits stays until the person writes again."""
    if conversation:
        blocks(connection, conversation, address_id)
    return None


def _arrive_moved(connection: Connection, incoming: Incoming, address_id: int, conversation: int) -> Arrived:
    """The chat has another id from now on."""
    if address_id:
        moves(connection, address_id, incoming.about)
    return None


_ARRIVE: Mapping[Kind, Callable[[Connection, Incoming, int, int], Arrived]] = {
    Kind.EDITED: _arrive_edited,
    Kind.UNSENT: _arrive_unsent,
    Kind.BLOCKED: _arrive_blocked,
    Kind.MOVED: _arrive_moved,
}


def reaches(connection: Connection, address_id: int) -> None:
    """Whoever writes can be reached."""
    connection.execute("UPDATE addresses SET blocked = 0 WHERE id = :id", {"id": address_id})


def blocks(connection: Connection, conversation: int, address_id: int) -> None:
    """The address cannot be reached: what is queued for it waits."""
    connection.execute("UPDATE addresses SET blocked = 1 WHERE id = :id", {"id": address_id})
    rows = connection.execute(
        "UPDATE outbox SET state = 'waiting', batch = 0, error = 'blocked'"
        " WHERE conversation_id = :id AND address_id = :address AND state = 'queued' RETURNING first_seq, last_seq",
        {"id": conversation, "address": address_id},
    ).fetchall()
    connection.many(
        "UPDATE messages SET status = 'undelivered' WHERE conversation_id = :id AND seq BETWEEN :first AND :last"
        " AND status = 'queued'",
        [{"id": conversation, "first": row["first_seq"], "last": row["last_seq"]} for row in rows],
    )
    connection.execute(
        "UPDATE conversations SET outgoing = outgoing - :gone WHERE id = :id", {"gone": len(rows), "id": conversation}
    )


def moves(connection: Connection, address_id: int, user: str) -> None:
    """Another id of the same chat; where that is known already, nothing changes."""
    connection.execute(
        "UPDATE addresses SET user_id = :user WHERE id = :id AND NOT EXISTS (SELECT 1 FROM addresses b"
        " WHERE b.channel = addresses.channel AND b.account = addresses.account AND b.user_id = :user)",
        {"user": user, "id": address_id},
    )


def _body(incoming: Incoming, more: More) -> str:
    if more.get("gone"):
        return json.dumps({"gone": True})
    doc: dict[str, Any] = {name: value for name in _PLAIN_FIELDS if (value := getattr(incoming, name))}
    if incoming.text == "":
        doc["text"] = ""
    if incoming.kind is not Kind.SAID:
        doc["kind"] = incoming.kind.value
    if incoming.attachment is not None:
        doc["attachment"] = dataclasses.asdict(incoming.attachment)
    return _write(doc | more)


_write = json.JSONEncoder(ensure_ascii=False).encode
_PLAIN_FIELDS = ("text", "choice", "welcomed", "lang", "group", "silent")


def address_of(connection: Connection, address: Address, create: bool) -> tuple[int, int, bool]:
    """(address id, conversation id, was it blocked) of an address; zeros when unknown and not to be created."""
    found = connection.one(
        "SELECT id, conversation_id, blocked FROM addresses"
        " WHERE channel = :channel AND account = :account AND user_id = :user",
        {"channel": address.channel, "account": address.account, "user": address.user},
    )
    if found is not None:
        return found["id"], found["conversation_id"], bool(found["blocked"])
    if not create:
        return 0, 0, False
    conversation = connection.execute(
        f"INSERT INTO conversations (opened_at, updated_at) VALUES ({NOW}, {NOW}) RETURNING id"
    ).fetchone()["id"]
    address_id = connection.execute(
        "INSERT INTO addresses (conversation_id, channel, account, user_id)"
        " VALUES (:conversation, :channel, :account, :user) RETURNING id",
        {"conversation": conversation, "channel": address.channel, "account": address.account, "user": address.user},
    ).fetchone()["id"]
    return address_id, conversation, False
