"""The phrasebook on the desk: picked in Chinese, received in the citizen's language, edited by seniors, exported."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML
from site_app import Browser, Site, running

from bot.cli.main import main
from bot.desk.phrasebook import FIRST, FITTING, HOTLINES, LAST, SLOTS, URGENT, packaged, shown
from bot.pipeline.resources import Resources
from bot.store.codec import decode
from knowledge.check.glossary import read_glossary
from knowledge.check.phrases import phrase_faults
from knowledge.sources import PACKAGED

CASE = "/desk/cases/1"
COME = {"phrase": "when.come", "slot_day": "2026-11-25", "slot_time": "14:30", "slot_place": "板橋就業服務站"}
FIRE = {  # a new sentence in all languages
    "text_zh-TW": "請在{day}前把{documents}交給我們。",
    "text_en": "Please bring us these papers: {documents}. Last day: {day}.",
    "text_vi": "Bạn hãy nộp giấy tờ sau cho chúng tôi: {documents}. Hạn chót: {day}.",
    "text_id": "Mohon serahkan dokumen ini kepada kami: {documents}. Hari terakhir: {day}.",
    "text_th": "โปรดนำเอกสารต่อไปนี้มาให้เรา: {documents} วันสุดท้าย: {day}",
    "text_fil": "Dalhin po ninyo sa amin ang mga ito: {documents}. Huling araw: {day}.",
}


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


def held(site: Site, lang: str = "th") -> tuple[Browser, Browser]:
    """A citizen who writes a language, and the caseworker who holds their case."""
    citizen = site.browser(lang)
    citizen.tap("handoff")
    lin = site.caseworker()
    lin.post(f"{CASE}/claim")
    assert site.rows("SELECT lang FROM cases") == [(lang,)]
    return citizen, lin


def fence(site: Site) -> str:
    """The fence to answer with."""
    return str(site.rows("SELECT speaker_fence FROM conversations")[0][0])


def send(site: Site, staff: Browser, form: Mapping[str, str], **more: str) -> Any:
    """Press send."""
    return staff.post(f"{CASE}/phrase", {"fence": fence(site), "id": "1", "do": "send", **form, **more})


def last_line(site: Site) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the last line of the transcript says, and what the desk alone sees of it."""
    ((body, reading),) = site.rows("SELECT body, reading FROM messages ORDER BY seq DESC LIMIT 1")
    return json.loads(decode(body)), json.loads(decode(reading) or "{}")


def arrived(citizen: Browser, text: str) -> str:
    """The citizen's page once it shows a text: deliveries take a moment."""
    until = time.monotonic() + 10
    while text not in (page := citizen.page()):
        assert time.monotonic() < until, "it did not arrive"
        time.sleep(0.02)
    return page


# -- sending


def test_the_citizen_gets_their_language_and_the_desk_keeps_the_chinese(site: Site) -> None:
    citizen, lin = held(site)
    assert send(site, lin, COME).status_code == 303
    body, reading = last_line(site)
    assert body["lang"] == "th"
    assert "25 พฤศจิกายน 2569" in body["text"]
    assert "14:30" in body["text"]
    assert "板橋就業服務站" in body["text"]
    assert reading == {"original": "請在115年11月25日（2026年11月25日）下午2:30到板橋就業服務站。"}
    assert "請在115年11月25日" in lin.get(CASE).text
    assert "請在115年11月25日" not in arrived(citizen, "25 พฤศจิกายน 2569")


def test_a_chinese_reader_gets_the_chinese_and_nothing_twice(site: Site) -> None:
    _, lin = held(site, "zh-TW")
    send(site, lin, {"phrase": "close.more"})
    body, reading = last_line(site)
    assert body == {"text": "還有其他問題嗎？隨時可以再寫給我們。", "lang": "zh-TW"}
    assert reading == {}


def test_the_same_form_sent_twice_is_one_message_other_words_are_another(site: Site) -> None:
    _, lin = held(site)
    send(site, lin, COME)
    send(site, lin, COME)
    assert site.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == [(1,)]
    send(site, lin, {**COME, "slot_place": "新店就業服務站"})
    assert site.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == [(2,)]


def test_an_empty_slot_is_asked_for_and_what_was_typed_stays(site: Site) -> None:
    _, lin = held(site)
    refused = send(site, lin, {**COME, "slot_time": " "})
    assert refused.status_code == 400
    assert site.words("zh-TW", "desk_phrases.error_slot", slot="時間") in refused.text
    assert 'value="板橋就業服務站"' in refused.text
    assert site.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == [(0,)]


def test_looking_at_it_first_sends_nothing(site: Site) -> None:
    _, lin = held(site)
    page = lin.post(f"{CASE}/phrase", {**COME, "fence": fence(site), "do": "preview"})
    assert page.status_code == 200
    assert "25 พฤศจิกายน 2569" in page.text
    assert site.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == [(0,)]


@pytest.mark.parametrize(("form", "status"), [({"phrase": "no.such"}, 404), ({}, 404), ({"phrase": "when.come"}, 400)])
def test_what_cannot_be_sent_is_said_so(site: Site, form: dict[str, str], status: int) -> None:
    _, lin = held(site)
    assert send(site, lin, form).status_code == status


def test_only_the_holder_sends(site: Site) -> None:
    _, lin = held(site)
    senior = site.caseworker("chen", "senior")
    refused = send(site, senior, COME)
    assert refused.status_code == 409
    assert "板橋就業服務站" in refused.text
    colleague = site.caseworker("wang", "agent")
    assert send(site, colleague, COME).status_code == 403
    assert send(site, lin, COME, fence="0").status_code == 409
    assert site.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == [(0,)]


def test_nothing_is_lost_while_nothing_can_be_written(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    _, lin = held(site)
    number = fence(site)

    async def broken(*args: Any) -> int:
        raise OSError

    monkeypatch.setattr("bot.store.Store.reply", broken)
    refused = lin.post(f"{CASE}/phrase", {**COME, "fence": number, "do": "send"})
    assert refused.status_code == 503
    assert "板橋就業服務站" in refused.text


def test_words_in_slots_are_text_in_the_page(site: Site) -> None:
    _, lin = held(site)
    nasty = '"><script>alert(1)</script>{day}{nobody}'
    page = lin.post(f"{CASE}/phrase", {**COME, "slot_place": nasty, "fence": fence(site), "do": "preview"}).text
    assert "<script>alert" not in page
    send(site, lin, {**COME, "slot_place": nasty})
    assert nasty in last_line(site)[0]["text"]
    assert "<script>alert" not in lin.get(CASE).text


# -- the pane


def test_the_pane_begins_with_a_greeting_and_ends_with_a_goodbye(site: Site) -> None:
    _, lin = held(site)
    first = suggested(lin)
    assert first[0] == "greet.hello"
    assert 'value="lin"' in pane(lin)
    for count in range(4):
        send(site, lin, {"phrase": "greet.moment"}, id=f"x{count}")
    assert suggested(lin)[:3] == list(LAST)


def test_what_is_sent_often_comes_up(site: Site) -> None:
    _, lin = held(site)
    assert "doc.keep" not in suggested(lin)
    send(site, lin, {"phrase": "doc.keep"})
    assert suggested(lin)[0] == "doc.keep"
    assert site.rows("SELECT phrase, uses FROM phrase_uses") == [("doc.keep", 1)]


def test_the_note_says_that_own_words_are_not_translated(site: Site) -> None:
    _, lin = held(site)
    assert "對方看泰文。" in lin.get(CASE).text


def test_whoever_does_not_hold_the_case_gets_no_pane(site: Site) -> None:
    site.browser("th").tap("handoff")
    assert 'id="phrases"' not in site.caseworker().get(CASE).text


def pane(staff: Browser) -> str:
    """The pane of the case."""
    return staff.get(CASE).text.partition('id="phrases"')[2]


def suggested(staff: Browser) -> list[str]:
    """The keys of the suggestions."""
    return re.findall(r'class="phrase" data-phrase="([^"]+)"', pane(staff).partition('class="every"')[0])


# -- what stands in slots


@pytest.mark.parametrize(
    ("slot", "value", "lang", "expected"),
    [
        ("day", "2026-11-25", "en", "November 25, 2026"),
        ("day", "2026-11-25", "vi", "25 tháng 11 năm 2026"),
        ("day", "2026-11-25", "id", "25 November 2026"),
        ("day", "2026-11-25", "fil", "Nobyembre 25, 2026"),
        ("day", "2026-02-30", "en", "2026-02-30"),
        ("day", "下星期三", "en", "下星期三"),
        ("time", "14:30", "en", "2:30 PM"),
        ("time", "9:05", "zh-TW", "上午9:05"),
        ("time", "08:30-17:30", "en", "8:30 AM–5:30 PM"),
        ("time", "24:00", "en", "24:00"),
        ("phone", "02 2960 3456", "th", "02 2960 3456"),
        ("number", "20261125-0001", "vi", "20261125-0001"),
    ],
)
def test_days_and_times_are_written_as_the_language_does(slot: str, value: str, lang: str, expected: str) -> None:
    assert shown(slot, value, lang) == expected


def test_the_packaged_sentences_can_be_filled_in_every_language(resources: Resources) -> None:
    for phrase in packaged(resources.knowledge, resources.catalog).values():
        assert set(phrase.texts) == set(resources.languages), phrase.key
        assert set(phrase.slots) <= set(SLOTS), phrase.key
        for lang in resources.languages:
            assert "{" not in phrase.filled(lang, dict.fromkeys(phrase.slots, "x")), phrase.key


def test_the_packaged_sentences_keep_the_rules_of_the_desk(resources: Resources) -> None:
    glossary = read_glossary(PACKAGED)[0]
    assert glossary is not None
    for phrase in packaged(resources.knowledge, resources.catalog).values():
        assert list(phrase_faults(f"phrasebook.{phrase.key}", phrase.texts, glossary.model, SLOTS)) == []


def test_suggestions_name_sentences_topics_and_hotlines_that_exist(resources: Resources) -> None:
    known = packaged(resources.knowledge, resources.catalog)
    named = {*FIRST, *LAST, *URGENT, *HOTLINES, *(key for keys in FITTING.values() for key in keys)}
    assert named <= set(known)
    assert set(FITTING) <= set(resources.knowledge.topics)
    assert set(HOTLINES.values()) <= set(resources.knowledge.hotlines)


# -- editing


def test_a_new_sentence_is_served_beside_the_packaged_ones(site: Site) -> None:
    _, lin = held(site)
    senior = site.caseworker("chen", "senior")
    assert senior.post("/desk/phrases/new", {**FIRE, "version": "0", "topic": "p15"}).status_code == 303
    assert "前把" in senior.get("/desk/phrases").text
    done = send(site, lin, {"phrase": "own.1", "slot_day": "2026-12-01", "slot_documents": "護照"})
    assert done.status_code == 303
    assert last_line(site)[0]["text"] == "โปรดนำเอกสารต่อไปนี้มาให้เรา: 護照 วันสุดท้าย: 1 ธันวาคม 2569"
    assert ("phrase.add", "phrase/own.1") in site.rows("SELECT action, object FROM audit")


def test_a_packaged_sentence_can_be_changed_and_its_history_is_kept(site: Site) -> None:
    senior = site.caseworker("chen", "senior")
    change(site, senior, "close.thanks", {"text_zh-TW": "謝謝您。請保重身體。", "same": "yes"})
    change(site, senior, "close.thanks", {"text_zh-TW": "謝謝您，請保重。", "same": "yes"})
    page = senior.get("/desk/phrases/close.thanks").text
    assert "謝謝您，請保重。" in page
    assert "謝謝您。請保重身體。" in page
    assert site.rows("SELECT version FROM phrases ORDER BY version") == [(1,), (2,)]


def change(site: Site, staff: Browser, key: str, fields: Mapping[str, str], status: int = 303) -> str:
    """Save a sentence with some fields changed."""
    page = staff.get(f"/desk/phrases/{key}").text
    form = {name: text for name, text in re.findall(r'<textarea id="[^"]+" name="([^"]+)"[^>]*>([^<]*)', page)}
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    answer = staff.post(f"/desk/phrases/{key}", {**form, "version": version[1], **fields})
    assert answer.status_code == status
    return answer.text


@pytest.mark.parametrize(
    ("field", "text", "fault"),
    [
        ("zh-TW", "", ("empty", {})),
        ("zh-TW", "請打1955。{day}{documents}", ("digits", {"what": "1955"})),
        ("zh-TW", "請帶{wallet}。{day}{documents}", ("slot", {"what": "wallet"})),
        ("zh-TW", "Please come {day} {documents}", ("script", {})),
        ("en", "Please bring us {documents}.", ("lost", {"what": "day"})),
        ("en", "Please bring {documents} to {place} by {day}.", ("extra", {"what": "place"})),
        ("en", "Bring {documents} by {day}} to us.", ("braces", {})),
        ("en", "See www.example.com for {documents} by {day}.", ("url", {"what": "www."})),
        ("th", "Please bring us the papers {documents} by {day}", ("script", {})),
        ("vi", "請交{documents} {day}", ("script", {})),
        ("en", "{documents} {day} " + "bring " * 90, ("long", {"wanted": "400"})),
        ("fil", FIRE["text_id"], ("same", {"what": "印尼文"})),
    ],
)
def test_what_breaks_the_rules_is_refused_beside_its_field_and_nothing_is_lost(
    site: Site, field: str, text: str, fault: tuple[str, dict[str, str]]
) -> None:
    senior = site.caseworker("chen", "senior")
    page = senior.post("/desk/phrases/new", {**FIRE, f"text_{field}": text, "version": "0"})
    assert page.status_code == 400
    expected = site.words("zh-TW", f"desk_phrases.fault_{fault[0]}", **{"what": "", "wanted": "", **fault[1]})
    beside = page.text.partition(f'for="text-{field}"')[2].partition("</textarea>")[0]
    assert expected in beside
    assert 'aria-invalid="true"' in beside
    assert text.strip() in page.text
    assert FIRE["text_fil"] in page.text or field == "fil"
    assert site.rows("SELECT count(*) FROM phrases") == [(0,)]


def test_the_terms_of_the_glossary_bind(site: Site) -> None:
    senior = site.caseworker("chen", "senior")
    form = {"text_zh-TW": "請找承辦人員。", "text_en": "Please ask the clerk.", "version": "0"}
    page = senior.post("/desk/phrases/new", form)
    assert page.status_code == 400
    assert site.words("zh-TW", "desk_phrases.fault_term", what="承辦人員", wanted="caseworker") in page.text
    assert senior.post("/desk/phrases/new", {**form, "text_en": "Please ask the caseworker."}).status_code == 303


def test_changed_chinese_asks_whether_the_translations_still_say_the_same(site: Site) -> None:
    senior = site.caseworker("chen", "senior")
    page = change(site, senior, "close.thanks", {"text_zh-TW": "謝謝您，請不要再寫了。"}, 400)
    assert site.words("zh-TW", "desk_phrases.fault_stale") in page
    assert 'name="same"' in page
    change(site, senior, "close.thanks", {"text_zh-TW": "謝謝您，請保重。", "same": "yes"})


def test_a_language_that_is_missing_is_not_offered_and_says_so(site: Site) -> None:
    _, lin = held(site)
    senior = site.caseworker("chen", "senior")
    form = {"text_zh-TW": "請您到櫃檯。", "text_en": "Please come to the counter.", "version": "0"}
    assert senior.post("/desk/phrases/new", form).status_code == 303
    assert "缺：越南文, 印尼文, 泰文, 菲律賓文" in senior.get("/desk/phrases").text
    mine = pane(lin).partition('data-phrase="own.1"')[2].partition("</details>")[0]
    assert "<form" not in mine
    assert site.words("zh-TW", "desk_phrases.no_language", language="泰文") in mine
    refused = send(site, lin, {"phrase": "own.1"})
    assert refused.status_code == 400
    assert site.words("zh-TW", "desk_phrases.error_language", language="泰文") in refused.text


def test_two_who_change_the_same_sentence_hear_of_each_other(site: Site) -> None:
    senior, editor = site.caseworker("chen", "senior"), site.caseworker("wu", "editor")
    change(site, senior, "close.thanks", {"text_zh-TW": "謝謝您，請保重。", "same": "yes"})
    late = {"text_zh-TW": "多謝您，請保重。", "same": "yes", "version": "0"}
    refused = change(site, editor, "close.thanks", late, 409)
    assert "謝謝您，請保重。" in refused
    assert "多謝您，請保重。" in refused
    assert 'name="version" value="1"' in refused
    change(site, editor, "close.thanks", {**late, "version": "1"})


def test_a_refused_form_keeps_the_version_it_was_opened_with(site: Site) -> None:
    """Otherwise correcting a fault would write over what a colleague saved meanwhile."""
    senior, editor = site.caseworker("chen", "senior"), site.caseworker("wu", "editor")
    change(site, senior, "close.thanks", {"text_zh-TW": "謝謝您，請保重。", "same": "yes"})
    page = change(site, editor, "close.thanks", {"text_zh-TW": "", "version": "0"}, 400)
    assert 'name="version" value="0"' in page


def test_a_retired_sentence_is_not_offered_until_it_is_restored(site: Site) -> None:
    _, lin = held(site)
    senior = site.caseworker("chen", "senior")
    assert senior.post("/desk/phrases/close.more/retire", {"version": "0"}).status_code == 303
    assert 'data-phrase="close.more"' not in pane(lin)
    assert send(site, lin, {"phrase": "close.more"}).status_code == 404
    assert senior.post("/desk/phrases/close.more/retire", {"version": "0"}).status_code == 409
    assert senior.post("/desk/phrases/close.more/retire", {"version": "1", "back": "yes"}).status_code == 303
    assert 'data-phrase="close.more"' in pane(lin)


def test_the_desks_sentences_are_exported_for_the_authors(site: Site) -> None:
    senior = site.caseworker("chen", "senior")
    senior.post("/desk/phrases/new", {**FIRE, "version": "0"})
    senior.post("/desk/phrases/close.more/retire", {"version": "0"})
    env = {"LABOR_BOT_DATA_DIR": str(site.database.parent)}
    printed = CliRunner().invoke(main, ["phrasebook", "export"], env=env)
    assert printed.exit_code == 0
    chinese, *catalogs = re.split(r"\n\n(?=# knowledge/locale)", printed.output)
    assert YAML(typ="safe").load(chinese) == {"own.1": FIRE["text_zh-TW"]}
    assert "# retired at the desk: close.more" in chinese
    assert [part.split("/")[2] for part in catalogs] == ["en", "fil", "id", "th", "vi"]
    assert f'msgctxt "phrasebook.own.1"\nmsgid "{FIRE["text_zh-TW"]}"\nmsgstr "{FIRE["text_en"]}"' in catalogs[0]


# -- who may


ROUTES = [
    ("GET", "/desk/phrases", "edit"),
    ("GET", "/desk/phrases/new", "edit"),
    ("POST", "/desk/phrases/new", "edit"),
    ("GET", "/desk/phrases/close.more", "edit"),
    ("POST", "/desk/phrases/close.more", "edit"),
    ("POST", "/desk/phrases/close.more/retire", "edit"),
    ("POST", f"{CASE}/phrase", "answer"),
    ("POST", f"{CASE}/translate", "answer"),
    ("POST", f"{CASE}/translate/send", "answer"),
]
MAY = {
    "agent": {"answer"},
    "senior": {"answer", "edit"},
    "editor": {"edit"},
    "privacy_officer": set[str](),
    "admin": {"answer", "edit"},
    "auditor": set[str](),
}


@pytest.mark.parametrize("role", MAY)
def test_who_lacks_the_right_is_refused(site: Site, role: str) -> None:
    site.browser("th").tap("handoff")
    staff = site.caseworker("somebody", role)
    for method, path, right in ROUTES:
        answer = staff.request(method, path)
        assert (answer.status_code == 403) == (right not in MAY[role]), (method, path)


@pytest.mark.parametrize(("method", "path"), [route[:2] for route in ROUTES])
def test_nobody_comes_in_without_logging_in(site: Site, method: str, path: str) -> None:
    assert site.browser().request(method, path).headers["location"] == "/desk/login"


def test_addresses_of_sentences_that_do_not_exist(site: Site) -> None:
    senior = site.caseworker("chen", "senior")
    assert senior.get("/desk/phrases/no.such").status_code == 404
    assert senior.post("/desk/phrases/no.such", {"version": "0"}).status_code == 404
    assert senior.post("/desk/phrases/no.such/retire", {"version": "0"}).status_code == 404
