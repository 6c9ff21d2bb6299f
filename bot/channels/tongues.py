"""Which of our languages a platform's language tag means."""

from __future__ import annotations

import re

_OURS = {
    "zh": "zh-TW",
    "en": "en",
    "vi": "vi",
    "id": "id",
    "in": "id",  # Indonesian's former code, still sent by older phones
    "th": "th",
    "fil": "fil",
    "tl": "fil",
}


def of_tag(tag: str) -> str:
    """One of our language codes by the first part of a BCP 47 tag such as zh-Hant-TW; empty when it is none."""
    return _OURS.get(re.split("[-_]", tag.strip().lower(), maxsplit=1)[0], "")
