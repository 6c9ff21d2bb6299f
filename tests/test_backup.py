"""Backups made while everything is written to, the way back, and the move to PostgreSQL."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from engines import server
from postgres import programs
from storing import address, answers, rows, said, staff, take, told

from bot.cli.main import main
from bot.store import Store
from bot.store.backup import BadBackup, back_up, check

pytestmark = pytest.mark.sqlite


def labor_bot(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, words, env={"LABOR_BOT_DATA_DIR": str(folder), "LABOR_BOT_DATABASE_URL": ""})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a few conversations, an account and an audit trail."""
    home = tmp_path / "var"
    with closing(Store(home / "labor-bot.db")) as store:

        async def story() -> None:
            lin = await staff(store, "lin")
            for n in range(5):
                await take(store, said(f"e{n}", f"hello {n}", user=f"u{n}"))
                await store.note(lin, "case.open", f"case/{n}")

        asyncio.run(story())
    (home / "web.key").write_bytes(b"k" * 32)
    return home


@contextmanager
def served(folder: Path) -> Iterator[None]:
    """Somebody owns the database."""
    lock = os.open(folder / "labor-bot.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def contents(database: Path) -> dict[str, list[object]]:
    with closing(sqlite3.connect(database)) as raw:
        tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {table: sorted(raw.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


def test_a_backup_restored_elsewhere_is_the_same(folder: Path, tmp_path: Path) -> None:
    done = labor_bot(folder, "backup", "--to", str(tmp_path / "b.db"))
    assert done.exit_code == 0, done.output
    assert "5 conversations, 10 messages" in done.output
    assert "5 audit" in done.output
    elsewhere = tmp_path / "elsewhere"
    back = labor_bot(elsewhere, "restore", str(tmp_path / "b.db"))
    assert back.exit_code == 0, back.output
    assert contents(elsewhere / "labor-bot.db") == contents(folder / "labor-bot.db")
    assert (elsewhere / "web.key").read_bytes() == b"k" * 32
    assert (elsewhere / "labor-bot.db").stat().st_mode & 0o077 == 0
    assert (elsewhere / "web.key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "b.db").stat().st_mode & 0o077 == 0
    with closing(Store(elsewhere / "labor-bot.db")) as store:
        assert told(store, store.conversation_of(address("u3")) or 0)[0] == ("citizen", "hello 3", "sent")
        assert store.audit.verify().fault is None


def test_a_backup_under_load_holds_everything_acknowledged_before_it(folder: Path, tmp_path: Path) -> None:
    """Every event whose acceptance was awaited before the copy began is in it; the copy is whole at every moment."""
    with closing(Store(folder / "labor-bot.db")) as store:

        async def story() -> None:
            acknowledged: list[str] = []
            stop = False

            async def write(user: int) -> None:
                number = 0
                while not stop:
                    event = f"{user}-{number}"
                    await store.accept([said(event, user=f"w{user}", ms=number)])
                    acknowledged.append(event)
                    for lease in await store.lease(f"w{user}", 4):
                        await store.commit_all([(lease, answers(lease), "en", "")])
                    number += 1

            writers = [asyncio.create_task(write(user)) for user in range(4)]
            for copy in range(4):
                await asyncio.sleep(0.1)
                before = list(acknowledged)
                to = tmp_path / f"{copy}.db"
                await asyncio.to_thread(back_up, folder / "labor-bot.db", None, to)
                with closing(sqlite3.connect(to)) as raw:
                    waiting = {row[0] for row in raw.execute("SELECT event_id FROM inbox")}
                    taken = {row[0] for row in raw.execute("SELECT event_id FROM messages WHERE author = 'citizen'")}
                    assert set(before) <= waiting | taken
                    assert not waiting & taken
                    counted = dict(raw.execute("SELECT id, pending FROM conversations").fetchall())
                    for conversation, pending in counted.items():
                        query = "SELECT count(*) FROM inbox WHERE conversation_id = ?"
                        assert raw.execute(query, (conversation,)).fetchone() == (pending,)
            stop = True
            await asyncio.gather(*writers)
            assert len(acknowledged) > 20

        asyncio.run(story())


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:20_000]), "no whole database"),
        (lambda file: file.write_bytes(b"PK" + os.urandom(5000)), "no whole database"),
        (lambda file: spoil(file, "DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE id = 3"), "row 3"),
        (lambda file: spoil(file, "INSERT INTO migrations VALUES (9999, 0)"), "newer version"),
        (lambda file: spoil(file, "DELETE FROM addresses"), "refer to others"),
    ],
)
def test_a_bad_backup_is_never_restored(folder: Path, tmp_path: Path, harm: object, says: str) -> None:
    file = tmp_path / "b.db"
    assert labor_bot(folder, "backup", "--to", str(file)).exit_code == 0
    before = contents(folder / "labor-bot.db")
    harm(file)  # type: ignore[operator]
    done = labor_bot(folder, "restore", str(file), "--replace")
    assert done.exit_code == 1
    assert says in done.output
    assert "Traceback" not in done.output
    assert contents(folder / "labor-bot.db") == before
    with pytest.raises(BadBackup):
        check(file)


def spoil(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as raw:
        for statement in statements:
            raw.execute(statement)
        raw.commit()


def test_nothing_is_overwritten_by_accident(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    file.write_text("mine")
    assert "already there" in labor_bot(folder, "backup", "--to", str(file)).output
    assert file.read_text() == "mine"
    file.unlink()
    assert labor_bot(folder, "backup", "--to", str(file)).exit_code == 0
    assert "--replace" in labor_bot(folder, "restore", str(file)).output
    old = contents(folder / "labor-bot.db")
    assert labor_bot(folder, "restore", str(file), "--replace").exit_code == 0
    (kept,) = [path for path in folder.glob("labor-bot.db.*") if not path.name.endswith(("-wal", "-shm"))]
    assert contents(kept) == old


def test_a_running_server_is_not_pulled_from_under(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    with served(folder):
        assert labor_bot(folder, "backup", "--to", str(file)).exit_code == 0
        done = labor_bot(folder, "restore", str(file), "--replace")
        assert done.exit_code == 1
        assert "stop it first" in done.output
        copied = labor_bot(folder, "store", "copy", "--to", "postgresql://nobody@127.0.0.1:1/x")
        assert "stop it first" in copied.output


def test_migrate_says_the_number(tmp_path: Path) -> None:
    done = labor_bot(tmp_path, "migrate")
    assert done.exit_code == 0
    assert done.output.startswith("schema ")


@pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed here")
def test_a_copy_on_postgresql_goes_on_where_the_file_ended(folder: Path, tmp_path: Path) -> None:
    url = server().create(f"copy_{os.getpid()}")
    done = labor_bot(folder, "store", "copy", "--to", url)
    assert done.exit_code == 0, done.output
    with closing(Store(url)) as store, closing(Store(folder / "labor-bot.db")) as file:
        for table in ("conversations", "addresses", "messages", "outbox", "seen", "staff", "audit", "inbox"):
            query = f"SELECT * FROM {table}"
            assert sorted(rows(store, query), key=repr) == sorted(rows(file, query), key=repr), table
        assert asyncio.run(store.accept([said("e1", user="u1")]))[0].new is False
        asyncio.run(take(store, said("new", "hello again", user="u1")))
        conversation = store.conversation_of(address("u1")) or 0
        assert [text for _, text, _ in told(store, conversation)] == ["hello 1", "re e1", "hello again", "re new"]
        asyncio.run(store.note(None, "a.b", "c/1"))
        assert store.audit.verify().fault is None
    again = labor_bot(folder, "store", "copy", "--to", url)
    assert again.exit_code == 1
    assert "already" in again.output


@pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed here")
def test_a_database_that_does_not_answer_is_named_and_nothing_happens(folder: Path) -> None:
    done = labor_bot(folder, "store", "copy", "--to", "postgresql://nobody@127.0.0.1:1/x")
    assert done.exit_code == 1
    assert "nothing was copied" in done.output
    shutil.rmtree(folder)
    assert "no database" in labor_bot(folder, "store", "copy", "--to", "postgresql://nobody@127.0.0.1:1/x").output
