"""What has been kept long enough goes: what was said, special answers, cases, what never arrived, hashes of events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.messages import Retention
from bot.store import erasing, masked, unanswered
from bot.store.database import NOW, Connection, Database

DAY = 86400.0
AT_ONCE = 100  # conversations a step, and five times as many cases: nobody else waits long for the writer

_TODAY = f"CAST({NOW} / 86400 AS INTEGER)"
_AT_REST = (  # nothing is under way, and nothing forbids it
    "v.pending = 0 AND v.outgoing = 0"
    " AND NOT EXISTS (SELECT 1 FROM legal_holds h WHERE h.conversation_id = v.id)"
    " AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.conversation_id = v.id AND c.state <> 'closed')"
)
# Last used long ago. One that leads to no address was purged already; a request about it is answered first.
_RESTED = (
    f"SELECT v.id FROM conversations v WHERE v.updated_at < {NOW} - :chat AND {_AT_REST}"
    " AND v.address_id IS NOT NULL"
    f" AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.conversation_id = v.id AND c.closed_at > {NOW} - :chat)"
    " AND NOT EXISTS (SELECT 1 FROM privacy_requests p WHERE p.conversation_id = v.id AND p.state = 'open')"
)
# Answers of a special kind go first: not while a case is open, and some days after it closed.
_SPECIAL = (
    f"at < {NOW} - :special AND EXISTS (SELECT 1 FROM conversations v WHERE v.id = conversation_id AND {_AT_REST}"
    f" AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.conversation_id = v.id AND c.closed_at > {NOW} - :special))"
)
_FREE = " AND NOT EXISTS (SELECT 1 FROM legal_holds h WHERE h.conversation_id = {table}.conversation_id)"
_OLD_CASES = f"state = 'closed' AND closed_at < {NOW} - :case" + _FREE.format(table="cases")
_UNDELIVERED = f"state IN ('dead', 'waiting') AND created_at < {NOW} - :undelivered" + _FREE.format(table="outbox")
_MASKED = (  # words with a number in them: as long as a case may need them
    f"at < {NOW} - :loose AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.conversation_id = masked.conversation_id"
    f" AND (c.state <> 'closed' OR c.closed_at > {NOW} - :hidden))"
)
_ALONE = (  # (kind, table, condition): rows that go by themselves
    ("undelivered", "inbox", f"state = 'failed' AND accepted_at < {NOW} - :undelivered{_FREE.format(table='inbox')}"),
    ("hashes", "seen", f"day < {_TODAY} - :hash_days"),
    ("hashes", "gone", f"day < {_TODAY} - :hash_days"),
    ("unanswered", "unanswered", f"at < {NOW} - :unanswered{_FREE.format(table='unanswered')}"),
    ("misread", "misread", f"at < {NOW} - :unanswered{_FREE.format(table='misread')}"),
    ("masked", "masked", _MASKED + _FREE.format(table="masked")),
    ("links", "resume_links", f"until <= {NOW}"),
    ("links", "copy_links", f"until <= {NOW}"),
    ("requests", "privacy_requests", f"state <> 'open' AND settled_at < {NOW} - :case"),
    ("receipts", "erasures", f"day < {_TODAY} - :case_days"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """Rows of each kind that went, or would go; kinds of which there are none are left out. `rested`: conversations
    whose words went."""

    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them together."""
        return sum(self.counts.values())


def report(*parts: Mapping[str, int]) -> Report:
    """The parts added up."""
    kinds = sorted({kind for part in parts for kind in part})
    added = {kind: sum(part.get(kind, 0) for part in parts) for kind in kinds}
    return Report({kind: count for kind, count in added.items() if count})


def _params(sql: str, retention: Retention, special: Collection[str] = ()) -> dict[str, Any]:
    """The parameters that a statement names: an engine may refuse others."""
    known: dict[str, Any] = {
        "chat": retention.chat * DAY,
        "special": retention.special * DAY,
        "case": retention.case * DAY,
        "case_days": retention.case,
        "undelivered": retention.undelivered * DAY,
        "hash_days": retention.hashes,
        "unanswered": unanswered.KEPT_SECONDS,
        "loose": min(masked.WITHOUT_CASE_SECONDS, retention.masked * DAY),
        "hidden": retention.masked * DAY,
    }
    known |= {f"fact_{place}": name for place, name in enumerate(sorted(special))}
    return {name: value for name, value in known.items() if f":{name}" in sql}


def _among(special: Collection[str]) -> str:
    """The condition that a fact is one of these."""
    return f"fact IN ({', '.join(f':fact_{place}' for place in range(len(special)))})" if special else "1 = 0"


# -- what would go


def due(connection: Connection, retention: Retention, special: Collection[str]) -> Report:
    """What `purge` would do now."""
    found = []
    for kind, sql in _counted(special):
        row = connection.one(sql, _params(sql, retention, special))
        found.append({kind: int(row["n"]) if row else 0})
    return report(*found)


def _counted(special: Collection[str]) -> Iterator[tuple[str, str]]:
    yield "rested", f"SELECT count(*) AS n FROM ({_RESTED}) AS rested"
    for kind, table, condition in (*_ALONE, ("undelivered", "outbox", _UNDELIVERED), ("cases", "cases", _OLD_CASES)):
        yield kind, f"SELECT count(*) AS n FROM {table} WHERE {condition}"
    apart = {"outbox": f"NOT ({_UNDELIVERED})", "facts": f"NOT ({_SPECIAL} AND {_among(special)})"}
    apart |= {table: f"NOT ({condition})" for _, table, condition in _ALONE}
    yield "special", f"SELECT count(*) AS n FROM facts WHERE {_SPECIAL} AND {_among(special)}"
    for table in erasing.BY_CONVERSATION:  # what is counted above is not counted twice
        more = f" AND {apart[table]}" if table in apart else ""
        yield table, f"SELECT count(*) AS n FROM {table} WHERE conversation_id IN ({_RESTED}){more}"
    old = f"SELECT id FROM cases WHERE conversation_id IN ({_RESTED}) OR ({_OLD_CASES})"
    for table in erasing.BY_CASE:
        yield table, f"SELECT count(*) AS n FROM {table} WHERE case_id IN ({old})"


# -- purging


def rested(connection: Connection, retention: Retention) -> dict[str, int]:
    """Some conversations that rested long enough: their words go, and who it was; empty rows stay."""
    ids = connection.all(f"{_RESTED} LIMIT {AT_ONCE}", _params(_RESTED, retention))
    found = [_empty(connection, row["id"]) for row in ids]
    return {**report(*found).counts, "rested": len(ids)}


def _empty(connection: Connection, conversation: int) -> dict[str, int]:
    key = {"id": conversation}
    erased = erasing.content(connection, conversation)
    connection.execute("DELETE FROM inbox WHERE conversation_id = :id", key)
    connection.execute(
        "UPDATE conversations SET state = '', lang = '', address_id = NULL, restricted = 0, barred = 0,"
        " fence = fence + 1 WHERE id = :id",
        key,
    )
    connection.execute(
        "UPDATE privacy_requests SET conversation_id = NULL, reason = '' WHERE conversation_id = :id", key
    )
    # The rows are not deleted: whatever may point at them would have to be looked for in the largest tables.
    connection.execute(
        "UPDATE addresses SET account = '', user_id = 'purged/' || id, reply_token = '', token_until = 0, blocked = 0,"
        " menu_due = 0 WHERE conversation_id = :id",
        key,
    )
    return erased


def alone(connection: Connection, retention: Retention, special: Collection[str]) -> dict[str, int]:
    """What goes by itself: special answers, what never arrived, hashes, links."""
    sql = f"DELETE FROM facts WHERE {_SPECIAL} AND {_among(special)}"
    parts = [{"special": connection.execute(sql, _params(sql, retention, special)).rowcount}]
    parts.append(_undelivered(connection, retention))
    for kind, table, condition in _ALONE:
        sql = f"DELETE FROM {table} WHERE {condition}"
        parts.append({kind: connection.execute(sql, _params(sql, retention)).rowcount})
    return dict(report(*parts).counts)


def _undelivered(connection: Connection, retention: Retention) -> dict[str, int]:
    """Deliveries that wait no longer; their lines are marked as failed."""
    sql = f"DELETE FROM outbox WHERE {_UNDELIVERED} RETURNING conversation_id, first_seq, last_seq"
    rows = connection.execute(sql, _params(sql, retention)).fetchall()
    connection.many(
        "UPDATE messages SET status = 'failed' WHERE conversation_id = :id AND seq BETWEEN :first AND :last"
        " AND status = 'undelivered'",
        [{"id": row["conversation_id"], "first": row["first_seq"], "last": row["last_seq"]} for row in rows],
    )
    return {"undelivered": len(rows)}


def old_cases(connection: Connection, retention: Retention) -> dict[str, int]:
    """Some cases that were closed long enough ago, with what belongs to them."""
    sql = f"SELECT id FROM cases WHERE {_OLD_CASES} LIMIT {5 * AT_ONCE}"
    keys = [{"id": row["id"]} for row in connection.all(sql, _params(sql, retention))]
    found = {"cases": len(keys)}
    for table in erasing.BY_CASE:
        found[table] = sum(connection.execute(f"DELETE FROM {table} WHERE case_id = :id", key).rowcount for key in keys)
    for table in erasing.OF_CASE:
        connection.many(f"DELETE FROM {table} WHERE case_id = :id", keys)
    connection.many("UPDATE ratings SET case_id = NULL WHERE case_id = :id", keys)
    connection.many("DELETE FROM cases WHERE id = :id", keys)
    return found


async def purge(database: Database, retention: Retention, special: Collection[str]) -> Report:
    """Everything that is due, in steps that keep nobody waiting. `special`: the ids of facts that go first."""
    parts = [await database.write(lambda c: alone(c, retention, special))]
    while True:
        parts.append(await database.write(lambda c: rested(c, retention)))
        parts.append(await database.write(lambda c: old_cases(c, retention)))
        if parts[-2]["rested"] < AT_ONCE and parts[-1]["cases"] < 5 * AT_ONCE:
            return report(*parts)
