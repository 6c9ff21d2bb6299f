"""One server and two on the same PostgreSQL, each held to a quarter of a core: how much the second one adds."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.rounds import Failed, answer_of, load_process
from bench.servers import ROOT, SECRET, Running, free_port, full

CORES = 0.25
CONNECTIONS = 24
WARM_SECONDS = 4.0
GOAL = 1.6
PERIOD = 50_000  # microseconds; short, so that a server never stands still for long


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench.two_servers", description=__doc__)
    options.add_argument("--seconds", type=float, default=10.0, help="length of each measurement (10)")
    options.add_argument("--rounds", type=int, default=3, help="how often one and two take turns (3)")
    options.add_argument("--cores", type=float, default=CORES, help="what each server may use (0.25)")
    chosen = options.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before; each server {chosen.cores} cores")
    run(chosen.seconds, chosen.rounds, chosen.cores)


def run(seconds: float, rounds: int, cores: float = CORES) -> None:
    """One and two in turns, so that a busy moment of the machine meets both."""
    pairs = [(turns(1, seconds, cores), turns(2, seconds, cores)) for _ in range(rounds)]
    one, two = (statistics.median(side) for side in zip(*pairs, strict=True))
    each = ", ".join(f"{second / first:.2f}" for first, second in pairs)
    print(
        f"two servers on PostgreSQL: one {one:.0f} turns/s, two {two:.0f}: ratio of medians {two / one:.2f},"
        f" of each pair {each} (goal {GOAL})"
    )


def turns(servers: int, seconds: float, cores: float) -> float:
    """Turns a second of so many servers together, on a database of their own."""
    ports, reply_port = [free_port() for _ in range(servers)], free_port()
    with ExitStack() as stack:
        url = stack.enter_context(_postgresql())
        load = stack.enter_context(load_process(_order(ports, reply_port, seconds)))
        answer_of(load)
        more = {"LABOR_BOT_DATABASE_URL": url}
        running = [stack.enter_context(full(reply_port, port, more=more)) for port in ports]
        assert load.stdin is not None
        load.stdin.write("go\n")
        load.stdin.flush()
        answer_of(load)  # warm; from now on they are held
        for server in running:
            stack.enter_context(_held(server, cores))
        return _measured(running, load)


def _order(ports: list[int], reply_port: int, seconds: float) -> dict[str, object]:
    return {
        "ports": ports,
        "reply_port": reply_port,
        "secret": SECRET,
        "answered": True,
        "connections": CONNECTIONS,
        "warm": WARM_SECONDS,
        "seconds": seconds,
    }


def _measured(running: list[Running], load: subprocess.Popen[str]) -> float:
    before = [server.cpu() for server in running]
    found = answer_of(load)
    if found["errors"]:
        raise Failed(found["errors"][0])
    used = ", ".join(f"{(one.cpu() - cpu) / found['passed']:.0%}" for one, cpu in zip(running, before, strict=True))
    print(
        f"{len(running)} server(s) {found['turns']:8.0f} /s   p50 {found['p50']:6.1f} ms   p99 {found['p99']:6.1f} ms"
        f"   of a core: servers {used}, load {found['cpu']:.0%}",
        flush=True,
    )
    return float(found["turns"])


@contextmanager
def _held(server: Running, cores: float) -> Iterator[None]:
    """The process may use so much of the CPU, by a control group of its own (version 1 or 2); needs to be root."""
    root = Path("/sys/fs/cgroup")
    second = (root / "cgroup.controllers").exists()
    group = (root if second else root / "cpu") / f"labor-bot-bench-{server.process.pid}"
    group.mkdir()
    try:
        quota = int(cores * PERIOD)
        if second:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        (group / "cgroup.procs").write_text(str(server.process.pid))
        yield
    finally:
        (group.parent / "cgroup.procs").write_text(str(server.process.pid))
        group.rmdir()


@contextmanager
def _postgresql() -> Iterator[str]:
    """A server of our own with durable commits, as the tests start theirs."""
    sys.path.insert(0, str(ROOT / "tests"))
    from postgres import cluster  # type: ignore[import-not-found]

    with cluster("max_connections=100") as server:
        yield server.create("bench")


if __name__ == "__main__":
    main()
