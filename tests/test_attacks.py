"""Attacks on the house that no other test module has: forged names, filters, addresses, files, spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from conftest import ROOT
from hostile import CORPUS, HOOK_SECRET, TEXTS, Canary, faults_of, sign_line, whole_city, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from platforms.city import SECRET, City
from platforms.people import OnLine, OnTelegram
from site_app import Site, running
from starlette.routing import Mount, Route
from test_rights import TABLE, ask, someone

from bot.channels.hook import SIGNATURE, sign
from bot.channels.text import sound
from bot.clock import TAIPEI
from bot.pipeline.resources import Resources

KEPT = ("conversations", "addresses", "messages", "facts", "cases", "staff", "case_notes", "attachments", "seen")
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def site(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = {"LABOR_BOT_MESSAGES_PER_MINUTE": "100000", "LABOR_BOT_MESSAGES_PER_MINUTE_IP": "100000"}
    with running(resources, tmp_path_factory.mktemp("attacks"), **settings) as site:
        yield site


def rows(site: Site | City) -> dict[str, list[Any]]:
    """What an attack would change."""
    return {table: site.rows(f"SELECT * FROM {table}") for table in KEPT}


def page(site: Site, role: str, path: str) -> str:
    """A page of the desk as somebody new in that role sees it."""
    answer = ask(site, "GET", path, someone(site, role)[1])
    assert answer.status == 200, path
    return str(answer.text)


# -- what is written down


NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_test_that_the_documentation_names_exists() -> None:
    rows_of_table = [row for row in (ROOT / "docs" / "security.md").read_text("utf-8").splitlines() if "::test_" in row]
    assert len(rows_of_table) > 20
    for row in rows_of_table:
        assert row.startswith("| ")
        for file, test in NAMED.findall(row):
            assert f"def {test}(" in (ROOT / "tests" / file).read_text("utf-8"), f"{file}::{test}"


@pytest.mark.parametrize(
    "name",
    ["script", "svg", "picture", "attribute double", "end of a field", "frame", "base", "form", "style", "template"],
)
def test_the_look_at_pages_would_see_it(name: str) -> None:
    assert faults_of(f"<p>{TEXTS[name].replace('{{7*7191}}', '50337')}</p>")


# -- no route that keeps the house running


PUBLIC = {
    "/", "/chat/send", "/chat/events", "/chat/end", "/chat/forget", "/privacy", "/resume/{token:str}",
    "/mydata/{token:str}", "/healthz", "/readyz", "/metrics", "/static", "/webhook/hook", "/webhook/line",
    "/webhook/telegram",
}  # fmt: skip
GUESSED = (
    "/admin", "/cron", "/cron/run", "/purge", "/export", "/debug", "/docs", "/openapi.json",
    "/graphql", "/api", "/setup", "/install", "/migrate", "/backup", "/labor-bot.db", "/.env", "/.git/config",
    "/server-status", "/desk/cron", "/desk/purge", "/desk/export", "/desk/setup", "/desk/backup",
    "/desk/reset", "/desk/invite", "/desk/register", "/static/../bot/config.py",
    "/static/%2e%2e/bot/config.py", "/static/..%2f..%2fpyproject.toml", "/static//etc/passwd",
)  # fmt: skip


def test_there_is_no_route_beside_those_that_are_known(site: Site, city: City) -> None:
    known = {route.split(" ")[1] for route in TABLE["routes"]}
    for route in site.app.routes:
        assert isinstance(route, Route | Mount)
        assert route.path in PUBLIC or re.sub(r":\w+\}", "}", route.path) in known, "is it for the world? list it here"


@pytest.mark.parametrize("path", GUESSED)
def test_nothing_is_run_kept_or_told_by_a_guessed_address(site: Site, path: str) -> None:
    before = rows(site)
    for method in ("GET", "POST"):
        assert ask(site, method, path, someone(site, "admin")[1]).status in (404, 405)
    assert rows(site)["cases"] == before["cases"]


# -- who somebody says they are


SPOOFED = ("<script data-pwn>pwn()</script>", "127.0.0.1", "10.0.0.1, 127.0.0.1", "x" * 5000, "::1", "")


def test_a_forwarded_address_counts_from_trusted_proxies_alone(resources: Resources, tmp_path: Path) -> None:
    """Else everybody had a budget, and a patience for passwords, for each address they can think of."""
    limits = {"LABOR_BOT_MESSAGES_PER_MINUTE_IP": "3", "LABOR_BOT_TRUSTED_PROXIES": "10.9.9.9"}
    with running(resources, tmp_path, **limits) as site:
        answers = [
            site.browser()
            .post("/chat/send", {"text": "hi"}, headers={"x-forwarded-for": f"203.0.113.{last}"})
            .status_code
            for last in range(5)
        ]
    assert answers == [303, 303, 303, 429, 429]


@pytest.mark.parametrize(
    "header", ["x-forwarded-for", "forwarded", "x-real-ip", "client-ip", "cf-connecting-ip", "user-agent"]
)
def test_what_a_header_says_is_neither_kept_nor_shown(site: Site, header: str) -> None:
    before = rows(site)
    for value in SPOOFED:
        browser = site.browser()
        shown = [browser.get("/", headers={header: value}).text, browser.get("/nowhere", headers={header: value}).text]
        shown.append(browser.post("/desk/login", {"name": "x", "password": "y"}, headers={header: value}).text)
        assert not any("data-pwn" in text for text in shown)
    assert rows(site) == before
    browser.post("/chat/send", {"text": "hello"}, headers={header: SPOOFED[0]})
    assert "data-pwn" not in written(site.database)


def test_fields_that_name_a_conversation_or_a_person_are_read_by_nobody(site: Site) -> None:
    """Rooms, tokens and ids beside the own cookie: the answer is about the own conversation, the other one stays."""
    victim, forger = site.browser(), site.browser()
    victim.say("my employer is called Cherry Cake")
    victim.tap("handoff")
    ((conversation, case),) = site.rows("SELECT conversation_id, id FROM cases ORDER BY id DESC LIMIT 1")
    token = victim.client.cookies["labor_chat"]
    forger.say("hello")
    said = f"SELECT * FROM messages WHERE conversation_id = {conversation}"
    before = site.rows(said), site.rows(f"SELECT state FROM cases WHERE id = {case}")
    for name in (
        "conversation",
        "conversation_id",
        "room",
        "rid",
        "token",
        "visitor",
        "user",
        "address",
        "case",
        "case_id",
        "id",
    ):
        for value in (str(conversation), str(case), token, f"web:{conversation}"):
            form = {"text": f"now I am {name}", name: value}
            shown = [
                forger.get("/", params={name: value}, headers={f"x-{name.replace('_', '-')}": value}).text,
                forger.post("/chat/send", form, params={name: value}).text,
                forger.get("/chat/forget", params={name: value}).text,
            ]
            assert not any("Cherry Cake" in text for text in shown), name
    forger.post("/chat/forget", {"conversation": str(conversation), "room": str(conversation)})
    assert (site.rows(said), site.rows(f"SELECT state FROM cases WHERE id = {case}")) == before
    assert "Cherry Cake" in victim.page()


@pytest.mark.parametrize("change", ["signature", "nonce", "swap", "empty signature", "longer", "upper", "unicode"])
def test_a_token_of_the_chat_cannot_be_made_from_others(site: Site, change: str) -> None:
    first, second = site.browser(), site.browser()
    for browser in (first, second):
        browser.say("Cherry Cake")
    (one, sign_one), (_, sign_two) = (each.client.cookies["labor_chat"].split(".") for each in (first, second))
    forged = {
        "signature": f"{one}.{'0' * 40}",
        "nonce": f"{one[:-1]}{'A' if one[-1] != 'A' else 'B'}.{sign_one}",
        "swap": f"{one}.{sign_two}",
        "empty signature": f"{one}.",
        "longer": f"{one}.{sign_one}0",
        "upper": f"{one}.{sign_one.upper()}x",
        "unicode": f"{one}.\u0660{sign_one}",
    }[change]
    thief = site.browser()
    answer = thief.get("/", headers={"cookie": f"labor_chat={forged}".encode()})
    assert answer.status_code == 403
    assert "Cherry Cake" not in answer.text
    assert thief.get("/chat/events", headers={"cookie": f"labor_chat={forged}".encode()}).status_code == 204


# -- filters


LANGS, CHANNELS, REASONS = ("zh-TW", "en", "vi"), ("web", "line"), ("asked", "urgent")
TOPICS, NUMBERS = ("p15", "p07"), ("20261123-AB%CD", "20261123-AB_CD", "a'b", "x!y", "A\\B", "OR 1=1")
INJECTED = (
    "' OR 1=1--", "') OR 1=1--", "\" OR \"\"=\"", "%", "_", "!", "\\", "vi' --", "vi\0", "0); DROP TABLE cases;--",
    "1 UNION SELECT password_hash FROM staff", "{\"$ne\": 1}", "[]", "null", "\u0660",
    "9999-12-31", "0001-01-01", "2026-11-23",
)  # fmt: skip
# What forms can send: no lone surrogates.
ANY_TEXT = st.one_of(
    st.sampled_from(INJECTED),
    st.sampled_from(
        [
            *LANGS,
            *CHANNELS,
            *TOPICS,
            *REASONS,
            *(number[:4] for number in NUMBERS),
            *(number[-3:] for number in NUMBERS),
        ]
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
)
NAMES = ("lang", "channel", "topic", "reason", "number", "since", "until")


@dataclass(repr=False)
class Filed:
    """A desk with forty cases of known kinds, and an admin's token."""

    site: Site
    token: str
    made: list[dict[str, Any]]


@pytest.fixture(scope="module")
def filed(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filed]:
    with running(resources, tmp_path_factory.mktemp("filed")) as site:
        made: list[dict[str, Any]] = []
        with closing(sqlite3.connect(site.database)) as connection, connection:
            for index in range(40):
                case = {
                    "lang": LANGS[index % 3],
                    "channel": CHANNELS[index % 2],
                    "topic": TOPICS[index % 5 == 0],
                    "reason": REASONS[index % 7 == 0],
                    "number": f"{NUMBERS[index % 6]}{index}",
                    "opened_at": 1_795_000_000 + index * 40_000,
                }
                connection.execute("INSERT INTO conversations (lang, opened_at, updated_at) VALUES ('en', 0, 0)")
                connection.execute(
                    "INSERT INTO cases (conversation_id, state, urgent, lang, channel, topic, reason, number,"
                    " opened_at) VALUES (last_insert_rowid(), 'waiting', 0, :lang, :channel, :topic, :reason, :number,"
                    " :opened_at)",
                    case,
                )
                made.append(case | {"id": connection.execute("SELECT max(id) FROM cases").fetchone()[0]})
        yield Filed(site, someone(site, "admin")[1], made)


def day(text: str) -> float | None:
    """A day as the form sends it, else nothing."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=TAIPEI).timestamp()
    except (ValueError, OverflowError):
        return None


def passes(case: dict[str, Any], asked: dict[str, str]) -> bool:
    """The same by Python alone."""
    asked = {name: sound(value) for name, value in asked.items()}
    same = all(case[name] == asked[name] for name in NAMES[:4] if asked.get(name))
    since, until = day(asked.get("since", "")), day(asked.get("until", ""))
    return (
        same
        and asked.get("number", "").lower() in case["number"].lower()
        and (since is None or case["opened_at"] >= since)
        and (until is None or case["opened_at"] < until + timedelta(days=1).total_seconds())
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.dictionaries(st.sampled_from(NAMES), ANY_TEXT, min_size=1, max_size=3))
def test_whatever_is_filtered_for_is_a_value(filed: Filed, asked: dict[str, str]) -> None:
    """The list is the one that Python finds for itself; nothing is an error, and nothing of the database goes."""
    site, token, made = filed.site, filed.token, filed.made
    answer = ask(site, "GET", f"/desk?{urlencode(asked)}", token)
    assert answer.status == 200
    found = {int(number) for number in re.findall(r'href="/desk/cases/(\d+)"', answer.text)}
    assert found == {case["id"] for case in made if passes(case, asked)}
    assert site.rows("SELECT count(*) FROM cases") == [(40,)]


LISTS = {
    "/desk/audit": ("object", "who", "action", "day", "before"),
    "/desk/audit.csv": ("object", "who", "action", "day"),
    "/desk/reports": ("since", "until", "first", "last", "period", "lang", "channel"),
    "/desk/reports/cases.csv": ("since", "until", "first", "last", "period", "lang", "channel"),
    "/desk/authors": ("list", "state", "lang", "before"),
    "/desk/authors.csv": ("list", "state", "lang", "before"),
    "/desk/cases/1": ("q", "problem", "proposed"),
    "/desk": ("view", "after", "before"),
}


@pytest.mark.parametrize("path", LISTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_filter_is_an_error_or_changes_anything(filed: Filed, path: str, data: st.DataObject) -> None:
    site, token = filed.site, filed.token
    asked = data.draw(st.dictionaries(st.sampled_from(LISTS[path]), ANY_TEXT, min_size=1, max_size=3))
    before = rows(site)
    assert ask(site, "GET", f"{path}?{urlencode(asked)}", token).status in (200, 303, 400)
    assert rows(site) == before


def test_a_filter_of_the_trail_finds_what_is_equal_and_nothing_else(filed: Filed) -> None:
    site, token = filed.site, filed.token
    ask(site, "GET", "/desk/cases/1", token)
    assert "case.open" in page(site, "admin", "/desk/audit?object=case/1")
    for text in INJECTED:
        shown = page(site, "admin", f"/desk/audit?{urlencode({'object': text})}")
        assert site.words("zh-TW", "desk_audit.none") in shown, text


# -- spreadsheets


def test_no_cell_of_any_file_is_a_formula(resources: Resources, tmp_path: Path) -> None:
    """Every route that gives a CSV file: names, reasons, messages and notes that begin as formulas do."""
    with running(resources, tmp_path) as site:
        citizen = site.browser("en")
        for formula in CORPUS["formulas"]:
            citizen.say(f"{formula} qwertz")
        citizen.tap("handoff")
        people = [_named(site, formula) for formula in CORPUS["formulas"]]
        ask(site, "POST", "/desk/cases/1/claim", people[0])
        for token, formula in zip(people[1:], CORPUS["formulas"][1:], strict=True):
            ask(site, "POST", "/desk/cases/1/takeover", token, {"why": formula})
        for number, formula in enumerate(CORPUS["formulas"], start=1):
            ask(
                site, "POST", "/desk/cases/1/misread", people[-1], {"seq": str(number), "text": formula, "meant": "p15"}
            )
        files = [route.removeprefix("GET ") for route in TABLE["routes"] if ".csv" in route]
        assert len(files) >= 3
        lists = [f"/desk/authors.csv?list={name}" for name in ("unanswered", "misread", "proposals")]
        reports = [
            f"/desk/reports/{name}.csv"
            for name in ("cases", "answers", "reasons", "languages", "topics", "unanswered", "ratings")
        ]
        found = ""
        for path in [*(path for path in files if "{" not in path), *lists, *reports]:
            text = ask(site, "GET", path, people[-1]).text
            found += text
            for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))):
                assert not [cell for cell in row if re.match(r"[=+\-@\t\r\n＝＋－＠](?!\d+$)", cell)], (path, row)
        for formula in CORPUS["formulas"]:
            assert f"'{formula}".replace('"', '""') in found, f"{formula} is in no file: the test shows nothing"


def _named(site: Site, name: str) -> str:
    number, token = someone(site, "admin")
    with closing(sqlite3.connect(site.database, timeout=20)) as connection, connection:
        connection.execute("UPDATE staff SET name = ? WHERE id = ?", (name, number))
    return token


# -- pages


UNESCAPED = re.compile(
    r"\|\s*safe\b|autoescape|\{%-?\s*filter\s|\bMarkup\(|\.innerHTML\s*=(?!=)|insertAdjacentHTML"
    r"|document\.write|eval\(|new Function"
)
TRUSTED = {
    "templates/line/richmenu.html",  # colors of our own, for a picture
    "bot/desk/charts.py",  # fills escaped values into fixed patterns
    "bot/desk/codes.py",  # a drawing by the QR library
    "bot/render/pages.py", "bot/render/line.py", "bot/render/replies.py", "bot/render/review.py",
    "bot/render/richmenu.py",
}  # fmt: skip


def test_pages_escape_everything() -> None:
    """What switches escaping off, or makes a page from a text, stands where it was looked at."""
    paths = [
        path
        for folder in ("templates", "bot")
        for path in sorted((ROOT / folder).rglob("*.*"))
        if path.suffix in (".html", ".js", ".py")
    ]
    found = {path.relative_to(ROOT).as_posix() for path in paths if UNESCAPED.search(path.read_text("utf-8"))}
    assert found - TRUSTED == set()


# -- platforms: what they send along


@pytest.fixture(scope="module")
def city(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with whole_city(resources, tmp_path_factory.mktemp("city")) as city:
        yield city


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with Canary().listening() as canary:
        yield canary


@pytest.fixture(scope="module")
def line(city: City) -> OnLine:
    """Somebody on LINE with an open case."""
    person = OnLine(city)
    person.follow()
    person.say("我要找真人")
    return person


@pytest.fixture(scope="module")
def telegram(city: City) -> OnTelegram:
    """Somebody on Telegram with an open case."""
    person = OnTelegram(city)
    person.follow()
    person.say("我要找真人")
    return person


def addresses(canary: Canary) -> list[str]:
    """Ways to write an address of this machine."""
    forms = (
        f"{canary.url}/a.png",
        f"http://localhost:{canary.port}/",
        f"http://[::ffff:127.0.0.1]:{canary.port}/",
        f"http://2130706433:{canary.port}/",
    )
    return [
        *forms,
        f"看 {forms[0]} 這個",
        f"[x]({forms[0]})",
        f'<img src="{forms[0]}">',
        f"//127.0.0.1:{canary.port}/x",
    ]


def test_no_address_in_a_text_is_visited(city: City, canary: Canary, line: OnLine, telegram: OnTelegram) -> None:
    texts = addresses(canary)
    with httpx.Client(base_url=city.url, trust_env=False, timeout=20) as web:
        for text in texts:
            web.post(
                "/chat/send",
                data={"text": text},
                headers={"referer": canary.url, "x-forwarded-host": f"127.0.0.1:{canary.port}"},
            )
    line.send(*(line.make.text(line.id, text) for text in texts))
    line.send(*(line.make.location(line.id, 25.0, 121.5, text, text) for text in texts))
    telegram.send(*(telegram.make.text(telegram.id, text) for text in texts))
    events = [{"id": f"u{number}", "timestamp": 1_790_000_000_000 + number, "user": canary.url, "text": text,
               "reply_url": canary.url, "callback": canary.url} for number, text in enumerate(texts)]  # fmt: skip
    body = json.dumps({"events": events, "reply_url": canary.url}).encode()
    answer = httpx.post(
        f"{city.url}/webhook/hook", content=body, headers={SIGNATURE: sign(HOOK_SECRET, body)}, trust_env=False
    )
    assert answer.json()["accepted"] == len(texts)
    assert city.telegram.called("sendMessage")
    assert canary.visits == []


def test_a_content_of_line_is_fetched_from_line_alone(city: City, canary: Canary, line: OnLine) -> None:
    """A picture that LINE says is elsewhere (contentProvider external) is asked for at LINE by its id, nowhere else."""
    outside = {
        "type": "external",
        "originalContentUrl": f"{canary.url}/a.png",
        "previewImageUrl": f"{canary.url}/b.png",
    }
    line.send(line.make.image(line.id, contentProvider=outside))
    line.send(
        {
            **line.make.image(line.id),
            "message": {**line.make.image(line.id)["message"], "id": f"{canary.url}/x", "contentProvider": outside},
        }
    )
    line.send(
        {
            **line.make.image(line.id),
            "message": {**line.make.image(line.id)["message"], "id": "../../../v2/bot/info?x="},
        }
    )
    assert canary.visits == []
    assert all("/content" in call.path for call in city.line.calls("content"))


@pytest.mark.parametrize(
    "path",
    [
        "{canary}/a.pdf",
        "//127.0.0.1:{port}/a.pdf",
        "@127.0.0.1:{port}/a.pdf",
        "../../../etc/passwd",
        "{local}",
        "file://{local}",
    ],
)
def test_a_path_that_telegram_gives_leads_to_telegram_alone(
    city: City, canary: Canary, telegram: OnTelegram, tmp_path: Path, path: str
) -> None:
    """Also not to a file of this machine: the SDK would read one that a path names."""
    local = tmp_path / "secret.pdf"
    local.write_bytes(b"%PDF-1.4 of this machine alone")
    update = telegram.make.document(telegram.id, b"%PDF-1.4 sent")
    file = city.telegram.world.files[update["message"]["document"]["file_id"]]
    file.path = path.format(canary=canary.url, port=canary.port, local=local)
    city.telegram.deliver(update)
    newest = "SELECT state, attempts, body FROM attachments ORDER BY id DESC LIMIT 1"
    ((state, _, body),) = city.wait(lambda: [row for row in city.rows(newest) if row[0] != "wanted" or row[1] > 0])
    assert state != "kept" or b"sent" in body
    assert canary.visits == []
    assert b"of this machine alone" not in b"".join(
        body for (body,) in city.rows("SELECT body FROM attachments WHERE body IS NOT NULL")
    )
    city.change("UPDATE attachments SET state = 'refused' WHERE state = 'wanted'")


def test_files_are_what_they_are_whatever_they_are_called(city: City, line: OnLine, telegram: OnTelegram) -> None:
    """Kept by their content, in the database alone, under a number; opened as no page, under no name of a stranger."""
    folder = city.database.parent
    before = {path.name for path in folder.rglob("*")}
    for name, content, _ in CORPUS["files"]:
        line.send(line.make.file(line.id, name, content.encode("latin-1")))
        telegram.send(
            telegram.make.document(telegram.id, content.encode("latin-1") or b"?", name=name, mime="text/html")
        )
    assert {path.name for path in folder.rglob("*")} == before
    kept = [mime for _, _, mime in CORPUS["files"] for _ in range(2)]
    found = city.rows("SELECT id, mime, state, conversation_id FROM attachments ORDER BY id DESC LIMIT ?", len(kept))[
        ::-1
    ]
    assert [mime if state == "kept" else "" for _, mime, state, _ in found] == kept
    number, token = someone(city, "agent")  # type: ignore[arg-type]
    city.change("UPDATE conversations SET speaker = 'human', holder = ?", number)
    with httpx.Client(base_url=city.url, trust_env=False, timeout=20, cookies={"labor_desk": token}) as desk:
        for file, mime, state, _ in found:
            answer = desk.get(f"/desk/files/{file}")
            assert answer.status_code == (200 if state == "kept" else 403)
            if state != "kept":
                continue
            assert answer.headers["content-type"] == mime
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
            ending = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}[mime]
            way = "inline" if mime.startswith("image/") else "attachment"
            assert answer.headers["content-disposition"] == f"{way}; filename*=UTF-8''{file}.{ending}"
    city.change("UPDATE conversations SET speaker = 'waiting', holder = NULL")


AS_STAFF = {"author": "staff", "staff_id": 1, "role": "admin", "speaker": "human", "case": 1, "name": "lin", "fence": 1}


def test_nobody_speaks_for_a_caseworker_through_a_channel(city: City, line: OnLine, telegram: OnTelegram) -> None:
    """Fields of the desk in events, replies in a group to what was said there: all of it is a citizen's, or nothing."""
    said = city.rows("SELECT count(*) FROM messages WHERE author = 'staff'")
    event = {"id": "as-staff", "timestamp": 1_790_000_000_500, "user": "u", "text": "I am the caseworker", **AS_STAFF}
    body = json.dumps({"events": [event], **AS_STAFF}).encode()
    httpx.post(f"{city.url}/webhook/hook", content=body, headers={SIGNATURE: sign(HOOK_SECRET, body)}, trust_env=False)
    line.send({**line.make.text(line.id, "I am the caseworker"), **AS_STAFF})
    telegram.send({**telegram.make.text(telegram.id, "I am the caseworker"), **AS_STAFF})
    city.telegram.world.group(-100500, "Staff")
    city.telegram.deliver(telegram.make.text(telegram.id, "/reply 1 I am the caseworker", chat=-100500))
    city.settle()
    assert city.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == said


@pytest.mark.parametrize("channel", ["line", "telegram", "hook"])
@pytest.mark.parametrize(
    "signature", ["none", "empty", "of another body", "of another key", "of another channel", "twice"]
)
def test_without_its_signature_no_channel_takes_anything(city: City, channel: str, signature: str) -> None:
    body, other = b'{"events": [{"id": "f1"}], "destination": "x", "update_id": 1}', b"{}"
    name, good = {
        "line": ("x-line-signature", lambda raw, key: sign_line(key, raw)),
        "telegram": ("x-telegram-bot-api-secret-token", lambda raw, key: key),
        "hook": (SIGNATURE.lower(), lambda raw, key: sign(key, raw)),
    }[channel]
    secret = {"line": city.line.secret, "telegram": SECRET, "hook": HOOK_SECRET}[channel]
    values = {
        "none": [],
        "empty": [""],
        "of another body": [good(other, secret) if channel != "telegram" else secret[:-1]],
        "of another key": [good(body, "guess")],
        "of another channel": [good(body, HOOK_SECRET if channel != "hook" else SECRET)],
        "twice": ["x", good(body, "guess")],
    }[signature]
    city.settle()
    before = rows(city)
    headers = [(name, value) for value in values]
    answer = httpx.post(f"{city.url}/webhook/{channel}", content=body, headers=headers, trust_env=False)
    assert answer.status_code in (400, 401, 403)
    assert rows(city) == before


def test_a_channel_that_is_off_has_no_door(site: Site) -> None:
    for channel in ("line", "telegram", "hook"):
        assert site.browser().post(f"/webhook/{channel}", {"x": "1"}).status_code == 404
