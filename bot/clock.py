"""What time it is, and how tests and `--now` move it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

TAIPEI = ZoneInfo("Asia/Taipei")
Clock = Callable[[], datetime]


def now() -> datetime:
    """The present moment in Taipei."""
    return datetime.fromtimestamp(time.time(), TAIPEI)


def fixed(iso: str) -> Clock:
    """A clock that stands still at an ISO time; without a zone it is Taipei's.

    Raises ValueError when it is no ISO time.
    """
    moment = parse(iso)
    return lambda: moment


def parse(iso: str) -> datetime:
    """An ISO date or time as a moment in Taipei."""
    moment = datetime.fromisoformat(iso)
    return moment.replace(tzinfo=TAIPEI) if moment.tzinfo is None else moment.astimezone(TAIPEI)


def millis(moment: datetime) -> int:
    """Platform time stamp (milliseconds) of a moment."""
    return int(moment.timestamp() * 1000)
