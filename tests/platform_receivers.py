"""LINE's and Telegram's APIs as light receivers that keep up with a load: they take, answer and write down."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

BOT = 424242
TELEGRAM_TOKEN = f"{BOT}:token-of-the-load-test"
ACCOUNT = "U" + "0" * 32
TOKEN_SECONDS = 60.0
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request with messages as it came. `key`: reply token or retry key; `at` in seconds of Unix time."""

    channel: str
    user: str
    how: str
    key: str
    at: float
    body: bytes
    messages: Sequence[Json]


@dataclass
class Receivers:
    """LINE's and Telegram's API, as far as the bot calls them: no request is checked but for tokens and retry keys."""

    arrived: list[Arrived] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def issue(self, token: str, user: str) -> None:
        """A delivery carries a reply token: it holds from now on, again when it was delivered again."""
        self.tokens[token] = (user, time.time() + TOKEN_SECONDS)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """They answer at `url`."""
        app = web.Application()
        app.router.add_post("/v2/bot/message/reply", self._reply)
        app.router.add_post("/v2/bot/message/push", self._push)
        app.router.add_route("*", f"/bot{TELEGRAM_TOKEN}/{{method}}", self._telegram)
        app.router.add_route("*", "/{path:.*}", self._line)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield
        finally:
            await runner.cleanup()

    async def _reply(self, request: web.Request) -> web.Response:
        body = await request.read()
        document = json.loads(body)
        token = document["replyToken"]
        self.calls["reply"] += 1
        self.used[token] += 1
        user, until = self.tokens.get(token, ("", 0.0))
        if self.used[token] > 1 or until < time.time():
            return web.json_response({"message": "Invalid reply token"}, status=400)
        return self._sent("reply", user, token, body, document["messages"])

    async def _push(self, request: web.Request) -> web.Response:
        body = await request.read()
        document = json.loads(body)
        key = request.headers["X-Line-Retry-Key"]
        self.calls["push"] += 1
        self.keys[key] += 1
        if self.keys[key] > 1:
            return web.json_response({"message": "The retry key is already accepted", "sentMessages": []}, status=409)
        return self._sent("push", document["to"], key, body, document["messages"])

    def _sent(self, how: str, user: str, key: str, body: bytes, messages: Sequence[Json]) -> web.Response:
        self.arrived.append(Arrived("line", user, how, key, time.time(), body, messages))
        number = len(self.arrived)
        return web.json_response({"sentMessages": [{"id": f"{number}{place}"} for place in range(len(messages))]})

    async def _line(self, request: web.Request) -> web.Response:
        """What is looked up."""
        path = request.path.removeprefix("/v2/bot/")
        kind = path.partition("/")[0] if path.startswith(("profile", "user", "chat")) else path
        self.calls[kind] += 1
        known: dict[str, Json] = {
            "info": {
                "userId": ACCOUNT,
                "basicId": "@load",
                "displayName": "load",
                "chatMode": "bot",
                "markAsReadMode": "auto",
            },
            "message/quota": {"type": "limited", "value": 100_000},
            "message/quota/consumption": {"totalUsage": 0},
            "profile": {"userId": path.rpartition("/")[2], "displayName": "An", "language": "zh-TW"},
            "richmenu/list": {"richmenus": [_MENU]},
            "user": {},
            "chat": {},
        }
        if kind not in known:
            self.unknown.append(request.path)
            return web.json_response({"message": "Not found"}, status=404)
        return web.json_response(known[kind], status=202 if kind == "chat" else 200)

    async def _telegram(self, request: web.Request) -> web.Response:
        body = await request.read()
        method = request.match_info["method"]
        self.calls[method] += 1
        given = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if method == "sendMessage":
            user = given["chat_id"]
            key = str(len(self.arrived))
            self.arrived.append(Arrived("telegram", user, method, key, time.time(), body, [given]))
            chat = {"id": int(user), "type": "private", "first_name": "An"}
            return _ok({"message_id": len(self.arrived), "date": int(time.time()), "chat": chat, "text": "…"})
        if method == "getMe":
            return _ok({"id": BOT, "is_bot": True, "first_name": "load", "username": "load_test_bot"})
        if method == "answerCallbackQuery":
            self.answered.add(given["callback_query_id"])
        elif method not in ("setWebhook", "sendChatAction"):
            self.unknown.append(request.path)
        return _ok(True)


_MENU = {
    "richMenuId": "richmenu-1",
    "size": {"width": 2500, "height": 1686},
    "selected": True,
    "name": "labor-bot/zh-TW/1",
    "chatBarText": "menu",
    "areas": [],
}


def _ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})
