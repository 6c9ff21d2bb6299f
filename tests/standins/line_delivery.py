"""Posts signed webhook bodies to the bot as LINE does: two seconds, then perhaps again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from .line_account import Account
from .line_events import Event, body_of, redelivered, sign
from .line_limits import WEBHOOK_SECONDS

TIMEOUT = "request_timeout"
UNREACHABLE = "could_not_connect"
ERROR_STATUS = "error_status_code"


@dataclass(frozen=True)
class Attempt:
    """One post. `status` is 0 without an answer; `reason` is LINE's word for the failure."""

    status: int
    reason: str
    seconds: float
    redelivery: bool


@dataclass
class Delivery:
    """Events and what came of them."""

    events: Sequence[Event]
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The last answer."""
        return self.attempts[-1].status if self.attempts else 0

    @property
    def arrived(self) -> bool:
        """Whether the bot has taken it at last."""
        return 200 <= self.status < 300


@dataclass
class Postman:
    """`pauses` are the seconds before each redelivery, which LINE does not disclose; `redeliver` is off as at LINE."""

    account: Account
    secret: str
    seconds: float = WEBHOOK_SECONDS
    redeliver: bool = False
    pauses: Sequence[float] = (0.05, 0.1, 0.2)

    def signed(self, events: Sequence[Event]) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a delivery that leaves now: the reply tokens in it get their minute."""
        for event in events:
            self.account.refresh_reply_token(str(event.get("replyToken")))
        body = body_of(self.account.bot_id, events)
        headers = {"content-type": "application/json; charset=utf-8", "user-agent": "LineBotWebhook/2.0"}
        return body, {**headers, "x-line-signature": sign(self.secret, body)}

    async def deliver(self, events: Sequence[Event], url: str) -> Delivery:
        """Post until it is taken or LINE gives up."""
        delivery = Delivery(events)
        async with httpx.AsyncClient(verify=False, trust_env=False) as client:
            delivery.attempts.append(await self._post(client, url, events, False))
            for pause in self.pauses if self.redeliver else ():
                if delivery.arrived:
                    break
                await asyncio.sleep(pause)
                again = [redelivered(event) for event in events]
                delivery.attempts.append(await self._post(client, url, again, True))
        return delivery

    async def _post(self, client: httpx.AsyncClient, url: str, events: Sequence[Event], redelivery: bool) -> Attempt:
        body, headers = self.signed(events)
        started = time.monotonic()
        status, reason = 0, ""
        try:
            async with asyncio.timeout(self.seconds):
                status = (await client.post(url, content=body, headers=headers, timeout=None)).status_code
                reason = "" if 200 <= status < 300 else ERROR_STATUS
        except TimeoutError:
            reason = TIMEOUT
        except httpx.HTTPError:
            reason = UNREACHABLE
        return Attempt(status, reason, time.monotonic() - started, redelivery)
