"""A copy of the SQLite file while it is in use, and the way back: checked before anybody relies on it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.store import audit
from bot.store.schema import scripts
from bot.store.sqlite import Sqlite, SqliteConnection

PAGES = 512  # copied at a time; writers go on between two steps
WEB_KEY = "web.key"
COUNTED = ("conversations", "messages", "cases", "inbox", "outbox", "staff", "audit")


class BadBackup(Exception):
    """The copy cannot be relied on; the argument says why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a copy holds: rows by table, the number of its schema, the newest hash of its audit trail."""

    rows: dict[str, int]
    schema: int
    head: str


def back_up(database: Path, key: bytes | None, to: Path) -> Checked:
    """Copy the file as it is at one moment, with the key of web sessions inside, and check the copy.

    `to` must not exist; a copy that is not good is removed. Raises BadBackup, FileExistsError or sqlite3.Error.
    """
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(_reading(database)) as source,
            closing(sqlite3.connect(to)) as copy,
        ):
            source.backup(copy, pages=PAGES)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without others beside it
            if key is not None:
                copy.execute("INSERT INTO kept VALUES (?, ?) ON CONFLICT DO NOTHING", (WEB_KEY, key.hex()))
            copy.commit()
        return check(to)
    except BaseException:
        to.unlink(missing_ok=True)
        raise


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def check(copy: Path) -> Checked:
    """Is it whole? Raises BadBackup, also when it was made by a newer program."""
    try:
        with closing(_reading(copy)) as raw:
            raw.row_factory = sqlite3.Row
            return _checked(SqliteConnection(raw))
    except sqlite3.DatabaseError as error:
        raise BadBackup(f"it is no whole database ({error})") from None


def _checked(connection: SqliteConnection) -> Checked:
    found = [row[0] for row in connection.all("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise BadBackup(f"its pages are damaged ({len(found)} faults)")
    if connection.all("PRAGMA foreign_key_check"):
        raise BadBackup("rows refer to others that are not there")
    schema = connection.one("SELECT max(number) AS n FROM migrations")["n"]
    if schema > max(number for number, _ in scripts("sqlite")):
        raise BadBackup("it was made by a newer version of this program")
    chain = audit.verify(connection)
    if chain.fault is not None:
        raise BadBackup(f"row {chain.row} of its audit trail is {chain.fault.value}")
    rows = {table: int(connection.one(f"SELECT count(*) AS n FROM {table}")["n"]) for table in COUNTED}
    return Checked(rows, schema, chain.head)


def put_back(copy: Path, database: Path, key: Path) -> Checked:
    """Make the copy the database, and write the key of web sessions. Nobody may use the database meanwhile.

    Raises BadBackup before anything was changed. What was there before must have been moved away.
    """
    checked = check(copy)
    fresh = database.with_suffix(".restoring")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(_reading(copy)) as source,
        closing(sqlite3.connect(fresh)) as target,
    ):
        source.backup(target)
        kept = target.execute("DELETE FROM kept WHERE name = ? RETURNING value", (WEB_KEY,)).fetchone()
        target.commit()
    if kept is not None:
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(bytes.fromhex(kept[0]))
    with open(fresh, "rb") as file:
        os.fsync(file.fileno())
    fresh.replace(database)
    Sqlite(database).migrate()
    return checked
