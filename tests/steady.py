"""A server in a process of its own whose memory, open handles and tasks are written down while it works."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
from conftest import free_port
from standins.ending import end

START_LIMIT = 150.0
FLAT_MB = 10.0


@dataclass(frozen=True)
class Sample:
    """One look: seconds since the first one, resident memory in MB, open handles, tasks of the event loop."""

    at: float
    memory: float
    handles: float
    tasks: float


@dataclass
class Watched:
    """A server with `settings`; `samples` grows while `watch` runs."""

    folder: Path
    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    samples: list[Sample] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Until it is ready."""
        environ = {**os.environ, "LABOR_BOT_DATA_DIR": str(self.folder), **self.settings}
        program = str(Path(__file__).with_name("watched.py"))
        command = [sys.executable, program, str(self.folder), "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environ, stderr=log, stdout=log)  # noqa: ASYNC220
        async with asyncio.timeout(START_LIMIT), aiohttp.ClientSession() as session:
            while not await self._ready(session):
                assert self.lives(), self.log()[-2000:]
                await asyncio.sleep(0.05)

    async def _ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    def lives(self) -> bool:
        """Does the process run?"""
        return self.process is not None and self.process.poll() is None

    def routes(self) -> list[tuple[str, list[str]]]:
        """(path, methods) of everything it serves."""
        listed = json.loads((self.folder / "routes.json").read_text())
        return [*((path, methods) for path, methods in listed), ("/static/{path}", ["GET"])]

    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "server.log").read_text("utf-8")

    async def watch(self, every: float = 0.5) -> None:
        """Look again and again until cancelled."""
        began = time.monotonic()
        while True:
            self.samples.append(self.look(began))
            await asyncio.sleep(every)

    def look(self, began: float = 0.0) -> Sample:
        """How it is now."""
        assert self.process is not None
        server = psutil.Process(self.process.pid)
        tasks = float((self.folder / "tasks").read_text())
        return Sample(time.monotonic() - began, server.memory_info().rss / 1e6, float(server.num_fds()), tasks)

    def stop(self) -> None:
        """An orderly end."""
        end(self.process)


def growth(samples: Sequence[Sample], name: str) -> float:
    """By how much the straight line through the second half of the samples rises over that half."""
    half = samples[len(samples) // 2 :]
    times = [one.at for one in half]
    values = [float(getattr(one, name)) for one in half]
    mean_time, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((time - mean_time) ** 2 for time in times)
    if not spread:
        return 0.0
    slope = sum((at - mean_time) * (value - mean) for at, value in zip(times, values, strict=True)) / spread
    return slope * (times[-1] - times[0])


def told(samples: Sequence[Sample]) -> str:
    """For people."""
    names = ("memory", "handles", "tasks")
    return "; ".join(
        f"{name} {getattr(samples[0], name):.0f}, at most {max(getattr(one, name) for one in samples):.0f}, at the end"
        f" {getattr(samples[-1], name):.0f}, rise over the second half {growth(samples, name):+.1f}"
        for name in names
    )
