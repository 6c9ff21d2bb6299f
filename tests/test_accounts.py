"""Accounts at the desk: who manages them, sessions that end, passwords handed over once, and attacks on all that."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result
from site_app import PASSWORD, Browser, Site, running
from storing import opened

from bot.cli.main import main
from bot.desk import auth
from bot.desk.auth import ABSOLUTE_SECONDS, CONFIRMED_SECONDS, COOKIE, IDLE_SECONDS, matches
from bot.desk.patience import Patience
from bot.desk.sessions import safe_next
from bot.pipeline.resources import Resources
from bot.store import people
from bot.store.database import Connection


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hash, made for a test's patience."""
    monkeypatch.setattr(auth, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


@pytest.fixture
def boss(site: Site) -> Browser:
    return site.caseworker("boss", "admin")


def write(site: Site, sql: str) -> None:
    """Change the database beside the server."""
    with sqlite3.connect(site.database, timeout=20) as connection:
        connection.execute(sql)
    connection.close()


def id_of(site: Site, name: str) -> int:
    ((number,),) = site.rows(f"SELECT id FROM staff WHERE name = '{name}'")
    return int(number)


def logged_in(browser: Browser) -> bool:
    return browser.get("/desk/account").status_code == 200


def log_in(site: Site, name: str, password: str = PASSWORD) -> Browser:
    browser = site.browser()
    browser.post("/desk/login", {"name": name, "password": password})
    return browser


def shown_once(page: str) -> str:
    found = re.search(r'<p class="secret" lang="und">([^<]+)</p>', page)
    assert found is not None
    return found[1]


def says(site: Site, key: str, **params: object) -> str:
    return site.words("zh-TW", f"desk_people.{key}", **params)


# -- people


def test_a_new_account_gets_a_password_that_is_shown_once(site: Site, boss: Browser) -> None:
    made = boss.post("/desk/people", {"name": "陳小姐", "role": "senior"})
    assert made.status_code == 200
    password = shown_once(made.text)
    listed = boss.get("/desk/people").text
    assert "陳小姐" in listed
    assert password not in listed
    browser = site.browser()
    entered = browser.post("/desk/login", {"name": "陳小姐", "password": password})
    assert entered.headers["location"] == "/desk/password"
    browser.post("/desk/password", {"password": PASSWORD, "again": PASSWORD})
    assert logged_in(browser)
    assert log_in(site, "陳小姐", password).get("/desk").headers["location"] == "/desk/login"
    assert ("staff.add", f"staff/{id_of(site, '陳小姐')}") in site.rows("SELECT action, object FROM audit")


@pytest.mark.parametrize(
    ("name", "role", "key"),
    [
        ("", "agent", "error_name"),
        ("x" * 41, "agent", "error_name"),
        ("li\u200bn", "agent", "error_name"),
        ("lin\n", "agent", ""),
        ("boss", "agent", "error_name_taken"),
        ("ＢＯＳＳ", "agent", "error_name_taken"),
        ("lin", "root", "error_role"),
        ("lin", "", "error_role"),
    ],
)
def test_a_new_account_is_checked(site: Site, boss: Browser, name: str, role: str, key: str) -> None:
    answer = boss.post("/desk/people", {"name": name, "role": role})
    if not key:
        assert answer.status_code == 200
        return
    assert answer.status_code in (400, 409)
    assert says(site, key, limit=40) in answer.text
    assert site.rows("SELECT name FROM staff") == [("boss",)]


def test_what_was_typed_is_kept(site: Site, boss: Browser) -> None:
    page = boss.post("/desk/people", {"name": "boss", "role": "editor"}).text
    assert 'value="boss"' in page
    assert '<option value="editor" selected>' in page


def test_a_change_of_role_ends_the_sessions_and_counts_at_once(site: Site, boss: Browser) -> None:
    lin = site.caseworker("lin", "senior")
    assert lin.get("/desk/hours").status_code == 200
    boss.post(f"/desk/people/{id_of(site, 'lin')}/role", {"role": "auditor"})
    assert not logged_in(lin)
    lin = log_in(site, "lin")
    assert lin.get("/desk/hours").status_code == 403
    assert lin.get("/desk/audit").status_code == 200


def test_a_closed_account_is_out_at_once_and_comes_back_when_opened(site: Site, boss: Browser) -> None:
    lin = site.caseworker("lin")
    number = id_of(site, "lin")
    boss.post(f"/desk/people/{number}/disable")
    assert not logged_in(lin)
    assert not logged_in(log_in(site, "lin"))
    boss.post(f"/desk/people/{number}/enable")
    assert not logged_in(lin)
    assert logged_in(log_in(site, "lin"))


ACTIONS = ("role", "disable", "enable", "password", "code")


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_changes_their_own_account(site: Site, boss: Browser, action: str) -> None:
    site.add_staff("second boss", "admin")
    before = site.rows("SELECT * FROM staff")
    answer = boss.post(f"/desk/people/{id_of(site, 'boss')}/{action}", {"role": "agent"})
    assert answer.status_code == 403
    assert says(site, "error_own") in answer.text
    assert site.rows("SELECT * FROM staff") == before


@pytest.mark.parametrize("action", ACTIONS)
def test_an_account_that_is_not_there(site: Site, boss: Browser, action: str) -> None:
    answer = boss.post(f"/desk/people/999/{action}", {"role": "agent"})
    assert answer.status_code == 404
    assert says(site, "error_no_account") in answer.text


def test_the_last_admin_stays_even_when_two_take_it_from_each_other(site: Site) -> None:
    boss, other = site.caseworker("boss", "admin"), site.caseworker("other", "admin")
    numbers = {name: id_of(site, name) for name in ("boss", "other")}

    async def both() -> list[int]:
        posts = (
            boss.client.post(f"/desk/people/{numbers['other']}/role", data={"role": "agent"}),
            other.client.post(f"/desk/people/{numbers['boss']}/disable"),
        )
        return [answer.status_code for answer in await asyncio.gather(*posts)]

    site.portal.call(both)
    assert site.rows("SELECT count(*) FROM staff WHERE role = 'admin' AND disabled = 0") == [(1,)]


@pytest.mark.parametrize("change", [lambda c, n: people.set_role(c, n, "agent"), people.disable])
def test_the_last_admin_who_can_log_in_is_never_taken_away(
    site: Site, boss: Browser, change: Callable[[Connection, int], None]
) -> None:
    closed = site.caseworker("closed", "admin")
    write(site, f"UPDATE staff SET disabled = 1 WHERE id = {id_of(site, 'closed')}")
    before = site.rows("SELECT * FROM staff")
    with opened(site.database) as store, pytest.raises(people.LastAdmin):
        store.database.write_now(lambda c: change(c, id_of(site, "boss")))
    assert site.rows("SELECT * FROM staff") == before
    assert logged_in(boss)
    assert not logged_in(closed)
    refused = labor_bot(site)("disable", "boss")
    assert refused.exit_code == 1
    assert "last admin" in refused.output


def test_weighty_changes_ask_for_the_password_again(site: Site, boss: Browser) -> None:
    site.add_staff("lin")
    write(site, f"UPDATE staff_sessions SET confirmed_at = confirmed_at - {CONFIRMED_SECONDS + 1}")
    before = site.rows("SELECT * FROM staff")
    for action in ACTIONS:
        answer = boss.post(f"/desk/people/{id_of(site, 'lin')}/{action}", {"role": "agent"})
        assert answer.headers["location"] == "/desk/confirm?next=%2Fdesk%2Fpeople", action
    asked = boss.post("/desk/people", {"name": "陳小姐", "role": "editor"}).headers["location"]
    assert site.rows("SELECT * FROM staff") == before
    next_page = re.search(r'name="next" value="([^"]+)"', boss.get(asked).text)
    assert next_page is not None
    onward = next_page[1].replace("&amp;", "&")
    wrong = boss.post("/desk/confirm", {"next": onward, "password": "wrong"})
    assert wrong.status_code == 401
    assert says(site, "error_current") in wrong.text
    right = boss.post("/desk/confirm", {"next": onward, "password": PASSWORD})
    page = boss.get(right.headers["location"]).text
    assert 'value="陳小姐"' in page
    assert '<option value="editor" selected>' in page
    assert boss.post("/desk/people", {"name": "陳小姐", "role": "editor"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/desk/people", True),
        ("/desk/people?name=%E9%99%B3&role=editor", True),
        ("/desk", True),
        ("", False),
        ("//evil.example", False),
        ("/desk//evil.example", False),
        ("/desk/../chat", False),
        ("/desk\\evil", False),
        ("/deskevil", False),
        ("https://evil.example/desk", False),
        ("/desk\r\nset-cookie: a=b", False),
        ("/desk/people#x", False),
        ("/desk/people\n", False),
        ("/desk/" + "a" * 500, False),
    ],
)
def test_the_way_on_stays_at_the_desk(path: str, kept: bool) -> None:
    assert safe_next(path) == (path if kept else "/desk")


# -- an own account


def test_own_languages(site: Site) -> None:
    lin = site.caseworker("lin")
    lin.post("/desk/account/languages", {"lang_zh-TW": "on", "lang_vi": "on", "lang_xx": "on"})
    assert site.rows("SELECT languages FROM staff") == [("zh-TW vi",)]
    page = lin.get("/desk/account").text
    assert set(re.findall(r'name="lang_([\w-]+)" checked', page)) == {"zh-TW", "vi"}


def test_own_sessions_are_listed_and_ended(site: Site) -> None:
    here, there = site.caseworker("lin"), log_in(site, "lin")
    page = here.get("/desk/account").text
    (token,) = re.findall(r'name="session" value="(\w+)"', page)
    assert says(site, "session_this") in page
    assert here.post("/desk/account/sessions/end", {"session": token}).status_code == 303
    assert logged_in(here)
    assert not logged_in(there)
    others = [log_in(site, "lin"), log_in(site, "lin")]
    here.post("/desk/account/sessions/others")
    assert logged_in(here)
    assert not any(map(logged_in, others))
    assert here.post("/desk/account/sessions/end", {"session": "no"}).status_code == 400


def test_another_persons_session_cannot_be_ended(site: Site) -> None:
    lin, wang = site.caseworker("lin"), site.caseworker("wang")
    ((token,),) = site.rows(f"SELECT hex(token_hash) FROM staff_sessions WHERE staff_id = {id_of(site, 'lin')}")
    wang.post("/desk/account/sessions/end", {"session": token})
    wang.post("/desk/account/sessions/others")
    assert logged_in(lin)


def test_a_new_password_asks_for_the_old_one(site: Site) -> None:
    lin = site.caseworker("lin")
    fresh = "another horse battery"
    for current in ("", "wrong"):
        answer = lin.post("/desk/password", {"current": current, "password": fresh, "again": fresh})
        assert answer.status_code == 400
        assert says(site, "error_current") in answer.text
    too_long = "x" * 1001
    answer = lin.post("/desk/password", {"current": PASSWORD, "password": too_long, "again": too_long})
    assert says(site, "error_password_long") in answer.text
    assert lin.post("/desk/password", {"current": PASSWORD, "password": fresh, "again": fresh}).status_code == 303
    assert logged_in(log_in(site, "lin", fresh))


# -- limits of sessions


@pytest.mark.parametrize(
    ("column", "seconds", "stands"),
    [
        ("seen_at", IDLE_SECONDS - 60, True),
        ("seen_at", IDLE_SECONDS + 1, False),
        ("created_at", ABSOLUTE_SECONDS - 60, True),
        ("created_at", ABSOLUTE_SECONDS + 1, False),
    ],
)
def test_sessions_have_limits(site: Site, column: str, seconds: float, stands: bool) -> None:
    lin = site.caseworker("lin")
    write(site, f"UPDATE staff_sessions SET {column} = {column} - {seconds}")
    assert logged_in(lin) is stands


def test_a_page_that_refreshes_itself_does_not_keep_a_session_alive(site: Site) -> None:
    """The queue looks again when something changed: nobody needs to sit there for that."""
    lin = site.caseworker("lin")
    before = site.rows("SELECT seen_at FROM staff_sessions")
    assert lin.get("/desk", headers={"sec-fetch-dest": "empty"}).status_code == 200
    assert site.rows("SELECT seen_at FROM staff_sessions") == before
    lin.get("/desk", headers={"sec-fetch-dest": "document"})
    assert site.rows("SELECT seen_at FROM staff_sessions") != before


# -- attacks


def test_attack_session_fixed_before_the_log_in(site: Site) -> None:
    site.caseworker("lin")
    victim = site.browser()
    victim.client.cookies.set(COOKIE, "known to the attacker", domain="testserver.local", path="/desk")
    victim.post("/desk/login", {"name": "lin", "password": PASSWORD})
    tokens = {cookie.value for cookie in victim.client.cookies.jar if cookie.name == COOKIE}
    attacker = site.browser()
    attacker.client.cookies.set(COOKIE, "known to the attacker", domain="testserver.local", path="/desk")
    assert not logged_in(attacker)
    assert len(tokens - {"known to the attacker"}) == 1


def test_attack_session_of_before_a_log_in_lives_on(site: Site) -> None:
    lin = site.caseworker("lin")
    old = lin.client.cookies[COOKIE]
    lin.post("/desk/login", {"name": "lin", "password": PASSWORD})
    thief = site.browser()
    thief.client.cookies.set(COOKIE, old, domain="testserver.local", path="/desk")
    assert not logged_in(thief)


@pytest.mark.parametrize("how", ["own password", "reset", "disable", "role", "code reset"])
def test_attack_old_session_after_a_change_of_the_account(site: Site, boss: Browser, how: str) -> None:
    lin, stolen = site.caseworker("lin"), log_in(site, "lin")
    number, fresh = id_of(site, "lin"), "another horse battery"
    changes: dict[str, Callable[[], object]] = {
        "own password": lambda: lin.post("/desk/password", {"current": PASSWORD, "password": fresh, "again": fresh}),
        "reset": lambda: boss.post(f"/desk/people/{number}/password"),
        "disable": lambda: boss.post(f"/desk/people/{number}/disable"),
        "role": lambda: boss.post(f"/desk/people/{number}/role", {"role": "senior"}),
        "code reset": lambda: boss.post(f"/desk/people/{number}/code"),
    }
    assert logged_in(stolen)
    changes[how]()
    assert not logged_in(stolen)


def test_attack_reset_secrets_are_worth_nothing_twice(site: Site, boss: Browser) -> None:
    """No link resets a password; a newer one-time password kills the older one, an own one kills both."""
    site.caseworker("lin")
    number = id_of(site, "lin")
    first = shown_once(boss.post(f"/desk/people/{number}/password").text)
    second = shown_once(boss.post(f"/desk/people/{number}/password").text)
    assert first != second
    assert log_in(site, "lin", PASSWORD).get("/desk").headers["location"] == "/desk/login"
    assert log_in(site, "lin", first).get("/desk").headers["location"] == "/desk/login"
    early, late = log_in(site, "lin", second), log_in(site, "lin", second)
    late.post("/desk/password", {"password": PASSWORD, "again": PASSWORD})
    assert early.get("/desk").headers["location"] == "/desk/login"
    assert log_in(site, "lin", second).get("/desk").headers["location"] == "/desk/login"


def test_attack_one_time_password_found_later(site: Site, boss: Browser) -> None:
    """What was handed over is good for a week, and the answer is that to a wrong one."""
    site.add_staff("chen")
    site.caseworker("lin")
    reset = shown_once(boss.post(f"/desk/people/{id_of(site, 'lin')}/password").text)
    write(site, "UPDATE staff SET one_time_until = one_time_until - 604700")
    for name, password in (("chen", "one-time password"), ("lin", reset)):
        assert log_in(site, name, password).get("/desk").headers["location"] == "/desk/password"
    write(site, "UPDATE staff SET one_time_until = one_time_until - 200")
    for name, password in (("chen", "one-time password"), ("lin", reset)):
        assert log_in(site, name, password).get("/desk").headers["location"] == "/desk/login"
    again = shown_once(boss.post(f"/desk/people/{id_of(site, 'lin')}/password").text)
    lin = log_in(site, "lin", again)
    lin.post("/desk/password", {"password": PASSWORD, "again": PASSWORD})
    write(site, "UPDATE staff SET one_time_until = one_time_until - 999999")
    assert logged_in(log_in(site, "lin", PASSWORD)), "a password of one's own does not end"


def test_attack_the_kept_hash_is_no_password(site: Site) -> None:
    site.caseworker("lin")
    ((hashed,),) = site.rows("SELECT password_hash FROM staff")
    for guess in (hashed, ""):
        assert not logged_in(log_in(site, "lin", guess))
    ((token,),) = site.rows("SELECT hex(token_hash) FROM staff_sessions")
    thief = site.browser()
    thief.client.cookies.set(COOKIE, token, domain="testserver.local", path="/desk")
    assert not logged_in(thief)


SPOOFED = (
    "authorization",
    "remote-user",
    "x-remote-user",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-preferred-username",
    "x-auth-request-user",
    "x-auth-request-email",
    "x-webauth-user",
    "x-authenticated-user",
    "x-user",
    "remote_user",
    "ssl-client-s-dn",
    "x-ssl-client-cert",
    "x-original-url",
)


@pytest.mark.parametrize("header", SPOOFED)
def test_attack_sso_header_while_single_sign_on_is_off(site: Site, header: str) -> None:
    site.add_staff("boss", "admin")
    for value in ("boss", "Basic Ym9zczpib3Nz", "/desk/people"):
        for path in ("/desk/people", "/desk/login"):
            answer = site.browser().get(path, headers={header: value})
            assert COOKIE not in answer.headers.get("set-cookie", "")
            assert answer.status_code == 200 if path == "/desk/login" else answer.headers["location"] == "/desk/login"


@pytest.mark.parametrize("field", ["role", "is_admin", "staff_id", "id", "must_change", "disabled"])
def test_attack_role_given_along_with_something_else(site: Site, field: str) -> None:
    """Fields that a form does not have are read by nobody."""
    lin = site.caseworker("lin")
    extra = {field: "admin" if field == "role" else "1"}
    lin.post("/desk/account/languages", {"lang_vi": "on", **extra})
    lin.post("/desk/account/sessions/others", extra)
    lin.post("/desk/password", {"current": PASSWORD, "password": PASSWORD + "!", "again": PASSWORD + "!", **extra})
    assert site.rows("SELECT id, name, role, must_change, disabled FROM staff") == [(1, "lin", "agent", 0, 0)]


def test_attack_name_as_markup_is_shown_as_text(site: Site, boss: Browser) -> None:
    page = boss.post("/desk/people", {"name": "<img src=x onerror=alert(1)>", "role": "agent"}).text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_attack_guessing_from_many_addresses_is_slowed_by_name(site: Site) -> None:
    site.add_staff("lin")
    answers = []
    for last in range(8):
        form = {"name": "LIN" if last % 2 else "lin", "password": "guess"}
        headers = {"x-forwarded-for": f"203.0.113.{last}"}
        answers.append(site.browser().post("/desk/login", form, headers=headers).status_code)
    assert answers == [401] * 5 + [429] * 3


def test_attack_guessing_many_names_is_slowed_by_address(site: Site) -> None:
    answers = [
        site.browser().post("/desk/login", {"name": f"nobody{turn}", "password": "guess"}).status_code
        for turn in range(22)
    ]
    assert answers == [401] * 20 + [429] * 2


def test_attack_whether_a_name_exists_shows_in_no_answer(site: Site) -> None:
    """Locked out or not, a name that somebody has and one that nobody has are answered alike; so is the right one."""
    site.caseworker("lin")
    for _ in range(5):
        for name in ("lin", "nobody"):
            site.browser().post("/desk/login", {"name": name, "password": "guess"})
    pages = [
        site.browser().post("/desk/login", {"name": name, "password": password})
        for name, password in (("lin", "guess"), ("nobody", "guess"), ("lin", PASSWORD))
    ]
    assert [page.status_code for page in pages] == [429] * 3
    texts = {re.sub(r'value="[^"]*"', "", page.text) for page in pages}
    assert len(texts) == 1


# -- patience


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_waits_grow_and_end() -> None:
    watch = Watch()
    patience = Patience(free=3, first=10.0, longest=60.0, monotonic=watch)
    waits = []
    for _ in range(8):
        watch.now += patience.wait("k")
        patience.take("k")
        waits.append(patience.wait("k"))
    assert waits == [0.0, 0.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0]
    assert patience.wait("other") == 0.0
    watch.now += 120.0
    assert patience.wait("k") == 0.0
    patience.take("k")
    assert patience.wait("k") == 0.0


def test_a_right_try_is_taken_back() -> None:
    watch = Watch()
    patience = Patience(free=2, monotonic=watch)
    for _ in range(50):
        patience.take("k")
        patience.take_back("k")
    assert patience.wait("k") == 0.0
    patience.take("k")
    patience.take("k")
    assert patience.wait("k") > 0.0
    patience.forget("k")
    assert patience.wait("k") == 0.0


# -- the command line


def labor_bot(site: Site) -> Callable[..., Result]:
    """`labor-bot staff` on the site's database."""
    environment = {"LABOR_BOT_DATA_DIR": str(site.database.parent)}

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["staff", *words], env=environment)

    return run


def test_the_command_line_manages_accounts(site: Site) -> None:
    run = labor_bot(site)
    made = run("add", "lin", "--role", "senior")
    assert made.exit_code == 0
    password = made.output.rsplit(" ", 1)[1].strip()
    lin = log_in(site, "lin", password)
    lin.post("/desk/password", {"password": PASSWORD, "again": PASSWORD})
    assert re.match(r"lin\tsenior\tenabled\tno code\t\d{4}-", run("list").output)
    assert run("disable", "lin").output == "lin is disabled\n"
    assert not logged_in(lin)
    assert run("list").output == "lin\tsenior\tdisabled\tno code\n"
    assert run("enable", "lin").output == "lin is enabled\n"
    lin = log_in(site, "lin")
    assert logged_in(lin)
    fresh = run("reset", "lin").output.rsplit(" ", 1)[1].strip()
    assert not logged_in(lin)
    ((hashed, must_change),) = site.rows("SELECT password_hash, must_change FROM staff")
    assert matches(hashed, fresh)
    assert must_change
    assert [action for (action,) in site.rows("SELECT action FROM audit") if action.startswith("staff.")] == [
        "staff.add",
        "staff.disable",
        "staff.enable",
        "staff.password_reset",
    ]


@pytest.mark.parametrize("verb", ["disable", "enable", "reset"])
def test_the_command_line_knows_no_such_account(site: Site, verb: str) -> None:
    answer = labor_bot(site)(verb, "nobody")
    assert answer.exit_code == 1
    assert "labor-bot staff list" in answer.output
