"""What the desk's pages show of a case: plain values for the templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.channels.port import Allowance
from bot.clock import TAIPEI
from bot.desk.rights import Right, may
from bot.dialogue import told as told_facts
from bot.dialogue.options import name_key
from bot.dialogue.state import by_subject, from_doc
from bot.dialogue.world import Staffing
from bot.messages import Entry, Speaker
from bot.pipeline.resources import Resources
from bot.render.pages import bubble_of
from bot.render.verdicts import value_text
from bot.render.voice import Voice
from bot.store import Store
from bot.store.proposals import Proposal
from bot.store.records import CaseRow, StaffRow
from intents.redact import redacted as masked
from knowledge.rules import VERDICTS
from knowledge.rules.golden import redacted

NOTE_LIMIT = 500


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
        "opened": datetime.fromtimestamp(row.opened_at, TAIPEI).strftime("%Y-%m-%d %H:%M"),
        "state": row.state,
        "holder": row.holder_name,
        "blocked": row.blocked and row.state != "closed",
        "reason": words(lang, f"desk.reason_{row.reason}"),
    }


def _waited(resources: Resources, lang: str, seconds: float) -> str:
    minutes = max(0, int(seconds // 60))
    if minutes < 60:
        return resources.pages.words(lang, "desk.minutes", count=minutes)
    return resources.pages.words(lang, "desk.hours", count=minutes // 60)


def conversation(resources: Resources, store: Store, row: CaseRow, staff: StaffRow, lang: str) -> dict[str, Any]:
    """A case with transcript, who speaks, facts told and what the rules say of them."""
    speaking = store.speaker(row.conversation) or {}
    mine = row.state == "human" and row.holder == staff.id and speaking.get("speaker") == Speaker.HUMAN
    voice = Voice(resources.catalog, lang, {})
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
        "bubbles": [bubble_of(entry) for entry in _until_closed(store.entries(row.conversation, limit=500), row)],
        "mine": mine,
        "fence": speaking.get("speaker_fence", -1),
        "files": _files(store, row, mine),
        "blocked": row.blocked and row.state != "closed",
        "can_claim": row.state == "waiting" and may(staff.role, Right.ANSWER),
        "held_by": row.holder_name if row.state == "human" and not mine else "",
        "facts": facts,
        "can_propose": may(staff.role, Right.ANSWER),
        "verdicts": _verdicts(resources, store.state(row.conversation), told, voice),
    }


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
