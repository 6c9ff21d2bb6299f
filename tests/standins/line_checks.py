"""Walks what a bot sends to LINE and finds where it breaks a limit or a rule of the platform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .line_limits import RICH_MENU_RATIO, TEXT_BESIDE_PICTURE, Finding, Json, check, join
from .units import graphemes

Findings = Iterator[Finding]

MESSAGES = ("text", "textV2", "sticker", "image", "video", "audio", "location", "imagemap", "template", "flex")
TEMPLATES = ("buttons", "confirm", "carousel", "image_carousel")
CONTENTS = ("box", "button", "image", "video", "icon", "text", "span", "separator", "filler")
ANYWHERE = ("postback", "message", "uri", "datetimepicker", "clipboard")
ACTIONS = {"quick reply": (*ANYWHERE, "camera", "cameraRoll", "location"), "rich menu": (*ANYWHERE, "richmenuswitch")}
SIZES = ("nano", "micro", "deca", "hecto", "kilo", "mega", "giga")
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?")
_LINE = re.compile(r"(?<![A-Za-z])LINE(?![A-Za-z])", re.IGNORECASE)
_URI = re.compile(r"(https?|line|tel):\S+")


def is_object(value: Any, path: str) -> Findings:
    """Nothing when it is a JSON object."""
    if not isinstance(value, dict):
        yield Finding(path, "must be an object")


def objects(values: Any, path: str) -> Iterator[tuple[str, Json]]:
    """The objects of a list with their paths."""
    for index, value in enumerate(values if isinstance(values, list) else ()):
        if isinstance(value, dict):
            yield f"{path}[{index}]", value


def messages(document: Json) -> Findings:
    """The messages of a reply or push."""
    if not isinstance(document.get("messages"), list):
        yield Finding("messages", "May not be empty")
        return
    yield from check("request", document, "")
    found = document["messages"]
    for index, value in enumerate(found):
        path = f"messages[{index}]"
        yield from message(value, path) if isinstance(value, dict) else is_object(value, path)
    for path, value in objects(found[:-1], "messages"):
        if value.get("quickReply"):
            yield Finding(join(path, "quickReply"), "only the last message's quick reply is shown", refused=False)


def message(value: Json, path: str) -> Findings:
    """One message object."""
    kind = value.get("type")
    if kind not in MESSAGES:
        yield Finding(join(path, "type"), f"Must be one of the following values: [{', '.join(MESSAGES)}]")
        return
    yield from check("message", value, path)
    yield from check(f"message:{kind}", value, path)
    yield from _secure(value, path, "originalContentUrl", "previewImageUrl", "baseUrl")
    if kind == "text":
        yield from _emojis(value, path)
    for owner, part, walk in (("template", "template", _template), ("flex", "contents", _container)):
        if kind == owner and (inner := value.get(part)) is not None:
            yield from walk(inner, join(path, part)) if isinstance(inner, dict) else is_object(inner, join(path, part))
    if (quick := value.get("quickReply")) is not None:
        yield from _quick_reply(quick, join(path, "quickReply"))
    if (sender := value.get("sender")) is not None:
        yield from _sender(sender, join(path, "sender"))


def _secure(value: Json, path: str, *fields: str) -> Findings:
    for field in fields:
        address = value.get(field)
        if isinstance(address, str) and not address.startswith("https://"):
            yield Finding(join(path, field), "must be an HTTPS address")


def _emojis(value: Json, path: str) -> Findings:
    text = value.get("text")
    units = text.encode("utf-16-le", "surrogatepass") if isinstance(text, str) else b""
    for where, emoji in objects(value.get("emojis"), join(path, "emojis")):
        index = emoji.get("index")
        if not isinstance(index, int) or units[2 * index : 2 * index + 2] != b"$\0":
            yield Finding(join(where, "index"), "must point to a $ of the text, in UTF-16 units")
        for field in ("productId", "emojiId"):
            if not emoji.get(field):
                yield Finding(join(where, field), "May not be empty")


def _quick_reply(value: Any, path: str) -> Findings:
    if not isinstance(value, dict):
        yield from is_object(value, path)
        return
    yield from check("quickReply", value, path)
    for where, item in objects(value.get("items"), join(path, "items")):
        yield from check("quickReplyItem", item, where)
        yield from _secure(item, where, "imageUrl")
        yield from action(item.get("action"), join(where, "action"), "quick reply")


def _sender(value: Any, path: str) -> Findings:
    if not isinstance(value, dict):
        yield from is_object(value, path)
        return
    yield from check("sender", value, path)
    yield from _secure(value, path, "iconUrl")
    if isinstance(name := value.get("name"), str) and _LINE.search(name):
        yield Finding(join(path, "name"), "may not contain LINE")


def action(value: Any, path: str, place: str) -> Findings:
    """One action. `place`: template, image carousel, rich menu, quick reply, flex button, flex."""
    if not isinstance(value, dict):
        yield Finding(path, "May not be empty" if value is None else "must be an object")
        return
    kind = value.get("type")
    if kind not in (allowed := ACTIONS.get(place, ANYWHERE)):
        yield Finding(join(path, "type"), f"Must be one of the following values: [{', '.join(allowed)}]")
        return
    yield from check(f"label:{place}", value, path)
    yield from check(f"action:{kind}", value, path)
    if kind == "uri" and isinstance(uri := value.get("uri"), str) and not _URI.fullmatch(uri):
        yield Finding(join(path, "uri"), "invalid uri scheme: http, https, line or tel")
    if kind == "postback" and value.get("displayText") and value.get("text"):
        yield Finding(join(path, "text"), "cannot stand beside displayText")
    if value.get("fillInText") and value.get("inputOption") != "openKeyboard":
        yield Finding(join(path, "fillInText"), "needs inputOption openKeyboard")


def _template(value: Json, path: str) -> Findings:
    kind = value.get("type")
    if kind not in TEMPLATES:
        yield Finding(join(path, "type"), f"Must be one of the following values: [{', '.join(TEMPLATES)}]")
        return
    yield from check(f"template:{kind}", value, path)
    yield from _described(value, path)
    if kind == "carousel":
        yield from _columns(value, path)
    if kind == "image_carousel":
        for where, column in objects(value.get("columns"), join(path, "columns")):
            yield from check("imageColumn", column, where)
            yield from _secure(column, where, "imageUrl")
            yield from action(column.get("action"), join(where, "action"), "image carousel")


def _described(value: Json, path: str) -> Findings:
    """Text, picture and actions of a template or a column."""
    text = value.get("text")
    beside = value.get("title") or value.get("thumbnailImageUrl")
    if isinstance(text, str) and beside and graphemes(text) > TEXT_BESIDE_PICTURE:
        yield Finding(join(path, "text"), f"Length must be between 0 and {TEXT_BESIDE_PICTURE} beside image or title")
    yield from _secure(value, path, "thumbnailImageUrl")
    for where, each in objects(value.get("actions"), join(path, "actions")):
        yield from action(each, where, "template")
    if value.get("defaultAction") is not None:
        yield from action(value["defaultAction"], join(path, "defaultAction"), "flex")


def _columns(value: Json, path: str) -> Findings:
    shapes = set[tuple[int, bool, bool]]()
    for where, column in objects(value.get("columns"), join(path, "columns")):
        yield from check("column", column, where)
        yield from _described(column, where)
        actions = column.get("actions")
        count = len(actions) if isinstance(actions, list) else 0
        shapes.add((count, bool(column.get("title")), bool(column.get("thumbnailImageUrl"))))
    if len(shapes) > 1:
        yield Finding(join(path, "columns"), "every column needs the same number of actions, and image and title alike")


def _container(value: Json, path: str) -> Findings:
    kind = value.get("type")
    if kind == "bubble":
        yield from _bubble(value, path)
    elif kind == "carousel":
        yield from check("flex:carousel", value, path)
        bubbles = list(objects(value.get("contents"), join(path, "contents")))
        for where, bubble in bubbles:
            if bubble.get("type") != "bubble":
                yield Finding(join(where, "type"), "a carousel holds bubbles")
            yield from _bubble(bubble, where)
        if len({str(bubble.get("size", "mega")) for _, bubble in bubbles}) > 1:
            yield Finding(join(path, "contents"), "all bubbles of a carousel have one size")
    else:
        yield Finding(join(path, "type"), "Must be one of the following values: [bubble, carousel]")


def _bubble(value: Json, path: str) -> Findings:
    yield from check("flex:bubble", value, path)
    if value.get("size", "mega") not in SIZES:
        yield Finding(join(path, "size"), f"Must be one of the following values: [{', '.join(SIZES)}]")
    if not any(value.get(part) for part in ("header", "hero", "body", "footer")):
        yield Finding(path, "a bubble needs a block")
    for part in ("header", "body", "footer"):
        if isinstance(block := value.get(part), dict):
            if block.get("type") != "box":
                yield Finding(join(path, f"{part}.type"), "must be a box")
            yield from component(block, join(path, part))
        elif block is not None:
            yield from is_object(block, join(path, part))
    if isinstance(hero := value.get("hero"), dict):
        if hero.get("type") not in ("box", "image", "video"):
            yield Finding(join(path, "hero.type"), "must be a box, an image or a video")
        yield from component(hero, join(path, "hero"))
    if value.get("action") is not None:
        yield from action(value["action"], join(path, "action"), "flex")


def component(value: Json, path: str) -> Findings:
    """One Flex component and what it contains."""
    kind = value.get("type")
    if kind not in CONTENTS:
        yield Finding(join(path, "type"), f"unknown component: {kind}")
        return
    yield from check(f"flex:{kind}", value, path)
    yield from _secure(value, path, "url", "previewUrl")
    yield from _colors(value, path)
    if kind == "text" and not value.get("text") and not value.get("contents"):
        yield Finding(join(path, "text"), "must be non-empty text")
    if value.get("action") is not None:
        yield from action(value["action"], join(path, "action"), "flex button" if kind == "button" else "flex")
    for where, child in objects(value.get("contents"), join(path, "contents")):
        if (child.get("type") == "span") != (kind == "text"):
            yield Finding(join(where, "type"), "a span stands in a text, and a text holds spans only")
        if child.get("type") == "icon" and value.get("layout") != "baseline":
            yield Finding(join(where, "type"), "an icon stands in a baseline box only")
        if value.get("layout") == "baseline" and child.get("type") not in ("icon", "text", "filler"):
            yield Finding(join(where, "type"), "a baseline box holds icons, texts and fillers")
        yield from component(child, where)


def _colors(value: Json, path: str) -> Findings:
    for field in ("color", "backgroundColor", "borderColor"):
        if isinstance(shown := value.get(field), str) and not _COLOR.fullmatch(shown):
            yield Finding(join(path, field), "must be #RRGGBB or #RRGGBBAA")


def rich_menu(document: Json) -> Findings:
    """A rich menu to create."""
    yield from check("richMenu", document, "")
    size = document.get("size")
    if not isinstance(size, dict):
        return
    yield from check("richMenuSize", size, "size")
    width, height = size.get("width"), size.get("height")
    if not (isinstance(width, int) and isinstance(height, int) and height > 0):
        return
    if width / height < RICH_MENU_RATIO:
        yield Finding("size", f"width / height must be at least {RICH_MENU_RATIO}")
    for path, area in objects(document.get("areas"), "areas"):
        yield from check("richMenuArea", area, path)
        yield from action(area.get("action"), join(path, "action"), "rich menu")
        if isinstance(bounds := area.get("bounds"), dict):
            yield from _bounds(bounds, join(path, "bounds"), width, height)


def _bounds(bounds: Json, path: str, width: int, height: int) -> Findings:
    if missing := list(check("richMenuBounds", bounds, path)):
        yield from missing
        return
    x, y, wide, high = (bounds[name] for name in ("x", "y", "width", "height"))
    whole = all(isinstance(each, int) for each in (x, y, wide, high))
    if not whole or min(x, y) < 0 or min(wide, high) < 1 or x + wide > width or y + high > height:
        yield Finding(path, "must lie within the menu, in whole pixels")


def loading(document: Json) -> Findings:
    """A loading animation: 5 to 60 seconds in steps of 5, for a person."""
    yield from check("loading", document, "")
    seconds = document.get("loadingSeconds", 20)
    if isinstance(seconds, int) and seconds % 5:
        yield Finding("loadingSeconds", "must be a multiple of 5")
    if not str(document.get("chatId", "")).startswith("U"):
        yield Finding("chatId", "must be the id of a user")


def alias(document: Json) -> Findings:
    """A rich menu alias to create."""
    yield from check("alias", document, "")
    name = document.get("richMenuAliasId")
    if isinstance(name, str) and not re.fullmatch(r"[a-z0-9_-]{1,32}", name):
        yield Finding("richMenuAliasId", "must be 1 to 32 of a-z, 0-9, _ and -")
