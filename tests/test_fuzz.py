"""Hostile requests to every route and hostile words in the chat: no crash, no failure, no growing memory.

LABOR_BOT_FUZZ_SECONDS says how long (10); `make endurance` goes on for an hour.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fuzzing import DEEP, TAPS, Fuzz, Keys, turned
from platform_load import LINE_SECRET, TELEGRAM_SECRET
from platform_receivers import Receivers
from steady import FLAT_MB, Watched, growth, told
from test_rights import someone
from town import HOOK_SECRET, every_channel

from bot.desk.auth import COOKIE
from bot.desk.rights import Role

SECONDS = float(os.environ.get("LABOR_BOT_FUZZ_SECONDS", "10"))
AT_ONCE = 4
ACCOUNT_EVERY = 300  # requests; accounts are disabled and logged out all the time
TYPED = min(20_000, int(20 * SECONDS))  # lines
LONG = 300.0  # seconds; in less, caches and pools are still filling
TRACES = ("Traceback", "request failed", "turn failed", "worker failed", "commit failed", "deliveries failed")


@pytest.mark.slow
@pytest.mark.timeout(360 + 2 * SECONDS)
def test_nothing_that_is_sent_breaks_it(tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    server, fuzz = asyncio.run(play(tmp_path, seed))
    print(
        f"\n{sum(fuzz.tally.kinds.values())} requests in {SECONDS:.0f} s to {len(fuzz.routes)} routes"
        f" {dict(fuzz.tally.kinds)}; answers {dict(sorted(fuzz.tally.statuses.items()))}; {told(server.samples)}"
    )
    assert fuzz.tally.bad == [], f"seed {seed}: {fuzz.tally.bad[:5]}"
    log = server.log()
    for trace in TRACES:
        assert trace not in log, f"seed {seed}: {log[:200_000][-3000:]}"
    assert moved_aside(tmp_path) == 0
    assert growth(server.samples, "memory") < (FLAT_MB if SECONDS > LONG else 6 * FLAT_MB)


@pytest.mark.slow
@pytest.mark.timeout(300 + SECONDS)
def test_nothing_that_is_typed_breaks_the_console() -> None:
    """Bytes of any kind, line by line; each line that is an object is answered by one."""
    chance = random.Random(seed := secrets.randbits(32))
    fuzz = Fuzz(0, [], Keys("", "", ""), str, chance)
    lines = []
    for _ in range(TYPED):
        what = {"choice": chance.choice(TAPS)} if chance.random() < 0.3 else {"text": fuzz.sentence()}
        document = turned(what, chance) if chance.random() < 0.3 else what
        lines.append(json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass"))
        if chance.random() < 0.05:
            lines.append(chance.choice(DEEP).replace(b"\n", b""))
    command = [Path(sys.executable).parent / "labor-bot", "chat", "--jsonl"]
    done = subprocess.run(command, input=b"\n".join(lines), capture_output=True, timeout=240 + SECONDS)
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-2000:]!r}"
    assert b"Traceback" not in done.stderr, f"seed {seed}: {done.stderr[-2000:]!r}"
    assert len(done.stdout.splitlines()) >= TYPED


async def play(folder: Path, seed: int) -> tuple[Watched, Fuzz]:
    """Fuzz for the time; the server must still be well afterwards, and end orderly."""
    receivers = Receivers()
    async with receivers.open():
        server = Watched(folder, every_channel(receivers.url, f"{receivers.url}/replies"))
        try:
            await server.start()
            keys = Keys(HOOK_SECRET, LINE_SECRET, TELEGRAM_SECRET)
            fuzz = Fuzz(server.port, server.routes(), keys, Accounts(folder / "labor-bot.db"), random.Random(seed))
            tasks = [asyncio.create_task(each) for each in (server.watch(), *(fuzz.run() for _ in range(AT_ONCE)))]
            await asyncio.wait(tasks, timeout=SECONDS, return_when=asyncio.FIRST_EXCEPTION)
            assert server.lives(), server.log()[-3000:]
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert [one for one in ended if not isinstance(one, asyncio.CancelledError)] == []
        finally:
            server.stop()
        assert server.process is not None
        assert server.process.returncode in (0, -15)
        return server, fuzz


class Accounts:
    """A cookie of somebody of some role at the desk."""

    def __init__(self, database: Path) -> None:
        self._site: Any = SimpleNamespace(database=database)
        self._asked = 0
        self._cookies: list[str] = []

    def __call__(self) -> str:
        """One of the newest few."""
        if self._asked % ACCOUNT_EVERY == 0:
            self._cookies = [f"{COOKIE}={someone(self._site, role)[1]}" for role in Role]
        self._asked += 1
        return self._cookies[self._asked % len(self._cookies)]


def moved_aside(folder: Path) -> int:
    """How many events could not be worked on."""
    with sqlite3.connect(folder / "labor-bot.db") as database:
        ((found,),) = database.execute("SELECT count(*) FROM inbox WHERE state = 'failed'").fetchall()
    database.close()
    return int(found)
