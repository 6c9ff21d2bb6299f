"""Did it help? One tap, and then, for those who like, a few words: asked once, and never taken for anything else."""

from __future__ import annotations

import dataclasses

from bot.dialogue import options
from bot.dialogue.effects import Effect, Option, Rate, RateWords, Say
from bot.dialogue.state import State
from bot.dialogue.topics import unknown_choice
from bot.dialogue.world import Heard, World, interview_open
from intents import Understood
from intents.slots.text import is_question, tidy

Outcome = tuple[State, tuple[Effect, ...]]
YES = Option("rate:yes", "conversation.choice.helped")
NO = Option("rate:no", "conversation.choice.not_helped")
NO_WORDS = Option("words:skip", "conversation.choice.words_skip")
TAPS = (YES.id, NO.id)  # another tap changes the rating, and the words are still awaited
OPEN_MS = 3_600_000  # what is written later is about something else
ONCE_MS = 3_600_000  # a tap within the hour asks for no more words
SMALL_TALK = ("greeting", "thanks", "goodbye", "complaint")  # what people write about a service, or beside it
PLAIN = ("greeting", "thanks", "goodbye")  # where they write nothing else, that is no word about the service


def ask(state: State, world: World, heard: Heard) -> Outcome:
    """Goodbye, and whether it helped."""
    return dataclasses.replace(state, rating=True), (Say("conversation.goodbye", (YES, NO)),)


def rate(state: State, world: World, heard: Heard, rest: str) -> Outcome:
    """`rate:yes`, `rate:no`: kept; then a few words may follow, unless a question waits or nothing may be kept."""
    if rest not in ("yes", "no"):
        return unknown_choice(state)
    buttons = (options.MENU,) if rest == "yes" else (options.PERSON, options.MENU)
    rated, thanks = Rate(rest == "yes"), f"conversation.rated_{rest}"
    fresh = not state.words_asked_ms or heard.sent_ms - state.words_asked_ms >= ONCE_MS
    state = dataclasses.replace(state, rating=False)
    if world.restricted or interview_open(state) or not fresh:
        return state, (rated, Say(thanks, buttons))
    state = dataclasses.replace(state, words_since_ms=heard.sent_ms, words_asked_ms=heard.sent_ms)
    return state, (rated, Say(thanks), Say("conversation.rate_words", (NO_WORDS, *buttons)))


def skip(state: State, world: World, heard: Heard, rest: str) -> Outcome:
    """`words:skip`: nothing to add."""
    return (state, _DONE) if rest == "skip" else unknown_choice(state)


_DONE = (Say("conversation.rated_yes", (options.MENU,)),)


def closed(state: State) -> State:
    """Whatever comes next, no words are awaited any more."""
    return dataclasses.replace(state, words_since_ms=0) if state.words_since_ms else state


def listen(state: State, heard: Heard, understood: Understood, world: World, control: str) -> Outcome | None:
    """A text while words are awaited, if it is plainly those words or a no to them; None for anything else.

    `heard.reworded`: an edited version of the words counts as the words again.
    """
    since = heard.sent_ms if heard.reworded else state.words_since_ms
    if not since or not 0 <= heard.sent_ms - since <= OPEN_MS or interview_open(state) or world.restricted:
        return None
    if _declines(understood, world, state.lang, control):
        return closed(state), _DONE
    if control or not _about_the_service(understood):
        return None
    buttons = (*_readings(understood), options.PERSON, options.MENU)
    return closed(state), (RateWords(heard.text or ""), Say("conversation.words_kept", buttons))


def _readings(understood: Understood) -> tuple[Option, ...]:
    """What it could have been, were it a question after all."""
    labels = understood.topics if understood.decision == "clarify" else ()
    return tuple(options.intent_option(label) for label in labels[:2] if label not in (*SMALL_TALK, "handoff", "menu"))


def _declines(understood: Understood, world: World, lang: str, control: str) -> bool:
    """No, no thanks, rather not."""
    if control:
        return control == "stop"
    plain = tidy(understood.text[:100])
    lists = ("no", "decline", "not_sure", "none")
    return any(lexicon.has(name, plain) for lexicon in world.words.lexicons(lang) for name in lists)


def _about_the_service(understood: Understood) -> bool:
    """Is it no danger, no wish, no question, and nothing that is understood as something else?"""
    if not understood.text or understood.urgent or understood.callback or understood.decision in ("urgent", "handoff"):
        return False
    if is_question(tidy(understood.text)):
        return False
    if understood.decision != "answer":
        return not understood.aspect
    exact = bool(understood.why) and understood.why[0].stage == "exact"
    return understood.intent in SMALL_TALK and not (exact and understood.intent in PLAIN)
