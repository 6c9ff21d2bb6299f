"""Who is at the desk: Argon2 passwords, server-side sessions with idle and absolute limits, slow guessing."""

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

from bot.channels.budget import Budget
from bot.desk.rights import Role
from bot.store import Store
from bot.store.records import StaffRow

COOKIE = "labor_desk"
PATH = "/desk"
IDLE_SECONDS = 30 * 60.0
ABSOLUTE_SECONDS = 12 * 3600.0
TOUCH_SECONDS = 60.0
SHORTEST_PASSWORD = 12
LOGINS_PER_MINUTE = 10
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
    _tries: Budget = field(default_factory=lambda: Budget(LOGINS_PER_MINUTE, time.monotonic))
    _touched: dict[bytes, float] = field(default_factory=dict)

    async def staff(self, request: Request) -> StaffRow | None:
        """The caseworker of a request; using the desk keeps the session from idling out."""
        token = request.cookies.get(COOKIE, "")
        if not token:
            return None
        hashed = token_hash(token)
        row = self.store.session(hashed, IDLE_SECONDS, ABSOLUTE_SECONDS)
        if row is not None and time.monotonic() - self._touched.get(hashed, -TOUCH_SECONDS) >= TOUCH_SECONDS:
            if len(self._touched) > 10_000:
                self._touched.clear()
            self._touched[hashed] = time.monotonic()
            with contextlib.suppress(OSError):  # reading goes on while nothing can be written
                await self.store.touch_session(hashed)
        return row

    async def check(self, request: Request, name: str, password: str) -> StaffRow | bool | None:
        """The account if name and password are right, None if not, False when there were too many tries."""
        if not self._tries.take(self.client_ip(request)) or not self._tries.take(f"name:{name[:100]}"):
            return False
        row = self.store.staff_by_name(name)
        known = row is not None and not row.disabled
        # Unknown names cost as much time as known ones.
        kept = row.password_hash if row and known else await asyncio.to_thread(_nobody)
        right = await asyncio.to_thread(matches, kept, password[:1000])
        return row if known and right else None

    async def enter(self, response: Response, staff: StaffRow) -> None:
        """Open a session and hand its token to the browser, for the desk's paths only."""
        token = secrets.token_urlsafe(32)
        await self.store.open_session(token_hash(token), staff.id)
        await self.store.note(staff.id, "login", f"staff/{staff.id}")
        response.set_cookie(COOKIE, token, path=PATH, httponly=True, samesite="strict", secure=self.secure)

    async def leave(self, request: Request, response: Response) -> None:
        """End the session."""
        token = request.cookies.get(COOKIE, "")
        if token:
            await self.store.end_session(token_hash(token))
        response.delete_cookie(COOKIE, path=PATH)
