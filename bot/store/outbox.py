"""Deliveries: one at a time per conversation, in the order of their turns, only while their fence holds."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.messages import Address, reply_from_doc
from bot.store.codec import decode
from bot.store.database import NOW, Connection, Row
from bot.store.records import Delivery, Outcome

STATUS = {"sent": "sent", "probably": "probably", "dead": "failed"}


def lease(connection: Connection, owner: str, limit: int, seconds: float) -> list[Delivery]:
    """Take the first open delivery of up to `limit` conversations, longest due first."""
    rows = connection.all(
        f"UPDATE conversations SET sending_by = :owner, sending_until = {NOW} + :seconds"
        f" WHERE id IN (SELECT id FROM conversations WHERE outgoing > 0 AND outgoing_after <= {NOW}"
        f" AND sending_until <= {NOW} ORDER BY outgoing_after LIMIT :limit)"
        " RETURNING id, speaker_fence",
        {"owner": owner, "seconds": seconds, "limit": limit},
    )
    taken = (_take(connection, row["id"], row["speaker_fence"]) for row in rows)
    return [delivery for delivery in taken if delivery is not None]


def _take(connection: Connection, conversation: int, speaker_fence: int) -> Delivery | None:
    while True:
        row = connection.one(
            f"SELECT o.*, a.channel, a.account, a.user_id, {NOW} - o.created_at AS age, {NOW} AS now"
            " FROM outbox o JOIN addresses a ON a.id = o.address_id"
            " WHERE o.conversation_id = :id AND o.state IN ('queued', 'sending') ORDER BY o.id LIMIT 1",
            {"id": conversation},
        )
        if row is None:
            connection.execute(
                "UPDATE conversations SET outgoing = 0, sending_until = 0 WHERE id = :id", {"id": conversation}
            )
            return None
        if holds(row, speaker_fence):
            connection.execute(
                "UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = :id", {"id": row["id"]}
            )
            return _delivery(connection, row)
        withdraw(connection, row)


def holds(row: Row, speaker_fence: int) -> bool:
    """A bot's answer may go only if no other speaker took over after it was made; notices always may."""
    return bool(row["author"] == "staff" or row["notice"] or row["fence"] >= speaker_fence)


def withdraw(connection: Connection, row: Row) -> None:
    """Keep a delivery from going out; the transcript keeps it as not sent."""
    connection.execute(f"UPDATE outbox SET state = 'withdrawn', settled_at = {NOW} WHERE id = :id", {"id": row["id"]})
    _mark(connection, row["conversation_id"], row["first_seq"], row["last_seq"], "withdrawn")
    connection.execute(
        "UPDATE conversations SET outgoing = outgoing - 1 WHERE id = :id", {"id": row["conversation_id"]}
    )


def _mark(connection: Connection, conversation: int, first: int, last: int, status: str) -> None:
    connection.execute(
        "UPDATE messages SET status = :status WHERE conversation_id = :id AND seq BETWEEN :first AND :last",
        {"status": status, "id": conversation, "first": first, "last": last},
    )


def _delivery(connection: Connection, row: Row) -> Delivery:
    bodies = connection.all(
        "SELECT body FROM messages WHERE conversation_id = :id AND seq BETWEEN :first AND :last ORDER BY seq",
        {"id": row["conversation_id"], "first": row["first_seq"], "last": row["last_seq"]},
    )
    return Delivery(
        id=row["id"],
        conversation=row["conversation_id"],
        address=Address(row["channel"], row["account"], row["user_id"]),
        in_reply_to=row["in_reply_to"],
        retry_key=row["retry_key"],
        attempts=row["attempts"] + 1,
        created_at=row["created_at"],
        age=row["age"],
        replies=tuple(reply_from_doc(json.loads(decode(body["body"]))) for body in bodies),
        author=row["author"],
        reply_token=row["reply_token"] if row["token_until"] > row["now"] else "",
    )


def finish(connection: Connection, outcomes: Sequence[Outcome]) -> bool:
    """Write down how deliveries ended and let the next ones of their conversations go; True when one waits."""
    sent = [outcome.delivery.id for outcome in outcomes if outcome.result == "sent" and not outcome.error]
    others = [outcome for outcome in outcomes if outcome.result != "sent" or outcome.error]
    waits = [_finish(connection, outcome) for outcome in others]
    return _all_sent(connection, sent) or any(waits)


def _all_sent(connection: Connection, ids: Sequence[int]) -> bool:
    """The common case for many at once: a conversation has at most one delivery on the wire."""
    if not ids:
        return False
    rows = connection.all(
        f"UPDATE outbox SET state = 'sent', settled_at = {NOW}, error = ''"
        f" WHERE id IN ({','.join(map(str, ids))}) AND state = 'sending' RETURNING id, conversation_id"
    )
    if not rows:
        return False
    settled = ",".join(str(row["id"]) for row in rows)
    connection.execute(
        "UPDATE messages SET status = 'sent' FROM outbox o WHERE messages.conversation_id = o.conversation_id"
        f" AND messages.seq BETWEEN o.first_seq AND o.last_seq AND o.id IN ({settled})"
    )
    left = connection.all(
        f"UPDATE conversations SET outgoing = outgoing - 1, outgoing_after = {NOW}, sending_until = 0, sending_by = ''"
        f" WHERE id IN ({','.join(str(row['conversation_id']) for row in rows)}) RETURNING outgoing"
    )
    return any(row["outgoing"] > 0 for row in left)


def _finish(connection: Connection, outcome: Outcome) -> bool:
    if outcome.result == "retry":
        return _retry(connection, outcome)
    row = connection.execute(
        f"UPDATE outbox SET state = :state, settled_at = {NOW}, error = :error WHERE id = :id AND state = 'sending'"
        " RETURNING conversation_id, first_seq, last_seq",
        {"state": outcome.result, "error": outcome.error, "id": outcome.delivery.id},
    ).fetchone()
    if row is None:
        return False  # forgotten or withdrawn meanwhile
    conversation = row["conversation_id"]
    _mark(connection, conversation, row["first_seq"], row["last_seq"], STATUS[outcome.result])
    left = connection.execute(
        f"UPDATE conversations SET outgoing = outgoing - 1, outgoing_after = {NOW}, sending_until = 0, sending_by = ''"
        " WHERE id = :id RETURNING outgoing",
        {"id": conversation},
    ).fetchone()
    return bool(left["outgoing"] > 0)


def _retry(connection: Connection, outcome: Outcome) -> bool:
    row = connection.one("SELECT * FROM outbox WHERE id = :id AND state = 'sending'", {"id": outcome.delivery.id})
    if row is None:
        return False
    conversation = connection.execute(
        f"UPDATE conversations SET outgoing_after = {NOW} + :delay, sending_until = 0, sending_by = ''"
        " WHERE id = :id RETURNING speaker_fence",
        {"delay": outcome.delay, "id": row["conversation_id"]},
    ).fetchone()
    if not holds(row, conversation["speaker_fence"]):
        withdraw(connection, row)
        return True
    connection.execute(
        "UPDATE outbox SET state = 'queued', error = :error WHERE id = :id", {"error": outcome.error, "id": row["id"]}
    )
    return True


def next_due(connection: Connection) -> float | None:
    """Seconds until the next delivery is due, or None when none waits."""
    row = connection.one(
        f"SELECT min(max(outgoing_after, sending_until)) - {NOW} AS wait FROM conversations WHERE outgoing > 0"
    )
    return None if row is None or row["wait"] is None else max(0.0, float(row["wait"]))
