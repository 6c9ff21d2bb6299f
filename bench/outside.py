"""The other system, in a process of its own: sends signed events, receives the replies, counts finished turns.

A closed loop: each of N citizens sends the next message once the 200 and the reply to the last one are there.
Written on bare protocols, so that it costs little beside the server under test.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop

from bench import mix

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REPLY_TO = b'"in_reply_to": "'
USERS_EACH = 20


@dataclass
class Tally:
    """What happened since the last look."""

    turns: int = 0
    replies: int = 0
    failures: int = 0
    seconds: list[float] = field(default_factory=list)


def message(buffer: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Head, body and what follows of a message with a Content-Length; None while it is not whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end].lower()
    at = head.index(b"content-length:") + 15
    line = head.find(b"\r\n", at)
    whole = end + 4 + int(head[at:line] if line >= 0 else head[at:])
    return (head, buffer[end + 4 : whole], buffer[whole:]) if len(buffer) >= whole else None


class Receiver(asyncio.Protocol):
    """Takes posts and says 200 to each."""

    def __init__(self, waiting: dict[bytes, asyncio.Future[None]], tally: Tally) -> None:
        self._waiting = waiting
        self._tally = tally
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection of the server's HTTP client."""
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Bytes of one or more requests."""
        self._buffer += data
        while (found := message(self._buffer)) is not None:
            _, body, self._buffer = found
            self._take(body)
            self._transport.write(OK)

    def _take(self, body: bytes) -> None:
        self._tally.replies += 1
        at = body.index(REPLY_TO) + len(REPLY_TO)
        waiting = self._waiting.pop(body[at : body.index(b'"', at)], None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


class Caller(asyncio.Protocol):
    """One kept connection to the server."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bool] | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer."""
        self._buffer += data
        if (found := message(self._buffer)) is not None:
            head, _, self._buffer = found
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(head.startswith(b"http/1.1 200"))

    def post(self, request: bytes) -> asyncio.Future[bool]:
        """Send one request; True when it was answered by a 200."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer


class Load:
    """N citizens' connections against one server."""

    def __init__(self, ports: Sequence[int], secret: str, answered: bool) -> None:
        self._ports = ports
        self._secret = secret.encode()
        self._answered = answered
        self._waiting: dict[bytes, asyncio.Future[None]] = {}
        self._number = 0
        self._stamp = int(time.time() * 1000)
        self.tally = Tally()
        self.receiver = lambda: Receiver(self._waiting, self.tally)

    async def citizen(self, number: int, said: list[Iterator[dict[str, str]]], every: float = 0.0) -> None:
        """Twenty citizens share a connection and take turns, one in `every` seconds at most."""
        caller = await self.connect(number)
        await asyncio.sleep(every * random.random())
        while True:
            for index, one in enumerate(said):
                started = time.perf_counter()
                if await self.turn(caller, f"user-{number}-{index}", next(one)):
                    self.tally.turns += 1
                    self.tally.seconds.append(time.perf_counter() - started)
                else:
                    self.tally.failures += 1
                if every:
                    await asyncio.sleep(max(0.0, started + every - time.perf_counter()))

    async def connect(self, number: int) -> Caller:
        """Where there are several servers, each gets its share of the connections."""
        port = self._ports[number % len(self._ports)]
        return (await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", port))[1]

    async def turn(self, caller: Caller, user: str, what: dict[str, str]) -> bool:
        """One message and its reply."""
        self._number += 1
        event_id = f"{os.getpid()}-{self._number}"
        event = {"id": event_id, "timestamp": self._stamp + self._number, "user": user, **what}
        body = json.dumps({"events": [event]}).encode()
        reply = asyncio.get_running_loop().create_future()
        if self._answered:
            self._waiting[event_id.encode()] = reply
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        head = (
            f"POST /webhook/hook HTTP/1.1\r\nHost: 127.0.0.1:{self._ports[0]}\r\nContent-Type: application/json\r\n"
            f"X-Hook-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        if not await caller.post(head.encode() + body):
            self._waiting.pop(event_id.encode(), None)
            return False
        if self._answered:
            async with asyncio.timeout(20):
                await reply
        return True


async def run(order: dict[str, Any]) -> None:
    """Warm up, then measure as often as asked; one JSON line a measurement."""
    ports = order.get("ports") or [order["port"]]
    load = Load(ports, order["secret"], order["answered"])
    server = await asyncio.get_running_loop().create_server(load.receiver, "127.0.0.1", order["reply_port"])
    pool = mix.sentences(random.Random(7))
    print(json.dumps({"listening": order["reply_port"]}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    if order["answered"]:
        await asyncio.gather(*(_warm(load, pool, number) for number in range(len(ports))))
    every = order.get("every", 0.0)
    tasks = [
        asyncio.create_task(load.citizen(n, _said(n, pool, order.get("new", mix.NEW)), every))
        for n in range(order["connections"])
    ]
    await asyncio.sleep(order["warm"])
    load.tally.turns = load.tally.failures = 0
    load.tally.seconds.clear()
    print(json.dumps({"begins": True}), flush=True)
    cpu, started = time.process_time(), time.perf_counter()
    await asyncio.sleep(order["seconds"])
    passed = time.perf_counter() - started
    latency = sorted(load.tally.seconds) or [0.0]
    result = {
        "turns": load.tally.turns / passed,
        "passed": passed,
        "cpu": (time.process_time() - cpu) / passed,
        "failures": load.tally.failures,
        "p50": 1000 * latency[len(latency) // 2],
        "p99": 1000 * latency[int(len(latency) * 0.99)],
    }
    for task in tasks:
        task.cancel()
    failed = [one for one in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(one, Exception)]
    server.close()
    print(json.dumps({**result, "errors": [repr(one) for one in failed]}), flush=True)


async def _warm(load: Load, pool: list[str], server: int) -> None:
    """Every sentence of the pool once: they are "seen before" from now on."""
    caller = await load.connect(server)
    for number, text in enumerate(pool):
        await load.turn(caller, f"warm-{server}-{number % 10}", {"text": text})
    caller.transport.close()


def _said(number: int, pool: list[str], new: float) -> list[Iterator[dict[str, str]]]:
    return [mix.events(1000 * number + index, pool, new) for index in range(USERS_EACH)]


if __name__ == "__main__":
    uvloop.run(run(json.loads(sys.argv[1])))
