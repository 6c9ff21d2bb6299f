"""Conversations held with the real program in every language, so that filled stores hold what it writes."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.mix import SCRIPT
from bot import config
from bot.pipeline.resources import Resources
from bot.server import Server
from intents.authored import read
from intents.labels import LANGUAGES

TALKS = 4  # of each language
TURNS = 14
CHECK = ("check:p16", "answer:registered_in_city:yes", "answer:lives_in_city:yes")
LEFT_OUT = ("urgent", "handoff", "language", "privacy")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a transcript as the table holds it."""

    author: str
    body: str
    reading: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: its turns, each the citizen's line and the answers; the last one asks for a person.

    `facts` are (subject, fact, value) as stored; `state` is the dialogue's state document as stored.
    """

    lang: str
    topic: str
    turns: tuple[tuple[Line, ...], ...]
    facts: tuple[tuple[str, str, str], ...]
    state: str


def record(resources: Resources) -> list[Talk]:
    """Hold the conversations; the same talks every time."""
    with TemporaryDirectory() as folder:
        loaded = config.load({"LABOR_BOT_DATA_DIR": folder, "LABOR_BOT_MESSAGES_PER_MINUTE": "1000"})
        asyncio.run(_hold(Server(loaded, resources)))
        return _read(loaded.database)


async def _hold(server: Server) -> None:
    app = server.app()
    async with app.router.lifespan_context(app):
        for lang in LANGUAGES:
            for number in range(TALKS):
                transport = httpx.ASGITransport(app=app, client=(f"127.0.{LANGUAGES.index(lang)}.{number}", 1))
                headers = {"accept-language": lang}
                async with httpx.AsyncClient(transport=transport, base_url="http://a.local", headers=headers) as client:
                    for form in _said(lang, number):
                        answer = await client.post("/chat/send", data=form)
                        assert answer.status_code == 303, answer.text


@cache
def _sentences() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {lang: [] for lang in LANGUAGES}
    for pattern in read().patterns:
        if not pattern.label.startswith(LEFT_OUT):
            found[pattern.lang].append(pattern.sentences[0])
    return found


def _said(lang: str, number: int) -> Iterator[dict[str, str]]:
    """Every second person answers a check first; then taps and sentences in turns; at last the wish for a person."""
    chance = random.Random(f"{lang}/{number}")
    checked = CHECK if number % 2 else ()
    yield from ({"choice": choice} for choice in checked)
    start = chance.randrange(len(SCRIPT))
    for turn in range(TURNS - len(checked) - 1):
        if turn % 2:
            yield {"text": chance.choice(_sentences()[lang])}
        else:
            yield {"choice": SCRIPT[(start + turn) % len(SCRIPT)]}
    yield {"choice": "handoff"}


def _read(database: Path) -> list[Talk]:
    connection = sqlite3.connect(database)
    try:
        return [
            Talk(row[1], row[2], _turns(connection, row[0]), _facts(connection, row[0]), row[3])
            for row in connection.execute(
                "SELECT v.id, v.lang, c.topic, v.state FROM conversations v JOIN cases c ON c.conversation_id = v.id"
            ).fetchall()
        ]
    finally:
        connection.close()


def _facts(connection: sqlite3.Connection, conversation: int) -> tuple[tuple[str, str, str], ...]:
    sql = "SELECT subject, fact, value FROM facts WHERE conversation_id = ?"
    return tuple(connection.execute(sql, (conversation,)).fetchall())


def _turns(connection: sqlite3.Connection, conversation: int) -> tuple[tuple[Line, ...], ...]:
    sql = "SELECT author, body, reading FROM messages WHERE conversation_id = ? ORDER BY seq"
    turns: list[list[Line]] = []
    for row in connection.execute(sql, (conversation,)):
        if row[0] == "citizen" or not turns:
            turns.append([])
        turns[-1].append(Line(*row))
    return tuple(tuple(turn) for turn in turns)
