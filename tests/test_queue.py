"""The waiting list: whom a case is for by its language, who is on duty, what the list says; how a line stands."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from site_app import PASSWORD, Browser, Site, running
from storing import now, opened, rows

from bot.desk.auth import IDLE_SECONDS
from bot.desk.keys import KEYS
from bot.pipeline.resources import Resources
from bot.store import Store, cases
from bot.store.duty import PRESENT_SECONDS
from bot.store.records import CaseOpening

LANGUAGES = ("zh-TW", "en", "vi", "id", "th", "fil")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as store:
        yield store


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


# -- whom a case is for


def staff(store: Store, name: str, languages: str, seen: float = 0.0, **more: Any) -> int:
    """Somebody on duty who used the desk `seen` seconds ago."""
    values = {"role": "agent", "on_duty": 1, "disabled": 0} | more

    def add(c: Any) -> int:
        row = c.execute(
            "INSERT INTO staff (name, role, password_hash, created_at, languages, on_duty, disabled)"
            " VALUES (:name, :role, '', 0, :languages, :on_duty, :disabled) RETURNING id",
            {"name": name, "languages": languages, **values},
        ).fetchone()
        c.execute(
            "INSERT INTO staff_sessions (token_hash, staff_id, created_at, seen_at) VALUES (:t, :s, :at, :at)",
            {"t": name.encode(), "s": row["id"], "at": time.time() - seen},
        )
        return int(row["id"])

    return int(now(store, add))


def waiting(store: Store, number: int, lang: str = "th", **more: Any) -> int:
    """A case that waits, opened the earlier the smaller its number."""
    values = {"urgent": 0, "for_staff": None, "for_lang": "", "parked_until": None, "state": "waiting"} | more

    def add(c: Any) -> None:
        c.execute("INSERT INTO conversations (id, opened_at, updated_at) VALUES (:n, 0, 0)", {"n": number})
        c.execute(
            "INSERT INTO cases (id, conversation_id, number, state, reason, lang, channel, opened_at, urgent,"
            " for_staff, for_lang, parked_until) VALUES (:n, :n, :n, :state, 'asked', :lang, 'web', :n, :urgent,"
            " :for_staff, :for_lang, :parked_until)",
            {"n": number, "lang": lang, **values},
        )

    now(store, add)
    return number


def order(store: Store, who: int, speaks: tuple[str, ...], view: str = "waiting") -> list[int]:
    return [row.id for row in store.cases(view, who, None, speaks)]


def test_within_the_same_urgency_mine_come_first_then_my_languages_then_others(store: Store) -> None:
    lin, chen = staff(store, "lin", "th"), staff(store, "chen", "zh-TW vi")
    waiting(store, 1, "vi")
    waiting(store, 2, "th")
    waiting(store, 3, "vi", for_staff=lin)
    waiting(store, 4, "th", for_staff=chen)
    waiting(store, 5, "vi", urgent=1)
    waiting(store, 6, "th", urgent=1)
    waiting(store, 7, "vi", for_lang="th")
    waiting(store, 8, "id")
    assert order(store, lin, ("th",)) == [6, 5, 3, 2, 7, 8, 1, 4]
    assert order(store, chen, ("zh-TW", "vi")) == [5, 6, 4, 1, 8, 2, 7, 3]


def test_a_language_that_nobody_on_duty_speaks_waits_behind_nobody(store: Store) -> None:
    lin = staff(store, "lin", "th")
    waiting(store, 1, "fil")
    waiting(store, 2, "th")
    waiting(store, 3, "fil", for_lang="fil")
    assert order(store, lin, ("th",)) == [1, 2, 3]
    reyes = staff(store, "reyes", "fil")
    assert order(store, lin, ("th",)) == [2, 1, 3]
    assert order(store, reyes, ("fil",)) == [1, 3, 2]


@pytest.mark.parametrize("gone", [{"seen": PRESENT_SECONDS + 5}, {"on_duty": 0}, {"disabled": 1}, {"role": "auditor"}])
def test_who_is_not_there_is_not_counted_on(store: Store, gone: dict[str, Any]) -> None:
    lin = staff(store, "lin", "th")
    staff(store, "reyes", "fil", **gone)
    waiting(store, 1, "fil")
    waiting(store, 2, "th")
    assert order(store, lin, ("th",)) == [1, 2]
    assert [each.name for each in store.duty.now()] == ["lin"]
    assert opened_for(store, "fil") == ""
    assert opened_for(store, "th", 91) == "th"


def test_duty_lasts_as_long_as_a_session_may_idle() -> None:
    assert PRESENT_SECONDS == IDLE_SECONDS


def test_the_order_is_the_same_as_told_by_another_program(store: Store) -> None:
    """Three hundred cases of every kind, for three caseworkers, sorted once more by Python."""
    dice = random.Random(7)
    people = {
        staff(store, "a", "th vi"): ("th", "vi"),
        staff(store, "b", "zh-TW"): ("zh-TW",),
        staff(store, "c", ""): (),
    }
    spoken = {"th", "vi", "zh-TW"}
    for number in range(1, 301):
        waiting(
            store,
            number,
            dice.choice(LANGUAGES),
            urgent=int(dice.random() < 0.1),
            for_staff=dice.choice([None, None, None, 1, 2]),
            for_lang=dice.choice(["", "", *LANGUAGES]),
            parked_until=dice.choice([None, None, 1.0, time.time() + 900]),
        )
    table = rows(store, "SELECT id, urgent, for_staff, for_lang, lang, parked_until FROM cases")
    for who, speaks in people.items():

        def key(row: tuple[Any, ...], who: int = who, speaks: tuple[str, ...] = speaks) -> tuple[Any, ...]:
            number, urgent, to, for_lang, lang, parked = row
            meant = for_lang or lang
            aim = 2 if meant in spoken and meant not in speaks else 1
            aim = aim if to is None else 0 if to == who else 3
            return (parked or 0) > time.time(), -urgent, aim, number

        assert order(store, who, speaks) == [row[0] for row in sorted(table, key=key)][:200]


def test_the_order_of_the_waiting_list_is_found_in_an_index(store: Store) -> None:
    seen: list[str] = []
    store.database.read.raw.set_trace_callback(seen.append)
    store.cases("waiting", 1, None, ("th",))
    store.database.read.raw.set_trace_callback(None)
    (query,) = [text for text in seen if "cases" in text]
    plan = [row[3] for row in store.database.read.all(f"EXPLAIN QUERY PLAN {query}")]
    assert any("cases_waiting" in step and "COVERING" in step for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN c")], plan


# -- the mark of a case that opens


def opened_for(store: Store, lang: str, conversation: int = 90) -> str:
    """The language that a case which opens now is marked with."""
    now(
        store,
        lambda c: c.execute(f"INSERT INTO conversations (id, opened_at, updated_at) VALUES ({conversation}, 0, 0)"),
    )
    now(store, lambda c: cases.open_new(c, conversation, CaseOpening(f"n{conversation}", "asked"), lang, "web"))
    ((found,),) = rows(store, "SELECT for_lang FROM cases WHERE conversation_id = :id", id=conversation)
    return str(found)


def test_a_case_that_opens_is_marked_for_a_language_spoken_on_duty(store: Store) -> None:
    assert opened_for(store, "th", 1) == ""
    staff(store, "lin", "zh-TW th")
    assert opened_for(store, "th", 2) == "th"
    assert opened_for(store, "vi", 3) == ""
    assert opened_for(store, "zh-TW", 4) == ""


# -- the page


def on_duty(site: Site, name: str, role: str = "agent", *languages: str) -> Browser:
    """Somebody at the desk, on duty, with languages."""
    browser = site.caseworker(name, role)
    browser.post("/desk/account/languages", {f"lang_{code}": "on" for code in languages})
    browser.post("/desk/duty", {"on": "yes"})
    return browser


def marks(site: Site, browser: Browser) -> list[str]:
    return re.findall(r'class="mark-aim">.*?</svg>(.*?)</li>', browser.get("/desk").text, re.S)


def test_the_list_says_why_a_case_stands_where_it_does(site: Site) -> None:
    lin, chen = on_duty(site, "lin", "agent", "th"), on_duty(site, "chen", "agent", "vi")
    for lang in ("th", "vi", "fil", "zh-TW"):
        citizen = site.browser(lang)
        citizen.post("/chat/language", {"lang": lang})
        citizen.tap(f"lang:{lang}")
        citizen.tap("handoff")
    assert sorted(site.rows("SELECT lang, for_lang FROM cases")) == [
        ("fil", ""), ("th", "th"), ("vi", "vi"), ("zh-TW", "")
    ]  # fmt: skip
    name = {code: site.words("zh-TW", f"conversation.language.{code}") for code in LANGUAGES}
    yours = site.words("zh-TW", "desk_queue.aim_yours")
    nobody = site.words("zh-TW", "desk_queue.aim_nobody", language=name["fil"])
    others = {code: site.words("zh-TW", "desk_queue.aim_others", language=name[code]) for code in ("th", "vi")}
    assert marks(site, lin) == [yours, nobody, others["vi"]]
    assert marks(site, chen) == [yours, nobody, others["th"]]
    lin.post("/desk/duty", {"on": "no"})
    assert site.words("zh-TW", "desk_queue.aim_nobody", language=name["th"]) in marks(site, chen)


def test_seniors_see_who_is_on_duty_and_agents_do_not(site: Site) -> None:
    lin, boss = on_duty(site, "lin", "agent", "th", "vi"), site.caseworker("boss", "senior")
    page = boss.get("/desk").text
    assert site.words("zh-TW", "desk_queue.on_duty", count=1) in page
    assert "ภาษาไทย" in page.split('id="on-duty"')[1].split("</section>")[0]
    assert 'id="on-duty"' not in lin.get("/desk").text
    assert 'id="on-duty"' not in site.caseworker("watch", "auditor").get("/desk").text
    lin.post("/desk/duty", {"on": "no"})
    assert site.words("zh-TW", "desk_queue.on_duty_none") in boss.get("/desk").text


def test_who_goes_on_duty_without_languages_is_told_where_to_set_them(site: Site) -> None:
    hint = site.words("zh-TW", "desk_queue.no_languages")
    lin = site.caseworker()
    assert hint not in lin.get("/desk").text
    lin.post("/desk/duty", {"on": "yes"})
    assert hint in lin.get("/desk").text
    lin.post("/desk/account/languages", {"lang_th": "on"})
    assert hint not in lin.get("/desk").text


def test_the_title_counts_and_marks_what_is_urgent(site: Site) -> None:
    lin, mark = site.caseworker(), site.words("zh-TW", "desk_queue.title_urgent")
    calm, hurt = site.browser(), site.browser()
    calm.tap("handoff")
    assert re.search(r"<title>\(1\) ", lin.get("/desk").text)
    hurt.tap("handoff")
    hurt.say("我被雇主打")
    assert site.rows("SELECT urgent FROM cases ORDER BY id") == [(0,), (1,)]
    for path in ("/desk", "/desk?view=closed", "/desk/cases/1"):
        assert f"<title>{mark} (2) " in lin.get(path).text
    lin.post("/desk/cases/2/claim")
    assert re.search(r"<title>\(1\) ", lin.get("/desk").text)


# -- keys


def test_every_key_that_a_page_offers_is_listed_and_the_other_way_round(site: Site) -> None:
    offered = {
        key
        for path in (ROOT / "templates" / "desk").glob("*.html")
        for key in re.findall(r'data-key="(.)"', path.read_text(encoding="utf-8"))
    }
    listed = {key for group, pairs in KEYS if group in ("list", "case") for key, _ in pairs}
    assert listed == offered | {"j", "k", "Enter"}
    pressed = [key for group, pairs in KEYS if group != "field" for key, _ in pairs]
    assert len(pressed) == len(set(pressed))
    page = site.caseworker("boss", "privacy_officer").get("/desk/keys").text
    for key in {part for _, pairs in KEYS for keys, _ in pairs for part in keys.split()}:
        assert f"<kbd>{key}</kbd>" in page


# -- how a line stands

STATES = {
    "queued": "desk.status_pending",
    "sent": "desk_queue.status_sent",
    "probably": "desk_queue.status_probably",
    "failed": "desk.status_failed",
    "undelivered": "desk.status_waiting",
    "withdrawn": "desk.status_withdrawn",
}


def arrived(site: Site) -> None:
    """The sender is done with the caseworker's message and changes it no more."""
    until = time.monotonic() + 20
    while site.rows("SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')") != [(0,)]:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("status", STATES)
def test_every_state_of_a_delivery_is_said_in_words_beside_a_sign(site: Site, status: str) -> None:
    site.browser().tap("handoff")
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    fence = str(site.rows("SELECT speaker_fence FROM conversations")[0][0])
    lin.post("/desk/cases/1/reply", {"fence": fence, "text": "您好", "id": PASSWORD})
    arrived(site)
    with sqlite3.connect(site.database, timeout=20) as connection:
        connection.execute("UPDATE messages SET status = ? WHERE author = 'staff'", (status,))
    connection.close()
    page = lin.get("/desk/cases/1").text
    bubble = page.split('class="bubble by-staff')[1].split('class="body"')[0]
    words = site.words("zh-TW", STATES[status])
    assert re.search(rf'class="state"><svg class="icon".*?</svg>{re.escape(words)}</span>', bubble, re.S)
