"""A copy of everything that is kept of a person, for the person and for the privacy officer."""

from __future__ import annotations

from dataclasses import dataclass

from bot.channels.port import Copy, KeptAnswer, KeptCase, KeptFile, KeptRating
from bot.dialogue.state import by_subject, from_doc
from bot.pipeline.resources import Resources
from bot.render import own_data
from bot.render.voice import Voice
from bot.store import Store

MOST_LINES = 100_000


@dataclass(frozen=True)
class CopyDesk:
    """Implements channels.port.Copies over the store."""

    store: Store
    resources: Resources

    async def spend(self, token: str) -> Copy | None:
        """The copy that a link leads to, once."""
        conversation = await self.store.privacy.spend(token)
        return None if conversation is None else self.copy(conversation)

    def copy(self, conversation: int, lang: str = "") -> Copy:
        """Everything kept of a conversation, worded in its own language or in `lang`."""
        store, about = self.store, self.store.privacy.about(conversation)
        spoken = lang or about.lang or self.resources.languages[0]
        return Copy(
            lang=spoken,
            since=about.since,
            channels=about.channels,
            entries=tuple(store.entries(conversation, limit=MOST_LINES)),
            answers=self._answers(conversation, spoken),
            cases=tuple(KeptCase(case.number, case.opened_at, case.closed_at) for case in about.cases),
            files=tuple(
                KeptFile(file.kind, file.name, file.size, file.state == "kept")
                for file in store.attachments.of(conversation)
            ),
            restricted=store.privacy.restricted(conversation),
            state=store.state(conversation),
            ratings=tuple(
                KeptRating(each.at, each.helped, each.words) for each in store.ratings.of_conversation(conversation)
            ),
            handed_on=tuple(store.authors.handed_on(conversation).values()),
        )

    def _answers(self, conversation: int, lang: str) -> tuple[KeptAnswer, ...]:
        """What was told, and what was read in passing."""
        resources, rows = self.resources, self.store.facts(conversation)
        state = from_doc(self.store.state(conversation), by_subject(rows))
        told = (*rows, *((state.about or state.subject, fact, value) for fact, value in state.volunteered))
        voice = Voice(resources.catalog, lang, {})
        words = own_data.answers(told, voice, resources.knowledge, resources.clock().date())
        return tuple(KeptAnswer(each.subject, each.fact, each.value, each.label, each.shown) for each in words)
