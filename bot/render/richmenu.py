"""The rich menus of LINE: six tiles that say the same in every language, as LINE's JSON with the picture to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.render.limits import cut
from knowledge.catalog import Catalog

WIDTH, HEIGHT = 1200, 810  # pixels; LINE wants 800 to 2500 wide, and at least 1.45 times as wide as high
COLUMNS = 3
BAR_KEY = "platform.line.bar"
BAR_LABEL = 14  # graphemes, as the two below
ACTION_LABEL = 20
DISPLAY_TEXT = 300
OWN = "labor-bot/"  # how the names of our menus begin; those of other tools are theirs
HASH_LETTERS = 12
LARGEST, SMALLEST = 56, 46  # pixels of a label's letters; a phone shows a third of them
LINE_HEIGHTS = {"th": 1.4, "vi": 1.3}  # room for marks above and below the letters
LINE_HEIGHT = 1.25
PARTED = " · "  # between a word in the reader's language and the same in English


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: the choice that a tap makes, the catalog key of its label, its drawing in the template."""

    choice: str
    key: str
    icon: str


TILES = (
    Tile("menu", "conversation.choice.menu", "menu"),
    Tile("checks", "platform.telegram.check", "checks"),
    Tile("stations", "platform.line.stations", "stations"),
    Tile("handoff", "conversation.choice.person", "person"),
    Tile("language", "conversation.choice.language", "language"),
    Tile("privacy", "conversation.choice.privacy", "privacy"),
)


@dataclass(frozen=True, slots=True)
class RichMenu:
    """A menu ready to be made: `document` is LINE's JSON with its name, `picture` a PNG of WIDTH x HEIGHT pixels."""

    lang: str
    name: str
    document: str
    picture: bytes


def rich_menu(catalog: Catalog, lang: str, picture: bytes) -> RichMenu:
    """The menu of a language. Its name holds a hash of all that it is, so that an unchanged one is made only once."""
    document = _document(catalog, lang)
    digest = hashlib.sha256(_json(document).encode() + picture).hexdigest()[:HASH_LETTERS]
    name = f"{OWN}{lang}/{digest}"
    return RichMenu(lang, name, _json({**document, "name": name}), picture)


def labels(catalog: Catalog, lang: str) -> tuple[str, ...]:
    """What the tiles say, in their order."""
    return tuple(catalog.text(lang, tile.key).text for tile in TILES)


def _document(catalog: Catalog, lang: str) -> dict[str, Any]:
    return {
        "size": {"width": WIDTH, "height": HEIGHT},
        "selected": True,
        "chatBarText": cut(catalog.text(lang, BAR_KEY).text, BAR_LABEL),
        "areas": [
            {"bounds": _bounds(place), "action": _action(tile, label)}
            for place, (tile, label) in enumerate(zip(TILES, labels(catalog, lang), strict=True))
        ],
    }


def _bounds(place: int) -> Mapping[str, int]:
    row, column = divmod(place, COLUMNS)
    width, height = WIDTH // COLUMNS, HEIGHT * COLUMNS // len(TILES)
    return {"x": column * width, "y": row * height, "width": width, "height": height}


def _action(tile: Tile, label: str) -> Mapping[str, str]:
    """The choice of the tile. A screen reader says the label; the display text shows as said by the citizen."""
    return {
        "type": "postback",
        "label": cut(label, ACTION_LABEL),
        "data": tile.choice,
        "displayText": cut(label, DISPLAY_TEXT),
    }


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True)


# -- the pictures


def page(catalog: Catalog, lang: str, templates: Path) -> str:
    """The menu as HTML to be drawn at WIDTH x HEIGHT. It sets `data-size` of its body to the size of the letters in
    pixels, which is below SMALLEST when a label does not fit."""
    environment = Environment(
        loader=FileSystemLoader(templates / "line"), undefined=StrictUndefined, autoescape=True, auto_reload=False
    )
    tiles = [
        {"icon": tile.icon, "lines": label.split(PARTED)}
        for tile, label in zip(TILES, labels(catalog, lang), strict=True)
    ]
    return environment.get_template("richmenu.html").render(
        lang=lang,
        tiles=tiles,
        width=WIDTH,
        height=HEIGHT,
        columns=COLUMNS,
        largest=LARGEST,
        smallest=SMALLEST,
        line_height=LINE_HEIGHTS.get(lang, LINE_HEIGHT),
        tokens=(templates / "static" / "tokens.css").read_text(encoding="utf-8"),
    )


def picture_path(templates: Path, lang: str) -> Path:
    """Where the picture of a language is kept."""
    return templates / "line" / "richmenus" / f"{lang}.png"


def drawn_path(templates: Path) -> Path:
    """Where it is kept what the pictures were drawn from: a JSON object of `drawn_from` by language."""
    return templates / "line" / "richmenus" / "drawn.json"


def drawn_from(catalog: Catalog, languages: Sequence[str], templates: Path) -> dict[str, str]:
    """By language a hash of everything that its picture shows: labels, drawings and colors."""
    return {
        lang: hashlib.sha256(page(catalog, lang, templates).encode()).hexdigest()[:HASH_LETTERS] for lang in languages
    }
