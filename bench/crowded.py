"""A store of a million conversations, made by the engine itself: for looking whether turns grow slower with them."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

from bot.messages import Reply, reply_to_json
from bot.store.codec import encode
from bot.store.database import migrate

CONVERSATIONS = 1_000_000
LINES = 4  # of each conversation: twice something said and its answer


def fill(path: Path, conversations: int = CONVERSATIONS) -> None:
    """Fill a new store at `path`: people of the hook who wrote twice and were answered, over the last three months."""
    migrate(path)
    connection = sqlite3.connect(path, isolation_level=None)
    now = time.time()
    heard, said = Reply("請問青年就業獎勵金怎麼申請？", "zh-TW"), Reply("這項計畫的說明如下。" * 12, "zh-TW")
    facts = {
        "count": conversations,
        "lines": LINES,
        "step": 90 * 86400 / conversations,
        "begin": now - 90 * 86400,
        "state": encode(json.dumps({"lang": "zh-TW", "topic": "p15", "welcomed": True})),
        "heard": encode(reply_to_json(heard)),
        "said": encode(reply_to_json(said)),
    }
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
    lines = "WITH RECURSIVE k(j) AS (SELECT 1 UNION ALL SELECT j + 1 FROM k WHERE j < :lines)"
    try:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        connection.execute("BEGIN")
        for statement in (
            f"{numbers} INSERT INTO conversations (id, opened_at, updated_at, lang, state, next_seq, address_id)"
            " SELECT i, :begin + i * :step, :begin + i * :step, 'zh-TW', :state, :lines + 1, i FROM n",
            f"{numbers} INSERT INTO addresses (id, conversation_id, channel, account, user_id)"
            " SELECT i, i, 'hook', '', 'filled-' || i FROM n",
            f"{lines} INSERT INTO messages (conversation_id, seq, author, address_id, event_id, at, body, status)"
            " SELECT c.id, j, CASE j % 2 WHEN 1 THEN 'citizen' ELSE 'bot' END, c.id,"
            " CASE j % 2 WHEN 1 THEN 'e' || c.id || '-' || j ELSE '' END, c.opened_at,"
            " CASE j % 2 WHEN 1 THEN :heard ELSE :said END, 'sent' FROM conversations c, k",
            "INSERT INTO seen (key, day) SELECT randomblob(32), CAST(at / 86400 AS INTEGER) FROM messages"
            " WHERE author = 'citizen'",
            "INSERT INTO outbox (conversation_id, address_id, in_reply_to, first_seq, last_seq, author, fence,"
            " retry_key, state, attempts, created_at, settled_at)"
            " SELECT conversation_id, address_id, 'e', seq, seq, 'bot', 0, hex(randomblob(16)), 'sent', 1, at, at"
            " FROM messages WHERE author = 'bot'",
            "INSERT INTO facts (conversation_id, subject, fact, value, at) SELECT id, 'self', 'age', '030', updated_at"
            " FROM conversations WHERE id % 3 = 0",
        ):
            connection.execute(statement, facts)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
