"""What caseworkers do with a case beside answering: take over, transfer, park, reopen, bar, note, phone back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.messages import Reply
from bot.store import cases, lines
from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Database
from bot.store.masked import Masked
from bot.store.records import CaseRow, CaseTaken, NotHolder

OUTCOMES = ("answered", "referred", "unreachable", "withdrawn", "other")


class CaseOpen(Exception):
    """The person has another open case: this one cannot be reopened beside it."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """A step in the life of a case. `at` in Unix seconds; `who` is empty for the house itself."""

    at: float
    who: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class NoteRow:
    """An internal note; the citizen never sees it."""

    at: float
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class CallbackRow:
    """A wish to be phoned: number, when as the person wrote it, in which language; when it was done."""

    id: int
    at: float
    number: str
    wish: str
    lang: str
    done_at: float | None


def log(connection: Connection, case_id: int, staff_id: int | None, what: str, detail: str = "") -> None:
    """One more step."""
    connection.execute(
        f"INSERT INTO case_log (case_id, at, staff_id, what, detail) VALUES (:case, {NOW}, :staff, :what, :detail)",
        {"case": case_id, "staff": staff_id, "what": what, "detail": encode(detail) if detail else ""},
    )


def take_over(connection: Connection, case_id: int, staff_id: int, why: str, notice: Reply) -> int:
    """A held case changes hands in one step. Returns the fence to answer with.

    Raises CaseTaken when nobody else holds it now.
    """
    row = connection.execute(
        f"UPDATE cases SET holder = :staff, claimed_at = {NOW}, answered_at = {NOW}, parked_at = NULL,"
        " parked_until = NULL WHERE id = :id AND state = 'human' AND holder <> :staff RETURNING conversation_id",
        {"staff": staff_id, "id": case_id},
    ).fetchone()
    if row is None:
        raise CaseTaken(case_id)
    fence = cases.change_speaker(connection, row["conversation_id"], "human", staff_id)
    lines.tell(connection, row["conversation_id"], notice, f"over/{case_id}/{fence}")
    log(connection, case_id, staff_id, "taken_over", why)
    return fence


@dataclass(frozen=True, slots=True)
class Target:
    """Where a case is transferred: to a person, or to whoever serves a language or a topic; empty: to all."""

    staff: int | None = None
    lang: str = ""
    topic: str = ""


def transfer(connection: Connection, case_id: int, staff_id: int, fence: int, to: Target, notice: Reply) -> None:
    """Back to the queue for somebody else; a topic becomes the case's own, by which lists are narrowed.

    Raises NotHolder when it is not held by this caseworker.
    """
    row = connection.execute(
        "UPDATE cases SET state = 'waiting', holder = NULL, for_staff = :to, for_lang = :lang, for_topic = :topic,"
        " topic = CASE WHEN :topic = '' THEN topic ELSE :topic END,"
        " parked_at = NULL, parked_until = NULL WHERE id = :id AND state = 'human' AND holder = :staff"
        " AND EXISTS (SELECT 1 FROM conversations v WHERE v.id = conversation_id AND v.speaker_fence = :fence)"
        " RETURNING conversation_id",
        {"to": to.staff, "lang": to.lang, "topic": to.topic, "id": case_id, "staff": staff_id, "fence": fence},
    ).fetchone()
    if row is None:
        raise NotHolder(case_id)
    fresh = cases.change_speaker(connection, row["conversation_id"], "waiting", None)
    lines.tell(connection, row["conversation_id"], notice, f"transfer/{case_id}/{fresh}")
    name = connection.one("SELECT name FROM staff WHERE id = :id", {"id": to.staff}) if to.staff else None
    log(
        connection,
        case_id,
        staff_id,
        "transferred",
        name["name"] if name else " ".join(filter(None, (to.lang, to.topic))),
    )


def park(connection: Connection, case_id: int, staff_id: int, until: float | None) -> None:
    """Put a held case aside until a time, or take it back to hand (None). Raises NotHolder when it is not mine."""
    found = connection.execute(
        f"UPDATE cases SET parked_until = :until, parked_at = CASE WHEN :until IS NULL THEN NULL ELSE {NOW} END,"
        f" answered_at = {NOW} WHERE id = :id AND state = 'human' AND holder = :staff",
        {"until": until, "id": case_id, "staff": staff_id},
    )
    if not found.rowcount:
        raise NotHolder(case_id)
    log(connection, case_id, staff_id, "parked" if until else "returned")


def reopen(connection: Connection, case_id: int, staff_id: int, notice: Reply) -> int:
    """A closed case is held again. Raises CaseTaken when it is not closed, CaseOpen when another one is open."""
    case = cases.get(connection, case_id)
    if case is None or case.state != "closed":
        raise CaseTaken(case_id)
    if cases.open_case(connection, case.conversation) is not None:
        raise CaseOpen(case_id)
    connection.execute(
        f"UPDATE cases SET state = 'human', holder = :staff, claimed_at = {NOW}, answered_at = {NOW},"
        " closed_at = NULL, closed_seq = NULL, outcome = '' WHERE id = :id",
        {"staff": staff_id, "id": case_id},
    )
    fence = cases.change_speaker(connection, case.conversation, "human", staff_id)
    cases.withdraw_unsent(connection, case.conversation)
    lines.tell(connection, case.conversation, notice, f"reopen/{case_id}/{fence}")
    log(connection, case_id, staff_id, "reopened")
    return fence


def bar(connection: Connection, case_id: int, staff_id: int, why: str, notice: Reply) -> None:
    """Somebody abuses the desk: the case ends, and no other can be asked for; emergencies apart."""
    case = cases.get(connection, case_id)
    if case is None:
        raise CaseTaken(case_id)
    connection.execute("UPDATE conversations SET barred = 1 WHERE id = :id", {"id": case.conversation})
    if case.state != "closed":
        connection.execute(
            f"UPDATE cases SET state = 'closed', closed_at = {NOW}, outcome = 'abuse' WHERE id = :id", {"id": case_id}
        )
        fence = cases.change_speaker(connection, case.conversation, "bot", None)
        lines.tell(connection, case.conversation, notice, f"bar/{case_id}/{fence}")
        cases.mark_end(connection, case_id)
    log(connection, case_id, staff_id, "barred", why)


def unbar(connection: Connection, case_id: int, staff_id: int) -> None:
    """The person may ask for somebody again."""
    connection.execute(
        "UPDATE conversations SET barred = 0 WHERE id = (SELECT conversation_id FROM cases WHERE id = :id)",
        {"id": case_id},
    )
    log(connection, case_id, staff_id, "unbarred")


def add_note(connection: Connection, case_id: int, staff_id: int, text: str) -> None:
    """An internal note."""
    connection.execute(
        f"INSERT INTO case_notes (case_id, staff_id, at, body) VALUES (:case, :staff, {NOW}, :body)",
        {"case": case_id, "staff": staff_id, "body": encode(text)},
    )


def add_callback(connection: Connection, conversation: int, event_id: str, wish: Sequence[str]) -> None:
    """A wish to be phoned: number, when, language."""
    number, when, lang = wish
    connection.execute(
        "INSERT INTO callbacks (conversation_id, event_id, at, number, wish, lang)"
        f" VALUES (:conversation, :event, {NOW}, :number, :wish, :lang)",
        {
            "conversation": conversation,
            "event": event_id,
            "number": encode(number),
            "wish": encode(when) if when else "",
            "lang": lang,
        },
    )


def called(connection: Connection, case: CaseRow, callback: int, staff_id: int) -> None:
    """The person was phoned."""
    found = connection.execute(
        f"UPDATE callbacks SET done_at = {NOW}, done_by = :staff WHERE id = :id AND conversation_id = :conversation"
        " AND done_at IS NULL",
        {"staff": staff_id, "id": callback, "conversation": case.conversation},
    )
    if found.rowcount:
        log(connection, case.id, staff_id, "called")


def has_held(connection: Connection, case_id: int, staff_id: int) -> bool:
    """Has this caseworker ever held the case?"""
    found = connection.one(
        "SELECT 1 FROM case_log WHERE case_id = :case AND staff_id = :staff"
        " AND what IN ('claimed', 'taken_over', 'reopened') LIMIT 1",
        {"case": case_id, "staff": staff_id},
    )
    return found is not None


def facts_of(connection: Connection, case: CaseRow) -> dict[str, Any]:
    """Notes, history and wishes to be phoned of a case."""
    key: Mapping[str, Any] = {"case": case.id, "conversation": case.conversation}
    logged = connection.all(
        "SELECT l.at, l.what, l.detail, coalesce(s.name, '') AS who FROM case_log l LEFT JOIN staff s"
        " ON s.id = l.staff_id WHERE l.case_id = :case ORDER BY l.id",
        key,
    )
    notes = connection.all(
        "SELECT n.at, n.body, s.name AS who FROM case_notes n JOIN staff s ON s.id = n.staff_id"
        " WHERE n.case_id = :case ORDER BY n.id",
        key,
    )
    wishes = connection.all("SELECT * FROM callbacks WHERE conversation_id = :conversation ORDER BY id", key)
    return {
        "log": [LogRow(row["at"], row["who"], row["what"], decode(row["detail"])) for row in logged],
        "notes": [NoteRow(row["at"], row["who"], decode(row["body"])) for row in notes],
        "callbacks": [
            CallbackRow(row["id"], row["at"], decode(row["number"]), decode(row["wish"]), row["lang"], row["done_at"])
            for row in wishes
        ],
    }


def colleagues(connection: Connection) -> list[tuple[int, str, bool]]:
    """(id, name, on duty) of those who can be given a case."""
    rows = connection.all(
        "SELECT id, name, on_duty FROM staff WHERE disabled = 0 AND role IN ('agent', 'senior', 'admin') ORDER BY name"
    )
    return [(row["id"], row["name"], bool(row["on_duty"])) for row in rows]


class Casework:
    """Each method is one durable step."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.masked = Masked(database)

    async def take_over(self, case_id: int, staff_id: int, why: str, notice: Reply) -> int:
        """See take_over."""
        return await self._database.write(lambda c: take_over(c, case_id, staff_id, why, notice))

    async def transfer(self, case_id: int, staff_id: int, fence: int, to: Target, notice: Reply) -> None:
        """See transfer."""
        await self._database.write(lambda c: transfer(c, case_id, staff_id, fence, to, notice))

    async def park(self, case_id: int, staff_id: int, until: float | None) -> None:
        """See park."""
        await self._database.write(lambda c: park(c, case_id, staff_id, until))

    async def reopen(self, case_id: int, staff_id: int, notice: Reply) -> int:
        """See reopen."""
        return await self._database.write(lambda c: reopen(c, case_id, staff_id, notice))

    async def bar(self, case_id: int, staff_id: int, why: str, notice: Reply) -> None:
        """See bar."""
        await self._database.write(lambda c: bar(c, case_id, staff_id, why, notice))

    async def unbar(self, case_id: int, staff_id: int) -> None:
        """See unbar."""
        await self._database.write(lambda c: unbar(c, case_id, staff_id))

    async def note(self, case_id: int, staff_id: int, text: str) -> None:
        """See add_note."""
        await self._database.write(lambda c: add_note(c, case_id, staff_id, text))

    async def called(self, case: CaseRow, callback: int, staff_id: int) -> None:
        """See called."""
        await self._database.write(lambda c: called(c, case, callback, staff_id))

    async def duty(self, staff_id: int, on: bool) -> None:
        """A caseworker comes on or goes off duty."""
        await self._database.write(
            lambda c: c.execute("UPDATE staff SET on_duty = :on WHERE id = :id", {"on": int(on), "id": staff_id})
        )

    def on_duty(self, staff_id: int) -> bool:
        """Is a caseworker on duty?"""
        row = self._database.read.one("SELECT on_duty FROM staff WHERE id = :id", {"id": staff_id})
        return row is not None and bool(row["on_duty"])

    def facts_of(self, case: CaseRow) -> dict[str, Any]:
        """See facts_of."""
        return facts_of(self._database.read, case)

    def has_held(self, case_id: int, staff_id: int) -> bool:
        """See has_held."""
        return has_held(self._database.read, case_id, staff_id)

    def colleagues(self) -> list[tuple[int, str, bool]]:
        """See colleagues."""
        return colleagues(self._database.read)
