"""Logs that never hold content, and counters of what happens."""

from __future__ import annotations

import logging
import sys
from collections import Counter

log = logging.getLogger("labor_bot")
counters: Counter[str] = Counter()


def count(name: str, by: int = 1) -> None:
    """Add to a counter such as `turns`, `deliveries.retry`."""
    counters[name] += by


def setup(level: str = "INFO") -> None:
    """Send the log to standard error. Only ids, counts and kinds of errors are ever logged."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(level)
    log.propagate = False


def failure(what: str, error: BaseException) -> None:
    """Log a failure by kind and place, without its message: that may quote a citizen."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"
    log.error("%s failed: %s at %s", what, type(error).__name__, place)
