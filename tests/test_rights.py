"""Every route of the desk, asked by every role: what the table does not grant is refused and changes nothing."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from ruamel.yaml import YAML
from site_app import FORM, Site, running
from starlette.routing import Route
from starlette.types import Message, Scope

from bot.desk.auth import COOKIE, token_hash
from bot.desk.rights import GRANTS, Right, Role, may
from bot.pipeline.resources import Resources
from bot.store.database import NOW

TABLE = YAML(typ="safe").load(Path(__file__).with_name("rights.yaml"))
ANYONE = "anyone"
ALWAYS_MOVES = ("sqlite_sequence", "migrations", "servers")


@dataclass(frozen=True)
class Answer:
    """What came back: status, where to, the page."""

    status: int
    location: str
    text: str


@pytest.fixture(scope="module")
def site(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(resources, tmp_path_factory.mktemp("rights")) as site:
        site.browser().tap("handoff")
        yield site


@pytest.fixture(scope="module")
def strict(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(resources, tmp_path_factory.mktemp("strict"), LABOR_BOT_STAFF_TOTP="required") as site:
        yield site


def served(site: Site) -> list[tuple[str, str]]:
    """(method, path) of everything under /desk that is not there for wrong methods."""
    return [
        (method, re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path))
        for route in site.app.routes
        if isinstance(route, Route) and route.path.startswith("/desk") and route.name != "wrong_method"
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]


def someone(site: Site, role: str, must_change: bool = False) -> tuple[int, str]:
    """A fresh account with a session: its id and the session's token."""
    token, name = secrets.token_urlsafe(8), secrets.token_hex(4)
    with sqlite3.connect(site.database, timeout=20) as connection:
        ((number,),) = connection.execute(
            f"INSERT INTO staff (name, role, password_hash, must_change, created_at) VALUES (?, ?, '', ?, {NOW})"
            " RETURNING id",
            (name, role, must_change),
        ).fetchall()
        connection.execute(
            "INSERT INTO staff_sessions (token_hash, staff_id, created_at, seen_at, confirmed_at)"
            f" VALUES (?, ?, {NOW}, {NOW}, {NOW})",
            (token_hash(token), number),
        )
    connection.close()
    return number, token


def ask(
    site: Site,
    method: str,
    path: str,
    token: str = "",
    form: dict[str, str] | None = None,
    headers: Mapping[str, str] = {},
) -> Answer:
    """One request, as it would come from the network; of a stream only the beginning is read."""
    return site.portal.call(_asked, site, method, re.sub(r"\{\w+\}", "1", path), token, form, headers)


async def _asked(
    site: Site, method: str, path: str, token: str, form: dict[str, str] | None, headers: Mapping[str, str]
) -> Answer:
    body, sent = urlencode(form or {}).encode(), False
    found: dict[str, Any] = {}
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.partition("?")[0],
        "raw_path": path.partition("?")[0].encode(),
        "query_string": path.partition("?")[2].encode(),
        "root_path": "",
        "headers": [
            (b"host", b"testserver.local"),
            (b"cookie", f"{COOKIE}={token}; {headers.get('cookie', '')}".encode()),
            (b"content-type", FORM.encode()),
            *((name.encode(), value.encode()) for name, value in headers.items() if name != "cookie"),
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("testserver.local", 80),
    }

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            found.update(status=message["status"], headers=dict(message["headers"]), body=b"")
        else:
            found["body"] += message.get("body", b"")

    await site.app(scope, receive, send)
    return Answer(
        found["status"], found["headers"].get(b"location", b"").decode(), found["body"].decode(errors="replace")
    )


def refused(site: Site, answer: Answer) -> bool:
    """Is this the page of a missing right?"""
    return answer.status == 403 and site.words("zh-TW", "desk.error_right") in answer.text


def kept(site: Site) -> dict[str, list[object]]:
    """Everything in the database but sessions."""
    tables = [name for (name,) in site.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        table: site.rows(f"SELECT * FROM {table}")
        for table in tables
        if table not in (*ALWAYS_MOVES, "staff", "staff_sessions")
    } | {"accounts": site.rows("SELECT id, role, disabled, password_hash, totp FROM staff ORDER BY id")}


def test_every_route_stands_in_the_table_and_no_other(site: Site) -> None:
    found = {f"{method} {path}" for method, path in served(site)}
    assert found - TABLE["routes"].keys() == set(), "give each of these its right in tests/rights.yaml"
    assert TABLE["routes"].keys() - found == set(), "these routes are gone"
    assert set(TABLE["routes"].values()) <= {right.value for right in Right} | {ANYONE}


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_what_the_table_grants_and_nothing_else(site: Site, role: Role) -> None:
    wrong = []
    for method, path in served(site):
        right = TABLE["routes"].get(f"{method} {path}")
        granted = right == ANYONE or (right in {each.value for each in Right} and may(role, Right(right)))
        _, token = someone(site, role)
        before = None if granted else kept(site)
        answer = ask(site, method, path, token)
        shut_out = right != ANYONE and answer.location == "/desk/login" and path != "/desk/logout"
        if granted and (refused(site, answer) or shut_out):
            wrong.append(f"{method} {path}: refused")
        if not granted and (not refused(site, answer) or kept(site) != before):
            wrong.append(f"{method} {path}: not refused ({answer.status})")
    assert wrong == []


def test_nobody_gets_anything_without_a_session(site: Site) -> None:
    before = kept(site)
    for method, path in served(site):
        if TABLE["routes"].get(f"{method} {path}") == ANYONE:
            continue
        for token in ("", "made up", secrets.token_urlsafe(32)):
            answer = ask(site, method, path, token)
            assert (answer.status, answer.location) == (303, "/desk/login"), f"{method} {path}"
    assert kept(site) == before


def test_a_one_time_password_opens_nothing_but_the_page_that_replaces_it(site: Site) -> None:
    _, token = someone(site, "admin", must_change=True)
    before = kept(site)
    for method, path in served(site):
        right = TABLE["routes"].get(f"{method} {path}")
        if right not in (ANYONE, Right.OWN_PASSWORD):
            answer = ask(site, method, path, token)
            assert (answer.status, answer.location) == (303, "/desk/password"), f"{method} {path}"
    assert kept(site) == before


def test_where_a_code_is_required_nothing_opens_before_it_is_set_up(strict: Site) -> None:
    _, token = someone(strict, "admin")
    before = kept(strict)
    for method, path in served(strict):
        right = TABLE["routes"].get(f"{method} {path}")
        if right not in (ANYONE, Right.OWN_PASSWORD, Right.OWN_CODE):
            answer = ask(strict, method, path, token)
            assert (answer.status, answer.location) == (303, "/desk/account/code"), f"{method} {path}"
    assert kept(strict) == before


def test_an_unknown_role_has_no_right(site: Site) -> None:
    _, token = someone(site, "caseworker")
    for method, path in served(site):
        if TABLE["routes"].get(f"{method} {path}") != ANYONE:
            assert refused(site, ask(site, method, path, token)), f"{method} {path}"


@pytest.mark.parametrize("route", TABLE["holder"])
def test_only_the_holder_moves_a_case(site: Site, route: str) -> None:
    citizen = site.browser()
    citizen.tap("handoff")
    ((case, conversation),) = site.rows("SELECT id, conversation_id FROM cases ORDER BY id DESC LIMIT 1")
    method, path = route.replace("{id}", str(case)).split(" ")
    _, holder = someone(site, "agent")
    ask(site, "POST", f"/desk/cases/{case}/claim", holder)
    ((fence,),) = site.rows(f"SELECT speaker_fence FROM conversations WHERE id = {conversation}")
    form = {"fence": str(fence), "id": secrets.token_hex(8), **TABLE["holder"][route]}
    tables = (
        f"SELECT * FROM cases WHERE id = {case}",
        f"SELECT seq, author, body FROM messages WHERE conversation_id = {conversation}",
        f"SELECT speaker, holder FROM conversations WHERE id = {conversation}",
    )
    before = [site.rows(sql) for sql in tables]
    for role in (role for role in GRANTS if may(role, Right.ANSWER)):
        _, other = someone(site, role)
        ask(site, method, path, other, form)
        assert [site.rows(sql) for sql in tables] == before, f"{role} is not the holder"
    ask(site, method, path, holder, form)
    assert [site.rows(sql) for sql in tables] != before, "the holder can"
