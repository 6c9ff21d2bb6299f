"""The second step of the log-in: codes that count once, recovery codes, setting up, and attacks on it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner
from conftest import MovingClock
from site_app import PASSWORD, Browser, Site, running

from bot.cli.main import main
from bot.desk import auth, codes
from bot.desk.auth import CONFIRMED_SECONDS, COOKIE, HALFWAY, HALFWAY_SECONDS
from bot.pipeline.resources import Resources
from bot.store.codec import decode

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hash, made for a test's patience."""
    monkeypatch.setattr(auth, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def site(resources: Resources, tmp_path: Path, moving_clock: MovingClock) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


def says(site: Site, key: str, **params: object) -> str:
    return site.words("zh-TW", f"desk_people.{key}", **params)


def code_now(site: Site, secret: str, steps: int = 0) -> str:
    """What an authenticator shows, or what it shows so many steps later."""
    return str(pyotp.TOTP(secret).at(int(site.resources.clock().timestamp()) + 30 * steps))


def set_up(site: Site, browser: Browser) -> tuple[str, list[str]]:
    """Turn the second step on as a person does; the secret and the recovery codes."""
    browser.post("/desk/account/code/new")
    secret = "".join(re.findall(r'class="secret" lang="und">([A-Z2-7 ]+)<', browser.get("/desk/account/code").text))
    secret = secret.replace(" ", "")
    done = browser.post("/desk/account/code", {"code": code_now(site, secret)})
    assert done.status_code == 200
    return secret, re.findall(r"<li>((?:[a-z2-7]{4}-){5}[a-z2-7]{4})</li>", done.text)


def passwords_right(site: Site, name: str = "lin") -> Browser:
    """Somebody who gave the right password and owes the code."""
    browser = site.browser()
    answer = browser.post("/desk/login", {"name": name, "password": PASSWORD})
    assert answer.headers["location"] == "/desk/login/code"
    return browser


def logged_in(browser: Browser) -> bool:
    return browser.get("/desk/account").status_code == 200


def write(site: Site, sql: str) -> None:
    with sqlite3.connect(site.database, timeout=20) as connection:
        connection.execute(sql)
    connection.close()


@pytest.fixture
def guarded(site: Site, moving_clock: MovingClock) -> tuple[Browser, str, list[str]]:
    """`lin` with the second step on, one step later."""
    browser = site.caseworker("lin")
    secret, recovery = set_up(site, browser)
    moving_clock.moment += timedelta(seconds=30)
    return browser, secret, recovery


Guarded = tuple[Browser, str, list[str]]


def test_setting_up_shows_a_secret_its_picture_and_ten_codes_once(site: Site, guarded: Guarded) -> None:
    browser, secret, recovery = guarded
    assert len(set(recovery)) == 10
    ((kept,),) = site.rows("SELECT totp FROM staff")
    assert decode(kept) == secret
    hashes = {bytes(row[0]) for row in site.rows("SELECT hash FROM staff_recovery")}
    assert hashes == {codes.recovery_hash(code) for code in recovery}
    page = browser.get("/desk/account").text
    assert says(site, "codes_left", count=10) in page
    for words in (page, browser.get("/desk/account/code").text):
        assert secret not in words.replace(" ", "")
        assert recovery[0] not in words


def test_the_picture_holds_the_secret_and_needs_no_script_or_style(site: Site) -> None:
    drawn = codes.drawn(SECRET, "陳小姐", "工作台")
    assert drawn.startswith("<svg")
    assert not re.search(r"<script|style=|\bon\w+=|href", drawn)
    assert drawn == codes.drawn(SECRET, "陳小姐", "工作台")
    assert drawn != codes.drawn(SECRET[::-1], "陳小姐", "工作台")


def test_setting_up_ends_with_a_code_of_the_shown_secret(site: Site) -> None:
    browser = site.caseworker("lin")
    assert browser.post("/desk/account/code", {"code": "000000"}).status_code == 400
    browser.post("/desk/account/code/new")
    refused = browser.post("/desk/account/code", {"code": code_now(site, SECRET)})
    assert refused.status_code == 400
    assert says(site, "error_code") in refused.text
    assert not site.rows("SELECT 1 FROM staff WHERE totp <> ''")
    log_in = site.browser().post("/desk/login", {"name": "lin", "password": PASSWORD})
    assert log_in.headers["location"] == "/desk"


def test_setting_up_ends_the_other_sessions(site: Site) -> None:
    browser, other = site.caseworker("lin"), site.browser()
    other.post("/desk/login", {"name": "lin", "password": PASSWORD})
    set_up(site, browser)
    assert logged_in(browser)
    assert not logged_in(other)


def test_the_log_in_asks_for_the_code(site: Site, guarded: Guarded) -> None:
    browser = passwords_right(site)
    assert not logged_in(browser)
    assert says(site, "login_code_lead") in browser.get("/desk/login/code").text
    wrong = browser.post("/desk/login/code", {"code": "12345"})
    assert wrong.status_code == 401
    assert says(site, "error_code") in wrong.text
    code = code_now(site, guarded[1])
    assert browser.post("/desk/login/code", {"code": f"{code[:3]} {code[3:]}"}).headers["location"] == "/desk"
    assert logged_in(browser)
    assert site.rows("SELECT count(*) FROM staff_halfway") == [(0,)]


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, False), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off_but_no_code_is_older_than_the_last(
    site: Site, guarded: Guarded, steps: int, taken: bool
) -> None:
    """The step before was used by the setting up."""
    browser = passwords_right(site)
    browser.post("/desk/login/code", {"code": code_now(site, guarded[1], steps)})
    assert logged_in(browser) is taken


def test_a_late_phone_may_be_one_step_behind(site: Site, guarded: Guarded, moving_clock: MovingClock) -> None:
    moving_clock.moment += timedelta(seconds=300)
    for steps, taken in ((-2, False), (-1, True)):
        browser = passwords_right(site)
        browser.post("/desk/login/code", {"code": code_now(site, guarded[1], steps)})
        assert logged_in(browser) is taken


def test_attack_a_code_overheard_is_used_again(site: Site, guarded: Guarded) -> None:
    code = code_now(site, guarded[1])
    first, second = passwords_right(site), passwords_right(site)
    first.post("/desk/login/code", {"code": code})
    assert second.post("/desk/login/code", {"code": code}).status_code == 401
    assert logged_in(first)
    assert not logged_in(second)


def test_a_recovery_code_stands_in_once(site: Site, guarded: Guarded) -> None:
    recovery = guarded[2]
    browser = passwords_right(site)
    assert browser.post("/desk/login/code", {"code": f" {recovery[3].upper()} "}).headers["location"] == "/desk"
    assert says(site, "codes_left", count=9) in browser.get("/desk/account").text
    again = passwords_right(site)
    assert again.post("/desk/login/code", {"code": recovery[3]}).status_code == 401
    assert ("login.recovery",) in site.rows("SELECT action FROM audit")


def test_new_recovery_codes_replace_the_old(site: Site, guarded: Guarded) -> None:
    browser, _, old = guarded
    page = browser.post("/desk/account/code/recovery").text
    fresh = re.findall(r"<li>((?:[a-z2-7]{4}-){5}[a-z2-7]{4})</li>", page)
    assert len(set(fresh) | set(old)) == 20
    assert passwords_right(site).post("/desk/login/code", {"code": old[0]}).status_code == 401
    assert passwords_right(site).post("/desk/login/code", {"code": fresh[0]}).status_code == 303


def test_a_replaced_phone_changes_nothing_before_it_is_proven(
    site: Site, guarded: Guarded, moving_clock: MovingClock
) -> None:
    browser, old, _ = guarded
    browser.post("/desk/account/code/new")
    there = passwords_right(site)
    assert there.post("/desk/login/code", {"code": code_now(site, old)}).status_code == 303
    moving_clock.moment += timedelta(seconds=60)
    fresh, _ = set_up(site, browser)
    moving_clock.moment += timedelta(seconds=60)
    assert fresh != old
    assert passwords_right(site).post("/desk/login/code", {"code": code_now(site, old)}).status_code == 401
    assert passwords_right(site).post("/desk/login/code", {"code": code_now(site, fresh)}).status_code == 303


def test_it_can_be_turned_off_where_it_is_optional(site: Site, guarded: Guarded) -> None:
    guarded[0].post("/desk/account/code/off")
    answer = site.browser().post("/desk/login", {"name": "lin", "password": PASSWORD})
    assert answer.headers["location"] == "/desk"
    assert site.rows("SELECT count(*) FROM staff_recovery") == [(0,)]


@pytest.mark.parametrize("action", ["code", "code/new", "code/off", "code/recovery"])
def test_changes_ask_for_the_password_again(site: Site, guarded: Guarded, action: str) -> None:
    browser = guarded[0]
    write(site, f"UPDATE staff_sessions SET confirmed_at = confirmed_at - {CONFIRMED_SECONDS + 1}")
    before = site.rows("SELECT * FROM staff") + site.rows("SELECT * FROM staff_recovery")
    answer = browser.post(f"/desk/account/{action}", {"code": code_now(site, guarded[1])})
    assert answer.headers["location"].startswith("/desk/confirm?next=%2Fdesk%2Faccount")
    assert site.rows("SELECT * FROM staff") + site.rows("SELECT * FROM staff_recovery") == before


def test_an_admin_helps_who_lost_everything(site: Site, guarded: Guarded) -> None:
    boss = site.caseworker("boss", "admin")
    half = passwords_right(site)
    assert boss.post("/desk/people/1/code").status_code == 303
    assert half.post("/desk/login/code", {"code": code_now(site, guarded[1])}).headers["location"] == "/desk/login"
    answer = site.browser().post("/desk/login", {"name": "lin", "password": PASSWORD})
    assert answer.headers["location"] == "/desk"


def test_so_does_the_command_line(site: Site, guarded: Guarded) -> None:
    environment = {"LABOR_BOT_DATA_DIR": str(site.database.parent)}
    kept = CliRunner().invoke(main, ["staff", "reset", "lin"], env=environment)
    assert kept.exit_code == 0
    assert "\tcode" in CliRunner().invoke(main, ["staff", "list"], env=environment).output
    done = CliRunner().invoke(main, ["staff", "reset", "lin", "--code"], env=environment)
    password = done.output.rsplit(" ", 1)[1].strip()
    browser = site.browser()
    assert browser.post("/desk/login", {"name": "lin", "password": password}).headers["location"] == "/desk/password"


# -- where it is required


def test_required_means_before_anything_else(resources: Resources, tmp_path: Path, moving_clock: MovingClock) -> None:
    with running(resources, tmp_path, LABOR_BOT_STAFF_TOTP="required") as site:
        browser = site.caseworker("lin")
        assert browser.get("/desk").headers["location"] == "/desk/account/code"
        assert says(site, "code_required") in browser.get("/desk/account/code").text
        set_up(site, browser)
        assert browser.get("/desk").status_code == 200
        refused = browser.post("/desk/account/code/off")
        assert refused.status_code == 409
        assert says(site, "error_code_required") in refused.text


# -- attacks on the half-open log-in


def test_attack_the_code_page_without_a_password(site: Site, guarded: Guarded) -> None:
    stranger = site.browser()
    stranger.client.cookies.set(HALFWAY, "made up", domain="testserver.local", path="/desk/login")
    for answer in (
        stranger.get("/desk/login/code"),
        stranger.post("/desk/login/code", {"code": code_now(site, guarded[1])}),
    ):
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login")


def test_attack_the_half_open_token_as_a_session(site: Site, guarded: Guarded) -> None:
    browser = passwords_right(site)
    token = next(cookie.value for cookie in browser.client.cookies.jar if cookie.name == HALFWAY)
    assert token
    browser.client.cookies.set(COOKIE, token, domain="testserver.local", path="/desk")
    assert not logged_in(browser)


def test_attack_a_half_open_log_in_that_is_old(site: Site, guarded: Guarded) -> None:
    browser = passwords_right(site)
    write(site, f"UPDATE staff_halfway SET created_at = created_at - {HALFWAY_SECONDS + 1}")
    answer = browser.post("/desk/login/code", {"code": code_now(site, guarded[1])})
    assert answer.headers["location"] == "/desk/login"
    passwords_right(site)
    assert site.rows("SELECT count(*) FROM staff_halfway") == [(1,)]


def test_attack_a_half_open_log_in_outlives_the_password(site: Site, guarded: Guarded) -> None:
    browser, secret, _ = guarded
    half, fresh = passwords_right(site), "another horse battery"
    browser.post("/desk/password", {"current": PASSWORD, "password": fresh, "again": fresh})
    assert half.post("/desk/login/code", {"code": code_now(site, secret)}).headers["location"] == "/desk/login"
    assert not logged_in(half)


def test_attack_guessing_codes(site: Site, guarded: Guarded) -> None:
    """Five tries, then waits; neither a new log-in nor the right code gets round them."""
    answers = [
        passwords_right(site).post("/desk/login/code", {"code": f"00000{turn}"}).status_code for turn in range(6)
    ]
    assert answers == [401] * 5 + [429]
    late = passwords_right(site).post("/desk/login/code", {"code": code_now(site, guarded[1])})
    assert late.status_code == 429
    assert says(site, "error_tries", time=site.words("zh-TW", "desk.minutes", count=1)) in late.text


def test_attack_code_of_another_persons_phone(site: Site, guarded: Guarded) -> None:
    set_up(site, site.caseworker("wang"))
    wang = passwords_right(site, "wang")
    assert wang.post("/desk/login/code", {"code": code_now(site, guarded[1])}).status_code == 401
    assert wang.post("/desk/login/code", {"code": guarded[2][0]}).status_code == 401


@pytest.mark.parametrize("code", ["", "１２３４５６", "-1", "1" * 100_000, "\x00", "🔑"])
def test_attack_codes_that_are_none(site: Site, guarded: Guarded, code: str) -> None:
    assert passwords_right(site).post("/desk/login/code", {"code": code}).status_code == 401
