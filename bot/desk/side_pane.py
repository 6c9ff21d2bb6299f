"""What stands beside a case: facts and how sure they are, verdicts with reasons and sources, one thought wrong."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.desk.program_cards import cards, source_words, talked_about
from bot.desk.views import moment
from bot.dialogue import told as told_facts
from bot.dialogue.options import name_key
from bot.dialogue.state import State, by_subject, from_doc
from bot.dialogue.world import Staffing, World
from bot.messages import Author, Entry
from bot.pipeline.resources import Resources
from bot.render.verdicts import NEGATIVE, change_text, leaf_text, period, value_text
from bot.render.voice import Voice
from bot.store import Store
from bot.store.proposals import Proposal
from bot.store.records import CaseRow, Told
from intents.redact import redacted as masked
from knowledge.facts import read_value
from knowledge.library import Knowledge
from knowledge.rules import VERDICTS, LeafResult, Result, Rule, evaluate, topic_of_rule
from knowledge.rules.golden import redacted
from knowledge.rules.values import Unknown, is_known

NOTE_LIMIT = 500
QUOTE_LIMIT = 120
SUBJECTS = ("self", "other_person", "business")
QUOTED = ("text", "list")  # told in words of the citizen, which stand in the transcript
NO_ANSWER = ("declined", "does_not_know", "conflict")  # the reason says it all
STATES = {True: "met", False: "unmet", None: "open"}
_RANK = ("eligible", "applies", "cannot_tell", "does_not_apply", "not_eligible")


@dataclass(frozen=True, slots=True)
class FactLine:
    """One thing told. `mark`: unconfirmed, conflict (with the `other` value), retired, or empty; `how` and `at` it was
    told; `quote`: the citizen's words for it."""

    label: str
    value: str
    how: str
    mark: str = ""
    other: str = ""
    at: str = ""
    quote: str = ""
    quote_lang: str = ""
    special: bool = False


@dataclass(frozen=True, slots=True)
class LeafLine:
    """One condition. `state`: met, unmet, open (`why`); `told`: the value it looked at; `counts`: the verdict hangs on
    it."""

    text: str
    state: str
    why: str
    told: str
    source: str
    counts: bool


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """What a rule makes of what was told. `settled`: no question is open; `hopeless`: something that it lacks cannot
    come about; `others`: the other verdicts it could give."""

    key: str
    rule: str
    subject: str
    label: str
    verdict: str
    settled: bool
    window: str
    leaves: tuple[LeafLine, ...]
    missing: str
    changes: tuple[str, ...]
    hopeless: bool
    others: tuple[str, ...]


def pane(resources: Resources, store: Store, row: CaseRow, entries: Sequence[Entry], lang: str) -> dict[str, Any]:
    """What the templates need: facts and verdicts by subject, program cards; all of the case's own time."""
    told, state, world = _told(resources, store, row)
    voice = Voice(resources.catalog, lang, {})
    topics = talked_about(row, state, world.knowledge, entries)
    there = {entry.event_id for entry in entries}
    earlier = store.entries_of(row.conversation, sorted({one.event_id for one in told if one.event_id} - there))
    return {
        "facts": _facts(told, state, world, [*earlier, *entries], voice),
        "verdicts": verdicts(state, world, topics, voice),
        "programs": cards(resources, topics, world, voice),
        "last_seq": (entries[-1].seq or 0) if entries else 0,
    }


def _told(resources: Resources, store: Store, row: CaseRow) -> tuple[list[Told], State, World]:
    """What was told until the case closed, and the state that the rules may look at: without what they cannot read."""
    world = resources.world(resources.clock(), Staffing())
    told = [each for each in store.told(row.conversation) if row.closed_at is None or each.at <= row.closed_at]
    sound = ((each.subject, each.fact, each.value) for each in told if is_sound(world.knowledge, each))
    state = from_doc(store.state(row.conversation), by_subject(sound))
    if row.closed_at is not None:  # what was mentioned or begun since is none of its business
        state = dataclasses.replace(state, volunteered=(), interview=None, asking=None, topic=row.topic)
    return told, state, world


def is_sound(knowledge: Knowledge, told: Told) -> bool:
    """Can the rules of today read it? What is asked no more, or otherwise, is only shown."""
    fact = knowledge.facts.get(told.fact)
    if fact is None or told.subject not in SUBJECTS:
        return False
    try:
        read_value(fact, told.value)
    except (ValueError, TypeError):
        return False
    return True


# -- facts


def _facts(
    told: Sequence[Told], state: State, world: World, entries: Sequence[Entry], voice: Voice
) -> list[tuple[str, list[FactLine]]]:
    """By subject: what was told, then what was only mentioned."""
    about = state.about or state.subject
    mentioned = {
        name: value for name, value in state.volunteered if is_sound(world.knowledge, Told(about, name, value, 0.0))
    }
    groups: dict[str, list[FactLine]] = {}
    for each in told:
        other = mentioned.get(each.fact) if each.subject == about else None
        line = _fact(each, other, world, entries, voice)
        if other is not None and (line.other or _shown(each.fact, other, world, voice) == line.value):
            mentioned.pop(each.fact)  # said here already
        groups.setdefault(each.subject, []).append(line)
    for name, value in mentioned.items():
        line = FactLine(
            voice(f"fact.{name}.label"),
            _shown(name, value, world, voice),
            voice("desk_side.how_heard"),
            mark="unconfirmed",
            special=_special(name, world),
        )
        groups.setdefault(about, []).append(line)
    return [(_subject(subject, voice), groups[subject]) for subject in sorted(groups, key=_place)]


def _place(subject: str) -> int:
    return SUBJECTS.index(subject) if subject in SUBJECTS else len(SUBJECTS)


def _subject(subject: str, voice: Voice) -> str:
    return voice(f"desk.subject_{subject}") if subject in SUBJECTS else subject


def _fact(told: Told, other: Any, world: World, entries: Sequence[Entry], voice: Voice) -> FactLine:
    """`other`: what was mentioned of the same beside."""
    at = moment(told.at)
    if not is_sound(world.knowledge, told):
        known = told.fact in world.knowledge.facts
        label = voice(f"fact.{told.fact}.label") if known else told.fact
        return FactLine(label, json.dumps(told.value, ensure_ascii=False), "", mark="retired", at=at)
    value = _shown(told.fact, told.value, world, voice)
    beside = _shown(told.fact, other, world, voice) if other is not None else ""
    conflict = beside not in ("", value) and is_known(read_value(world.knowledge.facts[told.fact], told.value))
    told_at = next((entry for entry in entries if told.event_id and entry.event_id == told.event_id), None)
    how = _how(told, told_at, entries)
    quote = told_at.reply.text[:QUOTE_LIMIT] if told_at and told.how in QUOTED and told_at.reading else ""
    return FactLine(
        voice(f"fact.{told.fact}.label"),
        value,
        voice(f"desk_side.how_{how}"),
        mark="conflict" if conflict else "unconfirmed" if how == "taken_over" else "",
        other=beside if conflict else "",
        at=at,
        quote=quote,
        quote_lang=told_at.reply.lang if told_at else "",
        special=_special(told.fact, world),
    )


def _how(told: Told, told_at: Entry | None, entries: Sequence[Entry]) -> str:
    """How it was told, as a text of the desk says it."""
    if told.how == "list":
        return "list_no" if told.value is False else "list_yes"
    if told.how != "passing":
        return told.how or "unrecorded"
    # Taken over, it was said back with a way to change it: whoever went on after that let it stand.
    since = told_at.seq or 0 if told_at else 0
    later = any(entry.author is Author.CITIZEN and (entry.seq or 0) > since for entry in entries)
    return "let_stand" if later else "taken_over"


def _special(fact: str, world: World) -> bool:
    return world.knowledge.facts[fact].sensitivity == "special"


def _shown(fact: str, raw: Any, world: World, voice: Voice) -> str:
    """A value in words; why it is not known, where nobody could know it."""
    value = read_value(world.knowledge.facts[fact], raw)
    if isinstance(value, Unknown) and value.reason in ("conflict", "imprecise"):
        return voice(f"desk_side.why_{value.reason}")
    return value_text(voice, world.knowledge, fact, raw, world.today)


# -- verdicts


def verdicts(state: State, world: World, topics: Sequence[str], voice: Voice) -> list[tuple[str, list[VerdictLine]]]:
    """By subject that something was told of, these topics first; rules with nothing to ask say nothing here."""
    groups = []
    for subject in SUBJECTS:
        if not state.facts.get(subject):
            continue
        spoken = _about(state, subject)
        settled, known = told_facts.verdicts(spoken, world), told_facts.values(spoken, world)
        rules = (rule for rule in world.knowledge.rules.values() if rule.facts and subject in rule.subjects)
        lines = [
            _verdict(rule, evaluate(rule, known, world.today), rule.id in settled, spoken, world, voice)
            for rule in rules
            if rule.id in settled or _begun(rule, known, topics)
        ]
        lines.sort(key=lambda line: (_nearness(line.rule, topics), line.settled, _RANK.index(line.verdict)))
        if lines:
            groups.append((_subject(subject, voice), lines))
    return groups


def _about(state: State, subject: str) -> State:
    """The state with another subject spoken of; a check that runs is about the one before."""
    if subject == state.subject:
        return state
    return dataclasses.replace(state, subject=subject, interview=None, asking=None)


def _nearness(rule_id: str, topics: Sequence[str]) -> int:
    topic = topic_of_rule(rule_id)
    return topics.index(topic) if topic in topics else len(topics)


def _begun(rule: Rule, known: Mapping[str, Any], topics: Sequence[str]) -> bool:
    """Is it of these topics, and is something known that it asks for?"""
    return rule.kind != "audience" and topic_of_rule(rule.id) in topics and not known.keys().isdisjoint(rule.facts)


def _verdict(rule: Rule, result: Result, settled: bool, state: State, world: World, voice: Voice) -> VerdictLine:
    topic = world.knowledge.topics[topic_of_rule(rule.id)]
    changes = [change for change in result.would_change if change.kind == "become" and change.possible]
    window = told_facts.window_of(rule.id, world)
    return VerdictLine(
        key=f"{state.subject}-{rule.id}",
        rule=rule.id,
        subject=state.subject,
        label=voice(name_key(rule)),
        verdict=result.verdict,
        settled=settled,
        window=voice(f"conversation.window.{window}", period=period(topic, voice)),
        leaves=leaves(rule, result, state, world, voice),
        missing=_missing(result, voice),
        changes=tuple(change_text(change, topic, voice) for change in changes),
        hopeless=result.verdict in NEGATIVE and not all(change.possible for change in result.would_change),
        others=tuple(each for each in VERDICTS[rule.kind].values() if each != result.verdict),
    )


def _missing(result: Result, voice: Voice) -> str:
    names = result.missing if result.verdict == "cannot_tell" else ()
    return voice("conversation.list.comma").join(voice(f"fact.{fact}.label") for fact in names)


def leaves(rule: Rule, result: Result, state: State, world: World, voice: Voice) -> tuple[LeafLine, ...]:
    """Every condition that has something to say, those that bear on the verdict first, in the order of the plan."""
    topic = world.knowledge.topics[topic_of_rule(rule.id)]
    lines = [
        LeafLine(
            text=leaf_text(leaf, topic, voice),
            state=STATES[leaf.truth],
            why=voice(f"desk_side.why_{leaf.why}") if leaf.why else "",
            told=_looked_at(leaf, state, world, voice),
            source=source_words(leaf.source, voice),
            counts=leaf.counts,
        )
        for leaf in result.leaves
        if leaf.text_key
    ]
    return tuple(sorted(lines, key=lambda line: not line.counts))


def _looked_at(leaf: LeafResult, state: State, world: World, voice: Voice) -> str:
    """The value told for a condition; one that follows from another answer says so; empty where nothing was told."""
    raw = state.told().get(leaf.fact)
    if leaf.why in NO_ANSWER:
        return ""
    if leaf.value is False and raw is not False:
        return voice("desk_side.follows", value=_shown(leaf.fact, False, world, voice))
    return "" if raw is None else _shown(leaf.fact, raw, world, voice)


# -- a verdict that is thought wrong


def proposal(resources: Resources, store: Store, row: CaseRow, form: Mapping[str, str]) -> Proposal | None:
    """The check a caseworker thinks wrong as a golden case: coarse values, no words of the citizen."""
    _, state, world = _told(resources, store, row)
    state = _about(state, subject) if (subject := form.get("subject", "")) in state.facts else state
    rule, expect = world.rule(form.get("rule", "")), form.get("expect", "")
    verdict = told_facts.verdicts(state, world).get(form.get("rule", ""))
    if rule is None or verdict is None or expect not in VERDICTS[rule.kind].values() or expect == verdict:
        return None
    given = redacted(rule, told_facts.values(state, world), world.today)
    note = masked(form.get("note", ""))[:NOTE_LIMIT]
    return Proposal(rule.id, verdict, expect, given, world.today.isoformat(), note)
