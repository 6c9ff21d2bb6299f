"""Events, turns and deliveries, as the tests of store, pipeline and fence need them; and a step taken at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engines import place

from bot.channels.port import Parcel, Receipt, Sent
from bot.messages import Address, Incoming, Notice, Reply
from bot.store import Store
from bot.store.database import Connection
from bot.store.records import Bundle, CaseOpening, Committed, Delivery, Event, Lease, Outcome, Turn

NOTICE = Reply("a person is here", "en", notice=Notice.CASE)


def address(user: str = "u") -> Address:
    """Where a citizen of the test is reached."""
    return Address("hook", "", user)


def said(event_id: str, text: str | None = None, user: str = "u", ms: int = 1) -> Incoming:
    """One event; its text is its id unless told."""
    return Incoming(address(user), event_id, ms, text=event_id if text is None else text)


def answer(event: Event, *notices: Notice, **more: Any) -> Turn:
    """A turn that echoes the event, one bundle a notice."""
    bundles = tuple(
        Bundle((Reply(f"re {event.event_id}", "en", notice=notice),), notice) for notice in notices or (Notice.NONE,)
    )
    return Turn(event, Reply(event.text or event.choice or "", "en"), bundles=bundles, **more)


def answers(lease: Lease) -> list[Turn]:
    """One echo an event."""
    return [answer(event) for event in lease.events]


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """A store of the test's own."""
    store = Store(place(path))
    try:
        yield store
    finally:
        store.close()


def now(store: Store, operation: Callable[[Connection], Any]) -> Any:
    """One durable step, without an event loop."""
    return store.database.write_now(operation)


def rows(store: Store, sql: str, **params: Any) -> list[tuple[Any, ...]]:
    """What a query finds."""
    return [tuple(row[name] for name in row.keys()) for row in store.database.read.all(sql, params)]  # noqa: SIM118


def told(store: Store, conversation: int) -> list[tuple[str, str, str]]:
    """The transcript as (author, text, status)."""
    return [(entry.author.value, entry.reply.text, entry.status) for entry in store.entries(conversation)]


async def take(store: Store, *events: Incoming, turns: Callable[[Lease], Sequence[Turn]] = answers) -> Committed:
    """Accept events of one citizen, take them and commit what they lead to."""
    await store.accept(events)
    (lease,) = await store.lease("w", 10)
    return await store.commit(lease, turns(lease), "en", "")


async def waiting_case(store: Store, user: str = "u") -> int:
    """A case that waits for a person; its opening was delivered. Returns its id."""

    def opening(lease: Lease) -> list[Turn]:
        return [answer(lease.events[0], Notice.CASE, case=CaseOpening(f"number-{user}", "asked"))]

    await take(store, said(f"help-{user}", user=user), turns=opening)
    for delivery in await store.lease_deliveries("s", 10):
        await store.finish([went_well(delivery)])
    return int(rows(store, "SELECT max(id) FROM cases")[0][0])


def went_well(delivery: Delivery) -> Outcome:
    """The outcome of a delivery that arrived."""
    return Outcome(delivery, Sent.SENT.value)


async def staff(store: Store, name: str) -> int:
    """A caseworker's account."""
    await store.database.write(
        lambda c: c.execute(
            "INSERT INTO staff (name, role, password_hash, created_at) VALUES (:n, 'agent', '', 0)", {"n": name}
        )
    )
    return int(rows(store, "SELECT id FROM staff WHERE name = :n", n=name)[0][0])


async def hurry(store: Store) -> None:
    """Make every delivery due now."""
    await store.database.write(lambda c: c.execute("UPDATE conversations SET outgoing_after = 0, sending_until = 0"))


class Channel:
    """A channel that keeps what it was given and answers as the test says."""

    def __init__(self, *receipts: Receipt) -> None:
        self.parcels: list[Parcel] = []
        self._receipts = list(receipts)

    async def send(self, parcel: Parcel) -> Receipt:
        """The next receipt; SENT when none is left."""
        self.parcels.append(parcel)
        return self._receipts.pop(0) if self._receipts else Receipt(Sent.SENT)

    @property
    def texts(self) -> list[str]:
        """What was given to it, in order."""
        return [reply.text for parcel in self.parcels for reply in parcel.replies]
