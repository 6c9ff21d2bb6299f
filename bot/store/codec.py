"""The one place that text on disk passes: plain until an installation sets a key, then sealed."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

from bot.store.keyring import Keyring, Keys, UnknownKey, Unreadable

__all__ = ["Keyring", "Keys", "UnknownKey", "Unreadable", "decode", "encode"]

PLAIN = "0"
SEALED = "E"  # no single bit away from PLAIN: what was sealed never turns into text by a fault of the disk
_PLAIN, _SEALED = PLAIN.encode(), SEALED.encode()
_END = ":"  # between the key's name and what is sealed

_ring: Keyring | None = None


def use_keys(keys: Keys) -> None:
    """From now on this process writes with the first of these keys and reads with all; without any it writes plain."""
    use(Keyring(keys) if keys else None)


def use(ring: Keyring | None) -> Keyring | None:
    """The same with a ring that is there; returns the one that was used before, to put it back."""
    global _ring
    before, _ring = _ring, ring
    return before


def ring() -> Keyring | None:
    """The keys in use."""
    return _ring


def prefix(name: str) -> str:
    """How everything begins that is stored under the key of this name."""
    return f"{SEALED}{name}{_END}"


def public(text: str) -> str:
    """A text of ours that says nothing about anybody, stored the same by every installation: SQL may compare it."""
    return PLAIN + text


def encode(text: str) -> str:
    """Text as it is stored: the first character names the scheme, then, where there are keys, the one it is under."""
    keys = _ring
    if keys is None:
        return PLAIN + text
    head = prefix(keys.first)
    return head + b2a_base64(keys.seal(text.encode(), head.encode()), newline=False).decode()


def decode(stored: str) -> str:
    """Stored text as it was; a row without content stays empty.

    Raises UnknownKey, and Unreadable when it was changed or the scheme is unknown.
    """
    if not stored:
        return ""
    if stored[0] == PLAIN:
        return stored[1:]
    if stored[0] != SEALED:
        raise Unreadable(f"unknown storage scheme {stored[0]!r}")
    name, _, sealed = stored[1:].partition(_END)
    return _open(name, _unwrapped(sealed)).decode()


def encode_bytes(content: bytes) -> bytes:
    """Binary content as it is stored."""
    keys = _ring
    if keys is None:
        return _PLAIN + content
    head = prefix(keys.first).encode()
    return head + keys.seal(content, head)


def decode_bytes(stored: bytes) -> bytes:
    """Stored binary content as it was. Raises as decode does."""
    if stored[:1] == _PLAIN:
        return stored[1:]
    if stored[:1] != _SEALED:
        raise Unreadable(f"unknown storage scheme {stored[:1]!r}")
    name, _, sealed = stored[1:].partition(_END.encode())
    return _open(name.decode("ascii", "replace"), sealed)


def key_of(stored: str | bytes) -> str:
    """The name of the key that it is under; empty for plain."""
    text = stored if isinstance(stored, str) else stored[:200].decode("ascii", "replace")
    return text[1:].partition(_END)[0] if text[:1] == SEALED else ""


def _open(name: str, sealed: bytes) -> bytes:
    if _ring is None:
        raise UnknownKey(name)
    return _ring.open(name, sealed, prefix(name).encode())


def _unwrapped(text: str) -> bytes:
    """From base64, as strictly as it was written: every bit of it counts."""
    try:
        sealed = a2b_base64(text.encode("ascii"))
    except ValueError as error:
        raise Unreadable("what is stored was changed") from error
    if b2a_base64(sealed, newline=False).decode() != text:
        raise Unreadable("what is stored was changed")
    return sealed
