"""`eligibility`: rules checked, listed and drawn."""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from bot import config
from bot.cli.author_lists import STATE, settle, settled_in_words
from bot.cli.knowledge import ROOT, report
from bot.clock import now
from bot.render.verdicts import value_text
from bot.render.voice import Voice
from bot.store import Store
from bot.store.authors import Sought
from knowledge.catalog import Catalog, figures_for
from knowledge.facts import completed, read_value
from knowledge.library import Knowledge, load
from knowledge.rules import LeafResult, Result, Rule, evaluate, mermaid, topic_of_rule
from knowledge.rules.values import NOT_ASKED, Value
from knowledge.rules.window import Schedule, window

MOST = 1000  # proposals listed at once


@click.group()
def eligibility() -> None:
    """Check rules, list facts, draw graphs."""


@eligibility.command()
@click.argument("rule_or_topic")
@click.option("--facts", "facts_json", default="{}", help="What is known, as a JSON object.")
@click.option("--date", "day", default="", help="The day to check on (ISO); default today.")
@click.option("--lang", default="zh-TW", show_default=True, help="Language of the reasons.")
def check(rule_or_topic: str, facts_json: str, day: str, lang: str) -> None:
    """Evaluate a rule, or a topic's first benefit rule, and print the result as JSON."""
    loaded = load()
    rules = [rule for rule in loaded.rules.values() if rule_or_topic in (rule.id, topic_of_rule(rule.id))]
    if not rules:
        raise click.ClickException(f"there is no rule for {rule_or_topic!r}; see `labor-bot eligibility facts`.")
    exact = [rule for rule in rules if rule.id == rule_or_topic]
    main = next(iter(exact or [rule for rule in rules if rule.kind == "benefit"] or rules))
    on = _day(day)
    given = _given(loaded, facts_json)
    results = {rule.id: evaluate(rule, given, on) for rule in rules}
    document = _document(loaded, main, results[main.id], on, Voice(Catalog.of(loaded), lang, {}))
    click.echo(
        json.dumps(
            {**document, "rules": {name: r.verdict for name, r in results.items()}}, ensure_ascii=False, indent=2
        )
    )


def _day(day: str) -> date:
    try:
        return date.fromisoformat(day) if day else now().date()
    except ValueError:
        raise click.ClickException(f"--date: {day!r} is no ISO date such as 2018-07-15.") from None


def _given(loaded: Knowledge, facts_json: str) -> dict[str, Value]:
    try:
        given = json.loads(facts_json)
    except ValueError as error:
        raise click.ClickException(f"--facts is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise click.ClickException('--facts must be an object such as {"age": 70}.')
    values: dict[str, Value] = {}
    for name, raw in given.items():
        fact = loaded.facts.get(name)
        if fact is None:
            values[name] = NOT_ASKED  # a fact of another topic's rules: of no matter here
            continue
        try:
            values[name] = read_value(fact, raw)
        except ValueError as error:
            raise click.ClickException(str(error)) from None
    return completed(loaded.facts, values)


def _document(loaded: Knowledge, rule: Rule, result: Result, on: date, voice: Voice) -> dict[str, Any]:
    topic = loaded.topics[topic_of_rule(rule.id)]
    start, end = (topic.period.start, topic.period.end) if topic.period else (f"{loaded.year}-01", f"{loaded.year}-12")
    schedule = Schedule.of(start, end, topic.apply.months if topic.apply else (), loaded.year)

    def words(key: str) -> str:
        return voice(key, **figures_for(topic, voice.language_of(key)))

    def reason(leaf: LeafResult) -> dict[str, Any]:
        return {
            "fact": leaf.fact or leaf.name,
            "value": leaf.value,
            "needed": dict(leaf.needed),
            "text": words(leaf.text_key),
            "source": leaf.source,
        }

    return {
        "verdict": result.verdict,
        "plan": loaded.plan,
        "on": on.isoformat(),
        "window": window(schedule, on),
        "reasons": [reason(leaf) for leaf in result.leaves if leaf.counts and leaf.text_key],
        "missing": list(result.missing),
        "would_change": [
            {
                "fact": change.fact,
                "kind": change.kind,
                "text": words(change.text_key),
                "possible": change.possible,
                "on": change.on.isoformat() if change.on else None,
            }
            for change in result.would_change
        ],
    }


@eligibility.command()
@click.argument("topic", required=False)
@click.option("--lang", default="zh-TW", show_default=True, help="Language of the questions.")
def facts(topic: str | None, lang: str) -> None:
    """List the vocabulary of facts, all of it or a topic's."""
    loaded = load()
    wanted = {
        fact for rule in loaded.rules.values() if topic in (rule.id, topic_of_rule(rule.id)) for fact in rule.facts
    }
    if topic and not wanted:
        raise click.ClickException(f"there is no rule for {topic!r}.")
    voice = Voice(Catalog.of(loaded), lang, {})
    for name, fact in loaded.facts.items():
        if not topic or name in wanted:
            choices = ", ".join(
                f"{value}={value_text(voice, loaded, name, fact.choice_value(value), now().date())}"
                for value in fact.choices
            )
            click.echo(f"{name}\t{fact.type}\t{voice(f'fact.{name}.label')}\t{choices}")


@eligibility.command()
@STATE
@click.option("--settle", "settled", type=int, multiple=True, help="Mark this proposal as done.")
@click.option("--dismiss", "dismissed", type=int, multiple=True, help="Mark this proposal as dismissed.")
def proposals(state: str, settled: tuple[int, ...], dismissed: tuple[int, ...]) -> None:
    """List checks that caseworkers think wrong, as golden cases to put beside the rule (YAML), oldest first."""
    with contextlib.closing(Store(config.load().database)) as store:
        if settled or dismissed:
            settle(store, "proposals", settled, dismissed)
            return
        found = store.authors.proposals(Sought(state, limit=MOST))
    for row in reversed(found):
        case, fate = row.proposal, settled_in_words(row.fate)
        line = f"# proposal {row.id}: {case.rule} says {case.verdict}" + (f"; {case.note}" if case.note else "")
        click.echo(line.replace("\n", " ") + (f"  {fate}" if fate else ""))
        click.echo(case.golden)
    click.echo(f"{len(found)} proposals. Done with one: labor-bot eligibility proposals --settle ID.", err=True)


@eligibility.command()
@click.argument("topic")
def graph(topic: str) -> None:
    """Print a topic's rules as Mermaid."""
    loaded = load()
    found = [rule for rule in loaded.rules.values() if topic in (rule.id, topic_of_rule(rule.id))]
    if not found:
        raise click.ClickException(f"there is no rule for {topic!r}.")
    for rule in found:
        click.echo(mermaid(rule, {name: fact.type for name, fact in loaded.facts.items()}))


@eligibility.command()
@ROOT
def lint(root: Path) -> None:
    """Report every fault of rules, facts and golden cases with file and line; exit 1 if there is any."""
    from knowledge.check import lint as find_faults
    from knowledge.check import warnings

    sys.exit(report(find_faults(root), warnings(root)))


@eligibility.command()
@click.argument("topic", required=False)
@ROOT
def card(topic: str | None, root: Path) -> None:
    """Print the rule card of a topic (or of all): conditions, sources, graph, open words."""
    from knowledge.cards import card as section
    from knowledge.cards import topics_with_rules

    loaded = load(root)
    wanted = topic_of_rule(topic) if topic and topic in loaded.rules else topic
    found = [each for each in topics_with_rules(loaded) if wanted in (None, each.id, each.parent)]
    if not found:
        raise click.ClickException(f"there is no rule for {topic!r}.")
    click.echo("\n".join(section(loaded, each) for each in found), nl=False)


@eligibility.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write it (default: print it).")
@ROOT
def cards(output: Path | None, root: Path) -> None:
    """Write the page of all rules, such as docs/eligibility.md: how a verdict is reached, then one card a topic."""
    from bot.pipeline.resources import TEMPLATES
    from knowledge.cards import card as section
    from knowledge.cards import overview, topics_with_rules

    loaded = load(root)
    intro = (TEMPLATES / "docs" / "eligibility.md").read_text("utf-8")
    topics = topics_with_rules(loaded)
    page = "\n".join([intro + overview(loaded), *(section(loaded, each) for each in topics)])
    if output is None:
        click.echo(page, nl=False)
        return
    output.write_text(page, "utf-8", newline="\n")
    click.echo(f"{output}: {len(topics)} cards")
