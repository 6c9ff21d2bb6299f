"""Tells the other servers on the same PostgreSQL which conversations changed: a wake-up only, everybody looks again.

A notification that is lost costs a poll's time and nothing else, so nothing waits for one, and none is sent inside a
transaction that writes (it would hold up every other commit).
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import psycopg

CHANNEL = "labor_bot"
PAUSE_SECONDS = 0.03
RETRY_SECONDS = 1.0
PAYLOAD = 7000  # bytes; PostgreSQL takes 8,000

Heard = Callable[[str], None]


class Bell:
    """One thread with one connection of its own. `heard` is called in that thread, once for each topic."""

    def __init__(self, url: str, heard: Heard) -> None:
        self._url = url
        self._heard = heard
        self._name = uuid.uuid4().hex[:12]
        self._topics: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-bell", daemon=True)
        self._thread.start()

    def ring(self, topic: str) -> None:
        """Tell the others, together with what else changes within a moment."""
        with self._lock:
            self._topics.add(topic)

    def close(self) -> None:
        """Stop; what was rung a moment ago may go unheard."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error:
                self._stop.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"LISTEN {CHANNEL}".encode())
            while not self._stop.is_set():
                for note in connection.notifies(timeout=PAUSE_SECONDS, stop_after=1):
                    self._hear(note.payload)
                for payload in self._waiting():
                    connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))

    def _hear(self, payload: str) -> None:
        sender, *topics = payload.split()
        if sender != self._name:
            for topic in topics:
                self._heard(topic)

    def _waiting(self) -> list[str]:
        """What is to be told, in payloads of the size that fits."""
        with self._lock:
            topics, self._topics = self._topics, set()
        payloads, line = [], ""
        for topic in sorted(topics):
            if len(line) + len(topic) > PAYLOAD:
                payloads.append(self._name + line)
                line = ""
            line += f" {topic}"
        return [*payloads, self._name + line] if line else payloads
