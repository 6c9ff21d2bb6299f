"""Encodes many texts for a build step or a measurement: several processes, and a file that remembers vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from intents.encoder import SIZE, Vector
from intents.encoder.guard import guarded
from intents.encoder.process import COMMAND, EncoderProcess

SECONDS = 20.0
"""For one text: a build step has time."""


class EncodingError(RuntimeError):
    """The encoder did not answer; the message says how many texts failed."""


def encode_all(
    texts: Sequence[str],
    now: Callable[[], float],
    store: Path | None = None,
    processes: int = 2,
    command: Sequence[str] = COMMAND,
) -> Vector:
    """One row of `SIZE` numbers a text. `store`: a file that remembers vectors between runs.

    Raises EncodingError where a text gets no vector.
    """
    known = _load(store)
    keys = [_key(text) for text in texts]
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        known |= _encoded(missing, now, processes, command)
        _save(store, known)
    return np.stack([known[key] for key in keys]).astype(np.float32) if keys else np.zeros((0, SIZE), np.float32)


def _encoded(
    missing: dict[bytes, str], now: Callable[[], float], processes: int, command: Sequence[str]
) -> dict[bytes, Vector]:
    encoders = [EncoderProcess(now, command, SECONDS, patient=True) for _ in range(processes)]
    items = list(missing.items())

    def share(number: int) -> list[tuple[bytes, Vector | None]]:
        return [(key, encoders[number].encode(text)) for key, text in items[number::processes]]

    try:
        with ThreadPoolExecutor(processes) as pool:
            found = dict(pair for part in pool.map(share, range(processes)) for pair in part)
    finally:
        for encoder in encoders:
            encoder.close()
    failed = sum(vector is None for vector in found.values())
    if failed:
        raise EncodingError(f"{failed} of {len(found)} texts got no vector: is the encoder installed?")
    return {key: vector for key, vector in found.items() if vector is not None}


def _key(text: str) -> bytes:
    return hashlib.blake2b(guarded(text).encode(), digest_size=16).digest()


def _load(store: Path | None) -> dict[bytes, Vector]:
    if store is None or not store.exists():
        return {}
    with np.load(store, allow_pickle=False) as arrays:
        keys, vectors = arrays["keys"], arrays["vectors"]
    return {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)}


def _save(store: Path | None, known: dict[bytes, Vector]) -> None:
    if store is None:
        return
    store.parent.mkdir(parents=True, exist_ok=True)
    keys = np.array([np.frombuffer(key, np.uint8) for key in known])
    np.savez(store, keys=keys, vectors=np.array(list(known.values()), np.float16))
