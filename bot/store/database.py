"""Every write of every room in a shared durable commit, and readers beside the one writer."""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from bot.store.connection import NOW, Connection, Engine, Row, StoreUnavailable, WriterConnection
from bot.store.sqlite import Sqlite

__all__ = ["NOW", "Connection", "Database", "Operation", "Row", "StoreUnavailable"]

T = TypeVar("T")
TRIES = 5

Operation = Callable[[Connection], T]
_Item = tuple[Operation[Any], Any, bool]  # what to do, the future of whoever waits, may it run beside other servers'
_Result = tuple[Any, Any, BaseException | None]  # the future, and its result or error


class _HalfWritten(Exception):
    """An operation failed after it had written something."""


def engine_of(where: Path | str) -> Engine:
    """The engine of a path, or of a URL that starts with postgresql."""
    if isinstance(where, Path):
        return Sqlite(where)
    from bot.store.postgres import Postgres  # its driver is an extra

    return Postgres(where)


def migrate(where: Path | str) -> int:
    """Bring the schema to the newest number and return it."""
    return engine_of(where).migrate()


def exists(where: Path | str) -> bool:
    """Is there a database? One on another machine is asked for when it is opened."""
    return not isinstance(where, Path) or where.exists()


class Database:
    """Readers for the calling thread and one writer thread whose commits are shared by all who wait.

    The writer commits whenever it is free: no timer. An operation that fails undoes only itself; the commit is durable
    before any caller goes on. An operation must touch nothing but its connection: when another one of its batch fails
    after it wrote something, or two servers met at the same rows, the batch is undone and run again.

    Where several servers share the database, an operation has it for itself, as with one writer. Those that are
    written for it say `beside=True` and run beside those of other servers that do so too.
    """

    def __init__(self, where: Path | str) -> None:
        self.engine = engine_of(where)
        self.engine.migrate()
        self._local = threading.local()
        self._readers: list[Connection] = []
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._writer: WriterConnection | None = self.engine.writer()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()
        self.commits = 0
        self.operations = 0
        self.repeated = 0

    @property
    def read(self) -> Connection:
        """This thread's reading connection; it sees what is committed."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self.engine.reader()
            self._readers.append(connection)
        return connection

    @property
    def alive(self) -> bool:
        """Does the writer run?"""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Operations that wait for the writer."""
        return self._queue.qsize()

    async def write(self, operation: Operation[T], beside: bool = False) -> T:
        """Run `operation` in the next shared commit and return its result once that is durable.

        Raises what the operation raised, or StoreUnavailable when the commit failed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put((operation, future, beside))
        return await future

    def write_now(self, operation: Operation[T]) -> T:
        """The same for callers without an event loop (the command line)."""
        future: Future[T] = Future()
        self._queue.put((operation, future, False))
        return future.result()

    def close(self) -> None:
        """Finish what waits and close every connection."""
        self._queue.put(None)
        self._thread.join(timeout=30)
        for connection in (self._writer, *self._readers):
            if connection is not None:
                connection.close()

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
        for tried in range(TRIES):
            try:
                return self._try(batch)
            except self.engine.errors as error:
                self._undo()
                failure: Exception = error
                if not self.engine.again(error):
                    break
                self.repeated += 1
                time.sleep(random.uniform(0.0, 0.01 * (tried + 1)))
        unavailable = StoreUnavailable(type(failure).__name__)
        return [(future, None, unavailable) for _, future, _ in batch]

    def _try(self, batch: list[_Item]) -> list[_Result]:
        """Raises what the engine raises when the transaction as a whole failed."""
        writer = self._writer = self._writer or self.engine.writer()
        beside = all(beside for _, _, beside in batch)
        writer.begin(beside)
        try:
            results = [self._attempt(writer, *item) for item in batch]
        except _HalfWritten:
            writer.control("ROLLBACK")
            writer.begin(beside)
            results = [self._attempt_apart(writer, *item) for item in batch]
        writer.control("COMMIT")
        self.commits += 1
        self.operations += len(batch)
        return results

    def _undo(self) -> None:
        """Back to where a transaction can begin; with a new connection where this one broke."""
        if self._writer is None:
            return
        try:
            self._writer.reset()
        except self.engine.errors:
            self._writer = None

    def _attempt(self, writer: WriterConnection, operation: Operation[Any], future: Any, _: bool) -> _Result:
        """Most operations that fail (a stale fence, a case taken) do so before they wrote anything: nothing to undo."""
        before = writer.changes
        try:
            return future, operation(writer), None
        except Exception as error:
            if writer.gone or self.engine.again(error):
                raise  # nobody's write holds
            if not writer.open or writer.changes != before:
                raise _HalfWritten from error
            return future, None, error

    def _attempt_apart(self, writer: WriterConnection, operation: Operation[Any], future: Any, _: bool) -> _Result:
        writer.control("SAVEPOINT operation")
        try:
            result = operation(writer)
        except Exception as error:
            if writer.gone or self.engine.again(error):
                raise
            writer.control("ROLLBACK TO operation")
            writer.control("RELEASE operation")
            return future, None, error
        writer.control("RELEASE operation")
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
