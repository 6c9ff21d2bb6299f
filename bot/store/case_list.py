"""Lists of cases for the desk, a page at a time, and how many cases each list holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.store import duty
from bot.store.cases import SELECT, case_of
from bot.store.database import NOW, Connection
from bot.store.records import CaseRow

PAGE = 50
WHOLE_NUMBER = re.compile(r"[0-9]{8}-[0-9A-Z]{5}")
MOST_COUNTED = 1000  # closed cases only grow: beyond this the desk says "more than"
VIEWS = {
    "waiting": "c.state = 'waiting'",
    "mine": "c.state = 'human' AND c.holder = :staff",
    "all": "c.state IN ('waiting', 'human')",
    "closed": "c.state = 'closed'",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of cases is narrowed to; empty means any. Days are Unix seconds."""

    lang: str = ""
    topic: str = ""
    channel: str = ""
    reason: str = ""
    number: str = ""
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: right `after` a case or, going back, right `before` one, by id; 0 for the list's ends."""

    after: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases of a list, and whether there are others before and after them."""

    rows: list[CaseRow]
    before: bool = False
    after: bool = False


_NARROWER = {
    "lang": "c.lang = :lang",
    "topic": "c.topic = :topic",
    "channel": "c.channel = :channel",
    "reason": "c.reason = :reason",
    "number": "upper(c.number) LIKE upper(:number) ESCAPE '!'",
    "since": "c.opened_at >= :since",
    "until": "c.opened_at < :until",
}
# Whom a waiting case is for: 0 this caseworker by transfer, 1 who speaks its language, this caseworker or, when nobody
# on duty does, everybody (behind the others it would never be taken), 2 who speaks it on duty, 3 a colleague.
_LANG = "'% ' || CASE c.for_lang WHEN '' THEN c.lang ELSE c.for_lang END || ' %'"
_AIM = (
    "CASE WHEN c.state <> 'waiting' THEN 1 WHEN c.for_staff = :staff THEN 0 WHEN c.for_staff IS NOT NULL THEN 3"
    f" WHEN :mine LIKE {_LANG} THEN 1 WHEN :spoken LIKE {_LANG} THEN 2 ELSE 1 END"
)
_PARKED = f"CASE WHEN c.parked_until > {NOW} THEN 1 ELSE 0 END"


@dataclass(frozen=True, slots=True)
class _Order:
    """How a list is ordered: by these keys, the last of which is the case's id under the name `found`."""

    keys: Mapping[str, str]
    descending: bool = False

    def by(self, back: bool = False) -> str:
        """ORDER BY, the other way round where somebody goes back."""
        way = " DESC" if self.descending is not back else ""
        return ", ".join(f"q.{name}{way}" for name in self.keys)

    def select(self, where: str) -> str:
        """The keys of the cases that are wanted."""
        return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in self.keys.items())} FROM cases c WHERE {where}"

    def beyond(self, back: bool) -> str:
        """The condition that a case comes after the place's."""
        names, values = (", ".join(f"{mark}{name}" for name in self.keys) for mark in ("q.", ":at_"))
        return f"({names}) {'<' if self.descending is not back else '>'} ({values})"


_OPEN = _Order({"parked": _PARKED, "calm": "- c.urgent", "aim": _AIM, "came": "c.opened_at", "found": "c.id"})
_CLOSED = _Order({"came": "c.closed_at", "found": "c.id"}, descending=True)


def page(
    connection: Connection,
    view: str,
    staff: int,
    wanted: Wanted | None = None,
    speaks: Sequence[str] = (),
    place: Place | None = None,
    limit: int = PAGE,
) -> CasePage:
    """`limit` cases of a view: urgent ones first, then what is for this caseworker, who answers in the languages
    `speaks`, then longest waiting; closed ones newest first. A place that no longer is leads to the beginning."""
    where, params = _conditions(view, wanted or Wanted())
    params |= {"staff": staff, "mine": duty.padded(speaks), "spoken": duty.padded(duty.spoken(connection))}
    order, place = _CLOSED if view == "closed" else _OPEN, place or Place()
    at = _keys(connection, order, place.after or place.before, params)
    back = bool(at and place.before)
    rows = _rows(connection, order, where, params, at, back, limit + 1)
    if (back and len(rows) <= limit) or (at and not rows):  # the beginning: a whole page of it
        at, back = {}, False
        rows = _rows(connection, order, where, params, at, back, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    if back:
        return CasePage(rows[::-1], before=more, after=True)
    return CasePage(rows, before=bool(at), after=more)


def _conditions(view: str, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    given = {name: value for name in _NARROWER if (value := getattr(wanted, name)) not in ("", None)}
    narrower = dict(_NARROWER)
    if "number" in given:
        number = given["number"].strip().upper()
        if WHOLE_NUMBER.fullmatch(number):  # found at once, however many cases there are
            narrower["number"], given["number"] = "c.number = :number", number
        else:
            given["number"] = "%" + re.sub("[%_!]", r"!\g<0>", number) + "%"
    return " AND ".join([VIEWS[view], *(narrower[name] for name in given)]), given


def _keys(connection: Connection, order: _Order, case: int, params: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the case at a place; empty where there is none, or none in this list any more."""
    row = connection.one(order.select("c.id = :case"), {**params, "case": case}) if case else None
    return {} if row is None or row["came"] is None else {f"at_{name}": row[name] for name in order.keys}


def _rows(
    connection: Connection,
    order: _Order,
    where: str,
    params: Mapping[str, Any],
    at: Mapping[str, Any],
    back: bool,
    limit: int,
) -> list[CaseRow]:
    beyond = f" WHERE {order.beyond(back)}" if at else ""
    found = f"SELECT * FROM ({order.select(where)}) q{beyond} ORDER BY {order.by(back)} LIMIT :limit"
    aim = ", q.aim" if "aim" in order.keys else ", 1 AS aim"
    select = SELECT.replace(" FROM cases c", f"{aim} FROM ({found}) q JOIN cases c ON c.id = q.found", 1)
    rows = connection.all(f"{select} ORDER BY {order.by(back)}", {**params, **at, "limit": limit})
    return [case_of(row, row["aim"]) for row in rows]


_COUNTS = (
    "SELECT (SELECT count(*) FROM cases WHERE state = 'waiting') AS waiting,"
    " (SELECT count(*) FROM cases WHERE state = 'human') AS held,"
    " (SELECT count(*) FROM cases WHERE state = 'human' AND holder = :staff) AS mine,"
    " (SELECT count(*) FROM (SELECT 1 FROM cases WHERE state = 'closed' LIMIT :most) AS newest) AS closed"
)


def counts(connection: Connection, staff: int) -> dict[str, int]:
    """How many cases each view holds; closed ones up to MOST_COUNTED."""
    row = connection.one(_COUNTS, {"staff": staff, "most": MOST_COUNTED})
    assert row is not None
    return {
        "waiting": row["waiting"],
        "mine": row["mine"],
        "all": row["waiting"] + row["held"],
        "closed": row["closed"],
    }
