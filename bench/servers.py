"""Starting and stopping what is measured, each in a process and a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

SECRET = "the-key-of-the-bench"
START_LIMIT = 60.0
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Running:
    """A server under test."""

    port: int
    process: psutil.Process
    folder: Path
    started: float  # seconds until it was ready

    def memory(self) -> float:
        """Resident memory in MB."""
        return float(self.process.memory_info().rss) / 1e6

    def cpu(self) -> float:
        """CPU seconds used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def full(
    reply_port: int,
    port: int,
    profile: Path | None = None,
    folder: Path | None = None,
    more: Mapping[str, str] = {},
) -> Iterator[Running]:
    """`labor-bot serve` with the hook on, on a store of its own or on that in `folder`. `more`: settings."""
    command = (
        [sys.executable, "-m", "bench.profiled", str(profile)]
        if profile
        else [str(Path(sys.executable).parent / "labor-bot"), "serve"]
    )
    with nullcontext(str(folder)) if folder else TemporaryDirectory() as data:
        environ = {
            **os.environ,
            "LABOR_BOT_DATA_DIR": data,
            "LABOR_BOT_HOOK_SECRET": SECRET,
            "LABOR_BOT_HOOK_REPLY_URL": f"http://127.0.0.1:{reply_port}/replies",
            **more,
        }
        with _started(command, Path(data), environ, port) as running:
            yield running


@contextmanager
def page(port: int) -> Iterator[Running]:
    """The yardstick of the desk's pages."""
    command = [sys.executable, "-m", "bench.page", str(port)]
    with _started(command, ROOT, dict(os.environ), port) as running:
        yield running


@contextmanager
def bare(reply_port: int | None, port: int, shared: bool = True) -> Iterator[Running]:
    """The yardstick."""
    url = f"http://127.0.0.1:{reply_port}/replies" if reply_port else ""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.bare", str(port), f"{folder}/bare.db", SECRET, url]
        command.append("shared" if shared else "each")
        with _started(command, Path(folder), dict(os.environ), port) as running:
            yield running


@contextmanager
def _started(command: list[str], folder: Path, environ: dict[str, str], port: int) -> Iterator[Running]:
    environ["LABOR_BOT_PORT"] = str(port)
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
    try:
        _wait_ready(port, process)
        yield Running(port, psutil.Process(process.pid), folder, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    began = time.perf_counter()
    while time.perf_counter() - began < START_LIMIT:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.01)
    raise RuntimeError("the server was not ready in time")
