"""Telegram's HTML parse mode: text as seen and its entities, or the error that Telegram gives."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .telegram_limits import SCHEMES, breach
from .units import utf16

Entity = dict[str, Any]

NAMES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
    "blockquote": "blockquote",
}
TOKENS = re.compile(r"<|&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot));?")
ATTRIBUTE = re.compile(r"""\s*([^\s=>]+)(?:\s*(=)\s*("[^"]*"|'[^']*'|[^\s>"']+))?""")
CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


@dataclass
class Open:
    """A tag that waits for its end."""

    name: str
    attributes: dict[str, str]
    entity: Entity


@dataclass
class Parser:
    """Reads one text from left to right."""

    source: str
    at: int = 0
    seen: list[str] = field(default_factory=list)
    units: int = 0
    open: list[Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def run(self) -> tuple[str, list[Entity]]:
        """The text as seen with its entities in order."""
        while match := TOKENS.search(self.source, self.at):
            self.say(self.source[self.at : match.start()])
            self.at = match.end()
            if match[0] == "<":
                self.tag(match.start())
            else:
                self.say(character(match))
        self.say(self.source[self.at :])
        if self.open:
            raise broken(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')
        shown = [entity for entity in self.entities if entity["length"]]
        return "".join(self.seen), sorted(shown, key=lambda entity: (entity["offset"], -entity["length"]))

    def say(self, text: str) -> None:
        """Text that is seen."""
        self.seen.append(text)
        self.units += utf16(text)

    def offset(self, at: int) -> int:
        """Telegram counts bytes in its errors."""
        return len(self.source[:at].encode())

    def tag(self, begin: int) -> None:
        """A start or an end tag; `begin` is where its `<` stands."""
        if self.source[self.at : self.at + 1] == "/":
            self.end(begin)
        else:
            self.start(begin)

    def start(self, begin: int) -> None:
        """A start tag with its attributes."""
        match = re.compile(r"[^\s>]*").match(self.source, self.at)
        assert match is not None
        name, self.at = match[0].lower(), match.end()
        if self.at >= len(self.source):
            raise broken(f"Unclosed start tag at byte offset {self.offset(begin)}")
        if name not in NAMES:
            raise broken(f'Unsupported start tag "{name}" at byte offset {self.offset(begin)}')
        attributes = self.attributes(begin, name)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise broken(f'Tag "span" must have class "tg-spoiler" at byte offset {self.offset(begin)}')
        entity: Entity = {"type": NAMES[name], "offset": self.units, "length": 0}
        self.open.append(Open(name, attributes, entity))
        self.entities.append(entity)

    def attributes(self, begin: int, name: str) -> dict[str, str]:
        """What stands between the name and `>`."""
        found: dict[str, str] = {}
        while True:
            rest = re.compile(r"\s*").match(self.source, self.at)
            self.at = rest.end() if rest else self.at
            if self.source[self.at : self.at + 1] == ">":
                self.at += 1
                return found
            match = ATTRIBUTE.match(self.source, self.at)
            if match is None:
                raise broken(f"Unclosed start tag at byte offset {self.offset(begin)}")
            if match[2] is None and not (name == "blockquote" and match[1] == "expandable"):
                words = f'Expected equal sign in declaration of an attribute of the tag "{name}"'
                raise broken(f"{words} at byte offset {self.offset(begin)}")
            value = (match[3] or "").strip("\"'")
            found[match[1].lower()] = TOKENS.sub(lambda token: character(token), value)
            self.at = match.end()

    def end(self, begin: int) -> None:
        """An end tag: it closes the tag that was opened last."""
        match = re.compile(r"/([^\s>]*)\s*(>?)").match(self.source, self.at)
        assert match is not None
        self.at = match.end()
        if not match[2]:
            raise broken(f"Unclosed end tag at byte offset {self.offset(begin)}")
        if not self.open:
            raise broken(f"Unexpected end tag at byte offset {self.offset(begin)}")
        opened = self.open.pop()
        if match[1] and match[1].lower() != opened.name:
            words = f'expected "</{opened.name}>", found "</{match[1].lower()}>"'
            raise broken(f"Unmatched end tag at byte offset {self.offset(begin)}, {words}")
        self.close(opened)

    def close(self, opened: Open) -> None:
        """The entity of a closed tag; an empty one is dropped in the end."""
        entity, attributes = opened.entity, opened.attributes
        entity["length"] = self.units - entity["offset"]
        if opened.name == "a":
            entity["url"] = attributes.get("href", "")
        if opened.name == "tg-emoji":
            entity["custom_emoji_id"] = attributes.get("emoji-id", "")
        if opened.name == "tg-time":
            entity["unix_time"] = int(attributes.get("unix") or 0)
        if opened.name == "blockquote" and "expandable" in attributes:
            entity["type"] = "expandable_blockquote"


def broken(words: str) -> Exception:
    """The error for markup that cannot be read."""
    return breach(f"can't parse entities: {words}")


def character(match: re.Match[str]) -> str:
    """What an HTML entity stands for; one without a meaning stands for itself."""
    if match[0] == "<":
        return "<"
    number = int(match[1], 16) if match[1] else int(match[2] or 0)
    if number:
        return chr(number) if number < 0x110000 else match[0]
    return CHARACTERS.get(match[3] or "", match[0])


def link_fault(url: str) -> str:
    """Why Telegram would not link there; empty when it would. A phone number is no link to it."""
    scheme = url.split(":", 1)[0].lower() if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:(?!\d)", url) else "http"
    if scheme not in SCHEMES:
        return "Unsupported URL protocol"
    if scheme in ("http", "https"):
        host = urlsplit(url if "://" in url else f"http://{url}").hostname or ""
        return "" if "." in host or ":" in host else "Wrong HTTP URL"
    return ""


def parse(text: str) -> tuple[str, list[Entity]]:
    """Text as seen and entities in UTF-16 units. Raises a Breach for markup Telegram refuses."""
    return Parser(text).run()


def trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Without the blanks around it, as Telegram shows it; the entities move along."""
    lead = utf16(text[: len(text) - len(text.lstrip())])
    kept = text.strip()
    size = utf16(kept)
    moved = []
    for entity in entities:
        begin = max(entity["offset"] - lead, 0)
        end = min(entity["offset"] + entity["length"] - lead, size)
        if end > begin:
            moved.append({**entity, "offset": begin, "length": end - begin})
    return kept, moved
