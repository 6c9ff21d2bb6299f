"""The stand-in of the Telegram Bot API: a server on this machine that answers, refuses and remembers as Telegram."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .serving import Clock, ThreadServer
from .telegram_inbox import Delivery, Inbox
from .telegram_limits import LINK_SECONDS, Breach, Refusal
from .telegram_methods import ChatMethods
from .telegram_request import Params, read
from .telegram_settings import SettingMethods
from .telegram_spec import load
from .telegram_trouble import Plan, Rates, Trouble
from .telegram_updates import Updates
from .telegram_world import Call, Chat, Fault, Received, World

Json = dict[str, Any]
TOKEN = "123456:stand-in-token-of-the-tests-000000000"
BOT: Json = {"is_bot": True, "first_name": "Stand-in", "username": "standin_test_bot"}
WELL_FORMED = re.compile(r"\d+:[A-Za-z0-9_-]{10,}")
PROXY_ERROR = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center></body></html>"


class Cut(Exception):
    """The line is to be cut."""


class Standin:
    """A Telegram of one bot. Use it in a `with`, or `start` and `stop` it.

    `rates` switches on the limits of speed; `clock.advance(seconds)` lets time pass.
    """

    def __init__(
        self, token: str = TOKEN, port: int = 0, *, rates: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        self.token = token
        self.clock = clock = Clock(now)
        bot: Json = {
            "id": int(token.split(":")[0]),
            "is_bot": True,
            "first_name": "Stand-in",
            "username": "standin_test_bot",
        }
        self.world = World(bot, clock)
        self.rates = Rates(clock, rates)
        self.plan = Plan()
        self.inbox = Inbox(clock, lock=self.world.lock)
        self.make = Updates(self.world)
        self.in_chats = ChatMethods(self.world, self.rates)
        self.settings = SettingMethods(self.world)
        self.methods: dict[str, Callable[[Params], Any]] = {
            **self.in_chats.table(),
            **self.settings.table(),
            "setWebhook": self.inbox.set,
            "deleteWebhook": self.inbox.delete,
            "getWebhookInfo": lambda params: self.inbox.info(),
        }
        self.server = ThreadServer(self.app(), port)

    # -- running

    def app(self) -> Starlette:
        """The two paths of the Bot API."""
        return Starlette(
            routes=[
                Route("/bot{token}/{method}", self.call, methods=["GET", "POST"]),
                Route("/file/bot{token}/{path:path}", self.download),
            ]
        )

    def start(self) -> Self:
        """Returns once it answers at `base_url`."""
        self.server.start()
        return self

    def stop(self) -> None:
        """Ends it, and what still waits."""
        self.inbox.closing = True
        self.server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """python-telegram-bot's base_url."""
        return f"http://127.0.0.1:{self.server.port}/bot"

    @property
    def base_file_url(self) -> str:
        """python-telegram-bot's base_file_url."""
        return f"http://127.0.0.1:{self.server.port}/file/bot"

    # -- what a test reads

    @property
    def faults(self) -> list[Fault]:
        """Every breach of the platform's rules."""
        return self.world.faults

    @property
    def calls(self) -> list[Call]:
        """Every call in order of its answer."""
        return self.world.calls

    def called(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.calls if call.method == method]

    def chat(self, chat: int) -> Chat:
        """What a chat has received; a person becomes known by it."""
        if chat not in self.world.chats and chat > 0:
            self.world.user(chat)
        return self.world.chats[chat]

    def unanswered(self) -> list[str]:
        """Tapped buttons that still spin."""
        return [query.id for query in self.world.queries.values() if not query.answers]

    def wait_for(self, condition: Callable[[], Any], seconds: float = 5.0) -> Any:
        """What the condition gives as soon as that is true; an AssertionError when it never is."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)
        return found

    # -- what a test does

    def next(self, method: str = "*", **trouble: Any) -> Trouble:
        """Plans trouble for the next calls of a method.

        `status` with `description`, `retry_after` (s), `migrate_to`: that error. `delay`: answers so many seconds late.
        `cut`: "before" cuts the line without doing anything, "after" when it is done. `chat`: only there. `times`.
        """
        planned = Trouble(method, **trouble)
        self.plan.planned.append(planned)
        return planned

    def block(self, user: int) -> Json:
        """The person blocks the bot; the update that tells of it."""
        self.chat(user).closed = "bot was blocked by the user"
        return self.make.member(user, present=False)

    def unblock(self, user: int) -> Json:
        """The person lets the bot in again; the update that tells of it."""
        self.chat(user).closed = ""
        return self.make.member(user, present=True)

    def expel(self, user: int, chat: int) -> Json:
        """Somebody removes the bot from a group; the update that tells of it."""
        group = self.chat(chat)
        group.closed = f"bot was kicked from the {group.about['type']} chat"
        return self.make.member(user, present=False, chat=chat)

    async def adeliver(self, update: Json, tries: int = 4, pause: float = 0.05) -> Delivery:
        """Posts an update to the webhook, again on failure with the same update_id, or keeps it for getUpdates."""
        return await self.inbox.deliver(update, tries, pause)

    def deliver(self, update: Json, tries: int = 4, pause: float = 0.05) -> Delivery:
        """The same outside an event loop."""
        return asyncio.run(self.adeliver(update, tries, pause))

    def says(self, user: int, text: str) -> Delivery:
        """Delivers a text."""
        return self.deliver(self.make.text(user, text))

    # -- the Bot API

    async def call(self, request: Request) -> Response:
        """One call of a method."""
        method = request.path_params["method"]
        if refusal := self.stranger(request.path_params["token"]):
            return answer(refusal)
        body = await request.body()
        try:
            params = read(request.headers.get("content-type", ""), body, request.url.query)
        except Refusal as refusal:
            return answer(refusal)
        trouble = self.plan.take(method, str(params.values.get("chat_id", "")))
        try:
            response = await self.troubled(method, params, trouble)
        except Cut:
            self.record(method, params, 0, f"cut {trouble.cut}")
            return await self.cut(request)
        return response

    async def troubled(self, method: str, params: Params, trouble: Trouble) -> Response:
        """The answer of a method with what was planned for it."""
        if trouble.cut == "before":
            raise Cut
        if refusal := trouble.refusal():
            await asyncio.sleep(trouble.delay)
            self.record(method, params, refusal.code, refusal.description)
            return answer(refusal)
        response, words = await self.perform(method, params)
        await asyncio.sleep(trouble.delay)
        if trouble.cut:
            raise Cut
        self.record(method, params, response.status_code, words)
        return response

    async def perform(self, method: str, params: Params) -> tuple[Response, str]:
        """The answer of a method, and the words of a refusal."""
        try:
            name = self.conforming(method, params)
            if name == "getUpdates":
                return result(await self.inbox.updates(params)), ""
            with self.world.lock:
                return result(self.methods[name](params)), ""
        except Refusal as refusal:
            self.world.refused(method, refusal)
            return answer(refusal), refusal.description

    def conforming(self, method: str, params: Params) -> str:
        """The method's right name. Raises a Breach for a call that the published Bot API does not know."""
        spec = load()
        name = {known.lower(): known for known in (*self.methods, "getUpdates")}.get(method.lower(), "")
        if not name:
            unknown = spec is None or method not in spec.methods
            raise Breach(404, "Not Found" if unknown else f"Not Found: the stand-in does not know {method}")
        faults = spec.faults(name, params) if spec else []
        for fault in faults[1:]:
            self.world.faults.append(Fault(name, f"Bad Request: {fault}"))
        if faults:
            raise Breach(400, f"Bad Request: {faults[0]}")
        return name

    def stranger(self, token: str) -> Refusal | None:
        """The error for a token that is not the bot's."""
        if token == self.token:
            return None
        return Refusal(401, "Unauthorized") if WELL_FORMED.fullmatch(token) else Refusal(404, "Not Found")

    async def download(self, request: Request) -> Response:
        """The content of a file whose link is fresh."""
        if refusal := self.stranger(request.path_params["token"]):
            return answer(refusal)
        trouble = self.plan.take("download", "")
        await asyncio.sleep(trouble.delay)
        if trouble.cut:
            return await self.cut(request)
        if refusal := trouble.refusal():
            return answer(refusal)
        path, now = request.path_params["path"], self.world.clock()
        for file in self.world.files.values():
            if file.path == path and file.linked >= 0 and now - file.linked <= LINK_SECONDS:
                return Response(file.content, media_type="application/octet-stream")
        return answer(Refusal(404, "Not Found"))

    async def cut(self, request: Request) -> Response:
        """Cuts the line; the response reaches nobody."""
        self.server.cut(request.scope)
        await request.receive()
        return Response()

    def record(self, method: str, params: Params, status: int, words: str) -> None:
        """Remembers a call."""
        self.world.calls.append(Call(method, dict(params.values), status, words, self.world.clock()))


def result(value: Any) -> Response:
    """A success."""
    body = json.dumps({"ok": True, "result": value}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Response(body, media_type="application/json")


def answer(refusal: Refusal) -> Response:
    """An error in Telegram's form; one of a proxy on the way is a page."""
    if refusal.code > 500:
        return Response(PROXY_ERROR % (refusal.code, refusal.code), refusal.code, media_type="text/html")
    body: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return Response(json.dumps(body), refusal.code, media_type="application/json")


def line(item: Received) -> str:
    """What a chat received, as a line to print."""
    where = f"{item.chat}" + (f"/{item.thread}" if item.thread else "")
    rows = "".join("\n    " + " ".join(f"[{button.label}]" for button in row) for row in item.rows)
    return f"{where} {item.kind} {item.message or ''}: {item.text}{rows}"


if __name__ == "__main__":
    from .telegram_by_hand import main

    main()
