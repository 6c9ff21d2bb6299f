"""Every page of the desk in a real Chromium: axe, widths, schemes, languages, and the essentials without script."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import AXE, Desk, People, Server
from conftest import ROOT
from looks.pages import ELSE, HALFWAY, LIN, LOOKS, Look
from looks.scene import Scene, halfway, opened
from playwright.sync_api import Browser, Page, Response, Route, expect
from site_app import running
from standins.oidc import CLIENT, SECRET, Standin
from standins.serving import ThreadServer
from test_desk_translation import Libre, url
from test_rights import served as routes

from bot.desk.auth import COOKIE
from bot.pipeline.resources import Resources
from bot.render.pages import Pages

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LANGUAGES = {"zh-TW": "light", "en": "dark"}  # colors do not go by the language
WIDTHS = (1280, 768, 320)
RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
WIDE = """() => [document.scrollingElement, ...document.querySelectorAll("main, .log, .side, .bubbles, dialog")]
.filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "none")
.map((e) => `${e.tagName}.${e.className} ${e.scrollWidth} > ${e.clientWidth}`)"""
UNFOLD = "all => all.forEach((each) => { each.open = true; })"


@pytest.fixture(scope="module")
def scene(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The desk with machine translation and single sign-on, which not every house has."""
    with Standin() as provider, ThreadServer(Libre().app()) as translator:
        settings = {
            "LABOR_BOT_TRANSLATE_URL": url(translator),
            "LABOR_BOT_OIDC_ISSUER": provider.issuer,
            "LABOR_BOT_OIDC_CLIENT_ID": CLIENT,
            "LABOR_BOT_OIDC_CLIENT_SECRET": SECRET,
            "LABOR_BOT_OIDC_NAME": "市府帳號",
        }
        with opened(resources, tmp_path_factory.mktemp("looked"), settings) as scene:
            yield scene


@pytest.fixture(scope="module")
def rendered() -> Iterator[set[str]]:
    """The templates that pages were made of so far."""
    found, plain = set[str](), Pages.render

    def render(self: Pages, page: str, *given: Any, **more: Any) -> str:
        found.add(page)
        return plain(self, page, *given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pages, "render", render)
        yield found


@dataclass
class Reader:
    """Opens pages in one browser as whoever they are for."""

    scene: Scene
    visit: Desk
    answers: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.visit.context.set_default_timeout(15_000)
        self.visit.page.on("response", self._note)
        self.visit.page.route("**/desk/account/oidc", _stay)

    def _note(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame == self.visit.page.main_frame:
            self.answers.append((response.status, response.url))

    @property
    def page(self) -> Page:
        return self.visit.page

    def open(self, look: Look, act: bool = True) -> None:
        """The page in the state to be looked at."""
        self.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        context = self.visit.context
        context.clear_cookies()
        if look.who:
            context.add_cookies([halfway(self.scene) if look.who == HALFWAY else self.scene.cookie(look.who)])
        self.answers.clear()
        self.page.goto(self.scene.city.url + look.address.format_map(self.scene.things))
        if act and look.act:
            look.act(self.page)
            self.page.wait_for_load_state()

    def faults(self, look: Look, lang: str) -> Iterator[str]:
        """What is wrong with the page that is open; with everything unfolded. It is left narrow."""
        status, at = self.answers[-1]
        if status != look.status:
            yield f"{status} at {at}"
        if not re.search(r"\w.* – \w", self.page.title()) and "{id}/print" not in look.route:
            yield f"no title: {self.page.title()}"
        if self.page.locator("h1:visible").count() != 1 + self.page.locator("dialog[open]").count():
            yield f"{self.page.locator('h1:visible').count()} headings of the first order"
        if self.page.evaluate("document.documentElement.lang") != lang:
            yield "another language"
        if not look.folded:
            self.page.locator("details").evaluate_all(UNFOLD)
        for found in AXE.run(self.page, options=RULES).response["violations"]:
            yield f"{found['id']}: {[node['target'] for node in found['nodes']][:4]}"
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            if wide := self.page.evaluate(WIDE):
                yield f"wider than {width}: {wide}"


def _stay(route: Route) -> None:
    """The page that leads on by itself to another site, without doing so."""
    answer = route.fetch()
    route.fulfill(response=answer, headers={name: value for name, value in answer.headers.items() if name != "refresh"})


@pytest.fixture
def people(scene: Scene, chromium: Browser) -> Iterator[People]:
    people = People(Server(scene.city.url, "", scene.city.database), chromium)
    yield people
    assert people.leave([]) == []


# -- the list


def test_no_page_and_no_template_is_left_out(resources: Resources, tmp_path: Path) -> None:
    with running(resources, tmp_path) as site:
        served = {path for method, path in routes(site) if method == "GET"}
    listed = {look.route for look in LOOKS} | ELSE.keys()
    assert served - listed == set(), "give each of these an entry in tests/looks/pages.py"
    assert listed - served == set(), "these are gone"
    assert len({look.name for look in LOOKS}) == len(LOOKS)


# -- looking


def test_every_page_can_be_used_by_everybody(people: People, rendered: set[str], scene: Scene) -> None:
    """Axe finds nothing in either scheme, nothing is wider than the screen, nothing complains.

    Pages are looked at in both languages, what forms and keys make of them in one of them by turns.
    """
    readers = {lang: Reader(scene, people.newcomer(lang=lang, color_scheme=LANGUAGES[lang])) for lang in LANGUAGES}
    plain = [(look, lang) for look in LOOKS if not look.act for lang in LANGUAGES]
    made = zip((look for look in LOOKS if look.act), itertools.cycle(LANGUAGES), strict=False)
    wrong = []
    for look, lang in (*plain, *made):
        reader = readers[lang]
        reader.open(look)
        wrong += [f"{look.name}: {fault}" for fault in reader.faults(look, lang)]
        told, reader.visit.complaints[:] = list(reader.visit.complaints), []
        wrong += [f"{look.name}: {each}" for each in told if f"status of {look.status}" not in each]
    assert not wrong, "\n".join(wrong)
    pages = {f"desk/{path.name}" for path in (ROOT / "templates/desk").glob("[!_]*.html")}
    assert pages - rendered == set(), "no entry of tests/looks/pages.py leads to these"


def test_every_page_opens_without_script(people: People, scene: Scene) -> None:
    reader = Reader(scene, people.newcomer(java_script_enabled=False))
    for look in {look.route: look for look in reversed(LOOKS)}.values():
        reader.open(look, act=False)
        expect(reader.page.locator("h1")).to_have_count(1)
        expect(reader.page.locator("main")).to_be_visible()
    told, reader.visit.complaints[:] = list(reader.visit.complaints), []
    assert [each for each in told if not re.search(r"status of 40[034]", each)] == []


def test_what_is_no_page_is_none(scene: Scene) -> None:
    for route, (who, path, kind) in ELSE.items():
        cookies = {COOKIE: scene.tokens.get(who, "")}
        with httpx.stream("GET", scene.city.url + (path or route), cookies=cookies, trust_env=False) as answer:
            kinds = (str(answer.status_code), answer.headers.get("content-type", "").partition(";")[0])
            assert kind in kinds, route


def test_a_case_without_script(people: People, scene: Scene) -> None:
    """Open, claim, answer in own words and by a phrase, note, set aside, transfer back, close."""
    citizen = scene.visitor("vi")
    case = scene.wants_person(citizen)
    reader = Reader(scene, people.newcomer(java_script_enabled=False))
    page, words = reader.page, scene.city.resources.pages.words
    number = scene.rows(f"SELECT number FROM cases WHERE id = {case}")[0][0]
    reader.open(Look("list", "/desk", LIN))

    def press(within: str) -> None:
        button = page.locator(within).first
        for summary in button.locator("xpath=ancestor::details/summary").all():
            if summary.locator("..").get_attribute("open") is None:
                summary.click()
        button.click()

    page.get_by_role("link", name=number).click()
    press("form[action$='/claim'] button")
    page.fill("#text", "Xin chào")
    page.locator("button[form=composer]:not([formaction])").click()
    expect(page.locator(".by-staff")).to_contain_text("Xin chào")
    page.locator(".suggested .phrase summary").first.click()
    press(".suggested [data-phrase='ask.what'] button[value=send], .suggested .phrase button[value=send]")
    expect(page.locator(".by-staff")).to_have_count(2)
    page.fill("#note", "會再來電")
    press("form[action$='/note'] button")
    expect(page.locator(".note")).to_contain_text("會再來電")
    press("form[action$='/park'] button[value=hour]")
    expect(page.locator("#head")).to_contain_text(words("zh-TW", "desk.parked", time="")[:3])
    press("form[action$='/close'] button")
    assert scene.rows(f"SELECT state FROM cases WHERE id = {case}") == [("closed",)]
