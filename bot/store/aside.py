"""Messages that could not be worked on: kept aside, tried again or dismissed by staff."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store import audit
from bot.store.database import NOW, Connection, Database


@dataclass(frozen=True, slots=True)
class AsideRow:
    """One of them, without what it says. `at` in Unix seconds; `case`: the conversation's open case, 0 for none."""

    id: int
    at: float
    accepted_at: float
    channel: str
    lang: str
    attempts: int
    case: int
    number: str


def put(connection: Connection, event: int) -> None:
    """Move an event aside."""
    connection.execute(f"UPDATE inbox SET state = 'failed', aside_at = {NOW} WHERE id = :id", {"id": event})


def listing(connection: Connection, limit: int) -> list[AsideRow]:
    """The newest ones."""
    rows = connection.all(
        "SELECT i.id, i.aside_at, i.accepted_at, i.attempts, a.channel, v.lang, c.id AS case_id, c.number FROM inbox i"
        " JOIN addresses a ON a.id = i.address_id JOIN conversations v ON v.id = i.conversation_id"
        " LEFT JOIN cases c ON c.conversation_id = i.conversation_id AND c.state <> 'closed'"
        " WHERE i.state = 'failed' ORDER BY i.id DESC LIMIT :limit",
        {"limit": limit},
    )
    return [
        AsideRow(
            id=row["id"],
            at=row["aside_at"],
            accepted_at=row["accepted_at"],
            channel=row["channel"],
            lang=row["lang"],
            attempts=row["attempts"],
            case=row["case_id"] or 0,
            number=row["number"] or "",
        )
        for row in rows
    ]


def count(connection: Connection) -> int:
    """How many there are."""
    return int(connection.one("SELECT count(*) AS n FROM inbox WHERE state = 'failed'")["n"])


def retry(connection: Connection, event: int, staff: int) -> bool:
    """Take it again like a new one; False when it is gone."""
    row = connection.execute(
        "UPDATE inbox SET state = 'new', attempts = 0 WHERE id = :id AND state = 'failed' RETURNING conversation_id",
        {"id": event},
    ).fetchone()
    if row is None:
        return False
    connection.execute(
        f"UPDATE conversations SET pending_since = CASE WHEN pending = 0 THEN {NOW} ELSE pending_since END,"
        " pending = pending + 1 WHERE id = :id",
        {"id": row["conversation_id"]},
    )
    audit.append(connection, staff, "aside.retry", f"conversation/{row['conversation_id']}")
    return True


def dismiss(connection: Connection, event: int, staff: int) -> bool:
    """Let it go: its line stays in the transcript; False when it is gone."""
    row = connection.execute(
        "DELETE FROM inbox WHERE id = :id AND state = 'failed' RETURNING conversation_id", {"id": event}
    ).fetchone()
    if row is None:
        return False
    audit.append(connection, staff, "aside.dismiss", f"conversation/{row['conversation_id']}")
    return True


class Aside:
    """Each method is one step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listing(self, limit: int = 200) -> list[AsideRow]:
        """The newest ones."""
        return listing(self._database.read, limit)

    def count(self) -> int:
        """How many there are."""
        return count(self._database.read)

    async def retry(self, event: int, staff: int) -> bool:
        """Take it again (see retry)."""
        return await self._database.write(lambda c: retry(c, event, staff))

    async def dismiss(self, event: int, staff: int) -> bool:
        """Let it go (see dismiss)."""
        return await self._database.write(lambda c: dismiss(c, event, staff))
