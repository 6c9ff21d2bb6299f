"""Replies of interviews and of the screening: questions, what was read, summaries, verdicts, groups of results."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

from bot.dialogue import effects as e
from bot.dialogue import options
from bot.dialogue.interview import SUBJECTS
from bot.messages import Reply
from bot.render import groups, verdicts
from bot.render.voice import Voice
from knowledge.library import Knowledge, Topic

MOST_FOUND = 6


class Words(Protocol):
    """What the renderer lends: templates filled, replies with their buttons, texts and source of a topic."""

    def fill(self, template: str, voice: Voice, **context: object) -> str: ...
    def reply(self, text: str, voice: Voice, chosen: Sequence[e.Option] = ()) -> Reply: ...
    def text(self, topic: Topic, field: str, voice: Voice) -> str: ...
    def source(self, topic: Topic, voice: Voice) -> str: ...


@dataclasses.dataclass(frozen=True)
class Checks:
    """Renders the effects of interviews."""

    knowledge: Knowledge
    words: Words

    def readback(self, effect: e.Readback, voice: Voice) -> Reply:
        """How an answer was read."""
        value = verdicts.value_text(voice, self.knowledge, effect.fact, effect.value, effect.on)
        text = self.words.fill("say", voice, key="conversation.readback", params={"value": value})
        return self.words.reply(text, voice, (_change(effect.fact),))

    def ask(self, effect: e.Ask, voice: Voice) -> Reply:
        """One question, its answers, and the ways out."""
        fact = self.knowledge.facts[effect.fact]
        rule = self.knowledge.rules[effect.rule]
        text = self.words.fill(
            "ask",
            voice,
            first=effect.first,
            subject=effect.subject,
            count=effect.count,
            topic=voice(options.name_key(rule)),
            question=self._fact_text(effect, "narrower" if effect.narrower else "question", voice),
            help=self._fact_text(effect, "help", voice),
            why=self._fact_text(effect, "why", voice),
            helping=effect.helping,
            left=effect.left if effect.left > 1 else 0,
        )
        answers = tuple(
            e.Option(f"answer:{effect.fact}:{value}", f"fact.{effect.fact}.choice.{value}") for value in fact.choices
        )
        if fact.type == "date":
            answers = (e.Option(f"pick:{effect.fact}", "conversation.choice.pick_date"),)
        unsure = (
            e.Option(f"answer:{effect.fact}:unknown", "conversation.choice.not_sure"),
            e.Option(f"answer:{effect.fact}:declined", "conversation.choice.decline"),
        )
        subjects = SUBJECTS if effect.count else rule.subjects
        swap = _swap(effect.subject, subjects) if effect.first else ()
        back = (options.BACK,) if effect.can_go_back else ()
        early = (options.RESULTS,) if effect.count and not effect.first else ()
        return self.words.reply(text, voice, (*answers, *unsure, *back, *early, options.STOP, options.PERSON, *swap))

    def situations(self, effect: e.AskSituations, voice: Voice) -> Reply:
        """The list of situations: check boxes or marked buttons, and the same as numbered lines."""
        items = [voice(f"fact.{fact}.situation") for fact in effect.facts]
        text = self.words.fill(
            "situations",
            voice,
            first=effect.first,
            subject=effect.subject,
            count=effect.count,
            items=items,
            helping=effect.helping,
        )
        ticks = tuple(
            e.Option(f"tick:{fact}", f"fact.{fact}.label", (), fact in effect.ticked, f"fact.{fact}.situation")
            for fact in effect.facts
        )
        swap = _swap(effect.subject, SUBJECTS) if effect.first else ()
        chosen = (*ticks, options.DONE, options.NONE_OF_THESE, options.SKIP, options.STOP, options.PERSON, *swap)
        return self.words.reply(text, voice, chosen)

    def ticked(self, effect: e.Ticked, voice: Voice) -> Reply:
        """What was ticked, with the way to change it."""
        items = voice("conversation.list.comma").join(voice(f"fact.{fact}.situation") for fact in effect.facts)
        key = "conversation.screening.situations.ticked" + ("" if effect.facts else "_none")
        text = self.words.fill("say", voice, key=key, params={"items": items} if items else {})
        return self.words.reply(text, voice, (_change("situations"),))

    def prefilled(self, effect: e.Prefilled, voice: Voice) -> Reply:
        """What was told before and is taken over."""
        told = [
            voice(
                "conversation.summary.answer",
                fact=voice(f"fact.{fact}.label"),
                value=verdicts.value_text(voice, self.knowledge, fact, value, effect.on),
            )
            for fact, value in effect.answers
        ]
        facts = voice("conversation.list.comma").join(told)
        text = self.words.fill("say", voice, key="conversation.prefilled", params={"facts": facts})
        return self.words.reply(text, voice, tuple(_change(fact) for fact, _ in effect.answers))

    def _fact_text(self, effect: e.Ask, field: str, voice: Voice) -> str:
        return verdicts.fact_text(voice, self.knowledge, effect.fact, field, effect.subject, effect.topic) or (
            self._fact_text(effect, "question", voice) if field == "narrower" else ""
        )

    def summary(self, effect: e.ShowSummary, voice: Voice) -> Reply:
        """The answers of an interview, each with a way to change it."""
        answers = [
            (voice(f"fact.{fact}.label"), verdicts.value_text(voice, self.knowledge, fact, value, effect.on))
            for fact, value in effect.answers
        ]
        listed = (_change("situations"),) if effect.situations else ()
        chosen = (*(_change(fact) for fact, _ in effect.answers), *listed)
        return self.words.reply(self.words.fill("summary", voice, answers=answers), voice, chosen)

    def verdict(self, effect: e.ShowVerdict, voice: Voice) -> Reply:
        """The result of one rule."""
        topic = self.knowledge.topics[effect.topic]
        context = verdicts.context(effect, topic, voice, self.knowledge)
        steps = [
            self.words.text(topic, field, voice)
            for field in ("how_to_apply", "where")
            if topic.texts.get(field) and effect.result.verdict not in ("not_eligible", "does_not_apply")
        ]
        name = voice(options.name_key(self.knowledge.rules[effect.rule]))
        text = self.words.fill("verdict", voice, topic=name, next=steps, **context)
        chosen = (options.PERSON, options.topic_option(effect.topic), options.CHECKS, options.MENU)
        reply = self.words.reply(text, voice, chosen)
        return dataclasses.replace(reply, source=self.words.source(topic, voice))

    def groups(self, effect: e.ShowGroups, voice: Voice) -> list[Reply]:
        """One bubble a group; the last one has the notice and the ways on."""
        found: list[Reply] = []
        bubbles = list(groups.bubbles(effect, self.knowledge, voice))
        for place, sections in enumerate(bubbles):
            last = place == len(bubbles) - 1
            early = ("conversation.screening.stopped_early",) if effect.early and place == 0 else ()
            confirm = any(window == "not_confirmed" for _, window in effect.results)
            window = ("conversation.window.not_confirmed",) if confirm else ()
            closing = (*window, "conversation.verdict.no_decision") if last else ()
            about = "" if place else f"conversation.screening.about.{effect.subject}"
            notes = [voice(key) for key in (*early, *closing)]
            text = self.words.fill("groups", voice, about=about, sections=sections, notes=notes)
            topics = groups.found_topics(effect, self.knowledge)[:MOST_FOUND]
            more = (options.CONTINUE,) if effect.early else ()
            ways = (*map(options.topic_option, topics), *more, options.PERSON, options.MENU) if last else ()
            found.append(self.words.reply(text, voice, ways))
        return found


def _change(fact: str) -> e.Option:
    """The button that asks one thing anew."""
    key = "conversation.screening.situations.label" if fact == "situations" else f"fact.{fact}.label"
    return e.Option(f"change:{fact}", "conversation.choice.change", (("fact", key),))


def _swap(subject: str, subjects: Sequence[str]) -> tuple[e.Option, ...]:
    """Buttons to ask about somebody else."""
    return tuple(
        e.Option(f"subject:{other}", f"conversation.choice.{other}")
        for other in SUBJECTS
        if other != subject and other in subjects
    )
