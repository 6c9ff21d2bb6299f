"""The web's edges: bad input changes nothing and is answered kindly, cookies and headers, the desk's door, resume."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from site_app import FORM, PASSWORD, SCRIPT, Event, Site, running
from starlette.routing import Route

from bot.channels.visitors import preferred
from bot.channels.web import COOKIE
from bot.desk.auth import COOKIE as DESK_COOKIE
from bot.pipeline.resources import Resources
from bot.store import sqlite as engine

LANGUAGES = {"zh-TW": "zh-TW,zh;q=0.9", "en": "en-US,en;q=0.8,zh-TW;q=0.5"}
STATIC = Path(__file__).parent.parent / "templates" / "static"


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path, LABOR_BOT_MESSAGES_PER_MINUTE="100") as site:
        yield site


def shown(text: str) -> str:
    """A text as HTML holds it."""
    return html.escape(text, quote=False).replace('"', "&#34;").replace("'", "&#39;")


# -- bad input: (body, headers, status, key of the text)

CROSS_SITE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "http://testserver.local.evil.example"},
    {"origin": "null"},
]
BAD: dict[str, tuple[bytes, dict[str, Any], int, str]] = {
    "nothing": (b"", {}, 400, "web.error_empty"),
    "empty": (b"text=", {}, 400, "web.error_empty"),
    "blanks": (b"text=+%0A%09+%E3%80%80", {}, 400, "web.error_empty"),
    "control characters": (b"text=%00%01%1B%7F%C2%85%E2%80%AE", {}, 400, "web.error_empty"),
    "raw control characters": (b"text=\x00\x01\x7f", {}, 400, "web.error_empty"),
    "100,000 characters": (b"text=" + b"a" * 100_000, {}, 413, "web.error_long"),
    "100,000 Chinese characters": (b"text=" + b"%E5%8B%9E" * 100_000, {}, 413, "web.error_long"),
    "too large a body": (b"text=" + b"a" * 1_000_001, {}, 413, "web.error_long"),
    "broken UTF-8, raw": (b"text=\xe5\x8b", {}, 400, "web.error_encoding"),
    "broken UTF-8, encoded": (b"text=%E5%8B", {}, 400, "web.error_encoding"),
    "a surrogate, encoded": (b"text=%ED%A0%80", {}, 400, "web.error_encoding"),
    "too many fields": (b"&".join(b"a%d=1" % n for n in range(50)), {}, 400, "web.error_encoding"),
    "JSON": (b'{"text": "hi"}', {"content-type": "application/json"}, 415, "web.error_type"),
    "multipart": (b"--x--", {"content-type": "multipart/form-data; boundary=x"}, 415, "web.error_type"),
    "a choice that is too long": (b"choice=" + b"a" * 101, {}, 400, "conversation.choice_unknown"),
    "forged session": (b"text=hi", {"cookie": f"{COOKIE}=abc.def"}, 403, "web.error_session"),
    "forged session, not ASCII": (
        b"text=hi",
        {"cookie": f"{COOKIE}=caf\xe9.\xe9".encode("latin-1")},
        403,
        "web.error_session",
    ),
    **{f"cross-site {number}": (b"text=hi", more, 403, "web.error_origin") for number, more in enumerate(CROSS_SITE)},
}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_answered_in_the_readers_language_and_changes_nothing(site: Site, name: str, lang: str) -> None:
    body, headers, status, key = BAD[name]
    wanted = site.words(lang, key, limit=2000)
    before = site.contents()
    for accept in ({}, SCRIPT):
        browser = site.browser(LANGUAGES[lang])
        answer = browser.request(
            "POST", "/chat/send", content=body, headers={"content-type": FORM, **headers, **accept}
        )
        assert answer.status_code == status
        if accept:
            assert answer.json() == {"error": wanted}
        else:
            assert shown(wanted) in answer.text
            assert f'<html lang="{lang}">' in answer.text
    assert site.contents() == before


def test_bad_input_in_a_conversation_is_answered_in_its_language(site: Site) -> None:
    browser = site.browser(LANGUAGES["en"])
    browser.tap("lang:zh-TW")
    before = site.contents()
    answer = browser.say("")
    assert site.words("zh-TW", "web.error_empty") in answer.text
    assert site.contents() == before


def test_a_long_message_is_kept_as_a_draft(site: Site) -> None:
    draft = "勞" * 2001
    answer = site.browser().say(draft)
    assert answer.status_code == 413
    assert f">{draft}</textarea>" in answer.text


def test_the_longest_message_is_taken(site: Site) -> None:
    browser = site.browser()
    assert browser.say("勞" * 2000).status_code == 303
    assert "勞" * 2000 in browser.page()


@pytest.mark.parametrize("text", ["😀😀😀", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "!!!", "‍", "؟", "𠮷"])
def test_what_says_nothing_gets_a_kind_answer_and_no_new_state(site: Site, text: str) -> None:
    browser = site.browser()
    assert browser.say(text).status_code == 303
    page = browser.page()
    assert any(site.words("zh-TW", f"conversation.{key}") in page for key in ("refuse", "empty"))
    assert site.rows("SELECT * FROM facts") == site.rows("SELECT * FROM cases") == []


def test_html_is_text(site: Site) -> None:
    browser = site.browser()
    browser.say("<script>alert(1)</script><img src=x onerror=alert(2)>\"'")
    page = browser.page()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;&#34;&#39;" in page
    assert "<script>alert" not in browser.stream(1)[0].data


def test_control_and_direction_characters_are_not_kept(site: Site) -> None:
    browser = site.browser()
    browser.say("職訓\u202e\u2066\x00\x07\ufeff\r\n補助")
    assert "職訓<br>補助" in browser.page()


@pytest.mark.parametrize(
    "choice", ["nonsense", "topic:p99", "answer:age:1", "check:p99", "lang:xx", "aspect::", "topic:", ":"]
)
def test_an_unknown_choice_says_so_and_changes_nothing(site: Site, choice: str) -> None:
    browser = site.browser()
    browser.tap("menu")
    before = site.rows("SELECT state, speaker FROM conversations")
    assert browser.tap(choice).status_code == 303
    assert site.words("zh-TW", "conversation.choice_unknown") in browser.page()
    assert site.rows("SELECT state, speaker FROM conversations") == before
    assert site.rows("SELECT * FROM facts") == site.rows("SELECT * FROM cases") == []


def test_a_forged_session_is_let_go_and_the_next_page_is_fresh(site: Site) -> None:
    browser = site.browser()
    genuine = browser.get("/").cookies[COOKIE]
    for forged in (
        "x" * 5000,
        genuine[:-1] + ("0" if genuine[-1] != "0" else "1"),
        genuine.replace(".", "-"),
        "." + genuine,
    ):
        browser.client.cookies.set(COOKIE, forged, domain="testserver.local", path="/")
        refused = browser.get("/")
        assert refused.status_code == 403
        assert site.words("zh-TW", "web.error_session") in refused.text
        assert browser.get("/").status_code == 200
    assert site.contents()["conversations"] == []


def test_over_budget_keeps_the_draft(resources: Resources, tmp_path: Path) -> None:
    with running(resources, tmp_path, LABOR_BOT_MESSAGES_PER_MINUTE="2") as site:
        browser = site.browser()
        browser.say("職訓")
        browser.say("津貼")
        before = site.contents()
        refused = browser.say("第三則")
        assert refused.status_code == 429
        assert site.words("zh-TW", "web.error_budget") in refused.text
        assert ">第三則</textarea>" in refused.text
        assert browser.post("/chat/send", {"text": "x"}, headers=SCRIPT).status_code == 429
        assert site.contents() == before
        assert site.browser().say("別人").status_code == 303


def test_over_the_budget_of_an_ip_address(resources: Resources, tmp_path: Path) -> None:
    with running(resources, tmp_path, LABOR_BOT_MESSAGES_PER_MINUTE_IP="1") as site:
        assert site.browser().say("一").status_code == 303
        assert site.browser().say("二").status_code == 429
        elsewhere = {"x-forwarded-for": "203.0.113.7"}
        assert site.browser().post("/chat/send", {"text": "三"}, headers=elsewhere).status_code == 303


def test_an_unwritable_store_keeps_the_draft_and_nothing_is_lost(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with running(resources, tmp_path) as site:
        browser = site.browser()
        browser.say("職訓")
        before = site.contents()
        with site.unwritable():
            refused = browser.say("尋職津貼多少錢", id="same-id-1")
            assert refused.status_code == 503
            assert site.words("zh-TW", "web.error_store") in refused.text
            assert ">尋職津貼多少錢</textarea>" in refused.text
            told = browser.post("/chat/send", {"text": "x"}, headers=SCRIPT)
            assert (told.status_code, told.json()["error"]) == (503, site.words("zh-TW", "web.error_store"))
            assert browser.post("/chat/end").status_code == 503
            assert browser.post("/chat/forget").status_code == 503
            assert browser.get("/").status_code == 200
            assert browser.get("/privacy").status_code == 200
        assert site.contents() == before
        assert browser.say("尋職津貼多少錢", id="same-id-1").status_code == 303
        assert browser.page().count("尋職津貼多少錢</p>") == 1


def test_the_same_form_sent_twice_is_one_message(site: Site) -> None:
    browser = site.browser()
    for _ in range(3):
        assert browser.say("職訓", id="one-and-the-same").status_code == 303
    assert browser.page().count("職訓</p>") == 1


# -- wrong addresses and methods


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_missing_page_says_so(site: Site, lang: str) -> None:
    for path in ("/nope", "/chat/nope", "/static/nope.css", "/desk/cases/x", "/%FF", "/chat/../../etc/passwd"):
        answer = site.browser(LANGUAGES[lang]).get(path)
        assert answer.status_code == 404, path
        assert shown(site.words(lang, "web.not_found")) in answer.text


def routes(site: Site, start: str = "/") -> list[tuple[str, str]]:
    """(method, path) of every route that is not there for wrong methods."""
    found = []
    for route in site.app.routes:
        if isinstance(route, Route) and route.path.startswith(start) and route.name != "wrong_method":
            found += [(method, route.path.replace("{id:int}", "1")) for method in sorted(route.methods or ["GET"])]
    return found


def test_a_wrong_method_is_refused_and_changes_nothing(site: Site) -> None:
    browser = site.browser()
    browser.say("職訓")
    before = site.contents()
    served = routes(site)
    for path in sorted({path for _, path in served}):
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {way for way, where in served if where == path}:
            answer = browser.request(method, path)
            if method == "GET":  # the address of a form, opened by hand
                assert answer.status_code == 303, path
            else:
                assert answer.status_code == 405, path
                if path not in ("/healthz", "/readyz", "/metrics"):
                    key = "desk.error_origin" if path.startswith("/desk") else "web.error_origin"
                    assert site.words("zh-TW", key) in answer.text, path
    assert site.contents() == before


# -- cookies and headers


def cookie_of(answer: Any, name: str) -> str:
    (found,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{name}=")]
    return str(found)


def test_the_chat_cookie(site: Site) -> None:
    browser = site.browser()
    flags = set(cookie_of(browser.get("/"), COOKIE).lower().split("; ")[1:])
    assert flags == {"httponly", "max-age=7776000", "path=/", "samesite=lax"}
    assert "set-cookie" not in browser.get("/").headers
    assert "set-cookie" not in browser.say("職訓").headers


def test_cookies_are_secure_over_https(resources: Resources, tmp_path: Path) -> None:
    with running(resources, tmp_path, LABOR_BOT_PUBLIC_URL="https://labor.example") as site:
        assert "; Secure" in cookie_of(site.browser().get("/"), COOKIE)
        assert "strict-transport-security" in site.browser().get("/").headers
        password = site.add_staff()
        answer = site.browser().post("/desk/login", {"name": "lin", "password": password})
        assert "; Secure" in cookie_of(answer, DESK_COOKIE)


def test_the_desk_cookie_is_for_the_desk_alone(site: Site) -> None:
    password = site.add_staff()
    browser = site.browser()
    answer = browser.post("/desk/login", {"name": "lin", "password": password})
    flags = set(cookie_of(answer, DESK_COOKIE).lower().split("; ")[1:])
    assert flags == {"httponly", "path=/desk", "samesite=strict"}


SAFE = {
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}


def test_security_headers_are_on_every_answer(site: Site) -> None:
    extra = [("GET", "/nope"), ("PUT", "/"), ("GET", "/static/chat.css"), ("GET", "/static/nope.js"), ("GET", "/desk/")]
    for method, path in [*routes(site), *extra]:
        headers = site.browser().request(method, path).headers
        for name, value in SAFE.items():
            assert headers[name] == value, (method, path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, (method, path)
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert headers["referrer-policy"] in ("no-referrer", "same-origin")
        if not path.startswith("/static/"):
            assert headers["cache-control"] == "no-store", (method, path)
        assert "server" not in headers


def test_templates_hold_no_inline_script_or_style() -> None:
    served = (
        path for path in STATIC.parent.rglob("*.html") if path.parent.name not in ("print", "line")
    )  # drawn, never served
    for path in served:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:|<script(?![^>]*\ssrc=)", text), path.name
        assert not re.search(r"(?:src|href|action)=\"https?:", text), path.name


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "zh-TW"),
        ("en", "en"),
        ("en-GB,zh;q=0.5", "en"),
        ("zh-CN,en;q=0.9", "zh-TW"),
        ("de,fr;q=0.9,th;q=0.4", "th"),
        ("tl-PH", "fil"),
        ("en;q=0.1,vi;q=0.9", "vi"),
        ("id;q=x,en;q=0.2", "en"),
        ("*", "zh-TW"),
        ("," * 5000, "zh-TW"),
    ],
)
def test_the_preferred_language(header: str, lang: str) -> None:
    assert preferred(header, ["zh-TW", "en", "vi", "id", "th", "fil"]) == lang


# -- the live stream


def test_the_stream_resumes_without_loss_or_doubles(site: Site) -> None:
    browser = site.browser()
    for text in ("職訓", "津貼", "移工"):
        browser.say(text)
    whole = browser.stream(6)
    assert [event.id for event in whole] == [str(number) for number in range(1, 7)]
    pieces: list[Event] = []
    last = ""
    while len(pieces) < 6:
        piece = browser.stream(2, last=last)
        pieces += piece
        last = piece[-1].id
    assert [(event.id, event.data) for event in pieces] == [(event.id, event.data) for event in whole]
    # the header of a reconnecting browser counts more than the address it first opened
    assert browser.stream(1, after="0", last="4")[0].id == "5"
    assert browser.stream(1, after="4")[0].id == "5"
    assert browser.stream(1, after="rubbish")[0].id == "1"


def test_a_message_sent_while_listening_arrives_once(site: Site) -> None:
    browser = site.browser()
    browser.say("職訓")

    async def say() -> None:
        for number in range(3):
            await browser.client.post("/chat/send", data={"text": f"津貼 {number}"}, headers=SCRIPT)

    events = browser.stream(6, after="2", during=say)
    assert [event.id for event in events] == [str(number) for number in range(3, 9)]


def test_the_stream_says_when_everything_was_forgotten(site: Site) -> None:
    browser = site.browser()
    browser.say("職訓")
    browser.tap("forget:yes")
    (event,) = browser.stream(1, after="2")
    assert event.event == "gone"
    page = browser.page()
    assert site.words("zh-TW", "conversation.forgotten") in page
    assert "職訓</p>" not in page


def test_nobody_hears_another_conversation(site: Site) -> None:
    one, other = site.browser(), site.browser()
    one.say("我的秘密")
    other.say("職訓")
    assert "我的秘密" not in other.page()
    assert all("我的秘密" not in event.data for event in other.stream(2))
    assert site.browser().get("/chat/events").status_code == 204


def test_end_and_clear_on_this_device(site: Site) -> None:
    browser = site.browser()
    browser.say("我的秘密")
    answer = browser.post("/chat/end")
    assert answer.status_code == 200
    assert "storage" in answer.headers["clear-site-data"]
    assert COOKIE not in browser.client.cookies
    assert "我的秘密" not in browser.page()


def test_an_ended_conversation_cannot_be_opened_again(site: Site) -> None:
    browser = site.browser()
    browser.say("我的秘密")
    token = browser.client.cookies[COOKIE]
    browser.post("/chat/end")
    browser.client.cookies.set(COOKIE, token, domain="testserver.local", path="/")
    assert "我的秘密" not in browser.page()
    browser.client.cookies.set(COOKIE, token, domain="testserver.local", path="/")
    assert browser.get("/chat/events").status_code == 204


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_button_of_the_first_page_is_answered_in_its_language(site: Site, lang: str) -> None:
    browser = site.browser(LANGUAGES[lang])
    browser.tap("who")
    page = browser.page()
    assert f'<html lang="{lang}">' in page
    assert shown(site.words(lang, "conversation.who")) in page


def test_forget_me_erases_what_was_said(site: Site) -> None:
    browser = site.browser()
    browser.say("我的秘密")
    assert site.words("zh-TW", "conversation.forget_ask") in browser.get("/chat/forget").text
    assert "我的秘密" in browser.page()
    assert site.words("zh-TW", "conversation.forgotten") in browser.post("/chat/forget").text
    assert "我的秘密" not in browser.page()
    assert all("我的秘密" not in str(row) for rows in site.contents().values() for row in rows)


# -- the desk's door


def test_without_a_session_the_desk_leads_to_the_log_in(site: Site) -> None:
    browser = site.browser()
    inside = [(method, path) for method, path in routes(site, "/desk") if path != "/desk/login"]
    assert len(inside) > 10
    for method, path in inside:
        answer = browser.request(method, path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login"), (method, path)
    browser.client.cookies.set(DESK_COOKIE, "made up", domain="testserver.local", path="/desk")
    assert browser.get("/desk").headers["location"] == "/desk/login"


def test_a_first_password_must_be_changed(site: Site) -> None:
    password = site.add_staff()
    browser = site.browser()
    assert browser.post("/desk/login", {"name": "lin", "password": password}).headers["location"] == "/desk/password"
    for method, path in routes(site, "/desk"):
        if path != "/desk/password" and not path.startswith("/desk/login"):
            answer = browser.request(method, path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/desk/password"), (method, path)
    for fresh, again, key in (
        ("short", "short", "desk.error_password_short"),
        ("", "", "desk.error_password_short"),
        (PASSWORD, PASSWORD + "x", "desk.error_password_again"),
    ):
        answer = browser.post("/desk/password", {"password": fresh, "again": again})
        assert answer.status_code == 400
        assert site.words("zh-TW", key, shortest=12) in answer.text
    assert browser.post("/desk/password", {"password": PASSWORD, "again": PASSWORD}).headers["location"] == "/desk"
    assert browser.get("/desk").status_code == 200


def test_old_sessions_end_when_the_password_changes(site: Site) -> None:
    browser = site.caseworker()
    other = site.browser()
    other.post("/desk/login", {"name": "lin", "password": PASSWORD})
    assert other.get("/desk").status_code == 200
    browser.post("/desk/password", {"current": PASSWORD, "password": PASSWORD + "!", "again": PASSWORD + "!"})
    assert browser.get("/desk").status_code == 200
    assert other.get("/desk").headers["location"] == "/desk/login"


def test_log_out_ends_the_session_for_good(site: Site) -> None:
    browser = site.caseworker()
    token = browser.client.cookies[DESK_COOKIE]
    assert browser.post("/desk/logout").headers["location"] == "/desk/login"
    browser.client.cookies.set(DESK_COOKIE, token, domain="testserver.local", path="/desk")
    assert browser.get("/desk").headers["location"] == "/desk/login"


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(site: Site) -> None:
    site.add_staff()
    answers = [
        site.browser().post("/desk/login", form)
        for form in ({"name": "lin", "password": "x"}, {"name": "lin2", "password": "x"}, {})
    ]
    assert {answer.status_code for answer in answers} == {401}
    texts = [re.sub(r'value="[^"]*"', "", answer.text) for answer in answers]
    assert texts[0] == texts[1] == texts[2]
    assert site.words("zh-TW", "desk.error_login") in texts[0]


def test_guessing_is_slowed_down(site: Site) -> None:
    site.add_staff()
    for _ in range(5):
        assert site.browser().post("/desk/login", {"name": "lin", "password": "guess"}).status_code == 401
    answer = site.browser().post("/desk/login", {"name": "lin", "password": "guess"})
    assert answer.status_code == 429
    pause = site.words("zh-TW", "desk.minutes", count=1)
    assert site.words("zh-TW", "desk_people.error_tries", time=pause) in answer.text
    assert 0 < int(answer.headers["retry-after"]) <= 15
    assert "set-cookie" not in answer.headers


def test_cross_site_posts_to_the_desk_are_refused(site: Site) -> None:
    browser = site.caseworker()
    for _, path in [route for route in routes(site, "/desk") if route[0] == "POST"]:
        answer = browser.request("POST", path, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403, path
        assert site.words("zh-TW", "desk.error_origin") in answer.text
    assert browser.get("/desk").status_code == 200


def test_the_desk_speaks_english_to_those_who_ask_for_it(site: Site) -> None:
    assert site.words("en", "desk.login_lead") in site.browser("en-US,en;q=0.9").get("/desk/login").text
    assert site.words("zh-TW", "desk.login_lead") in site.browser("vi").get("/desk/login").text


# -- answering at the desk


def fence_of(page: str) -> str:
    found = re.search(r'name="fence" value="(\d+)"', page)
    assert found is not None
    return found[1]


def test_one_caseworker_at_a_time(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("handoff")
    lin, wu = site.caseworker("lin"), site.caseworker("wu")
    case = "/desk/cases/1"
    assert lin.post(f"{case}/claim").headers["location"] == case
    taken = wu.post(f"{case}/claim")
    assert taken.status_code == 409
    assert site.words("zh-TW", "desk.error_taken") in taken.text
    fence = fence_of(lin.get(case).text)
    refused = wu.post(f"{case}/reply", {"text": "我來答", "fence": fence})
    assert refused.status_code == 409
    assert site.words("zh-TW", "desk.error_not_holder") in refused.text
    assert ">我來答</textarea>" in refused.text
    assert lin.post(f"{case}/reply", {"text": "您好", "fence": fence, "id": "one"}).status_code == 303
    assert lin.post(f"{case}/reply", {"text": "您好", "fence": fence, "id": "one"}).status_code == 303
    assert lin.post(f"{case}/close", {"fence": "0"}).status_code == 409
    assert lin.post(f"{case}/close", {"fence": fence}).headers["location"] == "/desk"
    page = citizen.page()
    assert page.count("您好</p>") == 1
    assert "我來答" not in page
    assert lin.post(f"{case}/reply", {"text": "還有", "fence": fence}).status_code == 409


@pytest.mark.parametrize(
    ("text", "key"),
    [("", "desk.error_reply_empty"), ("\x00 ", "desk.error_reply_empty"), ("字" * 4001, "desk.error_reply_long")],
)
def test_a_reply_that_cannot_go_is_kept(site: Site, text: str, key: str) -> None:
    site.browser().tap("handoff")
    desk = site.caseworker()
    desk.post("/desk/cases/1/claim")
    answer = desk.post("/desk/cases/1/reply", {"text": text, "fence": fence_of(desk.get("/desk/cases/1").text)})
    assert answer.status_code == 400
    assert site.words("zh-TW", key, limit=4000) in answer.text
    if len(text) > 10:
        assert f">{text}</textarea>" in answer.text


def test_a_draft_is_kept_until_it_is_sent(site: Site) -> None:
    site.browser().tap("handoff")
    desk = site.caseworker()
    desk.post("/desk/cases/1/claim")
    assert desk.post("/desk/cases/1/draft", {"text": "寫到一半"}).status_code == 204
    page = desk.get("/desk/cases/1").text
    assert ">寫到一半</textarea>" in page
    desk.post("/desk/cases/1/reply", {"text": "寫完了", "fence": fence_of(page)})
    assert "寫到一半" not in desk.get("/desk/cases/1").text


def test_the_desk_while_nothing_can_be_written(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with running(resources, tmp_path) as site:
        site.browser().tap("handoff")
        desk = site.caseworker()
        desk.post("/desk/cases/1/claim")
        fence = fence_of(desk.get("/desk/cases/1").text)
        wanted = site.words("zh-TW", "web.error_store")
        with site.unwritable():
            refused = desk.post("/desk/cases/1/reply", {"text": "寫好的回覆", "fence": fence})
            assert refused.status_code == 503
            assert wanted in refused.text
            assert ">寫好的回覆</textarea>" in refused.text
            assert desk.get("/desk").status_code == 200
            for path in ("claim", "close"):
                answer = desk.post(f"/desk/cases/1/{path}", {"fence": fence})
                assert (answer.status_code, wanted in answer.text) == (503, True)
            assert wanted in site.browser().post("/desk/login", {"name": "lin", "password": PASSWORD}).text
        assert desk.post("/desk/cases/1/reply", {"text": "寫好的回覆", "fence": fence}).status_code == 303


def test_a_case_that_does_not_exist(site: Site) -> None:
    desk = site.caseworker("boss", "senior")
    for method, path in [route for route in routes(site, "/desk/cases") if not route[1].endswith("draft")]:
        answer = desk.request(method, path.replace("/1", "/99"))
        assert answer.status_code == 404, path
        if method != "HEAD":
            assert site.words("zh-TW", "desk.error_no_case") in answer.text


# -- colors


def tokens() -> tuple[str, dict[str, dict[str, str]]]:
    """The comment that names the pairs, and the colors of both schemes; dark falls back to light."""
    text = (STATIC / "tokens.css").read_text(encoding="utf-8")
    comment, rest = text.split("*/", 1)
    light, dark = rest.split("@media", 1)
    colors = [dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", part)) for part in (light, dark)]
    return comment, {"light": colors[0], "dark": {**colors[0], **colors[1]}}


def luminance(color: str) -> float:
    """Relative luminance by WCAG 2."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_formula() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_named_color_pairs_have_enough_contrast(scheme: str) -> None:
    comment, colors = tokens()
    pairs = re.findall(r"(?:text|control) ([\d.]+): ([\w-]+) on ([\w -]+)", comment)
    assert len(pairs) > 15
    weak = [
        f"{front} on {back}: {contrast(colors[scheme][front], colors[scheme][back]):.2f} < {least}"
        for least, front, backs in pairs
        for back in backs.split()
        if contrast(colors[scheme][front], colors[scheme][back]) < float(least)
    ]
    assert weak == []


def test_a_code_typed_first_keeps_the_language_of_the_page(site: Site) -> None:
    browser = site.browser("vi-VN,vi;q=0.9")
    browser.say("p15")
    assert "(初次尋職青年就業服務計畫)" in browser.page()
    assert site.words("vi", "conversation.choice.check") in browser.page()
