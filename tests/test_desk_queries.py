"""A desk with many cases: no page reads a whole table; long lists and conversations turn pages and lose nothing."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from site_app import Browser, Site, running

from bench.desk import Site as Measured
from bench.desk import pages
from bench.filling import LANGUAGES, fill
from bench.filling_desk import Filled, Size
from bench.recording import Line, Talk
from bot import config
from bot.desk.window import LINES
from bot.pipeline.resources import Resources
from bot.store import Store, case_list
from bot.store.case_list import PAGE, CasePage, Place, Wanted
from bot.store.codec import encode
from bot.store.database import Connection
from bot.store.sqlite import SqliteConnection

SIZE = Size(400, 8, waiting=120, held=20, long=2, long_messages=150, longest=300, staff=6, files=10)
# What staff enters, and what people ask about their own data: some hundred rows in a year. `inbox`: what waits now.
SMALL = {"staff", "staff_sessions", "phrases", "phrase_uses", "hours_overrides", "privacy_requests", "inbox"}


def talk(lang: str) -> Talk:
    """Two turns and the wish for a person."""

    def line(author: str, text: str, reading: str = "") -> Line:
        return Line(author, encode(f'{{"text": "{text}", "lang": "{lang}"}}'), encode(reading) if reading else "")

    asked = line("citizen", f"question in {lang}", '{"intent": "program", "decision": "clarify"}')
    answered = (line("bot", f"answer in {lang}"), line("bot", f"more in {lang}"))
    facts = (("self", "age", encode("60")),)
    return Talk(
        lang, "p15", ((asked, *answered),) * 2 + ((line("citizen", "a person"), answered[0]),), facts, encode("")
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Filled]:
    """The folder of a filled store, and what is in it."""
    loaded = config.load({"LABOR_BOT_DATA_DIR": str(tmp_path_factory.mktemp("filled"))})
    return loaded.database, fill(loaded.database, [talk(lang) for lang in LANGUAGES], SIZE, loaded.web_key())


@pytest.fixture(scope="module")
def store(filled: tuple[Path, Filled]) -> Iterator[Store]:
    store = Store(filled[0])
    yield store
    store.close()


@pytest.fixture(scope="module")
def site(filled: tuple[Path, Filled], resources: Resources) -> Iterator[Site]:
    with running(resources, filled[0].parent) as site:
        yield site


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, Browser]:
    return {role: site.caseworker(role, role) for role in ("agent", "senior", "auditor", "privacy_officer")}


# -- the filler


def test_what_is_filled_in_is_sound(store: Store, filled: tuple[Path, Filled]) -> None:
    found = filled[1]
    connection = sqlite3.connect(filled[0])
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute(
        "SELECT count(*) FROM conversations v WHERE next_seq <> 1 + (SELECT count(*) FROM messages m"
        " WHERE m.conversation_id = v.id)"
    ).fetchone() == (0,)
    assert (len(found.waiting), len(found.held), len(found.closed)) == (120, 20, 260)
    assert (found.conversations, len(found.long)) == (400, 4)
    connection.close()
    assert store.audit.verify().fault is None


# -- what the pages ask of the store


class Asked:
    """Every question to the store while it watches, with its values."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: list[tuple[str, dict[str, Any]]] = []
        for name in ("one", "all"):
            monkeypatch.setattr(SqliteConnection, name, self._watched(getattr(SqliteConnection, name)))

    def _watched(self, real: Any) -> Any:
        def ask(connection: Connection, sql: str, params: Mapping[str, Any] = {}) -> Any:
            self.found.append((sql, dict(params)))
            return real(connection, sql, params)

        return ask


def scans(database: Path, asked: Asked) -> list[tuple[str, str]]:
    """Tables that are read from end to end, with the question. A walk along an index that stops at a limit is none."""
    connection, found = sqlite3.connect(database), []
    try:
        for sql, params in asked.found:
            steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
            if " LIMIT " in sql and not any("TEMP B-TREE" in step for step in steps):
                continue
            names = [match[1] for step in steps if (match := re.match(r"SCAN (\w+)", step))]
            found += [(table, sql) for name in names if (table := table_of(name, sql)) and table not in SMALL]
    finally:
        connection.close()
    return found


def table_of(name: str, sql: str) -> str:
    """The table that a question calls so; empty for the result of a subquery."""
    match = re.search(rf"(?:FROM|JOIN|UPDATE) (\w+) (?:AS )?{name}\b", sql)
    if match or f"WITH RECURSIVE {name} " in sql:
        return match[1] if match else ""
    return name if re.search(rf"(?:FROM|JOIN|UPDATE) {name}\b", sql) else ""


def test_a_scan_is_noticed(filled: tuple[Path, Filled], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    for sql in (
        "SELECT c.id FROM cases c WHERE c.reason = 'asked'",
        "SELECT * FROM messages WHERE body LIKE :sought",
        "SELECT id FROM messages ORDER BY at LIMIT 3",
        "SELECT id FROM messages ORDER BY id DESC LIMIT 3",
    ):
        asked.found.append((sql, {"sought": "%x%"} if "sought" in sql else {}))
    assert [table for table, _ in scans(filled[0], asked)] == ["cases", "messages", "messages"]


@pytest.mark.parametrize("number", range(len(pages(0.0))), ids=[name for name, _, _ in pages(0.0)])
def test_no_page_reads_a_whole_table(
    site: Site, people: dict[str, Browser], filled: tuple[Path, Filled], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    _, role, path = pages(time.time())[number]
    measured = Measured(None, filled[1], 0)  # type: ignore[arg-type]
    browser = people.get(role) or site.browser()
    if role == "web":
        browser.client.cookies.set("labor_chat", filled[1].visitors[0])
    asked = Asked(monkeypatch)
    assert browser.get(path(measured)).status_code == 200
    assert asked.found
    assert scans(filled[0], asked) == []


# -- turning pages


VIEWS = [
    ("waiting", Wanted()),
    ("all", Wanted()),
    ("closed", Wanted()),
    ("closed", Wanted(lang="zh-TW")),
    ("all", Wanted(channel="line")),
]


def seen(store: Store, view: str, wanted: Wanted, place: Place | None = None, limit: int = 7) -> CasePage:
    return case_list.page(store.database.read, view, 3, wanted, ("vi",), place, limit)


@pytest.mark.parametrize(("view", "wanted"), VIEWS)
def test_pages_there_and_back_hold_every_case_once(store: Store, view: str, wanted: Wanted) -> None:
    everything = [row.id for row in seen(store, view, wanted, limit=1000).rows]
    page = seen(store, view, wanted)
    assert not page.before
    there = [[row.id for row in page.rows]]
    while page.after:
        page = seen(store, view, wanted, Place(after=there[-1][-1]))
        assert page.before
        there.append([row.id for row in page.rows])
    assert [case for part in there for case in part] == everything
    assert len(everything) > 20
    back = [there[-1]]
    while page.before:
        page = seen(store, view, wanted, Place(before=back[0][0]))
        assert page.after
        back.insert(0, [row.id for row in page.rows])
    assert back == there


@pytest.mark.parametrize("place", [Place(after=10**9), Place(before=10**9)])
def test_a_place_that_is_none_is_the_beginning(store: Store, place: Place) -> None:
    assert seen(store, "closed", Wanted(), place) == seen(store, "closed", Wanted())


def test_the_end_of_a_list_that_became_shorter_is_the_beginning(store: Store) -> None:
    last = seen(store, "waiting", Wanted(), limit=1000).rows[-1].id
    assert seen(store, "waiting", Wanted(), Place(after=last)) == seen(store, "waiting", Wanted())


def test_an_open_case_is_no_place_in_the_list_of_closed_ones(store: Store) -> None:
    waiting = seen(store, "waiting", Wanted()).rows[0].id
    assert seen(store, "closed", Wanted(), Place(after=waiting)) == seen(store, "closed", Wanted())


def test_the_lists_are_counted_closed_ones_up_to_a_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    held = len(seen(store, "mine", Wanted(), limit=1000).rows)
    assert case_list.counts(store.database.read, 3) == {"waiting": 120, "mine": held, "all": 140, "closed": 260}
    monkeypatch.setattr(case_list, "MOST_COUNTED", 100)
    assert case_list.counts(store.database.read, 3)["closed"] == 100


@pytest.mark.parametrize("cut", [slice(None), slice(9, None), slice(3, 11)])
def test_a_case_is_found_by_its_number_or_a_part_of_it(store: Store, filled: tuple[Path, Filled], cut: slice) -> None:
    number = filled[1].numbers[7]
    found = [row.number for row in seen(store, "closed", Wanted(number=f" {number[cut].lower()} "), limit=1000).rows]
    assert number in found
    assert all(number[cut] in each for each in found)
    assert len(found) == 1 or number[cut] != number


def links(page: str, way: str) -> list[str]:
    return [href.replace("&amp;", "&") for href in re.findall(rf'<a href="([^"]+)" rel="{way}"', page)]


def numbers(page: str) -> list[str]:
    return re.findall(r'<h2><a href="/desk/cases/(\d+)"', page)


def test_the_page_leads_on_and_back_and_keeps_its_filter(people: dict[str, Browser]) -> None:
    first = people["agent"].get("/desk?view=closed&channel=line&since=2000-01-01").text
    assert len(numbers(first)) == PAGE
    assert not links(first, "prev")
    (onward,) = links(first, "next")
    assert "view=closed" in onward
    assert "channel=line" in onward
    assert "since=2000-01-01" in onward
    second = people["agent"].get(onward).text
    assert numbers(second)
    assert not set(numbers(first)) & set(numbers(second))
    (back,) = links(second, "prev")
    assert numbers(people["agent"].get(back).text) == numbers(first)


@pytest.mark.parametrize("place", ["after=x", "before=-1", "after=99999999999999999999", "after=0&before="])
def test_a_place_that_is_nonsense_is_the_beginning(people: dict[str, Browser], place: str) -> None:
    first = people["agent"].get("/desk?view=closed").text
    assert numbers(people["agent"].get(f"/desk?view=closed&{place}").text) == numbers(first)


# -- long conversations


def lines(page: str) -> list[int]:
    return [int(seq) for seq in re.findall(r' data-seq="(\d+)"', page)]


def test_a_long_conversation_shows_its_newest_lines_and_leads_to_the_earlier_ones(
    people: dict[str, Browser], filled: tuple[Path, Filled], store: Store
) -> None:
    case = filled[1].longest
    row = store.case(case)
    assert row is not None
    page = people["senior"].get(f"/desk/cases/{case}").text
    assert len(lines(page)) == LINES
    assert not links(page, "next")
    found = lines(page)
    while earlier := links(page, "prev"):
        page = people["senior"].get(earlier[0]).text
        assert links(page, "next") == [f"/desk/cases/{case}"]
        found = lines(page) + found
    assert found == list(range(1, SIZE.longest + 1))


def test_a_short_conversation_leads_nowhere_else(people: dict[str, Browser], filled: tuple[Path, Filled]) -> None:
    short = next(case for case in filled[1].waiting if case not in filled[1].long)
    page = people["agent"].get(f"/desk/cases/{short}").text
    assert not links(page, "prev")
    assert not links(page, "next")


@pytest.mark.parametrize("before", ["0", "-5", "x", "99999999999999"])
def test_lines_before_nothing_are_the_newest(
    people: dict[str, Browser], filled: tuple[Path, Filled], before: str
) -> None:
    case = filled[1].longest
    newest = lines(people["senior"].get(f"/desk/cases/{case}").text)
    assert lines(people["senior"].get(f"/desk/cases/{case}?before={before}").text)[-1] == newest[-1]


def test_words_are_looked_for_in_the_whole_conversation_and_all_of_it_is_printed(
    people: dict[str, Browser], filled: tuple[Path, Filled]
) -> None:
    case = filled[1].longest
    assert len(lines(people["senior"].get(f"/desk/cases/{case}/print").text)) == SIZE.longest
    sought = lines(people["senior"].get(f"/desk/cases/{case}?q=QUESTION").text)
    assert min(sought) == 1
    assert len(sought) > LINES


def test_lines_after_the_closing_are_not_shown_however_many_there_are(
    people: dict[str, Browser], filled: tuple[Path, Filled], store: Store
) -> None:
    """A citizen who went on with the bot for long does not push the case out of its own page."""
    case = next(case for case in filled[1].closed if case not in filled[1].long)
    row = store.case(case)
    assert row is not None
    assert row.closed_seq is not None
    before = lines(people["senior"].get(f"/desk/cases/{case}").text)

    end = row.closed_seq

    def go_on(connection: Connection) -> None:
        for number in range(LINES + 10):
            connection.execute(
                "INSERT INTO messages (conversation_id, seq, author, address_id, at, body)"
                " VALUES (:id, :seq, 'citizen', :id, :at, :body)",
                {
                    "id": row.conversation,
                    "seq": end + 1 + number,
                    "at": time.time(),
                    "body": encode('{"text": "later", "lang": "en"}'),
                },
            )

    store.database.write_now(go_on)
    page = people["senior"].get(f"/desk/cases/{case}").text
    assert lines(page) == before
    assert "later" not in page
