"""The embedded engine: one SQLite file, readers beside one writer, every commit on disk before anybody goes on."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlite_utils

from bot.store.connection import NOW, Params
from bot.store.schema import scripts, statements

BUSY_SECONDS = 10.0


class SqliteConnection:
    """See connection.WriterConnection."""

    skip_locked = ""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    def execute(self, sql: str, params: Params = {}) -> sqlite3.Cursor:
        """Run one statement with named parameters."""
        return self.raw.execute(sql, params)

    def many(self, sql: str, params: Sequence[Params]) -> None:
        """Run one statement for each."""
        self.raw.executemany(sql, params)

    def one(self, sql: str, params: Params = {}) -> Any:
        """The first row, or None."""
        return self.raw.execute(sql, params).fetchone()

    def all(self, sql: str, params: Params = {}) -> list[Any]:
        """All rows."""
        return self.raw.execute(sql, params).fetchall()

    def alone(self, what: str) -> None:
        """There is no other writer."""

    @property
    def open(self) -> bool:
        """False once the engine gave up the whole transaction (disk full, I/O)."""
        return self.raw.in_transaction

    @property
    def gone(self) -> bool:
        """As above: a single statement that fails leaves the transaction as it was."""
        return not self.raw.in_transaction

    @property
    def changes(self) -> int:
        """Rows written since the connection was opened."""
        return self.raw.total_changes

    def begin(self, beside: bool) -> None:
        """With the write lock from the start: a transaction that reads first would fail at once under contention."""
        self.raw.execute("BEGIN IMMEDIATE")

    def control(self, statement: str) -> None:
        """COMMIT, ROLLBACK, or one of the savepoint statements."""
        self.raw.execute(statement)

    def reset(self) -> None:
        """Undo a transaction that is open."""
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        """Close it."""
        self.raw.close()


class Sqlite:
    """See connection.Engine."""

    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    version = "sqlite_version()"
    shared = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def reader(self) -> SqliteConnection:
        """One that cannot write."""
        connection = self.writer()
        connection.execute("PRAGMA query_only=ON")
        return connection

    def writer(self) -> SqliteConnection:
        """One that can."""
        # Made by us first: readable by its owner alone. The engine's side files follow it. Not opened once it is
        # there: closing any descriptor of a file drops this process's locks on it, and another process removes the WAL
        # in use.
        if not self.path.exists():
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        raw = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        raw.row_factory = sqlite3.Row
        database = sqlite_utils.Database(raw, execute_plugins=False)
        database.enable_wal()
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("PRAGMA secure_delete=FAST")  # what is erased is overwritten in the pages that change anyway
        return SqliteConnection(raw)

    def migrate(self) -> int:
        """One migration a transaction."""
        connection = self.writer()
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, applied_at REAL NOT NULL)"
            )
            newest = 0
            for newest, script in scripts("sqlite"):
                _apply(connection, newest, script)
            return newest
        finally:
            connection.close()

    def bell(self, heard: Callable[[str], None]) -> None:
        """One process owns the file."""

    def again(self, error: BaseException) -> bool:
        """One writer has no conflicts; a busy file was waited for."""
        return False


def _apply(connection: SqliteConnection, number: int, script: str) -> None:
    connection.begin(beside=False)
    try:
        if connection.one("SELECT 1 FROM migrations WHERE number = :n", {"n": number}) is None:
            for statement in statements(script):
                connection.execute(statement)
            connection.execute(f"INSERT INTO migrations VALUES (:n, {NOW})", {"n": number})
        connection.control("COMMIT")
    except BaseException:
        connection.control("ROLLBACK")
        raise
