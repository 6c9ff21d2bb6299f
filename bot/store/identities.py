"""Log-in with an identity provider: whose account belongs to which subject there, and log-ins under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.store import staff
from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Database, Operation
from bot.store.people import NoSuchAccount
from bot.store.records import StaffRow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A browser on its way to the provider. `staff_id`: whose account is to be connected; None: it is a log-in.

    `session`: the hash of the session that the browser had. `nonce` and `verifier` belong to this way alone.
    """

    nonce: str
    verifier: str
    session: bytes
    staff_id: int | None = None


def begin(connection: Connection, state: bytes, browser: bytes, attempt: Attempt, seconds: float) -> None:
    """Remember an attempt by the hashes of its state and of the browser's cookie; those older than `seconds` go."""
    connection.execute(f"DELETE FROM oidc_attempts WHERE created_at <= {NOW} - :old", {"old": seconds})
    connection.execute(
        "INSERT INTO oidc_attempts (state, browser, session, staff_id, nonce, verifier, created_at)"
        f" VALUES (:state, :browser, :session, :staff, :nonce, :verifier, {NOW})",
        {
            "state": state,
            "browser": browser,
            "session": attempt.session,
            "staff": attempt.staff_id,
            "nonce": attempt.nonce,
            "verifier": encode(attempt.verifier),
        },
    )


def take(connection: Connection, state: bytes, browser: bytes, seconds: float) -> Attempt | None:
    """Use an attempt up. None when there is none such: used before, of another browser, or older than `seconds`."""
    row = connection.execute(
        "DELETE FROM oidc_attempts WHERE state = :state AND browser = :browser"
        f" AND created_at > {NOW} - :seconds RETURNING nonce, verifier, session, staff_id",
        {"state": state, "browser": browser, "seconds": seconds},
    ).fetchone()
    if row is None:
        return None
    return Attempt(row["nonce"], decode(row["verifier"]), bytes(row["session"]), row["staff_id"])


def account(connection: Connection, issuer: str, subject: str) -> StaffRow | None:
    """The account of a subject, if it has one that is enabled."""
    row = connection.one(
        "SELECT s.* FROM staff_identities i JOIN staff s ON s.id = i.staff_id"
        " WHERE i.issuer = :issuer AND i.subject = :subject AND s.disabled = 0",
        {"issuer": issuer, "subject": subject},
    )
    return None if row is None else staff.row_of(row)


def link(connection: Connection, staff_id: int, issuer: str, subject: str) -> bool:
    """Connect an account. False when the subject has an account already, or the account a subject of the issuer."""
    row = connection.execute(
        "INSERT INTO staff_identities (staff_id, issuer, subject, linked_at)"
        f" VALUES (:id, :issuer, :subject, {NOW}) ON CONFLICT DO NOTHING RETURNING staff_id",
        {"id": staff_id, "issuer": issuer, "subject": subject},
    ).fetchone()
    return row is not None


def unlink(connection: Connection, staff_id: int) -> None:
    """The account is connected with nothing any more; every session of it ends. Raises NoSuchAccount."""
    if connection.one("SELECT 1 FROM staff WHERE id = :id", {"id": staff_id}) is None:
        raise NoSuchAccount
    connection.execute("DELETE FROM staff_identities WHERE staff_id = :id", {"id": staff_id})
    staff.end_all(connection, staff_id)


def linked(connection: Connection, issuer: str, staff_id: int) -> bool:
    """Is the account connected with a subject of the issuer?"""
    row = connection.one(
        "SELECT 1 FROM staff_identities WHERE staff_id = :id AND issuer = :issuer", {"id": staff_id, "issuer": issuer}
    )
    return row is not None


def all_linked(connection: Connection) -> frozenset[int]:
    """The accounts that are connected with anything."""
    return frozenset(row["staff_id"] for row in connection.all("SELECT DISTINCT staff_id FROM staff_identities"))


class Identities:
    """The door to it: writes are awaited until durable. `moved` is called when sessions may have ended."""

    def __init__(self, database: Database, moved: Callable[[], None]) -> None:
        self._database = database
        self._moved = moved

    async def begin(self, state: bytes, browser: bytes, attempt: Attempt, seconds: float) -> None:
        """A browser goes to the provider (see begin)."""
        await self._write(lambda c: begin(c, state, browser, attempt, seconds))

    async def take(self, state: bytes, browser: bytes, seconds: float) -> Attempt | None:
        """It is back (see take)."""
        return await self._write(lambda c: take(c, state, browser, seconds))

    def account(self, issuer: str, subject: str) -> StaffRow | None:
        """The account of a subject (see account)."""
        return account(self._database.read, issuer, subject)

    async def link(self, staff_id: int, issuer: str, subject: str) -> bool:
        """Connect an account (see link)."""
        return await self._write(lambda c: link(c, staff_id, issuer, subject))

    async def unlink(self, staff_id: int) -> None:
        """Undo that (see unlink)."""
        await self._write(lambda c: unlink(c, staff_id))

    def linked(self, issuer: str, staff_id: int) -> bool:
        """Is the account connected?"""
        return linked(self._database.read, issuer, staff_id)

    def all_linked(self) -> frozenset[int]:
        """Accounts that are connected."""
        return all_linked(self._database.read)

    async def _write(self, operation: Operation[T]) -> T:
        result = await self._database.write(operation)
        self._moved()
        return result
