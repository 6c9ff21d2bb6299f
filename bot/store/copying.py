"""A whole database of SQLite into an empty one of PostgreSQL, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import psycopg
from psycopg import sql

from bot.store.connection import StoreUnavailable
from bot.store.postgres import Postgres
from bot.store.sqlite import Sqlite, SqliteConnection

ROWS = 1000


class NotEmpty(Exception):
    """The database to copy into holds something already."""


class Differs(Exception):
    """After copying, a table does not hold what the other one does; nothing was kept. Its name is the argument."""


def copy(source: Path, url: str) -> dict[str, int]:
    """Rows copied of each table. Nobody may write to `source` meanwhile; `url` is brought to the newest schema first.

    Raises NotEmpty, Differs, StoreUnavailable (the other database) or sqlite3.Error; then nothing is in the target.
    """
    try:
        return _copy(source, url)
    except psycopg.Error as error:
        raise StoreUnavailable(str(error).partition("\n")[0]) from error


def _copy(source: Path, url: str) -> dict[str, int]:
    Sqlite(source).migrate()
    Postgres(url).migrate()
    reader = Sqlite(source).reader()
    try:
        reader.execute("BEGIN")  # one moment of the file, whatever happens to it
        with psycopg.connect(url) as target:
            tables = _tables(reader)
            _refuse_filled(target, tables)
            return {table: _copied(reader, target, table) for table in tables}
    finally:
        reader.close()


def _tables(reader: SqliteConnection) -> list[str]:
    """Every table of ours, those that others refer to first."""
    rows = reader.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    needs = {
        row["name"]: {key["table"] for key in reader.all(f"PRAGMA foreign_key_list({row['name']})")} - {row["name"]}
        for row in rows
    }
    return [table for table in TopologicalSorter(needs).static_order() if table != "migrations"]


def _refuse_filled(target: psycopg.Connection[tuple[object, ...]], tables: list[str]) -> None:
    for table in tables:
        query = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))
        if target.execute(query).fetchone() is not None:
            raise NotEmpty(table)


def _copied(reader: SqliteConnection, target: psycopg.Connection[tuple[object, ...]], table: str) -> int:
    columns = [row["name"] for row in reader.all(f"PRAGMA table_info({table})")]
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with target.cursor() as cursor, cursor.copy(into) as stream:
        for row in _rows(reader, table, columns):
            stream.write_row(row)
            count += 1
    found = target.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    if found is None or found[0] != count:
        raise Differs(table)
    _number_on(target, table)
    return count


def _rows(reader: SqliteConnection, table: str, columns: list[str]) -> Iterator[tuple[object, ...]]:
    cursor = reader.execute(f"SELECT {', '.join(columns)} FROM {table}")
    while rows := cursor.fetchmany(ROWS):
        yield from (tuple(row) for row in rows)


def _number_on(target: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    """New rows are numbered after those that came."""
    name = target.execute(
        "SELECT pg_get_serial_sequence(%s, 'id') FROM information_schema.columns"
        " WHERE table_name = %s AND column_name = 'id' AND table_schema = current_schema()",
        (table, table),
    ).fetchone()
    if name is not None and name[0] is not None:
        target.execute(
            sql.SQL("SELECT setval({}, coalesce((SELECT max(id) FROM {}), 0) + 1, false)").format(
                sql.Literal(name[0]), sql.Identifier(table)
            )
        )
