"""How people rated, and the words they added."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Database, Row
from bot.store.reports import Span

ABOUT_SECONDS = 7 * 86400.0  # a rating is about the case closed last, if that was not longer ago
AGAIN_SECONDS = 3600.0
MOST = 200


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating. `at` in Unix seconds; `words` are empty where none were added."""

    at: float
    lang: str
    channel: str
    helped: bool
    words: str


def rate(connection: Connection, conversation: int, lang: str, channel: str, helped: bool) -> None:
    """One tap: did it help? Another tap about the same within the hour is a change of mind."""
    about = connection.one(
        f"SELECT max(id) AS id FROM cases WHERE conversation_id = :id AND closed_at > {NOW} - :seconds",
        {"id": conversation, "seconds": ABOUT_SECONDS},
    )
    case = about["id"] if about else None
    changed = connection.execute(
        f"UPDATE ratings SET helped = :helped WHERE id = (SELECT max(id) FROM ratings WHERE conversation_id = :id)"
        f" AND at > {NOW} - :seconds AND coalesce(case_id, 0) = :case",
        {"helped": int(helped), "id": conversation, "seconds": AGAIN_SECONDS, "case": case or 0},
    )
    if not changed.rowcount:
        connection.execute(
            "INSERT INTO ratings (at, conversation_id, case_id, lang, channel, helped)"
            f" VALUES ({NOW}, :id, :case, :lang, :channel, :helped)",
            {"id": conversation, "case": case, "lang": lang, "channel": channel, "helped": int(helped)},
        )


def add_words(connection: Connection, conversation: int, event_id: str, words: str) -> None:
    """Words about the newest rating; later ones take the place of those before."""
    connection.execute(
        "UPDATE ratings SET words = :words, event_id = :event"
        " WHERE id = (SELECT max(id) FROM ratings WHERE conversation_id = :id)",
        {"words": encode(words), "event": event_id, "id": conversation},
    )


def drop_words(connection: Connection, conversation: int, event_id: str) -> bool:
    """The message that held them was taken back; whether there were any."""
    found = connection.execute(
        "UPDATE ratings SET words = '', event_id = ''"
        " WHERE conversation_id = :id AND event_id = :event AND words <> ''",
        {"id": conversation, "event": event_id},
    )
    return found.rowcount > 0


def _rating(row: Row) -> Rating:
    return Rating(row["at"], row["lang"], row["channel"], bool(row["helped"]), decode(row["words"]))


_FIELDS = "r.at, r.lang, r.channel, r.helped, r.words"


class Ratings:
    """Read only; what is written comes with a turn."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_case(self, case_id: int) -> list[Rating]:
        """Of a case, oldest first."""
        sql = f"SELECT {_FIELDS} FROM ratings r WHERE r.case_id = :id ORDER BY r.id"
        return [_rating(row) for row in self._database.read.all(sql, {"id": case_id})]

    def of_conversation(self, conversation: int) -> list[Rating]:
        """Of a conversation, oldest first."""
        sql = f"SELECT {_FIELDS} FROM ratings r WHERE r.conversation_id = :id ORDER BY r.id"
        return [_rating(row) for row in self._database.read.all(sql, {"id": conversation})]

    def worded(self, span: Span, limit: int = MOST) -> list[Rating]:
        """Those of a period that came with words, newest first; nothing of what is kept apart."""
        rows = self._database.read.all(
            f"SELECT {_FIELDS} FROM ratings r JOIN conversations v ON v.id = r.conversation_id"
            " WHERE r.words <> '' AND v.restricted = 0 AND r.at >= :start AND r.at < :end"
            " AND (:lang = '' OR r.lang = :lang) AND (:channel = '' OR r.channel = :channel)"
            " ORDER BY r.at DESC, r.id DESC LIMIT :limit",
            {**span.params, "limit": limit},
        )
        return [_rating(row) for row in rows]
