"""Clients that send a request drop by drop: cut after a while, so that they hold no connection."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from bot import observe


def patient_for(seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's protocol, with a limit for the time that a whole request, headers and body, may take to arrive."""
    base: Any = AutoHTTPProtocol

    class Impatient(base):  # type: ignore[misc]
        _cut: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._cut = self.loop.call_later(seconds, self._too_slow)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            cycle = self.cycle
            if cycle is not None and not cycle.more_body:  # arrived whole
                if self._cut is not None:
                    self._cut.cancel()
                    self._cut = None
            elif self._cut is None:
                self._cut = self.loop.call_later(seconds, self._too_slow)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._cut is not None:
                self._cut.cancel()
                self._cut = None
            super().connection_lost(exc)

        def _too_slow(self) -> None:
            self._cut = None
            observe.count("requests.too_slow")
            self.transport.close()

    return Impatient
