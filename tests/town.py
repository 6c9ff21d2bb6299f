"""Citizens on every channel of a server, who insist as the platforms do, whatever becomes of the store."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from aiohttp import web
from platform_load import (
    LINE_SECRET,
    LINE_TOKEN,
    TELEGRAM_HEADER,
    TELEGRAM_SECRET,
    Post,
    Said,
    line_body,
    telegram_body,
)
from platform_load import said as event_of
from platform_receivers import TELEGRAM_TOKEN, Receivers
from receiving import receiving
from standins.line_events import sign as sign_line
from steady import Watched

from bot.channels.hook import SIGNATURE, sign
from bot.channels.web import COOKIE

HOOK_SECRET = "the-key-of-the-hook"
PAUSE = {"hook": 0.02, "line": 0.1, "web": 0.1, "telegram": 0.6}  # Telegram takes one message a second of a chat
USERS = {"hook": 12, "line": 6, "web": 3, "telegram": 6}
ACCEPTED = (200, 202)
SAID = ({"choice": "menu"}, {"choice": "topic:p15"}, {"text": "尋職津貼怎麼申請"}, {"text": "thank you"})
OWN = {"sec-fetch-site": "same-origin"}
DRAIN_LIMIT = 150.0  # what was held when the store failed is taken again when its lease has run out
Who = tuple[str, str]


def every_channel(platforms: str, replies: str) -> dict[str, str]:
    """Settings: every channel on, and no budget in the way."""
    return {
        "LABOR_BOT_HOOK_SECRET": HOOK_SECRET,
        "LABOR_BOT_HOOK_REPLY_URL": replies,
        "LABOR_BOT_LINE_CHANNEL_SECRET": LINE_SECRET,
        "LABOR_BOT_LINE_CHANNEL_TOKEN": LINE_TOKEN,
        "LABOR_BOT_LINE_API_BASE": platforms,
        "LABOR_BOT_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
        "LABOR_BOT_TELEGRAM_SECRET": TELEGRAM_SECRET,
        "LABOR_BOT_TELEGRAM_API_BASE": f"{platforms}/bot",
        "LABOR_BOT_MESSAGES_PER_MINUTE": "1000000",
        "LABOR_BOT_MESSAGES_PER_MINUTE_IP": "1000000",
    }


@dataclass
class Town:
    """`url`: of a PostgreSQL, or else a file in `data`. `sent`: what was accepted of whom, in order."""

    folder: Path
    url: str = ""
    data: Path | None = None
    more: Mapping[str, str] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random)
    receivers: Receivers = field(default_factory=Receivers)
    sent: dict[Who, list[str]] = field(default_factory=dict)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    replies: list[str] = field(default_factory=list)
    number: int = 0
    stopping: bool = False
    _cookies: dict[str, str] = field(default_factory=dict)
    server: Watched = field(init=False)
    session: aiohttp.ClientSession = field(init=False)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Everything runs."""
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(30)
        async with (
            self.receivers.open(),
            self._hook() as replies,
            aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
        ):
            self.session = session
            place = {"LABOR_BOT_DATA_DIR": str(self.data or self.folder), "LABOR_BOT_DATABASE_URL": self.url}
            self.server = Watched(self.folder, every_channel(self.receivers.url, replies) | place | dict(self.more))
            try:
                await self.server.start()
                yield
            finally:
                self.server.stop()

    @asynccontextmanager
    async def _hook(self) -> AsyncIterator[str]:
        async def receive(request: web.Request) -> web.Response:
            self.replies.append(json.loads(await request.read())["in_reply_to"])
            return web.Response()

        async with receiving("/replies", receive) as url:
            yield f"{url}/replies"

    @property
    def root(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.server.port}"

    # -- citizens

    async def citizen(self, channel: str, number: int) -> None:
        """Writes on and on, each message after the last one was accepted, until told to stop."""
        while not self.stopping:
            await self.say(channel, number, self.chance.choice(SAID))
            await asyncio.sleep(PAUSE[channel] * (0.5 + self.chance.random()))

    async def say(self, channel: str, number: int, what: dict[str, str]) -> None:
        """One message until it is accepted; a 503 is the only refusal that may be."""
        one = self.message(channel, number, what)
        while (status := await self.post(one)) not in ACCEPTED:
            assert status in (0, 503), f"{status} of {channel}"
            await asyncio.sleep(0.05 + 0.1 * self.chance.random())
        user = hashlib.sha256(self._cookies[one.user].encode()).hexdigest() if channel == "web" else one.user
        self.sent.setdefault((channel, user), []).append(one.id)

    def message(self, channel: str, number: int, what: dict[str, str]) -> Said:
        """As it will be posted, again and again if need be."""
        self.number += 1
        if channel in ("line", "telegram"):
            return event_of(self.number, channel, number, time.time(), what)
        return Said(self.number, channel, f"u{number}", uuid.uuid4().hex, time.time(), what)

    async def post(self, one: Said) -> int:
        """The status of one try; 0 when there was no answer."""
        try:
            status = await (self._post_web(one) if one.channel == "web" else self._post(one))
        except (aiohttp.ClientError, OSError):
            status = 0
        self.answers[one.channel, status] += 1
        return status

    async def _post(self, one: Said) -> int:
        body, headers = self._signed(one)
        async with self.session.post(f"{self.root}/webhook/{one.channel}", data=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    def _signed(self, one: Said) -> tuple[bytes, dict[str, str]]:
        if one.channel == "telegram":
            return telegram_body(one, int(one.at)), {TELEGRAM_HEADER: TELEGRAM_SECRET}
        if one.channel == "line":
            self.receivers.issue(one.token, one.user)
            body = line_body(Post(0.0, (one,), (False,)), lambda each: int(each.at * 1000))
            return body, {"x-line-signature": sign_line(LINE_SECRET, body)}
        event = {"id": one.id, "user": one.user, "timestamp": int(one.at * 1000), **one.what}
        body = json.dumps({"events": [event]}).encode()
        return body, {SIGNATURE: sign(HOOK_SECRET, body)}

    async def _post_web(self, one: Said) -> int:
        if one.user not in self._cookies:
            async with self.session.get(f"{self.root}/") as page:
                if page.status != 200:
                    return page.status
                self._cookies[one.user] = page.cookies[COOKIE].value
        async with self.form(one, {"accept": "application/json"}) as answer:
            await answer.read()
            return int(answer.status)

    def form(self, one: Said, headers: Mapping[str, str]) -> Any:
        """The form of the chat's page."""
        cookie = {"cookie": f"{COOKIE}={self._cookies[one.user]}"} if one.user in self._cookies else {}
        fields = {**one.what, "id": one.id}
        url = f"{self.root}/chat/send"
        return self.session.post(url, data=fields, headers=OWN | dict(headers) | cookie, allow_redirects=False)

    # -- what came of it

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds beside the server."""
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as shared:
                return shared.execute(sql.encode()).fetchall()
        file = (self.data or self.folder) / "labor-bot.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    async def drain(self) -> float:
        """Until everything is worked off; how many seconds that took."""
        began = time.monotonic()
        async with asyncio.timeout(DRAIN_LIMIT):
            while self.rows("SELECT 1 FROM conversations WHERE pending > 0 OR outgoing > 0 LIMIT 1"):
                assert self.server.lives(), self.server.log()[-3000:]
                await asyncio.sleep(0.2)
        return time.monotonic() - began

    def check(self) -> None:
        """The transcript of each citizen is what was accepted: nothing lost, nothing twice, in order; all answered."""
        heard: dict[Who, list[str]] = {}
        for channel, user, event in self.rows(
            "SELECT a.channel, a.user_id, m.event_id FROM messages m JOIN addresses a ON a.id = m.address_id"
            " WHERE m.author = 'citizen' ORDER BY m.conversation_id, m.seq"
        ):
            heard.setdefault((channel, user), []).append(event.rpartition(":")[2])
        wrong = {who: (heard.get(who), self.sent.get(who)) for who in heard.keys() | self.sent.keys()}
        wrong = {who: (found, said) for who, (found, said) in wrong.items() if found != said}
        assert not wrong, f"heard and sent of {len(wrong)}: {list(wrong.items())[:3]}"
        assert self.rows("SELECT count(*) FROM inbox") == [(0,)]
        assert self.rows("SELECT count(*) FROM seen") == [(sum(map(len, self.sent.values())),)]
        assert {state for (state,) in self.rows("SELECT DISTINCT state FROM outbox")} <= {"sent", "waiting"}
        hook = {event for (channel, _), events in self.sent.items() if channel == "hook" for event in events}
        made = Counter(event for (event,) in self.rows("SELECT in_reply_to FROM outbox") if event in hook)
        assert made == Counter(hook)
        assert hook <= set(self.replies)


@asynccontextmanager
async def citizens(town: Town) -> AsyncIterator[None]:
    """On every channel; when this ends they have stopped, each with its last message accepted."""
    tasks = [asyncio.create_task(town.citizen(channel, n)) for channel, most in USERS.items() for n in range(most)]
    try:
        yield
        town.stopping = True
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
