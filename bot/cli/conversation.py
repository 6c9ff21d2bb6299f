"""One conversation through the real house, turn by turn: store, worker, sender and all."""

from __future__ import annotations

import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

from bot import clock
from bot.channels.console import ADDRESS, ConsoleChannel, document
from bot.channels.text import sound
from bot.cli.serving import patient_encoder, service
from bot.dialogue import Staffing, told
from bot.dialogue.state import SITUATIONS, State, by_subject, from_doc
from bot.messages import Incoming, Reply, Speaker
from bot.pipeline.house import House, build_house
from bot.pipeline.resources import Resources, load_resources
from knowledge.rules import topic_of_rule
from knowledge.rules.window import window

CHOICE_LIMIT = 100


class Conversation:
    """Says one thing, waits until everything is answered, and tells how things stand."""

    def __init__(self, house: House, channel: ConsoleChannel, resources: Resources, lang: str) -> None:
        self._house = house
        self._channel = channel
        self._resources = resources
        self._lang = lang if lang in resources.languages else ""
        self._now: datetime | None = None
        self._sent_ms = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, database: Path, lang: str, now_iso: str, loaded: Resources | None = None
    ) -> AsyncIterator[Conversation]:
        """A conversation in a database, with its own clock. `loaded`: resources at hand need not be loaded again."""
        channel = ConsoleChannel()
        holder: list[Conversation] = []
        resources = dataclasses.replace(
            loaded or load_resources(encoder=patient_encoder()), clock=lambda: holder[0].now()
        )
        house = build_house(database, resources, {ADDRESS.channel: channel}, service=service())
        conversation = cls(house, channel, resources, lang)
        holder.append(conversation)
        if now_iso:
            conversation._now = clock.parse(now_iso)
        try:
            yield conversation
        finally:
            house.close()

    def now(self) -> datetime:
        """The conversation's own time."""
        return self._now or clock.now()

    def welcome(self) -> Reply:
        """The first notice, shown before anything is said."""
        return self._resources.renderer.welcome(self._lang or self._resources.languages[0])

    async def say(self, text: str | None = None, choice: str | None = None, welcomed: bool = True) -> list[Reply]:
        """One message or choice through the whole house; the replies it led to."""
        before: list[Reply] = []
        if self._lang:
            chosen, self._lang = self._lang, ""
            before = await self.say(choice=f"lang:{chosen}", welcomed=welcomed)
        self._sent_ms = max(self._sent_ms + 1, clock.millis(self.now()))
        incoming = Incoming(ADDRESS, uuid.uuid4().hex, self._sent_ms, text=text, choice=choice, welcomed=welcomed)
        await self._house.door.accept([incoming])
        await self._house.settle()
        return [*before, *self._channel.collect()]

    async def line(self, line: dict[str, Any]) -> dict[str, Any]:
        """One input line of `chat --jsonl` to its output line. No line makes it crash."""
        with contextlib.suppress(ValueError, TypeError):
            if line.get("now"):
                self._now = clock.parse(str(line["now"]))
        text, choice = line.get("text"), line.get("choice")
        if isinstance(choice, str) and choice:
            replies = await self.say(choice=sound(choice)[:CHOICE_LIMIT], welcomed=False)
        else:
            replies = await self.say(text=sound(text) if isinstance(text, str) else "", welcomed=False)
        return {"replies": [document(reply) for reply in replies], **self.standing()}

    def state(self) -> State:
        """The dialogue's state as kept."""
        conversation = self._house.door.conversation(ADDRESS)
        if conversation is None:
            return State()
        return from_doc(self._house.store.state(conversation), by_subject(self._house.store.facts(conversation)))

    def wants_number(self) -> bool:
        """Does a question wait whose answer may be a number?"""
        asking = self.state().asking
        if asking is None or asking.fact == SITUATIONS:
            return asking is not None
        return not self._resources.knowledge.facts[asking.fact].choices

    def standing(self) -> dict[str, Any]:
        """{"asking", "verdicts", "window", "mode"} of the contract."""
        state = self.state()
        world = self._resources.world(self.now(), Staffing())
        conversation = self._house.door.conversation(ADDRESS)
        standing = self._house.door.standing(conversation) if conversation is not None else None
        found = told.verdicts(state, world)
        topics = dict.fromkeys(topic_of_rule(rule) for rule in found)
        topics |= dict.fromkeys(topic_of_rule(rule.id) for rule in told.rules_of(state, world))
        return {
            "asking": state.asking.fact if state.asking else None,
            "verdicts": found,
            "window": {
                topic: window(told.schedule(self._resources.knowledge.topics[topic], world), world.today)
                for topic in topics
            },
            "mode": (standing.speaker if standing else Speaker.BOT).value,
        }
