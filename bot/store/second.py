"""The second step of the log-in: secrets, codes used up, recovery codes, log-ins that are half open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.store import staff
from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Database, Operation
from bot.store.people import change
from bot.store.records import StaffRow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Second:
    """The second step of an account: its secret (empty: off), a secret not yet proven, recovery codes left."""

    secret: str
    wanted: str
    codes_left: int


def second(connection: Connection, staff_id: int) -> Second:
    """The second step of an account; off for one that does not exist."""
    row = connection.one(
        "SELECT totp, totp_wanted, (SELECT count(*) FROM staff_recovery r WHERE r.staff_id = staff.id) AS codes"
        " FROM staff WHERE id = :id",
        {"id": staff_id},
    )
    return Second(decode(row["totp"]), decode(row["totp_wanted"]), row["codes"]) if row else Second("", "", 0)


def want_second(connection: Connection, staff_id: int, secret: str) -> None:
    """A secret is shown; what was there stays in force until a code of the new one is given."""
    connection.execute(
        "UPDATE staff SET totp_wanted = :secret WHERE id = :id", {"secret": encode(secret), "id": staff_id}
    )


def keep_second(connection: Connection, staff_id: int, secret: str, step: int, recovery: Sequence[bytes]) -> bool:
    """The shown secret was proven by the code of `step`: it is in force. False when another one is shown meanwhile."""
    row = connection.one("SELECT totp_wanted FROM staff WHERE id = :id", {"id": staff_id})
    if row is None or not row["totp_wanted"] or decode(row["totp_wanted"]) != secret:
        return False
    connection.execute(
        "UPDATE staff SET totp = totp_wanted, totp_wanted = '', totp_step = :step WHERE id = :id",
        {"step": step, "id": staff_id},
    )
    new_recovery(connection, staff_id, recovery)
    return True


def drop_second(connection: Connection, staff_id: int) -> None:
    """No second step any more, and no recovery codes."""
    connection.execute("UPDATE staff SET totp = '', totp_wanted = '' WHERE id = :id", {"id": staff_id})
    new_recovery(connection, staff_id, ())


def reset_second(connection: Connection, staff_id: int) -> None:
    """The same from outside, for somebody who lost it; every session ends. Raises NoSuchAccount."""
    change(connection, "totp = '', totp_wanted = '' WHERE id = :id", staff_id)
    new_recovery(connection, staff_id, ())
    staff.end_all(connection, staff_id)


def use_step(connection: Connection, staff_id: int, step: int) -> bool:
    """Use up the code of a time step; False when it or a later one was used before."""
    row = connection.execute(
        "UPDATE staff SET totp_step = :step WHERE id = :id AND totp_step < :step RETURNING id",
        {"step": step, "id": staff_id},
    ).fetchone()
    return row is not None


def use_recovery(connection: Connection, staff_id: int, hashed: bytes) -> bool:
    """Use up a recovery code; False when there is none such."""
    row = connection.execute(
        "DELETE FROM staff_recovery WHERE hash = :hash AND staff_id = :id RETURNING hash",
        {"hash": hashed, "id": staff_id},
    ).fetchone()
    return row is not None


def new_recovery(connection: Connection, staff_id: int, hashes: Sequence[bytes]) -> None:
    """Recovery codes in place of the old ones."""
    connection.execute("DELETE FROM staff_recovery WHERE staff_id = :id", {"id": staff_id})
    connection.many(
        "INSERT INTO staff_recovery (hash, staff_id) VALUES (:hash, :id)",
        [{"hash": each, "id": staff_id} for each in hashes],
    )


def open_half(connection: Connection, token_hash: bytes, staff_id: int, seconds: float, first: str) -> None:
    """Remember a log-in whose code is still to come; those older than `seconds` go. `first`: what was right so far."""
    connection.execute(f"DELETE FROM staff_halfway WHERE created_at <= {NOW} - :old", {"old": seconds})
    connection.execute(
        f"INSERT INTO staff_halfway (token_hash, staff_id, created_at, first) VALUES (:token, :id, {NOW}, :first)",
        {"token": token_hash, "id": staff_id, "first": first},
    )


def half(connection: Connection, token_hash: bytes, seconds: float) -> StaffRow | None:
    """Whose half-open log-in it is, if it is no older than `seconds`."""
    row = connection.one(
        "SELECT s.* FROM staff_halfway h JOIN staff s ON s.id = h.staff_id WHERE h.token_hash = :token"
        f" AND h.created_at > {NOW} - :seconds AND s.disabled = 0",
        {"token": token_hash, "seconds": seconds},
    )
    return None if row is None else staff.row_of(row)


def end_half(connection: Connection, token_hash: bytes) -> str:
    """The half-open log-in ends: the code was right, or it was given up. What it began with; empty: it had ended."""
    row = connection.execute(
        "DELETE FROM staff_halfway WHERE token_hash = :token RETURNING first", {"token": token_hash}
    ).fetchone()
    return "" if row is None else str(row["first"])


class SecondSteps:
    """The door to it: writes are awaited until durable. `moved` is called when sessions may have ended."""

    def __init__(self, database: Database, moved: Callable[[], None]) -> None:
        self._database = database
        self._moved = moved

    def of(self, staff_id: int) -> Second:
        """The second step of an account."""
        return second(self._database.read, staff_id)

    async def want(self, staff_id: int, secret: str) -> None:
        """A secret is shown (see want_second)."""
        await self._write(lambda c: want_second(c, staff_id, secret))

    async def keep(self, staff_id: int, secret: str, step: int, recovery: Sequence[bytes]) -> bool:
        """It was proven (see keep_second)."""
        return await self._write(lambda c: keep_second(c, staff_id, secret, step, recovery))

    async def drop(self, staff_id: int) -> None:
        """No second step any more."""
        await self._write(lambda c: drop_second(c, staff_id))

    async def use_step(self, staff_id: int, step: int) -> bool:
        """Use up a code (see use_step)."""
        return await self._write(lambda c: use_step(c, staff_id, step))

    async def use_recovery(self, staff_id: int, hashed: bytes) -> bool:
        """Use up a recovery code."""
        return await self._write(lambda c: use_recovery(c, staff_id, hashed))

    async def new_recovery(self, staff_id: int, hashes: Sequence[bytes]) -> None:
        """Other recovery codes."""
        await self._write(lambda c: new_recovery(c, staff_id, hashes))

    async def open_half(self, token_hash: bytes, staff_id: int, seconds: float, first: str) -> None:
        """The first step was right (see open_half)."""
        await self._write(lambda c: open_half(c, token_hash, staff_id, seconds, first))

    def half(self, token_hash: bytes, seconds: float) -> StaffRow | None:
        """Whose half-open log-in it is."""
        return half(self._database.read, token_hash, seconds)

    async def end_half(self, token_hash: bytes) -> str:
        """The half-open log-in ends (see end_half)."""
        return await self._write(lambda c: end_half(c, token_hash))

    async def reset(self, staff_id: int) -> None:
        """Without a second step (see reset_second)."""
        await self._write(lambda c: reset_second(c, staff_id))

    async def _write(self, operation: Operation[T]) -> T:
        result = await self._database.write(operation)
        self._moved()
        return result
