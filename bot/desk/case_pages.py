"""One case: its page, taking it, answering, closing, its files, checks thought wrong."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk import afterwards, doors, files, side_pane, views
from bot.desk.audit import opened
from bot.desk.case_work import closing
from bot.desk.frame import Frame, whole
from bot.desk.phrasebook import Pane, phrases_for
from bot.desk.rights import Right, may
from bot.desk.unmasking import tells_number
from bot.desk.window import MOST, Window, window
from bot.messages import Notice, Reply
from bot.store.casework import OUTCOMES
from bot.store.records import CaseRow, CaseTaken, NotHolder, StaffRow

REPLY_LIMIT = 4000
SOUGHT_LIMIT = 100
MOST_FOUND = 200
PROBLEMS = (  # what an action may say on the page it leads back to
    "error_not_holder",
    "error_case_open",
    "error_why",
    "error_target",
    "error_until",
    "error_note",
    "error_own_number",
)


@dataclass
class CasePages:
    """Every change is a form from our own page and one conditional step in the store."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        get, post = self.frame.get, self.frame.post
        return [
            Route("/desk/cases/{id:int}", get(self.case, Right.OPEN_CASES), methods=["GET"]),
            Route("/desk/cases/{id:int}/claim", post(self.claim, Right.ANSWER), methods=["POST"]),
            Route("/desk/cases/{id:int}/reply", post(self.reply, Right.ANSWER), methods=["POST"]),
            Route("/desk/cases/{id:int}/draft", post(self.draft, Right.ANSWER), methods=["POST"]),
            Route("/desk/cases/{id:int}/close", post(self.close, Right.ANSWER), methods=["POST"]),
            Route("/desk/cases/{id:int}/propose", post(self.propose, Right.ANSWER), methods=["POST"]),
            Route("/desk/files/{id:int}", get(self.file, Right.ANSWER), methods=["GET"]),
        ]

    async def case(self, request: Request, staff: StaffRow) -> Response:
        """One case with its conversation."""
        problem = request.query_params.get("problem", "")
        error = self.frame.words(request, f"desk.{problem}") if problem in PROBLEMS else ""
        row = self.frame.house.store.case(request.path_params["id"])
        if row is not None and views.sees(row, staff):
            self.frame.presence.seen(row.id, staff.id, staff.name)
            await opened(self.frame, staff, row.id)
        return self._case(request, staff, row, error)

    def _case(
        self,
        request: Request,
        staff: StaffRow,
        row: CaseRow | None,
        error: str = "",
        status: int = 200,
        draft: str = "",
    ) -> Response:
        if closed := doors.shut(self.frame, request, row, staff):
            if row is None or row.restricted:
                return closed
            error = error or self.frame.words(request, "desk.error_held")
            return self._outside(request, staff, row, error, draft, max(status, 403))
        assert row is not None, "the door is shut where there is none"
        resources, store, lang = self.frame.resources, self.frame.house.store, self.frame.lang(request)
        newest, sought = window(store, row), request.query_params.get("q", "").strip()[:SOUGHT_LIMIT]
        context = views.conversation(resources, store, row, staff, lang, self._seen(request, row, newest, sought))
        context |= side_pane.pane(resources, store, row, newest.entries, lang)
        context |= afterwards.beside_case(store, row, staff)
        if sought:
            context["bubbles"] = [each for each in context["bubbles"] if views.holds(each, sought)][-MOST_FOUND:]
        draft = draft or self.frame.house.store.draft(row.id, staff.id)
        return self.frame.render(
            request,
            "case",
            status,
            staff=staff,
            error=error,
            waiting=self.frame.house.store.case_waiting(),
            draft=draft,
            form_id=uuid.uuid4().hex,
            viewers=self.frame.presence.others(row.id, staff.id),
            sought=sought,
            proposed=request.query_params.get("proposed", ""),
            quota=self.frame.quota(self.frame.lang(request)) if row.channel == "line" else "",
            phrases=self._phrases(request, row, staff) if context["mine"] else None,
            masked=store.casework.masked.lines(row.conversation) if context["mine"] else (),
            asks_sure=tells_number(draft),
            translates=self.frame.translator is not None and may(staff.role, Right.ANSWER),
            **context,
        )

    def _seen(self, request: Request, row: CaseRow, newest: Window, sought: str) -> Window:
        """The lines to show: the newest ones, earlier ones where they are asked for, all to look for words in."""
        before = whole(request.query_params.get("before"))
        if sought:
            return window(self.frame.house.store, row, lines=MOST)
        return window(self.frame.house.store, row, before) if before > 0 else newest

    def _phrases(self, request: Request, row: CaseRow, staff: StaffRow) -> Pane:
        return phrases_for(self.frame.resources, self.frame.house.store, row, staff, self.frame.lang(request))

    def _outside(
        self, request: Request, staff: StaffRow, row: CaseRow, error: str, typed: str, status: int
    ) -> Response:
        """What went wrong, and what was typed, for somebody who may not see the case (any more)."""
        return self.frame.render(
            request,
            "case_outside",
            status,
            staff=staff,
            error=error,
            number=row.number,
            held_by=row.holder_name if row.state == "human" else "",
            draft=typed or self.frame.house.store.draft(row.id, staff.id),
        )

    async def claim(self, request: Request, staff: StaffRow) -> Response:
        """Take a waiting case: from the same instant only this caseworker speaks."""
        row = self.frame.house.store.case(request.path_params["id"])
        if row is None or row.restricted:
            return self._case(request, staff, row)
        notice = self.frame.resources.renderer.say("conversation.case_claimed", row.lang, Notice.CASE, name=staff.name)
        try:
            await self.frame.house.store.claim(row.id, staff.id, notice)
        except CaseTaken:
            error = self.frame.words(request, "desk.error_taken")
            return self._case(request, staff, self.frame.house.store.case(row.id), error, 409)
        await self.frame.house.store.note(staff.id, "case.claim", f"case/{row.id}")
        self.frame.changed(row.conversation)
        return RedirectResponse(f"/desk/cases/{row.id}", 303)

    async def reply(self, request: Request, staff: StaffRow) -> Response:
        """Answer the citizen; refused, with the text kept, when somebody else speaks now."""
        row = self.frame.house.store.case(request.path_params["id"])
        if row is None:
            return self.frame.error(request, "desk.error_no_case", 404)
        form = await self.frame.form(request)
        text = form.get("text", "").strip()
        if not text or len(text) > REPLY_LIMIT:
            key = "desk.error_reply_long" if text else "desk.error_reply_empty"
            return self._case(request, staff, row, self.frame.words(request, key, limit=REPLY_LIMIT), 400, text)
        if row.holder == staff.id and form.get("sure") != "yes" and tells_number(text):
            return self._case(request, staff, row, self.frame.words(request, "desk.error_own_number"), 400, text)
        try:
            form_id = form.get("id", "") or uuid.uuid4().hex
            await self.frame.house.store.reply(
                row.id, staff.id, whole(form.get("fence")), form_id, Reply(text, _script(text, row.lang))
            )
        except NotHolder:
            if views.sees(row, staff) or self.frame.house.store.casework.has_held(row.id, staff.id):
                await self.frame.house.store.keep_draft(row.id, staff.id, text)
            error = self.frame.words(request, "desk.error_not_holder")
            return self._case(request, staff, self.frame.house.store.case(row.id), error, 409, text)
        except OSError:
            return self._case(request, staff, row, self.frame.words(request, "web.error_store"), 503, text)
        if self.frame.house.store.draft(row.id, staff.id):
            await self.frame.house.store.keep_draft(row.id, staff.id, "")
        self.frame.changed(row.conversation)
        return RedirectResponse(f"/desk/cases/{row.id}", 303)

    async def draft(self, request: Request, staff: StaffRow) -> Response:
        """Keep what is being written."""
        row = self.frame.house.store.case(request.path_params["id"])
        if row is None or not views.sees(row, staff):
            return Response(status_code=404 if row is None else 403)
        form = await self.frame.form(request)
        await self.frame.house.store.keep_draft(row.id, staff.id, form.get("text", "")[:REPLY_LIMIT])
        return Response(status_code=204)

    async def close(self, request: Request, staff: StaffRow) -> Response:
        """End a held case: the bot is back and says so."""
        row = self.frame.house.store.case(request.path_params["id"])
        if row is None:
            return self.frame.error(request, "desk.error_no_case", 404)
        form = await self.frame.form(request)
        outcome = form.get("outcome", "")
        outcome = outcome if outcome in OUTCOMES else "answered"
        notice = closing(self.frame, row.lang)
        try:
            await self.frame.house.store.close_case(row.id, staff.id, whole(form.get("fence")), notice, outcome)
        except NotHolder:
            error = self.frame.words(request, "desk.error_not_holder")
            return self._case(request, staff, self.frame.house.store.case(row.id), error, 409)
        await self.frame.house.store.note(staff.id, "case.close", f"case/{row.id}")
        self.frame.changed(row.conversation)
        return RedirectResponse("/desk", 303)

    async def propose(self, request: Request, staff: StaffRow) -> Response:
        """A verdict is thought wrong: the check goes to the authors of rules, without who it was."""
        row = self.frame.house.store.case(request.path_params["id"])
        if row is None or not views.sees(row, staff):
            return self._case(request, staff, row)
        form = await self.frame.form(request)
        proposal = side_pane.proposal(self.frame.resources, self.frame.house.store, row, form)
        if proposal is None:
            return self._case(request, staff, row, self.frame.words(request, "desk.error_proposal"), 400)
        await self.frame.house.store.propose(staff.id, proposal)
        await self.frame.house.store.note(staff.id, "rule.propose", f"rule/{proposal.rule}")
        return RedirectResponse(f"/desk/cases/{row.id}?proposed={proposal.rule}", 303)

    async def file(self, request: Request, staff: StaffRow) -> Response:
        """A file that came with a message, for the holder of the case."""
        found = files.opened(self.frame.house.store, request.path_params["id"], staff)
        if found is None:
            return self.frame.error(request, "desk.file_not_holder", 403)
        await self.frame.house.store.note(staff.id, "file.open", f"file/{found[0].id}")
        return files.response(*found)


def _script(text: str, lang: str) -> str:
    """The language to mark a caseworker's own words with: Chinese where Han characters stand."""
    return "zh-TW" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else lang
