"""An own account: languages, the second step of the log-in, the sessions that stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.clock import TAIPEI
from bot.desk import codes
from bot.desk.auth import ABSOLUTE_SECONDS, IDLE_SECONDS
from bot.desk.frame import Frame
from bot.desk.rights import Right
from bot.store.records import StaffRow

PAGE = "/desk/account"
CODE_PAGE = "/desk/account/code"


@dataclass
class Account:
    """Every account has this page. What concerns the log-in asks for the password if that was long ago."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        get, post = self.frame.get, self.frame.post
        return [
            Route("/desk/account", get(self.account), methods=["GET"]),
            Route("/desk/account/languages", post(self.languages), methods=["POST"]),
            Route("/desk/account/sessions/end", post(self.end), methods=["POST"]),
            Route("/desk/account/sessions/others", post(self.end_others), methods=["POST"]),
            Route("/desk/account/code", get(self.code_page, Right.OWN_CODE), methods=["GET"]),
            Route("/desk/account/code", post(self.code, Right.OWN_CODE), methods=["POST"]),
            Route("/desk/account/code/new", post(self.new_code, Right.OWN_CODE), methods=["POST"]),
            Route("/desk/account/code/off", post(self.code_off), methods=["POST"]),
            Route("/desk/account/code/recovery", post(self.recovery), methods=["POST"]),
        ]

    async def account(self, request: Request, staff: StaffRow) -> Response:
        """The page."""
        return self._account(request, staff)

    def _account(self, request: Request, staff: StaffRow, status: int = 200, error: str = "") -> Response:
        store, own = self.frame.house.store, self.frame.door.session(request)
        return self.frame.render(
            request,
            "account",
            status,
            staff=staff,
            error=error,
            languages=self.frame.resources.pages.languages,
            second=store.second.of(staff.id),
            required=self.frame.totp_required,
            linked=bool(self.frame.provider and store.identities.linked(self.frame.provider.issuer, staff.id)),
            sessions=[
                {
                    "id": row.token_hash.hex(),
                    "since": _time(row.opened_at),
                    "seen": _time(row.seen_at),
                    "this": row.token_hash == own,
                }
                for row in store.people.sessions(staff.id, IDLE_SECONDS, ABSOLUTE_SECONDS)
            ],
        )

    async def languages(self, request: Request, staff: StaffRow) -> Response:
        """The languages that this caseworker answers in."""
        form = await self.frame.form(request)
        chosen = [code for code, _ in self.frame.resources.pages.languages if f"lang_{code}" in form]
        await self.frame.house.store.people.set_languages(staff.id, chosen)
        await self._note(staff, "account.languages")
        return RedirectResponse(PAGE, 303)

    # -- sessions

    async def end(self, request: Request, staff: StaffRow) -> Response:
        """End one of the own sessions; anybody else's is not found among them."""
        form = await self.frame.form(request)
        try:
            token_hash = bytes.fromhex(form.get("session", ""))
        except ValueError:
            return self._account(request, staff, 400, self.frame.words(request, "desk_people.error_session"))
        await self.frame.house.store.people.end_session(staff.id, token_hash)
        await self._note(staff, "account.session_end")
        return RedirectResponse(PAGE, 303)

    async def end_others(self, request: Request, staff: StaffRow) -> Response:
        """End every session but this one."""
        await self.frame.house.store.people.end_others(staff.id, self.frame.door.session(request))
        await self._note(staff, "account.sessions_end")
        return RedirectResponse(PAGE, 303)

    # -- the second step

    async def code_page(self, request: Request, staff: StaffRow) -> Response:
        """Setting up an authenticator: begin, or the secret that waits to be proven."""
        return self._code(request, staff)

    def _code(self, request: Request, staff: StaffRow, status: int = 200, error: str = "") -> Response:
        if not self.frame.confirmed(request, staff):
            return self.frame.ask_again(CODE_PAGE)
        wanted = self.frame.house.store.second.of(staff.id).wanted
        house = self.frame.words(request, "desk.title")
        return self.frame.render(
            request,
            "account_code",
            status,
            staff=staff,
            error=error,
            required=self.frame.totp_required and not staff.second,
            secret=codes.grouped(wanted),
            drawn=codes.drawn(wanted, staff.name, house) if wanted else "",
            recovery=[],
        )

    async def new_code(self, request: Request, staff: StaffRow) -> Response:
        """A fresh secret to set up; one that is in force stays so until the fresh one is proven."""
        if not self.frame.confirmed(request, staff):
            return self.frame.ask_again(CODE_PAGE)
        await self.frame.house.store.second.want(staff.id, codes.fresh_secret())
        return RedirectResponse(CODE_PAGE, 303)

    async def code(self, request: Request, staff: StaffRow) -> Response:
        """The first code proves the secret: from now on codes are asked. Recovery codes are shown once."""
        if not self.frame.confirmed(request, staff):
            return self.frame.ask_again(CODE_PAGE)
        form = await self.frame.form(request)
        secret = self.frame.house.store.second.of(staff.id).wanted
        typed = codes.typed(form.get("code", ""))[:100]
        step = codes.step_of(secret, typed, self.frame.door.now()) if secret else None
        fresh = codes.fresh_recovery()
        hashes = [codes.recovery_hash(code) for code in fresh]
        if step is None or not await self.frame.house.store.second.keep(staff.id, secret, step, hashes):
            return self._code(request, staff, 400, self.frame.words(request, "desk_people.error_code"))
        await self.frame.house.store.people.end_others(staff.id, self.frame.door.session(request))
        await self._note(staff, "account.code_on")
        return self._shown_once(request, staff, fresh)

    async def recovery(self, request: Request, staff: StaffRow) -> Response:
        """Other recovery codes; the old ones are worth nothing any more."""
        if not self.frame.confirmed(request, staff):
            return self.frame.ask_again(PAGE)
        if not staff.second:
            return RedirectResponse(CODE_PAGE, 303)
        fresh = codes.fresh_recovery()
        await self.frame.house.store.second.new_recovery(staff.id, [codes.recovery_hash(code) for code in fresh])
        await self._note(staff, "account.recovery")
        return self._shown_once(request, staff, fresh)

    def _shown_once(self, request: Request, staff: StaffRow, recovery: list[str]) -> Response:
        return self.frame.render(
            request,
            "account_code",
            staff=staff,
            error="",
            required=False,
            secret="",
            drawn="",
            recovery=recovery,
        )

    async def code_off(self, request: Request, staff: StaffRow) -> Response:
        """No code at the log-in any more, where the house leaves that to each."""
        if not self.frame.confirmed(request, staff):
            return self.frame.ask_again(PAGE)
        if self.frame.totp_required:
            return self._account(request, staff, 409, self.frame.words(request, "desk_people.error_code_required"))
        await self.frame.house.store.second.drop(staff.id)
        await self._note(staff, "account.code_off")
        return RedirectResponse(PAGE, 303)

    async def _note(self, staff: StaffRow, action: str) -> None:
        await self.frame.house.store.note(staff.id, action, f"staff/{staff.id}")


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, TAIPEI).strftime("%Y-%m-%d %H:%M")
