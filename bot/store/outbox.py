"""Deliveries: one at a time per conversation, in the order of their turns, only while their fence holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from bot.messages import Address, reply_from_doc
from bot.store import inbox
from bot.store.codec import Unreadable, decode
from bot.store.database import NOW, Connection, Row
from bot.store.records import Delivery, Line, Outcome

STATUS = {"sent": "sent", "probably": "probably", "dead": "failed", "waiting": "undelivered"}
TOGETHER = 12  # rows that one delivery takes at most
_OPEN = (
    f"SELECT o.*, a.channel, a.account, a.user_id, a.blocked, {NOW} - o.created_at AS age, {NOW} AS now"
    " FROM outbox o JOIN addresses a ON a.id = o.address_id"
    " WHERE o.conversation_id = :id AND o.state IN ('queued', 'sending') ORDER BY o.id LIMIT :limit"
)


def lease(
    connection: Connection, owner: str, limit: int, seconds: float, bundling: Collection[str] = ()
) -> list[Delivery]:
    """Take the first open delivery of up to `limit` conversations, longest due first.

    On the channels in `bundling` everything that waits for the same address goes together.
    """
    rows = connection.all(
        f"UPDATE conversations SET sending_by = :owner, sending_until = {NOW} + :seconds"
        f" WHERE id IN (SELECT id FROM conversations WHERE outgoing > 0 AND outgoing_after <= {NOW}"
        f" AND sending_until <= {NOW} ORDER BY outgoing_after LIMIT :limit{connection.skip_locked})"
        " RETURNING id, speaker_fence",
        {"owner": owner, "seconds": seconds, "limit": limit},
    )
    taken = (_take(connection, row["id"], row["speaker_fence"], bundling) for row in rows)
    return [delivery for delivery in taken if delivery is not None]


def _take(connection: Connection, conversation: int, speaker_fence: int, bundling: Collection[str]) -> Delivery | None:
    limit = TOGETHER if bundling else 1
    while rows := connection.all(_OPEN, {"id": conversation, "limit": limit}):
        first = rows[0]
        if not holds(first, speaker_fence):
            withdraw(connection, first)
        elif _overtakes(connection, first):
            _wait_behind(connection, first)
        elif first["blocked"]:
            inbox.blocks(connection, conversation, first["address_id"])
        else:
            together = [first, *_companions(rows, speaker_fence)] if first["channel"] in bundling else [first]
            try:
                delivery = _delivery(connection, together)
            except Unreadable:  # other people's go on; this one is tried again when its lease has run out
                return None
            if delivery.lines:
                _mark_sending(connection, together)
                return delivery
            for row in together:  # everything in it was taken back
                withdraw(connection, row)
    connection.execute("UPDATE conversations SET outgoing = 0, sending_until = 0 WHERE id = :id", {"id": conversation})
    return None


def _companions(rows: Sequence[Row], speaker_fence: int) -> list[Row]:
    """The rows that go with the first: what was once tried together is tried again as it was."""
    first, found = rows[0], []
    tokens = _fresh(first)
    for row in rows[1:]:
        same = row["address_id"] == first["address_id"] and row["batch"] == first["batch"]
        tokens |= _fresh(row)
        if not (same and holds(row, speaker_fence)) or len(tokens) > 1:  # a token of its own sends it for nothing
            break
        found.append(row)
    return found


def _fresh(row: Row) -> set[str]:
    return {row["reply_token"]} if row["reply_token"] and row["token_until"] > row["now"] else set()


def _overtakes(connection: Connection, row: Row) -> bool:
    """Does an answer of an earlier turn still wait for the person? People's answers and notices go all the same."""
    if row["author"] == "staff" or row["notice"]:
        return False
    earlier = connection.one(
        "SELECT 1 FROM outbox WHERE conversation_id = :id AND state = 'waiting' AND id < :row LIMIT 1",
        {"id": row["conversation_id"], "row": row["id"]},
    )
    return earlier is not None


def _wait_behind(connection: Connection, row: Row) -> None:
    """What waits goes along by this answer's token; without a fresh one it waits too."""
    conversation = row["conversation_id"]
    if _fresh(row):
        go_on(connection, conversation, row["address_id"], row["reply_token"], row["token_until"])
        return
    connection.execute(
        "UPDATE outbox SET state = 'waiting', batch = 0, error = 'more' WHERE id = :id", {"id": row["id"]}
    )
    _mark(connection, conversation, row["first_seq"], row["last_seq"], "undelivered")
    connection.execute("UPDATE conversations SET outgoing = outgoing - 1 WHERE id = :id", {"id": conversation})


def _mark_sending(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, batch = :batch"
        f" WHERE id IN ({_ids(row['id'] for row in rows)})",
        {"batch": rows[0]["id"]},
    )


def _ids(numbers: Iterable[int]) -> str:
    return ",".join(str(int(number)) for number in numbers)


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
        "UPDATE messages SET status = :status WHERE conversation_id = :id AND seq BETWEEN :first AND :last"
        " AND status IN ('queued', 'undelivered')",
        {"status": status, "id": conversation, "first": first, "last": last},
    )


def _delivery(connection: Connection, rows: Sequence[Row]) -> Delivery:
    first = rows[0]
    token = _token(connection, rows)
    interrupted = first["state"] == "sending" and bool(token)  # by a crash: the token may have been used
    return Delivery(
        rows=tuple(row["id"] for row in rows),
        conversation=first["conversation_id"],
        address=Address(first["channel"], first["account"], first["user_id"]),
        in_reply_to=rows[-1]["in_reply_to"],
        retry_key=first["retry_key"],
        attempts=first["attempts"] + 1,
        created_at=first["created_at"],
        age=first["age"],
        lines=tuple(line for row in rows for line in _lines(connection, row)),
        author="staff" if any(row["author"] == "staff" for row in rows) else "bot",
        reply_token=token,
        skip=first["parts"],
        unsure=bool(first["unsure"]) or interrupted,
    )


def _lines(connection: Connection, row: Row) -> list[Line]:
    found = connection.all(
        "SELECT seq, body FROM messages WHERE conversation_id = :id AND seq BETWEEN :first AND :last"
        " AND status IN ('queued', 'undelivered') ORDER BY seq",
        {"id": row["conversation_id"], "first": row["first_seq"], "last": row["last_seq"]},
    )
    lines = [Line(row["id"], each["seq"], reply_from_doc(json.loads(decode(each["body"])))) for each in found]
    return [line for line in lines if line.reply.text or line.reply.cards or line.reply.choices]


def _token(connection: Connection, rows: Sequence[Row]) -> str:
    """The newest fresh token among the rows, else one that a message of the person left unused; it is spent now."""
    for row in reversed(rows):
        if _fresh(row):
            connection.execute(
                "UPDATE outbox SET reply_token = '' WHERE conversation_id = :id AND reply_token = :token"
                f" AND state IN ('queued', 'waiting') AND id NOT IN ({_ids(each['id'] for each in rows)})",
                {"id": row["conversation_id"], "token": row["reply_token"]},
            )
            return str(row["reply_token"])
    left = connection.execute(
        "UPDATE addresses SET token_until = 0 WHERE id = :id AND token_until > :now AND reply_token <> ''"
        " RETURNING reply_token, id",
        {"id": rows[0]["address_id"], "now": rows[0]["now"]},
    ).fetchone()
    if left is None:
        return ""
    connection.execute(
        "UPDATE outbox SET reply_token = :token, token_until = :until WHERE id = :id",
        {"token": left["reply_token"], "until": rows[0]["now"] + 10.0, "id": rows[-1]["id"]},
    )
    return str(left["reply_token"])


def leave_token(connection: Connection, address_id: int, token: str, until: float) -> None:
    """Nothing answered a message: whatever is said to the person while its token is fresh may use it."""
    connection.execute(
        "UPDATE addresses SET reply_token = :token, token_until = :until WHERE id = :id",
        {"token": token, "until": until, "id": address_id},
    )


def finish(connection: Connection, outcomes: Sequence[Outcome]) -> bool:
    """Write down how deliveries ended and let the next ones of their conversations go; True when one waits."""
    plain = [outcome for outcome in outcomes if outcome.result == "sent" and not outcome.error]
    others = [outcome for outcome in outcomes if outcome.result != "sent" or outcome.error]
    waits = [_finish(connection, outcome) for outcome in others]
    return _all_sent(connection, [row for outcome in plain for row in outcome.delivery.rows]) or any(waits)


def _all_sent(connection: Connection, ids: Sequence[int]) -> bool:
    """The common case for many at once."""
    if not ids:
        return False
    rows = connection.all(
        f"UPDATE outbox SET state = 'sent', settled_at = {NOW}, error = ''"
        f" WHERE id IN ({_ids(ids)}) AND state = 'sending' RETURNING id, conversation_id"
    )
    if not rows:
        return False
    connection.execute(
        "UPDATE messages SET status = 'sent' FROM outbox o WHERE messages.conversation_id = o.conversation_id"
        f" AND messages.seq BETWEEN o.first_seq AND o.last_seq AND o.id IN ({_ids(row['id'] for row in rows)})"
        " AND messages.status IN ('queued', 'undelivered')"
    )
    done = Counter(row["conversation_id"] for row in rows)
    return any(
        [
            _settled(connection, [conversation for conversation, rows in done.items() if rows == count], count)
            for count in set(done.values())
        ]
    )


def _settled(connection: Connection, conversations: Iterable[int], rows: int) -> bool:
    """So many rows of each conversation are done; True when others are left."""
    left = connection.all(
        f"UPDATE conversations SET outgoing = outgoing - :rows, outgoing_after = {NOW}, sending_until = 0,"
        f" sending_by = '' WHERE id IN ({_ids(conversations)}) RETURNING outgoing",
        {"rows": rows},
    )
    return any(row["outgoing"] > 0 for row in left)


def _finish(connection: Connection, outcome: Outcome) -> bool:
    """One delivery that was not simply sent: what arrived of it is marked, the rest goes as the outcome says."""
    delivery = outcome.delivery
    rows = connection.all(f"SELECT * FROM outbox WHERE id IN ({_ids(delivery.rows)}) AND state = 'sending' ORDER BY id")
    if not rows:
        return False  # forgotten or withdrawn meanwhile
    if outcome.moved:
        inbox.moves(connection, rows[0]["address_id"], outcome.moved)
    arrived = len(delivery.lines) if outcome.result == "sent" else outcome.done
    for line in delivery.lines[:arrived]:
        _mark(connection, delivery.conversation, line.seq, line.seq, "sent")
    open_rows = {line.row for line in delivery.lines[arrived:]}
    done = [row["id"] for row in rows if row["id"] not in open_rows]
    left = [row for row in rows if row["id"] in open_rows]
    if done:
        connection.execute(
            f"UPDATE outbox SET state = 'sent', settled_at = {NOW}, error = :error WHERE id IN ({_ids(done)})",
            {"error": outcome.error if outcome.result == "sent" else ""},
        )
    if outcome.result == "retry":
        return _retry(connection, outcome, left, len(done))
    for row in left:
        _settle(connection, outcome, row)
    more = _settled(connection, [delivery.conversation], len(rows))
    if outcome.blocked:
        inbox.blocks(connection, delivery.conversation, rows[0]["address_id"])
    return more


def _settle(connection: Connection, outcome: Outcome, row: Row) -> None:
    """A row whose lines are sent no further now."""
    first_open = row["id"] == next((line.row for line in outcome.delivery.lines[outcome.done :]), 0)
    connection.execute(
        "UPDATE outbox SET state = :state, settled_at = CASE WHEN :state = 'waiting' THEN NULL ELSE"
        f" {NOW} END, error = :error, parts = :parts, batch = 0, unsure = 0, reply_token = '' WHERE id = :id",
        {
            "state": outcome.result,
            "error": outcome.error,
            "parts": outcome.parts if first_open else 0,
            "id": row["id"],
        },
    )
    _mark(connection, row["conversation_id"], row["first_seq"], row["last_seq"], STATUS[outcome.result])


def _retry(connection: Connection, outcome: Outcome, rows: Sequence[Row], done: int) -> bool:
    conversation = connection.execute(
        f"UPDATE conversations SET outgoing = outgoing - :done, outgoing_after = {NOW} + :delay, sending_until = 0,"
        " sending_by = '' WHERE id = :id RETURNING speaker_fence",
        {"delay": outcome.delay, "id": outcome.delivery.conversation, "done": done},
    ).fetchone()
    for place, row in enumerate(rows):
        if not holds(row, conversation["speaker_fence"]):
            withdraw(connection, row)
            continue
        connection.execute(
            "UPDATE outbox SET state = 'queued', error = :error, parts = :parts, unsure = :unsure,"
            " attempts = attempts - :held,"
            " batch = CASE WHEN :changed THEN 0 ELSE batch END,"
            " reply_token = CASE WHEN :changed THEN '' ELSE reply_token END WHERE id = :id",
            {
                "error": outcome.error,
                "parts": outcome.parts if place == 0 else 0,
                "unsure": int(outcome.unsure),
                "held": int(outcome.held),
                "changed": bool(done or outcome.done or outcome.parts != outcome.delivery.skip),
                "id": row["id"],
            },
        )
    return True


def waiting(connection: Connection, conversation: int) -> bool:
    """Are there answers that could not be delivered until the person writes again?"""
    found = connection.one(
        "SELECT 1 FROM outbox WHERE conversation_id = :id AND state = 'waiting' LIMIT 1", {"id": conversation}
    )
    return found is not None


def go_on(connection: Connection, conversation: int, address_id: int, token: str, until: float) -> int:
    """The person wrote: what waited goes out now, to where they wrote from; how many rows there were."""
    rows = connection.execute(
        "UPDATE outbox SET state = 'queued', address_id = :address, reply_token = :token, token_until = :until,"
        " error = '', parts = CASE WHEN address_id = :address THEN parts ELSE 0 END"
        " WHERE conversation_id = :id AND state = 'waiting' RETURNING first_seq, last_seq",
        {"id": conversation, "address": address_id, "token": token, "until": until},
    ).fetchall()
    connection.many(
        "UPDATE messages SET status = 'queued' WHERE conversation_id = :id AND seq BETWEEN :first AND :last"
        " AND status = 'undelivered'",
        [{"id": conversation, "first": row["first_seq"], "last": row["last_seq"]} for row in rows],
    )
    connection.execute(
        f"UPDATE conversations SET outgoing_after = CASE WHEN outgoing = 0 THEN {NOW} ELSE outgoing_after END,"
        " outgoing = outgoing + :rows WHERE id = :id",
        {"rows": len(rows), "id": conversation},
    )
    return len(rows)


def next_due(connection: Connection) -> float | None:
    """Seconds until the next delivery is due, or None when none waits."""
    row = connection.one(
        "SELECT min(CASE WHEN outgoing_after > sending_until THEN outgoing_after ELSE sending_until END)"
        f" - {NOW} AS wait FROM conversations WHERE outgoing > 0"
    )
    return None if row is None or row["wait"] is None else max(0.0, float(row["wait"]))
