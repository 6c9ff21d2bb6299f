"""The sandbox as a small web app: the page, what it polls, what it asks to be done."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .line import Standin as LineStandin
from .sandbox_line import LineSide
from .sandbox_telegram import TelegramSide
from .sandbox_timeline import Impossible, Json, Order
from .telegram import Standin as TelegramStandin

PAGE = Path(__file__).parent / "sandbox_page"
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
PEOPLE = {
    "line": (("美玲", "zh-TW"), ("Linh", "vi"), ("Siti", "id")),
    "telegram": (("阿明", "zh-hant"), ("Nok", "th"), ("Maria", "fil")),
}
GROUP, TELEGRAM_GROUP = "Group", -1001


@dataclass
class Bot:
    """The bot that is tried: where it is, whether it runs, what the page tells of it."""

    url: str = ""
    alive: Callable[[], bool] = lambda: True
    notes: list[str] = field(default_factory=list)


class Sandbox:
    """Both stand-ins, their people, and the page."""

    def __init__(self, line: LineStandin, telegram: TelegramStandin, bot: Bot) -> None:
        self.line, self.telegram = LineSide(line), TelegramSide(telegram)
        self.bot = bot
        self.passed = 0.0
        self._sides: dict[str, LineSide | TelegramSide] = {"line": self.line, "telegram": self.telegram}
        self._tasks: set[asyncio.Task[None]] = set()
        self._settle()

    def _settle(self) -> None:
        """The first people, and a group of everybody on each platform."""
        for channel, people in PEOPLE.items():
            for name, language in people:
                self._sides[channel].add(name, language)
        line = self.line.standin
        line.group(GROUP, *line.account.people)
        self.telegram.standin.world.group(TELEGRAM_GROUP, GROUP)

    def app(self) -> Starlette:
        """The application."""
        routes = [
            Route("/", self.page),
            Route("/state", self.state),
            Route("/do", self.do, methods=["POST"]),
            Route("/content/{channel}/{name}", self.content),
            Mount("/page", StaticFiles(directory=PAGE)),
        ]
        # another site's page must neither read nor write here under a name of its own
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        return Starlette(routes=routes, middleware=[hosts])

    async def page(self, request: Request) -> Response:
        """The page."""
        return FileResponse(PAGE / "page.html", headers=HEADERS)

    async def state(self, request: Request) -> Response:
        """Everything the page shows; 204 while it is as the page has `seen` it."""
        channel, _, chat = request.query_params.get("chat", "").partition(":")
        found = await asyncio.to_thread(self.shown, channel, chat)
        body = json.dumps(found, ensure_ascii=False).encode("utf-8", "surrogatepass")
        mark = hashlib.sha256(body).hexdigest()[:16]
        if mark == request.query_params.get("seen"):
            return Response(status_code=204)
        return Response(body, headers={**HEADERS, "x-mark": mark}, media_type="application/json")

    def shown(self, channel: str, chat: str) -> Json:
        """The state with one chat open; without it when it is not known."""
        chats = [each for side in self._sides.values() for each in side.chats()]
        known = any((each["channel"], each["id"]) == (channel, chat) for each in chats)
        return {
            "bot": {"url": self.bot.url, "alive": self.bot.alive(), "notes": list(self.bot.notes)},
            "chats": chats,
            "open": self._sides[channel].view(chat) if known else None,
            "passed": self.passed,
            "situation": {name: side.situation() for name, side in self._sides.items()},
            "faults": [fault for side in self._sides.values() for fault in side.faults()],
        }

    async def do(self, request: Request) -> Response:
        """One deed; what goes to the bot goes in the background. 400 says why not."""
        if request.headers.get("content-type") != "application/json":  # a form of another site cannot send this
            return JSONResponse({"error": "JSON is wanted"}, 415, HEADERS)
        try:
            values = await request.json()
            return JSONResponse(self._do(values), headers=HEADERS)
        except (Impossible, ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": str(error) or type(error).__name__}, 400, HEADERS)

    def _do(self, values: Json) -> Json:
        if deed := {"person": self._person, "pass": self._pass, "quota": self._quota}.get(values["act"]):
            return deed(values)
        if values["act"] == "outage":
            self._sides[values["channel"]].set_outage(bool(values["on"]))
            return {}
        if values["act"] == "forgive":
            self.line.standin.faults.clear()
            self.telegram.standin.faults.clear()
            return {}
        channel, _, chat = str(values["chat"]).partition(":")
        sending = self._sides[channel].act(Order(values["act"], chat, str(values["who"]), values))
        if sending:
            task = asyncio.create_task(sending)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return {}

    def _person(self, values: Json) -> Json:
        name = str(values["name"]).strip()
        if not name:
            raise Impossible("a name is wanted")
        return {"chat": f"{values['channel']}:{self._sides[values['channel']].add(name, str(values['language']))}"}

    def _pass(self, values: Json) -> Json:
        """Time passes on both platforms: reply tokens and taps grow old. The bot's own clock does not move."""
        seconds = float(values["seconds"])
        self.line.standin.clock.advance(seconds)
        self.telegram.standin.clock.advance(seconds)
        self.passed += seconds
        return {}

    def _quota(self, values: Json) -> Json:
        limit = values["limit"]
        self.line.standin.limit(None if limit is None else int(limit))
        return {}

    async def content(self, request: Request) -> Response:
        """A picture: of a rich menu, or sent by a person."""
        side = self._sides.get(request.path_params["channel"])
        found: Any = side.content(request.path_params["name"]) if side else None
        if not found or not found[1].startswith("image/") or "svg" in found[1]:
            return Response(status_code=404)
        return Response(found[0], headers=HEADERS, media_type=found[1])
