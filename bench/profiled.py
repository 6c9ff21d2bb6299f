"""`labor-bot serve` with the CPU time of its two threads counted by function; begins when it gets SIGUSR1."""

from __future__ import annotations

import cProfile
import json
import pstats
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bot import observe
from bot.cli import main
from bot.store.database import Database


class Watch:
    """A profile of the event loop's thread and one of the store's writer."""

    def __init__(self) -> None:
        self.loop = cProfile.Profile(time.thread_time)
        self.writer = cProfile.Profile(time.thread_time)
        self.on = False
        self.turns = 0
        self._commit = Database._commit

    def begin(self) -> None:
        """Count from now on."""
        self.on = True
        self.turns = observe.counters["turns"]
        self.loop.enable()

    def commit(self, database: Database, batch: Any) -> Any:
        """The writer's work, counted once it is time."""
        if not self.on:
            return self._commit(database, batch)
        return self.writer.runcall(self._commit, database, batch)

    def report(self) -> dict[str, Any]:
        """Turns, and by thread (file, function, calls, own seconds)."""
        self.loop.disable()
        threads = {"event loop": self.loop, "store writer": self.writer}
        return {
            "turns": observe.counters["turns"] - self.turns,
            "threads": {name: _functions(profile) for name, profile in threads.items()},
        }


def _functions(profile: cProfile.Profile) -> list[tuple[str, str, int, float]]:
    stats: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    return [(file, f"{name}:{line}", calls, own) for (file, line, name), (_, calls, own, *_) in stats.items()]


def serve(report: str) -> None:
    """Serve, and write down what was counted at the end."""
    watch = Watch()
    Database._commit = lambda self, batch: watch.commit(self, batch)  # type: ignore[method-assign]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGUSR1, lambda *_: watch.begin())
    try:
        main(["serve"])
    finally:
        Path(report).write_text(json.dumps(watch.report()))


if __name__ == "__main__":
    serve(sys.argv[1])
