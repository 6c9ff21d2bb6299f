"""`labor-bot doctor`: each check when all is well, when something should be looked at, and when it does not work."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner
from conftest import free_port
from standins import line as line_standin
from standins import telegram as telegram_standin
from standins.line_account import RichMenu
from standins.line_http import RATE_LIMIT, UNAVAILABLE, Answer, Trouble, slow
from standins.line_messages_api import MessagesApi
from standins.serving import ThreadServer
from standins.telegram_inbox import Webhook
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bot import config as settings
from bot.channels import line_doctor, line_wire, telegram_doctor
from bot.channels.checkup import Finding, Level, clock, elsewhere, near
from bot.channels.line_inbox import LineInbox
from bot.channels.telegram_setup import Words
from bot.cli.doctor import _permissions, _platforms, doctor

MENUS = {"zh-TW": "labor-bot/zh-TW/111111111111", "en": "labor-bot/en/222222222222"}
OTHER_TOKEN = "123456:token-of-somebody-else-0000000000"
STAFF_TOKEN = "654321:token-of-the-staff-bot-000000000000"
WORDS = {"zh": Words((("menu", "選單"),), "關於"), "": Words((("menu", "Menu"),), "About")}
SECRET = "s-of-the-webhook"


def of(found: list[Finding], name: str) -> Finding:
    """The one finding of a name."""
    (one,) = [each for each in found if each.name == name]
    return one


def bad(found: list[Finding]) -> list[Finding]:
    """What is neither well nor a mere hint."""
    return [each for each in found if each.level in (Level.WARN, Level.FAIL)]


# -- LINE


@dataclass
class Line:
    """An account that is set up as it should be, and a server behind its webhook; a case spoils one thing."""

    standin: line_standin.Standin
    server: ThreadServer
    status: int = 0  # what a proxy in front of the server answers instead
    secret: str = line_standin.SECRET
    token: str = line_standin.TOKEN
    base: str = ""
    public: str = ""
    running: bool = True
    ahead: float = 0.0

    def found(self) -> list[Finding]:
        """What the doctor finds."""
        expected = line_doctor.Expected(self.public, MENUS, self.running)
        return asyncio.run(line_doctor.examine(self.token, self.base, expected, lambda: time.time() + self.ahead))


@pytest.fixture
def line() -> Iterator[Line]:
    async def receive(request: Any) -> Response:
        if stage.status:
            return Response(status_code=stage.status)
        return await LineInbox(None, stage.secret).receive(request)  # type: ignore[arg-type]

    app = Starlette(routes=[Route("/webhook/line", receive, methods=["POST"])])
    with line_standin.Standin() as standin, ThreadServer(app) as server:
        stage = Line(standin, server, base=standin.url, public=f"http://127.0.0.1:{server.port}")
        standin.account.webhook = f"{stage.public}/webhook/line"
        for number, name in enumerate(MENUS.values()):
            put_menu(stage, f"richmenu-{number}", name)
        standin.account.menus.default = "richmenu-0"
        yield stage
        assert standin.faults == []


def put_menu(stage: Line, id: str, name: str) -> None:
    """A rich menu of the account."""
    area = {
        "bounds": {"x": 0, "y": 0, "width": 1200, "height": 810},
        "action": {"type": "postback", "data": "menu", "label": "x"},
    }
    size = {"width": 1200, "height": 810}
    document = {"size": size, "selected": True, "name": name, "chatBarText": "x", "areas": [area]}
    stage.standin.account.menus.known[id] = RichMenu(id, document, b"x", "image/png")


def without_menu(stage: Line) -> None:
    del stage.standin.account.menus.known["richmenu-1"]


def older_menu(stage: Line) -> None:
    without_menu(stage)
    put_menu(stage, "richmenu-9", "labor-bot/en/000000000000")


def default_of_another(stage: Line) -> None:
    put_menu(stage, "richmenu-9", "of another tool")
    stage.standin.account.menus.default = "richmenu-9"


def down(stage: Line) -> None:
    stage.server.stop()


def down_and_known(stage: Line) -> None:
    stage.server.stop()
    stage.running = False


def moved(url: str) -> Callable[[Line], None]:
    return lambda stage: setattr(stage.standin.account, "webhook", url)


def changed(**values: Any) -> Callable[[object], object]:
    """A stage with other values."""
    return lambda stage: vars(stage).update(values)


def trouble(operation: str, one: Trouble) -> Callable[[Line], None]:
    return lambda stage: stage.standin.next(operation, one)


LINE_CASES: list[tuple[Callable[[Line], object], str, Level, str]] = [
    (lambda stage: stage.standin.revoke(), "line token", Level.FAIL, "LABOR_BOT_LINE_CHANNEL_TOKEN"),
    (trouble("info", UNAVAILABLE), "line token", Level.FAIL, "in trouble (503)"),
    (trouble("info", RATE_LIMIT), "line token", Level.FAIL, "in a minute"),
    (trouble("info", Trouble(400, "no")), "line token", Level.FAIL, "refuses the question (400)"),
    (changed(base=f"http://127.0.0.1:{free_port()}"), "line token", Level.FAIL, "does not answer at"),
    (changed(ahead=75.0), "clock (LINE)", Level.FAIL, "s ahead: let it set its clock"),
    (changed(ahead=-75.0), "clock (LINE)", Level.FAIL, "s behind"),
    (changed(public=""), "line webhook", Level.FAIL, "https"),
    (moved(""), "line webhook", Level.FAIL, "none is set: enter http://127.0.0.1"),
    (moved("https://u:p@other.example/hidden"), "line webhook", Level.FAIL, "posts to other.example:"),
    (
        lambda stage: moved(f"{stage.public}/hidden")(stage),
        "line webhook",
        Level.FAIL,
        "another path of 127.0.0.1",
    ),
    (
        lambda stage: setattr(stage.standin.account, "webhook_active", False),
        "line webhook use",
        Level.FAIL,
        '"Use webhook"',
    ),
    (trouble("webhook get", UNAVAILABLE), "line webhook", Level.FAIL, "in trouble (503)"),
    (changed(secret="another"), "line webhook test", Level.FAIL, "LABOR_BOT_LINE_CHANNEL_SECRET"),
    (changed(status=404), "line webhook test", Level.FAIL, "restart the server"),
    (changed(status=502), "line webhook test", Level.FAIL, "certificate and proxy"),
    (changed(status=502, running=False), "line webhook test", Level.WARN, "does not run here"),
    (down, "line webhook test", Level.FAIL, "could_not_connect"),
    (down_and_known, "line webhook test", Level.WARN, "start it"),
    (lambda stage: stage.standin.limit(200, 161), "line quota", Level.WARN, "39 of 200 pushes left"),
    (lambda stage: stage.standin.limit(200, 300), "line quota", Level.WARN, "wait for the person's next message"),
    (lambda stage: stage.standin.limit(0), "line quota", Level.WARN, "0 of 0"),
    (trouble("consumption", UNAVAILABLE), "line quota", Level.FAIL, "503"),
    (without_menu, "line rich menus", Level.WARN, "missing: en: run `labor-bot line richmenu push`"),
    (older_menu, "line rich menus", Level.WARN, "older version: en"),
    (default_of_another, "line rich menus", Level.WARN, "default"),
    (lambda stage: setattr(stage.standin.account.menus, "default", None), "line rich menus", Level.WARN, "default"),
    (trouble("default get", UNAVAILABLE), "line rich menus", Level.FAIL, "503"),
]


@pytest.mark.parametrize(("spoil", "name", "level", "words"), LINE_CASES)
def test_what_is_wrong_at_line_is_told_and_nothing_else(
    line: Line, spoil: Callable[[Line], object], name: str, level: Level, words: str
) -> None:
    spoil(line)
    found = line.found()
    one = of(found, name)
    assert one.level is level
    assert words in one.text
    assert {each.name for each in bad(found)} <= {name, "line webhook test"}
    told = "\n".join(map(str, found))
    assert line.token not in told
    assert line_standin.SECRET not in told
    assert "hidden" not in told
    assert "u:p" not in told


def test_a_line_account_that_is_set_up_has_nothing_to_complain_of(line: Line) -> None:
    line.standin.limit(200, 160)
    found = line.found()
    assert bad(found) == []
    assert of(found, "line token").text == f"accepted, stand-in ({basic_id(line)})"
    assert of(found, "line webhook").text == f"{line.public}/webhook/line"
    assert "LABOR_BOT_LINE_CHANNEL_SECRET is right" in of(found, "line webhook test").text
    assert of(found, "line quota").text == "40 of 200 pushes left this month, 160 used"
    assert of(found, "line rich menus").text == "2 (zh-TW, en), the default is ours"
    assert of(found, "clock (LINE)").level is Level.OK
    assert [each.name for each in found if each.level is Level.HINT] == ["line redelivery", "line greetings"]
    assert [call.operation for call in line.standin.calls("push")] == []


def basic_id(line: Line) -> str:
    """As the account shows it."""
    (call,) = line.standin.calls("info")
    return str(MessagesApi._info(line_api(line), call).document["basicId"])


def line_api(line: Line) -> MessagesApi:
    return MessagesApi(line.standin.gate, line.standin.postman)


def test_a_refused_token_ends_the_examination(line: Line) -> None:
    line.standin.revoke()
    assert [each.name for each in line.found()] == ["line token", "clock (LINE)"]
    assert len(line.standin.calls()) == 1


def test_no_quota_is_no_limit(line: Line) -> None:
    assert of(line.found(), "line quota").text == "no limit, 0 used this month"


def test_a_chat_in_the_manager_is_told(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = MessagesApi._info

    def chatting(self: MessagesApi, call: Any) -> Answer:
        return Answer(document={**plain(self, call).document, "chatMode": "chat"})

    monkeypatch.setattr(MessagesApi, "_info", chatting)
    with line_standin.Standin() as other:
        line.base = other.url
        found = line.found()
    assert of(found, "line chat").level is Level.WARN


@pytest.mark.parametrize(("public", "level"), [("http://bot.example", Level.FAIL), ("https://bot.example", Level.OK)])
def test_http_will_not_do_for_line_itself(
    line: Line, monkeypatch: pytest.MonkeyPatch, public: str, level: Level
) -> None:
    monkeypatch.setattr(line_doctor, "near", lambda url: False)
    line.public, line.status = public, 502
    line.standin.account.webhook = f"{public}/webhook/line"
    line.standin.next("webhook test", UNAVAILABLE)
    found = line.found()
    assert of(found, "line webhook").level is level
    assert ("line webhook test" in {each.name for each in found}) is (level is Level.OK)


def test_line_is_not_waited_for_longer_than_ten_seconds(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    assert line_wire.TIMEOUT.total == 10.0
    monkeypatch.setattr(line_doctor, "TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    for operation in ("webhook get", "webhook test", "quota", "rich menu list"):
        line.standin.next(operation, slow(0.2))
    found = line.found()
    late = ["line webhook", "line webhook test", "line quota", "line rich menus"]
    assert [each.name for each in bad(found)] == late
    assert all("does not answer" in each.text for each in bad(found))


# -- Telegram


@dataclass
class Telegram:
    """A bot that is set up as it should be; a case spoils one thing."""

    standin: telegram_standin.Standin
    token: str = telegram_standin.TOKEN
    base: str = ""
    public: str = "https://bot.example"
    polling: bool = False
    group: str = "-1005"
    citizens: str = OTHER_TOKEN
    member: dict[str, Any] = field(default_factory=lambda: {"status": "member"})

    def found(self) -> list[Finding]:
        """What the doctor finds of the citizens' bot."""
        expected = telegram_doctor.Expected(self.public, self.polling, WORDS)
        return asyncio.run(telegram_doctor.examine(self.token, self.base, expected))

    def staff(self) -> list[Finding]:
        """What it finds of the staff group."""
        staff = telegram_doctor.Staff(self.token, self.group, self.citizens)
        return asyncio.run(telegram_doctor.examine_staff(staff, self.base))

    def answers(self, method: str, **fields: Any) -> None:
        """What a method answers, changed in these fields."""
        plain = self.standin.methods[method]
        self.standin.methods[method] = lambda params: {**plain(params), **fields}


@pytest.fixture
def tg() -> Iterator[Telegram]:
    with telegram_standin.Standin() as standin:
        stage = Telegram(standin, base=standin.base_url)
        standin.inbox.webhook = Webhook("https://bot.example/webhook/telegram", SECRET)
        standin.inbox.allowed = ["message", "edited_message", "callback_query", "my_chat_member", "poll"]
        for code, words in WORDS.items():
            lines = [{"command": name, "description": line} for name, line in words.commands]
            standin.settings.commands["default", code] = lines
        standin.world.group(-1005, "Staff")
        standin.world.group(-1006, "Desk", forum=True)
        standin.world.user(5)
        standin.methods["getChat"] = lambda params: standin.in_chats.chat(params).about
        standin.methods["getChatMember"] = lambda params: member(stage, params)
        yield stage
        assert standin.faults == []


def member(stage: Telegram, params: Any) -> dict[str, Any]:
    """The bot in the group; asked for with its own id."""
    stage.standin.in_chats.chat(params)
    assert params.integer("user_id") == stage.standin.world.bot["id"]
    return stage.member


def unhooked(stage: Telegram) -> None:
    stage.standin.inbox.webhook = None


def hooked(url: str) -> Callable[[Telegram], None]:
    return lambda stage: setattr(stage.standin.inbox, "webhook", Webhook(url))


def refused(words: str) -> Callable[[Telegram], None]:
    problem = {"last_error_date": 1795420800, "last_error_message": words}
    return lambda stage: stage.standin.inbox.problem.update(problem)


def of_other_words(stage: Telegram) -> None:
    stage.standin.settings.commands["default", "zh"] = []


def pending(stage: Telegram) -> None:
    stage.standin.inbox.pending += [stage.standin.make.text(5, "x") for _ in range(100)]


def tg_trouble(method: str, **how: Any) -> Callable[[Telegram], object]:
    return lambda stage: stage.standin.next(method, **how)


TELEGRAM_CASES: list[tuple[Callable[[Telegram], object], str, Level, str]] = [
    (changed(token=OTHER_TOKEN), "telegram token", Level.FAIL, "LABOR_BOT_TELEGRAM_TOKEN"),
    (changed(base=f"http://127.0.0.1:{free_port()}/bot"), "telegram token", Level.FAIL, "does not answer at"),
    (tg_trouble("getMe", status=502), "telegram token", Level.FAIL, "does not answer at"),
    (tg_trouble("getMe", retry_after=7), "telegram token", Level.FAIL, "wait 7 seconds"),
    (tg_trouble("getWebhookInfo", cut="before"), "telegram webhook", Level.FAIL, "does not answer at"),
    (tg_trouble("getWebhookInfo", status=400), "telegram webhook", Level.FAIL, "refuses the question"),
    (
        lambda stage: stage.answers("getMe", can_read_all_group_messages=True),
        "telegram privacy mode",
        Level.WARN,
        "/setprivacy",
    ),
    (changed(public=""), "telegram webhook", Level.FAIL, "LABOR_BOT_PUBLIC_URL"),
    (unhooked, "telegram webhook", Level.FAIL, "none is set: run `labor-bot telegram push`"),
    (hooked("https://other.example/hidden"), "telegram webhook", Level.FAIL, "posts to other.example:"),
    (hooked("https://bot.example/hidden"), "telegram webhook", Level.FAIL, "another path of bot.example"),
    (changed(polling=True), "telegram webhook", Level.FAIL, "nothing can be asked for"),
    (
        lambda stage: stage.answers("getWebhookInfo", has_custom_certificate=True),
        "telegram certificate",
        Level.WARN,
        "certificate",
    ),
    (
        lambda stage: setattr(stage.standin.inbox, "allowed", ["message", "edited_message"]),
        "telegram updates",
        Level.FAIL,
        "callback_query, my_chat_member",
    ),
    (pending, "telegram pending", Level.WARN, "100 updates wait"),
    (
        refused("Wrong response from the webhook: 401 Unauthorized"),
        "telegram delivery",
        Level.WARN,
        "2026-11-23 08:00 UTC",
    ),
    (refused("Wrong response from the webhook: 401 Unauthorized"), "telegram delivery", Level.WARN, "the secret"),
    (refused("Connection\nrefused"), "telegram delivery", Level.WARN, '"Connection refused": check server'),
    (of_other_words, "telegram commands", Level.WARN, "older version: zh: run `labor-bot telegram push`"),
    (tg_trouble("getMyCommands", status=403), "telegram commands", Level.FAIL, "refuses the question"),
]


@pytest.mark.parametrize(("spoil", "name", "level", "words"), TELEGRAM_CASES)
def test_what_is_wrong_at_telegram_is_told_and_nothing_else(
    tg: Telegram, spoil: Callable[[Telegram], object], name: str, level: Level, words: str
) -> None:
    spoil(tg)
    found = tg.found()
    one = of(found, name)
    assert one.level is level
    assert words in one.text
    assert [each.name for each in bad(found)] == [name]
    told = "\n".join(map(str, found))
    assert not any(secret in told for secret in (tg.token, SECRET, "hidden"))


def test_a_bot_that_is_set_up_has_nothing_to_complain_of(tg: Telegram) -> None:
    found = tg.found()
    assert bad(found) == []
    assert of(found, "telegram token").text == "accepted, Stand-in (@standin_test_bot)"
    assert of(found, "telegram webhook").text == "https://bot.example/webhook/telegram"
    assert of(found, "telegram pending").text == "0 updates wait at Telegram"
    assert of(found, "telegram commands").text == "zh, default"


def test_all_kinds_of_updates_come_where_none_is_named(tg: Telegram) -> None:
    tg.standin.inbox.allowed = None
    assert bad(tg.found()) == []


def test_polling_wants_no_webhook_and_no_address(tg: Telegram) -> None:
    unhooked(tg)
    tg.polling, tg.public = True, ""
    found = tg.found()
    assert bad(found) == []
    assert "polling" in of(found, "telegram webhook").text


def test_http_will_do_for_a_bot_api_server_of_ones_own(tg: Telegram) -> None:
    tg.public = "http://127.0.0.1:8000"
    hooked("http://127.0.0.1:8000/webhook/telegram")(tg)
    assert bad(tg.found()) == []


def test_telegram_is_not_waited_for_longer_than_ten_seconds(tg: Telegram, monkeypatch: pytest.MonkeyPatch) -> None:
    assert telegram_doctor.SECONDS == 10.0
    monkeypatch.setattr(telegram_doctor, "SECONDS", 0.4)
    tg.standin.next("getWebhookInfo", delay=0.8)
    assert [each.name for each in bad(tg.found())] == ["telegram webhook"]
    tg.standin.next("getChat", delay=0.8)
    assert [each.name for each in bad(tg.staff())] == ["staff notice group"]


@pytest.mark.parametrize(("ahead", "level"), [(0, Level.OK), (75, Level.FAIL), (-75, Level.FAIL)])
def test_telegrams_clock_is_read_without_a_token(tg: Telegram, ahead: float, level: Level) -> None:
    found = asyncio.run(telegram_doctor.examine_clock(tg.base, lambda: time.time() + ahead))
    assert (found.name, found.level) == ("clock (Telegram)", level)
    assert tg.standin.calls == []


def test_a_clock_that_cannot_be_compared_is_told() -> None:
    base = f"http://127.0.0.1:{free_port()}/bot"
    assert asyncio.run(telegram_doctor.examine_clock(base, time.time)).level is Level.WARN
    assert clock("LINE", "no date", 0.0).level is Level.WARN


# -- the staff group

ADMIN: Mapping[str, Any] = {"status": "administrator", "can_manage_topics": True}
STAFF_CASES: list[tuple[Callable[[Telegram], object], str, Level, str]] = [
    (changed(token=OTHER_TOKEN, citizens=""), "staff notice token", Level.FAIL, "LABOR_BOT_STAFF_TELEGRAM_TOKEN"),
    (changed(citizens=telegram_standin.TOKEN), "staff notice token", Level.WARN, "citizens' bot"),
    (changed(group="-100999"), "staff notice group", Level.FAIL, "LABOR_BOT_STAFF_TELEGRAM_CHAT"),
    (lambda tg: tg.standin.expel(5, -1005), "staff notice group", Level.FAIL, "add the bot to the group"),
    (changed(group="5"), "staff notice group", Level.FAIL, "not a group's id"),
    (lambda tg: tg.standin.next("getChat", migrate_to=-1006), "staff notice group", Level.WARN, "-1006"),
    (lambda tg: tg.standin.next("getChat", status=502), "staff notice group", Level.FAIL, "does not answer"),
    (lambda tg: tg.answers("getChat", username="open"), "staff notice group", Level.WARN, "public"),
    (changed(member={"status": "left"}), "staff notice rights", Level.FAIL, "may not post"),
    (changed(member={"status": "restricted", "is_member": True}), "staff notice rights", Level.FAIL, "may not post"),
    (
        lambda tg: tg.answers("getChat", permissions={"can_send_messages": False}),
        "staff notice rights",
        Level.FAIL,
        "may not post",
    ),
    (changed(group="-1006"), "staff notice rights", Level.WARN, "Manage topics"),
    (changed(group="-1006", member={"status": "administrator"}), "staff notice rights", Level.WARN, "Manage topics"),
    (lambda tg: tg.standin.next("getChatMember", status=500), "staff notice group", Level.FAIL, "does not answer"),
]


@pytest.mark.parametrize(("spoil", "name", "level", "words"), STAFF_CASES)
def test_what_is_wrong_with_the_staff_group_is_told(
    tg: Telegram, spoil: Callable[[Telegram], object], name: str, level: Level, words: str
) -> None:
    spoil(tg)
    found = tg.staff()
    first = next(each for each in bad(found))
    assert (first.name, first.level) == (name, level)
    assert words in first.text
    assert tg.token not in "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("group", "member", "permissions", "rights"),
    [
        ("-1005", {"status": "member"}, None, "can post"),
        ("-1005", {"status": "restricted", "is_member": True, "can_send_messages": True}, None, "can post"),
        ("-1005", {"status": "administrator"}, {"can_send_messages": False}, "can post"),
        ("-1006", ADMIN, None, "can post, in a topic of its own"),
        ("-1006", {"status": "creator"}, None, "can post, in a topic of its own"),
        ("-1006", {"status": "member"}, {"can_manage_topics": True}, "can post, in a topic of its own"),
    ],
)
def test_a_staff_group_that_is_set_up(
    tg: Telegram, group: str, member: Mapping[str, Any], permissions: Mapping[str, bool] | None, rights: str
) -> None:
    tg.group, tg.member = group, dict(member)
    if permissions:
        tg.answers("getChat", permissions=permissions)
    found = tg.staff()
    assert bad(found) == []
    assert of(found, "staff notice token").text == "accepted, @standin_test_bot"
    assert of(found, "staff notice rights").text == rights


# -- the machine


def loaded(folder: Path, **given: str) -> settings.Config:
    """The settings with a data folder of the test's own."""
    return settings.load({"LABOR_BOT_DATA_DIR": str(folder), **{f"LABOR_BOT_{k}": v for k, v in given.items()}})


@pytest.mark.parametrize("name", ["", "labor-bot.db", "labor-bot.db-wal", "labor-bot.db-shm", "web.key"])
def test_data_that_others_can_read_is_told_with_the_remedy(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "my data"
    folder.mkdir(mode=0o700)
    for each in ("labor-bot.db", "web.key", "labor-bot.db-wal", "labor-bot.db-shm"):
        (folder / each).touch(0o600)
    config = loaded(folder)
    (fine,) = _permissions(config)
    assert fine.level is Level.OK
    (folder / name).chmod(0o750 if not name else 0o640)
    (one,) = _permissions(config)
    assert one.level is Level.WARN
    remedy = f"chmod {'600' if name else '700'} '{folder / name}'"
    assert one.text.endswith(remedy)
    os.system(remedy)
    assert [each.level for each in _permissions(config)] == [Level.OK]


@pytest.mark.parametrize(("mode", "level"), [(0o600, Level.OK), (0o640, Level.OK), (0o644, Level.WARN)])
def test_files_of_secrets_are_not_for_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, level: Level
) -> None:
    tmp_path.chmod(0o700)
    file = tmp_path / "line.token"
    file.write_text("hidden")
    file.chmod(mode)
    monkeypatch.setenv("LABOR_BOT_LINE_CHANNEL_TOKEN_FILE", str(file))
    (one,) = _permissions(loaded(tmp_path))
    assert one.level is level
    assert "hidden" not in one.text
    assert ("LABOR_BOT_LINE_CHANNEL_TOKEN_FILE" in one.text) is (level is Level.WARN)


def test_platforms_that_are_off_take_one_line_each(tmp_path: Path) -> None:
    assert [str(each) for each in _platforms(loaded(tmp_path))] == [
        "ok    line: off",
        "ok    telegram: off",
        "ok    staff notice: off",
        "ok    clock: not compared, since no platform is on",
    ]


@pytest.mark.parametrize("runs", [True, False])
def test_a_server_is_known_by_its_lock(line: Line, tmp_path: Path, runs: bool) -> None:
    line.server.stop()
    given = {"LINE_CHANNEL_SECRET": line.secret, "LINE_CHANNEL_TOKEN": line.token, "LINE_API_BASE": line.base}
    config = loaded(tmp_path, PUBLIC_URL=line.public, **given)
    with (tmp_path / "labor-bot.lock").open("w") as lock:
        if runs:
            fcntl.flock(lock, fcntl.LOCK_EX)
        found = list(_platforms(config))
    assert of(found, "line webhook test").level is (Level.FAIL if runs else Level.WARN)


def test_the_house_can_be_opened_beside_the_doctor(tmp_path: Path) -> None:
    """What the doctor looks at is free again afterwards."""
    from bot.cli.doctor import _running

    with (tmp_path / "labor-bot.lock").open("w") as lock:
        assert not _running(loaded(tmp_path))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert _running(loaded(tmp_path))


# -- the verb


def told(monkeypatch: pytest.MonkeyPatch, folder: Path, **given: str) -> tuple[int, list[str]]:
    """Exit code and lines of the verb with these settings and no others."""
    for name in [name for name in os.environ if name.startswith("LABOR_BOT_")]:
        monkeypatch.delenv(name)
    env = {"DATA_DIR": str(folder / "data"), "ENCODER": "off", **given}
    result = CliRunner().invoke(doctor, env={f"LABOR_BOT_{name}": value for name, value in env.items()})
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result.exit_code, result.output.splitlines()


@pytest.mark.slow
def test_both_platforms_set_up_by_their_own_verbs_pass(
    line: Line, tg: Telegram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.cli.line import line as line_verb
    from bot.cli.telegram import telegram as telegram_verb

    given = {
        "PUBLIC_URL": line.public,
        "LINE_CHANNEL_SECRET": line.secret,
        "LINE_CHANNEL_TOKEN": line.token,
        "LINE_API_BASE": line.base,
        "TELEGRAM_TOKEN": tg.token,
        "TELEGRAM_SECRET": SECRET,
        "TELEGRAM_API_BASE": tg.base,
        "STAFF_TELEGRAM_TOKEN": tg.token,
        "STAFF_TELEGRAM_CHAT": "-1005",
    }
    code, lines = told(monkeypatch, tmp_path, **given)
    assert code == 1, "Telegram posts to another address"
    before = [each for each in lines if not each.startswith(("ok", "hint"))]
    assert [each.partition(": ")[0] for each in before] == [
        "warn  line rich menus",
        "FAIL  telegram webhook",
        "warn  telegram commands",
        "warn  staff notice token",
    ]
    env = {f"LABOR_BOT_{name}": value for name, value in given.items()}
    assert CliRunner().invoke(line_verb, ["richmenu", "push"], env=env).exit_code == 0
    assert CliRunner().invoke(telegram_verb, ["push"], env=env).exit_code == 0
    code, lines = told(monkeypatch, tmp_path, **given)
    assert code == 0
    assert [each for each in lines if each.startswith("warn")] == [each for each in before if "staff" in each]
    assert "ok    line rich menus: 6 (zh-TW, en, vi, id, th, fil), the default is ours" in lines
    assert "ok    settings: hook off, LINE on, Telegram on, staff notice on" in lines
    everything = json.dumps(lines)
    assert not any(secret in everything for secret in (line.secret, line.token, tg.token, SECRET))


def test_a_setting_that_cannot_be_used_is_told_once_for_each_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, lines = told(monkeypatch, tmp_path, LINE_CHANNEL_SECRET="hidden")
    assert code == 1
    assert any(each.startswith("FAIL  settings: LABOR_BOT_LINE_CHANNEL_SECRET is set but") for each in lines)
    assert not any("hidden" in each for each in lines)


def test_an_examination_that_breaks_off_tells_no_secret(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*given: Any) -> list[Finding]:
        raise RuntimeError(f"with {line.token}")

    monkeypatch.setattr(line_doctor, "examine", broken)
    config = loaded(tmp_path, LINE_CHANNEL_SECRET="s", LINE_CHANNEL_TOKEN=line.token, LINE_API_BASE=line.base)
    one = of(list(_platforms(config)), "line")
    assert (one.level, line.token in one.text) == (Level.FAIL, False)


@pytest.mark.parametrize(
    ("url", "ours", "words"),
    [
        ("https://a.example/x?key=1", "https://b.example/y", "a.example"),
        ("https://b.example/x", "https://b.example/y", "another path of b.example"),
        ("https://name:word@a.example/x", "", "a.example"),
        ("", "https://b.example", "nowhere"),
    ],
)
def test_of_another_address_only_the_host_is_told(url: str, ours: str, words: str) -> None:
    assert elsewhere(url, ours) == words


def test_near_is_this_machine() -> None:
    assert [near(f"http://{host}") for host in ("127.0.0.1:1", "localhost", "[::1]:2", "bot.example")] == [
        True,
        True,
        True,
        False,
    ]
