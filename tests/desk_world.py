"""A desk with something of every kind on it, seen by one person of every role, which can be put back as it was."""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from site_app import Browser, Site
from test_rights import Answer, ask, someone

from bot.desk.auth import token_hash
from bot.desk.phrasebook import packaged
from bot.desk.rights import Role
from bot.messages import Attachment, DataRequest
from bot.store import Store, attachments, casework, erasing, own_data, privacy, resume
from bot.store.database import Connection
from bot.store.phrases import Wording

PNG = b"\x89PNG\r\n\x1a\n of the case"
HUGE = "9" * 30
JUST_TOO_LARGE = str(2**63)
NOBODY = 999_999
SECRET = re.compile(r"secret-\d+-word")
# What a look may leave behind: the trail, and when a session was used. Servers give signs of life by themselves.
LOOKS = ("audit", "sqlite_sequence", "migrations", "servers")
UNCOUNTED = {"staff_sessions": "token_hash, staff_id, created_at, confirmed_at"}


@dataclass(frozen=True)
class Someone:
    """A person at the desk. `other`: the token hash of another session of theirs, in hex."""

    id: int
    name: str
    token: str
    other: str


@dataclass(repr=False)
class World:
    """`things[role][name]`: what that person writes in the place of an id for the thing of that name."""

    site: Site
    people: dict[str, Someone] = field(default_factory=dict)
    things: dict[str, dict[str, str]] = field(default_factory=dict)
    _snapshot: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:", check_same_thread=False))
    _digest: dict[str, Any] = field(default_factory=dict)

    def ask(self, role: str, method: str, path: str, form: Mapping[str, str] | None = None) -> Answer:
        """One request of that person; what a form holds is the query where a page is only opened."""
        if form and method == "GET":
            path, form = f"{path}?{urlencode(form)}", None
        return ask(self.site, method, path, self.people[role].token, dict(form or {}))

    def keep(self) -> None:
        """From now on this is how things are."""
        self.settle()
        with closing(sqlite3.connect(self.site.database)) as live:
            live.backup(self._snapshot)
        self._digest = digest(self.site)

    def changed(self, but: tuple[str, ...] = ()) -> list[str]:
        """The tables that are not as they were."""
        now = digest(self.site)
        return [table for table in now if now[table] != self._digest[table] and table not in but]

    def still_there(self) -> bool:
        """Is every row of before there, whatever came?"""
        now = digest(self.site)
        return all(set(rows) <= set(now[table]) for table, rows in self._digest.items())

    def put_back(self) -> None:
        """Everything as it was kept."""
        self.settle()
        with closing(sqlite3.connect(self.site.database, timeout=20)) as live:
            self._snapshot.backup(live)

    def settle(self) -> None:
        """Until nothing is on its way to anybody any more."""
        until = time.monotonic() + 10
        while self.site.rows("SELECT 1 FROM conversations WHERE pending + outgoing > 0"):
            assert time.monotonic() < until, "something never arrives"
            time.sleep(0.005)

    def fence(self, case: str) -> str:
        """The fence of a case's conversation; 0 where there is no such case."""
        if not (case.isdecimal() and len(case) < 12):
            return "0"
        sql = "SELECT v.speaker_fence FROM cases c JOIN conversations v ON v.id = c.conversation_id WHERE c.id = "
        found = self.site.rows(sql + case)
        return str(found[0][0]) if found else "0"


def digest(site: Site) -> dict[str, Any]:
    """Every table that a look must leave as it is."""
    with closing(sqlite3.connect(site.database, timeout=20)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: connection.execute(f"SELECT {UNCOUNTED.get(table, '*')} FROM {table}").fetchall()
            for table in tables
            if table not in LOOKS
        }


# -- building it


@dataclass
class _Builder:
    site: Site
    store: Store
    world: World
    secrets: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000)))

    def case(self, holder: str = "", then: str = "", **form: str) -> str:
        """A case of somebody new who told a secret; held by a person, and one more action of that person."""
        citizen = self.site.browser()
        self.tell(citizen)
        citizen.tap("handoff")
        ((number,),) = self.site.rows("SELECT max(id) FROM cases")
        if holder:
            self.act(holder, number, "claim")
        self.file(number)
        if then:
            self.act(holder, number, then, fence=self.world.fence(str(number)), **form)
        self.world.settle()
        return str(number)

    def tell(self, citizen: Browser) -> None:
        """Something that nobody else may read."""
        citizen.say(f"secret-{next(self.secrets)}-word")

    def act(self, role: str, case: int | str, action: str, **form: str) -> None:
        answer = self.world.ask(role, "POST", f"/desk/cases/{case}/{action}", form)
        assert answer.status == 303, (role, action, answer.status)
        assert "problem" not in answer.location, (role, action, answer.location)

    def file(self, case: int) -> None:
        """A kept file of the case's conversation, and a wish to be phoned."""
        conversation = self.conversation(str(case))

        def write(connection: Connection) -> None:
            ((address,),) = self.site.rows(f"SELECT address_id FROM conversations WHERE id = {conversation}")
            attachments.add(connection, conversation, address, "event", Attachment("image", "r", "a.png", "", 10))
            row = connection.one("SELECT max(id) AS id FROM attachments")
            assert row is not None
            attachments.keep(connection, row["id"], "image/png", PNG)
            casework.add_callback(connection, conversation, "event", ("0912345678", "", "zh-TW"))

        self.store.database.write_now(write)

    def conversation(self, case: str) -> int:
        """The conversation of a case."""
        ((number,),) = self.site.rows(f"SELECT conversation_id FROM cases WHERE id = {case}")
        return int(number)

    def newest(self, table: str, case: str) -> str:
        """The id of the newest row of a case's conversation in a table."""
        sql = f"SELECT max(id) FROM {table} WHERE conversation_id = {self.conversation(case)}"
        return str(self.site.rows(sql)[0][0])


def build(site: Site) -> World:
    """Everybody's things of every kind."""
    world, store = World(site), Store(site.database)
    builder = _Builder(site, store, world)
    try:
        for _ in range(3):  # so that no case has the number of its conversation
            builder.tell(site.browser())
        for name in (*Role, "chen", "wu"):
            world.people[name] = _person(site, name)
        shared = _shared_cases(builder)
        for role in Role:
            world.things[role] = {**shared, **_own_cases(builder, role)}
        _more(builder)
        _roles(builder)
        world.keep()
    finally:
        store.close()
    return world


def _person(site: Site, name: str) -> Someone:
    """Everybody is a senior at first: what they hold stays theirs when their role changes."""
    number, token = someone(site, "senior")
    second = secrets.token_urlsafe(8)
    with closing(sqlite3.connect(site.database, timeout=20)) as connection, connection:
        connection.execute("UPDATE staff SET name = ? WHERE id = ?", (name, number))
        connection.execute(
            "INSERT INTO staff_sessions SELECT ?, staff_id, created_at, seen_at, confirmed_at FROM staff_sessions"
            " WHERE staff_id = ?",
            (token_hash(second), number),
        )
    return Someone(number, name, token, token_hash(second).hex())


def _roles(builder: _Builder) -> None:
    with closing(sqlite3.connect(builder.site.database, timeout=20)) as connection, connection:
        for name, person in builder.world.people.items():
            role = {"chen": "agent", "wu": "senior"}.get(name, name)
            connection.execute("UPDATE staff SET role = ? WHERE id = ?", (role, person.id))


def _shared_cases(builder: _Builder) -> dict[str, str]:
    chen = builder.world.people["chen"]
    found = {
        "waiting": builder.case(),
        "aimed": builder.case("wu", "transfer", to=f"staff:{chen.id}"),
        "colleagues": builder.case("chen"),
        "colleagues_parked": builder.case("chen", "park", **{"for": "day"}),
        "colleagues_closed": builder.case("chen", "close"),
        "seniors": builder.case("wu"),
    }
    return found | {
        "absent": str(NOBODY),
        "zero": "0",
        "negative": "-1",
        "large": JUST_TOO_LARGE,
        "huge": HUGE,
        "word": "abc",
        "fraction": "1.0",
        "two": "1/2",
    }


def _own_cases(builder: _Builder, role: str) -> dict[str, str]:
    restricted, forgotten = builder.case(role), builder.case(role)
    kept_apart, erased = (builder.conversation(case) for case in (restricted, forgotten))
    own = {
        "mine": builder.case(role),
        "parked": builder.case(role, "park", **{"for": "day"}),
        "closed": builder.case(role, "close"),
        "restricted": restricted,
        "forgotten": forgotten,
    }
    own |= {f"file_{name}": builder.newest("attachments", case) for name, case in own.items()}
    builder.store.database.write_now(lambda c: own_data.restrict(c, kept_apart, on=True))
    builder.store.database.write_now(lambda c: _erase(c, erased))
    return own


def _erase(connection: Connection, conversation: int) -> None:
    erasing.erase(connection, conversation, "asked")


def _more(builder: _Builder) -> None:
    """Things that are not cases: files, wishes to be phoned, requests, accounts, sessions, sentences, links."""
    world, store = builder.world, builder.store
    shared = _accounts(builder) | _requests(builder) | _phrases(builder) | _days(builder)
    ((conversation,),) = builder.site.rows("SELECT max(id) FROM conversations")
    ((unanswered,),) = builder.site.rows("SELECT max(id) FROM unanswered")
    for role in Role:
        things, me = world.things[role], world.people[role]
        things |= shared | {"conversation": str(conversation), "unanswered": str(unanswered)}
        for name in ("waiting", "colleagues", "colleagues_closed", "seniors"):
            things[f"file_{name}"] = builder.newest("attachments", things[name])
        things["callback"] = builder.newest("callbacks", things["mine"])
        things["callback_elsewhere"] = builder.newest("callbacks", things["colleagues"])
        things["seq"], things["seq_bot"] = _lines(builder, things["mine"])
        things["self"] = str(me.id)
        things["session"], things["session_of_another"] = me.other, world.people["chen"].other
        things["token"] = me.token
        things["fence"] = world.fence(things["mine"])
        things["fence_elsewhere"] = str(int(things["fence"]) + 40)
    store.database.write_now(lambda c: resume.issue(c, 1, "r" * 22))
    store.database.write_now(lambda c: own_data.issue(c, 1, "m" * 22))
    world.things["citizen"] = {
        "resume": "r" * 22,
        "copy": "m" * 22,
        "made_up": "x" * 22,
        "hash": token_hash("m" * 22).hex(),
        "huge": "m" * 5000,
        "markup": "<b>pwn",
        "quote": "'; DROP TABLE cases;--",
        "up": "..",
    }


def _lines(builder: _Builder, case: str) -> tuple[str, str]:
    """The numbers of a line of the citizen and of one of the bot."""
    sql = f"SELECT author, min(seq) FROM messages WHERE conversation_id = {builder.conversation(case)} GROUP BY author"
    found = dict(builder.site.rows(sql))
    return str(found["citizen"]), str(found["bot"])


def _accounts(builder: _Builder) -> dict[str, str]:
    site, world = builder.site, builder.world
    disabled, _ = someone(site, "agent")
    with closing(sqlite3.connect(site.database, timeout=20)) as connection, connection:
        connection.execute("UPDATE staff SET disabled = 1 WHERE id = ?", (disabled,))
    second, _ = someone(site, "admin")
    return {
        "other": str(world.people["chen"].id),
        "other_admin": str(second),
        "auditor": str(world.people[Role.AUDITOR].id),
        "disabled": str(disabled),
    }


def _requests(builder: _Builder) -> dict[str, str]:
    """Requests of citizens: open, of somebody under legal hold, settled, and of somebody whose data is gone."""
    store = builder.store

    def asked(conversation: int | None, settled: bool = False) -> str:
        request = DataRequest("see", settled)

        def write(connection: Connection) -> int:
            if conversation is None:
                own_data.forgotten(connection, "web", "zh-TW")
            else:
                own_data.ask(connection, conversation, request, "zh-TW")
            row = connection.one("SELECT max(id) AS id FROM privacy_requests")
            assert row is not None
            return int(row["id"])

        return str(store.database.write_now(write))

    things = builder.world.things[Role.AGENT]
    open_case, held, settled = (builder.conversation(things[name]) for name in ("mine", "parked", "closed"))
    requests = {
        "request": asked(open_case),
        "request_held": asked(held),
        "request_settled": asked(settled, settled=True),
        "request_gone": asked(None),
    }
    store.database.write_now(lambda c: privacy.hold(c, held, builder.world.people[Role.ADMIN].id, "a lawsuit"))
    number = dict(builder.site.rows("SELECT id, number FROM cases"))
    return requests | {
        "held_conversation": str(held),
        "open_conversation": str(open_case),
        "case_number": number[int(things["mine"])],
    }


def _phrases(builder: _Builder) -> dict[str, str]:
    """Sentences: one of the package, one of the desk, one that is retired."""
    store, resources = builder.store, builder.site.resources
    known = packaged(resources.knowledge, resources.catalog)
    key = min(key for key, phrase in known.items() if not phrase.slots)
    words = {lang: "您好，請稍等。" for lang in resources.languages}
    boss = builder.world.people[Role.SENIOR].id
    run: Callable[..., Any] = builder.site.portal.call
    own = run(store.phrases.keep, "", 0, Wording(words), boss)
    retired = run(store.phrases.keep, "", 0, Wording(words, retired=True), boss)
    return {
        "packaged": key,
        "own_phrase": own,
        "retired": retired,
        "no_phrase": "no.such",
        "quote": "x'--",
        "up": "..",
    }


def _days(builder: _Builder) -> dict[str, str]:
    """A day that was set, and one that was not."""
    today = builder.site.resources.clock().date()
    day, usual = (str(today + timedelta(days=number)) for number in (30, 31))
    builder.site.portal.call(builder.store.hours.put, builder.world.people[Role.SENIOR].id, day, "", "a typhoon")
    return {"day": day, "day_usual": usual}


def secrets_in(text: str) -> list[str]:
    """What citizens told in confidence and a page shows."""
    return SECRET.findall(text)
