"""What a person may have done with their own data: see, copy, correct, keep apart, delete. Never in a group."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from bot.dialogue import interview, options
from bot.dialogue.effects import (
    AskOfData,
    Effect,
    Forget,
    Hotlines,
    KeepApart,
    OfferCopy,
    OpenCase,
    Option,
    Say,
    ShowKept,
)
from bot.dialogue.state import Interview, State
from bot.dialogue.topics import unknown_choice
from bot.dialogue.world import Heard, World
from bot.messages import DataRequest, Kept
from knowledge.rules import topic_of_rule

Outcome = tuple[State, tuple[Effect, ...]]
HEAD = "mydata"


def privacy(state: State, world: World, heard: Heard) -> Outcome:
    """What is kept and why, with everything that can be done about it."""
    return state, (Say("conversation.privacy", (options.MY_DATA, *_ways(world))),)


def _ways(world: World) -> tuple[Option, ...]:
    apart = options.LIFT if world.restricted else options.RESTRICT
    return (options.COPY, options.CORRECT, apart, options.WITHDRAW, options.FORGET, options.MENU)


def show(state: State, world: World, heard: Heard, held: bool = False) -> Outcome:
    """What is kept: figures, what was told with a way to change it, for how long. `held`: a person answers now, so
    that nothing can be asked anew."""
    answers = tuple((subject, fact, value) for subject, facts in state.facts.items() for fact, value in facts.items())
    passing = tuple((state.about or state.subject, fact, value) for fact, value in state.volunteered)
    effect = ShowKept(
        heard.kept or Kept(),
        answers,
        passing,
        world.staffing.case,
        world.restricted,
        world.retention,
        world.today,
        changes=not held and not world.restricted,
        options=_ways(world),
    )
    return state, (AskOfData(DataRequest("see", True)), effect)


def choose(state: State, world: World, heard: Heard, rest: str, held: bool = False) -> Outcome:
    """`mydata:<what>`."""
    what, _, more = rest.partition(":")
    if what == "fix" and not held and not world.restricted:
        return fix(state, world, more, heard.sent_ms)
    handler = _CHOICES.get(rest)
    return handler(state, world) if handler else unknown_choice(state)


def fix(state: State, world: World, rest: str, sent_ms: int) -> Outcome:
    """`<subject>:<fact>`: ask one thing anew, in the running check if that asks it, else in one that does."""
    subject, _, fact = rest.partition(":")
    if state.facts.get(subject, {}).get(fact) is None:
        return unknown_choice(state)
    running = state.interview is not None and state.subject == subject
    after, effects = interview.change(state, world, fact, sent_ms) if running else (state, ())
    if after.interview is not None and after is not state:
        return after, effects
    rules = (rule for rule in world.knowledge.rules.values() if subject in rule.subjects and fact in rule.facts)
    rule = next(iter(sorted(rules, key=lambda rule: rule.kind == "audience")), None)
    if rule is None:
        return unknown_choice(state)
    fresh = dataclasses.replace(
        state, subject=subject, topic=topic_of_rule(rule.id), interview=Interview(rule.id, subject), asking=None
    )
    return interview.change(fresh, world, fact, sent_ms)


def _copy(state: State, world: World) -> Outcome:
    """A link to everything; without an address for links the privacy officer hands it out."""
    if world.copies:
        return state, (AskOfData(DataRequest("copy", True)), OfferCopy())
    return state, _asked("copy", Say("conversation.copy_asked", (options.MENU,)))


def _correct(state: State, world: World) -> Outcome:
    return state, _asked("correct", Say("conversation.correct_asked", (options.MENU,)))


def _asked(kind: str, say: Say) -> tuple[Effect, ...]:
    """A request that waits for the privacy officer, and by when it is answered."""
    request = DataRequest(kind, False)
    return AskOfData(request), dataclasses.replace(say, params=(("days", str(request.days)),))


def _ask_restrict(state: State, world: World) -> Outcome:
    if world.restricted:
        return state, (Say("conversation.restricted_already", (options.LIFT, options.MENU)),)
    return state, (Say("conversation.restrict_ask", (options.RESTRICT_YES, options.MENU)),)


def _restrict(state: State, world: World) -> Outcome:
    """From now on: no check runs, nothing said in passing is remembered, an open case ends."""
    if world.restricted:
        return state, (Say("conversation.restricted_already", (options.LIFT, options.MENU)),)
    state = dataclasses.replace(state, interview=None, asking=None, volunteered=(), about="")
    return state, (KeepApart(True), *_asked("stop", Say("conversation.restricted", (options.LIFT, options.MENU))))


def _lift(state: State, world: World) -> Outcome:
    if not world.restricted:
        return state, (Say("conversation.not_restricted", (options.MENU,)),)
    return state, (KeepApart(False), Say("conversation.lifted", (options.MENU,)))


_CHOICES: dict[str, Callable[[State, World], Outcome]] = {
    "export": _copy,
    "correct": _correct,
    "restrict": _ask_restrict,
    "restrict_yes": _restrict,
    "lift": _lift,
}


def forget(state: State, kept: Kept | None) -> Outcome:
    """Everything said and told is erased, with a receipt; only the language stays, so that it can be read.

    What is under legal hold must stay: the wish waits for the privacy officer.
    """
    counts = kept or Kept()
    if counts.held:
        return state, _asked("delete", Say("conversation.forget_held", (options.MENU,)))
    fresh = State(lang=state.lang, lang_chosen=state.lang_chosen)
    return fresh, (Forget(), Say("conversation.forgotten"), Say("conversation.erased", params=receipt(counts)))


def receipt(kept: Kept) -> tuple[tuple[str, str], ...]:
    """The figures of a receipt."""
    return (("messages", str(kept.messages)), ("answers", str(kept.answers)), ("files", str(kept.files)))


def kept_apart(before: State, outcome: Outcome, world: World) -> Outcome:
    """While the data is kept apart nothing new is remembered, and nobody is asked to look at it."""
    after, effects = outcome
    if not world.restricted or any(isinstance(effect, Forget | KeepApart) for effect in effects):
        return outcome
    quiet = dataclasses.replace(after, facts=before.facts, interview=None, asking=None, volunteered=(), about="")
    if any(isinstance(effect, OpenCase) for effect in effects):
        lines = tuple(effect for effect in effects if isinstance(effect, Hotlines))
        return quiet, (*lines, Say("conversation.restricted_person", (options.LIFT, options.MENU)))
    if after.interview is not None or after.facts != before.facts:
        return quiet, (Say("conversation.restricted_check", (options.LIFT, options.MENU)),)
    return quiet, effects
