"""A server under the load of LINE and Telegram: what citizens do, out of order and repeated, by an open-loop clock."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from conftest import free_port
from platform_receivers import ACCOUNT, TELEGRAM_TOKEN, Receivers
from standins.ending import end
from standins.line_events import event_id, sign

from bench import mix

LINE_SECRET, LINE_TOKEN = "secret-of-the-load", "token-of-the-load"
TELEGRAM_HEADER, TELEGRAM_SECRET = "X-Telegram-Bot-Api-Secret-Token", "secret-of-the-load"
LINE_USERS, TELEGRAM_USERS = 400, 100
SHUFFLED_SECONDS = 3.0  # an event arrives up to so long after it happened
AGAIN = 0.05  # of the events are delivered once or twice more
AGAIN_SECONDS = 5.0
BATCH = 20
START_LIMIT, DRAIN_LIMIT, POST_LIMIT = 60.0, 120.0, 30.0
MORE = {"choice": "more"}
Json = dict[str, Any]
Rows = list[sqlite3.Row]


@dataclass(frozen=True, slots=True)
class Said:
    """One event of a citizen. `at`: when it happened, in seconds after the load began; `number` counts all of them."""

    number: int
    channel: str
    user: str
    id: str
    at: float
    what: dict[str, str]

    @property
    def tap(self) -> bool:
        """Was a button pressed?"""
        return "choice" in self.what

    @property
    def token(self) -> str:
        """LINE's reply token: the same at each delivery."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Post:
    """One request to a webhook: when it is due, what is in it, and what of that is a repetition."""

    due: float
    said: tuple[Said, ...]
    again: tuple[bool, ...]


# -- what will be said


def events(seconds: float, rate: float, telegram: float, chance: random.Random) -> list[Said]:
    """Events at an even pace; `telegram` of them there. Each citizen follows the script of taps, texts come between."""
    pool = mix.sentences(random.Random(7))
    users = {"line": LINE_USERS, "telegram": TELEGRAM_USERS}
    talks = {
        (channel, n): mix.events(1000 * n + len(channel), pool) for channel, most in users.items() for n in range(most)
    }
    found = []
    for number in range(int(seconds * rate)):
        channel = "telegram" if chance.random() < telegram else "line"
        user = chance.randrange(users[channel])
        found.append(said(number, channel, user, number / rate, next(talks[channel, user])))
    return found


def said(number: int, channel: str, user: int, at: float, what: dict[str, str]) -> Said:
    """One event with the ids that its platform gives."""
    if channel == "telegram":
        return Said(number, channel, str(900_000 + user), str(700_000 + number), at, what)
    name = "U" + hashlib.md5(str(user).encode()).hexdigest()
    return Said(number, channel, name, event_id(int(time.time() * 1000)), at, what)


def posts(happened: Sequence[Said], chance: random.Random) -> list[Post]:
    """Who is delivered when: out of order within the window, some again; LINE's in batches, Telegram's one by one."""
    due: list[tuple[float, Said, bool]] = []
    for one in happened:
        first = one.at + chance.random() * SHUFFLED_SECONDS
        due.append((first, one, False))
        if chance.random() < AGAIN:
            due += [(first + chance.random() * AGAIN_SECONDS, one, True) for _ in range(chance.choice((1, 2)))]
    due.sort(key=lambda each: each[0])
    singly = [Post(at, (one,), (again,)) for at, one, again in due if one.channel == "telegram"]
    batches = _batches([each for each in due if each[1].channel == "line"], chance)
    return sorted([*singly, *batches], key=lambda post: post.due)


def _batches(due: Sequence[tuple[float, Said, bool]], chance: random.Random) -> Iterator[Post]:
    """One to twenty events, no event twice; a batch is sent when its last one is due."""
    batch: list[tuple[float, Said, bool]] = []
    size = chance.randint(1, BATCH)
    for each in due:
        if len(batch) == size or any(other[1] is each[1] for other in batch):
            yield _batch(batch)
            batch, size = [], chance.randint(1, BATCH)
        batch.append(each)
    if batch:
        yield _batch(batch)


def _batch(batch: Sequence[tuple[float, Said, bool]]) -> Post:
    dues, events, again = zip(*batch, strict=True)
    return Post(dues[-1], events, again)


# -- as the platforms write it


def line_body(post: Post, stamp: Callable[[Said], int]) -> bytes:
    """A delivery of LINE's; `stamp` gives the time stamp of an event in ms."""
    written = [_line_event(one, stamp(one), again) for one, again in zip(post.said, post.again, strict=True)]
    return json.dumps({"destination": ACCOUNT, "events": written}, ensure_ascii=False).encode()


def _line_event(one: Said, stamp: int, again: bool) -> Json:
    number = str(10**17 + one.number)
    content: Json = {
        "type": "message",
        "message": {"type": "text", "id": number, "quoteToken": "q" + number, "text": one.what.get("text")},
    }
    if one.tap:
        content = {"type": "postback", "postback": {"data": one.what["choice"]}}
    return content | {
        "mode": "active",
        "timestamp": stamp,
        "source": {"type": "user", "userId": one.user},
        "webhookEventId": one.id,
        "deliveryContext": {"isRedelivery": again},
        "replyToken": one.token,
    }


def telegram_body(one: Said, seconds: int) -> bytes:
    """An update; `seconds` is the time of its message. A tap has no time of its own."""
    person = {"id": int(one.user), "is_bot": False, "first_name": "An", "language_code": "zh-hant"}
    message = {
        "message_id": 10 + one.number,
        "date": seconds,
        "chat": {"id": int(one.user), "type": "private", "first_name": "An"},
    }
    content: Json = {"message": {**message, "from": person, "text": one.what.get("text")}}
    if one.tap:
        query = {"id": f"q{one.id}", "from": person, "message": {**message, "text": "…"}, "chat_instance": one.user}
        content = {"callback_query": {**query, "data": one.what["choice"]}}
    return json.dumps({"update_id": int(one.id), **content}, ensure_ascii=False).encode()


# -- the server and the load


@dataclass
class Load:
    """One run. `command` starts the server.

    `telegram`: the share of the events that come from there. One answer is about two messages, and Telegram takes 30 a
    second of all that a bot sends: with more than that the run would measure Telegram's limit.
    """

    folder: Path
    seconds: float
    rate: float = 200.0
    telegram: float = 0.05
    chance: random.Random = field(default_factory=random.Random)
    command: Sequence[str] = (str(Path(sys.executable).parent / "labor-bot"), "serve")
    receivers: Receivers = field(default_factory=Receivers)
    said: list[Said] = field(default_factory=list)
    first_posted: dict[str, float] = field(default_factory=dict)
    answered_in: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    waiting: list[tuple[float, int, int]] = field(default_factory=list)
    cores: float = 0.0
    own_cores: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0
    poured: float = 0.0
    caught_up: float = 0.0
    began: float = 0.0

    def __post_init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    async def run(self) -> None:
        """Start, pour, let everything drain; `stop` is the caller's."""
        timeout = aiohttp.ClientTimeout(total=POST_LIMIT)
        connector = aiohttp.TCPConnector(limit=0)
        async with self.receivers.open(), aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            await self._start(session)
            self.said = events(self.seconds, self.rate, self.telegram, self.chance)
            plan = posts(self.said, self.chance)
            assert self.process is not None
            server = psutil.Process(self.process.pid)
            before = _used(server)
            self.began = time.time()
            watching = asyncio.create_task(self._watch())
            await self._pour(session, plan, server)
            await self._drain(session)
            watching.cancel()
            self.cpu, self.memory = _used(server) - before, server.memory_info().rss / 1e6

    # -- the server

    async def _start(self, session: aiohttp.ClientSession) -> None:
        base = self.receivers.url
        environ = {
            **os.environ,
            "LABOR_BOT_DATA_DIR": str(self.folder),
            "LABOR_BOT_LINE_CHANNEL_SECRET": LINE_SECRET,
            "LABOR_BOT_LINE_CHANNEL_TOKEN": LINE_TOKEN,
            "LABOR_BOT_LINE_API_BASE": base,
            "LABOR_BOT_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "LABOR_BOT_TELEGRAM_SECRET": TELEGRAM_SECRET,
            "LABOR_BOT_TELEGRAM_API_BASE": f"{base}/bot",
        }
        command = [*self.command, "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environ, stderr=log, stdout=log)  # noqa: ASYNC220
        async with asyncio.timeout(START_LIMIT):
            while not await self._ready(session):
                self._lives()
                await asyncio.sleep(0.05)

    def _lives(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended: {self.process.returncode}\n{self.log()[-2000:]}"

    async def _ready(self, session: aiohttp.ClientSession) -> bool:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with session.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
                return answer.status == 200
        return False

    def stop(self) -> None:
        """An orderly end."""
        end(self.process)

    def log(self) -> str:
        """What the server wrote."""
        return (self.folder / "server.log").read_text("utf-8")

    def query(self, sql: str) -> Rows:
        """What a query finds in the database, beside the server or after it."""
        with closing(sqlite3.connect(f"file:{self.folder / 'labor-bot.db'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(sql).fetchall()

    async def _watch(self) -> None:
        """The backlog, every second: events without a turn, answers not delivered."""
        while True:
            (row,) = self.query("SELECT sum(pending) AS pending, sum(outgoing) AS outgoing FROM conversations")
            self.waiting.append((time.time() - self.began, row["pending"] or 0, row["outgoing"] or 0))
            await asyncio.sleep(1.0)

    # -- the load

    async def _pour(self, session: aiohttp.ClientSession, plan: Sequence[Post], server: psutil.Process) -> None:
        """Every post at its time, whatever became of the ones before."""
        own = psutil.Process()
        before, own_before, begin = _used(server), _used(own), time.perf_counter()
        under_way = set[asyncio.Task[None]]()
        for post in plan:
            await asyncio.sleep(max(0.0, begin + post.due - time.perf_counter()))
            self.behind.append(time.perf_counter() - begin - post.due)
            task = asyncio.create_task(self._post(session, post))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)
        self.poured = time.perf_counter() - begin
        self.cores = (_used(server) - before) / self.poured
        self.own_cores = (_used(own) - own_before) / self.poured

    async def _post(self, session: aiohttp.ClientSession, post: Post) -> None:
        """Until a 200 comes, as the platforms do."""
        url = f"http://127.0.0.1:{self.port}/webhook/{post.said[0].channel}"
        body, headers = self._request(post)
        self.counts["posts"] += 1
        self.counts["events posted"] += len(post.said)
        self.counts["redelivered"] += sum(post.again)
        for one in post.said:
            self.first_posted.setdefault(one.id, time.time())
            if one.channel == "line":
                self.receivers.issue(one.token, one.user)
        for _ in range(10):
            begun = time.perf_counter()
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                async with session.post(url, data=body, headers=headers) as response:
                    await response.read()
                    if response.status == 200:
                        self.answered_in.append(time.perf_counter() - begun)
                        return
            self.counts["insisted"] += 1
            await asyncio.sleep(0.5)
        self.counts["never accepted"] += len(post.said)

    def _request(self, post: Post) -> tuple[bytes, dict[str, str]]:
        first = post.said[0]
        if first.channel == "telegram":
            return telegram_body(first, int(self.began + first.at)), {TELEGRAM_HEADER: TELEGRAM_SECRET}
        body = line_body(post, self.line_stamp)
        return body, {"X-Line-Signature": sign(LINE_SECRET, body)}

    def line_stamp(self, one: Said) -> int:
        """LINE's time stamp of an event, in ms."""
        return int((self.began + one.at) * 1000)

    async def _drain(self, session: aiohttp.ClientSession) -> None:
        """Until everything is answered; who was shown "more" in the end taps it."""
        async with asyncio.timeout(DRAIN_LIMIT + 10 * self.seconds):
            while True:
                self._lives()
                if self.query("SELECT 1 FROM conversations WHERE pending > 0 OR outgoing > 0 LIMIT 1"):
                    await asyncio.sleep(0.1)
                    continue
                self.caught_up = self.caught_up or self.receivers.arrived[-1].at - self.began
                if taps := self._taps_for_more():
                    self.counts["asked for more"] += len(taps)
                    await asyncio.gather(*(self._post(session, Post(0.0, (one,), (False,))) for one in taps))
                else:
                    break

    def _taps_for_more(self) -> list[Said]:
        waiting = self.query(
            "SELECT DISTINCT a.user_id FROM outbox o JOIN addresses a ON a.id = o.address_id WHERE o.state = 'waiting'"
        )
        found = []
        for (user,) in waiting:
            number = len(self.said)
            one = Said(number, "line", user, event_id(int(time.time() * 1000)), time.time() - self.began, MORE)
            self.said.append(one)
            found.append(one)
        return found


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
