"""The web chat: pages that work without script, a live stream for those who have it, a signed key per browser."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.channels.body import BodyTooLarge, read_body
from bot.channels.budget import Budget
from bot.channels.port import Door, Parcel, Receipt, Sent, Standing
from bot.channels.text import sound
from bot.channels.visitors import Keys, Visitor, own_page, preferred
from bot.channels.web_stream import stream
from bot.messages import Address, Author, Entry, Incoming, Reply, Speaker
from bot.render.pages import Pages, with_current

CHANNEL = "web"
COOKIE = "labor_chat"
COOKIE_SECONDS = 90 * 24 * 3600
TEXT_LIMIT = 2000
BODY_LIMIT = 1_000_000
CHOICE_LIMIT = 100
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
WAIT_SECONDS = 4.0
FORM = "application/x-www-form-urlencoded"
Texts = Sequence[str]
Actions = Sequence[dict[str, str]]
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


class WebChannel:
    """The sending side: a line is delivered by being shown; the live streams look for themselves."""

    async def send(self, parcel: Parcel) -> Receipt:
        """Always there at once."""
        return Receipt(Sent.SENT)


class Refused(Exception):
    """A request that changes nothing: HTTP status and the key of the text that says why and what to do."""

    def __init__(self, status: int, key: str, draft: str = "", **params: Any) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.draft = draft
        self.params = params


@dataclass
class WebChat:
    """The routes of the chat."""

    door: Door
    pages: Pages
    welcome: Callable[[str], Reply]
    keys: Keys
    now_ms: Callable[[], int]
    per_address: Budget
    per_ip: Budget
    client_ip: Callable[[Request], str]
    exit_url: str
    secure: bool

    def routes(self) -> list[Route]:
        """One list: what the chat answers to, and at the end every other method on the same paths."""
        routes = [
            Route("/", self.chat, methods=["GET"]),
            Route("/chat/send", self._safely(self.send), methods=["POST"]),
            Route("/chat/events", self.events, methods=["GET"]),
            Route("/chat/end", self._safely(self.end), methods=["POST"]),
            Route("/chat/forget", self.ask_forget, methods=["GET"]),
            Route("/chat/forget", self._safely(self.forget), methods=["POST"]),
            Route("/privacy", self.privacy, methods=["GET"]),
            Route("/resume/{token:str}", self.ask_resume, methods=["GET"]),
            Route("/resume/{token:str}", self._safely(self.resume), methods=["POST"]),
        ]
        return [
            *routes,
            *(Route(path, self.wrong_method, methods=METHODS) for path in {route.path for route in routes}),
        ]

    # -- who is there

    def visitor(self, request: Request) -> Visitor:
        """The browser's visitor; one without a token, or with that of an ended conversation, gets a new one.

        Raises Refused for a token that we did not issue.
        """
        token = request.cookies.get(COOKIE, "")
        if token and not self.keys.genuine(token):
            raise Refused(403, "web.error_session")
        if token:
            address = _address(token)
            conversation = self.door.conversation(address)
            if conversation is None or not self.door.standing(conversation).ended:
                return Visitor(token, False, address, conversation)
        token = self.keys.issue()
        return Visitor(token, True, _address(token), None)

    def _language(self, request: Request, visitor: Visitor | None) -> str:
        if visitor is not None and visitor.conversation is not None:
            lang = self.door.standing(visitor.conversation).lang
            if lang:
                return lang
        return preferred(request.headers.get("accept-language", ""), [code for code, _ in self.pages.languages])

    def _remember(self, response: Response, visitor: Visitor) -> Response:
        if visitor.fresh:
            response.set_cookie(
                COOKIE,
                visitor.token,
                max_age=COOKIE_SECONDS,
                path="/",
                httponly=True,
                samesite="lax",
                secure=self.secure,
            )
        return response

    # -- pages

    async def chat(self, request: Request) -> Response:
        """The chat with its whole history."""
        try:
            visitor = self.visitor(request)
        except Refused as refused:
            return self._start_over(request, refused)
        return self._remember(self._page(request, visitor), visitor)

    def _page(self, request: Request, visitor: Visitor, refused: Refused | None = None) -> Response:
        lang = self._language(request, visitor)
        standing = Standing(Speaker.BOT, lang, False)
        entries: list[Entry] = [Entry(None, Author.BOT, self.welcome(lang), 0.0)]
        if visitor.conversation is not None:
            standing = self.door.standing(visitor.conversation)
            entries += self.door.shown(visitor.conversation)
        last = max((entry.seq or 0 for entry in entries), default=0)
        if visitor.conversation is not None:
            entries += self.door.pending(visitor.conversation)
        html = self.pages.render(
            "web/chat.html",
            lang,
            languages=self.pages.language_list(lang),
            bubbles=with_current(entries),
            last_seq=last,
            mode=standing.speaker.value,
            quick_exit=standing.urgent,
            exit_url=self.exit_url,
            form_id=uuid.uuid4().hex,
            notice=self.pages.words(lang, refused.key, **refused.params) if refused else None,
            draft=refused.draft if refused else "",
            has_conversation=visitor.conversation is not None,
        )
        return HTMLResponse(html, refused.status if refused else 200)

    def _sheet(
        self, lang: str, title: str, paragraphs: Texts, status: int = 200, actions: Actions = (), lines: Texts = ()
    ) -> Response:
        words = self.pages.words
        html = self.pages.render(
            "web/page.html",
            lang,
            title=words(lang, title),
            paragraphs=[*(words(lang, key) for key in paragraphs), *lines],
            links=[],
            actions=[{**action, "label": words(lang, action["label"])} for action in actions],
        )
        return HTMLResponse(html, status)

    def not_found(self, request: Request) -> Response:
        """The page for addresses that do not exist."""
        lang = preferred(request.headers.get("accept-language", ""), [code for code, _ in self.pages.languages])
        return self._sheet(lang, "web.not_found_title", ["web.not_found"], 404)

    def unavailable(self, request: Request) -> Response:
        """The store does not answer, so that only the browser can say which language is read."""
        lang = preferred(request.headers.get("accept-language", ""), [code for code, _ in self.pages.languages])
        if "application/json" in request.headers.get("accept", ""):
            answer: Response = JSONResponse({"error": self.pages.words(lang, "web.error_store")}, 503)
        else:
            answer = self._sheet(lang, "web.error_title", ["web.error_store"], 503)
        answer.headers["Retry-After"] = "5"
        return answer

    async def wrong_method(self, request: Request) -> Response:
        """Opening the address of a form leads to the chat; anything else is refused."""
        if request.method in ("GET", "HEAD"):
            return RedirectResponse("/", 303)
        return self._refuse(request, Refused(405, "web.error_origin"))

    def _start_over(self, request: Request, refused: Refused) -> Response:
        lang = self._language(request, None)
        response = self._sheet(lang, "web.error_title", [refused.key], refused.status)
        response.delete_cookie(COOKIE, path="/")
        return response

    async def privacy(self, request: Request) -> Response:
        """What is kept, who sees it, how to have it deleted."""
        lang = self._language(request, self._known(request))
        keys = [f"web.privacy_{part}" for part in ("what", "who", "not", "device", "rights", "notice")]
        return self._sheet(lang, "web.privacy_title", keys)

    def _known(self, request: Request) -> Visitor | None:
        try:
            return self.visitor(request)
        except Refused:
            return None

    async def ask_forget(self, request: Request) -> Response:
        """The question before everything is deleted."""
        lang = self._language(request, self._known(request))
        action = {"label": "conversation.choice.forget_yes", "action": "/chat/forget", "style": "danger"}
        return self._sheet(lang, "web.forget_title", ["conversation.forget_ask"], actions=[action])

    async def ask_resume(self, request: Request) -> Response:
        """The question before a conversation moves here: a link opened by a preview must change nothing."""
        lang = self._language(request, self._known(request))
        path = f"/resume/{quote(request.path_params['token'], safe='')}"
        action = {"label": "web.resume_button", "action": path, "style": "primary"}
        return self._sheet(lang, "web.resume_title", ["web.resume"], actions=[action])

    # -- what a visitor does

    def _safely(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """A refusal becomes a clear text in the reader's language: JSON for the script, else the page and draft."""

        async def safe(request: Request) -> Response:
            try:
                return await handler(request)
            except Refused as refused:
                return self._refuse(request, refused)
            except OSError:  # the store cannot be written now
                return self._refuse(request, Refused(503, "web.error_store"))

        return safe

    def _refuse(self, request: Request, refused: Refused) -> Response:
        visitor = None if refused.key == "web.error_session" else self._known(request)
        lang = self._language(request, visitor)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"error": self.pages.words(lang, refused.key, **refused.params)}, refused.status)
        if visitor is None:
            return self._start_over(request, refused)
        return self._page(request, visitor, refused)

    async def _form(self, request: Request) -> dict[str, str]:
        """The fields of a form from our own page, as sound text."""
        if not own_page(request):
            raise Refused(403, "web.error_origin")
        if request.headers.get("content-type", FORM).partition(";")[0].strip().lower() != FORM:
            raise Refused(415, "web.error_type")
        try:
            body = await read_body(request, BODY_LIMIT)
            fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
        except BodyTooLarge:
            raise Refused(413, "web.error_long", limit=TEXT_LIMIT) from None
        except ValueError:
            raise Refused(400, "web.error_encoding") from None
        ticks = [value for name, value in fields if name == "tick" and value.isdecimal()]
        return {name: sound(value) for name, value in fields} | {"tick": ".".join(ticks)}

    async def send(self, request: Request) -> Response:
        """A message or a pressed button. 202 for the script; without it, the page again once the answer is there."""
        visitor = self.visitor(request)
        form = await self._form(request)
        incoming = self._incoming(visitor, form, self._language(request, visitor))
        if not self.per_ip.take(self.client_ip(request)) or not self.per_address.take(visitor.address.user):
            raise Refused(429, "web.error_budget", draft=form.get("text", ""))
        try:
            await self.door.accept([incoming])
        except OSError:
            raise Refused(503, "web.error_store", draft=form.get("text", "")) from None
        if "application/json" in request.headers.get("accept", ""):
            return self._remember(JSONResponse({"id": incoming.event_id.rpartition(":")[2]}, 202), visitor)
        conversation = self.door.conversation(visitor.address)
        if conversation is not None:
            await self.door.settled(conversation, WAIT_SECONDS)
        return self._remember(RedirectResponse("/#end", 303), visitor)

    def _incoming(self, visitor: Visitor, form: dict[str, str], lang: str) -> Incoming:
        text, choice = form.get("text", "").strip(), form.get("choice", "")
        if choice == "ticked:done":  # check boxes, sent with the button
            choice = f"ticked:{form['tick'] or 'none'}"
        if choice and len(choice) > CHOICE_LIMIT:
            raise Refused(400, "conversation.choice_unknown")
        if not choice and not text:
            raise Refused(400, "web.error_empty")
        if len(text) > TEXT_LIMIT:
            raise Refused(413, "web.error_long", draft=text, limit=TEXT_LIMIT)
        client_id = form.get("id", "")
        if not _CLIENT_ID.fullmatch(client_id):
            client_id = uuid.uuid4().hex
        return Incoming(
            visitor.address,
            f"{visitor.address.user[:16]}:{client_id}",
            self.now_ms(),
            text=None if choice else text,
            choice=choice or None,
            welcomed=True,
            lang=lang,
            message_id="" if choice else client_id,
        )

    async def end(self, request: Request) -> Response:
        """End and clear on this device: the next person here cannot see the conversation."""
        visitor = self.visitor(request)
        await self._form(request)
        lang = self._language(request, visitor)
        if visitor.conversation is not None:
            await self.door.end(visitor.conversation)
        response = self._sheet(lang, "web.ended_title", ["web.ended"])
        response.delete_cookie(COOKIE, path="/")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    async def forget(self, request: Request) -> Response:
        """Forget me: erased in the store, then this device lets go of it too."""
        visitor = self.visitor(request)
        await self._form(request)
        lang = self._language(request, visitor)
        if visitor.conversation is not None:
            event = f"{visitor.address.user[:16]}:{uuid.uuid4().hex}"
            await self.door.accept(
                [Incoming(visitor.address, event, self.now_ms(), choice="forget:yes", welcomed=True)]
            )
            if not await self.door.settled(visitor.conversation, WAIT_SECONDS):
                raise Refused(503, "web.error_store")
        said = [] if visitor.conversation is None else self.door.shown(visitor.conversation)
        last = [entry.reply.text for entry in said[-1:]]  # the receipt, or why it must be kept
        if any(entry.author is Author.CITIZEN for entry in said):
            return self._sheet(lang, "web.error_title", [], lines=last)
        response = self._sheet(lang, "web.forgotten_title", ["conversation.forgotten"], lines=last)
        response.delete_cookie(COOKIE, path="/")
        return response

    async def resume(self, request: Request) -> Response:
        """A conversation from elsewhere goes on in this browser."""
        visitor = self.visitor(request)
        await self._form(request)
        if not self.per_ip.take(self.client_ip(request)):
            raise Refused(429, "web.error_budget")
        event = f"{visitor.address.user[:16]}:{uuid.uuid4().hex}"
        token = request.path_params["token"][:CHOICE_LIMIT]
        lang = "" if visitor.conversation is None else self._language(request, visitor)
        await self.door.accept(
            [Incoming(visitor.address, event, self.now_ms(), choice="resume", resume=token, welcomed=True, lang=lang)]
        )
        conversation = self.door.conversation(visitor.address)
        if conversation is not None:
            await self.door.settled(conversation, WAIT_SECONDS)
        return self._remember(RedirectResponse("/#end", 303), visitor)

    async def events(self, request: Request) -> Response:
        """New lines as they come, by sequence number; a reconnecting browser says the last one it has."""
        try:
            visitor = self.visitor(request)
        except Refused:
            return Response(status_code=204)  # tells EventSource to stop trying
        if visitor.conversation is None:
            return Response(status_code=204)
        return stream(request, self.door, self.pages, visitor.conversation)


def _address(token: str) -> Address:
    return Address(CHANNEL, "", hashlib.sha256(token.encode()).hexdigest())
