"""Checks whose verdict a caseworker thinks wrong: redacted rows for the authors of rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.store.authors import FATE, SETTLER, WANTED, Fate, Sought, fate
from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Row


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed: rule, what it said, what would be right, its facts (JSON values), the ISO day, and why."""

    rule: str
    verdict: str
    expect: str
    given: Mapping[str, Any]
    day: str
    note: str = ""

    @property
    def golden(self) -> str:
        """As a line (YAML) to put among the rule's golden cases."""
        given = json.dumps(dict(self.given), ensure_ascii=False)
        return f'- {{given: {given}, expect: {self.expect}, "on": {self.day}}}'


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A row of the list. `at` in seconds of Unix time; `who` sent it."""

    id: int
    at: float
    who: str
    proposal: Proposal
    fate: Fate


def add(connection: Connection, staff: int, proposal: Proposal) -> None:
    """One more row. It keeps no link to the case it came from."""
    connection.execute(
        "INSERT INTO proposals (at, staff_id, rule, verdict, expect, given, day, note)"
        f" VALUES ({NOW}, :staff, :rule, :verdict, :expect, :given, :day, :note)",
        {
            "staff": staff,
            "rule": proposal.rule,
            "verdict": proposal.verdict,
            "expect": proposal.expect,
            "given": encode(json.dumps(dict(proposal.given), ensure_ascii=False)),
            "day": proposal.day,
            "note": encode(proposal.note),
        },
    )


def rows(connection: Connection, sought: Sought) -> list[ProposalRow]:
    """Rows newest first; they are of no language."""
    params = sought.params
    del params["lang"]
    found = connection.all(
        f"SELECT x.id, x.at, x.rule, x.verdict, x.expect, x.given, x.day, x.note, s.name AS who, {FATE}"
        f" FROM proposals x JOIN staff s ON s.id = x.staff_id {SETTLER} WHERE {WANTED} ORDER BY x.id DESC LIMIT :limit",
        params,
    )
    return [ProposalRow(row["id"], row["at"], row["who"], _proposal(row), fate(row)) for row in found]


def _proposal(row: Row) -> Proposal:
    given = json.loads(decode(row["given"]))
    return Proposal(row["rule"], row["verdict"], row["expect"], given, row["day"], decode(row["note"]))
