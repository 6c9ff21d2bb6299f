"""The line to the identity provider: its own addresses, https, no redirects, little is read and not for long."""

from __future__ import annotations

import asyncio
import json
import ssl
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx

SECONDS = 10.0
ANSWER_LIMIT = 200_000  # bytes
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class WireFailed(Exception):
    """No usable answer came."""


def loopback(url: str) -> bool:
    """Is this plain http on this machine, as in a trial?"""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


class Wire:
    """Speaks https; http only where the issuer itself is on this machine, and then only on this machine."""

    def __init__(self, issuer: str, seconds: float = SECONDS) -> None:
        self._trial = loopback(issuer)
        self._seconds = seconds

    def allowed(self, url: object) -> bool:
        """May this be asked, and may browsers be sent there?"""
        if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            return False
        try:
            parts = urlsplit(url)
            odd = parts.username is not None or parts.fragment or not parts.hostname or parts.port == 0
        except ValueError:
            return False
        return not odd and (parts.scheme == "https" or (self._trial and loopback(url)))

    async def ask(self, url: str, body: str | None, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """GET, or POST of a body; the status below 500 and the JSON object that came. Raises WireFailed."""
        if not self.allowed(url):
            raise WireFailed
        try:
            async with asyncio.timeout(self._seconds), self._client() as client:
                return await self._read(client, url, body, headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as error:
            raise WireFailed from error

    async def _read(
        self, client: httpx.AsyncClient, url: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        method = "GET" if body is None else "POST"
        async with client.stream(method, url, content=body, headers=headers) as response:
            if response.is_redirect or response.status_code >= 500:
                raise WireFailed
            found = bytearray()  # as it comes: what is packed stays so, and is no JSON
            async for chunk in response.aiter_raw():
                found += chunk
                if len(found) > ANSWER_LIMIT:
                    raise WireFailed
        told = json.loads(found)
        if not isinstance(told, dict):
            raise WireFailed
        return response.status_code, told

    def _client(self) -> httpx.AsyncClient:
        """No proxy and no credentials of the environment, no redirects."""
        return httpx.AsyncClient(
            verify=self._certificates,
            timeout=self._seconds,
            follow_redirects=False,
            trust_env=False,
            headers={"Accept-Encoding": "identity"},
        )

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        """The machine's own authorities, so that one of the city's own can be among them."""
        return ssl.create_default_context()
