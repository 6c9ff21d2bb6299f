"""What the load says: 60 % taps, sentences seen before, and a few new ones (3 %). The same seed says the same."""

from __future__ import annotations

import random
from collections.abc import Iterator

from intents.authored import read
from intents.labels import LANGUAGES

TAPS, NEW = 0.60, 0.03
POOL = 400
LEFT_OUT = ("urgent", "handoff", "language")  # these would change whom the load talks to, or its language

SCRIPT = (
    "menu",
    "who",
    "themes",
    "topic:p15",
    "aspect:p15:amount",
    "aspect:p15:eligibility",
    "check:p15",
    "answer:age:unknown",
    "answer:registered_in_city:yes",
    "answer:first_job_search:yes",
    "back",
    "stop",
    "topic:p02",
    "aspect:p02:how-to-apply",
    "topic:p06",
    "topic:p06.4",
    "aspect:p06.4:contact",
    "topic:ov3",
    "checks",
    "topic:p20",
    "aspect:p20:budget",
    "topic:p24",
    "privacy",
    "stations",
)
"""What a citizen taps, one after the other; texts come in between."""

BEFORE = ("請問", "你好，", "想問一下 ", "", "麻煩一下，", "我媽媽問 ")
AFTER = ("？", " 謝謝", "呢", "", " 拜託了", "...")


def sentences(chance: random.Random) -> list[str]:
    """A pool of sentences: authored ones, half of them with words around."""
    known: list[str] = []
    for pattern in read().patterns:
        if pattern.lang in LANGUAGES[:2] and not pattern.label.startswith(LEFT_OUT):
            known.extend(pattern.sentences[:3])
    chance.shuffle(known)
    return [text if number % 2 else around(text, chance) for number, text in enumerate(known[:POOL])]


def around(text: str, chance: random.Random) -> str:
    """The sentence with a few words more."""
    return chance.choice(BEFORE) + text + chance.choice(AFTER)


def fresh(pool: list[str], chance: random.Random) -> str:
    """A sentence that nobody has written before."""
    first, second = chance.sample(pool, 2)
    return f"{first}，{second} {chance.randrange(10**9)}"


def events(seed: int, pool: list[str], new: float = NEW) -> Iterator[dict[str, str]]:
    """Endless messages, each {"text": ...} or {"choice": ...}; one iterator a citizen. `new`: their share."""
    chance = random.Random(seed)
    step = chance.randrange(len(SCRIPT))
    while True:
        kind = chance.random()
        if kind < TAPS:
            step = (step + 1) % len(SCRIPT)
            yield {"choice": SCRIPT[step]}
        elif kind < 1.0 - new:
            yield {"text": chance.choice(pool)}
        else:
            yield {"text": fresh(pool, chance)}
