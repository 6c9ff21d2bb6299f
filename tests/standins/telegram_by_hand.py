"""The stand-in started by hand: prints what chats receive, reads what people say from the keyboard."""

from __future__ import annotations

import argparse
import sys
import threading

from .telegram import TOKEN, Standin, line

HELP = """Lines: "USER text" says something as a person, "USER !button" taps a button by its label or data."""


def main() -> None:
    """Serves until the end is asked for with Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m standins.telegram", description=__doc__, epilog=HELP)
    parser.add_argument("--port", type=int, default=8802)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--no-rates", action="store_true", help="do not limit how fast the bot sends")
    options = parser.parse_args()
    standin = Standin(options.token, options.port, rates=not options.no_rates)
    standin.world.listeners.append(lambda item: print(line(item), flush=True))
    with standin:
        print(
            f"LABOR_BOT_TELEGRAM_TOKEN={standin.token}\nLABOR_BOT_TELEGRAM_API_BASE={standin.base_url}\n{HELP}",
            flush=True,
        )
        try:
            listen(standin)
            threading.Event().wait()
        except KeyboardInterrupt:
            print(*standin.faults, sep="\n")


def listen(standin: Standin) -> None:
    """Takes lines from the keyboard until they end."""
    for typed in sys.stdin:
        user, _, words = typed.strip().partition(" ")
        try:
            tapped = words.startswith("!")
            make = standin.make.tap if tapped else standin.make.text
            delivery = standin.deliver(make(int(user), words.removeprefix("!")))
            print(f"update {delivery.update}: {delivery.statuses or 'waits for the bot'}", flush=True)
        except Exception as error:
            print(f"{error}\n{HELP}", flush=True)
