"""Why a case stands where it does in the waiting list, and who is on duty, in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass

from bot.pipeline.resources import Resources
from bot.store.duty import READ_BY_ALL, OnDuty
from bot.store.records import CaseRow, StaffRow


@dataclass
class Aims:
    """For one caseworker: what the order of the store (see bot/store/cases.py) means to them."""

    resources: Resources
    lang: str
    staff: StaffRow
    on_duty: list[OnDuty]

    def words(self, row: CaseRow) -> str:
        """For whom it is by its language; empty where that says nothing."""
        meant = row.for_lang or row.lang
        if row.state != "waiting" or row.aim not in (1, 2):
            return ""
        if meant in self.staff.languages:
            return self._say("aim_yours", meant)
        spoken = {code for each in self.on_duty for code in each.languages}
        if meant == READ_BY_ALL or not spoken:
            return ""
        return self._say("aim_others" if meant in spoken else "aim_nobody", meant)

    def _say(self, name: str, code: str) -> str:
        words = self.resources.pages.words
        return words(self.lang, f"desk_queue.{name}", language=words(self.lang, f"conversation.language.{code}"))

    def colleagues(self) -> list[tuple[str, str]]:
        """(name, languages) of everybody on duty."""
        words = self.resources.pages.words
        comma = "、" if self.lang == "zh-TW" else ", "
        return [
            (each.name, comma.join(words(self.lang, f"conversation.language.{code}") for code in each.languages))
            for each in self.on_duty
        ]
