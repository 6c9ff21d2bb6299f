"""Accounts as they are kept: roles, languages, sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.store import staff
from bot.store.database import NOW, Connection, Database, Operation

# An account whose role or access is taken: another admin who can log in must be left.
_NOT_THE_LAST = (
    "(role <> 'admin' OR disabled = 1 OR EXISTS"
    " (SELECT 1 FROM staff o WHERE o.role = 'admin' AND o.disabled = 0 AND o.id <> staff.id))"
)


class LastAdmin(Exception):
    """Without this account nobody could manage accounts any more."""


class NoSuchAccount(Exception):
    """There is no account of that id."""


@dataclass(frozen=True, slots=True)
class Person:
    """An account in the list. `sessions`: how many stand; `seen_at`: when one was used last, Unix seconds."""

    id: int
    name: str
    role: str
    disabled: bool
    must_change: bool
    second: bool
    languages: tuple[str, ...]
    sessions: int
    seen_at: float | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session that stands. Times in Unix seconds."""

    token_hash: bytes
    opened_at: float
    seen_at: float


# -- accounts


def listing(connection: Connection, idle: float, absolute: float) -> list[Person]:
    """Every account, those who may log in first; sessions within the limits (seconds)."""
    rows = connection.all(
        "SELECT s.id, s.name, s.role, s.disabled, s.must_change, s.totp, s.languages, count(t.token_hash) AS sessions,"
        " max(t.seen_at) AS seen_at FROM staff s LEFT JOIN staff_sessions t ON t.staff_id = s.id"
        f" AND t.seen_at > {NOW} - :idle AND t.created_at > {NOW} - :absolute"
        " GROUP BY s.id, s.name, s.role, s.disabled, s.must_change, s.totp, s.languages ORDER BY s.disabled, s.name",
        {"idle": idle, "absolute": absolute},
    )
    return [
        Person(
            id=row["id"],
            name=row["name"],
            role=row["role"],
            disabled=bool(row["disabled"]),
            must_change=bool(row["must_change"]),
            second=bool(row["totp"]),
            languages=tuple(row["languages"].split()),
            sessions=row["sessions"],
            seen_at=row["seen_at"],
        )
        for row in rows
    ]


def set_role(connection: Connection, staff_id: int, role: str) -> None:
    """Another role; every session of the account ends.

    Raises LastAdmin or NoSuchAccount; then nothing is changed.
    """
    keeps = "" if role == "admin" else f" AND {_NOT_THE_LAST}"
    change(connection, f"role = :role WHERE id = :id{keeps}", staff_id, role=role)
    staff.end_all(connection, staff_id)


def disable(connection: Connection, staff_id: int) -> None:
    """Nobody logs in with the account any more; its sessions end.

    Raises LastAdmin or NoSuchAccount; then nothing is changed.
    """
    change(connection, f"disabled = 1 WHERE id = :id AND {_NOT_THE_LAST}", staff_id)
    staff.end_all(connection, staff_id)


def enable(connection: Connection, staff_id: int) -> None:
    """The account can be used again. Raises NoSuchAccount."""
    change(connection, "disabled = 0 WHERE id = :id", staff_id)


def reset_password(connection: Connection, staff_id: int, password_hash: str) -> None:
    """A one-time password in place of the old one, good for a week; every session ends. Raises NoSuchAccount."""
    until = f"one_time_until = {NOW} + {staff.ONE_TIME_SECONDS}"
    change(connection, f"password_hash = :hash, must_change = 1, {until} WHERE id = :id", staff_id, hash=password_hash)
    staff.end_all(connection, staff_id)


def change(connection: Connection, what: str, staff_id: int, **params: str) -> None:
    """Change one account by an assignment with its condition; raises LastAdmin or NoSuchAccount when none fits."""
    row = connection.execute(f"UPDATE staff SET {what} RETURNING id", {"id": staff_id, **params}).fetchone()
    if row is None:
        known = connection.one("SELECT 1 FROM staff WHERE id = :id", {"id": staff_id})
        raise LastAdmin if known else NoSuchAccount


def set_languages(connection: Connection, staff_id: int, languages: Sequence[str]) -> None:
    """The languages that a caseworker answers in."""
    connection.execute(
        "UPDATE staff SET languages = :languages WHERE id = :id", {"languages": " ".join(languages), "id": staff_id}
    )


# -- sessions


def sessions(connection: Connection, staff_id: int, idle: float, absolute: float) -> list[SessionRow]:
    """The account's sessions within the limits (seconds), newest first."""
    rows = connection.all(
        "SELECT token_hash, created_at, seen_at FROM staff_sessions WHERE staff_id = :id"
        f" AND seen_at > {NOW} - :idle AND created_at > {NOW} - :absolute ORDER BY created_at DESC, token_hash",
        {"id": staff_id, "idle": idle, "absolute": absolute},
    )
    return [SessionRow(bytes(row["token_hash"]), row["created_at"], row["seen_at"]) for row in rows]


def end_session(connection: Connection, staff_id: int, token_hash: bytes) -> None:
    """End one session, if it is the account's own."""
    connection.execute(
        "DELETE FROM staff_sessions WHERE token_hash = :token AND staff_id = :id",
        {"token": token_hash, "id": staff_id},
    )


def end_others(connection: Connection, staff_id: int, token_hash: bytes) -> None:
    """End every session of the account but one, and its half-open log-ins."""
    connection.execute(
        "DELETE FROM staff_sessions WHERE staff_id = :id AND token_hash <> :token",
        {"token": token_hash, "id": staff_id},
    )
    connection.execute("DELETE FROM staff_halfway WHERE staff_id = :id", {"id": staff_id})


def confirm(connection: Connection, token_hash: bytes) -> None:
    """The password was given again in this session."""
    connection.execute(
        f"UPDATE staff_sessions SET confirmed_at = {NOW} WHERE token_hash = :token", {"token": token_hash}
    )


def confirmed(connection: Connection, staff_id: int, token_hash: bytes, seconds: float) -> bool:
    """Was the password given in this session within the last `seconds`?"""
    row = connection.one(
        "SELECT 1 FROM staff_sessions WHERE token_hash = :token AND staff_id = :id"
        f" AND confirmed_at > {NOW} - :seconds",
        {"token": token_hash, "id": staff_id, "seconds": seconds},
    )
    return row is not None


class People:
    """The door to accounts: writes are awaited until durable. `moved` is called when sessions ended."""

    def __init__(self, database: Database, moved: Callable[[], None]) -> None:
        self._database = database
        self._moved = moved

    def listing(self, idle: float, absolute: float) -> list[Person]:
        """Every account (see listing)."""
        return listing(self._database.read, idle, absolute)

    async def add(self, name: str, role: str, password_hash: str) -> int:
        """A new account with a one-time password; its id (see staff.add)."""
        return await self._database.write(lambda c: staff.add(c, name, role, password_hash))

    async def set_role(self, staff_id: int, role: str) -> None:
        """Another role (see set_role)."""
        await self._write(lambda c: set_role(c, staff_id, role))

    async def disable(self, staff_id: int) -> None:
        """Close an account (see disable)."""
        await self._write(lambda c: disable(c, staff_id))

    async def enable(self, staff_id: int) -> None:
        """Open it again (see enable)."""
        await self._write(lambda c: enable(c, staff_id))

    async def reset_password(self, staff_id: int, password_hash: str) -> None:
        """A one-time password (see reset_password)."""
        await self._write(lambda c: reset_password(c, staff_id, password_hash))

    async def set_languages(self, staff_id: int, languages: Sequence[str]) -> None:
        """The languages of an account."""
        await self._write(lambda c: set_languages(c, staff_id, languages))

    def sessions(self, staff_id: int, idle: float, absolute: float) -> list[SessionRow]:
        """The sessions of an account (see sessions)."""
        return sessions(self._database.read, staff_id, idle, absolute)

    async def end_session(self, staff_id: int, token_hash: bytes) -> None:
        """End one of the account's own."""
        await self._write(lambda c: end_session(c, staff_id, token_hash))

    async def end_others(self, staff_id: int, token_hash: bytes) -> None:
        """End all but one (see end_others)."""
        await self._write(lambda c: end_others(c, staff_id, token_hash))

    async def confirm(self, token_hash: bytes) -> None:
        """The password was given again."""
        await self._write(lambda c: confirm(c, token_hash))

    def confirmed(self, staff_id: int, token_hash: bytes, seconds: float) -> bool:
        """Was the password given within the last `seconds`?"""
        return confirmed(self._database.read, staff_id, token_hash, seconds)

    async def _write(self, operation: Operation[None]) -> None:
        await self._database.write(operation)
        self._moved()
