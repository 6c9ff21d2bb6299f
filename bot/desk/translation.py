"""Machine translation at the desk: a line of the citizen on request, own words only after they were looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk import views
from bot.desk.frame import Frame, whole
from bot.desk.phrasebook import language_name
from bot.desk.rights import Right
from bot.desk.translator import TEXT_LIMIT, TranslationFailed
from bot.desk.unmasking import tells_number
from bot.messages import Author, Reply
from bot.store.records import CaseRow, NotHolder, StaffRow
from knowledge.catalog import SOURCE_LANGUAGE


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be translated. `own`: the caseworker's words, which may be sent afterwards."""

    text: str
    source: str
    target: str
    own: bool


@dataclass
class Translation:
    """Nothing of a case leaves for the translator unless somebody presses the button for this one text."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        post = self.frame.post
        return [
            Route("/desk/cases/{id:int}/translate", post(self.translate, Right.ANSWER), methods=["POST"]),
            Route("/desk/cases/{id:int}/translate/send", post(self.send, Right.ANSWER), methods=["POST"]),
        ]

    async def translate(self, request: Request, staff: StaffRow) -> Response:
        """A page with the original and what the machine makes of it."""
        row = self.frame.house.store.case(request.path_params["id"])
        if row is None or self.frame.translator is None:
            return self.frame.error(request, "desk.error_no_case" if row is None else "desk_phrases.error_off", 404)
        if not views.sees(row, staff):
            return self.frame.error(request, "desk.error_held", 403)
        form = await self.frame.form(request)
        asked = self._asked(request, row, form)
        if asked is None or asked.source == asked.target or not 0 < len(asked.text) <= TEXT_LIMIT:
            return self.frame.error(request, "desk_phrases.error_nothing", 400)
        if asked.own:
            await self.frame.house.store.keep_draft(row.id, staff.id, asked.text)  # the way back finds it
            if form.get("sure") != "yes" and tells_number(asked.text):
                return RedirectResponse(f"/desk/cases/{row.id}?problem=error_own_number", 303)
        await self.frame.house.store.note(staff.id, "case.translate", f"case/{row.id}")
        machine, error = "", ""
        try:
            machine = await self.frame.translator.translate(asked.text, asked.source, asked.target)
        except TranslationFailed:
            error = self.frame.words(request, "desk_phrases.error_translator")
        return self._page(request, staff, row, asked, machine, form, error, 502 if error else 200)

    def _asked(self, request: Request, row: CaseRow, form: Mapping[str, str]) -> Asked | None:
        if "text" in form:
            own = form["text"].strip()
            return Asked(own, SOURCE_LANGUAGE, row.lang, True) if row.lang != SOURCE_LANGUAGE else None
        seq = whole(form.get("seq"))
        if row.closed_at is not None and seq > (row.closed_seq or 0):
            return None
        entry = self.frame.house.store.entry(row.conversation, seq)
        if entry is None or entry.author is not Author.CITIZEN:
            return None
        return Asked(entry.reply.text, entry.reply.lang, self.frame.lang(request), False)

    async def send(self, request: Request, staff: StaffRow) -> Response:
        """Send own words as the machine put them, marked as such; the Chinese stays with the line for the desk."""
        store = self.frame.house.store
        row = store.case(request.path_params["id"])
        if row is None:
            return self.frame.error(request, "desk.error_no_case", 404)
        if not views.sees(row, staff):
            return self.frame.error(request, "desk.error_held", 403)
        form = await self.frame.form(request)
        own, machine = form.get("text", "").strip(), form.get("machine", "").strip()
        if not own or not machine or len(own) > TEXT_LIMIT or len(machine) > TEXT_LIMIT or row.lang == SOURCE_LANGUAGE:
            return self.frame.error(request, "desk_phrases.error_nothing", 400)
        mark = self.frame.resources.catalog.text(row.lang, "conversation.machine_translated").text
        reply, name = Reply(f"{machine}\n\n{mark}", row.lang), f"machine/{form.get('id', '')[:64]}"
        try:
            await store.reply(row.id, staff.id, whole(form.get("fence")), name, reply, {"original": own})
        except (NotHolder, OSError) as error:
            key, status = ("desk.error_not_holder", 409) if isinstance(error, NotHolder) else ("web.error_store", 503)
            asked = Asked(own, SOURCE_LANGUAGE, row.lang, True)
            return self._page(request, staff, row, asked, machine, form, self.frame.words(request, key), status)
        await store.note(staff.id, "case.machine", f"case/{row.id}")
        self.frame.changed(row.conversation)
        return RedirectResponse(f"/desk/cases/{row.id}", 303)

    def _page(
        self,
        request: Request,
        staff: StaffRow,
        row: CaseRow,
        asked: Asked,
        machine: str,
        form: Mapping[str, str],
        error: str,
        status: int,
    ) -> Response:
        return self.frame.render(
            request,
            "translation",
            status,
            staff=staff,
            error=error,
            case_id=row.id,
            number=row.number,
            asked=asked,
            source_name=language_name(self.frame.resources, self.frame.lang(request), asked.source),
            target_name=language_name(self.frame.resources, self.frame.lang(request), asked.target),
            machine=machine,
            fence=whole(form.get("fence")),
            form_id=form.get("id", "")[:64],
        )
