"""What the desk's pages show of a case: plain values for the templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.channels.port import Allowance
from bot.clock import TAIPEI
from bot.desk.rights import Right, may
from bot.desk.window import Window, window
from bot.dialogue.effects import Option
from bot.messages import Entry, Speaker
from bot.pipeline.resources import Resources
from bot.render.pages import Bubble, bubble_of
from bot.store import Store
from bot.store.casework import OUTCOMES
from bot.store.records import CaseRow, StaffRow

RATE = (Option("rate:yes", "conversation.choice.helped"), Option("rate:no", "conversation.choice.not_helped"))
INTENTS = ("program", "screening", "handoff", "urgent", "greeting", "thanks", "goodbye", "language", "stations",
           "privacy", "complaint", "out_of_scope", "menu", "rating")  # fmt: skip


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
        "opened": moment(row.opened_at),
        "state": row.state,
        "holder": row.holder_name,
        "blocked": row.blocked and row.state != "closed",
        "barred": row.barred,
        "parked": moment(row.parked_until) if row.parked_until and row.parked_until > now else "",
        "for_lang": words(lang, f"conversation.language.{row.for_lang}") if row.for_lang else "",
        "for_topic": words(lang, f"{row.for_topic}.label") if row.for_topic else "",
        "for_staff": row.for_staff,
        "outcome": words(lang, f"desk.outcome_{row.outcome}") if row.outcome else "",
        "reason": words(lang, f"desk.reason_{row.reason}"),
    }


def moment(at: float) -> str:
    """A moment (seconds) as Taipei's clocks show it."""
    return datetime.fromtimestamp(at, TAIPEI).strftime("%Y-%m-%d %H:%M")


def _waited(resources: Resources, lang: str, seconds: float) -> str:
    minutes = max(0, int(seconds // 60))
    if minutes < 1:
        return resources.pages.words(lang, "desk.just_now")
    if minutes < 60:
        return resources.pages.words(lang, "desk.minutes", count=minutes)
    return resources.pages.words(lang, "desk.hours", count=minutes // 60)


def conversation(
    resources: Resources, store: Store, row: CaseRow, staff: StaffRow, lang: str, seen: Window | None = None
) -> dict[str, Any]:
    """A case with its transcript, or the lines of it that are `seen`, and who speaks."""
    speaking = store.speaker(row.conversation) or {}
    mine = row.state == "human" and row.holder == staff.id and speaking.get("speaker") == Speaker.HUMAN
    seen = seen or window(store, row)
    entries = seen.entries
    return {
        "case": case(resources, row, lang, resources.clock().timestamp()),
        "entries": entries,
        "seen": seen,
        "bubbles": [bubble_of(entry) for entry in entries],
        "mine": mine,
        "fence": speaking.get("speaker_fence", -1),
        "files": _files(store, row, mine),
        "blocked": row.blocked and row.state != "closed",
        "can_claim": row.state == "waiting" and may(staff.role, Right.ANSWER),
        "held_by": row.holder_name if row.state == "human" and not mine else "",
        "readings": _readings(resources, entries, lang),
        **_work(resources, store, row, staff, lang),
        "can_propose": may(staff.role, Right.ANSWER),
    }


def _work(resources: Resources, store: Store, row: CaseRow, staff: StaffRow, lang: str) -> dict[str, Any]:
    """What can be done with the case, and what was."""
    words, kept = resources.pages.words, store.casework.facts_of(row)
    others = row.state == "human" and row.holder != staff.id
    return {
        "log": [
            {
                "at": moment(each.at),
                "who": each.who,
                "what": words(lang, f"desk.log_{each.what}"),
                "detail": _whom(resources, each.detail, lang) if each.what == "transferred" else each.detail,
            }
            for each in kept["log"]
        ],
        "notes": [{"at": moment(each.at), "who": each.who, "text": each.text} for each in kept["notes"]],
        "callbacks": [
            {
                "id": each.id,
                "number": each.number,
                "wish": each.wish,
                "lang": words(lang, f"conversation.language.{each.lang}") if each.lang else "",
                "done": moment(each.done_at) if each.done_at else "",
            }
            for each in kept["callbacks"]
            if row.closed_at is None or each.at <= row.closed_at  # what comes later is none of its business
        ],
        "topics": [(topic, resources.pages.words(lang, f"{topic}.label")) for topic in resources.knowledge.topics],
        "colleagues": [each for each in store.casework.colleagues() if each[0] != staff.id],
        "languages": [(code, words(lang, f"conversation.language.{code}")) for code in resources.languages],
        "can_take_over": others and may(staff.role, Right.TAKE_OVER),
        "can_reopen": row.state == "closed" and may(staff.role, Right.ANSWER),
        "can_bar": may(staff.role, Right.BLOCK),
        "outcomes_to_close": [(each, words(lang, f"desk.outcome_{each}")) for each in OUTCOMES],
    }


def _whom(resources: Resources, target: str, lang: str) -> str:
    """Whom a case was transferred to: who serves a language or a topic, by its name; a colleague."""
    if target in resources.languages:
        return resources.pages.words(lang, f"conversation.language.{target}")
    return resources.pages.words(lang, f"{target}.label") if target in resources.knowledge.topics else target


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
    for file in store.attachments.of(row.conversation):
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
