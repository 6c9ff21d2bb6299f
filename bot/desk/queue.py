"""The list of cases, and the stream that says when it changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.channels.text import sound
from bot.clock import TAIPEI
from bot.desk import views
from bot.desk.aims import Aims
from bot.desk.frame import Frame, whole
from bot.desk.rights import Right, may
from bot.pipeline.hub import DESK
from bot.store.case_list import MOST_COUNTED, VIEWS, CasePage, Place, Wanted
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
Choices = list[tuple[str, str, list[tuple[str, str]]]]
"""(name, label, what can be chosen) of each filter."""


@dataclass
class Queue:
    """The first page of the desk."""

    frame: Frame
    _choices: dict[str, Choices] = field(default_factory=dict)  # by language: the same for every request

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
        asked = {name: sound(request.query_params.get(name, ""))[:40] for name in FILTERS}
        late = self.frame.house.timetable.late
        page = store.case_page(view, staff, _wanted(asked), _place(request))
        aimed = Aims(resources, lang, staff, store.duty.now())
        cases = [
            views.case(resources, row, lang, now) | {"late": late(row, now), "aim": aimed.words(row)}
            for row in page.rows
        ]
        return self.frame.render(
            request,
            "queue",
            staff=staff,
            view=view,
            counts=store.case_counts(staff.id),
            most_counted=MOST_COUNTED,
            waiting=store.case_waiting(),
            cases=cases,
            turning=_turning(view, asked, page),
            quota=self.frame.quota(lang),
            surge=self.frame.house.surge,
            aside=store.aside.count() if may(staff.role, Right.TAKE_OVER) else 0,
            wanted=asked,
            filtered=any(asked.values()),
            choices=self._choices_in(lang),
            can_answer=may(staff.role, Right.ANSWER),
            on_duty=store.casework.on_duty(staff.id),
            duty=aimed.colleagues() if may(staff.role, Right.TAKE_OVER) else None,
        )

    def _choices_in(self, lang: str) -> Choices:
        if lang not in self._choices:
            self._choices[lang] = self._all_choices(lang)
        return self._choices[lang]

    def _all_choices(self, lang: str) -> Choices:
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
    since, until = _day(asked["since"]), _day(asked["until"], timedelta(days=1))
    return Wanted(
        asked["lang"],
        asked["topic"],
        asked["channel"],
        asked["reason"],
        asked["number"],
        since.timestamp() if since else None,
        until.timestamp() if until else None,
    )


def _place(request: Request) -> Place:
    """Where the page begins; at the beginning of the list where the address says nothing sound."""
    after, before = (max(0, whole(request.query_params.get(name))) for name in ("after", "before"))
    return Place(after, before)


def _turning(view: str, asked: dict[str, str], page: CasePage) -> dict[str, str]:
    """The query strings of the pages before and after; empty where there is none."""
    here = {"view": view} | {name: value for name, value in asked.items() if value}
    before = urlencode(here | {"before": page.rows[0].id}) if page.before and page.rows else ""
    return {"before": before, "after": urlencode(here | {"after": page.rows[-1].id}) if page.after else ""}


def _day(text: str, later: timedelta = timedelta()) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=TAIPEI) + later
    except (ValueError, OverflowError):
        return None
