"""The real app without a network: browsers that keep cookies, raw live streams, and what the store holds."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import engines
import httpx
import psycopg
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.applications import Starlette

from bot import config
from bot.pipeline.resources import Resources
from bot.server import Server
from bot.store.postgres import WRITES

FORM = "application/x-www-form-urlencoded"
SCRIPT = {"accept": "application/json"}
PASSWORD = "correct horse battery"
KEPT = ("conversations", "addresses", "inbox", "messages", "facts", "outbox", "cases", "seen")


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    id: str
    event: str
    data: str


@dataclass
class Site:
    """A running app and its database."""

    portal: BlockingPortal
    app: Starlette
    database: Path | str
    resources: Resources
    _beside: Any = field(default=None, repr=False)

    def browser(self, lang: str = "zh-TW") -> Browser:
        """A visitor that nobody has seen before."""
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 50000))
        headers = {"accept-language": lang}
        return Browser(
            self, httpx.AsyncClient(transport=transport, base_url="http://testserver.local", headers=headers)
        )

    def words(self, lang: str, key: str, **params: Any) -> str:
        """A text as a page shows it."""
        return self.resources.pages.words(lang, key, **params)

    def rows(self, sql: str) -> list[Any]:
        """What the database answers, read beside the server."""
        if self._beside is None:
            self._beside = self._connection()
        return self._beside.execute(sql).fetchall()

    def _connection(self) -> Any:
        if isinstance(self.database, Path):
            return sqlite3.connect(self.database, isolation_level=None, check_same_thread=False, timeout=10)
        return psycopg.connect(self.database, autocommit=True)

    def close(self) -> None:
        """Let go of the database."""
        if self._beside is not None:
            self._beside.close()
            self._beside = None

    def contents(self) -> dict[str, list[Any]]:
        """Everything kept of conversations."""
        return {table: self.rows(f"SELECT * FROM {table}") for table in KEPT}

    @contextmanager
    def unwritable(self) -> Iterator[None]:
        """Somebody else holds the database: nothing can be written for as long."""
        other = self._connection()
        on_file = isinstance(self.database, Path)
        other.execute("BEGIN IMMEDIATE" if on_file else f"BEGIN; SELECT pg_advisory_xact_lock({WRITES})")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()

    def add_staff(self, name: str = "lin", role: str = "agent") -> str:
        """An account; returns its one-time password."""
        from bot.desk.auth import hash_password
        from bot.store import Store

        store = Store(self.database)
        try:
            store.add_staff(name, role, hash_password("one-time password"))
        finally:
            store.close()
        return "one-time password"

    def caseworker(self, name: str = "lin", role: str = "agent") -> Browser:
        """Somebody logged in at the desk who has a password of their own."""
        first = self.add_staff(name, role)
        browser = self.browser()
        browser.post("/desk/login", {"name": name, "password": first})
        browser.post("/desk/password", {"password": PASSWORD, "again": PASSWORD})
        return browser


@dataclass
class Browser:
    """One cookie jar. Redirects are not followed unless asked."""

    site: Site
    client: httpx.AsyncClient

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request."""
        response: httpx.Response = self.site.portal.call(partial(self.client.request, method, path, **options))
        return response

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Open a page."""
        return self.request("GET", path, **options)

    def post(self, path: str, form: Mapping[str, str] | None = None, **options: Any) -> httpx.Response:
        """Send a form."""
        return self.request("POST", path, data=form, **options)

    def say(self, text: str, **more: str) -> httpx.Response:
        """Send a message as a browser without script does: back once it is answered."""
        return self.post("/chat/send", {"text": text, **more})

    def tap(self, choice: str) -> httpx.Response:
        """Press a button."""
        return self.post("/chat/send", {"choice": choice})

    def page(self) -> str:
        """The chat as it stands."""
        return self.get("/").text

    def stream(self, count: int, after: str = "", last: str = "", during: Any = None) -> list[Event]:
        """The first `count` events of the live stream (`state` does not count), then it is cut."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        headers = [(b"cookie", cookie.encode()), (b"host", b"testserver.local")]
        if last:
            headers.append((b"last-event-id", last.encode()))
        found: list[Event] = self.site.portal.call(_listen, self.site.app, headers, after, count, during)
        return found


async def _listen(
    app: Starlette, headers: list[tuple[bytes, bytes]], after: str, count: int, during: Any
) -> list[Event]:
    query = f"after={after}".encode() if after else b""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/chat/events",
        "raw_path": b"/chat/events",
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("testserver.local", 80),
    }
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    cut = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await cut.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            arrived.put_nowait(message.get("body", b""))

    serving = asyncio.create_task(app(scope, receive, send))
    if during is not None:
        await during()
    text = ""
    found: list[Event] = []
    async with asyncio.timeout(20):
        while len([event for event in found if event.event != "state"]) < count:
            text += (await arrived.get()).decode().replace("\r\n", "\n")
            *whole, text = text.split("\n\n")
            found += [event for event in map(_event, whole) if event is not None]
    cut.set()
    await serving
    return [event for event in found if event.event != "state"][:count]


def _event(block: str) -> Event | None:
    fields: dict[str, list[str]] = {}
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        if name:
            fields.setdefault(name, []).append(value.removeprefix(" "))
    if "event" not in fields:
        return None
    return Event(*("\n".join(fields.get(name, [])) for name in ("id", "event", "data")))


@contextmanager
def running(resources: Resources, folder: Path, **settings: str) -> Iterator[Site]:
    """The app of `labor-bot serve`, working, on a database of its own."""
    where = engines.place(folder / "labor-bot.db")
    url = {"LABOR_BOT_DATABASE_URL": where} if isinstance(where, str) else {}
    loaded = config.load({"LABOR_BOT_DATA_DIR": str(folder), **url, **settings})
    app = Server(loaded, resources).app()
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
        closing(Site(portal, app, loaded.database, resources)) as site,
    ):
        yield site
