"""A real server in its own process and a real Chromium: people at the chat, caseworkers at the desk."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, free_port
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, ViewportSize, expect

from bot.desk.auth import hash_password
from bot.store import Store

PATIENCE = 60_000  # milliseconds; the machine may be busy with other things
NAMES = ("chromium", "chromium-browser", "google-chrome")
BY_NAME = "labor.test"  # a host name that is no secure context, unlike 127.0.0.1
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--host-resolver-rules=MAP {BY_NAME} 127.0.0.1",
)
PASSWORD = "correct horse battery"
AXE = Axe()
expect.set_options(timeout=PATIENCE)


@dataclass
class Server:
    """`labor-bot serve` on a free port. `password` is the first caseworker's, as printed at the start."""

    url: str
    password: str
    database: Path

    def by_name(self) -> str:
        """The same server under a plain host name."""
        return self.url.replace("127.0.0.1", BY_NAME)

    def row(self, sql: str, *values: str) -> tuple[Any, ...] | None:
        """One row of the database, read beside the server."""
        connection = sqlite3.connect(self.database, timeout=30)
        try:
            found: tuple[Any, ...] | None = connection.execute(sql, values).fetchone()
            return found
        finally:
            connection.close()


@contextmanager
def serving(folder: Path, port: int = 0, **more: str) -> Iterator[Server]:
    """Start the server, wait until it is ready, stop it at the end. `more`: further settings."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "LABOR_BOT_DATA_DIR": str(folder / "data"),
        "LABOR_BOT_MESSAGES_PER_MINUTE": "100000",
        "LABOR_BOT_MESSAGES_PER_MINUTE_IP": "100000",
        "LABOR_BOT_EXIT_URL": f"{url}/healthz",
        **more,
    }
    said = folder / "serve.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "labor-bot", "serve", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, **settings},
            stderr=log,
            stdout=log,
        )
    try:
        _wait_until_ready(url, process, said)
        found = re.search(r"shown once\): (\S+)", said.read_text())
        assert found is not None
        yield Server(url, found[1], folder / "data" / "labor-bot.db")
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, said.read_text()
        try:
            with urllib.request.urlopen(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server was not ready in a minute\n{said.read_text()}")


class Cable:
    """A way to the server that can be cut: open connections break, new ones are refused."""

    def __init__(self, target: str) -> None:
        self._target = ("127.0.0.1", urlsplit(target).port or 80)
        self._port = free_port()
        self._open: list[socket.socket] = []
        self._door: socket.socket | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Cable:
        self.mend()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def mend(self) -> None:
        """Let connections through."""
        self._door = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._admit, args=(self._door,), daemon=True).start()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        if self._door is not None:
            self._door.shutdown(socket.SHUT_RDWR)
            self._door.close()
            self._door = None
        for end in self._open:
            _hang_up(end)
        self._open.clear()

    def _admit(self, door: socket.socket) -> None:
        while True:
            try:
                near = door.accept()[0]
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._open += [near, far]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        _hang_up(source)
        _hang_up(sink)


def _hang_up(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()


def launch(playwright: Playwright) -> Browser:
    """The machine's own Chromium; tests/browser.sh says how to get it."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path is not None, "the browser tests need Chromium: run `sh tests/browser.sh`"
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


@dataclass
class Visit:
    """One browser profile, and what its pages complained about."""

    server: Server
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note console errors (CSP violations are among them), script errors and requests to other hosts."""
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("request", lambda request: self._same_host(request.url))

    def _same_host(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname not in ("127.0.0.1", BY_NAME):
            self.complaints.append(f"request to {url}")

    def tab(self) -> Page:
        """One more tab of the same browser."""
        page = self.context.new_page()
        self.watch(page)
        return page

    def axe(self, what: str, page: Page | None = None) -> None:
        """Axe must find nothing, once what just came has settled in."""
        page = page or self.page
        page.evaluate(
            """() => Promise.all(document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime < 1e4)
            .map((a) => a.finished.catch(() => 0)))"""
        )
        found = AXE.run(page).response["violations"]
        told = [f"{v['id']}: {v['help']} {[node['target'] for node in v['nodes']]}" for v in found]
        assert not told, f"{what}: {told}"

    def fits(self, what: str) -> None:
        """Nothing may need sideways scrolling."""
        wide = self.page.evaluate(
            """() => [document.scrollingElement, ...document.querySelectorAll("main, .log, .bubbles, .panel")]
            .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "none")
            .map((e) => `${e.tagName}.${e.className} ${e.scrollWidth} > ${e.clientWidth}`)"""
        )
        assert not wide, f"{what}: {wide}"


class Chat(Visit):
    """A citizen at the chat."""

    def open(self, path: str = "/") -> Chat:
        """Open the chat."""
        self.page.goto(self.server.url + path)
        return self

    # -- saying

    def answered(self, act: Callable[[], Any], by: str = "bot") -> str:
        """Do something and wait for the answer it brings; its text."""
        before = self.last()
        act()
        self.page.wait_for_function(
            "([seq, by]) => [...document.querySelectorAll(by)].some((bubble) => bubble.dataset.seq > seq)",
            arg=[before, f".bubble.by-{by}[data-seq]"],
            timeout=PATIENCE,
        )
        self.quiet()
        return self.newest(by)

    def quiet(self) -> None:
        """Wait until everything said is answered, and every line of the answer is on the page."""
        until = time.monotonic() + PATIENCE / 1000
        while not self._settled():
            assert time.monotonic() < until, f"no answer yet: {self.seqs()} {self._state()} {self.texts()}"
            self.page.wait_for_timeout(50)

    def _settled(self) -> bool:
        """Is nothing under way, and the newest line to be shown on the page?"""
        try:
            return self._state() == (0, self.last()) and not self.page.locator(".is-pending").count()
        except Error:  # the page is being replaced, as when the language changed
            return False

    def _state(self) -> tuple[Any, ...] | None:
        cookie = next((c["value"] for c in self.context.cookies() if c["name"] == "labor_chat"), "")
        return self.server.row(
            "SELECT c.pending + c.outgoing, (SELECT max(seq) FROM messages m WHERE m.conversation_id = c.id"
            " AND m.status NOT IN ('queued', 'withdrawn')) FROM conversations c JOIN addresses a"
            " ON a.conversation_id = c.id WHERE a.user_id = ?",
            hashlib.sha256(cookie.encode()).hexdigest(),
        )

    def last(self) -> int:
        """The newest sequence number on the page."""
        return max([0, *self.seqs()])

    def seqs(self) -> list[int]:
        """Sequence numbers in the order of the page."""
        found: list[str] = self.page.eval_on_selector_all(".bubble[data-seq]", "all => all.map((b) => b.dataset.seq)")
        return [int(seq) for seq in found]

    def texts(self) -> list[str]:
        """The bubbles' texts in the order of the page."""
        found: list[str] = self.page.eval_on_selector_all(
            ".bubble[data-seq] .body", "all => all.map((b) => b.innerText.trim())"
        )
        return found

    def newest(self, by: str) -> str:
        """The newest bubble's text of an author."""
        return self.page.locator(f".bubble.by-{by}[data-seq]").last.inner_text()

    def write(self, text: str) -> None:
        """Type and send."""
        self.page.fill("#text", text)
        self.page.press("#text", "Enter")

    def say(self, text: str) -> str:
        """Write a message; the bot's answer."""
        return self.answered(lambda: self.write(text))

    def press(self, choice: str) -> None:
        """Press the newest button of a choice, again if need be: two taps within half a second count as one."""
        own = self.page.locator(".bubble.by-citizen").count()
        button = self.page.locator(f'#bubbles button[value="{choice}"]').last
        self.until_taken(own, button.click)

    def until_taken(self, own: int, act: Callable[[], Any]) -> None:
        """Press something until it became a message of one's own: the page showed `own` of them before."""
        until = time.monotonic() + PATIENCE / 1000
        while self.page.locator(".bubble.by-citizen").count() == own and time.monotonic() < until:
            act()

    def tap(self, choice: str) -> str:
        """Press the newest button of a choice; the bot's answer."""
        return self.answered(lambda: self.press(choice))

    def dock(self, choice: str) -> str:
        """Press one of the two constant buttons; the bot's answer."""
        own = self.page.locator(".bubble.by-citizen").count()
        button = self.page.locator(f'.quick button[value="{choice}"]')
        return self.answered(lambda: self.until_taken(own, button.click))

    def asked(self) -> str:
        """The fact that the open question asks for, empty when none is open."""
        newest = self.page.locator(".bubble[data-seq]").last
        value = newest.locator('button[value^="answer:"]').first
        return (value.get_attribute("value") or "").split(":")[1] if value.count() else ""

    def interview(self, answers: dict[str, str]) -> None:
        """Answer questions until none is open: `=value` presses a button, anything else is written."""
        while fact := self.asked():
            answer = answers.get(fact, "=unknown")
            self.tap(f"answer:{fact}:{answer[1:]}") if answer.startswith("=") else self.say(answer)

    def reload(self) -> None:
        """Reload; nothing may be lost or doubled."""
        seqs, texts = self.seqs(), self.texts()
        self.page.reload()
        assert self.seqs() == seqs == sorted(set(seqs))
        assert self.texts() == texts


class Desk(Visit):
    """A caseworker at the desk."""

    def log_in(self, name: str, password: str, fresh: str = PASSWORD) -> None:
        """Log in for the first time, which asks for a password of one's own."""
        self.page.goto(f"{self.server.url}/desk")
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.page.get_by_role("button").click()
        expect(self.page.locator("#again")).to_be_visible()
        self.page.fill("#password", fresh)
        self.page.fill("#again", fresh)
        self.page.get_by_role("button", name="儲存並繼續").click()
        expect(self.page.locator(".views")).to_be_visible()
        self.page.wait_for_load_state()

    def take(self, number: str) -> None:
        """Open a waiting case by its number and claim it."""
        self.page.goto(f"{self.server.url}/desk")
        self.page.locator(".case a", has_text=number).click()
        self.page.get_by_role("button", name="接手這個案件").click()
        expect(self.page.locator("#text")).to_be_visible()

    def reply(self, text: str) -> None:
        """Answer the citizen."""
        self.page.fill("#text", text)
        self.page.press("#text", "Enter")
        expect(self.page.locator(".bubble.by-staff", has_text=text)).to_be_visible()

    def close(self) -> None:
        """End the case."""
        self.page.locator(".closing summary").click()
        self.page.get_by_role("button", name="確定結案").click()
        expect(self.page.locator(".views")).to_be_visible()


@dataclass
class People:
    """Makes visitors and, at the end, listens to their pages' complaints."""

    server: Server
    browser: Browser
    visits: list[Visit] = field(default_factory=list)

    def _visit(self, kind: type[Any], width: int, height: int, lang: str, **options: Any) -> Any:
        viewport: ViewportSize = {"width": width, "height": height}
        context = self.browser.new_context(viewport=viewport, locale=lang, timezone_id="Asia/Taipei", **options)
        context.set_default_timeout(PATIENCE)
        visit = kind(self.server, context, context.new_page())
        visit.watch(visit.page)
        self.visits.append(visit)
        return visit

    def citizen(self, width: int = 390, height: int = 844, lang: str = "zh-TW", **options: Any) -> Chat:
        """Somebody new at the chat."""
        chat: Chat = self._visit(Chat, width, height, lang, **options)
        return chat

    def same_citizen(self, chat: Chat, **options: Any) -> Chat:
        """The same citizen on another device."""
        return self.citizen(storage_state=chat.context.storage_state(), **options)

    def newcomer(self, width: int = 1280, height: int = 900, lang: str = "zh-TW", **options: Any) -> Desk:
        """Somebody at the desk's door."""
        desk: Desk = self._visit(Desk, width, height, lang, **options)
        return desk

    def caseworker(self, name: str, **options: Any) -> Desk:
        """A caseworker with an account, logged in."""
        store = Store(self.server.database)
        try:
            store.add_staff(name, "agent", hash_password("one-time password"))
        finally:
            store.close()
        desk = self.newcomer(**options)
        desk.log_in(name, "one-time password")
        return desk

    def leave(self, tolerated: Sequence[str]) -> list[str]:
        """Close every browser; complaints that no test expects."""
        told = []
        for visit in self.visits:
            told += [text for text in visit.complaints if not any(part in text for part in tolerated)]
            visit.context.close()
        return told


def case_number(text: str) -> str:
    """The case number in a hand-over notice."""
    found = re.search(r"\d{8}-[0-9A-Z]{5}", text)
    assert found is not None, text
    return found[0]
