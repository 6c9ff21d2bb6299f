"""Loads the knowledge folder into one frozen whole: topics, rules, facts, hotlines, Chinese texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from knowledge.additions import Addition, load_additions
from knowledge.catalog.entries import collect
from knowledge.facts import Fact, load_facts
from knowledge.faults import KnowledgeError
from knowledge.hotlines import Hotline
from knowledge.models import Audience, Theme
from knowledge.rules import Rule, load_rules, topic_of_rule
from knowledge.sources import PACKAGED, PLAN, YEAR, Sources, read_sources
from knowledge.topics import Topic, chapter_topic, program_topics
from knowledge.validated import Validated, validate_all

__all__ = ["Knowledge", "Topic", "load"]


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Everything the city offers. Mappings keep the order of the plan; `texts` are Chinese by catalog key.

    `dangers` maps a kind of danger to hotline ids; `by_audience` and `by_theme` map to topic ids. `additions` are an
    installation's own answers by topic and aspect, never to be shown as the plan's.
    """

    root: Path
    plan: str
    year: int
    topics: Mapping[str, Topic]
    rules: Mapping[str, Rule]
    facts: Mapping[str, Fact]
    hotlines: Mapping[str, Hotline]
    dangers: Mapping[str, tuple[str, ...]]
    by_audience: Mapping[str, tuple[str, ...]]
    by_theme: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, str]
    additions: Mapping[tuple[str, str], Addition]

    @cached_property
    def volunteered(self) -> tuple[str, ...]:
        """The facts that are taken from a message without having been asked for."""
        return tuple(name for name, fact in self.facts.items() if fact.volunteer)

    @cached_property
    def checks(self) -> Mapping[str, tuple[Rule, ...]]:
        """By topic the benefits and duties about which something can be asked."""
        found: dict[str, list[Rule]] = {}
        for rule in self.rules.values():
            if rule.kind != "audience" and rule.facts:
                found.setdefault(topic_of_rule(rule.id), []).append(rule)
        return {topic: tuple(rules) for topic, rules in found.items()}

    def hotlines_for(self, *dangers: str) -> tuple[Hotline, ...]:
        """The hotlines for these kinds of danger, each once, the most urgent first. Unknown kinds are passed over."""
        ids = dict.fromkeys(name for danger in dangers for name in self.dangers.get(danger, ()))
        return tuple(self.hotlines[name] for name in ids)


def load(root: Path = PACKAGED, extra: Path | None = None) -> Knowledge:
    """Reads the folder, and the additions of an installation's own folder `extra`.

    Raises KnowledgeError with every fault of form, each with file and line.
    """
    sources = read_sources(root)
    valid = validate_all(sources)
    if faults := (*sources.faults, *valid.faults):
        raise KnowledgeError(faults)
    topics = {topic.id: topic for topic in _topics(valid)}
    hotlines = valid.hotlines[0].model
    additions = load_additions(extra, topics) if extra else ()
    texts = {entry.key: entry.text for entry in collect(sources)}
    return Knowledge(
        root=root,
        plan=PLAN,
        year=YEAR,
        topics=MappingProxyType(topics),
        rules=MappingProxyType(_rules(sources, topics)),
        facts=load_facts(root / "facts.yaml"),
        hotlines=MappingProxyType({hotline.id: hotline for hotline in hotlines.hotlines}),
        dangers=MappingProxyType({str(danger): ids for danger, ids in hotlines.dangers.items()}),
        by_audience=MappingProxyType(_group(topics, "audiences", get_args(Audience))),
        by_theme=MappingProxyType(_group(topics, "themes", get_args(Theme))),
        texts=MappingProxyType(texts | {addition.key: addition.text for addition in additions}),
        additions=MappingProxyType({(addition.topic, addition.aspect): addition for addition in additions}),
    )


def _topics(valid: Validated) -> Iterator[Topic]:
    for program in valid.programs:
        yield from program_topics(program.model)
    for chapter in valid.chapters:
        yield chapter_topic(chapter.model)


def _rules(sources: Sources, topics: Mapping[str, Topic]) -> dict[str, Rule]:
    rules = {}
    for document in sources.rules:
        topic = topics.get(document.path.stem)
        if topic is None:
            raise KnowledgeError([document.fault("the file must be named after a topic, such as p15.yaml")])
        values = {name: figure.value for name, figure in topic.figures.items()}
        rules.update({rule.id: rule for rule in load_rules(document.path, values)})
    return rules


def _group(topics: Mapping[str, Topic], field: str, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    groups = {name: tuple(topic.id for topic in topics.values() if name in getattr(topic, field)) for name in names}
    return {name: ids for name, ids in groups.items() if ids}
