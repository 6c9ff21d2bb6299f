"""Who is at the desk: Argon2 passwords, codes, server-side sessions with idle and absolute limits, slow guessing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.requests import Request
from starlette.responses import Response

from bot.desk.codes import recovery_hash, step_of, typed
from bot.desk.patience import Patience, TooMany
from bot.desk.rights import Role
from bot.store import Store
from bot.store.records import StaffRow

COOKIE = "labor_desk"
PATH = "/desk"
IDLE_SECONDS = 30 * 60.0
ABSOLUTE_SECONDS = 12 * 3600.0
TOUCH_SECONDS = 60.0
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1000
FREE_TRIES = 5
FREE_TRIES_ADDRESS = 20  # an office shares one
HALFWAY = "labor_desk_code"
HALFWAY_PATH = "/desk/login"
HALFWAY_SECONDS = 5 * 60.0
CONFIRMED_SECONDS = 5 * 60.0
BY_PASSWORD = "password"  # noqa: S105 - the kind of a log-in, not a secret
BY_PROVIDER = "provider"
ROLES = tuple(role.value for role in Role)


_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The Argon2id hash that is kept."""
    return _hasher.hash(password)


@cache
def _nobody() -> str:
    """A hash that no password belongs to."""
    return hash_password(secrets.token_urlsafe(16))


def one_time_password() -> str:
    """A password to hand over once: it must be changed at the first log-in."""
    return secrets.token_urlsafe(12)


def matches(password_hash: str, password: str) -> bool:
    """Does the password belong to the hash?"""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def token_hash(token: str) -> bytes:
    """What the store keeps of a session's token."""
    return hashlib.sha256(token.encode()).digest()


@dataclass
class Doorkeeper:
    """Log-in, log-out and who a request comes from."""

    store: Store
    secure: bool
    client_ip: Callable[[Request], str]
    now: Callable[[], float] = time.time
    names: Patience = field(default_factory=lambda: Patience(FREE_TRIES))
    addresses: Patience = field(default_factory=lambda: Patience(FREE_TRIES_ADDRESS))
    _touched: dict[bytes, float] = field(default_factory=dict)

    async def staff(self, request: Request) -> StaffRow | None:
        """The caseworker of a request; using the desk keeps the session from idling out."""
        token = request.cookies.get(COOKIE, "")
        if not token:
            return None
        hashed = token_hash(token)
        row = self.store.session(hashed, IDLE_SECONDS, ABSOLUTE_SECONDS)
        if row is not None and not _by_itself(request):
            await self._touch(hashed)
        return row

    async def _touch(self, hashed: bytes) -> None:
        if time.monotonic() - self._touched.get(hashed, -TOUCH_SECONDS) < TOUCH_SECONDS:
            return
        if len(self._touched) > 10_000:
            self._touched.clear()
        self._touched[hashed] = time.monotonic()
        with contextlib.suppress(OSError):  # reading goes on while nothing can be written
            await self.store.touch_session(hashed)

    async def check(self, request: Request, name: str, password: str) -> StaffRow | None:
        """The account if name and password are right, else None. A name that nobody has is answered the same way.

        Raises TooMany when there were too many tries for the name or from the address.
        """
        name_key, address = _name_key(name), self.client_ip(request)
        self._take(name_key, address)
        row = self.store.staff_by_name(name)
        known = row is not None and not row.disabled and not row.late
        # Unknown names cost as much time as known ones.
        kept = row.password_hash if row and known else await asyncio.to_thread(_nobody)
        right = await asyncio.to_thread(matches, kept, password[:LONGEST_PASSWORD])
        if not (row and known and right):
            return None
        self.names.forget(name_key)
        self.addresses.take_back(address)
        return row

    async def check_code(self, request: Request, staff: StaffRow, code: str) -> str:
        """How the second step went: `code`, `recovery`, or empty when the code is wrong or was used before.

        Raises TooMany as `check` does.
        """
        key, address = f"code:{staff.id}", self.client_ip(request)
        self._take(key, address)
        how = await self._second(staff, typed(code[:100]))
        if how:
            self.names.forget(key)
            self.addresses.take_back(address)
        return how

    def _take(self, key: str, address: str) -> None:
        if wait := max(self.names.wait(key), self.addresses.wait(address)):
            raise TooMany(wait)
        self.names.take(key)
        self.addresses.take(address)

    async def _second(self, staff: StaffRow, code: str) -> str:
        secret = self.store.second.of(staff.id).secret
        step = step_of(secret, code, self.now()) if secret else None
        if step is not None:
            return "code" if await self.store.second.use_step(staff.id, step) else ""
        return "recovery" if await self.store.second.use_recovery(staff.id, recovery_hash(code)) else ""

    async def enter(self, request: Request, response: Response, staff: StaffRow, first: str = BY_PASSWORD) -> None:
        """Open a session and hand its token to the browser, for the desk's paths only. The one before it ends.

        A session by the provider's word counts as one in which the password was not given.
        """
        if before := request.cookies.get(COOKIE, ""):
            await self.store.end_session(token_hash(before))
        token = secrets.token_urlsafe(32)
        await self.store.open_session(token_hash(token), staff.id, confirmed=first == BY_PASSWORD)
        if first == BY_PROVIDER:
            await self.store.note(staff.id, "session.oidc", f"staff/{staff.id}")
        await self.store.note(staff.id, "login", f"staff/{staff.id}")
        response.set_cookie(COOKIE, token, path=PATH, httponly=True, samesite="strict", secure=self.secure)

    async def leave(self, request: Request, response: Response) -> None:
        """End the session."""
        token = request.cookies.get(COOKIE, "")
        if token:
            await self.store.end_session(token_hash(token))
        response.delete_cookie(COOKIE, path=PATH)

    async def enter_half(self, response: Response, staff: StaffRow, first: str = BY_PASSWORD) -> None:
        """The first step was right: a few minutes for the code. Nothing but the page of the code takes this token."""
        token = secrets.token_urlsafe(32)
        await self.store.second.open_half(token_hash(token), staff.id, HALFWAY_SECONDS, first)
        response.set_cookie(HALFWAY, token, path=HALFWAY_PATH, httponly=True, samesite="strict", secure=self.secure)

    def half(self, request: Request) -> StaffRow | None:
        """Who gave the right password a moment ago and still owes the code."""
        return self.store.second.half(token_hash(request.cookies.get(HALFWAY, "")), HALFWAY_SECONDS)

    async def leave_half(self, request: Request, response: Response) -> str:
        """The half-open log-in ends; what its first step was, empty when it had ended before."""
        response.delete_cookie(HALFWAY, path=HALFWAY_PATH)
        return await self.store.second.end_half(token_hash(request.cookies.get(HALFWAY, "")))

    def session(self, request: Request) -> bytes:
        """The hash that this request's session is kept by."""
        return token_hash(request.cookies.get(COOKIE, ""))

    def confirmed(self, request: Request, staff: StaffRow) -> bool:
        """Was the password given in this session a moment ago? Asked before what does much harm in wrong hands."""
        return self.store.people.confirmed(staff.id, self.session(request), CONFIRMED_SECONDS)

    async def confirm(self, request: Request) -> None:
        """It was given just now."""
        await self.store.people.confirm(self.session(request))


def _name_key(name: str) -> str:
    return f"name:{name[:100].casefold()}"


def _by_itself(request: Request) -> bool:
    """A page that refreshes itself is not somebody at the desk: sessions idle out under it."""
    return request.method == "GET" and request.headers.get("sec-fetch-dest") == "empty"
