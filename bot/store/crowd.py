"""How much waits for its turn, and who of those that wait was not told so yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.messages import Address, Reply
from bot.store.database import NOW, Connection, Database
from bot.store.leasing import waiting_events
from bot.store.lines import tell

AGAIN_SECONDS = 900.0  # nobody is told twice within this


@dataclass(frozen=True, slots=True)
class Queue:
    """Events that wait, of how many conversations, and for how many seconds the oldest does."""

    events: int = 0
    people: int = 0
    oldest: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person who waits for `age` seconds and does not know; `lang` is empty for whoever never was answered."""

    conversation: int
    address_id: int
    address: Address
    lang: str
    age: float


def queue(connection: Connection) -> Queue:
    """What waits now."""
    row = connection.one(
        f"SELECT count(*) AS events, count(DISTINCT conversation_id) AS people, {NOW} - min(accepted_at) AS oldest"
        " FROM inbox WHERE state = 'new'"
    )
    return Queue(row["events"], row["people"], max(0.0, row["oldest"] or 0.0)) if row["events"] else Queue()


def untold(connection: Connection, seconds: float, skip: str, limit: int) -> list[Waiting]:
    """People whom the bot owes an answer for longer than `seconds`, longest first; none of the channel `skip`."""
    rows = connection.all(
        f"SELECT v.id, v.lang, a.id AS address_id, a.channel, a.account, a.user_id, {NOW} - min(i.accepted_at) AS age"
        " FROM conversations v JOIN inbox i ON i.conversation_id = v.id AND i.state = 'new'"
        " JOIN addresses a ON a.id = v.address_id WHERE v.pending > 0 AND v.speaker = 'bot' AND v.ended = 0"
        f" AND a.blocked = 0 AND v.busy_told < {NOW} - :again AND v.leased_until <= {NOW} AND a.channel <> :skip"
        " GROUP BY v.id, v.lang, a.id, a.channel, a.account, a.user_id"
        f" HAVING min(i.accepted_at) < {NOW} - :seconds ORDER BY min(i.accepted_at) LIMIT :limit",
        {"again": AGAIN_SECONDS, "seconds": seconds, "skip": skip, "limit": limit},
    )
    return [
        Waiting(
            conversation=row["id"],
            address_id=row["address_id"],
            address=Address(row["channel"], row["account"], row["user_id"]),
            lang=row["lang"],
            age=row["age"],
        )
        for row in rows
    ]


def tell_all(connection: Connection, told: Sequence[tuple[Waiting, Reply]]) -> int:
    """Say it to those who still wait; how many there were."""
    return sum(_tell(connection, waiting, reply) for waiting, reply in told)


def _tell(connection: Connection, waiting: Waiting, reply: Reply) -> bool:
    row = connection.execute(
        f"UPDATE conversations SET busy_told = {NOW} WHERE id = :id AND pending > 0 AND leased_until <= {NOW}"
        f" AND busy_told < {NOW} - :again RETURNING next_seq",
        {"id": waiting.conversation, "again": AGAIN_SECONDS},
    ).fetchone()
    if row is None:
        return False
    tell(connection, waiting.conversation, reply, f"busy/{row['next_seq']}", waiting.address_id)
    return True


class Crowd:
    """Each method is one step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queue(self) -> Queue:
        """What waits now."""
        return queue(self._database.read)

    def untold(self, seconds: float, skip: str, limit: int) -> list[Waiting]:
        """Who waits and does not know (see untold)."""
        return untold(self._database.read, seconds, skip, limit)

    def first_words(self, conversation: int) -> tuple[str, str]:
        """What the first waiting event says, and the language its channel showed."""
        events = waiting_events(self._database.read, conversation, 1)
        return (events[0].text or "", events[0].lang) if events else ("", "")

    async def tell(self, told: Sequence[tuple[Waiting, Reply]]) -> int:
        """Say that it takes longer (see tell_all)."""
        return await self._database.write(lambda c: tell_all(c, told))
