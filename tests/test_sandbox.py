"""The sandbox: what its page asks for reaches the bot, what the bot sends is drawn, and nothing real is touched."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import AXE
from conftest import free_port
from playwright.sync_api import Browser, Page, ViewportSize, expect
from standins.line import Standin as LineStandin
from standins.sandbox_app import Bot, Sandbox
from standins.sandbox_bot import ServingBot, point_webhooks, settings
from standins.serving import ThreadServer
from standins.telegram import Standin as TelegramStandin
from standins.telegram_cases import bot as telegram_bot
from standins.telegram_inbox import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.messages import Card, Choice, Reply
from bot.pipeline.resources import TEMPLATES
from bot.render import telegram
from bot.render.line import LineRenderer

JPEG = base64.b64encode(b"\xff\xd8\xff\xe0 a picture").decode()
GROUP = "-1001"
MENU = (Choice("menu", "主選單"), Choice("handoff", "找專人"))
CARDS = tuple(
    Card(
        f"計畫{number}",
        f"計畫第{number}項",
        "協助初次尋職青年就業。\n\n穩定就業可領津貼。",
        "來源：107年度施政計畫",
        (Choice(f"topic:p{number:02}", f"看計畫{number}"), Choice(f"check:p{number:02}", f"查資格{number}")),
    )
    for number in (13, 14, 15)
)
REPLY = Reply("找到3項計畫：", "zh-TW", cards=CARDS, choices=MENU)
SCRIPT = "<script>alert(1)</script> <img src=x onerror=alert(2)>"


@dataclass
class Stage:
    """Both stand-ins and the page; `got`: what the bot's webhooks were told."""

    line: LineStandin
    telegram: TelegramStandin
    box: Sandbox
    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)

    def person(self, channel: str, name: str = "") -> str:
        """The id of somebody on a platform: the first one, or by name."""
        found = [each for each in self.shown()["chats"] if each["channel"] == channel and not each["group"]]
        return str(next(each["id"] for each in found if name in ("", each["name"])))

    def group(self, channel: str) -> str:
        """The id of the group there."""
        return str(next(each["id"] for each in self.shown()["chats"] if each["channel"] == channel and each["group"]))

    def shown(self, channel: str = "", chat: str = "") -> dict[str, Any]:
        """What the page is told."""
        return self.box.shown(channel, chat)

    def entries(self, channel: str, chat: str) -> list[dict[str, Any]]:
        """The lines of a chat."""
        found: list[dict[str, Any]] = self.shown(channel, chat)["open"]["entries"]
        return found

    def do(self, act: str, channel: str = "", chat: str = "", **values: Any) -> httpx.Response:
        """As the page asks for it; `who` is the person of the chat unless told."""
        order = {"act": act, "channel": channel, "chat": f"{channel}:{chat}", "who": chat, **values}
        return httpx.post(f"{self.url}/do", json=order, trust_env=False)

    def told(self, count: int) -> list[dict[str, Any]]:
        """What the bot was told, once it is so much."""
        until(lambda: len(self.got) >= count)
        return self.got


def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Waits until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """The sandbox with a bot that only listens."""
    got: list[dict[str, Any]] = []

    async def listen(request: Request) -> Response:
        document = await request.json()
        got.extend(document.get("events", [document]))
        return Response()

    hooks = Starlette(routes=[Route("/webhook/{channel}", listen, methods=["POST"])])
    with LineStandin() as line, TelegramStandin() as telegram, ThreadServer(hooks) as bot:
        line.account.webhook = f"http://127.0.0.1:{bot.port}/webhook/line"
        telegram.inbox.webhook = Webhook(f"http://127.0.0.1:{bot.port}/webhook/telegram")
        box = Sandbox(line, telegram, Bot(f"http://127.0.0.1:{bot.port}"))
        with ThreadServer(box.app()) as page:
            yield Stage(line, telegram, box, f"http://127.0.0.1:{page.port}", got)


# -- what people do reaches the bot


@pytest.mark.parametrize(
    ("act", "values", "kinds"),
    [
        ("say", {"text": "你好"}, "message text"),
        ("tap", {"action": {"type": "postback", "data": "menu", "displayText": "主選單"}}, "postback"),
        ("tap", {"action": {"type": "message", "text": "好"}}, "message text"),
        ("tap", {"action": {"type": "datetimepicker", "data": "d"}, "params": {"date": "2018-01-02"}}, "postback"),
        ("file", {"data": JPEG, "type": "image/jpeg", "name": "a.jpg"}, "message image"),
        ("file", {"data": JPEG, "type": "application/pdf", "name": "a.pdf"}, "message file"),
        ("voice", {}, "message audio"),
        ("sticker", {}, "message sticker"),
        ("place", {"latitude": 25, "longitude": 121.5, "address": "新北市板橋區"}, "message location"),
        ("follow", {}, "follow"),
        ("block", {}, "unfollow"),
    ],
)
def test_a_deed_on_line_is_delivered(stage: Stage, act: str, values: dict[str, Any], kinds: str) -> None:
    person = stage.person("line")
    assert stage.do(act, "line", person, **values).status_code == 200
    (event,) = stage.told(1)
    assert " ".join([event["type"], *([event["message"]["type"]] if "message" in event else [])]) == kinds
    assert event["source"] == {"type": "user", "userId": person}
    assert event.get("postback", {}).get("params") == values.get("params")
    until(lambda: stage.entries("line", person)[0]["delivery"])
    assert stage.entries("line", person)[0]["delivery"].startswith("200")


@pytest.mark.parametrize(
    ("act", "values", "kind", "part"),
    [
        ("say", {"text": "/menu"}, "message", "entities"),
        ("file", {"data": JPEG, "type": "image/jpeg", "name": "a.jpg"}, "message", "photo"),
        ("file", {"data": JPEG, "type": "", "name": "a.pdf"}, "message", "document"),
        ("voice", {}, "message", "voice"),
        ("sticker", {}, "message", "sticker"),
        ("place", {"latitude": 25, "longitude": 121.5}, "message", "location"),
        ("follow", {"payload": "abc_-"}, "message", "text"),
        ("block", {}, "my_chat_member", "new_chat_member"),
        ("unblock", {}, "my_chat_member", "new_chat_member"),
    ],
)
def test_a_deed_on_telegram_is_delivered(stage: Stage, act: str, values: dict[str, Any], kind: str, part: str) -> None:
    person = stage.person("telegram")
    assert stage.do(act, "telegram", person, **values).status_code == 200
    (update,) = stage.told(1)
    assert update[kind]["from"]["id"] == int(person)
    assert part in update[kind]
    if "payload" in values:
        assert update["message"]["text"] == "/start abc_-"


def test_a_message_is_taken_back_changed_and_delivered_again(stage: Stage) -> None:
    person, on_telegram = stage.person("line"), stage.person("telegram")
    stage.do("say", "line", person, text="我的電話")
    stage.do("again", "line", person)
    entry = stage.entries("line", person)[0]["number"]
    assert stage.do("edit", "line", person, entry=entry, text="x").status_code == 400  # on LINE in groups only
    stage.told(2)
    stage.do("unsend", "line", person, entry=entry)
    said, again, unsent = stage.told(3)
    assert again["webhookEventId"] == said["webhookEventId"]
    assert again["deliveryContext"] == {"isRedelivery": True}
    assert unsent["unsend"] == {"messageId": said["message"]["id"]}
    assert "我的電話" not in json.dumps(stage.entries("line", person), ensure_ascii=False)

    stage.do("say", "telegram", on_telegram, text="一")
    entry = stage.entries("telegram", on_telegram)[0]["number"]
    stage.told(4)
    stage.do("edit", "telegram", on_telegram, entry=entry, text="二")
    assert stage.told(5)[4]["edited_message"]["text"] == "二"
    assert stage.entries("telegram", on_telegram)[0]["content"]["text"] == "二"
    stage.do("unsend", "telegram", on_telegram, entry=entry)
    notes = [each["content"].get("note") for each in stage.entries("telegram", on_telegram)]
    assert notes == ["edited", "deleted"]
    assert len(stage.got) == 5


def test_in_groups_the_bot_is_mentioned_or_sees_what_the_platform_shows(stage: Stage) -> None:
    line, on_telegram = stage.group("line"), stage.group("telegram")
    stage.do("say", "line", line, who=stage.person("line", "Linh"), text="x")
    stage.told(1)
    stage.do("say", "line", line, who=stage.person("line", "Linh"), text="y", mention=True)
    plain, mentioned = stage.told(2)
    assert "mention" not in plain["message"]
    assert mentioned["message"]["mention"]["mentionees"][0]["isSelf"] is True
    assert mentioned["source"]["groupId"] == line

    person = stage.person("telegram")
    stage.do("say", "telegram", on_telegram, who=person, text="not for the bot")
    stage.do("say", "telegram", on_telegram, who=person, text="for the bot", mention=True)
    assert stage.told(3)[2]["message"]["text"] == "@standin_test_bot for the bot"
    assert stage.entries("telegram", on_telegram)[0]["delivery"] == "privacy"


def test_someone_new_is_in_the_group_and_has_a_language(stage: Stage) -> None:
    chat = stage.do("person", channel="line", name="ก้อย", language="th").json()["chat"]
    person = chat.removeprefix("line:")
    profile = stage.line.account.profile(person)
    assert profile is not None
    assert (profile["displayName"], profile["language"]) == ("ก้อย", "th")
    assert person in stage.line.account.chats[stage.group("line")].members
    assert stage.do("person", channel="telegram", name=" ", language="th").status_code == 400


# -- how the platforms stand


def test_time_quota_and_outages(stage: Stage) -> None:
    person = stage.person("line")
    event = stage.line.events.text(person, "x")
    stage.do("pass", seconds=61)
    assert stage.line.account.spend_reply_token(event["replyToken"]) is None
    assert stage.shown()["passed"] == 61
    stage.do("quota", limit=0)
    push = {"to": person, "messages": [{"type": "text", "text": "x"}]}
    assert called(stage, push).status_code == 429
    stage.do("quota", limit=None)
    stage.do("outage", channel="line", on=True)
    stage.do("outage", channel="telegram", on=True)
    assert called(stage, push).status_code == 503
    me = f"{stage.telegram.base_url}{stage.telegram.token}/getMe"
    assert httpx.get(me, trust_env=False).status_code == 502
    assert {name: each["outage"] for name, each in stage.shown()["situation"].items()} == {
        "line": True,
        "telegram": True,
    }
    stage.do("outage", channel="line", on=False)
    stage.do("outage", channel="telegram", on=False)
    assert (called(stage, push).status_code, httpx.get(me, trust_env=False).status_code) == (200, 200)


def called(stage: Stage, document: dict[str, Any]) -> httpx.Response:
    """A push by hand."""
    headers = {"authorization": f"Bearer {stage.line.token}"}
    return httpx.post(f"{stage.line.url}/v2/bot/message/push", json=document, headers=headers, trust_env=False)


def test_faults_of_both_platforms_are_shown_until_they_are_forgiven(stage: Stage) -> None:
    called(stage, {"to": stage.person("line"), "messages": [{"type": "text", "text": "x" * 5001}]})
    url = f"{stage.telegram.base_url}{stage.telegram.token}/sendMessage"
    httpx.post(url, json={"chat_id": int(stage.person("telegram")), "text": ""}, trust_env=False)
    faults = {(each["channel"], each["refused"]) for each in stage.shown()["faults"]}
    assert {("line", True), ("telegram", True)} <= faults
    stage.do("forgive")
    assert stage.shown()["faults"] == []


def test_a_tap_that_nobody_answers_becomes_a_fault(stage: Stage) -> None:
    person = int(stage.person("telegram"))
    send_telegram(stage, person, Reply("x", "en", choices=(Choice("menu", "Menu"),)))
    (message,) = stage.entries("telegram", str(person))
    stage.do("tap", "telegram", str(person), message=message["content"]["message_id"], data="menu")
    assert stage.shown("telegram", str(person))["open"]["spinning"] == [[message["content"]["message_id"], "menu"]]
    assert stage.shown()["faults"] == []
    stage.do("pass", seconds=11)
    assert ["spins" in each["what"] for each in stage.shown()["faults"]] == [True]


# -- the door


def test_what_cannot_be_done_says_why(stage: Stage) -> None:
    person = stage.person("line")
    wrong: list[tuple[str, str, str, dict[str, Any]]] = [
        ("dance", "line", person, {}),
        ("say", "line", "Unobody", {"text": "x"}),
        ("say", "nowhere", person, {"text": "x"}),
        ("say", "line", person, {}),
        ("unsend", "line", person, {"entry": 99}),
        ("tap", "telegram", stage.person("telegram"), {"message": 1, "data": "x"}),
        ("say", "telegram", stage.person("telegram"), {"text": "x" * 5000}),
        ("file", "line", person, {"data": "%", "type": "image/png", "name": "x"}),
        ("again", "line", person, {}),
    ]
    for act, channel, chat, values in wrong:
        answer = stage.do(act, channel, chat, **values)
        assert (answer.status_code, bool(answer.json()["error"])) == (400, True), act
    assert stage.got == []


def test_another_site_can_neither_read_nor_write(stage: Stage) -> None:
    order = json.dumps({"act": "quota", "limit": 0})
    form = httpx.post(f"{stage.url}/do", content=order, headers={"content-type": "text/plain"}, trust_env=False)
    other = httpx.get(f"{stage.url}/state", headers={"host": "evil.example"}, trust_env=False)
    assert (form.status_code, other.status_code) == (415, 400)
    assert stage.line.account.quota is None


def test_the_page_is_told_only_news(stage: Stage) -> None:
    first = httpx.get(f"{stage.url}/state", trust_env=False)
    seen = {"seen": first.headers["x-mark"]}
    assert httpx.get(f"{stage.url}/state", params=seen, trust_env=False).status_code == 204
    called(stage, {"to": stage.person("line"), "messages": [{"type": "text", "text": "x"}]})
    assert httpx.get(f"{stage.url}/state", params=seen, trust_env=False).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("image/jpeg", 200), ("image/svg+xml", 404), ("text/html", 404)])
def test_only_pictures_that_hold_no_script_are_shown(stage: Stage, kind: str, status: int) -> None:
    stage.do("file", "line", stage.person("line"), data=JPEG, type=kind, name="x")
    (name,) = stage.line.account.contents
    answer = httpx.get(f"{stage.url}/content/line/{name}", trust_env=False)
    assert (answer.status_code, answer.headers.get("content-type")) == (status, kind if status == 200 else None)


# -- the bot behind it


def test_nothing_real_is_reached_or_opened(stage: Stage, tmp_path: Path) -> None:
    outside = {
        "PATH": "/bin",
        "LABOR_BOT_LINE_CHANNEL_TOKEN_FILE": "/run/secrets/line",
        "LABOR_BOT_DATABASE_URL": "sqlite:////srv/labor-bot.db",
        "LABOR_BOT_STAFF_TELEGRAM_TOKEN": "1:real",
        "LABOR_BOT_LINE_API_BASE": "https://api.line.me",
        "LABOR_BOT_KNOWLEDGE_DIR": "/srv/knowledge",
    }
    found = settings(stage.line, stage.telegram, 8123, tmp_path, outside)
    assert (found["PATH"], found["LABOR_BOT_KNOWLEDGE_DIR"]) == ("/bin", "/srv/knowledge")
    assert found["LABOR_BOT_DATA_DIR"] == str(tmp_path)
    assert found["LABOR_BOT_LINE_API_BASE"] == stage.line.url
    assert not {name for name in found if name.endswith("_FILE") or "STAFF" in name or "DATABASE" in name}
    assert settings(stage.line, stage.telegram, 1, tmp_path, {"LABOR_BOT_DATA_DIR": "x"})["LABOR_BOT_DATA_DIR"] == "x"


@contextmanager
def serving(stage: Stage, folder: Path) -> Iterator[ServingBot]:
    """The real bot behind the stand-ins."""
    environment = settings(stage.line, stage.telegram, free_port(), folder, os.environ)
    with (folder / "said").open("w") as said:
        bot = ServingBot({**environment, "LABOR_BOT_ENCODER": "off"}, said)
        point_webhooks(stage.line, stage.telegram, environment)
        try:
            bot.start()
            yield bot
        finally:
            bot.stop()
    assert not bot.alive()


@pytest.mark.slow
def test_the_bot_serves_behind_the_stand_ins(stage: Stage, tmp_path: Path) -> None:
    with serving(stage, tmp_path) as bot:
        until(lambda: bot.password)
        assert httpx.get(f"{bot.url}/desk", trust_env=False).status_code in (200, 302, 303)
        assert stage.line.account.webhook == f"{bot.url}/webhook/line"


@pytest.mark.slow
def test_somebody_on_each_platform_gets_answers_without_a_fault(stage: Stage, tmp_path: Path) -> None:
    with serving(stage, tmp_path):
        on_line, on_telegram = stage.person("line"), stage.person("telegram")
        stage.do("follow", "line", on_line)
        stage.do("follow", "telegram", on_telegram)
        until(lambda: stage.line.received(on_line) and stage.telegram.chat(int(on_telegram)).texts, 20)
        stage.do("say", "line", on_line, text="初次尋職津貼")
        until(lambda: any("初次尋職青年" in text for text in stage.line.texts(on_line)), 20)
        stage.do("say", "telegram", on_telegram, text="初次尋職津貼")
        until(lambda: any("初次尋職青年" in text for text in stage.telegram.chat(int(on_telegram)).texts), 20)
        assert stage.shown()["faults"] == []


# -- the page in a browser


@pytest.fixture(params=[360, 1280])
def page(request: pytest.FixtureRequest, stage: Stage, chromium: Browser) -> Iterator[Page]:
    """The page on a phone and on a desk; at the end it must have complained of nothing."""
    viewport: ViewportSize = {"width": request.param, "height": 800}
    context = chromium.new_context(viewport=viewport, locale="en-US")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(stage.url)
    expect(page.locator("#chat-name")).to_have_text("美玲")
    yield page
    assert complaints == []
    context.close()


def aside(work: Coroutine[Any, Any, None]) -> None:
    """Runs it in a thread of its own: this one may hold the browser's event loop."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()


def send_line(stage: Stage, person: str, *replies: Reply) -> None:
    """Pushes replies as the bot renders them, by LINE's SDK."""
    import linebot.v3.messaging

    sdk: Any = linebot.v3.messaging

    async def send() -> None:
        configuration = sdk.Configuration(host=stage.line.url, access_token=stage.line.token)
        async with sdk.AsyncApiClient(configuration) as client:
            for messages in LineRenderer(TEMPLATES).requests(replies):
                request = sdk.PushMessageRequest.from_dict({"to": person, "messages": messages})
                await sdk.AsyncMessagingApi(client).push_message(request, x_line_retry_key=str(uuid.uuid4()))

    aside(send())


def send_telegram(stage: Stage, person: int, *replies: Reply) -> None:
    """Sends replies as the bot renders them, by python-telegram-bot."""

    async def send() -> None:
        async with telegram_bot(stage.telegram) as client:
            for message in telegram.messages(replies):
                markup: Any = {"inline_keyboard": message.rows} if message.rows else None
                if message.ask_location:
                    button = {"text": message.ask_location, "request_location": True}
                    markup = {"keyboard": [[button]], "one_time_keyboard": True}
                await client.send_message(person, message.html, parse_mode="HTML", reply_markup=markup)

    aside(send())


def choose(page: Page, name: str) -> None:
    """Open somebody's chat."""
    if page.locator(".panes").is_visible():
        page.locator(".panes").get_by_role("button", name="People").click()
    page.locator(".person", has_text=name).first.click()
    expect(page.locator("#chat-name")).to_have_text(name)


def fits(page: Page) -> None:
    """Nothing but what is swiped needs sideways scrolling."""
    wide = page.evaluate(
        """() => [document.scrollingElement, ...document.querySelectorAll("main, .pane, #phone, #log, .flex-bubble")]
        .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "hidden")
        .map((e) => `${e.tagName}.${e.className} ${e.scrollWidth} > ${e.clientWidth}`)"""
    )
    assert wide == []


def accessible(page: Page) -> None:
    """Axe finds nothing."""
    found = AXE.run(page).response["violations"]
    assert [f"{each['id']} {[node['target'] for node in each['nodes']]}" for each in found] == []


@pytest.mark.slow
def test_a_carousel_is_drawn_whole_and_tapped(
    stage: Stage, page: Page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    person = stage.person("line")
    send_line(stage, person, Reply(SCRIPT, "zh-TW"), REPLY)
    expect(page.locator(".carousel .flex-bubble")).to_have_count(3)
    expect(page.locator(".bubble", has_text=SCRIPT)).to_be_visible()
    labels = [choice.label for card in CARDS for choice in card.choices]
    assert page.locator(".carousel .flex-button").all_inner_texts() == labels
    for card in CARDS:
        shown = page.locator(".flex-bubble", has_text=card.title).inner_text()
        assert [part for part in (card.subtitle, *card.text.split("\n\n"), card.source) if part not in shown] == []
    assert page.locator("#quick button").all_inner_texts() == [choice.label for choice in MENU]
    fits(page)
    accessible(page)
    page.screenshot(path=tmp_path / "line.png")

    last = page.get_by_role("button", name="查資格15")
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    last.click()
    (event,) = stage.told(1)
    assert event["postback"] == {"data": "check:p15"}
    expect(page.locator(".mine .bubble")).to_have_text("查資格15")
    expect(page.locator("#quick button")).to_have_count(0)
    assert stage.line.faults == []


@pytest.mark.slow
def test_a_keyboard_of_telegram_is_drawn_and_tapped(stage: Stage, page: Page) -> None:
    person = int(stage.person("telegram", "Nok"))
    ask = Reply("อยู่ที่ไหน", "th", source="ที่มา", choices=(Choice("menu", "เมนู"), Choice("location", "ส่งตำแหน่ง")))
    send_telegram(stage, person, Reply(f"<b>{SCRIPT}\n\nline", "th", source="s"), REPLY, ask)
    choose(page, "Nok")
    expect(page.locator(".with-keyboard")).to_have_count(4)
    expect(page.locator(".bubble b").first).to_have_text(f"<b>{SCRIPT}")
    labels = [choice.label for card in CARDS for choice in card.choices] + [choice.label for choice in MENU] + ["เมนู"]
    assert page.locator(".inline").all_inner_texts() == labels
    fits(page)
    accessible(page)

    page.locator(".inline", has_text="查資格14").click()
    (update,) = stage.told(1)
    assert update["callback_query"]["data"] == "check:p14"
    expect(page.locator(".inline.spinning")).to_have_count(1)

    page.locator(".reply-key").click()
    page.locator("#dialog").get_by_role("button", name="Send").click()
    assert stage.told(2)[1]["message"]["location"] == {"latitude": 25.0120, "longitude": 121.4657}
    expect(page.locator(".reply-key")).to_have_count(0)
    assert stage.telegram.faults == []


@pytest.mark.slow
def test_writing_pictures_dates_links_and_the_loading_animation(stage: Stage, page: Page) -> None:
    person = stage.person("line")
    page.fill("#text", "你好")
    page.press("#text", "Enter")
    expect(page.locator(".mine .bubble")).to_have_text("你好")
    expect(page.locator(".mine .under")).to_contain_text("200")
    page.click("#more")
    page.locator("#deeds").get_by_role("button", name="Picture", exact=True).click()
    expect(page.locator(".mine .picture")).to_be_visible()
    stage.told(2)
    assert next(iter(stage.line.account.contents.values())).body.startswith(b"\xff\xd8\xff")

    headers = {"authorization": f"Bearer {stage.line.token}"}
    start = f"{stage.line.url}/v2/bot/chat/loading/start"
    httpx.post(start, json={"chatId": person, "loadingSeconds": 20}, headers=headers, trust_env=False)
    expect(page.locator(".loading")).to_be_visible()
    action = {"type": "datetimepicker", "label": "日期", "data": "answer:since", "mode": "date"}
    items = [{"type": "action", "action": action}]
    link = "https://t.me/standin_test_bot?start=abcdefghijklmnopqrstuv"
    called(
        stage,
        {"to": person, "messages": [{"type": "text", "text": f"或按 {link} 繼續", "quickReply": {"items": items}}]},
    )
    expect(page.locator(".loading")).to_have_count(0)
    page.locator("#quick button").click()
    page.fill("#picked", "1990-05-17")
    page.get_by_role("button", name="Choose").click()
    assert stage.told(3)[2]["postback"] == {"data": "answer:since", "params": {"date": "1990-05-17"}}

    # a resume link opens the other platform
    page.locator(".address").click()
    page.locator("#dialog select").select_option(label="Maria")
    page.locator("#dialog").get_by_role("button", name="Open", exact=True).click()
    assert stage.told(4)[3]["message"]["text"] == "/start abcdefghijklmnopqrstuv"
    expect(page.locator("#chat-name")).to_have_text("Maria")


@pytest.mark.slow
def test_a_rich_menu_is_drawn_and_tapped(stage: Stage, page: Page) -> None:
    from standins.line_samples import menu, png

    person, headers = stage.person("line"), {"authorization": f"Bearer {stage.line.token}"}
    half = {"x": 1250, "y": 0, "width": 1250, "height": 843}
    areas = [{"bounds": half, "action": {"type": "postback", "label": "專人", "data": "handoff"}}]
    with httpx.Client(base_url=stage.line.url, headers=headers, trust_env=False) as client:
        name = client.post("/v2/bot/richmenu", json=menu(areas=areas)).json()["richMenuId"]
        client.post(f"/v2/bot/richmenu/{name}/content", content=png(2500, 843), headers={"content-type": "image/png"})
        client.post(f"/v2/bot/user/{person}/richmenu/{name}")
    area = page.get_by_role("button", name="專人")
    area.click()
    assert stage.told(1)[0]["postback"] == {"data": "handoff"}
    picture, drawn = page.locator(".menu-picture").bounding_box(), area.bounding_box()
    assert picture is not None
    assert drawn is not None
    assert drawn["x"] == pytest.approx(picture["x"] + picture["width"] / 2, abs=1)
    page.locator(".menu-bar").click()
    expect(area).to_be_hidden()
    fits(page)


@pytest.mark.slow
def test_faults_are_red_and_the_other_panes_fit(stage: Stage, page: Page) -> None:
    called(stage, {"to": stage.person("line"), "messages": [{"type": "text", "text": "x" * 5001}]})
    if page.locator(".panes").is_visible():
        expect(page.locator("#fault-count")).not_to_have_text("0")
        page.locator(".panes").get_by_role("button", name="State").click()
    expect(page.locator("#faults li").first).to_contain_text("messages[0].text")
    fits(page)
    accessible(page)
    page.click("#forgive")
    expect(page.locator("#faults li")).to_have_text("none")
    if page.locator(".panes").is_visible():
        page.locator(".panes").get_by_role("button", name="People").click()
    page.fill("#newcomer input", "ก้อย")
    page.locator("#newcomer button").click()
    expect(page.locator("#chat-name")).to_have_text("ก้อย")
    page.locator(".empty button").click()
    assert stage.told(1)[0]["type"] == "follow"
    fits(page)
