"""Fixtures: the real resources once, a fresh house for each test, conversations told as YAML."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import engines
import pytest
from argon2 import PasswordHasher

from bot import clock
from bot.channels.console import ADDRESS, ConsoleChannel
from bot.desk import auth
from bot.pipeline.house import House, build_house
from bot.pipeline.resources import Resources, load_resources
from bot.store.sqlite import Sqlite

if TYPE_CHECKING:
    from browsing import People, Server
    from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--engine postgresql` runs the same tests on a PostgreSQL server that the run starts for itself."""
    parser.addoption("--engine", default="sqlite", choices=["sqlite", "postgresql"])


def pytest_configure(config: pytest.Config) -> None:
    engines.choose(config.getoption("--engine"))


# They measure times, or what a machine bears.
ALONE = ("test_deploy", "test_hard_times", "test_kill", "test_platform_load", "test_soak")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is about SQLite itself has nothing to say about another engine; what measures runs alone."""
    for item in items:
        if engines.on_postgresql() and item.get_closest_marker("sqlite"):
            item.add_marker(pytest.mark.skip(reason="about SQLite's own file"))
        if item.get_closest_marker("slow") and item.path.stem in ALONE:
            item.add_marker("alone")


def pytest_unconfigure() -> None:
    engines.finish()


class MovingClock:
    """A clock that a test moves."""

    def __init__(self, iso: str = "2026-11-23T10:00") -> None:
        self.moment: datetime = clock.parse(iso)

    def __call__(self) -> datetime:
        return self.moment


TIME = MovingClock()


@functools.cache
def loaded() -> Resources:
    """Knowledge, understanding and rendering, loaded once; their clock is `TIME`."""
    return load_resources(TIME)


@pytest.fixture(scope="session")
def resources() -> Resources:
    """What `loaded` gives."""
    return loaded()


@pytest.fixture
def moving_clock() -> Iterator[MovingClock]:
    """The clock of `resources`, put back afterwards."""
    before = TIME.moment
    yield TIME
    TIME.moment = before


@pytest.fixture
def open_house(resources: Resources, tmp_path: Path) -> Callable[..., Any]:
    """A context manager that opens a house on a database of the test's own, with a console channel."""

    @asynccontextmanager
    async def opened(name: str = "t.db") -> AsyncIterator[tuple[House, ConsoleChannel]]:
        channel = ConsoleChannel()
        house = build_house(engines.place(tmp_path / name), resources, {ADDRESS.channel: channel})
        try:
            yield house, channel
        finally:
            house.close()

    return opened


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine to its end."""
    return asyncio.run


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> None:
    """Tests log in some thousand times: the hash costs as little as the library allows."""
    auth._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session", autouse=True)
def _migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new database is the copy of one that was really migrated; one that is there is migrated as ever."""
    real = Sqlite.migrate
    empty = tmp_path_factory.mktemp("schema") / "empty.db"
    number, content = real(Sqlite(empty)), empty.read_bytes()

    def migrate(engine: Sqlite) -> int:
        if engine.path.exists():
            return real(engine)
        with open(os.open(engine.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        return number

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sqlite, "migrate", migrate)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_strangers() -> Iterator[None]:
    """No test trusts a certificate of the world, so none are read: each client of a platform would read them all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl.SSLContext, "load_default_certs", lambda self, purpose=None: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """No test talks to anything but this machine."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        return real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# -- the machine's own browser and a server with its people, for a module


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    import browsing

    browser = browsing.launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    import browsing

    with browsing.serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture
def tolerated() -> list[str]:
    """Parts of console errors that a test brings about on purpose."""
    return []


@pytest.fixture
def people(server: Server, chromium: Browser, tolerated: list[str]) -> Iterator[People]:
    import browsing

    people = browsing.People(server, chromium)
    yield people
    assert people.leave(tolerated) == []
