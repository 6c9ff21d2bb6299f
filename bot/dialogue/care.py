"""Urgent messages, reaching a person, being forgotten."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime

from bot.dialogue import options
from bot.dialogue.effects import Effect, Hotlines, OpenCase, Option, Say
from bot.dialogue.state import State
from bot.dialogue.world import Staffing, World
from bot.messages import Notice
from intents import Callback

Outcome = tuple[State, tuple[Effect, ...]]
Promise = tuple[str, datetime | None]
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
        key, at = _waits(staffing, world.today)
        say = Say(key, (options.MENU,), params=(("number", staffing.case),), at=at)
        return state, (*((OpenCase("asked", state.topic, True),) if is_urgent else ()), *told, say)
    key, at = _opened(staffing, world.today)
    say = Say(key, (options.MENU,), params=(("number", staffing.next_case),), notice=Notice.CASE, at=at)
    reason = "urgent" if is_urgent else "callback" if callback else reason
    return state, (OpenCase(reason, state.topic, is_urgent), *told, say)


def _opened(staffing: Staffing, today: date) -> Promise:
    """What somebody whose case opens now may expect. With nobody there for a service day nothing is promised."""
    if not (staffing.on_duty or staffing.seen_lately):
        return "conversation.case_opened_nobody_lately", None
    if staffing.opens is not None:
        return f"conversation.case_opened_{_when(staffing.opens, today)}", staffing.opens
    return "conversation.case_opened" if staffing.on_duty else "conversation.case_opened_nobody", None


def _waits(staffing: Staffing, today: date) -> Promise:
    """What somebody whose case waits already may expect."""
    if staffing.opens is None or not (staffing.on_duty or staffing.seen_lately):
        return "conversation.case_waits", None
    return f"conversation.case_waits_{_when(staffing.opens, today)}", staffing.opens


def _when(opens: datetime, today: date) -> str:
    return "today" if opens.date() == today else "later"


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
