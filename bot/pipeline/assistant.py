"""One turn: understanding, the dialogue's step, rendering; computed, not yet written."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.clock import Clock
from bot.dialogue import Heard, Staffing, World, step
from bot.dialogue.effects import (
    AskOfData,
    Effect,
    Forget,
    KeepApart,
    OfferCopy,
    OfferMove,
    OpenCase,
    Rate,
    RateWords,
    Say,
    Ticked,
)
from bot.dialogue.options import FORGET, LOCATION, MENU, PERSON, WITHDRAW
from bot.dialogue.platform import without_message
from bot.dialogue.state import State, from_doc, to_doc
from bot.dialogue.step import held
from bot.messages import Kept, Kind, Reply, Retention, Speaker
from bot.pipeline.masking import hide, public_numbers
from bot.render.replies import Renderer
from bot.store.own_data import LINK_MINUTES
from bot.store.records import Bundle, CaseOpening, Event, Lease, Turn
from bot.store.resume import MINUTES
from bot.store.unanswered import Unanswered
from intents import Context, Understood
from intents.encoder.ahead import Ahead
from intents.redact import masked, redacted
from intents.slots import Words
from intents.slots.controls import Controls
from intents.understand import Understander
from knowledge.library import Knowledge

Links = tuple[tuple[str, str], ...]
"""(catalog key of a label, address)."""

ENCODED_AT_ONCE = 8
RESUME_BYTES = 16
WITH_WITHDRAWING = ("web",)  # beside the platforms, channels that name their messages
WITH_PICKER = ("line",)  # channels with a date picker
UNANSWERED = ("conversation.clarify", "conversation.refuse")
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is mistaken for another letter


@dataclass
class Assistant:
    """Everything a turn needs, loaded once."""

    knowledge: Knowledge
    understander: Understander
    words: Words
    controls: Controls
    renderer: Renderer
    languages: tuple[str, ...]
    clock: Clock
    staffing: Callable[[datetime], Staffing]
    encoder: Ahead | None = None
    platforms: Collection[str] = ()
    links: Callable[[str, str], Links] = lambda channel, token: ()
    copies: Callable[[str, str], str] = lambda channel, token: ""
    retention: Retention = field(default_factory=Retention)
    public: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.public = public_numbers(self.knowledge)

    def ahead(self, leases: Sequence[Lease]) -> Callable[[], None] | None:
        """Fetching the vectors of messages the first stage is unsure of; the first ones of a batch only.

        A message with a vector is read better, one without is read by the first stage: nobody waits long for another.
        """
        if self.encoder is None:
            return None
        encoder, texts = self.encoder, []
        for lease in leases:
            written = [event.text for event in lease.events if event.text]
            if not written:
                continue
            context = self._context(from_doc(lease.state, {}))
            wanted = (self.understander.to_encode(each, context) for each in written)
            texts += [text for text in wanted if text is not None and encoder.encode(text) is None]
        return (lambda: encoder.fetch(texts[:ENCODED_AT_ONCE])) if texts else None

    def take(self, lease: Lease) -> tuple[list[Turn], str, str]:
        """The turns of a lease's events in order, the language and the new state document."""
        state = from_doc(lease.state, lease.facts)
        taken_ms, speaker, case = lease.taken_ms, lease.speaker, lease.case.number if lease.case else ""
        turns: list[Turn] = []
        for event in lease.events:
            late = event.sent_ms < taken_ms
            taken_ms = max(taken_ms, event.sent_ms)
            waits = lease.waits or any(each.bundles for each in turns)
            turn, state = self._turn(lease, state, event, late, speaker, case, waits)
            if turn.forget or turn.restrict:
                speaker, case = Speaker.BOT, ""
            if turn.forget or turn.restrict is not None:
                lease = dataclasses.replace(lease, restricted=bool(turn.restrict))
            if turn.case is not None:
                speaker, case = (Speaker.WAITING if speaker is Speaker.BOT else speaker), case or turn.case.number
            turns.append(turn)
        return turns, state.lang, to_doc(state)

    def apologize(self, lease: Lease, event: Event) -> tuple[list[Turn], str, str]:
        """The state stays, unless it is what cannot be read; the citizen hears that this message failed."""
        state, doc = _readable(lease)
        replies = self.renderer.replies((Say("conversation.sorry", (MENU, PERSON)),), self._lang(state), state.subject)
        shown, original = hide(event, None, lease.case, self.public)
        turn = Turn(event, self._heard(shown, state), original=original, bundles=_bundles(replies))
        return [turn], state.lang, doc

    def _lang(self, state: State) -> str:
        return state.lang or self.languages[0]

    def _turn(
        self, lease: Lease, state: State, event: Event, late: bool, speaker: Speaker, case: str, waits: bool
    ) -> tuple[Turn, State]:
        if event.kind is Kind.UNSENT:
            return Turn(event, None), without_message(state)
        if event.gone:
            return Turn(event, Reply("", self._lang(state))), state
        if event.silent:
            shown, original = hide(event, None, lease.case, self.public)
            return Turn(event, self._heard(shown, state), late=late, original=original), state
        before = state.lang
        if not state.lang and event.lang in self.languages:
            state = dataclasses.replace(
                state, lang=event.lang
            )  # what the channel shows, until something else is written
        understood = None if event.kind is Kind.PLACE else self.understand(state, event.text)
        shown, original = hide(event, understood, lease.case, self.public)
        heard = _as_heard(event, understood, late, waits, lease.kept, masked=original is not None)
        world = self._world(lease, event, case)
        if speaker is Speaker.HUMAN:
            after, effects = held(state, heard, world)
        else:
            after, effects = step(state, heard, world)
        if not after.lang:
            after = dataclasses.replace(after, lang=self.languages[0])
        effects, move, copy = self._with_links(effects, event)
        replies = self.renderer.replies(effects, self._lang(after), after.subject)
        opening = _opening(effects, world)
        turn = Turn(
            event,
            None if event.choice == "withdraw" else self._heard(shown, after),
            late=late,
            reading={} if lease.restricted else _reading(understood, effects),
            bundles=_bundles([self._fitting(reply, event) for reply in replies]),
            facts=_changed(state, after),
            how=_how(event, effects),
            passing=_taken_over(state, after),
            case=opening,
            alarm=bool(understood and understood.urgent and case),
            forget=any(isinstance(effect, Forget) for effect in effects),
            unanswered=None if speaker is Speaker.HUMAN or lease.restricted else _unanswered(understood, effects),
            picked=_picked(event.choice) if state.misses else "",
            file=shown.attachment if case and not event.group else None,
            resume=move,
            farewell=self._farewell(event, after) if event.left else None,
            helped=next((effect.helped for effect in effects if isinstance(effect, Rate)), None),
            words=masked(next((effect.words for effect in effects if isinstance(effect, RateWords)), "")),
            menu=after.lang != before and event.address.channel in self.platforms and not event.group,
            requests=tuple(effect.request for effect in effects if isinstance(effect, AskOfData)),
            restrict=next((effect.on for effect in effects if isinstance(effect, KeepApart)), None),
            copy=copy,
            original=None if lease.restricted else original,
        )
        return turn, after

    def _world(self, lease: Lease, event: Event, case: str) -> World:
        """What the step may look at for this event."""
        now, channel = self.clock(), event.address.channel
        staffing = dataclasses.replace(
            self.staffing(now), case=case, next_case=_next_number(now, lease, event), barred=lease.barred
        )
        return World(
            self.knowledge,
            self.words,
            self.controls,
            self.languages,
            self.renderer.catalog,
            now,
            staffing,
            elsewhere=bool(self.links(channel, "")),
            copies=bool(self.copies(channel, "")),
            restricted=lease.restricted,
            retention=self.retention,
        )

    def _with_links(self, effects: tuple[Effect, ...], event: Event) -> tuple[tuple[Effect, ...], str, str]:
        """A wish to go on elsewhere, or for a copy, becomes links with a fresh secret: (effects, the two secrets)."""
        shown: list[Effect] = []
        move = copy = ""
        for effect in effects:
            if isinstance(effect, OfferMove):
                move = secrets.token_urlsafe(RESUME_BYTES)
                links = self.links(event.address.channel, move)
                effect = Say("conversation.move", (MENU,), params=(("minutes", str(MINUTES)),), links=links)
            elif isinstance(effect, OfferCopy):
                copy = secrets.token_urlsafe(RESUME_BYTES)
                link = ("conversation.copy_link", self.copies(event.address.channel, copy))
                effect = Say("conversation.copy", (MENU,), params=(("minutes", str(LINK_MINUTES)),), links=(link,))
            shown.append(effect)
        return tuple(shown), move, copy

    def _farewell(self, event: Event, state: State) -> Reply:
        """What is said where the conversation was before."""
        say = Say("conversation.moved_away", (FORGET,))
        (reply,) = self.renderer.replies((say,), self._lang(state))
        return reply

    def _fitting(self, reply: Reply, event: Event) -> Reply:
        """Without the buttons that the channel cannot show; a group gets none, as one person's tap is not another's."""
        if event.group:
            cards = tuple(dataclasses.replace(card, choices=()) for card in reply.cards)
            return dataclasses.replace(reply, choices=(), cards=cards)
        kept = tuple(choice for choice in reply.choices if self._fits(choice.id, event.address.channel))
        return reply if len(kept) == len(reply.choices) else dataclasses.replace(reply, choices=kept)

    def _fits(self, choice: str, channel: str) -> bool:
        """Can the channel do what the button says?"""
        if choice == LOCATION.id:
            return channel in self.platforms
        if choice == WITHDRAW.id:
            return channel in self.platforms or channel in WITH_WITHDRAWING
        return not choice.startswith("pick:") or channel in WITH_PICKER

    def understand(self, state: State, text: str | None) -> Understood | None:
        """What a text says, in the light of the state."""
        if text is None:
            return None
        return self.understander.understand(text, self._context(state))

    def _context(self, state: State) -> Context:
        return Context(
            lang=state.lang,
            lang_chosen=state.lang_chosen,
            topic=state.topic,
            aspect=state.aspect,
            expecting=state.asking is not None,
        )

    def _heard(self, event: Event, state: State) -> Reply:
        """The citizen's own line; a pressed button shows its label."""
        if event.attachment is not None:
            label = self.renderer.label_of_choice(event.attachment.kind, self._lang(state))
            return Reply("\n".join(part for part in (label, event.text) if part), state.lang)
        if event.text is not None:
            return Reply(event.text, state.lang)
        shown = state.interview.shown if state.interview else ()
        return Reply(self.renderer.label_of_choice(event.choice or "", self._lang(state), shown), state.lang)


def _as_heard(
    event: Event, understood: Understood | None, late: bool, waits: bool, kept: Kept | None, masked: bool
) -> Heard:
    """The event as the dialogue hears it: what is no word is a choice of its own."""
    choice = {Kind.FILE: "file", Kind.PLACE: "place"}.get(event.kind, event.choice)
    return Heard(
        event.sent_ms,
        choice,
        event.text,
        understood,
        late,
        event.welcomed,
        group=event.group,
        waits=waits,
        again=event.again,
        reworded=event.reworded,
        withdrew=event.withdrew,
        resumed=event.resumed,
        kept=kept,
        masked=masked,
    )


def _readable(lease: Lease) -> tuple[State, str]:
    """State and document of a lease; what cannot be read starts anew, or no later message would be answered."""
    try:
        return from_doc(lease.state, lease.facts), lease.state
    except (ValueError, TypeError, KeyError):
        fresh = State(lang=lease.lang, facts=lease.facts)
        return fresh, to_doc(fresh)


def _next_number(now: datetime, lease: Lease, event: Event) -> str:
    """A case number made of the day and a short code that another try of the same turn gives again."""
    digest = hashlib.sha256(f"{lease.conversation}/{event.event_id}/{event.attempts}".encode()).digest()
    code = "".join([ALPHABET[byte % len(ALPHABET)] for byte in digest[:5]])
    return f"{now.year}{now.month:02}{now.day:02}-{code}"


def _opening(effects: Sequence[Effect], world: World) -> CaseOpening | None:
    for effect in effects:
        if isinstance(effect, OpenCase):
            number = world.staffing.case or world.staffing.next_case
            return CaseOpening(number, effect.reason, effect.topic, effect.urgent)
    return None


def _unanswered(understood: Understood | None, effects: Sequence[Effect]) -> Unanswered | None:
    """The message, masked, where the citizen was asked back or refused."""
    if understood is None or not understood.text:
        return None
    if not any(isinstance(effect, Say) and effect.key.startswith(UNANSWERED) for effect in effects):
        return None
    return Unanswered(redacted(understood.text), understood.lang, understood.decision, understood.topics)


def _picked(choice: str | None) -> str:
    """The label a button stands for: `topic:p15` for p15, `stations` for itself."""
    head, _, rest = (choice or "").partition(":")
    return rest if head == "topic" else head


def _bundles(replies: Sequence[Reply]) -> tuple[Bundle, ...]:
    """Neighbors with the same notice leave together."""
    bundles: list[Bundle] = []
    for reply in replies:
        if bundles and bundles[-1].notice is reply.notice:
            bundles[-1] = Bundle((*bundles[-1].replies, reply), reply.notice)
        else:
            bundles.append(Bundle((reply,), reply.notice))
    return tuple(bundles)


def _changed(before: State, after: State) -> dict[tuple[str, str], Any]:
    if before.facts is after.facts:
        return {}
    changed: dict[tuple[str, str], Any] = {}
    for subject in {*before.facts, *after.facts}:
        old, new = before.facts.get(subject, {}), after.facts.get(subject, {})
        for fact in {*old, *new}:
            if old.get(fact) != new.get(fact):
                changed[subject, fact] = new.get(fact)
    return changed


def _how(event: Event, effects: Sequence[Effect]) -> str:
    """How the facts of this turn were told, as the store keeps it."""
    if (event.choice or "").startswith("ticked:") or any(isinstance(effect, Ticked) for effect in effects):
        return "list"
    return "choice" if event.choice else "text"


def _taken_over(before: State, after: State) -> frozenset[tuple[str, str]]:
    """The (subject, fact) pairs that were mentioned in passing and count as told from now on."""
    waiting, told = dict(after.volunteered), after.told()
    return frozenset(
        (after.subject, name)
        for name, value in before.volunteered
        if name not in waiting and name in told and told[name] == value
    )


def _reading(understood: Understood | None, effects: Sequence[Effect]) -> dict[str, Any]:
    """How the bot read the message, for the desk."""
    if understood is None:
        return {}
    if any(isinstance(effect, RateWords) for effect in effects):
        return {"intent": "rating", "decision": "answer", "confidence": 1.0}
    reading: dict[str, Any] = {
        "intent": understood.intent,
        "decision": understood.decision,
        "confidence": round(understood.confidence, 3),
    }
    if understood.topics:
        reading["topics"] = list(understood.topics[:3])
    if understood.urgent:
        reading["urgent"] = list(understood.urgent)
    if understood.details:
        reading["details"] = [[detail.kind, masked(detail.text)] for detail in understood.details]
    if understood.callback:
        reading["callback"] = [understood.callback.number, masked(understood.callback.when), understood.callback.lang]
    return reading
