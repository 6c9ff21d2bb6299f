"""Reading a request's body with a limit, before anything is parsed."""

from __future__ import annotations

from starlette.requests import Request


class BodyTooLarge(Exception):
    """The body is over the limit; reading stopped there."""


async def read_body(request: Request, limit: int) -> bytes:
    """The raw bytes, at most `limit` of them.

    Raises BodyTooLarge as soon as more is announced or sent.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise BodyTooLarge
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        parts.append(part)
    return b"".join(parts)
