"""Urgent messages, reaching a person, being forgotten."""

from __future__ import annotations

import dataclasses

from bot.dialogue import options
from bot.dialogue.effects import Effect, Forget, Hotlines, OpenCase, Option, Say
from bot.dialogue.state import State
from bot.dialogue.world import World
from bot.messages import Notice
from intents import Callback

Outcome = tuple[State, tuple[Effect, ...]]
ONCE_AN_HOUR = 3600.0
REMEMBER_URGENT = 24 * 3600.0


def urgent(state: State, world: World, classes: tuple[str, ...], automatic: bool = False) -> Outcome:
    """Hotlines and a person first. While a person holds the conversation: at most once an hour a class."""
    at = world.now.timestamp()
    known = dict(state.urgent_at)
    due = tuple(name for name in classes if not automatic or at - known.get(name, 0.0) >= ONCE_AN_HOUR)
    state = dataclasses.replace(
        state,
        urgent_at=tuple(
            sorted({**{k: v for k, v in known.items() if at - v < REMEMBER_URGENT}, **{c: at for c in due}}.items())
        ),
        misses=0,
    )
    return state, ((Hotlines(due, automatic),) if due else ())


def urgent_lately(state: State, at: float) -> bool:
    """Was an urgent matter touched within a day? The page then offers a quick exit."""
    return any(at - when < REMEMBER_URGENT for _, when in state.urgent_at)


def hand_over(
    state: State, world: World, callback: Callback | None = None, is_urgent: bool = False, reason: str = "asked"
) -> Outcome:
    """Open a case, and say honestly what to expect; of a wish to be phoned also what was understood of it."""
    staffing = world.staffing
    state = dataclasses.replace(state, misses=0)
    if staffing.barred and not is_urgent:
        return state, (Say("conversation.barred", (options.MENU,)),)
    told = _told(callback)
    if staffing.case:
        say = Say("conversation.case_waits", (options.MENU,), params=(("number", staffing.case),))
        return state, (*((OpenCase("asked", state.topic, True),) if is_urgent else ()), *told, say)
    if staffing.on_duty:
        key = "conversation.case_opened"
    else:
        key = "conversation.case_opened_nobody" if staffing.seen_lately else "conversation.case_opened_nobody_lately"
    say = Say(key, (options.MENU,), params=(("number", staffing.next_case),), notice=Notice.CASE)
    reason = "urgent" if is_urgent else "callback" if callback else reason
    return state, (OpenCase(reason, state.topic, is_urgent), *told, say)


def _told(callback: Callback | None) -> tuple[Effect, ...]:
    """What was understood of a wish to be phoned, or what is missing."""
    if callback is None:
        return ()
    if not callback.number:
        return (Say("conversation.callback_number", notice=Notice.CASE),)
    key = "conversation.callback_at" if callback.when else "conversation.callback"
    params = (("phone", callback.number), ("when", callback.when))
    return (Say(key, params=params, notice=Notice.CASE),)


def voice(state: State, world: World) -> Outcome:
    """A voice message: nobody here can listen to it, so a person looks after it; typing helps all the same."""
    state, effects = hand_over(state, world, reason="voice")
    return state, (Say("conversation.voice"), *effects)


def ask_forget(state: State) -> Outcome:
    """Forgetting needs a second word."""
    buttons = (
        Option("forget:yes", "conversation.choice.forget_yes"),
        Option("forget:no", "conversation.choice.forget_no"),
    )
    return state, (Say("conversation.forget_ask", buttons),)


def forget(state: State) -> Outcome:
    """Everything said and told is erased; only the language stays, so that the receipt can be read."""
    fresh = State(lang=state.lang, lang_chosen=state.lang_chosen)
    return fresh, (Forget(), Say("conversation.forgotten"))
