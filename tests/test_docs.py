"""The documentation against the code: verbs, settings, routes, files, targets and examples that it names."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from bot.channels.hook import sign
from bot.cli.main import main
from bot.settings import TABLE, Setting
from knowledge.export import export
from knowledge.library import load

ROOT = Path(__file__).parent.parent
FILES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
PAGES = [path.relative_to(ROOT).as_posix() for path in FILES]
BINARY = (".npz", ".png", ".webp", ".ico")

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MADE = re.compile(r"^```\w+ (\S+)", re.MULTILINE)
OUR_FILE = re.compile(
    r"(?:bot|intents|knowledge|templates|tests|docs|bench)/[\w./-]*|requirements[\w-]*\.lock|pyproject\.toml|Makefile"
)
TARGET = re.compile(r"make ([a-z-]+)")
ROUTE = re.compile(r'(?:Route|Mount)\(\s*"([^"]+)"')

# Written in two parts, so that this file does not name them itself.
NOWHERE = (
    "/wo" + "rk/",
    "/tmp/" + "bash",
    "/" + "root/",
    "/" + "home/",
    "/" + "Users/",
    "pypi" + ".org",
    "python" + "hosted.org",
    "npmjs" + ".org",
    "index" + "-url",
)


@cache
def text(page: str) -> str:
    """A page's text."""
    return (ROOT / page).read_text("utf-8")


def verbs(command: click.Command, path: str = "labor-bot") -> Iterator[str]:
    """Every verb below a command, with the words that lead to it."""
    if not isinstance(command, click.Group):
        yield path
        return
    for word, below in sorted(command.commands.items()):
        yield from verbs(below, f"{path} {word}")


def routes() -> list[str]:
    """Every address in the lists of routes, without the types of its parameters."""
    found = {
        address for path in sorted((ROOT / "bot").rglob("*.py")) for address in ROUTE.findall(path.read_text("utf-8"))
    }
    return sorted(re.sub(r"\{(\w+):\w+\}", r"{\1}", address) for address in found)


def spans(page: str) -> list[str]:
    """The code in the running text of a page, fenced blocks left out."""
    return CODE.findall(FENCED.sub("", text(page)))


def blocks(page: str, kind: str) -> list[str]:
    """The fenced blocks of one kind."""
    return [body for found, body in FENCED.findall(text(page)) if found == kind]


def made(page: str) -> set[str]:
    """The files that a page has its readers make: each is shown whole, in a block that bears its name."""
    return set(MADE.findall(text(page)))


def tracked() -> list[Path]:
    """The repository's files, new ones included."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(asked, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git repository")
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("verb", list(verbs(main)))
def test_every_verb_is_documented(verb: str) -> None:
    assert re.search(rf"{verb}\b", text("docs/api.md") + text("docs/operations.md")), f"`{verb}` is in neither page"


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_every_setting_stands_in_the_table(setting: Setting) -> None:
    default = f"`{setting.default}`" if setting.default else "none"
    row = f"| `{setting.name}` | {default} | {setting.meaning} |"
    assert row in text("docs/operations.md").splitlines(), f"docs/operations.md needs the row\n{row}"


def test_no_setting_is_invented() -> None:
    known = {setting.name for setting in TABLE} | {f"{setting.name}_FILE" for setting in TABLE if setting.secret}
    for page in PAGES:
        assert set(re.findall(r"LABOR_BOT_[A-Z_]+", text(page))) <= known, page


@pytest.mark.parametrize("route", routes())
def test_every_route_is_documented(route: str) -> None:
    code = [*spans("docs/api.md"), *spans("docs/architecture.md")]
    written = {part for span in code for part in span.split()}
    assert route in written, f"{route} is named in neither docs/api.md nor docs/architecture.md"


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_exists(page: str) -> None:
    for link in LINK.findall(FENCED.sub("", text(page))):
        if not re.match(r"[a-z]+:", link):
            target = (ROOT / page).parent / link.partition("#")[0]
            assert target.exists(), f"{page} links to {link}"


@pytest.mark.parametrize("page", PAGES)
def test_files_named_in_a_page_exist(page: str) -> None:
    for span in spans(page):
        if OUR_FILE.fullmatch(span) and span not in made(page):
            assert (ROOT / span).exists(), f"{page} names {span}"


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_named_in_a_page_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    code = [*spans(page), *blocks(page, "sh")]
    assert {target for part in code for target in TARGET.findall(part)} <= targets, page


@pytest.mark.parametrize("page", PAGES)
def test_json_examples_are_json(page: str) -> None:
    for block in blocks(page, "json"):
        json.loads(block)


def test_the_exported_program_of_the_example_is_the_real_one() -> None:
    example = json.loads(blocks("docs/api.md", "json")[0])
    programs = {program["id"]: program for program in export(load())["programs"]}
    assert example == json.loads(json.dumps(programs[example["id"]]))


def test_the_signature_of_the_example_is_right() -> None:
    found = re.search(r"BODY='([^']+)'.*?-hmac (\w+).*?\n([0-9a-f]{64})\n", text("docs/api.md"), re.DOTALL)
    assert found, "docs/api.md shows no signed body"
    assert sign(found[2], found[1].encode()) == found[3]


def test_decisions_are_numbered_in_a_row() -> None:
    numbers = [int(page.name[:4]) for page in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/decisions/")])
def test_a_decision_has_context_decision_and_consequences(page: str) -> None:
    assert re.findall(r"^## (.+)$", text(page), re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_the_changelog_has_an_unreleased_section() -> None:
    assert re.search(r"^## Unreleased$", text("CHANGELOG.md"), re.MULTILINE)


def test_the_readme_is_short() -> None:
    assert len(text("README.md").splitlines()) < 150


def test_no_file_names_a_machine_or_a_package_host() -> None:
    for path in tracked():
        if path.suffix not in BINARY:
            content = path.read_text("utf-8", errors="replace")
            found = [part for part in NOWHERE if part in content]
            assert not found, f"{path.relative_to(ROOT)} names {found}"
