"""The desk by keyboard alone in a real Chromium, its shortcuts, its notifications, and the list without a stream."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

import pytest
from browsing import PASSWORD, Desk, People, case_number
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

numbers = itertools.count(1)
# What has the focus: a name to tell stops apart, whether it can be seen to have it, and whether it is in view.
FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const seen = [at, at.closest(".case"), at.closest("label")].filter(Boolean).some((e) => {
    const style = getComputedStyle(e);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none";
  });
  const box = at.getBoundingClientRect();
  const inView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 0;
  const all = [...document.querySelectorAll("*")];
  return { name: `${all.indexOf(at)} ${at.outerHTML.slice(0, 90)}`, seen, inView };
}"""
TOLD = """
window.told = [];
window.asked = 0;
window.raised = 0;
window.Notification = class extends Notification {
  static requestPermission() { window.asked++; return super.requestPermission(); }
  constructor(title, options) { super(title, options); window.told.push({ title, ...options }); window.newest = this; }
};
window.focus = () => { window.raised++; };
"""


def staff_name() -> str:
    return f"hands{next(numbers)}"


def waiting_case(people: People) -> str:
    """Somebody new asks for a person; the case's number."""
    return case_number(people.citizen().open().dock("handoff"))


@dataclass
class Hands:
    """Somebody without a mouse."""

    page: Page

    def press(self, *keys: str) -> None:
        self.page.wait_for_load_state()  # the keys are in the page's script, which runs after its text is seen
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)

    def at(self, selector: str) -> None:
        """The focus is there, and can be seen."""
        expect(self.page.locator(selector)).to_be_focused()
        self.stop()

    def stop(self) -> str:
        """The name of what has the focus; it must show."""
        found = self.page.evaluate(FOCUS)
        if found is None:
            return ""
        assert found["seen"], f"no focus to be seen: {found['name']}"
        assert found["inView"], f"out of view: {found['name']}"
        return str(found["name"])

    def tab_to(self, selector: str, most: int = 120) -> None:
        """Tab until it has the focus; every stop on the way can be seen and can be left."""
        before = "-"
        for _ in range(most):
            if self.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            before = self.on("Tab", before)
        raise AssertionError(f"{selector} was not reached")

    def on(self, key: str, before: str) -> str:
        """The next stop; the parts of a date are one."""
        for _ in range(8):
            self.press(key)
            now = self.stop()
            if now != before or not now:
                return now
        raise AssertionError(f"a trap: {before}")

    def round(self, key: str = "Tab", most: int = 250) -> list[str]:
        """Tab through the page until it begins anew; every stop."""
        stops, now = list[str](), "-"
        for _ in range(most):
            now = self.on(key, now)
            if now and now in stops:
                return stops
            stops += [now] if now else []
        raise AssertionError(f"no end after {most} stops: {stops[-3:]}")


def test_a_case_from_log_in_to_log_out_without_a_mouse(people: People) -> None:
    number = waiting_case(people)
    page = people.newcomer().page
    hands = Hands(page)
    page.goto(f"{people.server.url}/desk")
    hands.tab_to("#name")
    hands.write("admin")
    hands.tab_to("#password")
    hands.write(people.server.password)
    hands.press("Enter")
    expect(page.locator("#again")).to_be_visible()
    hands.tab_to("#password")
    hands.write(PASSWORD)
    hands.tab_to("#again")
    hands.write(PASSWORD)
    hands.press("Enter")
    expect(page.locator(".views")).to_be_visible()

    # the skip link leads past the head of the page
    hands.press("Tab")
    hands.at(".skip")
    hands.press("Enter", "Tab")
    hands.at(".views a >> nth=0")
    forth, back = hands.round(), hands.round("Shift+Tab")
    assert sorted(forth) == sorted(back)
    assert len(forth) >= 15

    # the list of keys: the focus goes in, stays in, and comes back
    hands.tab_to(".duty button")
    hands.press("Enter")
    expect(page.locator(".duty .tag")).to_be_visible()
    hands.tab_to('.views a[href$="mine"]')
    hands.press("?")
    expect(page.get_by_role("dialog", name="快捷鍵")).to_be_visible()
    for _ in range(5):
        assert page.evaluate(
            "Boolean(document.activeElement.closest('dialog')) || !document.activeElement.closest('main')"
        )
        hands.press("Tab")
    hands.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    hands.at('.views a[href$="mine"]')

    # find the case, open it, take it
    hands.press("/")
    hands.at("#f-number")
    hands.write(number)
    hands.press("Enter")
    expect(page.locator(".case")).to_have_count(1)
    hands.press("j")
    hands.at(".case a")
    hands.press("Enter")
    expect(page.locator(".claim")).to_be_visible()
    hands.press("c")
    hands.at("#text")
    assert len(hands.round()) >= 12

    # a sentence of the phrasebook, its slot filled in place
    hands.tab_to("#text")
    hands.press("Escape", "p")
    hands.at("#find-phrase")
    hands.write("大約需要")
    hands.tab_to("[data-phrase='next.wait'] > summary")
    hands.press("Enter")
    hands.tab_to("[data-phrase='next.wait'] input[name=slot_duration]")
    hands.write("三天")
    hands.tab_to("[data-phrase='next.wait'] button[value=send]")
    hands.press("Enter")
    expect(page.locator(".bubble.by-staff", has_text="三天")).to_be_visible()

    # own words, with a line of their own
    hands.at("#text")
    hands.write("您好")
    hands.press("Shift+Enter")
    hands.write("請看這裡")
    hands.press("Enter")
    expect(page.locator(".bubble.by-staff", has_text="請看這裡")).to_be_visible()
    expect(page.locator(".bubble.by-staff .state").last).to_contain_text("已送出")

    # a note, set aside, found in the conversation
    hands.press("Escape", "n")
    hands.at("#note")
    hands.write("明天再看")
    hands.tab_to("form[action$='/note'] button")
    hands.press("Enter")
    expect(page.locator(".note")).to_contain_text("明天再看")
    hands.press("Escape", "s")
    hands.at("form[action$='/park'] button >> nth=0")
    hands.press("Enter")
    expect(page.locator("#head")).to_contain_text("先放到")
    hands.press("Escape", "f")
    hands.at("#q")
    hands.write("三天")
    hands.press("Enter")
    expect(page.locator("#side [role=status]", has_text="找到")).to_be_visible()

    # close it with an outcome
    hands.press("Escape", "x")
    hands.at("#outcome")
    hands.press("ArrowDown")
    hands.tab_to("form[action$='/close'] button")
    hands.press("Enter")
    expect(page.locator(".views")).to_be_visible()
    assert people.server.row("SELECT state, outcome FROM cases WHERE number = ?", number) == ("closed", "referred")
    hands.press("g", "c")
    expect(page.locator(".case", has_text=number)).to_be_visible()

    # the reports, and out
    hands.tab_to('a[href="/desk/reports"]')
    hands.press("Enter")
    expect(page.locator("main.reports")).to_be_visible()
    assert len(hands.round()) >= 10
    hands.tab_to('form[action="/desk/logout"] button')
    hands.press("Enter")
    expect(page.locator("#name")).to_be_visible()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('href') ?? document.activeElement.tagName"))


def test_keys_never_fire_while_writing_with_a_modifier_or_when_switched_off(people: People) -> None:
    waiting_case(people)
    waiting_case(people)
    desk = people.caseworker(staff_name())
    page, hands = desk.page, Hands(desk.page)
    hands.press("j")
    first = focused(page)
    hands.press("j")
    second = focused(page)
    assert first.startswith("/desk/cases/")
    assert first != second
    hands.press("k")
    assert focused(page) == first
    for key in ("Control+j", "Alt+j", "Meta+j", "Shift+J"):
        hands.press(key)
        assert focused(page) == first, key
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㄨ', code: 'KeyJ', bubbles: true}))"
    )
    assert focused(page) == second

    # in a field they are letters
    hands.press("/")
    hands.at("#f-number")
    hands.write("jk?/gc")
    assert page.input_value("#f-number") == "jk?/gc"
    expect(page.locator("dialog")).to_have_count(0)

    # a fresh list takes neither the focus nor what was typed
    waiting_case(people)
    expect(page.locator("#views .count").first).not_to_have_text("2")
    assert page.input_value("#f-number") == "jk?/gc"
    hands.at("#f-number")

    # off in the dialog, in this browser, on every page
    hands.press("Escape", "?")
    expect(page.locator("dialog")).to_be_visible()
    hands.at("#keys-on")
    hands.press("Space", "Escape")
    expect(page.locator("dialog")).to_have_count(0)
    for _ in range(2):
        hands.press("j", "?", "/", "g", "m")
        assert focused(page) in ("BODY", "A")
        expect(page.locator("dialog")).to_have_count(0)
        page.reload()
    hands.tab_to('a[href="/desk/keys"]')
    hands.press("Enter")
    expect(page.locator("dialog")).to_be_visible()
    desk.axe("list of keys")
    hands.at("#keys-on")
    hands.press("Space", "Escape")
    expect(page.locator("dialog")).to_have_count(0)
    hands.at('a[href="/desk/keys"]')
    hands.press("j")
    assert focused(page) == first


def test_the_keys_are_a_page_without_script(people: People) -> None:
    desk = people.caseworker(staff_name())
    state: Any = desk.context.storage_state()
    page = people.newcomer(java_script_enabled=False, storage_state=state, width=320).page
    page.goto(f"{people.server.url}/desk")
    page.get_by_role("link", name="快捷鍵").click()
    expect(page.locator("kbd").first).to_be_visible()
    expect(page.locator("#keys-on")).to_be_hidden()
    expect(page.get_by_text("快捷鍵不能用")).to_be_visible()


# -- notifications


def listening(people: People) -> Desk:
    """A caseworker who pressed the button for notifications."""
    desk = people.caseworker(staff_name(), permissions=["notifications"])
    desk.context.add_init_script(TOLD)
    desk.page.goto(f"{people.server.url}/desk")
    assert desk.page.evaluate("window.asked") == 0
    desk.page.get_by_role("button", name="有人等候時通知我").click()
    expect(desk.page.get_by_role("button", name="停止通知")).to_be_visible()
    assert desk.page.evaluate("window.asked") == 1
    return desk


def told(page: Page) -> list[dict[str, str]]:
    found: list[dict[str, str]] = page.evaluate("window.told")
    return found


def wait_for(page: Page, count: int) -> None:
    page.wait_for_function("n => window.told.length === n", arg=count)


def test_one_more_waiting_is_told_in_fixed_words(people: People) -> None:
    desk = listening(people)
    page, known = desk.page, int(desk.page.locator("#notify").get_attribute("data-waiting") or 0)
    number = waiting_case(people)
    wait_for(page, 1)
    (said,) = told(page)
    assert said == {"title": "有案件在等候", "body": "請打開承辦人員工作台。", "tag": "desk", "lang": "zh-TW"}
    expect(page).to_have_title(f"({known + 1}) 等候中 – 承辦人員工作台")
    page.evaluate("window.newest.dispatchEvent(new Event('click'))")
    assert page.evaluate("window.raised") == 1

    # on the page of a case too, and not of one's own doing in another tab
    other = desk.tab()
    page.locator(".case a", has_text=number).click()
    page.get_by_role("button", name="接手這個案件").click()
    expect(page.locator("#text")).to_be_visible()
    other.goto(f"{people.server.url}/desk")
    expect(other).to_have_title(f"({known}) 等候中 – 承辦人員工作台" if known else "等候中 – 承辦人員工作台")
    waiting_case(people)
    wait_for(page, 1)
    wait_for(other, 1)
    page.locator("[data-key=t]").click()
    page.locator("form[action$='/transfer'] button").click()
    expect(other).to_have_title(f"({known + 2}) 等候中 – 承辦人員工作台")
    assert len(told(other)) == 1
    assert told(page) == []

    # an urgent one marks the title; once stopped nothing is told
    other.get_by_role("button", name="停止通知").click()
    citizen = people.citizen().open()
    citizen.dock("handoff")
    citizen.say("我被雇主打")
    expect(other).to_have_title(f"【緊急】 ({known + 3}) 等候中 – 承辦人員工作台")
    assert len(told(other)) == 1


def test_a_browser_that_refuses_is_told_of_in_words(people: People) -> None:
    desk = people.caseworker(staff_name())
    desk.page.get_by_role("button", name="有人等候時通知我").click()
    expect(desk.page.locator("#notify [role=status]")).to_contain_text("瀏覽器沒有允許通知")
    waiting_case(people)


def test_without_the_stream_the_list_is_asked_for_at_intervals(people: People, tolerated: list[str]) -> None:
    tolerated.append("ERR_FAILED")
    desk = people.caseworker(staff_name(), permissions=["notifications"])
    desk.context.add_init_script(TOLD)
    desk.context.route("**/desk/events", lambda route: route.abort())
    page = desk.page
    page.clock.install()
    page.goto(f"{people.server.url}/desk")
    page.get_by_role("button", name="有人等候時通知我").click()
    expect(page.locator("#connection")).to_contain_text("連線中斷")
    number = waiting_case(people)
    expect(page.locator(".case", has_text=number)).to_have_count(0)
    page.clock.run_for(21_000)
    expect(page.locator(".case", has_text=number)).to_have_count(1)
    wait_for(page, 1)
    waiting = page.locator(".views .count").first.inner_text()
    expect(page).to_have_title(re.compile(rf"\({waiting}\) 等候中"))
