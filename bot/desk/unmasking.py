"""Numbers of a person at the desk: shown to the holder of a case on request, asked about in one's own words."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.desk import doors, views
from bot.desk.frame import LARGEST, Frame, whole
from bot.desk.rights import Right
from bot.store.records import NotHolder, StaffRow
from intents.personal import SECRET, find


def tells_number(text: str) -> bool:
    """Does a text hold a number of somebody's identity, passport, account or card?"""
    return any(found.kind in SECRET for found in find(text))


@dataclass
class Unmasking:
    """One line at a time, for the holder, and written down before it is shown."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        return [Route("/desk/cases/{id:int}/unmask", self.frame.post(self.unmask, Right.ANSWER), methods=["POST"])]

    async def unmask(self, request: Request, staff: StaffRow) -> Response:
        """The words of a line as they were typed."""
        store = self.frame.house.store
        row = store.case(request.path_params["id"])
        if row is None or not views.sees(row, staff):
            return doors.shut(self.frame, request, row, staff) or Response(status_code=404)
        form = await self.frame.form(request)
        seq = min(whole(form.get("seq")), LARGEST)
        entry = store.entry(row.conversation, seq)
        try:
            text = await store.casework.masked.show(row.id, staff.id, seq)
        except NotHolder:
            return self.frame.error(request, "desk_masked.not_holder", 409)
        if not text:
            return self.frame.error(request, "desk_masked.none", 404)
        return self.frame.render(
            request,
            "unmasked",
            staff=staff,
            case_id=row.id,
            number=row.number,
            text=text,
            their_lang=entry.reply.lang if entry else "",
        )
