"""The lists for authors: what the bot could not answer or misread, verdicts thought wrong; done or dismissed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.clock import TAIPEI
from bot.desk import views
from bot.desk.afterwards import intent_name
from bot.desk.csv_safe import Cell, rows_to_csv
from bot.desk.frame import Frame, whole
from bot.desk.rights import Right
from bot.dialogue.options import name_key
from bot.store.author_lists import COUNTED, ListRow
from bot.store.authors import DISMISSED, DONE, LISTS, NEW, STATES, Sought
from bot.store.misread import MisreadRow
from bot.store.proposals import Proposal, ProposalRow
from bot.store.records import StaffRow
from bot.store.unanswered import UnansweredRow

PAGE = 50
OPENED_SECONDS = 600.0
VERBS = {NEW: "authors.again", DONE: "authors.done", DISMISSED: "authors.dismissed"}
COLUMNS = {
    "unanswered": ("text", "lang", "decision", "offered", "picked"),
    "misread": ("text", "lang", "understood", "meant", "who"),
    "proposals": ("rule", "verdict", "expect", "given", "day", "note", "who"),
}
QUOTED = ("text", "note", "given")  # shown as written


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for; anything that is none becomes the first."""

    name: str
    sought: Sought

    @property
    def query(self) -> dict[str, str]:
        """As a query again, without the page."""
        given = {"list": self.name, "state": self.sought.state, "lang": self.sought.lang}
        return {field: value for field, value in given.items() if value}


@dataclass
class Authors:
    """Read, marked and downloaded by those who may. Every look and every mark is in the trail, without content."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        get, post = self.frame.get, self.frame.post
        return [
            Route("/desk/authors", get(self.page, Right.AUTHOR_LISTS), methods=["GET"]),
            Route("/desk/authors.csv", get(self.csv, Right.AUTHOR_LISTS), methods=["GET"]),
            Route("/desk/authors/settle", post(self.settle, Right.AUTHOR_LISTS), methods=["POST"]),
        ]

    def _asked(self, given: Any) -> Asked:
        """From a query or a form."""
        lang, name, state = given.get("lang", ""), given.get("list", ""), given.get("state", "")
        known = lang in self.frame.resources.languages and name != "proposals"
        before = whole(given.get("before"))
        sought = Sought(state if state in STATES else NEW, lang if known else "")
        return Asked(name if name in LISTS else LISTS[0], replace(sought, before=before) if before > 0 else sought)

    async def page(self, request: Request, staff: StaffRow) -> Response:
        """One list, newest first."""
        store, asked = self.frame.house.store, self._asked(request.query_params)
        rows = store.authors.rows(asked.name, replace(asked.sought, limit=PAGE + 1))
        try:
            await store.audit.note_once(staff.id, "authors.open", f"authors/{asked.name}", OPENED_SECONDS)
        except OSError:
            return self.frame.error(request, "web.error_store", 503)
        more = urlencode({**asked.query, "before": rows[PAGE - 1].id}) if len(rows) > PAGE else ""
        gone = request.query_params.get("problem") == "gone"
        return self.frame.render(
            request,
            "authors",
            staff=staff,
            asked=asked,
            query=urlencode(asked.query),
            lists=[(name, urlencode({"list": name}), count) for name, count in store.authors.open().items()],
            counted=COUNTED,
            languages=self.frame.resources.languages,
            states=STATES,
            rows=[self._shown(request, row) for row in rows[:PAGE]],
            columns=[name for name in COLUMNS[asked.name] if name not in ("text", "lang")],
            quoted=QUOTED,
            before=request.query_params.get("before", ""),
            more=more,
            error=self.frame.words(request, "desk_authors.error_gone") if gone else "",
        )

    def _shown(self, request: Request, row: ListRow) -> dict[str, Any]:
        fate, settled = row.fate, ""
        if fate.at is not None:
            key = "desk_authors.settled_who" if fate.who else "desk_authors.settled_line"
            settled = self.frame.words(request, key, name=fate.who, time=views.moment(fate.at))
        return {
            "id": row.id,
            "at": views.moment(row.at),
            "state": fate.state,
            "settled": settled,
            **self._cells(request, row),
        }

    def _cells(self, request: Request, row: ListRow) -> dict[str, str]:
        """What a row says, by the name of its column."""
        match row:
            case UnansweredRow():
                decided = self.frame.words(request, f"desk_authors.decision_{row.decision}")
                picked = self._names(request, filter(None, [row.picked]))
                offered = self._names(request, row.offered)
                return {"text": row.text, "lang": row.lang, "decision": decided, "offered": offered, "picked": picked}
            case MisreadRow(misread=found):
                nothing = self.frame.words(request, "desk_authors.meant_none")
                meant = self._names(request, [found.meant]) if found.meant else nothing
                understood = self._names(request, found.understood)
                said = {"text": found.text, "lang": found.lang}
                return said | {"understood": understood, "meant": meant, "who": row.who}
            case ProposalRow(proposal=case):
                return self._proposal(request, case) | {"who": row.who}

    def _proposal(self, request: Request, case: Proposal) -> dict[str, str]:
        rule = self.frame.resources.knowledge.rules.get(case.rule)
        name = f"{self.frame.words(request, name_key(rule))} ({case.rule})" if rule else case.rule
        return {
            "rule": name,
            "verdict": self.frame.words(request, f"desk.verdict_{case.verdict}"),
            "expect": self.frame.words(request, f"desk.verdict_{case.expect}"),
            "given": case.golden,
            "day": case.day,
            "note": case.note,
        }

    def _names(self, request: Request, labels: Iterable[str]) -> str:
        resources, lang = self.frame.resources, self.frame.lang(request)
        comma = self.frame.words(request, "conversation.list.comma")
        return comma.join(intent_name(resources, lang, label) for label in labels)

    async def settle(self, request: Request, staff: StaffRow) -> Response:
        """Mark one row; back to where it was seen."""
        form = await self.frame.form(request)
        asked, number, to = self._asked(form), whole(form.get("id")), form.get("to", "")
        back = {**asked.query, "before": form.get("before", "")} if form.get("before") else asked.query
        if to not in STATES or not await self.frame.house.store.authors.settle(asked.name, number, to, staff.id):
            return RedirectResponse(f"/desk/authors?{urlencode({**back, 'problem': 'gone'})}", 303)
        await self.frame.house.store.note(staff.id, VERBS[to], f"{asked.name}/{number}")
        return RedirectResponse(f"/desk/authors?{urlencode(back)}", 303)

    async def csv(self, request: Request, staff: StaffRow) -> Response:
        """A whole list as a file; who fetched it is noted first."""
        asked = self._asked(request.query_params)
        try:
            await self.frame.house.store.note(staff.id, "authors.export", f"authors/{asked.name}")
        except OSError:
            return self.frame.error(request, "web.error_store", 503)
        name = f"authors-{asked.name}-{self.frame.resources.clock().date().isoformat()}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(self._csv(request, asked), media_type="text/csv; charset=utf-8", headers=headers)

    async def _csv(self, request: Request, asked: Asked) -> AsyncIterator[bytes]:
        columns = ("number", "time", *COLUMNS[asked.name], "state", "settled")
        header = [self.frame.words(request, f"desk_authors.{name}") for name in columns]
        yield rows_to_csv(header, []).encode("utf-8-sig")
        for page in self.frame.house.store.authors.pages(asked.name, asked.sought):
            yield rows_to_csv((), [self._line(request, asked.name, row) for row in page]).encode()
            await asyncio.sleep(0)  # citizens come first

    def _line(self, request: Request, name: str, row: ListRow) -> Sequence[Cell]:
        shown, cells = self._shown(request, row), self._cells(request, row)
        at = datetime.fromtimestamp(row.at, TAIPEI).isoformat(timespec="seconds")
        state = self.frame.words(request, f"desk_authors.state_{row.fate.state}")
        return [row.id, at, *(cells[column] for column in COLUMNS[name]), state, shown["settled"]]
