"""Log-in with the city's identity provider: there, back, and an account connected with who somebody is there."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot import observe
from bot.channels.budget import Budget
from bot.desk.auth import ABSOLUTE_SECONDS, BY_PROVIDER, IDLE_SECONDS, token_hash
from bot.desk.frame import Frame
from bot.pipeline.hub import DESK
from bot.store.identities import Attempt
from bot.store.records import StaffRow

if TYPE_CHECKING:
    from bot.desk.provider import Provider

START = "/desk/login/oidc"
BACK = "/desk/login/oidc/back"
ACCOUNT = "/desk/account"
BROWSER = "labor_desk_oidc"
SECONDS = 600
PER_MINUTE_IP = 60  # an office shares one


class ProviderAway(Exception):
    """The identity provider does not answer, or not as one does."""


class Refused(Exception):
    """What came back proves nothing."""


@dataclass
class Oidc:
    """The pages of it; without a provider they lead to the log-in and the account. Passwords work beside it.

    The browser that comes back was sent by another site, so it shows no session (SameSite=Strict): it is known by a
    cookie of its own, for these paths and ten minutes. Only then our own page leads on, and the session is shown.
    """

    frame: Frame
    _budget: Budget = field(default_factory=lambda: Budget(PER_MINUTE_IP, time.monotonic))

    def routes(self) -> list[Route]:
        """Its routes."""
        frame = self.frame
        return [
            Route("/desk/login/oidc", frame.safely(self.start), methods=["GET"]),
            Route("/desk/login/oidc/back", self.back, methods=["GET"]),
            Route("/desk/account/oidc", frame.post(self.connect), methods=["GET"]),
        ]

    # -- there

    async def start(self, request: Request) -> Response:
        """To the provider, for a log-in. Only our own page leads here."""
        if self.frame.provider is None:
            return RedirectResponse("/desk/login", 303)
        way = await self._way(request, self.frame.provider, None)
        if isinstance(way, Response):
            return way
        url, browser = way
        return self._known(RedirectResponse(url, 303), browser)

    async def connect(self, request: Request, staff: StaffRow) -> Response:
        """To the provider, to connect the own account; after the password."""
        provider = self.frame.provider
        if provider is None or self.frame.house.store.identities.linked(provider.issuer, staff.id):
            return RedirectResponse(ACCOUNT, 303)
        if not self.frame.confirmed(request, staff):
            return self.frame.ask_again("/desk/account/oidc")
        way = await self._way(request, provider, staff)
        if isinstance(way, Response):
            return way
        url, browser = way
        # A page of its own: the form before may lead to no other site, by our content policy.
        return self._known(self._onward(request, url, "there"), browser)

    async def _way(self, request: Request, provider: Provider, staff: StaffRow | None) -> tuple[str, str] | Response:
        """The address there and what the browser will be known by; or the page that says why not."""
        if not self._budget.take(self.frame.client_ip(request)):
            return self._no(request, "error_tries", 429, staff is not None)
        state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        attempt = Attempt(
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(64),
            session=self.frame.door.session(request),
            staff_id=staff.id if staff else None,
        )
        try:
            url = await provider.way_out(state, attempt)
        except ProviderAway:
            return self._no(request, "error_away", 503, staff is not None)
        identities = self.frame.house.store.identities
        await identities.begin(token_hash(state), token_hash(browser), attempt, SECONDS)
        return url, browser

    def _known(self, response: Response, browser: str) -> Response:
        response.set_cookie(
            BROWSER, browser, SECONDS, path=START, httponly=True, samesite="lax", secure=self.frame.secure
        )
        return response

    # -- and back

    async def back(self, request: Request) -> Response:
        """From the provider, with a code or a refusal; each way back is gone once."""
        if self.frame.provider is None:
            return RedirectResponse("/desk/login", 303)
        try:
            response = await self._back(request, self.frame.provider)
        except OSError:
            return self.frame.error(request, "web.error_store", 503)
        response.delete_cookie(BROWSER, path=START)
        return response

    async def _back(self, request: Request, provider: Provider) -> Response:
        asked = request.query_params
        browser = request.cookies.get(BROWSER, "")
        identities = self.frame.house.store.identities
        attempt = await identities.take(token_hash(asked.get("state", "")), token_hash(browser), SECONDS)
        if attempt is None:
            observe.count("oidc.no_attempt")
            return self._no(request, "error_again", 400)
        connects = attempt.staff_id is not None
        if "error" in asked:
            return self._no(request, "error_cancelled", 400, connects)
        try:
            subject = await provider.subject(asked.get("code", ""), asked.get("iss"), attempt)
        except ProviderAway:
            return self._no(request, "error_away", 503, connects)
        except Refused:
            observe.count("oidc.refused")
            return self._no(request, "error_again", 400, connects)
        arrive = self._connected if connects else self._logged_in
        return await arrive(request, attempt, provider.issuer, subject)

    async def _logged_in(self, request: Request, attempt: Attempt, issuer: str, subject: str) -> Response:
        """A session for the account that is connected with the subject; the code of the account is asked as ever."""
        house, door = self.frame.house, self.frame.door
        staff = house.store.identities.account(issuer, subject)
        if staff is None:
            observe.count("oidc.unknown_subject")
            return self._no(request, "error_unknown", 403)
        if staff.must_change:
            return self._no(request, "error_one_time", 403)
        await house.store.end_session(attempt.session)
        if staff.second:
            response = self._onward(request, "/desk/login/code", "inside")
            await door.enter_half(response, staff, BY_PROVIDER)
            return response
        response = self._onward(request, "/desk", "inside")
        await door.enter(request, response, staff, BY_PROVIDER)
        house.hub.publish(DESK)
        return response

    async def _connected(self, request: Request, attempt: Attempt, issuer: str, subject: str) -> Response:
        """The account is connected, if the session that asked for it still stands."""
        store = self.frame.house.store
        staff = store.session(attempt.session, IDLE_SECONDS, ABSOLUTE_SECONDS)
        if staff is None or staff.id != attempt.staff_id:
            return self._no(request, "error_again", 400)
        if not await store.identities.link(staff.id, issuer, subject):
            return self._no(request, "error_taken", 409, True)
        await store.note(staff.id, "staff.link", f"staff/{staff.id}")
        return self._onward(request, ACCOUNT, "connected")

    # -- pages

    def _onward(self, request: Request, url: str, why: str) -> Response:
        """A page that leads on by itself, with a link for browsers that do not follow."""
        title = self.frame.words(request, f"desk_oidc.{why}", name=self.frame.sso)
        response = self.frame.render(request, "oidc", title=title, text="", url=url)
        response.headers["refresh"] = f"0; url={url}"
        return response

    def _no(self, request: Request, why: str, status: int, connects: bool = False) -> Response:
        """A page that says why not, with the way back."""
        title = self.frame.words(request, "desk_oidc.error_title", name=self.frame.sso)
        text = self.frame.words(request, f"desk_oidc.{why}", name=self.frame.sso)
        url = ACCOUNT if connects else "/desk/login"
        return self.frame.render(request, "oidc", status, title=title, text=text, url=url)
