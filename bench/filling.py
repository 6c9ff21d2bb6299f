"""Fills a store with conversations as the program writes them, in bulk: a desk, or a city, after months of use."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from bench.filling_desk import DAY, DAYS, DeskRows, Filled, One, Rows, Size, pick
from bench.recording import Line, Talk
from bot.channels.visitors import Keys
from bot.store.codec import encode
from bot.store.database import migrate

OPEN_DAYS = 1.5  # the cases that are open came lately
FLUSH = 2000  # conversations
LANGUAGES = {"zh-TW": 62, "id": 12, "vi": 11, "th": 5, "fil": 5, "en": 5}
CHANNELS = {"line": 45, "web": 35, "telegram": 15, "hook": 5}
VISITORS = 50
NUMBERS = 100
WORDS = {  # what caseworkers write
    "zh-TW": ("您好，我是承辦人員，請問您的戶籍在新北市嗎？", "請準備身分證影本與存摺封面，本週內送件即可。"),
    "en": ("Hello, is your household registered in the city?", "Please bring a copy of your ID and of your bankbook."),
    "vi": ("Chào bạn, bạn có hộ khẩu ở thành phố không?", "Bạn vui lòng mang bản sao giấy tờ và sổ ngân hàng."),
    "id": ("Halo, apakah Anda terdaftar di kota ini?", "Mohon bawa salinan kartu identitas dan buku bank."),
    "th": ("สวัสดีค่ะ คุณมีทะเบียนบ้านในเมืองนี้ไหมคะ", "กรุณานำสำเนาบัตรและสมุดบัญชีมาด้วยค่ะ"),
    "fil": ("Kumusta po, nakarehistro po ba kayo sa lungsod?", "Pakidala po ang kopya ng ID at ng bankbook."),
}


def fill(path: Path, talks: Sequence[Talk], size: Size, key: bytes = b"", seed: int = 7) -> Filled:
    """Fill the store at `path`, which is made if it is missing and must hold no conversation. The same seed makes the
    same contents, times apart. `talks`: see recording.record; `key`: the installation's key for web sessions."""
    began = time.perf_counter()
    migrate(path)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-200000")
        connection.execute("BEGIN")
        filled = _Filler(connection, talks, size, Keys(key) if key else None, seed).run()
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    filled.seconds = time.perf_counter() - began
    return filled


class _Filler:
    def __init__(
        self, connection: sqlite3.Connection, talks: Sequence[Talk], size: Size, keys: Keys | None, seed: int
    ) -> None:
        self._connection, self._size, self._keys = connection, size, keys
        self._talks = {lang: [talk for talk in talks if talk.lang == lang] for lang in LANGUAGES}
        self._chance = random.Random(seed)
        self._rows = Rows(connection)
        self._now = time.time()
        self._desk_rows = DeskRows(self._rows, self._chance, size, self._now)
        self._lengths = self._all_lengths()
        self._cases = 0
        self.filled = Filled()

    def run(self) -> Filled:
        self._desk_rows.staff()
        self._rows.flush()
        for number in range(1, self._size.conversations + 1):
            self._conversation(number)
            if number % FLUSH == 0:
                self._rows.flush()
        self._desk_rows.beside(sorted({talk.topic for talks in self._talks.values() for talk in talks}))
        self._rows.flush()
        return self.filled

    # -- how much, of what, when

    @property
    def _all_cases(self) -> int:
        return self._size.conversations if self._size.cases is None else self._size.cases

    def _all_lengths(self) -> list[int]:
        """Lines of each conversation: many short ones, few long ones, `messages_per` in the mean."""
        size, count = self._size, self._size.conversations
        drawn = [self._chance.gammavariate(1.6, 1.0) for _ in range(count)]
        scale = max(0.0, (size.messages_per - 6) * count / sum(drawn))
        lengths = [int(6 + one * scale) for one in drawn]
        for index in range(max(0, size.messages_per * count - sum(lengths))):  # what rounding down took away
            lengths[index % count] += 1
        for index, length in self._special().items():
            lengths[index] = length
        return lengths

    def _special(self) -> dict[int, int]:
        """Which conversations (counted from 0) are very long: among the open cases, and among those closed lately."""
        size, last = self._size, self._size.conversations - 1
        shown = min(size.waiting + size.held, self._all_cases)
        if size.long * 4 > last or shown < size.long:
            return {}
        each = max(1, size.conversations // max(1, self._all_cases))
        step = shown // size.long * each
        found = {last - number * step - number % 2: size.long_messages for number in range(size.long)}
        found |= {last - (shown + 1 + number) * each: size.long_messages for number in range(size.long)}
        found[last - 2 * each] = size.longest
        return found

    def _begins(self, number: int) -> float:
        """When a conversation began: evenly over the weeks, the last ones within the last days."""
        lately = self._size.waiting + self._size.held
        behind = self._size.conversations - number
        if behind < lately:
            return self._now - OPEN_DAYS * DAY * (behind + 1) / (lately + 1) - 3600
        share = (number - 1) / max(1, self._size.conversations - lately)
        return self._now - DAYS * DAY + share * (DAYS - OPEN_DAYS - 1) * DAY

    # -- a conversation and what belongs to it

    def _conversation(self, number: int) -> None:
        lang, channel = pick(self._chance, LANGUAGES), pick(self._chance, CHANNELS)
        one = One(number, self._begins(number), lang, channel, self._chance.choice(self._talks[lang]))
        one.lines, one.clock = self._lengths[number - 1], one.at
        if number * self._all_cases // self._size.conversations > self._cases:
            self._open(one)
        self._talk(one)
        self._rows.add(
            "conversations",
            id=one.id,
            opened_at=one.at,
            updated_at=one.clock,
            lang=lang,
            state=one.talk.state,
            speaker={"waiting": "waiting", "human": "human"}.get(one.state, "bot"),
            holder=one.staff if one.state == "human" else None,
            fence=one.turns + 2,
            speaker_fence=one.turns + 1,
            next_seq=one.seq + 1,
            taken_ms=int(one.clock * 1000),
            address_id=one.id,
            barred=int(self._chance.random() < 0.002),
        )
        self._rows.add(
            "addresses", id=one.id, conversation_id=one.id, channel=channel, account="", user_id=self._user(channel)
        )
        for subject, fact, value in one.talk.facts:
            self._rows.add("facts", conversation_id=one.id, subject=subject, fact=fact, value=value, at=one.at)
        if one.case:
            name = self._desk_rows.case(one)
            if one.state == "closed" and len(self.filled.numbers) < NUMBERS:
                self.filled.numbers.append(name)
        self.filled.conversations += 1

    def _user(self, channel: str) -> str:
        if channel != "web" or self._keys is None or len(self.filled.visitors) >= VISITORS:
            return self._chance.randbytes(32 if channel == "web" else 16).hex()
        token = self._keys.issue()
        self.filled.visitors.append(token)
        return hashlib.sha256(token.encode()).hexdigest()

    def _open(self, one: One) -> None:
        """It has a case: the newest ones wait or are held, the others are closed."""
        self._cases += 1
        behind = self._all_cases - self._cases
        one.case = self._cases
        every = max(2, (self._size.waiting + self._size.held) // max(1, self._size.held))
        if behind >= self._size.waiting + self._size.held:
            one.state = "closed"
        else:
            one.state = "human" if behind % every == 0 and len(self.filled.held) < self._size.held else "waiting"
        one.staff = None if one.state == "waiting" else self._chance.randint(1, self._size.staff)
        kept = {"waiting": self.filled.waiting, "human": self.filled.held, "closed": self.filled.closed}[one.state]
        kept.append(one.case)
        if one.lines == self._size.long_messages:
            self.filled.long.append(one.case)
        elif one.lines == self._size.longest:
            self.filled.longest = one.case

    def _talk(self, one: One) -> None:
        """First the bot's turns, over and over; then the wish for a person, and what the two said."""
        end = one.talk.turns[-1] if one.case else ()
        desk = 0 if one.state in ("none", "waiting") else max(2, min(12, one.lines // 3))
        while one.seq < one.lines - desk - len(end):
            room = one.lines - desk - len(end) - one.seq
            self._turn(one, one.talk.turns[one.turns % (len(one.talk.turns) - 1)][:room])
        if end:
            one.marks["opened_at"] = one.clock + 5
            self._turn(one, end)
        if desk:
            self._desk(one, desk)

    def _turn(self, one: One, lines: Sequence[Line]) -> None:
        """The citizen's line and its answers, and their delivery."""
        event = f"{one.id}:{one.turns}"
        one.turns += 1
        one.clock += 20 + 40 * self._chance.random()
        for line in lines:
            self._line(one, line.author, line.body, line.reading, event if line.author == "citizen" else "")
        self._rows.add("seen", key=hashlib.sha256(event.encode()).digest(), day=int(one.clock // DAY))
        if len(lines) > 1:
            self._delivery(one, len(lines) - 1, "bot", event)
        reading = lines[0].reading
        if '"decision": "clarify"' in reading or '"decision": "refuse"' in reading:
            self._missed(one, event, reading)

    def _line(self, one: One, author: str, body: str, reading: str = "", event: str = "") -> None:
        one.seq += 1
        self.filled.messages += 1
        one.clock += 0.3
        self._rows.add(
            "messages",
            conversation_id=one.id,
            seq=one.seq,
            author=author,
            staff_id=one.staff if author == "staff" else None,
            address_id=one.id,
            event_id=event,
            at=one.clock,
            body=body,
            reading=reading,
            status="failed" if author != "citizen" and self._chance.random() < 0.002 else "sent",
        )

    def _delivery(self, one: One, lines: int, author: str, event: str = "", notice: str = "") -> None:
        self._rows.add(
            "outbox",
            conversation_id=one.id,
            address_id=one.id,
            in_reply_to=event,
            first_seq=one.seq - lines + 1,
            last_seq=one.seq,
            author=author,
            notice=notice,
            fence=one.turns,
            retry_key=str(uuid.UUID(int=self._chance.getrandbits(128))),
            state="sent",
            attempts=1,
            created_at=one.clock,
            settled_at=one.clock + 0.2,
        )

    def _missed(self, one: One, event: str, reading: str) -> None:
        self._rows.add(
            "unanswered",
            conversation_id=one.id,
            event_id=event,
            at=one.clock,
            lang=one.lang,
            decision="clarify" if "clarify" in reading else "refuse",
            text=encode("…"),
            offered="screening p14",
            state=self._chance.choice(("new", "dismissed", "adopted")),
        )

    # -- the desk's part

    def _desk(self, one: One, lines: int) -> None:
        """Claimed; caseworker and citizen take turns; closed, or the caseworker spoke last."""
        one.clock += 60 + 3000 * self._chance.random() if one.state == "closed" else 30
        one.marks["claimed_at"] = one.clock
        notice = one.talk.turns[-1][-1].body
        self._line(one, "bot", notice)
        self._delivery(one, 1, "bot", notice="case")
        for number in range(lines - (2 if one.state == "closed" else 1)):
            one.clock += 30
            if number % 2:
                words = one.talk.turns[number % len(one.talk.turns)][0]
                self._line(one, "citizen", words.body, "", f"{one.id}:d{number}")
                continue
            text = self._chance.choice(WORDS[one.lang])
            self._line(one, "staff", encode(f'{{"text": "{text}", "lang": "{one.lang}"}}'))
            self._delivery(one, 1, "staff")
            one.marks["answered_at"] = one.clock
            one.marks.setdefault("first_answer_at", one.clock)
        if one.state == "closed":
            self._line(one, "bot", notice)
            self._delivery(one, 1, "bot", notice="case")
            one.marks |= {"closed_at": one.clock, "closed_seq": one.seq}
        else:
            one.marks["answered_at"] = one.clock
        if one.state == "human" and self._chance.random() < 0.2:
            one.marks |= {"parked_at": one.clock, "parked_until": self._now + DAY}


def main() -> None:
    """`python -m bench.filling FILE CONVERSATIONS MESSAGES_PER`: fill a store to look at."""
    import sys

    from bench.recording import record
    from bot.pipeline.resources import load_resources

    path, conversations, each = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    filled = fill(path, record(load_resources()), Size(conversations, each))
    megabytes = path.stat().st_size / 1e6
    print(f"{filled.conversations:,} conversations, {filled.messages:,} messages: {megabytes:,.0f} MB")
    print(f"filled in {filled.seconds:.0f} s")


if __name__ == "__main__":
    main()
