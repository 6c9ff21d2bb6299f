"""One of a few choices: by its label, or by the cues of the fact; two different ones are none."""

from __future__ import annotations

from intents.slots.parsed import UNREADABLE, FactLike, Parsed, value
from intents.slots.text import bare, has_phrase, is_question, tidy
from intents.slots.words import Words


def read_choice(fact: FactLike, text: str, lang: str, words: Words) -> Parsed:
    """The choice a tidy text names. Cues are tried in author order, so that the stronger one is written first."""
    exact = {tidy(label): choice for choice, label in fact.choices.items()} | {
        choice: choice for choice in fact.choices
    }
    if text in exact:
        return value(exact[text])
    if is_question(text):
        return UNREADABLE
    for lexicon in words.cues(text, lang):
        for choice, patterns in lexicon.facts.get(fact.id, ()):
            if choice in fact.choices and any(p.search(text) or p.search(bare(text)) for p in patterns):
                return value(choice, shown_back=True)
    named = {choice for label, choice in exact.items() if label != choice and has_phrase(text, label)}
    return value(named.pop(), shown_back=True) if len(named) == 1 else UNREADABLE
