"""The limits of LINE's Messaging API as one table, each row with its unit and where it is documented."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .units import graphemes, utf8, utf16

DOCUMENTED = "as documented in the Messaging API reference"
COUNTED = "as documented under 'Character counting in a text'"
OURS = "not documented; stricter here so that nothing relies on it"

Json = Mapping[str, Any]


class Unit(StrEnum):
    """What a limit counts."""

    UTF16 = "UTF-16 units"
    GRAPHEMES = "grapheme clusters"
    ITEMS = "items"
    VALUE = "the number itself"
    BYTES = "bytes of the JSON text"


@dataclass(frozen=True)
class Limit:
    """`field` of a node of this `kind` has `least` to `most` of `unit`. `whole` is the field that means the node."""

    kind: str
    field: str
    unit: Unit
    most: int
    least: int = 0
    source: str = DOCUMENTED


@dataclass(frozen=True)
class Finding:
    """What is wrong, and where: `path` as LINE writes it (messages[0].text). LINE refuses it unless told."""

    path: str
    message: str
    refused: bool = True
    source: str = "limits"


WHOLE = ""
LIMITS = (
    Limit("request", "messages", Unit.ITEMS, 5, 1),
    Limit("message", "text", Unit.UTF16, 5000, 1),
    Limit("message", "altText", Unit.UTF16, 1500, 1),
    Limit("message", "emojis", Unit.ITEMS, 20),
    Limit("message", "originalContentUrl", Unit.UTF16, 2000, 1),
    Limit("message", "previewImageUrl", Unit.UTF16, 2000, 1),
    Limit("message", "title", Unit.UTF16, 100, 1),
    Limit("message", "address", Unit.UTF16, 100, 1),
    Limit("message", "duration", Unit.VALUE, 2**53, 1, OURS),
    Limit("quickReply", "items", Unit.ITEMS, 13, 1),
    Limit("quickReplyItem", "imageUrl", Unit.UTF16, 2000, 1),
    Limit("sender", "name", Unit.UTF16, 20, 1),
    Limit("sender", "iconUrl", Unit.UTF16, 2000, 1),
    Limit("template:buttons", "title", Unit.GRAPHEMES, 40, 1, COUNTED),
    Limit("template:buttons", "text", Unit.GRAPHEMES, 160, 1, COUNTED),
    Limit("template:buttons", "actions", Unit.ITEMS, 4, 1),
    Limit("template:buttons", "thumbnailImageUrl", Unit.UTF16, 2000, 1),
    Limit("template:confirm", "text", Unit.GRAPHEMES, 240, 1, COUNTED),
    Limit("template:confirm", "actions", Unit.ITEMS, 2, 2),
    Limit("template:carousel", "columns", Unit.ITEMS, 10, 1),
    Limit("template:image_carousel", "columns", Unit.ITEMS, 10, 1),
    Limit("column", "title", Unit.GRAPHEMES, 40, 1, COUNTED),
    Limit("column", "text", Unit.GRAPHEMES, 120, 1, COUNTED),
    Limit("column", "actions", Unit.ITEMS, 3, 1),
    Limit("column", "thumbnailImageUrl", Unit.UTF16, 2000, 1),
    Limit("imageColumn", "imageUrl", Unit.UTF16, 2000, 1),
    Limit("action:postback", "data", Unit.UTF16, 300, 1),
    Limit("action:postback", "displayText", Unit.GRAPHEMES, 300, 1, COUNTED),
    Limit("action:postback", "fillInText", Unit.GRAPHEMES, 300, 1, COUNTED),
    Limit("action:postback", "text", Unit.GRAPHEMES, 300, 1, COUNTED),
    Limit("action:message", "text", Unit.GRAPHEMES, 300, 1, COUNTED),
    Limit("action:uri", "uri", Unit.UTF16, 1000, 1),
    Limit("action:datetimepicker", "data", Unit.UTF16, 300, 1),
    Limit("action:richmenuswitch", "data", Unit.UTF16, 300, 1),
    Limit("action:richmenuswitch", "richMenuAliasId", Unit.UTF16, 32, 1),
    Limit("action:clipboard", "clipboardText", Unit.UTF16, 1000, 1),
    Limit("label:template", "label", Unit.GRAPHEMES, 20, 1, COUNTED),
    Limit("label:image carousel", "label", Unit.GRAPHEMES, 12, 1, COUNTED),
    Limit("label:rich menu", "label", Unit.GRAPHEMES, 20, 1, COUNTED),
    Limit("label:quick reply", "label", Unit.GRAPHEMES, 20, 1, COUNTED),
    Limit("label:flex button", "label", Unit.GRAPHEMES, 40, 1, COUNTED),
    Limit("label:flex", "label", Unit.GRAPHEMES, 40, 1, COUNTED),
    Limit("flex:bubble", WHOLE, Unit.BYTES, 30 * 1024),
    Limit("flex:carousel", WHOLE, Unit.BYTES, 50 * 1024),
    Limit("flex:carousel", "contents", Unit.ITEMS, 12, 1),
    Limit("flex:box", "contents", Unit.ITEMS, 10**6, 0, "not documented; bounded by the size of the bubble"),
    Limit("flex:text", "text", Unit.UTF16, 2**31, 1, "as answered: must be non-empty text"),
    Limit("flex:image", "url", Unit.UTF16, 2000, 1),
    Limit("flex:icon", "url", Unit.UTF16, 2000, 1),
    Limit("richMenu", "name", Unit.GRAPHEMES, 300, 1, COUNTED),
    Limit("richMenu", "chatBarText", Unit.GRAPHEMES, 14, 1, COUNTED),
    Limit("richMenu", "areas", Unit.ITEMS, 20),
    Limit("richMenuSize", "width", Unit.VALUE, 2500, 800),
    Limit("richMenuSize", "height", Unit.VALUE, 2500, 250),
    Limit("loading", "loadingSeconds", Unit.VALUE, 60, 5),
    Limit("bulk", "userIds", Unit.ITEMS, 500, 1),
    Limit("bulk", "richMenuId", Unit.UTF16, 100, 1, OURS),
    Limit("alias", "richMenuAliasId", Unit.UTF16, 32, 1),
    Limit("alias", "richMenuId", Unit.UTF16, 100, 1, OURS),
    Limit("webhook", "endpoint", Unit.UTF16, 500, 1),
)

TEXT_BESIDE_PICTURE = 60  # buttons and carousel columns with an image or a title [as documented]
RICH_MENU_RATIO = 1.45  # width / height at least [as documented]
RICH_MENU_IMAGE_BYTES = 1024 * 1024  # [as documented: 1 MB, JPEG or PNG]
RICH_MENUS = 1000  # of one account [as documented]
BODY_BYTES = 2 * 1024 * 1024  # of a request, answered 413 [as documented: 2 MB]
RETRY_KEY_SECONDS = 24 * 3600  # how long a retry key is known [as documented]
TOKEN_SECONDS = 60  # a reply token, from the receipt of its event [as documented: about a minute]
TOKEN_EVENT_SECONDS = 20 * 60  # a redelivered one, from the time of the event [as documented]
WEBHOOK_SECONDS = 2.0  # until request_timeout is logged [as documented]

# Requests in seconds, by operation [as documented, per channel and endpoint]
RATES: Mapping[str, tuple[int, float]] = {
    "loading": (100, 1),
    "rich menu create": (100, 3600),
    "rich menu delete": (100, 3600),
    "webhook test": (60, 60),
}
RATE_OF_THE_OTHERS = (2000, 1.0)

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "message:text": ("text",),
    "message:textV2": ("text",),
    "message:sticker": ("packageId", "stickerId"),
    "message:image": ("originalContentUrl", "previewImageUrl"),
    "message:video": ("originalContentUrl", "previewImageUrl"),
    "message:audio": ("originalContentUrl", "duration"),
    "message:location": ("title", "address", "latitude", "longitude"),
    "message:imagemap": ("baseUrl", "altText", "baseSize", "actions"),
    "message:template": ("altText", "template"),
    "message:flex": ("altText", "contents"),
    "quickReply": ("items",),
    "quickReplyItem": ("type", "action"),
    "template:buttons": ("text", "actions"),
    "template:confirm": ("text", "actions"),
    "template:carousel": ("columns",),
    "template:image_carousel": ("columns",),
    "column": ("text", "actions"),
    "imageColumn": ("imageUrl", "action"),
    "action:postback": ("data",),
    "action:message": ("text",),
    "action:uri": ("uri",),
    "action:datetimepicker": ("data", "mode"),
    "action:richmenuswitch": ("data", "richMenuAliasId"),
    "action:clipboard": ("clipboardText",),
    "action:camera": (),
    "action:cameraRoll": (),
    "action:location": (),
    "label:template": ("label",),
    "label:quick reply": ("label",),
    "label:flex button": ("label",),
    "flex:bubble": (),
    "flex:carousel": ("contents",),
    "flex:box": ("layout", "contents"),
    "flex:button": ("action",),
    "flex:image": ("url",),
    "flex:icon": ("url",),
    "flex:video": ("url", "previewUrl", "altContent"),
    "flex:text": (),
    "flex:span": ("text",),
    "flex:separator": (),
    "flex:filler": (),
    "richMenu": ("size", "selected", "name", "chatBarText", "areas"),
    "richMenuSize": ("width", "height"),
    "richMenuArea": ("bounds", "action"),
    "richMenuBounds": ("x", "y", "width", "height"),
    "alias": ("richMenuAliasId", "richMenuId"),
    "loading": ("chatId",),
    "bulk": ("userIds",),
    "webhook": ("endpoint",),
}


def measured(unit: Unit, value: Any) -> int | float | None:
    """How much of the unit a value has; None when it cannot have any."""
    if unit is Unit.BYTES:
        return utf8(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    if unit is Unit.VALUE:
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if unit is Unit.ITEMS:
        return len(value) if isinstance(value, list) else None
    if not isinstance(value, str):
        return None
    return utf16(value) if unit is Unit.UTF16 else graphemes(value)


def check(kind: str, node: Json, path: str) -> Iterator[Finding]:
    """The rows of the table for this kind of node, and what it must have."""
    for field in REQUIRED.get(kind, ()):
        if node.get(field) is None:
            yield Finding(join(path, field), "May not be empty")
    for limit in LIMITS:
        if limit.kind == kind and (limit.field == WHOLE or node.get(limit.field) is not None):
            yield from _keeps(limit, node, path)


def _keeps(limit: Limit, node: Json, path: str) -> Iterator[Finding]:
    value = node if limit.field == WHOLE else node[limit.field]
    where = join(path, limit.field)
    size = measured(limit.unit, value)
    if size is None:
        yield Finding(where, f"must be measured in {limit.unit}, not {type(value).__name__}")
    elif limit.unit is Unit.ITEMS and limit.kind != "bulk" and not all(isinstance(each, dict) for each in value):
        yield Finding(where, "must hold objects")
    elif size == 0 and limit.least == 1 and isinstance(value, str):
        yield Finding(where, "May not be empty")
    elif not limit.least <= size <= limit.most:
        word = {Unit.ITEMS: "Size", Unit.VALUE: "Value"}.get(limit.unit, "Length")
        yield Finding(where, f"{word} must be between {limit.least} and {limit.most} ({limit.unit}: {size})")


def join(path: str, field: str) -> str:
    """The path of a field."""
    return f"{path}.{field}" if path and field else path or field
