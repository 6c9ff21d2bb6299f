"""Accounts of the desk: who has one, in which role; one-time passwords; closing and opening."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.clock import TAIPEI
from bot.desk.auth import ABSOLUTE_SECONDS, IDLE_SECONDS, ROLES, hash_password, one_time_password
from bot.desk.frame import Frame
from bot.desk.rights import Right
from bot.pipeline.hub import DESK
from bot.store.people import LastAdmin, NoSuchAccount
from bot.store.records import StaffRow

PAGE = "/desk/people"
NAME_LIMIT = 40
Change = Callable[[int], Awaitable[None]]


@dataclass
class People:
    """Every change asks for the password if that was long ago, and none is made to one's own account."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        get, post = self.frame.get, self.frame.post
        return [
            Route("/desk/people", get(self.people, Right.PEOPLE), methods=["GET"]),
            Route("/desk/people", post(self.add, Right.PEOPLE), methods=["POST"]),
            Route("/desk/people/{id:int}/role", post(self.role, Right.PEOPLE), methods=["POST"]),
            Route("/desk/people/{id:int}/disable", post(self.disable, Right.PEOPLE), methods=["POST"]),
            Route("/desk/people/{id:int}/enable", post(self.enable, Right.PEOPLE), methods=["POST"]),
            Route("/desk/people/{id:int}/password", post(self.password, Right.PEOPLE), methods=["POST"]),
            Route("/desk/people/{id:int}/code", post(self.code, Right.PEOPLE), methods=["POST"]),
            Route("/desk/people/{id:int}/unlink", post(self.unlink, Right.PEOPLE), methods=["POST"]),
        ]

    async def people(self, request: Request, staff: StaffRow) -> Response:
        """The list, and the form for a new account."""
        asked = request.query_params
        return self._people(request, staff, name=asked.get("name", ""), role=asked.get("role", ""))

    def _people(
        self,
        request: Request,
        staff: StaffRow,
        status: int = 200,
        *,
        error: str = "",
        name: str = "",
        role: str = "",
        secret: tuple[str, str] | None = None,
    ) -> Response:
        rows = self.frame.house.store.people.listing(IDLE_SECONDS, ABSOLUTE_SECONDS)
        return self.frame.render(
            request,
            "people",
            status,
            staff=staff,
            error=self.frame.words(request, f"desk_people.{error}", limit=NAME_LIMIT) if error else "",
            people=[(row, _time(row.seen_at)) for row in rows],
            roles=ROLES,
            linked=self.frame.house.store.identities.all_linked(),
            names=dict(self.frame.resources.pages.languages),
            form={"name": name[:NAME_LIMIT], "role": role if role in ROLES else ROLES[0]},
            secret=secret,
        )

    async def add(self, request: Request, staff: StaffRow) -> Response:
        """A new account; its one-time password is shown on this page and never again."""
        form = await self.frame.form(request)
        name, role = form.get("name", "").strip(), form.get("role", "")
        if not self.frame.confirmed(request, staff):
            return self.frame.ask_again(f"{PAGE}?{urlencode({'name': name[:NAME_LIMIT], 'role': role[:NAME_LIMIT]})}")
        if error := self._fault(name, role):
            return self._people(request, staff, 400, error=error, name=name, role=role)
        password = one_time_password()
        hashed = await asyncio.to_thread(hash_password, password)
        try:
            number = await self.frame.house.store.people.add(name, role, hashed)
        except ValueError:
            return self._people(request, staff, 409, error="error_name_taken", name=name, role=role)
        await self.frame.house.store.note(staff.id, "staff.add", f"staff/{number}")
        return self._people(request, staff, secret=(name, password))

    def _fault(self, name: str, role: str) -> str:
        """What is wrong with a new account. Citizens see the name, so none may look like another."""
        if not 0 < len(name) <= NAME_LIMIT or not name.isprintable():
            return "error_name"
        if role not in ROLES:
            return "error_role"
        rows = self.frame.house.store.people.listing(IDLE_SECONDS, ABSOLUTE_SECONDS)
        return "error_name_taken" if _alike(name) in {_alike(row.name) for row in rows} else ""

    async def role(self, request: Request, staff: StaffRow) -> Response:
        """Another role: the account's sessions end, the next log-in has the new rights."""
        role = (await self.frame.form(request)).get("role", "")
        if role not in ROLES:
            return self._people(request, staff, 400, error="error_role")
        store = self.frame.house.store.people
        return await self._change(request, staff, f"staff.role_{role}", lambda number: store.set_role(number, role))

    async def disable(self, request: Request, staff: StaffRow) -> Response:
        """Close an account: its sessions end at once."""
        return await self._change(request, staff, "staff.disable", self.frame.house.store.people.disable)

    async def enable(self, request: Request, staff: StaffRow) -> Response:
        """Open it again."""
        return await self._change(request, staff, "staff.enable", self.frame.house.store.people.enable)

    async def code(self, request: Request, staff: StaffRow) -> Response:
        """For somebody who lost the authenticator and the recovery codes: log in without, then set up anew."""
        return await self._change(request, staff, "staff.code_reset", self.frame.house.store.second.reset)

    async def unlink(self, request: Request, staff: StaffRow) -> Response:
        """No log-in by the identity provider any more, until its owner connects the account anew."""
        return await self._change(request, staff, "staff.unlink", self.frame.house.store.identities.unlink)

    async def password(self, request: Request, staff: StaffRow) -> Response:
        """A one-time password in place of the forgotten one; shown on this page and never again."""
        password = one_time_password()

        async def change(number: int) -> None:
            hashed = await asyncio.to_thread(hash_password, password)
            await self.frame.house.store.people.reset_password(number, hashed)

        return await self._change(request, staff, "staff.password_reset", change, password)

    async def _change(
        self, request: Request, staff: StaffRow, action: str, change: Change, password: str = ""
    ) -> Response:
        number = int(request.path_params["id"])
        if not self.frame.confirmed(request, staff):
            return self.frame.ask_again(PAGE)
        if number == staff.id:
            return self._people(request, staff, 403, error="error_own")
        try:
            await change(number)
        except NoSuchAccount:
            return self._people(request, staff, 404, error="error_no_account")
        except LastAdmin:
            return self._people(request, staff, 409, error="error_last_admin")
        await self.frame.house.store.note(staff.id, action, f"staff/{number}")
        self.frame.house.hub.publish(DESK)  # open pages of an ended session notice it
        if not password:
            return RedirectResponse(PAGE, 303)
        rows = self.frame.house.store.people.listing(IDLE_SECONDS, ABSOLUTE_SECONDS)
        name = next(row.name for row in rows if row.id == number)
        return self._people(request, staff, secret=(name, password))


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _time(at: float | None) -> str:
    return datetime.fromtimestamp(at, TAIPEI).strftime("%Y-%m-%d %H:%M") if at else ""
