"""The desk's part of a filled store: cases and what belongs to them, accounts, the audit trail, requests."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bench.recording import Talk
from bot.store.audit import chained
from bot.store.codec import encode, encode_bytes

DAYS = 85  # within what the default settings keep
DAY = 86400.0
REASONS = {"asked": 80, "callback": 12, "voice": 5, "urgent": 3}
OUTCOMES = {"answered": 70, "referred": 15, "unreachable": 8, "withdrawn": 5, "other": 2}
FILE_BYTES = 40_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much: `messages_per` in the mean; `cases` None: one of each conversation, else spread evenly.

    Of the newest cases `waiting` and `held` are open. Beside the mean, `long` open and as many closed cases have
    `long_messages` lines, and one has `longest`. `files` at most, of FILE_BYTES each.
    """

    conversations: int
    messages_per: int = 20
    cases: int | None = None
    waiting: int = 300
    held: int = 60
    long: int = 10
    long_messages: int = 400
    longest: int = 5000
    staff: int = 40
    files: int = 1500


@dataclass
class Filled:
    """What is there now: cases by kind, tokens of web visitors, how long it took in seconds."""

    conversations: int = 0
    messages: int = 0
    waiting: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    longest: int = 0
    numbers: list[str] = field(default_factory=list)  # of closed cases
    visitors: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class One:
    """A conversation in the making. `state` of its case: none, waiting, human, closed; `marks`: times of the case."""

    id: int
    at: float
    lang: str
    channel: str
    talk: Talk
    state: str = "none"
    case: int = 0
    staff: int | None = None
    lines: int = 0
    seq: int = 0
    turns: int = 0
    clock: float = 0.0
    parked: bool = False
    marks: dict[str, Any] = field(default_factory=dict)


class Rows:
    """Rows of each table on their way: written some thousand at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = {}

    def add(self, table: str, **columns: Any) -> None:
        """One row; the columns left out have their default."""
        self._rows.setdefault((table, tuple(columns)), []).append(tuple(columns.values()))

    def flush(self) -> None:
        """Write what is there, conversations and cases before what refers to them."""
        for (table, columns), rows in sorted(self._rows.items()):
            marks = ", ".join("?" * len(columns))
            self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        self._rows.clear()


def pick(chance: random.Random, weights: dict[str, int]) -> str:
    """One of the names by its weight."""
    return chance.choices(list(weights), list(weights.values()))[0]


class DeskRows:
    """Writes the rows; the audit trail is one chain over all of them."""

    def __init__(self, rows: Rows, chance: random.Random, size: Size, now: float) -> None:
        self._rows, self._chance, self._size, self._now = rows, chance, size, now
        self._trail: dict[str, Any] = {"id": 0, "hash": ""}
        self._picture = encode_bytes(b"\xff\xd8\xff\xe0" + chance.randbytes(FILE_BYTES))
        self._files = 0

    def case(self, one: One) -> str:
        """A case with its history; returns its number."""
        chance, closed = self._chance, one.state == "closed"
        day = time.strftime("%Y%m%d", time.gmtime(one.at + 8 * 3600))
        number = f"{day}-{one.case:05d}"
        passed = not closed and chance.random() < 0.1
        self._rows.add(
            "cases",
            id=one.case,
            conversation_id=one.id,
            number=number,
            state=one.state,
            reason=pick(chance, REASONS),
            topic=one.talk.topic,
            lang=one.lang,
            channel=one.channel,
            urgent=int(chance.random() < 0.04),
            holder=one.staff,
            noticed=2,
            for_lang=one.lang if passed and one.state == "waiting" else "",
            outcome=pick(chance, OUTCOMES) if closed else "",
            **dict.fromkeys(
                (
                    "opened_at",
                    "claimed_at",
                    "answered_at",
                    "first_answer_at",
                    "closed_at",
                    "closed_seq",
                    "parked_at",
                    "parked_until",
                )
            )
            | one.marks,
        )
        self._work(one)
        return number

    def _work(self, one: One) -> None:
        """History, notes, wishes to be phoned, files, ratings and the audit trail of a case."""
        chance, rows = self._chance, self._rows
        at = one.marks.get("claimed_at", one.clock)
        steps = ["claimed", "closed"] if one.state == "closed" else ["claimed"] if one.state == "human" else []
        steps += [
            step for step, share in (("transferred", 0.1), ("taken_over", 0.03)) if steps and chance.random() < share
        ]
        for step in steps:
            rows.add("case_log", case_id=one.case, at=at, staff_id=one.staff, what=step, detail="")
        for action in ("case.open", "case.claim", "case.close")[: 1 + len(steps)] if steps else ():
            self._note(at, one.staff, action, f"case/{one.case}")
        if one.staff and chance.random() < 0.3:
            text = encode("已電話確認，資料齊全後再請同仁協助收件。")
            rows.add("case_notes", case_id=one.case, staff_id=one.staff, at=at, body=text)
        if chance.random() < 0.08:
            done = {"done_at": at, "done_by": one.staff} if one.staff else {"done_at": None, "done_by": None}
            phone, event = encode("0900000000"), f"{one.id}:{one.turns}"
            rows.add(
                "callbacks", conversation_id=one.id, event_id=event, at=one.at, number=phone, lang=one.lang, **done
            )
        if one.state == "human" and chance.random() < 0.5:
            rows.add("drafts", case_id=one.case, staff_id=one.staff, body=encode("您好，"))
        if one.channel != "web" and self._files < self._size.files and chance.random() < 0.06:
            self._file(one)
        if one.state == "closed" and chance.random() < 0.2:
            self._rating(one)

    def _file(self, one: One) -> None:
        self._files += 1
        self._rows.add(
            "attachments",
            conversation_id=one.id,
            address_id=one.id,
            event_id=f"{one.id}:{max(0, one.turns - 2)}",
            at=one.at,
            kind="image",
            ref="",
            name=encode("photo.jpg"),
            mime="image/jpeg",
            size=FILE_BYTES,
            state="kept",
            attempts=1,
            due_at=one.at,
            body=self._picture,
        )

    def _rating(self, one: One) -> None:
        self._rows.add(
            "ratings",
            at=one.clock,
            conversation_id=one.id,
            case_id=one.case,
            lang=one.lang,
            channel=one.channel,
            helped=int(self._chance.random() < 0.8),
            words="",
        )

    # -- what belongs to no conversation

    def _note(self, at: float, staff_id: int | None, action: str, what: str) -> None:
        """A row of the audit trail, chained to the one before."""
        row = {"id": self._trail["id"] + 1, "at": at, "staff_id": staff_id, "action": action, "object": what, "why": ""}
        row["hash"] = chained(self._trail["hash"], row)
        self._trail = row
        self._rows.add("audit", **row)

    def staff(self) -> None:
        """The accounts of caseworkers."""
        for number in range(1, self._size.staff + 1):
            self._rows.add(
                "staff",
                id=number,
                name=f"caseworker-{number:02d}",
                role="agent" if number % 8 else "senior",
                password_hash="-",
                must_change=0,
                created_at=self._now - 2 * DAYS * DAY,
                on_duty=number % 2,
                languages="zh-TW vi" if number % 3 == 0 else "zh-TW",
            )
        self._rows.flush()

    def beside(self, topics: Iterable[str]) -> None:
        """Requests about one's own data, receipts, how often phrases were used."""
        count, kinds = max(20, self._size.conversations // 200), ("see", "copy", "correct", "stop", "delete")
        for number in range(count):
            is_open, opened = number >= count - 20, self._now - (count - number) * DAYS * DAY / (count + 1) / 4
            self._rows.add(
                "privacy_requests",
                conversation_id=1 + number * self._size.conversations // count,
                kind=kinds[number % len(kinds)],
                channel="line",
                lang="zh-TW",
                opened_at=opened,
                due_at=opened + 30 * DAY,
                state="open" if is_open else "done",
                settled_at=None if is_open else opened + DAY,
            )
            self._rows.add("erasures", day=int(opened // DAY), channel="web", why="asked", counts='{"messages": 12}')
        for topic in topics:
            for phrase in range(5):
                self._rows.add("phrase_uses", phrase=f"phrasebook.{phrase}", topic=topic, uses=phrase * 7)
