"""One message at a time, each as the first of a conversation: for `ask` and for measuring."""

from __future__ import annotations

import dataclasses
from typing import Any

from bot.channels.console import screen
from bot.channels.text import sound
from bot.dialogue import Heard, Staffing, step
from bot.dialogue.state import State
from bot.messages import Reply
from bot.pipeline.resources import Resources
from bot.render.plain import choices_of, text_of
from intents import Context, Understood


class Answering:
    """Answers as the assistant would, keeping nothing."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def answer(self, text: str, lang: str = "") -> dict[str, Any]:
        """{"lang", "intent", "topics", "aspect", "decision", "confidence", "text"}."""
        understood, shown_in, replies = self._replies(text, lang)
        return {
            "lang": understood.lang or shown_in,
            "intent": understood.intent,
            "topics": list(understood.topics),
            "aspect": understood.aspect or ("overview" if understood.intent == "program" else ""),
            "decision": understood.decision,
            "confidence": round(understood.confidence, 4),
            "text": "\n\n".join(text_of(reply) for reply in replies),
        }

    def shown(self, text: str, lang: str = "") -> str:
        """The answer for people: its text and, numbered, what can be asked next."""
        first, parts = 1, []
        for reply in self._replies(text, lang)[2]:
            parts.append(screen(reply, first))
            first += len(choices_of(reply))
        return "\n\n".join(parts)

    def _replies(self, text: str, lang: str) -> tuple[Understood, str, tuple[Reply, ...]]:
        resources = self._resources
        lang = lang if lang in resources.languages else ""
        text = sound(text)
        understood = resources.understander.understand(text, Context(lang=lang, lang_chosen=bool(lang)))
        state = State(lang=lang, lang_chosen=bool(lang), welcomed=True)
        world = resources.world(resources.clock(), Staffing(next_case="…"))
        after, effects = step(state, Heard(0, text=text, understood=understood), world)
        after = dataclasses.replace(after, lang=after.lang or resources.languages[0])
        return understood, after.lang, resources.renderer.replies(effects, after.lang, after.subject)
