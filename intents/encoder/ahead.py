"""An encoder that never waits: it knows only the vectors that were fetched ahead, off the event loop."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from intents.encoder import Encoder, Vector

REMEMBERED = 2048


class Ahead:
    """An `Encoder` before another one; safe to share between threads."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: OrderedDict[str, Vector] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def state(self) -> str:
        """Of the slow encoder, as EncoderProcess tells it."""
        return str(getattr(self._encoder, "state", "ready"))

    def encode(self, text: str) -> Vector | None:
        """The vector if it was fetched."""
        with self._lock:
            return self._known.get(text)

    def fetch(self, texts: Iterable[str]) -> None:
        """Ask the slow encoder; what it does not answer stays unknown."""
        for text in texts:
            vector = self._encoder.encode(text)
            if vector is None:
                continue
            with self._lock:
                self._known[text] = vector
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
