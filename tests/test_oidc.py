"""Log-in with an identity provider: the way there and back, connecting an account, and attacks on each step."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from conftest import MovingClock
from joserfc.jwk import ECKey
from site_app import PASSWORD, Browser, Site, running
from standins.oidc import CLIENT, SECRET, Faults, Standin
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from bot.config import ConfigError, load
from bot.desk import provider as provider_module
from bot.desk.auth import CONFIRMED_SECONDS, COOKIE, HALFWAY
from bot.desk.oidc import BROWSER, SECONDS
from bot.desk.wire import ANSWER_LIMIT, Wire
from bot.pipeline.resources import Resources
from bot.store.codec import encode

PUBLIC = "http://testserver.local"
SUBJECT = "5f0c-1"
ADDRESSES = ip_network("10.0.0.0/16").hosts()


@dataclass
class House:
    """The site, its provider, and an account that is connected with `SUBJECT`."""

    site: Site
    idp: Standin

    def setup(self) -> None:
        lin = self.site.caseworker("lin")
        assert self.back(lin, self.way(lin, "/desk/account/oidc"), SUBJECT).status_code == 200

    def way(self, browser: Browser, path: str = "/desk/login/oidc") -> str:
        """The address that the browser is sent to."""
        answer = browser.get(path)
        sent = answer.headers.get("location") or answer.headers["refresh"].partition("url=")[2]
        assert sent.startswith(self.idp.issuer), sent
        return str(sent)

    def back(self, browser: Browser, way: str, subject: str = SUBJECT) -> httpx.Response:
        """Somebody logs in at the provider; the page that the browser is led back to."""
        return browser.get(self.idp.approve(way, subject).removeprefix(PUBLIC))

    def visitor(self) -> Browser:
        """A fresh browser at an address of its own, as the proxy tells it."""
        browser = self.site.browser()
        browser.client.headers["x-forwarded-for"] = str(next(ADDRESSES))
        return browser

    def log_in(self, subject: str = SUBJECT) -> tuple[Browser, httpx.Response]:
        """The whole way, with a fresh browser."""
        browser = self.visitor()
        return browser, self.back(browser, self.way(browser), subject)

    def says(self, key: str) -> str:
        return self.site.words("zh-TW", f"desk_oidc.{key}", name="市府帳號")


@pytest.fixture
def idp() -> Iterator[Standin]:
    with Standin() as idp:
        yield idp


def settings(idp: Standin) -> dict[str, str]:
    return {
        "LABOR_BOT_PUBLIC_URL": PUBLIC,
        "LABOR_BOT_OIDC_ISSUER": idp.issuer,
        "LABOR_BOT_OIDC_CLIENT_ID": CLIENT,
        "LABOR_BOT_OIDC_CLIENT_SECRET": SECRET,
        "LABOR_BOT_OIDC_NAME": "市府帳號",
    }


@pytest.fixture
def house(resources: Resources, tmp_path: Path, moving_clock: MovingClock, idp: Standin) -> Iterator[House]:
    with running(resources, tmp_path, **settings(idp)) as site:
        house = House(site, idp)
        house.setup()
        yield house


def inside(browser: Browser) -> bool:
    return browser.get("/desk/account").status_code == 200


def write(site: Site, sql: str) -> None:
    with sqlite3.connect(site.database, timeout=20) as connection:
        connection.execute(sql)
    connection.close()


def actions(site: Site) -> list[str]:
    return [row[0] for row in site.rows("SELECT action FROM audit ORDER BY id")]


def refused(
    house: House, browser: Browser, answer: httpx.Response, key: str = "error_again", status: int = 400
) -> None:
    """A page that says so, no session, and the cookie of the attempt is gone."""
    assert answer.status_code == status
    assert house.says(key) in answer.text
    assert "refresh" not in answer.headers
    assert COOKIE not in browser.client.cookies
    assert BROWSER not in browser.client.cookies
    assert not inside(browser)


# -- logging in


def test_the_connected_account_logs_in(house: House) -> None:
    browser, answer = house.log_in()
    assert answer.status_code == 200
    assert answer.headers["refresh"] == "0; url=/desk"
    assert inside(browser)
    assert actions(house.site)[-3:] == ["staff.link", "session.oidc", "login"]
    assert house.site.rows("SELECT count(*) FROM oidc_attempts") == [(0,)]


def test_the_log_in_page_offers_it(house: House) -> None:
    page = house.site.browser().get("/desk/login").text
    assert 'href="/desk/login/oidc"' in page
    assert house.says("log_in") in page
    assert 'name="password"' in page


def test_without_a_provider_nothing_of_it_is_there(resources: Resources, tmp_path: Path) -> None:
    with running(resources, tmp_path) as site:
        assert "oidc" not in site.browser().get("/desk/login").text
        lin = site.caseworker("lin")
        assert "oidc" not in lin.get("/desk/account").text
        for path, to in (("/desk/login/oidc", "/desk/login"), ("/desk/login/oidc/back?code=1", "/desk/login")):
            assert site.browser().get(path).headers["location"] == to
        assert lin.get("/desk/account/oidc").headers["location"] == "/desk/account"


def test_the_way_there_asks_for_who_it_is_and_nothing_else(house: House) -> None:
    browser = house.site.browser()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(house.way(browser)).query).items()}
    assert asked["scope"] == "openid"
    assert asked["redirect_uri"] == f"{PUBLIC}/desk/login/oidc/back"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert all(len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge"))
    ((kept,),) = house.site.rows("SELECT hex(state) || hex(browser) || nonce || verifier FROM oidc_attempts")
    assert asked["state"] not in kept


def test_the_cookie_of_the_way_is_bound_to_it(house: House) -> None:
    cookie = house.site.browser().get("/desk/login/oidc").headers["set-cookie"]
    for part in (f"{BROWSER}=", "HttpOnly", "SameSite=lax", "Path=/desk/login/oidc", f"Max-Age={SECONDS}"):
        assert part in cookie


def test_the_session_of_it_is_as_strict_as_any(house: House) -> None:
    _, answer = house.log_in()
    cookies = answer.headers.get_list("set-cookie")
    (session,) = [each for each in cookies if each.startswith(f"{COOKIE}=")]
    assert "HttpOnly" in session
    assert "SameSite=strict" in session
    assert "Path=/desk" in session


def test_the_session_that_the_browser_had_ends(house: House) -> None:
    """The strict cookie is not shown on the way back, so it is remembered on the way there."""
    browser = house.site.browser()
    browser.post("/desk/login", {"name": "lin", "password": PASSWORD})
    before = browser.client.cookies[COOKIE]
    way = house.idp.approve(house.way(browser), SUBJECT)
    browser.client.cookies.delete(COOKIE)
    browser.get(way.removeprefix(PUBLIC))
    assert inside(browser)
    old = house.site.browser()
    old.client.cookies.set(COOKIE, before, domain="testserver.local", path="/desk")
    assert not inside(old)


def test_another_site_cannot_start_it(house: House) -> None:
    answer = house.site.browser().get("/desk/login/oidc", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert house.site.rows("SELECT count(*) FROM oidc_attempts") == [(0,)]


def test_an_address_starts_it_only_so_often(house: House) -> None:
    browser = house.site.browser()
    answers = [browser.get("/desk/login/oidc").status_code for _ in range(70)]
    assert answers[0] == 303
    assert answers[-1] == 429
    assert len(house.site.rows("SELECT 1 FROM oidc_attempts")) <= 62


def test_what_the_provider_knows_of_the_password_here_is_nothing(house: House) -> None:
    """Whoever comes by the provider gives the password before what does much harm."""
    browser, _ = house.log_in()
    assert browser.get("/desk/account/code").headers["location"].startswith("/desk/confirm")
    assert browser.post("/desk/confirm", {"password": PASSWORD, "next": "/desk/account/code"}).status_code == 303
    assert browser.get("/desk/account/code").status_code == 200


def test_the_code_of_the_account_is_asked_all_the_same(house: House) -> None:
    house.idp.faults = Faults(claims={"amr": ["pwd", "otp", "mfa"], "acr": "urn:strong"})
    secret = pyotp.random_base32()
    write(house.site, f"UPDATE staff SET totp = '{encode(secret)}'")
    browser, answer = house.log_in()
    assert answer.headers["refresh"] == "0; url=/desk/login/code"
    assert COOKIE not in browser.client.cookies
    assert HALFWAY in browser.client.cookies
    assert not inside(browser)
    code = pyotp.TOTP(secret).at(int(house.site.resources.clock().timestamp()))
    assert browser.post("/desk/login/code", {"code": code}).headers["location"] == "/desk"
    assert inside(browser)
    assert actions(house.site)[-2:] == ["session.oidc", "login"]
    assert browser.get("/desk/account/code").headers["location"].startswith("/desk/confirm")


def test_where_a_code_is_required_it_is_set_up_first(
    resources: Resources, tmp_path: Path, moving_clock: MovingClock, idp: Standin
) -> None:
    with running(resources, tmp_path, LABOR_BOT_STAFF_TOTP="required", **settings(idp)) as site:
        site.add_staff("lin")
        write(site, "UPDATE staff SET must_change = 0")
        write(site, f"INSERT INTO staff_identities VALUES (1, '{idp.issuer}', '{SUBJECT}', 0)")
        browser, _ = House(site, idp).log_in()
        assert browser.get("/desk").headers["location"] == "/desk/account/code"


@pytest.mark.parametrize(
    ("change", "key"),
    [("disabled = 1", "error_unknown"), ("must_change = 1", "error_one_time")],
    ids=["disabled", "one-time password"],
)
def test_an_account_that_may_not_log_in_does_not(house: House, change: str, key: str) -> None:
    write(house.site, f"UPDATE staff SET {change}")
    refused(house, *house.log_in(), key, 403)


def test_a_subject_without_an_account_gets_nothing(house: House) -> None:
    """Neither a name nor an address of mail makes an account one's own: both can be chosen at many providers."""
    house.idp.faults = Faults(claims={"email": "lin@example.tw", "email_verified": True, "preferred_username": "lin"})
    for stranger in ("lin", "5f0c-2", "5F0C-1", "5f0c-1 ", "1"):
        refused(house, *house.log_in(stranger), "error_unknown", 403)
    assert house.site.rows("SELECT count(*) FROM staff") == [(1,)]


def test_the_subject_of_another_issuer_is_somebody_else(house: House) -> None:
    write(house.site, "UPDATE staff_identities SET issuer = 'https://other.example'")
    refused(house, *house.log_in(), "error_unknown", 403)


def test_logging_out_ends_the_session(house: House) -> None:
    browser, _ = house.log_in()
    browser.post("/desk/logout")
    assert not inside(browser)


# -- connecting


def test_connecting_wants_the_password_first(house: House) -> None:
    chen = house.site.caseworker("chen")
    write(house.site, f"UPDATE staff_sessions SET confirmed_at = confirmed_at - {CONFIRMED_SECONDS + 1}")
    asked = chen.get("/desk/account/oidc")
    assert asked.headers["location"] == "/desk/confirm?next=%2Fdesk%2Faccount%2Foidc"
    onward = chen.post("/desk/confirm", {"password": PASSWORD, "next": "/desk/account/oidc"})
    assert onward.headers["location"] == "/desk/account/oidc"
    way = house.way(chen, "/desk/account/oidc")
    assert "prompt=login" in way
    assert house.back(chen, way, "5f0c-2").headers["refresh"] == "0; url=/desk/account"
    assert house.says("linked") in chen.get("/desk/account").text
    assert inside(house.log_in("5f0c-2")[0])


def test_a_subject_belongs_to_one_account(house: House) -> None:
    chen = house.site.caseworker("chen")
    answer = house.back(chen, house.way(chen, "/desk/account/oidc"), SUBJECT)
    assert answer.status_code == 409
    assert house.says("error_taken") in answer.text
    assert house.site.rows("SELECT staff_id FROM staff_identities") == [(1,)]


def test_a_connected_account_is_not_connected_with_another_subject(house: House) -> None:
    lin = house.site.browser()
    lin.post("/desk/login", {"name": "lin", "password": PASSWORD})
    assert lin.get("/desk/account/oidc").headers["location"] == "/desk/account"
    assert "/desk/account/oidc" not in lin.get("/desk/account").text


def test_connecting_ends_with_the_session_that_began_it(house: House) -> None:
    chen = house.site.caseworker("chen")
    way = house.way(chen, "/desk/account/oidc")
    chen.post("/desk/logout")
    assert house.back(chen, way, "5f0c-2").status_code == 400
    assert len(house.site.rows("SELECT 1 FROM staff_identities")) == 1


def test_an_administrator_disconnects_and_the_sessions_end(house: House) -> None:
    admin, (browser, _) = house.site.caseworker("root", "admin"), house.log_in()
    assert "/desk/people/1/unlink" in admin.get("/desk/people").text
    assert admin.post("/desk/people/1/unlink").headers["location"] == "/desk/people"
    assert not inside(browser)
    refused(house, *house.log_in(), "error_unknown", 403)
    assert "/desk/people/1/unlink" not in admin.get("/desk/people").text
    assert "staff.unlink" in actions(house.site)
    assert admin.post("/desk/people/99/unlink").status_code == 404


# -- the way back, forged


def test_a_way_back_counts_once(house: House) -> None:
    browser = house.site.browser()
    back = house.idp.approve(house.way(browser), SUBJECT).removeprefix(PUBLIC)
    cookie = browser.client.cookies[BROWSER]
    browser.get(back)
    again = house.site.browser()
    again.client.cookies.set(BROWSER, cookie, domain="testserver.local", path="/desk/login/oidc")
    refused(house, again, again.get(back))


def test_another_browser_cannot_use_it_nor_spoil_it(house: House) -> None:
    """Somebody who is led to log in as the attacker, or whose state was seen."""
    attacker, victim = house.site.browser(), house.site.browser()
    back = house.idp.approve(house.way(attacker), SUBJECT).removeprefix(PUBLIC)
    refused(house, victim, victim.get(back))
    house.way(victim)
    refused(house, victim, victim.get(back))
    attacker.get(back)
    assert inside(attacker)


def test_a_code_of_another_log_in_does_not_fit(house: House) -> None:
    """A code that was stolen from one browser, brought to another with its own state: PKCE and nonce."""
    victim, attacker = house.site.browser(), house.site.browser()
    stolen = parse_qs(urlsplit(house.idp.approve(house.way(victim), SUBJECT)).query)["code"][0]
    state = parse_qs(urlsplit(house.way(attacker)).query)["state"][0]
    refused(house, attacker, attacker.get(f"/desk/login/oidc/back?code={stolen}&state={state}"))


def test_a_way_back_is_good_for_ten_minutes(house: House) -> None:
    browser = house.site.browser()
    way = house.way(browser)
    write(house.site, f"UPDATE oidc_attempts SET created_at = created_at - {SECONDS + 1}")
    refused(house, browser, house.back(browser, way))
    house.way(house.site.browser())
    assert house.site.rows("SELECT count(*) FROM oidc_attempts") == [(1,)]


@pytest.mark.parametrize(
    "query", ["", "?state=", "?code=1&state=x", "?code=%00&state=%ff", "?error=access_denied", "?state=x&state=y"]
)
def test_nonsense_is_refused(lasting: House, query: str) -> None:
    browser = lasting.visitor()
    refused(lasting, browser, browser.get(f"/desk/login/oidc/back{query}"))


def test_a_refusal_of_the_provider_is_told(lasting: House) -> None:
    browser = lasting.visitor()
    state = parse_qs(urlsplit(lasting.way(browser)).query)["state"][0]
    answer = browser.get(f"/desk/login/oidc/back?error=access_denied&error_description=%3Cb%3E&state={state}")
    refused(lasting, browser, answer, "error_cancelled")
    assert "<b>" not in answer.text


@pytest.mark.parametrize("code", ["", "%C3%A9", "x" * 5000])
def test_a_code_that_is_none_is_not_asked_about(house: House, code: str) -> None:
    browser = house.site.browser()
    state = parse_qs(urlsplit(house.way(browser)).query)["state"][0]
    refused(house, browser, browser.get(f"/desk/login/oidc/back?code={code}&state={state}"))
    assert house.idp.calls.count("POST /token") == 1  # the one of the setup


@pytest.mark.parametrize(
    ("sent", "told", "comes_in"),
    [
        ("https://evil.example", False, False),
        ("", False, False),
        (None, True, False),
        (None, False, True),
        ("own", True, True),
        ("own", False, True),
    ],
)
def test_the_answer_of_another_issuer_is_none(
    house: House, monkeypatch: pytest.MonkeyPatch, sent: str | None, told: bool, comes_in: bool
) -> None:
    """A mix-up: the browser was led through another provider, which would get the code."""
    monkeypatch.setattr(provider_module, "KEEP_SECONDS", 0.0)
    house.idp.faults = Faults(told={"authorization_response_iss_parameter_supported": told})
    browser = house.site.browser()
    back = house.idp.approve(house.way(browser), SUBJECT).removeprefix(PUBLIC)
    if sent is not None:
        back += f"&iss={house.idp.issuer if sent == 'own' else sent}"
    browser.get(back)
    assert inside(browser) is comes_in
    assert house.idp.calls.count("POST /token") == 1 + comes_in


# -- the word of the provider, forged

WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another-client"},
    "no audience": {"aud": None},
    "audience of another among several": {"aud": ["another-client", "third"]},
    "for several, by another": {"aud": [CLIENT, "another-client"], "azp": "another-client"},
    "for another, by us": {"aud": "another-client", "azp": CLIENT},
    "for several, by nobody": {"aud": [CLIENT, "another-client"]},
    "another party": {"azp": "another-client"},
    "another issuer": {"iss": "https://evil.example"},
    "issuer with a slash": {"iss": "/"},
    "no issuer": {"iss": None},
    "expired": {"exp": 1_700_000_000},
    "no end": {"exp": None},
    "an end that is none": {"exp": "tomorrow"},
    "not yet": {"nbf": 9_000_000_000},
    "from the future": {"iat": 9_000_000_000},
    "no beginning": {"iat": None},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "a list as subject": {"sub": [SUBJECT]},
    "a long subject": {"sub": "5" * 300},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "issuer and another": {"iss": ["https://evil.example"]},
    "odd shapes": {"aud": {"x": 1}, "nonce": ["x"], "azp": 7},
}


@pytest.fixture(scope="module")
def opened(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house for what leaves no trace."""
    with Standin() as idp, running(resources, tmp_path_factory.mktemp("oidc"), **settings(idp)) as site:
        house = House(site, idp)
        house.setup()
        yield house


@pytest.fixture
def lasting(opened: House) -> House:
    """The same, with an honest provider."""
    opened.idp.faults = Faults()
    return opened


@pytest.mark.parametrize("claims", WRONG_CLAIMS.values(), ids=list(WRONG_CLAIMS))
def test_a_word_with_a_wrong_claim_is_refused(lasting: House, claims: dict[str, Any]) -> None:
    lasting.idp.faults = Faults(claims=claims | ({"iss": lasting.idp.issuer + "/"} if claims == {"iss": "/"} else {}))
    refused(lasting, *lasting.log_in())


@pytest.mark.parametrize("claims", [{"aud": [CLIENT]}, {"aud": [CLIENT, "other"], "azp": CLIENT}, {"at_hash": None}])
def test_what_the_standard_allows_comes_in(lasting: House, claims: dict[str, Any]) -> None:
    lasting.idp.faults = Faults(claims=claims)
    assert inside(lasting.log_in()[0])


@pytest.mark.parametrize("how", ["unsigned", "by_public_key", "by_own_key", "by_unknown_key", "altered"])
def test_a_word_that_the_provider_did_not_sign_is_refused(lasting: House, how: str) -> None:
    lasting.idp.faults = Faults(sign=getattr(lasting.idp, how))
    refused(lasting, *lasting.log_in())
    assert "GET /inside" not in lasting.idp.calls


@pytest.mark.parametrize("token", ["", "a.b.c", "....", "e30.e30.", "x" * 150_000, "[" * 5000])
def test_a_word_that_is_no_token_is_refused(lasting: House, token: str) -> None:
    lasting.idp.faults = Faults(sign=lambda claims: token)
    refused(lasting, *lasting.log_in())


@pytest.mark.parametrize("header", [{"crit": ["b64"], "b64": False}, {"crit": ["unheard"], "unheard": 1}])
def test_a_word_with_an_order_that_we_do_not_know_is_refused(lasting: House, header: dict[str, Any]) -> None:
    lasting.idp.faults = Faults(sign=lambda claims: lasting.idp.signed(claims, header))
    refused(lasting, *lasting.log_in())


def test_a_header_that_we_do_not_know_is_no_harm(lasting: House) -> None:
    lasting.idp.faults = Faults(sign=lambda claims: lasting.idp.signed(claims, {"x-of-the-provider": "1"}))
    assert inside(lasting.log_in()[0])


def test_keys_may_change(house: House) -> None:
    """The set is read anew for a key that it did not have; a key that is gone is good no more."""
    old = house.idp.keys[0]
    house.idp.rotate()
    assert inside(house.log_in()[0])
    read = house.idp.calls.count("GET /keys")
    assert inside(house.log_in()[0])
    assert house.idp.calls.count("GET /keys") == read
    fresh, house.idp.keys = house.idp.keys, [old]
    house.idp.faults = Faults(answers={"/keys": lambda _: JSONResponse({"keys": [fresh[0].as_dict(private=False)]})})
    refused(house, *house.log_in())


def test_a_key_for_locking_signs_nothing(house: House) -> None:
    key = ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"}, private=True)
    signing, house.idp.keys = house.idp.keys, [key]
    served = [*signing, key]
    documents = {"keys": [each.as_dict(private=False) for each in served] + [{"kty": "oct", "k": "AA"}, {}, 7]}
    house.idp.faults = Faults(answers={"/keys": lambda _: JSONResponse(documents)})
    for header in ({}, {"kid": None}):
        house.idp.faults.sign = lambda claims, header=header: house.idp.signed(claims, header)
        refused(house, *house.log_in())
    house.idp.faults.sign = None
    house.idp.keys = signing
    assert inside(house.log_in()[0])


# -- a provider that is away, or plays tricks


def _status(code: int) -> Callable[[Request], Response]:
    return lambda request: JSONResponse({"error": "x"}, code)


def _inside(code: int) -> Callable[[Request], Response]:
    """A redirect to an address that only the server reaches."""
    return lambda request: RedirectResponse(f"http://127.0.0.1:{request.url.port}/inside", code)


def _no_json(request: Request) -> Response:
    return Response("<html>")


def _list(request: Request) -> Response:
    return JSONResponse([])


TRICKS = {
    "500": _status(500),
    "no JSON": _no_json,
    "a list": _list,
    "deep": lambda request: Response("[" * 100_000),
    "redirect": _inside(302),
    "redirect that keeps the body": _inside(307),
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize("trick", TRICKS.values(), ids=list(TRICKS))
def test_a_provider_that_answers_badly_is_away(
    lasting: House, monkeypatch: pytest.MonkeyPatch, path: str, trick: Callable[[Request], Response]
) -> None:
    monkeypatch.setattr(provider_module, "KEEP_SECONDS", 0.0)
    browser = lasting.visitor()
    way = lasting.way(browser)
    lasting.idp.faults = Faults(answers={path: trick})
    refused(lasting, browser, lasting.back(browser, way), "error_away", 503)
    assert not [call for call in lasting.idp.calls if "/inside" in call]


def _long(honest: Response) -> Response:
    return Response(bytes(honest.body) + b" " * ANSWER_LIMIT, media_type="application/json")


def _packed(honest: Response) -> Response:
    return Response(gzip.compress(bytes(honest.body)), headers={"content-encoding": "gzip"})


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize(("bend", "comes_in"), [(_long, False), (_packed, False), (lambda same: same, True)])
def test_nothing_long_and_nothing_packed_is_read(
    lasting: House,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    bend: Callable[[Response], Response],
    comes_in: bool,
) -> None:
    """Though it would be right otherwise."""
    monkeypatch.setattr(provider_module, "KEEP_SECONDS", 0.0)
    browser = lasting.visitor()
    way = lasting.way(browser)
    lasting.idp.faults = Faults(bent={path: bend})
    assert lasting.back(browser, way).status_code == (200 if comes_in else 503)
    assert inside(browser) is comes_in


def test_without_the_provider_passwords_go_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "KEEP_SECONDS", 0.0)
    house.idp.__exit__(None, None, None)
    browser = house.site.browser()
    answer = browser.get("/desk/login/oidc")
    refused(house, browser, answer, "error_away", 503)
    assert 'href="/desk/login"' in answer.text
    assert house.site.rows("SELECT count(*) FROM oidc_attempts") == [(0,)]
    browser.post("/desk/login", {"name": "lin", "password": PASSWORD})
    assert inside(browser)


def test_a_provider_that_never_ends_its_answer_is_given_up(idp: Standin) -> None:
    import anyio

    async def drip() -> Any:
        while True:
            yield b" "
            await anyio.sleep(0.02)

    idp.faults = Faults(answers={"/slow": lambda _: StreamingResponse(drip())})

    async def ask() -> None:
        from bot.desk.wire import WireFailed

        with pytest.raises(WireFailed):
            await Wire(idp.issuer, seconds=0.2).ask(f"{idp.issuer}/slow", None, {})

    with anyio.from_thread.start_blocking_portal() as portal:
        portal.call(ask)


@pytest.mark.parametrize(
    "told",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://10.0.0.1/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://user@evil.example/"},
        {"authorization_endpoint": "https://evil.example/\nset-cookie: x=y"},
    ],
)
def test_a_description_that_leads_elsewhere_is_not_followed(
    lasting: House, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]
) -> None:
    monkeypatch.setattr(provider_module, "KEEP_SECONDS", 0.0)
    lasting.idp.faults = Faults(told=told)
    browser = lasting.visitor()
    refused(lasting, browser, browser.get("/desk/login/oidc"), "error_away", 503)


@pytest.mark.parametrize(
    ("issuer", "url", "allowed"),
    [
        ("https://login.example", "https://login.example/token", True),
        ("https://login.example", "https://tokens.example:8443/t?x=1", True),
        ("https://login.example", "http://login.example/token", False),
        ("https://login.example", "http://127.0.0.1/token", False),
        ("http://127.0.0.1:5000", "http://localhost:5000/token", True),
        ("http://127.0.0.1:5000", "http://[::1]:5000/token", True),
        ("http://127.0.0.1:5000", "http://10.0.0.1/token", False),
        ("http://127.0.0.1:5000", "http://127.0.0.1.evil.example/", False),
        ("https://login.example", "https://login.example\\@evil.example/", False),
        ("https://login.example", "https://login.example/#x", False),
        ("https://login.example", "https://[::1", False),
        ("https://login.example", "https:///path", False),
        ("https://login.example", "gopher://login.example/", False),
        ("https://login.example", None, False),
    ],
)
def test_only_https_is_spoken_beyond_this_machine(issuer: str, url: object, allowed: bool) -> None:
    assert Wire(issuer).allowed(url) is allowed


# -- nobody else says who somebody is


@pytest.mark.parametrize(
    "header",
    [
        "X-Remote-User",
        "Remote-User",
        "X-Forwarded-User",
        "X-Auth-Request-User",
        "X-WEBAUTH-USER",
        "X-Authenticated-User",
    ],
)
@pytest.mark.parametrize("name", ["lin", SUBJECT, "1"])
def test_no_header_logs_anybody_in(lasting: House, header: str, name: str) -> None:
    browser = lasting.visitor()
    for path in ("/desk", "/desk/account", "/desk/login", "/desk/login/oidc/back", "/desk/people"):
        answer = browser.get(path, headers={header: name})
        assert f"{COOKIE}=" not in answer.headers.get("set-cookie", "")
    assert not inside(browser)
    assert browser.get("/desk/account", headers={header: name}).headers["location"] == "/desk/login"


@pytest.mark.parametrize("value", ["Bearer x", "Basic bGluOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="])
def test_no_authorization_header_logs_anybody_in(lasting: House, value: str) -> None:
    answer = lasting.visitor().get("/desk/account", headers={"authorization": value})
    assert answer.headers["location"] == "/desk/login"


# -- settings

GOOD = {
    "LABOR_BOT_PUBLIC_URL": "https://bot.example",
    "LABOR_BOT_OIDC_ISSUER": "https://login.example/realms/city/",
    "LABOR_BOT_OIDC_CLIENT_ID": CLIENT,
    "LABOR_BOT_OIDC_CLIENT_SECRET": SECRET,
}


def test_the_settings_are_taken_to_the_letter(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    loaded = load(GOOD | {"LABOR_BOT_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret")})
    assert loaded.oidc_issuer == "https://login.example/realms/city/"
    assert (loaded.oidc_client_secret, loaded.oidc_name, loaded.oidc_on) == ("from a file", "SSO", True)
    assert not load({}).oidc_on


@pytest.mark.parametrize(
    "wrong",
    [
        {"LABOR_BOT_OIDC_ISSUER": "http://login.example"},
        {"LABOR_BOT_OIDC_ISSUER": "https://login.example?x=1"},
        {"LABOR_BOT_OIDC_ISSUER": "https://user@login.example"},
        {"LABOR_BOT_OIDC_ISSUER": "http://127.0.0.1.evil.example"},
        {"LABOR_BOT_OIDC_ISSUER": "login.example"},
        {"LABOR_BOT_OIDC_ISSUER": ""},
        {"LABOR_BOT_OIDC_CLIENT_ID": ""},
        {"LABOR_BOT_OIDC_CLIENT_SECRET": ""},
        {"LABOR_BOT_OIDC_CLIENT_SECRET": "密"},
        {"LABOR_BOT_PUBLIC_URL": ""},
    ],
)
def test_settings_that_cannot_work_stop_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        load(GOOD | wrong)


def test_the_limit_is_more_than_a_real_key_set(idp: Standin) -> None:
    assert len(json.dumps(idp.description())) * 20 < ANSWER_LIMIT
    assert timedelta(seconds=SECONDS) == timedelta(minutes=10)
