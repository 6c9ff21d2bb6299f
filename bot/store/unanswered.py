"""Messages the bot could not answer: redacted rows that an author may turn into utterances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection

KEPT_SECONDS = 90 * 86400.0


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What could not be answered: redacted text, language, decision (clarify or refuse), the labels shown."""

    text: str
    lang: str
    decision: str
    offered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnansweredRow:
    """A row of the list. `at` in seconds of Unix time; `picked`: the label the person tapped afterwards, if any."""

    id: int
    at: float
    lang: str
    decision: str
    text: str
    offered: tuple[str, ...]
    picked: str


def add(connection: Connection, conversation: int, event_id: str, found: Unanswered) -> None:
    """One more row."""
    connection.execute(
        "INSERT INTO unanswered (conversation_id, event_id, at, lang, decision, text, offered)"
        f" VALUES (:conversation, :event, {NOW}, :lang, :decision, :text, :offered)",
        {
            "conversation": conversation,
            "event": event_id,
            "lang": found.lang,
            "decision": found.decision,
            "text": encode(found.text),
            "offered": " ".join(found.offered),
        },
    )


def pick(connection: Connection, conversation: int, label: str) -> None:
    """The person tapped what was meant: noted with the conversation's last row if that offered it."""
    connection.execute(
        "UPDATE unanswered SET picked = :label WHERE picked = '' AND ' ' || offered || ' ' LIKE :like"
        " AND id = (SELECT max(id) FROM unanswered WHERE conversation_id = :conversation)",
        {"label": label, "like": f"% {label} %", "conversation": conversation},
    )


def purge(connection: Connection) -> int:
    """Rows past their time go; how many there were."""
    return connection.execute(f"DELETE FROM unanswered WHERE at < {NOW} - :kept", {"kept": KEPT_SECONDS}).rowcount


def rows(connection: Connection, lang: str = "", limit: int = 50) -> list[UnansweredRow]:
    """New rows, newest first."""
    found = connection.all(
        "SELECT id, at, lang, decision, text, offered, picked FROM unanswered"
        " WHERE state = 'new' AND (:lang = '' OR lang = :lang) ORDER BY id DESC LIMIT :limit",
        {"lang": lang, "limit": limit},
    )
    return [
        UnansweredRow(
            row["id"],
            row["at"],
            row["lang"],
            row["decision"],
            decode(row["text"]),
            tuple(row["offered"].split()),
            row["picked"],
        )
        for row in found
    ]


def settle(connection: Connection, ids: Sequence[int], state: str) -> int:
    """Mark rows as adopted or dismissed; how many there were."""
    return sum(
        connection.execute(
            "UPDATE unanswered SET state = :state WHERE id = :id AND state = 'new'", {"state": state, "id": number}
        ).rowcount
        for number in ids
    )
