"""`migrate`, `backup`, `restore` and the verbs of `store`: the database as a whole."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from bot.cli.serving import _config
from bot.clock import TAIPEI
from bot.store.backup import BadBackup, Checked, back_up, put_back


def take_keys() -> None:
    """Whatever this process reads and writes, it does with the keys of its settings; bad settings each verb tells."""
    from bot.config import ConfigError, load
    from bot.store import use_keys

    with contextlib.suppress(ConfigError):
        use_keys(load().store_keys)


def _file() -> Path:
    where = _config().database
    if not isinstance(where, Path):
        raise click.ClickException("the database is PostgreSQL: use pg_dump and pg_restore, see docs/operations.md.")
    return where


@contextlib.contextmanager
def _standing_still(database: Path) -> Iterator[None]:
    """No server uses the file meanwhile."""
    from bot.pipeline.house import HouseTaken, own, release

    try:
        lock = own(database)
    except HouseTaken:
        raise click.ClickException(f"a server uses {database}: stop it first.") from None
    try:
        yield
    finally:
        release(lock)


@click.command()
def migrate() -> None:
    """Bring the database to this program's schema. `serve` does the same at its start."""
    from bot.store import StoreUnavailable
    from bot.store.database import migrate as bring_up

    try:
        number = bring_up(_config().database)
    except (StoreUnavailable, sqlite3.Error) as error:
        raise click.ClickException(f"the database cannot be opened: {error}") from None
    click.echo(f"schema {number}")


@click.command()
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The file to make; it must not exist yet.")
def backup(to: Path) -> None:
    """Copy the SQLite database while the server runs, and check the copy."""
    config, database = _config(), _file()
    if not database.exists():
        raise click.ClickException(f"there is no database at {database}.")
    key = config.data_dir / "web.key"
    try:
        checked = back_up(database, key.read_bytes() if key.exists() else None, to)
    except FileExistsError:
        raise click.ClickException(f"{to} is already there: choose another name.") from None
    except (BadBackup, sqlite3.Error, OSError) as error:
        raise click.ClickException(f"no backup was made: {error}.") from None
    _say(checked, f"-> {to}")


@click.command()
@click.argument("backup_file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Move a database that is there out of the way.")
def restore(backup_file: Path, replace: bool) -> None:
    """Make a backup the database again. The server must not run."""
    config, database = _config(), _file()
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _standing_still(database):
        if database.exists() and not replace:
            raise click.ClickException(f"{database} is there: move it away, or give --replace.")
        try:
            _checked_first(backup_file)
            _move_away(database)
            checked = put_back(backup_file, database, config.data_dir / "web.key")
        except (BadBackup, sqlite3.Error, OSError) as error:
            raise click.ClickException(f"nothing was restored: {error}.") from None
    _say(checked, f"-> {database}")


def _checked_first(backup_file: Path) -> None:
    from bot.store.backup import check

    check(backup_file)


def _move_away(database: Path) -> None:
    stamp = datetime.now(TAIPEI).strftime("%Y%m%d-%H%M%S")  # noqa: TID251 - a name, nothing reads it
    for end in ("", "-wal", "-shm"):
        old = database.with_name(database.name + end)
        if old.exists():
            old.rename(database.with_name(f"{database.name}.{stamp}{end}"))


def _say(checked: Checked, end: str) -> None:
    rows = ", ".join(f"{count} {table}" for table, count in checked.rows.items())
    click.echo(f"schema {checked.schema}; {rows} {end}")
    click.echo(f"audit head {checked.head or 'none'}", err=True)


@click.group()
def store() -> None:
    """Where everything is kept."""


@store.command()
@click.option("--to", required=True, help="postgresql://USER@HOST/NAME of an empty database.")
def copy(to: str) -> None:
    """Copy the SQLite database into an empty PostgreSQL one. The server must not run."""
    from bot.store import StoreUnavailable
    from bot.store.copying import Differs, NotEmpty
    from bot.store.copying import copy as copy_all

    database = _file()
    if not to.startswith(("postgresql://", "postgres://")):
        raise click.ClickException("--to must look like postgresql://USER@HOST/NAME.")
    if not database.exists():
        raise click.ClickException(f"there is no database at {database}.")
    with _standing_still(database):
        try:
            counts = copy_all(database, to)
        except NotEmpty as error:
            raise click.ClickException(f"there are {error} in that database already: take an empty one.") from None
        except Differs as error:
            raise click.ClickException(f"{error} did not arrive whole; nothing was kept. Please report this.") from None
        except (StoreUnavailable, sqlite3.Error) as error:
            raise click.ClickException(f"nothing was copied: {error}".splitlines()[0]) from None
    click.echo(", ".join(f"{count} {table}" for table, count in counts.items() if count))


@store.command()
@click.option("--id", "name", default="", help="Its id: 1 to 32 letters, digits, _ and -. Without it: by chance.")
def key(name: str) -> None:
    """Print a new key, as LABOR_BOT_STORE_KEYS takes it. Nothing is kept or changed."""
    from bot.keys import NAME, fresh_key

    if name and not NAME.fullmatch(name):
        raise click.ClickException("an id may have 1 to 32 of A-Z, a-z, 0-9, _ and -.")
    click.echo(fresh_key(name))


@store.command()
def rekey() -> None:
    """Write everything anew that is not under the first key of LABOR_BOT_STORE_KEYS. The server may run.

    Prints the rows of each table. Broken off, it goes on when it is called again.
    """
    from bot.store import Store, StoreUnavailable, rekeying

    opened = Store(_config().database)
    left = 0
    try:
        for done in rekeying.rekey(opened.database):
            left += done.left
            click.echo(f"{done.table}\t{done.rows}")
        older = rekeying.keys_of_audit(opened.database.read)
    except rekeying.NoKeys:
        raise click.ClickException("LABOR_BOT_STORE_KEYS is empty: `labor-bot store key` prints a key.") from None
    except (StoreUnavailable, sqlite3.Error) as error:
        raise click.ClickException(f"not all was written anew: {error}; call it again.") from None
    finally:
        opened.close()
    if older:
        click.echo(f"the audit trail stays as it is: keep {', '.join(older)}", err=True)
    if left:
        raise click.ClickException(f"{left} rows cannot be read and stay as they are: see `labor-bot doctor`.")
