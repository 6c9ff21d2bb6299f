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
from bot.messages import Card, Choice, Link, Notice, Reply
from bot.render import own_data
from bot.render.checks import Checks
from bot.render.voice import Voice
from knowledge.catalog import SOURCE_LANGUAGE, Catalog, figures_for, format_figure
from knowledge.catalog.moments import moment
from knowledge.library import Knowledge, Topic
from knowledge.models import Figure
from knowledge.topics import ASPECT_TEXTS

ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
BLANK_LINES = re.compile(r"\n{3,}")
HIGHLIGHTS = ("eligibility", "amount")
LABEL_LIMIT = 40
PERSONAL = (e.ShowVerdict, e.ShowSummary, e.Readback, e.Prefilled, e.ShowKept)  # never remembered
SILENT = (e.OpenCase, e.Forget, e.OfferMove, e.Rate, e.RateWords, e.AskOfData, e.KeepApart, e.OfferCopy)


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
        self._checks = Checks(knowledge, self)
        self._remembered = lru_cache(maxsize=4096)(lambda effect, lang: self._render(effect, lang).remembered())

    # -- entry points

    def replies(self, effects: Sequence[e.Effect], lang: str, subject: str = "self") -> tuple[Reply, ...]:
        """One reply an effect that says something, in order."""
        found = []
        for effect in effects:
            if isinstance(effect, SILENT):
                continue
            if isinstance(effect, e.ShowGroups):
                voice = self._voice(lang)
                found += [self._noticed(reply, voice) for reply in self._checks.groups(effect, voice)]
                continue
            fresh = isinstance(effect, PERSONAL) or (isinstance(effect, e.Say) and bool(effect.links))
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
        if head in ("change", "mydata") and f"fact.{(rest := rest.rpartition(':')[2])}.label" in self.catalog:
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
        return voice(key) if key in self.catalog else value if ISO_DAY.fullmatch(value) else ""

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
                reply = self._checks.ask(effect, voice)
            case e.AskSituations():
                reply = self._checks.situations(effect, voice)
            case e.Ticked():
                reply = self._checks.ticked(effect, voice)
            case e.Prefilled():
                reply = self._checks.prefilled(effect, voice)
            case e.Readback():
                reply = self._checks.readback(effect, voice)
            case e.ShowSummary():
                reply = self._checks.summary(effect, voice)
            case e.ShowVerdict():
                reply = self._checks.verdict(effect, voice)
            case e.Hotlines():
                reply = self._hotlines(effect, voice)
            case e.ShowKept():
                reply = own_data.kept(effect, voice, self.knowledge, self)
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

    def fill(self, template: str, voice: Voice, **context: object) -> str:
        """A template of `templates/replies` in the reader's words."""
        text = self._template(f"{template}.jinja").render(t=voice, **context).strip()
        return BLANK_LINES.sub("\n\n", text)

    def reply(self, text: str, voice: Voice, chosen: Sequence[e.Option] = (), notice: Notice = Notice.NONE) -> Reply:
        """One bubble with its buttons."""
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
        text = f"{self.fill('welcome', voice)}\n\n{self._unreviewed(voice)}".strip()
        return self.reply(text, voice, chosen)

    def _say(self, effect: e.Say, voice: Voice) -> Reply:
        params = dict(effect.params)
        if effect.topic:
            params["topic"] = voice(f"{effect.topic}.label")
        if effect.at:
            params |= moment(effect.at, voice.language_of(effect.key))
        text = self.fill("say", voice, key=effect.key, params=params)
        if effect.key == "conversation.language_set":
            text = f"{text}\n\n{self._unreviewed(voice)}".strip()
        links = tuple(Link(voice.label(key), href) for key, href in effect.links)
        return dataclasses.replace(self.reply(text, voice, effect.options, effect.notice), links=links)

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

    def source(self, topic: Topic, voice: Voice) -> str:
        """The line that says where in the plan it stands."""
        kind = "chapter" if topic.kind == "chapter" else "program"
        return voice(f"conversation.source.{kind}", number=str(topic.number))

    def text(self, topic: Topic, field: str, voice: Voice) -> str:
        """One text of a topic with its figures."""
        return voice(f"{topic.id}.{field}", **figures_for(topic, voice.language_of(f"{topic.id}.{field}")))

    def _topic(self, effect: e.ShowTopic, voice: Voice) -> Reply:
        topic = self.knowledge.topics[effect.topic]
        if effect.aspect:
            text = self.fill(
                "aspect",
                voice,
                name=self._name(topic, voice),
                aspect=effect.aspect,
                lines=self.aspect(topic, effect.aspect, voice),
            )
        else:
            highlights = [self.text(topic, field, voice) for field in HIGHLIGHTS if topic.texts.get(field)]
            text = self.fill(
                "topic",
                voice,
                name=self._name(topic, voice),
                summary=self.text(topic, "summary", voice),
                highlights=highlights,
            )
        chosen = (
            *options.check_options(self.knowledge, topic.id),
            *options.aspect_options(topic, effect.aspect),
            *(options.topic_option(other) for other in topic.related[:2]),
            options.PERSON,
            options.MENU,
        )
        reply = self.reply(text, voice, chosen)
        return dataclasses.replace(reply, source=self.source(topic, voice))

    def aspect(self, topic: Topic, aspect: str, voice: Voice) -> list[str]:
        """The lines that a topic has on one aspect; none where the plan is silent."""
        field = ASPECT_TEXTS.get(aspect)
        lines = [self.text(topic, field, voice)] if field and topic.texts.get(field) else []
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
        text = self.fill("say", voice, key=effect.key, params=names)
        return dataclasses.replace(self.reply(text, voice, effect.options), cards=cards)

    def _card(self, topic: Topic, voice: Voice) -> Card:
        kind = "chapter" if topic.kind == "chapter" else "program"
        checks = options.checks_of(self.knowledge, topic.id)
        head = "check" if len(checks) == 1 else "checks"
        check = (e.Option(f"{head}:{checks[0].id if head == 'check' else topic.id}", "conversation.choice.check"),)
        chosen = (e.Option(f"topic:{topic.id}", "conversation.choice.open"), *(check if checks else ()))
        return Card(
            title=voice(f"{topic.id}.label"),
            subtitle=voice(f"conversation.card.{kind}", number=str(topic.number)),
            text=self.text(topic, "summary", voice),
            choices=self._choices(chosen, voice),
        )

    # -- care

    def _hotlines(self, effect: e.Hotlines, voice: Voice) -> Reply:
        found = self.knowledge.hotlines_for(*effect.classes)
        lines, links = [], []
        for hotline in found:
            name, use = voice(f"hotline.{hotline.id}.name"), voice(f"hotline.{hotline.id}.use")
            lines.append(voice("conversation.hotlines.line", number=hotline.number, name=name, use=use))
            links.append(Link(f"{hotline.number} {name}", f"tel:{hotline.number}"))
        text = self.fill(
            "hotlines", voice, lines=lines, self_harm="self_harm" in effect.classes, automatic=effect.automatic
        )
        chosen = () if effect.automatic else (options.PERSON_NOW, options.MENU)
        reply = self.reply(text, voice, chosen, Notice.SAFETY)
        return dataclasses.replace(reply, links=tuple(links))


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
        "mydata": (f"conversation.choice.mydata_{rest}" if rest else "conversation.choice.mydata",),
        "handoff": ("conversation.choice.person_now" if rest else "conversation.choice.person",),
        "forget": (f"conversation.choice.forget_{rest}" if rest else "conversation.choice.forget",),
        "rate": ("conversation.choice.helped" if rest == "yes" else "conversation.choice.not_helped",),
        "words": ("conversation.choice.words_skip",),
    }.get(head, (f"conversation.reading.{choice}",))
