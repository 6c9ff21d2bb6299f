"""`python -m standins.sandbox`: stand-ins, bot and page together, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from .line import Standin as LineStandin
from .sandbox_app import Bot, Sandbox
from .sandbox_bot import ServingBot, point_webhooks, settings
from .serving import ThreadServer
from .telegram import Standin as TelegramStandin

PORT = 8810
TOLD = """
Sandbox:  {page}
Desk:     {bot}/desk{password}
Web chat: {bot}/
Ctrl-C ends everything.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until the end is asked for; 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m standins.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help=f"where the page is ({PORT})")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if not free(options.port):
        print(f"port {options.port} is taken: choose another with --port", file=sys.stderr)
        return 1
    line, telegram = LineStandin(), TelegramStandin(rates=True)
    line.postman.redeliver = True
    with line, telegram, tempfile.TemporaryDirectory(prefix="labor-bot-sandbox-") as folder:
        bot = ServingBot(settings(line, telegram, free_port(), Path(folder), os.environ))
        try:
            return serve(line, telegram, bot, options.port)
        except KeyboardInterrupt:
            return 0
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            bot.stop()


def serve(line: LineStandin, telegram: TelegramStandin, bot: ServingBot, port: int) -> int:
    """Until it is interrupted."""
    point_webhooks(line, telegram, bot.environment)
    shown = Bot(bot.url, bot.alive)
    with ThreadServer(Sandbox(line, telegram, shown).app(), port) as page:
        bot.start()
        password = f"   first caseworker: admin, one-time password: {bot.password}" if bot.password else ""
        print(TOLD.format(page=f"http://127.0.0.1:{page.port}/", bot=bot.url, password=password), flush=True)
        shown.notes += bot.set_up()
        print(*shown.notes, sep="\n", flush=True)
        threading.Event().wait()
    return 0


def free(port: int) -> bool:
    """Whether the port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
