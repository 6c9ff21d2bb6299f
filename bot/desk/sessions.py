"""Coming and going: log-in with its second step, log-out, an own password, the password asked again."""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk.auth import BY_PASSWORD, LONGEST_PASSWORD, SHORTEST_PASSWORD, hash_password
from bot.desk.frame import Frame
from bot.desk.patience import TooMany
from bot.desk.rights import Right
from bot.pipeline.hub import DESK
from bot.store.records import StaffRow

# Where the log-in leads on to: pages of the desk alone, never another host.
NEXT = re.compile(r"/desk(?:/[\w-]+)*(?:\?[\w=&.%+-]*)?", re.ASCII)


@dataclass
class Sessions:
    """The pages of an account's own session."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        frame = self.frame
        return [
            Route("/desk/login", self.login_page, methods=["GET"]),
            Route("/desk/login", frame.safely(self.login), methods=["POST"]),
            Route("/desk/login/code", self.code_page, methods=["GET"]),
            Route("/desk/login/code", frame.safely(self.code), methods=["POST"]),
            Route("/desk/logout", frame.post(self.logout), methods=["POST"]),
            Route("/desk/password", frame.get(self.password_page, Right.OWN_PASSWORD), methods=["GET"]),
            Route("/desk/password", frame.post(self.password, Right.OWN_PASSWORD), methods=["POST"]),
            Route("/desk/confirm", frame.get(self.confirm_page, Right.OWN_CODE), methods=["GET"]),
            Route("/desk/confirm", frame.post(self.confirm, Right.OWN_CODE), methods=["POST"]),
        ]

    # -- log-in and log-out

    async def login_page(self, request: Request) -> Response:
        """The form to log in."""
        return self.frame.render(request, "login", error=None, name="")

    async def login(self, request: Request) -> Response:
        """Check name and password; the same words for every kind of no."""
        form = await self.frame.form(request)
        name = form.get("name", "").strip()
        try:
            staff = await self.frame.door.check(request, name, form.get("password", ""))
        except TooMany as error:
            return self._later(request, "login", error, name=name)
        if staff is None:
            error_text = self.frame.words(request, "desk.error_login")
            return self.frame.render(request, "login", 401, error=error_text, name=name)
        if staff.second:
            response = RedirectResponse("/desk/login/code", 303)
            await self.frame.door.enter_half(response, staff)
            return response
        return await self._inside(request, staff)

    async def code_page(self, request: Request) -> Response:
        """The form for the code, after a right password."""
        if self.frame.door.half(request) is None:
            return await self._elsewhere(request)
        return self.frame.render(request, "login_code", error=None)

    async def code(self, request: Request) -> Response:
        """Check the code of the authenticator, or a recovery code; each counts once."""
        staff = self.frame.door.half(request)
        if staff is None:
            return await self._elsewhere(request)
        form = await self.frame.form(request)
        try:
            how = await self.frame.door.check_code(request, staff, form.get("code", ""))
        except TooMany as error:
            return self._later(request, "login_code", error)
        if not how:
            error_text = self.frame.words(request, "desk_people.error_code")
            return self.frame.render(request, "login_code", 401, error=error_text)
        if how == "recovery":
            await self.frame.house.store.note(staff.id, "login.recovery", f"staff/{staff.id}")
        return await self._inside(request, staff)

    async def _inside(self, request: Request, staff: StaffRow) -> Response:
        response = RedirectResponse("/desk/password" if staff.must_change else "/desk", 303)
        first = await self.frame.door.leave_half(request, response) if staff.second else BY_PASSWORD
        if not first:
            return await self._elsewhere(request)  # the password was changed, or the account closed, meanwhile
        await self.frame.door.enter(request, response, staff, first)
        self.frame.house.hub.publish(DESK)
        return response

    async def _elsewhere(self, request: Request) -> Response:
        """No log-in is half open: to the log-in, or inside where somebody is logged in."""
        staff = await self.frame.door.staff(request)
        if staff is None:
            return RedirectResponse("/desk/login", 303)
        return RedirectResponse("/desk/password" if staff.must_change else "/desk", 303)

    def _later(self, request: Request, page: str, error: TooMany, **context: Any) -> Response:
        """Too many tries: when to come again. Nothing says whether what was typed is right."""
        pause = self.frame.words(request, "desk.minutes", count=math.ceil(error.seconds / 60))
        text = self.frame.words(request, "desk_people.error_tries", time=pause)
        response = self.frame.render(request, page, 429, error=text, **context)
        response.headers["retry-after"] = str(math.ceil(error.seconds))
        return response

    async def logout(self, request: Request, staff: StaffRow) -> Response:
        """End the session."""
        response = RedirectResponse("/desk/login", 303)
        await self.frame.door.leave(request, response)
        await self.frame.house.store.note(staff.id, "logout", f"staff/{staff.id}")
        return response

    # -- an own password

    async def password_page(self, request: Request, staff: StaffRow) -> Response:
        """The form for an own password."""
        return self.frame.render(request, "password", error=None, name=staff.name, first=staff.must_change)

    async def password(self, request: Request, staff: StaffRow) -> Response:
        """An own password: long enough, typed twice, not the name; the old one is asked. Every other session ends."""
        form = await self.frame.form(request)
        try:
            key = await self._fault(request, staff, form)
        except TooMany as error:
            return self._later(request, "password", error, name=staff.name, first=staff.must_change)
        if key:
            error_text = self.frame.words(request, key, shortest=SHORTEST_PASSWORD)
            return self.frame.render(
                request, "password", 400, error=error_text, name=staff.name, first=staff.must_change
            )
        hashed = await asyncio.to_thread(hash_password, form["password"])
        await self.frame.house.store.set_password(staff.id, hashed)
        await self.frame.house.store.note(staff.id, "password", f"staff/{staff.id}")
        response = RedirectResponse("/desk", 303)
        await self.frame.door.enter(request, response, staff)
        return response

    async def _fault(self, request: Request, staff: StaffRow, form: dict[str, str]) -> str:
        """What is wrong with a new password; empty when nothing is. One handed over once is never asked again."""
        fresh = form.get("password", "")
        if len(fresh) < SHORTEST_PASSWORD or fresh.casefold() == staff.name.casefold():
            return "desk.error_password_short"
        if len(fresh) > LONGEST_PASSWORD:
            return "desk_people.error_password_long"
        if fresh != form.get("again", ""):
            return "desk.error_password_again"
        if staff.must_change:
            return ""
        right = await self.frame.door.check(request, staff.name, form.get("current", ""))
        return "" if right else "desk_people.error_current"

    # -- the password asked again

    async def confirm_page(self, request: Request, staff: StaffRow) -> Response:
        """The form that asks for the password before something weighty."""
        return self._confirm(request, staff, request.query_params.get("next", ""))

    def _confirm(self, request: Request, staff: StaffRow, onward: str, error: str = "", status: int = 200) -> Response:
        return self.frame.render(request, "confirm", status, staff=staff, error=error, next=safe_next(onward))

    async def confirm(self, request: Request, staff: StaffRow) -> Response:
        """Check it, and go on to the page that asked."""
        form = await self.frame.form(request)
        onward = safe_next(form.get("next", ""))
        try:
            right = await self.frame.door.check(request, staff.name, form.get("password", ""))
        except TooMany as error:
            return self._later(request, "confirm", error, staff=staff, next=onward)
        if right is None:
            return self._confirm(request, staff, onward, self.frame.words(request, "desk_people.error_current"), 401)
        await self.frame.door.confirm(request)
        return RedirectResponse(onward, 303)


def safe_next(path: str) -> str:
    """The path if it is one of the desk's pages, else the desk's first page."""
    return path if len(path) <= 500 and NEXT.fullmatch(path) else "/desk"
