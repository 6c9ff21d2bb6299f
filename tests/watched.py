"""`labor-bot serve` that also writes down its routes, and how many tasks it has: `watched.py FOLDER ...`.

A text with the word in WATCHED_DEADLY kills the process while it thinks about it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from bot.cli import main
from bot.pipeline.assistant import Assistant
from bot.pipeline.house import House
from bot.server import Server
from bot.store.records import Lease


def watch(folder: Path) -> None:
    """From the next start on."""
    make, start = Server.app, House.start

    def app(server: Server) -> Starlette:
        made = make(server)
        routes = [[route.path, sorted(route.methods or ())] for route in made.routes if isinstance(route, Route)]
        (folder / "routes.json").write_text(json.dumps(routes))
        return made

    async def started(house: House) -> None:
        thread = threading.Thread(target=count, args=(asyncio.get_running_loop(), folder / "tasks"), daemon=True)
        thread.start()
        await start(house)

    Server.app, House.start = app, started  # type: ignore[method-assign]


def die_of(word: str) -> None:
    """From now on."""
    take = Assistant.take

    def taken(mind: Assistant, lease: Lease) -> Any:
        if any(word in (event.text or "") for event in lease.events):
            os.kill(os.getpid(), signal.SIGKILL)
        return take(mind, lease)

    Assistant.take = taken  # type: ignore[method-assign]


def count(loop: asyncio.AbstractEventLoop, file: Path) -> None:
    """Write the number down until the process ends."""
    place: Any = file.with_suffix(".new")
    while not loop.is_closed():
        place.write_text(str(len(asyncio.all_tasks(loop))))
        place.replace(file)
        time.sleep(0.5)


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
    if os.environ.get("WATCHED_DEADLY"):
        die_of(os.environ["WATCHED_DEADLY"])
    main(["serve", *sys.argv[2:]])
