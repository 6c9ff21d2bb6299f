"""Control words as whole messages: a person, back, stop, menu, more, and whom a check is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intents.slots.text import bare, tidy
from knowledge.reading import read

LISTS = ("person", "back", "stop", "menu", "more", "self", "other_person", "business")
FOR_ALL = ("en", "zh-TW")  # typed in any conversation


@dataclass(frozen=True, slots=True)
class Controls:
    """By language, the control that a whole message stands for."""

    by_lang: Mapping[str, Mapping[str, str]]

    def control(self, text: str, lang: str) -> str:
        """The control word's list, or an empty string."""
        plain = bare(tidy(text[:200]))
        for code in dict.fromkeys((lang, *FOR_ALL)):
            found = self.by_lang.get(code, {}).get(plain)
            if found:
                return found
        return ""

    @classmethod
    def of(cls, words: Mapping[str, Mapping[str, Any]]) -> Controls:
        """From the contents of `_words.yaml` by language code."""
        return cls({code: _phrases(lists) for code, lists in words.items()})


def _phrases(lists: Mapping[str, Any]) -> dict[str, str]:
    return {bare(tidy(phrase)): name for name in reversed(LISTS) for phrase in lists.get(name, ())}


def load_controls(folder: Path) -> Controls:
    """The control words under `<folder>/<lang>/_words.yaml`. Raises KnowledgeError for a file that cannot be read."""
    return Controls.of({path.parent.name: read(path).data for path in sorted(folder.glob("*/_words.yaml"))})
