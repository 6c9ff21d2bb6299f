"""The redacted copy: what it holds, and that nothing of a person is in its bytes."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from site_app import Site, running
from test_reports import at, case, plant, talk

from bot.cli.main import main
from bot.clock import TAIPEI
from bot.pipeline.resources import Resources
from bot.store import Store, analytics

SAID = "我叫陳金枝，電話0912345678，尋職津貼多少錢"
SECRETS = ("陳金枝", "0912", "尋職津貼", "王承辦", "planted-", "secret-user")


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


def export(database: Path, to: Path) -> Result:
    """The verb."""
    env = {"LABOR_BOT_DATA_DIR": str(database.parent)}
    return CliRunner().invoke(main, ["export", "analytics", "--to", str(to)], env=env)


def rows(file: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the copy answers when it is opened as Datasette opens it."""
    connection = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_nothing_of_a_conversation_is_in_the_file(site: Site, tmp_path: Path) -> None:
    citizen = site.browser()
    citizen.say(SAID)
    citizen.say("qwxz 陳金枝")  # not understood
    citizen.tap("handoff")
    staff = site.caseworker("王承辦")
    staff.post("/desk/cases/1/claim")
    fence = str(site.rows("SELECT speaker_fence FROM conversations")[0][0])
    staff.post("/desk/cases/1/reply", {"text": "陳金枝您好", "fence": fence})
    people = [row[0] for row in site.rows("SELECT user_id FROM addresses UNION SELECT number FROM cases")]
    file = tmp_path / "copy.db"
    result = export(site.database, file)
    assert (result.exit_code, stat.S_IMODE(file.stat().st_mode)) == (0, 0o400), result.output
    content = file.read_bytes()
    for secret in (*SECRETS, *people):
        assert secret.encode() not in content, secret
        assert secret.encode("utf-16-le") not in content, secret
    assert rows(file, "SELECT count(*), sum(had_case), max(n_messages) > 4 FROM conversations") == [(1, 1, 1)]
    assert rows(file, "SELECT reason, outcome, first_answer_seconds IS NULL FROM cases") == [("asked", "", 0)]
    assert ("program", "answer", "p15") in rows(file, "SELECT intent, decision, topic FROM turns")
    assert rows(file, "SELECT count(*) FROM unanswered") == [(1,)]
    assert ("analytics.export", "analytics/all") in site.rows("SELECT action, object FROM audit")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("copy.db") and path != file]


def test_times_are_days_hours_and_whole_service_minutes(site: Site, tmp_path: Path) -> None:
    opened = at("2026-11-20", 9.25)  # a Friday; the desk rests from 12:00 to 13:30
    times = {"state": "closed", "first_answer_at": opened + 625, "closed_at": at("2026-11-20", 14)}
    case(site.database, opened, "th", "line", outcome="referred", **times)
    file = tmp_path / "copy.db"
    assert export(site.database, file).output == (
        f"1 conversations, 1 cases, 0 turns, 0 unanswered, 0 ratings -> {file}\n"
    )
    found = rows(
        file,
        "SELECT day, hour, reason, topic, lang, channel, urgent, first_answer_seconds,"
        " resolution_seconds, outcome FROM cases",
    )
    assert found == [("2026-11-20", 9, "asked", "p15", "th", "line", 0, 600, 3.25 * 3600, "referred")]
    assert rows(file, "SELECT day, hour, lang, channel, n_messages, had_case FROM conversations") == [
        ("2026-11-20", 9, "th", "line", 0, 1)
    ]


def test_two_copies_cannot_be_joined(site: Site, tmp_path: Path) -> None:
    for _ in range(3):
        case(site.database, at("2026-11-20"))
    ids = []
    for name in ("one.db", "two.db"):
        export(site.database, tmp_path / name)
        sql = "SELECT id FROM conversations UNION ALL SELECT id FROM cases"
        ids.append({number for (number,) in rows(tmp_path / name, sql)})
    assert [len(each) for each in ids] == [6, 6]
    assert not ids[0] & ids[1]


def test_restricted_conversations_are_left_out(site: Site, tmp_path: Path) -> None:
    conversation = talk(site.database, at("2026-11-20"))
    plant(site.database, "unanswered", conversation_id=conversation, event_id="e", at=1.0, lang="th", decision="refuse",
          text="0x")  # fmt: skip
    plant(site.database, "ratings", conversation_id=conversation, at=1.0, lang="th", channel="web", helped=1)
    connection = sqlite3.connect(site.database)
    with connection:
        connection.execute("UPDATE conversations SET restricted = 1")
    connection.close()
    assert export(site.database, tmp_path / "copy.db").output.startswith(
        "0 conversations, 0 cases, 0 turns, 0 unanswered, 0 ratings"
    )


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("p06.4", "p06.4"),
        ("zh-TW", "zh-TW"),
        ("out_of_scope", "out_of_scope"),
        ("", ""),
        (None, ""),
        ("陳金枝", "other"),
        ("0912345678", "other"),
        ("two words", "other"),
        ("a" * 33, "other"),
        ("p15\n", "other"),
        (["p15"], "other"),
    ],
)
def test_only_labels_of_ours_pass(value: object, found: str) -> None:
    assert analytics.label(value) == found


def test_it_never_overwrites(site: Site, tmp_path: Path) -> None:
    file, link = tmp_path / "copy.db", tmp_path / "link.db"
    file.write_text("mine")
    link.symlink_to(tmp_path / "elsewhere.db")
    for path in (file, link):
        result = export(site.database, path)
        assert (result.exit_code, "already there" in result.output) == (1, True)
    assert file.read_text() == "mine"
    assert not (tmp_path / "elsewhere.db").exists()


def test_a_copy_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def broken(at: float) -> datetime:
        raise OSError("disk full")

    store = Store(tmp_path / "t.db")
    talk(tmp_path / "t.db", at("2026-11-20"))
    with pytest.raises(OSError, match="disk full"):
        analytics.write(store.database, tmp_path / "copy.db", broken, lambda begin, end: end - begin)
    assert not (tmp_path / "copy.db").exists()
    for path in (tmp_path / "t.db", tmp_path / "no" / "folder.db"):
        with pytest.raises(OSError):  # noqa: PT011 - there, or nowhere to write
            analytics.write(store.database, path, lambda at: datetime.fromtimestamp(at, TAIPEI), lambda a, b: b - a)
    store.close()


def test_without_a_database_there_is_nothing_to_copy(tmp_path: Path) -> None:
    result = export(tmp_path / "none" / "t.db", tmp_path / "copy.db")
    assert (result.exit_code, "no database" in result.output) == (1, True)
    assert not (tmp_path / "none").exists()


def test_it_says_what_was_left_out(site: Site, tmp_path: Path) -> None:
    export(site.database, tmp_path / "copy.db")
    subjects = [subject for (subject,) in rows(tmp_path / "copy.db", "SELECT subject FROM _about")]
    assert subjects.count("left out") == 4
    tables = {name for (name,) in rows(tmp_path / "copy.db", "SELECT name FROM sqlite_master")}
    assert tables == set(analytics.SCHEMA)
