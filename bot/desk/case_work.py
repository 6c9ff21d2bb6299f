"""What is done with a case beside answering: take over, transfer, park, reopen, bar, note, phone back, print."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.clock import TAIPEI
from bot.desk import doors, views
from bot.desk.frame import Frame, whole
from bot.desk.rights import Right
from bot.desk.window import MOST, window
from bot.dialogue.effects import Say
from bot.messages import Notice, Reply
from bot.pipeline.hub import DESK
from bot.store.casework import CaseOpen, Target
from bot.store.records import CaseRow, CaseTaken, NotHolder, StaffRow
from intents.redact import masked

NOTE_LIMIT = 4000
WHY_LIMIT = 300
REASONED = ("takeover", "bar")
PARKED = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
LONGEST_PARKED = timedelta(days=90)
Action = Callable[[Request, StaffRow, CaseRow, dict[str, str]], Awaitable[str]]


@dataclass
class CaseWork:
    """Each action ends on the case's page; what is refused says why there, and keeps what was typed."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        actions: list[tuple[str, Action, Right]] = [
            ("takeover", self.take_over, Right.TAKE_OVER),
            ("transfer", self.transfer, Right.ANSWER),
            ("park", self.park, Right.ANSWER),
            ("reopen", self.reopen, Right.ANSWER),
            ("bar", self.bar, Right.BLOCK),
            ("unbar", self.unbar, Right.BLOCK),
            ("note", self.note, Right.ANSWER),
            ("called", self.called, Right.ANSWER),
        ]
        return [
            *(
                Route(
                    f"/desk/cases/{{id:int}}/{name}", self.frame.post(self._action(name, act), right), methods=["POST"]
                )
                for name, act, right in actions
            ),
            Route("/desk/cases/{id:int}/print", self.frame.get(self.printed, Right.OPEN_CASES), methods=["GET"]),
            Route("/desk/duty", self.frame.post(self.duty, Right.ANSWER), methods=["POST"]),
        ]

    def _action(self, name: str, act: Action) -> Callable[[Request, StaffRow], Awaitable[Response]]:
        async def handle(request: Request, staff: StaffRow) -> Response:
            row = self.frame.house.store.case(request.path_params["id"])
            if row is None or not views.sees(row, staff):
                return doors.shut(self.frame, request, row, staff) or Response(status_code=404)
            form = await self.frame.form(request)
            try:
                problem = await act(request, staff, row, form)
            except (NotHolder, CaseTaken):
                problem = "desk.error_not_holder"
            except CaseOpen:
                problem = "desk.error_case_open"
            if problem:
                return RedirectResponse(f"/desk/cases/{row.id}?problem={problem.removeprefix('desk.')}", 303)
            why = masked(form.get("why", "").strip()[:WHY_LIMIT]) if name in REASONED else ""
            await self.frame.house.store.note(staff.id, f"case.{name}", f"case/{row.id}", why)
            self.frame.changed(row.conversation)
            return RedirectResponse(f"/desk/cases/{row.id}", 303)

        return handle

    def _notice(self, key: str, lang: str, **params: str) -> Reply:
        return self.frame.resources.renderer.say(f"conversation.{key}", lang, Notice.CASE, **params)

    async def take_over(self, request: Request, staff: StaffRow, row: CaseRow, form: dict[str, str]) -> str:
        """Another caseworker's case, with a reason."""
        why = masked(form.get("why", "").strip()[:WHY_LIMIT])
        if not why:
            return "desk.error_why"
        notice = self._notice("case_taken_over", row.lang, name=staff.name)
        await self.frame.house.store.casework.take_over(row.id, staff.id, why, notice)
        return ""

    async def transfer(self, request: Request, staff: StaffRow, row: CaseRow, form: dict[str, str]) -> str:
        """To a colleague, to who serves a language or a topic, or back to all."""
        to = self._target(form.get("to", ""))
        if to is None:
            return "desk.error_target"
        notice = self._notice("case_transferred", row.lang)
        await self.frame.house.store.casework.transfer(row.id, staff.id, whole(form.get("fence")), to, notice)
        return ""

    def _target(self, text: str) -> Target | None:
        kind, _, value = text.partition(":")
        if kind == "staff" and whole(value) in [
            number for number, _, _ in self.frame.house.store.casework.colleagues()
        ]:
            return Target(staff=whole(value))
        if kind == "lang" and value in self.frame.resources.languages:
            return Target(lang=value)
        if kind == "topic" and value in self.frame.resources.knowledge.topics:
            return Target(topic=value)
        return Target() if text == "all" else None

    async def park(self, request: Request, staff: StaffRow, row: CaseRow, form: dict[str, str]) -> str:
        """Aside until a time; without one back to hand."""
        until = self._until(form)
        if until is None and form.get("for") != "now":
            return "desk.error_until"
        await self.frame.house.store.casework.park(row.id, staff.id, until.timestamp() if until else None)
        return ""

    def _until(self, form: dict[str, str]) -> datetime | None:
        now = self.frame.resources.clock()
        if form.get("for") in PARKED:
            return now + PARKED[form["for"]]
        try:
            moment = datetime.fromisoformat(form.get("until", "")).replace(tzinfo=TAIPEI)
        except ValueError:
            return None
        return moment if now < moment < now + LONGEST_PARKED else None

    async def reopen(self, request: Request, staff: StaffRow, row: CaseRow, form: dict[str, str]) -> str:
        """A closed case, held again by whoever reopens it."""
        notice = self._notice("case_reopened", row.lang, name=staff.name)
        await self.frame.house.store.casework.reopen(row.id, staff.id, notice)
        return ""

    async def bar(self, request: Request, staff: StaffRow, row: CaseRow, form: dict[str, str]) -> str:
        """Somebody abuses the desk; with a reason."""
        why = masked(form.get("why", "").strip()[:WHY_LIMIT])
        if not why:
            return "desk.error_why"
        await self.frame.house.store.casework.bar(row.id, staff.id, why, closing(self.frame, row.lang, ask=False))
        return ""

    async def unbar(self, request: Request, staff: StaffRow, row: CaseRow, form: dict[str, str]) -> str:
        """The person may ask for somebody again."""
        await self.frame.house.store.casework.unbar(row.id, staff.id)
        return ""

    async def note(self, request: Request, staff: StaffRow, row: CaseRow, form: dict[str, str]) -> str:
        """An internal note."""
        text = form.get("text", "").strip()
        if not text or len(text) > NOTE_LIMIT:
            return "desk.error_note"
        await self.frame.house.store.casework.note(row.id, staff.id, text)
        return ""

    async def called(self, request: Request, staff: StaffRow, row: CaseRow, form: dict[str, str]) -> str:
        """The person was phoned."""
        await self.frame.house.store.casework.called(row, whole(form.get("callback")), staff.id)
        return ""

    async def printed(self, request: Request, staff: StaffRow) -> Response:
        """The transcript for the file, without anything to press."""
        row = self.frame.house.store.case(request.path_params["id"])
        if row is None or not views.sees(row, staff):
            return doors.shut(self.frame, request, row, staff) or Response(status_code=404)
        lang = self.frame.lang(request)
        store, resources = self.frame.house.store, self.frame.resources
        context = views.conversation(resources, store, row, staff, lang, window(store, row, lines=MOST))
        await self.frame.house.store.note(staff.id, "case.print", f"case/{row.id}")
        return self.frame.render(request, "print", staff=staff, **context)

    async def duty(self, request: Request, staff: StaffRow) -> Response:
        """On or off duty."""
        form = await self.frame.form(request)
        await self.frame.house.store.casework.duty(staff.id, form.get("on") == "yes")
        await self.frame.house.store.note(staff.id, "staff.duty", f"staff/{staff.id}")
        self.frame.house.hub.publish(DESK)
        return RedirectResponse("/desk", 303)


def closing(frame: Frame, lang: str, ask: bool = True) -> Reply:
    """What the citizen hears when a case ends, with one tap to say whether it helped."""
    renderer = frame.resources.renderer
    notice = renderer.say("conversation.case_closed", lang, Notice.CASE)
    if not ask:
        return notice
    (question,) = renderer.replies((Say("conversation.case_rate", views.RATE, notice=Notice.CASE),), lang)
    return Reply(f"{notice.text}\n\n{question.text}", notice.lang, choices=question.choices, notice=Notice.CASE)
