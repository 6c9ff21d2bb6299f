"""Reading a request's body with a limit, before anything is parsed."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


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


async def signed_body(
    request: Request, limit: int, header: str, genuine: Callable[[bytes, str | None], bool]
) -> bytes | Response:
    """The raw bytes of a signed webhook call, or the refusal: 413 too large, 401 not signed by who should have."""
    try:
        body = await read_body(request, limit)
    except BodyTooLarge:
        return JSONResponse({"error": f"the body may have at most {limit} bytes"}, 413)
    if not genuine(body, request.headers.get(header)):
        return JSONResponse({"error": f"{header} is missing or wrong"}, 401)
    return body
