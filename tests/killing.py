"""The world around servers that are killed again and again: insisting senders, a counting receiver, what is kept."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from aiohttp import web
from conftest import free_port
from receiving import receiving
from standins.ending import end

from bot.channels.hook import SIGNATURE, sign, verify

SECRET = "the-key-of-the-kill-test"
SAID = ({"choice": "menu"}, {"choice": "topic:p15"}, {"choice": "aspect:p15:amount"}, {"text": "尋職津貼怎麼申請"})
START_LIMIT = 150.0
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Received:
    """One post at the reply URL: by which life of which server, and when (for the report only)."""

    key: str
    user: str
    event: str
    life: int
    at: float


@dataclass
class Death:
    """A kill: when, which deliveries the dead server had not yet written down as sent, what it called itself."""

    at: float
    on_the_wire: set[str]
    name: str


@dataclass
class Server:
    """One place where a server runs, life after life; its `life` is a number that no other server has."""

    number: int
    port: int = field(default_factory=free_port)
    life: int = -1
    process: subprocess.Popen[bytes] | None = None
    up: bool = False


@dataclass
class City:
    """Everything outside the servers, and their lives and deaths. `url`: of the PostgreSQL that several share."""

    folder: Path
    chance: random.Random
    url: str = ""
    servers: list[Server] = field(default_factory=list)
    lives: int = 0
    deaths: dict[int, Death] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    sent: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("posts", "insisted", "repeated on purpose"), 0)
    )
    reply_url: str = ""
    up: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    at_delivery: Callable[[int], None] | None = None

    def __post_init__(self) -> None:
        self.servers = [Server(number) for number in range(2 if self.url else 1)]

    # -- the receiver

    async def receive(self, request: web.Request) -> web.Response:
        """Check the signature, write down, take a moment, answer."""
        body = await request.read()
        assert verify(SECRET, body, request.headers.get(SIGNATURE))
        document = json.loads(body)
        assert document["messages"]
        life = int(request.match_info["life"])
        self.received.append(
            Received(document["id"], document["user"], document["in_reply_to"], life, time.monotonic())
        )
        if self.at_delivery is not None:
            self.at_delivery(life)
        await asyncio.sleep(self.chance.random() * 0.003)
        return web.Response()

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """The reply URL answers."""
        async with receiving("/replies/{life}", self.receive) as url:
            self.reply_url = f"{url}/replies"
            yield

    # -- the servers

    async def start(self, session: aiohttp.ClientSession, server: Server) -> None:
        """A new life: the real command in a process of its own."""
        await asyncio.sleep(0.05)  # what the dead one had posted is read now, before anybody does it again
        server.life, self.lives = self.lives, self.lives + 1
        environ = {
            **os.environ,
            "LABOR_BOT_DATA_DIR": str(self.folder),
            "LABOR_BOT_DATABASE_URL": self.url,
            "LABOR_BOT_HOOK_SECRET": SECRET,
            "LABOR_BOT_HOOK_REPLY_URL": f"{self.reply_url}/{server.life}",
        }
        command = [str(Path(sys.executable).parent / "labor-bot"), "serve", "--port", str(server.port)]
        with (self.folder / "server.log").open("ab") as log:
            server.process = subprocess.Popen(command, env=environ, stderr=log, stdout=log)  # noqa: ASYNC220
        async with asyncio.timeout(START_LIMIT):
            while not await self._ready(session, server):
                assert server.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
                await asyncio.sleep(0.02)
        server.up = True
        self.up.set()

    async def _ready(self, session: aiohttp.ClientSession, server: Server) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{server.port}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    def kill(self, server: Server) -> None:
        """SIGKILL; what is on disk is looked at in a copy, so that the next life itself recovers the file."""
        assert server.process is not None
        server.up = False
        if not any(other.up for other in self.servers):
            self.up.clear()
        server.process.kill()
        server.process.wait()
        at = time.monotonic()
        query = "SELECT o.retry_key FROM outbox o WHERE o.state = 'sending'"
        name = next((name for (name,) in self.look(f"SELECT id FROM servers WHERE pid = {server.process.pid}")), "")
        self.deaths[server.life] = Death(at, {key for (key,) in self.look(query)}, name)

    def holds(self, death: Death) -> bool:
        """Does the dead server still hold a conversation, for its worker or for its sender?"""
        held = f"pending > 0 AND leased_by = '{death.name}'"
        sent = f"outgoing > 0 AND (sending_by = '{death.name}' OR sending_by LIKE '{death.name}/%')"
        return bool(self.look(f"SELECT 1 FROM conversations WHERE ({held}) OR ({sent}) LIMIT 1"))

    def look(self, sql: str) -> Rows:
        """What a query finds: in a copy of the file, or in the database that is shared."""
        return self._in_postgresql(sql) if self.url else self._in_a_copy(sql)

    def _in_postgresql(self, sql: str) -> Rows:
        with psycopg.connect(self.url, autocommit=True) as database:
            return database.execute(sql.encode()).fetchall()

    def _in_a_copy(self, sql: str) -> Rows:
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for file in self.folder.glob("labor-bot.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, copy / file.name)
        with closing(sqlite3.connect(copy / "labor-bot.db")) as database:
            return database.execute(sql).fetchall()

    def stop(self) -> None:
        """An orderly end."""
        running = [one.process for one in self.servers if one.process is not None and one.process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            end(process)

    # -- the senders

    async def sender(self, session: aiohttp.ClientSession, name: str, users: int) -> None:
        """Writes for a few citizens, each message after the last one was taken; goes on until told to stop."""
        number = 0
        while not self.stopping:
            number += 1
            user = f"{name}-{number % users}"
            events = [
                self._event(user, f"{name}/{number}/{part}") for part in range(self.chance.choice((1, 1, 1, 2, 3)))
            ]
            await self._insist(session, events)
            self.sent.setdefault(user, []).extend(event["id"] for event in events)
            if self.chance.random() < 0.1:
                self.counts["repeated on purpose"] += 1
                again = self.chance.choice(self.sent[user])
                answer = await self._insist(session, [{**self._event(user, again), "timestamp": 1}])
                assert answer["accepted"] == 0, f"{again} was taken twice"
            await asyncio.sleep(self.chance.random() * 0.01)

    def _event(self, user: str, event_id: str) -> dict[str, Any]:
        return {"id": event_id, "user": user, "timestamp": time.time_ns() // 1_000_000, **self.chance.choice(SAID)}

    async def _insist(self, session: aiohttp.ClientSession, events: list[dict[str, Any]]) -> dict[str, int]:
        """Post the same bytes, to whichever server is there, until they are answered by a 200."""
        body = json.dumps({"events": events}).encode()
        while True:
            await self.up.wait()
            self.counts["posts"] += 1
            server = self.chance.choice([one for one in self.servers if one.up])
            try:
                url, headers = f"http://127.0.0.1:{server.port}/webhook/hook", {SIGNATURE: sign(SECRET, body)}
                async with session.post(url, data=body, headers=headers) as response:
                    if response.status == 200:
                        answer: dict[str, Any] = await response.json()
                        assert answer["refused"] == []
                        assert answer["accepted"] + answer["repeated"] == len(events)
                        return answer
                    assert response.status == 503
            except (aiohttp.ClientError, OSError):
                pass
            self.counts["insisted"] += 1
            await asyncio.sleep(0.02)
