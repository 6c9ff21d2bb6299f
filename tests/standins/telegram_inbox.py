"""Updates on their way to the bot: by webhook, repeated until taken, or kept for long polling."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from .telegram_limits import PORTS, UNASKED, UPDATE_KINDS, Refusal, breach, check_secret, hold
from .telegram_request import Params

Json = dict[str, Any]
Post = Callable[[str, dict[str, str], bytes], Awaitable[int]]
HEADER = "X-Telegram-Bot-Api-Secret-Token"
ACTIVE = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
TERMINATED = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass
class Webhook:
    """Where updates are posted."""

    url: str
    secret: str = ""
    connections: int = 40


@dataclass(frozen=True)
class Delivery:
    """How an update went out: the statuses of its posts (0: no answer). `wanted`: the bot takes this kind."""

    update: int
    statuses: tuple[int, ...] = ()
    wanted: bool = True

    @property
    def taken(self) -> bool:
        """Whether the webhook said yes in the end."""
        return bool(self.statuses) and 200 <= self.statuses[-1] < 300


async def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """One post to the webhook; its status, 0 when nobody answers."""
    try:
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=10) as client:
            return (await client.post(url, headers=headers, content=body)).status_code
    except httpx.HTTPError:
        return 0


def kind_of(update: Json) -> str:
    """The kind of an update, which names its content."""
    return next(key for key in update if key != "update_id")


def chat_of(update: Json) -> Any:
    """The chat whose updates come one after the other."""
    content = update[kind_of(update)]
    return content.get("message", content).get("chat", content.get("from", {})).get("id")


def check_url(url: str) -> None:
    """HTTPS on one of four ports; this machine itself may be reached by any."""
    parts = urlsplit(url)
    if local(parts.hostname or ""):
        return
    if parts.scheme != "https" or not parts.hostname:
        raise breach("bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in PORTS:
        raise breach("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def local(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass
class Inbox:
    """The updates that nobody has confirmed yet, oldest first."""

    clock: Callable[[], float]
    post: Post = post
    webhook: Webhook | None = None
    allowed: list[str] | None = None
    pending: list[Json] = field(default_factory=list)
    reach: dict[str, str] = field(default_factory=dict)
    problem: Json = field(default_factory=dict)
    sending: set[Any] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    poll: int = 0
    closing: bool = False

    # -- what the bot asks for

    def set(self, params: Params) -> bool:
        """setWebhook."""
        url = params.text("url").strip()
        allow = self.kinds(params)
        if not url:
            return self.delete(params)
        check_url(url)
        secret = params.text("secret_token")
        if params.has("secret_token"):
            check_secret(secret)
        connections = params.integer("max_connections", 40)
        hold("max_connections", connections)
        self.webhook = Webhook(url, secret, connections)
        self.allow(allow, params)
        self.problem = {}
        return True

    def delete(self, params: Params) -> bool:
        """deleteWebhook."""
        self.webhook = None
        self.problem = {}
        if params.flag("drop_pending_updates"):
            self.pending.clear()
        return True

    def info(self) -> Json:
        """getWebhookInfo."""
        allowed = {"allowed_updates": self.allowed} if self.allowed else {}
        about: Json = {"url": "", "has_custom_certificate": False, "pending_update_count": len(self.pending)}
        if self.webhook:
            about |= {"url": self.webhook.url, "max_connections": self.webhook.connections, **self.problem}
        return {**about, **allowed}

    def kinds(self, params: Params) -> list[str] | None:
        """The kinds asked for; None when nothing was said."""
        kinds = params.document("allowed_updates", list)
        for kind in kinds or ():
            if kind not in UPDATE_KINDS:
                raise breach(f"unknown kind of update {kind}")
        return None if kinds is None else list(kinds)

    def allow(self, kinds: list[str] | None, params: Params) -> None:
        """Keeps what was asked for; silence leaves it as it was."""
        if kinds is not None:
            self.allowed = kinds or None
        if params.flag("drop_pending_updates"):
            self.pending.clear()

    async def updates(self, params: Params) -> list[Json]:
        """getUpdates: waits for news; the one who asks last drives the others away."""
        if self.webhook:
            raise Refusal(409, ACTIVE)
        offset, limit = params.integer("offset"), params.integer("limit", 100)
        deadline = asyncio.get_running_loop().time() + params.integer("timeout")
        hold("limit", limit)
        self.allow(self.kinds(params), params)
        self.poll += 1
        mine = self.poll
        self.confirm(offset)
        while not self.pending and asyncio.get_running_loop().time() < deadline and not self.closing:
            await asyncio.sleep(0.01)
            if self.poll != mine:
                raise Refusal(409, TERMINATED)
            if self.webhook:
                raise Refusal(409, "Conflict: terminated by setWebhook request")
        return self.pending[:limit]

    def confirm(self, offset: int) -> None:
        """An offset confirms everything before it; a negative one keeps so many of the last."""
        with self.lock:
            if offset < 0:
                del self.pending[:offset]
            else:
                self.pending = [update for update in self.pending if update["update_id"] >= offset]

    # -- what happens to an update

    def wanted(self, update: Json) -> bool:
        """Whether the bot asked for this kind."""
        kind = kind_of(update)
        return kind in self.allowed if self.allowed else kind not in UNASKED

    async def deliver(self, update: Json, tries: int, pause: float) -> Delivery:
        """Keeps an update and, with a webhook, posts it, after what its chat still waits for."""
        if not self.wanted(update):
            return Delivery(update["update_id"], wanted=False)
        chat = chat_of(update)
        with self.lock:
            self.pending.append(update)
        while chat in self.sending:  # noqa: ASYNC110 - tests deliver from more than one loop
            await asyncio.sleep(0.005)
        self.sending.add(chat)
        try:
            return await self.in_order(chat, update, tries, pause)
        finally:
            self.sending.discard(chat)

    async def in_order(self, chat: Any, update: Json, tries: int, pause: float) -> Delivery:
        """Posts a chat's updates up to this one; the first that is not taken holds the others up."""
        for earlier in [each for each in self.pending if chat_of(each) == chat]:
            delivery = await self.send(earlier, tries, pause)
            if earlier is update:
                return delivery
            if not delivery.taken:
                break
        return Delivery(update["update_id"])

    async def send(self, update: Json, tries: int, pause: float) -> Delivery:
        """Posts an update until the webhook says yes or the tries are used up; then it stays pending."""
        statuses: list[int] = []
        while self.webhook and len(statuses) < tries:
            statuses.append(await self.once(update, self.webhook))
            if 200 <= statuses[-1] < 300:
                with self.lock:
                    self.pending = [each for each in self.pending if each is not update]
                break
            words = f"Wrong response from the webhook: {statuses[-1]}" if statuses[-1] else "Connection failed"
            self.problem = {"last_error_date": int(self.clock()), "last_error_message": words}
            if len(statuses) < tries:
                await asyncio.sleep(pause * 2 ** (len(statuses) - 1))
        return Delivery(update["update_id"], tuple(statuses))

    async def once(self, update: Json, webhook: Webhook) -> int:
        """One post with the secret."""
        url = webhook.url
        for public, near in self.reach.items():
            if url.startswith(public):
                url = near + url.removeprefix(public)
        secret = {HEADER: webhook.secret} if webhook.secret else {}
        body = json.dumps(update, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return await self.post(url, {"Content-Type": "application/json", **secret}, body)
