"""Sending a sentence of the phrasebook to the citizen of a case: filled in, looked at, sent in their language."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk import views
from bot.desk.frame import Frame, whole
from bot.desk.phrasebook import SLOT_LIMIT, Phrase, language_name, offered, phrasebook
from bot.desk.rights import Right, may
from bot.messages import Reply
from bot.store.records import CaseRow, NotHolder, StaffRow
from knowledge.catalog import SOURCE_LANGUAGE
from knowledge.check.phrases import tidy


@dataclass
class Phrases:
    """One form: `do=preview` shows what the citizen would get, `do=send` sends it."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        post = self.frame.post(self.phrase, Right.USE_PHRASES)
        return [Route("/desk/cases/{id:int}/phrase", post, methods=["POST"])]

    async def phrase(self, request: Request, staff: StaffRow) -> Response:
        """A sentence for the citizen of a case that this caseworker holds; whatever is wrong, what was typed stays."""
        if not may(staff.role, Right.ANSWER):
            return self.frame.error(request, "desk.error_right", 403)
        row = self.frame.house.store.case(request.path_params["id"])
        if row is None:
            return self.frame.error(request, "desk.error_no_case", 404)
        if not views.sees(row, staff):
            return self.frame.error(request, "desk.error_held", 403)
        form = await self.frame.form(request)
        phrase = phrasebook(self.frame.resources, self.frame.house.store).get(form.get("phrase", ""))
        if phrase is None or phrase.retired:
            return self.frame.error(request, "desk_phrases.error_gone", 404)
        if form.get("do") != "send":
            return self._page(request, staff, row, phrase, form)
        if error := self._error(request, row, phrase, _values(phrase, form)):
            return self._page(request, staff, row, phrase, form, error, 400)
        return await self._send(request, staff, row, phrase, form)

    def _error(self, request: Request, row: CaseRow, phrase: Phrase, values: Mapping[str, str]) -> str:
        words = self.frame.words
        if row.lang not in phrase.texts:
            language = language_name(self.frame.resources, self.frame.lang(request), row.lang)
            return words(request, "desk_phrases.error_language", language=language)
        empty = [words(request, f"desk_phrases.slot_{name}") for name, value in values.items() if not value]
        if empty:
            return words(request, "desk_phrases.error_slot", slot=empty[0])
        if any(len(value) > SLOT_LIMIT for value in values.values()):
            return words(request, "desk_phrases.error_slot_long", limit=SLOT_LIMIT)
        return ""

    async def _send(
        self, request: Request, staff: StaffRow, row: CaseRow, phrase: Phrase, form: Mapping[str, str]
    ) -> Response:
        store, values = self.frame.house.store, _values(phrase, form)
        reply = Reply(phrase.filled(row.lang, values), row.lang)
        reading = {} if row.lang == SOURCE_LANGUAGE else {"original": phrase.filled(SOURCE_LANGUAGE, values)}
        try:
            await store.reply(row.id, staff.id, whole(form.get("fence")), _name(phrase, values, form), reply, reading)
        except NotHolder:
            error = self.frame.words(request, "desk.error_not_holder")
            return self._page(request, staff, row, phrase, form, error, 409)
        except OSError:
            error = self.frame.words(request, "web.error_store")
            return self._page(request, staff, row, phrase, form, error, 503)
        await store.phrases.used(phrase.key, row.topic)
        await store.note(staff.id, "phrase.send", f"case/{row.id}")
        self.frame.changed(row.conversation)
        return RedirectResponse(f"/desk/cases/{row.id}", 303)

    def _page(
        self,
        request: Request,
        staff: StaffRow,
        row: CaseRow,
        phrase: Phrase,
        form: Mapping[str, str],
        error: str = "",
        status: int = 200,
    ) -> Response:
        values = _values(phrase, form)
        return self.frame.render(
            request,
            "phrase",
            status,
            staff=staff,
            error=error,
            case_id=row.id,
            number=row.number,
            their_lang=row.lang,
            their_name=language_name(self.frame.resources, self.frame.lang(request), row.lang),
            offer=offered(phrase, row, values),
            empty=[name for name, value in values.items() if not value] if error else [],
            fence=whole(form.get("fence")),
            form_id=form.get("id", "")[:64],
        )


def _values(phrase: Phrase, form: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the slots."""
    return {name: tidy(form.get(f"slot_{name}", "")) for name in phrase.slots}


def _name(phrase: Phrase, values: Mapping[str, str], form: Mapping[str, str]) -> str:
    """The same sentence with the same words from the same state of the transcript is one message."""
    said = hashlib.sha256(json.dumps([phrase.key, values], sort_keys=True).encode()).hexdigest()[:16]
    return f"phrase/{form.get('id', '')[:64]}/{said}"
