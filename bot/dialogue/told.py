"""What was told, as the rules see it: the facts of the subject now spoken of, results, verdicts, windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.dialogue.state import SCREENING, State
from bot.dialogue.world import Heard, World
from intents import Understood
from intents.slots import parse, volunteered
from knowledge.facts import Fact, completed
from knowledge.library import Topic
from knowledge.rules import Result, Rule, evaluate, topic_of_rule
from knowledge.rules.values import Born, Value, from_json, to_json
from knowledge.rules.window import Schedule, window

MOST_VOLUNTEERED = 12


def values(state: State, world: World) -> Mapping[str, Value]:
    """The facts told about the subject, and those they exclude."""
    return completed(world.knowledge.facts, {name: from_json(value) for name, value in state.told().items()})


def result_of(state: State, world: World, rule: Rule) -> Result:
    """The rule's result for the subject now spoken of, on today's date."""
    return evaluate(rule, values(state, world), world.today)


def screened(world: World, subject: str) -> tuple[Rule, ...]:
    """Every rule the screening looks at for a subject; audience rules among them."""
    return tuple(rule for rule in world.knowledge.rules.values() if subject in rule.subjects)


def rules_of(state: State, world: World) -> tuple[Rule, ...]:
    """The rules of the running interview; none when its rule is gone."""
    if state.interview is None:
        return ()
    if state.interview.rule == SCREENING:
        return screened(world, state.interview.subject)
    rule = world.rule(state.interview.rule)
    return (rule,) if rule is not None else ()


def verdicts(state: State, world: World) -> dict[str, str]:
    """Every benefit or duty rule settled or ended for the subject now spoken of."""
    running = {rule.id for rule in rules_of(state, world)} if state.asking is not None else set()
    known, found = values(state, world), {}
    for rule_id, rule in world.knowledge.rules.items():
        if rule.kind == "audience" or state.subject not in rule.subjects:
            continue
        result = evaluate(rule, known, world.today)
        if result.settled or (f"{state.subject}/{rule_id}" in state.ended and rule_id not in running):
            found[rule_id] = result.verdict
    return found


def schedule(topic: Topic, world: World) -> Schedule:
    """The times of a topic; one without a period runs through the plan's year."""
    year = world.knowledge.year
    start, end = (topic.period.start, topic.period.end) if topic.period else (f"{year}-01", f"{year}-12")
    return Schedule.of(start, end, topic.apply.months if topic.apply else (), year)


def window_of(rule_id: str, world: World) -> str:
    """The window of a rule's topic today."""
    return window(schedule(world.knowledge.topics[topic_of_rule(rule_id)], world), world.today)


def after_of(fact: Fact, rule: Rule, world: World) -> date | None:
    """The day before which the event a fact asks for does not count, where the asking rule names one."""
    figure = world.knowledge.topics[topic_of_rule(rule.id)].figures.get(fact.after or "")
    return date.fromisoformat(str(figure.value)) if figure else None


def born_of(state: State) -> Born | None:
    """The subject's days of birth, if told."""
    age = from_json(state.told().get("age"))
    return age if isinstance(age, Born) else None


# -- volunteered in passing


def listen(state: State, heard: Heard, world: World) -> State:
    """Remember what a message tells in passing: whom it is about, and facts that a check would ask for."""
    understood, text = heard.understood, heard.text or ""
    if understood is None or not text:
        return state
    about = world.words.subject(text, state.lang)
    found = {} if about and about != state.about else dict(state.volunteered)
    by_words = volunteered(world.knowledge.volunteered, text, state.lang, world.words)
    for name, fact in world.knowledge.facts.items():
        value = by_words.get(name) if fact.volunteer else _by_detail(fact, understood, state.lang, world)
        if value is not None:
            found.pop(name, None)
            found[name] = value
    kept = tuple(found.items())[-MOST_VOLUNTEERED:]
    return dataclasses.replace(state, about=about or state.about, volunteered=kept)


def _by_detail(fact: Fact, understood: Understood, lang: str, world: World) -> Any:
    if not fact.detail or not understood.details:
        return None
    texts = {detail.text for detail in understood.details if detail.kind == fact.detail}
    if len(texts) != 1:
        return None
    parsed = parse(fact, texts.pop(), lang, world.today, world.words)
    return to_json(parsed.value) if parsed.kind == "value" and parsed.value is not None else None


def take_over(state: State, rules: tuple[Rule, ...], world: World) -> tuple[State, tuple[tuple[str, Any], ...]]:
    """Take what was volunteered about the subject as told where these rules ask for it, and say what was taken."""
    facts = world.knowledge.facts
    wanted = {name for rule in rules for name in rule.facts} - state.told().keys()
    mine = (state.about or state.subject) == state.subject
    taken = tuple(
        (name, value)
        for name, value in state.volunteered
        if mine and name in wanted and state.subject in facts[name].subjects
    )
    for name, value in taken:
        state = state.with_fact(name, value)
    names = {name for name, _ in taken}
    rest = tuple((name, value) for name, value in state.volunteered if name not in names)
    return dataclasses.replace(state, volunteered=rest), taken
