"""Log-in with a whole identity provider (Canaille, in an environment of its own), by a real browser."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import BY_NAME, PASSWORD, Desk, People, Server, launch, serving
from conftest import ROOT, free_port
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.slow

PYTHON = ROOT / ".venv/oidc/bin/python"
CLIENT, SECRET = "labor-bot", "secret-of-the-client"  # these and the next two as in tests/oidc/serve.py
PROVIDER_PASSWORD = "correct horse battery staple"
LOGIN = "lin.mei"
NAME = "市府帳號"


@contextlib.contextmanager
def provider(back: str, folder: Path) -> Iterator[str]:
    """The provider in a process of its own; its issuer."""
    assert PYTHON.exists(), "the identity provider is not there: run `sh tests/oidc/setup.sh`"
    port, said = free_port(), folder / "provider.log"
    with said.open("w") as log:
        command = [PYTHON, ROOT / "tests/oidc/serve.py", "--port", str(port), "--back", back]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/.well-known/openid-configuration", process, said)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(url: str, process: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, said.read_text()
        with contextlib.suppress(OSError), urllib.request.urlopen(url):
            return
        time.sleep(0.2)
    raise AssertionError(f"the provider was not ready in a minute\n{said.read_text()}")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    folder, port = tmp_path_factory.mktemp("oidc"), free_port()
    url = f"http://{BY_NAME}:{port}"  # another site than the provider, as the browser sees it
    with provider(f"{url}/desk/login/oidc/back", folder) as issuer:
        settings = {
            "LABOR_BOT_PUBLIC_URL": url,
            "LABOR_BOT_OIDC_ISSUER": issuer,
            "LABOR_BOT_OIDC_CLIENT_ID": CLIENT,
            "LABOR_BOT_OIDC_CLIENT_SECRET": SECRET,
            "LABOR_BOT_OIDC_NAME": NAME,
        }
        with serving(folder, port, **settings) as server, sync_playwright() as playwright:
            browser = launch(playwright)
            yield People(dataclasses.replace(server, url=url), browser)
            browser.close()


def at_the_provider(page: Page) -> None:
    """Log in there as a person does."""
    page.fill("input[name=login]", LOGIN)
    page.locator("button[type=submit]").last.click()
    page.fill("input[name=password]", PROVIDER_PASSWORD)
    page.locator("button[type=submit]").last.click()


def come_in(page: Page) -> None:
    """Log in there; the provider asks for consent where it does not remember one. The desk opens."""
    at_the_provider(page)
    consent, queue = page.locator("button[value=accept]"), page.locator(".views")
    expect(consent.or_(queue)).to_be_visible()
    if consent.is_visible():
        consent.click()
    expect(queue).to_be_visible()


def inside(desk: Desk) -> bool:
    """Does the desk open?"""
    desk.page.goto(f"{desk.server.url}/desk/account")
    return desk.page.url.endswith("/desk/account")


def to_the_provider(desk: Desk) -> None:
    desk.page.goto(f"{desk.server.url}/desk/login")
    desk.page.get_by_role("link", name=f"用{NAME}登入").click()


def actions(server: Server) -> str:
    row = server.row("SELECT group_concat(action) FROM (SELECT action FROM audit ORDER BY id)")
    return str(row[0]) if row else ""


def test_a_caseworker_refuses_is_told_connects_and_comes_in(people: People) -> None:
    desk = people.caseworker("lin")
    page = desk.page
    page.get_by_role("button", name="登出").click()
    expect(page.locator("#password")).to_be_visible()
    desk.axe("log-in")
    to_the_provider(desk)
    at_the_provider(page)
    page.locator("button[value=deny]").click()
    expect(page.get_by_role("alert")).to_contain_text(f"{NAME}沒有完成登入")
    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name=f"用{NAME}登入").click()
    page.locator("button[value=accept]").click()
    expect(page.get_by_role("alert")).to_contain_text("還沒有連結")
    desk.axe("no account")
    desk.fits("no account")
    page.get_by_role("link", name="返回").click()
    page.fill("#name", "lin")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="登入").click()
    expect(page.locator(".views")).to_be_visible()
    page.goto(f"{desk.server.url}/desk/account")
    desk.axe("own account, not connected")
    page.get_by_role("link", name=f"連結{NAME}").click()
    # Whoever connects is asked anew, though the provider remembers this browser.
    page.fill("input[name=password]", PROVIDER_PASSWORD)
    page.locator("button[type=submit]").last.click()
    expect(page.get_by_text(f"已經連結，可以用{NAME}登入")).to_be_visible()
    desk.axe("own account, connected")
    page.get_by_role("button", name="登出").click()
    expect(page.locator("#password")).to_be_visible()
    # Whoever only logs in is not.
    to_the_provider(desk)
    expect(page.locator(".views")).to_be_visible()
    assert page.url == f"{desk.server.url}/desk"
    assert actions(desk.server).endswith("login,staff.link,logout,session.oidc,login")


def test_another_browser_logs_in_at_the_provider(people: People) -> None:
    desk = people.newcomer()
    to_the_provider(desk)
    come_in(desk.page)
    cookie = next(each for each in desk.context.cookies() if each["name"] == "labor_desk")
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/desk")
    assert not [each for each in desk.context.cookies() if each["name"] == "labor_desk_oidc"]


def test_without_script_the_way_is_the_same(people: People) -> None:
    desk = people.newcomer(lang="en", java_script_enabled=False)
    desk.page.goto(f"{desk.server.url}/desk/login")
    desk.page.get_by_role("link", name=f"Log in with {NAME}").click()
    come_in(desk.page)


def test_going_back_opens_nothing_anew(people: People) -> None:
    """The way back from the provider stands in the browser's history; its code was used up."""
    desk = people.newcomer()
    to_the_provider(desk)
    sent: list[str] = []
    desk.page.on("request", lambda request: sent.append(request.url))
    come_in(desk.page)
    back = next(url for url in sent if "/desk/login/oidc/back?" in url)
    desk.page.get_by_role("button", name="登出").click()
    expect(desk.page.locator("#password")).to_be_visible()
    desk.page.goto(back)
    expect(desk.page.get_by_role("alert")).to_be_visible()
    assert not inside(desk)


def test_an_account_whose_link_is_gone_does_not_come_in(people: People) -> None:
    desk = people.newcomer()
    to_the_provider(desk)
    come_in(desk.page)
    admin = people.newcomer()
    admin.log_in("admin", people.server.password)
    admin.page.goto(f"{admin.server.url}/desk/people")
    admin.axe("people")
    admin.page.locator(".person", has_text="lin").locator("summary").click()
    admin.page.get_by_role("button", name="取消單一登入連結").first.click()
    expect(admin.page.get_by_text("已連結單一登入")).to_have_count(0)
    assert not inside(desk)
    to_the_provider(desk)
    expect(desk.page.get_by_role("alert")).to_contain_text("還沒有連結")
