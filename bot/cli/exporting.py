"""`export`: copies of what is kept, for use elsewhere."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import click

from bot.cli.serving import _config, service
from bot.clock import TAIPEI
from bot.pipeline.timetable import Timetable
from bot.store import Store, exists
from bot.store.analytics import write


@click.group()
def export() -> None:
    """Copies of what is kept, for use elsewhere."""


@export.command()
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The file to make; it must not exist yet.")
def analytics(to: Path) -> None:
    """Write a redacted SQLite file for Datasette: no text, nobody's id, days and hours only."""
    config = _config()
    if not exists(config.database):
        raise click.ClickException(f"there is no database at {config.database}.")
    if to.exists() or to.is_symlink():
        raise click.ClickException(f"{to} is already there: choose another name.")
    store = Store(config.database)
    try:
        asyncio.run(store.note(None, "analytics.export", "analytics/all"))
        timetable = Timetable(service(), store)
        counts = write(store.database, to, lambda at: datetime.fromtimestamp(at, TAIPEI), timetable.between)
    except OSError as error:
        raise click.ClickException(f"{to} was not written: {error.strerror or error}.") from None
    finally:
        store.close()
    click.echo(", ".join(f"{count} {table}" for table, count in counts.items() if table != "_about") + f" -> {to}")
