"""What is counted for those who watch, on either engine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engines import place
from storing import answers, now, said

from bot.store import Store
from bot.store.load import load


def test_what_waits_is_held_and_is_dead_is_counted(tmp_path: Path) -> None:
    store = Store(place(tmp_path / "t.db"))

    async def story() -> None:
        await store.accept([said("a1", user="a"), said("b1", user="b")])
        before = load(store.database.read)
        assert (before.queue.events, before.queue.people, before.thinking, before.sending) == (2, 2, 0, 0)
        leases = await store.lease("one", 8)
        assert load(store.database.read).thinking == 2
        await store.commit_all([(lease, answers(lease), "en", "") for lease in leases], "")
        (first, _) = await store.lease_deliveries("one", 8)
        after = load(store.database.read)
        assert (after.queue.events, after.thinking, after.sending) == (0, 0, 2)
        channel = first.address.channel
        assert after.outbox == {(channel, "open"): 2}
        now(store, lambda c: c.execute("UPDATE outbox SET state = 'dead' WHERE id = :id", {"id": first.rows[0]}))
        assert load(store.database.read).outbox == {(channel, "open"): 1, (channel, "dead"): 1}

    try:
        asyncio.run(story())
    finally:
        store.close()
