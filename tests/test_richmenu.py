"""The rich menus of LINE: the same in every language, within LINE's limits, drawn as they say, pushed without loss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from standins import line_checks
from standins.line import Standin
from standins.line_account import RichMenu
from standins.line_http import CUT, RATE_LIMIT, SERVER_ERROR, SERVER_ERROR_AFTER, Trouble
from standins.line_samples import menu as sample
from standins.line_samples import png

from bot.cli.line import line as line_command
from bot.dialogue import Heard, Staffing, step
from bot.dialogue.effects import Say
from bot.dialogue.state import State
from bot.pipeline.resources import TEMPLATES, Resources
from bot.render import richmenu
from bot.render.limits import graphemes
from intents import Context

LANGUAGES = ("zh-TW", "en", "vi", "id", "th", "fil")
CHOICES = ["menu", "checks", "stations", "handoff", "language", "privacy"]
INTENTS = dict(zip(CHOICES, ("menu", "screening", "stations", "handoff", "language", "privacy"), strict=True))
BYTES = 300_000
BAR_TOO_LONG: set[str] = set()
# labels that are not understood as typed text yet
UNCLEAR: set[tuple[str, str]] = set()


def awaited(why: str, lacking: bool) -> list[pytest.MarkDecorator]:
    """A mark for what the texts or the examples lack; it must go as soon as they do not."""
    return [pytest.mark.xfail(strict=True, reason=why)] if lacking else []


def menu_of(resources: Resources, lang: str) -> richmenu.RichMenu:
    """The menu as it is pushed."""
    return richmenu.rich_menu(resources.catalog, lang, richmenu.picture_path(TEMPLATES, lang).read_bytes())


def document_of(resources: Resources, lang: str) -> dict[str, Any]:
    """LINE's JSON of the menu."""
    document: dict[str, Any] = json.loads(menu_of(resources, lang).document)
    return document


# -- what the menus are


def test_there_is_a_menu_for_every_language_that_is_spoken(resources: Resources) -> None:
    assert resources.languages == LANGUAGES


def test_pitfall_09_two_languages_have_equal_areas_and_actions(resources: Resources) -> None:
    def taps(lang: str) -> list[tuple[Any, ...]]:
        areas = document_of(resources, lang)["areas"]
        return [(area["bounds"], area["action"]["type"], area["action"]["data"]) for area in areas]

    assert [data for _, _, data in taps("zh-TW")] == CHOICES
    for lang in LANGUAGES[1:]:
        assert taps(lang) == taps("zh-TW")


def test_the_areas_cover_the_menu_and_nothing_twice(resources: Resources) -> None:
    covered: set[tuple[int, int]] = set()
    for area in document_of(resources, "th")["areas"]:
        x, y, wide, high = (area["bounds"][name] for name in ("x", "y", "width", "height"))
        cells = {(left, top) for left in range(x, x + wide, 5) for top in range(y, y + high, 5)}
        assert not cells & covered
        covered |= cells
    assert covered == {(x, y) for x in range(0, 1200, 5) for y in range(0, 810, 5)}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_labels_are_in_the_language_and_within_limits(resources: Resources, lang: str) -> None:
    document = document_of(resources, lang)
    assert list(line_checks.rich_menu(document)) == []
    assert graphemes(document["chatBarText"]) <= 14
    for area, tile in zip(document["areas"], richmenu.TILES, strict=True):
        assert graphemes(area["action"]["label"]) <= 20
        assert area["action"]["displayText"] == resources.catalog.text(lang, tile.key).text
        assert resources.catalog.text(lang, tile.key).lang == lang


@pytest.mark.parametrize(
    "lang", [pytest.param(lang, marks=awaited("too long yet", lang in BAR_TOO_LONG)) for lang in LANGUAGES]
)
def test_the_text_of_the_bar_is_not_cut(resources: Resources, lang: str) -> None:
    assert not document_of(resources, lang)["chatBarText"].endswith("…"), "shorten platform.line.bar"


@pytest.mark.parametrize(
    ("lang", "choice"),
    [
        pytest.param(lang, choice, marks=awaited("not understood yet", (lang, choice) in UNCLEAR))
        for lang in LANGUAGES
        for choice in CHOICES
    ],
)
def test_pitfall_16_who_has_no_menu_reaches_the_same_by_typing_it(resources: Resources, lang: str, choice: str) -> None:
    label = dict(zip(CHOICES, richmenu.labels(resources.catalog, lang), strict=True))[choice]
    understood = resources.understander.understand(label, Context(lang=lang))
    assert (understood.decision in ("answer", "handoff"), understood.intent) == (True, INTENTS[choice])


@pytest.mark.parametrize("choice", CHOICES)
def test_a_tap_is_a_choice_that_the_conversation_knows(resources: Resources, choice: str) -> None:
    world = resources.world(resources.clock(), Staffing())
    _, effects = step(State(lang="vi", welcomed=True), Heard(0, choice), world)
    assert effects
    assert not [each for each in effects if isinstance(each, Say) and each.key == "conversation.choice_unknown"]


def test_the_name_changes_with_the_picture_and_the_words_only(resources: Resources) -> None:
    once, again = menu_of(resources, "vi"), menu_of(resources, "vi")
    assert once == again
    assert once.name.startswith("labor-bot/vi/")
    assert len(once.name.rpartition("/")[2]) == 12
    assert richmenu.rich_menu(resources.catalog, "vi", once.picture + b"x").name != once.name
    assert menu_of(resources, "en").name.rpartition("/")[2] != once.name.rpartition("/")[2]


# -- the pictures


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height that a PNG says it has."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture[12:16] == b"IHDR"
    return int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_picture_is_a_png_of_the_size_that_the_menu_says(lang: str) -> None:
    picture = richmenu.picture_path(TEMPLATES, lang).read_bytes()
    assert size_of(picture) == (1200, 810)
    assert len(picture) <= BYTES


def test_the_pictures_show_the_present_labels(resources: Resources) -> None:
    drawn = json.loads(richmenu.drawn_path(TEMPLATES).read_text(encoding="utf-8"))
    present = richmenu.drawn_from(resources.catalog, resources.languages, TEMPLATES)
    assert drawn == present, "labels, drawings or colors changed: run `labor-bot line richmenu draw`"


@pytest.mark.slow
def test_the_pictures_are_drawn_as_they_are_kept(tmp_path: Path) -> None:
    """Another machine may have other fonts: the same size and the same record, not the same bytes."""
    folder = tmp_path / "templates"
    for name in ("line/richmenu.html", "static/tokens.css"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((TEMPLATES / name).read_bytes())
    done = draw(folder, tmp_path / "sheet.png")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "sheet.png").read_bytes()[:4] == b"\x89PNG"
    assert richmenu.drawn_path(folder).read_text() == richmenu.drawn_path(TEMPLATES).read_text()
    for lang in LANGUAGES:
        assert size_of(richmenu.picture_path(folder, lang).read_bytes()) == (1200, 810)

    page = folder / "line" / "richmenu.html"
    page.write_text(page.read_text(encoding="utf-8").replace("padding: 30px 14px 18px", "padding: 30px 120px"))
    narrow = draw(folder, tmp_path / "sheet.png")
    assert narrow.exit_code == 1
    assert "does not fit" in narrow.output


def draw(folder: Path, sheet: Path) -> Result:
    """`labor-bot line richmenu draw`."""
    return CliRunner().invoke(line_command, ["richmenu", "draw", "--templates", str(folder), "--sheet", str(sheet)])


# -- pushing


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """An account, and settings that lead to it."""
    with Standin() as standin:
        settings = {"SECRET": standin.secret, "TOKEN": standin.token}
        for name, value in settings.items():
            monkeypatch.setenv(f"LABOR_BOT_LINE_CHANNEL_{name}", value)
        monkeypatch.setenv("LABOR_BOT_LINE_API_BASE", standin.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield standin


def push() -> Result:
    """`labor-bot line richmenu push`."""
    return CliRunner().invoke(line_command, ["richmenu", "push"])


def names(line: Standin) -> list[str]:
    """The account's menus, oldest first."""
    return [menu.document["name"] for menu in line.account.menus.known.values()]


def counted(line: Standin, operation: str) -> int:
    """How many requests of an operation came."""
    return len(line.calls(operation))


def add(line: Standin, name: str) -> str:
    """A menu that is there before; its id."""
    known = line.account.menus.known
    menu = RichMenu(f"richmenu-{len(known)}", sample(1200, 810, name=name), png(1200, 810), "image/png")
    known[menu.id] = menu
    return menu.id


def test_a_push_makes_one_menu_a_language_and_a_second_one_makes_none(line: Standin, resources: Resources) -> None:
    done = push()
    assert done.exit_code == 0, done.output
    assert names(line) == [menu_of(resources, lang).name for lang in LANGUAGES]
    assert done.output.count("created") == 6
    known = line.account.menus.known
    assert [menu.image for menu in known.values()] == [menu_of(resources, lang).picture for lang in LANGUAGES]
    assert known[line.account.menus.default or ""].document["name"].startswith("labor-bot/zh-TW/")
    assert line.faults == []

    again = push()
    assert again.exit_code == 0
    assert again.output.count("unchanged") == 6
    assert (counted(line, "rich menu create"), counted(line, "rich menu delete")) == (6, 0)
    assert counted(line, "rich menu image set") == 6


def test_an_older_menu_goes_when_the_new_ones_are_there_and_those_of_others_stay(line: Standin) -> None:
    old, foreign = add(line, "labor-bot/vi/0123456789ab"), add(line, "spring campaign")
    an = line.user("An")
    line.account.menus.of_users[an] = foreign
    done = push()
    assert done.exit_code == 0, done.output
    assert f"deleted labor-bot/vi/0123456789ab ({old})" in done.output
    assert old not in line.account.menus.known
    assert line.account.menus.shown(an) == foreign
    assert len(names(line)) == 7
    steps = [call.operation for call in line.calls()]
    assert steps.index("rich menu delete") > steps.index("default set")
    assert steps.index("rich menu create") > max(at for at, step in enumerate(steps) if step == "rich menu validate")


@pytest.mark.parametrize("trouble", [SERVER_ERROR, CUT, SERVER_ERROR_AFTER], ids=["refused", "cut", "answer lost"])
def test_an_interrupted_push_leaves_the_old_menus_and_the_next_one_ends_it(line: Standin, trouble: Trouble) -> None:
    old = add(line, "labor-bot/zh-TW/0123456789ab")
    an = line.user("An")
    line.account.menus.of_users[an] = line.account.menus.default = old
    line.outage(trouble, "rich menu image set")
    failed = push()
    assert failed.exit_code == 1
    assert "push again later" in failed.output
    assert names(line) == ["labor-bot/zh-TW/0123456789ab"]
    assert line.account.menus.shown(an) == old

    line.outage(None, "rich menu image set")
    done = push()
    assert done.exit_code == 0, done.output
    assert len(names(line)) == 6
    assert old not in line.account.menus.known


def test_a_menu_that_was_left_without_its_picture_gets_it(line: Standin, resources: Resources) -> None:
    bare = add(line, menu_of(resources, "th").name)
    line.account.menus.known[bare].image = b""
    done = push()
    assert done.exit_code == 0, done.output
    assert line.account.menus.known[bare].image == menu_of(resources, "th").picture
    assert counted(line, "rich menu create") == 5


def test_of_two_equal_menus_one_goes(line: Standin, resources: Resources) -> None:
    for _ in range(2):
        add(line, menu_of(resources, "en").name)
    done = push()
    assert done.exit_code == 0, done.output
    assert sorted(names(line)) == sorted(menu_of(resources, lang).name for lang in LANGUAGES)


def test_a_refused_token_is_told_with_what_to_do(line: Standin) -> None:
    line.revoke()
    failed = push()
    assert failed.exit_code == 1
    assert "LABOR_BOT_LINE_CHANNEL_TOKEN" in failed.output
    assert line.token not in failed.output
    assert "Traceback" not in failed.output


def test_the_limit_by_the_hour_is_told(line: Standin) -> None:
    old = add(line, "labor-bot/en/0123456789ab")
    line.next("rich menu create", *[Trouble()] * 2, RATE_LIMIT)
    failed = push()
    assert failed.exit_code == 1
    assert "in an hour" in failed.output
    assert old in line.account.menus.known

    done = push()
    assert done.exit_code == 0, done.output
    assert counted(line, "rich menu create") == 3 + 4


def test_what_line_refuses_is_told_before_anything_is_made(line: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(richmenu, "HEIGHT", 1000)
    failed = push()
    assert failed.exit_code == 1
    assert "size: width / height must be at least 1.45" in failed.output
    assert counted(line, "rich menu create") == 0


def test_an_account_that_is_not_there_is_told(line: Standin) -> None:
    line.stop()
    failed = push()
    assert failed.exit_code == 1
    assert "does not answer" in failed.output


def test_without_settings_nothing_is_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET", "TOKEN"):
        monkeypatch.delenv(f"LABOR_BOT_LINE_CHANNEL_{name}", raising=False)
    failed = push()
    assert failed.exit_code == 1
    assert "LABOR_BOT_LINE_CHANNEL_TOKEN" in failed.output
