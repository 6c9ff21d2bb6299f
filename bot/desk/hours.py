"""The desk's page of service hours: the week, the special days ahead, and a form to set a single day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk.frame import Frame
from bot.desk.rights import Right
from bot.hours import HoursError, Spans, public_days, public_names, spans_of, written
from bot.pipeline.hub import DESK
from bot.store.hours import OverrideRow
from bot.store.records import StaffRow
from knowledge.catalog.moments import day_name, day_time, weekday_name

PAGE = "/desk/hours"
DAYS_AHEAD = 60
LATEST = timedelta(days=731)
REASON_LIMIT = 100
SPANS_LIMIT = 100
A_MONDAY = date(2018, 1, 1)
FIELDS = ("day", "state", "spans", "reason")


@dataclass(frozen=True)
class Typed:
    """The form as it was sent: the day, its hours in writing (empty: closed), and what is wrong with which field."""

    fields: dict[str, str]
    spans: str = ""
    wrong: dict[str, str] = field(default_factory=dict)


@dataclass
class HoursPages:
    """Days already gone cannot be set: the clocks of old cases ran by them."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        get, post = self.frame.get, self.frame.post
        return [
            Route("/desk/hours", get(self.page, Right.SERVICE_HOURS), methods=["GET"]),
            Route("/desk/hours", post(self.put, Right.SERVICE_HOURS), methods=["POST"]),
            Route("/desk/hours/remove", post(self.remove, Right.SERVICE_HOURS), methods=["POST"]),
        ]

    async def page(self, request: Request, staff: StaffRow) -> Response:
        """The hours as they stand."""
        return self._page(request, staff)

    async def put(self, request: Request, staff: StaffRow) -> Response:
        """Set a day."""
        typed = self._read(request, await self.frame.form(request))
        if typed.wrong:
            return self._page(request, staff, typed, 400)
        day, reason = typed.fields["day"], typed.fields["reason"]
        await self.frame.house.store.hours.put(staff.id, day, typed.spans, reason)
        await self.frame.house.store.note(staff.id, "hours.set", f"day/{day}", reason)
        return self._done("saved", day)

    async def remove(self, request: Request, staff: StaffRow) -> Response:
        """Let a day be as usual again."""
        day = (await self.frame.form(request)).get("day", "")
        if self._day(day) is None or not await self.frame.house.store.hours.remove(day):
            typed = Typed({}, wrong={"gone": self.frame.words(request, "desk_hours.error_gone")})
            return self._page(request, staff, typed, 404)
        await self.frame.house.store.note(staff.id, "hours.remove", f"day/{day}")
        return self._done("removed", day)

    def _done(self, what: str, day: str) -> Response:
        self.frame.house.hub.publish(DESK)
        return RedirectResponse(f"{PAGE}?{urlencode({what: day})}", 303)

    # -- what was typed

    def _day(self, text: str) -> date | None:
        """A day that can be set: from today on, within two years."""
        today = self.frame.resources.clock().date()
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None
        return day if day.isoformat() == text and today <= day <= today + LATEST else None

    def _read(self, request: Request, form: dict[str, str]) -> Typed:
        fields = {name: " ".join(form.get(name, "").split()) for name in FIELDS}
        wrong, spans = {}, ""
        if self._day(fields["day"]) is None:
            wrong["day"] = self._fault(request, "day")
        if fields["state"] not in ("open", "closed"):
            wrong["state"] = self._fault(request, "state")
        if not 0 < len(fields["reason"]) <= REASON_LIMIT:
            wrong["reason"] = self._fault(request, "reason", limit=REASON_LIMIT)
        if fields["state"] == "open":
            try:
                spans = written(spans_of(fields["spans"]))
            except HoursError as error:
                wrong["spans"] = self._fault(request, f"spans_{error.kind}", said=error.said[:SPANS_LIMIT])
        return Typed(fields, spans, wrong)

    def _fault(self, request: Request, kind: str, **params: Any) -> str:
        example = written(self.frame.house.timetable.hours.workday)
        return self.frame.words(request, f"desk_hours.error_{kind}", example=example, **params)

    # -- what is shown

    def _page(self, request: Request, staff: StaffRow, typed: Typed | None = None, status: int = 200) -> Response:
        hours, lang = self.frame.house.timetable.hours, self.frame.lang(request)
        today = self.frame.resources.clock().date()
        workday = written(hours.workday)
        return self.frame.render(
            request,
            "hours",
            status,
            staff=staff,
            now=self._now(request),
            week=[
                (weekday_name(A_MONDAY + timedelta(days=day), lang), _shown(spans))
                for day, spans in enumerate(hours.week)
            ],
            days=self._days(request),
            form={"state": "closed", "spans": workday, "day": "", "reason": "", **(typed.fields if typed else {})},
            wrong=typed.wrong if typed else {},
            example=workday,
            limit=REASON_LIMIT,
            earliest=today.isoformat(),
            latest=(today + LATEST).isoformat(),
            done=self._said(request),
        )

    def _said(self, request: Request) -> str:
        """What the last form led to."""
        for what in ("saved", "removed"):
            day = self._day(request.query_params.get(what, ""))
            if day is not None:
                return self.frame.words(request, f"desk_hours.{what}", day=self._shown_day(request, day))
        return ""

    def _now(self, request: Request) -> str:
        """Is the desk open, and until when?"""
        now, lang, hours = self.frame.resources.clock(), self.frame.lang(request), self.frame.house.timetable.hours
        if closing := hours.closing(now):
            return self.frame.words(request, "desk_hours.open_until", time=day_time(closing.time(), lang))
        opens = hours.next_opening(now)
        if opens is None:
            return self.frame.words(request, "desk_hours.closed_for_long")
        day, time = day_name(opens.date(), lang), day_time(opens.time(), lang)
        return self.frame.words(request, "desk_hours.closed_until", day=day, time=time)

    def _days(self, request: Request) -> list[dict[str, Any]]:
        """Public holidays and make-up workdays of the next 60 days, and every day ahead that was set."""
        today = self.frame.resources.clock().date()
        rows = {date.fromisoformat(row.day): row for row in self.frame.house.store.hours.overrides()}
        ahead = {today + timedelta(days=number) for number in range(DAYS_AHEAD)}
        found = {day for day in ahead if day in public_days(day.year).off | public_days(day.year).worked}
        found |= {day for day in rows if day >= today}
        return [self._one(request, day, rows.get(day)) for day in sorted(found)]

    def _shown_day(self, request: Request, day: date) -> str:
        """A day with its year where that is not this one."""
        shown = day_name(day, self.frame.lang(request))
        if day.year == self.frame.resources.clock().year:
            return shown
        return self.frame.words(request, "desk_hours.day_of_year", day=shown, year=day.year)

    def _one(self, request: Request, day: date, row: OverrideRow | None) -> dict[str, Any]:
        lang, words = self.frame.lang(request), self.frame.words
        public = public_days(day.year)
        why = [public_names(day.year, lang)[day]] if day in public.off else []
        why += [words(request, "desk_hours.make_up")] if day in public.worked else []
        return {
            "iso": day.isoformat(),
            "day": self._shown_day(request, day),
            "hours": _shown(self.frame.house.timetable.hours.spans(day)),
            "why": [row.reason, *why] if row else why,
            "by": words(request, "desk_hours.set_by", name=row.who) if row else "",
        }


def _shown(spans: Spans) -> str:
    """Spans as people read them; empty when closed."""
    return written(spans).replace("-", "–").replace(" ", ", ")
