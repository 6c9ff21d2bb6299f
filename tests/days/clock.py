"""One clock for programs, database and platforms, which a test moves from one time of the day to another."""

from __future__ import annotations

import sqlite3
import time

import pytest
from conftest import MovingClock

from bot import clock
from bot.desk import auth
from bot.store.sqlite import Sqlite, SqliteConnection

PACE = 0.001  # beside the moves a second of the test is a millisecond of the day: enough to keep the order of things
MARGIN = 0.05  # seconds: days as fractions are not exact, and a minute too early would be shown
UNIX_EPOCH = 2440587.5  # as a Julian day
SECONDS = 86400.0


class DayClock:
    """Unix seconds. It never goes back."""

    def __init__(self, iso: str) -> None:
        self._start = clock.parse(iso).timestamp()
        self._since = time.monotonic()
        self._moved = 0.0

    def __call__(self) -> float:
        return self._start + self._moved + (time.monotonic() - self._since) * PACE

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._moved += seconds

    def until(self, iso: str) -> float:
        """Seconds from now to a later time in Taipei; an AssertionError when it is over."""
        left = clock.parse(iso).timestamp() + MARGIN - self()
        assert left > 0, f"it is later than {iso}"
        return left


def rule(monkeypatch: pytest.MonkeyPatch, day: DayClock) -> None:
    """The day's clock is that of everything in this process, the database's engine included."""
    plain = Sqlite.writer

    def opened(engine: Sqlite) -> SqliteConnection:
        connection = plain(engine)
        _ask(connection.raw, day)
        return connection

    monkeypatch.setattr(time, "time", day)
    monkeypatch.setattr(MovingClock, "__call__", lambda self: clock.now())
    monkeypatch.setattr(Sqlite, "writer", opened)
    monkeypatch.setattr(auth, "TOUCH_SECONDS", 0.0)  # counted by the machine's clock, which does not jump


def _ask(raw: sqlite3.Connection, day: DayClock) -> None:
    """The engine asks this clock for the time."""

    def julianday(moment: str) -> float:
        assert moment == "now"
        return day() / SECONDS + UNIX_EPOCH

    raw.create_function("julianday", 1, julianday)
