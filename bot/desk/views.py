"""What the desk's pages show of a case: plain values for the templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.channels.port import Allowance
from bot.clock import TAIPEI
from bot.desk.rights import Right, may
from bot.dialogue import told as told_facts
from bot.dialogue.effects import Option
from bot.dialogue.options import name_key
from bot.dialogue.state import by_subject, from_doc
from bot.dialogue.world import Staffing
from bot.messages import Entry, Speaker
from bot.pipeline.resources import Resources
from bot.render.pages import Bubble, bubble_of
from bot.render.verdicts import value_text
from bot.render.voice import Voice
from bot.store import Store
from bot.store.casework import OUTCOMES
from bot.store.proposals import Proposal
from bot.store.records import CaseRow, StaffRow
from intents.redact import redacted as masked
from knowledge.rules import VERDICTS
from knowledge.rules.golden import redacted

NOTE_LIMIT = 500


RATE = (Option("rate:yes", "conversation.choice.helped"), Option("rate:no", "conversation.choice.not_helped"))
INTENTS = ("program", "screening", "handoff", "urgent", "greeting", "thanks", "goodbye", "language", "stations",
           "privacy", "complaint", "out_of_scope", "menu")  # fmt: skip


def sees(row: CaseRow, staff: StaffRow) -> bool:
    """May this caseworker see inside the case? One held by a colleague only who may take it over; nobody while the
    person's data is kept apart."""
    if row.restricted:
        return False
    if may(staff.role, Right.TAKE_OVER):
        return True
    if not may(staff.role, Right.ANSWER):
        return False
    return row.state == "waiting" or row.holder == staff.id


def case(resources: Resources, row: CaseRow, lang: str, now: float) -> dict[str, Any]:
    """One case for the list."""
    words = resources.pages.words
    topic = words(lang, f"{row.topic}.label") if row.topic in resources.knowledge.topics else ""
    return {
        "id": row.id,
        "number": row.number,
        "urgent": row.urgent,
        "lang_name": words(lang, f"conversation.language.{row.lang}"),
        "topic": topic,
        "channel": row.channel,
        "waited": _waited(resources, lang, now - row.opened_at),
        "opened": _moment(row.opened_at),
        "state": row.state,
        "holder": row.holder_name,
        "blocked": row.blocked and row.state != "closed",
        "barred": row.barred,
        "parked": _moment(row.parked_until) if row.parked_until and row.parked_until > now else "",
        "for_lang": words(lang, f"conversation.language.{row.for_lang}") if row.for_lang else "",
        "for_staff": row.for_staff,
        "outcome": words(lang, f"desk.outcome_{row.outcome}") if row.outcome else "",
        "reason": words(lang, f"desk.reason_{row.reason}"),
    }


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, TAIPEI).strftime("%Y-%m-%d %H:%M")


def _waited(resources: Resources, lang: str, seconds: float) -> str:
    minutes = max(0, int(seconds // 60))
    if minutes < 1:
        return resources.pages.words(lang, "desk.just_now")
    if minutes < 60:
        return resources.pages.words(lang, "desk.minutes", count=minutes)
    return resources.pages.words(lang, "desk.hours", count=minutes // 60)


def conversation(resources: Resources, store: Store, row: CaseRow, staff: StaffRow, lang: str) -> dict[str, Any]:
    """A case with transcript, who speaks, facts told and what the rules say of them."""
    speaking = store.speaker(row.conversation) or {}
    mine = row.state == "human" and row.holder == staff.id and speaking.get("speaker") == Speaker.HUMAN
    voice = Voice(resources.catalog, lang, {})
    entries = _until_closed(store.entries(row.conversation, limit=500), row)
    rows = store.facts(row.conversation)
    told = by_subject(rows)
    facts = []
    for subject, fact, value in rows:
        label = f"{voice(f'fact.{fact}.label')}（{voice(f'desk.subject_{subject}')}）"
        facts.append(
            {"label": label, "value": value_text(voice, resources.knowledge, fact, value, resources.clock().date())}
        )
    return {
        "case": case(resources, row, lang, resources.clock().timestamp()),
        "bubbles": [bubble_of(entry) for entry in entries],
        "mine": mine,
        "fence": speaking.get("speaker_fence", -1),
        "files": _files(store, row, mine),
        "blocked": row.blocked and row.state != "closed",
        "can_claim": row.state == "waiting" and may(staff.role, Right.ANSWER),
        "held_by": row.holder_name if row.state == "human" and not mine else "",
        "facts": facts,
        "readings": _readings(resources, entries, lang),
        **_work(resources, store, row, staff, lang),
        "can_propose": may(staff.role, Right.ANSWER),
        "verdicts": _verdicts(resources, store.state(row.conversation), told, voice),
    }


def _work(resources: Resources, store: Store, row: CaseRow, staff: StaffRow, lang: str) -> dict[str, Any]:
    """What can be done with the case, and what was."""
    words, kept = resources.pages.words, store.casework.facts_of(row)
    others = row.state == "human" and row.holder != staff.id
    return {
        "log": [
            {
                "at": _moment(each.at),
                "who": each.who,
                "what": words(lang, f"desk.log_{each.what}"),
                "detail": each.detail,
            }
            for each in kept["log"]
        ],
        "notes": [{"at": _moment(each.at), "who": each.who, "text": each.text} for each in kept["notes"]],
        "callbacks": [
            {
                "id": each.id,
                "number": each.number,
                "wish": each.wish,
                "lang": words(lang, f"conversation.language.{each.lang}") if each.lang else "",
                "done": _moment(each.done_at) if each.done_at else "",
            }
            for each in kept["callbacks"]
            if row.closed_at is None or each.at <= row.closed_at  # what comes later is none of its business
        ],
        "colleagues": [each for each in store.casework.colleagues() if each[0] != staff.id],
        "languages": [(code, words(lang, f"conversation.language.{code}")) for code in resources.languages],
        "can_take_over": others and may(staff.role, Right.TAKE_OVER),
        "can_reopen": row.state == "closed" and may(staff.role, Right.ANSWER),
        "can_bar": may(staff.role, Right.BLOCK),
        "outcomes_to_close": [(each, words(lang, f"desk.outcome_{each}")) for each in OUTCOMES],
    }


def _readings(resources: Resources, entries: Sequence[Entry], lang: str) -> dict[str, str]:
    """How the bot read each message, in the caseworker's language, by event."""
    words, topics = resources.pages.words, resources.knowledge.topics
    found: dict[str, str] = {}
    for entry in entries:
        reading = entry.reading
        if not reading.get("intent"):
            continue
        intent = reading["intent"]
        parts = [words(lang, f"desk.intent_{intent}") if intent in INTENTS else intent]
        parts += [words(lang, f"{topic}.label") for topic in reading.get("topics", ()) if topic in topics]
        parts += [text for _, text in reading.get("details", ())]
        found[entry.event_id] = "、".join(parts) if lang == "zh-TW" else ", ".join(parts)
    return found


def _files(store: Store, row: CaseRow, mine: bool) -> dict[str, list[dict[str, Any]]]:
    """The files of the conversation by the event they came with; only the holder can open them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in store.files(row.conversation):
        shown = {"id": file.id, "name": file.name, "state": file.state, "can_open": mine}
        found.setdefault(file.event_id, []).append(shown)
    return found


def quota(resources: Resources, allowance: Allowance | None, lang: str) -> str:
    """What is left of LINE's messages this month; empty where LINE is off or does not say."""
    if allowance is None:
        return ""
    if allowance.left is None:
        return resources.pages.words(lang, "desk.quota_free")
    return resources.pages.words(lang, "desk.quota", left=allowance.left, limit=allowance.limit)


def holds(bubble: Bubble, sought: str) -> bool:
    """Do the words of a line hold what is looked for, whatever the case of its letters?"""
    return any(sought.casefold() in part.casefold() for part in bubble.paragraphs)


def _until_closed(entries: list[Entry], row: CaseRow) -> list[Entry]:
    """A closed case ends with its closing notice: what the citizen writes later is none of its business."""
    if row.closed_at is None:
        return entries
    return [entry for entry in entries if (entry.seq or 0) <= (row.closed_seq or 0)]


def _verdicts(
    resources: Resources, state_doc: str, told: dict[str, dict[str, Any]], voice: Voice
) -> list[dict[str, Any]]:
    """The verdicts on what was told; rules with nothing to ask say nothing here."""
    if not told:
        return []
    state, world = from_doc(state_doc, told), resources.world(resources.clock(), Staffing())
    return [
        {
            "rule": rule.id,
            "label": voice(name_key(rule)),
            "verdict": verdict,
            "others": [each for each in VERDICTS[rule.kind].values() if each != verdict],
        }
        for name, verdict in told_facts.verdicts(state, world).items()
        if (rule := world.knowledge.rules[name]).facts
    ]


def proposal(resources: Resources, store: Store, row: CaseRow, form: Mapping[str, str]) -> Proposal | None:
    """The check a caseworker thinks wrong as a golden case: coarse values, no words of the citizen."""
    told = by_subject(store.facts(row.conversation))
    state, world = from_doc(store.state(row.conversation), told), resources.world(resources.clock(), Staffing())
    rule, expect = world.rule(form.get("rule", "")), form.get("expect", "")
    verdict = told_facts.verdicts(state, world).get(form.get("rule", ""))
    if rule is None or verdict is None or expect not in VERDICTS[rule.kind].values() or expect == verdict:
        return None
    given = redacted(rule, told_facts.values(state, world), world.today)
    note = masked(form.get("note", ""))[:NOTE_LIMIT]
    return Proposal(rule.id, verdict, expect, given, world.today.isoformat(), note)
