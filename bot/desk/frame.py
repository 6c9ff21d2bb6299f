"""What every page of the desk stands in: who may see it, its language, forms, errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.channels.body import BodyTooLarge, read_body
from bot.channels.text import sound
from bot.channels.visitors import own_page
from bot.desk import views
from bot.desk.auth import Doorkeeper
from bot.desk.presence import Presence
from bot.desk.rights import Right, may
from bot.desk.translator import Translator
from bot.pipeline.house import House
from bot.pipeline.hub import DESK
from bot.pipeline.resources import Resources
from bot.store.records import StaffRow

if TYPE_CHECKING:
    from bot.desk.provider import Provider

BODY_LIMIT = 200_000
LARGEST = 2**63 - 1  # what a database takes for a number
FORM = "application/x-www-form-urlencoded"
Handler = Callable[[Request, StaffRow], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass
class Frame:
    """Shared by all pages. A handler gets the request and the caseworker; whoever lacks the right gets a 403 page."""

    house: House
    resources: Resources
    secure: bool
    client_ip: Callable[[Request], str]
    translator: Translator | None = None
    totp_required: bool = False
    provider: Provider | None = None
    door: Doorkeeper = field(init=False)
    presence: Presence = field(default_factory=Presence)

    def __post_init__(self) -> None:
        now = self.resources.clock
        self.door = Doorkeeper(self.house.store, self.secure, self.client_ip, lambda: now().timestamp())

    # -- who may come in

    def get(self, handler: Handler, right: Right = Right.COME_IN) -> Endpoint:
        """A page for those who are logged in and have the right."""

        async def guarded(request: Request) -> Response:
            staff = await self.door.staff(request)
            if staff is None:
                return RedirectResponse("/desk/login", 303)
            if before := self._before(staff, right):
                return RedirectResponse(before, 303)
            if not may(staff.role, right):
                return self.error(request, "desk.error_right", 403)
            if any(isinstance(value, int) and value > LARGEST for value in request.path_params.values()):
                return self.error(request, "web.not_found", 404)
            return await handler(request, staff)

        return guarded

    def _before(self, staff: StaffRow, right: Right) -> str:
        """The page that an account has to do before this one; empty when there is none."""
        if staff.must_change:
            return "" if right is Right.OWN_PASSWORD else "/desk/password"
        if self.totp_required and not staff.second:
            return "" if right in (Right.OWN_PASSWORD, Right.OWN_CODE) else "/desk/account/code"
        return ""

    @property
    def sso(self) -> str:
        """What the house calls its identity provider; empty where there is none."""
        return self.provider.name if self.provider else ""

    def confirmed(self, request: Request, staff: StaffRow) -> bool:
        """Was the password given in this session a moment ago? Ask before what does much harm in wrong hands."""
        return self.door.confirmed(request, staff)

    def ask_again(self, page: str) -> Response:
        """Where it was not: to the page that asks for the password, and then to `page` (a path of the desk)."""
        return RedirectResponse(f"/desk/confirm?{urlencode({'next': page})}", 303)

    def post(self, handler: Handler, right: Right = Right.COME_IN) -> Endpoint:
        """An action for those who are logged in and have the right."""
        return self.safely(self.get(handler, right))

    def safely(self, handler: Endpoint) -> Endpoint:
        """Only from our own pages; when the store cannot be written a page says that nothing was kept."""

        async def safe(request: Request) -> Response:
            if not own_page(request):
                return self.error(request, "desk.error_origin", 403)
            try:
                return await handler(request)
            except OSError:
                return self.error(request, "web.error_store", 503)

        return safe

    async def wrong_method(self, request: Request) -> Response:
        """Opening the address of a form leads to the page it is on; anything else is refused."""
        if request.method in ("GET", "HEAD"):
            case = request.path_params.get("id") if request.url.path.startswith("/desk/cases/") else None
            return RedirectResponse(f"/desk/cases/{case}" if case else "/desk", 303)
        return self.error(request, "desk.error_origin", 405)

    def lang(self, request: Request) -> str:
        """Chinese first; English for a browser that asks for it before Chinese."""
        header = request.headers.get("accept-language", "").lower()
        return "en" if header.startswith("en") and "zh" not in header.split(";")[0] else "zh-TW"

    def render(self, request: Request, page: str, status: int = 200, **context: Any) -> Response:
        """A page of `templates/desk`."""
        html = self.resources.pages.render(f"desk/{page}.html", self.lang(request), may=may, sso=self.sso, **context)
        return HTMLResponse(html, status)

    def words(self, request: Request, key: str, **params: Any) -> str:
        """One text in the reader's language."""
        return self.resources.pages.words(self.lang(request), key, **params)

    def error(self, request: Request, key: str, status: int) -> Response:
        """A page that says what went wrong, with the way back."""
        pages, lang = self.resources.pages, self.lang(request)
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

    async def form(self, request: Request) -> dict[str, str]:
        """The fields of a form; an unreadable one has none."""
        if request.headers.get("content-type", FORM).partition(";")[0].strip().lower() != FORM:
            return {}
        try:
            body = await read_body(request, BODY_LIMIT)
            fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
        except (BodyTooLarge, ValueError):
            return {}
        return {name: sound(value) for name, value in fields}

    def quota(self, lang: str) -> str:
        """What is left of LINE's messages this month, in words; empty where LINE is off or does not say."""
        messenger = self.house.messengers.get("line")
        return views.quota(self.resources, messenger.allowance() if messenger else None, lang)

    def changed(self, conversation: int) -> None:
        """Wake whoever works on a conversation or looks at it."""
        self.house.worker.wake.set()
        self.house.worker.sent.set()
        self.house.hub.publish(conversation)
        self.house.hub.publish(DESK)


def whole(text: str | None) -> int:
    """A whole number of a form; -1 where it is none."""
    return int(text) if text and text.isdecimal() and len(text) < 12 else -1
