"""The door to everything kept: each method is one durable step."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot import observe
from bot.messages import Address, Entry, Incoming, Reply
from bot.store import (
    case_list,
    cases,
    casework,
    inbox,
    leasing,
    outbox,
    platforms,
    proposals,
    staff,
    transcript,
    turns,
    unanswered,
)
from bot.store.aside import Aside
from bot.store.attachments import Attachments
from bot.store.audit import Audit
from bot.store.author_lists import AuthorLists
from bot.store.casework import Casework
from bot.store.crowd import Crowd
from bot.store.database import Connection, Database, Operation
from bot.store.duty import Duty
from bot.store.hours import HoursStore
from bot.store.identities import Identities
from bot.store.people import People
from bot.store.phrases import Phrases
from bot.store.platforms import MenuDue, Slow
from bot.store.privacy import Privacy
from bot.store.proposals import Proposal
from bot.store.ratings import Ratings
from bot.store.records import (
    Accepted,
    CaseRow,
    Committed,
    Delivery,
    Event,
    Lease,
    Outcome,
    StaffRow,
    StaleFence,
    Thought,
    Told,
    Turn,
)
from bot.store.remembered import Remembered
from bot.store.reports import Reports
from bot.store.second import SecondSteps
from bot.store.servers import Servers


class Store:
    """Writes are awaited until durable and raise StoreUnavailable when they cannot be; reads see what is committed."""

    def __init__(self, where: Path | str) -> None:
        if isinstance(where, Path):
            where.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.database = Database(where)
        self.people = People(self.database, self._desk_moved)
        self.second = SecondSteps(self.database, self._desk_moved)
        self.identities = Identities(self.database, self._desk_moved)
        self.audit = Audit(self.database)
        self.casework = Casework(self.database)
        self.duty = Duty(self.database)
        self.hours = HoursStore(self.database)
        self.phrases = Phrases(self.database)
        self.reports = Reports(self.database)
        self.privacy = Privacy(self.database)
        self.ratings = Ratings(self.database)
        self.authors = AuthorLists(self.database)
        self.aside = Aside(self.database)
        self.attachments = Attachments(self.database)
        self.servers = Servers(self.database)
        self.crowd = Crowd(self.database)
        shared = self.database.engine.shared
        self._last_seen = Remembered(lambda: staff.last_seen(self.database.read), shared)
        self._last_there = Remembered(lambda: staff.last_there(self.database.read), shared)

    def close(self) -> None:
        """Finish what waits and close."""
        self.database.close()

    # -- events and turns

    async def accept(
        self, incomings: Sequence[Incoming], deferred: Collection[int] = (), urgent: Collection[int] = ()
    ) -> list[Accepted]:
        """Keep each event once (see inbox.accept)."""
        began = time.perf_counter()
        accepted = await self.database.write(lambda c: inbox.accept(c, incomings, deferred, urgent), beside=True)
        observe.took("accept", began)
        return accepted

    async def lease(self, owner: str, limit: int, seconds: float = 30.0, suspects: bool | None = None) -> list[Lease]:
        """Hold conversations that have events (see leasing.lease)."""
        return await self.database.write(lambda c: leasing.lease(c, owner, limit, seconds, suspects), beside=True)

    async def commit(self, lease: Lease, done: Sequence[Turn], lang: str, state: str, sender: str = "") -> Committed:
        """Write what the turns of one lease led to (see turns.commit)."""
        return await self.database.write(lambda c: turns.commit(c, lease, done, lang, state, sender), beside=True)

    async def commit_all(self, thoughts: Sequence[Thought], sender: str = "") -> list[Committed | None]:
        """The same for several leases in one step; None where the fence had moved on. Any other error undoes all."""
        began = time.perf_counter()
        done = await self.database.write(
            lambda c: [_committed(c, thought, sender) for thought in thoughts], beside=True
        )
        observe.took("commit", began)
        return done

    async def release(self, lease: Lease, failed: Event | None, tries: int) -> bool:
        """Give a lease back (see leasing.release)."""
        return await self.database.write(
            lambda c: leasing.release(c, lease.conversation, lease.fence, failed, tries), beside=True
        )

    async def give_back(self, held: Mapping[int, int]) -> None:
        """Give leases back that the store failed under: conversations and their fences (see leasing.give_back)."""
        left = dict(held)
        await self.database.write(lambda c: leasing.give_back(c, left), beside=True)

    async def release_all(self) -> None:
        """Free every lease at the start of the one process that owns the file."""
        await self.database.write(leasing.release_all)

    # -- deliveries

    async def lease_deliveries(
        self, owner: str, limit: int, seconds: float = 60.0, bundling: Collection[str] = ()
    ) -> list[Delivery]:
        """Take due deliveries, one a conversation (see outbox.lease)."""
        return await self.database.write(lambda c: outbox.lease(c, owner, limit, seconds, bundling), beside=True)

    async def finish(self, outcomes: Sequence[Outcome]) -> bool:
        """Write down how deliveries ended; True when others wait behind them (see outbox.finish)."""
        return await self.database.write(lambda c: outbox.finish(c, outcomes), beside=True)

    def next_due(self) -> float | None:
        """Seconds until the next delivery is due, or None."""
        return outbox.next_due(self.database.read)

    # -- cases

    async def claim(self, case_id: int, staff_id: int, notice: Reply) -> int:
        """Take a waiting case (see cases.claim)."""

        def take(connection: Connection) -> int:
            fence = cases.claim(connection, case_id, staff_id, notice)
            casework.log(connection, case_id, staff_id, "claimed")
            return fence

        return await self.database.write(take)

    async def reply(
        self, case_id: int, staff_id: int, fence: int, form_id: str, text: Reply, reading: Mapping[str, Any] = {}
    ) -> int:
        """A caseworker's message (see cases.reply)."""
        return await self.database.write(lambda c: cases.reply(c, case_id, staff_id, fence, form_id, text, reading))

    async def close_case(
        self, case_id: int, staff_id: int, fence: int, notice: Reply, outcome: str = "answered"
    ) -> None:
        """End a held case (see cases.close)."""

        def end(connection: Connection) -> None:
            cases.close(connection, case_id, staff_id, fence, notice, outcome)
            casework.log(connection, case_id, staff_id, "closed")

        await self.database.write(end)

    async def back_to_queue(self, case: CaseRow, notice: Reply) -> bool:
        """Return a held case to the queue (see cases.back_to_queue)."""
        return await self.database.write(lambda c: cases.back_to_queue(c, case, notice))

    def held_too_long(self, seconds: float) -> list[tuple[CaseRow, float]]:
        """Held cases that nobody answers, and since when (see cases.held_too_long)."""
        return cases.held_too_long(self.database.read, seconds)

    def case(self, case_id: int) -> CaseRow | None:
        """A case by id."""
        return cases.get(self.database.read, case_id)

    def cases(
        self, view: str, staff_id: int, wanted: case_list.Wanted | None = None, speaks: Sequence[str] = ()
    ) -> list[CaseRow]:
        """The first cases of a view: waiting, mine, all, closed; narrowed to what is wanted (see case_list.page)."""
        return case_list.page(self.database.read, view, staff_id, wanted, speaks, limit=200).rows

    def case_page(
        self, view: str, staff: StaffRow, wanted: case_list.Wanted, place: case_list.Place
    ) -> case_list.CasePage:
        """A page of a view as a caseworker sees it (see case_list.page)."""
        return case_list.page(self.database.read, view, staff.id, wanted, staff.languages, place)

    def case_waiting(self) -> tuple[int, int]:
        """How many cases wait, and how many of them are urgent."""
        return cases.waiting(self.database.read)

    def case_counts(self, staff_id: int) -> dict[str, int]:
        """How many cases each view holds."""
        return case_list.counts(self.database.read, staff_id)

    # -- conversations

    def conversation_of(self, address: Address) -> int | None:
        """The conversation of an address, if there is one."""
        return inbox.address_of(self.database.read, address, create=False)[1] or None

    def speaker(self, conversation: int) -> dict[str, Any] | None:
        """Who speaks now, the fence of that change, the language."""
        return cases.speaker(self.database.read, conversation)

    def entries(self, conversation: int, after: int = 0, limit: int = 200, before: int | None = None) -> list[Entry]:
        """The transcript with every line's state: for the desk (see transcript.entries)."""
        return transcript.entries(self.database.read, conversation, after, limit, before)

    def entry(self, conversation: int, seq: int) -> Entry | None:
        """One line of the transcript."""
        return transcript.entry(self.database.read, conversation, seq)

    def entries_of(self, conversation: int, events: Sequence[str]) -> list[Entry]:
        """The lines that came with these events (see transcript.of_events)."""
        return transcript.of_events(self.database.read, conversation, events)

    def shown(self, conversation: int, after: int = 0, limit: int = 200) -> list[Entry]:
        """The transcript as the citizen may see it."""
        return transcript.shown(self.database.read, conversation, after, limit)

    def waiting_events(self, conversation: int) -> list[Event]:
        """Events accepted but not yet taken."""
        return leasing.waiting_events(self.database.read, conversation)

    def facts(self, conversation: int) -> list[tuple[str, str, Any]]:
        """(subject, fact, JSON value) told so far."""
        return transcript.facts(self.database.read, conversation)

    def told(self, conversation: int) -> list[Told]:
        """The facts told so far, with how and when."""
        return transcript.told(self.database.read, conversation)

    def state(self, conversation: int) -> str:
        """The dialogue's state document."""
        return transcript.state(self.database.read, conversation)

    def busy(self, conversation: int) -> bool:
        """Is there an event not yet taken or an answer not yet delivered?"""
        return transcript.busy(self.database.read, conversation)

    async def end(self, conversation: int) -> None:
        """The citizen left on this device for good."""
        await self.database.write(lambda c: transcript.end(c, conversation))

    # -- messaging platforms

    def menus_due(self, limit: int) -> list[MenuDue]:
        """Addresses whose platform menu is in another language than their conversation."""
        return platforms.menus_due(self.database.read, limit)

    async def new_menus(self, channel: str, version: str) -> None:
        """The platform has other menus than before: everybody gets theirs anew."""

        def change(connection: Connection) -> None:
            platforms.all_menus_due(connection, channel)
            platforms.keep(connection, f"menus.{channel}", version)

        await self.database.write(change)

    async def menu_linked(self, due: MenuDue) -> None:
        """The menu is right now."""
        await self.database.write(lambda c: platforms.menu_linked(c, due))

    def slow(self, seconds: float, limit: int) -> list[Slow]:
        """Events that wait longer than that (see platforms.slow)."""
        return platforms.slow(self.database.read, seconds, limit)

    async def tell_working(self, event: Slow, reply: Reply) -> bool:
        """Say that it takes longer (see platforms.tell_working)."""
        return await self.database.write(lambda c: platforms.tell_working(c, event, reply, turns.TOKEN_SECONDS))

    async def keep(self, name: str, value: str) -> None:
        """Remember a small thing, such as an id that a platform gave."""
        await self.database.write(lambda c: platforms.keep(c, name, value))

    def shared_secret(self, name: str) -> bytes:
        """32 random bytes, made by whichever server asks first and the same for all."""
        return bytes.fromhex(self.database.write_now(lambda c: platforms.keep_first(c, name, secrets.token_hex(32))))

    def kept(self, prefix: str) -> dict[str, str]:
        """The small things whose names start so."""
        return platforms.kept(self.database.read, prefix)

    def unnoticed(self) -> list[CaseRow]:
        """Cases the staff group was not told of (see cases.unnoticed)."""
        return cases.unnoticed(self.database.read)

    async def noticed(self, case: CaseRow) -> None:
        """The staff group was told."""
        await self.database.write(lambda c: cases.noticed(c, case))

    # -- what could not be answered

    async def purge_unanswered(self) -> int:
        """Drop rows past their time; how many there were."""
        return await self.database.write(unanswered.purge)

    # -- checks proposed as golden cases

    async def propose(self, staff_id: int, proposal: Proposal) -> None:
        """Keep a check whose verdict a caseworker thinks wrong."""
        await self.database.write(lambda c: proposals.add(c, staff_id, proposal))

    # -- staff

    def staff_by_name(self, name: str) -> StaffRow | None:
        """The account of a name."""
        return staff.by_name(self.database.read, name)

    def staff_count(self) -> int:
        """How many accounts there are."""
        return staff.count(self.database.read)

    def add_staff(self, name: str, role: str, password_hash: str) -> int:
        """A new account; ValueError when the name is taken."""
        return self.database.write_now(lambda c: staff.add(c, name, role, password_hash))

    async def set_password(self, staff_id: int, password_hash: str) -> None:
        """A new password; every session of the account ends."""
        await self._seen(lambda c: staff.set_password(c, staff_id, password_hash))

    async def open_session(self, token_hash: bytes, staff_id: int, confirmed: bool = True) -> None:
        """Remember a log-in (see staff.open_session)."""
        await self._seen(lambda c: staff.open_session(c, token_hash, staff_id, confirmed))

    async def touch_session(self, token_hash: bytes) -> None:
        """The session was used just now."""
        await self._seen(lambda c: staff.touch(c, token_hash))

    async def end_session(self, token_hash: bytes) -> None:
        """Log out."""
        await self._seen(lambda c: staff.end_session(c, token_hash))

    async def _seen(self, operation: Operation[None]) -> None:
        await self.database.write(operation)
        self._desk_moved()

    def _desk_moved(self) -> None:
        """Sessions began or ended: who used the desk last is looked up anew."""
        self._last_seen.forget()
        self._last_there.forget()

    def session(self, token_hash: bytes, idle: float, absolute: float) -> StaffRow | None:
        """Whose session it is, within the limits in seconds."""
        return staff.session(self.database.read, token_hash, idle, absolute)

    def staff_seen_within(self, seconds: float) -> bool:
        """Has anyone used the desk in the last `seconds`? Every turn asks: kept until the desk moves."""
        return time.time() - self._last_seen() < seconds

    def staff_last_there(self) -> float:
        """When anyone was at the desk last, logged out since or not, in Unix seconds. Kept like the above."""
        return self._last_there()

    async def note(self, staff_id: int | None, action: str, what: str, why: str = "") -> None:
        """One row of the audit trail (see audit.append)."""
        await self.audit.note(staff_id, action, what, why)

    def draft(self, case_id: int, staff_id: int) -> str:
        """A caseworker's unsent text."""
        return staff.draft(self.database.read, case_id, staff_id)

    async def keep_draft(self, case_id: int, staff_id: int, text: str) -> None:
        """Keep a caseworker's unsent text."""
        await self.database.write(lambda c: staff.keep_draft(c, case_id, staff_id, text))


def _committed(connection: Connection, thought: Thought, sender: str) -> Committed | None:
    try:
        return turns.commit(connection, *thought, sender)
    except StaleFence:  # raised before anything was written
        return None
