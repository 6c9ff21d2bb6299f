"""Everything that people with bad intentions write, through every channel and field, on every page: it stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browsing import Desk, People, Server
from click.testing import CliRunner
from hostile import NAMES, SHARP, TEXTS, Hostile, faults_of, shown, sow, town, written
from playwright.sync_api import Browser, Page

from bot.cli.main import main
from bot.desk.auth import COOKIE
from bot.pipeline.resources import Resources

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LINK = re.compile(r"/mydata/[\w-]+")
COUNTS = "window.pwned = 0; window.pwn = () => { window.pwned += 1 }; window.name = 'pwn()';"
LOOK = r"""() => ({
  ran: window.pwned,
  made: [...document.querySelectorAll('[data-pwn], iframe, base, object, embed, style')].map((each) => each.outerHTML),
  leads: ['href', 'action', 'formaction', 'src']
    .flatMap((name) => [...document.querySelectorAll(`a[${name}], form[${name}], button[${name}], img[${name}]`)]
      .map((each) => each.getAttribute(name)))
    .filter((address) => !/^([/#?]|tel:|https?:[/][/](127[.]0[.]0[.]1|[a-z0-9.-]+[.]tw)[:/])/.test(address)),
})"""
NOTHING = {"ran": 0, "made": [], "leads": []}


@pytest.fixture(scope="module")
def hostile(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    with town(resources, tmp_path_factory.mktemp("hostile")) as hostile:
        sow(hostile)
        yield hostile


@pytest.fixture(scope="module")
def people(hostile: Hostile, chromium: Browser) -> People:
    return People(Server(hostile.city.url, "", hostile.city.database), chromium)


@pytest.fixture
def boss(hostile: Hostile, people: People) -> Iterator[Desk]:
    """The admin's browser, that counts what runs and notes what is complained about."""
    desk = people.newcomer()
    desk.context.add_cookies([{"name": COOKIE, "value": hostile.boss.token, "domain": "127.0.0.1", "path": "/desk"}])
    desk.context.add_init_script(COUNTS)
    _note_dialogs(desk.page, desk.complaints)
    yield desk
    assert desk.complaints == []
    desk.context.close()


def _note_dialogs(page: Page, complaints: list[str]) -> None:
    def closed(dialog: object) -> None:
        complaints.append(f"a dialog: {dialog}")
        dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", closed)


# -- what the server sends


def test_every_page_shows_text(hostile: Hostile) -> None:
    faults = {}
    for path in hostile.pages():
        answer = hostile.boss.get(path)
        assert answer.status_code in (200, 303), path
        faults[path] = faults_of(answer.text)
    assert {path: found for path, found in faults.items() if found} == {}
    assert len(faults) > 40


def test_what_comes_back_with_a_form_or_an_address_is_text(hostile: Hostile) -> None:
    assert len(hostile.echoes) > 200
    assert {name: found for name, text in hostile.echoes.items() if (found := faults_of(text))} == {}


def test_the_texts_are_really_there(hostile: Hostile) -> None:
    """On each page where they belong, word by word: otherwise the tests above looked at nothing."""
    cases = {channel: shown(hostile.boss.get(f"/desk/cases/{case}").text) for channel, case in hostile.cases.items()}
    for channel, text in cases.items():
        assert TEXTS["picture"] in text, channel
        assert TEXTS["template"] in text, channel
    assert all(text in cases["web"] for text in SHARP.values())
    assert NAMES[0] in shown(hostile.visitor.get("/").text)
    where = {
        "/desk/audit": SHARP["picture"],
        "/desk/people": NAMES[1],
        "/desk/hours": SHARP["attribute double"],
        "/desk/privacy": SHARP["picture"],
        "/desk/reports": SHARP["picture"],
        "/desk/authors?list=misread": SHARP["picture"],
        "/desk/authors?list=unanswered": "data-pwn",
    }
    for path, text in where.items():
        assert text in shown(hostile.boss.get(path).text), path


def test_the_chat_shows_text(hostile: Hostile) -> None:
    page = hostile.visitor.get("/").text
    assert faults_of(page) == []
    assert TEXTS["end of a field"] in shown(page)


def test_platforms_get_text(hostile: Hostile) -> None:
    """Telegram's HTML is made of escaped words, LINE gets what was written; neither has a complaint."""
    (telegram,) = [chat for chat in hostile.city.telegram.world.chats.values() if chat.about["type"] == "private"]
    assert any(TEXTS["picture"] in each.text for each in telegram.received)
    assert any(TEXTS["picture"] in each.text for each in hostile.city.line.received())
    assert hostile.city.faults == []


def test_nothing_that_was_sent_along_is_kept(hostile: Hostile) -> None:
    """Names of accounts, headers, and characters that turn or hide what stands there."""
    kept = written(hostile.city.database)
    assert not [letter for letter in "\u202e\u2066\u2028\x00" if letter in kept]
    for (name,) in hostile.city.rows("SELECT user_id FROM addresses WHERE channel = 'telegram'"):
        assert name.isdecimal()


def test_nothing_of_it_is_in_the_analytics(hostile: Hostile, tmp_path: Path) -> None:
    target = tmp_path / "analytics.db"
    env = {"LABOR_BOT_DATA_DIR": str(hostile.city.database.parent)}
    done = CliRunner().invoke(main, ["export", "analytics", "--to", str(target)], env=env)
    assert done.exit_code == 0, done.output
    assert "pwn" not in written(target)


def test_nobody_was_visited(hostile: Hostile) -> None:
    assert hostile.canary.visits == []


# -- what a browser makes of it


def test_the_look_would_see_it(hostile: Hostile, boss: Desk) -> None:
    """The same texts as a page of their own: scripts run, elements are made, links lead away."""
    for name in ("script", "picture", "svg", "link in marks", "frame", "style"):
        boss.page.goto("about:blank")
        boss.page.set_content(f"<p>{TEXTS[name]}</p>")
        boss.page.wait_for_function("() => true")
        assert boss.page.evaluate(LOOK) != NOTHING, name
    boss.complaints.clear()


def test_nothing_runs_at_the_desk(hostile: Hostile, boss: Desk) -> None:
    """Every page in Chromium: no script ran, no element was made, no link leads elsewhere, nothing was even refused."""
    for path in hostile.pages():
        if path.startswith(("/desk/login", "/desk/account/oidc")):
            continue
        boss.page.goto(hostile.city.url + path)
        boss.page.mouse.move(300, 300)
        assert boss.page.evaluate(LOOK) == NOTHING, path


def test_nothing_runs_when_a_case_refreshes_itself(hostile: Hostile, boss: Desk) -> None:
    """The page fetches itself and swaps its parts in: that must make no more of a text than the first time."""
    boss.page.goto(f"{hostile.city.url}/desk/cases/{hostile.cases['web']}")
    for number, text in enumerate(SHARP.values()):
        hostile.visitor.post("/chat/send", data={"text": f"live {number} {text}"})
        boss.page.locator(".bubble.by-citizen", has_text=f"live {number}").wait_for()
    assert boss.page.evaluate(LOOK) == NOTHING


def test_nothing_runs_in_the_chat(hostile: Hostile, people: People) -> None:
    """What a caseworker writes arrives in the open page, by the live stream."""
    chat = people.citizen(lang="en")
    token = hostile.visitor.cookies["labor_chat"]
    chat.context.add_cookies([{"name": "labor_chat", "value": token, "domain": "127.0.0.1", "path": "/"}])
    chat.context.add_init_script(COUNTS)
    _note_dialogs(chat.page, chat.complaints)
    chat.open()
    case = hostile.cases["web"]
    holder = next(staff for staff in hostile.staff if _holds(hostile, staff.name, case))
    for number, text in enumerate(TEXTS.values()):
        sent = holder.post(
            f"/desk/cases/{case}/reply", text=f"live {number} {text}", fence=hostile.fence(case), id=f"live{number}"
        )
        assert sent.status_code == 303
    chat.page.locator(".bubble.by-staff", has_text=f"live {len(TEXTS) - 1} ").wait_for()
    assert chat.page.evaluate(LOOK) == NOTHING
    chat.reload()
    assert chat.page.evaluate(LOOK) == NOTHING
    assert chat.complaints == []


def _holds(hostile: Hostile, name: str, case: int) -> bool:
    sql = "SELECT 1 FROM cases c JOIN staff s ON s.id = c.holder WHERE s.name = ? AND c.id = ?"
    return bool(hostile.city.rows(sql, name, case))


def test_nothing_runs_on_the_page_of_own_data(hostile: Hostile, people: People) -> None:
    hostile.visitor.post("/chat/send", data={"choice": "mydata:export"})
    hostile.city.settle()
    link = LINK.findall(hostile.visitor.get("/").text)[-1]
    reader = people.citizen(lang="en")
    reader.context.add_init_script(COUNTS)
    _note_dialogs(reader.page, reader.complaints)
    reader.open(link)
    reader.page.locator("form button").first.click()
    reader.page.get_by_text("0.__class__").first.wait_for()
    assert reader.page.evaluate(LOOK) == NOTHING
    assert reader.complaints == []


def test_a_file_that_is_a_page_too_runs_nothing(hostile: Hostile, boss: Desk) -> None:
    """Pictures that hold a script, opened by their own address by whoever holds the case."""
    ((one,),) = hostile.city.rows("SELECT id FROM staff WHERE name = 'boss'")
    hostile.city.change("UPDATE conversations SET speaker = 'human', holder = ?", one)
    pictures = hostile.city.rows("SELECT id FROM attachments WHERE state = 'kept' AND mime LIKE 'image/%'")
    assert pictures
    for (number,) in pictures:
        answer = boss.page.goto(f"{hostile.city.url}/desk/files/{number}")
        assert answer is not None
        assert answer.status == 200
        assert boss.page.evaluate("window.pwned") in (0, None)
        assert boss.page.locator("script").count() == 0
    # Chromium centers a picture by a style of its own, which our policy refuses as it does any other.
    boss.complaints[:] = [text for text in boss.complaints if not text.startswith("Applying inline style")]


def test_the_store_is_whole(hostile: Hostile) -> None:
    """After all of it."""
    assert hostile.city.rows("PRAGMA integrity_check") == [("ok",)]
    assert len(hostile.cases) == 4
    with httpx.Client(base_url=hostile.city.url, trust_env=False, timeout=20) as guest:
        guest.post("/chat/send", data={"text": "尋職津貼可以領多少"})
        assert "5,000" in guest.get("/").text
