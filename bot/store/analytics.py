"""A redacted copy of what happened, for analysis beside the desk: no text, nobody's id, days and hours only."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.store.codec import decode
from bot.store.database import Connection, Database, Row

SALT_BYTES = 32
HASH_LETTERS = 16
MINUTE = 60
MODE = 0o400
_LABEL = re.compile(r"[a-z][a-z0-9_.-]{0,31}", re.IGNORECASE | re.ASCII)

SCHEMA = {
    "conversations": "id TEXT, day TEXT, hour INTEGER, lang TEXT, channel TEXT, n_messages INTEGER, had_case INTEGER",
    "cases": "id TEXT, day TEXT, hour INTEGER, reason TEXT, topic TEXT, lang TEXT, channel TEXT, urgent INTEGER,"
    " first_answer_seconds INTEGER, resolution_seconds INTEGER, outcome TEXT",
    "turns": "day TEXT, hour INTEGER, lang TEXT, intent TEXT, decision TEXT, topic TEXT, confidence REAL",
    "unanswered": "day TEXT, lang TEXT, decision TEXT, topic TEXT, n INTEGER",
    "ratings": "day TEXT, hour INTEGER, lang TEXT, channel TEXT, helped INTEGER",
    "_about": "subject TEXT, says TEXT",
}
# In no order: that of the rows would tell which of them belong together.
QUERIES = {
    "conversations": "SELECT v.id, v.opened_at AS at, v.lang, coalesce(a.channel, '') AS channel,"
    " coalesce(m.n, 0) AS n, k.conversation_id IS NOT NULL AS had FROM conversations v"
    " LEFT JOIN addresses a ON a.id = v.address_id"
    " LEFT JOIN (SELECT conversation_id, count(*) AS n FROM messages GROUP BY conversation_id) m"
    " ON m.conversation_id = v.id"
    " LEFT JOIN (SELECT DISTINCT conversation_id FROM cases) k ON k.conversation_id = v.id"
    " WHERE v.restricted = 0 ORDER BY random()",
    "cases": "SELECT c.id, c.opened_at AS at, c.reason, c.topic, c.lang, c.channel, c.urgent, c.first_answer_at,"
    " CASE WHEN c.state = 'closed' THEN c.closed_at END AS closed_at, c.outcome FROM cases c"
    " JOIN conversations v ON v.id = c.conversation_id WHERE v.restricted = 0 ORDER BY random()",
    "turns": "SELECT m.at, v.lang, m.reading FROM messages m JOIN conversations v ON v.id = m.conversation_id"
    " WHERE m.author = 'citizen' AND m.reading <> '' AND v.restricted = 0 ORDER BY random()",
    "unanswered": "SELECT u.at, u.lang, u.decision, CASE WHEN u.picked <> '' THEN u.picked ELSE u.offered END AS labels"
    " FROM unanswered u JOIN conversations v ON v.id = u.conversation_id WHERE v.restricted = 0",
    "ratings": "SELECT r.at, r.lang, r.channel, r.helped FROM ratings r"
    " JOIN conversations v ON v.id = r.conversation_id WHERE v.restricted = 0 ORDER BY random()",
}
ABOUT = (
    ("what", "A redacted copy of the labor assistant's records, for the bureau's own analysis."),
    ("rows", "Most rows concern one person: do not publish them. Publish sums, and none below five."),
    ("left out", "Every text: messages, answers, facts, notes, drafts, files, words of ratings, unanswered questions."),
    ("left out", "Every id of a person: users, addresses, caseworkers, case numbers, sessions, network addresses."),
    ("left out", "Conversations whose use is restricted, and whatever was erased before this copy was made."),
    ("left out", "The order of rows: they are shuffled."),
    ("id", "Of conversations and cases: an HMAC with a salt that was not kept, so that no two copies can be joined."),
    ("day, hour", "When it began, in Taipei; minutes are left out."),
    ("first_answer_seconds, resolution_seconds", "In service hours, rounded to whole minutes; empty: not yet."),
    ("turns", "One message of a citizen: how it was read. lang is that of the whole conversation."),
    ("topic", "Of turns: the first. Of unanswered: what the person tapped then, else what was offered first."),
    ("n_messages", "Lines of the transcript that are still kept, of all authors."),
)


@dataclass(frozen=True, slots=True)
class Redaction:
    """How rows are made harmless: `local` turns Unix seconds into a moment at the desk, `elapsed` measures between two
    of them in seconds, `salt` keys the hashes."""

    local: Callable[[float], datetime]
    elapsed: Callable[[float, float], float]
    salt: bytes

    def hashed(self, kind: str, number: int) -> str:
        """Stands for an id in this copy alone."""
        digest = hmac.new(self.salt, f"{kind}/{number}".encode(), hashlib.sha256)
        return digest.hexdigest()[:HASH_LETTERS]

    def when(self, at: float) -> tuple[str, int]:
        """The day and the hour."""
        moment = self.local(at)
        return moment.date().isoformat(), moment.hour

    def took(self, start: float, end: float | None) -> int | None:
        """Seconds, to whole minutes."""
        return None if end is None else MINUTE * round(self.elapsed(start, end) / MINUTE)

    def conversations(self, rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
        """Rows of that table; the same for the others."""
        for row in rows:
            number = self.hashed("conversation", row["id"])
            yield number, *self.when(row["at"]), label(row["lang"]), label(row["channel"]), row["n"], row["had"]

    def cases(self, rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
        """Cases."""
        for row in rows:
            labels = (label(row[name]) for name in ("reason", "topic", "lang", "channel"))
            times = (self.took(row["at"], row["first_answer_at"]), self.took(row["at"], row["closed_at"]))
            number = self.hashed("case", row["id"])
            yield number, *self.when(row["at"]), *labels, row["urgent"], *times, label(row["outcome"])

    def turns(self, rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
        """What the bot read in messages, without anything it quotes."""
        for row in rows:
            reading = json.loads(decode(row["reading"]))
            topic = next(iter(reading.get("topics") or ()), "")
            labels = (label(row["lang"]), label(reading.get("intent")), label(reading.get("decision")), label(topic))
            yield *self.when(row["at"]), *labels, _rounded(reading.get("confidence"))

    def unanswered(self, rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
        """Counts by day."""
        counts: dict[tuple[str, str, str, str], int] = {}
        for row in rows:
            first = row["labels"].partition(" ")[0]
            key = (self.when(row["at"])[0], label(row["lang"]), label(row["decision"]), label(first))
            counts[key] = counts.get(key, 0) + 1
        for key in sorted(counts):
            yield *key, counts[key]

    def ratings(self, rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
        """Ratings."""
        for row in rows:
            yield *self.when(row["at"]), label(row["lang"]), label(row["channel"]), int(bool(row["helped"]))


def label(text: object) -> str:
    """A label of ours as it is; whatever else has come to stand in its place is not passed on."""
    if not text:
        return ""
    return text if isinstance(text, str) and _LABEL.fullmatch(text) else "other"


def _rounded(confidence: object) -> float | None:
    return round(float(confidence), 1) if isinstance(confidence, int | float) else None


def write(
    database: Database, path: Path, local: Callable[[float], datetime], elapsed: Callable[[float, float], float]
) -> dict[str, int]:
    """Write the copy as it stands at one moment; returns how many rows each table has.

    Raises FileExistsError rather than overwrite anything; OSError where nothing can be written. What failed half-way
    leaves no file.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(path)) as target:
            counts = _fill(target, database.read, Redaction(local, elapsed, secrets.token_bytes(SALT_BYTES)))
        path.chmod(MODE)
    except BaseException:
        path.unlink()
        raise
    return counts


def _fill(target: sqlite3.Connection, source: Connection, redaction: Redaction) -> dict[str, int]:
    counts = {}
    source.execute("BEGIN")
    try:
        for table, columns in SCHEMA.items():
            target.execute(f"CREATE TABLE {table} ({columns})")
            rows = ABOUT if table == "_about" else getattr(redaction, table)(source.execute(QUERIES[table]))
            marks = ", ".join("?" * (columns.count(",") + 1))
            counts[table] = target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows).rowcount
        target.commit()
    finally:
        source.execute("ROLLBACK")
    return counts
