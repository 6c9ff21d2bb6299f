"""Deliveries to messaging platforms: in parts, bundled, waiting for the person's next message, by which token."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from storing import answers, hurry, now, opened, rows, staff, told

from bot.messages import Address, Incoming, Kind, Notice, Reply
from bot.store import Store
from bot.store.records import Bundle, Delivery, Lease, Outcome, Turn

HERE = Address("line", "bot", "u")
LINE = frozenset({"line"})


def wrote(event: str, token: str = "", ms: int = 1, **more: Any) -> Incoming:
    more.setdefault("text", event)
    return Incoming(HERE, event, ms, reply_token=token or f"token-{event}", **more)


def saying(*texts: str, notices: Sequence[Notice] = ()) -> Any:
    """A turn that says several things; each notice is a bundle of its own after them."""

    def turns(lease: Lease) -> list[Turn]:
        (event,) = lease.events
        bundles = [Bundle(tuple(Reply(text, "en") for text in texts))] if texts else []
        bundles += [Bundle((Reply(f"notice {notice}", "en", notice=notice),), notice) for notice in notices]
        return [Turn(event, Reply(event.text or "", "en"), bundles=tuple(bundles))]

    return turns


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as opened_store:
        yield opened_store


async def turn(store: Store, incoming: Incoming, turns: Any = answers, sender: str = "") -> Delivery | None:
    await store.accept([incoming])
    (lease,) = await store.lease("w", 10)
    return (await store.commit(lease, turns(lease), "en", "", sender)).handed


async def due(store: Store) -> Delivery:
    (delivery,) = await store.lease_deliveries("s", 10, bundling=LINE)
    return delivery


async def nothing_due(store: Store) -> bool:
    return not await store.lease_deliveries("s", 10, bundling=LINE)


def texts(delivery: Delivery) -> list[str]:
    return [reply.text for reply in delivery.replies]


def test_what_belongs_to_one_turn_goes_together_by_its_token(store: Store) -> None:
    async def story() -> None:
        handed = await turn(store, wrote("1"), saying("a", "b", notices=[Notice.CASE]), sender="s")
        assert handed is None, "two bundles share one token: they must not be parted"
        delivery = await due(store)
        assert (texts(delivery), delivery.reply_token) == (["a", "b", "notice case"], "token-1")
        await store.finish([Outcome(delivery, "sent")])

    asyncio.run(story())
    assert rows(store, "SELECT DISTINCT state FROM outbox") == [("sent",)]
    assert rows(store, "SELECT outgoing FROM conversations") == [(0,)]


def test_what_arrived_of_a_delivery_is_not_sent_again(store: Store) -> None:
    async def story() -> None:
        await turn(store, wrote("1"), saying("a", "b", "c"))
        first = await due(store)
        await store.finish([Outcome(first, "retry", 0.0, "429", done=1, parts=2)])
        assert told(store, 1)[1:] == [("bot", "a", "sent"), ("bot", "b", "queued"), ("bot", "c", "queued")]
        await hurry(store)
        again = await due(store)
        assert (texts(again), again.skip) == (["b", "c"], 2)
        await store.finish([Outcome(again, "sent")])

    asyncio.run(story())
    assert [line[2] for line in told(store, 1)] == ["sent"] * 4


def test_what_waits_goes_with_the_answer_to_the_next_message_by_its_token(store: Store) -> None:
    async def story() -> None:
        await turn(store, wrote("1"), saying("a", "b"))
        await store.finish([Outcome(await due(store), "waiting", error="quota", done=1)])
        assert await nothing_due(store)
        assert [line[2] for line in told(store, 1)] == ["sent", "sent", "undelivered"]
        handed = await turn(store, wrote("2", ms=2), saying("c"), sender="s")
        assert handed is None, "what waited comes first"
        delivery = await due(store)
        assert (texts(delivery), delivery.reply_token) == (["b", "c"], "token-2")
        await store.finish([Outcome(delivery, "sent")])

    asyncio.run(story())
    assert {line[2] for line in told(store, 1)} == {"sent"}


def test_an_answer_does_not_overtake_one_that_waits(store: Store) -> None:
    async def story() -> None:
        await turn(store, wrote("1"), saying("a", "b"))
        first = await due(store)
        await turn(store, wrote("2", ms=2), saying("c"))  # while the first is on its way
        await store.finish([Outcome(first, "waiting", error="more", done=1)])
        delivery = await due(store)
        assert (texts(delivery), delivery.reply_token) == (["b", "c"], "token-2")
        await store.finish([Outcome(delivery, "waiting", error="quota")])
        await store.database.write(lambda c: c.execute("UPDATE outbox SET token_until = 0"))
        await turn(store, wrote("3", ms=3), saying())
        assert texts(await due(store)) == ["b", "c"]

    asyncio.run(story())


def test_answers_with_tokens_of_their_own_are_sent_by_them(store: Store) -> None:
    async def story() -> None:
        await store.accept([wrote("1"), wrote("2", ms=2)])
        (lease,) = await store.lease("w", 10)
        await store.commit(lease, answers(lease), "en", "")
        for token in ("token-1", "token-2"):
            delivery = await due(store)
            assert delivery.reply_token == token
            await store.finish([Outcome(delivery, "sent")])

    asyncio.run(story())


def test_a_token_that_was_spent_is_nowhere_else(store: Store) -> None:
    async def story() -> None:
        await turn(store, wrote("1"), saying("a", notices=[Notice.CASE]))
        delivery = await due(store)
        await store.finish([Outcome(delivery, "retry", 0.0, "429", done=1)])
        await hurry(store)
        again = await due(store)
        assert (texts(again), again.reply_token) == (["notice case"], "")

    asyncio.run(story())


def test_a_tap_for_more_brings_what_waits_and_says_so_to_the_turn(store: Store) -> None:
    async def story() -> None:
        await turn(store, wrote("1"), saying("a"))
        await store.finish([Outcome(await due(store), "waiting", error="more")])
        await store.accept([wrote("2", ms=2, text=None, choice="more")])
        (lease,) = await store.lease("w", 10)
        assert lease.waits
        await store.commit(lease, saying()(lease), "en", "")
        delivery = await due(store)
        assert (texts(delivery), delivery.reply_token) == (["a"], "token-2")

    asyncio.run(story())


def test_a_caseworker_uses_the_token_of_a_message_that_nothing_answered(store: Store) -> None:
    async def story() -> None:
        await turn(store, wrote("1"), saying())
        await store.database.write(_case)
        lin = await staff(store, "Lin")
        fence = await store.claim(1, lin, Reply("a person", "en", notice=Notice.CASE))
        delivery = await due(store)
        assert (texts(delivery), delivery.reply_token) == (["a person"], "token-1")
        await store.finish([Outcome(delivery, "sent")])
        await store.reply(1, lin, fence, "f", Reply("hello", "en"))
        assert (await due(store)).reply_token == "", "a token is spent once"

    asyncio.run(story())


def _case(connection: Any) -> None:
    connection.execute(
        "INSERT INTO cases (conversation_id, number, state, reason, lang, channel, opened_at)"
        " VALUES (1, 'n', 'waiting', 'asked', 'en', 'line', 0)"
    )


def test_a_batch_once_tried_is_tried_again_as_it_was(store: Store) -> None:
    """Else a retry key that the platform has accepted would count for something that it never got."""

    async def story() -> None:
        await turn(store, wrote("1"), saying("a"))
        first = await due(store)
        await store.finish([Outcome(first, "retry", 0.0, "no answer")])
        await turn(store, wrote("2", ms=2), saying("b"))
        await hurry(store)
        again = await due(store)
        assert (texts(again), again.retry_key) == (["a"], first.retry_key)
        await store.finish([Outcome(again, "sent")])
        assert texts(await due(store)) == ["b"]

    asyncio.run(story())


def test_whoever_blocks_us_gets_nothing_until_they_write_again(store: Store) -> None:
    async def story() -> None:
        await turn(store, wrote("1"), saying("a"))
        await store.accept([Incoming(HERE, "gone", 2, kind=Kind.BLOCKED)])
        assert await nothing_due(store)
        assert rows(store, "SELECT outgoing, pending FROM conversations") == [(0, 0)]
        await turn(store, wrote("back", ms=3, text=None, choice="start"), saying("welcome back"))
        assert texts(await due(store)) == ["a", "welcome back"]

    asyncio.run(story())


def test_a_refusal_of_the_platform_marks_the_address(store: Store) -> None:
    async def story() -> None:
        await turn(store, wrote("1"), saying("a"))
        await store.finish([Outcome(await due(store), "waiting", error="403", blocked=True)])

    asyncio.run(story())
    assert rows(store, "SELECT blocked FROM addresses") == [(1,)]


def test_a_chat_that_moved_is_found_under_its_new_id(store: Store) -> None:
    async def story() -> None:
        await turn(store, wrote("1"), saying("a"))
        await store.finish([Outcome(await due(store), "retry", 0.0, "moved", moved="-100")])
        await hurry(store)
        assert (await due(store)).address == Address("line", "bot", "-100")

    asyncio.run(story())


def test_an_interrupted_reply_is_unsure_only_while_its_token_may_live(store: Store) -> None:
    async def story() -> list[tuple[str, bool]]:
        found = []
        await turn(store, wrote("1"), saying("a"))
        for aged in (False, True):
            await due(store)  # and the process dies
            if aged:
                await store.database.write(lambda c: c.execute("UPDATE outbox SET token_until = 0"))
            await store.release_all()
            delivery = await due(store)
            found.append((delivery.reply_token, delivery.unsure))
            await store.release_all()
        return found

    assert asyncio.run(story()) == [("token-1", True), ("", False)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["sent", "retry", "waiting"]), st.integers(0, 3)), max_size=6))
def test_however_sends_end_each_line_arrives_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, ends: list[tuple[str, int]]
) -> None:
    with opened(tmp_path_factory.mktemp("lines") / "t.db") as store:
        arrived: list[str] = []

        async def send(result: str, done: int) -> bool:
            found = await store.lease_deliveries("s", 10, bundling=LINE)
            for delivery in found:
                done = len(delivery.lines) if result == "sent" else min(done, len(delivery.lines) - 1)
                arrived.extend(texts(delivery)[:done])
                await store.finish([Outcome(delivery, result, done=done)])
            await hurry(store)
            return bool(found)

        async def story() -> None:
            expected: list[str] = []
            for number, end in enumerate(ends):
                said = [f"{number}a", f"{number}b", f"{number}c"]
                expected += said
                await turn(store, wrote(str(number), ms=number + 1), saying(*said))
                await send(*end)
            await turn(store, wrote("last", ms=99), saying("end"))
            while await send("sent", 0):
                pass
            assert arrived == [*expected, "end"]

        asyncio.run(story())
        assert rows(store, "SELECT DISTINCT state FROM outbox") == [("sent",)]
        assert now(store, lambda c: c.one("SELECT outgoing FROM conversations")["outgoing"]) == 0
