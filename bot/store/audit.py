"""The audit trail: who did what, on what, when and why, never content; each row bears the hash of all before it."""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Database, Row

SYSTEM = "-"  # who it was where no person was
REASON_LIMIT = 300  # characters kept of a reason
PAGE = 1000

_FIELDS = "id, at, staff_id, action, object, why, hash"
_NUMBER = (  # a case's number beside its object
    "CASE WHEN a.object LIKE 'case/%' THEN"
    " (SELECT c.number FROM cases c WHERE c.id = CAST(substr(a.object, 6) AS INTEGER)) END"
)
# The index on times gives the bounds, then the rows come in the order of their ids: sorting a long time is slow.
_TIMES = "FROM audit WHERE at >= :since AND at < :until"
_SPAN = f"a.id BETWEEN (SELECT min(id) {_TIMES}) AND (SELECT max(id) {_TIMES}) AND +a.at >= :since"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row with its person's name (SYSTEM for none). `number`: of the case it is about; `hash`: empty in rows from
    before the chain; `at` in Unix seconds."""

    id: int
    at: float
    who: str
    action: str
    object: str
    number: str
    why: str
    hash: str


@dataclass(frozen=True, slots=True)
class Sought:
    """Which rows: an empty field is any. `object`: such as case/12, or a case's number; times in Unix seconds."""

    object: str = ""
    who: str = ""
    action: str = ""
    since: float = 0.0
    until: float = math.inf


class Fault(StrEnum):
    """What can be wrong with a row of the chain."""

    MISSING = "missing"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class Verified:
    """How the chain stands: `rows` were read, the first `before` of them are older than the chain.

    `head` is the newest good hash. With a `fault`, `row` is the first row that is not right.
    """

    rows: int
    before: int
    head: str
    fault: Fault | None = None
    row: int = 0


def chained(previous: str, row: Row | dict[str, Any]) -> str:
    """The hash of a row: SHA-256 over [previous hash, id, at, staff_id, action, object, why as stored] as JSON."""
    fields = [previous, *(row[name] for name in ("id", "at", "staff_id", "action", "object", "why"))]
    return hashlib.sha256(json.dumps(fields, separators=(",", ":"), default=repr).encode()).hexdigest()


def append(connection: Connection, staff_id: int | None, action: str, what: str, why: str = "") -> None:
    """One more row, in the transaction of the caller: nobody else adds one between reading the newest row and this one.

    `staff_id` None is the system; `what` names an object, such as case/12; of `why`, REASON_LIMIT characters are kept.
    """
    connection.alone("audit")
    last = connection.one("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
    clock = connection.one(f"SELECT {NOW} AS at")
    row: dict[str, Any] = {
        "id": last["id"] + 1 if last else 1,
        "at": clock["at"] if clock else 0.0,
        "staff_id": staff_id,
        "action": action,
        "object": what,
        "why": encode(why[:REASON_LIMIT]) if why else "",
    }
    row["hash"] = chained(last["hash"] if last and last["hash"] else _start(connection), row)
    connection.execute(
        f"INSERT INTO audit ({_FIELDS}) VALUES (:id, :at, :staff_id, :action, :object, :why, :hash)", row
    )


def _start(connection: Connection) -> str:
    """What the first row of the chain follows: a hash of every row from before it."""
    digest = ""
    for row in connection.execute(f"SELECT {_FIELDS} FROM audit ORDER BY id"):
        digest = chained(digest, row)
    return digest


def verify(connection: Connection, head: str = "") -> Verified:
    """Compute the chain anew up to the first row that is not right; `head`: a hash that must be in it."""
    digest, last, count, before, found = "", 0, 0, 0, not head
    rows = iter(connection.execute(f"SELECT {_FIELDS} FROM audit ORDER BY id"))
    while True:
        try:
            row = next(rows, None)
        except sqlite3.DatabaseError:  # not even text any more
            return Verified(count, before, digest, Fault.UNREADABLE, last + 1)
        if row is None:
            break
        follows = chained(digest, row)
        if not row["hash"] and before == count:
            before += 1
        elif row["id"] != last + 1:
            return Verified(count, before, digest, Fault.MISSING, last + 1)
        elif row["hash"] != follows:
            return Verified(count, before, digest, Fault.CHANGED, row["id"])
        digest, last, count = follows, row["id"], count + 1
        found = found or digest == head
    return Verified(count, before, digest, None if found else Fault.CUT_OFF, 0 if found else last + 1)


def recent(connection: Connection, staff_id: int, action: str, what: str, seconds: float) -> bool:
    """Did the person do this in the last `seconds`?"""
    return None is not connection.one(
        "SELECT 1 FROM audit WHERE object = :object AND staff_id = :staff AND action = :action"
        f" AND at > {NOW} - :seconds LIMIT 1",
        {"object": what, "staff": staff_id, "action": action, "seconds": seconds},
    )


def rows(connection: Connection, sought: Sought, before: int | None, limit: int) -> list[AuditRow]:
    """Rows newest first, those older than row `before` where it is given."""
    where, params = _conditions(sought, before)
    found = connection.all(
        f"SELECT a.id, a.at, a.action, a.object, a.why, a.hash, s.name, {_NUMBER} AS number"
        f" FROM audit a LEFT JOIN staff s ON s.id = a.staff_id{where} ORDER BY a.id DESC LIMIT :limit",
        {**params, "limit": limit},
    )
    return [_row(row) for row in found]


def _conditions(sought: Sought, before: int | None) -> tuple[str, dict[str, Any]]:
    """The WHERE of what is sought, with its values."""
    number = "(SELECT 'case/' || c.id FROM cases c WHERE c.number = :object)"
    given: list[tuple[str, str, Any]] = [
        ("object", f"(a.object = :object OR a.object = {number})", sought.object or None),
        ("action", "a.action = :action", sought.action or None),
        ("before", "a.id < :before", before),
    ]
    if sought.since > 0.0 or sought.until < math.inf:
        given += [("since", _SPAN, sought.since), ("until", "+a.at < :until", sought.until)]
    if sought.who == SYSTEM:
        given.append(("who", "a.staff_id IS NULL", SYSTEM))
    elif sought.who:
        given.append(("who", "a.staff_id = (SELECT id FROM staff WHERE name = :who)", sought.who))
    present = [(name, condition, value) for name, condition, value in given if value is not None]
    where = " WHERE " + " AND ".join(condition for _, condition, _ in present) if present else ""
    return where, {name: value for name, _, value in present}


def _row(row: Row) -> AuditRow:
    return AuditRow(
        id=row["id"],
        at=row["at"],
        who=row["name"] or SYSTEM,
        action=row["action"],
        object=row["object"],
        number=row["number"] or "",
        why=decode(row["why"]),
        hash=row["hash"],
    )


def actions(connection: Connection) -> list[str]:
    """Every action that was ever written, by one look into the index for each."""
    found = connection.all(
        "WITH RECURSIVE each (action) AS (SELECT min(action) FROM audit UNION ALL"
        " SELECT (SELECT min(action) FROM audit WHERE action > each.action) FROM each WHERE each.action IS NOT NULL)"
        " SELECT action FROM each WHERE action IS NOT NULL ORDER BY action"
    )
    return [row["action"] for row in found]


class Audit:
    """The trail of one database. Nothing in it can be changed: there is only adding and reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, staff_id: int | None, action: str, what: str, why: str = "") -> None:
        """One more row (see append); raises StoreUnavailable when it cannot be kept."""
        await self._database.write(lambda c: append(c, staff_id, action, what, why))

    async def note_once(self, staff_id: int, action: str, what: str, seconds: float) -> bool:
        """One more row unless the person did the same in the last `seconds`; whether there is one more."""

        def change(connection: Connection) -> bool:
            if recent(connection, staff_id, action, what, seconds):
                return False
            append(connection, staff_id, action, what)
            return True

        if recent(self._database.read, staff_id, action, what, seconds):
            return False  # the usual case costs no commit
        return await self._database.write(change)

    def rows(self, sought: Sought, before: int | None = None, limit: int = PAGE) -> list[AuditRow]:
        """Rows newest first (see rows)."""
        return rows(self._database.read, sought, before, limit)

    def pages(self, sought: Sought) -> Iterator[list[AuditRow]]:
        """All such rows newest first, some at a time."""
        before = None
        while page := self.rows(sought, before):
            yield page
            before = page[-1].id

    def actions(self) -> list[str]:
        """Every action that was ever written."""
        return actions(self._database.read)

    def people(self) -> list[str]:
        """The names of all accounts."""
        return [row["name"] for row in self._database.read.all("SELECT name FROM staff ORDER BY name")]

    def head(self) -> str:
        """The hash of the newest row; empty where no row is in the chain yet."""
        row = self._database.read.one("SELECT hash FROM audit ORDER BY id DESC LIMIT 1")
        return "" if row is None else str(row["hash"])

    def verify(self, head: str = "") -> Verified:
        """Compute the chain anew (see verify)."""
        return verify(self._database.read, head)
