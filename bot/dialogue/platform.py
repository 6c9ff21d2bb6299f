"""What messaging platforms bring beside words: groups, files, places, messages taken back, a move between channels."""

from __future__ import annotations

import dataclasses

from bot.dialogue import options, topics
from bot.dialogue.effects import Effect, Hotlines, OfferMove, Say
from bot.dialogue.state import State
from bot.dialogue.world import Heard, World

Outcome = tuple[State, tuple[Effect, ...]]
RESUMED = {
    "opened": "conversation.moved",
    "same": "conversation.moved",
    "expired": "conversation.move_expired",
    "busy": "conversation.move_busy",
}


def in_group(state: State, heard: Heard, world: World) -> Outcome:
    """Where others read along: general questions are answered, one's own matters belong elsewhere.

    Nothing is asked back, nothing is remembered but the language.
    """
    understood = heard.understood
    if heard.choice == "joined":
        return state, (Say("conversation.group_joined"),)
    if understood is None:
        return state, ()
    if understood.urgent:
        return state, (Hotlines(understood.urgent), Say("conversation.group_private"))
    if understood.decision == "answer" and understood.intent == "program":
        return state, topics.answer(state, world, understood)[1]
    if understood.decision == "answer" and understood.intent == "stations":
        return state, (Say("conversation.stations"),)
    if understood.decision == "answer" and understood.intent in ("greeting", "thanks", "menu"):
        return state, (Say("conversation.group_joined"),)
    return state, (Say("conversation.group_private"),)


def without_message(state: State) -> State:
    """A message was taken back: what it may have said in passing is not used any more.

    Its facts are gone already; a question that it had answered counts as not asked.
    """
    interview, told = state.interview, state.told()
    if interview is not None:
        waits = state.asking.fact if state.asking else ""
        asked = tuple(fact for fact in interview.asked if fact in told or fact == waits)
        passed = tuple(fact for fact in interview.passed if fact in told)
        interview = dataclasses.replace(interview, asked=asked, passed=passed, ticked=())
    return dataclasses.replace(state, interview=interview, topic="", aspect="", about="", volunteered=())


def withdrawn(state: State, heard: Heard) -> Outcome:
    """The answer to "take my last message back"; done already where there was one."""
    key = "conversation.withdrawn" if heard.withdrew else "conversation.nothing_to_withdraw"
    return without_message(state) if heard.withdrew else state, (Say(key, (options.MENU,)),)


def file(state: State, world: World) -> tuple[Effect, ...]:
    """A picture or file: for the caseworker of an open case; nobody else can read it."""
    if world.staffing.case:
        return ()
    return (Say("conversation.file_no_case", (options.PERSON, options.MENU)),)


def place(state: State, world: World) -> Outcome:
    """A location: the plan has no addresses to compare it with."""
    if world.staffing.case:
        return state, ()
    return state, (Say("conversation.place"), Say("conversation.stations", (options.PERSON, options.MENU)))


def more(state: State, world: World, heard: Heard) -> Outcome:
    """ "See more": what waited goes out by itself; where nothing does, the menu."""
    return (state, ()) if heard.waits else topics.menu(state, world)


def move(state: State, world: World) -> Outcome:
    """Links to go on elsewhere."""
    if not world.elsewhere:
        return state, (Say("conversation.move_nowhere", (options.MENU,)),)
    return state, (OfferMove(),)


def resumed(state: State, world: World, heard: Heard) -> Outcome:
    """Somebody came with a resume link."""
    key = RESUMED.get(heard.resumed, "conversation.move_expired")
    waits = state.interview is not None and state.asking is not None and key == "conversation.moved"
    return state, (Say(key, (options.CONTINUE, options.MENU) if waits else (options.MENU, options.PERSON)),)
