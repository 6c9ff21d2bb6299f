"""What the reports count: rows of a bounded period, without content and without anybody's id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until before `end` (Unix seconds); of one language or channel, or of all where these are empty."""

    start: float
    end: float
    lang: str = ""
    channel: str = ""

    @property
    def params(self) -> dict[str, Any]:
        """As the statements take it."""
        return {"start": self.start, "end": self.end, "lang": self.lang, "channel": self.channel}


@dataclass(frozen=True, slots=True)
class CaseTimes:
    """A case opened in the period. Times in Unix seconds, None for what has not happened."""

    opened_at: float
    first_answer_at: float | None
    closed_at: float | None
    reason: str
    topic: str
    lang: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation opened in the period, and whether it ever came to a case."""

    opened_at: float
    lang: str
    case: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """How often the bot asked back or refused: per label that it thought of first or that was tapped then."""

    label: str
    lang: str
    decision: str
    count: int


@dataclass(frozen=True, slots=True)
class Rated:
    """How often the answer to "did this help?" was yes or no, per language."""

    lang: str
    helped: bool
    count: int


_FILTERS = "(:lang = '' OR {0}.lang = :lang) AND (:channel = '' OR {1}.channel = :channel)"

CASES = (
    "SELECT c.opened_at, c.first_answer_at, CASE WHEN c.state = 'closed' THEN c.closed_at END AS closed_at, c.reason,"
    " c.topic, c.lang FROM cases c WHERE c.opened_at >= :start AND c.opened_at < :end"
    f" AND {_FILTERS.format('c', 'c')} ORDER BY c.opened_at"
)
TALKS = (
    "SELECT v.id, v.opened_at, v.lang FROM conversations v LEFT JOIN addresses a ON a.id = v.address_id"
    " WHERE v.opened_at >= :start AND v.opened_at < :end"
    f" AND {_FILTERS.format('v', 'a')}"
)
WITH_CASE = "SELECT conversation_id FROM cases WHERE opened_at >= :start"
MISSED = (
    "SELECT CASE WHEN u.picked <> '' THEN u.picked ELSE u.offered END AS labels, u.lang, u.decision, count(*) AS n"
    " FROM unanswered u LEFT JOIN conversations v ON v.id = u.conversation_id"
    " LEFT JOIN addresses a ON a.id = v.address_id"
    " WHERE u.at >= :start AND u.at < :end"
    f" AND {_FILTERS.format('u', 'a')} GROUP BY 1, 2, 3"
)
RATED = (
    "SELECT r.lang, r.helped, count(*) AS n FROM ratings r WHERE r.at >= :start AND r.at < :end"
    f" AND {_FILTERS.format('r', 'r')} GROUP BY r.lang, r.helped"
)


class Reports:
    """Read only; each query is bounded by its period."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cases(self, span: Span) -> list[CaseTimes]:
        """The cases opened in the period, oldest first."""
        return [CaseTimes(*row) for row in self._database.read.all(CASES, span.params)]

    def talks(self, span: Span) -> list[Talk]:
        """The conversations opened in the period."""
        connection = self._database.read
        # A case never opens before its conversation: those before the period cannot be of one in it.
        cases = {row[0] for row in connection.all(WITH_CASE, {"start": span.start})}
        return [Talk(row["opened_at"], row["lang"], row["id"] in cases) for row in connection.all(TALKS, span.params)]

    def missed(self, span: Span) -> list[Missed]:
        """What the bot could not answer in the period."""
        counts: dict[tuple[str, str, str], int] = {}
        for row in self._database.read.all(MISSED, span.params):
            key = (row["labels"].partition(" ")[0], row["lang"], row["decision"])
            counts[key] = counts.get(key, 0) + row["n"]
        return [Missed(*key, count) for key, count in counts.items()]

    def rated(self, span: Span) -> list[Rated]:
        """How citizens rated in the period."""
        rows = self._database.read.all(RATED, span.params)
        return [Rated(row["lang"], bool(row["helped"]), row["n"]) for row in rows]
