"""Caseworkers' accounts and sessions, and drafts."""

from __future__ import annotations

from dataclasses import replace

from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Row
from bot.store.records import StaffRow

ONE_TIME_SECONDS = 7 * 86400.0  # how long a password that was handed over is good


def row_of(row: Row) -> StaffRow:
    """An account as the table holds it."""
    return StaffRow(
        id=row["id"],
        name=row["name"],
        role=row["role"],
        password_hash=row["password_hash"],
        must_change=bool(row["must_change"]),
        disabled=bool(row["disabled"]),
        second=bool(row["totp"]),
        languages=tuple(row["languages"].split()),
    )


def add(connection: Connection, name: str, role: str, password_hash: str) -> int:
    """A new account that must change its password at the first log-in.

    Raises ValueError when the name is taken.
    """
    row = connection.execute(
        "INSERT INTO staff (name, role, password_hash, created_at, one_time_until) VALUES (:name, :role, :hash,"
        f" {NOW}, {NOW} + :seconds) ON CONFLICT (name) DO NOTHING RETURNING id",
        {"name": name, "role": role, "hash": password_hash, "seconds": ONE_TIME_SECONDS},
    ).fetchone()
    if row is None:
        raise ValueError(f"an account named {name!r} exists already")
    return int(row["id"])


def count(connection: Connection) -> int:
    """How many accounts there are."""
    row = connection.one("SELECT count(*) AS n FROM staff")
    return int(row["n"]) if row else 0


def by_name(connection: Connection, name: str) -> StaffRow | None:
    """The account of a name."""
    late = f"CASE WHEN must_change = 1 AND one_time_until <= {NOW} THEN 1 ELSE 0 END AS late"
    row = connection.one(f"SELECT *, {late} FROM staff WHERE name = :name", {"name": name})
    return None if row is None else replace(row_of(row), late=bool(row["late"]))


def set_password(connection: Connection, staff_id: int, password_hash: str) -> None:
    """A new password of the account's own choice; every session of it ends."""
    connection.execute(
        "UPDATE staff SET password_hash = :hash, must_change = 0, one_time_until = NULL WHERE id = :id",
        {"hash": password_hash, "id": staff_id},
    )
    end_all(connection, staff_id)


def end_all(connection: Connection, staff_id: int) -> None:
    """Every session and every half-open log-in of the account ends; that somebody was there is kept."""
    connection.execute(
        "UPDATE staff SET seen_at = coalesce((SELECT max(t.seen_at) FROM staff_sessions t WHERE t.staff_id = staff.id),"
        " seen_at) WHERE id = :id",
        {"id": staff_id},
    )
    connection.execute("DELETE FROM staff_sessions WHERE staff_id = :id", {"id": staff_id})
    connection.execute("DELETE FROM staff_halfway WHERE staff_id = :id", {"id": staff_id})


def open_session(connection: Connection, token_hash: bytes, staff_id: int, confirmed: bool = True) -> None:
    """Remember a session by the hash of its token. `confirmed`: the password was given just now."""
    connection.execute(
        "INSERT INTO staff_sessions (token_hash, staff_id, created_at, seen_at, confirmed_at)"
        f" VALUES (:token, :staff, {NOW}, {NOW}, {NOW if confirmed else '0'})",
        {"token": token_hash, "staff": staff_id},
    )


def session(connection: Connection, token_hash: bytes, idle: float, absolute: float) -> StaffRow | None:
    """Whose session it is, if it is neither idle nor older than the limits (seconds) and the account is enabled."""
    row = connection.one(
        "SELECT s.* FROM staff_sessions t JOIN staff s ON s.id = t.staff_id WHERE t.token_hash = :token"
        f" AND t.seen_at > {NOW} - :idle AND t.created_at > {NOW} - :absolute AND s.disabled = 0",
        {"token": token_hash, "idle": idle, "absolute": absolute},
    )
    return None if row is None else row_of(row)


def touch(connection: Connection, token_hash: bytes) -> None:
    """The session was used just now."""
    connection.execute(f"UPDATE staff_sessions SET seen_at = {NOW} WHERE token_hash = :token", {"token": token_hash})


def end_session(connection: Connection, token_hash: bytes) -> None:
    """Log out; that somebody was there is kept."""
    connection.execute(
        f"UPDATE staff SET seen_at = {NOW} WHERE id = (SELECT staff_id FROM staff_sessions WHERE token_hash = :token)",
        {"token": token_hash},
    )
    connection.execute("DELETE FROM staff_sessions WHERE token_hash = :token", {"token": token_hash})


def last_seen(connection: Connection) -> float:
    """When anyone used the desk last, in Unix seconds; 0 when nobody has a session."""
    row = connection.one("SELECT coalesce(max(seen_at), 0.0) AS at FROM staff_sessions")
    return float(row["at"]) if row else 0.0


def last_there(connection: Connection) -> float:
    """When anyone was at the desk last, logged out since or not, in Unix seconds; 0 for never."""
    row = connection.one(
        "SELECT coalesce(max(at), 0.0) AS at FROM (SELECT seen_at AS at FROM staff_sessions UNION ALL"
        " SELECT seen_at AS at FROM staff) AS seen"
    )
    return float(row["at"]) if row else 0.0


def draft(connection: Connection, case_id: int, staff_id: int) -> str:
    """The unsent text of a caseworker in a case."""
    row = connection.one(
        "SELECT body FROM drafts WHERE case_id = :case AND staff_id = :staff", {"case": case_id, "staff": staff_id}
    )
    return "" if row is None else decode(row["body"])


def keep_draft(connection: Connection, case_id: int, staff_id: int, text: str) -> None:
    """Keep the unsent text of a caseworker in a case."""
    connection.execute(
        "INSERT INTO drafts VALUES (:case, :staff, :body) ON CONFLICT (case_id, staff_id)"
        " DO UPDATE SET body = excluded.body",
        {"case": case_id, "staff": staff_id, "body": encode(text)},
    )
