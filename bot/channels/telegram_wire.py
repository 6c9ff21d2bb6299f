"""The connection to Telegram: where it is, and errors told apart by what they mean for a message."""

from __future__ import annotations

import ipaddress
import json
import logging
import random
from typing import Any
from urllib.parse import urlsplit

import httpx
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, TelegramError
from telegram.request import HTTPXRequest

from bot.channels.port import Receipt, Sent

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
POOL_SECONDS = 5.0
JITTER = 0.25
AT_ONCE = 0.01

_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.WriteError,  # a body that is not whole is not carried out
    httpx.WriteTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)

# Their lines hold the address of every call, and with it the token, or what was said.
for _name in ("httpx", "httpcore", "telegram"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class NotSent(NetworkError):
    """Telegram could not be reached: nothing was done."""


class Unknown(NetworkError):
    """No answer came: it may have been done or not."""


class Broken(NetworkError):
    """Telegram, or a server on the way there, failed with a 5xx."""


class TooFast(TelegramError):
    """Telegram asks to wait `seconds`; 0 where it does not say how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__("429")
        self.seconds = seconds


class Wire(HTTPXRequest):
    """The requests of one bot. Beside those of the SDK it raises NotSent, Unknown, Broken and TooFast."""

    def __init__(self, api_base: str, connections: int) -> None:
        near = _near(urlsplit(api_base).hostname or "")
        own: dict[str, Any] = {"trust_env": not near, "verify": not api_base.startswith("http://")}
        super().__init__(connections, READ_SECONDS, READ_SECONDS, CONNECT_SECONDS, POOL_SECONDS, httpx_kwargs=own)

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Status and body of an answer."""
        try:
            code, payload = await super().do_request(*args, **kwargs)
        except NetworkError as error:
            kind = NotSent if isinstance(error.__cause__, _BEFORE_SENDING) else Unknown
            raise kind(type(error.__cause__).__name__) from None
        if code == 429:
            raise TooFast(_seconds(payload))  # the SDK's own exception warns as soon as it is made
        if code >= 500:
            raise Broken(str(code))
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """The document of an answer, which is not logged where it is none."""
        try:
            return json.loads(payload.decode(errors="replace"))
        except ValueError:
            raise Unknown("no JSON") from None


def bot_of(token: str, api_base: str, connections: int = 8) -> Bot:
    """A bot whose `request` is a Wire: `await bot.request.shutdown()` lets go of its connections.

    `api_base` ends in /bot; files are at the same place under /file/bot.
    """
    wire = Wire(api_base, connections)
    files = api_base.removesuffix("/bot") + "/file/bot"
    return Bot(token, base_url=api_base, base_file_url=files, request=wire, get_updates_request=wire)


async def raw(bot: Bot, method: str, seconds: float = 0.0, **given: Any) -> Any:
    """The JSON of a method's result, so that one odd part cannot spoil the rest; it may take `seconds` to come.

    `method` in the SDK's spelling with a doubled underscore (get__updates): for a method that it has a function for,
    it would warn.
    """
    return await bot.do_api_request(method, api_kwargs=given, read_timeout=seconds + READ_SECONDS)


def receipt(error: TelegramError) -> Receipt:
    """What an error means for the message that was being sent."""
    if isinstance(error, TooFast):
        return later("429", error.seconds) if error.seconds else Receipt(Sent.RETRY, "429")
    if isinstance(error, Unknown):
        return Receipt(Sent.PROBABLY, "no answer", unsure=True)
    if isinstance(error, Forbidden):
        return Receipt(Sent.WAITING, "403", blocked=True)
    if isinstance(error, ChatMigrated):
        return Receipt(Sent.RETRY, "moved", AT_ONCE, moved=str(error.new_chat_id))
    if isinstance(error, BadRequest):
        return Receipt(Sent.DEAD, "400")
    return Receipt(Sent.RETRY, _outage(error), outage=True)


def later(why: str, seconds: float) -> Receipt:
    """Not now, but in `seconds` and a little: those who wait must not come all at once."""
    return Receipt(Sent.RETRY, why, seconds + random.uniform(0.0, JITTER))


def _outage(error: TelegramError) -> str:
    if isinstance(error, Broken):
        return error.message
    names = {InvalidToken: "401", Conflict: "409", NotSent: "unreachable"}
    return names.get(type(error), type(error).__name__)


def _seconds(payload: bytes) -> float:
    try:
        seconds = json.loads(payload)["parameters"]["retry_after"]
    except (ValueError, TypeError, KeyError):
        return 0.0
    return float(seconds) if type(seconds) is int and seconds > 0 else 0.0


def _near(host: str) -> bool:
    """This machine itself is never reached by way of a proxy."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
