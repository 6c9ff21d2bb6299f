"""Who comes to the web chat: a browser's signed key, whether a request is from our own page, its language."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from starlette.requests import Request

from bot.messages import Address


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: its token, whether it is new here, and its conversation."""

    token: str
    fresh: bool
    address: Address
    conversation: int | None


class Keys:
    """Session tokens signed by the installation's own key: nobody can choose or guess one."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self) -> str:
        """A new token with 192 random bits."""
        nonce = secrets.token_urlsafe(24)
        return f"{nonce}.{self._sign(nonce)}"

    def genuine(self, token: str) -> bool:
        """Did we issue it?"""
        nonce, _, signature = token.partition(".")
        return token.isascii() and len(token) < 200 and hmac.compare_digest(signature, self._sign(nonce))

    def _sign(self, nonce: str) -> str:
        return hmac.new(self._key, nonce.encode(), hashlib.sha256).hexdigest()[:40]


def own_page(request: Request) -> bool:
    """Did our own page send this? Browsers say so themselves; other programs send neither header."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


def preferred(header: str, offered: list[str]) -> str:
    """The first offered language that a browser's Accept-Language names; Chinese when it names none."""
    wanted = []
    for index, part in enumerate(header.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), index, tag.lower()))
        except ValueError:
            continue
    for _, _, tag in sorted(wanted):
        base = {"zh": "zh-TW", "tl": "fil"}.get(tag.split("-")[0], tag.split("-")[0])
        if base in offered:
            return base
    return offered[0]
