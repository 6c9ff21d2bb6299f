"""A small signed webhook for other systems of the city: JSON in, JSON posted back."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.channels.body import signed_body
from bot.channels.port import Door, Parcel, Receipt, Sent
from bot.channels.text import sound
from bot.messages import Address, Incoming, Reply
from bot.render.plain import choices_of, text_of

CHANNEL = "hook"
SIGNATURE = "X-Hook-Signature"
BODY_LIMIT = 1_000_000
TEXT_LIMIT = 2000
NAME_LIMIT = 200
SEND_SECONDS = 10.0
_write = json.JSONEncoder(ensure_ascii=False).encode


def sign(secret: str, body: bytes) -> str:
    """Hex HMAC-SHA256 of the raw body."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def verify(secret: str, body: bytes, signature: str | None) -> bool:
    """Constant-time comparison; a missing or non-ASCII signature is refused."""
    if not signature or not signature.isascii():
        return False
    return hmac.compare_digest(sign(secret, body), signature)


def parse(document: Any) -> tuple[list[Incoming], list[dict[str, Any]]]:
    """The events of a body, and for each malformed one its index and what is wrong. One never loses the others."""
    if not isinstance(document, dict) or not isinstance(document.get("events"), list):
        raise ValueError('the body must be {"events": [...]}')
    good: list[Incoming] = []
    bad: list[dict[str, Any]] = []
    for index, event in enumerate(document["events"]):
        try:
            good.append(_event(event))
        except ValueError as error:
            bad.append({"index": index, "error": str(error)})
    return good, bad


def _event(event: Any) -> Incoming:
    if not isinstance(event, dict):
        raise ValueError("an event must be an object")
    sent_ms = event.get("timestamp")
    if type(sent_ms) is not int or not 0 <= sent_ms < 2**53:
        raise ValueError("timestamp must be whole milliseconds")
    text, choice = event.get("text"), event.get("choice")
    if isinstance(text, str) == isinstance(choice, str):
        raise ValueError("exactly one of text and choice must be a text")
    return Incoming(
        Address(CHANNEL, "", _name(event, "user")),
        _name(event, "id"),
        sent_ms,
        text=_said("text", text, TEXT_LIMIT) if isinstance(text, str) else None,
        choice=_said("choice", choice, NAME_LIMIT) if isinstance(choice, str) else None,
    )


def _name(event: dict[str, Any], field: str) -> str:
    """An id as it is: changing one would make two of them the same, or unknown to its sender."""
    value = event.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LIMIT or not value.isprintable():
        raise ValueError(f"{field} must be a text of 1 to {NAME_LIMIT} printable characters")
    return value


def _said(field: str, value: str, limit: int) -> str:
    if len(value) > limit:
        raise ValueError(f"{field} may have at most {limit} characters")
    whole = sound(value)
    if not whole.strip():
        raise ValueError(f"{field} must not be empty")
    return whole


@dataclass
class HookInbox:
    """The receiving side, at /webhook/hook."""

    door: Door
    secret: str

    async def receive(self, request: Request) -> Response:
        """200 only when the events are durable; 401 unsigned; 400 no JSON; 413 too large."""
        body = await signed_body(request, BODY_LIMIT, SIGNATURE, partial(verify, self.secret))
        if isinstance(body, Response):
            return body
        try:
            events, refused = parse(json.loads(body))
        except (ValueError, RecursionError) as error:
            return JSONResponse({"error": f"the body cannot be read: {error}"}, 400)
        new = await self.door.accept(events) if events else []
        return JSONResponse({"accepted": sum(new), "repeated": len(new) - sum(new), "refused": refused})


class HookChannel:
    """The sending side: posts each parcel to the reply URL, signed the same way."""

    def __init__(self, secret: str, reply_url: str) -> None:
        self._secret = secret
        self._url = reply_url
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, parcel: Parcel) -> Receipt:
        """Post one parcel. The receiver can tell a repetition by its id."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=SEND_SECONDS),
                connector=aiohttp.TCPConnector(limit=100),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        body = payload(parcel)
        headers = {"Content-Type": "application/json", SIGNATURE: sign(self._secret, body)}
        try:
            async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
                return _receipt(response.status, response.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Receipt(Sent.RETRY, type(error).__name__, outage=True)


def payload(parcel: Parcel) -> bytes:
    """The JSON that is posted: {"id", "user", "in_reply_to", "messages": [{"text", "choices"}]}."""
    address = _write({"id": parcel.retry_key, "user": parcel.address.user, "in_reply_to": parcel.in_reply_to})
    messages = ", ".join(reply.once("hook", _message) for reply in parcel.replies)
    return f'{address[:-1]}, "messages": [{messages}]}}'.encode()


def _message(reply: Reply) -> str:
    return _write({"text": text_of(reply), "choices": [{"id": c.id, "label": c.label} for c in choices_of(reply)]})


def _receipt(status: int, retry_after: str) -> Receipt:
    if 200 <= status < 300:
        return Receipt(Sent.SENT)
    if status == 409:
        return Receipt(Sent.SENT, "already there")
    if status == 429:
        return Receipt(Sent.RETRY, "429", float(retry_after) if retry_after.isdecimal() else 0.0)
    if status >= 500:
        return Receipt(Sent.RETRY, str(status), outage=True)
    return Receipt(Sent.DEAD, str(status))
