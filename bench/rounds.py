"""One measurement: a fresh server, a fresh load, some seconds."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.servers import ROOT, SECRET, Running, bare, free_port, full

CONNECTIONS = 48
WARM_SECONDS = 2.0


@dataclass(frozen=True)
class Round:
    """What one measurement gave. `cpu` and `load_cpu` are shares of one core; memory is in MB."""

    kind: str
    turns: float
    p50: float
    p99: float
    cpu: float
    load_cpu: float
    memory: float
    started: float
    failures: int

    @property
    def cost(self) -> float:
        """CPU milliseconds of the server for one turn: steadier than turns a second on a shared machine."""
        return 1000 * self.cpu / self.turns if self.turns else 0.0

    def line(self) -> str:
        """For people."""
        return (
            f"{self.kind:<34}{self.turns:8.0f} /s   p50 {self.p50:6.1f} ms   p99 {self.p99:6.1f} ms"
            f"   server {self.cpu:4.0%} of a core ({self.cost:.2f} ms each)   load {self.load_cpu:3.0%}"
            + (f"   FAILED {self.failures}" if self.failures else "")
        )


class Failed(Exception):
    """The load could not be brought to the server."""


@contextmanager
def load_process(order: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """The load in a process of its own; it begins on a line from us."""
    command = [sys.executable, "-m", "bench.outside", json.dumps(order)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The next thing that the load says."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise Failed(f"the load ended with {process.wait()}")
    found: dict[str, Any] = json.loads(line)
    return found


def measure(
    kind: str,
    seconds: float,
    connections: int = CONNECTIONS,
    profile: Path | None = None,
    *,
    folder: Path | None = None,
    more: Mapping[str, str] = {},
    load: Mapping[str, float] = {},
) -> Round:
    """`kind`: full, bare, bare without reply, bare with a commit each.

    `folder`: the data folder of full, where it is not to be a fresh one; `more`: its settings. `load`: `new`, the share
    of new sentences, and `every`, the seconds between two messages on one connection, instead of as fast as it goes.
    """
    reply_port, port = free_port(), free_port()
    answered = "without reply" not in kind
    servers = {
        "full": lambda: full(reply_port, port, profile, folder, more),
        "bare": lambda: bare(reply_port, port),
        "bare without reply": lambda: bare(None, port),
        "bare without reply, a commit each": lambda: bare(None, port, shared=False),
    }
    order = {
        "port": port,
        "reply_port": reply_port,
        "secret": SECRET,
        "answered": answered,
        "connections": connections,
        "warm": WARM_SECONDS,
        "seconds": seconds,
        **load,
    }
    with load_process(order) as outside:
        answer_of(outside)
        with servers[kind]() as server:
            return _measured(kind, server, outside, watched=profile is not None)


def _measured(kind: str, server: Running, load: subprocess.Popen[str], watched: bool) -> Round:
    assert load.stdin is not None
    load.stdin.write("go\n")
    load.stdin.flush()
    if "begins" not in answer_of(load):
        raise Failed("the load did not begin")
    if watched:
        server.process.send_signal(signal.SIGUSR1)
    before = server.cpu()
    found = answer_of(load)
    if found["errors"]:
        raise Failed(found["errors"][0])
    used = server.cpu() - before
    return Round(
        kind=kind,
        turns=found["turns"],
        p50=found["p50"],
        p99=found["p99"],
        cpu=used / found["passed"],
        load_cpu=found["cpu"],
        memory=server.memory(),
        started=server.started,
        failures=found["failures"],
    )
