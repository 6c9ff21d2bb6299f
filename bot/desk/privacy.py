"""Requests of citizens about their own data: their legal clock, what is done, and that the person is told."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.clock import TAIPEI
from bot.desk.frame import Frame
from bot.desk.rights import Right, may
from bot.dialogue.own_data import receipt
from bot.messages import Notice, Reply
from bot.pipeline.own_data import CopyDesk
from bot.render.pages import bubble_of
from bot.store.erasing import OnHold
from bot.store.privacy import NotOpen, RequestRow
from bot.store.records import StaffRow
from intents.slots import parse
from knowledge.catalog import format_figure
from knowledge.facts import Fact
from knowledge.models import Figure
from knowledge.rules.values import to_json

REASON_LIMIT = 300
VALUE_LIMIT = 200
Form = dict[str, str]
Act = Callable[[Request, StaffRow, RequestRow, Form], Awaitable[str]]
"""What is done with an open request: the key of the text that says why not, or nothing."""


@dataclass
class PrivacyPages:
    """Data is shown only for an open request, and every look at it is in the audit with the kind of the request."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        get, right = self.frame.get, Right.PRIVACY_REQUESTS
        return [
            Route("/desk/privacy", get(self.requests, right), methods=["GET"]),
            Route("/desk/privacy/{id:int}", get(self.request, right), methods=["GET"]),
            Route("/desk/privacy/{id:int}/correct", self._post(self.correct), methods=["POST"]),
            Route("/desk/privacy/{id:int}/restrict", self._post(self.restrict), methods=["POST"]),
            Route("/desk/privacy/{id:int}/lift", self._post(self.lift), methods=["POST"]),
            Route("/desk/privacy/{id:int}/erase", self._post(self.erase), methods=["POST"]),
            Route("/desk/privacy/{id:int}/extend", self._post(self.extend), methods=["POST"]),
            Route("/desk/privacy/{id:int}/refuse", self._post(self.refuse), methods=["POST"]),
            Route("/desk/privacy/{id:int}/done", self._post(self.done), methods=["POST"]),
        ]

    # -- pages

    async def requests(self, request: Request, staff: StaffRow, error: str = "", typed: Form | None = None) -> Response:
        """The list: open ones by the day they are due, or closed ones. `error`: the key of what went wrong."""
        closed = request.query_params.get("view") == "closed"
        privacy = self.frame.house.store.privacy
        holds = privacy.holds() if may(staff.role, Right.PEOPLE) else None
        return self.frame.render(
            request,
            "privacy",
            400 if error else 200,
            staff=staff,
            closed=closed,
            counts=privacy.counts(),
            requests=[self._shown(row) for row in privacy.requests(closed)],
            holds=None if holds is None else [(hold, _day(hold.at)) for hold in holds],
            error=self.frame.words(request, error, limit=REASON_LIMIT) if error else "",
            typed=typed or {},
            limit=REASON_LIMIT,
        )

    async def request(self, request: Request, staff: StaffRow) -> Response:
        """One request; while it is open with what is kept of the person."""
        row = self.frame.house.store.privacy.request(request.path_params["id"])
        if row is None:
            return self.frame.error(request, "desk_privacy.error_none", 404)
        if row.state == "open":
            await self.frame.house.store.note(staff.id, "privacy.open", f"privacy/{row.id}", row.kind)
        return self._page(request, staff, row)

    def _page(
        self,
        request: Request,
        staff: StaffRow,
        row: RequestRow,
        error: str = "",
        status: int = 200,
        typed: Form | None = None,
    ) -> Response:
        data = self._data(row, self.frame.lang(request)) if row.state == "open" and row.conversation else {}
        return self.frame.render(
            request,
            "privacy_request",
            status,
            staff=staff,
            one=self._shown(row),
            error=error,
            typed=typed or {},
            limit=REASON_LIMIT,
            **data,
        )

    def _data(self, row: RequestRow, lang: str) -> dict[str, Any]:
        """What is kept, in the words of the desk; each answer with what it can be changed to."""
        resources = self.frame.resources
        copy = CopyDesk(self.frame.house.store, resources).copy(row.conversation or 0, lang)
        told = {(subject, fact) for subject, fact, _ in self.frame.house.store.facts(row.conversation or 0)}
        facts = [
            {"answer": each, "choices": self._choices(each.fact, lang), "told": (each.subject, each.fact) in told}
            for each in copy.answers
        ]
        return {"copy": copy, "facts": facts, "bubbles": [bubble_of(entry) for entry in copy.entries]}

    def _choices(self, fact: str, lang: str) -> list[tuple[str, str]]:
        known = self.frame.resources.knowledge.facts.get(fact)
        words = self.frame.resources.pages.words
        return [(choice, words(lang, f"fact.{fact}.choice.{choice}")) for choice in (known.choices if known else ())]

    def _shown(self, row: RequestRow) -> dict[str, Any]:
        return {"row": row, "opened": _day(row.opened_at), "due": _day(row.due_at), "late": row.left < 0}

    # -- what is done

    def _post(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        """An action on an open request: back to its page, or the page again with what was typed and why not."""

        async def acted(request: Request, staff: StaffRow) -> Response:
            row = self.frame.house.store.privacy.request(request.path_params["id"])
            if row is None:
                return self.frame.error(request, "desk_privacy.error_none", 404)
            if row.state != "open" or row.conversation is None:
                return self._refused(request, staff, "desk_privacy.error_settled", 409, {})
            form = await self.frame.form(request)
            try:
                key = await act(request, staff, row, form)
            except NotOpen:
                return self._refused(request, staff, "desk_privacy.error_settled", 409, form)
            except OnHold:
                return self._refused(request, staff, "desk_privacy.error_hold", 409, form)
            if key:
                return self._refused(request, staff, key, 400, form)
            self.frame.changed(row.conversation)
            return RedirectResponse(f"/desk/privacy/{row.id}", 303)

        return self.frame.post(acted, Right.PRIVACY_REQUESTS)

    def _refused(self, request: Request, staff: StaffRow, key: str, status: int, form: Form) -> Response:
        row = self.frame.house.store.privacy.request(request.path_params["id"])
        assert row is not None
        error = self.frame.words(request, key, limit=REASON_LIMIT)
        return self._page(request, staff, row, error, status, form)

    async def _note(self, staff: StaffRow, row: RequestRow, what: str) -> None:
        await self.frame.house.store.note(staff.id, f"privacy.{what}", f"privacy/{row.id}", row.kind)

    def _say(self, row: RequestRow, key: str, **params: str) -> Reply:
        return self.frame.resources.renderer.say(f"conversation.{key}", self._lang(row), Notice.CASE, **params)

    def _lang(self, row: RequestRow) -> str:
        return row.lang or self.frame.resources.languages[0]

    def _kind(self, row: RequestRow) -> str:
        return self.frame.resources.pages.words(self._lang(row), f"conversation.request.{row.kind}")

    async def correct(self, request: Request, staff: StaffRow, row: RequestRow, form: Form) -> str:
        """One told answer: another value, read as a person would write it, or none."""
        subject, fact = form.get("subject", ""), self.frame.resources.knowledge.facts.get(form.get("fact", ""))
        told = [(each, name) for each, name, _ in self.frame.house.store.facts(row.conversation or 0)]
        if fact is None or (subject, fact.id) not in told:
            return "desk_privacy.error_fact"
        value = None if "remove" in form else self._value(fact, form.get("value", ""), self.frame.lang(request))
        if value is None and "remove" not in form:
            return "desk_privacy.error_value"
        label = self.frame.resources.pages.words(self._lang(row), f"fact.{fact.id}.label")
        told_so = self._say(row, "request_corrected", fact=label)
        document = None if value is None else json.dumps(value, ensure_ascii=False)
        await self.frame.house.store.privacy.correct(row.id, (subject, fact.id), document, told_so)
        await self._note(staff, row, "correct")
        return ""

    def _value(self, fact: Fact, text: str, lang: str) -> Any:
        """The JSON value of a choice or of a typed answer; None where it is neither."""
        if fact.choices:
            return fact.choice_value(text) if text in fact.choices else None
        today: date = self.frame.resources.clock().date()
        parsed = parse(fact, text[:VALUE_LIMIT], lang, today, self.frame.resources.words)
        return to_json(parsed.value) if parsed.kind == "value" and parsed.value is not None else None

    async def restrict(self, request: Request, staff: StaffRow, row: RequestRow, form: Form) -> str:
        """Keep the data apart."""
        await self.frame.house.store.privacy.restrict(row.id, True, self._say(row, "request_restricted"))
        await self._note(staff, row, "restrict")
        return ""

    async def lift(self, request: Request, staff: StaffRow, row: RequestRow, form: Form) -> str:
        """Let the data be used again; that settles a wish to stop."""
        await self.frame.house.store.privacy.restrict(row.id, False, self._say(row, "request_lifted"))
        await self._note(staff, row, "lift")
        return ""

    async def erase(self, request: Request, staff: StaffRow, row: RequestRow, form: Form) -> str:
        """Delete everything; the person gets the receipt."""
        if not self.frame.confirmed(request, staff):
            return "desk_privacy.error_confirm"
        kept = self.frame.house.store.privacy.kept(row.conversation or 0)
        done = self._say(row, "request_erased")
        figures = self._say(row, "erased", **dict(receipt(kept)))
        told = Reply(f"{done.text}\n\n{figures.text}", done.lang, notice=Notice.CASE)
        await self.frame.house.store.privacy.erase(row.id, staff.id, told)
        await self._note(staff, row, "erase")
        return ""

    async def extend(self, request: Request, staff: StaffRow, row: RequestRow, form: Form) -> str:
        """As much time again, once, with a reason that the person is told."""
        reason = _reason(form)
        if not reason:
            return "desk_privacy.error_reason"
        if row.extended:
            return "desk_privacy.error_extended"
        until = datetime.fromtimestamp(2 * row.due_at - row.opened_at, TAIPEI).date().isoformat()
        day = format_figure(Figure(value=until, unit="date", source="law"), self._lang(row))
        told = self._say(row, "request_extended", kind=self._kind(row), day=day, reason=reason)
        await self.frame.house.store.privacy.extend(row.id, reason, told)
        await self._note(staff, row, "extend")
        return ""

    async def refuse(self, request: Request, staff: StaffRow, row: RequestRow, form: Form) -> str:
        """No, with a reason that the person is told; a refused wish to stop lifts the restriction."""
        reason = _reason(form)
        if not reason:
            return "desk_privacy.error_reason"
        told = self._say(row, "request_refused", kind=self._kind(row), reason=reason)
        await self.frame.house.store.privacy.settle(row.id, staff.id, "refused", reason, told)
        await self._note(staff, row, "refuse")
        return ""

    async def done(self, request: Request, staff: StaffRow, row: RequestRow, form: Form) -> str:
        """Dealt with."""
        told = self._say(row, "request_done", kind=self._kind(row))
        await self.frame.house.store.privacy.settle(row.id, staff.id, "done", "", told)
        await self._note(staff, row, "done")
        return ""


def _reason(form: Form) -> str:
    """A reason that was given and is not too long; empty otherwise."""
    reason = form.get("reason", "").strip()
    return reason if len(reason) <= REASON_LIMIT else ""


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, TAIPEI).strftime("%Y-%m-%d")
