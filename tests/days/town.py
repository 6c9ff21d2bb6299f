"""The town on a working day: server and platforms, citizens and staff, the clock, and what everybody saw."""

from __future__ import annotations

import itertools
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from browsing import Chat, People, case_number
from platforms.city import City
from platforms.people import Json, OnLine, OnTelegram, Person, Seen
from playwright.sync_api import Page

from bot.desk.auth import hash_password
from bot.store import Store
from days.clock import DayClock
from days.staff import FIRST, Staff

STEP = 20 * 60.0  # whoever is at the desk does something there within this time
TODAY = "2026-11-23"  # a Monday


class OnTheirPhone(OnTelegram):
    """Somebody on Telegram who takes a second for everything: its messages tell the time in whole seconds."""

    def __init__(self, city: City, clock: DayClock, language: str) -> None:
        super().__init__(city, language)
        self._clock = clock

    def send(self, *events: Json) -> list[Seen]:
        with ThreadPoolExecutor(1) as beside:  # the browsers' event loop runs in this thread
            for update in events:
                assert beside.submit(self.city.telegram.deliver, update).result().wanted
        return self.news()

    def take_a_second(self) -> None:
        self._clock.advance(1)

    def tap(self, choice: str) -> list[Seen]:
        self.take_a_second()
        return super().tap(choice)


@dataclass
class Town:
    """Everything the steps of a day need."""

    city: City
    clock: DayClock
    people: People
    story: dict[str, Any]
    pictures: Path
    staff: dict[str, Staff] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    _shots: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.linh = OnLine(self.city, "vi", "Linh")
        self.budi = OnTheirPhone(self.city, self.clock, "id")
        self.malee: Chat = self.people.citizen(lang="th")

    # -- time

    def until(self, time: str, day: str = TODAY) -> None:
        """The day goes on to a later time; who is at the desk stays there."""
        left = self.clock.until(f"{day}T{time}")
        while left > 0:
            self.clock.advance(min(left, STEP))
            left -= STEP
            for each in self.staff.values():
                if each.inside:
                    each.stay()

    # -- staff

    def hire(self, name: str, role: str, width: int = 1280) -> Staff:
        """An account, and the first log-in with it."""
        store = Store(self.city.database)
        try:
            store.add_staff(name, role, hash_password(FIRST))
        finally:
            store.close()
        each: Staff = self.people._visit(Staff, width, 900, "zh-TW")
        each.join(name, self.desk)
        self.staff[name] = each
        return each

    def desk(self, key: str, **params: Any) -> str:
        """A text as the desk shows it in Chinese."""
        return self.city.resources.pages.words("zh-TW", key, **params)

    def words(self, lang: str, key: str, **params: Any) -> str:
        """A text as citizens get it, without the blanks that each channel sets its own way."""
        return squeezed(self.city.words(lang, f"conversation.{key}", **params))

    # -- citizens

    def of(self, name: str, what: str) -> str:
        """Words of a citizen, kept to look for them later where they must not be."""
        text = str(self.story["citizens"][name][what])
        self.said.append(text)
        return text

    def tells(self, name: str, what: str) -> str:
        """A citizen writes; everything that comes back, as one text."""
        text = self.of(name, what)
        if name == "malee":
            return self.malee.say(text)
        return texts(self.person(name).say(text))

    def person(self, name: str) -> Person:
        """A citizen on a platform."""
        return self.linh if name == "linh" else self.budi

    def case_of(self, answer: str) -> str:
        """The number of the case that an answer tells of."""
        return case_number(answer)

    def hears(self, name: str) -> str:
        """What came to a citizen on a platform since they last looked, as one text."""
        return texts(self.person(name).news())

    # -- what is to be seen

    def shot(self, page: Page, name: str) -> None:
        """A picture of a station of the day."""
        page.screenshot(path=self.pictures / f"{next(self._shots):02}-{name}.png")

    def delivered(self) -> str:
        """Everything that left the house for citizens: calls to both platforms, and the web chat's page."""
        calls = [json.dumps(call.document, ensure_ascii=False) for call in self.city.line.calls() if call.body]
        calls += [json.dumps(call.values, ensure_ascii=False, default=str) for call in self.city.telegram.calls]
        self.malee.page.reload()
        return "\n".join([*calls, self.malee.page.content()])


def texts(seen: list[Seen]) -> str:
    """The words of messages as one text."""
    return "\n".join(each.text for each in seen)


def squeezed(text: str) -> str:
    """Without blanks."""
    return re.sub(r"\s+", "", text)
