"""One question a turn: start, answer, back, change, stop, result."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

from bot.dialogue import options
from bot.dialogue.effects import Ask, Effect, Option, Readback, Say, ShowSummary, ShowVerdict
from bot.dialogue.state import Asking, Interview, State
from bot.dialogue.topics import unknown_choice
from bot.dialogue.world import Heard, World, topic_of_rule
from intents.slots import Parsed, parse
from knowledge.library import Topic
from knowledge.rules import Result, Rule, evaluate
from knowledge.rules.values import Born, from_json, to_json
from knowledge.rules.window import Schedule, window

Outcome = tuple[State, tuple[Effect, ...]]
SUBJECTS = ("self", "other_person", "business")
DOES_NOT_KNOW = "unknown"
DECLINED = "declined"


def result_of(state: State, world: World, rule: Rule) -> Result:
    """The rule's result for the subject now spoken of, on today's date."""
    facts = {name: from_json(value) for name, value in state.told().items()}
    return evaluate(rule, facts, world.today)


def start(state: State, world: World, rule_id: str, sent_ms: int, subject: str = "") -> Outcome:
    """Begin a check. Facts told before about the same subject are kept and need not be asked again."""
    rule = world.rule(rule_id)
    if rule is None:
        return unknown_choice(state)
    subject = subject or (state.subject if state.subject in rule.subjects else rule.subjects[0])
    topic = topic_of_rule(rule_id)
    state = dataclasses.replace(
        state, interview=Interview(rule_id, subject), subject=subject, topic=topic, aspect="", misses=0, rating=False
    )
    return _next(state, world, rule, sent_ms, first=True)


def change_subject(state: State, world: World, subject: str, sent_ms: int) -> Outcome:
    """Ask about somebody else: nothing is carried over, and the next question says whom it is about."""
    if subject not in SUBJECTS:
        return unknown_choice(state)
    if state.interview is None:
        return dataclasses.replace(state, subject=subject), (
            Say(f"conversation.subject.{subject}", (options.CHECKS, options.MENU)),
        )
    rule = world.rule(state.interview.rule)
    if rule is None or subject not in rule.subjects:
        return unknown_choice(state)
    return start(state, world, state.interview.rule, sent_ms, subject)


def _askable(state: State, result: Result) -> tuple[str, ...]:
    passed = state.interview.passed if state.interview else ()
    return tuple(fact for fact in result.askable if fact not in passed)


def _next(
    state: State, world: World, rule: Rule, sent_ms: int, first: bool = False, before: tuple[Effect, ...] = ()
) -> Outcome:
    """The next question that can still matter, or the result."""
    assert state.interview is not None
    result = result_of(state, world, rule)
    left = () if result.settled else _askable(state, result)
    if not left:
        return _end(state, world, rule, result, before)
    fact = left[0]
    narrower = fact in state.told()
    asked = (*(name for name in state.interview.asked if name != fact), fact)
    state = dataclasses.replace(
        state,
        interview=dataclasses.replace(state.interview, asked=asked),
        asking=Asking(fact, since_ms=sent_ms),
    )
    question = Ask(
        rule.id,
        topic_of_rule(rule.id),
        fact,
        state.subject,
        first=first,
        narrower=narrower,
        left=len(left),
        can_go_back=len(asked) > 1,
    )
    return state, (*before, question)


def _end(state: State, world: World, rule: Rule, result: Result, before: tuple[Effect, ...]) -> Outcome:
    assert state.interview is not None
    topic_id = topic_of_rule(rule.id)
    topic = world.knowledge.topics[topic_id]
    answers = tuple((leaf, state.told().get(leaf)) for leaf in rule.facts if leaf in state.told())
    summary = ShowSummary(rule.id, topic_id, state.subject, answers, world.today)
    verdict = ShowVerdict(
        rule.id, topic_id, state.subject, result, window(schedule(topic, world), world.today), world.today
    )
    ended = tuple(sorted({*state.ended, f"{state.subject}/{rule.id}"}))
    state = dataclasses.replace(state, asking=None, ended=ended)
    return state, (*before, *((summary,) if answers else ()), verdict)


def schedule(topic: Topic, world: World) -> Schedule:
    """The times of a topic; one without a period runs through the plan's year."""
    year = world.knowledge.year
    start, end = (topic.period.start, topic.period.end) if topic.period else (f"{year}-01", f"{year}-12")
    return Schedule.of(start, end, topic.apply.months if topic.apply else (), year)


def read(state: State, world: World, heard: Heard) -> Parsed | None:
    """The answer in a text, if it is one to the open question."""
    if state.asking is None or state.interview is None or heard.text is None:
        return None
    fact = world.knowledge.facts[state.asking.fact]
    figure = world.knowledge.topics[topic_of_rule(state.interview.rule)].figures.get(fact.after or "")
    after = date.fromisoformat(str(figure.value)) if figure else None
    age = from_json(state.told().get("age"))
    born = age if isinstance(age, Born) else None
    return parse(fact, heard.text, state.lang, world.today, world.words, after=after, born=born)


def take(state: State, world: World, value: Any, sent_ms: int, show: bool = False) -> Outcome:
    """Keep a JSON value as the answer to the open question and go on. `show`: say how it was read."""
    assert state.interview is not None
    assert state.asking is not None
    fact = state.asking.fact
    rule = world.knowledge.rules[state.interview.rule]
    # Asked a second time because the first answer was too rough: what is still too rough now stays so.
    passed = (*state.interview.passed, fact) if fact in state.told() else state.interview.passed
    interview = dataclasses.replace(state.interview, passed=passed)
    state = dataclasses.replace(state.with_fact(fact, value), asking=None, misses=0, interview=interview)
    before = (Readback(fact, value, state.subject, world.today),) if show else ()
    return _next(state, world, rule, sent_ms, before=before)


def take_parsed(state: State, world: World, parsed: Parsed, sent_ms: int) -> Outcome:
    """Keep what was read in a text."""
    if parsed.kind == "does_not_know":
        return take(state, world, DOES_NOT_KNOW, sent_ms)
    if parsed.kind == "declined" or parsed.value is None:
        return take(state, world, DECLINED, sent_ms)
    return take(state, world, to_json(parsed.value), sent_ms, show=parsed.shown_back)


def take_choice(state: State, world: World, rest: str, sent_ms: int) -> Outcome:
    """`answer:<fact>:<value>`: a button of the open question, or of an earlier one (which changes that answer)."""
    fact_id, _, raw = rest.partition(":")
    fact = world.knowledge.facts.get(fact_id)
    if fact is None or state.interview is None or raw not in (*fact.choices, DOES_NOT_KNOW, DECLINED):
        return unknown_choice(state)
    rule = world.rule(state.interview.rule)
    if rule is None or fact_id not in rule.facts:
        return unknown_choice(state)
    state = dataclasses.replace(state, asking=Asking(fact_id, sent_ms))
    return take(state, world, fact.choice_value(raw), sent_ms)


def misread(state: State, world: World, sent_ms: int) -> Outcome:
    """Not an answer: asked again once with help, then it can be passed over."""
    assert state.interview is not None
    assert state.asking is not None
    asking = dataclasses.replace(state.asking, tries=state.asking.tries + 1, since_ms=sent_ms)
    state = dataclasses.replace(state, asking=asking)
    key = "conversation.misread" if asking.tries == 1 else "conversation.misread_again"
    more = () if asking.tries == 1 else (Option("skip", "conversation.choice.skip"), options.PERSON)
    return state, (Say(key, more), _again(state, helping=True))


def _again(state: State, helping: bool) -> Ask:
    assert state.interview is not None
    assert state.asking is not None
    return Ask(
        state.interview.rule,
        topic_of_rule(state.interview.rule),
        state.asking.fact,
        state.subject,
        helping=helping,
        can_go_back=len(state.interview.asked) > 1,
    )


def again(state: State, world: World, sent_ms: int) -> Outcome:
    """Ask the open question once more: after a digression, or after days."""
    if state.interview is None:
        return state, (Say("conversation.nothing_open", (options.CHECKS, options.MENU)),)
    if state.asking is None:
        return _next(state, world, world.knowledge.rules[state.interview.rule], sent_ms)
    state = dataclasses.replace(state, asking=dataclasses.replace(state.asking, since_ms=sent_ms))
    return state, (_again(state, helping=False),)


def skip(state: State, world: World, sent_ms: int) -> Outcome:
    """Pass over the open question: it stays unasked."""
    if state.interview is None or state.asking is None:
        return unknown_choice(state)
    passed = (*state.interview.passed, state.asking.fact)
    state = dataclasses.replace(state, interview=dataclasses.replace(state.interview, passed=passed), asking=None)
    return _next(state, world, world.knowledge.rules[state.interview.rule], sent_ms)  # type: ignore[union-attr]


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
    rule = world.rule(state.interview.rule) if state.interview else None
    if rule is None or state.interview is None or fact not in rule.facts:
        return unknown_choice(state)
    rest = tuple(name for name in state.interview.asked if name != fact)
    return _ask_once_more(state, world, fact, rest, sent_ms)


def _ask_once_more(state: State, world: World, fact: str, before: tuple[str, ...], sent_ms: int) -> Outcome:
    assert state.interview is not None
    passed = tuple(name for name in state.interview.passed if name != fact)
    interview = dataclasses.replace(state.interview, asked=(*before, fact), passed=passed)
    state = dataclasses.replace(state.with_fact(fact, None), interview=interview, asking=Asking(fact, sent_ms))
    return state, (_again(state, helping=False),)


def stop(state: State, world: World) -> Outcome:
    """Leave the check; what was told stays for a later one."""
    if state.interview is None:
        return state, (Say("conversation.nothing_open", (options.CHECKS, options.MENU)),)
    rule = state.interview.rule
    state = dataclasses.replace(state, interview=None, asking=None)
    resume = Option(f"check:{rule}", "conversation.choice.resume")
    return state, (Say("conversation.stopped", (resume, options.MENU, options.PERSON)),)


def verdicts(state: State, world: World) -> dict[str, str]:
    """Every benefit or duty rule settled or ended for the subject now spoken of."""
    found = {}
    for rule_id, rule in world.knowledge.rules.items():
        if rule.kind == "audience" or state.subject not in rule.subjects:
            continue
        result = result_of(state, world, rule)
        open_now = state.interview is not None and state.asking is not None and state.interview.rule == rule_id
        if result.settled or (f"{state.subject}/{rule_id}" in state.ended and not open_now):
            found[rule_id] = result.verdict
    return found
