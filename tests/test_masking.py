"""Numbers of a person: found in what was typed, masked wherever it is kept, shown to the holder of a case alone."""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from site_app import Browser, Site, running
from storing import address, answer, now, opened, rows, said, take

from bot.desk.rights import Role
from bot.messages import Incoming, Kind, Reply, Retention
from bot.pipeline.resources import Resources
from bot.store import Store, masked, taking_back
from bot.store import sqlite as engine
from bot.store.codec import decode
from bot.store.records import CaseOpening, Lease, NotHolder, Original, Turn
from intents.authored import DATA, read
from intents.personal import PHONE, find
from intents.redact import MASK, redacted
from intents.redact import masked as hide

ROWS = [
    (lang, kind, text)
    for lang, listed in YAML(typ="safe").load(Path(__file__).with_name("masking.yaml")).items()
    for row in listed
    for kind, text in row.items()
]
IDENTITY = "A123456789"
DAY = 86400
# Pieces that make numbers, and pieces that end or hide them.
PIECES = ["09", "12345678", "A1", "a 1", "0", "-", " ", ".", ",", "/", "+886", "(", ")", "@", "a.b", ".com", "電話",
          "id", "passport", "帳號", "元", "NT$", "\u200b", "９", "๙", "‹…›", "‹", "›", "#12", "、", "\n"]  # fmt: skip
NUMBERISH = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join)


# -- finding


@pytest.mark.parametrize(("lang", "kind", "text"), ROWS)
def test_numbers_of_a_person_are_told_from_other_numbers(lang: str, kind: str, text: str) -> None:
    plain = text.replace("«", "").replace("»", "")
    found = [(plain[each.start : each.end], each.kind) for each in find(plain)]
    assert found == [(number, kind) for number in re.findall("«(.*?)»", text, re.DOTALL)]


def test_the_rows_cover_all_languages_and_both_sides() -> None:
    assert len(ROWS) >= 120
    for lang in ("zh-TW", "en", "vi", "id", "th", "fil"):
        kinds = [kind for each, kind, _ in ROWS if each == lang]
        assert {"identity", "passport", "phone", "account", "mail", "none"} <= set(kinds)
        assert 5 <= kinds.count("none") <= len(kinds) - 5


def test_no_authored_utterance_holds_anything_but_telephones() -> None:
    sentences = {text for pattern in read(DATA).patterns for text in (pattern.text, *pattern.sentences)}
    wrong = [text for text in sentences if any(each.kind != PHONE for each in find(text))]
    phones = [text for text in sentences if find(text)]
    assert wrong == []
    assert [text for text in phones if len(re.sub(r"\D", "", text)) < 9] == []


@given(NUMBERISH | st.text(max_size=300))
def test_finding_is_sound_on_any_text(text: str) -> None:
    found = find(text)
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert hide(hide(text)) == hide(text)
    redacted(text)


@given(
    st.from_regex(r"\A09[0-9]{8}\Z") | st.just(IDENTITY) | st.just("AB12345677"),
    st.sampled_from(["", " ", "-", "\u200b", "\u2060", "\u00a0"]),
    st.text(alphabet="是的我號，。 ", max_size=5),
)
def test_a_number_is_found_whatever_stands_between_its_digits(number: str, between: str, around: str) -> None:
    joined = between.join(number) if number[1].isdigit() else number[:2] + between.replace(" ", "") + number[2:]
    assert hide(f"{around}{joined}{around}") == f"{around}{MASK}{around}"


@pytest.mark.parametrize(
    "piece", ["0912345678", "0912345678-", "a1 ", "1 ", "電話", "電話 ", "a@", "a.", "09 ", "passport "]
)
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    text = (piece * 4000)[:4000]
    start = time.process_time()
    find(text)
    assert time.process_time() - start < 1.0


# -- in the store, on either engine


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "t.db") as store:
        yield store


def with_case(lease: Lease) -> list[Turn]:
    turns = plain(lease)
    return [*turns[:-1], Turn(turns[-1].event, turns[-1].heard, original=turns[-1].original,
                              case=CaseOpening("20261123-AAAAA", "asked"))]  # fmt: skip


def plain(lease: Lease) -> list[Turn]:
    original = Original(f"my id is {IDENTITY}", ("identity",))
    return [Turn(event, Reply(hide(event.text or ""), "en"), original=original) for event in lease.events]


def kept(store: Store) -> list[str]:
    return [decode(body) for (body,) in rows(store, "SELECT body FROM masked ORDER BY seq")]


def purged(store: Store, days: int = 7) -> int:
    report = asyncio.run(store.privacy.purge(Retention(masked=days), frozenset()))
    return report.counts.get("masked", 0)


def shift(store: Store, sql: str) -> None:
    now(store, lambda c: c.execute(sql))


def test_only_the_holder_of_an_open_case_is_shown_the_original(store: Store) -> None:
    taken = asyncio.run(take(store, said("1", f"my id is {IDENTITY}"), turns=with_case))
    for name in ("lin", "chen"):
        store.add_staff(name, "agent", "")
    (case,) = rows(store, "SELECT id FROM cases")[0]
    (seq,) = store.casework.masked.lines(taken.conversation)
    with pytest.raises(NotHolder):
        asyncio.run(store.casework.masked.show(case, 1, seq))
    asyncio.run(store.claim(case, 1, Reply("here", "en")))
    with pytest.raises(NotHolder):
        asyncio.run(store.casework.masked.show(case, 2, seq))
    assert rows(store, "SELECT count(*) FROM audit WHERE action = 'case.unmask'") == [(0,)]
    assert asyncio.run(store.casework.masked.show(case, 1, seq)) == f"my id is {IDENTITY}"
    assert asyncio.run(store.casework.masked.show(case, 1, seq + 1)) == ""
    assert rows(store, "SELECT staff_id, object, why FROM audit WHERE action = 'case.unmask'") == [
        (1, f"case/{case}", "")
    ]
    shift(store, "UPDATE conversations SET restricted = 1")
    with pytest.raises(NotHolder):
        asyncio.run(store.casework.masked.show(case, 1, seq))


def test_without_a_case_the_original_goes_after_a_day(store: Store) -> None:
    asyncio.run(take(store, said("1", IDENTITY), turns=plain))
    assert purged(store) == 0
    shift(store, f"UPDATE masked SET at = at - {DAY + 60}")
    assert purged(store) == 1
    assert kept(store) == []


def test_with_a_case_it_stays_until_some_days_after_the_end(store: Store) -> None:
    asyncio.run(take(store, said("1", IDENTITY), turns=with_case))
    shift(store, f"UPDATE masked SET at = at - {30 * DAY}")
    assert purged(store) == 0
    shift(store, f"UPDATE cases SET state = 'closed', closed_at = opened_at - {6 * DAY}")
    assert purged(store) == 0
    assert purged(store, days=5) == 1


def test_a_legal_hold_keeps_it(store: Store) -> None:
    taken = asyncio.run(take(store, said("1", IDENTITY), turns=plain))
    store.add_staff("lin", "admin", "")
    shift(store, f"INSERT INTO legal_holds VALUES ({taken.conversation}, 0, 1, '0x')")
    shift(store, f"UPDATE masked SET at = at - {30 * DAY}")
    assert purged(store) == 0


def test_what_is_unsent_or_forgotten_takes_the_original_along(store: Store) -> None:
    for number in ("1", "2"):
        incoming = Incoming(address("u"), number, int(number), text=IDENTITY, message_id=f"m{number}")
        asyncio.run(take(store, incoming, turns=plain))
    assert len(kept(store)) == 2
    asyncio.run(store.accept([Incoming(address("u"), "3", 3, kind=Kind.UNSENT, about="m1")]))
    assert len(kept(store)) == 1
    now(store, lambda c: taking_back.remember(c, address("u"), "m9", taking_back.UNSENT))
    asyncio.run(take(store, said("4", "forget", ms=4), turns=lambda lease: [answer(lease.events[-1], forget=True)]))
    assert kept(store) == []


def test_a_second_try_of_a_turn_keeps_one_copy(store: Store) -> None:
    taken = asyncio.run(take(store, said("1", IDENTITY), turns=plain))
    again = Original("other", ("identity",))
    now(store, lambda c: masked.add(c, taken.conversation, "1", 9, again))
    assert kept(store) == [f"my id is {IDENTITY}"]


# -- the whole way


@pytest.fixture(scope="module")
def module_site(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(resources, tmp_path_factory.mktemp("masking")) as site:
        yield site


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store gives up soon where the file cannot be written."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)


def everything(site: Site, but: tuple[str, ...] = ()) -> str:
    """All that is kept, apart from some tables."""
    tables = [name for (name,) in site.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return repr([site.rows(f"SELECT * FROM {table}") for table in tables if table not in but])


def line_of(site: Site) -> str:
    return str(site.rows("SELECT max(seq) FROM masked")[0][0])


def held(site: Site, text: str) -> tuple[Browser, Browser]:
    """A citizen with an open case who wrote a number before it, and who holds the case."""
    citizen = site.browser("en")
    citizen.say("hello")
    citizen.say(text)
    citizen.tap("handoff")
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    return citizen, lin


@pytest.mark.parametrize(("lang", "text"), [
    ("zh-TW", f"我的身分證是{IDENTITY}，尋職津貼多少錢"),
    ("en", f"my ID is {IDENTITY}, how much is the job search allowance"),
    ("vi", f"CCCD của tôi {IDENTITY}, trợ cấp tìm việc bao nhiêu"),
    ("id", f"nomor identitas saya {IDENTITY}, berapa tunjangan mencari kerja"),
    ("th", f"เลขประจำตัว {IDENTITY} เงินช่วยหางานเท่าไร"),
    ("fil", f"ID ko po {IDENTITY}, magkano ang allowance sa paghahanap ng trabaho"),
])  # fmt: skip
def test_it_is_masked_everywhere_and_said_once_in_the_language(module_site: Site, lang: str, text: str) -> None:
    citizen = module_site.browser(lang)
    citizen.tap(f"lang:{lang}")
    citizen.say(text)
    page = citizen.page()
    notice = module_site.resources.catalog.text(lang, "conversation.masked").text
    assert page.count(html.escape(notice, quote=False)) == 1
    assert MASK in page
    assert IDENTITY not in page
    assert IDENTITY not in everything(module_site, but=("masked",))
    assert IDENTITY in everything(module_site)
    citizen.say(text)
    assert citizen.page().count(html.escape(notice, quote=False)) == 1
    if lang in ("zh-TW", "en"):
        assert "5,000" in page, "understood all the same"


def test_a_telephone_stays_where_it_was_asked_for(site: Site) -> None:
    citizen = site.browser("zh-TW")
    citizen.say("可以請你們回電給我嗎，手機0912345678")
    notice = site.resources.catalog.text("zh-TW", "conversation.masked").text
    assert "0912345678" in citizen.page()
    citizen.say("不對，是0987654321，身分證A123456789")
    page = citizen.page()
    assert "0987654321" in page
    assert IDENTITY not in page
    assert notice in page


def test_the_number_after_the_question_for_it_stays(site: Site) -> None:
    citizen = site.browser("zh-TW")
    citizen.say("可以請你們回電給我嗎")
    citizen.say("0912345678")
    page = citizen.page()
    assert "0912345678" in page
    assert site.resources.catalog.text("zh-TW", "conversation.masked").text not in page
    assert site.rows("SELECT count(*) FROM masked") == [(0,)]


def test_a_printed_number_of_the_city_is_nobodys(site: Site) -> None:
    citizen = site.browser("zh-TW")
    citizen.say("想問02-8969-2107是問什麼的")
    assert "02-8969-2107" in citizen.page()


def test_the_holder_is_shown_the_original_on_request(impatient: None, site: Site) -> None:
    _, lin = held(site, f"my id is {IDENTITY}")
    page = lin.get("/desk/cases/1").text
    assert IDENTITY not in page
    assert "/desk/cases/1/unmask" in page
    shown = lin.post("/desk/cases/1/unmask", {"seq": line_of(site)})
    assert shown.status_code == 200
    assert f"my id is {IDENTITY}" in shown.text
    assert "no-store" in shown.headers.get("cache-control", "")
    assert site.rows("SELECT object, why FROM audit WHERE action = 'case.unmask'") == [("case/1", "")]
    printed = lin.get("/desk/cases/1/print").text
    assert IDENTITY not in printed
    assert "unmask" not in printed
    assert lin.post("/desk/cases/1/unmask", {"seq": "999"}).status_code == 404
    assert lin.get("/desk/cases/1/unmask").status_code == 303
    with site.unwritable():
        refused = lin.post("/desk/cases/1/unmask", {"seq": line_of(site)})
    assert refused.status_code == 503
    assert IDENTITY not in refused.text


@pytest.mark.parametrize("role", [role for role in Role])
def test_nobody_else_is_shown_it(site: Site, role: Role) -> None:
    _, lin = held(site, f"my id is {IDENTITY}")
    other = site.caseworker("other", role.value)
    answered = other.post("/desk/cases/1/unmask", {"seq": line_of(site)})
    assert answered.status_code in (403, 409)
    assert IDENTITY not in answered.text
    for path in (
        "/desk/cases/1",
        "/desk/cases/1/print",
        "/desk/audit",
        "/desk/audit.csv",
        "/desk/authors",
        "/desk/authors.csv",
    ):
        assert IDENTITY not in other.get(path).text
    fence = str(site.rows("SELECT speaker_fence FROM conversations WHERE id = 1")[0][0])
    lin.post("/desk/cases/1/close", {"fence": fence})
    assert lin.post("/desk/cases/1/unmask", {"seq": line_of(site)}).status_code == 409
    assert site.rows("SELECT count(*) FROM audit WHERE action = 'case.unmask'") == [(0,)]


def test_while_a_person_speaks_the_bot_masks_and_says_nothing(site: Site) -> None:
    citizen, lin = held(site, "hello")
    citizen.say(f"here it is: {IDENTITY}")
    notice = html.escape(site.resources.catalog.text("en", "conversation.masked").text, quote=False)
    assert notice not in citizen.page()
    assert IDENTITY not in citizen.page()
    assert IDENTITY in lin.post("/desk/cases/1/unmask", {"seq": line_of(site)}).text


def test_a_caseworker_is_asked_before_a_number_is_sent(site: Site) -> None:
    citizen, lin = held(site, "hello")
    fence = str(site.rows("SELECT speaker_fence FROM conversations WHERE id = 1")[0][0])
    form = {"text": f"Is {IDENTITY} yours?", "fence": fence, "id": "one"}
    asked = lin.post("/desk/cases/1/reply", form)
    assert asked.status_code == 400
    assert f"Is {IDENTITY} yours?" in asked.text
    assert 'name="sure"' in asked.text
    assert IDENTITY not in citizen.page()
    sent = lin.post("/desk/cases/1/reply", {**form, "sure": "yes"})
    assert sent.status_code == 303
    assert IDENTITY in everything(site), "not changed silently"
    plain_words = lin.post("/desk/cases/1/reply", {"text": "Call 02-2960-3456", "fence": fence, "id": "two"})
    assert plain_words.status_code == 303


def test_being_forgotten_leaves_nothing(site: Site) -> None:
    citizen, _ = held(site, f"my id is {IDENTITY}")
    citizen.tap("forget:yes")
    assert IDENTITY not in everything(site)


def test_reasons_and_lists_do_not_hold_it(site: Site) -> None:
    citizen = site.browser("zh-TW")
    citizen.say(f"附近哪裡有好吃的拉麵 {IDENTITY}")
    assert IDENTITY not in repr(site.rows("SELECT text FROM unanswered"))
    citizen.tap("handoff")
    senior = site.caseworker("chief", "senior")
    senior.post("/desk/cases/1/bar", {"why": f"threats, {IDENTITY}"})
    assert IDENTITY not in everything(site, but=("masked",))


def test_the_reading_holds_no_number(site: Site) -> None:
    citizen = site.browser("en")
    citizen.say(f"call me back at 0912 345 678 after 6pm, ARC {IDENTITY}")
    readings: list[Any] = [json.loads(decode(each)) for (each,) in site.rows("SELECT reading FROM messages") if each]
    assert IDENTITY not in repr(readings)
    assert any(each.get("callback", [""])[0] == "0912345678" for each in readings)
