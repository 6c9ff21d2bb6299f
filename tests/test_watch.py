"""What those who watch see: metrics that a parser reads, no word of a person in them or in the log, health, drains."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from receiving import receiving

from bot import config, logs, observe, tracing
from bot.channels.hook import SIGNATURE, sign
from bot.pipeline.house import House
from bot.pipeline.measures import Watched
from bot.pipeline.resources import Resources
from bot.server import Server
from bot.store.servers import Servers

SECRET = "the-key-of-the-test"
TOKEN = "0123456789abcdef-watch"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PLANTED = "zq7planted"
SAID = {
    "zh-TW": f"尋職津貼怎麼申請 {PLANTED} A123456789",
    "en": f"how do I get the job seeking allowance {PLANTED} 0912345678",
    "vi": f"trợ cấp tìm việc thì làm thế nào {PLANTED}",
    "id": f"bagaimana cara mendapat tunjangan mencari kerja {PLANTED}",
    "th": f"ขอเงินช่วยเหลือหางานอย่างไร {PLANTED}",
    "fil": f"paano makakuha ng allowance sa paghahanap ng trabaho {PLANTED}",
}
MORE = ({"choice": "menu"}, {"text": f"{PLANTED} 真人客服"}, {"choice": f"topic:{PLANTED}"})


@dataclass
class Town:
    """A server with its house at work, and what came back at the reply URL."""

    client: httpx.AsyncClient
    house: House
    got: list[dict[str, Any]]

    async def post(self, user: str, event_id: str, headers: dict[str, str] = {}, **fields: str) -> httpx.Response:
        """One signed event."""
        event = {"id": event_id, "user": user, "timestamp": time.time_ns() // 1_000_000, **fields}
        body = json.dumps({"events": [event]}).encode()
        signed = {SIGNATURE: sign(SECRET, body), **headers}
        return await self.client.post("/webhook/hook", content=body, headers=signed)

    async def said(self, user: str, event_id: str, headers: dict[str, str] = {}, **fields: str) -> None:
        """The same, and it is answered."""
        assert (await self.post(user, event_id, headers, **fields)).status_code == 200
        async with asyncio.timeout(20):
            while event_id not in {each["in_reply_to"] for each in self.got}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def metrics(self, **headers: str) -> dict[str, dict[tuple[str, ...], float]]:
        """What a parser reads: values by family's sample name and label values."""
        answer = await self.client.get("/metrics", headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
        return found


@pytest.fixture
def town(resources: Resources, tmp_path: Path) -> Callable[..., Any]:
    """A context manager that opens one; settings by name."""

    @asynccontextmanager
    async def opened(**more: str) -> AsyncIterator[Town]:
        got: list[dict[str, Any]] = []

        async def receive(request: web.Request) -> web.Response:
            got.append(await request.json())
            return web.Response()

        async with receiving("/replies", receive) as receiver:
            hook = {"LABOR_BOT_HOOK_SECRET": SECRET, "LABOR_BOT_HOOK_REPLY_URL": f"{receiver}/replies"}
            app = Server(config.load({"LABOR_BOT_DATA_DIR": str(tmp_path)} | hook | more), resources).app()
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
            async with app.router.lifespan_context(app), client:
                yield Town(client, app.state.house, got)

    return opened


@pytest.fixture(params=logs.FORMS)
def lines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """The log as `serve` writes it, at its most talkative; both forms."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, observe.log.handlers[:], observe.log.level, observe.log.propagate)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    with monkeypatch.context() as written:
        written.setattr("sys.stderr", stream := io.StringIO())
        observe.setup("DEBUG", request.param)
    yield stream.getvalue
    root.handlers[:], observe.log.handlers[:], observe.log.propagate = before[0], before[2], before[4]
    root.setLevel(before[1])
    observe.log.setLevel(before[3])


# -- nothing of a person


@pytest.mark.timeout(120)
def test_neither_log_nor_metrics_hold_what_people_write(town: Callable[..., Any], lines: Callable[[], str]) -> None:
    token = f"{PLANTED}-and-more-of-it"

    async def story() -> str:
        async with town(LABOR_BOT_METRICS_TOKEN=token) as opened:
            mind: Watched = opened.house.worker._mind
            for lang, text in SAID.items():
                user = f"{PLANTED}-{lang}"
                await opened.said(user, f"{PLANTED}/{lang}/1", text=text)
                for number, fields in enumerate(MORE, 2):
                    await opened.said(user, f"{PLANTED}/{lang}/{number}", **fields)
            good, mind.mind = mind.mind, _Broken(mind.mind)
            await opened.said(f"{PLANTED}-x", f"{PLANTED}/x", text=f"break {PLANTED}")
            mind.mind = good
            await opened.post(PLANTED, f"{PLANTED}/late", {"traceparent": f"00-{PLANTED}-1-00"}, text=PLANTED)
            logging.getLogger("httpx").warning("GET https://api/bot%s/x", PLANTED)
            answer = await opened.client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
            return answer.text

    metrics, log = asyncio.run(story()), lines()
    assert "labor_bot_decisions_total" in metrics
    for word in ("thought", "sent", "turn", "library"):
        assert word in log
    for secret in (PLANTED, "A123456789", "0912345678", "尋職", "allowance", SECRET, "bot/x"):
        assert secret not in metrics
        assert secret not in log, [line for line in log.splitlines() if secret in line][:3]


@dataclass
class _Broken:
    """A mind that fails with the words of the citizen in its error, until it apologizes."""

    mind: Any

    def ahead(self, leases: Any) -> None:
        return None

    def take(self, lease: Any) -> Any:
        raise ValueError(lease.events[0].text)

    def apologize(self, lease: Any, event: Any) -> Any:
        return self.mind.apologize(lease, event)


# -- the log


def test_lines_of_one_event_share_its_tracing_id(town: Callable[..., Any], lines: Callable[[], str]) -> None:
    async def story() -> None:
        async with town() as opened:
            await opened.said("u", "e1", {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, choice="menu")

    asyncio.run(story())
    log = [line for line in lines().splitlines() if TRACE in line]
    for name in ("accepted", "thought", "sent"):
        assert sum(name in line for line in log) == 1, (name, log)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", True),
        (f"00-{TRACE}-00f067aa0ba902b7", False),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", False),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        ("", False),
    ],
)
def test_a_traceparent_is_taken_over_if_it_is_valid(value: str, taken: bool) -> None:
    async def story() -> None:
        tracing.arrive([(b"traceparent", value.encode())])
        assert (observe.trace.get() == TRACE) is taken
        assert len(observe.trace.get()) == 32

    asyncio.run(story())


def test_json_lines_can_be_read_and_joined(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logs.form_of("json"))
    observe.log.addHandler(handler)
    try:
        error = ValueError("the words of a citizen")
        observe.traced(error, TRACE)
        observe.failure("turn", error)
    finally:
        observe.log.removeHandler(handler)
    line = json.loads(capsys.readouterr().err.splitlines()[0])
    assert (line["event"], line["what"], line["error"], line["trace"]) == ("failure", "turn", "ValueError", TRACE)


# -- metrics


def test_a_conversation_moves_the_figures(town: Callable[..., Any]) -> None:
    async def story() -> None:
        async with town() as opened:
            before = await opened.metrics()
            await opened.said("u", "e1", text=SAID["en"])
            await opened.said("u", "e2", choice="menu")
            await asyncio.sleep(0.05)
            after = await opened.metrics()

        def grown(name: str, *labels: str) -> float:
            return after[name].get(labels, 0.0) - before.get(name, {}).get(labels, 0.0)

        for stage in ("accept", "wait", "think", "commit", "send", "reply"):
            assert grown("labor_bot_stage_seconds_count", stage) == 2, stage
        assert grown("labor_bot_decisions_total", "tap", "en") == 1
        assert sum(grown("labor_bot_decisions_total", kind, "en") for kind in ("answer", "clarify", "refuse")) == 1
        assert grown("labor_bot_sends_total", "hook", "sent") == 2
        assert grown("labor_bot_events_total", "turns") == 2
        assert grown("labor_bot_commits_total") > 0
        assert after["labor_bot_ready"] == {(): 1.0}
        assert after["labor_bot_store_up"] == {(): 1.0}
        assert after["labor_bot_inbox_waiting"] == {(): 0.0}
        assert after["labor_bot_cases"][("waiting",)] == 0.0
        assert after["process_resident_memory_bytes"][()] > 1e6
        assert after["process_open_fds"][()] > 3

    asyncio.run(story())


def test_the_store_away_takes_only_its_own_figures_along(
    town: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: Any) -> None:
        raise OSError("away")

    async def story() -> None:
        async with town() as opened:
            monkeypatch.setattr("bot.watch.Watch._look", away)
            found = await opened.metrics()
        assert found["labor_bot_store_up"] == {(): 0.0}
        assert "labor_bot_inbox_waiting" not in found
        assert found["labor_bot_ready"] == {(): 1.0}

    asyncio.run(story())


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("", {}, 200),
        ("", {"X-Forwarded-For": "127.0.0.1"}, 404),
        (TOKEN, {}, 401),
        (TOKEN, {"Authorization": "Bearer 0123456789abcdef-other"}, 401),
        (TOKEN, {"Authorization": TOKEN}, 401),
        (TOKEN, BEARER, 200),
        (TOKEN, BEARER | {"X-Forwarded-For": "203.0.113.9"}, 200),
    ],
)
def test_who_may_read_the_metrics(town: Callable[..., Any], token: str, headers: dict[str, str], status: int) -> None:
    async def story() -> None:
        async with town(LABOR_BOT_METRICS_TOKEN=token) as opened:
            assert (await opened.client.get("/metrics", headers=headers)).status_code == status

    asyncio.run(story())


# -- health


async def _drains(opened: Town) -> str:
    opened.house.drain()
    return "draining"


async def _task_ended(opened: Town) -> str:
    opened.house._tasks[0].cancel()
    await asyncio.sleep(0.02)
    return "tasks"


async def _store_silent(opened: Town) -> str:
    opened.house._beaten -= 3600
    return "store"


@pytest.mark.parametrize("trouble", [_drains, _task_ended, _store_silent])
def test_not_ready_says_why_to_those_who_have_the_token(
    town: Callable[..., Any], trouble: Callable[[Town], Awaitable[str]]
) -> None:
    async def story() -> None:
        async with town(LABOR_BOT_METRICS_TOKEN=TOKEN) as opened:
            good = await opened.client.get("/readyz", headers=BEARER)
            assert (good.status_code, good.json()) == (200, {"ready": True, "reasons": []})
            reason = await trouble(opened)
            bad = await opened.client.get("/readyz", headers=BEARER)
            assert (bad.status_code, bad.json()) == (503, {"ready": False, "reasons": [reason]})
            assert (await opened.client.get("/readyz")).json() == {"ready": False}
            assert (await opened.client.get("/healthz")).text == "ok"

    asyncio.run(story())


def test_a_store_that_takes_no_writes_is_noticed_at_the_next_sign_of_life(
    town: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(self: Any, server: str) -> int:
        raise OSError("disk full")

    async def story() -> None:
        async with town() as opened:
            with monkeypatch.context() as broken:
                broken.setattr(Servers, "beat", full)
                await opened.house._beat()
            assert opened.house.unready() == ["store"]
            await opened.house._beat()
            assert opened.house.unready() == []

    asyncio.run(story())


# -- cheap


def test_measuring_costs_little() -> None:
    """Everything that is measured of one message, some thousand times; microseconds each (docs say how many)."""
    began = time.perf_counter()
    for _ in range(5000):
        for stage in observe.STAGES:
            observe.took(stage, began)
        for _ in range(4):
            observe.tally("decisions", "en", "answer")
            observe.event("thought", "x", channel="hook", waited=0.1, seconds=0.1)
    each = (time.perf_counter() - began) / 5000
    assert each < 200e-6, each
