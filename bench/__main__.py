"""`make bench`: the whole pipeline beside a bare app, understanding, start-up, memory, the desk; all in one run."""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import desk, profile, screening, thinking
from bench.rounds import Round, measure
from bench.servers import free_port, full

STARTS = 3
GOALS = {"ratio": 0.35, "start": 3.0, "memory": 300.0}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--seconds", type=float, default=5.0, help="length of each measurement (5)")
    options.add_argument("--rounds", type=int, default=3, help="how often full and bare take turns (3)")
    options.add_argument("--connections", type=int, default=48, help="citizens who write at the same time (48)")
    options.add_argument("--profile", action="store_true", help="only one full round, and where its time goes")
    options.add_argument("--without-desk", action="store_true", help="leave out the large desk (about four minutes)")
    chosen = options.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before\n")
    if chosen.profile:
        _profiled(chosen.seconds, chosen.connections)
        return
    rounds = _turns(chosen.seconds, chosen.rounds, chosen.connections)
    print()
    _understanding()
    _starting()
    screening.main()
    memory = max(one.memory for one in rounds if one.kind == "full")
    print(f"resident memory after the load      {memory:8.0f} MB   (goal under {GOALS['memory']:.0f})")
    if not chosen.without_desk:
        print("\nthe desk:")
        desk.run(desk.ROUNDS, desk.SECONDS)


def _turns(seconds: float, rounds: int, connections: int) -> list[Round]:
    """Full and bare in turns, so that a busy moment of the machine meets both."""
    found: list[Round] = []
    for kind in [*["full", "bare"] * rounds, "bare without reply", "bare without reply, a commit each"]:
        found.append(measure(kind, seconds, connections))
        print(found[-1].line(), flush=True)
    pairs = list(zip(found[0 : 2 * rounds : 2], found[1 : 2 * rounds : 2], strict=True))
    full_turns, bare_turns = (statistics.median(one.turns for one in side) for side in zip(*pairs, strict=True))
    full_cost, bare_cost = (statistics.median(one.cost for one in side) for side in zip(*pairs, strict=True))
    print(
        f"\nfull {full_turns:.0f} turns/s, bare {bare_turns:.0f} /s: ratio of medians {full_turns / bare_turns:.2f},"
        f" of each pair {', '.join(f'{one.turns / other.turns:.2f}' for one, other in pairs)} (goal {GOALS['ratio']})"
        f"\nCPU for one turn: full {full_cost:.2f} ms, bare {bare_cost:.2f} ms"
    )
    return found


def _understanding() -> None:
    for name, times in thinking.measure().items():
        median, p99 = statistics.median(times), times[int(len(times) * 0.99)]
        print(f"understand, {name:<23} median {median:6.3f} ms   p99 {p99:6.3f} ms")


def _starting() -> None:
    times = []
    for _ in range(STARTS):
        with full(free_port(), free_port()) as server:
            times.append(server.started)
    each, median = ", ".join(f"{one:.2f}" for one in times), statistics.median(times)
    print(f"start until /readyz answers 200     {median:8.2f} s    ({each}; goal under {GOALS['start']:.0f})")


def _profiled(seconds: float, connections: int) -> None:
    with TemporaryDirectory() as folder:
        report = Path(folder) / "profile.json"
        print(measure("full", seconds, connections, report).line() + "   (slowed down by the watching)\n")
        print(profile.table(report))


if __name__ == "__main__":
    main()
