"""Draws the pictures of the desk for docs (`make pictures`): some for the guide, and a sheet of every main page."""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from browsing import launch
from conftest import ROOT, loaded
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from looks.pages import LOOKS, Look
from looks.scene import Scene, opened

IMAGES = ROOT / "docs" / "images"
LANGUAGES = ("zh-TW", "en")
WIDTHS = (320, 768, 1280)
TALL = 900
SCALE = 0.42  # of the sheet
QUALITY = 0.8
TO_WEBP = """async ([png, quality]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").drawImage(image, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/webp", quality });
  return await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1]);
    reader.readAsDataURL(blob);
  });
}"""
SHEET = """<!doctype html><style>
body { margin: 0; padding: 24px; color: #1b2a2b; background: #c9cfce; font: 20px/1.4 "Noto Sans", sans-serif; }
h1 { font-size: 26px; margin: 0 0 16px; } h2 { font-size: 20px; margin: 0 0 6px; font-weight: 600; }
main { display: grid; grid-template-columns: auto auto; gap: 22px 32px; width: max-content; }
.three { display: flex; gap: 10px; align-items: flex-start; } img { display: block; border-radius: 4px; }
</style><h1>320, 768, 1280 px</h1><main>%s</main>"""


@dataclass(frozen=True)
class Shot:
    """One picture of the guide. `part`: what is cut out (empty: the window); `size`: of the window."""

    name: str
    look: Look
    size: tuple[int, int] = (1280, 800)
    part: str = ""
    before: Callable[[Page], object] = lambda page: None


def _beside(page: Page) -> None:
    """One result unfolded, with its reasons in sight."""
    page.locator(".verdict summary").first.click()
    page.locator(".verdicts").first.evaluate("part => part.scrollIntoView({ block: 'start' })")


def _phrase(page: Page) -> None:
    """A sentence that was looked for, its blanks filled."""
    page.locator("#find-phrase").fill("請在")
    one = page.locator("[data-phrase='when.come']:visible").first
    one.locator("summary").click()
    one.locator("[name=slot_day]").fill("2026-11-25")
    one.locator("[name=slot_time]").fill("14:30")
    one.locator("[name=slot_place]").fill("三重就業服務站")
    expect(one.locator(".theirs .slot")).to_have_count(0)
    page.locator(".phrases").evaluate("part => part.scrollIntoView({ block: 'start' })")


def _unfolded(page: Page) -> None:
    page.locator(".person details summary").first.click()


def _look(name: str) -> Look:
    return next(look for look in LOOKS if look.name == name)


GUIDE = (
    Shot("queue", _look("waiting, to a senior"), (1280, 940)),
    Shot("case", _look("own case"), (1280, 860)),
    Shot("side", _look("own case"), (1280, 1000), before=_beside),
    Shot("phrase", _look("own case"), (1280, 1000), ".phrases", _phrase),
    Shot("phrasebook", _look("phrase"), (1100, 1000)),
    Shot("authors", _look("misread messages"), (1100, 700)),
    Shot("reports", _look("reports"), (1280, 1000)),
    Shot("keys", _look("keys in a dialog"), (1100, 1120)),
    Shot("hours", _look("hours"), (1100, 1400)),
    Shot("people", _look("people"), (1100, 900), before=_unfolded),
    Shot("privacy", _look("request"), (1100, 900)),
)
ON_THE_SHEET = (
    "log-in", "waiting, to a senior", "waiting case", "own case", "printed", "phrasebook", "phrase", "hours", "reports",
    "misread messages", "request", "audit", "people", "account with a code", "keys",
)  # fmt: skip


@dataclass
class Painter:
    """Opens pages and takes pictures of them."""

    scene: Scene
    browser: Browser

    @contextmanager
    def page(self, lang: str, scheme: Any) -> Iterator[Page]:
        """A window in a language and a scheme."""
        context = self.browser.new_context(locale=lang, color_scheme=scheme, timezone_id="Asia/Taipei")
        yield context.new_page()
        context.close()

    def open(self, page: Page, look: Look, size: tuple[int, int]) -> None:
        """A look in a window of that size."""
        page.set_viewport_size(ViewportSize(width=size[0], height=size[1]))
        page.context.clear_cookies()
        if look.who:
            page.context.add_cookies([self.scene.cookie(look.who)])
        page.goto(self.scene.city.url + look.address.format_map(self.scene.things))
        if look.act:
            look.act(page)

    def guide(self) -> Iterator[tuple[str, bytes]]:
        """(file name, PNG) of the guide's pictures."""
        for lang in LANGUAGES:
            with self.page(lang, "light") as page:
                for shot in GUIDE:
                    self.open(page, shot.look, shot.size)
                    shot.before(page)
                    page.mouse.move(0, 0)
                    name = f"desk-{shot.name}-{lang.partition('-')[0]}.webp"
                    if shot.part:
                        yield name, page.locator(shot.part).first.screenshot(animations="disabled")
                    else:
                        yield name, page.screenshot(animations="disabled")

    def sheet(self) -> bytes:
        """Every main page at three widths: in Chinese and light, beside it in English and dark; a PNG."""
        with self.page("zh-TW", "light") as light, self.page("en", "dark") as dark:
            cells = [self._cell(page, name) for name in ON_THE_SHEET for page in (light, dark)]
        with self.page("en", "light") as page:
            page.set_viewport_size({"width": 2200, "height": TALL})
            page.set_content(SHEET % "".join(cells))
            whole = page.evaluate("document.querySelector('main').getBoundingClientRect().width + 48")
            page.set_viewport_size({"width": round(whole), "height": TALL})
            return page.screenshot(full_page=True)

    def _cell(self, page: Page, name: str) -> str:
        pictures = []
        for width in WIDTHS:
            self.open(page, _look(name), (width, TALL))
            png = base64.b64encode(page.screenshot(animations="disabled")).decode()
            pictures.append(f'<img width="{round(width * SCALE)}" src="data:image/png;base64,{png}">')
        return f'<section><h2>{escape(name)}</h2><div class="three">{"".join(pictures)}</div></section>'

    def webp(self, png: bytes) -> bytes:
        """The same as WebP, which is a fraction of the size."""
        with self.page("en", "light") as page:
            return base64.b64decode(page.evaluate(TO_WEBP, [base64.b64encode(png).decode(), QUALITY]))


def main(folder: Path) -> None:
    """Draw all pictures into a folder."""
    with (
        tempfile.TemporaryDirectory() as data,
        opened(loaded(), Path(data)) as scene,
        sync_playwright() as playwright,
    ):
        painter = Painter(scene, launch(playwright))
        for name, png in [*painter.guide(), ("desk-sheet.webp", painter.sheet())]:
            (folder / name).write_bytes(painter.webp(png))
            print(name, (folder / name).stat().st_size // 1000, "kB")
        painter.browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
