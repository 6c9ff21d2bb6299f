"""`labor-bot serve` as a child process whose settings point at the stand-ins."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .ending import end
from .line import Standin as LineStandin
from .telegram import Standin as TelegramStandin
from .telegram_inbox import Webhook

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).parent / "labor-bot"
READY_SECONDS = 90.0
PASSWORD = re.compile(r"shown once\): (\S+)")
UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
SET_UPS = (("line", "richmenu", "push"), ("telegram", "push"))
# Of the settings outside only these are heeded: no real account may be reached, no real database be opened by chance.
KEPT = ("DATA_DIR", "KNOWLEDGE_DIR", "ENCODER", "HOLD_MINUTES", "LOG_LEVEL", "EXIT_URL")


def settings(
    line: LineStandin, telegram: TelegramStandin, port: int, folder: Path, outside: Mapping[str, str]
) -> dict[str, str]:
    """The environment of the child. `folder` holds its data unless LABOR_BOT_DATA_DIR is set outside."""
    kept = {f"LABOR_BOT_{name}" for name in KEPT}
    around = {name: value for name, value in outside.items() if not name.startswith("LABOR_BOT_") or name in kept}
    return {
        "LABOR_BOT_DATA_DIR": str(folder),
        **around,
        "LABOR_BOT_HOST": "127.0.0.1",
        "LABOR_BOT_PORT": str(port),
        "LABOR_BOT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LABOR_BOT_LINE_CHANNEL_SECRET": line.secret,
        "LABOR_BOT_LINE_CHANNEL_TOKEN": line.token,
        "LABOR_BOT_LINE_API_BASE": line.url,
        "LABOR_BOT_TELEGRAM_TOKEN": telegram.token,
        "LABOR_BOT_TELEGRAM_SECRET": secrets.token_urlsafe(24),
        "LABOR_BOT_TELEGRAM_API_BASE": telegram.base_url,
        "LABOR_BOT_TELEGRAM_MODE": "webhook",
        # the SDKs heed a proxy of the environment even for this machine
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def point_webhooks(line: LineStandin, telegram: TelegramStandin, environment: Mapping[str, str]) -> None:
    """Both stand-ins deliver to the child, as an operator sets it up at the platforms."""
    url = environment["LABOR_BOT_PUBLIC_URL"]
    line.account.webhook = f"{url}/webhook/line"
    telegram.inbox.webhook = Webhook(f"{url}/webhook/telegram", environment["LABOR_BOT_TELEGRAM_SECRET"])
    telegram.inbox.allowed = UPDATES


@dataclass
class ServingBot:
    """The child. What it says goes to our own error stream; `password` is the first caseworker's, if one was made."""

    environment: dict[str, str]
    echo: IO[str] = field(default_factory=lambda: sys.stderr)
    password: str = ""
    _process: subprocess.Popen[str] | None = None
    _listener: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it serves."""
        return self.environment["LABOR_BOT_PUBLIC_URL"]

    def start(self, patience: float = READY_SECONDS) -> None:
        """Returns once it is ready. Raises RuntimeError when it ends, or is not ready after so many seconds."""
        self._process = subprocess.Popen(
            [COMMAND, "serve"],
            cwd=ROOT,
            env=self.environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        until = time.monotonic() + patience
        while not self._ready():
            if not self.alive():
                raise RuntimeError("labor-bot serve ended; what it said stands above")
            if time.monotonic() > until:
                raise RuntimeError(f"labor-bot serve is not ready after {patience:.0f} s")
            time.sleep(0.1)

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ends it as an operator would."""
        end(self._process)
        if self._listener:
            self._listener.join(5)

    def set_up(self) -> list[str]:
        """Menus and commands, as an operator pushes them; what went wrong, in a line each."""
        found = []
        for words in SET_UPS:
            name = f"labor-bot {' '.join(words)}"
            done = subprocess.run(
                [COMMAND, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                found.append(f"{name}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        return found

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for said in lines:
                if found := PASSWORD.search(said):
                    self.password = found[1]
                print(said, end="", file=self.echo, flush=True)

    def _ready(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
