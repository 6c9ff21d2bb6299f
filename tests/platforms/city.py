"""The real server on a port of its own, both platforms beside it, and what its database holds."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import free_port
from standins.line import Standin as LineStandin
from standins.serving import ThreadServer
from standins.telegram import Standin as TelegramStandin
from standins.telegram_inbox import Webhook

from bot import config
from bot.channels.telegram_inbox import ALLOWED
from bot.pipeline.resources import Resources
from bot.server import Server
from bot.store.codec import decode

SECRET = "secret-of-the-telegram-webhook"
Before = Callable[[LineStandin, TelegramStandin], None]
BUSY = (
    "SELECT (SELECT count(*) FROM conversations WHERE pending > 0 OR outgoing > 0)"
    " + (SELECT count(*) FROM attachments WHERE state = 'wanted') + (SELECT count(*) FROM addresses WHERE menu_due = 1)"
)
PAST = (  # what an age is measured by
    ("inbox", "accepted_at"),
    ("conversations", "pending_since"),
    ("addresses", "token_until"),
    ("outbox", "token_until"),
    ("outbox", "created_at"),
    ("messages", "at"),
    ("cases", "answered_at"),
    ("resume_links", "until"),
)


@dataclass
class City:
    """A running server. `url` is where people and platforms reach it."""

    line: LineStandin
    telegram: TelegramStandin
    resources: Resources
    url: str
    database: Path
    closing: ExitStack = field(default_factory=ExitStack)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """What the database answers, read beside the server."""
        connection = sqlite3.connect(self.database, timeout=10)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def change(self, sql: str, *values: Any) -> None:
        """One durable change beside the server."""
        connection = sqlite3.connect(self.database, timeout=10)
        try:
            with connection:
                connection.execute(sql, values)
        finally:
            connection.close()

    def kept(self) -> str:
        """Everything that the tables of the database hold, as one text."""
        tables = [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = (row for table in tables for row in self.rows(f"SELECT * FROM {table}"))
        return "\n".join(_plain(value) for row in rows for value in row)

    def spoken(self) -> set[str]:
        """The languages of everything that the bot said."""
        return {
            json.loads(decode(body))["lang"] for (body,) in self.rows("SELECT body FROM messages WHERE author = 'bot'")
        }

    def pass_time(self, seconds: float) -> None:
        """For the house and for LINE so many seconds go by; Telegram has no tokens that could grow old."""
        self.line.clock.advance(seconds)
        for table, column in PAST:
            self.change(f"UPDATE {table} SET {column} = {column} - ? WHERE {column} > 0", seconds)

    def wait(self, condition: Callable[[], Any], seconds: float = 10.0) -> Any:
        """What the condition gives as soon as that is true; an AssertionError when it never is."""
        until = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < until, f"it did not happen in time; {self.told()}"
            time.sleep(0.01)
        return found

    def settle(self) -> None:
        """Until everything that came is answered and delivered."""
        self.wait(lambda: not self.telegram.inbox.pending and self.rows(BUSY) == [(0,)])

    def told(self) -> str:
        """The newest lines of all transcripts and what is still to be sent: for failures."""
        lines = self.rows("SELECT author, status, body FROM messages ORDER BY id DESC LIMIT 4")
        waiting = self.rows("SELECT state, attempts, error FROM outbox WHERE settled_at IS NULL")
        return f"waiting: {waiting}; newest lines: {lines}; faults: {self.faults}"

    @property
    def faults(self) -> list[Any]:
        """What the server did that the platforms do not allow."""
        return [*self.line.faults, *self.telegram.faults, *self.telegram.unanswered()]

    def words(self, lang: str, key: str, **params: Any) -> str:
        """A text of the catalog."""
        return self.resources.renderer.say(key, lang, **params).text


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def _nothing(line: LineStandin, telegram: TelegramStandin) -> None:
    """The platforms as they are when nothing was done there."""


@contextmanager
def running(
    resources: Resources,
    folder: Path,
    mode: str = "webhook",
    before: Before = _nothing,
    now: Callable[[], float] = time.time,
    more: Mapping[str, str] = {},
) -> Iterator[City]:
    """The app of `labor-bot serve` with both platforms on; the platforms know where it is.

    `before`: what was done at the platforms before it starts. `now`: their clock, in Unix seconds. `more`: settings.
    """
    with LineStandin(now=now) as line, TelegramStandin(now=now) as telegram:
        before(line, telegram)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        settings = config.load(
            {
                "LABOR_BOT_DATA_DIR": str(folder),
                "LABOR_BOT_PUBLIC_URL": url,
                "LABOR_BOT_LINE_CHANNEL_SECRET": line.secret,
                "LABOR_BOT_LINE_CHANNEL_TOKEN": line.token,
                "LABOR_BOT_LINE_API_BASE": line.url,
                "LABOR_BOT_TELEGRAM_TOKEN": telegram.token,
                "LABOR_BOT_TELEGRAM_SECRET": SECRET,
                "LABOR_BOT_TELEGRAM_API_BASE": telegram.base_url,
                "LABOR_BOT_TELEGRAM_MODE": mode,
                **more,
            }
        )
        _point_webhooks(line, telegram, url, mode)
        with _serving(settings, resources, port), ExitStack() as closing:
            yield City(line, telegram, resources, url, settings.database, closing)


def _point_webhooks(line: LineStandin, telegram: TelegramStandin, url: str, mode: str) -> None:
    line.account.webhook = f"{url}/webhook/line"
    if mode == "webhook":
        telegram.inbox.webhook = Webhook(f"{url}/webhook/telegram", SECRET)
        telegram.inbox.allowed = list(ALLOWED)


@contextmanager
def _serving(settings: config.Config, resources: Resources, port: int) -> Iterator[None]:
    """The app with its house at work, in a thread of its own."""
    app = Server(settings, resources).app()
    lifespan = app.router.lifespan_context(app)
    with ThreadServer(app, port) as server:
        assert server.loop is not None, "started above"
        asyncio.run_coroutine_threadsafe(_entered(lifespan), server.loop).result(30)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(_left(lifespan), server.loop).result(30)


async def _entered(lifespan: Any) -> None:
    await lifespan.__aenter__()


async def _left(lifespan: Any) -> None:
    await lifespan.__aexit__(None, None, None)
