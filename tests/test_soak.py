"""At half of what the server can do, live streams opened and dropped all the time: memory, handles and tasks stay flat.

LABOR_BOT_SOAK_SECONDS says how long (10); `make endurance` goes on for half an hour.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from conftest import ROOT, free_port
from steady import FLAT_MB, Watched, growth, told

SECONDS = float(os.environ.get("LABOR_BOT_SOAK_SECONDS", "10"))
CONNECTIONS = 24
FULL_SECONDS = 3.0
STREAMS = 6
LONG = 300.0  # seconds; in less, caches and pools are still filling
LEFT = 15  # handles and tasks that may stay: connections that are kept for the next answers
QUIET_SECONDS = 20.0
SECRET = "the-key-of-the-soak"


@pytest.mark.slow
@pytest.mark.timeout(420 + 2 * SECONDS)
def test_nothing_grows_at_half_of_the_full_rate(tmp_path: Path) -> None:
    replies = free_port()
    server = Watched(
        tmp_path,
        {"LABOR_BOT_HOOK_SECRET": SECRET, "LABOR_BOT_HOOK_REPLY_URL": f"http://127.0.0.1:{replies}/replies"},
    )
    try:
        opened = asyncio.run(soak(server, replies))
    finally:
        server.stop()
    assert opened > SECONDS / 2
    assert growth(server.samples, "memory") < (FLAT_MB if SECONDS > LONG else 6 * FLAT_MB)
    if SECONDS > LONG:  # in a few seconds the line follows what is open at the moment; `quiet` looks at the end
        assert growth(server.samples, "handles") < LEFT
    assert "Traceback" not in server.log()


async def soak(server: Watched, replies: int) -> int:
    """How many streams were opened. Afterwards as much is open, and as many tasks run, as before."""
    await server.start()
    await asyncio.sleep(1.0)
    before = server.look()
    full = await asyncio.to_thread(load, server.port, replies, FULL_SECONDS, 0.0)
    streams = Streams(server.port)
    tasks = [asyncio.create_task(each) for each in (server.watch(), *(streams.run() for _ in range(STREAMS)))]
    half = await asyncio.to_thread(load, server.port, replies, SECONDS, 2 * CONNECTIONS / full["turns"])
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [one for one in ended if not isinstance(one, asyncio.CancelledError)] == []
    print(
        f"\nfull {full['turns']:.0f}/s; {SECONDS:.0f} s at {half['turns']:.0f} turns/s (p50 {half['p50']:.0f},"
        f" p99 {half['p99']:.0f} ms),"
        f" {streams.opened} live streams opened and dropped; {told(server.samples)}"
    )
    assert half["failures"] == 0
    await quiet(server, before.handles, before.tasks)
    return streams.opened


async def quiet(server: Watched, handles: float, tasks: float) -> None:
    """What the load had opened is closed again soon after it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET_SECONDS):
            while (now := server.look()).handles > handles + LEFT or now.tasks > tasks + LEFT:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
    now = server.look()
    assert now.handles <= handles + LEFT, f"{handles} handles before, {now.handles} afterwards"
    assert now.tasks <= tasks + LEFT, f"{tasks} tasks before, {now.tasks} afterwards"


def load(port: int, replies: int, seconds: float, every: float) -> dict[str, Any]:
    """What the other system of the bench saw."""
    order = {
        "port": port,
        "reply_port": replies,
        "secret": SECRET,
        "answered": True,
        "connections": CONNECTIONS,
        "warm": 0.5,
        "seconds": seconds,
        "every": every,
    }
    command = [sys.executable, "-m", "bench.outside", json.dumps(order)]
    done = subprocess.run(command, cwd=ROOT, input="go\n", capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == [], found["errors"][:3]
    return found


class Streams:
    """Visitors who open the chat's live stream, read a little, and go away without a word."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._chance = random.Random()
        self.opened = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as visitor:
                async with visitor.get(f"{self._url}/") as page:
                    assert page.status == 200
                form = {"choice": "menu", "form_id": str(self._chance.random())}
                own = {"sec-fetch-site": "same-origin"}
                async with visitor.post(f"{self._url}/chat/send", data=form, headers=own, allow_redirects=False):
                    pass
                for _ in range(5):
                    await self._look(visitor)

    async def _look(self, visitor: aiohttp.ClientSession) -> None:
        async with visitor.get(f"{self._url}/chat/events") as stream:
            self.opened += stream.status == 200
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._chance.random()):
                    await stream.content.read(1000)
            stream.close()
