"""The connection to LINE's Messaging API: the vendor's SDK on a session of ours, and what became of each request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
)

from bot import observe

PUBLIC_BASE = "https://api.line.me"
PUBLIC_CONTENTS = "https://api-data.line.me"  # contents have a host of their own
CONNECTIONS = 100
TIMEOUT = aiohttp.ClientTimeout(total=10.0, connect=5.0)
CONTENT_TIMEOUT = aiohttp.ClientTimeout(total=60.0, connect=5.0)
FAILURES = (ApiException, aiohttp.ClientError, TimeoutError, OSError, ValueError)
LOST = 0
UNREACHED = -1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request. `status`: LINE's, or LOST where none came back, or UNREACHED where none left."""

    status: int
    message: str = ""

    @property
    def accepted(self) -> bool:
        """LINE has it; 409 says that it had it before."""
        return 200 <= self.status < 300 or self.status == 409

    @property
    def unknown(self) -> bool:
        """Perhaps LINE has it."""
        return self.status == LOST or self.status >= 500

    @property
    def stale(self) -> bool:
        """The reply token was used or is too old; nothing was sent."""
        return self.status == 400 and "invalid reply token" in self.message.lower()


class Wire:
    """Opened on demand, inside the running event loop."""

    def __init__(self, token: str, api_base: str) -> None:
        self._token = token
        self._base = api_base.rstrip("/")
        self._client: AsyncApiClient | None = None
        self._session: aiohttp.ClientSession | None = None
        self._lock = asyncio.Lock()

    async def api(self) -> AsyncMessagingApi:
        """The SDK."""
        async with self._lock:
            if self._client is None:
                self._client = AsyncApiClient(Configuration(host=self._base, access_token=self._token))
                await self._client.rest_client.close()
                self._client.rest_client.pool_manager = self._session = self._open()
        return AsyncMessagingApi(self._client)

    def _open(self) -> aiohttp.ClientSession:
        """The SDK's own session keeps cookies, has few connections, and asks a proxy even for this machine."""
        near = urlsplit(self._base).hostname in ("127.0.0.1", "::1", "localhost")
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not near,
        )

    async def close(self) -> None:
        """Close every connection; a later call opens anew."""
        async with self._lock:
            if self._client is not None:
                await self._client.close()
            self._client = self._session = None

    async def reply(self, token: str, messages: Sequence[dict[str, Any]]) -> Answer:
        """Send by a reply token."""
        return await self._post("/v2/bot/message/reply", {"replyToken": token, "messages": list(messages)})

    async def push(self, to: str, messages: Sequence[dict[str, Any]], key: str) -> Answer:
        """Send to a person or group; LINE accepts one key once within a day."""
        return await self._post("/v2/bot/message/push", {"to": to, "messages": list(messages)}, key)

    async def _post(self, path: str, document: dict[str, Any], key: str = "") -> Answer:
        """A request as plain JSON: the SDK would check and write each card anew, which takes most of a turn's time.
        What is sent is checked against LINE's strict schema by the tests."""
        await self.api()
        assert self._session is not None
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key:
            headers["X-Line-Retry-Key"] = key
        body = json.dumps(document, ensure_ascii=False).encode()
        try:
            async with self._session.post(
                self._base + path, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                said = await response.read()
                return Answer(response.status, "" if response.status < 300 else _message(said))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Answer(UNREACHED)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Answer(LOST)

    @asynccontextmanager
    async def content(self, message_id: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a request for a file: the SDK would read one of any size whole."""
        await self.api()
        assert self._session is not None
        host = PUBLIC_CONTENTS if self._base == PUBLIC_BASE else self._base
        url = f"{host}/v2/bot/message/{quote(message_id, safe='')}/content"
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.get(url, headers=headers, timeout=CONTENT_TIMEOUT, allow_redirects=False) as response:
            yield response


def _message(body: Any) -> str:
    try:
        document = json.loads(body)
    except (TypeError, ValueError, RecursionError):
        return ""
    return str(document.get("message", "")) if isinstance(document, dict) else ""


async def looked_up(what: str, asking: Awaitable[T], seconds: float) -> T | None:
    """The answer to a question that nothing depends on; None, counted, where none comes in time."""
    try:
        async with asyncio.timeout(seconds):
            return await asking
    except FAILURES:
        observe.count(f"line.{what}.failed")
        return None
