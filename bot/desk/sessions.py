"""Coming and going: log-in, log-out, an own password."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk.auth import SHORTEST_PASSWORD, hash_password
from bot.desk.frame import Frame
from bot.desk.rights import Right
from bot.pipeline.hub import DESK
from bot.store.records import StaffRow


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
            Route("/desk/logout", frame.post(self.logout), methods=["POST"]),
            Route("/desk/password", frame.get(self.password_page, Right.OWN_PASSWORD), methods=["GET"]),
            Route("/desk/password", frame.post(self.password, Right.OWN_PASSWORD), methods=["POST"]),
        ]

    async def login_page(self, request: Request) -> Response:
        """The form to log in."""
        return self.frame.render(request, "login", error=None, name="")

    async def login(self, request: Request) -> Response:
        """Check name and password; the same words for every kind of no."""
        form = await self.frame.form(request)
        name = form.get("name", "").strip()
        staff = await self.frame.door.check(request, name, form.get("password", ""))
        if staff is None or isinstance(staff, bool):
            key, status = ("desk.error_login", 401) if staff is None else ("desk.error_tries", 429)
            return self.frame.render(request, "login", status, error=self.frame.words(request, key), name=name)
        response = RedirectResponse("/desk/password" if staff.must_change else "/desk", 303)
        await self.frame.door.enter(response, staff)
        self.frame.house.hub.publish(DESK)
        return response

    async def logout(self, request: Request, staff: StaffRow) -> Response:
        """End the session."""
        response = RedirectResponse("/desk/login", 303)
        await self.frame.door.leave(request, response)
        await self.frame.house.store.note(staff.id, "logout", f"staff/{staff.id}")
        return response

    async def password_page(self, request: Request, staff: StaffRow) -> Response:
        """The form for an own password."""
        return self.frame.render(request, "password", error=None, name=staff.name)

    async def password(self, request: Request, staff: StaffRow) -> Response:
        """An own password: long enough, typed twice, not the name. Every other session ends."""
        form = await self.frame.form(request)
        fresh = form.get("password", "")
        key = ""
        if len(fresh) < SHORTEST_PASSWORD or fresh.casefold() == staff.name.casefold():
            key = "desk.error_password_short"
        elif fresh != form.get("again", ""):
            key = "desk.error_password_again"
        if key:
            error = self.frame.words(request, key, shortest=SHORTEST_PASSWORD)
            return self.frame.render(request, "password", 400, error=error, name=staff.name)
        await self.frame.house.store.set_password(staff.id, hash_password(fresh))
        await self.frame.house.store.note(staff.id, "password", f"staff/{staff.id}")
        response = RedirectResponse("/desk", 303)
        await self.frame.door.enter(response, staff)
        return response
