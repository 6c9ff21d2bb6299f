"""Who may go into a case: asked before anything of it is shown or changed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bot.desk import views
from bot.desk.frame import Frame
from bot.store.records import CaseRow, StaffRow


def shut(frame: Frame, request: Request, row: CaseRow | None, staff: StaffRow) -> Response | None:
    """What is answered where there is no such case or this caseworker may not see it; None where they may."""
    if row is None:
        return frame.error(request, "desk.error_no_case", 404)
    if views.sees(row, staff):
        return None
    return frame.error(request, "desk_privacy.error_restricted" if row.restricted else "desk.error_held", 403)
