"""Cases: opened by a turn, claimed, answered and closed by caseworkers, each one conditional step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.messages import Notice, Reply
from bot.store import duty, lines
from bot.store.database import NOW, Connection, Row
from bot.store.records import CaseOpening, CaseRow, CaseTaken, NotHolder

SELECT = (
    "SELECT c.*, coalesce(s.name, '') AS holder_name, coalesce(a.blocked, 0) AS blocked, w.barred, w.restricted"
    " FROM cases c"
    " LEFT JOIN staff s ON s.id = c.holder JOIN conversations w ON w.id = c.conversation_id"
    " LEFT JOIN addresses a ON a.id = w.address_id"
)


def case_of(row: Row, aim: int = 1) -> CaseRow:
    """A row of SELECT."""
    return CaseRow(
        id=row["id"],
        number=row["number"],
        conversation=row["conversation_id"],
        state=row["state"],
        reason=row["reason"],
        topic=row["topic"],
        lang=row["lang"],
        channel=row["channel"],
        urgent=bool(row["urgent"]),
        holder=row["holder"],
        holder_name=row["holder_name"],
        opened_at=row["opened_at"],
        answered_at=row["answered_at"],
        closed_at=row["closed_at"],
        closed_seq=row["closed_seq"],
        blocked=bool(row["blocked"]),
        barred=bool(row["barred"]),
        restricted=bool(row["restricted"]),
        for_staff=row["for_staff"],
        for_lang=row["for_lang"],
        for_topic=row["for_topic"],
        parked_until=row["parked_until"],
        outcome=row["outcome"],
        first_answer_at=row["first_answer_at"],
        aim=aim,
    )


def open_case(connection: Connection, conversation: int) -> CaseRow | None:
    """The open case of a conversation: at most one."""
    row = connection.one(f"{SELECT} WHERE c.conversation_id = :id AND c.state <> 'closed'", {"id": conversation})
    return None if row is None else case_of(row)


def get(connection: Connection, case_id: int) -> CaseRow | None:
    """A case by id."""
    row = connection.one(f"{SELECT} WHERE c.id = :id", {"id": case_id})
    return None if row is None else case_of(row)


def waiting(connection: Connection) -> tuple[int, int]:
    """How many cases wait, and how many of them are urgent."""
    row = connection.one("SELECT count(*) AS n, coalesce(sum(urgent), 0) AS urgent FROM cases WHERE state = 'waiting'")
    return (int(row["n"]), int(row["urgent"])) if row else (0, 0)


def open_new(connection: Connection, conversation: int, opening: CaseOpening, lang: str, channel: str) -> str:
    """Open a case and let the conversation wait for a person; an open one is kept. Returns its number."""
    held = open_case(connection, conversation)
    if held is not None:
        if opening.urgent:
            alarm(connection, conversation)
        return held.number
    connection.execute(
        "INSERT INTO cases (conversation_id, number, state, reason, topic, lang, channel, urgent, opened_at, for_lang)"
        f" VALUES (:conversation, :number, 'waiting', :reason, :topic, :lang, :channel, :urgent, {NOW}, :for_lang)",
        {
            "conversation": conversation,
            "number": opening.number,
            "reason": opening.reason,
            "topic": opening.topic,
            "lang": lang,
            "channel": channel,
            "urgent": int(opening.urgent),
            "for_lang": duty.suggested(connection, lang),
        },
    )
    connection.execute(
        "UPDATE conversations SET speaker = 'waiting', speaker_fence = fence WHERE id = :id", {"id": conversation}
    )
    return opening.number


def alarm(connection: Connection, conversation: int) -> None:
    """Mark the open case as urgent."""
    connection.execute(
        "UPDATE cases SET urgent = 1 WHERE conversation_id = :id AND state <> 'closed'", {"id": conversation}
    )


def change_speaker(connection: Connection, conversation: int, speaker: str, holder: int | None) -> int:
    """Somebody else speaks from now on; returns the fence of the change."""
    row = connection.execute(
        "UPDATE conversations SET speaker = :speaker, holder = :holder, fence = fence + 1, speaker_fence = fence + 1,"
        " leased_until = 0, leased_by = '', suspect = 0 WHERE id = :id RETURNING speaker_fence",
        {"speaker": speaker, "holder": holder, "id": conversation},
    ).fetchone()
    fence: int = row["speaker_fence"]
    return fence


def withdraw_unsent(connection: Connection, conversation: int) -> None:
    """What the bot has not yet sent does not leave, notices apart."""
    where = "conversation_id = :id AND state = 'queued' AND author = 'bot' AND notice = ''"
    connection.execute(
        "UPDATE messages SET status = 'withdrawn' WHERE conversation_id = :id AND status = 'queued' AND EXISTS"
        f" (SELECT 1 FROM outbox o WHERE o.{where} AND messages.seq BETWEEN o.first_seq AND o.last_seq)",
        {"id": conversation},
    )
    gone = connection.execute(
        f"UPDATE outbox SET state = 'withdrawn', settled_at = {NOW} WHERE {where}", {"id": conversation}
    ).rowcount
    connection.execute(
        "UPDATE conversations SET outgoing = outgoing - :gone WHERE id = :id", {"gone": gone, "id": conversation}
    )


def claim(connection: Connection, case_id: int, staff_id: int, notice: Reply) -> int:
    """Take a waiting case: from here on only this caseworker speaks. Returns the fence to answer with.

    What the bot has not yet sent is withdrawn, notices apart. Raises CaseTaken when the case does not wait.
    """
    row = connection.execute(
        f"UPDATE cases SET state = 'human', holder = :staff, claimed_at = {NOW}, answered_at = {NOW},"
        " for_staff = NULL, for_lang = '', for_topic = '' WHERE id = :id AND state = 'waiting'"
        " RETURNING conversation_id",
        {"staff": staff_id, "id": case_id},
    ).fetchone()
    if row is None:
        raise CaseTaken(case_id)
    conversation = row["conversation_id"]
    fence = change_speaker(connection, conversation, "human", staff_id)
    withdraw_unsent(connection, conversation)
    lines.tell(connection, conversation, notice, f"claim/{case_id}/{fence}")
    return fence


def _next(connection: Connection, conversation: int) -> tuple[int, int]:
    row = connection.execute(
        f"UPDATE conversations SET next_seq = next_seq + 1, updated_at = {NOW},"
        f" outgoing_after = CASE WHEN outgoing = 0 THEN {NOW} ELSE outgoing_after END, outgoing = outgoing + 1"
        " WHERE id = :id RETURNING next_seq - 1 AS seq, address_id",
        {"id": conversation},
    ).fetchone()
    return row["seq"], row["address_id"]


def reply(
    connection: Connection,
    case_id: int,
    staff_id: int,
    fence: int,
    form_id: str,
    text: Reply,
    reading: Mapping[str, Any] = {},
) -> int:
    """A caseworker's message. The same form sent twice is one message. Returns its sequence number.

    `reading` is what the desk alone sees of it: under `original` the Chinese that the citizen got in another language.
    Raises NotHolder when somebody else speaks now.
    """
    case = get(connection, case_id)
    conversation = case.conversation if case else 0
    key = lines.retry_key(conversation, f"staff/{staff_id}/{form_id}", 0)
    done = connection.one("SELECT first_seq FROM outbox WHERE retry_key = :key", {"key": key})
    if done is not None:
        return int(done["first_seq"])
    held = connection.one(
        "SELECT 1 FROM conversations WHERE id = :id AND speaker = 'human' AND holder = :staff"
        " AND speaker_fence = :fence",
        {"id": conversation, "staff": staff_id, "fence": fence},
    )
    if held is None:
        raise NotHolder(case_id)
    seq, address = _next(connection, conversation)
    kept = json.dumps(dict(reading), ensure_ascii=False) if reading else ""
    lines.add_message(connection, conversation, seq, "staff", address, text, "queued", staff_id, kept)
    lines.add_outgoing(connection, conversation, address, (seq, seq), "staff", Notice.NONE, fence, key)
    connection.execute(
        f"UPDATE cases SET answered_at = {NOW}, first_answer_at = coalesce(first_answer_at, {NOW}),"
        " parked_at = NULL, parked_until = NULL WHERE id = :id",
        {"id": case_id},
    )
    connection.execute(
        "DELETE FROM drafts WHERE case_id = :case AND staff_id = :staff", {"case": case_id, "staff": staff_id}
    )
    return seq


def close(
    connection: Connection, case_id: int, staff_id: int, fence: int, notice: Reply, outcome: str = "answered"
) -> None:
    """End a held case: the bot is back and says so. Raises NotHolder when it is not held by this caseworker."""
    row = connection.execute(
        f"UPDATE cases SET state = 'closed', closed_at = {NOW}, outcome = :outcome, parked_at = NULL,"
        " parked_until = NULL WHERE id = :id AND state = 'human' AND holder = :staff"
        " AND EXISTS (SELECT 1 FROM conversations v WHERE v.id = conversation_id AND v.speaker_fence = :fence)"
        " RETURNING conversation_id",
        {"id": case_id, "staff": staff_id, "fence": fence, "outcome": outcome},
    ).fetchone()
    if row is None:
        raise NotHolder(case_id)
    fresh = change_speaker(connection, row["conversation_id"], "bot", None)
    lines.tell(connection, row["conversation_id"], notice, f"close/{case_id}/{fresh}")
    mark_end(connection, case_id)


def mark_end(connection: Connection, case_id: int) -> None:
    """What was said so far belongs to a closed case, nothing that comes later."""
    connection.execute(
        "UPDATE cases SET closed_seq = (SELECT next_seq - 1 FROM conversations v WHERE v.id = conversation_id)"
        " WHERE id = :id",
        {"id": case_id},
    )


def held_too_long(connection: Connection, seconds: float) -> list[tuple[CaseRow, float]]:
    """Held cases whose citizen waits for an answer longer than `seconds`, and since when (Unix seconds).

    Waiting begins with the first message after the caseworker's last one that was not taken back, or when a parked
    case is due.
    """
    rows = connection.all(
        f"SELECT h.*, {_WAITS_SINCE} AS waits_since FROM ({_SELECT_HELD}) h"
        f" WHERE h.wrote_at IS NOT NULL AND {_WAITS_SINCE} <= {NOW} - :seconds",
        {"seconds": seconds},
    )
    return [(case_of(row), row["waits_since"]) for row in rows]


_WAITS_SINCE = "CASE WHEN coalesce(h.parked_until, 0) > h.wrote_at THEN h.parked_until ELSE h.wrote_at END"
_SELECT_HELD = (
    SELECT.replace(
        " FROM cases c",
        ", (SELECT min(m.at) FROM messages m WHERE m.conversation_id = c.conversation_id AND m.author = 'citizen'"
        " AND m.status <> 'unsent' AND m.at > c.answered_at) AS wrote_at FROM cases c",
    )
    + " WHERE c.state = 'human'"
)


def back_to_queue(connection: Connection, case: CaseRow, notice: Reply) -> bool:
    """Return a held case to the queue and tell the citizen; False when it moved meanwhile."""
    row = connection.execute(
        "UPDATE cases SET state = 'waiting', holder = NULL, for_lang = :for_lang"
        " WHERE id = :id AND state = 'human' AND answered_at = :answered RETURNING conversation_id",
        {"id": case.id, "answered": case.answered_at, "for_lang": duty.suggested(connection, case.lang)},
    ).fetchone()
    if row is None:
        return False
    fence = change_speaker(connection, case.conversation, "waiting", None)
    lines.tell(connection, case.conversation, notice, f"queue/{case.id}/{fence}")
    return True


def speaker(connection: Connection, conversation: int) -> dict[str, Any] | None:
    """Who speaks in a conversation now: speaker, holder, fence of the change, language, whether ended."""
    row = connection.one(
        "SELECT speaker, holder, speaker_fence, lang, ended, state FROM conversations WHERE id = :id",
        {"id": conversation},
    )
    return None if row is None else dict(row)


def unnoticed(connection: Connection, limit: int = 20) -> list[CaseRow]:
    """Waiting cases the staff group was not told of, or not of their urgency, oldest first."""
    rows = connection.all(
        f"{SELECT} WHERE c.state = 'waiting' AND c.noticed < 1 + c.urgent ORDER BY c.id LIMIT :limit", {"limit": limit}
    )
    return [case_of(row) for row in rows]


def noticed(connection: Connection, case: CaseRow) -> None:
    """The staff group was told."""
    connection.execute(
        "UPDATE cases SET noticed = :level WHERE id = :id AND noticed < :level",
        {"level": 1 + case.urgent, "id": case.id},
    )
