"""One case: its page, taking it, answering, closing, its files, checks thought wrong."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk import files, views
from bot.desk.audit import opened
from bot.desk.case_work import closing
from bot.desk.frame import Frame, whole
from bot.desk.phrasebook import Pane, phrases_for
from bot.desk.rights import Right, may
from bot.messages import Notice, Reply
from bot.store.casework import OUTCOMES
from bot.store.records import CaseRow, CaseTaken, NotHolder, StaffRow

REPLY_LIMIT = 4000
SOUGHT_LIMIT = 100
PROBLEMS = (  # what an action may say on the page it leads back to
    "error_not_holder",
    "error_case_open",
    "error_why",
    "error_target",
    "error_until",
    "error_note",
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
        if row is not None and not views.sees(row, staff):
            key = "desk_privacy.error_restricted" if row.restricted else "desk.error_held"
            return self.frame.error(request, key, 403)
        if row is not None:
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
        if row is None:
            return self.frame.error(request, "desk.error_no_case", 404)
        if row.restricted:
            return self.frame.error(request, "desk_privacy.error_restricted", 403)
        context = views.conversation(self.frame.resources, self.frame.house.store, row, staff, self.frame.lang(request))
        sought = request.query_params.get("q", "").strip()[:SOUGHT_LIMIT]
        if sought:
            context["bubbles"] = [each for each in context["bubbles"] if views.holds(each, sought)]
        draft = draft or self.frame.house.store.draft(row.id, staff.id)
        return self.frame.render(
            request,
            "case",
            status,
            staff=staff,
            error=error,
            draft=draft,
            form_id=uuid.uuid4().hex,
            viewers=self.frame.presence.others(row.id, staff.id),
            sought=sought,
            proposed=request.query_params.get("proposed", ""),
            quota=self.frame.quota(self.frame.lang(request)) if row.channel == "line" else "",
            phrases=self._phrases(request, row, staff) if context["mine"] else None,
            translates=self.frame.translator is not None and may(staff.role, Right.ANSWER),
            **context,
        )

    def _phrases(self, request: Request, row: CaseRow, staff: StaffRow) -> Pane:
        return phrases_for(self.frame.resources, self.frame.house.store, row, staff, self.frame.lang(request))

    async def claim(self, request: Request, staff: StaffRow) -> Response:
        """Take a waiting case: from the same instant only this caseworker speaks."""
        row = self.frame.house.store.case(request.path_params["id"])
        if row is None:
            return self.frame.error(request, "desk.error_no_case", 404)
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
        try:
            form_id = form.get("id", "") or uuid.uuid4().hex
            await self.frame.house.store.reply(
                row.id, staff.id, whole(form.get("fence")), form_id, Reply(text, _script(text, row.lang))
            )
        except NotHolder:
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
        if row is None:
            return Response(status_code=404)
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
        if row is None:
            return self.frame.error(request, "desk.error_no_case", 404)
        if row.restricted:
            return self.frame.error(request, "desk_privacy.error_restricted", 403)
        form = await self.frame.form(request)
        proposal = views.proposal(self.frame.resources, self.frame.house.store, row, form)
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
