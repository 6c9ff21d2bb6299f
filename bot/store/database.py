"""One SQLite file: numbered migrations, readers beside one writer, every write in a shared durable commit."""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils

T = TypeVar("T")
Row = sqlite3.Row
Params = Mapping[str, Any]

# The database's own clock, in Unix seconds: leases expire by it, whatever the host's programs think the time is.
NOW = "((julianday('now') - 2440587.5) * 86400.0)"
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 10.0


class StoreUnavailable(OSError):
    """The store cannot take a write now; nothing of it was kept."""


class Connection:
    """A thin door to one engine: named parameters, rows by name."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    def execute(self, sql: str, params: Params = {}) -> sqlite3.Cursor:
        """Run one statement with named parameters."""
        return self.raw.execute(sql, params)

    def many(self, sql: str, params: Sequence[Params]) -> None:
        """Run one statement for each."""
        self.raw.executemany(sql, params)

    def one(self, sql: str, params: Params = {}) -> Row | None:
        """The first row, or None."""
        row: Row | None = self.raw.execute(sql, params).fetchone()
        return row

    def all(self, sql: str, params: Params = {}) -> list[Row]:
        """All rows."""
        return self.raw.execute(sql, params).fetchall()


Operation = Callable[[Connection], T]
_Item = tuple[Operation[Any], Any]  # what to do, and the future of whoever waits
_Result = tuple[Any, Any, BaseException | None]  # the future, and its result or error


class _HalfWritten(Exception):
    """An operation failed after it had written something."""


def _open(path: Path) -> Connection:
    # Made by us first: readable by its owner alone. The engine's side files follow it. Not opened once it is there:
    # closing any descriptor of a file drops this process's locks on it, and another process removes the WAL in use.
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    raw = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    raw.row_factory = sqlite3.Row
    database = sqlite_utils.Database(raw, execute_plugins=False)
    database.enable_wal()
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute("PRAGMA foreign_keys=ON")
    raw.execute("PRAGMA secure_delete=FAST")  # what is erased is overwritten in the pages that change anyway
    return Connection(raw)


def migrate(path: Path) -> int:
    """Bring the file to the newest schema, one migration a transaction; returns the schema number."""
    connection = _open(path)
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, applied_at REAL NOT NULL)"
        )
        newest = 0
        for script in sorted(MIGRATIONS.glob("*.sql")):
            newest = int(script.name[:4])
            _apply(connection, newest, script.read_text(encoding="utf-8"))
        return newest
    finally:
        connection.raw.close()


def _apply(connection: Connection, number: int, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.one("SELECT 1 FROM migrations WHERE number = :n", {"n": number}) is None:
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"INSERT INTO migrations VALUES (:n, {NOW})", {"n": number})
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    lines = [line.split("--")[0].rstrip() for line in script.splitlines()]
    found, statement = [], ""
    for part in "\n".join(lines).split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):  # the body of a trigger has semicolons of its own
            found.append(statement.strip())
            statement = ""
    return [each for each in found if each != ";"]


class Database:
    """Readers for the calling thread and one writer thread whose commits are shared by all who wait.

    The writer commits whenever it is free: no timer. An operation that fails undoes only itself; the commit is durable
    (synchronous=FULL) before any caller goes on. An operation must touch nothing but its connection: when another one
    of its batch fails after it wrote something, the batch is undone and run again, each inside a savepoint.
    """

    def __init__(self, path: Path) -> None:
        migrate(path)
        self.path = path
        self._local = threading.local()
        self._readers: list[Connection] = []
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._writer = _open(path)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()
        self.commits = 0
        self.operations = 0

    @property
    def read(self) -> Connection:
        """This thread's reading connection; it sees what is committed."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _open(self.path)
            self._readers.append(connection)
            connection.execute("PRAGMA query_only=ON")
        return connection

    async def write(self, operation: Operation[T]) -> T:
        """Run `operation` in the next shared commit and return its result once that is durable.

        Raises what the operation raised, or StoreUnavailable when the commit failed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put((operation, future))
        return await future

    def write_now(self, operation: Operation[T]) -> T:
        """The same for callers without an event loop (the command line)."""
        future: Future[T] = Future()
        self._queue.put((operation, future))
        return future.result()

    def close(self) -> None:
        """Finish what waits and close every connection."""
        self._queue.put(None)
        self._thread.join(timeout=30)
        for connection in (self._writer, *self._readers):
            connection.raw.close()

    def _run(self) -> None:
        while True:
            batch, closing = self._gather()
            if batch:
                self._settle(self._commit(batch))
            if closing:
                return

    def _gather(self) -> tuple[list[_Item], bool]:
        batch: list[_Item] = []
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[_Item]) -> list[_Result]:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                results = [self._attempt(*item) for item in batch]
            except _HalfWritten:
                self._writer.execute("ROLLBACK")
                self._writer.execute("BEGIN IMMEDIATE")
                results = [self._attempt_apart(*item) for item in batch]
            self._writer.execute("COMMIT")
            self.commits += 1
            self.operations += len(batch)
            return results
        except sqlite3.Error as error:
            if self._writer.raw.in_transaction:
                self._writer.execute("ROLLBACK")
            failure = StoreUnavailable(str(error))
            return [(future, None, failure) for _, future in batch]

    def _attempt(self, operation: Operation[Any], future: Any) -> _Result:
        """Most operations that fail (a stale fence, a case taken) do so before they wrote anything: nothing to undo."""
        before = self._writer.raw.total_changes
        try:
            return future, operation(self._writer), None
        except Exception as error:
            if not self._writer.raw.in_transaction:
                raise  # the engine gave up the whole transaction (disk full, I/O): nobody's write holds
            if self._writer.raw.total_changes != before:
                raise _HalfWritten from error
            return future, None, error

    def _attempt_apart(self, operation: Operation[Any], future: Any) -> _Result:
        self._writer.execute("SAVEPOINT operation")
        try:
            result = operation(self._writer)
        except Exception as error:
            if not self._writer.raw.in_transaction:
                raise
            self._writer.execute("ROLLBACK TO operation")
            self._writer.execute("RELEASE operation")
            return future, None, error
        self._writer.execute("RELEASE operation")
        return future, result, None

    def _settle(self, results: list[_Result]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Result]] = {}
        for entry in results:
            future = entry[0]
            if isinstance(future, Future):
                _resolve([entry])
            else:
                by_loop.setdefault(future.get_loop(), []).append(entry)
        for loop, entries in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, entries)


def _resolve(entries: list[_Result]) -> None:
    for future, result, error in entries:
        if future.done():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
