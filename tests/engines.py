"""Which engine the tests run on: files of SQLite unless `--engine postgresql` is given."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from postgres import Cluster, cluster

_CHOSEN: list[str] = ["sqlite"]
_SERVERS: list[Cluster] = []
_OPEN = ExitStack()
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300")


def choose(engine: str) -> None:
    """Run on this engine from now on."""
    _CHOSEN[0] = engine


def on_postgresql() -> bool:
    """Do the tests run on PostgreSQL?"""
    return _CHOSEN[0] == "postgresql"


def place(path: Path) -> Path | str:
    """Where the store of this file is: the file, or a database of the server that all tests of this run share."""
    return server().store(path) if on_postgresql() else path


def server() -> Cluster:
    """The PostgreSQL of this run."""
    if not _SERVERS:
        _SERVERS.append(_OPEN.enter_context(cluster(*QUICK)))
    return _SERVERS[0]


def finish() -> None:
    """Stop what runs."""
    _OPEN.close()
    _SERVERS.clear()
