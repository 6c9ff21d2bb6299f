"""What `doctor` says of the database: engine and schema, room on the disk, age of the newest backup."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from bot.channels.checkup import Finding, fail, ok, warn
from bot.config import Config

LITTLE_BYTES = 1_000_000_000
NOTHING_BYTES = 100_000_000
OLD_BACKUP_HOURS = 26  # one a night, and some time for it


def examine(config: Config) -> Iterator[Finding]:
    """Each of the three."""
    yield _database(config)
    yield _disk(config)
    yield _backup(config.backup_dir)


def _database(config: Config) -> Finding:
    from bot.store import exists
    from bot.store.database import engine_of
    from bot.store.schema import scripts

    if not exists(config.database):
        return ok("database", "none yet: `labor-bot serve` makes it")
    ours = max(number for number, _ in scripts("sqlite"))
    engine = engine_of(config.database)
    try:
        with contextlib.closing(engine.reader()) as reader:
            version = reader.one(f"SELECT {engine.version} AS v")["v"]
            schema = reader.one("SELECT max(number) AS n FROM migrations")["n"] or 0
    except engine.errors as error:
        return fail("database", f"cannot be read ({type(error).__name__}): run `labor-bot migrate`")
    told = f"{'PostgreSQL' if engine.shared else 'SQLite'} {version}, schema {schema}"
    if schema < ours:
        return warn("database", f"{told}, this program's is {ours}: run `labor-bot migrate`")
    if schema > ours:
        return fail("database", f"{told}, but this program knows {ours} only: install the newer version again")
    return ok("database", told)


def _disk(config: Config) -> Finding:
    folder = config.database.parent if isinstance(config.database, Path) else config.data_dir
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return warn("disk", f"{folder} cannot be looked at: {error.strerror}")
    told = f"{free / 1e9:.1f} GB free for {folder}"
    if free < NOTHING_BYTES:
        return fail("disk", f"{told}: make room, messages will soon be refused")
    return warn("disk", f"{told}: make room") if free < LITTLE_BYTES else ok("disk", told)


def _backup(folder: Path | None) -> Finding:
    if folder is None:
        return ok("backup", "not looked at: no folder set (LABOR_BOT_BACKUP_DIR)")
    try:
        made = [entry.stat().st_mtime for entry in folder.iterdir() if entry.is_file()]
    except OSError as error:
        return fail("backup", f"{folder} cannot be read: {error.strerror}")
    if not made:
        return fail("backup", f"none in {folder}: see docs/operations.md, Backup")
    hours = (time.time() - max(made)) / 3600
    told = f"the newest in {folder} is {hours:.0f} h old"
    return warn("backup", f"{told}: look why none was made since") if hours > OLD_BACKUP_HOURS else ok("backup", told)
