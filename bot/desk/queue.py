"""The list of cases, and the stream that says when it changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.clock import TAIPEI
from bot.desk import views
from bot.desk.frame import Frame
from bot.desk.rights import Right, may
from bot.pipeline.hub import DESK
from bot.store.cases import VIEWS, Wanted
from bot.store.records import StaffRow

POLL_SECONDS = 15.0
HOMES = (
    (Right.EDIT_PHRASES, "/desk/phrases"),
    (Right.PRIVACY_REQUESTS, "/desk/privacy"),
    (Right.REPORTS, "/desk/reports"),
)
FILTERS = ("number", "lang", "channel", "topic", "reason", "since", "until")
CHANNELS = ("web", "line", "telegram", "hook")
REASONS = ("asked", "urgent", "callback", "voice")


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
        """The list of cases of one view, narrowed to what is asked for; who has no cases is led to their own page."""
        if not may(staff.role, Right.SEE_QUEUE):
            home = next((path for right, path in HOMES if may(staff.role, right)), "/desk/account")
            return RedirectResponse(home, 303)
        view = request.query_params.get("view", "waiting")
        view = view if view in VIEWS else "waiting"
        store, resources = self.frame.house.store, self.frame.resources
        lang = self.frame.lang(request)
        now = resources.clock().timestamp()
        asked = {name: request.query_params.get(name, "")[:40] for name in FILTERS}
        late = self.frame.house.timetable.late
        rows = store.cases(view, staff.id, _wanted(asked))
        cases = [views.case(resources, row, lang, now) | {"late": late(row, now)} for row in rows]
        return self.frame.render(
            request,
            "queue",
            staff=staff,
            view=view,
            counts=store.case_counts(staff.id),
            cases=cases,
            quota=self.frame.quota(lang),
            wanted=asked,
            filtered=any(asked.values()),
            choices=self._choices(lang),
            can_answer=may(staff.role, Right.ANSWER),
            on_duty=store.casework.on_duty(staff.id),
        )

    def _choices(self, lang: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """(name, label, what can be chosen) of each filter."""
        words, resources = self.frame.resources.pages.words, self.frame.resources
        languages = [(code, words(lang, f"conversation.language.{code}")) for code in resources.languages]
        channels = [(name, words(lang, f"desk.channel_{name}")) for name in CHANNELS]
        topics = [(topic, words(lang, f"{topic}.label")) for topic in resources.knowledge.topics]
        reasons = [(name, words(lang, f"desk.reason_{name}")) for name in REASONS]
        return [
            ("lang", "desk.language", languages),
            ("channel", "desk.channel", channels),
            ("topic", "desk.topic", topics),
            ("reason", "desk.reason_label", reasons),
        ]

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


def _wanted(asked: dict[str, str]) -> Wanted:
    """The filters as the store takes them; a day that is none narrows nothing."""
    since, until = _day(asked["since"]), _day(asked["until"])
    return Wanted(
        asked["lang"],
        asked["topic"],
        asked["channel"],
        asked["reason"],
        asked["number"],
        since.timestamp() if since else None,
        (until + timedelta(days=1)).timestamp() if until else None,
    )


def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=TAIPEI)
    except ValueError:
        return None
