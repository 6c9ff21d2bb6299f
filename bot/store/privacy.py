"""What the privacy officer does: requests with their clock, corrections, restriction, erasure; legal hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.messages import Kept, Reply, Retention
from bot.store import erasing, lines, own_data, purging
from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Database, Row


class NotOpen(Exception):
    """The request is settled already, or its one extension is used."""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request. Times in Unix seconds; `left`: whole days until it is due, less than 0 when it is late.

    `conversation` is None once the data is erased; `reason`: of the refusal or the extension; `who` settled it, empty
    for the house itself. `restricted` and `held`: how the conversation stands.
    """

    id: int
    conversation: int | None
    kind: str
    channel: str
    lang: str
    opened_at: float
    due_at: float
    left: int
    extended: bool
    state: str
    reason: str
    who: str
    restricted: bool
    held: bool


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A legal hold: whose conversation, the number of its newest case, since when, by whom and why."""

    conversation: int
    case: str
    at: float
    who: str
    reason: str


_SELECT = (
    f"SELECT p.*, {NOW} AS now, coalesce(s.name, '') AS who, coalesce(v.restricted, 0) AS restricted,"
    " h.conversation_id AS held FROM privacy_requests p LEFT JOIN staff s ON s.id = p.staff_id"
    " LEFT JOIN conversations v ON v.id = p.conversation_id"
    " LEFT JOIN legal_holds h ON h.conversation_id = p.conversation_id"
)


def _request(row: Row) -> RequestRow:
    return RequestRow(
        id=row["id"],
        conversation=row["conversation_id"],
        kind=row["kind"],
        channel=row["channel"],
        lang=row["lang"],
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        left=int((row["due_at"] - row["now"]) // own_data.DAY),
        extended=bool(row["extended"]),
        state=row["state"],
        reason=decode(row["reason"]),
        who=row["who"],
        restricted=bool(row["restricted"]),
        held=row["held"] is not None,
    )


# -- requests


def listing(connection: Connection, closed: bool, limit: int = 200) -> list[RequestRow]:
    """Open requests, the first due first; or settled ones, newest first."""
    where, order = ("p.state <> 'open'", "p.settled_at DESC") if closed else ("p.state = 'open'", "p.due_at")
    rows = connection.all(f"{_SELECT} WHERE {where} ORDER BY {order}, p.id LIMIT :limit", {"limit": limit})
    return [_request(row) for row in rows]


def counts(connection: Connection) -> dict[str, int]:
    """How many requests are open, and closed."""
    found = {"open": 0, "closed": 0}
    for row in connection.all("SELECT state, count(*) AS n FROM privacy_requests GROUP BY state"):
        found["open" if row["state"] == "open" else "closed"] += row["n"]
    return found


def get(connection: Connection, number: int) -> RequestRow | None:
    """A request by its number."""
    row = connection.one(f"{_SELECT} WHERE p.id = :id", {"id": number})
    return None if row is None else _request(row)


def settle(connection: Connection, number: int, staff_id: int, state: str, reason: str, told: Reply) -> None:
    """End a request (done, refused) and tell the person; a refused wish to stop lifts the restriction.

    Raises NotOpen.
    """
    row = connection.execute(
        f"UPDATE privacy_requests SET state = :state, reason = :reason, settled_at = {NOW}, staff_id = :staff"
        " WHERE id = :id AND state = 'open' RETURNING conversation_id, kind",
        {"state": state, "reason": encode(reason) if reason else "", "staff": staff_id, "id": number},
    ).fetchone()
    if row is None:
        raise NotOpen(number)
    if state == "refused" and row["kind"] == "stop":
        own_data.restrict(connection, row["conversation_id"], on=False)
    lines.tell(connection, row["conversation_id"], told, f"privacy/{number}/{state}")


def extend(connection: Connection, number: int, reason: str, told: Reply) -> None:
    """As many days more, once, and the person is told why. Raises NotOpen."""
    row = connection.execute(
        "UPDATE privacy_requests SET due_at = due_at + (due_at - opened_at), extended = 1, reason = :reason"
        " WHERE id = :id AND state = 'open' AND extended = 0 RETURNING conversation_id",
        {"id": number, "reason": encode(reason)},
    ).fetchone()
    if row is None:
        raise NotOpen(number)
    lines.tell(connection, row["conversation_id"], told, f"privacy/{number}/extended")


# -- what is done with the data, always for an open request


def restrict(connection: Connection, number: int, on: bool, told: Reply) -> None:
    """Keep the data apart or lift that, and the person is told. Raises NotOpen."""
    conversation, fence = _open(connection, number)
    own_data.restrict(connection, conversation, on)
    lines.tell(connection, conversation, told, f"privacy/{number}/restrict/{fence}")


def correct(connection: Connection, number: int, fact: tuple[str, str], value: str | None, told: Reply) -> None:
    """Set a told (subject, fact) to a JSON document, or drop it (None), and the person is told. Raises NotOpen."""
    conversation, fence = _open(connection, number)
    key = {"id": conversation, "subject": fact[0], "fact": fact[1]}
    mine = " WHERE conversation_id = :id AND subject = :subject AND fact = :fact"
    if value is None:
        connection.execute(f"DELETE FROM facts{mine}", key)
    else:
        connection.execute(
            f"UPDATE facts SET value = :value, at = {NOW}, event_id = '', how = 'desk'{mine}",
            key | {"value": encode(value)},
        )
    lines.tell(connection, conversation, told, f"privacy/{number}/correct/{fence}")


def erase(connection: Connection, number: int, staff_id: int, told: Reply) -> dict[str, int]:
    """Erase everything and end the request; the person gets the receipt. Raises OnHold, NotOpen."""
    found = get(connection, number)
    if found is not None and found.held:
        raise erasing.OnHold(number)
    conversation, fence = _open(connection, number)
    connection.execute(
        "UPDATE privacy_requests SET staff_id = :staff WHERE id = :id", {"staff": staff_id, "id": number}
    )
    erased = erasing.erase(connection, conversation, "officer")
    connection.execute("UPDATE conversations SET state = '' WHERE id = :id", {"id": conversation})
    lines.tell(connection, conversation, told, f"privacy/{number}/erase/{fence}")
    return erased


def _open(connection: Connection, number: int) -> tuple[int, int]:
    """The conversation of an open request, and its new fence: a turn that is being computed was thought without what
    changes here, so it is refused and taken again. Raises NotOpen."""
    row = connection.execute(
        "UPDATE conversations SET fence = fence + 1, leased_until = 0, leased_by = '', suspect = 0"
        " WHERE id ="
        " (SELECT conversation_id FROM privacy_requests WHERE id = :id AND state = 'open') RETURNING id, fence",
        {"id": number},
    ).fetchone()
    if row is None:
        raise NotOpen(number)
    return int(row["id"]), int(row["fence"])


# -- legal hold


def hold(connection: Connection, conversation: int, staff_id: int, reason: str) -> None:
    """From now on the conversation is neither purged nor erased."""
    connection.execute(
        f"INSERT INTO legal_holds VALUES (:id, {NOW}, :staff, :reason) ON CONFLICT (conversation_id)"
        " DO UPDATE SET at = excluded.at, staff_id = excluded.staff_id, reason = excluded.reason",
        {"id": conversation, "staff": staff_id, "reason": encode(reason)},
    )


def release(connection: Connection, conversation: int) -> bool:
    """The hold ends; False when there was none."""
    return connection.execute("DELETE FROM legal_holds WHERE conversation_id = :id", {"id": conversation}).rowcount == 1


def holds(connection: Connection) -> list[HoldRow]:
    """Every legal hold, newest first."""
    rows = connection.all(
        "SELECT h.*, s.name AS who, coalesce((SELECT c.number FROM cases c WHERE c.conversation_id = h.conversation_id"
        " ORDER BY c.id DESC LIMIT 1), '') AS number FROM legal_holds h JOIN staff s ON s.id = h.staff_id"
        " ORDER BY h.at DESC"
    )
    return [
        HoldRow(row["conversation_id"], row["number"], row["at"], row["who"], decode(row["reason"])) for row in rows
    ]


def conversation_of_case(connection: Connection, number: str) -> int | None:
    """The conversation of a case by its number."""
    row = connection.one("SELECT conversation_id FROM cases WHERE number = :number", {"number": number})
    return None if row is None else int(row["conversation_id"])


class Privacy:
    """The door to all of this: each writing method is one durable step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def requests(self, closed: bool = False) -> list[RequestRow]:
        """Open or settled requests (see listing)."""
        return listing(self._database.read, closed)

    def counts(self) -> Mapping[str, int]:
        """How many requests are open, and closed."""
        return counts(self._database.read)

    def request(self, number: int) -> RequestRow | None:
        """A request by its number."""
        return get(self._database.read, number)

    async def settle(self, number: int, staff_id: int, state: str, reason: str, told: Reply) -> None:
        """End a request (see settle)."""
        await self._database.write(lambda c: settle(c, number, staff_id, state, reason, told))

    async def extend(self, number: int, reason: str, told: Reply) -> None:
        """More time, once (see extend)."""
        await self._database.write(lambda c: extend(c, number, reason, told))

    async def restrict(self, number: int, on: bool, told: Reply) -> None:
        """Keep apart, or lift (see restrict)."""
        await self._database.write(lambda c: restrict(c, number, on, told))

    async def correct(self, number: int, fact: tuple[str, str], value: str | None, told: Reply) -> None:
        """Correct or drop a fact (see correct)."""
        await self._database.write(lambda c: correct(c, number, fact, value, told))

    async def erase(self, number: int, staff_id: int, told: Reply) -> dict[str, int]:
        """Erase everything (see erase)."""
        return await self._database.write(lambda c: erase(c, number, staff_id, told))

    async def hold(self, conversation: int, staff_id: int, reason: str) -> None:
        """A legal hold from now on."""
        await self._database.write(lambda c: hold(c, conversation, staff_id, reason))

    async def release(self, conversation: int) -> bool:
        """The hold ends; False when there was none."""
        return await self._database.write(lambda c: release(c, conversation))

    def holds(self) -> list[HoldRow]:
        """Every legal hold."""
        return holds(self._database.read)

    def conversation_of_case(self, number: str) -> int | None:
        """The conversation of a case by its number."""
        return conversation_of_case(self._database.read, number)

    def restricted(self, conversation: int) -> bool:
        """May no caseworker open the conversation now?"""
        return own_data.restricted(self._database.read, conversation)

    def about(self, conversation: int) -> own_data.About:
        """When the conversation began, its channels, its cases."""
        return own_data.about(self._database.read, conversation)

    def kept(self, conversation: int) -> Kept:
        """What is kept, counted."""
        return own_data.kept(self._database.read, conversation)

    async def spend(self, token: str) -> int | None:
        """The conversation a link to a copy leads to, once."""
        return await self._database.write(lambda c: own_data.spend(c, token))

    def due(self, retention: Retention, special: Collection[str]) -> purging.Report:
        """What a purge would do now (see purging.due)."""
        return purging.due(self._database.read, retention, special)

    async def purge(self, retention: Retention, special: Collection[str]) -> purging.Report:
        """Everything that was kept long enough goes (see purging.purge)."""
        return await purging.purge(self._database, retention, special)
