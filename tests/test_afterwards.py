"""After the case: words beside a rating, messages that were misread, and the lists for authors."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from platforms.city import City
from platforms.city import running as city_running
from platforms.people import OnLine, OnTelegram, Person
from site_app import Browser, Site, running

from bot.channels import telegram_pace
from bot.cli.main import main
from bot.desk.rights import Right, Role, may
from bot.pipeline import errands
from bot.pipeline.resources import Resources
from bot.store import Store, database, purging
from bot.store.codec import decode
from intents.redact import MASK, masked

WORDS = "林先生很親切，講得很清楚"
HOSTILE = "=HYPERLINK(1) <script>alert(1)</script> \"'><img src=x onerror=alert(1)>"
UNKNOWN = "附近哪裡有好吃的拉麵"
SENTENCE = "尋職津貼多少錢 我的電話0912345678"


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


def fence(site: Site) -> str:
    return str(site.rows("SELECT speaker_fence FROM conversations ORDER BY id LIMIT 1")[0][0])


def after_a_case(site: Site, lang: str = "zh-TW") -> tuple[Browser, Browser]:
    """A citizen whose case was closed, and the caseworker who closed it."""
    citizen = site.browser(lang)
    citizen.tap("handoff")
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/close", {"fence": fence(site)})
    return citizen, lin


def rated(citizen: Browser, words: str, choice: str = "rate:yes") -> None:
    citizen.tap(choice)
    citizen.say(words)


def seq_of(site: Site, text: str) -> int:
    """The number of the citizen's newest line that says this."""
    found = site.rows("SELECT seq, body FROM messages WHERE author = 'citizen' ORDER BY seq DESC")
    return next(int(seq) for seq, body in found if json.loads(decode(body))["text"] == masked(text))


def kept_words(site: Site) -> list[tuple[int, str]]:
    return [(helped, decode(words)) for helped, words in site.rows("SELECT helped, words FROM ratings ORDER BY id")]


def audited(site: Site, action: str) -> list[tuple[str, str]]:
    return site.rows(f"SELECT object, why FROM audit WHERE action = '{action}' ORDER BY id")


# -- words beside a rating


def test_words_stand_on_the_case_after_it_was_closed(site: Site) -> None:
    citizen, lin = after_a_case(site)
    assert site.words("zh-TW", "desk_after.rated_none") in lin.get("/desk/cases/1").text
    rated(citizen, WORDS)
    assert kept_words(site) == [(1, WORDS)]
    page = lin.get("/desk/cases/1").text
    assert WORDS in page
    assert site.words("zh-TW", "desk_after.rated_yes") in page


def test_another_tap_changes_the_rating_and_keeps_the_words(site: Site) -> None:
    citizen, _ = after_a_case(site)
    rated(citizen, WORDS)
    citizen.tap("rate:no")
    assert kept_words(site) == [(0, WORDS)]


def test_what_is_no_word_about_the_service_is_not_kept_as_one(site: Site) -> None:
    citizen, _ = after_a_case(site)
    rated(citizen, "尋職津貼多少錢")
    assert kept_words(site) == [(1, "")]


def test_danger_is_answered_and_stands_in_no_list(site: Site) -> None:
    citizen, _ = after_a_case(site)
    rated(citizen, "我不想活了", "rate:no")
    assert "1925" in citizen.page()
    assert kept_words(site) == [(0, "")]


def test_while_a_person_holds_the_conversation_words_are_for_that_person(site: Site) -> None:
    citizen, lin = after_a_case(site)
    citizen.tap("rate:yes")
    lin.post("/desk/cases/1/reopen")
    citizen.say("我還想問一件事")
    lin.post("/desk/cases/1/close", {"fence": fence(site)})
    citizen.say(WORDS)
    assert kept_words(site) == [(1, "")]


def test_forgetting_takes_ratings_and_what_was_handed_on_along(site: Site) -> None:
    citizen = site.browser()
    citizen.say(SENTENCE)
    citizen.tap("handoff")
    lin = site.caseworker()
    form = {"seq": str(seq_of(site, SENTENCE)), "meant": "none", "text": "薔薇"}
    assert lin.post("/desk/cases/1/misread", form).status_code == 303
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/close", {"fence": fence(site)})
    rated(citizen, WORDS)
    citizen.tap("forget:yes")
    for table in ("ratings", "misread"):
        assert site.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    for secret in ("林先生很親切", "薔薇"):
        assert secret.encode() not in b"".join(repr(row).encode() for row in everything(site.database))


def everything(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [row for table in tables for row in connection.execute(f"SELECT * FROM {table}")]


def test_the_copy_of_ones_data_holds_words_and_what_was_handed_on(site: Site) -> None:
    citizen = site.browser()
    citizen.say(SENTENCE)
    citizen.tap("handoff")
    lin = site.caseworker()
    form = {"seq": str(seq_of(site, SENTENCE)), "meant": "p15", "text": "尋職津貼多少錢"}
    lin.post("/desk/cases/1/misread", form)
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/close", {"fence": fence(site)})
    rated(citizen, WORDS, "rate:no")
    citizen.tap("mydata:export")
    link = re.findall(r"/mydata/[\w-]+", citizen.page())[-1]
    copy = citizen.post(f"{link}?as=json").json()
    assert [(each["helped"], each["words"]) for each in copy["ratings"]] == [(False, WORDS)]
    assert [each["text"] for each in copy["handed_to_authors"]] == ["尋職津貼多少錢"]


def test_words_are_listed_masked_beside_the_reports_for_those_who_may_read_them(site: Site) -> None:
    citizen, _ = after_a_case(site)
    rated(citizen, f"{WORDS}，我叫陳金枝 A123456789 a@b.tw")
    move_to_today(site)
    for role in Role:
        page = site.caseworker(f"r-{role}", role).get("/desk/reports")
        if not may(role, Right.REPORTS):
            assert page.status_code == 403
            continue
        assert (WORDS in page.text) == may(role, Right.AUTHOR_LISTS), role
        assert "A123456789" not in page.text
        assert "a@b.tw" not in page.text
    assert {what for what, _ in audited(site, "report.words")} == {"report/words"}
    assert WORDS not in site.caseworker("other", "senior").get("/desk/reports?channel=line").text
    citizen.tap("mydata:restrict_yes")
    assert WORDS not in site.caseworker("later", "senior").get("/desk/reports").text


def test_hostile_words_are_only_text(site: Site) -> None:
    citizen, lin = after_a_case(site)
    rated(citizen, HOSTILE, "rate:no")
    if kept_words(site) != [(0, HOSTILE)]:  # however it was read
        change(site, "UPDATE ratings SET words = '0' || ?", HOSTILE)
    move_to_today(site)
    for page in (lin.get("/desk/cases/1").text, site.caseworker("boss", "senior").get("/desk/reports").text):
        assert html.escape(HOSTILE, quote=False)[:40] in page.replace("&#34;", '"').replace("&#39;", "'")
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page


def move_to_today(site: Site) -> None:
    """The clock of the pages stands still, that of the database does not."""
    change(site, "UPDATE ratings SET at = ?", site.resources.clock().timestamp())


def change(site: Site, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(site.database, timeout=10)) as connection:
        connection.execute(sql, values)
        connection.commit()


# -- on the platforms, through their own libraries


@pytest.fixture
def city(resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    monkeypatch.setattr(errands, "EVERY_SECONDS", 0.02)
    monkeypatch.setattr(telegram_pace, "BURST", 10_000)
    with city_running(resources, tmp_path, "webhook") as city:
        yield city
        assert city.faults == []


BAD, WORSE = "bad service, nobody answered for two days", "bad service, nobody answered for three days"


def asked_for_words(city: City, person: Person) -> None:
    person.follow()
    person.say("bye bye")
    *_, asked = person.tap("rate:no")
    assert "words:skip" in asked.choices


def test_words_on_line_and_an_edit_takes_their_place(city: City) -> None:
    person = OnLine(city, "en")
    asked_for_words(city, person)
    event = city.line.events.text(person.id, BAD)
    assert city.words("en", "conversation.words_kept") in person.send(event)[-1].text
    assert decoded(city) == [BAD]
    *_, answer = person.send(city.line.events.edited(person.id, event["message"]["id"], WORSE, group=""))
    assert decoded(city) == [WORSE]
    assert city.words("en", "conversation.words_kept") in answer.text


def test_words_on_telegram_and_an_edit_takes_their_place(city: City) -> None:
    person = OnTelegram(city, "en")
    asked_for_words(city, person)
    person.take_a_second()
    update = city.telegram.make.text(person.id, BAD)
    assert city.words("en", "conversation.words_kept") in person.send(update)[-1].text
    assert decoded(city) == [BAD]
    *_, answer = person.send(city.telegram.make.edited(update, WORSE))
    assert decoded(city) == [WORSE]
    assert city.words("en", "conversation.words_kept") in answer.text


def test_unsent_words_are_gone(city: City) -> None:
    person = OnLine(city, "en")
    person.follow()
    person.say("bye bye")
    person.tap("rate:yes")
    event = person.make.text(person.id, "Ms Lin was very kind and clear")
    person.send(event)
    assert decoded(city) == ["Ms Lin was very kind and clear"]
    person.send(city.line.events.unsend(person.id, event["message"]["id"]))
    assert decoded(city) == [""]
    assert city.rows("SELECT helped FROM ratings") == [(1,)]


def decoded(city: City) -> list[str]:
    return [decode(words) for (words,) in city.rows("SELECT words FROM ratings")]


# -- messages that were misread


@pytest.fixture
def misread(site: Site) -> tuple[Browser, Browser, str]:
    """A citizen with an open case, a caseworker, and the number of a line that the bot read."""
    citizen = site.browser()
    citizen.say(SENTENCE)
    citizen.tap("handoff")
    return citizen, site.caseworker(), str(seq_of(site, SENTENCE))


Misread_ = tuple[Browser, Browser, str]


def test_a_misread_message_goes_to_the_authors_as_the_caseworker_left_it(site: Site, misread: Misread_) -> None:
    _, lin, seq = misread
    assert f"/desk/cases/1/misread?seq={seq}" in lin.get("/desk/cases/1").text
    page = lin.get(f"/desk/cases/1/misread?seq={seq}").text
    assert f"尋職津貼多少錢 我的電話{MASK}</textarea>" in page
    assert '<option value="p15">' in page
    form = {"seq": seq, "meant": "p15", "text": "我叫陳金枝 a@b.tw 0912345678 尋職津貼多少錢"}
    sent = lin.post("/desk/cases/1/misread", form)
    assert sent.headers["location"] == "/desk/cases/1"
    ((lang, text, understood, meant, state),) = site.rows("SELECT lang, text, understood, meant, state FROM misread")
    assert (lang, meant, state) == ("zh-TW", "p15", "new")
    assert understood.split()[0] == "program"
    assert not any(secret in text for secret in ("陳金枝", "a@b.tw", "0912"))
    assert "尋職津貼多少錢" in decode(text)
    assert audited(site, "message.misread") == [("case/1", "")]
    assert site.words("zh-TW", "desk_after.misread_sent") in lin.get("/desk/cases/1").text


def test_sent_again_it_takes_the_place_of_the_one_before(site: Site, misread: Misread_) -> None:
    _, lin, seq = misread
    lin.post("/desk/cases/1/misread", {"seq": seq, "meant": "p15", "text": "one"})
    assert site.words("zh-TW", "desk_after.misread_again") in lin.get(f"/desk/cases/1/misread?seq={seq}").text
    change(site, "UPDATE misread SET state = 'done', settled_at = 1.0")
    lin.post("/desk/cases/1/misread", {"seq": seq, "meant": "none", "text": "two"})
    assert site.rows("SELECT text, meant, state, settled_at FROM misread") == [("0two", "", "new", None)]


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({"meant": "", "text": "kept"}, "error_misread_meant"),
        ({"meant": "p99", "text": "kept"}, "error_misread_meant"),
        ({"meant": "rating", "text": "kept"}, "error_misread_meant"),
        ({"meant": "p15", "text": "  "}, "error_misread_text"),
        ({"meant": "p15", "text": "kept" * 251}, "error_misread_text"),
    ],
)
def test_what_is_not_complete_is_asked_for_again_with_what_was_typed(
    site: Site, misread: Misread_, form: dict[str, str], key: str
) -> None:
    _, lin, seq = misread
    answer = lin.post("/desk/cases/1/misread", {"seq": seq, **form})
    assert answer.status_code == 400
    assert site.words("zh-TW", f"desk_after.{key}", limit=1000) in answer.text
    assert form["text"].strip() in answer.text
    assert site.rows("SELECT count(*) FROM misread") == [(0,)]


@pytest.mark.parametrize("seq", ["", "0", "-1", "x", "999", "2", "99999999999999"])
def test_only_a_message_of_the_citizen_that_was_read_can_be_handed_on(site: Site, misread: Misread_, seq: str) -> None:
    _, lin, read = misread
    assert seq != read
    assert lin.get("/desk/cases/1/misread", params={"seq": seq}).status_code == 404
    assert lin.post("/desk/cases/1/misread", {"seq": seq, "meant": "p15", "text": "x"}).status_code == 404


def test_nobody_hands_on_what_they_may_not_see(site: Site, misread: Misread_) -> None:
    citizen, lin, seq = misread
    form = {"seq": seq, "meant": "p15", "text": "x"}
    lin.post("/desk/cases/1/claim")
    other = site.caseworker("chen")
    assert other.get(f"/desk/cases/1/misread?seq={seq}").status_code == 403
    assert other.post("/desk/cases/1/misread", form).status_code == 403
    lin.post("/desk/cases/1/close", {"fence": fence(site)})
    citizen.say("外籍勞工文化活動")
    later = str(seq_of(site, "外籍勞工文化活動"))
    assert lin.post("/desk/cases/1/misread", form | {"seq": later}).status_code == 404  # after the case
    citizen.tap("mydata:restrict_yes")
    assert lin.post("/desk/cases/1/misread", form).status_code == 403
    assert site.rows("SELECT count(*) FROM misread") == [(0,)]


def test_a_message_taken_back_takes_its_row_along(site: Site, misread: Misread_) -> None:
    citizen, lin, seq = misread
    lin.post("/desk/cases/1/misread", {"seq": seq, "meant": "p15", "text": "x"})
    citizen.tap("withdraw")
    assert site.rows("SELECT count(*) FROM misread") == [(0,)]


def test_rows_go_with_their_time(resources: Resources, site: Site, misread: Misread_) -> None:
    _, lin, seq = misread
    lin.post("/desk/cases/1/misread", {"seq": seq, "meant": "p15", "text": "x"})
    change(site, "UPDATE misread SET at = at - 91 * 86400.0")
    with closing(Store(site.database)) as store:
        assert purging.due(store.database.read, resources.retention, ()).counts["misread"] == 1


# -- the lists


@pytest.fixture
def lists(site: Site, misread: Misread_) -> Browser:
    """Something in each list, and somebody who reads them."""
    citizen, lin, seq = misread
    stranger = site.browser()
    stranger.tap("lang:zh-TW")
    stranger.say(f"{UNKNOWN} {HOSTILE}")
    site.browser("en").say("where is the nearest ramen place")
    lin.post("/desk/cases/1/misread", {"seq": seq, "meant": "none", "text": HOSTILE})
    citizen.tap("check:p15")
    citizen.say("60歲")
    lin.post("/desk/cases/1/propose", {"rule": "p15", "expect": "eligible", "note": HOSTILE})
    return site.caseworker("boss", "senior")


NAMES = ("unanswered", "misread", "proposals")


@pytest.mark.parametrize("name", NAMES)
def test_a_list_is_read_marked_and_opened_again(site: Site, lists: Browser, name: str) -> None:
    page = lists.get(f"/desk/authors?list={name}").text
    assert 'id="row-1"' in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    done = lists.post("/desk/authors/settle", {"list": name, "id": "1", "to": "done", "state": "new"})
    assert done.headers["location"] == f"/desk/authors?list={name}&state=new"
    assert 'id="row-1"' not in lists.get(done.headers["location"]).text
    ((state, at, who),) = site.rows(f"SELECT state, settled_at, settled_by FROM {name} WHERE id = 1")
    assert (state, at is not None, who) == ("done", True, site.rows("SELECT id FROM staff WHERE name = 'boss'")[0][0])
    assert "由 boss 標記於" in lists.get(f"/desk/authors?list={name}&state=done").text
    lists.post("/desk/authors/settle", {"list": name, "id": "1", "to": "new", "state": "done"})
    assert site.rows(f"SELECT state, settled_at, settled_by FROM {name} WHERE id = 1") == [("new", None, None)]
    lists.post("/desk/authors/settle", {"list": name, "id": "1", "to": "dismissed"})
    assert 'id="row-1"' in lists.get(f"/desk/authors?list={name}&state=dismissed").text
    for action in ("done", "again", "dismissed"):
        assert audited(site, f"authors.{action}") == [(f"{name}/1", "")]
    assert audited(site, "authors.open") == [(f"authors/{name}", "")]  # once in ten minutes


def test_a_list_is_narrowed_and_turned_over(site: Site, lists: Browser) -> None:
    def found(query: str) -> list[str]:
        return re.findall(r'id="row-(\d+)"', lists.get(f"/desk/authors?{query}").text)

    assert found("list=unanswered") == ["2", "1"]
    assert found("list=unanswered&lang=en") == ["2"]
    assert found("list=unanswered&before=2") == ["1"]
    assert found("list=unanswered&lang=en'%20OR%20'1'='1&state=%25&before=x") == ["2", "1"]
    assert found("list=staff") == ["2", "1"]
    change(site, "INSERT INTO unanswered (conversation_id, event_id, at, lang, decision, text)"
           " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
           " SELECT 1, 'x' || i, 1.0, 'th', 'refuse', '0x' FROM n")  # fmt: skip
    first = lists.get("/desk/authors?list=unanswered&lang=th").text
    (older,) = re.findall(r'href="/desk/authors\?([^"]+)" rel="next"', first)
    assert len(found(html.unescape(older))) == 10
    assert 'before="' not in older


def test_a_row_that_is_gone_says_so(site: Site, lists: Browser) -> None:
    for form in (
        {"list": "misread", "id": "99", "to": "done"},
        {"list": "misread", "id": "1", "to": "erased"},
        {"list": "misread", "id": "1", "to": "new"},
        {"list": "misread", "id": "x", "to": "done"},
    ):
        answer = lists.post("/desk/authors/settle", form)
        assert site.words("zh-TW", "desk_authors.error_gone") in lists.get(answer.headers["location"]).text
    assert site.rows("SELECT state FROM misread") == [("new",)]


@pytest.mark.parametrize("name", NAMES)
def test_a_list_as_a_file_runs_nothing(site: Site, lists: Browser, name: str) -> None:
    file = lists.get(f"/desk/authors.csv?list={name}")
    assert file.headers["content-disposition"].startswith(f'attachment; filename="authors-{name}-')
    text = file.content.decode("utf-8-sig")
    header, *lines = list(csv.reader(io.StringIO(text)))
    assert header[0] == site.words("zh-TW", "desk_authors.number")
    assert lines
    assert all(len(line) == len(header) for line in lines)
    assert any(HOSTILE in cell for line in lines for cell in line)
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line)
    assert audited(site, "authors.export") == [(f"authors/{name}", "")]


def test_what_is_kept_apart_stands_in_no_list(site: Site, lists: Browser, misread: Misread_) -> None:
    misread[0].tap("mydata:restrict_yes")
    assert 'id="row-' not in lists.get("/desk/authors?list=misread").text
    assert lists.get("/desk/authors.csv?list=misread").text.count("\n") == 1


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_what_it_may(site: Site, misread: Misread_, role: Role) -> None:
    _, _, seq = misread
    somebody = site.caseworker("somebody", role)
    may_read, may_answer = may(role, Right.AUTHOR_LISTS), may(role, Right.ANSWER)
    assert (somebody.get("/desk/authors").status_code == 200) == may_read
    assert (somebody.get("/desk/authors.csv").status_code == 200) == may_read
    settled = somebody.post("/desk/authors/settle", {"list": "misread", "id": "1", "to": "done"})
    assert settled.status_code == (303 if may_read else 403)
    assert ('href="/desk/authors"' in somebody.get("/desk/account").text) == may_read
    assert (somebody.get(f"/desk/cases/1/misread?seq={seq}").status_code == 200) == may_answer
    sent = somebody.post("/desk/cases/1/misread", {"seq": seq, "meant": "p15", "text": "x"})
    assert sent.status_code == (303 if may_answer else 403)
    assert site.rows("SELECT count(*) FROM misread") == [(int(may_answer),)]


def test_another_site_marks_nothing(site: Site, lists: Browser) -> None:
    forged = lists.post(
        "/desk/authors/settle",
        {"list": "misread", "id": "1", "to": "done"},
        headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    )
    assert forged.status_code == 403
    assert site.rows("SELECT state FROM misread") == [("new",)]


def test_in_english(site: Site, lists: Browser) -> None:
    page = lists.get("/desk/authors?list=misread", headers={"accept-language": "en"}).text
    assert "Misunderstood messages" in page
    assert "None of these" in page


# -- the command line


def run(site: Site, *words: str) -> str:
    result = CliRunner().invoke(main, list(words), env={"LABOR_BOT_DATA_DIR": str(site.database.parent)})
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_line_lists_and_marks_the_same(site: Site, lists: Browser) -> None:
    assert UNKNOWN in run(site, "intents", "unanswered")
    listed = run(site, "intents", "misread")
    assert "-> none of these" in listed
    assert "HYPERLINK" in listed
    assert json.loads(run(site, "intents", "misread", "--jsonl").splitlines()[0])["meant"] == ""
    assert run(site, "intents", "misread", "--settle", "1") == "1 settled\n"
    assert "HYPERLINK" not in run(site, "intents", "misread")
    assert "HYPERLINK" in run(site, "intents", "misread", "--state", "done")
    assert 'id="row-1"' in lists.get("/desk/authors?list=misread&state=done").text
    lists.post("/desk/authors/settle", {"list": "unanswered", "id": "1", "to": "done"})
    assert UNKNOWN not in run(site, "intents", "unanswered")
    assert "boss" in run(site, "intents", "unanswered", "--state", "done")
    assert "# proposal 1: p15 says" in run(site, "eligibility", "proposals")
    assert run(site, "eligibility", "proposals", "--dismiss", "1") == "1 dismissed\n"
    assert "  dismissed 20" in run(site, "eligibility", "proposals", "--state", "dismissed")


def test_a_database_from_before_keeps_what_was_settled(tmp_path: Path) -> None:
    """The states of the lists have one name each since this migration."""
    folder, path = Path(database.__file__).parent / "migrations", tmp_path / "t.db"
    older = [file for file in sorted(folder.glob("*.sql")) if file.name < "0012"]
    with closing(sqlite3.connect(path)) as connection:
        for file in older:
            connection.executescript(file.read_text("utf-8"))
        connection.executescript(
            "INSERT INTO conversations (opened_at, updated_at) VALUES (1, 1);"
            "INSERT INTO staff (name, role, password_hash, created_at) VALUES ('lin', 'agent', '', 1);"
            "INSERT INTO unanswered (conversation_id, event_id, at, lang, decision, text, state)"
            " VALUES (1, 'a', 1, 'en', 'refuse', '0x', 'adopted'), (1, 'b', 1, 'en', 'refuse', '0y', 'new');"
            "INSERT INTO proposals (at, staff_id, rule, verdict, expect, given, day, state)"
            " VALUES (1, 1, 'p15', 'eligible', 'not_eligible', '0{}', '2018-07-15', 'settled');"
        )
        connection.executescript((folder / "0012_afterwards.sql").read_text("utf-8"))
        assert connection.execute("SELECT state FROM unanswered ORDER BY id").fetchall() == [("done",), ("new",)]
        assert connection.execute("SELECT state FROM proposals").fetchall() == [("done",)]
