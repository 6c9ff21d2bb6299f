"""The yardstick: a bare app that checks the signature, commits one row in a shared commit and posts one reply."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import queue
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

SIGNATURE = "X-Hook-Signature"
Item = tuple[str, bytes, "asyncio.Future[None]"]


class Writer:
    """One thread that commits whenever it is free; `shared` False gives every row a commit of its own."""

    def __init__(self, path: str, shared: bool) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY, body BLOB NOT NULL)")
        self._shared = shared
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    async def write(self, key: str, body: bytes) -> None:
        """Returns once the row is durable."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put((key, body, future))
        await future

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            while self._shared and not self._queue.empty():
                batch.append(self._queue.get())
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?)", [item[:2] for item in batch])
            self._connection.execute("COMMIT")
            batch[0][2].get_loop().call_soon_threadsafe(_done, [item[2] for item in batch])


def _done(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


class Bare:
    """The app: one route."""

    def __init__(self, database: str, secret: str, reply_url: str, shared: bool) -> None:
        self._writer = Writer(database, shared)
        self._secret = secret.encode()
        self._reply_url = reply_url
        self._session: aiohttp.ClientSession | None = None
        self._posting: set[asyncio.Task[None]] = set()

    async def receive(self, request: Request) -> Response:
        """Check, keep, answer; the reply goes out beside the 200 as the real pipeline's does."""
        body = await request.body()
        if not hmac.compare_digest(self._sign(body), request.headers.get(SIGNATURE, "")):
            return Response(status_code=401)
        (event,) = json.loads(body)["events"]
        await self._writer.write(event["id"], body)
        if self._reply_url:
            task = asyncio.create_task(self._post(event))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)
        return JSONResponse({"accepted": 1})

    def _sign(self, body: bytes) -> str:
        return hmac.new(self._secret, body, hashlib.sha256).hexdigest()

    async def _post(self, event: dict[str, Any]) -> None:
        assert self._session is not None
        document = {"id": event["id"], "user": event["user"], "in_reply_to": event["id"], "messages": [{"text": "ok"}]}
        body = json.dumps(document).encode()
        headers = {"Content-Type": "application/json", SIGNATURE: self._sign(body)}
        async with self._session.post(self._reply_url, data=body, headers=headers, allow_redirects=False) as response:
            assert response.status == 200

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """One HTTP client for the life of the app."""
        connector = aiohttp.TCPConnector(limit=100)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10)) as self._session:
            yield


async def _ready(request: Request) -> Response:
    return PlainTextResponse("ok")


def main(port: str, database: str, secret: str, reply_url: str, shared: str) -> None:
    """Serve with the settings that `labor-bot serve` gives uvicorn."""
    bare = Bare(database, secret, reply_url, shared == "shared")
    routes = [Route("/webhook/hook", bare.receive, methods=["POST"]), Route("/readyz", _ready)]
    app = Starlette(routes=routes, lifespan=bare.lifespan)
    uvicorn.run(
        app, port=int(port), access_log=False, log_level="warning", server_header=False, timeout_graceful_shutdown=5
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
