"""A small identity provider that signs whatever a test wants: every fault that the desk must see through.

`with Standin() as idp: url = idp.approve(way_out, "subject")` logs somebody in and returns the way back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .serving import ThreadServer

CLIENT = "labor-bot"
SECRET = "secret-of-the-stand-in"
PATHS = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}

Claims = dict[str, Any]
Answer = Callable[[Request], Response]


@dataclass(frozen=True)
class Grant:
    """What a code stands for."""

    subject: str
    asked: dict[str, str]


@dataclass
class Faults:
    """What goes wrong. `claims` are laid over the token's (None takes one out), `told` over the description.

    `sign` makes the token instead; `answers` by path are given instead, `bent` by path are made of the honest ones.
    """

    claims: Claims = field(default_factory=dict)
    told: Claims = field(default_factory=dict)
    sign: Callable[[Claims], str] | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    bent: dict[str, Callable[[Response], Response]] = field(default_factory=dict)


class Standin:
    """One issuer with one client. Its faults are put right by `idp.faults = Faults()`."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.keys: list[ECKey] = []
        self.codes: dict[str, Grant] = {}
        self.calls: list[str] = []
        self.rotate()
        routes = [Route("/{path:path}", self._serve, methods=["GET", "POST"])]
        self._server = ThreadServer(Starlette(routes=routes))

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.stop()

    @property
    def issuer(self) -> str:
        """Its name and address."""
        return f"http://127.0.0.1:{self._server.port}"

    def rotate(self) -> None:
        """Another key in place of all others."""
        self.keys = [ECKey.generate_key("P-256", {"kid": secrets.token_hex(4), "use": "sig"}, private=True)]

    # -- somebody logs in

    def approve(self, way_out: str, subject: str) -> str:
        """Somebody followed the way out and logged in; the address that their browser is sent back to."""
        parts = urlsplit(way_out)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        asked = dict(parse_qsl(parts.query, strict_parsing=True))
        assert (asked["client_id"], asked["response_type"], asked["scope"]) == (CLIENT, "code", "openid")
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = Grant(subject, asked)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    # -- what the server asks

    async def _serve(self, request: Request) -> Response:
        path = request.url.path
        self.calls.append(f"{request.method} {path}")
        if path in self.faults.answers:
            return self.faults.answers[path](request)
        honest = await self._honest(request, path)
        return self.faults.bent.get(path, lambda same: same)(honest)

    async def _honest(self, request: Request, path: str) -> Response:
        if path == "/.well-known/openid-configuration":
            return JSONResponse(self.description() | self.faults.told)
        if path == "/keys":
            return JSONResponse(KeySet(list(self.keys)).as_dict(private=False))
        if path == "/token":
            return self._token(request, dict(parse_qsl((await request.body()).decode())))
        return Response(status_code=404)

    def description(self) -> Claims:
        """What it says of itself."""
        return {
            "issuer": self.issuer,
            **{name: self.issuer + path for name, path in PATHS.items()},
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _token(self, request: Request, form: dict[str, str]) -> Response:
        """As a careful provider: the right client, the right address, the right verifier, each code once."""
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"error": "invalid_client"}, 401)
        grant = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            grant is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != grant.asked["redirect_uri"]
            or challenge != grant.asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        access_token = secrets.token_urlsafe(16)
        token = self.id_token(grant, access_token)
        return JSONResponse({"access_token": access_token, "token_type": "Bearer", "id_token": token})

    def id_token(self, grant: Grant, access_token: str) -> str:
        """The signed word, with the test's faults in it."""
        now = int(time.time())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims: Claims = {
            "iss": self.issuer,
            "sub": grant.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": grant.asked["nonce"],
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        } | self.faults.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.faults.sign is not None:
            return self.faults.sign(claims)
        return self.signed(claims)

    def signed(self, claims: Claims, header: Claims = {}) -> str:
        """A good signature, whatever else the header says."""
        key = self.keys[0]
        body = f"{_part({'alg': 'ES256', 'kid': key.kid, **header})}.{_part(claims)}"
        return f"{body}.{_url(JWSRegistry.algorithms['ES256'].sign(body.encode(), key))}"

    # -- what no library would sign

    def unsigned(self, claims: Claims) -> str:
        """`alg` none."""
        return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."

    def by_public_key(self, claims: Claims) -> str:
        """HS256 with the public key, which everybody has, as the secret."""
        key = self.keys[0]
        body = f"{_part({'alg': 'HS256', 'kid': key.kid})}.{_part(claims)}"
        return f"{body}.{_url(hmac.new(key.as_pem(private=False), body.encode(), hashlib.sha256).digest())}"

    def by_own_key(self, claims: Claims) -> str:
        """A good signature by a key that the header itself brings along."""
        stranger = ECKey.generate_key("P-256", {"kid": self.keys[0].kid}, private=True)
        header = {"alg": "ES256", "kid": stranger.kid, "jwk": stranger.as_dict(private=False)}
        return jwt.encode(header, claims, stranger)

    def by_unknown_key(self, claims: Claims) -> str:
        """A good signature by a key under a name that the set does not have."""
        stranger = ECKey.generate_key("P-256", {"kid": "nobody's"}, private=True)
        header = {"alg": "ES256", "kid": "nobody's", "jku": f"{self.issuer}/inside"}
        return jwt.encode(header, claims, stranger)

    def altered(self, claims: Claims) -> str:
        """Signed for one subject, then written over with another."""
        head, _, signature = self.signed(claims).split(".")
        return f"{head}.{_part(claims | {'sub': 'somebody else'})}.{signature}"


def _part(value: Claims) -> str:
    return _url(json.dumps(value).encode())


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
