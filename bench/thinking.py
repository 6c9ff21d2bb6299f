"""Milliseconds per `understand`, in this process: messages seen before, and new ones."""

from __future__ import annotations

import random
import time

from bench import mix
from bot.pipeline.resources import load_resources
from intents import Context

NEW = 1500


def measure() -> dict[str, list[float]]:
    """Sorted milliseconds by kind."""
    understander = load_resources().understander
    chance = random.Random(3)
    pool = mix.sentences(chance)
    fresh = [mix.around(mix.fresh(pool, chance), chance) for _ in range(NEW)]
    context = Context()

    def timed(text: str) -> float:
        began = time.perf_counter()
        understander.understand(text, context)
        return 1000 * (time.perf_counter() - began)

    for text in pool:
        understander.understand(text, context)
    cached = sorted(timed(text) for _ in range(20) for text in pool)
    return {"seen before": cached, "new": sorted(map(timed, fresh))}
