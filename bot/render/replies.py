"""From effects to replies in the reader's language: words from the catalog, layout from Jinja2 templates."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from bot.dialogue import effects as e
from bot.dialogue import options
from bot.dialogue.interview import SUBJECTS
from bot.messages import Card, Choice, Link, Notice, Reply
from bot.render import groups, verdicts
from bot.render.voice import Voice
from knowledge.catalog import SOURCE_LANGUAGE, Catalog, figures_for, format_figure
from knowledge.library import Knowledge, Topic
from knowledge.models import Figure
from knowledge.topics import ASPECT_TEXTS

BLANK_LINES = re.compile(r"\n{3,}")
HIGHLIGHTS = ("eligibility", "amount")
LABEL_LIMIT = 40
MOST_FOUND = 6


class Renderer:
    """Renders effects. The same topic in the same language is rendered once and remembered: it never changes."""

    def __init__(self, knowledge: Knowledge, catalog: Catalog, templates: Path, languages: Sequence[str]) -> None:
        self.knowledge = knowledge
        self.catalog = catalog
        self._languages = tuple(languages)
        environment = Environment(
            loader=FileSystemLoader(templates / "replies"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            autoescape=False,  # noqa: S701 - plain text; the web escapes when it shows it
        )
        self._template: Callable[[str], Template] = cache(environment.get_template)
        self._remembered = lru_cache(maxsize=4096)(self._render)

    # -- entry points

    def replies(self, effects: Sequence[e.Effect], lang: str, subject: str = "self") -> tuple[Reply, ...]:
        """One reply an effect that says something, in order."""
        found = []
        for effect in effects:
            if isinstance(effect, e.OpenCase | e.Forget):
                continue
            if isinstance(effect, e.ShowGroups):
                found += self._groups(effect, lang)
                continue
            fresh = isinstance(effect, e.ShowVerdict | e.ShowSummary | e.Readback | e.Prefilled)
            found.append(self._render(effect, lang) if fresh else self._remembered(effect, lang))
        return tuple(found)

    def welcome(self, lang: str) -> Reply:
        """The first notice, for channels that show it by themselves."""
        return self._remembered(e.Welcome(), lang)

    def say(self, key: str, lang: str, notice: Notice = Notice.NONE, **params: str) -> Reply:
        """One text, such as a hand-over notice."""
        return self._render(e.Say(key, params=tuple(params.items()), notice=notice), lang)

    def label_of_choice(self, choice: str, lang: str, shown: Sequence[str] = ()) -> str:
        """What a pressed button said, for the transcript; its id where it is none of ours.

        `shown`: the facts of the list of situations that stood there.
        """
        voice = self._voice(lang)
        for key in (f"conversation.choice.{choice}", *_keys_of_choice(choice)):
            if key in self.catalog:
                return voice(key)
        head, _, rest = choice.partition(":")
        if head == "answer":
            return self._answer_label(rest, voice) or choice[:LABEL_LIMIT]
        if head in ("tick", "ticked"):
            return self._ticks_label(rest, voice, shown) or choice[:LABEL_LIMIT]
        if head == "change" and rest == "situations":
            name = voice("conversation.screening.situations.label")
            return voice("conversation.choice.change", fact=name)
        if head == "change" and f"fact.{rest}.label" in self.catalog:
            return voice("conversation.choice.change", fact=voice(f"fact.{rest}.label"))
        return choice[:LABEL_LIMIT]

    def _ticks_label(self, rest: str, voice: Voice, shown: Sequence[str]) -> str:
        plain = {"done": "conversation.choice.done", "none": "conversation.choice.none_of_these"}.get(rest)
        if plain:
            return voice(plain)
        places = [int(place) for place in rest.split(".") if place.isdecimal()]
        names = [shown[place - 1] for place in places if 0 < place <= len(shown)] or [rest]
        keys = [key for name in names if (key := f"fact.{name}.situation") in self.catalog]
        return voice("conversation.list.comma").join(map(voice, keys))

    def _answer_label(self, rest: str, voice: Voice) -> str:
        fact, _, value = rest.partition(":")
        plain = {"unknown": "conversation.choice.not_sure", "declined": "conversation.choice.decline"}.get(value)
        key = plain or f"fact.{fact}.choice.{value}"
        return voice(key) if key in self.catalog else ""

    # -- one effect

    def _voice(self, lang: str) -> Voice:
        return Voice(self.catalog, lang, self._lines())

    @cache  # noqa: B019 - one renderer lives as long as the process
    def _lines(self) -> dict[str, str]:
        hotlines = self.knowledge.hotlines
        return {"city_line": hotlines["1999"].number, "migrant_line": hotlines["1955"].number}

    def _render(self, effect: e.Effect, lang: str) -> Reply:
        voice = self._voice(lang)
        match effect:
            case e.Welcome():
                reply = self._welcome(voice)
            case e.Say():
                reply = self._say(effect, voice)
            case e.ShowTopic():
                reply = self._topic(effect, voice)
            case e.ShowCards():
                reply = self._cards(effect, voice)
            case e.Ask():
                reply = self._ask(effect, voice)
            case e.AskSituations():
                reply = self._situations(effect, voice)
            case e.Ticked():
                reply = self._ticked(effect, voice)
            case e.Prefilled():
                reply = self._prefilled(effect, voice)
            case e.Readback():
                value = verdicts.value_text(voice, self.knowledge, effect.fact, effect.value, effect.on)
                text = self._fill("say", voice, key="conversation.readback", params={"value": value})
                reply = self._reply(text, voice, (_change(effect.fact),))
            case e.ShowSummary():
                reply = self._summary(effect, voice)
            case e.ShowVerdict():
                reply = self._verdict(effect, voice)
            case e.Hotlines():
                reply = self._hotlines(effect, voice)
            case _:
                raise TypeError(f"nothing to say for {type(effect).__name__}")
        return self._noticed(reply, voice)

    def _noticed(self, reply: Reply, voice: Voice) -> Reply:
        """A reply that fell back to another language says so, in the reader's own."""
        if not voice.fell_back:
            return reply
        notice = self.catalog.text(voice.lang, "conversation.fallback")
        text = f"{notice.text}\n\n{reply.text}" if notice.lang == voice.lang else reply.text
        return dataclasses.replace(reply, text=text, lang=voice.language)

    def _fill(self, template: str, voice: Voice, **context: object) -> str:
        text = self._template(f"{template}.jinja").render(t=voice, **context).strip()
        return BLANK_LINES.sub("\n\n", text)

    def _reply(self, text: str, voice: Voice, chosen: Sequence[e.Option] = (), notice: Notice = Notice.NONE) -> Reply:
        return Reply(text, voice.lang, choices=self._choices(chosen, voice), notice=notice)

    def _choices(self, chosen: Sequence[e.Option], voice: Voice) -> tuple[Choice, ...]:
        found: dict[str, Choice] = {}
        for option in chosen:
            if option.id not in found:
                names = {name: voice.label(key) for name, key in option.names}
                text = voice.label(option.text) if option.text else ""
                found[option.id] = Choice(option.id, voice.label(option.key, **names), option.ticked, text)
        return tuple(found.values())

    def _welcome(self, voice: Voice) -> Reply:
        languages = tuple(e.Option(f"lang:{code}", f"conversation.language.{code}") for code in self._languages)
        chosen = (options.WHO, options.THEMES, options.CHECKS, options.PERSON, *languages)
        text = f"{self._fill('welcome', voice)}\n\n{self._unreviewed(voice)}".strip()
        return self._reply(text, voice, chosen)

    def _say(self, effect: e.Say, voice: Voice) -> Reply:
        params = dict(effect.params)
        if effect.topic:
            params["topic"] = voice(f"{effect.topic}.label")
        text = self._fill("say", voice, key=effect.key, params=params)
        if effect.key == "conversation.language_set":
            text = f"{text}\n\n{self._unreviewed(voice)}".strip()
        return self._reply(text, voice, effect.options, effect.notice)

    def _unreviewed(self, voice: Voice) -> str:
        """What a reader of an unreviewed language is told, once: the Chinese prevails."""
        if voice.lang == SOURCE_LANGUAGE or self.catalog.reviewed_by(voice.lang):
            return ""
        return voice("conversation.unreviewed")

    # -- topics

    def _name(self, topic: Topic, voice: Voice) -> str:
        """The name in the reader's language, with the official Chinese one for the counter."""
        figures = figures_for(topic, voice.lang)
        name = voice(f"{topic.id}.name", **figures)
        official = self.catalog.text("zh-TW", f"{topic.id}.name", figures_for(topic, "zh-TW")).text
        return (
            name if name == official else f"{name}（{official}）" if voice.lang == "zh-TW" else f"{name} ({official})"
        )

    def _source(self, topic: Topic, voice: Voice) -> str:
        kind = "chapter" if topic.kind == "chapter" else "program"
        return voice(f"conversation.source.{kind}", number=str(topic.number))

    def _text(self, topic: Topic, field: str, voice: Voice) -> str:
        return voice(f"{topic.id}.{field}", **figures_for(topic, voice.language_of(f"{topic.id}.{field}")))

    def _topic(self, effect: e.ShowTopic, voice: Voice) -> Reply:
        topic = self.knowledge.topics[effect.topic]
        if effect.aspect:
            text = self._fill(
                "aspect",
                voice,
                name=self._name(topic, voice),
                aspect=effect.aspect,
                lines=self._aspect(topic, effect.aspect, voice),
            )
        else:
            highlights = [self._text(topic, field, voice) for field in HIGHLIGHTS if topic.texts.get(field)]
            text = self._fill(
                "topic",
                voice,
                name=self._name(topic, voice),
                summary=self._text(topic, "summary", voice),
                highlights=highlights,
            )
        chosen = (
            *options.check_options(self.knowledge, topic.id),
            *options.aspect_options(topic, effect.aspect),
            *(options.topic_option(other) for other in topic.related[:2]),
            options.PERSON,
            options.MENU,
        )
        reply = self._reply(text, voice, chosen)
        return dataclasses.replace(reply, source=self._source(topic, voice))

    def _aspect(self, topic: Topic, aspect: str, voice: Voice) -> list[str]:
        field = ASPECT_TEXTS.get(aspect)
        lines = [self._text(topic, field, voice)] if field and topic.texts.get(field) else []
        frame = figures_for(topic, voice.lang)
        if aspect == "period" and topic.period is not None:
            lines.append(voice("conversation.period.run", start=frame["start"], end=frame["end"]))
        if aspect == "budget" and topic.budget is not None:
            lines.append(voice("conversation.budget.total", amount=frame["budget"]))
            parts = [
                voice(f"conversation.budget.{fund}", amount=frame[f"budget_{fund}"]) for fund in topic.budget.parts
            ]
            if parts:
                lines.append(voice("conversation.budget.parts", parts=voice("conversation.list.comma").join(parts)))
        added = self.knowledge.additions.get((topic.id, aspect))
        if added is not None:
            figures = {name: format_figure(figure, voice.lang) for name, figure in added.figures.items()}
            day = format_figure(Figure(value=added.as_of.isoformat(), unit="date", source=added.source), voice.lang)
            lines += [voice(added.key, **figures), voice("conversation.source.addition", source=added.source, day=day)]
        if aspect == "where" and topic.area == "全市":
            lines.append(voice("conversation.area", area=voice("conversation.area.city")))
        return lines

    def _cards(self, effect: e.ShowCards, voice: Voice) -> Reply:
        names = {name: voice(key) for name, key in effect.names}
        cards = tuple(self._card(self.knowledge.topics[topic], voice) for topic in effect.topics)
        text = self._fill("say", voice, key=effect.key, params=names)
        return dataclasses.replace(self._reply(text, voice, effect.options), cards=cards)

    def _card(self, topic: Topic, voice: Voice) -> Card:
        kind = "chapter" if topic.kind == "chapter" else "program"
        checks = options.checks_of(self.knowledge, topic.id)
        head = "check" if len(checks) == 1 else "checks"
        check = (e.Option(f"{head}:{checks[0].id if head == 'check' else topic.id}", "conversation.choice.check"),)
        chosen = (e.Option(f"topic:{topic.id}", "conversation.choice.open"), *(check if checks else ()))
        return Card(
            title=voice(f"{topic.id}.label"),
            subtitle=voice(f"conversation.card.{kind}", number=str(topic.number)),
            text=self._text(topic, "summary", voice),
            choices=self._choices(chosen, voice),
        )

    # -- interviews

    def _ask(self, effect: e.Ask, voice: Voice) -> Reply:
        fact = self.knowledge.facts[effect.fact]
        rule = self.knowledge.rules[effect.rule]
        text = self._fill(
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
        unsure = (
            e.Option(f"answer:{effect.fact}:unknown", "conversation.choice.not_sure"),
            e.Option(f"answer:{effect.fact}:declined", "conversation.choice.decline"),
        )
        subjects = SUBJECTS if effect.count else rule.subjects
        swap = _swap(effect.subject, subjects) if effect.first else ()
        back = (options.BACK,) if effect.can_go_back else ()
        early = (options.RESULTS,) if effect.count and not effect.first else ()
        return self._reply(text, voice, (*answers, *unsure, *back, *early, options.STOP, options.PERSON, *swap))

    def _situations(self, effect: e.AskSituations, voice: Voice) -> Reply:
        items = [voice(f"fact.{fact}.situation") for fact in effect.facts]
        text = self._fill(
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
        return self._reply(text, voice, chosen)

    def _ticked(self, effect: e.Ticked, voice: Voice) -> Reply:
        items = voice("conversation.list.comma").join(voice(f"fact.{fact}.situation") for fact in effect.facts)
        key = "conversation.screening.situations.ticked" + ("" if effect.facts else "_none")
        text = self._fill("say", voice, key=key, params={"items": items} if items else {})
        return self._reply(text, voice, (_change("situations"),))

    def _prefilled(self, effect: e.Prefilled, voice: Voice) -> Reply:
        told = [
            voice(
                "conversation.summary.answer",
                fact=voice(f"fact.{fact}.label"),
                value=verdicts.value_text(voice, self.knowledge, fact, value, effect.on),
            )
            for fact, value in effect.answers
        ]
        facts = voice("conversation.list.comma").join(told)
        text = self._fill("say", voice, key="conversation.prefilled", params={"facts": facts})
        return self._reply(text, voice, tuple(_change(fact) for fact, _ in effect.answers))

    def _fact_text(self, effect: e.Ask, field: str, voice: Voice) -> str:
        return verdicts.fact_text(voice, self.knowledge, effect.fact, field, effect.subject, effect.topic) or (
            self._fact_text(effect, "question", voice) if field == "narrower" else ""
        )

    def _summary(self, effect: e.ShowSummary, voice: Voice) -> Reply:
        answers = [
            (voice(f"fact.{fact}.label"), verdicts.value_text(voice, self.knowledge, fact, value, effect.on))
            for fact, value in effect.answers
        ]
        listed = (_change("situations"),) if effect.situations else ()
        chosen = (*(_change(fact) for fact, _ in effect.answers), *listed)
        return self._reply(self._fill("summary", voice, answers=answers), voice, chosen)

    def _verdict(self, effect: e.ShowVerdict, voice: Voice) -> Reply:
        topic = self.knowledge.topics[effect.topic]
        context = verdicts.context(effect, topic, voice, self.knowledge)
        steps = [
            self._text(topic, field, voice)
            for field in ("how_to_apply", "where")
            if topic.texts.get(field) and effect.result.verdict not in ("not_eligible", "does_not_apply")
        ]
        name = voice(options.name_key(self.knowledge.rules[effect.rule]))
        text = self._fill("verdict", voice, topic=name, next=steps, **context)
        chosen = (options.PERSON, options.topic_option(effect.topic), options.CHECKS, options.MENU)
        reply = self._reply(text, voice, chosen)
        return dataclasses.replace(reply, source=self._source(topic, voice))

    def _groups(self, effect: e.ShowGroups, lang: str) -> list[Reply]:
        """One bubble a group; the last one has the notice and the ways on."""
        found: list[Reply] = []
        voice = self._voice(lang)
        bubbles = list(groups.bubbles(effect, self.knowledge, voice))
        for place, sections in enumerate(bubbles):
            last = place == len(bubbles) - 1
            early = ("conversation.screening.stopped_early",) if effect.early and place == 0 else ()
            confirm = any(window == "not_confirmed" for _, window in effect.results)
            window = ("conversation.window.not_confirmed",) if confirm else ()
            closing = (*window, "conversation.verdict.no_decision") if last else ()
            about = "" if place else f"conversation.screening.about.{effect.subject}"
            notes = [voice(key) for key in (*early, *closing)]
            text = self._fill("groups", voice, about=about, sections=sections, notes=notes)
            topics = groups.found_topics(effect, self.knowledge)[:MOST_FOUND]
            more = (options.CONTINUE,) if effect.early else ()
            ways = (*map(options.topic_option, topics), *more, options.PERSON, options.MENU) if last else ()
            found.append(self._noticed(self._reply(text, voice, ways), voice))
        return found

    # -- care

    def _hotlines(self, effect: e.Hotlines, voice: Voice) -> Reply:
        found = self.knowledge.hotlines_for(*effect.classes)
        lines, links = [], []
        for hotline in found:
            name, use = voice(f"hotline.{hotline.id}.name"), voice(f"hotline.{hotline.id}.use")
            lines.append(voice("conversation.hotlines.line", number=hotline.number, name=name, use=use))
            links.append(Link(f"{hotline.number} {name}", f"tel:{hotline.number}"))
        text = self._fill(
            "hotlines", voice, lines=lines, self_harm="self_harm" in effect.classes, automatic=effect.automatic
        )
        chosen = () if effect.automatic else (options.PERSON_NOW, options.MENU)
        reply = self._reply(text, voice, chosen, Notice.SAFETY)
        return dataclasses.replace(reply, links=tuple(links))


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


def _keys_of_choice(choice: str) -> tuple[str, ...]:
    head, _, rest = choice.partition(":")
    last = rest.rpartition(":")[2]
    return {
        "topic": (f"{rest}.label",),
        "aspect": (f"conversation.aspect.{last}",),
        "check": (f"rule.{rest}.label", "conversation.choice.check"),
        "checks": (f"{rest}.label",),
        "lang": (f"conversation.language.{rest}",),
        "audience": (f"browse.audience.{rest.partition(':')[0]}",),
        "theme": (f"browse.theme.{rest.partition(':')[0]}",),
        "subject": (f"conversation.choice.{rest}",),
        "handoff": ("conversation.choice.person_now" if rest else "conversation.choice.person",),
        "forget": (f"conversation.choice.forget_{rest}" if rest else "conversation.choice.forget",),
        "rate": ("conversation.choice.helped" if rest == "yes" else "conversation.choice.not_helped",),
    }.get(head, (f"conversation.reading.{choice}",))
