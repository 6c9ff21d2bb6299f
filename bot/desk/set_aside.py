"""Messages that could not be worked on: tried again or taken off the list, by number, without what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk import views
from bot.desk.frame import Frame, whole
from bot.desk.rights import Right
from bot.store.aside import AsideRow
from bot.store.records import StaffRow

PAGE = "/desk/aside"


@dataclass
class SetAside:
    """For those who may look after the cases of others. Each step is in the trail."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        get, post = self.frame.get, self.frame.post
        return [
            Route(PAGE, get(self.page, Right.TAKE_OVER), methods=["GET"]),
            Route(f"{PAGE}/retry", post(self.retry, Right.TAKE_OVER), methods=["POST"]),
            Route(f"{PAGE}/dismiss", post(self.dismiss, Right.TAKE_OVER), methods=["POST"]),
        ]

    async def page(self, request: Request, staff: StaffRow) -> Response:
        """The list, newest first."""
        gone = request.query_params.get("problem") == "gone"
        return self.frame.render(
            request,
            "aside",
            staff=staff,
            rows=[self._shown(request, row) for row in self.frame.house.store.aside.listing()],
            error=self.frame.words(request, "desk_surge.gone") if gone else "",
        )

    def _shown(self, request: Request, row: AsideRow) -> dict[str, Any]:
        words, known = self.frame.words, self.frame.resources.languages
        return {
            "id": row.id,
            "at": views.moment(row.at),
            "came": views.moment(row.accepted_at),
            "channel": words(request, f"desk.channel_{row.channel}"),
            "lang": words(request, f"conversation.language.{row.lang}") if row.lang in known else "",
            "number": row.number,
        }

    async def retry(self, request: Request, staff: StaffRow) -> Response:
        """Like a new message."""
        store = self.frame.house.store
        done = await store.aside.retry(whole((await self.frame.form(request)).get("event")), staff.id)
        self.frame.house.worker.wake.set()
        return self._back(done)

    async def dismiss(self, request: Request, staff: StaffRow) -> Response:
        """Off the list."""
        store = self.frame.house.store
        return self._back(await store.aside.dismiss(whole((await self.frame.form(request)).get("event")), staff.id))

    def _back(self, done: bool) -> Response:
        return RedirectResponse(PAGE if done else f"{PAGE}?problem=gone", 303)
