"""The audit trail: no row changed, removed, moved or forged without notice; who may read it; what leaves as CSV."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import re
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from site_app import Browser, Site, running
from storing import now, opened, rows

from bot.cli.main import main
from bot.clock import TAIPEI
from bot.desk import audit as pages
from bot.desk.csv_safe import rows_to_csv
from bot.desk.frame import Frame
from bot.desk.rights import Role
from bot.pipeline.resources import Resources
from bot.store import Store, database, schema
from bot.store import sqlite as engine
from bot.store.audit import REASON_LIMIT, Fault, Sought, Verified, append, verify
from bot.store.database import Connection
from bot.store.records import StaffRow
from bot.store.sqlite import SqliteConnection

COUNT = 6
TRIGGERS = ("audit_no_update", "audit_no_delete", "audit_no_replace")
LIN = StaffRow(1, "lin", "agent", "", False, False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as store:
        yield store


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


def add(store: Store, *note: Any) -> None:
    """One row: who, action, object and maybe why."""
    now(store, lambda c: append(c, *note))


def filled(store: Store, count: int = COUNT) -> Store:
    """A store with `count` more rows, each about another case."""
    for number in range(1, count + 1):
        add(store, None if number == 2 else 1, "case.claim", f"case/{number}", "why" if number == 3 else "")
    return store


def tamper(path: Path, *statements: str) -> None:
    """Somebody with the file in their hands and no respect for triggers."""
    connection = sqlite3.connect(path)
    with connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def old_rows(path: Path, count: int) -> None:
    """Rows as they were written before there was a chain."""
    connection = sqlite3.connect(path)
    with connection:
        for number in range(1, count + 1):
            connection.execute("INSERT INTO audit (at, action, object) VALUES (1.5, 'login', ?)", (f"staff/{number}",))
    connection.close()


# -- the chain


def test_a_row_says_who_what_when_and_why(store: Store) -> None:
    store.add_staff("chen", "senior", "")
    asyncio.run(store.note(1, "case.take_over", "case/12", "同事請假"))
    asyncio.run(store.note(None, "case.back", "case/12"))
    newest, oldest = store.audit.rows(Sought())
    assert (oldest.id, oldest.who, oldest.action, oldest.object, oldest.why) == (
        1, "chen", "case.take_over", "case/12", "同事請假",
    )  # fmt: skip
    assert (newest.id, newest.who, newest.why) == (2, "-", "")
    assert 0 <= newest.at - oldest.at < 10


def test_the_hash_can_be_made_by_anybody(store: Store) -> None:
    """The form of the chain is a promise: another program must come to the same hashes."""
    filled(store, 3)
    previous = ""
    for number, at, staff, action, what, why, kept in rows(
        store, "SELECT id, at, staff_id, action, object, why, hash FROM audit ORDER BY id"
    ):
        who = "null" if staff is None else str(staff)
        text = f'["{previous}",{number},{at!r},{who},"{action}","{what}","{why}"]'
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert kept == previous
    assert store.audit.verify() == Verified(3, 0, previous)
    assert store.audit.head() == previous


def test_an_empty_trail_is_in_order(store: Store) -> None:
    assert store.audit.verify() == Verified(0, 0, "")
    assert store.audit.head() == ""


def test_a_reason_is_no_place_for_a_story(store: Store) -> None:
    add(store, 1, "block", "case/1", "x" * 5000)
    (row,) = store.audit.rows(Sought())
    assert row.why == "x" * REASON_LIMIT


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET why = 'x' WHERE id = 2",
        "UPDATE OR REPLACE audit SET id = 1 WHERE id = 2",
        "DELETE FROM audit WHERE id = 2",
        "DELETE FROM audit",
        "REPLACE INTO audit (id, at, action, object) VALUES (2, 0, 'a', 'b')",
        "INSERT INTO audit (id, at, action, object) VALUES (2, 0, 'a', 'b') ON CONFLICT DO UPDATE SET action = 'a'",
    ],
)
def test_the_database_refuses_every_change(store: Store, tmp_path: Path, statement: str) -> None:
    filled(store)
    before = rows(store, "SELECT * FROM audit")
    other = sqlite3.connect(tmp_path / "t.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(statement)
    other.close()
    assert rows(store, "SELECT * FROM audit") == before


TAMPERED: dict[str, tuple[list[str], Fault, int]] = {
    "when": (["UPDATE audit SET at = at + 0.001 WHERE id = 4"], Fault.CHANGED, 4),
    "who": (["UPDATE audit SET staff_id = 2 WHERE id = 1"], Fault.CHANGED, 1),
    "who, to the system": (["UPDATE audit SET staff_id = NULL WHERE id = 5"], Fault.CHANGED, 5),
    "what": (["UPDATE audit SET action = 'case.open' WHERE id = 6"], Fault.CHANGED, 6),
    "on what": (["UPDATE audit SET object = 'case/9' WHERE id = 3"], Fault.CHANGED, 3),
    "why": (["UPDATE audit SET why = '' WHERE id = 3"], Fault.CHANGED, 3),
    "the type": (["UPDATE audit SET action = CAST(action AS BLOB) WHERE id = 3"], Fault.CHANGED, 3),
    "no text": (["UPDATE audit SET action = CAST(x'ff' AS TEXT) WHERE id = 3"], Fault.UNREADABLE, 3),
    "no text at the start": (["UPDATE audit SET object = CAST(x'ff' AS TEXT) WHERE id = 1"], Fault.UNREADABLE, 1),
    "a hash": (["UPDATE audit SET hash = upper(hash) || '0' WHERE id = 2"], Fault.CHANGED, 2),
    "a hash taken away": (["UPDATE audit SET hash = '' WHERE id = 4"], Fault.CHANGED, 4),
    "the last hash taken away": (["UPDATE audit SET hash = '' WHERE id = 6"], Fault.CHANGED, 6),
    "changed and made to look old": (["UPDATE audit SET hash = '', object = 'x' WHERE id < 3"], Fault.CHANGED, 3),
    "removed": (["DELETE FROM audit WHERE id = 3"], Fault.MISSING, 3),
    "the first removed": (["DELETE FROM audit WHERE id = 1"], Fault.MISSING, 1),
    "removed and numbered anew": (
        ["DELETE FROM audit WHERE id = 3", "UPDATE audit SET id = id - 1 WHERE id > 3"], Fault.CHANGED, 3,
    ),
    "the first ones removed and numbered anew": (
        ["DELETE FROM audit WHERE id < 3", "UPDATE audit SET id = id - 2"], Fault.CHANGED, 1,
    ),
    "two exchanged": (
        ["UPDATE audit SET id = 99 WHERE id = 2", "UPDATE audit SET id = 2 WHERE id = 5",
         "UPDATE audit SET id = 5 WHERE id = 99"], Fault.CHANGED, 2,
    ),
    "one put in between": (
        ["UPDATE audit SET id = -id WHERE id > 3", "UPDATE audit SET id = 1 - id WHERE id < 0",
         "INSERT INTO audit SELECT 4, at, staff_id, action, object, why, hash FROM audit WHERE id = 3"],
        Fault.CHANGED, 4,
    ),
    "one put at the end": (
        ["INSERT INTO audit (at, action, object, hash) VALUES (0, 'a', 'b', 'c')"], Fault.CHANGED, 7,
    ),
    "one put at the end without a hash": (
        ["INSERT INTO audit (at, action, object) VALUES (0, 'a', 'b')"], Fault.CHANGED, 7,
    ),
    "one put before the first": (
        ["INSERT INTO audit (id, at, action, object) VALUES (0, 0, 'a', 'b')"], Fault.CHANGED, 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", TAMPERED)
def test_every_kind_of_tampering_is_found_at_its_row(store: Store, tmp_path: Path, kind: str) -> None:
    statements, fault, row = TAMPERED[kind]
    filled(store)
    assert store.audit.verify().fault is None
    tamper(tmp_path / "t.db", *statements)
    found = store.audit.verify()
    assert (found.fault, found.row) == (fault, row)


def test_the_end_cut_off_is_found_with_a_head_written_down(store: Store, tmp_path: Path) -> None:
    head = filled(store).audit.head()
    filled(store, 2)
    assert store.audit.verify(head) == Verified(COUNT + 2, 0, store.audit.head())
    tamper(tmp_path / "t.db", f"DELETE FROM audit WHERE id >= {COUNT}")
    assert store.audit.verify().fault is None
    found = store.audit.verify(head)
    assert (found.fault, found.row) == (Fault.CUT_OFF, COUNT)
    filled(store)
    assert store.audit.verify().fault is None
    assert store.audit.verify(head).fault is Fault.CUT_OFF


def test_a_trail_made_anew_is_found_with_a_head_written_down(store: Store, tmp_path: Path) -> None:
    head = filled(store).audit.head()
    tamper(tmp_path / "t.db", "DELETE FROM audit")
    assert filled(store).audit.verify().fault is None
    assert store.audit.verify(head).fault is Fault.CUT_OFF


# -- rows from before the chain


def test_the_migration_keeps_old_rows_and_the_chain_starts_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(schema.MIGRATIONS, tmp_path / "old", ignore=lambda _, names: [n for n in names if n >= "0006"])
    monkeypatch.setattr(schema, "MIGRATIONS", tmp_path / "old")
    database.migrate(tmp_path / "t.db")
    old_rows(tmp_path / "t.db", 3)
    monkeypatch.undo()
    with opened(tmp_path / "t.db") as store:
        assert store.audit.verify().before == 3
        filled(store, 2)
        assert store.audit.verify() == Verified(5, 3, store.audit.head())
        assert [row.object for row in store.audit.rows(Sought())][-3:] == ["staff/3", "staff/2", "staff/1"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET object = 'x' WHERE id = 2",
        "DELETE FROM audit WHERE id = 1",
        "INSERT INTO audit (id, at, action, object) VALUES (0, 0, 'a', 'b')",
    ],
)
def test_old_rows_are_sealed_by_the_first_row_of_the_chain(store: Store, tmp_path: Path, statement: str) -> None:
    old_rows(tmp_path / "t.db", 3)
    filled(store, 2)
    tamper(tmp_path / "t.db", statement)
    found = store.audit.verify()
    assert (found.fault, found.row) == (Fault.CHANGED, 4)


def test_the_last_old_row_is_missed(store: Store, tmp_path: Path) -> None:
    old_rows(tmp_path / "t.db", 3)
    filled(store, 2)
    tamper(tmp_path / "t.db", "DELETE FROM audit WHERE id = 3")
    found = store.audit.verify()
    assert (found.fault, found.row) == (Fault.MISSING, 3)


# -- many at once, and any content


def test_many_notes_at_once_make_one_chain(store: Store, tmp_path: Path) -> None:
    """From many tasks of a server and from threads with a store of their own, as the command line has."""

    async def server() -> None:
        await asyncio.gather(*(store.note(1, "case.claim", f"case/{n}") for n in range(150)))

    def beside(name: str) -> None:
        with opened(tmp_path / "t.db") as other:
            for number in range(20):
                add(other, None, name, f"case/{number}")

    threads = [threading.Thread(target=beside, args=(f"beside.{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    asyncio.run(server())
    for thread in threads:
        thread.join()
    found = store.audit.verify()
    assert (found.rows, found.fault) == (210, None)
    assert rows(store, "SELECT min(id), max(id), count(DISTINCT hash) FROM audit") == [(1, 210, 210)]


def test_a_row_stands_and_falls_with_the_transaction_it_is_in(store: Store) -> None:
    def fails(connection: Connection) -> None:
        append(connection, 1, "case.claim", "case/1")
        raise ValueError("afterwards")

    async def together() -> list[Any]:
        write = store.database.write
        return await asyncio.gather(
            *(write(fails) if n % 3 == 0 else store.note(1, "a", f"case/{n}") for n in range(30)),
            return_exceptions=True,
        )

    assert sum(isinstance(result, ValueError) for result in asyncio.run(together())) == 10
    found = store.audit.verify()
    assert (found.rows, found.fault) == (20, None)


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NOTES = st.lists(st.tuples(st.none() | st.integers(1, 99), TEXT, TEXT, TEXT), min_size=1, max_size=8)
FIELDS = ("at", "staff_id", "action", "object", "why", "hash")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Connection]:
    """Makes an empty trail in memory."""
    path = tmp_path_factory.mktemp("audit") / "t.db"
    database.migrate(path)

    def made() -> Connection:
        source, raw = sqlite3.connect(path), sqlite3.connect(":memory:", isolation_level=None)
        source.backup(raw)
        source.close()
        raw.row_factory = sqlite3.Row
        for trigger in TRIGGERS:
            raw.execute(f"DROP TRIGGER {trigger}")
        return SqliteConnection(raw)

    return made


@settings(deadline=None, max_examples=60)
@given(notes=NOTES, data=st.data())
def test_whatever_is_written_verifies_and_whatever_is_changed_does_not(
    fresh: Callable[[], Connection], notes: list[tuple[int | None, str, str, str]], data: st.DataObject
) -> None:
    connection = fresh()
    for note in notes:
        append(connection, *note)
    assert verify(connection).fault is None
    row = data.draw(st.integers(1, len(notes)))
    head = connection.all("SELECT hash FROM audit ORDER BY id")[-1]["hash"]
    if data.draw(st.booleans()):
        connection.execute("DELETE FROM audit WHERE id = :row", {"row": row})
        found = verify(connection, head)
        assert (found.fault, found.row) == (Fault.CUT_OFF if row == len(notes) else Fault.MISSING, row)
    else:
        field = data.draw(st.sampled_from(FIELDS))
        value = data.draw(st.integers(100, 10**6) if field in ("at", "staff_id") else TEXT.filter(len))
        before = connection.one(f"SELECT {field} AS value FROM audit WHERE id = :row", {"row": row})
        connection.execute(f"UPDATE audit SET {field} = :value WHERE id = :row", {"value": value, "row": row})
        found = verify(connection)
        if before is not None and before["value"] == value:
            assert found.fault is None
        else:
            assert (found.fault, found.row) == (Fault.CHANGED, row)
    connection.raw.close()


# -- the command line


def labor_bot(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["audit", *words], env={"LABOR_BOT_DATA_DIR": str(folder)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a trail of six rows by chen, row 2 by the system."""
    with opened(tmp_path / "labor-bot.db") as store:
        store.add_staff("chen", "senior", "")
        filled(store)
    return tmp_path


def test_verify_says_that_all_is_well(folder: Path) -> None:
    head = labor_bot(folder, "head").output.strip()
    assert re.fullmatch("[0-9a-f]{64}", head)
    for words in (["verify"], ["verify", "--head", head], ["verify", "--head", f"{head[:32].upper()} {head[32:]}"]):
        done = labor_bot(folder, *words)
        assert (done.exit_code, done.output) == (0, f"6 rows, none changed or missing; head {head}\n")


@pytest.mark.parametrize(
    ("statement", "head", "said"),
    [
        ("UPDATE audit SET object = 'x' WHERE id = 4", False, "row 4 was changed"),
        ("DELETE FROM audit WHERE id = 4", False, "row 4 is missing"),
        ("UPDATE audit SET action = CAST(x'ff' AS TEXT) WHERE id = 4", False, "row 4 cannot be read"),
        ("DELETE FROM audit WHERE id = 6", True, "cut off after row 5"),
    ],
)
def test_verify_names_the_first_row_that_is_not_right(folder: Path, statement: str, head: bool, said: str) -> None:
    kept = labor_bot(folder, "head").output.strip()
    tamper(folder / "labor-bot.db", statement)
    done = labor_bot(folder, "verify", *(["--head", kept] if head else []))
    assert done.exit_code == 1
    assert said in done.output


def test_verify_tells_of_rows_from_before_the_chain(tmp_path: Path) -> None:
    with opened(tmp_path / "labor-bot.db") as store:
        old_rows(tmp_path / "labor-bot.db", 2)
        assert "nothing is in the chain yet" in labor_bot(tmp_path, "head").output
        filled(store, 1)
    done = labor_bot(tmp_path, "verify")
    assert done.exit_code == 0
    assert "The first 2 are from before the chain" in done.output
    tamper(tmp_path / "labor-bot.db", "UPDATE audit SET object = 'x' WHERE id = 1")
    assert "row 3 (or one of the 2 rows from before the chain) was changed" in labor_bot(tmp_path, "verify").output


@pytest.mark.parametrize("words", [["verify", "--head", "abc"], ["show", "--since", "yesterday"]])
def test_a_mistyped_option_is_refused(folder: Path, words: list[str]) -> None:
    done = labor_bot(folder, *words)
    assert done.exit_code == 1
    assert words[1] in done.output


@pytest.mark.parametrize("verb", ["verify", "show", "head"])
def test_a_folder_without_a_database_is_not_in_order(tmp_path: Path, verb: str) -> None:
    done = labor_bot(tmp_path / "none", verb)
    assert done.exit_code == 1
    assert "there is no database" in done.output
    assert not (tmp_path / "none" / "labor-bot.db").exists()


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ([], [6, 5, 4, 3, 2, 1]),
        (["--object", "case/3"], [3]),
        (["--who", "chen"], [6, 5, 4, 3, 1]),
        (["--who", "-"], [2]),
        (["--who", "nobody"], []),
        (["--since", "2001-01-01", "--who", "chen", "--object", "case/5"], [5]),
        (["--since", "9000-01-01"], []),
    ],
)
def test_show_prints_the_rows_that_are_sought(folder: Path, words: list[str], numbers: list[int]) -> None:
    done = labor_bot(folder, "show", *words)
    assert done.exit_code == 0
    assert [int(line.split("\t")[0]) for line in done.output.splitlines()] == numbers


def test_show_prints_one_line_a_row_that_steers_no_terminal(tmp_path: Path) -> None:
    with opened(tmp_path / "labor-bot.db") as store:
        add(store, None, "block", "case/1", "a\nb\x1b[2Jc")
    (line,) = labor_bot(tmp_path, "show").output.splitlines()
    number, at, *more = line.split("\t")
    assert datetime.fromisoformat(at).tzinfo is not None
    assert (number, *more) == ("1", "-", "block", "case/1", "a b [2Jc")


# -- who looked at a case


def test_looking_at_a_case_is_written_once_in_a_while(store: Store) -> None:
    def look(staff: int, case: str, seconds: float = 600.0) -> bool:
        return asyncio.run(store.audit.note_once(staff, "case.open", case, seconds))

    assert [look(1, "case/1"), look(1, "case/1"), look(2, "case/1"), look(1, "case/2")] == [True, False, True, True]
    asyncio.run(store.note(1, "case.claim", "case/3"))
    assert look(1, "case/3")
    assert look(1, "case/1", seconds=0.0)
    assert store.audit.verify().rows == 6


def test_looking_at_once_in_two_windows_is_one_row(store: Store) -> None:
    async def twice() -> list[bool]:
        return await asyncio.gather(*(store.audit.note_once(1, "case.open", "case/1", 600.0) for _ in range(20)))

    assert sum(asyncio.run(twice())) == 1


def test_a_case_opens_while_nothing_can_be_written(
    open_house: Callable[..., Any], resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)

    async def look() -> list[tuple[str, str]]:
        async with open_house() as (house, _):
            frame = Frame(house, resources, False, lambda request: "")
            other = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            await pages.opened(frame, LIN, 1)
            other.execute("ROLLBACK")
            other.close()
            await pages.opened(frame, LIN, 2)
            await pages.opened(frame, LIN, 2)
            return [(row.action, row.object) for row in house.store.audit.rows(Sought())]

    assert asyncio.run(look()) == [("case.open", "case/2")]


# -- the page

ROUTES = ("/desk/audit", "/desk/audit.csv")


def test_who_may_read_the_trail(site: Site) -> None:
    for role in Role:
        browser, allowed = site.caseworker(role, role), role in (Role.ADMIN, Role.AUDITOR)
        for path in ROUTES:
            answer = browser.get(path)
            assert answer.status_code == (200 if allowed else 403), (role, path)
            assert ("staff/1" in answer.text) == allowed


def test_nobody_reads_the_trail_without_logging_in_and_no_form_changes_it(site: Site) -> None:
    auditor = site.caseworker("wu", "auditor")
    before = site.rows("SELECT * FROM audit")
    for path in ROUTES:
        answer = site.browser().get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login")
        assert {auditor.request(method, path).status_code for method in ("POST", "PUT", "DELETE", "PATCH")} == {405}
    assert site.rows("SELECT * FROM audit") == before


def numbered(page: str) -> list[str]:
    """The objects of the rows of a page, as they stand."""
    return re.findall(r'<a href="/desk/audit\?object=[^"]*">([^<]*)</a>', page)


def noted(site: Site, *notes: tuple[int | None, str, str, str]) -> None:
    with opened(site.database) as store:
        for note in notes:
            add(store, *note)


def test_the_page_says_who_did_what(site: Site) -> None:
    site.browser().tap("handoff")
    site.caseworker().post("/desk/cases/1/claim")
    auditor = site.caseworker("wu", "auditor")
    noted(site, (None, "case.back", "case/1", ""), (1, "some.thing", "other/1", "<b>理由</b>"))
    page = auditor.get("/desk/audit").text
    number = site.rows("SELECT number FROM cases")[0][0]
    assert numbered(page)[:2] == ["other/1", "case/1"]
    assert page.count(site.words("zh-TW", "desk.case_number", number=number)) == 2
    assert "&lt;b&gt;理由&lt;/b&gt;" in page
    assert "<b>" not in page
    for key in ("action_case_back", "action_case_claim", "action_login", "system"):
        assert site.words("zh-TW", f"desk_audit.{key}") in page
    assert "some.thing" in page
    assert site.rows("SELECT hash FROM audit ORDER BY id DESC LIMIT 1")[0][0] in page
    english = auditor.get("/desk/audit", headers={"accept-language": "en"}).text
    assert site.words("en", "desk_audit.lead") in english


def test_rows_are_found_by_object_person_action_and_day(site: Site) -> None:
    site.browser().tap("handoff")
    site.caseworker().post("/desk/cases/1/claim")
    auditor = site.caseworker("wu", "auditor")
    noted(site, (None, "case.back", "case/1", ""), (1, "case.claim", "case/2", ""))
    at = site.rows("SELECT at FROM audit ORDER BY id DESC LIMIT 1")[0][0]
    today = datetime.fromtimestamp(at, TAIPEI).date().isoformat()
    number = site.rows("SELECT number FROM cases")[0][0]

    def found(**sought: str) -> list[str]:
        answer = auditor.get("/desk/audit", params=sought)
        assert answer.status_code == 200
        return numbered(answer.text)

    assert found(object="case/1") == found(object=f" {number} ") == ["case/1", "case/1"]
    assert found(object="case/1", who="lin") == ["case/1"]
    assert found(who="-") == ["case/1"]
    assert found(action="case.claim") == ["case/2", "case/1"]
    assert found(action="case.claim", day=today) == ["case/2", "case/1"]
    for nothing in ({"day": "2001-01-01"}, {"object": "case/1' OR 1=1 --"}, {"who": "nobody"}, {"action": "%"}):
        assert found(**nothing) == []
    assert site.words("zh-TW", "desk_audit.none") in auditor.get("/desk/audit?who=nobody").text


def test_a_day_that_is_none_is_refused_and_the_rest_is_kept(site: Site) -> None:
    auditor = site.caseworker("wu", "auditor")
    for day in ("tomorrow", "2026-13-40", "9999-12-31", "<script>"):
        refused(site, auditor, day)


def refused(site: Site, auditor: Browser, day: str) -> None:
    answer = auditor.get("/desk/audit", params={"day": day, "object": 'case/"7"', "who": "wu"})
    assert answer.status_code == 400
    assert site.words("zh-TW", "desk_audit.error_day") in answer.text
    assert 'value="case/&#34;7&#34;"' in answer.text
    assert "<option selected>wu</option>" in answer.text
    assert "<script>" not in answer.text
    assert numbered(answer.text) == []
    assert auditor.get("/desk/audit.csv", params={"day": day}).status_code == 400


def test_a_long_trail_comes_in_pages(site: Site) -> None:
    auditor = site.caseworker("wu", "auditor")
    noted(site, *((1, "x", f"case/{n}", "") for n in range(250)))
    page, seen, pages_read = auditor.get("/desk/audit?action=x").text, [], 1
    while True:
        seen += numbered(page)
        older = re.search(r'href="([^"]*before=[^"]*)"', page)
        if older is None:
            break
        page, pages_read = auditor.get(older[1].replace("&amp;", "&")).text, pages_read + 1
    assert pages_read == 3
    assert seen == [f"case/{n}" for n in reversed(range(250))]
    assert auditor.get("/desk/audit?before=x").status_code == 200


# -- CSV


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_download_is_what_is_sought_and_is_in_the_trail(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.audit.PAGE", 2)
    auditor: Browser = site.caseworker("wu", "auditor")
    noted(site, *((1, "x", f"case/{n}", '=HYPERLINK("http://evil")' if n == 3 else "") for n in range(5)))
    answer = auditor.get("/desk/audit.csv?action=x")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="audit-\d{4}-\d\d-\d\d\.csv"', answer.headers["content-disposition"])
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    header, *lines = table(answer.content.decode("utf-8-sig"))
    assert header[1] == site.words("zh-TW", "desk_audit.time")
    assert [line[4] for line in lines] == [f"case/{n}" for n in reversed(range(5))]
    assert lines[1][5] == '\'=HYPERLINK("http://evil")'
    assert lines[0][6] == site.rows("SELECT hash FROM audit WHERE object = 'case/4'")[0][0]
    exported = "SELECT s.name, a.object FROM audit a JOIN staff s ON s.id = a.staff_id WHERE action = 'audit.export'"
    assert site.rows(exported) == [("wu", "audit")]


def test_nothing_is_downloaded_that_cannot_be_written_down(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with running(resources, tmp_path) as site:
        auditor = site.caseworker("wu", "auditor")
        with site.unwritable():
            assert auditor.get("/desk/audit.csv").status_code == 503
            assert auditor.get("/desk/audit").status_code == 200


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_cell_that_could_be_a_formula_is_shown_as_text(text: str) -> None:
    assert table(rows_to_csv(["a"], [[text]])) == [["a"], [f"'{text}"]]
    assert table(rows_to_csv([text], [])) == [[f"'{text}"]]


@given(st.lists(st.lists(st.text() | st.sampled_from(DANGEROUS), min_size=2, max_size=2), max_size=5))
def test_every_cell_comes_back_as_it_was_or_as_text(cells: list[list[str]]) -> None:
    back = table(rows_to_csv((), cells))
    assert len(back) == len(cells)
    for row, found in zip(cells, back, strict=True):
        for cell, shown in zip(row, found, strict=True):
            assert shown == (f"'{cell}" if cell[:1] in {text[0] for text in DANGEROUS} else cell)


def test_numbers_stay_numbers_and_other_separators_start_no_cell() -> None:
    assert rows_to_csv(["a", "b"], [[-5, 2.5], [None, "x;=1"]]) == '"a","b"\r\n-5,2.5\r\n"","x;=1"\r\n'
