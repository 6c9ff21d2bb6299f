"""Erasing a conversation: where content of a person stands, and what stays of it without content."""

from __future__ import annotations

import json

from bot.store.database import NOW, Connection

# Every table with content of a person stands here; tests/test_privacy.py compares these lists with the schema.
BY_CONVERSATION = (
    "outbox",
    "messages",
    "facts",
    "unanswered",
    "attachments",
    "resume_links",
    "copy_links",
    "callbacks",
    "ratings",
    "misread",
    "masked",
)
BY_CASE = ("case_notes", "drafts")
OF_CASE = ("case_log",)  # without content once erased; goes with its case
WITHOUT_CONTENT = {  # what stays: ids, times and kinds; `erase` empties the columns that could say more
    "addresses": "where the person is reached: emptied when the conversation has rested",
    "inbox": "what waits for its turn is taken; what failed goes",
    "cases": "the topic of an open case is emptied",
    "case_log": "the details are emptied",
    "privacy_requests": "no longer lead to the conversation",
    "legal_holds": "a conversation with one is not erased",
}
SHOWN = ("messages", "facts", "attachments")  # kinds that a receipt names


class OnHold(Exception):
    """The conversation is under legal hold: it must not be erased."""


def erase(connection: Connection, conversation: int, why: str, outgoing: int = 0) -> dict[str, int]:
    """Erase what a conversation said and told, and keep a receipt without content; rows of each kind that went.

    Its cases keep no content, its requests no longer lead to it. `why`: asked, officer. `outgoing` deliveries are
    about to be made anew. Raises OnHold before anything is written.
    """
    key = {"id": conversation}
    if on_hold(connection, conversation):
        raise OnHold(conversation)
    erased = content(connection, conversation)
    _receipt(connection, conversation, why, erased)
    _end_cases(connection, conversation)
    connection.execute(
        f"UPDATE privacy_requests SET settled_at = CASE WHEN state = 'open' THEN {NOW} ELSE settled_at END,"
        " state = CASE WHEN state = 'open' THEN 'done' ELSE state END, reason = '', conversation_id = NULL"
        " WHERE conversation_id = :id",
        key,
    )
    connection.execute(
        "UPDATE conversations SET speaker = 'bot', holder = NULL, outgoing = :outgoing, speaker_fence = fence,"
        " restricted = 0 WHERE id = :id",
        key | {"outgoing": outgoing},
    )
    return erased


def content(connection: Connection, conversation: int) -> dict[str, int]:
    """Delete the rows that hold content; how many there were of each kind."""
    key = {"id": conversation}
    mine = "case_id IN (SELECT id FROM cases WHERE conversation_id = :id)"
    erased = {table: connection.execute(f"DELETE FROM {table} WHERE {mine}", key).rowcount for table in BY_CASE}
    for table in BY_CONVERSATION:
        erased[table] = connection.execute(f"DELETE FROM {table} WHERE conversation_id = :id", key).rowcount
    connection.execute("DELETE FROM inbox WHERE conversation_id = :id AND state = 'failed'", key)
    connection.execute(f"UPDATE case_log SET detail = '' WHERE detail <> '' AND {mine}", key)
    return erased


def _end_cases(connection: Connection, conversation: int) -> None:
    connection.execute(
        f"UPDATE cases SET state = 'closed', closed_at = {NOW}, topic = ''"
        " WHERE conversation_id = :id AND state <> 'closed'",
        {"id": conversation},
    )


def _receipt(connection: Connection, conversation: int, why: str, erased: dict[str, int]) -> None:
    connection.execute(
        "INSERT INTO erasures (day, channel, why, counts) VALUES"
        f" (CAST({NOW} / 86400 AS INTEGER), :channel, :why, :counts)",
        {
            "channel": channel_of(connection, conversation),
            "why": why,
            "counts": json.dumps({table: count for table, count in sorted(erased.items()) if count}),
        },
    )


def channel_of(connection: Connection, conversation: int) -> str:
    """The channel that the person last wrote from; empty where no address is left."""
    row = connection.one(
        "SELECT a.channel FROM conversations v JOIN addresses a ON a.id = v.address_id WHERE v.id = :id",
        {"id": conversation},
    )
    return "" if row is None else str(row["channel"])


def on_hold(connection: Connection, conversation: int) -> bool:
    """Must the conversation not be erased?"""
    return connection.one("SELECT 1 FROM legal_holds WHERE conversation_id = :id", {"id": conversation}) is not None
