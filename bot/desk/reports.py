"""The reports: figures of a period as pictures and tables, and each table as CSV."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk.afterwards import worded
from bot.desk.counting import FEW
from bot.desk.csv_safe import rows_to_csv
from bot.desk.frame import Frame
from bot.desk.period import CHANNELS, LATEST, LONGEST_DAYS, Asked, BadPeriod, Period, period_of
from bot.desk.report_tables import REPORTS, Found, Pen, Report, glance, said
from bot.desk.rights import Right
from bot.desk.service_clock import ServiceClock
from bot.store.records import StaffRow


@dataclass
class Reports:
    """Read only. How long people waited is counted in service hours."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        get = self.frame.get
        return [
            Route("/desk/reports", get(self.page, Right.REPORTS), methods=["GET"]),
            Route("/desk/reports/{name}.csv", get(self.csv, Right.REPORTS), methods=["GET"]),
        ]

    async def page(self, request: Request, staff: StaffRow) -> Response:
        """All reports of the period asked for; what was typed stays when it is no period."""
        asked, today = self._asked(request), self.frame.resources.clock().date()
        try:
            period, error = period_of(asked, today), ""
        except BadPeriod as bad:
            period, error = period_of(Asked(), today), self._why(request, bad)
        found = None if error else await self._found(period, asked)
        pen = self._pen(request)
        drawn = await asyncio.to_thread(_drawn, found, pen) if found else ([], [])
        return self.frame.render(
            request,
            "reports",
            400 if error else 200,
            staff=staff,
            asked=asked,
            latest=LATEST,
            channels=CHANNELS,
            languages=self.frame.resources.languages,
            today=today.isoformat(),
            error=error,
            period=period,
            glance=drawn[0],
            reports=drawn[1],
            said=said,
            few=FEW,
            **(await worded(self.frame, staff, period.span(asked)) if found else {"worded": None}),
        )

    async def csv(self, request: Request, staff: StaffRow) -> Response:
        """One report's table as a file; who fetched it is noted first. The page says what is wrong with a period."""
        name, asked = request.path_params["name"], self._asked(request)
        if name not in REPORTS:
            return self.frame.error(request, "desk_reports.error_none", 404)
        try:
            period = period_of(asked, self.frame.resources.clock().date())
        except BadPeriod:
            return RedirectResponse(f"/desk/reports?{asked.query}", 303)
        try:
            await self.frame.house.store.note(staff.id, "report.download", f"report/{name}")
        except OSError:
            return self.frame.error(request, "web.error_store", 503)
        report = REPORTS[name](await self._found(period, asked), self._pen(request))
        file = f"desk-{name}-{period.first}-{period.last}.csv"
        return Response(
            rows_to_csv(report.header, report.rows).encode("utf-8-sig"),
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
            media_type="text/csv",
        )

    async def _found(self, period: Period, asked: Asked) -> Found:
        """Counted beside the event loop: a year of a large desk takes longer than a citizen should wait."""
        return await asyncio.to_thread(self._count, period, asked)

    def _count(self, period: Period, asked: Asked) -> Found:
        rows, span = self.frame.house.store.reports, period.span(asked)
        cases = rows.cases(span)
        last = max([case.closed_at or case.first_answer_at or case.opened_at for case in cases], default=period.start)
        clock = ServiceClock(self.frame.house.timetable.hours.spans, period.first, period.day(last))
        return Found(period, asked, cases, rows.talks(span), rows.missed(span), rows.rated(span), clock.between)

    def _asked(self, request: Request) -> Asked:
        return Asked.of(request.query_params, self.frame.resources.languages)

    def _why(self, request: Request, bad: BadPeriod) -> str:
        return self.frame.words(request, str(bad), days=LONGEST_DAYS)

    def _pen(self, request: Request) -> Pen:
        words, catalog = partial(self.frame.words, request), self.frame.resources.catalog
        return Pen(words, lambda key, otherwise: words(key if key in catalog else otherwise))


def _drawn(found: Found, pen: Pen) -> tuple[list[tuple[str, str]], list[Report]]:
    """The figures at the top, and every report."""
    return glance(found, pen), [make(found, pen) for make in REPORTS.values()]
