"""What the lists for authors have in common: which rows are wanted, and what became of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.store.database import NOW, Connection, Row

NEW, DONE, DISMISSED = STATES = ("new", "done", "dismissed")
LISTS = ("unanswered", "misread", "proposals")  # names of tables too
NEWEST = 2**62
FATE = "x.state, x.settled_at, coalesce(settler.name, '') AS settler"
SETTLER = "LEFT JOIN staff settler ON settler.id = x.settled_by"
WANTED = "x.state = :state AND x.id < :before"
IN_LANGUAGE = "(:lang = '' OR x.lang = :lang)"
NOT_APART = (  # what is kept apart is shown to nobody
    "NOT EXISTS (SELECT 1 FROM conversations v WHERE v.id = x.conversation_id AND v.restricted = 1)"
)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which rows of a list: of a state, of a language or of all, older than row `before`."""

    state: str = NEW
    lang: str = ""
    before: int = NEWEST
    limit: int = 50

    @property
    def params(self) -> dict[str, Any]:
        """As the statements take it."""
        return {"state": self.state, "lang": self.lang, "before": self.before, "limit": self.limit}


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a row: its state, when (Unix seconds), by whom; nobody where the command line did it."""

    state: str = NEW
    at: float | None = None
    who: str = ""


def fate(row: Row) -> Fate:
    """Of a row with the columns FATE."""
    return Fate(row["state"], row["settled_at"], row["settler"])


def settle(connection: Connection, name: str, ids: Sequence[int], state: str, staff: int | None = None) -> int:
    """Give rows of a list another state, with who and when; back to NEW forgets both. How many there were."""
    if name not in LISTS or state not in STATES:
        raise ValueError(f"{name}: {state}")
    at, staff = ("NULL", None) if state == NEW else (NOW, staff)
    sql = f"UPDATE {name} SET state = :state, settled_at = {at}, settled_by = :staff WHERE id = :id AND state <> :state"
    return sum(connection.execute(sql, {"state": state, "staff": staff, "id": number}).rowcount for number in ids)
