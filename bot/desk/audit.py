"""The audit trail at the desk: read, filtered, downloaded; and the row that says who looked at a case."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bot import observe
from bot.channels.text import sound
from bot.clock import TAIPEI
from bot.desk.csv_safe import rows_to_csv
from bot.desk.frame import Frame, whole
from bot.desk.rights import Right
from bot.store.audit import SYSTEM, AuditRow, Sought
from bot.store.records import StaffRow

PAGE = 100
FIELDS = ("object", "who", "action", "day")
FIELD_LIMIT = 100
OPENED_SECONDS = 600.0
COLUMNS = ("number", "time", "who", "action", "object", "why", "hash")


async def opened(frame: Frame, staff: StaffRow, case_id: int) -> None:
    """Write down that somebody looked at a case: once in ten minutes, so that the trail stays readable.

    Reading goes on while nothing can be written; that it was not written down is in the log.
    """
    try:
        await frame.house.store.audit.note_once(staff.id, "case.open", f"case/{case_id}", OPENED_SECONDS)
    except OSError as error:
        observe.failure("audit", error)


@dataclass
class AuditPages:
    """Reading only: no request can change a row."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        get = self.frame.get
        return [
            Route("/desk/audit", get(self.page, Right.AUDIT), methods=["GET"]),
            Route("/desk/audit.csv", get(self.download, Right.AUDIT), methods=["GET"]),
        ]

    async def page(self, request: Request, staff: StaffRow) -> Response:
        """The rows that are sought, newest first."""
        typed = _typed(request)
        try:
            sought = _sought(typed)
        except (ValueError, OverflowError):
            return self._page(request, staff, typed, [], self.frame.words(request, "desk_audit.error_day"), 400)
        before = whole(request.query_params.get("before"))
        rows = self.frame.house.store.audit.rows(sought, before if before > 0 else None, PAGE + 1)
        return self._page(request, staff, typed, rows)

    def _page(
        self,
        request: Request,
        staff: StaffRow,
        typed: dict[str, str],
        rows: list[AuditRow],
        error: str = "",
        status: int = 200,
    ) -> Response:
        trail, asked = self.frame.house.store.audit, _query(typed)
        more = urlencode({**asked, "before": rows[PAGE - 1].id}) if len(rows) > PAGE else ""
        return self.frame.render(
            request,
            "audit",
            status,
            staff=staff,
            error=error,
            typed=typed,
            asked=urlencode(asked),
            newest="before" not in request.query_params,
            more=more,
            rows=[self._shown(request, row) for row in rows[:PAGE]],
            actions=[(action, self._label(request, action)) for action in trail.actions()],
            people=trail.people(),
            system=SYSTEM,
            head=trail.head(),
        )

    def _shown(self, request: Request, row: AuditRow) -> dict[str, Any]:
        at = datetime.fromtimestamp(row.at, TAIPEI)
        return {
            "row": row,
            "iso": at.isoformat(timespec="seconds"),
            "time": at.strftime("%Y-%m-%d %H:%M:%S"),
            "label": self._label(request, row.action),
        }

    def _label(self, request: Request, action: str) -> str:
        """An action in words; empty where it has none and its code must do."""
        key = f"desk_audit.action_{re.sub('[.-]', '_', action)}"
        return self.frame.words(request, key) if key in self.frame.resources.catalog else ""

    async def download(self, request: Request, staff: StaffRow) -> Response:
        """All rows that are sought as CSV; the download is in the trail itself."""
        try:
            sought = _sought(_typed(request))
        except (ValueError, OverflowError):
            return self.frame.error(request, "desk_audit.error_day", 400)
        try:
            await self.frame.house.store.note(staff.id, "audit.export", "audit")
        except OSError:
            return self.frame.error(request, "web.error_store", 503)
        name = f"audit-{self.frame.resources.clock().date().isoformat()}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(self._csv(request, sought), media_type="text/csv; charset=utf-8", headers=headers)

    async def _csv(self, request: Request, sought: Sought) -> AsyncIterator[bytes]:
        yield rows_to_csv([self.frame.words(request, f"desk_audit.{name}") for name in COLUMNS], []).encode("utf-8-sig")
        for page in self.frame.house.store.audit.pages(sought):
            yield rows_to_csv((), map(_cells, page)).encode()


def _cells(row: AuditRow) -> tuple[int | str, ...]:
    at = datetime.fromtimestamp(row.at, TAIPEI).isoformat(timespec="seconds")
    return row.id, at, row.who, row.action, row.object, row.why, row.hash


def _typed(request: Request) -> dict[str, str]:
    """The fields of the form as they were typed."""
    return {name: sound(request.query_params.get(name, ""))[:FIELD_LIMIT].strip() for name in FIELDS}


def _query(typed: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in typed.items() if value}


def _sought(typed: dict[str, str]) -> Sought:
    """What is sought; ValueError or OverflowError where the day is none."""
    sought = Sought(typed["object"], typed["who"], typed["action"])
    if not typed["day"]:
        return sought
    start = datetime.combine(date.fromisoformat(typed["day"]), time(), TAIPEI)
    return replace(sought, since=start.timestamp(), until=(start + timedelta(days=1)).timestamp())
