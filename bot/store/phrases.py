"""Sentences of the phrasebook written or changed at the desk, each version kept, and how often each one is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.store.codec import decode, encode
from bot.store.database import NOW, Connection, Database, Row

OWN = "own."
_SELECT = "SELECT p.*, coalesce(s.name, '') AS who FROM phrases p LEFT JOIN staff s ON s.id = p.staff_id"


class PhraseChanged(Exception):
    """Somebody else has saved the sentence since it was opened; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What is saved of a sentence. `texts` by language, the Chinese under zh-TW; `topic`: offered there first."""

    texts: Mapping[str, str]
    topic: str = ""
    retired: bool = False


@dataclass(frozen=True, slots=True)
class PhraseRow:
    """One version of a sentence. `at` in Unix seconds, `who` is the account's name."""

    key: str
    version: int
    wording: Wording
    at: float
    who: str


def newest(connection: Connection) -> list[PhraseRow]:
    """Every sentence as it stands now, retired ones too, in the order of their keys."""
    rows = connection.all(
        f"{_SELECT} WHERE p.version = (SELECT max(q.version) FROM phrases q WHERE q.phrase = p.phrase)"
        " ORDER BY p.phrase"
    )
    return [_phrase(row) for row in rows]


def history(connection: Connection, key: str) -> list[PhraseRow]:
    """The versions of one sentence, the newest first."""
    rows = connection.all(f"{_SELECT} WHERE p.phrase = :phrase ORDER BY p.version DESC", {"phrase": key})
    return [_phrase(row) for row in rows]


def _phrase(row: Row) -> PhraseRow:
    wording = Wording(json.loads(decode(row["texts"])), row["topic"], row["state"] == "retired")
    return PhraseRow(row["phrase"], row["version"], wording, row["at"], row["who"])


def keep(connection: Connection, key: str, version: int, wording: Wording, staff_id: int) -> str:
    """One more version, after `version` (0: the first one kept); an empty key makes a new sentence. Returns its key.

    Raises PhraseChanged when `version` is not the newest any more.
    """
    key = key or _fresh(connection)
    kept = connection.execute(
        "INSERT INTO phrases (phrase, version, state, topic, texts, staff_id, at)"
        f" SELECT :phrase, :version + 1, :state, :topic, :texts, :staff, {NOW}"
        " WHERE (SELECT coalesce(max(version), 0) FROM phrases WHERE phrase = :phrase) = :version"
        " ON CONFLICT (phrase, version) DO NOTHING RETURNING version",
        {
            "phrase": key,
            "version": version,
            "state": "retired" if wording.retired else "served",
            "topic": wording.topic,
            "texts": encode(json.dumps(dict(wording.texts), ensure_ascii=False)),
            "staff": staff_id,
        },
    ).fetchone()
    if kept is None:
        raise PhraseChanged(key)
    return key


def _fresh(connection: Connection) -> str:
    row = connection.one(
        "SELECT count(DISTINCT phrase) AS n FROM phrases WHERE phrase LIKE :own", {"own": f"{OWN}%"}
    )  # no row ever goes, so the count is the last number
    return f"{OWN}{(int(row['n']) if row else 0) + 1}"


def used(connection: Connection, key: str, topic: str) -> None:
    """It was sent once more in a case of the topic."""
    connection.execute(
        "INSERT INTO phrase_uses (phrase, topic, uses) VALUES (:phrase, :topic, 1)"
        " ON CONFLICT (phrase, topic) DO UPDATE SET uses = phrase_uses.uses + 1",
        {"phrase": key, "topic": topic},
    )


def uses(connection: Connection, topic: str) -> dict[str, tuple[int, int]]:
    """How often each sentence was sent: in cases of the topic, and in all."""
    rows = connection.all(
        "SELECT phrase, sum(CASE WHEN topic = :topic THEN uses ELSE 0 END) AS here, sum(uses) AS everywhere"
        " FROM phrase_uses GROUP BY phrase",
        {"topic": topic},
    )
    return {row["phrase"]: (int(row["here"]), int(row["everywhere"])) for row in rows}


def answers(connection: Connection, conversation: int, since: float) -> int:
    """How many messages caseworkers have written in a conversation since a moment."""
    row = connection.one(
        "SELECT count(*) AS n FROM messages WHERE conversation_id = :id AND author = 'staff' AND at >= :since",
        {"id": conversation, "since": since},
    )
    return int(row["n"]) if row else 0


class Phrases:
    """The door to them: each method is one durable step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> list[PhraseRow]:
        """Every sentence as it stands now (see newest)."""
        return newest(self._database.read)

    def history(self, key: str) -> list[PhraseRow]:
        """The versions of one sentence, the newest first."""
        return history(self._database.read, key)

    async def keep(self, key: str, version: int, wording: Wording, staff_id: int) -> str:
        """One more version (see keep)."""
        return await self._database.write(lambda c: keep(c, key, version, wording, staff_id))

    async def used(self, key: str, topic: str) -> None:
        """It was sent once more."""
        await self._database.write(lambda c: used(c, key, topic))

    def uses(self, topic: str) -> dict[str, tuple[int, int]]:
        """How often each sentence was sent: in cases of the topic, and in all."""
        return uses(self._database.read, topic)

    def answers(self, conversation: int, since: float) -> int:
        """How many messages caseworkers have written since a moment."""
        return answers(self._database.read, conversation, since)
