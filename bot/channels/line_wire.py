"""The connection to LINE's Messaging API: the vendor's SDK on a session of ours, and what became of each request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
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
    Message,
    PushMessageRequest,
    ReplyMessageRequest,
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
        api = await self.api()
        return await _asked(
            lambda: ReplyMessageRequest(reply_token=token, messages=[Message.from_dict(each) for each in messages]),
            lambda request: api.reply_message(request, _request_timeout=TIMEOUT),
        )

    async def push(self, to: str, messages: Sequence[dict[str, Any]], key: str) -> Answer:
        """Send to a person or group; LINE accepts one key once within a day."""
        api = await self.api()
        return await _asked(
            lambda: PushMessageRequest(to=to, messages=[Message.from_dict(each) for each in messages]),
            lambda request: api.push_message(request, x_line_retry_key=key, _request_timeout=TIMEOUT),
        )

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


async def _asked(make: Callable[[], T], send: Callable[[T], Awaitable[Any]]) -> Answer:
    try:
        request = make()
    except ValueError as error:  # the SDK keeps some of LINE's limits itself
        observe.failure("a request to LINE", error)
        return Answer(400)
    try:
        await send(request)
    except ApiException as error:
        return Answer(error.status, _message(error.body))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        return Answer(UNREACHED)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return Answer(LOST)
    except ValueError as error:  # it answered, but not what the SDK can read
        refusal = error.__context__
        return Answer(refusal.status) if isinstance(refusal, ApiException) else Answer(200)
    return Answer(200)


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
