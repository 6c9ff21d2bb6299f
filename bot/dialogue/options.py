"""The buttons that recur: menu, person, language, aspects of a topic."""

from __future__ import annotations

from bot.dialogue.effects import Option
from bot.dialogue.world import World, rule_of_topic
from knowledge.library import Topic

MENU = Option("menu", "conversation.choice.menu")
PERSON = Option("handoff", "conversation.choice.person")
PERSON_NOW = Option("handoff:urgent", "conversation.choice.person_now")
CONTINUE = Option("continue", "conversation.choice.continue")
STOP = Option("stop", "conversation.choice.stop")
BACK = Option("back", "conversation.choice.back")
PRIVACY = Option("privacy", "conversation.choice.privacy")
WHO = Option("who", "conversation.choice.who")
THEMES = Option("themes", "conversation.choice.themes")
LANGUAGE = Option("language", "conversation.choice.language")
FORGET = Option("forget", "conversation.choice.forget")
SCREEN = Option("screening", "conversation.choice.screening")
CHECKS = Option("checks", "conversation.choice.checks")

ASPECTS = ("eligibility", "amount", "how-to-apply", "period", "where", "documents", "contact", "budget")


def languages(world: World) -> tuple[Option, ...]:
    """Six languages, each in its own name."""
    return tuple(Option(f"lang:{code}", f"conversation.language.{code}") for code in world.languages)


def topic_option(topic_id: str) -> Option:
    """A button that opens a topic."""
    return Option(f"topic:{topic_id}", f"{topic_id}.label")


def check_options(world: World, topic_id: str) -> tuple[Option, ...]:
    """A button that starts the topic's interview, if it has one."""
    rule = rule_of_topic(world, topic_id)
    return (Option(f"check:{rule}", "conversation.choice.check"),) if rule else ()


def aspect_options(topic: Topic, without: str = "") -> tuple[Option, ...]:
    """Buttons for the aspects that the plan speaks of."""
    return tuple(
        Option(f"aspect:{topic.id}:{aspect}", f"conversation.aspect.{aspect}")
        for aspect in ASPECTS
        if aspect != without and topic.says(aspect)
    )


def intent_option(label: str) -> Option:
    """A button for one reading of an unclear message: a topic or an intent."""
    if label[-1].isdigit():  # p15, p06.4, ov3
        return topic_option(label)
    return Option(label, f"conversation.reading.{label}")
