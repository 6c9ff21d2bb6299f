"""`line`: the rich menus of the LINE account."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.serving import _config

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

    from knowledge.catalog import Catalog

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--font-render-hinting=none")
ROOT = Path(__file__).parent.parent.parent
SHEET = ROOT / "docs" / "images" / "richmenus.png"
SHEET_COLUMNS, SHEET_WIDTH, SHEET_GAP = 3, 400, 16  # pixels


@click.group()
def line() -> None:
    """The LINE account."""


@line.group()
def richmenu() -> None:
    """The menus under the conversation, one a language."""


@richmenu.command()
def push() -> None:
    """Put the menus into the account; what is there unchanged stays as it is."""
    from bot.channels.line_menus import PushFailed
    from bot.channels.line_menus import push as push_menus
    from bot.pipeline.resources import TEMPLATES
    from bot.render.richmenu import picture_path, rich_menu

    config = _config()
    if not config.line_token:
        raise click.ClickException("set LABOR_BOT_LINE_CHANNEL_SECRET and LABOR_BOT_LINE_CHANNEL_TOKEN first.")
    catalog, languages = _words(config.knowledge_dir)
    menus = [rich_menu(catalog, lang, _picture(picture_path(TEMPLATES, lang))) for lang in languages]
    try:
        asyncio.run(push_menus(menus, languages[0], config.line_token, config.line_api_base, click.echo))
    except PushFailed as failed:
        raise click.ClickException(str(failed)) from None


def _words(extra: Path | None = None) -> tuple[Catalog, tuple[str, ...]]:
    """The texts, and the languages they are in, the source first."""
    from bot.pipeline.resources import languages_of
    from knowledge.catalog import Catalog
    from knowledge.faults import KnowledgeError
    from knowledge.library import load

    try:
        knowledge = load(extra=extra)
    except KnowledgeError as error:
        raise click.ClickException(str(error)) from None
    return Catalog.of(knowledge), languages_of(knowledge)


def _picture(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise click.ClickException(f"{path} is missing: run `labor-bot line richmenu draw`.") from None


@richmenu.command()
@click.option(
    "--templates",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of the templates; the pictures are kept under line/richmenus.  [default: that of the program]",
)
@click.option(
    "--sheet", type=click.Path(path_type=Path, dir_okay=False), default=SHEET, help="Where all are shown on one sheet."
)
def draw(templates: Path | None, sheet: Path) -> None:
    """Draw the menus' pictures with Chromium, after a label, a color or a drawing has changed."""
    from bot.pipeline.resources import TEMPLATES
    from bot.render.richmenu import drawn_from, drawn_path, page, picture_path

    folder = templates or TEMPLATES
    catalog, languages = _words()
    paths = [picture_path(folder, lang) for lang in languages]
    drawn_path(folder).parent.mkdir(parents=True, exist_ok=True)
    with _chromium() as browser:
        for lang, path in zip(languages, paths, strict=True):
            path.write_bytes(_drawn(browser, lang, page(catalog, lang, folder)))
            click.echo(f"{lang}: {path} ({path.stat().st_size:,} bytes)")
        sheet.write_bytes(_sheet(browser, paths))
    document = json.dumps(drawn_from(catalog, languages, folder), indent=2)
    drawn_path(folder).write_text(f"{document}\n", encoding="utf-8")
    click.echo(f"all: {sheet}")


@contextmanager
def _chromium() -> Iterator[Browser]:
    """The machine's own Chromium, else the one that Playwright brought."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise click.ClickException("drawing needs Playwright: run `make setup-dev`.") from None
    with sync_playwright() as playwright:
        try:
            browser = _launched(playwright)
        except Error:
            raise click.ClickException(
                "drawing needs Chromium and fonts: run `sh tests/browser.sh`, which installs them or says how."
            ) from None
        try:
            yield browser
        finally:
            browser.close()


def _launched(playwright: Playwright) -> Browser:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


def _drawn(browser: Browser, lang: str, html: str) -> bytes:
    from bot.render.richmenu import HEIGHT, SMALLEST, WIDTH

    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", locale=lang)
    page.set_content(html)
    if int(page.evaluate("document.body.dataset.size")) < SMALLEST:
        raise click.ClickException(f"{lang}: a label does not fit its tile in letters of {SMALLEST} pixels.")
    drawn = page.screenshot()
    page.close()
    return drawn


def _sheet(browser: Browser, paths: list[Path]) -> bytes:
    """All pictures in rows."""
    shown = "".join(f'<img src="data:image/png;base64,{base64.b64encode(p.read_bytes()).decode()}">' for p in paths)
    style = f"display:grid;grid-template-columns:repeat({SHEET_COLUMNS},{SHEET_WIDTH}px);gap:{SHEET_GAP}px"
    page = browser.new_page(viewport={"width": SHEET_COLUMNS * (SHEET_WIDTH + SHEET_GAP) + SHEET_GAP, "height": 100})
    page.set_content(f"<style>*{{margin:0}}body{{{style};padding:{SHEET_GAP}px}}img{{width:100%}}</style><body>{shown}")
    drawn = page.screenshot(full_page=True)
    page.close()
    return drawn
