"""The routes of the desk. Every change is a form from our own page and one conditional step in the store."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.channels.body import BodyTooLarge, read_body
from bot.channels.text import sound
from bot.channels.visitors import own_page
from bot.channels.web import METHODS
from bot.desk import files, views
from bot.desk.auth import ANSWERING, SHORTEST_PASSWORD, Doorkeeper, hash_password
from bot.messages import Notice, Reply
from bot.pipeline.house import House
from bot.pipeline.hub import DESK
from bot.pipeline.resources import Resources
from bot.store.cases import VIEWS
from bot.store.records import CaseRow, CaseTaken, NotHolder, StaffRow

BODY_LIMIT = 200_000
REPLY_LIMIT = 4000
POLL_SECONDS = 15.0
FORM = "application/x-www-form-urlencoded"
Handler = Callable[[Request, StaffRow], Awaitable[Response]]


@dataclass
class Desk:
    """Pages and actions of the desk."""

    house: House
    resources: Resources
    secure: bool
    client_ip: Callable[[Request], str]
    door: Doorkeeper = field(init=False)

    def __post_init__(self) -> None:
        self.door = Doorkeeper(self.house.store, self.secure, self.client_ip)

    def routes(self) -> list[Route]:
        """One list: what the desk answers to, and at the end every other method on the same paths."""
        routes = [
            Route("/desk/login", self.login_page, methods=["GET"]),
            Route("/desk/login", self._safely(self.login), methods=["POST"]),
            Route("/desk/logout", self._post(self.logout), methods=["POST"]),
            Route("/desk/password", self._get(self.password_page, changing=True), methods=["GET"]),
            Route("/desk/password", self._post(self.password, changing=True), methods=["POST"]),
            Route("/desk", self._get(self.queue), methods=["GET"]),
            Route("/desk/events", self._get(self.events), methods=["GET"]),
            Route("/desk/cases/{id:int}", self._get(self.case), methods=["GET"]),
            Route("/desk/files/{id:int}", self._get(self.file), methods=["GET"]),
            Route("/desk/cases/{id:int}/claim", self._post(self.claim), methods=["POST"]),
            Route("/desk/cases/{id:int}/reply", self._post(self.reply), methods=["POST"]),
            Route("/desk/cases/{id:int}/draft", self._post(self.draft), methods=["POST"]),
            Route("/desk/cases/{id:int}/close", self._post(self.close), methods=["POST"]),
            Route("/desk/cases/{id:int}/propose", self._post(self.propose), methods=["POST"]),
        ]
        return [
            *routes,
            *(Route(path, self.wrong_method, methods=METHODS) for path in {route.path for route in routes}),
        ]

    # -- who may come in

    def _get(self, handler: Handler, changing: bool = False) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            staff = await self.door.staff(request)
            if staff is None:
                return RedirectResponse("/desk/login", 303)
            if staff.must_change and not changing:
                return RedirectResponse("/desk/password", 303)
            return await handler(request, staff)

        return guarded

    def _post(self, handler: Handler, changing: bool = False) -> Callable[[Request], Awaitable[Response]]:
        return self._safely(self._get(handler, changing))

    def _safely(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Only from our own pages; when the store cannot be written a page says that nothing was kept."""

        async def safe(request: Request) -> Response:
            if not own_page(request):
                return self._error(request, "desk.error_origin", 403)
            try:
                return await handler(request)
            except OSError:
                return self._error(request, "web.error_store", 503)

        return safe

    async def wrong_method(self, request: Request) -> Response:
        """Opening the address of a form leads to the page it is on; anything else is refused."""
        if request.method in ("GET", "HEAD"):
            case = request.path_params.get("id")
            return RedirectResponse(f"/desk/cases/{case}" if case else "/desk", 303)
        return self._error(request, "desk.error_origin", 405)

    def _lang(self, request: Request) -> str:
        """Chinese first; English for a browser that asks for it before Chinese."""
        header = request.headers.get("accept-language", "").lower()
        return "en" if header.startswith("en") and "zh" not in header.split(";")[0] else "zh-TW"

    def _render(self, request: Request, page: str, status: int = 200, **context: Any) -> Response:
        html = self.resources.pages.render(f"desk/{page}.html", self._lang(request), **context)
        return HTMLResponse(html, status)

    def _words(self, request: Request, key: str, **params: Any) -> str:
        return self.resources.pages.words(self._lang(request), key, **params)

    def _error(self, request: Request, key: str, status: int) -> Response:
        pages, lang = self.resources.pages, self._lang(request)
        link = {"label": pages.words(lang, "desk.back"), "href": "/desk"}
        html = pages.render(
            "web/page.html",
            lang,
            title=pages.words(lang, "web.error_title"),
            paragraphs=[pages.words(lang, key)],
            links=[link],
            actions=[],
        )
        return HTMLResponse(html, status)

    async def _form(self, request: Request) -> dict[str, str]:
        """The fields of a form; an unreadable one has none."""
        if request.headers.get("content-type", FORM).partition(";")[0].strip().lower() != FORM:
            return {}
        try:
            body = await read_body(request, BODY_LIMIT)
            fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
        except (BodyTooLarge, ValueError):
            return {}
        return {name: sound(value) for name, value in fields}

    # -- coming and going

    async def login_page(self, request: Request) -> Response:
        """The form to log in."""
        return self._render(request, "login", error=None, name="")

    async def login(self, request: Request) -> Response:
        """Check name and password; the same words for every kind of no."""
        form = await self._form(request)
        name = form.get("name", "").strip()
        staff = await self.door.check(request, name, form.get("password", ""))
        if staff is None or isinstance(staff, bool):
            key, status = ("desk.error_login", 401) if staff is None else ("desk.error_tries", 429)
            return self._render(request, "login", status, error=self._words(request, key), name=name)
        response = RedirectResponse("/desk/password" if staff.must_change else "/desk", 303)
        await self.door.enter(response, staff)
        self.house.hub.publish(DESK)
        return response

    async def logout(self, request: Request, staff: StaffRow) -> Response:
        """End the session."""
        response = RedirectResponse("/desk/login", 303)
        await self.door.leave(request, response)
        await self.house.store.note(staff.id, "logout", f"staff/{staff.id}")
        return response

    async def password_page(self, request: Request, staff: StaffRow) -> Response:
        """The form for an own password."""
        return self._render(request, "password", error=None, name=staff.name)

    async def password(self, request: Request, staff: StaffRow) -> Response:
        """An own password: long enough, typed twice, not the name. Every other session ends."""
        form = await self._form(request)
        fresh = form.get("password", "")
        key = ""
        if len(fresh) < SHORTEST_PASSWORD or fresh.casefold() == staff.name.casefold():
            key = "desk.error_password_short"
        elif fresh != form.get("again", ""):
            key = "desk.error_password_again"
        if key:
            error = self._words(request, key, shortest=SHORTEST_PASSWORD)
            return self._render(request, "password", 400, error=error, name=staff.name)
        await self.house.store.set_password(staff.id, hash_password(fresh))
        await self.house.store.note(staff.id, "password", f"staff/{staff.id}")
        response = RedirectResponse("/desk", 303)
        await self.door.enter(response, staff)
        return response

    # -- cases

    async def queue(self, request: Request, staff: StaffRow) -> Response:
        """The list of cases of one view."""
        view = request.query_params.get("view", "waiting")
        view = view if view in VIEWS else "waiting"
        store = self.house.store
        lang = self._lang(request)
        now = self.resources.clock().timestamp()
        cases = [views.case(self.resources, row, lang, now) for row in store.cases(view, staff.id)]
        counts = store.case_counts(staff.id)
        return self._render(
            request, "queue", staff=staff, view=view, counts=counts, cases=cases, quota=self._quota(lang)
        )

    def _quota(self, lang: str) -> str:
        messenger = self.house.messengers.get("line")
        return views.quota(self.resources, messenger.allowance() if messenger else None, lang)

    async def file(self, request: Request, staff: StaffRow) -> Response:
        """A file that came with a message, for the holder of the case."""
        found = files.opened(self.house.store, request.path_params["id"], staff)
        if found is None:
            return self._error(request, "desk.file_not_holder", 403)
        await self.house.store.note(staff.id, "file.open", f"file/{found[0].id}")
        return files.response(*found)

    async def case(self, request: Request, staff: StaffRow) -> Response:
        """One case with its conversation."""
        return self._case(request, staff, self.house.store.case(request.path_params["id"]))

    def _case(
        self,
        request: Request,
        staff: StaffRow,
        row: CaseRow | None,
        error: str = "",
        status: int = 200,
        draft: str = "",
    ) -> Response:
        if row is None:
            return self._error(request, "desk.error_no_case", 404)
        context = views.conversation(self.resources, self.house.store, row, staff, self._lang(request))
        draft = draft or self.house.store.draft(row.id, staff.id)
        return self._render(
            request,
            "case",
            status,
            staff=staff,
            error=error,
            draft=draft,
            form_id=uuid.uuid4().hex,
            proposed=request.query_params.get("proposed", ""),
            quota=self._quota(self._lang(request)) if row.channel == "line" else "",
            **context,
        )

    def _changed(self, conversation: int) -> None:
        self.house.worker.wake.set()
        self.house.worker.sent.set()
        self.house.hub.publish(conversation)
        self.house.hub.publish(DESK)

    async def claim(self, request: Request, staff: StaffRow) -> Response:
        """Take a waiting case: from the same instant only this caseworker speaks."""
        row = self.house.store.case(request.path_params["id"])
        if row is None:
            return self._error(request, "desk.error_no_case", 404)
        if staff.role not in ANSWERING:
            return self._case(request, staff, row, self._words(request, "desk.error_role"), 403)
        notice = self.resources.renderer.say("conversation.case_claimed", row.lang, Notice.CASE, name=staff.name)
        try:
            await self.house.store.claim(row.id, staff.id, notice)
        except CaseTaken:
            error = self._words(request, "desk.error_taken")
            return self._case(request, staff, self.house.store.case(row.id), error, 409)
        await self.house.store.note(staff.id, "case.claim", f"case/{row.id}")
        self._changed(row.conversation)
        return RedirectResponse(f"/desk/cases/{row.id}", 303)

    async def reply(self, request: Request, staff: StaffRow) -> Response:
        """Answer the citizen; refused, with the text kept, when somebody else speaks now."""
        row = self.house.store.case(request.path_params["id"])
        if row is None:
            return self._error(request, "desk.error_no_case", 404)
        form = await self._form(request)
        text = form.get("text", "").strip()
        if not text or len(text) > REPLY_LIMIT:
            key = "desk.error_reply_long" if text else "desk.error_reply_empty"
            return self._case(request, staff, row, self._words(request, key, limit=REPLY_LIMIT), 400, text)
        try:
            form_id = form.get("id", "") or uuid.uuid4().hex
            await self.house.store.reply(
                row.id, staff.id, _whole(form.get("fence")), form_id, Reply(text, _script(text, row.lang))
            )
        except NotHolder:
            await self.house.store.keep_draft(row.id, staff.id, text)
            error = self._words(request, "desk.error_not_holder")
            return self._case(request, staff, self.house.store.case(row.id), error, 409, text)
        except OSError:
            return self._case(request, staff, row, self._words(request, "web.error_store"), 503, text)
        if self.house.store.draft(row.id, staff.id):
            await self.house.store.keep_draft(row.id, staff.id, "")
        self._changed(row.conversation)
        return RedirectResponse(f"/desk/cases/{row.id}", 303)

    async def draft(self, request: Request, staff: StaffRow) -> Response:
        """Keep what is being written."""
        row = self.house.store.case(request.path_params["id"])
        if row is None:
            return Response(status_code=404)
        form = await self._form(request)
        await self.house.store.keep_draft(row.id, staff.id, form.get("text", "")[:REPLY_LIMIT])
        return Response(status_code=204)

    async def close(self, request: Request, staff: StaffRow) -> Response:
        """End a held case: the bot is back and says so."""
        row = self.house.store.case(request.path_params["id"])
        if row is None:
            return self._error(request, "desk.error_no_case", 404)
        form = await self._form(request)
        notice = self.resources.renderer.say("conversation.case_closed", row.lang, Notice.CASE)
        try:
            await self.house.store.close_case(row.id, staff.id, _whole(form.get("fence")), notice)
        except NotHolder:
            error = self._words(request, "desk.error_not_holder")
            return self._case(request, staff, self.house.store.case(row.id), error, 409)
        await self.house.store.note(staff.id, "case.close", f"case/{row.id}")
        self._changed(row.conversation)
        return RedirectResponse("/desk", 303)

    async def propose(self, request: Request, staff: StaffRow) -> Response:
        """A verdict is thought wrong: the check goes to the authors of rules, without who it was."""
        row = self.house.store.case(request.path_params["id"])
        if row is None:
            return self._error(request, "desk.error_no_case", 404)
        if staff.role not in ANSWERING:
            return self._case(request, staff, row, self._words(request, "desk.error_role"), 403)
        form = await self._form(request)
        proposal = views.proposal(self.resources, self.house.store, row, form)
        if proposal is None:
            return self._case(request, staff, row, self._words(request, "desk.error_proposal"), 400)
        await self.house.store.propose(staff.id, proposal)
        await self.house.store.note(staff.id, "rule.propose", f"rule/{proposal.rule}")
        return RedirectResponse(f"/desk/cases/{row.id}?proposed={proposal.rule}", 303)

    # -- live

    async def events(self, request: Request, staff: StaffRow) -> Response:
        """Says only "changed": the page looks again for itself."""
        return EventSourceResponse(self._stream(request), ping=15, headers={"Cache-Control": "no-store"})

    async def _stream(self, request: Request) -> AsyncIterator[ServerSentEvent]:
        first = True
        async for _ in self.house.hub.watch(DESK, POLL_SECONDS):
            if await self.door.staff(request) is None:
                return
            if not first:
                yield ServerSentEvent("", event="changed")
            first = False


def _script(text: str, lang: str) -> str:
    """The language to mark a caseworker's own words with: Chinese where Han characters stand."""
    return "zh-TW" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else lang


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 12 else -1
