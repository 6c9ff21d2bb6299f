"""The list of cases, and the stream that says when it changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.desk import views
from bot.desk.frame import Frame
from bot.pipeline.hub import DESK
from bot.store.cases import VIEWS
from bot.store.records import StaffRow

POLL_SECONDS = 15.0


@dataclass
class Queue:
    """The first page of the desk."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            Route("/desk", self.frame.get(self.queue), methods=["GET"]),
            Route("/desk/events", self.frame.get(self.events), methods=["GET"]),
        ]

    async def queue(self, request: Request, staff: StaffRow) -> Response:
        """The list of cases of one view."""
        view = request.query_params.get("view", "waiting")
        view = view if view in VIEWS else "waiting"
        store = self.frame.house.store
        lang = self.frame.lang(request)
        now = self.frame.resources.clock().timestamp()
        cases = [views.case(self.frame.resources, row, lang, now) for row in store.cases(view, staff.id)]
        counts = store.case_counts(staff.id)
        return self.frame.render(
            request, "queue", staff=staff, view=view, counts=counts, cases=cases, quota=self.frame.quota(lang)
        )

    def _quota(self, lang: str) -> str:
        messenger = self.frame.house.messengers.get("line")
        return views.quota(self.frame.resources, messenger.allowance() if messenger else None, lang)

    async def events(self, request: Request, staff: StaffRow) -> Response:
        """Says only "changed": the page looks again for itself."""
        return EventSourceResponse(self._stream(request), ping=15, headers={"Cache-Control": "no-store"})

    async def _stream(self, request: Request) -> AsyncIterator[ServerSentEvent]:
        first = True
        async for _ in self.frame.house.hub.watch(DESK, POLL_SECONDS):
            if await self.frame.door.staff(request) is None:
                return
            if not first:
                yield ServerSentEvent("", event="changed")
            first = False
