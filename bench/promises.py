"""The promises about speed: full beside bare, half the rate, more new sentences, a million conversations.

`python -m bench.promises` prints the table of docs/benchmarks.md. Everything runs on the same two cores.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import crowded
from bench.rounds import CONNECTIONS, Round, measure

CORES = 2
CURVE = (0.03, 0.10, 0.30)
PARTS = ("ratio", "half", "curve", "crowded")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench.promises", description=__doc__)
    options.add_argument("--seconds", type=float, default=8.0, help="length of each measurement (8)")
    options.add_argument("--rounds", type=int, default=5, help="how often two things take turns (5)")
    options.add_argument("--conversations", type=int, default=crowded.CONVERSATIONS, help="stored ones (1000000)")
    options.add_argument("parts", nargs="*", default=PARTS, help=f"some of: {' '.join(PARTS)}")
    chosen = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)  # of every server and of the load, which are started from here
    print(f"on cores {cores}, load average {os.getloadavg()[0]:.1f} before\n")
    if {"ratio", "half"} & set(chosen.parts):
        rate = ratio(chosen.seconds, chosen.rounds)
        if "half" in chosen.parts:
            half(rate, chosen.seconds, chosen.rounds)
    if "curve" in chosen.parts:
        curve(chosen.seconds, chosen.rounds)
    if "crowded" in chosen.parts:
        large(chosen.seconds, chosen.rounds, chosen.conversations)


def ratio(seconds: float, rounds: int) -> float:
    """Full and bare in turns, so that a busy moment of the machine meets both; turns a second of full."""
    pairs = [(_shown(measure("full", seconds)), _shown(measure("bare", seconds))) for _ in range(rounds)]
    full, bare = (statistics.median(one.turns for one in side) for side in zip(*pairs, strict=True))
    costs = [statistics.median(one.cost for one in side) for side in zip(*pairs, strict=True)]
    each = ", ".join(f"{one.turns / other.turns:.2f}" for one, other in pairs)
    print(
        f"full {full:.0f} turns/s, bare {bare:.0f}: ratio of medians {full / bare:.2f}, of each pair {each} (goal 0.5)"
        f"\nCPU of a turn: full {costs[0]:.2f} ms, bare {costs[1]:.2f} ms: {costs[1] / costs[0]:.2f}\n"
    )
    return full


def half(rate: float, seconds: float, rounds: int) -> None:
    """From the webhook to the reply at half of the rate."""
    load = {"every": 2 * CONNECTIONS / rate}
    found = [_shown(measure("full", seconds, load=load)) for _ in range(rounds)]
    print(
        f"half the rate: {statistics.median(one.turns for one in found):.0f} turns/s, p50"
        f" {statistics.median(one.p50 for one in found):.0f} ms, p99 {statistics.median(one.p99 for one in found):.0f}"
        f" ms, of each {', '.join(f'{one.p99:.0f}' for one in found)} (goal 150)\n"
    )


def curve(seconds: float, rounds: int) -> None:
    """More new sentences, with and without the encoder."""
    for new in CURVE:
        for encoder in ("auto", "off"):
            more = {"LABOR_BOT_ENCODER": encoder}
            found = [_shown(measure("full", seconds, more=more, load={"new": new})) for _ in range(rounds)]
            turns, p99 = (statistics.median(values) for values in ([o.turns for o in found], [o.p99 for o in found]))
            print(f"{new:.0%} new, encoder {encoder}: {turns:.0f} turns/s, p99 {p99:.0f} ms\n")


def large(seconds: float, rounds: int, conversations: int) -> None:
    """A store with many conversations beside an empty one."""
    with TemporaryDirectory() as folder:
        store, began = Path(folder) / "store", time.perf_counter()
        store.mkdir()
        crowded.fill(store / "labor-bot.db", conversations)
        size = sum(file.stat().st_size for file in store.iterdir()) / 1e6
        print(f"{conversations} conversations, {size:.0f} MB, filled in {time.perf_counter() - began:.0f} s")
        pairs = [(_shown(measure("full", seconds)), _shown(_on_copy(store, seconds))) for _ in range(rounds)]
    empty, filled = (statistics.median(one.turns for one in side) for side in zip(*pairs, strict=True))
    costs = [statistics.median(one.cost for one in side) for side in zip(*pairs, strict=True)]
    print(
        f"empty {empty:.0f} turns/s, with {conversations} conversations {filled:.0f}: {empty / filled:.2f} x"
        f" (goal 1.3); CPU {costs[0]:.2f} and {costs[1]:.2f} ms\n"
    )


def _on_copy(store: Path, seconds: float) -> Round:
    """Each time the same store: a measurement writes to it."""
    with TemporaryDirectory() as folder:
        shutil.copytree(store, folder, dirs_exist_ok=True)
        return measure("full", seconds, folder=Path(folder))


def _shown(found: Round) -> Round:
    print(found.line(), flush=True)
    return found


if __name__ == "__main__":
    main()
