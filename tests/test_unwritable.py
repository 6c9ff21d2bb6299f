"""The store of a running server cannot be written for a while: every channel says so, nothing is lost, it goes on."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from postgres import cluster, programs
from town import PAUSE, Town, citizens

from bot.pipeline.resources import Resources

DISK = 24  # MB
FAILING_LIMIT = 90.0
LETTERS = "找工作失業給付資遣費勞保退休金職業訓練"
needs_postgresql = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed here")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Do = Callable[[], Awaitable[None]]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk(tmp_path: Path, resources: Resources) -> None:
    """The data folder on a small disk of its own."""
    with small_disk(tmp_path / "disk") as disk:
        ballast = disk / "ballast"

        async def fill() -> None:
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * 4096)

        async def free() -> None:
            ballast.unlink()

        town = Town(tmp_path, data=disk)
        asyncio.run(story(town, resources, fill, free))
        assert not list(disk.glob("ballast"))


def test_files_that_may_not_grow(tmp_path: Path, resources: Resources) -> None:
    """The same where nobody may mount anything: the server's files reach the largest size they may have."""
    data = tmp_path / "data"
    town = Town(tmp_path, data=data)

    def limit(most: int) -> None:
        assert town.server.process is not None
        psutil.Process(town.server.process.pid).rlimit(psutil.RLIMIT_FSIZE, (most, psutil.RLIM_INFINITY))

    async def fill() -> None:
        limit((data / "labor-bot.db").stat().st_size)

    async def free() -> None:
        limit(psutil.RLIM_INFINITY)

    asyncio.run(story(town, resources, fill, free))


@needs_postgresql
@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_postgresql_is_away(tmp_path: Path, resources: Resources, how: str) -> None:
    """Stopped in order, and as if its machine had lost power."""
    with cluster() as database:

        async def stop() -> None:
            await asyncio.to_thread(database.stop, how)

        async def start() -> None:
            await asyncio.to_thread(database.start)

        asyncio.run(story(Town(tmp_path, database.create("away")), resources, stop, start))


async def story(town: Town, resources: Resources, fail: Do, mend: Do) -> None:
    """Citizens write all the time; the store fails and comes back."""
    enough = asyncio.Event()
    async with town.open():
        async with citizens(town):
            await until(lambda: all(accepted(town.answers, channel) > 2 for channel in PAUSE))
            large = [asyncio.create_task(write_much(town, 1000 + n, enough)) for n in range(4)]
            await fail()
            began = time.monotonic()
            await failing(town)
            enough.set()
            failed = time.monotonic() - began
            await every_channel_says_so(town, resources)
            await mend()
            back = time.monotonic()
            before = town.answers.copy()
            await until(lambda: all(accepted(town.answers, channel) > accepted(before, channel) for channel in PAUSE))
            back = time.monotonic() - back
            await asyncio.gather(*large)
        drained = await town.drain()
        refused = {channel: town.answers[channel, 503] for channel in PAUSE}
        assert all(town.answers[channel, 0] == 0 for channel in PAUSE), town.answers
        log = town.server.log()
    print(
        f"\n{sum(map(len, town.sent.values()))} messages; all refused {failed:.1f} s after the store failed,"
        f" 503: {refused}; accepted on every channel {back:.1f} s after it came back, all done {drained:.1f} s later"
    )
    assert "Traceback" not in log, log[-3000:]
    town.check()
    if not town.url:
        assert town.rows("PRAGMA integrity_check") == [("ok",)]


def accepted(answers: Counter[tuple[str, int]], channel: str) -> int:
    """How many posts were."""
    return answers[channel, 200] + answers[channel, 202]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(FAILING_LIMIT):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def failing(town: Town) -> None:
    """Until nothing is accepted on any channel for a while, however little it is."""
    quiet, before = 0, -1
    async with asyncio.timeout(FAILING_LIMIT):
        while quiet < 8:
            await asyncio.sleep(0.25)
            now = sum(accepted(town.answers, channel) for channel in PAUSE)
            quiet, before = (quiet + 1 if now == before else 0), now


async def write_much(town: Town, number: int, enough: asyncio.Event) -> None:
    """Large messages, each until it is accepted: they fill what is left."""
    while not enough.is_set():
        number += 10
        await town.say("hook", number, {"text": "".join(town.chance.choices(LETTERS, k=900))})
        await asyncio.sleep(0.005)


async def every_channel_says_so(town: Town, resources: Resources) -> None:
    """The webhooks by a 503, the chat's page in words; the process itself is well."""
    for channel in PAUSE:
        for _ in range(5):
            one = town.message(channel, 0, {"text": "is anybody there"})
            assert await town.post(one) == 503, channel
    words = {resources.pages.words(code, "web.error_store") for code, _ in resources.pages.languages}
    one = town.message("web", 0, {"text": "hello"})
    for kind in ("text/html", "application/json"):
        async with town.form(one, {"accept": kind, "accept-language": "vi"}) as answer:
            found = (await answer.json())["error"] if "json" in kind else await answer.text()
            assert answer.status == 503
            assert any(each in found for each in words), found
    async with town.session.get(f"{town.root}/healthz") as answer:
        assert answer.status == 200
    async with town.session.get(f"{town.root}/readyz") as answer:
        assert answer.status in (200, 503)
