"""Tracing ids: one for each incoming event, kept in memory from its acceptance to its answer, so that lines join."""

from __future__ import annotations

import random
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import NamedTuple

from bot import observe
from bot.messages import Incoming

REMEMBERED = 10_000  # events; those of a server that stands long are forgotten, and their lines have no id
_PARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_NOBODY = (b"0" * 32, b"0" * 16)
_arrived: ContextVar[float] = ContextVar("arrived", default=0.0)


class Way(NamedTuple):
    """The tracing id of an event, and when its request came, by perf_counter."""

    trace: str
    began: float


UNKNOWN = Way("", 0.0)
_ways: OrderedDict[tuple[str, str], Way] = OrderedDict()


def arrive(headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """A request came. The id of a valid W3C `traceparent` is taken over, otherwise it gets one by chance."""
    observe.trace.set(_parent(headers) or _fresh())
    _arrived.set(perf_counter())


def accepted(incomings: Sequence[Incoming], new: Sequence[bool]) -> None:
    """The events of a request that were new. Several of one request have its id with their number behind it."""
    trace, began = observe.trace.get() or _fresh(), _arrived.get() or perf_counter()
    for number, incoming in enumerate(incomings, 1):
        if not new[number - 1]:
            continue
        way = Way(trace if len(incomings) == 1 else f"{trace}-{number}", began)
        _ways[incoming.address.channel, incoming.event_id] = way
        observe.event("accepted", way.trace, channel=incoming.address.channel, kind=incoming.kind.value)
    while len(_ways) > REMEMBERED:
        _ways.popitem(last=False)


def way(channel: str, event_id: str) -> Way:
    """Of an event; UNKNOWN where another server took it, or long ago."""
    return _ways.get((channel, event_id), UNKNOWN)


def ended(channel: str, event_id: str) -> Way:
    """The same, and it is forgotten."""
    return _ways.pop((channel, event_id), UNKNOWN)


def _fresh() -> str:
    return f"{random.getrandbits(128):032x}"


def _parent(headers: Iterable[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == b"traceparent":
            found = _PARENT.fullmatch(value)
            return found[1].decode() if found and found[1] != _NOBODY[0] and found[2] != _NOBODY[1] else ""
    return ""
