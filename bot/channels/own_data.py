"""The page behind a link to one's own data: asks first, then shows everything once, to read or as JSON."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.channels.budget import Budget
from bot.channels.port import Copies, Copy
from bot.channels.visitors import own_page, preferred
from bot.clock import TAIPEI
from bot.messages import Entry, reply_to_doc
from bot.render.pages import Pages, bubble_of

PATH = "/mydata/{token:str}"
METHODS = ["POST", "PUT", "PATCH", "DELETE"]
TOKEN_LIMIT = 100
FILE_NAME = "my-data.json"


def document(copy: Copy) -> dict[str, Any]:
    """The copy as JSON; times are ISO in Taipei's time."""
    return {
        "since": _iso(copy.since),
        "language": copy.lang,
        "channels": list(copy.channels),
        "kept_apart": copy.restricted,
        "answers": [
            {"about": each.subject, "fact": each.fact, "value": each.value, "label": each.label, "text": each.shown}
            for each in copy.answers
        ],
        "cases": [
            {"number": case.number, "opened": _iso(case.opened_at), "closed": _iso(case.closed_at)}
            for case in copy.cases
        ],
        "files": [{"kind": file.kind, "name": file.name, "bytes": file.size, "kept": file.kept} for file in copy.files],
        "ratings": [{"at": _iso(each.at), "helped": each.helped, "words": each.words} for each in copy.ratings],
        "handed_to_authors": [{"at": _iso(at), "text": text} for at, text in copy.handed_on],
        "messages": [_message(entry) for entry in copy.entries],
        "state": json.loads(copy.state) if copy.state else {},
    }


def _message(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.seq,
        "at": _iso(entry.at),
        "author": entry.author.value,
        "name": entry.name,
        "status": entry.status,
        **reply_to_doc(entry.reply),
        "reading": dict(entry.reading),
    }


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, TAIPEI).isoformat(timespec="seconds")


def moment(at: float) -> str:
    """A moment as a page shows it."""
    return datetime.fromtimestamp(at, TAIPEI).strftime("%Y-%m-%d %H:%M")


@dataclass
class OwnDataPages:
    """The routes. Opening the link changes nothing, as previews open links too; the button spends it."""

    copies: Copies
    pages: Pages
    budget: Budget
    client_ip: Callable[[Request], str]

    def routes(self) -> list[Route]:
        """Its routes, and every other method on the same path."""
        return [
            Route(PATH, self.ask, methods=["GET"]),
            Route(PATH, self._safely(self.hand_out), methods=["POST"]),
            Route(PATH, self.wrong_method, methods=METHODS),
        ]

    def _lang(self, request: Request) -> str:
        return preferred(request.headers.get("accept-language", ""), [code for code, _ in self.pages.languages])

    async def ask(self, request: Request) -> Response:
        """The question before: to read here, or as a file."""
        path = f"/mydata/{quote(request.path_params['token'][:TOKEN_LIMIT], safe='')}"
        ways = [
            {"label": "web.mydata_show", "action": path, "style": "primary"},
            {"label": "web.mydata_file", "action": f"{path}?as=json", "style": ""},
        ]
        return self._sheet(self._lang(request), "web.mydata_lead", 200, ways)

    async def hand_out(self, request: Request) -> Response:
        """Everything, once."""
        lang = self._lang(request)
        if not own_page(request):
            return self._sheet(lang, "web.error_origin", 403)
        if not self.budget.take(self.client_ip(request)):
            return self._sheet(lang, "web.error_budget", 429)
        copy = await self.copies.spend(request.path_params["token"][:TOKEN_LIMIT])
        if copy is None:
            return self._sheet(lang, "web.mydata_expired", 410)
        text = json.dumps(document(copy), ensure_ascii=False, indent=2)
        if request.query_params.get("as") == "json":
            headers = {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
            return Response(text, media_type="application/json", headers=headers)
        return self._page(copy, text)

    def _page(self, copy: Copy, text: str) -> Response:
        """Everything to read, in the person's language."""
        words = self.pages.words
        html = self.pages.render(
            "web/mydata.html",
            copy.lang,
            title=words(copy.lang, "web.mydata_title"),
            paragraphs=[words(copy.lang, "web.mydata_since", since=moment(copy.since))],
            links=[],
            actions=[],
            copy=copy,
            bubbles=[bubble_of(entry) for entry in copy.entries],
            text=text,
            moment=moment,
        )
        return HTMLResponse(html)

    async def wrong_method(self, request: Request) -> Response:
        """Anything but opening and pressing the button is refused."""
        return self._sheet(self._lang(request), "web.error_origin", 405)

    def _safely(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def safe(request: Request) -> Response:
            try:
                return await handler(request)
            except OSError:
                return self._sheet(self._lang(request), "web.mydata_busy", 503)

        return safe

    def _sheet(self, lang: str, key: str, status: int, actions: Sequence[dict[str, str]] = ()) -> Response:
        words = self.pages.words
        html = self.pages.render(
            "web/page.html",
            lang,
            title=words(lang, "web.mydata_title"),
            paragraphs=[words(lang, key)],
            links=[],
            actions=[{**action, "label": words(lang, action["label"])} for action in actions],
        )
        return HTMLResponse(html, status)
