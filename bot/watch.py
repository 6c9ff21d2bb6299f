"""For those who watch the server: does it live, does it take messages, and how much of everything there is."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot import observe
from bot.channels.port import Messenger
from bot.figures import Figures, Moment, Seen
from bot.pipeline.house import House
from bot.pipeline.sender import BREAKER_FAILURES
from bot.store.load import load
from intents.encoder.ahead import Ahead

FRESH_SECONDS = 2.0  # whoever asks more often gets the same counts of the store again
HERE = ("127.0.0.1", "::1")
PASSED_ON = ("x-forwarded-for", "x-real-ip", "forwarded", "via")


@dataclass
class Watch:
    """The three addresses. `token`: what `/metrics` asks for; empty: only this machine may ask."""

    house: House
    messengers: Mapping[str, Messenger]
    encoder: Ahead | None
    token: str
    _moment: Moment | None = None
    _looked: float = -FRESH_SECONDS
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    # A thread of its own, and so one reading connection: counting a long queue must not hold up the event loop.
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "watch"))

    def routes(self) -> list[Route]:
        """Where they are."""
        return [Route("/healthz", self.alive), Route("/readyz", self.ready), Route("/metrics", self.metrics)]

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    async def alive(self, request: Request) -> Response:
        """The process lives: its event loop answers."""
        return PlainTextResponse("ok")

    async def ready(self, request: Request) -> Response:
        """Takes messages or not; why not only for whoever has the token."""
        reasons = self.house.unready()
        told = {"reasons": reasons} if self._known(request) else {}
        return JSONResponse({"ready": not reasons, **told}, 503 if reasons else 200)

    async def metrics(self, request: Request) -> Response:
        """What is counted and measured, for Prometheus."""
        if self.token and not self._known(request):
            return PlainTextResponse("a token is needed", 401, {"WWW-Authenticate": "Bearer"})
        if not self.token and not _from_here(request):
            return PlainTextResponse("not found", 404)
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(Figures(self._seen(await self._latest())))
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": kind})

    def _known(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode()
        return bool(self.token) and hmac.compare_digest(given, f"Bearer {self.token}".encode())

    def _seen(self, moment: Moment | None) -> Seen:
        house, database = self.house, self.house.store.database
        allowances = {name: messenger.allowance() for name, messenger in self.messengers.items()}
        return Seen(
            counters=observe.counters,
            tallies=observe.tallies,
            durations=observe.durations,
            moment=moment,
            ready=house.ready(),
            saturated=house.surge.saturated,
            streams={"desk": house.hub.listening(True), "chat": house.hub.listening(False)},
            writer={
                "waiting": database.waiting,
                "commits": database.commits,
                "operations": database.operations,
                "repeated": database.repeated,
            },
            breakers={
                name: breaker.failures >= BREAKER_FAILURES for name, breaker in list(house.sender.breakers.items())
            },
            quota={name: found.left for name, found in allowances.items() if found and found.left is not None},
            encoder=self.encoder.state if self.encoder is not None else None,
        )

    async def _latest(self) -> Moment | None:
        """What the store tells, at most some seconds old; None where it cannot be read."""
        async with self._looking:
            if time.monotonic() - self._looked >= FRESH_SECONDS:
                try:
                    self._moment = await asyncio.get_running_loop().run_in_executor(self._thread, self._look)
                except Exception as error:  # whatever it is: everything else is still worth telling
                    observe.failure("metrics", error)
                    self._moment = None
                self._looked = time.monotonic()
        return self._moment

    def _look(self) -> Moment:
        store, timetable, now = self.house.store, self.house.timetable, time.time()
        late = sum(timetable.overdue(opened_at, now) for opened_at in store.hours.unanswered(0.0))
        return Moment(load(store.database.read), late, len(store.servers.living()))


def _from_here(request: Request) -> bool:
    """Asked on this machine, and not by a proxy for somebody else."""
    here = request.client is not None and request.client.host in HERE
    return here and not any(name in request.headers for name in PASSED_ON)
