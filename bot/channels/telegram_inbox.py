"""The receiving side of Telegram: the webhook at /webhook/telegram, or asking for updates."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from telegram.error import TelegramError

from bot import observe
from bot.channels.body import BodyTooLarge, read_body
from bot.channels.port import Door
from bot.channels.telegram_events import ALLOWED, Self, read
from bot.channels.telegram_wire import TooFast, raw
from bot.messages import Incoming

if TYPE_CHECKING:
    from bot.channels.telegram import TelegramChannel

__all__ = ["ALLOWED", "Poller", "Self", "TelegramInbox", "parse", "query_of"]

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
BODY_LIMIT = 1_000_000
POLL_SECONDS = 25
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
CHATS_REMEMBERED = 20_000
UPDATES_REMEMBERED = 20_000


def _now_ms() -> int:
    return int(time.time() * 1000)


def parse(update: object, me: Self, now_ms: Callable[[], int] = _now_ms) -> Incoming | None:
    """What an update means; None when it is malformed, which is counted, or nothing for us. Never raises."""
    try:
        return read(update, me, now_ms)
    except (ValueError, RecursionError):
        observe.count("telegram.malformed")
        return None


def query_of(update: object) -> str:
    """The id of a tapped button, which spins until it is answered; empty for anything else."""
    query = update.get("callback_query") if isinstance(update, dict) else None
    number = query.get("id") if isinstance(query, dict) else None
    return number if isinstance(number, str) and number.isprintable() and len(number) <= 100 else ""


def _number(update: object) -> int | None:
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if type(number) is int and 0 <= number < 2**53 else None


def verify(secret: str, given: str | None) -> bool:
    """Constant-time comparison; a missing or non-ASCII one is refused, and any while we have none ourselves."""
    if not secret or not given or not given.isascii():
        return False
    return hmac.compare_digest(secret, given)


class Order:
    """Keeps a chat's events in the order of Telegram's own numbers: its times are whole seconds, and a tap has none."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._places: OrderedDict[int, int] = OrderedDict()

    def placed(self, incoming: Incoming) -> Incoming:
        """The event, not earlier than an earlier one of its chat; one that could not be kept, where it was before."""
        number = int(incoming.event_id)
        if number in self._places:
            return replace(incoming, sent_ms=self._places[number])
        incoming = self._behind(incoming, number)
        self._places[number] = incoming.sent_ms
        if len(self._places) > UPDATES_REMEMBERED:
            self._places.popitem(last=False)
        return incoming

    def _behind(self, incoming: Incoming, number: int) -> Incoming:
        chat = incoming.address.user
        newest, ms = self._newest.pop(chat, (-1, -1))
        if number > newest:
            incoming = replace(incoming, sent_ms=max(incoming.sent_ms, ms + 1))
            newest, ms = number, incoming.sent_ms
        self._newest[chat] = newest, ms
        if len(self._newest) > CHATS_REMEMBERED:
            self._newest.popitem(last=False)
        return incoming


@dataclass
class TelegramInbox:
    """The webhook. `me` says who we are, `answer` gets the id of every tapped button."""

    door: Door
    me: Callable[[], Self]
    secret: str
    answer: Callable[[str], None]
    now_ms: Callable[[], int] = _now_ms
    _order: Order = field(default_factory=Order, init=False)

    async def receive(self, request: Request) -> Response:
        """200 only when the update is durable; 401 without the secret; 400 no JSON; 413 too large.

        An update that means nothing gets its 200 too: a repetition would not help.
        """
        if not verify(self.secret, request.headers.get(SECRET)):
            observe.count("telegram.unsigned")
            return JSONResponse({"error": f"{SECRET} is missing or wrong"}, 401)
        try:
            update = json.loads(await read_body(request, BODY_LIMIT))
        except BodyTooLarge:
            return JSONResponse({"error": f"the body may have at most {BODY_LIMIT} bytes"}, 413)
        except (ValueError, RecursionError):
            update = None
        if not isinstance(update, dict):
            return JSONResponse({"error": "the body must be an update as JSON"}, 400)
        found = parse(update, self.me(), self.now_ms)
        new = await self.door.accept([self._order.placed(found)]) if found else []
        if query := query_of(update):
            self.answer(query)
        return JSONResponse({"accepted": sum(new), "repeated": len(new) - sum(new)})


@dataclass
class Poller:
    """Asks Telegram for updates. What is not durable yet is asked for again."""

    channel: TelegramChannel
    door: Door
    pauses: Sequence[float] = PAUSES
    seconds: int = POLL_SECONDS
    now_ms: Callable[[], int] = _now_ms
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _offset: int = field(default=0, init=False)
    _failures: int = field(default=0, init=False)
    _order: Order = field(default_factory=Order, init=False)

    async def run(self) -> None:
        """Take updates until cancelled. Telegram keeps what came meanwhile for a day."""
        hooked = True
        while True:
            try:
                if hooked:
                    await self.channel.bot.delete_webhook(drop_pending_updates=False)
                    hooked = False
                await self._round()
                self._failures = 0
            except Exception as error:  # trouble of Telegram's, of the store's or of ours: nothing may end it
                await self._pause(error)

    async def _round(self) -> None:
        updates = await raw(
            self.channel.bot,
            "get__updates",
            self.seconds,
            offset=self._offset,
            timeout=self.seconds,
            allowed_updates=list(ALLOWED),
        )
        if not isinstance(updates, list):
            raise TelegramError("no list of updates")
        found = [event for update in updates if (event := parse(update, self.channel.me(), self.now_ms))]
        if found:
            await self.door.accept([self._order.placed(event) for event in found])
        numbers = [number for update in updates if (number := _number(update)) is not None]
        if updates and not numbers:
            raise TelegramError("no update that could be confirmed")
        if numbers:
            self._offset = numbers[-1] + 1
        for query in filter(None, map(query_of, updates)):
            self.channel.answer(query)

    async def _pause(self, error: Exception) -> None:
        observe.count("telegram.polling_failed")
        if self._failures == 0:
            observe.failure("telegram polling", error)
        least = error.seconds if isinstance(error, TooFast) else 0.0
        step = self.pauses[min(self._failures, len(self.pauses) - 1)]
        self._failures += 1
        await self.sleep(max(step, least))
