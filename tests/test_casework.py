"""The life of a case at the desk: parking, transfer, take-over, reopening, barring, notes, phoning back, ratings."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from site_app import Browser, Site, running

from bot.pipeline.resources import Resources


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


@pytest.fixture
def citizen(site: Site) -> Browser:
    browser = site.browser()
    browser.tap("handoff")
    return browser


def fence(site: Site) -> str:
    return str(site.rows("SELECT speaker_fence FROM conversations")[0][0])


def answers(browser: Browser, site: Site, text: str) -> int:
    return browser.post("/desk/cases/1/reply", {"fence": fence(site), "text": text}).status_code


def shows(citizen: Browser, text: str) -> bool:
    """Does the chat show it within a few seconds? A notice leaves a moment after the step."""
    deadline = time.monotonic() + 5
    while text not in citizen.page():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_case_is_transferred_and_only_the_new_holder_answers(site: Site, citizen: Browser) -> None:
    lin, chen = site.caseworker("lin"), site.caseworker("chen")
    lin.post("/desk/cases/1/claim")
    number = site.rows("SELECT id FROM staff WHERE name = 'chen'")[0][0]
    moved = lin.post("/desk/cases/1/transfer", {"fence": fence(site), "to": f"staff:{number}"})
    assert moved.headers["location"] == "/desk/cases/1"
    assert shows(citizen, site.words("zh-TW", "conversation.case_transferred"))
    assert answers(lin, site, "too late") == 409
    assert site.words("zh-TW", "desk.for_me") in chen.get("/desk").text
    chen.post("/desk/cases/1/claim")
    assert answers(chen, site, "您好，我來幫您") == 303
    assert shows(citizen, "您好，我來幫您")
    assert [what for (what,) in site.rows("SELECT what FROM case_log ORDER BY id")] == [
        "claimed",
        "transferred",
        "claimed",
    ]


def test_a_case_transferred_to_a_topic_is_found_under_it(site: Site, citizen: Browser) -> None:
    lin, chen = site.caseworker("lin"), site.caseworker("chen")
    lin.post("/desk/cases/1/claim")
    label = site.words("zh-TW", "p15.label")
    assert f'<option value="topic:p15">{site.words("zh-TW", "desk.transfer_topic", topic=label)}</option>' in (
        lin.get("/desk/cases/1").text
    )
    lin.post("/desk/cases/1/transfer", {"fence": fence(site), "to": "topic:p15"})
    assert site.words("zh-TW", "desk.for_topic", topic=label) in chen.get("/desk?topic=p15").text
    assert "/desk/cases/1" not in chen.get("/desk?topic=p16").text
    assert "/desk/cases/1" in chen.get("/desk").text
    chen.post("/desk/cases/1/claim")
    assert answers(chen, site, "您好") == 303


@pytest.mark.parametrize("target", ["", "staff:999", "staff:x", "lang:xx", "topic:p99", "everybody"])
def test_a_transfer_to_nobody_changes_nothing(site: Site, citizen: Browser, target: str) -> None:
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    refused = lin.post("/desk/cases/1/transfer", {"fence": fence(site), "to": target})
    assert site.words("zh-TW", "desk.error_target") in lin.get(refused.headers["location"]).text
    assert site.rows("SELECT state FROM cases") == [("human",)]


def test_a_senior_takes_over_with_a_reason_and_an_agent_sees_nothing(site: Site, citizen: Browser) -> None:
    lin, chen, boss = site.caseworker("lin"), site.caseworker("chen"), site.caseworker("boss", "senior")
    lin.post("/desk/cases/1/claim")
    assert chen.get("/desk/cases/1").status_code == 403
    assert chen.post("/desk/cases/1/takeover", {"why": "x"}).status_code == 403
    without = boss.post("/desk/cases/1/takeover", {"why": "  "})
    assert site.words("zh-TW", "desk.error_why") in boss.get(without.headers["location"]).text
    boss.post("/desk/cases/1/takeover", {"why": "林先生請假"})
    assert answers(lin, site, "still me?") == 409
    assert answers(boss, site, "您好") == 303
    page = boss.get("/desk/cases/1").text
    assert "林先生請假" in page
    assert shows(citizen, site.words("zh-TW", "conversation.case_taken_over", name="boss"))
    assert "林先生請假" not in citizen.page()


def test_who_lost_a_case_while_writing_finds_the_own_words_and_no_others(site: Site, citizen: Browser) -> None:
    citizen.say("我的秘密")
    lin, boss = site.caseworker("lin"), site.caseworker("boss", "senior")
    lin.post("/desk/cases/1/claim")
    before = fence(site)
    boss.post("/desk/cases/1/takeover", {"why": "請假"})
    refused = lin.post("/desk/cases/1/reply", {"text": "寫到一半<b>", "fence": str(before)})
    later = lin.get("/desk/cases/1")
    assert (refused.status_code, later.status_code) == (409, 403)
    for page in (refused.text, later.text):
        assert "寫到一半&lt;b&gt;</textarea>" in page
        assert site.words("zh-TW", "desk.held_by", name="boss") in page
        assert "我的秘密" not in page
    assert lin.get("/desk/cases/1?problem=error_why").status_code == 403


def test_the_history_names_the_language_a_case_was_transferred_for(site: Site, citizen: Browser) -> None:
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/transfer", {"to": "lang:vi", "fence": fence(site)})
    history = lin.get("/desk/cases/1").text.partition('class="history"')[2].partition("</ol>")[0]
    assert site.words("zh-TW", "conversation.language.vi") in history


def test_a_parked_case_is_not_returned_to_the_queue_until_its_time(site: Site, citizen: Browser) -> None:
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/park", {"for": "day"})
    assert "先放到" in lin.get("/desk?view=mine").text
    citizen.say("還在嗎")
    for bad in ({"for": "century"}, {"until": "yesterday"}, {"until": "2001-01-01T10:00"}, {}):
        refused = lin.post("/desk/cases/1/park", bad)
        assert "error_until" in refused.headers["location"]
    lin.post("/desk/cases/1/park", {"for": "now"})
    assert site.rows("SELECT parked_until FROM cases") == [(None,)]


def test_a_closed_case_is_reopened_unless_another_one_is_open(site: Site, citizen: Browser) -> None:
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/close", {"fence": fence(site), "outcome": "referred"})
    assert site.rows("SELECT outcome FROM cases") == [("referred",)]
    lin.post("/desk/cases/1/reopen")
    assert site.rows("SELECT state, outcome FROM cases") == [("human", "")]
    assert answers(lin, site, "我再補充") == 303
    lin.post("/desk/cases/1/close", {"fence": fence(site)})
    citizen.tap("handoff")
    refused = lin.post("/desk/cases/1/reopen")
    assert site.words("zh-TW", "desk.error_case_open") in lin.get(refused.headers["location"]).text


def test_one_tap_says_whether_it_helped(site: Site, citizen: Browser) -> None:
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/close", {"fence": fence(site)})
    assert shows(citizen, site.words("zh-TW", "conversation.case_rate"))
    citizen.tap("rate:no")
    assert site.rows("SELECT case_id, lang, channel, helped FROM ratings") == [(1, "zh-TW", "web", 0)]


def test_who_abuses_the_desk_reaches_nobody_but_in_an_emergency(site: Site, citizen: Browser) -> None:
    boss = site.caseworker("boss", "senior")
    boss.post("/desk/cases/1/claim")
    boss.post("/desk/cases/1/bar", {"why": "一直辱罵"})
    citizen.tap("handoff")
    assert shows(citizen, site.words("zh-TW", "conversation.barred"))
    assert site.rows("SELECT count(*) FROM cases WHERE state <> 'closed'") == [(0,)]
    assert "一直辱罵" not in citizen.page()
    citizen.tap("handoff:urgent")
    assert site.rows("SELECT count(*) FROM cases WHERE state = 'waiting'") == [(1,)]
    boss.post("/desk/cases/1/unbar")
    assert site.rows("SELECT barred FROM conversations") == [(0,)]


def test_notes_are_for_colleagues_and_wishes_to_be_phoned_are_ticked_off(site: Site) -> None:
    citizen = site.browser()
    citizen.say("請回電給我 0912345678 下午兩點")
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/note", {"text": "<b>要找通譯</b>"})
    page = lin.get("/desk/cases/1").text
    assert "&lt;b&gt;要找通譯" in page
    assert "要找通譯" not in citizen.page()
    assert "0912345678" in page
    lin.post("/desk/cases/1/called", {"callback": "1"})
    assert site.rows("SELECT done_by IS NOT NULL FROM callbacks") == [(1,)]


def test_how_the_bot_read_a_message_stands_beside_it_in_chinese(site: Site) -> None:
    citizen = site.browser("vi")
    citizen.say("trợ cấp tìm việc lần đầu được bao nhiêu tiền")
    citizen.tap("handoff")
    lin = site.caseworker()
    assert re.search("小幫手讀到：[^<]*" + site.words("zh-TW", "desk.intent_program"), lin.get("/desk/cases/1").text)


def test_the_list_is_narrowed_by_bound_values(site: Site, citizen: Browser) -> None:
    site.browser("vi").post("/chat/send", {"choice": "handoff"})
    lin = site.caseworker()
    both = lin.get("/desk").text.count('class="case')
    assert lin.get("/desk?lang=vi").text.count('<li class="case') == 1
    assert lin.get("/desk?channel=line").text.count('<li class="case') == 0
    hostile = lin.get("/desk?lang=vi'%20OR%201=1--&since=x&number=%25")
    assert (hostile.status_code, hostile.text.count('<li class="case')) == (200, 0)
    assert both >= 2


def test_colleagues_see_who_else_looks(site: Site, citizen: Browser) -> None:
    lin, chen = site.caseworker("lin"), site.caseworker("chen")
    lin.get("/desk/cases/1")
    assert site.words("zh-TW", "desk.viewers", names="lin") in chen.get("/desk/cases/1").text
    assert site.words("zh-TW", "desk.viewers", names="chen") in lin.get("/desk/cases/1").text


def test_the_transcript_prints_without_anything_to_press(site: Site, citizen: Browser) -> None:
    citizen.say("謝謝")
    lin = site.caseworker()
    page = lin.get("/desk/cases/1/print").text
    assert "謝謝" in page
    assert "<form" not in page.split("<main")[1]
    assert "desk.js" not in page  # a page that looks again by itself would be printed again in the trail


def test_a_case_without_a_first_answer_in_time_is_marked_late(site: Site, citizen: Browser) -> None:
    lin = site.caseworker()
    late = site.words("zh-TW", "desk.late")
    assert late not in lin.get("/desk").text
    connection = sqlite3.connect(site.database)
    connection.execute("UPDATE cases SET opened_at = opened_at - 30 * 86400")
    connection.commit()
    connection.close()
    assert late in lin.get("/desk").text


def test_words_are_looked_for_only_inside_the_open_case(site: Site, citizen: Browser) -> None:
    citizen.say("我住在板橋 Banqiao")
    site.browser().say("別人也說 banqiao")
    lin = site.caseworker()
    page = lin.get("/desk/cases/1?q=BANQIAO").text
    assert "我住在板橋" in page
    assert "別人也說" not in page
    assert site.words("zh-TW", "desk.found", count=1) in page
    assert site.words("zh-TW", "desk.found", count=0) in lin.get("/desk/cases/1?q=%3Cscript%3E").text


def test_a_number_written_after_a_case_was_closed_is_none_of_its_business(site: Site, citizen: Browser) -> None:
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    lin.post("/desk/cases/1/close", {"fence": fence(site)})
    citizen.say("請回電給我 0912345678")
    assert site.rows("SELECT count(*) FROM callbacks") == [(1,)]
    assert "0912345678" not in lin.get("/desk/cases/1").text
    assert "0912345678" in lin.get("/desk/cases/2").text
