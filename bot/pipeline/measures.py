"""What is measured on the way of a message: waiting, thinking, what was decided, how sending went."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from bot import observe, tracing
from bot.store.records import Delivery, Event, Lease, Outcome, Turn

if TYPE_CHECKING:
    from bot.pipeline.worker import Mind, Taken


@dataclass
class Watched:
    """A mind whose turns are timed, and whose errors carry the tracing id of their event."""

    mind: Mind

    def ahead(self, leases: Sequence[Lease]) -> Callable[[], None] | None:
        """See worker.Mind."""
        return self.mind.ahead(leases)

    def take(self, lease: Lease) -> Taken:
        """See worker.Mind."""
        began = perf_counter()
        try:
            taken = self.mind.take(lease)
        except Exception as error:
            event = lease.events[0]
            observe.traced(error, tracing.way(event.address.channel, event.event_id).trace)
            raise
        _thought(lease, observe.took("think", began))
        return taken

    def apologize(self, lease: Lease, event: Event) -> Taken:
        """See worker.Mind."""
        return self.mind.apologize(lease, event)


def _thought(lease: Lease, seconds: float) -> None:
    now = time.time()
    for event in lease.events:
        waited = max(0.0, now - seconds - event.accepted_at)
        observe.durations["wait"].add(waited)
        observe.event(
            "thought",
            tracing.way(event.address.channel, event.event_id).trace,
            channel=event.address.channel,
            waited=waited,
            seconds=seconds,
        )


def committed(lease: Lease, turns: Sequence[Turn]) -> None:
    """What was decided about each message, by its language."""
    for turn in turns:
        lang = turn.heard.lang if turn.heard is not None else lease.lang
        decision = turn.reading.get("decision", "")
        if not decision:
            decision = "tap" if turn.event.choice else "other"
        elif turn.reading.get("urgent"):
            decision = "urgent"
        observe.tally("decisions", lang, decision)
        if turn.case is not None:
            observe.tally("handoffs", lang, "urgent" if turn.case.urgent else "usual")


def follow(delivery: Delivery) -> float:
    """What is logged from now on in this task belongs to the event that is answered; when this began."""
    observe.trace.set(tracing.way(delivery.address.channel, delivery.in_reply_to).trace)
    return perf_counter()


def sent(outcome: Outcome, began: float) -> None:
    """A try to send ended: sent, probably, dead, waiting, retry, or held back because the channel is down."""
    channel, result = outcome.delivery.address.channel, "held" if outcome.held else outcome.result
    observe.count(f"deliveries.{outcome.result}")
    observe.tally("sends", channel, result)
    seconds, whole = perf_counter() - began, 0.0
    if not outcome.held:
        observe.durations["send"].add(seconds)
    if outcome.result != "retry":
        way = tracing.ended(channel, outcome.delivery.in_reply_to)
        if way.began and outcome.result == "sent":
            whole = observe.took("reply", way.began)
    observe.event("sent", channel=channel, result=result, seconds=seconds, whole=whole)
