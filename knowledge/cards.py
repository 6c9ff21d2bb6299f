"""Rule cards: what each rule asks for and where the plan prints it, in Markdown, for everybody who wants to check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.catalog import SOURCE_LANGUAGE, figures_for
from knowledge.catalog.templates import compile_template
from knowledge.check.undefined import read_undefined
from knowledge.library import Knowledge
from knowledge.rules import VERDICTS, Leaf, Rule, mermaid, topic_of_rule
from knowledge.rules.tree import AllOf, AnyOf, NotOf
from knowledge.rules.words import NOT_DEFINED, left_open, needed, plain
from knowledge.topics import Topic

_WHOM: Mapping[str, str] = {
    "self": "the person writing",
    "other_person": "somebody that person asks for",
    "business": "a business",
}


def topics_with_rules(knowledge: Knowledge) -> tuple[Topic, ...]:
    """The topics that have a rule, in the order of the plan."""
    named = {topic_of_rule(rule) for rule in knowledge.rules}
    return tuple(topic for topic in knowledge.topics.values() if topic.id in named)


def overview(knowledge: Knowledge) -> str:
    """All topics with a rule as one table: their names, kinds of rules and number of golden cases."""
    lines = ["| Topic | Name | Rules | Golden cases |", "| --- | --- | --- | --- |"]
    for topic in topics_with_rules(knowledge):
        rules = _rules(knowledge, topic)
        kinds = ", ".join(f"`{rule.id}` {rule.kind}" for rule in rules)
        lines.append(f"| {topic.id} | {_fill(topic, topic.name)} | {kinds} | {sum(len(r.cases) for r in rules)} |")
    return "\n".join(lines) + "\n"


def card(knowledge: Knowledge, topic: Topic) -> str:
    """One topic's section: each rule with its conditions, sources, graph, open words and number of golden cases."""
    reasons = read_undefined(knowledge.root).model.undefined
    lines = [f"## {topic.id} {_fill(topic, topic.name)}", "", _when(topic), ""]
    for rule in _rules(knowledge, topic):
        lines += [*_rule(knowledge, topic, rule, reasons.get(rule.id, {})), ""]
    return "\n".join(lines)


def _rules(knowledge: Knowledge, topic: Topic) -> tuple[Rule, ...]:
    return tuple(rule for rule in knowledge.rules.values() if topic_of_rule(rule.id) == topic.id)


def _fill(topic: Topic, text: str) -> str:
    figures = figures_for(topic, SOURCE_LANGUAGE)
    return compile_template(text).fill(lambda name: figures[name]).replace("|", "\\|")


def _when(topic: Topic) -> str:
    where = f"Printed in {topic.source.kind} {topic.source.number} of the plan"
    times = f"; runs from {topic.period.start} to {topic.period.end}" if topic.period else "; no period is printed"
    months = ", ".join(map(str, topic.apply_months))
    return f"{where}{times}{f'; one applies in month {months} only' if months else ''}."


def _rule(knowledge: Knowledge, topic: Topic, rule: Rule, reasons: Mapping[str, str]) -> Iterator[str]:
    label = f" ({rule.label})" if rule.label else ""
    verdicts = ", ".join(f"`{verdict}`" for verdict in dict.fromkeys(VERDICTS[rule.kind][truth] for truth in (2, 0, 1)))
    subjects = ", ".join(_WHOM[subject] for subject in rule.subjects)
    yield from (f"### Rule `{rule.id}`{label}", "")
    yield f"- Kind: {rule.kind}; says {verdicts}."
    yield f"- About: {subjects}."
    if rule.kind == "audience":
        yield f"- For: {_fill(topic, rule.addressee)} ({rule.source}). {_ranking(rule)}"
    yield f"- Golden cases: {len(rule.cases)}."
    if rule.kind != "audience" or rule.facts:
        types = {name: fact.type for name, fact in knowledge.facts.items()}
        yield from ("", *_table(topic, rule, types), "", "```mermaid", mermaid(rule, types).rstrip(), "```")
    if reasons:
        yield from ("", "What the plan leaves open:", "")
        yield from (f"- {plain(leaf)}: {reason}" for leaf, reason in reasons.items())
    elif rule.kind != "audience":
        yield from ("", "What the plan leaves open: nothing, all of its words are defined.")


def _ranking(rule: Rule) -> str:
    if rule.facts:
        return "The plan states no condition: who fits is shown first, nobody is refused."
    whom = "Shown to all of its subjects" if not rule.leaves else "Nobody is asked"
    return f"The plan states no condition. {whom}; nobody is refused."


def _table(topic: Topic, rule: Rule, types: Mapping[str, str]) -> Iterator[str]:
    yield "| Condition | Needed | Part | Words of the assistant | Source |"
    yield "| --- | --- | --- | --- | --- |"
    for leaf, part in _parts(rule.tree, "needed", []):
        kind = types.get(leaf.fact or "", "")
        said = _fill(topic, leaf.text.met or leaf.text.undefined or "(ranks only)")
        source = rule.source if rule.kind == "audience" else leaf.source
        yield f"| {plain(leaf.fact or leaf.name)} | {_needed(leaf, kind)} | {part} | {said} | {source} |"


def _needed(leaf: Leaf, kind: str) -> str:
    if leaf.is_guard:
        return f"for {left_open(leaf, kind)} {NOT_DEFINED}"
    unclear = left_open(leaf, kind)
    return needed(leaf, kind) + (f"; for {unclear} {NOT_DEFINED}" if unclear else "")


def _parts(node: Any, part: str, groups: list[str]) -> Iterator[tuple[Leaf, str]]:
    """Each leaf with its part in the whole: needed, or one way of a group (A, B ...) of which one is enough."""
    match node:
        case AllOf():
            for branch in node.all:
                yield from _parts(branch, part, groups)
        case AnyOf():
            groups.append(name := chr(ord("A") + len(groups)))
            outer = "" if part == "needed" else f"{part}; "
            for way, branch in enumerate(node.any, 1):
                yield from _parts(branch, f"{outer}group {name}, way {way}", groups)
        case NotOf():
            yield from _parts(node.not_, f"{part}, must not hold", groups)
        case _:
            yield node, part
