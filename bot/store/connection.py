"""What the SQL of this room is written against: one way to run a statement, whichever engine stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

Params = Mapping[str, Any]

# The database's own clock, in Unix seconds: leases expire by it, whatever the host's programs think the time is.
# Written for SQLite; another engine puts its own clock in this place.
NOW = "((julianday('now') - 2440587.5) * 86400.0)"


class StoreUnavailable(OSError):
    """The store cannot take a write now; nothing of it was kept."""


class Row(Protocol):
    """One row, by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...
    def keys(self) -> Iterable[str]: ...


class Cursor(Protocol):
    """What a statement led to."""

    @property
    def rowcount(self) -> int:
        """Rows that were written."""
        ...

    def fetchone(self) -> Any:
        """The next row (a Row), or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A thin door to one engine: named parameters (`:name`), rows by name."""

    skip_locked: str
    """Put behind the SELECT that picks rows to lease: other servers pass over what this one is taking."""

    def execute(self, sql: str, params: Params = {}) -> Cursor:
        """Run one statement with named parameters."""
        ...

    def many(self, sql: str, params: Sequence[Params]) -> None:
        """Run one statement for each."""
        ...

    def one(self, sql: str, params: Params = {}) -> Any:
        """The first row (a Row), or None."""
        ...

    def all(self, sql: str, params: Params = {}) -> list[Any]:
        """All rows."""
        ...

    def alone(self, what: str) -> None:
        """Nobody else does `what` until this transaction ends. Nothing to do where there is one writer only."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class WriterConnection(Connection, Protocol):
    """The one connection of a process that writes."""

    @property
    def open(self) -> bool:
        """Is a transaction open that can go on?"""
        ...

    @property
    def gone(self) -> bool:
        """Did the engine give up the whole transaction, or the connection?"""
        ...

    @property
    def changes(self) -> int:
        """Grows with every row written."""
        ...

    def begin(self, beside: bool) -> None:
        """Start a transaction: `beside` those of other processes that are so too, or else with no other one at all."""
        ...

    def control(self, statement: str) -> None:
        """COMMIT, ROLLBACK, or one of the savepoint statements."""
        ...

    def reset(self) -> None:
        """Undo a transaction that is open. Raises one of the engine's errors when the connection broke."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Bell(Protocol):
    """Tells the other servers what changed."""

    def ring(self, topic: str) -> None:
        """Tell the others that this topic (a word without blanks) changed."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


class Engine(Protocol):
    """Where the data lie."""

    errors: tuple[type[Exception], ...]
    """What its driver raises."""

    version: str
    """The SQL expression that tells the engine's version."""

    shared: bool
    """Do other processes write there too? What is remembered in memory is then looked up again after a moment."""

    def migrate(self) -> int:
        """Bring the schema to the newest number and return it; one migration a transaction, one process at a time."""
        ...

    def reader(self) -> Connection: ...

    def writer(self) -> WriterConnection: ...

    def bell(self, heard: Callable[[str], None]) -> Bell | None:
        """Wake-ups from and to the other servers; None where there are none."""
        ...

    def again(self, error: BaseException) -> bool:
        """Is it worth running the same transaction once more?"""
        ...
