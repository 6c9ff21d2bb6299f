"""The buttons that recur: menu, person, language, aspects of a topic."""

from __future__ import annotations

from bot.dialogue.effects import Option
from bot.dialogue.world import World
from knowledge.library import Knowledge, Topic
from knowledge.rules import Rule, topic_of_rule

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
SKIP = Option("skip", "conversation.choice.skip")
RESULTS = Option("results", "conversation.choice.results")
DONE = Option("ticked:done", "conversation.choice.done")
NONE_OF_THESE = Option("ticked:none", "conversation.choice.none_of_these")

MY_DATA = Option("mydata", "conversation.choice.mydata")
COPY = Option("mydata:export", "conversation.choice.mydata_export")
CORRECT = Option("mydata:correct", "conversation.choice.mydata_correct")
RESTRICT = Option("mydata:restrict", "conversation.choice.mydata_restrict")
RESTRICT_YES = Option("mydata:restrict_yes", "conversation.choice.mydata_restrict_yes")
LIFT = Option("mydata:lift", "conversation.choice.mydata_lift")
WITHDRAW = Option("withdraw", "conversation.choice.withdraw")

LOCATION = Option("location", "conversation.choice.location")
MOVE = Option("move", "conversation.choice.move")

ASPECTS = ("eligibility", "amount", "how-to-apply", "period", "where", "documents", "contact", "budget")


def languages(world: World) -> tuple[Option, ...]:
    """Six languages, each in its own name."""
    return tuple(Option(f"lang:{code}", f"conversation.language.{code}") for code in world.languages)


def topic_option(topic_id: str) -> Option:
    """A button that opens a topic."""
    return Option(f"topic:{topic_id}", f"{topic_id}.label")


def check_options(knowledge: Knowledge, topic_id: str) -> tuple[Option, ...]:
    """A button for each check of the topic that has something to ask; named where there are several."""
    rules = checks_of(knowledge, topic_id)
    if len(rules) == 1:
        return (Option(f"check:{rules[0].id}", "conversation.choice.check"),)
    return tuple(Option(f"check:{rule.id}", name_key(rule)) for rule in rules)


def checks_of(knowledge: Knowledge, topic_id: str) -> tuple[Rule, ...]:
    """The benefits and duties of a topic about which something can be asked."""
    return knowledge.checks.get(topic_id, ())


def name_key(rule: Rule) -> str:
    """The catalog key of a rule's name: its own, or its topic's."""
    return f"rule.{rule.id}.label" if rule.label else f"{topic_of_rule(rule.id)}.label"


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
