"""Answers about topics: a whole one, one aspect, lists to browse, unclear readings."""

from __future__ import annotations

import dataclasses

from bot.dialogue import options
from bot.dialogue.effects import Effect, Option, Say, ShowCards, ShowTopic
from bot.dialogue.state import State
from bot.dialogue.world import World
from intents import Understood

Outcome = tuple[State, tuple[Effect, ...]]
PAGE = 8


def show(state: State, world: World, topic_id: str, aspect: str = "") -> Outcome:
    """A topic or one of its aspects; what the plan does not say is said to be unknown, with a person offered."""
    topic = world.topic(topic_id)
    if topic is None:
        return unknown_choice(state)
    aspect = "" if aspect == "overview" else aspect
    state = dataclasses.replace(state, topic=topic_id, aspect=aspect, misses=0)
    if not aspect or topic.says(aspect) or (topic_id, aspect) in world.knowledge.additions:
        return state, (ShowTopic(topic_id, aspect),)
    more = options.aspect_options(topic)[:4]
    buttons = (options.PERSON, *more, options.MENU)
    key = "where_city" if aspect == "where" and topic.area else aspect
    return state, (Say(f"conversation.unknown.{key}", buttons, topic=topic_id),)


def answer(state: State, world: World, understood: Understood) -> Outcome:
    """The answer to a message understood as about a topic."""
    return show(state, world, understood.topics[0], understood.aspect)


def clarify(state: State, understood: Understood) -> Outcome:
    """Two or three readings to choose from; the second miss in a row offers a person first."""
    readings = tuple(options.intent_option(label) for label in understood.topics[:3])
    key = "conversation.clarify" if state.misses == 0 else "conversation.clarify_again"
    state = dataclasses.replace(state, misses=state.misses + 1)
    return state, (Say(key, (*readings, options.PERSON, options.MENU)),)


def refuse(state: State, understood: Understood) -> Outcome:
    """Kindly: not what this can help with, and what it can."""
    key = "conversation.refuse" if state.misses == 0 else "conversation.refuse_again"
    if not understood.text:
        key = "conversation.empty"
    state = dataclasses.replace(state, misses=state.misses + 1)
    buttons = (options.WHO, options.THEMES, options.SCREEN, options.PERSON)
    return state, (Say(key, buttons if state.misses < 2 else (options.PERSON, *buttons[:3])),)


def unknown_choice(state: State) -> Outcome:
    """A button that is none (any more)."""
    return state, (Say("conversation.choice_unknown", (options.MENU, options.PERSON)),)


def menu(state: State, world: World) -> Outcome:
    """The main menu."""
    buttons = (
        options.WHO,
        options.THEMES,
        options.CHECKS,
        options.PERSON,
        options.LANGUAGE,
        options.PRIVACY,
        *((options.MOVE,) if world.elsewhere else ()),
    )
    return dataclasses.replace(state, misses=0), (Say("conversation.menu", buttons),)


def who(state: State, world: World) -> Outcome:
    """Browse by who one is."""
    buttons = tuple(Option(f"audience:{name}", f"browse.audience.{name}") for name in world.knowledge.by_audience)
    return state, (Say("conversation.who", (*buttons, options.MENU)),)


def themes(state: State, world: World) -> Outcome:
    """Browse by topic area."""
    buttons = tuple(Option(f"theme:{name}", f"browse.theme.{name}") for name in world.knowledge.by_theme)
    return state, (Say("conversation.themes", (*buttons, options.MENU)),)


def checks(state: State, world: World) -> Outcome:
    """The benefits that can be checked by questions."""
    buttons = (_check_option(world, topic) for topic in world.knowledge.topics)
    found = tuple(button for button in buttons if button is not None)
    return state, (Say("conversation.checks", (options.SCREEN, *found, options.MENU)),)


def _check_option(world: World, topic: str) -> Option | None:
    rules = options.checks_of(world.knowledge, topic)
    if len(rules) == 1:
        return Option(f"check:{rules[0].id}", f"{topic}.label")
    return Option(f"checks:{topic}", f"{topic}.label") if rules else None


def checks_of(state: State, world: World, topic: str) -> Outcome:
    """The checks of one topic that has several."""
    buttons = options.check_options(world.knowledge, topic)
    if not buttons:
        return unknown_choice(state)
    return state, (Say("conversation.checks_of", (*buttons, options.topic_option(topic), options.MENU), topic=topic),)


def cards(state: State, world: World, kind: str, name: str, page: int = 0) -> Outcome:
    """Topics of one audience or theme, a page at a time."""
    lists = world.knowledge.by_audience if kind == "audience" else world.knowledge.by_theme
    found = lists.get(name)
    if not found:
        return unknown_choice(state)
    start = page * PAGE
    shown = tuple(found[start : start + PAGE])
    more = (Option(f"{kind}:{name}:{page + 1}", "conversation.choice.more"),) if len(found) > start + PAGE else ()
    params = (("name", f"browse.{kind}.{name}"),)
    back = options.WHO if kind == "audience" else options.THEMES
    screen = (options.SCREEN,) if kind == "audience" else ()
    effect = ShowCards("conversation.cards", shown, params, (*more, *screen, back, options.PERSON))
    return dataclasses.replace(state, misses=0), (effect,)
