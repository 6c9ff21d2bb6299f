"""After the case: how the citizen rated it, and messages that the bot misread, handed on to the authors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk import doors, views
from bot.desk.frame import Frame, whole
from bot.desk.rights import Right, may
from bot.messages import Author, Entry
from bot.pipeline.resources import Resources
from bot.store import Store
from bot.store.misread import Misread
from bot.store.ratings import MOST, Rating
from bot.store.records import CaseRow, StaffRow
from bot.store.reports import Span
from intents.redact import redacted

TEXT_LIMIT = 1000
NONE = "none"
WORDS_SECONDS = 600.0  # who reads the words of people is written down once in so long
NOT_MEANT = ("program", "rating")  # readings that are no label of the authors'


def intent_name(resources: Resources, lang: str, label: str) -> str:
    """A label in words: a topic, or an intent; its code where it is neither any more."""
    words = resources.pages.words
    if label in resources.knowledge.topics:
        return words(lang, f"{label}.label")
    return words(lang, f"desk.intent_{label}") if label in views.INTENTS else label


def beside_case(store: Store, row: CaseRow, staff: StaffRow) -> dict[str, Any]:
    """What a case's page shows: ratings of the case, and which messages were handed on."""
    return {
        "ratings": [rating_line(each) for each in store.ratings.of_case(row.id)],
        "handed_on": store.authors.handed_on(row.conversation).keys(),
        "can_report": may(staff.role, Right.ANSWER),
    }


def rating_line(rating: Rating, words: str | None = None) -> dict[str, Any]:
    """One rating for a template."""
    return {
        "at": views.moment(rating.at),
        "lang": rating.lang,
        "channel": rating.channel,
        "helped": rating.helped,
        "words": rating.words if words is None else words,
    }


async def worded(frame: Frame, staff: StaffRow, span: Span) -> dict[str, Any]:
    """What a reports page shows of words after ratings, masked: nothing to those who may not read what people write."""
    if not may(staff.role, Right.AUTHOR_LISTS):
        return {"worded": None}
    found = frame.house.store.ratings.worded(span)
    if found:
        try:
            await frame.house.store.audit.note_once(staff.id, "report.words", "report/words", WORDS_SECONDS)
        except OSError:  # what cannot be written down is not read
            return {"worded": None}
    return {"worded": [rating_line(each, redacted(each.words)) for each in found], "most_worded": MOST}


@dataclass
class Afterwards:
    """The page on which a caseworker says that the bot misread a message, and what was meant."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its routes."""
        path = "/desk/cases/{id:int}/misread"
        return [
            Route(path, self.frame.get(self.ask, Right.ANSWER), methods=["GET"]),
            Route(path, self.frame.post(self.send, Right.ANSWER), methods=["POST"]),
        ]

    async def ask(self, request: Request, staff: StaffRow) -> Response:
        """What was meant, and the text that the authors will read."""
        row = self._case(request)
        if row is None or not views.sees(row, staff):
            return doors.shut(self.frame, request, row, staff) or Response(status_code=404)
        entry = self._line(row, request.query_params.get("seq"))
        if entry is None:
            return self.frame.error(request, "desk_after.error_misread_line", 404)
        return self._page(request, staff, row, entry, {"text": redacted(entry.reply.text)[:TEXT_LIMIT]})

    async def send(self, request: Request, staff: StaffRow) -> Response:
        """Keep it for the authors, masked once more."""
        row = self._case(request)
        if row is None or not views.sees(row, staff):
            return doors.shut(self.frame, request, row, staff) or Response(status_code=404)
        form = await self.frame.form(request)
        entry = self._line(row, form.get("seq"))
        if entry is None:
            return self.frame.error(request, "desk_after.error_misread_line", 404)
        text, meant = form.get("text", "").strip(), form.get("meant", "")
        if meant not in (NONE, *self._labels()):
            return self._page(request, staff, row, entry, form, "desk_after.error_misread_meant")
        if not text or len(text) > TEXT_LIMIT:
            return self._page(request, staff, row, entry, form, "desk_after.error_misread_text")
        understood = tuple(_labels_of(entry))
        found = Misread(redacted(text), entry.reply.lang, understood, "" if meant == NONE else meant)
        await self.frame.house.store.authors.hand_on(staff.id, row.conversation, entry.event_id, found)
        await self.frame.house.store.note(staff.id, "message.misread", f"case/{row.id}")
        self.frame.changed(row.conversation)
        return RedirectResponse(f"/desk/cases/{row.id}", 303)

    def _case(self, request: Request) -> CaseRow | None:
        return self.frame.house.store.case(request.path_params["id"])

    def _line(self, row: CaseRow, seq: str | None) -> Entry | None:
        """The citizen's line with this number, if it belongs to the case and the bot read it."""
        number = whole(seq)
        if number < 1 or (row.closed_at is not None and number > (row.closed_seq or 0)):
            return None
        entry = self.frame.house.store.entry(row.conversation, number)
        return entry if entry is not None and can_be_reported(entry) else None

    def _labels(self) -> Sequence[str]:
        intents = (intent for intent in views.INTENTS if intent not in NOT_MEANT)
        return (*self.frame.resources.knowledge.topics, *intents)

    def _page(
        self, request: Request, staff: StaffRow, row: CaseRow, entry: Entry, form: dict[str, str], error: str = ""
    ) -> Response:
        resources, lang = self.frame.resources, self.frame.lang(request)
        named = [(label, intent_name(resources, lang, label)) for label in self._labels()]
        return self.frame.render(
            request,
            "misread",
            400 if error else 200,
            staff=staff,
            case=views.case(resources, row, lang, resources.clock().timestamp()),
            said=entry.reply,
            seq=entry.seq,
            reading=[intent_name(resources, lang, label) for label in _labels_of(entry)],
            topics=[each for each in named if each[0] in resources.knowledge.topics],
            intents=[each for each in named if each[0] not in resources.knowledge.topics],
            typed={"text": form.get("text", ""), "meant": form.get("meant", "")},
            limit=TEXT_LIMIT,
            again=entry.event_id in self.frame.house.store.authors.handed_on(row.conversation),
            error=self.frame.words(request, error, limit=TEXT_LIMIT) if error else "",
            wrong=error,
        )


def can_be_reported(entry: Entry) -> bool:
    """Is it a citizen's message that still stands and that the bot read as something?"""
    intent = entry.reading.get("intent")
    return entry.author is Author.CITIZEN and bool(intent) and intent != "rating" and bool(entry.reply.text.strip())


def _labels_of(entry: Entry) -> list[str]:
    """The labels a message was read as, the intent first."""
    return [str(entry.reading["intent"]), *map(str, entry.reading.get("topics", ()))]
