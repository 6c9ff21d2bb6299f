"""A held case that nobody answers goes back to the queue, and the citizen is told; old rows go."""

from __future__ import annotations

import asyncio

from bot import observe
from bot.messages import Notice
from bot.pipeline.house import House
from bot.pipeline.hub import DESK
from bot.pipeline.purge import purge
from bot.pipeline.resources import Resources
from bot.store import StoreUnavailable

EVERY_SECONDS = 15.0
PURGE_ROUNDS = 240  # once an hour


async def sweep(house: House, resources: Resources, hold_seconds: float) -> None:
    """Look every few seconds until cancelled."""
    rounds, youngest = 0, 0.0
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await sweep_once(house, resources, hold_seconds)
            youngest = warn_late(house, resources, youngest)
            if rounds % PURGE_ROUNDS == 0:
                await purge(house.store, resources.retention, resources.knowledge.facts)
            rounds += 1
        except StoreUnavailable as error:
            observe.failure("sweep", error)


async def sweep_once(house: House, resources: Resources, hold_seconds: float) -> int:
    """Return every case held too long, counted in service hours, to the queue; how many there were."""
    moved, now = 0, resources.clock().timestamp()
    for case, since in house.store.held_too_long(hold_seconds):
        if not house.timetable.passed(since, hold_seconds, now):
            continue
        notice = resources.renderer.say("conversation.case_back", case.lang, Notice.CASE)
        if await house.store.back_to_queue(case, notice):
            moved += 1
            await house.store.note(None, "case.back", f"case/{case.id}")
            house.worker.wake.set()
            house.worker.sent.set()
            house.hub.publish(case.conversation)
            house.hub.publish(DESK)
    return moved


def warn_late(house: House, resources: Resources, youngest: float) -> float:
    """Wake the desk when first answers became overdue since the last look.

    `youngest`: when the youngest case was opened that it was woken for, in Unix seconds; returned as it is now.
    """
    now, late = resources.clock().timestamp(), 0
    for opened_at in house.store.hours.unanswered(youngest):
        if not house.timetable.overdue(opened_at, now):
            break  # whatever was opened later is not due either
        youngest, late = opened_at, late + 1
    if late:
        observe.count("cases.late", late)
        house.hub.publish(DESK)
    return youngest
