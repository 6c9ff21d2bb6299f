"""What the messaging platforms need beside messages: menus to link, people who wait long, ids to remember."""

from __future__ import annotations

from dataclasses import dataclass

from bot.messages import Address, Reply
from bot.store.database import NOW, Connection
from bot.store.lines import tell


@dataclass(frozen=True, slots=True)
class MenuDue:
    """An address whose menu should change to a language."""

    id: int
    address: Address
    lang: str


@dataclass(frozen=True, slots=True)
class Slow:
    """An event that waits for its turn for `age` seconds. `told`: the person knows."""

    id: int
    conversation: int
    address: Address
    lang: str
    age: float
    told: bool


def menus_due(connection: Connection, limit: int) -> list[MenuDue]:
    """Addresses whose menu is in another language than their conversation."""
    rows = connection.all(
        "SELECT a.id, a.channel, a.account, a.user_id, v.lang FROM addresses a"
        " JOIN conversations v ON v.id = a.conversation_id WHERE a.menu_due = 1 ORDER BY a.id LIMIT :limit",
        {"limit": limit},
    )
    return [MenuDue(row["id"], Address(row["channel"], row["account"], row["user_id"]), row["lang"]) for row in rows]


def all_menus_due(connection: Connection, channel: str) -> None:
    """The platform has other menus than before: everybody who can be reached gets theirs anew."""
    connection.execute(
        "UPDATE addresses SET menu_due = 1 WHERE channel = :channel AND blocked = 0"
        " AND EXISTS (SELECT 1 FROM conversations v WHERE v.id = conversation_id AND v.lang <> '')",
        {"channel": channel},
    )


def menu_linked(connection: Connection, due: MenuDue) -> None:
    """Done, unless the language changed again meanwhile."""
    connection.execute(
        "UPDATE addresses SET menu_due = 0 WHERE id = :id"
        " AND EXISTS (SELECT 1 FROM conversations v WHERE v.id = conversation_id AND v.lang = :lang)",
        {"id": due.id, "lang": due.lang},
    )


def slow(connection: Connection, seconds: float, limit: int) -> list[Slow]:
    """The oldest waiting event of each conversation that waits longer than `seconds`, longest first."""
    rows = connection.all(
        f"SELECT min(i.id) AS id, i.conversation_id, i.told, {NOW} - i.accepted_at AS age, a.channel, a.account,"
        " a.user_id, v.lang FROM conversations v JOIN inbox i ON i.conversation_id = v.id AND i.state = 'new'"
        f" JOIN addresses a ON a.id = i.address_id WHERE v.pending > 0 AND v.pending_since < {NOW} - :seconds"
        f" AND i.accepted_at < {NOW} - :seconds GROUP BY i.conversation_id ORDER BY v.pending_since LIMIT :limit",
        {"seconds": seconds, "limit": limit},
    )
    return [
        Slow(
            row["id"],
            row["conversation_id"],
            Address(row["channel"], row["account"], row["user_id"]),
            row["lang"],
            row["age"],
            bool(row["told"]),
        )
        for row in rows
    ]


def tell_working(connection: Connection, event: Slow, reply: Reply, fresh_seconds: float) -> bool:
    """Spend the event's own token on saying that it takes longer; False when it was taken meanwhile."""
    row = connection.execute(
        "UPDATE inbox SET told = 1 WHERE id = :id AND state = 'new' AND told = 0 AND reply_token <> ''"
        f" AND accepted_at > {NOW} - :fresh RETURNING reply_token, accepted_at, address_id",
        {"id": event.id, "fresh": fresh_seconds},
    ).fetchone()
    if row is None:
        return False
    tell(
        connection,
        event.conversation,
        reply,
        f"working/{event.id}",
        row["address_id"],
        reply_token=row["reply_token"],
        token_until=row["accepted_at"] + fresh_seconds,
    )
    return True


def keep(connection: Connection, name: str, value: str) -> None:
    """Remember a small thing."""
    connection.execute(
        "INSERT INTO kept VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        {"name": name, "value": value},
    )


def keep_first(connection: Connection, name: str, value: str) -> str:
    """Remember a small thing unless it is known; what is remembered."""
    connection.execute("INSERT INTO kept VALUES (:name, :value) ON CONFLICT DO NOTHING", {"name": name, "value": value})
    return str(connection.one("SELECT value FROM kept WHERE name = :name", {"name": name})["value"])


def kept(connection: Connection, prefix: str) -> dict[str, str]:
    """The small things whose names start so."""
    rows = connection.all("SELECT name, value FROM kept WHERE name LIKE :like", {"like": f"{prefix}%"})
    return {row["name"]: row["value"] for row in rows}


def blocked(connection: Connection, conversation: int) -> bool:
    """Can the person not be reached where they last wrote from?"""
    row = connection.one(
        "SELECT a.blocked FROM conversations v JOIN addresses a ON a.id = v.address_id WHERE v.id = :id",
        {"id": conversation},
    )
    return row is not None and bool(row["blocked"])
