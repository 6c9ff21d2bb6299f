"""A message is unsent or edited: its text goes, what was derived from it goes too, a tombstone stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.messages import Address, Reply, reply_from_doc, reply_to_doc
from bot.store import attachments, masked, ratings
from bot.store.codec import decode, encode, public
from bot.store.database import NOW, Connection, Row

UNSENT, EDITED = "unsent", "edited"
QUOTED_AT_LEAST = 4  # shorter pieces stand in texts by chance
TOMBSTONE = public(json.dumps(reply_to_doc(Reply("", ""))))
BLANK_EVENT = public(json.dumps({"gone": True}))  # compared in SQL


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was found of a message: whether anything was, whether it waited for its turn, the facts it had told, whether
    it held the words of a rating."""

    found: bool = False
    pending: bool = False
    facts: tuple[str, ...] = ()
    words: bool = False


def remember(connection: Connection, address: Address, message_id: str, how: str) -> None:
    """A copy of this message that comes later stays gone; once unsent it stays so."""
    connection.execute(
        f"INSERT INTO gone (key, day, how) VALUES (:key, CAST({NOW} / 86400 AS INTEGER), :how)"
        " ON CONFLICT (key) DO UPDATE SET how = CASE WHEN gone.how = 'unsent' THEN gone.how ELSE excluded.how END",
        {"key": _key(address, message_id), "how": how},
    )


def fate(connection: Connection, address: Address, message_id: str) -> str:
    """`unsent`, `edited`, or empty for a message that stands."""
    if not message_id:
        return ""
    row = connection.one("SELECT how FROM gone WHERE key = :key", {"key": _key(address, message_id)})
    return "" if row is None else str(row["how"])


def _key(address: Address, message_id: str) -> bytes:
    text = "\x1f".join((address.channel, address.account, address.user, message_id))
    return hashlib.sha256(text.encode()).digest()


def last_message(connection: Connection, address_id: int) -> tuple[list[Row], list[Row]]:
    """(waiting events, lines) of the newest message of an address that is not gone; a tapped button is no message."""
    waiting = connection.all(
        "SELECT * FROM inbox WHERE address_id = :id AND state = 'new' AND body <> :gone AND message_id <> ''"
        " ORDER BY sent_ms DESC, id DESC LIMIT 1",
        {"id": address_id, "gone": BLANK_EVENT},
    )
    if waiting:
        return waiting, []
    lines = connection.all(
        "SELECT * FROM messages WHERE address_id = :id AND author = 'citizen' AND status <> 'unsent'"
        " AND message_id <> '' ORDER BY seq DESC LIMIT 1",
        {"id": address_id},
    )
    return [], lines


def of_message(connection: Connection, address_id: int, message_id: str) -> tuple[list[Row], list[Row]]:
    """(waiting events, lines) of a message by the platform's id."""
    key = {"address": address_id, "message": message_id}
    waiting = connection.all("SELECT * FROM inbox WHERE address_id = :address AND message_id = :message", key)
    lines = connection.all(
        "SELECT * FROM messages WHERE address_id = :address AND message_id = :message AND status <> 'unsent'", key
    )
    return waiting, lines


def take_back(
    connection: Connection, conversation: int, waiting: Sequence[Row], lines: Sequence[Row], how: str, keeps_text: bool
) -> TakenBack:
    """Blank what was said and drop what came of it.

    A turn that is being computed from it is refused: the fence moves on. `keeps_text`: an edit where staff see both
    versions; what was derived goes all the same.
    """
    if not waiting and not lines:
        return TakenBack()
    connection.many(
        "UPDATE inbox SET body = :body, reply_token = '' WHERE id = :id",
        [{"id": row["id"], "body": BLANK_EVENT} for row in waiting],
    )
    connection.execute(
        "DELETE FROM inbox WHERE conversation_id = :id AND state = 'failed' AND body = :body",
        {"id": conversation, "body": BLANK_EVENT},
    )
    connection.execute(
        "UPDATE conversations SET fence = fence + 1, leased_until = 0, leased_by = '', suspect = 0"
        f" WHERE id = :id AND leased_until > {NOW}",
        {"id": conversation},
    )
    events = [row["event_id"] for row in (*waiting, *lines)]
    if not keeps_text:
        _blank(connection, conversation, lines, how)
        attachments.drop(connection, conversation, events)
    else:
        connection.many("UPDATE messages SET status = 'edited' WHERE id = :id", [{"id": row["id"]} for row in lines])
    words = [ratings.drop_words(connection, conversation, event) for event in events]
    facts = _drop_derived(connection, conversation, events, answers=not keeps_text and how == UNSENT)
    return TakenBack(True, bool(waiting), facts, any(words))


def _blank(connection: Connection, conversation: int, lines: Sequence[Row], how: str) -> None:
    said = [reply_from_doc(json.loads(decode(row["body"]))).text for row in lines]
    connection.many(
        "UPDATE messages SET body = :body, reading = '', status = :status WHERE id = :id",
        [{"id": row["id"], "body": TOMBSTONE, "status": how} for row in lines],
    )
    for text in said:
        if len(text.strip()) >= QUOTED_AT_LEAST:
            _unquote(connection, conversation, text.strip())


def _unquote(connection: Connection, conversation: int, text: str) -> None:
    """Where a caseworker quoted the text, a dash stands instead."""
    for row in connection.all(
        "SELECT id, body FROM messages WHERE conversation_id = :id AND author = 'staff'", {"id": conversation}
    ):
        doc = json.loads(decode(row["body"]))
        if text in doc["text"]:
            doc["text"] = doc["text"].replace(text, "—")
            connection.execute(
                "UPDATE messages SET body = :body WHERE id = :id",
                {"id": row["id"], "body": encode(json.dumps(doc, ensure_ascii=False))},
            )
    for row in connection.all(
        "SELECT d.case_id, d.staff_id, d.body FROM drafts d JOIN cases c ON c.id = d.case_id"
        " WHERE c.conversation_id = :id",
        {"id": conversation},
    ):
        draft = decode(row["body"])
        if text in draft:
            connection.execute(
                "UPDATE drafts SET body = :body WHERE case_id = :case AND staff_id = :staff",
                {"case": row["case_id"], "staff": row["staff_id"], "body": encode(draft.replace(text, "—"))},
            )


def _drop_derived(connection: Connection, conversation: int, events: Sequence[str], answers: bool) -> tuple[str, ...]:
    """Facts, rows of the unanswered, answers not yet sent; with `answers` also what the bot said to it."""
    dropped: list[str] = []
    for event in events:
        key = {"id": conversation, "event": event}
        dropped += [
            row["fact"]
            for row in connection.execute(
                "DELETE FROM facts WHERE conversation_id = :id AND event_id = :event RETURNING fact", key
            ).fetchall()
        ]
        connection.execute("DELETE FROM unanswered WHERE conversation_id = :id AND event_id = :event", key)
        connection.execute("DELETE FROM misread WHERE conversation_id = :id AND event_id = :event", key)
        masked.drop(connection, conversation, event)
        _withdraw_answers(connection, conversation, event, answers)
    return tuple(dropped)


def _withdraw_answers(connection: Connection, conversation: int, event: str, blank: bool) -> None:
    """What has not left yet does not leave; hotlines and hand-over notices do."""
    for row in connection.all(
        "SELECT id, state, first_seq, last_seq FROM outbox WHERE conversation_id = :id AND in_reply_to = :event"
        " AND author = 'bot' AND notice = ''",
        {"id": conversation, "event": event},
    ):
        lines = {"id": conversation, "first": row["first_seq"], "last": row["last_seq"]}
        if row["state"] in ("queued", "waiting"):
            connection.execute(
                f"UPDATE outbox SET state = 'withdrawn', settled_at = {NOW} WHERE id = :id", {"id": row["id"]}
            )
            connection.execute(
                "UPDATE messages SET status = 'withdrawn' WHERE conversation_id = :id"
                " AND seq BETWEEN :first AND :last AND status IN ('queued', 'undelivered')",
                lines,
            )
        if row["state"] == "queued":
            connection.execute("UPDATE conversations SET outgoing = outgoing - 1 WHERE id = :id", {"id": conversation})
        if blank:  # a line that is on the wire now keeps its state until it is there
            connection.execute(
                "UPDATE messages SET body = :body,"
                " status = CASE WHEN status IN ('withdrawn', 'queued') THEN status ELSE 'unsent' END"
                " WHERE conversation_id = :id AND seq BETWEEN :first AND :last",
                lines | {"body": TOMBSTONE},
            )
