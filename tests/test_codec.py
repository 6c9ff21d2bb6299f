"""What is kept is sealed where there are keys: round trips, faults, rotation; no word of anybody stands plain."""

from __future__ import annotations

import asyncio
import base64
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from engines import place
from hypothesis import given
from hypothesis import strategies as st
from site_app import Site, running
from storing import address, answers, now, opened, rows, said, staff, take, told, waiting_case

from bot import keys
from bot.channels.checkup import Finding, Level
from bot.cli.doctor import _encryption
from bot.cli.main import main
from bot.config import ConfigError, load
from bot.messages import Attachment
from bot.pipeline.resources import Resources
from bot.store import Store, StoreUnavailable, attachments, codec, exists, rekeying, taking_back
from bot.store.codec import Keyring, UnknownKey, Unreadable, decode, encode
from bot.store.connection import Connection
from bot.store.schema import MIGRATIONS

OLD, NEW, OTHER = ("old", b"o" * 32), ("new", b"n" * 32), ("other", b"x" * 32)
SECRET = "planted-7f3a-陳金枝"


@pytest.fixture(autouse=True)
def _keys_put_back() -> Iterator[None]:
    before = codec.use(None)
    yield
    codec.use(before)


def under(*given: tuple[str, bytes]) -> None:
    """This process has these keys."""
    codec.use_keys(given)


def setting(*given: tuple[str, bytes]) -> str:
    return ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in given)


# -- one text


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary())
def test_round_trip(text: str, content: bytes) -> None:
    for ring in ((), (NEW,), (OLD, NEW)):
        under(*ring)
        assert decode(encode(text)) == text
        assert codec.decode_bytes(codec.encode_bytes(content)) == content
        if ring:
            assert encode(text) != encode(text)
            assert encode(text).startswith(f"E{ring[0][0]}:")


def test_plain_and_older_ones_stay_readable() -> None:
    plain = encode("a"), codec.encode_bytes(b"a")
    under(OLD)
    old = encode("b"), codec.encode_bytes(b"b")
    under(NEW, OLD)
    assert (decode(plain[0]), codec.decode_bytes(plain[1])) == ("a", b"a")
    assert (decode(old[0]), codec.decode_bytes(old[1])) == ("b", b"b")
    assert decode("") == ""
    assert (codec.key_of(plain[0]), codec.key_of(old[0]), codec.key_of(encode("c"))) == ("", "old", "new")


@pytest.mark.parametrize("text", ["", "a", "ab", "abc", SECRET])
def test_no_bit_can_be_changed(text: str) -> None:
    under(NEW)
    stored = encode(text)
    for letter in range(len(stored)):
        for bit in range(7):
            changed = stored[:letter] + chr(ord(stored[letter]) ^ (1 << bit)) + stored[letter + 1 :]
            with pytest.raises(Unreadable):
                decode(changed)
    content = codec.encode_bytes(text.encode())
    for number in range(8 * len(content)):
        changed_bytes = bytearray(content)
        changed_bytes[number // 8] ^= 1 << number % 8
        with pytest.raises(Unreadable):
            codec.decode_bytes(bytes(changed_bytes))


@pytest.mark.parametrize("cut", [1, 4, 5, 20, -1, -4])
def test_what_was_cut_off_is_refused(cut: int) -> None:
    under(NEW)
    with pytest.raises(Unreadable):
        decode(encode(SECRET)[:cut])
    with pytest.raises(Unreadable):
        codec.decode_bytes(codec.encode_bytes(SECRET.encode())[:cut])


def test_a_text_of_one_kind_is_none_of_the_other_key() -> None:
    under(NEW)
    stored = encode(SECRET)
    codec.use(Keyring((("new", b"w" * 32),)))
    with pytest.raises(Unreadable) as wrong:
        decode(stored)
    assert SECRET not in str(wrong.value)
    under(OLD)
    with pytest.raises(UnknownKey, match="'new'"):
        decode(stored)
    under()
    with pytest.raises(UnknownKey, match="'new'"):
        decode(stored)
    assert issubclass(UnknownKey, StoreUnavailable)


def test_several_threads_use_the_same_key() -> None:
    under(NEW)
    wrong: list[str] = []

    def work(name: str) -> None:
        for n in range(500):
            text = f"{name}-{n}" * 20
            if decode(encode(text)) != text:
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


# -- the setting


def test_the_setting() -> None:
    assert load({}).store_keys == ()
    assert load({"LABOR_BOT_STORE_KEYS": f" {setting(NEW)}\n,{setting(OLD)},"}).store_keys == (NEW, OLD)
    ((name, key),) = keys.keys_of(keys.fresh_key())
    assert len(key) == 32
    assert keys.fresh_key() != keys.fresh_key(name)
    assert keys.fresh_key("2026-a").startswith("2026-a:")


@pytest.mark.parametrize(
    "wrong", ["x", "x:", "x:AAAA", "x:AAAA~~~~", f"a b:{'A' * 43}=", f"{setting(NEW)},{setting(NEW)}", ":" + "A" * 44]
)
def test_a_bad_setting_is_told_without_the_key(wrong: str) -> None:
    with pytest.raises(ConfigError, match="LABOR_BOT_STORE_KEYS must") as told_so:
        load({"LABOR_BOT_STORE_KEYS": wrong})
    assert wrong.partition(":")[2] == "" or wrong.partition(":")[2] not in str(told_so.value)


# -- the store


def columns_marked() -> dict[tuple[str, str], str]:
    """(table, column) to type of everything marked (codec) in the migrations."""
    found, table = {}, ""
    for path in sorted(MIGRATIONS.glob("*.sql")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if here := re.match(r"CREATE TABLE (\w+)", line):
                table = here[1]
            if "-- (codec)" in line:
                named = re.match(r"(?:ALTER TABLE (\w+) ADD COLUMN|   )\s*(\w+) (\w+)", line)
                assert named, line
                found[named[1] or table, named[2]] = named[3].rstrip(",")
    return found


def test_the_list_holds_every_column_marked_in_the_migrations() -> None:
    kinds = {rekeying.TEXT: "TEXT", rekeying.BYTES: "BLOB", rekeying.CHAINED: "TEXT"}
    assert {(table, column): kinds[kind] for table, column, kind in rekeying.COLUMNS} == columns_marked()


def test_rows_are_named_as_the_schema_names_them(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "t.db")) as store:
        for table in {table for table, _, _ in rekeying.COLUMNS}:
            info = rows(store, f"PRAGMA table_info({table})")
            key = [row[1] for row in sorted(info, key=lambda row: row[5]) if row[5]]
            assert tuple(key) == rekeying.KEYS.get(table, ("id",)), table


def everything(store: Store) -> dict[str, list[Any]]:
    """What is kept, read."""
    found: dict[str, list[Any]] = {}
    for table, column, kind in rekeying.COLUMNS:
        read = (lambda stored: stored and codec.decode_bytes(bytes(stored))) if kind == rekeying.BYTES else decode
        found[f"{table}.{column}"] = sorted(
            (read(value) for (value,) in rows(store, f"SELECT {column} FROM {table}")), key=repr
        )
    return found


def heads(store: Store) -> dict[str, set[str]]:
    """Under which keys each column is; public texts left out."""
    found: dict[str, set[str]] = {}
    for table, column, _ in rekeying.COLUMNS:
        values = [value for (value,) in rows(store, f"SELECT {column} FROM {table}") if value]
        kept = [value if isinstance(value, str) else bytes(value) for value in values]
        found[f"{table}.{column}"] = {codec.key_of(value) for value in kept if value not in rekeying.PUBLIC}
    return found


async def fill(store: Store, name: str) -> None:
    """A row of every kind that is kept."""
    lin = await staff(store, f"lin{name}")
    case = await waiting_case(store, name)
    await take(store, said(f"e{name}", SECRET, user=name))
    await store.note(lin, "case.open", f"case/{case}", SECRET)
    await store.keep_draft(case, lin, SECRET)
    await store.database.write(lambda c: plant(c, case, lin, name))


PLANTED = (  # bound by name
    "INSERT INTO facts (conversation_id, subject, fact, value, at) VALUES (:v, 'self', 'a', :s, 0)",
    "INSERT INTO facts (conversation_id, subject, fact, value, at) VALUES (:v, 'self', 'b', :s, 0)",
    "INSERT INTO unanswered (conversation_id, event_id, at, lang, decision, text) VALUES (:v, 'e', 0, '', '', :s)",
    "INSERT INTO misread (conversation_id, event_id, at, staff_id, lang, text, understood, meant)"
    " VALUES (:v, 'e', 0, :l, '', :s, '', '')",
    "INSERT INTO masked (conversation_id, event_id, seq, kind, at, body) VALUES (:v, 'e', 1, '', 0, :s)",
    "INSERT INTO proposals (at, staff_id, rule, verdict, expect, given, day, note)"
    " VALUES (0, :l, '', '', '', :s, '', :s)",
    "INSERT INTO case_log (case_id, at, staff_id, what, detail) VALUES (:c, 0, :l, 'x', :s)",
    "INSERT INTO case_log (case_id, at, staff_id, what, detail) VALUES (:c, 0, :l, 'x', '')",
    "INSERT INTO case_notes (case_id, at, staff_id, body) VALUES (:c, 0, :l, :s)",
    "INSERT INTO callbacks (conversation_id, event_id, at, number, wish, lang) VALUES (:v, 'e', 0, :s, :s, '')",
    "INSERT INTO ratings (at, conversation_id, lang, channel, helped, words) VALUES (0, :v, '', '', 1, :s)",
    "INSERT INTO inbox (conversation_id, address_id, event_id, sent_ms, body, accepted_at, state)"
    " VALUES (:v, :a, :n, 0, :s, 0, 'failed')",
    "UPDATE staff SET totp = :s, totp_wanted = :s WHERE id = :l",
    "UPDATE conversations SET state = :s WHERE id = :v",
    "UPDATE messages SET reading = :r WHERE conversation_id = :v",
    "INSERT INTO hours_overrides (day, spans, reason, staff_id, at) VALUES (:n, '', :s, :l, 0)",
    "INSERT INTO phrases (phrase, version, state, texts, staff_id, at) VALUES (:n, 1, 'served', :s, :l, 0)",
    "INSERT INTO phrases (phrase, version, state, texts, staff_id, at) VALUES (:n, 2, 'served', :s, :l, 0)",
    "INSERT INTO privacy_requests (conversation_id, kind, channel, lang, opened_at, due_at, reason)"
    " VALUES (:v, 'see', '', '', 0, 0, :s)",
    "INSERT INTO legal_holds (conversation_id, at, staff_id, reason) VALUES (:v, 0, :l, :s)",
    "INSERT INTO oidc_attempts (state, browser, session, nonce, verifier, created_at) VALUES (:b, :b, :b, '', :s, 0)",
)


def plant(connection: Connection, case: int, lin: int, name: str) -> None:
    """The tables that no turn of these tests writes."""
    conversation, address_id = (
        connection.one("SELECT conversation_id AS a, address_id AS b FROM cases c JOIN conversations v"
                       " ON v.id = c.conversation_id WHERE c.id = :id", {"id": case})[key] for key in ("a", "b")
    )  # fmt: skip
    sealed, reading = encode(SECRET), encode('{"topics": ["p15"]}')
    for sql in PLANTED:
        given = {
            "v": conversation,
            "a": address_id,
            "s": sealed,
            "r": reading,
            "l": lin,
            "c": case,
            "n": name,
            "b": name.encode(),
        }
        connection.execute(sql, {key: value for key, value in given.items() if f":{key}" in sql})
    attachments.add(connection, conversation, address_id, f"f{name}", Attachment("image", "r", f"{SECRET}.png", "", 0))
    number = connection.one("SELECT max(id) AS n FROM attachments")["n"]
    assert attachments.keep(connection, number, "image/png", SECRET.encode() * 100)


def rekeyed(store: Store) -> dict[str, tuple[int, int]]:
    return {done.table: (done.rows, done.left) for done in rekeying.rekey(store.database)}


def test_keys_are_rotated(tmp_path: Path) -> None:
    """Plain, then under one key, then under the next, while all stays readable; the audit trail stays as it is."""
    with opened(tmp_path / "t.db") as store:
        asyncio.run(fill(store, "plain"))
        under(OLD)
        asyncio.run(fill(store, "old"))
        under(NEW, OLD)
        asyncio.run(fill(store, "new"))
        before = everything(store)
        assert all(before.values()), [name for name, found in before.items() if not found]
        assert rekeying.standing(store.database.read).stale
        counts = rekeyed(store)
        assert {left for _, left in counts.values()} == {0}
        assert counts["facts"] == (4, 0)
        assert counts["attachments"] == (2, 0)
        assert all(count for count, _ in counts.values()), counts
        assert everything(store) == before
        assert {name: keys for name, keys in heads(store).items() if keys != {"new"}} == {
            "audit.why": {"", "old", "new"}
        }
        assert store.audit.verify().fault is None
        assert rekeying.keys_of_audit(store.database.read) == ("old",)
        assert rekeying.standing(store.database.read) == rekeying.Standing(False, ())
        assert {count for count, _ in rekeyed(store).values()} == {0}
        under(NEW)
        assert rekeying.standing(store.database.read).missing == ("old",)
        assert told(store, store.conversation_of(address("old")) or 0)[2][1] == SECRET


def test_broken_off_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after some steps and called again, with turns in between, everything is under the new key once."""
    monkeypatch.setattr(rekeying, "AT_ONCE", {rekeying.TEXT: 3, rekeying.BYTES: 1})
    under(OLD)
    with opened(tmp_path / "t.db") as store:

        async def talk(start: int) -> None:
            for n in range(start, start + 8):
                await take(store, said(f"e{n}", f"{SECRET} {n}", user=f"u{n % 3}", ms=n))

        asyncio.run(talk(0))
        under(NEW, OLD)
        before, steps, real = everything(store), [], rekeying._written

        def failing(connection: Connection, *more: Any) -> Any:
            steps.append(more[1])
            done = real(connection, *more)
            if len(steps) >= 4:
                raise KeyboardInterrupt  # in the middle of a transaction
            return done

        monkeypatch.setattr(rekeying, "_written", lambda c, *more: _as_error(failing, c, *more))
        with pytest.raises(RuntimeError):
            rekeyed(store)
        monkeypatch.setattr(rekeying, "_written", real)
        assert everything(store) == before
        assert {"old", "new"} <= set.union(*heads(store).values())
        asyncio.run(talk(8))
        rest = rekeyed(store)
        assert 0 < rest["messages"][0] < 16
        assert set.union(*heads(store).values()) == {"new"}
        assert len(told(store, store.conversation_of(address("u1")) or 0)) == 2 * len(
            [n for n in range(16) if n % 3 == 1]
        )


def _as_error(call: Any, *given: Any) -> Any:
    try:
        return call(*given)
    except KeyboardInterrupt:
        raise RuntimeError from None


def test_what_cannot_be_read_stays_and_is_counted(tmp_path: Path) -> None:
    under(OTHER)
    with opened(tmp_path / "t.db") as store:
        asyncio.run(take(store, said("e1", SECRET)))
        under(NEW)
        asyncio.run(take(store, said("e2", SECRET, user="v")))
        assert rekeyed(store)["messages"] == (0, 2)
        assert rekeying.standing(store.database.read) == rekeying.Standing(True, ("other",))
        with pytest.raises(UnknownKey, match="other"):
            store.entries(store.conversation_of(address()) or 0)
        assert told(store, store.conversation_of(address("v")) or 0)[0][1] == SECRET


def test_a_message_taken_back_is_found_as_ever(tmp_path: Path) -> None:
    """Tombstones are the same under every key: SQL compares them."""
    under(OLD)
    with opened(tmp_path / "t.db") as store:
        asyncio.run(take(store, said("e1", SECRET)))
        conversation = store.conversation_of(address()) or 0
        lines = store.database.read.all("SELECT * FROM messages WHERE author = 'citizen'")
        now(store, lambda c: taking_back.take_back(c, conversation, [], lines, taking_back.UNSENT, False))
        under(NEW, OLD)
        rekeyed(store)
        bodies = {body for (body,) in rows(store, "SELECT body FROM messages WHERE status = 'unsent'")}
        assert bodies == {taking_back.TOMBSTONE}
        assert codec.public('{"gone": true}') == taking_back.BLANK_EVENT


def test_what_cannot_be_read_holds_up_nobody_else(tmp_path: Path) -> None:
    """An event, an answer that waits and a fact under a lost key; other people's turns and answers go on."""
    under(OTHER)
    with opened(tmp_path / "t.db") as store:

        async def story() -> None:
            await take(store, said("e1", SECRET))  # its answer waits
            await store.accept([said("e2", SECRET, user="lost")])
            under(NEW)
            await store.accept([said("e3", SECRET, user="fine")])
            leases = await store.lease("w", 10)
            assert [event.event_id for lease in leases for event in lease.events] == ["e3"]
            await store.commit(leases[0], answers(leases[0]), "en", "")
            (delivery,) = await store.lease_deliveries("s", 10)
            assert delivery.in_reply_to == "e3"
            assert await store.lease("w", 10) == []

        asyncio.run(story())


# -- the house


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path, LABOR_BOT_STORE_KEYS=setting(NEW)) as site:
        yield site


def test_no_word_of_anybody_stands_plain_and_everything_works(site: Site, tmp_path: Path) -> None:
    citizen = site.browser()
    citizen.say(f"{SECRET} 尋職津貼多少錢")
    citizen.say(f"qwxz {SECRET}")
    citizen.tap("handoff")
    lin = site.caseworker("lin")
    lin.post("/desk/cases/1/claim")
    fence = str(site.rows("SELECT speaker_fence FROM conversations")[0][0])
    lin.post("/desk/cases/1/draft", {"text": f"{SECRET} draft"})
    lin.post("/desk/cases/1/note", {"text": f"{SECRET} note"})
    lin.post("/desk/cases/1/reply", {"text": f"{SECRET} reply", "fence": fence})
    assert f"{SECRET} note" in lin.get("/desk/cases/1").text
    assert f"{SECRET} reply" in citizen.page()
    assert SECRET in lin.get("/desk/cases/1/print").text
    sought = lin.get("/desk/cases/1?q=QWXZ").text
    assert "qwxz" in sought
    assert f"{SECRET} reply" not in sought
    if isinstance(site.database, Path):
        files = sorted(site.database.parent.glob("labor-bot.db*"))
        assert any(file.name.endswith("-wal") for file in files)
        for file in files:
            content = file.read_bytes()
            for piece in (SECRET, "planted-7f3a", "陳金枝", "qwxz"):
                assert piece.encode() not in content, (file, piece)
                assert piece.encode("utf-16-le") not in content
                assert piece.encode("unicode_escape") not in content
    done = cli(site.database, "export", "analytics", "--to", str(tmp_path / "copy.db"), keys=setting(NEW))
    assert done.exit_code == 0, done.output
    assert SECRET.encode() not in (tmp_path / "copy.db").read_bytes()


def test_with_the_key_gone_nobody_sees_a_traceback(site: Site) -> None:
    citizen = site.browser()
    citizen.say(SECRET)
    lin = site.caseworker("lin")
    citizen.tap("handoff")
    under(OTHER)
    try:
        for answer_ in (citizen.get("/"), lin.get("/desk/cases/1"), citizen.say("again")):
            assert answer_.status_code in (200, 303, 503), answer_.status_code
            assert "Traceback" not in answer_.text
        assert citizen.get("/").status_code == 503
    finally:
        under(NEW)
    assert SECRET in citizen.page()


def cli(database: Path | str, *words: str, keys: str = "") -> Result:
    where = {"LABOR_BOT_DATA_DIR": str(database.parent)} if isinstance(database, Path) else {}
    env = {"LABOR_BOT_DATABASE_URL": "" if where else str(database), "LABOR_BOT_STORE_KEYS": keys, **where}
    return CliRunner().invoke(main, words, env=env)


def looked(database: Path | str, *given: tuple[str, bytes]) -> Finding:
    """What the doctor says of it."""
    where = {"LABOR_BOT_DATA_DIR": str(database.parent)} if isinstance(database, Path) else {}
    url = "" if where else str(database)
    return _encryption(load({"LABOR_BOT_DATABASE_URL": url, "LABOR_BOT_STORE_KEYS": setting(*given), **where}))


def test_the_verbs_and_the_doctor(tmp_path: Path) -> None:
    database = place(tmp_path / "labor-bot.db")
    assert not isinstance(database, Path) or not exists(database)
    with closing(Store(database)) as store:
        asyncio.run(take(store, said("e1", SECRET)))
        asyncio.run(store.note(None, "a.b", "c/1", SECRET))
    assert (looked(database).level, "plain" in looked(database).text) == (Level.OK, True)
    assert looked(database, OLD).level is Level.WARN
    refused = cli(database, "store", "rekey")
    assert (refused.exit_code, "store key" in refused.output) == (1, True)
    done = cli(database, "store", "rekey", keys=setting(OLD))
    assert (done.exit_code, "messages\t2" in done.output) == (0, True), done.output
    assert looked(database, OLD) == Finding(Level.OK, "encryption", "texts are stored under key old")
    assert "old" in looked(database, NEW).text
    assert looked(database, NEW).level is Level.FAIL
    lost = cli(database, "store", "rekey", keys=setting(NEW))
    assert (lost.exit_code, "cannot be read" in lost.output, "Traceback" in lost.output) == (1, True, False)
    assert cli(database, "store", "rekey", keys=setting(NEW, OLD)).exit_code == 0
    assert looked(database, NEW).level is Level.OK
    serving = cli(database, "serve", keys=setting(OLD))
    assert (serving.exit_code, "under key 'new'" in serving.output) == (1, True), serving.output
    assert keys.keys_of(cli(database, "store", "key", "--id", "n1").output.strip())[0][0] == "n1"
    assert cli(database, "store", "key", "--id", "a:b").exit_code == 1
