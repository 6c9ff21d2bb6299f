"""One request to the stand-in: what every endpoint of LINE checks first, and the troubles a test can order."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import re
import uuid
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .line_account import Account
from .line_limits import BODY_BYTES, Finding
from .line_schema import load

RETRY_HEADER = "x-line-retry-key"
BAD_TOKEN = (
    "Authentication failed due to the following reason: invalid token. "
    "Confirm that the access token in the authorization header is valid."
)
RATE_EXCEEDED = "The API rate limit has been exceeded. Try again later."
MONTHLY_LIMIT = "You have reached your monthly limit."
_FLEX = re.compile(r"(messages\[\d+\])\.(contents\b.*)")


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with a request. `done`: it takes effect first, only the answer is lost or another one.

    Without status and cut the true answer comes, `seconds` late.
    """

    status: int = 0
    message: str = ""
    seconds: float = 0.0
    cut: bool = False
    done: bool = False


RATE_LIMIT = Trouble(429, RATE_EXCEEDED)
MONTHLY = Trouble(429, MONTHLY_LIMIT)
SERVER_ERROR = Trouble(500, "Internal Server Error")
SERVER_ERROR_AFTER = Trouble(500, "Internal Server Error", done=True)
UNAVAILABLE = Trouble(503, "Service Unavailable")
CUT = Trouble(cut=True)
CUT_AFTER = Trouble(cut=True, done=True)


def slow(seconds: float) -> Trouble:
    """The request takes effect at once, its answer comes late."""
    return Trouble(seconds=seconds, done=True)


@dataclass(frozen=True)
class Answer:
    """A response: JSON unless `raw`."""

    status: int = 200
    document: Any = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Call:
    """One request as it came. `status` is what was answered; 0 while it is not, or never."""

    operation: str
    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    request_id: str
    status: int = 0

    @property
    def document(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def digest(self) -> str:
        """Tells bodies apart."""
        return hashlib.sha256(self.body).hexdigest()


Work = Callable[[Call], Answer | Awaitable[Answer]]


def error(status: int, message: str, *headers: tuple[str, str], **more: Any) -> Answer:
    """LINE's error body."""
    return Answer(status, {"message": message, **more}, headers=headers)


def refusal(findings: Iterable[Finding]) -> Answer:
    """LINE's 400 for a body; Flex faults are told in another form than the rest."""
    first = {finding.path: finding for finding in reversed(list(findings))}
    inside = [match for match in map(_FLEX.fullmatch, first) if match]
    if inside and len(inside) == len(first):
        at = inside[0][1]
        details = [
            {"message": first[each[0]].message, "property": _pointer(each[2])} for each in inside if each[1] == at
        ]
        return error(400, f"A message ({at}) in the request body is invalid", details=details)
    details = [{"message": each.message, "property": each.path} for each in first.values()]
    return error(400, f"The request body has {len(details)} error(s)", details=details)


def _pointer(path: str) -> str:
    return "/" + path.replace("[", "/").replace("]", "").replace(".", "/")


class Gate:
    """What stands before every endpoint. `cut` ends the connection of a request."""

    def __init__(self, account: Account, cut: Callable[[Any], None]) -> None:
        self.account = account
        self.calls: list[Call] = []
        self._cut = cut
        self._next: defaultdict[str, deque[Trouble]] = defaultdict(deque)
        self._outages: dict[str, Trouble] = {}

    def next(self, operation: str, *troubles: Trouble) -> None:
        """The next requests of an operation meet these troubles, one each."""
        self._next[operation] += troubles

    def outage(self, operation: str, trouble: Trouble | None) -> None:
        """Every request of an operation ("" is all of them) meets this trouble, until None."""
        if trouble is None:
            self._outages.pop(operation, None)
        else:
            self._outages[operation] = trouble

    def endpoint(self, operation: str, work: Work, schema: str = "") -> Callable[[Request], Awaitable[Response]]:
        """A Starlette endpoint. `schema` names the vendor's schema of the answer."""

        async def handle(request: Request) -> Response:
            call = await self._read(operation, request)
            trouble = self._trouble(operation)
            answer = None
            if trouble is None or trouble.done:
                answer = await self._answer(call, work, schema)
            if trouble:
                await asyncio.sleep(trouble.seconds)
            if trouble and trouble.cut:
                self._cut(request.scope)
                return Response(status_code=500)
            if trouble and trouble.status:
                answer = error(trouble.status, trouble.message)
            if answer is None:
                answer = await self._answer(call, work, schema)
            return _response(call, answer)

        return handle

    async def _read(self, operation: str, request: Request) -> Call:
        headers = {name.lower(): value for name, value in request.headers.items()}
        params = {name: str(value) for name, value in request.path_params.items()}
        call = Call(
            operation,
            request.method,
            request.url.path,
            params,
            dict(request.query_params),
            headers,
            await request.body(),
            str(uuid.uuid4()),
        )
        self.calls.append(call)
        return call

    def _trouble(self, operation: str) -> Trouble | None:
        if self._next[operation]:
            return self._next[operation].popleft()
        return self._outages.get(operation) or self._outages.get("")

    async def _answer(self, call: Call, work: Work, schema: str) -> Answer:
        if refused := self._first(call):
            return refused
        found = work(call)
        answer = await found if inspect.isawaitable(found) else found
        if schema and answer.status < 300 and (vendor := load("messaging-api")):
            wrong = vendor.check(schema, answer.document)
            assert not wrong, f"the stand-in answers {call.operation} wrongly: {wrong}"
        return answer

    def _first(self, call: Call) -> Answer | None:
        """What is refused before anybody looks at the request's meaning."""
        public = call.operation.startswith("oauth")
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if not public and (scheme != "Bearer" or self.account.token_seconds(token) == 0):
            return error(401, BAD_TOKEN)
        if len(call.body) > BODY_BYTES:
            return self.refuse(call, [Finding("", "the body is over 2 MB")], error(413, "Request entity too large"))
        if RETRY_HEADER in call.headers and call.operation != "push":
            finding = Finding(RETRY_HEADER, "the retry key is for push, multicast, narrowcast and broadcast only")
            return self.refuse(call, [finding])
        if self.account.too_many(call.operation):
            return self.refuse(call, [Finding("", "over the documented rate")], error(429, RATE_EXCEEDED))
        return None

    def refuse(self, call: Call, findings: Iterable[Finding], answer: Answer | None = None) -> Answer:
        """Keep the faults and answer 400, or as told."""
        found = list(findings)
        self.account.blame(call.operation, found)
        return answer or refusal(each for each in found if each.refused)

    def checked(self, call: Call, findings: Callable[[Any], Iterable[Finding]], schema: str) -> Answer | None:
        """The body against our table and the vendor's schema; None when LINE takes it."""
        document = call.document
        if not isinstance(document, dict):
            return self.refuse(
                call, [Finding("", "no JSON object")], error(400, "The request body could not be parsed as JSON")
            )
        found = list(findings(document))
        if vendor := load("messaging-api"):
            found += vendor.check(schema, document)
        if any(each.refused for each in found):
            return self.refuse(call, found)
        self.account.blame(call.operation, found)
        return None


def _response(call: Call, answer: Answer) -> Response:
    call.status = answer.status
    body = json.dumps(answer.document).encode() if answer.raw is None else answer.raw
    headers = {"x-line-request-id": call.request_id, **dict(answer.headers)}
    return Response(body, answer.status, headers, media_type=answer.media_type)
