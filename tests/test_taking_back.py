"""Messages that are unsent, edited or withdrawn: blanked at once, with what came of them; a late copy stays gone."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from storing import answer, answers, now, opened, rows, staff, take, told, waiting_case

from bot.messages import Address, Attachment, Incoming, Kind, Notice, Reply
from bot.store import Store, attachments
from bot.store.records import Lease, StaleFence, Turn
from bot.store.unanswered import Unanswered

HERE = Address("line", "bot", "u")
SECRET = "我媽媽生病了"


def wrote(event: str, text: str = SECRET, message: str = "m1", ms: int = 1, **more: Any) -> Incoming:
    return Incoming(HERE, event, ms, text=text, message_id=message, **more)


def unsent(message: str = "m1", event: str = "unsend", ms: int = 9) -> Incoming:
    return Incoming(HERE, event, ms, kind=Kind.UNSENT, about=message)


def edited(text: str, keeps_old: bool, event: str = "edit", message: str = "m1") -> Incoming:
    return Incoming(HERE, event, 5, text=text, kind=Kind.EDITED, about=message, message_id=message, keeps_old=keeps_old)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as opened_store:
        yield opened_store


def derived(lease: Lease) -> list[Turn]:
    """A turn that learned a fact, could not answer, wants a file and says something."""
    event = lease.events[0]
    return [
        answer(
            event,
            reading={"intent": "program", "note": SECRET},
            facts={("self", "age"): 45},
            unanswered=Unanswered(SECRET, "zh-TW", "refuse"),
            file=Attachment("image", "ref", name=SECRET),
        )
    ]


def everything(store: Store) -> str:
    """All content on disk, as one text."""
    store.database.write_now(lambda c: c.execute("SELECT 1"))
    tables = ("inbox", "messages", "facts", "unanswered", "attachments", "drafts")
    return "\n".join(str(row) for table in tables for row in rows(store, f"SELECT * FROM {table}"))


async def silently(store: Store) -> None:
    """Take what waits; what was taken back says nothing."""
    for lease in await store.lease("w", 10):
        turns = [
            Turn(event, None if event.kind is Kind.UNSENT else Reply("" if event.gone else event.text or "", "en"))
            for event in lease.events
        ]
        await store.commit(lease, turns, "zh-TW", "")


def test_an_unsent_message_takes_everything_along_that_came_of_it(store: Store) -> None:
    async def story() -> None:
        await take(store, wrote("1"), turns=derived)
        await store.accept([unsent()])
        await silently(store)

    asyncio.run(story())
    assert SECRET not in everything(store)
    assert told(store, 1)[0] == ("citizen", "", "unsent")
    assert rows(store, "SELECT count(*) FROM facts") == [(0,)]
    assert rows(store, "SELECT count(*) FROM unanswered") == [(0,)]
    assert rows(store, "SELECT state FROM attachments") == [("gone",)]
    assert rows(store, "SELECT state FROM outbox") == [("withdrawn",)]  # the answer had not left yet


def test_quotes_of_it_in_drafts_and_answers_of_staff_go_too(store: Store) -> None:
    async def story() -> None:
        case = await waiting_case(store)
        lin = await staff(store, "Lin")
        fence = await store.claim(case, lin, Reply("a person", "en", notice=Notice.CASE))
        said = Incoming(Address("hook", "", "u"), "q", 5, text=SECRET, message_id="m1")
        await take(store, said)
        await store.reply(case, lin, fence, "f", Reply(f"您說「{SECRET}」，請問幾歲？", "zh-TW"))
        await store.keep_draft(case, lin, f"關於{SECRET}這件事")
        await store.accept([Incoming(Address("hook", "", "u"), "x", 9, kind=Kind.UNSENT, about="m1")])

    asyncio.run(story())
    assert SECRET not in everything(store)
    assert ("staff", "您說「—」，請問幾歲？", "queued") in told(store, 1)
    assert store.draft(1, 1) == "關於—這件事"


def test_hotlines_and_hand_over_notices_leave_all_the_same(store: Store) -> None:
    def urgent(lease: Lease) -> list[Turn]:
        return [answer(lease.events[0], Notice.SAFETY, Notice.NONE)]

    async def story() -> None:
        await take(store, wrote("1"), turns=urgent)
        await store.accept([unsent()])

    asyncio.run(story())
    assert rows(store, "SELECT notice, state FROM outbox ORDER BY id") == [("safety", "queued"), ("", "withdrawn")]


def test_a_turn_being_computed_from_it_is_refused(store: Store) -> None:
    async def story() -> None:
        await store.accept([wrote("1")])
        (lease,) = await store.lease("w", 10)
        await store.accept([unsent()])
        with pytest.raises(StaleFence):
            await store.commit(lease, answers(lease), "zh-TW", "")
        (again,) = await store.lease("w", 10)
        assert [(event.gone, event.kind) for event in again.events] == [(True, Kind.SAID), (False, Kind.UNSENT)]

    asyncio.run(story())
    assert SECRET not in everything(store)


def test_an_edit_where_only_the_new_version_may_be_seen(store: Store) -> None:
    async def story() -> None:
        await take(store, wrote("1"), turns=derived)
        await store.accept([edited("我五十歲", keeps_old=False)])
        (lease,) = await store.lease("w", 10)
        assert lease.events[0].again == ("age",)
        await store.commit(lease, answers(lease), "zh-TW", "")

    asyncio.run(story())
    assert SECRET not in everything(store)
    assert [line[1:] for line in told(store, 1) if line[0] == "citizen"] == [("", "edited"), ("我五十歲", "sent")]


def test_an_edit_where_staff_see_both_versions(store: Store) -> None:
    async def story() -> None:
        await take(store, wrote("1"), turns=derived)
        await take(store, edited("我五十歲", keeps_old=True))

    asyncio.run(story())
    assert [line[1:] for line in told(store, 1) if line[0] == "citizen"] == [(SECRET, "edited"), ("我五十歲", "sent")]
    assert rows(store, "SELECT count(*) FROM facts") == [(0,)]


def test_withdraw_takes_the_newest_message_and_then_the_one_before(store: Store) -> None:
    def withdraw(event: str) -> Incoming:
        return Incoming(HERE, event, 9, choice="withdraw")

    async def story() -> list[bool]:
        await take(store, wrote("1", "first", "m1"))
        await take(store, wrote("2", "second", "m2", 2))
        found = []
        for event in ("w1", "w2", "w3"):
            await store.accept([withdraw(event)])
            (lease,) = await store.lease("w", 10)
            found.append(lease.events[0].withdrew)
            await store.commit(lease, [Turn(lease.events[0], None)], "en", "")
        return found

    assert asyncio.run(story()) == [True, True, False]
    assert [line[1:] for line in told(store, 1) if line[0] == "citizen"] == [("", "unsent"), ("", "unsent")]


def test_an_unsend_by_somebody_else_changes_nothing(store: Store) -> None:
    async def story() -> None:
        await take(store, wrote("1"))
        stranger = Address("line", "bot", "stranger")
        await store.accept([Incoming(stranger, "x", 9, kind=Kind.UNSENT, about="m1")])

    asyncio.run(story())
    assert told(store, 1)[0] == ("citizen", SECRET, "sent")


def test_a_file_that_arrives_after_it_was_unsent_is_not_kept(store: Store) -> None:
    async def story() -> bool:
        await take(store, wrote("1"), turns=derived)
        (wanted,) = await store.attachments.due(5)
        await store.accept([unsent()])
        return await store.attachments.keep(wanted, "image/png", b"picture", None)

    assert asyncio.run(story()) is False
    assert now(store, lambda c: attachments.listing(c, 1))[0].state == "gone"


@settings(max_examples=60, deadline=None)
@given(st.permutations(["write", "write again", "unsend", "take"]), st.booleans())
def test_in_any_order_with_redeliveries_nothing_of_it_is_left(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], twice: bool
) -> None:
    """Whenever the unsend comes: before the message, between its deliveries, after its turn."""
    with opened(tmp_path_factory.mktemp("order") / "t.db") as store:

        async def story() -> None:
            for step in itertools.chain(order, ["take"]):
                if step.startswith("write"):
                    await store.accept([wrote("1")])
                elif step == "unsend":
                    await store.accept([unsent()] * (1 + twice))
                else:
                    await silently(store)

        asyncio.run(story())
        assert SECRET not in everything(store)
        lines = [line for line in told(store, 1) if line[0] == "citizen"]
        assert lines == [("citizen", "", "unsent")]
