"""Caseworkers at the desk in their browsers: they press what the page calls by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from browsing import Desk
from playwright.sync_api import Locator, Page, Route, expect

Words = Callable[..., str]
FIRST = "one-time password"
PASSWORD = "correct horse battery"


class Staff(Desk):
    """One of the staff, with a page of their own. `words` gives a text of the desk in Chinese."""

    name: str
    words: Words
    inside = False

    # -- coming and going

    def join(self, name: str, words: Words) -> None:
        """The first log-in of an account."""
        self.name, self.words = name, words
        self.log_in(name, FIRST, PASSWORD)
        self.inside = True

    def come(self) -> None:
        """Log in."""
        self.page.goto(f"{self.server.url}/desk")
        self.page.get_by_label(self.words("desk.name"), exact=True).fill(self.name)
        self.page.get_by_label(self.words("desk.password"), exact=True).fill(PASSWORD)
        self.button("desk.login").click()
        expect(self.button("desk.logout")).to_be_visible()
        self.inside = True

    def leave(self) -> None:
        """Log out."""
        self.button("desk.logout").click()
        expect(self.button("desk.login")).to_be_visible()
        self.inside = False

    def stay(self) -> None:
        """Look at the desk, as somebody does who is there."""
        assert self.status("/desk/account") == 200

    def duty(self, on: bool) -> None:
        """Come on or go off duty."""
        self.queue()
        now, then = ("desk.duty_on", "desk.duty_off") if on else ("desk.duty_off", "desk.duty_on")
        self.button(now).click()
        expect(self.button(then)).to_be_visible()

    def speaks(self, language: str) -> None:
        """Tell the desk of a language to answer in."""
        self.page.goto(f"{self.server.url}/desk/account")
        self.page.get_by_label(language, exact=True).check()
        form = self.page.locator("form", has=self.page.get_by_label(language, exact=True))
        self.button("desk_people.save", form).click()
        expect(self.page.get_by_label(language, exact=True)).to_be_checked()

    # -- looking

    def button(self, key: str, within: Page | Locator | None = None) -> Locator:
        """The button that bears this text."""
        return (within or self.page).get_by_role("button", name=self.words(key), exact=True)

    def queue(self, view: str = "waiting") -> None:
        """The list of cases."""
        self.page.goto(f"{self.server.url}/desk?view={view}")

    def listed(self, number: str) -> Locator:
        """A case in the list, with everything that is said of it there."""
        link = self.page.get_by_role("link", name=number)
        return self.page.get_by_role("main").get_by_role("listitem").filter(has=link)

    def open(self, number: str, view: str = "all") -> None:
        """Open a case from the list."""
        self.queue(view)
        self.page.get_by_role("link", name=number).click()
        expect(self.page.get_by_role("heading", name=number)).to_be_visible()

    def status(self, path: str) -> int:
        """How an address answers this person."""
        return self.context.request.get(self.server.url + path, headers={"sec-fetch-dest": "document"}).status

    def case_id(self) -> int:
        """The id of the case that is open, from its address."""
        return int(self.page.url.partition("/cases/")[2].partition("/")[0].partition("?")[0])

    def says(self, text: str, within: str = "main") -> None:
        """The page shows this, now or in a moment."""
        expect(self.page.locator(within).get_by_text(text).first).to_be_visible()

    # -- working on a case

    def claim(self, number: str) -> None:
        """Take a waiting case."""
        self.open(number, "waiting")
        self.button("desk.claim").click()
        expect(self.page.locator("#text")).to_be_visible()

    def unfold(self, key: str) -> Locator:
        """Open what is folded away under this heading; the form in it."""
        summary = self.page.locator("summary", has_text=self.words(key)).first
        folded = self.page.locator("details", has=summary).last
        if folded.get_attribute("open") is None:
            summary.click()
        return folded

    def transfer(self, to: str) -> None:
        """Give the case away; `to` is what the choice says."""
        form = self.unfold("desk.transfer")
        form.get_by_label(self.words("desk.transfer_to")).select_option(label=to)
        self.button("desk.transfer", form).click()
        expect(self.page.locator("#text")).to_be_hidden()

    def park_for_an_hour(self) -> None:
        """Put the case aside."""
        self.button("desk.park_hour", self.unfold("desk.park")).click()
        self.page.wait_for_load_state()

    def take_over(self, why: str) -> None:
        """Take a colleague's case."""
        self.page.get_by_label(self.words("desk.why"), exact=True).first.fill(why)
        self.button("desk.takeover").click()
        expect(self.page.locator("#text")).to_be_visible()

    def note(self, text: str) -> None:
        """Write an internal note."""
        self.page.get_by_label(self.words("desk.note_label")).fill(text)
        self.button("desk.note_save").click()
        self.says(text)

    def phrase(self, chinese: str, **slots: str) -> str:
        """Send a sentence of the phrasebook that begins so, with its slots filled; what the preview showed."""
        every = self.page.locator("details.every")
        if every.get_attribute("open") is None:
            every.locator("summary").first.click()
        one = every.locator("details", has=self.page.locator("summary", has_text=chinese))
        one.locator("summary").click()
        for name, value in slots.items():
            one.get_by_label(self.words(f"desk_phrases.slot_{name}"), exact=True).fill(value)
        theirs = one.locator(".theirs")
        if slots:
            expect(theirs).not_to_contain_text(self.words(f"desk_phrases.slot_{list(slots)[-1]}"))
        shown = theirs.inner_text()
        self.button("desk_phrases.send", one).click()
        self.says(shown, "#log")
        return shown

    def finish(self, outcome: str) -> None:
        """Close the case with an outcome."""
        form = self.unfold("desk.close_ask")
        form.get_by_label(self.words("desk.outcome")).select_option(label=self.words(f"desk.outcome_{outcome}"))
        self.button("desk.close", form).click()
        expect(self.page).to_have_url(f"{self.server.url}/desk")

    # -- at the same moment

    @contextmanager
    def held_back(self, action: str) -> Iterator[Callable[[], None]]:
        """What this page sends to an action of a case stays on its way until the yielded function is called."""
        waiting: list[Route] = []
        pattern = f"**/desk/cases/*/{action}"
        self.page.route(pattern, partial(_keep, waiting))

        def let_go() -> None:
            while not waiting:
                self.page.wait_for_event("request")
            waiting.pop().continue_()

        yield let_go
        self.page.unroute(pattern)


def _keep(waiting: list[Route], route: Route) -> None:
    waiting.append(route)
