"""What a step may look at besides the state: the knowledge, the word lists, what was heard, who is on duty."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from bot.dialogue.state import State
from bot.messages import Kept, Retention
from intents import Understood
from intents.slots import Words
from intents.slots.controls import Controls
from knowledge.catalog import Catalog
from knowledge.library import Knowledge, Topic
from knowledge.rules import Rule


@dataclass(frozen=True, slots=True)
class Staffing:
    """Is a caseworker at the desk now, and was anyone there within a service day?

    `opens`: when the service hours begin next, in Taipei's time; None while they run, or when no day is known.
    `case` is the open case's number, `next_case` the number of one opened now. `barred`: this person may not ask for
    somebody, emergencies apart.
    """

    on_duty: bool = False
    seen_lately: bool = False
    case: str = ""
    next_case: str = ""
    barred: bool = False
    opens: datetime | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One event: a choice, or a text with its understanding. `late`: it was written before an event taken earlier.

    `group`: others read along. `waits`: answers wait that could not be delivered. `again`: facts that the earlier
    version of an edited message had told; `reworded`: it held the words of a rating. `withdrew`: a message was taken
    back for it. `resumed`: how a resume link went. `kept`: what is kept of the conversation, where the event asks for
    it. `masked`: a number of a person in it was hidden.
    """

    sent_ms: int
    choice: str | None = None
    text: str | None = None
    understood: Understood | None = None
    late: bool = False
    welcomed: bool = False
    group: bool = False
    waits: bool = False
    again: tuple[str, ...] = ()
    reworded: bool = False
    withdrew: bool = False
    resumed: str = ""
    kept: Kept | None = None
    masked: bool = False


@dataclass(frozen=True)
class World:
    """Everything a step may look at. Built once a turn; nothing in it changes.

    `elsewhere`: there are other channels to go on with. `copies`: a link to a copy of one's data can be given here;
    `restricted`: the person's data is kept apart.
    """

    knowledge: Knowledge
    words: Words
    controls: Controls
    languages: tuple[str, ...]
    catalog: Catalog
    now: datetime
    staffing: Staffing
    elsewhere: bool = False
    copies: bool = False
    restricted: bool = False
    retention: Retention = field(default_factory=Retention)

    @property
    def today(self) -> date:
        """The day rules are evaluated on."""
        return self.now.date()

    def rule(self, rule_id: str) -> Rule | None:
        """A rule by id."""
        return self.knowledge.rules.get(rule_id)

    def situation(self, fact: str, lang: str) -> str:
        """The line of a fact in the list of situations, in a language."""
        return self.catalog.text(lang, f"fact.{fact}.situation").text

    def topic(self, topic_id: str) -> Topic | None:
        """A topic by id."""
        return self.knowledge.topics.get(topic_id)


def interview_open(state: State) -> bool:
    """Does a question wait for an answer?"""
    return state.interview is not None and state.asking is not None
