"""Everything kept under other keys, or plain, is written anew under the first key; what cannot be read is found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.store import codec, taking_back
from bot.store.codec import SEALED, Keyring, Unreadable, decode, decode_bytes, encode, encode_bytes
from bot.store.connection import Connection, Row
from bot.store.database import Database

TEXT, BYTES, CHAINED = "text", "bytes", "chained"  # CHAINED: hashed as it is stored, so never written again

# Every column marked (codec) in the migrations; tests/test_codec.py compares.
COLUMNS = (
    ("conversations", "state", TEXT),
    ("messages", "body", TEXT),
    ("messages", "reading", TEXT),
    ("inbox", "body", TEXT),
    ("facts", "value", TEXT),
    ("drafts", "body", TEXT),
    ("unanswered", "text", TEXT),
    ("misread", "text", TEXT),
    ("masked", "body", TEXT),
    ("proposals", "given", TEXT),
    ("proposals", "note", TEXT),
    ("attachments", "name", TEXT),
    ("attachments", "body", BYTES),
    ("case_log", "detail", TEXT),
    ("case_notes", "body", TEXT),
    ("callbacks", "number", TEXT),
    ("callbacks", "wish", TEXT),
    ("ratings", "words", TEXT),
    ("staff", "totp", TEXT),
    ("staff", "totp_wanted", TEXT),
    ("hours_overrides", "reason", TEXT),
    ("phrases", "texts", TEXT),
    ("privacy_requests", "reason", TEXT),
    ("legal_holds", "reason", TEXT),
    ("oidc_attempts", "verifier", TEXT),
    ("audit", "why", CHAINED),
)
KEYS = {  # tables whose rows are not named by `id`
    "facts": ("conversation_id", "subject", "fact"),
    "masked": ("conversation_id", "event_id"),
    "drafts": ("case_id", "staff_id"),
    "hours_overrides": ("day",),
    "phrases": ("phrase", "version"),
    "legal_holds": ("conversation_id",),
    "oidc_attempts": ("state",),
}
AT_ONCE = {TEXT: 200, BYTES: 4}  # rows in one transaction; files are large
PAUSE_SECONDS = 0.01  # between two transactions, for the servers
PUBLIC = (taking_back.BLANK_EVENT, taking_back.TOMBSTONE)  # the same in every store, whatever the keys
NEWEST = ("messages", "inbox", "conversations")


class NoKeys(Exception):
    """This process was given no keys to write with."""


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """Of one table: rows written anew, rows left as they are since they cannot be read."""

    table: str
    rows: int
    left: int


@dataclass(frozen=True, slots=True)
class _Step:
    rows: int
    left: int
    last: tuple[Any, ...] | None  # the key of the last row looked at; None: there are no more


@dataclass(frozen=True, slots=True)
class Standing:
    """How a store stands to the keys in use: is something `stale` (plain, or not under the first one); keys that are
    missing."""

    stale: bool
    missing: tuple[str, ...]


def rekey(database: Database) -> Iterator[Rekeyed]:
    """Table after table, in small steps that keep no server waiting; what was broken off goes on when called anew.

    Raises NoKeys, or StoreUnavailable.
    """
    keys = codec.ring()
    if keys is None:
        raise NoKeys
    for table, columns in _tables():
        rows = left = 0
        step = _step(database, keys, table, columns, None)
        rows, left = rows + step.rows, left + step.left
        while step.last is not None:
            time.sleep(PAUSE_SECONDS)
            step = _step(database, keys, table, columns, step.last)
            rows, left = rows + step.rows, left + step.left
        yield Rekeyed(table, rows, left)


def _tables() -> Iterator[tuple[str, dict[str, str]]]:
    """(table, kinds by column) of what may be written anew."""
    for table in dict.fromkeys(table for table, _, kind in COLUMNS if kind != CHAINED):
        yield table, {column: kind for each, column, kind in COLUMNS if each == table}


def _step(
    database: Database, keys: Keyring, table: str, columns: dict[str, str], after: tuple[Any, ...] | None
) -> _Step:
    return database.write_now(lambda c: _written(c, keys, table, columns, after))


def _written(
    connection: Connection, keys: Keyring, table: str, columns: dict[str, str], after: tuple[Any, ...] | None
) -> _Step:
    """Some rows behind `after`, in the order of their keys; nobody else writes between reading and writing them."""
    key, limit = KEYS.get(table, ("id",)), AT_ONCE[BYTES if BYTES in columns.values() else TEXT]
    stale, params = _stale(keys.first, columns)
    if after is not None:
        stale += f" AND ({', '.join(key)}) > ({', '.join(f':after_{name}' for name in key)})"
        params |= {f"after_{name}": value for name, value in zip(key, after, strict=True)}
    rows = connection.all(
        f"SELECT {', '.join((*key, *columns))} FROM {table} WHERE {stale} ORDER BY {', '.join(key)} LIMIT {limit}",
        params,
    )
    done = sum([_write(connection, table, key, columns, row) for row in rows])
    return _Step(done, len(rows) - done, tuple(rows[-1][name] for name in key) if len(rows) == limit else None)


def _stale(first: str, columns: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The condition of a row of which a column is not under the first key."""
    head = codec.prefix(first)
    params: dict[str, Any] = {"text": head, "bytes": head.encode()}
    said = dict(zip(("gone", "tombstone"), PUBLIC, strict=True))
    conditions = []
    for column, kind in columns.items():
        mine = ":bytes" if kind == BYTES else ":text"
        condition = f"length({column}) > 0 AND substr({column}, 1, {len(head)}) <> {mine}"
        if column == "body" and kind == TEXT:
            condition += f" AND {column} NOT IN (:gone, :tombstone)"
            params |= said
        conditions.append(condition)
    used = {name: value for name, value in params.items() if f":{name}" in " OR ".join(conditions)}
    return f"(({') OR ('.join(conditions)}))", used


def _write(connection: Connection, table: str, key: Sequence[str], columns: dict[str, str], row: Row) -> bool:
    """False when a column cannot be read: then all of the row stays as it is."""
    try:
        fresh = {column: _anew(row[column], kind) for column, kind in columns.items()}
    except Unreadable:
        return False
    change = ", ".join(f"{column} = :{column}" for column in columns)
    where = " AND ".join(f"{name} = :key_{name}" for name in key)
    connection.execute(f"UPDATE {table} SET {change} WHERE {where}", fresh | {f"key_{name}": row[name] for name in key})
    return True


def _anew(stored: Any, kind: str) -> Any:
    if not stored or stored in PUBLIC:
        return stored
    return encode_bytes(decode_bytes(bytes(stored))) if kind == BYTES else encode(decode(stored))


# -- how it stands


def standing(connection: Connection) -> Standing:
    """Looks through everything that is kept: slow on a large store."""
    keys = codec.ring()
    names = keys.names if keys else ()
    stale = keys is not None and any(_any_stale(connection, keys.first, *each) for each in _tables())
    missing = {name for column in COLUMNS for name in _missing(connection, names, *column)}
    return Standing(stale, tuple(sorted(missing)))


def keys_of_audit(connection: Connection) -> tuple[str, ...]:
    """Names of the keys beside the first one that the audit trail is under: it is never written anew."""
    keys = codec.ring()
    names = set(_missing(connection, (keys.first,) if keys else (), "audit", "why", CHAINED))
    return tuple(sorted(names))


def _any_stale(connection: Connection, first: str, table: str, columns: dict[str, str]) -> bool:
    stale, params = _stale(first, columns)
    return connection.one(f"SELECT 1 FROM {table} WHERE {stale} LIMIT 1", params) is not None


def _missing(connection: Connection, names: Sequence[str], table: str, column: str, kind: str) -> Iterator[str]:
    """Names of keys that a column's rows are under, and that are not among these."""
    known = list(names)
    while True:
        params: dict[str, Any] = {"sealed": _as(kind, SEALED)}
        conditions = [f"substr({column}, 1, 1) = :sealed"]
        for number, name in enumerate(known):
            head = codec.prefix(name)
            conditions.append(f"substr({column}, 1, {len(head)}) <> :known{number}")
            params[f"known{number}"] = _as(kind, head)
        row = connection.one(
            f"SELECT substr({column}, 1, 40) AS head FROM {table} WHERE {' AND '.join(conditions)} LIMIT 1", params
        )
        if row is None:
            return
        name = codec.key_of(row["head"] if kind != BYTES else bytes(row["head"]))
        if name in known:
            return
        known.append(name)
        yield name


def _as(kind: str, text: str) -> str | bytes:
    return text.encode() if kind == BYTES else text


def missing_of_newest(connection: Connection) -> str:
    """The key that the newest rows are under and this process was not given; empty when there is none. Quick."""
    keys = codec.ring()
    known = {"", *(keys.names if keys else ())}
    for table, column, _ in COLUMNS:
        if table not in NEWEST:
            continue
        row = connection.one(f"SELECT substr({column}, 1, 40) AS head FROM {table} ORDER BY id DESC LIMIT 1")
        name = codec.key_of(row["head"]) if row else ""
        if name not in known:
            return name
    return ""
