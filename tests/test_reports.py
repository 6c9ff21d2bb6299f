"""The reports: what is counted, what is kept untold, who may see them, and how much of the store they read."""

from __future__ import annotations

import csv
import io
import itertools
import random
import re
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from site_app import Browser, Site, running

from bot.clock import TAIPEI
from bot.desk import counting
from bot.desk.charts import Caption, Shown, bars, columns, lines
from bot.desk.period import Asked, BadPeriod, Period, period_of
from bot.desk.report_tables import REPORTS, Found, Pen
from bot.desk.rights import GRANTS, Right, Role
from bot.desk.service_clock import ServiceClock
from bot.hours import DEFAULT, Hours, spans_of, week_of
from bot.pipeline.resources import Resources
from bot.store import Store
from bot.store import sqlite as engine
from bot.store.reports import CaseTimes, Missed, Rated, Span, Talk

TODAY = date(2026, 11, 23)
ROUTES = ("/desk/reports", "/desk/reports/cases.csv")
WHERE = {"web": 1, "line": 2, "telegram": 3}


def at(day: str, hour: float = 10.0) -> float:
    """Unix seconds of an hour of a day in Taipei."""
    return datetime.fromisoformat(day).replace(tzinfo=TAIPEI).timestamp() + hour * 3600


def plant(database: Path, table: str, **values: Any) -> int:
    """One row, written beside the server."""
    names = ", ".join(values)
    with sqlite3.connect(database) as connection:
        sql = f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + name for name in values)})"
        number = connection.execute(sql, values).lastrowid
    connection.close()
    assert number is not None
    return number


def talk(database: Path, opened_at: float, lang: str = "zh-TW", channel: str = "web") -> int:
    """A conversation with an address."""
    number = plant(database, "conversations", opened_at=opened_at, updated_at=opened_at, lang=lang)
    address = plant(
        database, "addresses", conversation_id=number, channel=channel, account="", user_id=f"planted-{number}"
    )
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE conversations SET address_id = ? WHERE id = ?", (address, number))
    connection.close()
    return number


def case(database: Path, opened_at: float, lang: str = "zh-TW", channel: str = "web", **more: Any) -> int:
    """A case with its conversation."""
    values = {"state": "waiting", "reason": "asked", "topic": "p15"} | more
    conversation = talk(database, opened_at, lang, channel)
    number = f"planted-{conversation}"
    return plant(
        database,
        "cases",
        conversation_id=conversation,
        number=number,
        lang=lang,
        channel=channel,
        opened_at=opened_at,
        **values,
    )


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "t.db")
    yield store
    store.close()


def table(browser: Browser, name: str, query: str = "") -> list[list[str]]:
    """A report's CSV as rows of text."""
    answer = browser.get(f"/desk/reports/{name}.csv{'?' + query if query else ''}")
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


# -- periods


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        (Asked("7"), "2026-11-17", "2026-11-23"),
        (Asked("30"), "2026-10-25", "2026-11-23"),
        (Asked("90"), "2026-08-26", "2026-11-23"),
        (Asked("month", month="2026-02"), "2026-02-01", "2026-02-28"),
        (Asked("month", month="2024-02"), "2024-02-01", "2024-02-29"),
        (Asked("month", month="2025-12"), "2025-12-01", "2025-12-31"),
        (Asked("month", month="2026-11"), "2026-11-01", "2026-11-23"),
        (Asked("range", since="2026-01-05", until="2026-01-05"), "2026-01-05", "2026-01-05"),
        (Asked("range", since="2025-11-23", until="2026-11-23"), "2025-11-23", "2026-11-23"),
        (Asked("range", since="2026-11-20", until="2027-01-01"), "2026-11-20", "2026-11-23"),
    ],
)
def test_a_period_is_whole_days_up_to_today(asked: Asked, first: str, last: str) -> None:
    assert period_of(asked, TODAY) == Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (Asked("31"), "error_period"),
        (Asked(""), "error_period"),
        (Asked("month"), "error_month"),
        (Asked("month", month="2026-13"), "error_month"),
        (Asked("month", month="2026-11-01"), "error_month"),
        (Asked("month", month="0001-01"), "error_month"),
        (Asked("month", month="9999-12"), "error_month"),
        (Asked("month", month="2026-12"), "error_future"),
        (Asked("range", since="2026-11-01"), "error_day"),
        (Asked("range", since="2026-02-30", until="2026-03-01"), "error_day"),
        (Asked("range", since="20261101", until="2026-11-02"), "error_day"),
        (Asked("range", since="٢٠٢٦-١١-٠١", until="2026-11-02"), "error_day"),
        (Asked("range", since="2026-11-02", until="2026-11-01"), "error_order"),
        (Asked("range", since="2027-01-01", until="2027-01-02"), "error_future"),
        (Asked("range", since="2025-11-22", until="2026-11-23"), "error_long"),
    ],
)
def test_what_is_no_period_is_refused_with_a_reason(asked: Asked, key: str) -> None:
    with pytest.raises(BadPeriod, match=f"^desk_reports.{key}$"):
        period_of(asked, TODAY)


def test_days_are_those_of_taipei() -> None:
    period = Period(date(2026, 11, 1), date(2026, 11, 30))
    assert period.day(at("2026-11-02", 0)) == date(2026, 11, 2)
    assert period.day(at("2026-11-03", 0) - 0.001) == date(2026, 11, 2)
    span = period.span(Asked())
    assert (span.start, span.end) == (at("2026-11-01", 0), at("2026-12-01", 0))


def test_weeks_begin_on_monday_and_the_first_is_cut() -> None:
    period = Period(date(2026, 11, 5), date(2026, 11, 17))
    assert counting.first_days(period, weeks=True) == [date(2026, 11, 5), date(2026, 11, 9), date(2026, 11, 16)]
    assert len(counting.first_days(period, weeks=False)) == 13
    for day in range(13):
        start = counting.first_day(period, period.start + day * 86400, weeks=True)
        assert start in counting.first_days(period, weeks=True)


# -- small numbers


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([], []),
        ([0, 5, 100], [0, 5, 100]),
        ([1, 4, 9], ["<5", "<5", 9]),
        ([3, 9, 20], ["<5", "*", 20]),  # or the sum would tell the 3
        ([3, 0], ["<5", 0]),
        ([2], ["<5"]),
    ],
)
def test_small_numbers_are_not_told(numbers: list[int], shown: list[Any]) -> None:
    assert counting.untold(numbers) == shown


@pytest.mark.parametrize(
    ("part", "whole", "found"),
    [(0, 0, None), (3, 4, None), (2, 90, None), (88, 90, None), (10, 30, 33.3), (9, 9, 100.0)],
)
def test_shares_do_not_lead_to_a_few(part: int, whole: int, found: float | None) -> None:
    assert counting.share(part, whole) == found


def test_median_and_the_slow_end() -> None:
    assert (counting.middle_of([1, 2, 3, 4]), counting.slow_of([1, 2, 3, 4])) == (None, None)
    times = [float(number) for number in range(10, 0, -1)]
    assert (counting.middle_of(times), counting.slow_of(times)) == (5.5, 9.0)


# -- what is counted


def test_the_page_shows_what_happened(site: Site) -> None:
    for minutes in (10, 20, 30, 40, 50):
        opened = at("2026-11-20", 9)  # a Friday, within service hours
        case(
            site.database,
            opened,
            state="closed",
            first_answer_at=opened + minutes * 60,
            closed_at=opened + 2 * 3600,
            outcome="answered",
        )
    case(site.database, at("2026-11-19"), lang="th", channel="line", reason="urgent", topic="")
    case(site.database, at("2026-10-01"))  # before the period
    talk(site.database, at("2026-11-18"))
    desk = site.caseworker("senior", "senior")
    assert table(desk, "cases")[-5:] == [
        ["2026-11-19", "1"],
        ["2026-11-20", "5"],
        ["2026-11-21", "0"],
        ["2026-11-22", "0"],
        ["2026-11-23", "0"],
    ]
    assert table(desk, "first_answer")[-1] == [site.words("zh-TW", "desk_reports.whole"), "6", "5", "30.0", "50.0"]
    assert table(desk, "resolution")[-1][2:] == ["5", "2.0", "2.0"]
    urgent, asked = (site.words("zh-TW", f"desk.reason_{reason}") for reason in ("urgent", "asked"))
    assert table(desk, "reasons")[1:] == [[asked, "5"], [urgent, "1"]]
    assert table(desk, "languages")[1:] == [["中文", "6", "5"], ["ภาษาไทย", "1", "1"]]
    assert ["2026-11-16", "7", "1", "14.3"] in table(desk, "containment")
    page = desk.get("/desk/reports").text
    assert page.count('<svg class="chart') == len(REPORTS) - 2  # nothing unanswered or rated
    assert "style=" not in page
    assert page.count("<table>") == len(REPORTS) - 2


def test_waiting_counts_in_service_hours(site: Site) -> None:
    """Asked on Friday evening, answered on Monday half an hour after the desk opened."""
    for _ in range(5):
        case(site.database, at("2026-11-20", 20), first_answer_at=at("2026-11-23", 8.5))
    desk = site.caseworker("senior", "senior")
    assert table(desk, "first_answer", "period=7")[-1][-2:] == ["30.0", "30.0"]


def test_filters_hide_small_numbers_on_page_and_in_file(site: Site) -> None:
    for day in ("2026-11-10", "2026-11-11", "2026-11-12"):
        case(site.database, at(day), lang="th", channel="line")
    for _ in range(6):
        case(site.database, at("2026-11-12"), lang="th", channel="web")
    desk = site.caseworker("senior", "senior")
    everything = dict(table(desk, "cases"))
    assert (everything["2026-11-10"], everything["2026-11-12"]) == ("1", "7")
    thai = dict(table(desk, "cases", "lang=th"))
    assert (thai["2026-11-10"], thai["2026-11-12"], thai["2026-11-13"]) == ("<5", "7", "0")
    assert table(desk, "topics", "lang=th&channel=line")[1:] == [[site.words("zh-TW", "p15.label"), "<5"]]
    assert table(desk, "containment", "channel=line")[-2:][0][1:] == ["0", "0", ""]
    page = desk.get("/desk/reports?lang=th&channel=line").text
    figures = re.findall(r"<dd>(.*?)</dd>", page)
    assert figures[:3] == ["&lt;5", "&lt;5", "–"]
    assert 'class="bar untold"' in page


def test_questions_without_an_answer_are_counted_without_their_words(site: Site) -> None:
    conversation = talk(site.database, at("2026-11-20"))
    for number in range(7):
        plant(
            site.database,
            "unanswered",
            conversation_id=conversation,
            event_id=str(number),
            at=at("2026-11-20"),
            lang="zh-TW",
            decision="clarify" if number else "refuse",
            text="0秘密的話",
            offered="p15 stations",
            picked="stations" if number == 6 else "",
        )
    desk = site.caseworker("editor", "editor")
    found = table(desk, "unanswered")[1:]
    label, stations = (site.words("zh-TW", key) for key in ("p15.label", "conversation.reading.stations"))
    assert [(row[0], row[3]) for row in found] == [(label, "5"), (label, "<5"), (stations, "<5")]
    page = desk.get("/desk/reports").text
    assert label in page
    assert "秘密" not in page


def test_ratings_are_counted_per_language(site: Site) -> None:
    conversation = talk(site.database, at("2026-11-20"))
    for lang, helped, times in (("zh-TW", 1, 9), ("zh-TW", 0, 6), ("vi", 1, 2), ("vi", 0, 1)):
        for _ in range(times):
            plant(
                site.database,
                "ratings",
                at=at("2026-11-20"),
                conversation_id=conversation,
                lang=lang,
                channel="web",
                helped=helped,
                words="0說了什麼",
            )
    desk = site.caseworker("senior", "senior")
    assert table(desk, "ratings")[1:] == [["Tiếng Việt", "<5", "<5"], ["中文", "9", "6"]]
    page = desk.get("/desk/reports").text
    assert "<dd>61.1</dd>" in page
    assert "說了什麼" not in site.caseworker("auditor", "auditor").get("/desk/reports").text


def test_an_empty_desk_has_reports_too(site: Site) -> None:
    page = site.caseworker("senior", "senior").get("/desk/reports?period=7").text
    assert page.count(site.words("zh-TW", "desk_reports.empty")) == len(REPORTS)
    assert '<svg class="chart' not in page


@pytest.mark.parametrize("period", ["7", "30", "90"])
@pytest.mark.parametrize("lang", ["zh-TW", "en"])
def test_every_report_can_be_drawn_in_both_languages(site: Site, lang: str, period: str) -> None:
    for index in range(12):
        opened = at("2026-11-20", 9) - index * 3 * 86400
        case(site.database, opened, "id", "telegram", reason="unheard of", topic="p99", first_answer_at=opened + 60)
    site.caseworker("senior", "senior")
    reader = site.browser("en-US,en" if lang == "en" else lang)
    reader.post("/desk/login", {"name": "senior", "password": "correct horse battery"})
    page = reader.get(f"/desk/reports?period={period}").text
    assert site.words(lang, "desk_reports.other") in page
    for drawn in re.findall(r"<svg class=\"chart.*?</svg>(?=</div>)", page, re.DOTALL):
        ET.fromstring(drawn)


def test_the_clock_of_the_reports_is_that_of_the_cases() -> None:
    """Laid out once, it measures what the service hours measure, over holidays and set days too."""
    hours = Hours(week_of(DEFAULT), {date(2026, 10, 8): (), date(2026, 10, 10): spans_of("09:00-11:00")})
    clock = ServiceClock(hours.spans, date(2026, 9, 28), date(2026, 10, 16))
    chance = random.Random(7)
    moments = [at("2026-09-28", 0) + chance.random() * 19 * 86400 for _ in range(300)]
    moments += [at("2026-10-08", hour) for hour in (0, 8, 12, 13.5, 17.5, 24)]
    for begin, end in itertools.pairwise(moments):
        whole = hours.service_seconds(*(datetime.fromtimestamp(moment, TAIPEI) for moment in (begin, end)))
        assert clock.between(begin, end) == pytest.approx(whole, abs=0.001)
    assert clock.between(moments[0], moments[0]) == 0


# -- the form


@pytest.mark.parametrize(
    ("query", "key", "kept"),
    [
        ("period=month&month=soon", "error_month", 'value="soon"'),
        ("period=range&since=2026-11-09&until=x%22%3Cb%3E", "error_day", 'value="x&#34;&lt;b&gt;"'),
        ("period=range&since=2020-01-01&until=2026-01-01&lang=th", "error_long", 'value="th" selected'),
        ("period=%00", "error_period", ""),
    ],
)
def test_what_is_no_period_is_said_and_kept(site: Site, query: str, key: str, kept: str) -> None:
    desk = site.caseworker("senior", "senior")
    answer = desk.get(f"/desk/reports?{query}")
    assert answer.status_code == 400
    assert site.words("zh-TW", f"desk_reports.{key}", days=366) in answer.text
    assert kept in answer.text
    file = desk.get(f"/desk/reports/cases.csv?{query}")
    assert file.status_code == 303
    assert desk.get(file.headers["location"]).status_code == 400


def test_an_unknown_language_or_channel_means_all(site: Site) -> None:
    case(site.database, at("2026-11-20"))
    desk = site.caseworker("senior", "senior")
    found = table(desk, "reasons", "lang=' OR 1=1 --&channel=fax")
    assert found == table(desk, "reasons")


# -- files


def test_a_file_is_for_spreadsheets_and_noted(site: Site) -> None:
    case(site.database, at("2026-11-20"))
    desk = site.caseworker("senior", "senior")
    answer = desk.get("/desk/reports/reasons.csv?period=7")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="desk-reasons-2026-11-17-2026-11-23.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.content.count(b"\r\n") == 2
    assert site.rows("SELECT action, object FROM audit WHERE action LIKE 'report%'") == [
        ("report.download", "report/reasons")
    ]
    assert desk.get("/desk/reports/nothing.csv").status_code == 404


def test_no_file_without_its_note(resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with running(resources, tmp_path) as site:
        desk = site.caseworker("senior", "senior")
        with site.unwritable():
            answer = desk.get("/desk/reports/cases.csv")
            assert answer.status_code == 503
            assert site.words("zh-TW", "web.error_store") in answer.text
            assert desk.get("/desk/reports").status_code == 200


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx")


@pytest.mark.parametrize("formula", FORMULAS)
def test_labels_that_look_like_formulas_stay_text(site: Site, formula: str) -> None:
    """A label comes from the catalog, which an installation may extend: no cell may start what a spreadsheet runs."""
    from bot.desk.csv_safe import rows_to_csv

    pen = Pen(lambda key, **params: formula, lambda key, otherwise: formula)
    asked = CaseTimes(at("2026-11-23"), None, None, "asked", "p15", "zh-TW")
    found = Found(Period(TODAY, TODAY), Asked(), [asked], [], [], [], by_the_clock)
    report = REPORTS["reasons"](found, pen)
    cells = [cell for row in csv.reader(io.StringIO(rows_to_csv(report.header, report.rows))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(FORMULAS)]
    assert f"'{formula}" in cells


def by_the_clock(begin: float, end: float) -> float:
    """Seconds between two moments."""
    return end - begin


# -- who may see them


@pytest.mark.parametrize("role", list(Role))
def test_only_those_with_the_right_see_reports(site: Site, role: Role) -> None:
    desk = site.caseworker("someone", role.value)
    expected = 200 if Right.REPORTS in GRANTS[role] else 403
    assert [desk.get(path).status_code for path in ROUTES] == [expected] * 2
    assert (role is Role.AGENT) == (expected == 403)


def test_without_a_session_there_are_none(site: Site) -> None:
    for path in ROUTES:
        answer = site.browser().get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login")


# -- pictures


CAPTION = Caption("c", "<b>", "a & b")
PICTURES: Mapping[str, Any] = {
    "columns": lambda shown: columns(CAPTION, [(f"{n}/1", each) for n, each in enumerate(shown)]),
    "bars": lambda shown: bars(CAPTION, [("<i>", (each, each)) for each in shown], ("yes", "no")),
    "lines": lambda shown: lines(
        CAPTION, [str(n) for n in range(len(shown))], [("a", [x if isinstance(x, int) else None for x in shown])] * 2
    ),
}


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize(
    "shown", [[1], [0, 0], [3, "<5", "*", None, 7], [None, 12, None], [10**7, 1, 0], [*range(1, 101)]], ids=repr
)
def test_pictures_are_sound_and_named(kind: str, shown: list[Shown]) -> None:
    drawn = PICTURES[kind](shown)
    root = ET.fromstring(drawn)
    names = root.attrib["aria-labelledby"].split()
    by_id = {each.attrib["id"]: each.text for each in root.iter() if "id" in each.attrib}
    assert [by_id[name] for name in names] == ["<b>", "a & b"]
    assert "style" not in drawn
    for each in root.iter():
        for name in ("width", "height", "x", "cx"):
            assert "nan" not in each.attrib.get(name, "")
            assert float(each.attrib.get(name, "0").rstrip("%")) >= (-8 if name == "x" else 0)
        if each.attrib.get("width", "").endswith("%"):
            assert float(each.attrib["width"].rstrip("%")) <= 100


def test_a_gap_in_a_line_is_not_bridged() -> None:
    root = ET.fromstring(lines(CAPTION, list("abcd"), [("x", [1.0, 2.0, None, 3.0])]))
    kinds = [each.attrib.get("class") for each in root.iter()]
    assert (kinds.count("line s0"), kinds.count("point s0")) == (1 + 1, 3 + 1)  # one each in the legend


# -- how much they read


def crowd(store: Store, cases: int) -> None:
    """Many cases over two years, each with a conversation of some lines."""

    def write(connection: Any) -> None:
        step, start = 730 * 86400 / cases, at("2024-11-23")
        connection.many(
            "INSERT INTO conversations (id, opened_at, updated_at, lang, address_id) VALUES (:n, :at, :at, 'th', :n)",
            [{"n": n, "at": start + n * step} for n in range(1, cases + 1)],
        )
        connection.many(
            "INSERT INTO addresses (id, conversation_id, channel, account, user_id) VALUES (:n, :n, 'line', '', :n)",
            [{"n": n} for n in range(1, cases + 1)],
        )
        connection.many(
            "INSERT INTO cases (conversation_id, number, state, reason, topic, lang, channel, opened_at,"
            " first_answer_at) VALUES (:n, :n, 'waiting', 'asked', 'p15', 'th', 'line', :at, :at + 60)",
            [{"n": n, "at": start + n * step} for n in range(1, cases + 1)],
        )
        connection.many(
            "UPDATE cases SET state = 'closed', closed_at = opened_at + 7200 WHERE id = :n",
            [{"n": n} for n in range(1, cases - 50)],
        )

    store.database.write_now(write)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("large") / "t.db")
    crowd(store, 50_000)
    yield store
    store.close()


def asked_of(store: Store, span: Span) -> tuple[dict[str, Any], list[str]]:
    """What the reports find, and the statements they ask with their parameters filled in."""
    told: list[str] = []
    store.database.read.raw.set_trace_callback(told.append)
    found = {
        "cases": store.reports.cases(span),
        "talks": store.reports.talks(span),
        "missed": store.reports.missed(span),
        "rated": store.reports.rated(span),
    }
    store.database.read.raw.set_trace_callback(None)
    return found, told


@pytest.mark.parametrize(("lang", "channel"), [("", ""), ("th", "line")])
def test_reports_of_a_large_desk_read_their_period_only(large: Store, lang: str, channel: str) -> None:
    start = at("2026-10-25", 0)
    span = Span(start, start + 30 * 86400, lang, channel)
    found, statements = asked_of(large, span)
    assert len(found["cases"]) == len(found["talks"]) == pytest.approx(50_000 * (29 + 10 / 24) / 730, abs=1)
    assert all(each.case for each in found["talks"])
    assert len(statements) == 5
    for statement in statements:
        plan = [row["detail"] for row in large.database.read.all(f"EXPLAIN QUERY PLAN {statement}")]
        assert not [step for step in plan if step.startswith("SCAN")], (statement, plan)
        assert not [step for step in plan if "messages" in step], (statement, plan)


def test_types_of_rows_hold_nobody() -> None:
    """What the reports hand out has neither ids nor words."""
    for kind in (CaseTimes, Talk, Missed, Rated):
        assert not {"id", "number", "conversation", "text", "words", "name"} & set(kind.__slots__)


def test_periods_do_not_depend_on_the_length_of_months() -> None:
    for offset in range(0, 400):
        day = TODAY - timedelta(days=offset)
        period = period_of(Asked("month", month=f"{day:%Y-%m}"), TODAY)
        assert period.first <= day <= period.last
