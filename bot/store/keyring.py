"""The keys of this process: what is kept is sealed with the first of them and read with all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.store.connection import StoreUnavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16

Keys = Sequence[tuple[str, bytes]]
"""(id, 32 bytes) of each key, the one that writes first."""


class Unreadable(StoreUnavailable):
    """What is stored cannot be read: it was changed, or its key is another one than the one of that name."""


class UnknownKey(Unreadable):
    """What is stored is under a key that this process was not given; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"stored under key {name!r}, which LABOR_BOT_STORE_KEYS does not hold")
        self.name = name


class Keyring:
    """AES-256-GCM with a random nonce for each text. At most 2**32 texts should be written under one key."""

    def __init__(self, keys: Keys) -> None:
        from cryptography.exceptions import InvalidTag  # loaded only where there are keys
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._ciphers: dict[str, AESGCM] = {name: AESGCM(key) for name, key in keys}
        self._refused = InvalidTag
        self.names = tuple(self._ciphers)
        self.first = self.names[0]
        self._cipher = self._ciphers[self.first]

    def seal(self, content: bytes, about: bytes) -> bytes:
        """Nonce, ciphertext and tag under the first key; `about` is not kept, but must be the same to open it."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, about)

    def open(self, name: str, sealed: bytes, about: bytes) -> bytes:
        """What was sealed under the key of that name. Raises UnknownKey, Unreadable."""
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise UnknownKey(name)
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise Unreadable("what is stored was cut off")
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
        except self._refused:
            raise Unreadable(f"what is stored was changed, or key {name!r} is another one") from None
