"""Resume links: one conversation, several channels; each link good once, for ten minutes, into an empty chat only."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from storing import answer, opened, rows, told

from bot.messages import Address, Incoming, Reply
from bot.store import Store
from bot.store.records import Lease, Turn

WEB, LINE = Address("web", "", "browser"), Address("line", "bot", "u")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as opened_store:
        yield opened_store


async def wrote(store: Store, address: Address, event: str, token: str = "", offer: str = "") -> str:
    """One event and its turn; with `offer` a link is issued. Returns how a resume link went."""
    await store.accept([Incoming(address, event, 1, choice="resume", resume=token) if token else
                        Incoming(address, event, 1, text=event)])  # fmt: skip
    (lease,) = await store.lease("w", 10)
    (event_,) = lease.events

    def turns(lease: Lease) -> list[Turn]:
        farewell = Reply("moved away", "en") if event_.left else None
        return [answer(event_, resume=offer, farewell=farewell)]

    await store.commit(lease, turns(lease), "en", "")
    return event_.resumed


def conversations(store: Store) -> dict[str, int]:
    return {
        str(channel): int(number) for channel, number in rows(store, "SELECT channel, conversation_id FROM addresses")
    }


def test_the_empty_chat_joins_the_older_conversation_and_the_old_address_is_told(store: Store) -> None:
    token = secrets.token_urlsafe(16)

    async def story() -> str:
        await wrote(store, WEB, "hello", offer=token)
        return await wrote(store, LINE, "arrived", token)

    assert asyncio.run(story()) == "opened"
    assert conversations(store) == {"web": 1, "line": 1}
    assert [line[1] for line in told(store, 1)][:3] == ["hello", "re hello", "resume"]
    goes = rows(
        store,
        "SELECT a.channel, m.body LIKE '%moved away%' FROM outbox o JOIN addresses a ON a.id = o.address_id"
        " JOIN messages m ON m.seq = o.first_seq ORDER BY o.id",
    )
    assert goes == [("web", 0), ("line", 0), ("web", 1)]


def test_a_link_is_good_once(store: Store) -> None:
    token = secrets.token_urlsafe(16)

    async def story() -> list[str]:
        await wrote(store, WEB, "hello", offer=token)
        other = Address("line", "bot", "somebody else")
        return [await wrote(store, LINE, "a", token), await wrote(store, other, "b", token)]

    assert asyncio.run(story()) == ["opened", "expired"]


def test_a_link_is_good_for_ten_minutes_and_a_new_one_ends_the_old(store: Store) -> None:
    old, new = secrets.token_urlsafe(16), secrets.token_urlsafe(16)

    async def story() -> list[str]:
        await wrote(store, WEB, "1", offer=old)
        await wrote(store, WEB, "2", offer=new)
        found = [await wrote(store, LINE, "a", old)]
        await store.database.write(lambda c: c.execute("UPDATE resume_links SET until = until - 601"))
        return [*found, await wrote(store, LINE, "b", new)]

    assert asyncio.run(story()) == ["expired", "expired"]


def test_a_chat_with_words_of_its_own_is_not_merged_and_the_link_stays_good(store: Store) -> None:
    token = secrets.token_urlsafe(16)

    async def story() -> list[str]:
        await wrote(store, WEB, "hello", offer=token)
        await wrote(store, LINE, "I wrote here before")
        fresh = Address("telegram", "1", "2")
        return [await wrote(store, LINE, "a", token), await wrote(store, fresh, "b", token)]

    assert asyncio.run(story()) == ["busy", "opened"]
    assert conversations(store) == {"web": 1, "line": 2, "telegram": 1}


def test_only_a_hash_of_the_token_is_kept(store: Store) -> None:
    token = secrets.token_urlsafe(16)
    asyncio.run(wrote(store, WEB, "hello", offer=token))
    assert token.encode() not in b"".join(bytes(row[0]) for row in rows(store, "SELECT token FROM resume_links"))
    assert token not in str(rows(store, "SELECT * FROM resume_links"))
