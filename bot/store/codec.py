"""The one place that text on disk passes: plain until an installation sets a key."""

from __future__ import annotations

PLAIN = "0"


def encode(text: str) -> str:
    """Text as it is stored: the first character names the scheme."""
    return PLAIN + text


def decode(stored: str) -> str:
    """Stored text as it was; a row without content stays empty.

    Raises ValueError when the scheme is unknown.
    """
    if not stored:
        return ""
    if stored[0] != PLAIN:
        raise ValueError(f"unknown storage scheme {stored[0]!r}")
    return stored[1:]


def encode_bytes(content: bytes) -> bytes:
    """Binary content as it is stored."""
    return PLAIN.encode() + content


def decode_bytes(stored: bytes) -> bytes:
    """Stored binary content as it was.

    Raises ValueError when the scheme is unknown.
    """
    if stored[:1] != PLAIN.encode():
        raise ValueError(f"unknown storage scheme {stored[:1]!r}")
    return stored[1:]
