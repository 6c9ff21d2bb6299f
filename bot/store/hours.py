"""Days on which the desk is open otherwise than usual, and the cases whose first answer is still due."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Database
from bot.store.remembered import Remembered


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """One day: ISO date, its spans in writing (empty: closed), why, and the name of who set it."""

    day: str
    spans: str
    reason: str
    who: str


def overrides(connection: Connection) -> tuple[OverrideRow, ...]:
    """Every day that was set, in order; past ones too."""
    rows = connection.all(
        "SELECT o.day, o.spans, o.reason, s.name AS who FROM hours_overrides o JOIN staff s ON s.id = o.staff_id"
        " ORDER BY o.day"
    )
    return tuple(OverrideRow(row["day"], row["spans"], decode(row["reason"]), row["who"]) for row in rows)


def put(connection: Connection, staff: int, day: str, spans: str, reason: str) -> None:
    """Set a day; what was set for it before is replaced."""
    connection.execute(
        f"INSERT INTO hours_overrides (day, spans, reason, staff_id, at) VALUES (:day, :spans, :reason, :staff, {NOW})"
        " ON CONFLICT (day) DO UPDATE SET spans = excluded.spans, reason = excluded.reason,"
        " staff_id = excluded.staff_id, at = excluded.at",
        {"day": day, "spans": spans, "reason": encode(reason), "staff": staff},
    )


def remove(connection: Connection, day: str) -> bool:
    """Let a day be as usual again; False when nothing was set for it."""
    return bool(connection.execute("DELETE FROM hours_overrides WHERE day = :day", {"day": day}).rowcount)


def unanswered(connection: Connection, after: float, limit: int = 100) -> list[float]:
    """When the open cases without a first answer were opened, in Unix seconds, oldest first; later than `after`."""
    rows = connection.all(
        "SELECT opened_at FROM cases WHERE first_answer_at IS NULL AND state <> 'closed' AND opened_at > :after"
        " ORDER BY opened_at LIMIT :limit",
        {"after": after, "limit": limit},
    )
    return [row["opened_at"] for row in rows]


class HoursStore:
    """Each method is one durable step. Every turn asks for the days: they are kept until one changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = Remembered(lambda: overrides(database.read), database.engine.shared)

    def overrides(self) -> tuple[OverrideRow, ...]:
        """See overrides; the same object until one changes."""
        return self._kept()

    async def put(self, staff: int, day: str, spans: str, reason: str) -> None:
        """See put."""
        await self._database.write(lambda c: put(c, staff, day, spans, reason))
        self._kept.forget()

    async def remove(self, day: str) -> bool:
        """See remove."""
        found = await self._database.write(lambda c: remove(c, day))
        self._kept.forget()
        return found

    def unanswered(self, after: float) -> list[float]:
        """See unanswered."""
        return unanswered(self._database.read, after)
