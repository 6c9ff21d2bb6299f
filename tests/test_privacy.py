"""A person's own data: seen, copied, corrected, kept apart, deleted, from every channel; clocks; purging."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import ROOT
from markupsafe import escape
from site_app import Browser, Site, running
from storing import Channel, opened

from bot.cli.main import main
from bot.desk.rights import Right, Role, may
from bot.messages import LEGAL_DAYS, Address, Attachment, DataRequest, Incoming, Kind, Retention
from bot.pipeline.house import House, build_house
from bot.pipeline.own_data import CopyDesk
from bot.pipeline.purge import purge, special_facts
from bot.pipeline.resources import Resources
from bot.store import Store, erasing, own_data, resume
from bot.store import sqlite as engine
from knowledge.facts import load_facts

DAY = 86400.0
LINK = re.compile(r"/mydata/[\w-]+")
PLANTED = "櫻桃蛋糕"
SECRET_NAME = "berry-photo.jpg"


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


def words(site: Site, key: str, lang: str = "zh-TW", **params: Any) -> str:
    """A text that the assistant says."""
    return site.words(lang, f"conversation.{key}", **params)


def hears(citizen: Browser, text: str) -> bool:
    """Does the chat say it, once the sender had its turn?"""
    for _ in range(60):
        if str(escape(text)) in citizen.page():
            return True
        time.sleep(0.05)
    return False


def shift(path: Path, sql: str) -> None:
    """Move what is kept, as if time had passed."""
    connection = sqlite3.connect(path, timeout=10)
    connection.execute(sql)
    connection.commit()
    connection.close()


def everything(path: Path) -> str:
    """All that the file holds, table by table."""
    connection = sqlite3.connect(path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    connection.close()
    return "\n".join(f"{table}: {row}" for table, rows in found.items() for row in rows)


# -- where content stands


def test_every_table_with_a_person_is_known_to_the_eraser(tmp_path: Path) -> None:
    """A new table that leads to a conversation or a case must be erased, or be named with the reason why not."""
    with opened(tmp_path / "t.db") as store:
        read = store.database.read
        tables = [row["name"] for row in read.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {table: {row["name"] for row in read.all(f"PRAGMA table_info({table})")} for table in tables}
    known = {*erasing.BY_CONVERSATION, *erasing.BY_CASE, *erasing.OF_CASE, *erasing.WITHOUT_CONTENT}
    leading = {table for table, names in columns.items() if names & {"conversation_id", "case_id"}}
    assert leading - known == set()
    assert all("conversation_id" in columns[table] for table in erasing.BY_CONVERSATION)
    assert all("case_id" in columns[table] for table in (*erasing.BY_CASE, *erasing.OF_CASE))


def test_a_special_fact_is_only_told_when_asked() -> None:
    """What is purged first must stand in a row of its own: never read in passing, never ticked in a list."""
    facts = load_facts(ROOT / "knowledge" / "facts.yaml")
    special = special_facts(facts)
    assert special
    for name in special:
        assert not facts[name].volunteer
        assert facts[name].detail is None
        assert facts[name].texts.situation is None


# -- a citizen on the web


def told_something(site: Site, lang: str = "zh-TW") -> Browser:
    """Somebody who told an age and wrote something."""
    citizen = site.browser(lang)
    citizen.tap(f"lang:{lang}")
    citizen.say(PLANTED)
    citizen.tap("check:p15")
    citizen.say("25")
    return citizen


def test_privacy_offers_everything(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("privacy")
    page = citizen.page()
    for choice in ("mydata", "mydata:export", "mydata:correct", "mydata:restrict", "withdraw", "forget"):
        assert f'value="{choice}"' in page


def test_what_is_kept_is_said_with_a_way_to_change_it(site: Site) -> None:
    citizen = told_something(site)
    citizen.tap("handoff")
    citizen.tap("mydata")
    page = citizen.page()
    ((number, messages),) = site.rows(
        "SELECT (SELECT number FROM cases), (SELECT max(seq) - 1 FROM messages WHERE author = 'citizen')"
    )
    assert words(site, "mydata.title") in page
    assert words(site, "mydata.case", number=number) in page
    assert f"對話{messages}則" in page
    assert words(site, "mydata.long", chat=90, case=365, special=7) in page
    assert words(site, "mydata.answers_self") in page
    assert 'value="mydata:fix:self:age"' in page
    citizen.tap("mydata:fix:self:age")
    assert site.rows("SELECT count(*) FROM facts") == [(0,)]
    citizen.say("31")
    assert site.rows("SELECT count(*) FROM facts WHERE fact = 'age'") == [(1,)]


def test_an_answer_is_changed_long_after_its_check(site: Site) -> None:
    citizen = told_something(site)
    citizen.tap("stop")
    citizen.tap("mydata:fix:self:age")
    assert site.words("zh-TW", "fact.age.question") in citizen.page()
    citizen.tap("mydata:fix:self:employees")
    assert words(site, "choice_unknown") in citizen.page()


def test_a_special_answer_is_not_written_on_the_screen(site: Site) -> None:
    citizen = told_something(site)
    shift(
        site.database,
        "INSERT INTO facts (conversation_id, subject, fact, value, at) VALUES (1, 'self', 'disability', '0true', 0)",
    )
    citizen.tap("mydata")
    page = citizen.page()
    assert words(site, "mydata.special") in page
    assert site.words("zh-TW", "fact.disability.choice.yes") not in page


def export_link(site: Site, browser: Browser) -> str:
    """The newest link to a copy that the chat shows."""
    browser.tap("mydata:export")
    return LINK.findall(browser.page())[-1]


def test_a_copy_is_handed_out_once_and_to_nobody_who_guesses(site: Site) -> None:
    citizen = told_something(site)
    link = export_link(site, citizen)
    token = link.rpartition("/")[2].encode()
    ((kept,),) = site.rows("SELECT token FROM copy_links")
    assert token not in kept
    stranger = site.browser("en")  # whoever has the link needs no cookie: it may be opened on another device
    asked = stranger.get(link)
    assert asked.status_code == 200
    assert PLANTED not in asked.text
    assert site.rows("SELECT count(*) FROM copy_links") == [(1,)]
    assert stranger.post(link, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert stranger.post(link[:-2]).status_code == 410
    given = stranger.post(link)
    assert given.status_code == 200
    assert PLANTED in given.text
    assert site.words("zh-TW", "fact.age.label") in given.text
    assert stranger.post(link).status_code == 410
    assert stranger.request("PUT", link).status_code == 405


def test_the_copy_as_a_file_holds_everything(site: Site) -> None:
    citizen = told_something(site)
    citizen.tap("handoff")
    link = export_link(site, citizen)
    given = citizen.post(f"{link}?as=json")
    assert "attachment" in given.headers["content-disposition"]
    assert given.headers["cache-control"] == "no-store"
    document = json.loads(given.text)
    assert PLANTED in [each["text"] for each in document["messages"] if each["author"] == "citizen"]
    ((age,),) = site.rows("SELECT value FROM facts WHERE fact = 'age'")
    assert [(each["about"], each["fact"], each["value"]) for each in document["answers"]] == [
        ("self", "age", json.loads(age[1:]))
    ]
    assert len(document["messages"]) == site.rows("SELECT count(*) FROM messages")[0][0]
    assert document["cases"][0]["closed"] is None
    assert document["channels"] == ["web"]
    assert document["state"]["interview"]["rule"] == "p15"


def test_a_link_to_a_copy_is_good_for_minutes_and_replaces_the_one_before(site: Site) -> None:
    citizen = told_something(site)
    first, second = export_link(site, citizen), export_link(site, citizen)
    assert citizen.post(first).status_code == 410
    shift(site.database, f"UPDATE copy_links SET until = until - {own_data.LINK_MINUTES * 60 + 1}")
    assert citizen.post(second).status_code == 410


def test_while_nothing_can_be_written_the_link_stays_good(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    with running(resources, tmp_path) as site:
        citizen = told_something(site)
        link = export_link(site, citizen)
        with site.unwritable():
            assert citizen.post(link).status_code == 503
        assert citizen.post(link).status_code == 200


def test_data_kept_apart_is_seen_by_no_caseworker_and_grows_no_more(site: Site) -> None:
    citizen = told_something(site)
    citizen.tap("handoff")
    lin = site.caseworker("lin", "senior")
    assert PLANTED in lin.get("/desk/cases/1").text
    citizen.tap("mydata:restrict")
    assert site.rows("SELECT restricted FROM conversations WHERE id = 1") == [(0,)]
    citizen.tap("mydata:restrict_yes")
    assert site.rows("SELECT restricted, speaker FROM conversations WHERE id = 1") == [(1, "bot")]
    assert site.rows("SELECT state, outcome FROM cases") == [("closed", "withdrawn")]
    for method, path in (("GET", ""), ("GET", "/print"), ("POST", "/claim"), ("POST", "/reply"), ("POST", "/propose")):
        answer = lin.request(method, f"/desk/cases/1{path}")
        assert PLANTED not in answer.text, path
        assert answer.status_code in (403, 404), path
    facts = site.rows("SELECT count(*) FROM facts")
    for doing, says in (
        ("check:p15", "restricted_check"),
        ("screening", "restricted_check"),
        ("handoff", "restricted_person"),
    ):
        citizen.tap(doing)
        assert words(site, says) in citizen.page()
    citizen.say("我今年44歲，想問尋職津貼")
    assert site.rows("SELECT count(*) FROM facts") == facts
    assert site.rows("SELECT reading FROM messages WHERE author = 'citizen' ORDER BY seq DESC LIMIT 1") == [("",)]
    assert site.rows("SELECT count(*) FROM cases") == [(1,)]
    assert "44" not in site.rows("SELECT state FROM conversations WHERE id = 1")[0][0]
    citizen.tap("mydata:lift")
    assert site.rows("SELECT kind, state FROM privacy_requests WHERE kind = 'stop'") == [("stop", "done")]
    citizen.tap("check:p15")
    assert site.rows("SELECT count(*) FROM cases WHERE state <> 'closed'") == [(0,)]
    assert PLANTED in lin.get("/desk/cases/1").text


def test_in_danger_the_hotlines_come_although_the_data_is_kept_apart(site: Site) -> None:
    citizen = told_something(site)
    citizen.tap("mydata:restrict_yes")
    citizen.say("老闆打我，我受傷了")
    assert "tel:110" in citizen.page()


def test_a_web_message_is_taken_back(site: Site) -> None:
    citizen = told_something(site)
    citizen.say("我的名字是小櫻")
    citizen.tap("withdraw")
    assert "小櫻" not in everything(site.database)
    assert words(site, "withdrawn") in citizen.page()
    citizen.tap("withdraw")  # the age, and what was learned from it
    assert site.rows("SELECT count(*) FROM facts") == [(0,)]


# -- deletion


def planted(site: Site) -> Browser:
    """Somebody whose words stand in every place that can hold words."""
    citizen = told_something(site)
    citizen.tap("handoff")
    lin = site.caseworker()
    fence = lambda: str(site.rows("SELECT speaker_fence FROM conversations WHERE id = 1")[0][0])  # noqa: E731
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/reply", {"fence": fence(), "text": f"您說{PLANTED}", "id": "a" * 32})
    lin.post("/desk/cases/1/draft", {"text": PLANTED})
    lin.post("/desk/cases/1/note", {"text": PLANTED, "note": PLANTED})
    for table, columns, values in (
        ("callbacks", "conversation_id, event_id, at, number, lang", f"1, 'e', 0, '0{PLANTED}', 'en'"),
        ("ratings", "conversation_id, at, lang, channel, helped, words", f"1, 0, 'en', 'web', 1, '0{PLANTED}'"),
        ("unanswered", "conversation_id, event_id, at, lang, decision, text", f"1, 'e', 0, '', '', '0{PLANTED}'"),
        ("case_notes", "case_id, staff_id, at, body", f"1, 1, 0, '0{PLANTED}'"),
        ("case_log", "case_id, at, what, detail", f"1, 0, 'closed', '0{PLANTED}'"),
        ("attachments", "conversation_id, address_id, event_id, at, kind, ref, name, state, due_at, body",
         f"1, 1, 'e', 0, 'image', '', '0{SECRET_NAME}', 'kept', 0, '0{PLANTED}'"),
        ("inbox", "conversation_id, address_id, event_id, sent_ms, body, accepted_at, state",
         f"1, 1, 'e', 0, '0{PLANTED}', 0, 'failed'"),
    ):  # fmt: skip
        shift(site.database, f"INSERT INTO {table} ({columns}) VALUES ({values})")
    return citizen


def test_nothing_of_an_erased_person_is_left_but_a_receipt(site: Site) -> None:
    citizen = planted(site)
    citizen.tap("mydata:correct")
    messages, answers = site.rows("SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM facts)")[0]
    before = everything(site.database)
    assert before.count(PLANTED) > 8
    page = citizen.post("/chat/forget").text
    assert words(site, "erased", messages=messages, answers=answers, files=1) in page
    after = everything(site.database)
    assert PLANTED not in after
    assert SECRET_NAME not in after
    ((channel, why, counts),) = site.rows("SELECT channel, why, counts FROM erasures")
    assert (channel, why) == ("web", "asked")
    assert json.loads(counts)["messages"] == messages
    assert json.loads(counts)["attachments"] == 1
    assert sorted(site.rows("SELECT kind, state, conversation_id FROM privacy_requests")) == [
        ("correct", "done", None),
        ("delete", "done", None),
    ]


def test_what_is_under_legal_hold_is_not_deleted_and_the_person_hears_why(site: Site) -> None:
    citizen = planted(site)
    boss = site.caseworker("boss", "admin")
    number = site.rows("SELECT number FROM cases")[0][0]
    done = boss.post("/desk/privacy/hold", {"case": number, "reason": "訴訟證據"})
    assert done.status_code == 303
    assert number in boss.get("/desk/privacy").text
    page = citizen.post("/chat/forget")
    assert words(site, "forget_held", days=30) in page.text
    assert PLANTED in everything(site.database)
    assert site.rows("SELECT kind, state FROM privacy_requests") == [("delete", "open")]
    refused = boss.post("/desk/privacy/1/erase")
    assert refused.status_code == 409
    assert PLANTED in everything(site.database)
    boss.post("/desk/privacy/release", {"conversation": "1", "reason": "訴訟結束"})
    assert boss.post("/desk/privacy/1/erase", {"act": "erase"}).status_code == 303
    assert PLANTED not in everything(site.database)
    whys = site.rows("SELECT action, why FROM audit WHERE action IN ('privacy.hold', 'privacy.release') ORDER BY id")
    assert whys == [("privacy.hold", "0訴訟證據"), ("privacy.release", "0訴訟結束")]


# -- every channel


@asynccontextmanager
async def house_of(resources: Resources, folder: Path, public_url: str) -> AsyncIterator[tuple[House, Channel]]:
    """A house that LINE-like and Telegram-like addresses write to."""
    channel = Channel()
    house = build_house(
        folder / "t.db", resources, {name: channel for name in ("line", "telegram", "hook")}, public_url=public_url
    )
    try:
        yield house, channel
    finally:
        house.close()


class Writer:
    """Somebody on a messaging platform."""

    def __init__(self, house: House, channel: Channel, address: Address, group: bool = False) -> None:
        self.house, self.channel, self.address, self.group, self.number = house, channel, address, group, 0

    async def do(self, text: str | None = None, choice: str | None = None, **more: Any) -> str:
        """One message or tap; what came back."""
        self.number += 1
        before = len(self.channel.texts)
        name = f"{self.address.user}-{self.number}"
        incoming = Incoming(
            self.address, name, self.number, text, choice, welcomed=True, group=self.group, message_id=name, **more
        )
        await self.house.door.accept([incoming])
        await self.house.settle()
        return "\n".join(self.channel.texts[before:])

    def links(self) -> list[str]:
        """Every link to a copy that was sent."""
        replies = [reply for parcel in self.channel.parcels for reply in parcel.replies]
        return [link.href for reply in replies for link in reply.links if "/mydata/" in link.href]


LANGUAGES = ("zh-TW", "en", "vi", "id", "th", "fil")


@pytest.mark.parametrize(
    ("platform", "lang"), [("line", "th"), ("telegram", "vi"), ("line", "id"), ("telegram", "fil")]
)
def test_from_a_messenger_in_the_persons_language(
    platform: str, lang: str, resources: Resources, tmp_path: Path
) -> None:
    said = resources.pages.words

    async def story() -> None:
        async with house_of(resources, tmp_path, "https://labor.example") as (house, channel):
            person = Writer(house, channel, Address(platform, "acct", "U1"))
            await person.do(choice=f"lang:{lang}")
            await person.do("Somchai 0912")
            assert said(lang, "conversation.mydata.title") in await person.do(choice="mydata")
            await person.do(choice="mydata:export")
            (link,) = person.links()
            assert link.startswith("https://labor.example/mydata/")
            copy = await CopyDesk(house.store, resources).spend(link.rpartition("/")[2])
            assert copy is not None
            assert copy.lang == lang
            assert "Somchai 0912" in [entry.reply.text for entry in copy.entries]
            assert said(lang, "conversation.correct_asked", days=30) in await person.do(choice="mydata:correct")
            assert said(lang, "conversation.restrict_ask") in await person.do(choice="mydata:restrict")
            assert said(lang, "conversation.restricted", days=30) in await person.do(choice="mydata:restrict_yes")
            assert said(lang, "conversation.lifted") in await person.do(choice="mydata:lift")
            assert said(lang, "conversation.withdrawn") in await person.do(choice="withdraw")
            gone = await person.do(choice="forget:yes")
            assert said(lang, "conversation.forgotten") in gone
            assert said(lang, "conversation.erased", messages="0", answers="0", files="0")[:4] in gone
            assert "Somchai" not in everything(tmp_path / "t.db")
            (request,) = [each for each in house.store.privacy.requests(closed=True) if each.kind == "delete"]
            assert (request.channel, request.conversation) == (platform, None)

    asyncio.run(story())


def test_without_an_address_for_links_the_privacy_officer_hands_the_copy_out(
    resources: Resources, tmp_path: Path
) -> None:
    async def story() -> None:
        async with house_of(resources, tmp_path, "") as (house, channel):
            person = Writer(house, channel, Address("telegram", "acct", "7"))
            await person.do(choice="lang:en")
            answer = await person.do(choice="mydata:export")
            assert answer == resources.pages.words("en", "conversation.copy_asked", days=15)
            (request,) = house.store.privacy.requests()
            assert (request.kind, request.state, request.left) == ("copy", "open", 14)

    asyncio.run(story())


def test_in_a_group_nothing_of_this_is_done(resources: Resources, tmp_path: Path) -> None:
    async def story() -> None:
        async with house_of(resources, tmp_path, "https://labor.example") as (house, channel):
            group = Writer(house, channel, Address("line", "acct", "G1"), group=True)
            for choice in ("mydata", "mydata:export", "mydata:restrict_yes", "mydata:correct", "forget:yes"):
                assert await group.do(choice=choice) == "", choice
            assert "mydata" not in await group.do("你們有我的什麼資料")
            assert house.store.privacy.requests() == house.store.privacy.requests(closed=True) == []
            assert channel.texts
            assert not house.store.privacy.restricted(1)

    asyncio.run(story())


def test_while_a_person_answers_ones_data_stays_ones_own(site: Site) -> None:
    citizen = told_something(site)
    citizen.tap("handoff")
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    citizen.tap("mydata")
    page = citizen.page()
    assert words(site, "mydata.title") in page
    assert 'value="mydata:fix:self:age"' not in page
    citizen.tap("mydata:restrict_yes")
    assert site.rows("SELECT speaker, holder FROM conversations WHERE id = 1") == [("bot", None)]
    fence = str(site.rows("SELECT speaker_fence FROM conversations WHERE id = 1")[0][0])
    answer = lin.post("/desk/cases/1/reply", {"fence": fence, "text": "hello", "id": "b" * 32})
    assert answer.status_code == 403
    assert PLANTED not in answer.text


def test_a_move_between_channels_takes_requests_along(resources: Resources, tmp_path: Path) -> None:
    async def story() -> None:
        async with house_of(resources, tmp_path, "https://labor.example") as (house, channel):
            person = Writer(house, channel, Address("line", "acct", "U1"))
            await person.do("hello")
            await person.do(choice="mydata:correct")
            other = Writer(house, channel, Address("telegram", "acct", "9"))
            await other.do(choice="start")
            shift(tmp_path / "t.db", "DELETE FROM messages WHERE conversation_id = 2")
            await house.store.database.write(lambda c: own_data.ask(c, 2, DataRequest("see", True), "en"))
            await house.store.database.write(lambda c: own_data.issue(c, 2, "token"))
            await house.store.database.write(lambda c: resume.issue(c, 1, "move"))
            await other.do(choice="resume", resume="move")
            assert {row.conversation for row in house.store.privacy.requests(closed=True)} == {1}
            assert await house.store.privacy.spend("token") is None

    asyncio.run(story())


# -- the desk


def asked(site: Site, kind: str = "correct", lang: str = "en") -> Browser:
    """A citizen with an open request."""
    citizen = told_something(site, lang)
    citizen.tap("mydata:restrict_yes" if kind == "stop" else f"mydata:{kind}")
    return citizen


def officer(site: Site) -> Browser:
    """The privacy officer, logged in."""
    return site.caseworker("chen", "privacy_officer")


ROUTES = [
    ("GET", "/desk/privacy", Right.PRIVACY_REQUESTS),
    ("GET", "/desk/privacy/1", Right.PRIVACY_REQUESTS),
    *(
        ("POST", f"/desk/privacy/1/{act}", Right.PRIVACY_REQUESTS)
        for act in ("correct", "restrict", "lift", "erase", "extend", "refuse", "done")
    ),
    ("POST", "/desk/privacy/hold", Right.PEOPLE),
    ("POST", "/desk/privacy/release", Right.PEOPLE),
]


def test_every_role_without_the_right_is_refused(site: Site) -> None:
    asked(site)
    for role in Role:
        browser = site.caseworker(f"a-{role.value}", role.value)
        for method, path, right in ROUTES:
            answer = browser.request(method, path)
            if may(role, right):
                assert answer.status_code in (200, 303, 400, 404, 409), (role, path)
            else:
                assert answer.status_code == 403, (role, path)
                assert PLANTED not in answer.text
        if not may(role, Right.PRIVACY_REQUESTS):
            assert site.rows("SELECT count(*) FROM privacy_requests WHERE state = 'open'") == [(1,)]
        else:
            shift(site.database, "UPDATE privacy_requests SET state = 'open', settled_at = NULL, conversation_id = 1")


def test_only_an_administrator_sees_legal_holds(site: Site) -> None:
    assert 'action="/desk/privacy/hold"' not in officer(site).get("/desk/privacy").text
    boss = site.caseworker("boss", "admin")
    assert 'action="/desk/privacy/hold"' in boss.get("/desk/privacy").text
    for form in ({"case": "none", "reason": "typed reason"}, {"case": "", "reason": ""}, {}):
        answer = boss.post("/desk/privacy/hold", form)
        assert answer.status_code == 400
        assert form.get("reason", "") in answer.text
    assert site.rows("SELECT count(*) FROM legal_holds") == [(0,)]


def test_the_officer_sees_data_for_an_open_request_only_and_each_look_is_written_down(site: Site) -> None:
    asked(site)
    chen = officer(site)
    assert PLANTED not in chen.get("/desk/privacy").text
    page = chen.get("/desk/privacy/1").text
    assert PLANTED in page
    assert site.rows("SELECT action, object, why FROM audit WHERE action LIKE 'privacy.%'") == [
        ("privacy.open", "privacy/1", "0correct")
    ]
    assert chen.get("/desk/privacy/99").status_code == 404
    chen.post("/desk/privacy/1/done")
    assert PLANTED not in chen.get("/desk/privacy/1").text
    assert site.words("zh-TW", "desk_privacy.gone") in chen.get("/desk/privacy/1").text
    assert chen.post("/desk/privacy/1/erase").status_code == 409
    assert PLANTED not in chen.post("/desk/privacy/1/refuse", {"reason": "x"}).text


def test_the_officer_corrects_an_answer_and_the_person_hears_it_in_their_language(site: Site) -> None:
    citizen = asked(site)
    chen = officer(site)
    wrong = {"subject": "self", "fact": "age", "value": "banana", "act": "correct"}
    refused = chen.post("/desk/privacy/1/correct", wrong)
    assert refused.status_code == 400
    assert 'value="banana"' in refused.text
    assert chen.post("/desk/privacy/1/correct", {**wrong, "value": "三十二歲"}).status_code == 303
    ((value,),) = site.rows("SELECT value FROM facts WHERE fact = 'age'")
    assert "1994" in value or "32" in value
    label = site.words("en", "fact.age.label")
    assert hears(citizen, words(site, "request_corrected", "en", fact=label))
    assert chen.post("/desk/privacy/1/correct", {"subject": "self", "fact": "age", "remove": "1"}).status_code == 303
    assert site.rows("SELECT count(*) FROM facts") == [(0,)]
    for form in ({}, {"subject": "self", "fact": "age", "value": "3"}, {"subject": "x", "fact": "disability"}):
        assert chen.post("/desk/privacy/1/correct", form).status_code == 400


def test_a_choice_is_corrected_to_a_choice_only(site: Site) -> None:
    asked(site)
    chen = officer(site)
    shift(
        site.database,
        "INSERT INTO facts (conversation_id, subject, fact, value, at) VALUES (1, 'self', 'disability', '0true', 0)",
    )
    form = {"subject": "self", "fact": "disability"}
    assert chen.post("/desk/privacy/1/correct", {**form, "value": "maybe"}).status_code == 400
    assert chen.post("/desk/privacy/1/correct", {**form, "value": "no"}).status_code == 303
    assert site.rows("SELECT value FROM facts WHERE fact = 'disability'") == [("0false",)]


def test_a_refusal_needs_a_reason_that_the_person_reads(site: Site) -> None:
    citizen = asked(site)
    chen = officer(site)
    for reason in ("", "  ", "x" * 301):
        answer = chen.post("/desk/privacy/1/refuse", {"reason": reason, "act": "refuse"})
        assert answer.status_code == 400
        assert reason.strip() in answer.text
    assert chen.post("/desk/privacy/1/refuse", {"reason": "<b>not wrong</b>"}).status_code == 303
    kind = words(site, "request.correct", "en")
    assert hears(citizen, words(site, "request_refused", "en", kind=kind, reason="<b>not wrong</b>"))
    assert site.rows("SELECT state, settled_at IS NULL, staff_id FROM privacy_requests") == [("refused", 0, 1)]


def test_a_refused_wish_to_stop_lets_the_data_be_used_again(site: Site) -> None:
    asked(site, "stop")
    chen = officer(site)
    assert site.words("zh-TW", "desk_privacy.restricted") in chen.get("/desk/privacy").text
    assert chen.post("/desk/privacy/1/refuse", {"reason": "needed"}).status_code == 303
    assert site.rows("SELECT restricted FROM conversations WHERE id = 1") == [(0,)]


def test_a_wish_to_stop_that_is_dealt_with_stays(site: Site) -> None:
    asked(site, "stop")
    assert officer(site).post("/desk/privacy/1/done").status_code == 303
    assert site.rows("SELECT restricted FROM conversations WHERE id = 1") == [(1,)]


def test_the_officer_keeps_apart_and_lifts(site: Site) -> None:
    citizen = asked(site)
    chen = officer(site)
    assert chen.post("/desk/privacy/1/restrict").status_code == 303
    assert hears(citizen, words(site, "request_restricted", "en"))
    citizen.tap("check:p15")
    assert hears(citizen, words(site, "restricted_check", "en"))
    assert chen.post("/desk/privacy/1/lift").status_code == 303
    assert hears(citizen, words(site, "request_lifted", "en"))
    assert site.rows("SELECT restricted FROM conversations WHERE id = 1") == [(0,)]


def test_the_officer_erases_after_giving_the_password_again(site: Site) -> None:
    citizen = asked(site)
    chen = officer(site)
    shift(site.database, "UPDATE staff_sessions SET confirmed_at = confirmed_at - 86400")
    refused = chen.post("/desk/privacy/1/erase", {"act": "erase"})
    assert refused.status_code == 400
    assert "/desk/confirm?next=/desk/privacy/1" in refused.text
    shift(site.database, "UPDATE staff_sessions SET confirmed_at = confirmed_at + 86400")
    assert chen.post("/desk/privacy/1/erase", {"act": "erase"}).status_code == 303
    assert PLANTED not in everything(site.database)
    assert hears(citizen, words(site, "request_erased", "en"))
    assert site.rows("SELECT why FROM erasures") == [("officer",)]
    assert site.rows("SELECT conversation_id, state, staff_id FROM privacy_requests") == [(None, "done", 1)]
    citizen.say("hello again")
    assert "hello again" in citizen.page()


# -- the legal clock


def test_each_kind_has_its_clock(tmp_path: Path) -> None:
    async def story() -> None:
        with opened(tmp_path / "t.db") as store:
            await store.accept([Incoming(Address("web", "", "u"), "1", 1, "hi")])
            for kind in LEGAL_DAYS:
                await store.database.write(lambda c, kind=kind: own_data.ask(c, 1, DataRequest(kind, False), "en"))
            found = {row.kind: row for row in store.privacy.requests()}
            spans = {kind: round((row.due_at - row.opened_at) / DAY) for kind, row in found.items()}
            assert spans == {"see": 15, "copy": 15, "correct": 30, "stop": 30, "delete": 30}
            assert [row.left for row in store.privacy.requests()] == [14, 14, 29, 29, 29]

    asyncio.run(story())


def test_a_request_that_waits_is_not_opened_twice(tmp_path: Path) -> None:
    async def story() -> None:
        with opened(tmp_path / "t.db") as store:
            await store.accept([Incoming(Address("web", "", "u"), "1", 1, "hi")])
            for request in (DataRequest("correct", False), DataRequest("see", True)):
                for _ in range(3):
                    await store.database.write(lambda c, r=request: own_data.ask(c, 1, r, "en"))
            assert store.privacy.counts() == {"open": 1, "closed": 1}

    asyncio.run(story())


def test_a_deadline_is_extended_once_by_as_much_again_with_a_reason(site: Site) -> None:
    citizen = asked(site)
    chen = officer(site)
    assert chen.post("/desk/privacy/1/extend", {"reason": ""}).status_code == 400
    assert chen.post("/desk/privacy/1/extend", {"reason": "many files"}).status_code == 303
    ((span, extended),) = site.rows("SELECT round((due_at - opened_at) / 86400), extended FROM privacy_requests")
    assert (span, extended) == (60.0, 1)
    assert hears(citizen, "many files")
    assert chen.post("/desk/privacy/1/extend", {"reason": "still more"}).status_code == 400
    assert site.rows("SELECT round((due_at - opened_at) / 86400) FROM privacy_requests") == [(60.0,)]


def test_what_is_late_stands_first_and_says_so(site: Site) -> None:
    asked(site)
    asked(site)
    shift(site.database, f"UPDATE privacy_requests SET due_at = due_at - {40 * DAY} WHERE id = 2")
    page = officer(site).get("/desk/privacy").text
    assert site.words("zh-TW", "desk_privacy.late", count=11) in page
    assert page.index("/desk/privacy/2") < page.index("/desk/privacy/1")


# -- purging


def kept_long(store: Store) -> dict[str, int]:
    """What is there, by table."""
    tables = ("messages", "facts", "cases", "addresses", "seen", "outbox", "inbox", "privacy_requests", "audit")
    return {table: store.database.read.all(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in tables}


@asynccontextmanager
async def lived(resources: Resources, folder: Path) -> AsyncIterator[House]:
    """Two people who wrote; the first told two facts, one of them special, and has a case that was closed."""
    async with house_of(resources, folder, "") as (house, channel):
        first = Writer(house, channel, Address("line", "acct", "U1"))
        await first.do(PLANTED)
        await first.do(choice="handoff")
        await Writer(house, channel, Address("telegram", "acct", "2")).do("hello")
        await house.store.note(None, "test", "case/1")
        for fact in ("disability", "age"):
            shift(
                folder / "t.db",
                "INSERT INTO facts (conversation_id, subject, fact, value, at)"
                f" SELECT 1, 'self', '{fact}', '0true', opened_at FROM conversations WHERE id = 1",
            )
        shift(folder / "t.db", "UPDATE cases SET state = 'closed', closed_at = opened_at")
        shift(folder / "t.db", "UPDATE conversations SET speaker = 'bot'")
        yield house


def age(path: Path, days: float) -> None:
    """Everything is older by so many days."""
    times = {
        "conversations": ("opened_at", "updated_at"),
        "messages": ("at",),
        "facts": ("at",),
        "cases": ("opened_at", "closed_at"),
        "outbox": ("created_at",),
        "inbox": ("accepted_at",),
        "privacy_requests": ("opened_at", "due_at", "settled_at"),
    }
    for table, columns in times.items():
        changes = ", ".join(f"{column} = {column} - {days * DAY}" for column in columns)
        shift(path, f"UPDATE {table} SET {changes}")
    for table in ("seen", "gone"):
        shift(path, f"UPDATE {table} SET day = day - {int(days)}")


PURGES = [  # days since everything happened; what goes
    (6, {}),
    (8, {"special": 1}),
    (89, {"special": 1}),
    (92, {"special": 1, "rested": 2, "facts": 1, "messages": ..., "outbox": ..., "hashes": 3, "unanswered": 1}),
    (364, {"special": 1, "rested": 2, "facts": 1, "messages": ..., "outbox": ..., "hashes": 3, "unanswered": 1}),
    (
        366,
        {
            "special": 1,
            "rested": 2,
            "facts": 1,
            "messages": ...,
            "outbox": ...,
            "hashes": 3,
            "unanswered": 1,
            "cases": 1,
        },
    ),
]


@pytest.mark.parametrize(("days", "goes"), PURGES)
def test_each_kind_goes_in_its_time(days: int, goes: dict[str, Any], resources: Resources, tmp_path: Path) -> None:
    async def story() -> None:
        async with lived(resources, tmp_path) as house:
            age(tmp_path / "t.db", days)
            store, facts = house.store, resources.knowledge.facts
            would = store.privacy.due(Retention(), special_facts(facts))
            audits = kept_long(store)["audit"]
            report = await purge(store, Retention(), facts)
            assert dict(report.counts) == dict(would.counts)
            assert report.counts.keys() == goes.keys()
            assert all(report.counts[kind] == count for kind, count in goes.items() if count is not ...)
            assert kept_long(store)["audit"] == audits + bool(goes)
            assert (await purge(store, Retention(), facts)).counts == {}
            if "rested" in goes:
                assert PLANTED not in everything(tmp_path / "t.db")
                assert "'U1'" not in everything(tmp_path / "t.db")
                assert store.conversation_of(Address("line", "acct", "U1")) is None

    asyncio.run(story())


@pytest.mark.parametrize("reason", ["hold", "open case", "open request", "used again"])
def test_what_must_stay_stays(reason: str, resources: Resources, tmp_path: Path) -> None:
    changes = {
        "hold": "INSERT INTO legal_holds VALUES (1, 0, 1, '0x')",
        "open case": "UPDATE cases SET state = 'waiting', closed_at = NULL",
        "open request": "INSERT INTO privacy_requests (conversation_id, kind, channel, lang, opened_at, due_at)"
        " VALUES (1, 'correct', 'line', 'en', 0, 0)",
        "used again": "UPDATE conversations SET updated_at = (julianday('now') - 2440587.5) * 86400 WHERE id = 1",
    }

    async def story() -> None:
        async with lived(resources, tmp_path) as house:
            house.store.add_staff("boss", "admin", "")
            age(tmp_path / "t.db", 400)
            shift(tmp_path / "t.db", changes[reason])
            report = await purge(house.store, Retention(), resources.knowledge.facts)
            assert report.counts["rested"] == 1
            assert PLANTED in everything(tmp_path / "t.db")
            cases = 1 if reason in ("hold", "open case") else 0
            assert kept_long(house.store)["cases"] == cases
            special = 1 if reason in ("hold", "open case") else 0
            found = house.store.database.read.all("SELECT count(*) AS n FROM facts WHERE fact = 'disability'")
            assert found[0]["n"] == special

    asyncio.run(story())


def test_a_special_answer_waits_for_the_case_to_be_closed_for_days(resources: Resources, tmp_path: Path) -> None:
    async def story() -> None:
        async with lived(resources, tmp_path) as house:
            age(tmp_path / "t.db", 30)
            shift(tmp_path / "t.db", f"UPDATE cases SET closed_at = (julianday('now') - 2440587.5) * 86400 - {6 * DAY}")
            assert "special" not in (await purge(house.store, Retention(), resources.knowledge.facts)).counts
            shift(tmp_path / "t.db", f"UPDATE cases SET closed_at = closed_at - {2 * DAY}")
            assert (await purge(house.store, Retention(), resources.knowledge.facts)).counts["special"] == 1

    asyncio.run(story())


def test_what_never_arrived_goes_and_its_line_says_failed(resources: Resources, tmp_path: Path) -> None:
    async def story() -> None:
        async with lived(resources, tmp_path) as house:
            shift(tmp_path / "t.db", "UPDATE outbox SET state = 'waiting' WHERE id = 1")
            shift(tmp_path / "t.db", "UPDATE messages SET status = 'undelivered' WHERE seq = 2 AND conversation_id = 1")
            shift(
                tmp_path / "t.db",
                "INSERT INTO inbox (conversation_id, address_id, event_id, sent_ms, body, accepted_at, state)"
                " SELECT 1, 1, 'e', 0, '0x', updated_at, 'failed' FROM conversations WHERE id = 1",
            )
            age(tmp_path / "t.db", 31)
            report = await purge(house.store, Retention(special=400), resources.knowledge.facts)
            assert report.counts == {"undelivered": 2}
            line = house.store.database.read.all("SELECT status FROM messages WHERE seq = 2 AND conversation_id = 1")
            assert line[0]["status"] == "failed"

    asyncio.run(story())


def test_a_late_copy_of_a_purged_message_starts_nothing_old(resources: Resources, tmp_path: Path) -> None:
    """Whoever writes again after the purge is somebody new; the empty row keeps ids from being used again."""

    async def story() -> None:
        async with lived(resources, tmp_path) as house:
            age(tmp_path / "t.db", 92)
            await purge(house.store, Retention(), resources.knowledge.facts)
            await house.door.accept([Incoming(Address("line", "acct", "U1"), "new", 1, "hello")])
            assert house.store.conversation_of(Address("line", "acct", "U1")) == 3

    asyncio.run(story())


def test_the_verb_counts_first_and_then_purges(resources: Resources, tmp_path: Path) -> None:
    async def story() -> None:
        async with lived(resources, tmp_path):
            age(tmp_path / "t.db", 92)

    asyncio.run(story())
    settings = {"LABOR_BOT_DATABASE_URL": f"sqlite:///{tmp_path / 't.db'}", "LABOR_BOT_KEEP_CHAT_DAYS": "90"}
    dry = CliRunner().invoke(main, ["purge", "--dry-run"], env=settings)
    assert "rested\t2" in dry.output
    assert PLANTED in everything(tmp_path / "t.db")
    wet = CliRunner().invoke(main, ["purge"], env=settings)
    assert wet.stdout == dry.stdout
    assert PLANTED not in everything(tmp_path / "t.db")
    assert CliRunner().invoke(main, ["purge"], env=settings).stdout == ""


def test_special_answers_cannot_be_kept_longer_than_the_rest(tmp_path: Path) -> None:
    from bot.config import ConfigError, load

    assert load({}).retention == Retention()
    with pytest.raises(ConfigError, match="KEEP_SPECIAL_DAYS"):
        load({"LABOR_BOT_KEEP_SPECIAL_DAYS": "91"})
    with pytest.raises(ConfigError):
        load({"LABOR_BOT_KEEP_CASE_DAYS": "0"})


def test_a_file_of_the_person_is_in_the_copy_by_name(resources: Resources, tmp_path: Path) -> None:
    async def story() -> None:
        async with house_of(resources, tmp_path, "") as (house, channel):
            person = Writer(house, channel, Address("line", "acct", "U1"))
            await person.do(choice="handoff")
            await person.do(kind=Kind.FILE, attachment=Attachment("file", "ref", SECRET_NAME, "application/pdf", 9))
            copy = CopyDesk(house.store, resources).copy(1)
            assert [(file.name, file.kept) for file in copy.files] == [(SECRET_NAME, False)]

    asyncio.run(story())


def test_the_store_refuses_to_erase_what_is_held(tmp_path: Path) -> None:
    async def story() -> None:
        with opened(tmp_path / "t.db") as store:
            await store.accept([Incoming(Address("web", "", "u"), "1", 1, "hi")])
            staff = store.add_staff("boss", "admin", "")
            await store.privacy.hold(1, staff, "evidence")
            with pytest.raises(erasing.OnHold):
                await store.database.write(lambda c: erasing.erase(c, 1, "asked"))
            assert [(hold.conversation, hold.who, hold.reason) for hold in store.privacy.holds()] == [
                (1, "boss", "evidence")
            ]
            assert await store.privacy.release(1)
            assert not await store.privacy.release(1)

    asyncio.run(story())
