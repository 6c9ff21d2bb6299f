"""Messages that LINE takes and messages that it refuses, the latter with the place that is wrong."""

from __future__ import annotations

import struct
import zlib
from typing import Any

Message = dict[str, Any]
HTTPS = "https://example.org/"
PICTURE = HTTPS + "a.jpg"
MYANMAR = "မြန်မာ"  # 6 signs, fewer clusters


def text(words: str = "hi", **more: Any) -> Message:
    """A text message."""
    return {"type": "text", "text": words, **more}


def tap(label: str = "OK", **more: Any) -> Message:
    """A postback action."""
    return {"type": "postback", "label": label, "data": "d", **more}


def quick(*actions: Message) -> Message:
    """A text with quick replies."""
    return text(quickReply={"items": [{"type": "action", "action": action} for action in actions]})


def template(kind: str, **fields: Any) -> Message:
    """A template message."""
    return {"type": "template", "altText": "alt", "template": {"type": kind, **fields}}


def column(**more: Any) -> Message:
    """A column of a carousel template."""
    return {"text": "t", "actions": [tap()], **more}


def bubble(*contents: Message, **more: Any) -> Message:
    """A Flex bubble with these components in its body."""
    body = {"type": "box", "layout": "vertical", "contents": list(contents) or [{"type": "text", "text": "t"}]}
    return {"type": "bubble", "body": body, **more}


def flex(contents: Message, alt: str = "alt") -> Message:
    """A Flex message."""
    return {"type": "flex", "altText": alt, "contents": contents}


def carousel(*bubbles: Message) -> Message:
    """A Flex carousel."""
    return flex({"type": "carousel", "contents": list(bubbles)})


def button(label: str, **more: Any) -> Message:
    """A Flex button."""
    return {"type": "button", "action": tap(label), **more}


def menu(width: int = 2500, height: int = 843, **more: Any) -> Message:
    """A rich menu with one area."""
    bounds = {"x": 0, "y": 0, "width": width, "height": height}
    return {
        "size": {"width": width, "height": height},
        "selected": True,
        "name": "menu",
        "chatBarText": "menu",
        "areas": [{"bounds": bounds, "action": tap()}],
        **more,
    }


def png(width: int, height: int) -> bytes:
    """A black picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress((b"\0" * (width // 8 + 2)) * height)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


GOOD: tuple[Message, ...] = (
    text("x" * 5000),
    text("😀" * 2500),
    text("$ and $", emojis=[{"index": 6, "productId": "p", "emojiId": "001"}]),
    text(sender={"name": "Airline desk", "iconUrl": PICTURE}),
    quick(*[tap(MYANMAR * 4)] * 12, {"type": "location", "label": "where"}),
    quick({"type": "datetimepicker", "label": "when", "data": "d", "mode": "date"}),
    quick(tap(displayText="ก" * 300), tap(inputOption="openKeyboard", fillInText="x")),
    {"type": "sticker", "packageId": "446", "stickerId": "1988"},
    {"type": "image", "originalContentUrl": PICTURE, "previewImageUrl": PICTURE},
    {"type": "audio", "originalContentUrl": HTTPS, "duration": 1000},
    {"type": "location", "title": "t", "address": "a", "latitude": 25.0, "longitude": 121.5},
    template("buttons", text="x" * 160, actions=[tap("ก" * 20)] * 4),
    template("buttons", text="x" * 60, title="x" * 40, actions=[tap()], thumbnailImageUrl=PICTURE),
    template("confirm", text="x" * 240, actions=[tap(), {"type": "message", "label": "no", "text": "no"}]),
    template("carousel", columns=[column()] * 10),
    template("image_carousel", columns=[{"imageUrl": PICTURE, "action": tap("x" * 12)}] * 10),
    flex(bubble(button("x" * 40)), "x" * 1500),
    flex(bubble({"type": "text", "contents": [{"type": "span", "text": "s", "color": "#AABBCC"}]}, size="kilo")),
    flex(bubble({"type": "button", "action": {"type": "uri", "label": "call", "uri": "tel:1955"}})),
    carousel(*[bubble()] * 12),
)

BROKEN: tuple[tuple[Message, str], ...] = (
    ({"type": "hologram"}, "type"),
    ({"type": "text"}, "text"),
    (text(""), "text"),
    (text("x" * 5001), "text"),
    (text("😀" * 2501), "text"),
    (text("$" * 21, emojis=[{"index": i, "productId": "p", "emojiId": "1"} for i in range(21)]), "emojis"),
    (text("no", emojis=[{"index": 0, "productId": "p", "emojiId": "1"}]), "emojis[0].index"),
    (text(sender={"name": "x" * 21}), "sender.name"),
    (text(sender={"name": "LINE desk"}), "sender.name"),
    (text(sender={"iconUrl": "http://example.org/"}), "sender.iconUrl"),
    (quick(*[tap()] * 14), "quickReply.items"),
    (quick(tap("x" * 21)), "quickReply.items[0].action.label"),
    (quick({"type": "postback", "data": "d"}), "quickReply.items[0].action.label"),
    (quick(tap(data="x" * 301)), "quickReply.items[0].action.data"),
    (quick(tap(displayText="x" * 301)), "quickReply.items[0].action.displayText"),
    (quick(tap(fillInText="x")), "quickReply.items[0].action.fillInText"),
    (quick({"type": "message", "label": "m", "text": "x" * 301}), "quickReply.items[0].action.text"),
    (quick({"type": "uri", "label": "u", "uri": "ftp://x"}), "quickReply.items[0].action.uri"),
    (quick({"type": "uri", "label": "u", "uri": HTTPS + "x" * 1000}), "quickReply.items[0].action.uri"),
    (quick({"type": "richmenuswitch", "label": "r"}), "quickReply.items[0].action.type"),
    ({"type": "image", "originalContentUrl": "http://a/", "previewImageUrl": PICTURE}, "originalContentUrl"),
    ({"type": "location", "title": "x" * 101, "address": "a", "latitude": 1.0, "longitude": 1.0}, "title"),
    (template("buttons", text="x" * 161, actions=[tap()]), "template.text"),
    (template("buttons", text="x" * 61, title="t", actions=[tap()]), "template.text"),
    (template("buttons", text="t", title="x" * 41, actions=[tap()]), "template.title"),
    (template("buttons", text="t", actions=[tap()] * 5), "template.actions"),
    (template("buttons", text="t", actions=[tap("x" * 21)]), "template.actions[0].label"),
    (template("buttons", text="t", actions=[{"type": "location", "label": "l"}]), "template.actions[0].type"),
    (template("confirm", text="x" * 241, actions=[tap()] * 2), "template.text"),
    (template("confirm", text="t", actions=[tap()]), "template.actions"),
    (template("carousel", columns=[column()] * 11), "template.columns"),
    (template("carousel", columns=[column(), column(actions=[tap()] * 2)]), "template.columns"),
    (template("carousel", columns=[column(actions=[tap()] * 4)]), "template.columns[0].actions"),
    (template("carousel", columns=[column(text="x" * 121)]), "template.columns[0].text"),
    (
        template("image_carousel", columns=[{"imageUrl": PICTURE, "action": tap("x" * 13)}]),
        "template.columns[0].action.label",
    ),
    ({**template("confirm", text="t", actions=[tap()] * 2), "altText": "x" * 1501}, "altText"),
    (flex(bubble(), "x" * 1501), "altText"),
    (flex(bubble(), ""), "altText"),
    (flex({"type": "nonsense"}), "contents.type"),
    (flex({"type": "bubble"}), "contents"),
    (flex(bubble({"type": "text", "text": "x" * 31_000})), "contents"),
    (flex(bubble({"type": "text", "text": "漢" * 10_300})), "contents"),
    (flex(bubble({"type": "text", "text": ""})), "contents.body.contents[0].text"),
    (flex(bubble({"type": "nonsense"})), "contents.body.contents[0].type"),
    (flex(bubble({"type": "text", "text": "t", "color": "red"})), "contents.body.contents[0].color"),
    (flex(bubble(button("x" * 41))), "contents.body.contents[0].action.label"),
    (flex(bubble({"type": "image", "url": "http://a/"})), "contents.body.contents[0].url"),
    (flex(bubble(size="huge")), "contents.size"),
    ({"type": "flex", "altText": "alt", "contents": []}, "contents"),
    (text(quickReply={"items": ["a"]}), "quickReply.items"),
    (carousel(*[bubble()] * 13), "contents.contents"),
    (carousel(bubble(size="kilo"), bubble()), "contents.contents"),
    (carousel(*[bubble({"type": "text", "text": "x" * 9000})] * 6), "contents"),
)
