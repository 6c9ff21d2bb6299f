"""PostgreSQL: several servers side by side on one database."""

from __future__ import annotations

import contextlib
import functools
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.types.numeric import Int8Dumper

from bot.store.bell import Bell
from bot.store.connection import NOW, Params, StoreUnavailable
from bot.store.schema import in_postgresql, scripts, statements

CLOCK = "(extract(epoch FROM statement_timestamp())::float8)"
CONNECT_SECONDS = 5
WAIT_SECONDS = 10  # for a lock
DEADLOCK_MILLISECONDS = 100  # until two servers that wait for each other are told apart; PostgreSQL's own is a second
WRITES = 7_001  # advisory locks: every transaction that writes shares or owns this one
MIGRATING = 7_002
BEHIND = "its schema is not this program's, and this account may not change it: run labor-bot migrate as the owner"
_BEGIN = f"BEGIN; SELECT pg_advisory_xact_lock({WRITES})".encode()
_BEGIN_BESIDE = f"BEGIN; SELECT pg_advisory_xact_lock_shared({WRITES})".encode()
_NAMED = re.compile(r"'(?:[^']|'')*'|(?<![:\w]):([a-z_][a-z0-9_]*)", re.IGNORECASE)


class _NumberLoader(Loader):
    """Sums and means, as SQLite gives them."""

    def load(self, data: Any) -> int | float:
        text = bytes(data).decode()
        return float(text) if "." in text else int(text)


class PostgresConnection:
    """See connection.WriterConnection."""

    skip_locked = " FOR UPDATE SKIP LOCKED"

    def __init__(self, raw: psycopg.Connection[dict[str, Any]]) -> None:
        self.raw = raw
        self._changes = 0

    def execute(self, sql: str, params: Params = {}) -> psycopg.Cursor[dict[str, Any]]:
        """Run one statement with named parameters."""
        cursor = self.raw.execute(translated(sql), params)
        if not sql.startswith(("SELECT", "WITH")) and cursor.rowcount > 0:
            self._changes += cursor.rowcount
        return cursor

    def many(self, sql: str, params: Sequence[Params]) -> None:
        """Run one statement for each."""
        with self.raw.cursor() as cursor:
            cursor.executemany(translated(sql), params)
        self._changes += len(params)

    def one(self, sql: str, params: Params = {}) -> Any:
        """The first row, or None."""
        return self.execute(sql, params).fetchone()

    def all(self, sql: str, params: Params = {}) -> list[Any]:
        """All rows."""
        return self.execute(sql, params).fetchall()

    def alone(self, what: str) -> None:
        """Other servers wait here until this transaction ends."""
        self.raw.execute(
            "SELECT pg_advisory_xact_lock(%s::int, %s::int)", (WRITES, zlib.crc32(what.encode()) & 0x7FFFFFFF)
        )

    @property
    def open(self) -> bool:
        """False once a statement failed: PostgreSQL takes no other one until the transaction is undone."""
        return self.raw.info.transaction_status is TransactionStatus.INTRANS

    @property
    def gone(self) -> bool:
        """The connection broke: nothing of the transaction was kept."""
        return self.raw.broken or self.raw.closed

    @property
    def changes(self) -> int:
        """Rows written since the connection was opened."""
        return self._changes

    def begin(self, beside: bool) -> None:
        """Those that may run beside each other share a lock that the others own: those see no half-done step."""
        self.raw.execute(_BEGIN_BESIDE if beside else _BEGIN)

    def control(self, statement: str) -> None:
        """COMMIT, ROLLBACK, or one of the savepoint statements."""
        self.raw.execute(statement.encode())

    def reset(self) -> None:
        """Undo a transaction that is open. Raises psycopg.Error when the connection is no good any more."""
        if self.gone:
            raise psycopg.OperationalError
        if self.raw.info.transaction_status is not TransactionStatus.IDLE:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        """Close it."""
        self.raw.close()


class PostgresReader:
    """Reads what is committed; opens a new connection when the old one broke."""

    skip_locked = ""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: PostgresConnection | None = None
        self._closed = False

    def execute(self, sql: str, params: Params = {}) -> psycopg.Cursor[dict[str, Any]]:
        """Run one statement with named parameters. Raises StoreUnavailable when the database does not answer."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        connection, fresh = self._connection, False
        if connection is None or connection.raw.closed:
            connection, fresh = self._opened(), True
        try:
            return connection.execute(sql, params)
        except psycopg.OperationalError as error:
            if fresh or not connection.raw.broken:
                raise StoreUnavailable("the database does not answer") from error
        return self._opened().execute(sql, params)

    def _opened(self) -> PostgresConnection:
        self._connection = connection = PostgresConnection(_connect(self._url))
        connection.raw.execute("SET default_transaction_read_only = on")
        return connection

    def many(self, sql: str, params: Sequence[Params]) -> None:
        """A reader writes nothing."""
        raise psycopg.errors.ReadOnlySqlTransaction

    def one(self, sql: str, params: Params = {}) -> Any:
        """The first row, or None."""
        return self.execute(sql, params).fetchone()

    def all(self, sql: str, params: Params = {}) -> list[Any]:
        """All rows."""
        return self.execute(sql, params).fetchall()

    def alone(self, what: str) -> None:
        """A reader holds nobody up."""

    def close(self) -> None:
        """Close it; whoever still asks gets no new connection."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()


class Postgres:
    """See connection.Engine. `url`: postgresql://..."""

    errors: tuple[type[Exception], ...] = (psycopg.Error, StoreUnavailable)
    version = "current_setting('server_version')"
    shared = True

    def __init__(self, url: str) -> None:
        self._url = url

    def reader(self) -> PostgresReader:
        """One that cannot write."""
        return PostgresReader(self._url)

    def writer(self) -> PostgresConnection:
        """One that can."""
        raw = _connect(self._url)
        raw.execute(f"SET lock_timeout = '{WAIT_SECONDS}s'".encode())
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):  # see deploy/postgresql/roles.sql
            raw.execute(f"SET deadlock_timeout = '{DEADLOCK_MILLISECONDS}ms'".encode())
        return PostgresConnection(raw)

    def migrate(self) -> int:
        """One migration a transaction; of several servers that start at once one does it and the others wait."""
        connection = self.writer()
        try:
            connection.raw.execute("SET lock_timeout = 0")
            connection.raw.execute(f"SELECT pg_advisory_lock({MIGRATING})")
            if connection.one("SELECT to_regclass('migrations') AS there")["there"] is None:
                connection.execute(
                    "CREATE TABLE migrations (number BIGINT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)"
                )
            newest = 0
            for newest, script in scripts("postgresql"):
                _apply(connection, newest, script)
            return newest
        except psycopg.errors.InsufficientPrivilege as error:
            raise StoreUnavailable(BEHIND) from error
        finally:
            connection.close()  # and with it the lock is free

    def bell(self, heard: Callable[[str], None]) -> Bell:
        """Over LISTEN and NOTIFY."""
        return Bell(self._url, heard)

    def again(self, error: BaseException) -> bool:
        """Two servers that met at the same rows: one of them was sent back."""
        return isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)


def _connect(url: str) -> psycopg.Connection[dict[str, Any]]:
    try:
        raw = psycopg.connect(
            url, autocommit=True, row_factory=dict_row, prepare_threshold=2, connect_timeout=CONNECT_SECONDS
        )
    except psycopg.OperationalError as error:
        raise StoreUnavailable("the database cannot be reached") from error
    raw.prepared_max = 400
    raw.adapters.register_dumper(int, Int8Dumper)  # one prepared statement, however large the number is
    raw.adapters.register_loader("numeric", _NumberLoader)  # sums of whole numbers
    return raw


def _apply(connection: PostgresConnection, number: int, script: str) -> None:
    if connection.one("SELECT 1 FROM migrations WHERE number = :n", {"n": number}) is not None:
        return
    with connection.raw.transaction():
        for statement in statements(script):
            if words := in_postgresql(statement):
                connection.raw.execute(words.replace(NOW, CLOCK).encode())
        connection.execute(f"INSERT INTO migrations VALUES (:n, {NOW})", {"n": number})


@functools.lru_cache(maxsize=2000)
def translated(sql: str) -> bytes:
    """Our SQL as psycopg takes it: its clock, its way to write parameters."""
    text = sql.replace(NOW, CLOCK).replace("%", "%%")
    return _NAMED.sub(lambda found: f"%({found[1]})s" if found[1] else found[0], text).encode()
