"""The receiving side of LINE, at /webhook/line: signature, then each event by itself."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot import observe
from bot.channels.body import signed_body
from bot.channels.line_events import Passed, read
from bot.channels.port import Door
from bot.messages import Incoming

SIGNATURE = "X-Line-Signature"
BODY_LIMIT = 2 * 1024 * 1024


def sign(secret: str, body: bytes) -> str:
    """Base64 of the HMAC-SHA256 of the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def verify(secret: str, body: bytes, signature: str | None) -> bool:
    """Constant-time comparison; a missing or non-ASCII signature is refused."""
    if not signature or not signature.isascii():
        return False
    return hmac.compare_digest(sign(secret, body), signature)


def parse(document: Any) -> list[Incoming]:
    """The events of a body that mean something here. One that is malformed is counted and never loses the others.

    Raises ValueError when the body is no delivery of LINE's.
    """
    if not isinstance(document, dict) or not isinstance(document.get("events"), list):
        raise ValueError('the body must be {"destination": ..., "events": [...]}')
    account = document.get("destination")
    account = account if isinstance(account, str) and account.isprintable() else ""  # some bodies had none
    return [found for event in document["events"] if (found := _one(event, account)) is not None]


def _one(event: Any, account: str) -> Incoming | None:
    try:
        found = read(event, account)
    except (ValueError, RecursionError):
        observe.count("line.malformed")
        return None
    if isinstance(found, Passed):
        if found.value:
            observe.count(found.value)
        return None
    return found


@dataclass
class LineInbox:
    """The webhook. `secret` is the channel secret."""

    door: Door
    secret: str

    async def receive(self, request: Request) -> Response:
        """200 only when the events are durable; 401 unsigned; 400 no JSON; 413 too large."""
        body = await signed_body(request, BODY_LIMIT, SIGNATURE, partial(verify, self.secret))
        if isinstance(body, Response):
            observe.count("line.refused")
            return body
        try:
            events = parse(json.loads(body))
        except (ValueError, RecursionError):
            return JSONResponse({"error": 'the body must be JSON: {"destination": ..., "events": [...]}'}, 400)
        new = await self.door.accept(events) if events else []
        return JSONResponse({"accepted": sum(new), "repeated": len(new) - sum(new)})
