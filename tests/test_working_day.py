"""One working day of the desk: two caseworkers, a supervisor and an auditor; citizens on the web, LINE and Telegram."""

from __future__ import annotations

import asyncio
import csv
import io
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from browsing import People, Server, launch
from conftest import ROOT
from days.clock import DayClock, rule
from days.staff import Staff
from days.town import TODAY, Town, squeezed
from platforms.city import running
from playwright.sync_api import expect, sync_playwright
from ruamel.yaml import YAML

from bot.channels import telegram_pace
from bot.desk import sweep
from bot.pipeline import errands
from bot.pipeline.resources import Resources
from bot.store import Store
from knowledge.catalog.moments import day_name

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STORY = YAML(typ="safe").load(Path(__file__).parent / "days" / "one.yaml")
JPEG = b"\xff\xd8\xff\xe0 a photo"
FRIDAY = "2026-11-20"


@pytest.fixture
def town(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Town]:
    """The town on the Friday before, with nobody at the desk yet; in the end no platform and no page may complain."""
    caplog.set_level(logging.DEBUG)
    clock = DayClock(f"{FRIDAY}T17:00")
    rule(monkeypatch, clock)
    monkeypatch.setattr(errands, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(sweep, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(telegram_pace, "BURST", 10_000)
    with running(resources, tmp_path, now=clock) as city, sync_playwright() as playwright:
        browser = launch(playwright)
        people = People(Server(city.url, "", city.database), browser)
        yield Town(city, clock, people, STORY, tmp_path)
        complaints = people.leave(["409", "403", "401"])
        browser.close()
    assert (city.faults, complaints) == ([], [])


def test_a_working_day(
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    the_friday_before(town)
    first = before_the_desk_opens(town)
    holder, other = both_claim_at_once(town, first)
    the_phrasebook_answers(town, holder)
    transferred_by_language(town, holder, other, first)
    the_supervisor_takes_over(town, other, first)
    what_is_unsent_is_gone(town)
    second = a_photo_for_the_holder_alone(town)
    put_aside_and_back(town, second)
    third = the_web_and_a_late_answer_of_the_bot(town, monkeypatch)
    notes_stay_inside(town)
    the_morning_ends(town, {"linh": first, "budi": second, "malee": third})
    too_long_over_lunch(town)
    nobody_on_duty(town)
    in_the_evening(town)
    the_report_tells_what_happened(town)
    the_auditor_sees_who_did_what(town)
    nothing_was_logged(town, caplog.text + "".join(capfd.readouterr()))


# -- the morning


def the_friday_before(town: Town) -> None:
    """Everybody gets an account, logs in once and goes home."""
    for name, role in STORY["staff"].items():
        town.hire(name, role)
    for each in town.staff.values():
        each.leave()


def before_the_desk_opens(town: Town) -> str:
    """The bot answers; who asks for a person hears in Vietnamese when the desk opens."""
    town.until("07:35")
    town.linh.follow()
    assert STORY["citizens"]["linh"]["knows"] in town.tells("linh", "asks")
    town.until("07:40")
    promise = town.tells("linh", "wants_person")
    number = town.case_of(promise)
    expected = town.words("vi", "case_opened_today", number=number, time="08:00")
    assert squeezed(promise) == expected
    return number


def both_claim_at_once(town: Town, number: str) -> tuple[Staff, Staff]:
    """Both have pressed before either is answered: one holds the case, the other reads who does.

    The supervisor pressed too, and stays on the page that says no: it must not ask again by itself.
    """
    town.until("08:00")
    lin, chen, wang = (town.staff[name] for name in ("lin", "chen", "wang"))
    for each in (lin, chen, wang):
        each.come()
        each.duty(True)
    town.shot(wang.page, "queue-at-eight")
    everybody = (lin, chen, wang)
    for each in everybody:
        each.open(number, "waiting")
    with lin.held_back("claim") as lin_goes, chen.held_back("claim") as chen_goes, wang.held_back("claim") as wang_goes:
        for each in everybody:
            each.button("desk.claim").click(no_wait_after=True)
        lin_goes()
        chen_goes()
        for each in (lin, chen):
            expect(
                each.page.locator("#text").or_(each.page.get_by_text(each.words("desk.error_taken")))
            ).to_be_visible()
        wang_goes()
        wang.says(wang.words("desk.error_taken"))
    holder, other = sorted((lin, chen), key=lambda each: each.page.locator("#text").count(), reverse=True)
    other.says(town.desk("desk.held_by", name=holder.name))
    assert other.page.locator("#text").count() == 0
    town.shot(other.page, "claimed-by-the-other")
    assert town.city.rows("SELECT count(*) FROM case_log WHERE what = 'claimed'") == [(1,)]
    assert squeezed(town.hears("linh")) == town.words("vi", "case_claimed", name=holder.name)
    return holder, other


def the_phrasebook_answers(town: Town, holder: Staff) -> None:
    """Chinese is picked and a slot filled; Vietnamese arrives."""
    town.until("08:25")
    shown = holder.phrase("來的時候請帶", documents="CCCD, 合約書")
    assert "CCCD, 合約書" in shown
    assert "來的時候" not in shown
    assert town.hears("linh").strip() == shown.strip()
    town.shot(holder.page, "phrase-sent")


def transferred_by_language(town: Town, holder: Staff, other: Staff, number: str) -> None:
    """For whoever serves Vietnamese: the colleague who does sees it marked for her, and takes it."""
    town.until("08:30")
    vietnamese = town.desk("conversation.language.vi")
    other.speaks(vietnamese)
    holder.transfer(town.desk("desk.transfer_lang", language=vietnamese))
    assert squeezed(town.hears("linh")) == town.words("vi", "case_transferred")
    other.queue()
    expect(other.listed(number)).to_contain_text(town.desk("desk_queue.aim_yours"))
    holder.queue()
    expect(holder.listed(number)).to_contain_text(town.desk("desk_queue.aim_others", language=vietnamese))
    town.shot(other.page, "marked-for-a-language")
    other.claim(number)
    assert squeezed(town.hears("linh")) == town.words("vi", "case_claimed", name=other.name)


def the_supervisor_takes_over(town: Town, old: Staff, number: str) -> None:
    """With a reason, while the holder's answer is on its way: it is refused and kept, the citizen gets none of it."""
    town.until("08:40")
    wang, draft = town.staff["wang"], STORY["words"]["draft"]
    town.said.append(draft)
    wang.open(number)
    with old.held_back("reply") as goes:
        old.page.locator("#text").fill(draft)
        old.button("desk.reply").click(no_wait_after=True)
        wang.take_over(STORY["words"]["takeover"])
        goes()
        old.says(old.words("desk.error_not_holder"))
    expect(old.page.get_by_label(old.words("desk.draft_kept"))).to_have_value(draft)
    town.shot(old.page, "send-refused")
    assert squeezed(town.hears("linh")) == town.words("vi", "case_taken_over", name="wang")
    own = STORY["words"]["own"]
    town.said.append(own)
    wang.says(town.desk("desk_phrases.own_words", language=town.desk("desk_phrases.language_vi")))
    wang.reply(own)
    assert town.hears("linh") == own
    assert draft not in town.delivered()


def what_is_unsent_is_gone(town: Town) -> None:
    """A tombstone stays at the desk; the words are nowhere."""
    town.until("08:45")
    wang, text = town.staff["wang"], town.of("linh", "regrets")
    event = town.city.line.events.text(town.linh.id, text)
    assert town.linh.send(event) == []
    wang.says(text, "#log")
    assert town.linh.send(town.city.line.events.unsend(town.linh.id, event["message"]["id"])) == []
    wang.says(town.desk("web.unsent"), "#log")
    wang.page.reload()
    wang.says(town.desk("web.unsent"), "#log")
    assert text not in wang.page.content()
    assert text not in town.city.kept()
    town.shot(wang.page, "tombstone")


def a_photo_for_the_holder_alone(town: Town) -> str:
    """On Telegram; colleagues are refused the file, the supervisor too."""
    town.until("08:59")
    town.budi.follow()
    assert STORY["citizens"]["budi"]["knows"] in town.tells("budi", "asks")
    town.until("09:00")
    number = town.case_of(town.tells("budi", "wants_person"))
    lin, chen, wang = (town.staff[name] for name in ("lin", "chen", "wang"))
    chen.queue()
    town.until("09:10")
    lin.claim(number)
    assert squeezed(town.hears("budi")) == town.words("id", "case_claimed", name="lin")
    shown = lin.phrase("我看過前面的對話了")
    assert town.hears("budi").strip() == shown.strip()
    (told,) = town.budi.photo(JPEG)
    assert squeezed(told.text) == town.words("id", "file_kept")
    link = lin.page.get_by_role("link", name=town.desk("desk.file_open"))
    expect(link).to_be_visible()
    town.shot(lin.page, "photo")
    path = link.get_attribute("href") or ""
    answers = {each.name: each.status(path) for each in (lin, chen, wang, town.staff["sun"])}
    assert answers["lin"] == 200
    assert {answers["chen"], answers["wang"]} <= {403, 404}
    assert chen.status(f"/desk/cases/{lin.case_id()}") in (403, 404)
    assert town.tells("budi", "adds") == ""
    lin.says(STORY["citizens"]["budi"]["adds"], "#log")
    return number


def put_aside_and_back(town: Town, number: str) -> None:
    """For an hour; then it is at hand again, though nobody did anything."""
    town.until("09:15")
    lin = town.staff["lin"]
    lin.reply("Baik, saya cek dulu ya.")
    town.hears("budi")
    lin.park_for_an_hour()
    lin.queue("mine")
    expect(lin.listed(number)).to_contain_text(town.desk("desk.parked", time=f"{TODAY} 10:15"))
    assert town.tells("budi", "meanwhile") == ""
    town.until("10:14")
    lin.queue("mine")
    expect(lin.listed(number)).to_contain_text("10:15")
    town.until("10:16")
    lin.queue("mine")
    expect(lin.listed(number)).to_be_visible()
    expect(lin.listed(number)).not_to_contain_text("10:15")
    lin.open(number, "mine")
    shown = lin.phrase("這樣有解決您的問題嗎")
    assert town.hears("budi").strip() == shown.strip()


def the_web_and_a_late_answer_of_the_bot(town: Town, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the bot thought of before the claim is not said after it."""
    malee, chen = town.malee.open(), town.staff["chen"]
    malee.tap("lang:th")
    assert STORY["citizens"]["malee"]["knows"] in town.tells("malee", "asks")
    town.until("10:20")
    number = town.case_of(town.tells("malee", "wants_person"))
    town.shot(malee.page, "waiting-on-the-phone")
    town.until("10:26")
    thought, may_commit = _slow_to_commit(monkeypatch)
    malee.write(town.of("malee", "meanwhile"))
    assert thought.wait(30)
    chen.claim(number)
    may_commit.set()
    expect(malee.page.locator(".bubble.by-bot").last).to_contain_text("chen")
    assert squeezed(malee.newest("bot")).endswith(town.words("th", "case_claimed", name="chen"))
    shown = chen.phrase("請問怎麼稱呼您")
    expect(malee.page.locator(".bubble.by-staff").last).to_contain_text(shown)
    malee.quiet()
    assert _authors_after(malee, STORY["citizens"]["malee"]["meanwhile"]) == ["staff"]
    town.shot(malee.page, "a-person-answers")
    return number


def _slow_to_commit(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """The next turn is thought through but not written down: (it was thought, it may be written)."""
    plain, thought, may_commit = Store.commit_all, threading.Event(), threading.Event()

    async def held(self: Store, thoughts: Any, sender: str = "") -> Any:
        thought.set()
        await asyncio.to_thread(may_commit.wait, 60)
        return await plain(self, thoughts, sender)

    monkeypatch.setattr(Store, "commit_all", held)
    return thought, may_commit


def _authors_after(malee: Any, text: str) -> list[str]:
    """Who spoke after the citizen's own words."""
    found: list[str] = malee.page.eval_on_selector_all(
        ".bubble[data-seq]",
        """(all, text) => {
            const from = all.findLastIndex((b) => b.innerText.includes(text));
            return all.slice(from + 1).map((b) => [...b.classList].find((c) => c.startsWith("by-")).slice(3));
        }""",
        text,
    )
    return found


def notes_stay_inside(town: Town) -> None:
    """An internal note leaves the house on no channel."""
    chen, note = town.staff["chen"], STORY["words"]["note"]
    town.said.append(note)
    chen.note(note)
    town.malee.write(town.of("malee", "adds"))
    chen.says(STORY["citizens"]["malee"]["adds"], "#log")
    answer = STORY["words"]["thai"]
    chen.reply(answer)
    town.malee.quiet()
    delivered = town.delivered()
    assert (answer in delivered, STORY["words"]["own"] in delivered, note in delivered) == (True, True, False)


def the_morning_ends(town: Town, numbers: dict[str, str]) -> None:
    """Each case is closed with an outcome; the bot is back and says so; one tap says whether it helped."""
    town.until("11:00")
    for name, holder, outcome, helped in (
        ("linh", "wang", "referred", "yes"),
        ("budi", "lin", "answered", "yes"),
        ("malee", "chen", "answered", "no"),
    ):
        _closed_and_rated(town, name, numbers[name], town.staff[holder], outcome, helped)
        assert STORY["citizens"][name]["again_says"] in town.tells(name, "again")
    assert town.city.rows("SELECT channel, lang, helped FROM ratings ORDER BY id") == [
        ("line", "vi", 1),
        ("telegram", "id", 1),
        ("web", "th", 0),
    ]
    assert town.city.rows("SELECT outcome FROM cases ORDER BY id") == [("referred",), ("answered",), ("answered",)]


def _closed_and_rated(town: Town, name: str, number: str, holder: Staff, outcome: str, helped: str) -> None:
    """In the citizen's language the bot says that it is back and asks; a tap answers."""
    lang = STORY["citizens"][name]["lang"]
    holder.open(number, "mine")
    holder.finish(outcome)
    says = town.words(lang, "case_closed") + town.words(lang, "case_rate")
    if name == "malee":
        expect(town.malee.page.locator('#bubbles button[value="rate:yes"]').last).to_be_visible()
        town.malee.quiet()
        assert says in squeezed(town.malee.newest("bot"))
        town.shot(town.malee.page, "did-it-help")
        town.malee.tap(f"rate:{helped}")
        return
    person = town.person(name)
    assert squeezed(town.hears(name)).endswith(says)
    assert person.tap(f"rate:{helped}")


# -- the afternoon


def too_long_over_lunch(town: Town) -> str:
    """Somebody waits to be phoned: the clock stands still over lunch, then the supervisor sees that it is late."""
    town.until("11:20")
    number = town.case_of(town.tells("budi", "phone_me"))
    lin, chen, wang = (town.staff[name] for name in ("lin", "chen", "wang"))
    town.until("12:00")
    for each in (lin, chen, wang):
        each.leave()
    town.until("13:30")
    for each in (lin, chen, wang):
        each.come()
    town.until("13:49")
    wang.queue()
    expect(wang.listed(number)).to_be_visible()
    expect(wang.listed(number)).not_to_contain_text(town.desk("desk.late"))
    town.until("13:51")
    expect(wang.listed(number)).to_contain_text(town.desk("desk.late"))
    town.shot(wang.page, "late")
    town.until("13:55")
    wang.claim(number)
    expect(wang.page.get_by_role("complementary")).to_contain_text("0912345678")
    wang.phrase("我看過前面的對話了")
    wang.button("desk.called").click()
    wang.says(town.desk("desk.called_at", time=f"{TODAY} 13:55"))
    town.hears("budi")
    town.until("14:20")
    _closed_and_rated(town, "budi", number, wang, "answered", "yes")
    return number


def nobody_on_duty(town: Town) -> str:
    """Within service hours, and nobody is there: the promise says so."""
    lin = town.staff["lin"]
    _everybody_leaves(town)
    town.until("16:00")
    promise = town.tells("malee", "lonely")
    number = town.case_of(promise)
    assert town.words("th", "case_opened_nobody", number=number) in squeezed(promise)
    town.until("16:20")
    lin.come()
    lin.duty(True)
    lin.claim(number)
    shown = lin.phrase("請問怎麼稱呼您")
    expect(town.malee.page.locator(".bubble.by-staff").last).to_contain_text(shown)
    town.until("16:30")
    _closed_and_rated(town, "malee", number, lin, "answered", "yes")
    return number


def _everybody_leaves(town: Town) -> None:
    for each in town.staff.values():
        if each.inside:
            each.duty(False)
            each.leave()


def in_the_evening(town: Town) -> str:
    """After hours the promise is for tomorrow morning."""
    town.until("17:20")
    _everybody_leaves(town)
    town.until("18:00")
    promise = town.tells("linh", "evening")
    number = town.case_of(promise)
    tomorrow = day_name(date(2026, 11, 24), "vi")
    assert squeezed(promise) == town.words("vi", "case_opened_later", number=number, day=tomorrow, time="08:00")
    return number


# -- what is left of the day


def the_report_tells_what_happened(town: Town) -> None:
    """Six cases in three languages; five were answered first after 25, 10, 6, 65 and 20 minutes of service time."""
    wang = town.staff["wang"]
    wang.come()
    asked = f"period=range&since={TODAY}&until={TODAY}"
    wang.page.goto(f"{wang.server.url}/desk/reports?{asked}")
    town.shot(wang.page, "report")
    figures = {name: _table(wang, name, asked) for name in STORY["report"]}
    assert figures == STORY["report"]
    glance = wang.page.locator(".glance dl > div dd").all_inner_texts()
    assert glance == STORY["glance"]
    assert town.city.rows("SELECT lang, helped, count(*) FROM ratings GROUP BY 1, 2 ORDER BY 1, 2") == [
        ("id", 1, 2),
        ("th", 0, 1),
        ("th", 1, 1),
        ("vi", 1, 1),
    ]


def _table(reader: Staff, name: str, asked: str) -> list[list[str]]:
    """A report as its file has it, downloaded by its link; the page shows the same."""
    section = reader.page.locator(f"#{name}")
    with reader.page.expect_download() as waiting:
        section.locator("a[download]").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    _, *rows = csv.reader(io.StringIO(text))
    shown = [row.locator("th, td").all_inner_texts() for row in section.locator("tbody tr").all()]
    assert [[cell.removesuffix(".0") or "–" for cell in row] for row in rows] == shown
    return rows


def the_auditor_sees_who_did_what(town: Town) -> None:
    """Who, what, when and why; not one word of a citizen; and no case."""
    sun = town.staff["sun"]
    sun.come()
    assert sun.status("/desk/cases/1") == 403
    done = town.city.rows(
        "SELECT a.action, s.name FROM audit a JOIN staff s ON s.id = a.staff_id"
        " WHERE a.object = 'case/1' AND a.action NOT IN ('case.open') ORDER BY a.id"
    )
    assert [action for action, _ in done] == STORY["audit"]
    assert dict(done)["case.takeover"] == "wang"
    assert town.city.rows("SELECT count(*) FROM audit WHERE action = 'file.open'") == [(1,)]
    sun.page.goto(f"{sun.server.url}/desk/audit?object=case/1")
    sun.says(STORY["words"]["takeover"])
    town.shot(sun.page, "audit")
    assert _spoken_in(town, sun.page.content()) == []
    answer = sun.context.request.get(f"{sun.server.url}/desk/audit.csv")
    assert answer.status == 200
    assert _spoken_in(town, answer.text()) == []
    proved = _labor_bot(town, "audit", "verify")
    assert re.match(r"\d+ rows, none changed or missing; head [0-9a-f]{64}", proved), proved


def _labor_bot(town: Town, *words: str) -> str:
    """What the command prints beside the running server."""
    command = [str(Path(sys.executable).parent / "labor-bot"), *words]
    around = {**os.environ, "LABOR_BOT_DATA_DIR": str(town.city.database.parent)}
    done = subprocess.run(command, cwd=ROOT, env=around, capture_output=True, text=True, check=True)
    return done.stdout


def _spoken_in(town: Town, text: str) -> list[str]:
    """What citizens or caseworkers wrote to each other that stands in a text where it must not be."""
    return [said for said in town.said if said in text]


def nothing_was_logged(town: Town, log: str) -> None:
    """Neither words nor numbers of anybody."""
    assert len(town.said) > 15
    assert _spoken_in(town, log) == []
    assert "0912345678" not in log
