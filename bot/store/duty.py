"""Who is on duty now, and which languages are spoken there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.store.database import NOW, Connection, Database

PRESENT_SECONDS = 1800.0  # as long as a session may idle: who forgot to go off duty does not stay on it
READ_BY_ALL = "zh-TW"  # the desk's own language is nobody's specialty

# An account that can answer, went on duty, and has used the desk lately.
_ON_DUTY = (
    "s.on_duty = 1 AND s.disabled = 0 AND s.role IN ('agent', 'senior', 'admin') AND EXISTS"
    f" (SELECT 1 FROM staff_sessions t WHERE t.staff_id = s.id AND t.seen_at > {NOW} - {PRESENT_SECONDS})"
)


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A caseworker on duty, and the codes of the languages they answer in."""

    id: int
    name: str
    languages: tuple[str, ...]


def on_duty(connection: Connection) -> list[OnDuty]:
    """Everybody on duty, by name."""
    rows = connection.all(f"SELECT s.id, s.name, s.languages FROM staff s WHERE {_ON_DUTY} ORDER BY s.name")
    return [OnDuty(row["id"], row["name"], tuple(row["languages"].split())) for row in rows]


def spoken(connection: Connection) -> tuple[str, ...]:
    """The codes of the languages that somebody on duty answers in."""
    return tuple(sorted({code for each in on_duty(connection) for code in each.languages}))


def suggested(connection: Connection, lang: str) -> str:
    """The language to mark a case with that begins to wait: its own, if that takes somebody who is on duty."""
    return lang if lang != READ_BY_ALL and lang in spoken(connection) else ""


def padded(codes: Iterable[str]) -> str:
    """Codes as one text in which a query finds a whole code between two spaces."""
    return f" {' '.join(codes)} "


class Duty:
    """What the desk's pages ask."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> list[OnDuty]:
        """See on_duty."""
        return on_duty(self._database.read)
