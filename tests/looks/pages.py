"""Every page of the desk: its address, who opens it, what is done on it first. In braces: things of the scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

LIN, CHEN, WANG, EDITOR, OFFICER, ADMIN, AUDITOR = "林小姐", "陳先生", "王小姐", "張小姐", "李先生", "吳先生", "周小姐"
NEWCOMER, LEFT, NOBODY, HALFWAY = "許先生", "趙小姐", "", "halfway"
Act = Callable[[Page], object]


@dataclass(frozen=True)
class Look:
    """One state of a page. `route`: its address in the list of routes; `path`: the real one where that has parameters.

    `act` makes the state on the opened page, by what its forms and keys can do; `status`: how the last page came;
    `folded`: what another look of the same page unfolds stays folded.
    """

    name: str
    route: str
    who: str
    path: str = ""
    act: Act | None = None
    status: int = 200
    folded: bool = False

    @property
    def address(self) -> str:
        """Where the browser goes, with names in braces."""
        return self.path or self.route


def _sends(within: str, **typed: str) -> Act:
    """Fill a form by the names of its fields and send it, past what the browser and the page's script check."""

    def act(page: Page) -> None:
        _unfold(page)
        form = page.locator(within).first
        form.evaluate("form => { for (const box of form.elements) box.removeAttribute('maxlength'); }")
        for name, value in typed.items():
            _fill(form.locator(f"[name={name}]").first, value)
        with page.expect_navigation():
            form.evaluate("form => HTMLFormElement.prototype.submit.call(form)")

    return act


def _fill(field: Locator, value: str) -> None:
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(value)
    elif field.evaluate("field => field.type") == "hidden":
        field.evaluate("(field, value) => { field.value = value; }", value)
    else:
        field.fill(value)


def _presses(button: str, **typed: str) -> Act:
    """Press a button that sends, once fields of the page are filled by their names."""

    def act(page: Page) -> None:
        _unfold(page)
        for name, value in typed.items():
            _fill(page.locator(f"[name={name}]").first, value)
        with page.expect_navigation():
            page.locator(button).first.click()

    return act


def _unfold(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")


def _keys(page: Page) -> None:
    page.keyboard.press("?")
    page.locator("dialog[open] h1").wait_for()


def _translated(page: Page) -> None:
    page.locator(".to-machine button").first.click()
    page.locator(".by-machine").first.wait_for()


CASE, REQUEST = "/desk/cases/{id}", "/desk/privacy/{id}"
MINE = "/desk/cases/{mine}"
REPLY = "form[action$='/reply']"

TAKEN = _sends("form[action$='/takeover']", why=" ")
CORRECTED = _sends("form[action$='/correct']:has(input[name=value])", value="?")

LOOKS = (
    # before the log-in
    Look("log-in", "/desk/login", NOBODY),
    Look("log-in refused", "/desk/login", NOBODY, act=_sends("main form", name="nobody", password="x"), status=401),
    Look("code", "/desk/login/code", HALFWAY),
    Look("code refused", "/desk/login/code", HALFWAY, act=_sends("main form", code="000000"), status=401),
    Look("single sign-on failed", "/desk/login/oidc/back", NOBODY, status=400),
    # an own account
    Look("first password", "/desk/password", NEWCOMER),
    Look("password", "/desk/password", LIN),
    Look(
        "password refused",
        "/desk/password",
        LIN,
        act=_sends("main form", current="x", password="short", again="x"),
        status=400,
    ),
    Look("password again", "/desk/confirm", ADMIN, path="/desk/confirm?next=/desk/people"),
    Look("password again refused", "/desk/confirm", ADMIN, act=_sends("main form", password="x"), status=401),
    Look("account", "/desk/account", LIN),
    Look("account with a code", "/desk/account", WANG),
    Look("recovery codes", "/desk/account", WANG, act=_presses("form[action$='/recovery'] button")),
    Look("on to single sign-on", "/desk/account/oidc", LIN),
    Look("code: begin", "/desk/account/code", LIN),
    Look("code: prove", "/desk/account/code", EDITOR),
    Look("code: wrong", "/desk/account/code", EDITOR, act=_sends("form.add", code="1"), status=400),
    Look("keys", "/desk/keys", LIN),
    # the list
    Look("waiting", "/desk", LIN),
    Look("waiting, to a senior", "/desk", WANG),
    Look("waiting, to an auditor", "/desk", AUDITOR),
    Look("mine", "/desk", LIN, path="/desk?view=mine"),
    Look("all open", "/desk", LIN, path="/desk?view=all"),
    Look("closed cases", "/desk", LIN, path="/desk?view=closed"),
    Look("nothing found", "/desk", LIN, path="/desk?view=waiting&number=X&lang=vi"),
    Look("keys in a dialog", "/desk", LIN, act=_keys),
    # a case
    Look("waiting case", CASE, LIN, path="/desk/cases/{urgent}"),
    Look("wish to be phoned", CASE, LIN, path="/desk/cases/{callback}"),
    Look("blocked", CASE, LIN, path="/desk/cases/{blocked}"),
    Look("own case", CASE, LIN, path=MINE),
    Look("own case set aside", CASE, LIN, path="/desk/cases/{parked}", folded=True),
    Look("words looked for", CASE, LIN, path=MINE + "?q=Linh", folded=True),
    Look("reply refused", CASE, LIN, path=MINE, act=_sends(REPLY, text="字" * 4001), status=400, folded=True),
    Look("phrase with an empty slot", CASE, LIN, path=MINE, act=_sends("[data-phrase='doc.bring'] form")),
    Look("colleague's case", CASE, WANG, path="/desk/cases/{colleagues}"),
    Look("taken over without a reason", CASE, WANG, path="/desk/cases/{colleagues}", act=TAKEN, folded=True),
    Look("barred person", CASE, WANG, path="/desk/cases/{barred}"),
    Look("closed case", CASE, LIN, path="/desk/cases/{closed}"),
    Look("not to be opened", CASE, LIN, path="/desk/cases/{colleagues}", status=403),
    Look("no such case", CASE, LIN, path="/desk/cases/999999", status=404),
    Look("printed", "/desk/cases/{id}/print", LIN, path=MINE + "/print"),
    Look("misread", "/desk/cases/{id}/misread", LIN, path=MINE + "/misread?seq={seq}"),
    Look(
        "misread, nothing chosen",
        "/desk/cases/{id}/misread",
        LIN,
        path=MINE + "/misread?seq={seq}",
        act=_sends("main form"),
        status=400,
    ),
    Look("translation of a line", CASE, LIN, path=MINE, act=_sends(".to-machine")),
    Look("translation below a line", CASE, LIN, path=MINE, act=_translated, folded=True),
    Look(
        "translation to send",
        CASE,
        LIN,
        path=MINE,
        act=_presses("button[formaction$='/translate']", text="請帶畢業證書"),
    ),
    Look("number to be sent", CASE, LIN, path=MINE, act=_sends(REPLY, text="AB12345677"), status=400, folded=True),
    Look("number shown", CASE, LIN, path=MINE, act=_sends("form[action$='/unmask']")),
    # phrasebook
    Look("phrasebook", "/desk/phrases", WANG),
    Look("new phrase", "/desk/phrases/new", WANG),
    Look("phrase", "/desk/phrases/{key}", EDITOR, path="/desk/phrases/doc.bring"),
    Look("own phrase", "/desk/phrases/{key}", WANG, path="/desk/phrases/{own_phrase}"),
    Look("retired phrase", "/desk/phrases/{key}", WANG, path="/desk/phrases/doc.letter"),
    Look(
        "phrase refused",
        "/desk/phrases/{key}",
        WANG,
        path="/desk/phrases/doc.bring",
        act=_sends("main form", text_vi="1", text_en="{what}", text_th=""),
        status=400,
    ),
    # hours, reports, what could not be worked on
    Look("set aside", "/desk/aside", WANG),
    Look("hours", "/desk/hours", WANG),
    Look("hours refused", "/desk/hours", WANG, act=_sends("form.set", day="2026-12-01", reason=" "), status=400),
    Look("reports", "/desk/reports", WANG),
    Look("reports of one language", "/desk/reports", OFFICER, path="/desk/reports?period=90&lang=vi"),
    Look("reports of no period", "/desk/reports", WANG, path="/desk/reports?period=month&month=x", status=400),
    # authors' lists
    Look("unanswered", "/desk/authors", EDITOR),
    Look("misread messages", "/desk/authors", EDITOR, path="/desk/authors?list=misread"),
    Look("wrong verdicts", "/desk/authors", EDITOR, path="/desk/authors?list=proposals"),
    Look(
        "nothing left, and too late", "/desk/authors", EDITOR, path="/desk/authors?list=misread&state=done&problem=gone"
    ),
    # audit
    Look("audit", "/desk/audit", AUDITOR),
    Look("audit of a case", "/desk/audit", AUDITOR, path="/desk/audit?object=case/{mine}"),
    Look("audit of no day", "/desk/audit", AUDITOR, path="/desk/audit?day=x", status=400),
    Look("no right", "/desk/audit", LIN, status=403),
    # personal data
    Look("requests", "/desk/privacy", OFFICER),
    Look("requests and holds", "/desk/privacy", ADMIN),
    Look("settled requests", "/desk/privacy", OFFICER, path="/desk/privacy?view=closed"),
    Look(
        "hold refused", "/desk/privacy", ADMIN, act=_sends("form[action$='/hold']", case="none", reason="x"), status=400
    ),
    Look("request", REQUEST, OFFICER, path="/desk/privacy/{request}"),
    Look("correction refused", REQUEST, OFFICER, path="/desk/privacy/{request}", act=CORRECTED, status=400),
    Look("settled request", REQUEST, OFFICER, path="/desk/privacy/{settled}"),
    # accounts
    Look("people", "/desk/people", ADMIN),
    Look("name taken", "/desk/people", ADMIN, act=_sends("form.add", name=LIN), status=400),
    Look(
        "one-time password",
        "/desk/people",
        ADMIN,
        act=_presses(f".person:has-text('{LEFT}') form[action$='/password'] button"),
    ),
)

# Routes that open no page: how they answer the person who may.
ELSE = {
    "/desk/events": (LIN, "", "text/event-stream"),
    "/desk/files/{id}": (LIN, "/desk/files/1", "image/jpeg"),
    "/desk/login/oidc": (NOBODY, "", "303"),
    "/desk/reports/{name}.csv": (WANG, "/desk/reports/cases.csv", "text/csv"),
    "/desk/authors.csv": (EDITOR, "", "text/csv"),
    "/desk/audit.csv": (AUDITOR, "", "text/csv"),
}
