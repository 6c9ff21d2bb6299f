"""The stand-in by hand: prints what people receive, and sends what is typed as one of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .line import SECRET, TOKEN, Standin
from .line_account import Received

HELP = """Type a message, or / for the list:
  /1 .. /99     tap that button      /as NAME    write as somebody else
  /follow       add the account      /unfollow   block it
  /place LAT LNG   send a location   /photo      send a picture
  /quota N      set the monthly quota             /quit
"""


class Console:
    """Somebody at the keyboard who is a LINE user."""

    def __init__(self, standin: Standin, name: str) -> None:
        self._standin = standin
        self._user = standin.user(name)
        standin.account.on_message = self.show

    def show(self, received: Received) -> None:
        """Print a message and the buttons under it."""
        person = self._standin.account.people.get(received.to)
        print(f"\n[{received.how} to {person.name if person else received.to}] {received.text}", flush=True)

    def run(self) -> None:
        """Until the input ends."""
        for line in sys.stdin:
            if line.strip() == "/quit":
                return
            if line.strip():
                self._line(line.strip())
            self._report()

    def _line(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        events = self._standin.events
        if not line.startswith("/"):
            self._send(events.text(self._user, line))
        elif word == "/as" and rest:
            self._user = self._standin.user(rest)
        elif word == "/follow":
            self._send(events.follow(self._user))
        elif word == "/unfollow":
            self._send(events.unfollow(self._user))
        elif word == "/photo":
            self._send(events.image(self._user))
        elif word == "/place" and len(where := rest.split()) == 2:
            self._send(events.location(self._user, float(where[0]), float(where[1])))
        elif word == "/quota" and rest.isdigit():
            self._standin.limit(int(rest))
        elif word[1:].isdigit():
            self._tap(int(word[1:]))
        else:
            print(HELP)

    def _tap(self, number: int) -> None:
        buttons = self._standin.buttons(self._user)
        if not 0 < number <= len(buttons):
            print(f"there are {len(buttons)} buttons")
            return
        action = buttons[number - 1]
        if action["type"] == "message":
            self._send(self._standin.events.text(self._user, action["text"]))
        elif action["type"] == "postback":
            self._send(self._standin.events.postback(self._user, action["data"]))
        else:
            print(action)

    def _send(self, event: dict[str, object]) -> None:
        if not self._standin.account.webhook:
            print("no --webhook was given")
            return
        tried = self._standin.deliver(event).attempts[-1]
        print(f"[webhook {tried.status or tried.reason} in {tried.seconds:.3f} s]")

    def _report(self) -> None:
        """Buttons that can be tapped, and faults since the last line."""
        for number, action in enumerate(self._standin.buttons(self._user), 1):
            print(f"  /{number} {action.get('label', action['type'])}")
        for fault in self._standin.faults:
            print(f"  FAULT {fault}")
        self._standin.faults.clear()


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m standins.line --port 8801`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8801)
    parser.add_argument("--webhook", default="", help="where events go, e.g. http://127.0.0.1:8000/webhook/line")
    parser.add_argument("--secret", default=SECRET, help="the channel secret")
    parser.add_argument("--token", default=TOKEN, help="the channel access token")
    parser.add_argument("--user", default="An", help="who writes")
    options = parser.parse_args(arguments)
    with Standin(secret=options.secret, token=options.token, port=options.port) as standin:
        standin.account.webhook = options.webhook
        print(f"LABOR_BOT_LINE_API_BASE={standin.url}")
        print(f"LABOR_BOT_LINE_CHANNEL_SECRET={options.secret}")
        print(f"LABOR_BOT_LINE_CHANNEL_TOKEN={options.token}\n{HELP}", flush=True)
        try:
            Console(standin, options.user).run()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
