"""ID tokens of an identity provider: whom one speaks of, once its signature and every claim are right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from bot import observe
from bot.desk.oidc import Refused

# Signatures by a key pair alone: a shared secret, or no signature at all, is none.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
KINDS = ("RSA", "EC")
LEEWAY = 60  # seconds that two clocks may be apart
LONGEST_SUBJECT = 255
# A token may name what we do not know in its header, but nothing that we would have to obey ("crit").
_REGISTRY = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
_ODD = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class UnknownKey(Exception):
    """The token names a key that is not in the set: perhaps the provider has changed its keys."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say: who speaks, to whom, for which log-in. `now`: Unix seconds."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    now: float


def key_set(document: Mapping[str, Any]) -> KeySet:
    """The public keys of a JWKS document that are of a kind we know. Raises ValueError when it holds none."""
    keys = document.get("keys")
    able = [each for each in keys if _known(each)] if isinstance(keys, list) else []
    try:
        return KeySet.import_key_set({"keys": able})
    except _ODD as error:
        raise ValueError("no usable key") from error


def _known(key: object) -> bool:
    return isinstance(key, dict) and key.get("kty") in KINDS


def subject_of(token: str, keys: KeySet, expected: Expected) -> str:
    """The subject that the token speaks of.

    Raises UnknownKey when the key is not among `keys`, Refused when anything else is wrong.
    """
    try:
        read = jwt.decode(token, keys, registry=_REGISTRY)
    except InvalidKeyIdError:
        raise UnknownKey from None
    except _ODD as error:
        observe.failure("oidc.signature", error)
        raise Refused from None
    return _checked(read, expected)


def _checked(read: jwt.Token, expected: Expected) -> str:
    """The subject once every claim is right. Raises Refused."""
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
    }
    params = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": expected.access_token}
    try:
        CodeIDToken(read.claims, read.header, options, params).validate(int(expected.now), LEEWAY)
    except _ODD as error:
        observe.failure("oidc.claims", error)
        raise Refused from None
    subject = read.claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise Refused
    return subject
