"""What a turn does with a person's own data: requests, restriction, links to a copy, what is kept in figures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bot.messages import DataRequest, Kept
from bot.store import erasing
from bot.store.database import NOW, Connection

LINK_MINUTES = 10
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class CaseDates:
    """A case of the conversation, as its owner may see it; times in Unix seconds."""

    number: str
    opened_at: float
    closed_at: float | None


@dataclass(frozen=True, slots=True)
class About:
    """Of a conversation: since when (Unix seconds), its language, its channels, its cases."""

    since: float
    lang: str
    channels: tuple[str, ...]
    cases: tuple[CaseDates, ...]


def ask(connection: Connection, conversation: int, request: DataRequest, lang: str) -> None:
    """Record a request: one that waits is not opened twice, one that was settled at once is noted once a day."""
    same = connection.one(
        "SELECT 1 FROM privacy_requests WHERE conversation_id = :id AND kind = :kind AND state = :state"
        f" AND (state = 'open' OR opened_at > {NOW} - :day)",
        {"id": conversation, "kind": request.kind, "state": "done" if request.settled else "open", "day": DAY},
    )
    if same is None:
        _add(connection, conversation, request, lang, erasing.channel_of(connection, conversation))


def forgotten(connection: Connection, channel: str, lang: str) -> None:
    """Record that somebody had everything erased; the record does not lead to the person."""
    _add(connection, None, DataRequest("delete", True), lang, channel)


def _add(connection: Connection, conversation: int | None, request: DataRequest, lang: str, channel: str) -> None:
    settled = NOW if request.settled else "NULL"
    connection.execute(
        "INSERT INTO privacy_requests (conversation_id, kind, channel, lang, opened_at, due_at, state, settled_at)"
        f" VALUES (:id, :kind, :channel, :lang, {NOW}, {NOW} + :seconds, :state, {settled})",
        {
            "id": conversation,
            "kind": request.kind,
            "channel": channel,
            "lang": lang,
            "seconds": request.days * DAY,
            "state": "done" if request.settled else "open",
        },
    )


def restrict(connection: Connection, conversation: int, on: bool) -> None:
    """Keep the data apart, or lift that. An open case ends; a lifted restriction settles the wish for it."""
    key = {"id": conversation}
    connection.execute("UPDATE conversations SET restricted = :on WHERE id = :id", key | {"on": int(on)})
    if not on:
        connection.execute(
            f"UPDATE privacy_requests SET state = 'done', settled_at = {NOW}"
            " WHERE conversation_id = :id AND kind = 'stop' AND state = 'open'",
            key,
        )
        return
    connection.execute(
        f"UPDATE cases SET state = 'closed', closed_at = {NOW}, outcome = 'withdrawn', closed_seq ="
        " (SELECT next_seq - 1 FROM conversations v WHERE v.id = conversation_id)"
        " WHERE conversation_id = :id AND state <> 'closed'",
        key,
    )
    connection.execute(
        "UPDATE conversations SET speaker = 'bot', holder = NULL, speaker_fence = fence"
        " WHERE id = :id AND speaker <> 'bot'",
        key,
    )


def restricted(connection: Connection, conversation: int) -> bool:
    """Is the data kept apart, so that no caseworker may open it?"""
    row = connection.one("SELECT restricted FROM conversations WHERE id = :id", {"id": conversation})
    return row is not None and bool(row["restricted"])


def issue(connection: Connection, conversation: int, token: str) -> None:
    """Remember the hash of a link's token; an earlier one of the conversation is good no more."""
    connection.execute("DELETE FROM copy_links WHERE conversation_id = :id", {"id": conversation})
    connection.execute(
        f"INSERT INTO copy_links VALUES (:token, :id, {NOW} + :seconds)",
        {"token": _hash(token), "id": conversation, "seconds": LINK_MINUTES * 60.0},
    )


def spend(connection: Connection, token: str) -> int | None:
    """The conversation a link leads to, once; None for a token that is spent, late or not ours."""
    row = connection.execute(
        f"DELETE FROM copy_links WHERE token = :token AND until > {NOW} RETURNING conversation_id",
        {"token": _hash(token)},
    ).fetchone()
    return None if row is None else int(row["conversation_id"])


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def kept(connection: Connection, conversation: int) -> Kept:
    """What is kept of a conversation, counted."""
    row = connection.one(
        "SELECT v.opened_at, (SELECT count(*) FROM messages m WHERE m.conversation_id = v.id) AS messages,"
        " (SELECT count(*) FROM facts f WHERE f.conversation_id = v.id) AS answers,"
        " (SELECT count(*) FROM attachments a WHERE a.conversation_id = v.id AND a.state = 'kept') AS files"
        " FROM conversations v WHERE v.id = :id",
        {"id": conversation},
    )
    if row is None:
        return Kept()
    held = erasing.on_hold(connection, conversation)
    return Kept(row["messages"], row["answers"], row["files"], row["opened_at"], held)


def about(connection: Connection, conversation: int) -> About:
    """What else is kept of it."""
    key = {"id": conversation}
    row = connection.one("SELECT opened_at, lang FROM conversations WHERE id = :id", key)
    channels = connection.all(
        "SELECT DISTINCT channel FROM addresses WHERE conversation_id = :id ORDER BY channel", key
    )
    cases = connection.all(
        "SELECT number, opened_at, closed_at FROM cases WHERE conversation_id = :id ORDER BY id", key
    )
    return About(
        since=row["opened_at"] if row else 0.0,
        lang=row["lang"] if row else "",
        channels=tuple(each["channel"] for each in channels),
        cases=tuple(CaseDates(each["number"], each["opened_at"], each["closed_at"]) for each in cases),
    )
