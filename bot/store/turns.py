"""Writing what turns led to: refused as a whole when the fence has moved on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.messages import Kind
from bot.store import (
    aside,
    attachments,
    cases,
    casework,
    erasing,
    masked,
    outbox,
    own_data,
    ratings,
    resume,
    unanswered,
)
from bot.store.codec import encode
from bot.store.database import NOW, Connection, Row
from bot.store.inbox import FLOOD_SECONDS
from bot.store.leasing import EVENTS_PER_LEASE
from bot.store.lines import ADD_MESSAGE, add_outgoing, line, retry_key, tell
from bot.store.records import Bundle, Committed, Delivery, Event, Lease, Line, StaleFence, Turn

TOKEN_SECONDS = 50.0
SENDING_SECONDS = 60.0

_FENCED = (
    "UPDATE conversations SET state = :state, lang = :lang, taken_ms = :taken, next_seq = next_seq + :lines,"
    f" updated_at = {NOW}, pending = pending - :done, leased_until = 0, leased_by = '',"
    f" pending_since = {NOW} + CASE WHEN pending - :done > {EVENTS_PER_LEASE} THEN {FLOOD_SECONDS} ELSE 0.0 END,"
    " suspect = CASE WHEN suspect > 1 AND pending > :done THEN 1 ELSE 0 END,"
    f" outgoing_after = CASE WHEN outgoing = 0 THEN {NOW} ELSE outgoing_after END, outgoing = outgoing + :bundles"
)
_IF_HELD = " WHERE id = :id AND fence = :fence RETURNING next_seq - :lines AS seq, pending, sending_by"
TAKE_FENCE = _FENCED + _IF_HELD
TAKE_FENCE_HANDING = (
    f"{_FENCED}, sending_by = CASE WHEN outgoing = 0 AND sending_until <= {NOW} THEN :mark ELSE sending_by END,"
    f" sending_until = CASE WHEN outgoing = 0 AND sending_until <= {NOW} THEN {NOW} + :seconds ELSE sending_until END"
    f"{_IF_HELD}"
)


def commit(
    connection: Connection, lease: Lease, turns: Sequence[Turn], lang: str, state: str, sender: str = ""
) -> Committed:
    """One conversation's turns: transcript, state, facts, outbox, case, inbox done.

    `sender` names who takes the first delivery along, if nothing else of the conversation is on its way; the
    others are leased one by one as always. Raises StaleFence when the conversation was leased or taken over since.
    """
    waits = outbox.waiting(connection, lease.conversation)
    taken = _take_fence(connection, lease, turns, lang, state, "" if waits else sender)
    seq, opened = taken.seq, ""
    lines: list[dict[str, Any]] = []
    handed: Delivery | None = None
    for number, turn in enumerate(turns):
        if turn.forget:
            lines.clear()
            erasing.erase(connection, lease.conversation, "asked", outgoing=_bundles(turns[number:]))
            own_data.forgotten(connection, turn.event.address.channel, lang)
        elif turn.heard is not None:
            lines.append(_heard(lease.conversation, seq, turn))
            if turn.original is not None:
                masked.add(connection, lease.conversation, turn.event.event_id, seq, turn.original)
            seq += 1
        for ordinal, bundle in enumerate(turn.bundles):
            lines += _said(lease.conversation, seq, turn.event, bundle)
            on_wire = taken.hands and handed is None
            row = _add_bundle(connection, lease, turn.event, bundle, seq, ordinal, on_wire)
            handed = handed or (_delivery(lease, turn.event, bundle, row, seq) if on_wire else None)
            seq += len(bundle.replies)
        _keep_facts(connection, lease.conversation, turn)
        opened = _beside(connection, lease, turn, lang) or opened
    connection.many(ADD_MESSAGE, lines)
    connection.many("DELETE FROM inbox WHERE id = :id", [{"id": turn.event.id} for turn in turns if not turn.aside])
    for turn in turns:
        if turn.aside:
            aside.put(connection, turn.event.id)
    outgoing = _bundles(turns) > (handed is not None)
    for turn in turns:
        waits = waits and not (turn.forget and not outbox.waiting(connection, lease.conversation))
        outgoing = _platform(connection, lease.conversation, turn, waits) or outgoing
        waits = waits and turn.event.kind is Kind.UNSENT
    return Committed(lease.conversation, more=taken.more, outgoing=outgoing, case=opened, handed=handed)


def _beside(connection: Connection, lease: Lease, turn: Turn, lang: str) -> str:
    """What a turn leads to beside words: rows for authors, a case; the number of a case that is open for it."""
    if turn.unanswered is not None:
        unanswered.add(connection, lease.conversation, turn.event.event_id, turn.unanswered)
    elif turn.picked:
        unanswered.pick(connection, lease.conversation, turn.picked)
    if turn.file is not None:
        attachments.add(connection, lease.conversation, turn.event.address_id, turn.event.event_id, turn.file)
    if (callback := turn.reading.get("callback")) and callback[0]:
        casework.add_callback(connection, lease.conversation, turn.event.event_id, callback)
    if turn.helped is not None:
        ratings.rate(connection, lease.conversation, lang, turn.event.address.channel, turn.helped)
    if turn.words:
        ratings.add_words(connection, lease.conversation, turn.event.event_id, turn.words)
    if turn.resume:
        resume.issue(connection, lease.conversation, turn.resume)
    _own_data(connection, lease.conversation, turn, lang)
    if turn.case is not None:
        return cases.open_new(connection, lease.conversation, turn.case, lang, turn.event.address.channel)
    if turn.alarm:
        cases.alarm(connection, lease.conversation)
    return ""


def _own_data(connection: Connection, conversation: int, turn: Turn, lang: str) -> None:
    """What the person wants done with their data. Lifting comes first: it settles the requests of before."""
    if turn.restrict is not None:
        own_data.restrict(connection, conversation, turn.restrict)
    for request in turn.requests:
        own_data.ask(connection, conversation, request, lang)
    if turn.copy:
        own_data.issue(connection, conversation, turn.copy)


def _platform(connection: Connection, conversation: int, turn: Turn, waits: bool) -> bool:
    """What a messaging platform needs after a turn; True when more goes out.

    What waited for the person goes out with the fresh token; a token that answers nothing is left for whoever speaks
    next; the address left behind hears where the conversation went.
    """
    event, more = turn.event, False
    until = event.accepted_at + TOKEN_SECONDS
    if waits and event.kind is not Kind.UNSENT:
        more = bool(outbox.go_on(connection, conversation, event.address_id, event.reply_token, until))
    elif event.reply_token and not turn.bundles:
        outbox.leave_token(connection, event.address_id, event.reply_token, until)
    if turn.farewell is not None:
        tell(connection, conversation, turn.farewell, f"left/{event.event_id}", event.left)
        more = True
    if turn.menu:
        connection.execute(
            "UPDATE addresses SET menu_due = 1 WHERE conversation_id = :id AND channel = :channel",
            {"id": conversation, "channel": event.address.channel},
        )
    return more


@dataclass(frozen=True, slots=True)
class _Taken:
    """What taking the fence told: the first free line, are events left, may a delivery be handed over."""

    seq: int
    more: bool
    hands: bool


def _bundles(turns: Sequence[Turn]) -> int:
    return sum(len(turn.bundles) for turn in turns)


def _take_fence(
    connection: Connection, lease: Lease, turns: Sequence[Turn], lang: str, state: str, sender: str
) -> _Taken:
    """Everything that the turns change of the conversation's own row, refused when the fence moved on."""
    bundles = _bundles(turns)
    hands = bool(sender and bundles and all(len(turn.bundles) < 2 and not turn.forget for turn in turns))
    # A token that a later turn leaves is for what is said before it.
    hands = hands and not any(turn.event.reply_token and not turn.bundles for turn in turns)
    mark = f"{sender}/{lease.fence}"
    row = connection.execute(
        TAKE_FENCE_HANDING if hands else TAKE_FENCE,
        {
            "state": encode(state),
            "lang": lang,
            "taken": max([lease.taken_ms, *(turn.event.sent_ms for turn in turns)]),
            "done": len(turns),
            "lines": sum(turn.heard is not None and not turn.forget for turn in turns)
            + sum(len(bundle.replies) for turn in turns for bundle in turn.bundles),
            "bundles": bundles,
            "mark": mark,
            "seconds": SENDING_SECONDS,
            "id": lease.conversation,
            "fence": lease.fence,
        },
    ).fetchone()
    if row is None:
        raise StaleFence(lease.conversation)
    return _Taken(row["seq"], more=row["pending"] > 0, hands=hands and row["sending_by"] == mark)


def _heard(conversation: int, seq: int, turn: Turn) -> dict[str, Any]:
    assert turn.heard is not None
    reading = json.dumps(dict(turn.reading), ensure_ascii=False) if turn.reading else ""
    status = "unsent" if turn.event.gone else "late" if turn.late else "sent"
    return line(
        conversation,
        seq,
        "citizen",
        turn.event.address_id,
        turn.heard,
        status,
        event_id=turn.event.event_id,
        reading=reading,
        at=turn.event.accepted_at,
        message_id=turn.event.message_id,
    )


def _said(conversation: int, seq: int, event: Event, bundle: Bundle) -> list[dict[str, Any]]:
    return [
        line(conversation, number, "bot", event.address_id, reply, "queued")
        for number, reply in enumerate(bundle.replies, seq)
    ]


def _add_bundle(
    connection: Connection, lease: Lease, event: Event, bundle: Bundle, seq: int, ordinal: int, on_wire: bool
) -> Row:
    """The outbox row of a bundle whose first line is `seq`."""
    return add_outgoing(
        connection,
        lease.conversation,
        event.address_id,
        (seq, seq + len(bundle.replies) - 1),
        "bot",
        bundle.notice,
        lease.fence,
        retry_key(lease.conversation, _name(event), ordinal),
        in_reply_to=event.event_id,
        reply_token=event.reply_token,
        token_until=event.accepted_at + TOKEN_SECONDS if event.reply_token else 0.0,
        on_wire=on_wire,
    )


def _name(event: Event) -> str:
    """What the answers to an event are known by; it is answered anew after it was moved aside."""
    return f"{event.event_id}/{event.retried}" if event.retried else event.event_id


def _delivery(lease: Lease, event: Event, bundle: Bundle, row: Row, seq: int) -> Delivery:
    """The delivery that the sender takes along, as outbox.lease would give it."""
    return Delivery(
        rows=(row["id"],),
        conversation=lease.conversation,
        address=event.address,
        in_reply_to=event.event_id,
        retry_key=row["retry_key"],
        attempts=1,
        created_at=row["created_at"],
        age=0.0,
        lines=tuple(Line(row["id"], number, reply) for number, reply in enumerate(bundle.replies, seq)),
        author="bot",
        reply_token=event.reply_token if row["token_until"] > row["created_at"] else "",
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
            "INSERT INTO facts (conversation_id, subject, fact, value, at, event_id, how)"
            f" VALUES (:conversation, :subject, :fact, :value, {NOW}, :event, :how)"
            " ON CONFLICT (conversation_id, subject, fact)"
            " DO UPDATE SET value = excluded.value, at = excluded.at, event_id = excluded.event_id, how = excluded.how",
            key
            | {
                "value": encode(json.dumps(value, ensure_ascii=False)),
                "event": turn.event.event_id,
                "how": "passing" if (subject, fact) in turn.passing else turn.how,
            },
        )
