"""What the staff group is told of cases: each once, once more when urgent, never a word of the person."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from storing import answer, opened, said, take

from bot.channels.port import Receipt, Sent
from bot.desk.notices import Notices
from bot.messages import Notice, Reply
from bot.pipeline.resources import Resources
from bot.store import Store, cases
from bot.store.records import CaseOpening, Lease, Turn

WORDS = "my employer <b>keeps</b> my passport"


class Group:
    """A group that keeps what it was told and answers as the test says."""

    def __init__(self, *receipts: Receipt) -> None:
        self.told: list[str] = []
        self._receipts = list(receipts)

    async def post(self, html: str) -> Receipt:
        """The next receipt; SENT when none is left."""
        receipt = self._receipts.pop(0) if self._receipts else Receipt(Sent.SENT)
        if receipt.result is Sent.SENT:
            self.told.append(html)
        return receipt

    async def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as opened_store:
        yield opened_store


async def a_case(store: Store, number: str, topic: str = "p15") -> None:
    def opening(lease: Lease) -> list[Turn]:
        return [answer(lease.events[0], Notice.CASE, case=CaseOpening(number, "asked", topic))]

    await take(store, said(number, text=WORDS, user=number), turns=opening)


def test_each_waiting_case_is_told_once_without_words_of_the_person(store: Store, resources: Resources) -> None:
    group = Group()
    notices = Notices(store, resources, group, "https://labor.example")

    async def story() -> None:
        await a_case(store, "20261123-AAAAA")
        await notices.once()
        await notices.once()
        await a_case(store, "20261123-BBBBB", topic="")
        await notices.once()

    asyncio.run(story())
    assert len(group.told) == 2
    first, second = group.told
    assert "20261123-AAAAA" in first
    assert "/desk/cases/1" in first
    assert "青年" in first or resources.catalog.text("zh-TW", "p15.label").text in first
    assert "—" in second
    assert not any(word in text for text in group.told for word in ("employer", "passport", "keeps"))


def test_it_is_told_once_more_when_it_becomes_urgent(store: Store, resources: Resources) -> None:
    group = Group()
    notices = Notices(store, resources, group, "")

    async def story() -> None:
        await a_case(store, "n")
        await notices.once()
        await store.database.write(lambda c: cases.alarm(c, 1))
        await notices.once()
        await notices.once()

    asyncio.run(story())
    assert ["🔴" in text for text in group.told] == [False, True]
    assert not any("<a " in text for text in group.told), "without an address there is no link"


def test_what_the_group_does_not_take_now_is_told_later(store: Store, resources: Resources) -> None:
    group = Group(Receipt(Sent.RETRY, "429", 7.0))
    notices = Notices(store, resources, group, "")

    async def story() -> list[float]:
        await a_case(store, "n")
        return [await notices.once(), await notices.once(), await notices.once()]

    assert asyncio.run(story()) == [7.0, 0.0, 0.0]
    assert len(group.told) == 1


def test_a_claimed_case_needs_no_notice_any_more(store: Store, resources: Resources) -> None:
    group = Group()

    async def story() -> None:
        await a_case(store, "n")
        await store.database.write(
            lambda c: c.execute(
                "INSERT INTO staff (name, role, password_hash, created_at) VALUES ('L', 'agent', '', 0)"
            )
        )
        await store.claim(1, 1, Reply("here", "en", notice=Notice.CASE))
        await Notices(store, resources, group, "").once()

    asyncio.run(story())
    assert group.told == []
