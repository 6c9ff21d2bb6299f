"""What `doctor` says of database, disk and backups: right where it is right, and what to do where it is not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot import config
from bot.channels.checkup import Finding, Level
from bot.cli.doctor_store import OLD_BACKUP_HOURS, examine
from bot.store.database import migrate


def findings(folder: Path) -> dict[str, Finding]:
    """Of an installation in this folder whose backups are in `backups`."""
    settings = config.load({"LABOR_BOT_DATA_DIR": str(folder), "LABOR_BOT_BACKUP_DIR": str(folder / "backups")})
    return {finding.name: finding for finding in examine(settings)}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A database, and a backup of just now."""
    migrate(tmp_path / "labor-bot.db")
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "one.db").touch()
    return tmp_path


def schema(folder: Path, by: int) -> None:
    """The newest migration is another one."""
    with closing(sqlite3.connect(folder / "labor-bot.db")) as database, database:
        database.execute(
            "UPDATE migrations SET number = number + :by WHERE number = (SELECT max(number) FROM migrations)",
            {"by": by},
        )


def older_schema(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(folder / "labor-bot.db")) as database, database:
        database.execute("DELETE FROM migrations WHERE number = (SELECT max(number) FROM migrations)")


def newer_schema(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schema(folder, 1000)


def broken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(folder / "labor-bot.db")) as database, database:
        database.execute("DROP TABLE migrations")


def full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(folder)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)


def old_backup(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    then = time.time() - (OLD_BACKUP_HOURS + 1) * 3600
    os.utime(folder / "backups" / "one.db", (then, then))


def no_backup(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "backups" / "one.db").unlink()


TROUBLES = {
    older_schema: ("database", Level.WARN, "labor-bot migrate"),
    newer_schema: ("database", Level.FAIL, "newer version"),
    broken: ("database", Level.FAIL, "cannot be read"),
    full: ("disk", Level.FAIL, "make room"),
    old_backup: ("backup", Level.WARN, "27 h old"),
    no_backup: ("backup", Level.FAIL, "none in"),
}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_what_is_wrong_is_told(
    installed: Path, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    trouble(installed, monkeypatch)
    name, level, words = TROUBLES[trouble]
    found = findings(installed)[name]
    assert (found.level, words in str(found)) == (level, True), str(found)


def test_what_is_right_is_told_with_its_figures(installed: Path) -> None:
    found = findings(installed)
    assert f"SQLite {sqlite3.sqlite_version}, schema" in str(found["database"])
    assert found["database"].level is Level.OK
    assert "GB free" in str(found["disk"])
    assert found["backup"].level is Level.OK
