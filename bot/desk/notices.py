"""Tells a staff group that a case waits: number, channel, language and topic; never a word of the person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape
from typing import Protocol

from bot import observe
from bot.channels.port import Receipt, Sent
from bot.pipeline.resources import Resources
from bot.store import Store
from bot.store.records import CaseRow

EVERY_SECONDS = 2.0
DESK_LANGUAGE = "zh-TW"


class StaffGroup(Protocol):
    """Where the notices go."""

    async def post(self, html: str) -> Receipt:
        """Post a text."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


@dataclass
class Notices:
    """Every waiting case is told once, and once more when it becomes urgent."""

    store: Store
    resources: Resources
    group: StaffGroup
    public_url: str
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            pause = EVERY_SECONDS
            try:
                pause = max(pause, await self.once())
            except Exception as error:  # the store, or a fault of ours: what was not told stays so
                observe.failure("staff notice", error)
            await self.sleep(pause)

    async def once(self) -> float:
        """Tell what was not told yet; seconds to wait where the platform asks for it."""
        for case in self.store.unnoticed():
            receipt = await self.group.post(self.text(case))
            observe.count(f"staff_notice.{receipt.result}")
            if receipt.result is Sent.RETRY:
                return receipt.delay or EVERY_SECONDS
            await self.store.noticed(case)
        return 0.0

    def text(self, case: CaseRow) -> str:
        """The notice as HTML."""
        words = self.resources.pages.words
        head = words(DESK_LANGUAGE, "desk.notice_urgent_case" if case.urgent else "desk.notice_new_case")
        known = case.topic in self.resources.knowledge.topics
        line = words(
            DESK_LANGUAGE,
            "desk.notice_line",
            number=case.number,
            channel=case.channel,
            language=words(DESK_LANGUAGE, f"conversation.language.{case.lang}"),
            topic=words(DESK_LANGUAGE, f"{case.topic}.label") if known else "—",
        )
        label = escape(words(DESK_LANGUAGE, "desk.notice_open"))
        link = f'<a href="{escape(self.public_url)}/desk/cases/{case.id}">{label}</a>'
        mark = "🔴 " if case.urgent else ""
        return "\n".join([f"<b>{mark}{escape(head)}</b>", escape(line), *([link] if self.public_url else [])])
