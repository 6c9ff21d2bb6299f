"""The city's identity provider, as OpenID Connect has it: the way there, and the word it gives for a code."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.discovery import get_well_known_url
from joserfc.jwk import KeySet

from bot import observe
from bot.desk.id_token import Expected, UnknownKey, key_set, subject_of
from bot.desk.oidc import ProviderAway, Refused
from bot.desk.wire import Wire, WireFailed
from bot.store.identities import Attempt

KEEP_SECONDS = 3600.0  # what the provider says about itself
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LONGEST_CODE = 4000


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are at the provider. `back`: where it sends browsers back to, in full."""

    id: str
    secret: str = field(repr=False)
    back: str


@dataclass
class Provider:
    """One issuer. Only it is asked, and the addresses that its own description names; nobody else can name one."""

    name: str
    issuer: str
    client: Client
    now: Callable[[], float] = time.time
    _wire: Wire = field(init=False)
    _told: dict[str, Any] = field(default_factory=dict)
    _told_at: float = -KEEP_SECONDS
    _keys: KeySet | None = None
    _keys_at: float = -KEEP_SECONDS

    def __post_init__(self) -> None:
        self._wire = Wire(self.issuer)

    async def way_out(self, state: str, attempt: Attempt) -> str:
        """Where the browser is sent. Whoever connects an account is asked to log in there anew.

        Raises ProviderAway.
        """
        told = await self._description()
        url: str = prepare_grant_uri(
            told["authorization_endpoint"],
            self.client.id,
            "code",
            self.client.back,
            "openid",
            state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
            prompt=None if attempt.staff_id is None else "login",
        )
        return url

    async def subject(self, code: str, iss: str | None, attempt: Attempt) -> str:
        """Whom the provider's word speaks of, for a code that came back. `iss`: who says to have sent it, if said.

        Raises ProviderAway or Refused.
        """
        told = await self._description()
        silent = iss is None and told.get("authorization_response_iss_parameter_supported") is not True
        if not (silent or iss == self.issuer) or not 0 < len(code) <= LONGEST_CODE or not code.isascii():
            raise Refused
        token, access_token = await self._exchange(told, code, attempt.verifier)
        expected = Expected(self.issuer, self.client.id, attempt.nonce, access_token, self.now())
        for fresh in (False, True):  # the provider may have changed its keys since they were read
            with contextlib.suppress(UnknownKey):
                return subject_of(token, await self._key_set(told, fresh), expected)
        observe.count("oidc.unknown_key")
        raise Refused

    async def _exchange(self, told: dict[str, Any], code: str, verifier: str) -> tuple[str, str]:
        """The ID token for a code, and the access token that it may vouch for, which we use for nothing."""
        asked = prepare_token_request(
            "authorization_code", redirect_uri=self.client.back, code=code, code_verifier=verifier
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        able = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in able else "client_secret_post"
        auth = ClientAuth(self.client.id, self.client.secret, method)
        url, headers, asked = auth.prepare("POST", told["token_endpoint"], headers, asked)
        status, answer = await self._ask(url, asked, headers)
        token, access_token = answer.get("id_token"), answer.get("access_token", "")
        if status != 200 or not isinstance(token, str) or not isinstance(access_token, str):
            observe.count("oidc.code_refused")
            raise Refused
        return token, access_token

    async def _description(self) -> dict[str, Any]:
        """What the issuer says about itself, at most an hour old. Raises ProviderAway."""
        if time.monotonic() - self._told_at >= KEEP_SECONDS:
            status, told = await self._ask(get_well_known_url(self.issuer, external=True))
            allowed = all(self._wire.allowed(told.get(name)) for name in NEEDED)
            if status != 200 or told.get("issuer") != self.issuer or not allowed:
                observe.count("oidc.bad_description")
                raise ProviderAway
            self._told, self._told_at = told, time.monotonic()
        return self._told

    async def _key_set(self, told: dict[str, Any], fresh: bool = False) -> KeySet:
        """The issuer's keys, at most an hour old. Raises ProviderAway."""
        if self._keys is None or fresh or time.monotonic() - self._keys_at >= KEEP_SECONDS:
            status, document = await self._ask(told["jwks_uri"])
            try:
                self._keys = key_set(document if status == 200 else {})
            except ValueError as error:
                observe.failure("oidc.keys", error)
                raise ProviderAway from None
            self._keys_at = time.monotonic()
        return self._keys

    async def _ask(self, url: str, body: str | None = None, headers: dict[str, str] = {}) -> tuple[int, dict[str, Any]]:
        """Ask the provider; status and JSON object. Raises ProviderAway."""
        try:
            return await self._wire.ask(url, body, headers)
        except WireFailed as error:
            observe.failure("oidc.away", error.__cause__ or error)
            raise ProviderAway from None
