"""How much of everything is there now: for those who watch, counted by indexes alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.store import aside, cases, crowd
from bot.store.crowd import Queue
from bot.store.database import NOW, Connection

_BY_CHANNEL = (
    "SELECT a.channel, count(*) AS n FROM outbox o JOIN addresses a ON a.id = o.address_id"
    " WHERE o.state {} GROUP BY a.channel"
)
_STATES = {"open": "IN ('queued', 'sending')", "waiting": "= 'waiting'", "dead": "= 'dead'"}


@dataclass(frozen=True, slots=True)
class Load:
    """`outbox`: deliveries by (channel, state); open: to be sent, waiting: for the person's next message.

    `thinking` and `sending`: conversations held by a worker and by a sender. `waiting`, `urgent`, `held`: cases.
    """

    queue: Queue
    aside: int
    outbox: Mapping[tuple[str, ...], int]
    thinking: int
    sending: int
    waiting: int
    urgent: int
    held: int


def load(connection: Connection) -> Load:
    """As it is now."""
    waiting, urgent = cases.waiting(connection)
    return Load(
        queue=crowd.queue(connection),
        aside=aside.count(connection),
        outbox={
            (row["channel"], state): row["n"]
            for state, which in _STATES.items()
            for row in connection.all(_BY_CHANNEL.format(which))
        },
        thinking=_count(connection, f"conversations WHERE pending > 0 AND leased_until > {NOW}"),
        sending=_count(connection, f"conversations WHERE outgoing > 0 AND sending_until > {NOW}"),
        waiting=waiting,
        urgent=urgent,
        held=_count(connection, "cases WHERE state = 'human'"),
    )


def _count(connection: Connection, where: str) -> int:
    return int(connection.one(f"SELECT count(*) AS n FROM {where}")["n"])
