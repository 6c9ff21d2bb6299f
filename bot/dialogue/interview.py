"""One question a turn: start, answer, back, change, stop, result. One rule, or all of them (the screening)."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

from bot.dialogue import options, questions, told
from bot.dialogue.effects import (
    Ask,
    AskSituations,
    Effect,
    Option,
    Prefilled,
    Readback,
    Say,
    ShowGroups,
    ShowSummary,
    ShowVerdict,
    Ticked,
)
from bot.dialogue.questions import Question
from bot.dialogue.state import SCREENING, SITUATIONS, Asking, Interview, State
from bot.dialogue.topics import checks_of, unknown_choice
from bot.dialogue.world import Heard, World
from intents.slots import Parsed, parse, read_ticks
from knowledge.rules import topic_of_rule
from knowledge.rules.values import to_json

Outcome = tuple[State, tuple[Effect, ...]]
SUBJECTS = ("self", "other_person", "business")
DOES_NOT_KNOW = "unknown"
DECLINED = "declined"


# -- start and stop


def start(state: State, world: World, rule_id: str, sent_ms: int, subject: str = "") -> Outcome:
    """Begin a check. Facts told before about the same subject are kept and need not be asked again."""
    rule = world.rule(rule_id)
    if rule is None or rule.kind == "audience":
        return checks_of(state, world, rule_id)
    subject = _subject(state, subject, rule.subjects)
    state = dataclasses.replace(state, topic=topic_of_rule(rule_id))
    return _begin(state, world, Interview(rule_id, subject), sent_ms)


def screen(state: State, world: World, sent_ms: int, subject: str = "") -> Outcome:
    """Begin the screening: what could one get at all?"""
    subject = _subject(state, subject, SUBJECTS)
    return _begin(dataclasses.replace(state, topic=""), world, Interview(SCREENING, subject), sent_ms)


def _subject(state: State, wanted: str, possible: tuple[str, ...]) -> str:
    """Whom it is about: as chosen, else as the messages said, else as before, else the rule's first."""
    return next((each for each in (wanted, state.about, state.subject) if each in possible), possible[0])


def _begin(state: State, world: World, interview: Interview, sent_ms: int) -> Outcome:
    state = dataclasses.replace(
        state, interview=interview, asking=None, subject=interview.subject, aspect="", misses=0, rating=False
    )
    state, taken = told.take_over(state, told.rules_of(state, world), world)
    before = (Prefilled(taken, world.today),) if taken else ()
    return _next(dataclasses.replace(state, about=""), world, sent_ms, first=True, before=before)


def change_subject(state: State, world: World, subject: str, sent_ms: int) -> Outcome:
    """Ask about somebody else: nothing is carried over, and the next question says whom it is about."""
    if subject not in SUBJECTS:
        return unknown_choice(state)
    if subject != state.subject and not state.about:
        state = dataclasses.replace(state, volunteered=())  # told of nobody by name: surely not of this one
    if state.interview is None:
        return dataclasses.replace(state, subject=subject, about=""), (
            Say(f"conversation.subject.{subject}", (options.SCREEN, options.CHECKS, options.MENU)),
        )
    if state.interview.rule == SCREENING:
        return screen(state, world, sent_ms, subject)
    rule = world.rule(state.interview.rule)
    if rule is None or subject not in rule.subjects:
        return unknown_choice(state)
    return start(state, world, state.interview.rule, sent_ms, subject)


def stop(state: State, world: World) -> Outcome:
    """Leave the check; what was told stays for a later one."""
    if state.interview is None:
        return state, (Say("conversation.nothing_open", (options.CHECKS, options.MENU)),)
    rule = state.interview.rule
    state = dataclasses.replace(state, interview=None, asking=None)
    resume = Option(SCREENING if rule == SCREENING else f"check:{rule}", "conversation.choice.resume")
    return state, (Say("conversation.stopped", (resume, options.MENU, options.PERSON)),)


# -- the next question, or the result


def _next(state: State, world: World, sent_ms: int, first: bool = False, before: tuple[Effect, ...] = ()) -> Outcome:
    """The next question that can still matter, or the result."""
    assert state.interview is not None
    question = questions.next_question(state, world)
    if question is None:
        return _end(state, world, before)
    asked = (*(name for name in state.interview.asked if name != question.fact), question.fact)
    interview = dataclasses.replace(state.interview, asked=asked, shown=question.situations or state.interview.shown)
    narrower = question.fact in state.told()
    state = dataclasses.replace(state, interview=interview, asking=Asking(question.fact, since_ms=sent_ms))
    return state, (*before, _ask(state, world, question, first=first, narrower=narrower))


def _ask(
    state: State,
    world: World,
    question: Question,
    first: bool = False,
    narrower: bool = False,
    helping: bool = False,
) -> Effect:
    assert state.interview is not None
    interview = state.interview
    count = len(told.screened(world, state.subject)) if interview.rule == SCREENING else 0
    if question.fact == SITUATIONS:
        return AskSituations(state.subject, interview.shown, interview.ticked, count, first, helping)
    return Ask(
        question.rule.id,
        topic_of_rule(question.rule.id),
        question.fact,
        state.subject,
        first=first,
        helping=helping,
        narrower=narrower,
        left=question.left,
        can_go_back=len(interview.asked) > 1,
        count=count,
    )


def _again(state: State, world: World, helping: bool) -> Effect:
    """The open question once more."""
    assert state.asking is not None
    rules = told.rules_of(state, world)
    fact = state.asking.fact
    rule = next((rule for rule in rules if fact in rule.facts), rules[0])
    return _ask(state, world, Question(fact, rule, 0), helping=helping)


def _end(state: State, world: World, before: tuple[Effect, ...], early: bool = False) -> Outcome:
    assert state.interview is not None
    rules = told.rules_of(state, world)
    done = {f"{state.subject}/{rule.id}" for rule in rules if rule.kind != "audience"}
    ended = dataclasses.replace(state, asking=None, ended=tuple(sorted({*state.ended, *done})))
    if state.interview.rule == SCREENING:
        results = tuple((told.result_of(state, world, rule), told.window_of(rule.id, world)) for rule in rules)
        last: Effect = ShowGroups(state.subject, results, early)
    else:
        rule = rules[0]
        result, window = told.result_of(state, world, rule), told.window_of(rule.id, world)
        last = ShowVerdict(rule.id, topic_of_rule(rule.id), state.subject, result, window, world.today)
    summary = _summary(state, world)
    return ended, (*before, *((summary,) if summary.answers or summary.situations else ()), last)


def _summary(state: State, world: World) -> ShowSummary:
    """The answers of the interview. Of the list of situations only what was ticked is repeated."""
    assert state.interview is not None
    names = dict.fromkeys(name for rule in told.rules_of(state, world) for name in rule.facts)
    shown = state.interview.shown
    answers = tuple(
        (name, value)
        for name in names
        if (value := state.told().get(name)) is not None and (value is not False or name not in shown)
    )
    return ShowSummary(state.subject, answers, world.today, situations=bool(shown))


def results(state: State, world: World) -> Outcome:
    """What the screening can say so far."""
    if state.interview is None or state.interview.rule != SCREENING:
        return unknown_choice(state)
    return _end(state, world, (), early=state.asking is not None)


# -- answers


def read(state: State, world: World, heard: Heard) -> Parsed | None:
    """The answer in a text, if it is one to the open question."""
    rules = told.rules_of(state, world)
    if state.asking is None or heard.text is None or state.asking.fact == SITUATIONS or not rules:
        return None
    fact = world.knowledge.facts[state.asking.fact]
    rule = next((rule for rule in rules if fact.id in rule.facts), rules[0])
    after = told.after_of(fact, rule, world)
    return parse(fact, heard.text, state.lang, world.today, world.words, after=after, born=told.born_of(state))


def take(state: State, world: World, value: Any, sent_ms: int, show: bool = False) -> Outcome:
    """Keep a JSON value as the answer to the open question and go on. `show`: say how it was read."""
    assert state.interview is not None
    assert state.asking is not None
    fact = state.asking.fact
    # Asked a second time because the first answer was too rough: what is still too rough now stays so.
    passed = (*state.interview.passed, fact) if fact in state.told() else state.interview.passed
    interview = dataclasses.replace(state.interview, passed=passed)
    state = dataclasses.replace(state.with_fact(fact, value), asking=None, misses=0, interview=interview)
    before = (Readback(fact, value, state.subject, world.today),) if show else ()
    return _next(state, world, sent_ms, before=before)


def take_parsed(state: State, world: World, parsed: Parsed, sent_ms: int) -> Outcome:
    """Keep what was read in a text."""
    if parsed.kind == "does_not_know":
        return take(state, world, DOES_NOT_KNOW, sent_ms)
    if parsed.kind == "declined" or parsed.value is None:
        return take(state, world, DECLINED, sent_ms)
    return take(state, world, to_json(parsed.value), sent_ms, show=parsed.shown_back)


def take_choice(state: State, world: World, rest: str, sent_ms: int) -> Outcome:
    """`answer:<fact>:<value>`: a button of the open question, or of an earlier one (which changes that answer).

    The value of a date is an ISO day, from a channel that has a picker.
    """
    fact_id, _, raw = rest.partition(":")
    fact = world.knowledge.facts.get(fact_id)
    if fact is not None and fact.type == "date" and _is_day(raw, world) and _asks(state, world, fact_id):
        return take(dataclasses.replace(state, asking=Asking(fact_id, sent_ms)), world, raw, sent_ms, show=True)
    if fact is None or raw not in (*fact.choices, DOES_NOT_KNOW, DECLINED) or not _asks(state, world, fact_id):
        return unknown_choice(state)
    state = dataclasses.replace(state, asking=Asking(fact_id, sent_ms))
    return take(state, world, fact.choice_value(raw), sent_ms)


def _is_day(text: str, world: World) -> bool:
    """A day that is not to come."""
    try:
        return date.fromisoformat(text) <= world.today
    except ValueError:
        return False


def _asks(state: State, world: World, fact: str) -> bool:
    return any(fact in rule.facts for rule in told.rules_of(state, world))


def about_another(state: State, world: World, heard: Heard, subject: str) -> Outcome:
    """An answer that speaks of somebody else ("my father is 72"): from now on the check is about that person.

    What was told about the one before stays there; the answer counts if the open question can be asked about both.
    """
    after, effects = change_subject(state, world, subject, heard.sent_ms)
    asking = state.asking
    if after.interview is None or asking is None or asking.fact == SITUATIONS or asking.fact in after.told():
        return after, effects
    there = dataclasses.replace(
        after,
        asking=Asking(asking.fact, heard.sent_ms),
        interview=dataclasses.replace(after.interview, asked=(asking.fact,)),
    )
    parsed = read(there, world, heard)
    if parsed is None or parsed.kind == "unreadable" or subject not in world.knowledge.facts[asking.fact].subjects:
        return after, effects
    last, more = take_parsed(there, world, parsed, heard.sent_ms)
    prefilled = (effect for effect in effects if isinstance(effect, Prefilled))
    return last, (Say(f"conversation.subject.{subject}"), *prefilled, *more)


def misread(state: State, world: World, sent_ms: int) -> Outcome:
    """Not an answer: asked again once with help, then it can be passed over."""
    assert state.asking is not None
    asking = dataclasses.replace(state.asking, tries=state.asking.tries + 1, since_ms=sent_ms)
    state = dataclasses.replace(state, asking=asking)
    key = "conversation.misread" if asking.tries == 1 else "conversation.misread_again"
    more = () if asking.tries == 1 else (options.SKIP, options.PERSON)
    return state, (Say(key, more), _again(state, world, helping=True))


# -- the list of situations


def read_situations(state: State, world: World, heard: Heard) -> frozenset[str] | None:
    """The situations a typed answer ticks, if it is one to the list."""
    if state.asking is None or state.asking.fact != SITUATIONS or state.interview is None or heard.text is None:
        return None
    shown = state.interview.shown
    labels = [world.situation(fact, state.lang) for fact in shown]
    places = read_ticks(heard.text, state.lang, labels, world.words)
    return None if places is None else frozenset(shown[place] for place in places)


def tick(state: State, world: World, fact: str, sent_ms: int) -> Outcome:
    """`tick:<fact>`: set or take back one mark; the list is shown again."""
    if state.interview is None or state.asking is None or fact not in state.interview.shown:
        return unknown_choice(state)
    interview = state.interview
    ticked = tuple(name for name in interview.shown if (name in interview.ticked) != (name == fact))
    interview = dataclasses.replace(interview, ticked=ticked)
    state = dataclasses.replace(state, interview=interview, asking=Asking(SITUATIONS, sent_ms))
    return state, (_again(state, world, helping=False),)


def take_ticked(state: State, world: World, rest: str, sent_ms: int) -> Outcome:
    """`ticked:done`, `ticked:none`, or `ticked:1.3` with places from 1 (check boxes sent in one)."""
    if state.interview is None or not state.interview.shown:
        return unknown_choice(state)
    shown = state.interview.shown
    if rest in ("done", "none"):
        return take_situations(state, world, frozenset(state.interview.ticked if rest == "done" else ()), sent_ms)
    places = rest.split(".")
    if not all(place.isdecimal() and 1 <= int(place) <= len(shown) for place in places):
        return unknown_choice(state)
    return take_situations(state, world, frozenset(shown[int(place) - 1] for place in places), sent_ms)


def take_situations(state: State, world: World, ticked: frozenset[str], sent_ms: int, show: bool = False) -> Outcome:
    """A ticked item is a yes, one shown and not ticked a no, one not shown stays unasked."""
    assert state.interview is not None
    interview, shown = state.interview, state.interview.shown
    for fact in shown:
        state = state.with_fact(fact, fact in ticked)
    marks = tuple(fact for fact in shown if fact in ticked)
    interview = dataclasses.replace(interview, ticked=marks)
    state = dataclasses.replace(state, interview=interview, asking=None, misses=0)
    return _next(state, world, sent_ms, before=(Ticked(marks),) if show else ())


# -- again, skip, back, change


def again(state: State, world: World, sent_ms: int) -> Outcome:
    """Ask the open question once more: after a digression, or after days."""
    if state.interview is None or not told.rules_of(state, world):
        return state, (Say("conversation.nothing_open", (options.CHECKS, options.MENU)),)
    if state.asking is None:
        return _next(state, world, sent_ms)
    state = dataclasses.replace(state, asking=dataclasses.replace(state.asking, since_ms=sent_ms))
    return state, (_again(state, world, helping=False),)


def skip(state: State, world: World, sent_ms: int) -> Outcome:
    """Pass over the open question: it stays unasked; the items of a list may be asked one by one."""
    if state.interview is None or state.asking is None:
        return unknown_choice(state)
    passed = (*state.interview.passed, state.asking.fact)
    state = dataclasses.replace(state, interview=dataclasses.replace(state.interview, passed=passed), asking=None)
    return _next(state, world, sent_ms)


def back(state: State, world: World, sent_ms: int) -> Outcome:
    """One question back: its answer is taken back and asked again."""
    if state.interview is None:
        return unknown_choice(state)
    asked = state.interview.asked
    if state.asking is not None and asked and asked[-1] == state.asking.fact:
        asked = asked[:-1]
    if not asked:
        return again(state, world, sent_ms)
    return _ask_once_more(state, world, asked[-1], asked[:-1], sent_ms)


def change(state: State, world: World, fact: str, sent_ms: int) -> Outcome:
    """Answer one question anew; the other answers stay."""
    listed = fact == SITUATIONS and state.interview is not None and state.interview.shown
    if state.interview is None or not (listed or _asks(state, world, fact)):
        return unknown_choice(state)
    rest = tuple(name for name in state.interview.asked if name != fact)
    return _ask_once_more(state, world, fact, rest, sent_ms)


def _ask_once_more(state: State, world: World, fact: str, before: tuple[str, ...], sent_ms: int) -> Outcome:
    assert state.interview is not None
    passed = tuple(name for name in state.interview.passed if name != fact)
    interview = dataclasses.replace(state.interview, asked=(*before, fact), passed=passed)
    for name in state.interview.shown if fact == SITUATIONS else (fact,):
        state = state.with_fact(name, None)
    state = dataclasses.replace(state, interview=interview, asking=Asking(fact, sent_ms))
    return state, (_again(state, world, helping=False),)
