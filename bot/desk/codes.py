"""Codes of the second step: what an authenticator shows now, and recovery codes for when it is lost."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b32encode

import pyotp
import segno
from markupsafe import Markup

STEP_SECONDS = 30
DRIFT = 1  # steps that a phone's clock may be early or late
RECOVERY_CODES = 10


def fresh_secret() -> str:
    """A secret for an authenticator: 160 random bits in base 32."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, at: float) -> int | None:
    """The time step whose code this is, at the Unix time `at`; None when it is none of now."""
    totp, now = pyotp.TOTP(secret), int(at) // STEP_SECONDS
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            found = step
    return found


def drawn(secret: str, account: str, house: str) -> Markup:
    """The secret as a QR code for authenticators: an SVG element, dark on white with its quiet zone."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=house)
    code = segno.make(uri, micro=False, error="m")
    # Our own program drew it, from a path and numbers alone.
    return Markup(code.svg_inline(omitsize=True, border=4, light="white", svgclass="qr", lineclass=None))  # noqa: S704


def fresh_recovery() -> list[str]:
    """Ten codes of 120 random bits, in groups of four letters and digits."""
    return [_grouped(b32encode(secrets.token_bytes(15)).decode().lower()) for _ in range(RECOVERY_CODES)]


def _grouped(text: str) -> str:
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def grouped(secret: str) -> str:
    """A secret in groups of four, to be typed by hand."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def recovery_hash(code: str) -> bytes:
    """What is kept of a recovery code; blanks, hyphens and capitals do not count. It is random: no salt needed."""
    return hashlib.sha256("".join(code.split()).replace("-", "").lower().encode()).digest()


def typed(code: str) -> str:
    """A code as it was meant: without the blank that authenticators show in its middle."""
    return "".join(code.split())
