"""Runs a Starlette app by uvicorn in a thread, with a clock that a test moves and connections that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, cast

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

Transports = dict[Any, asyncio.Transport]


class Clock:
    """Seconds since 1970: a base clock, moved by the test."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self._moved = 0.0

    def __call__(self) -> float:
        return self._base() + self._moved

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._moved += seconds

    @property
    def ms(self) -> int:
        """In milliseconds."""
        return int(self() * 1000)


class ThreadServer:
    """An app on a port of its own; use as a context manager, or `start` and `stop`."""

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._open: Transports = {}
        config = uvicorn.Config(
            app, "127.0.0.1", port, http=_protocol(self._open), log_level="error", access_log=False, lifespan="off"
        )
        self._ready = threading.Event()
        self._server = _Prompt(config, self._ready)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.port = port

    def start(self) -> None:
        """Returns once it answers."""
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the stand-in does not start: is its port taken?")
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Cuts what is still open and waits for the thread."""
        if self.loop is not None and self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._leave)
        self._thread.join(10)

    def cut(self, scope: Scope) -> None:
        """Ends the connection of a request without an answer."""
        client = scope.get("client")
        transport = self._open.get(tuple(client) if client else None)
        if transport is not None:
            transport.abort()

    def _leave(self) -> None:
        for transport in list(self._open.values()):
            transport.abort()
        self._server.ended.set()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        await self._server.serve()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


class _Prompt(uvicorn.Server):
    """uvicorn without the pauses in which it looks whether to end: tests start and end it often."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready
        self.ended = asyncio.Event()

    async def main_loop(self) -> None:
        """Says that it answers, then waits for the end."""
        await self.on_tick(0)
        self._ready.set()
        while not self.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.ended.wait()
            await self.on_tick(0)  # so that the Date of answers goes on

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """At once."""
        for server in self.servers:
            server.close()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)


def _protocol(open_connections: Transports) -> type[asyncio.Protocol]:
    """uvicorn's own HTTP protocol, which notes its transports by the address of the client."""

    class Noted(H11Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(cast(asyncio.Transport, transport))
            open_connections[transport.get_extra_info("peername")] = cast(asyncio.Transport, transport)

        def connection_lost(self, exc: Exception | None) -> None:
            open_connections.pop(self.transport.get_extra_info("peername"), None)
            super().connection_lost(exc)

    return Noted
