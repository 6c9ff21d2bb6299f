"""Messages the bot could not answer: redacted rows that an author may turn into utterances."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.authors import FATE, IN_LANGUAGE, NOT_APART, SETTLER, WANTED, Fate, Sought, fate
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
    fate: Fate


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


def rows(connection: Connection, sought: Sought) -> list[UnansweredRow]:
    """Rows newest first."""
    found = connection.all(
        f"SELECT x.id, x.at, x.lang, x.decision, x.text, x.offered, x.picked, {FATE} FROM unanswered x {SETTLER}"
        f" WHERE {WANTED} AND {IN_LANGUAGE} AND {NOT_APART} ORDER BY x.id DESC LIMIT :limit",
        sought.params,
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
            fate(row),
        )
        for row in found
    ]
