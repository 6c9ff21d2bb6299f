"""Taking events in once, and leasing conversations to work on them in order."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from bot.messages import Address, Attachment, Incoming, Kind, Speaker
from bot.store import cases, own_data, resume, taking_back
from bot.store.codec import Unreadable, decode, encode
from bot.store.database import NOW, Connection, Row
from bot.store.records import Accepted, CaseRow, Event, Lease

EVENTS_PER_LEASE = 20
EVENTS_OF_A_FLOOD = 5  # where more wait than a lease takes, fewer at a time: the others of the batch wait for them
FLOOD_SECONDS = 5.0
DEFERRED_SECONDS = 30.0
PAUSE_SECONDS = 0.5  # between two tries
WITHDRAW = "withdraw"
MORE = "more"
OWN_DATA = ("mydata", "forget:yes")


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


def lease(connection: Connection, owner: str, limit: int, seconds: float, suspects: bool | None = None) -> list[Lease]:
    """Hold up to `limit` conversations that have events, longest waiting first, for `seconds`.

    A lease raises the fence: whoever held the conversation before can no longer write. A conversation whose last lease
    did not end well, for instance because the process died of it, is suspect: it is leased by itself, with its first
    event only, and that counts as a try of the event. `suspects`: only them; False: only others; None: one of them
    where there are no others.
    """
    rows = [] if suspects else _hold(connection, owner, limit, seconds, suspects=False)
    suspect = not rows and suspects is not False
    if suspect:
        rows = _hold(connection, owner, 1, seconds, suspects=True)
    if not rows:
        return []
    try:
        return _filled(connection, rows, suspect)
    except Unreadable:  # the others go on; whoever it is of is tried again when the lease has run out
        return [lease for row in rows for lease in _readable(connection, row, suspect)]


def _readable(connection: Connection, row: Row, suspect: bool) -> list[Lease]:
    try:
        return _filled(connection, [row], suspect)
    except Unreadable:
        return []


def _filled(connection: Connection, rows: Sequence[Row], suspect: bool) -> list[Lease]:
    ids = ",".join(str(row["id"]) for row in rows)
    events = _first_events(connection, rows, suspect)
    facts = _facts(connection, ids)
    held = _open_cases(connection, [row["id"] for row in rows if row["speaker"] != Speaker.BOT])
    leases = [_lease(row, events.get(row["id"], []), facts.get(row["id"], {}), held.get(row["id"])) for row in rows]
    return [_with_kept(connection, _with_waiting(connection, lease)) for lease in leases]


def _hold(connection: Connection, owner: str, limit: int, seconds: float, suspects: bool) -> list[Row]:
    return connection.all(
        f"UPDATE conversations SET leased_by = :owner, leased_until = {NOW} + :seconds, fence = fence + 1,"
        " suspect = suspect + 1 WHERE id IN (SELECT id FROM conversations"
        f" WHERE pending > 0 AND leased_until <= {NOW} AND suspect {'>' if suspects else '='} 0"
        f" ORDER BY pending_since LIMIT :limit{connection.skip_locked})"
        " RETURNING id, fence, lang, state, speaker, taken_ms, barred, restricted, pending",
        {"owner": owner, "seconds": seconds, "limit": limit},
    )


def _with_waiting(connection: Connection, lease: Lease) -> Lease:
    """Whether undelivered answers wait is looked up only for those who ask for them."""
    if not any(event.choice == MORE for event in lease.events):
        return lease
    found = connection.one(
        "SELECT 1 FROM outbox WHERE conversation_id = :id AND state IN ('waiting', 'queued', 'sending') LIMIT 1",
        {"id": lease.conversation},
    )
    return dataclasses.replace(lease, waits=found is not None)


def _with_kept(connection: Connection, lease: Lease) -> Lease:
    """What is kept is counted only for those who ask for it, or have it erased."""
    if not any((event.choice or "").startswith(OWN_DATA) for event in lease.events):
        return lease
    return dataclasses.replace(lease, kept=own_data.kept(connection, lease.conversation))


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
        events=tuple(events),
        barred=bool(row["barred"]),
        restricted=bool(row["restricted"]),
    )


def _first_events(connection: Connection, rows: Sequence[Row], suspects: bool) -> dict[int, list[Event]]:
    """What each conversation is taken with; one with very many events never has all of them read."""
    if suspects:
        return {row["id"]: _counted(connection, row["id"]) for row in rows}
    few = [row["id"] for row in rows if row["pending"] <= EVENTS_PER_LEASE]
    found = _events(connection, ",".join(str(number) for number in few)) if few else {}
    for row in rows:
        if row["pending"] > EVENTS_PER_LEASE:
            found |= _events(connection, str(row["id"]), EVENTS_OF_A_FLOOD)
    return found


def _counted(connection: Connection, conversation: int) -> list[Event]:
    """The first event of a suspect, with this try counted; the lease that made it one was the first try."""
    found = _events(connection, str(conversation), 1).get(conversation, [])
    tried = [dataclasses.replace(event, attempts=max(2, event.attempts + 1)) for event in found]
    connection.many(
        "UPDATE inbox SET attempts = :attempts WHERE id = :id",
        [{"attempts": event.attempts, "id": event.id} for event in tried],
    )
    return tried


def _events(connection: Connection, ids: str, limit: int | None = None) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {}
    for row in connection.all(
        "SELECT i.*, a.channel, a.account, a.user_id FROM inbox i JOIN addresses a ON a.id = i.address_id"
        f" WHERE i.conversation_id IN ({ids}) AND i.state = 'new' ORDER BY i.conversation_id, i.sent_ms, i.id"
        + (f" LIMIT {int(limit)}" if limit else "")
    ):
        found.setdefault(row["conversation_id"], []).append(_event(row))
    return found


def _event(row: Row) -> Event:
    body = json.loads(decode(row["body"]))
    file = body.pop("attachment", None)
    return Event(
        id=row["id"],
        event_id=row["event_id"],
        address_id=row["address_id"],
        address=Address(row["channel"], row["account"], row["user_id"]),
        sent_ms=row["sent_ms"],
        accepted_at=row["accepted_at"],
        attempts=row["attempts"],
        retried=row["aside_at"],
        message_id=row["message_id"],
        reply_token="" if row["told"] else row["reply_token"],
        kind=Kind(body.pop("kind", Kind.SAID)),
        attachment=None if file is None else Attachment(**file),
        again=tuple(body.pop("again", ())),
        **body,
    )


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
    """Give a lease back after a failed turn; an event that was tried `tries` times is moved aside. True when it was.

    Whoever lost the lease meanwhile changes nothing.
    """
    aside = failed is not None and max(1, failed.attempts) >= tries
    held = connection.execute(
        f"UPDATE conversations SET leased_until = {NOW} + :pause, leased_by = '', pending = pending - :aside,"
        " suspect = CASE WHEN :suspect THEN suspect ELSE 0 END WHERE id = :id AND fence = :fence RETURNING id",
        {
            "id": conversation,
            "fence": fence,
            "pause": 0.0 if aside else PAUSE_SECONDS,
            "aside": int(aside),
            "suspect": failed is not None and not aside,
        },
    ).fetchone()
    if held is None:
        return False
    if failed is not None:
        connection.execute(
            f"UPDATE inbox SET attempts = :attempts, state = :state, aside_at = CASE WHEN :aside THEN {NOW}"
            " ELSE aside_at END WHERE id = :id",
            {
                "attempts": max(1, failed.attempts),
                "state": "failed" if aside else "new",
                "aside": aside,
                "id": failed.id,
            },
        )
    return aside


def give_back(connection: Connection, held: Mapping[int, int]) -> None:
    """Free leases, by conversation and fence, that ended because of the store: that is no try of their events."""
    connection.many(
        "UPDATE conversations SET leased_until = 0, leased_by = '',"
        " suspect = CASE WHEN suspect > 0 THEN suspect - 1 ELSE 0 END"
        " WHERE id = :id AND fence = :fence AND leased_by <> ''",
        [{"id": conversation, "fence": fence} for conversation, fence in sorted(held.items())],
    )


def release_all(connection: Connection) -> None:
    """Free every lease: for the start of the one process that owns the file."""
    connection.execute("UPDATE conversations SET leased_until = 0, leased_by = '' WHERE leased_until > 0")
    connection.execute("UPDATE conversations SET sending_until = 0, sending_by = '' WHERE sending_until > 0")


def waiting_events(connection: Connection, conversation: int, limit: int | None = None) -> list[Event]:
    """Events accepted but not yet taken, in order."""
    return _events(connection, str(int(conversation)), limit).get(conversation, [])
