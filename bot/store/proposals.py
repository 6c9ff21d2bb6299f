"""Checks whose verdict a caseworker thinks wrong: redacted rows for the authors of rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A row of the list. `at` in seconds of Unix time."""

    id: int
    at: float
    proposal: Proposal


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


def rows(connection: Connection, limit: int = 100) -> list[ProposalRow]:
    """New rows, oldest first."""
    found = connection.all(
        "SELECT id, at, rule, verdict, expect, given, day, note FROM proposals"
        " WHERE state = 'new' ORDER BY id LIMIT :limit",
        {"limit": limit},
    )
    return [ProposalRow(row["id"], row["at"], _proposal(row)) for row in found]


def _proposal(row: Row) -> Proposal:
    given = json.loads(decode(row["given"]))
    return Proposal(row["rule"], row["verdict"], row["expect"], given, row["day"], decode(row["note"]))


def settle(connection: Connection, ids: Sequence[int]) -> int:
    """Take rows off the list; how many there were."""
    return sum(
        connection.execute(
            "UPDATE proposals SET state = 'settled' WHERE id = :id AND state = 'new'", {"id": i}
        ).rowcount
        for i in ids
    )
