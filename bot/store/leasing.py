"""Leases: which conversations a worker holds, with the events that wait in them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.messages import Address, Attachment, Kind, Speaker
from bot.store import cases, own_data
from bot.store.codec import Unreadable, decode
from bot.store.database import NOW, Connection, Row
from bot.store.records import CaseRow, Event, Lease

EVENTS_PER_LEASE = 20
EVENTS_OF_A_FLOOD = 5  # where more wait than a lease takes, fewer at a time: the others of the batch wait for them
PAUSE_SECONDS = 0.5  # between two tries
MORE = "more"
OWN_DATA = ("mydata", "forget:yes")


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
