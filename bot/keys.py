"""Keys of the store as a setting writes them: `id:base64`, the one that writes first."""

from __future__ import annotations

import re
import secrets
from base64 import b64decode, b64encode

KEY_BYTES = 32
MEANING = (
    "Keys that texts and files are stored under: a comma list of `id:base64`, the first writes, all read; empty: stored"
    " plain. `labor-bot store key` prints one."
)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


class BadKeys(Exception):
    """They cannot be used; the argument says why, without any of a key."""


def keys_of(text: str) -> tuple[tuple[str, bytes], ...]:
    """(id, 32 bytes) of each, from a list parted by commas or lines. Raises BadKeys."""
    keys = tuple(_key(part.strip()) for part in re.split(r"[,\n]", text) if part.strip())
    if len({name for name, _ in keys}) < len(keys):
        raise BadKeys("two keys have the same id")
    return keys


def _key(text: str) -> tuple[str, bytes]:
    name, _, letters = text.partition(":")
    if not NAME.fullmatch(name):
        raise BadKeys("an id may have 1 to 32 of A-Z, a-z, 0-9, _ and -, and a colon follows it")
    try:
        key = b64decode(letters, validate=True)
    except ValueError:
        raise BadKeys(f"what follows {name}: is not base64") from None
    if len(key) != KEY_BYTES:
        raise BadKeys(f"key {name} has {len(key)} bytes instead of {KEY_BYTES}")
    return name, key


def fresh_key(name: str = "") -> str:
    """A new key as the setting takes it; without a name it gets one by chance."""
    return f"{name or f'k{secrets.token_hex(3)}'}:{b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"
