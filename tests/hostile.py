"""A town where everybody means harm: each text of tests/hostile.yaml in each field of every channel and of the desk."""

from __future__ import annotations

import html
import json
import re
import secrets
import socket
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import free_port
from platforms.city import SECRET, City, running
from platforms.people import OnLine, OnTelegram
from ruamel.yaml import YAML
from standins.line_events import sign as sign_line
from standins.serving import ThreadServer
from standins.telegram_world import Query
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from test_desk_translation import Libre
from test_rights import TABLE, someone

from bot.channels import telegram_pace
from bot.channels.hook import SIGNATURE, sign
from bot.desk.auth import COOKIE
from bot.messages import DataRequest
from bot.pipeline import errands
from bot.pipeline.resources import Resources
from bot.store import Store, own_data

CORPUS: dict[str, Any] = YAML(typ="safe").load(Path(__file__).with_name("hostile.yaml"))
TEXTS: dict[str, str] = CORPUS["texts"]
SHARP = {
    name: TEXTS[name] for name in ("picture", "attribute double", "attribute single", "end of a title", "template")
}
NAMES: Sequence[str] = CORPUS["names"]
HOOK_SECRET = "the-key-of-the-hook"
COMPUTED = ("50337", "cmd'/C calc'!A0\"")  # 7*7191; a cell that a spreadsheet would run
REASON = 100
URL_LIKE = ("href", "src", "action", "formaction", "data", "poster", "srcdoc", "style")


# -- who listens where nobody has any business


@dataclass
class Canary:
    """A port of this machine that no text may make anybody visit; `visits`: how each visit began."""

    visits: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """What a text may name."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def listening(self) -> Iterator[Canary]:
        with socket.create_server(("127.0.0.1", 0)) as door:
            self.port = door.getsockname()[1]
            threading.Thread(target=self._listen, args=(door,), daemon=True).start()
            yield self

    def _listen(self, door: socket.socket) -> None:
        while True:
            try:
                visitor, _ = door.accept()
            except OSError:
                return
            with visitor:
                visitor.settimeout(0.5)
                try:
                    self.visits.append(visitor.recv(200))
                except OSError:
                    self.visits.append(b"")


# -- what a page must not be


class Page(HTMLParser):
    """`faults`: every element, attribute and address that can only come from a hostile text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            address = re.sub(r"[\s\0]", "", value or "").lower() if name in URL_LIKE else ""
            icon = (tag, name) == ("link", "href") and address.startswith("data:image/svg+xml,%3csvg")
            far = address.startswith(("javascript:", "data:", "vbscript:", "//")) or name in ("srcdoc", "style")
            if name == "data-pwn" or name.startswith("on") or (far and not icon):
                self.faults.append(f"<{tag} {name}={value!r}>")
        if tag in ("script", "iframe", "base", "style", "object", "embed") and "/static/" not in str(
            dict(attrs).get("src")
        ):
            self.faults.append(f"<{tag}>")

    handle_startendtag = handle_starttag


def faults_of(text: str) -> list[str]:
    """What is wrong with a page; a calculated template is wrong too."""
    return Page(text).faults + [found for found in COMPUTED[:1] if found in text]


# -- the town


@dataclass
class Staff:
    """Somebody at the desk over HTTP; `token` is for a browser's cookie."""

    name: str
    token: str
    http: httpx.Client

    def post(self, path: str, **form: str) -> httpx.Response:
        """Send a form of the desk."""
        return self.http.post(path, data=form)

    def get(self, path: str) -> httpx.Response:
        """Open a page of the desk."""
        return self.http.get(path)


@dataclass
class Hostile:
    """`cases`: the id of the case of each channel. `echoes`: pages that came back from forms with what was typed."""

    city: City
    canary: Canary
    visitor: httpx.Client
    staff: list[Staff] = field(default_factory=list)
    cases: dict[str, int] = field(default_factory=dict)
    echoes: dict[str, str] = field(default_factory=dict)

    @property
    def boss(self) -> Staff:
        """The admin."""
        return self.staff[-1]

    def hire(self, name: str, role: str) -> Staff:
        """Somebody with that name, logged in."""
        number, token = someone(self.city, role)  # type: ignore[arg-type]
        self.city.change("UPDATE staff SET name = ? WHERE id = ?", name, number)
        client = httpx.Client(base_url=self.city.url, trust_env=False, timeout=20, cookies={COOKIE: token})
        self.city.closing.callback(client.close)
        self.staff.append(Staff(name, token, client))
        return self.staff[-1]

    def hook(self, *events: Mapping[str, Any]) -> httpx.Response:
        """Signed events of another system of the city."""
        body = json.dumps({"events": list(events)}).encode()
        return httpx.post(
            f"{self.city.url}/webhook/hook", content=body, headers={SIGNATURE: sign(HOOK_SECRET, body)}, trust_env=False
        )

    def line_raw(self, body: bytes) -> httpx.Response:
        """A signed body that LINE's own library would not make."""
        headers = {"x-line-signature": sign_line(self.city.line.secret, body), "content-type": "application/json"}
        return httpx.post(f"{self.city.url}/webhook/line", content=body, headers=headers, trust_env=False)

    def telegram_raw(self, body: bytes) -> httpx.Response:
        """An update that Telegram's own server would not make."""
        headers = {"x-telegram-bot-api-secret-token": SECRET, "content-type": "application/json"}
        return httpx.post(f"{self.city.url}/webhook/telegram", content=body, headers=headers, trust_env=False)

    def fence(self, case: int) -> str:
        """The fence of a case."""
        ((found,),) = self.city.rows(
            "SELECT v.speaker_fence FROM cases c JOIN conversations v ON v.id = c.conversation_id WHERE c.id = ?", case
        )
        return str(found)

    def pages(self) -> list[str]:
        """Every page of the desk that the admin can open, each list in each of its views."""
        opened = [
            route.removeprefix("GET ") for route in TABLE["routes"] if route.startswith("GET ") and "{" not in route
        ]
        plain = [path for path in opened if path != "/desk/events" and not path.endswith(".csv")]
        lists = [f"/desk?view={view}" for view in ("waiting", "mine", "all", "closed")]
        lists += [
            f"/desk/authors?list={name}&state={state}"
            for name in ("unanswered", "misread", "proposals")
            for state in ("new", "done")
        ]
        lists += ["/desk/privacy?view=closed"]
        cases = [f"/desk/cases/{case}{part}" for case in self.cases.values() for part in ("", "/print", "?q=script")]
        requests = [f"/desk/privacy/{number}" for (number,) in self.city.rows("SELECT id FROM privacy_requests")]
        phrases = [f"/desk/phrases/{key}" for (key,) in self.city.rows("SELECT DISTINCT phrase FROM phrases")]
        return [*plain, *lists, *cases, *requests, *phrases]


@contextmanager
def whole_city(resources: Resources, folder: Path) -> Iterator[City]:
    """The city with every channel on, and a translator that says everything again; nobody waits without need."""

    async def receive(request: Request) -> Response:
        return Response()

    app = Starlette(routes=[*Libre().app().routes, Route("/replies", receive, methods=["POST"])])
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(errands, "EVERY_SECONDS", 0.02)
        patch.setattr(telegram_pace, "BURST", 100_000)
        beside = stack.enter_context(ThreadServer(app, free_port()))
        more = {
            "LABOR_BOT_HOOK_SECRET": HOOK_SECRET,
            "LABOR_BOT_HOOK_REPLY_URL": f"http://127.0.0.1:{beside.port}/replies",
            "LABOR_BOT_TRANSLATE_URL": f"http://127.0.0.1:{beside.port}/base",
            "LABOR_BOT_MESSAGES_PER_MINUTE": "100000",
            "LABOR_BOT_MESSAGES_PER_MINUTE_IP": "100000",
        }
        yield stack.enter_context(running(resources, folder, more=more))


@contextmanager
def town(resources: Resources, folder: Path) -> Iterator[Hostile]:
    """The city, and somebody in its web chat."""
    with whole_city(resources, folder) as city, Canary().listening() as canary:
        headers = {"accept-language": "en"}
        with httpx.Client(base_url=city.url, trust_env=False, timeout=20, headers=headers) as visitor:
            yield Hostile(city, canary, visitor)


def sow(town: Hostile) -> None:
    """Everything, everywhere."""
    people = [OnLine(town.city, "en"), OnTelegram(town.city, "en")]
    town.city.telegram.world.users[people[1].id]["first_name"] = TEXTS["picture"]
    town.city.telegram.world.users[people[1].id]["username"] = TEXTS["attribute double"]
    _by_web(town)
    _by_line(town, people[0])
    _by_telegram(town, people[1])
    _by_hook(town)
    town.city.settle()
    channels = town.city.rows("SELECT channel, max(id) FROM cases GROUP BY channel")
    town.cases = dict(channels)
    assert set(town.cases) == {"web", "line", "telegram", "hook"}, town.cases
    for name in NAMES:
        town.hire(name, "senior")
    town.hire("boss", "admin")
    _at_the_desk(town)
    town.city.settle()


# -- citizens


def _by_web(town: Hostile) -> None:
    hostile = {
        "user-agent": TEXTS["script"],
        "referer": "http://x/" + TEXTS["link"],
        "x-forwarded-for": TEXTS["picture"],
    }
    for text in TEXTS.values():
        town.visitor.post("/chat/send", data={"text": text}, headers={**hostile, "accept": "application/json"})
    town.city.settle()
    for raw in (
        b"text=%FF%FE%C0%80%3Cscript+data-pwn%3E",
        b"text=\xff\xfe<script data-pwn>",
        b"text=%ED%A0%80%3Cb+data-pwn%3E",
    ):
        answer = town.visitor.post(
            "/chat/send", content=raw, headers={"content-type": "application/x-www-form-urlencoded"}
        )
        town.echoes[f"web {raw!r}"] = answer.text
    for text in (*SHARP.values(), "x" * 2001 + TEXTS["end of a field"]):
        for field_name in ("choice", "id", "lang"):
            town.echoes[f"web {field_name} {text}"] = town.visitor.post(
                "/chat/send", data={"text": text * 2, field_name: text}
            ).text
    town.visitor.post("/chat/send", data={"choice": "handoff"})
    town.visitor.post("/chat/send", data={"text": f"please call me back at 0912345678 {TEXTS['picture']}"})


def _by_line(town: Hostile, person: OnLine) -> None:
    make, who = person.make, person.id
    person.follow()
    person.send(*(make.text(who, text) for text in TEXTS.values()))
    person.send(*(make.postback(who, text) for text in TEXTS.values()))
    person.send(
        make.postback(who, "answer:age", {"date": TEXTS["script"]}),
        make.location(who, 25.0, 121.5, TEXTS["script"], TEXTS["svg"]),
    )
    person.say("I want to talk to a person")
    person.send(*(make.file(who, name, content.encode("latin-1")) for name, content, _ in CORPUS["files"]))
    odd = {
        **make.text(who, "x"),
        "message": {"type": "text", "id": "odd1", "text": "\ud800<b data-pwn>lone</b>", "quoteToken": "q"},
        "webhookEventId": TEXTS["attribute double"],
    }
    body = json.dumps({"destination": town.city.line.account.bot_id, "events": [odd]}).encode()
    assert town.line_raw(body).status_code in (200, 400)
    assert town.line_raw(body.replace(b"x", b"\xff")).status_code in (200, 400)


def _by_telegram(town: Hostile, person: OnTelegram) -> None:
    make, who = person.make, person.id
    person.follow()
    first, place = make.text(who, "hello"), {"latitude": 25.0, "longitude": 121.5}
    person.send(first, *(make.text(who, text.replace("\0", "")) for text in TEXTS.values()))
    person.send(
        *(make.edited(first, text) for text in (TEXTS["picture"], TEXTS["attribute double"], TEXTS["template"]))
    )
    person.send(
        make.photo(who, b"\xff\xd8\xff photo", caption=TEXTS["svg"]),
        make.contact(who, TEXTS["picture"]),
        make.message(
            who, {"venue": {"location": place, "title": TEXTS["script"], "address": TEXTS["svg"]}, "location": place}
        ),
    )
    person.say("I want to talk to a person")
    person.send(
        *(
            make.document(who, content.encode("latin-1") or b"?", name=name, mime=TEXTS["picture"])
            for name, content, _ in CORPUS["files"]
        )
    )
    world = town.city.telegram.world
    world.queries["q1"] = Query("q1", who, world.clock())
    tap = make.update(
        "callback_query",
        {"id": "q1", "from": town.city.telegram.world.user(who), "chat_instance": "i", "data": TEXTS["script"]},
    )
    assert town.telegram_raw(json.dumps(tap).encode()).status_code == 200
    lone = make.text(who, "x")
    assert (
        town.telegram_raw(json.dumps(lone).replace('"x"', '"\\ud800<b data-pwn>lone</b>"').encode()).status_code == 200
    )


def _by_hook(town: Hostile) -> None:
    at = 1_790_000_000_000
    user = TEXTS["picture"]
    events = [
        {"id": f"{number} {TEXTS['script']}", "timestamp": at + number, "user": user, "text": text}
        for number, text in enumerate(TEXTS.values())
    ]
    events += [
        {"id": f"c{number}", "timestamp": at + 900, "user": user, "choice": text}
        for number, text in enumerate(TEXTS.values())
    ]
    events += [{"id": "lone", "timestamp": at + 990, "user": user, "text": "\ud800<b data-pwn>lone</b>"}]
    events += [{"id": "last", "timestamp": at + 999, "user": user, "choice": "handoff"}]
    assert town.hook(*events).status_code == 200


# -- the desk


def _at_the_desk(town: Hostile) -> None:
    first, second, third, fourth = town.staff[:4]
    web, line, telegram, hook = (town.cases[name] for name in ("web", "line", "telegram", "hook"))
    for staff, case in ((first, web), (second, line), (third, telegram), (fourth, hook)):
        _done(staff.post(f"/desk/cases/{case}/claim"))
    for text in TEXTS.values():
        _done(first.post(f"/desk/cases/{web}/note", text=text))
        _done(first.post(f"/desk/cases/{web}/reply", text=text, fence=town.fence(web), id=secrets.token_hex(8)))
    for text in SHARP.values():
        _echo(town, first.post(f"/desk/cases/{web}/translate", text=text, fence=TEXTS["picture"], id=text))
    for staff, case in ((second, line), (third, telegram), (fourth, hook)):
        for name in ("picture", "template", "attribute double", "zero width"):
            _done(staff.post(f"/desk/cases/{case}/reply", text=TEXTS[name], fence=town.fence(case), id=name))
        staff.post(f"/desk/cases/{case}/draft", text=TEXTS["end of a field"])
    for number, text in enumerate((*SHARP.values(), TEXTS["zero byte"], *CORPUS["formulas"])):
        _done(town.staff[(number + 1) % 4].post(f"/desk/cases/{web}/takeover", why=text))
    ((one,),) = town.city.rows("SELECT id FROM staff WHERE name = ?", first.name)
    _done(second.post(f"/desk/cases/{line}/transfer", to=f"staff:{one}", fence=town.fence(line)))
    _done(third.post(f"/desk/cases/{telegram}/bar", why=TEXTS["picture"]))
    _done(fourth.post(f"/desk/cases/{hook}/close", fence=town.fence(hook), outcome=TEXTS["script"]))
    _reasons(town)
    _refused_forms(town)
    _after(town)


def _reasons(town: Hostile) -> None:
    """Reasons that staff give: of days, of holds, of answers to requests; sentences; what was misread."""
    boss, day = town.boss, town.city.resources.clock().date()
    for number, text in enumerate((*SHARP.values(), *CORPUS["formulas"]), start=1):
        form = {"day": str(day.fromordinal(day.toordinal() + number)), "state": "closed", "reason": text[:REASON]}
        _echo(town, boss.post("/desk/hours", **form))
    web = town.cases["web"]
    ((number, conversation),) = town.city.rows("SELECT number, conversation_id FROM cases WHERE id = ?", web)
    lines = "SELECT seq FROM messages WHERE conversation_id = ? AND author = 'citizen' ORDER BY seq LIMIT 6"
    _done(boss.post("/desk/privacy/hold", case=number, reason=TEXTS["picture"]))
    store = Store(town.city.database)
    try:
        for kind in ("see", "copy", "correct"):
            store.database.write_now(lambda c, kind=kind: own_data.ask(c, conversation, DataRequest(kind, False), "en"))
    finally:
        store.close()
    for request in (1, 2):
        _done(boss.post(f"/desk/privacy/{request}/extend", reason=TEXTS["svg"]))
    _done(boss.post("/desk/privacy/1/refuse", reason=TEXTS["template"]))
    for (seq,) in town.city.rows(lines, conversation):
        text = TEXTS["picture"] if seq % 2 else TEXTS["attribute double"]
        _echo(town, boss.post(f"/desk/cases/{web}/misread", seq=str(seq), text=text, meant=""))
        _echo(town, boss.post(f"/desk/cases/{web}/misread", seq=str(seq), text=text, meant="p15"))


def _refused_forms(town: Hostile) -> None:
    """Forms that come back with what was typed, and addresses with something in their query."""
    boss = town.boss
    outside = httpx.Client(base_url=town.city.url, trust_env=False, timeout=20)
    town.city.closing.callback(outside.close)
    for number, text in enumerate(SHARP.values()):
        langs = {f"text_{lang}": text for lang in town.city.resources.languages}
        _echo(town, boss.post("/desk/phrases/new", same="yes", topic=text, version=text, **langs))
        _echo(town, boss.post("/desk/people", name=text, role=text))
        _echo(town, boss.post("/desk/confirm", next=text, password=text))
        _echo(town, boss.post("/desk/hours", day=text, state=text, spans=text, reason=text * 9))
        _echo(town, boss.post("/desk/privacy/hold", case=text, reason=text))
        _echo(town, boss.post("/desk/privacy/3/correct", subject=text, fact=text, value=text))
        _echo(town, boss.post("/desk/privacy/3/refuse", reason=text * 99))
        _echo(
            town,
            boss.post(f"/desk/cases/{town.cases['web']}/phrase", phrase="when.come", slot_date=text, slot_time=text),
        )
        if number < 4:  # more are not answered for a while
            _echo(town, outside.post("/desk/login", data={"name": text, "password": text}))
        for path in QUERIES:
            _echo(town, boss.http.get(path.partition("?")[0], params={path.partition("?")[2]: text}))
        _echo(town, outside.get(f"/resume/{httpx.QueryParams({'': text})}"[:400].replace("?", "")))


QUERIES = (
    *(f"/desk?{name}" for name in ("view", "number", "lang", "channel", "topic", "reason", "since", "until")),
    *(f"/desk/audit?{name}" for name in ("object", "who", "action", "day", "before")),
    *(f"/desk/reports?{name}" for name in ("since", "until", "first", "last", "period", "lang", "channel")),
    *(f"/desk/authors?{name}" for name in ("list", "state", "lang", "before", "problem")),
    "/desk/phrases?done",
    "/desk/people?name",
    "/desk/people?role",
    "/desk/hours?saved",
    "/desk/privacy?view",
    "/desk/confirm?next",
    "/desk/login?next",
    "/desk/cases/1?q",
    "/desk/cases/1?problem",
    "/desk/cases/1?proposed",
    "/desk/cases/1/misread?seq",
)


def _after(town: Hostile) -> None:
    """Somebody else, whose case is over, says what it was like."""
    for number, text in enumerate(("picture", "attribute double", "template", "script")):
        with httpx.Client(
            base_url=town.city.url, trust_env=False, timeout=20, headers={"accept-language": "en"}
        ) as guest:
            guest.post("/chat/send", data={"choice": "handoff"})
            ((case,),) = town.city.rows("SELECT max(id) FROM cases")
            staff = town.staff[number % 4]
            _done(staff.post(f"/desk/cases/{case}/claim"))
            _done(staff.post(f"/desk/cases/{case}/close", fence=town.fence(case)))
            guest.post("/chat/send", data={"choice": "rate:no"})
            guest.post("/chat/send", data={"text": f"the caseworker was rude {TEXTS[text]}"})
            town.echoes[f"rating {text}"] = guest.get("/").text
    town.city.change(
        "UPDATE ratings SET at = ?", town.city.resources.clock().timestamp() - 3600
    )  # in the reports' time


def _done(response: httpx.Response) -> None:
    assert response.status_code in (200, 204, 303), (response.request.url, response.status_code, response.text[:500])
    assert "problem=" not in response.headers.get("location", ""), (response.request.url, response.headers["location"])


def _echo(town: Hostile, response: httpx.Response) -> None:
    assert response.status_code < 500 or response.status_code == 502, (str(response.request.url), response.status_code)
    town.echoes[f"{response.request.method} {response.request.url} {len(town.echoes)}"] = response.text


def shown(text: str) -> str:
    """The words of a page."""
    return html.unescape(text)


def written(database: Path) -> str:
    """Everything that the database holds, as one text."""
    with closing(sqlite3.connect(database)) as connection:
        return "\n".join(connection.iterdump())
