"""What goes over the line between the two processes: a text one way, a vector the other, each with its length."""

from __future__ import annotations

import struct
from typing import BinaryIO

LENGTH = struct.Struct("<I")
LARGEST = 1 << 16
READY = b"ready"


def packed(body: bytes) -> bytes:
    """A body with its length in front."""
    return LENGTH.pack(len(body)) + body


def write(pipe: BinaryIO, body: bytes) -> None:
    """One frame, at once."""
    pipe.write(packed(body))
    pipe.flush()


def read(pipe: BinaryIO) -> bytes | None:
    """The next frame, or None where the other side is gone or talks nonsense."""
    head = pipe.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = pipe.read(size) if size <= LARGEST else b""
    return body if len(body) == size else None
