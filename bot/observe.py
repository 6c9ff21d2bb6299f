"""Logs that never hold content, counters of what happens, how long the stages of a message take."""

from __future__ import annotations

import logging
import sys
from bisect import bisect_left
from collections import Counter
from contextvars import ContextVar
from time import perf_counter

from bot.logs import Contentless, form_of

log = logging.getLogger("labor_bot")
counters: Counter[str] = Counter()
tallies: Counter[tuple[str, ...]] = Counter()
trace: ContextVar[str] = ContextVar("trace", default="")
"""The tracing id of what is being worked on; empty for none."""

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
STAGES = ("accept", "wait", "think", "commit", "send", "reply")
_NOTE = "trace "


class Durations:
    """How often a stage took how long. `counts`: one for each bound, in seconds, and one for what was longer."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


durations = {stage: Durations() for stage in STAGES}


def count(name: str, by: int = 1) -> None:
    """Add to a counter such as `turns`, `deliveries.retry`."""
    counters[name] += by


def tally(name: str, *labels: str) -> None:
    """Add one to a counter that is kept apart by labels. They are words of this program, never of a person."""
    tallies[name, *labels] += 1


def took(stage: str, began: float) -> float:
    """A stage ended now that began at `began` of perf_counter; the seconds that it took."""
    seconds = perf_counter() - began
    durations[stage].add(seconds)
    return seconds


def setup(level: str = "INFO", form: str = "text") -> None:
    """Send the log to standard error, as text or as JSON lines. Only kinds, counts and tracing ids are ever logged."""
    logging.raiseExceptions = False  # a line that cannot be written would be told with a trace, and that may quote
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(form_of(form))
    log.handlers[:] = [handler]
    log.setLevel(level)
    log.propagate = False
    foreign = logging.StreamHandler(sys.stderr)
    foreign.setFormatter(Contentless(form_of(form)))
    logging.getLogger().handlers[:] = [foreign]
    logging.getLogger().setLevel("WARNING")


def event(name: str, traced: str = "", **fields: str | float) -> None:
    """A line about one event, at level DEBUG. `fields`: words of this program, and seconds."""
    if log.isEnabledFor(logging.DEBUG):
        log.debug(name, extra={"fields": {"event": name, "trace": traced or trace.get(), **fields}})


def told(name: str, **fields: str | float) -> None:
    """A line about the server itself, at level INFO."""
    log.info(name, extra={"fields": {"event": name, **fields}})


def traced(error: BaseException, name: str) -> None:
    """The tracing id goes along with an error, to whoever logs it."""
    if name:
        error.add_note(_NOTE + name)


def failure(what: str, error: BaseException) -> None:
    """Log a failure by kind and place, without its message: that may quote a citizen."""
    tally("failures", what, type(error).__name__)
    fields = {"event": "failure", "what": what, "error": type(error).__name__, "place": _place(error)}
    log.error(
        "%s failed: %s at %s",
        what,
        fields["error"],
        fields["place"],
        extra={"fields": {**fields, "trace": _trace_of(error)}},
    )


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"


def _trace_of(error: BaseException) -> str:
    notes = [note for note in getattr(error, "__notes__", ()) if note.startswith(_NOTE)]
    return notes[-1].removeprefix(_NOTE) if notes else trace.get()
