"""The labels of messages and the six languages: what topics, dangers and everything else are called."""

from __future__ import annotations

import re

LANGUAGES = ("zh-TW", "en", "vi", "id", "th", "fil")
TOPIC = re.compile(r"p\d\d(\.\d)?|ov\d")
URGENT = "urgent"
OUTSIDE = "out_of_scope"


def stem(label: str) -> str:
    """A label cut at the dot: `p06.4` belongs to p06, `urgent.injury` to urgent."""
    return label.partition(".")[0]
