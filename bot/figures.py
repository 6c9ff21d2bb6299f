"""What is counted and measured, as families of Prometheus metrics. Labels are words of this program alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from bot.observe import BOUNDS, Durations
from bot.store.load import Load

ENCODER_STATES = ("ready", "starting", "off", "resting")
_TALLIES = {
    "sends": (("channel", "result"), "Tries to send a delivery, by how they ended."),
    "decisions": (("lang", "decision"), "Messages by what was decided about them; tap: a button."),
    "handoffs": (("lang", "kind"), "Wishes to hand over to a person."),
    "failures": (("what", "error"), "Failures, by where and by kind of error."),
}
_NO_LABELS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """What the store tells at one moment: `late` cases are those without a first answer in time; `servers` live."""

    load: Load
    late: int
    servers: int


@dataclass(frozen=True, slots=True)
class Seen:
    """All of the server that is told. `moment`: None when the store could not be read. `quota`: left, by channel."""

    counters: Counter[str]
    tallies: Counter[tuple[str, ...]]
    durations: Mapping[str, Durations]
    moment: Moment | None
    ready: bool
    saturated: bool
    streams: Mapping[str, int]
    writer: Mapping[str, int] = field(default_factory=dict)
    breakers: Mapping[str, bool] = field(default_factory=dict)
    quota: Mapping[str, int] = field(default_factory=dict)
    encoder: str | None = None


class Figures:
    """A collector, as prometheus_client calls it, of what was seen at one moment."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        seen = self._seen
        yield from _counted(seen)
        yield _stages(seen.durations)
        yield from _of_the_server(seen)
        yield _gauge("store_up", "1 when the store could be read just now.", {(): float(seen.moment is not None)})
        if seen.moment is not None:
            yield from _of_the_store(seen.moment)


def _counted(seen: Seen) -> Iterator[Metric]:
    yield _counter("events", "What happened, by name.", seen.counters, ("event",))
    for name, (labels, text) in _TALLIES.items():
        found = {key[1:]: number for key, number in list(seen.tallies.items()) if key[0] == name}
        family = CounterMetricFamily(f"labor_bot_{name}", text, labels=labels)
        for values, number in found.items():
            family.add_metric(values, number)
        yield family
    for name, text in _WRITER.items():
        yield _counter(name, text, {name: seen.writer.get(name, 0)})


_WRITER = {
    "commits": "Commits of the store's writer.",
    "operations": "Operations in them.",
    "repeated": "Commits that were tried again, because two servers met.",
}


def _stages(durations: Mapping[str, Durations]) -> Metric:
    family = HistogramMetricFamily(
        "labor_bot_stage_seconds", "How long each stage of a message takes; reply: from the webhook.", labels=("stage",)
    )
    for stage, found in durations.items():
        bounds = [*map(str, BOUNDS), "+Inf"]
        family.add_metric((stage,), list(zip(bounds, accumulate(list(found.counts)), strict=True)), found.total)
    return family


def _of_the_server(seen: Seen) -> Iterator[Metric]:
    yield _gauge("ready", "1 when messages can be taken, as /readyz says.", {(): float(seen.ready)})
    yield _gauge("saturated", "1 while people are told that it takes longer.", {(): float(seen.saturated)})
    yield _gauge("streams", "Live streams open.", _one(seen.streams), ("kind",))
    yield _gauge("writer_waiting", "Operations that wait for the writer.", {(): seen.writer.get("waiting", 0)})
    yield _gauge("breaker_open", "1 while a channel is held for down.", _one(seen.breakers), ("channel",))
    yield _gauge("quota_left", "Pushes left this month.", _one(seen.quota), ("channel",))
    if seen.encoder is not None:
        states = _one({state: float(state == seen.encoder) for state in ENCODER_STATES})
        yield _gauge("encoder", "1 for the state that the encoder is in.", states, ("state",))


def _of_the_store(moment: Moment) -> Iterator[Metric]:
    load = moment.load
    yield _gauge("inbox_waiting", "Messages that wait for their turn.", {(): load.queue.events})
    yield _gauge("inbox_people", "Conversations that they are of.", {(): load.queue.people})
    yield _gauge("inbox_oldest_seconds", "How long the oldest waits.", {(): load.queue.oldest})
    yield _gauge("inbox_aside", "Messages that could not be worked on.", {(): load.aside})
    yield _gauge("outbox", "Deliveries: open, waiting for the person, dead.", load.outbox, ("channel", "state"))
    leases = {"thinking": load.thinking, "sending": load.sending}
    yield _gauge("leases", "Conversations held by a worker or a sender of any server.", _one(leases), ("kind",))
    cases = {"waiting": load.waiting, "urgent": load.urgent, "held": load.held, "late": moment.late}
    yield _gauge("cases", "Cases; urgent ones are among those that wait.", _one(cases), ("state",))
    yield _gauge("servers", "Servers that gave a sign of life.", {(): moment.servers})


def _one(found: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): float(value) for name, value in found.items()}


def _gauge(
    name: str, text: str, values: Mapping[tuple[str, ...], float], labels: Iterable[str] = _NO_LABELS
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"labor_bot_{name}", text, labels=tuple(labels))
    for labeled, value in values.items():
        family.add_metric(labeled, value)
    return family


def _counter(
    name: str, text: str, values: Mapping[str, float], labels: Iterable[str] = _NO_LABELS
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"labor_bot_{name}", text, labels=tuple(labels))
    for label, value in list(values.items()):
        family.add_metric((label,) if labels else (), value)
    return family
