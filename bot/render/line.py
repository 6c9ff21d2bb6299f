"""Replies as LINE messages: text, Flex bubbles and carousels, quick replies; inside LINE's limits and units."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.messages import Card, Choice, Link, Reply
from bot.render.limits import cut, cut_utf16, parted
from bot.render.plain import text_of
from bot.render.ways import is_way_out, split

# LINE's limits, each in the unit LINE counts it in.
MESSAGES_A_REQUEST = 5
TEXT_UTF16 = 5000
ALT_TEXT_UTF16 = 400  # 1,500 are allowed; a notification shows far fewer
BUBBLES = 12
BUBBLE_BYTES = 30_000
CAROUSEL_BYTES = 50_000
QUICK_REPLIES = 13
QUICK_LABEL = 20
BUTTON_LABEL = 40
DISPLAY_TEXT = 300
BUTTONS_A_BUBBLE = 12
MORE = "more"
LOCATION = "location"
PICK = "pick:"
MORE_LABEL = "conversation.choice.more"
REMEMBERED = 2000
Message = dict[str, Any]
Label = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Request:
    """At most five messages. Once they are accepted, `done` replies are whole, and of the next one `parts` messages,
    counted from its beginning, are delivered."""

    messages: tuple[Message, ...]
    done: int
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Button:
    """A button of a bubble: its look and its action as LINE's JSON."""

    style: str
    action: Message


@dataclass(frozen=True, slots=True)
class Bubble:
    """What the template draws."""

    title: str = ""
    eyebrow: str = ""
    paragraphs: tuple[str, ...] = ()
    source: str = ""
    buttons: tuple[Button, ...] = ()


class LineRenderer:
    """Renders replies with the templates under `templates/line`, compiled once.

    `label` gives a button's label by language and catalog key.
    """

    def __init__(self, templates: Path, label: Label = lambda lang, key: "…") -> None:
        environment = Environment(
            loader=FileSystemLoader(templates / "line"),
            undefined=StrictUndefined,
            auto_reload=False,
            autoescape=False,  # noqa: S701 - JSON: every text passes tojson
        )
        environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
        environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
        self._label = label
        self._drawn = lru_cache(maxsize=REMEMBERED)(lambda reply: tuple(self._draw_reply(reply)))
        self._bubble = environment.get_template("bubble.jinja")
        self._carousel = environment.get_template("carousel.jinja")

    def requests(self, replies: Sequence[Reply]) -> list[list[Message]]:
        """The messages of the replies in requests of at most five, as `packed`."""
        return [list(request.messages) for request in self.packed(replies)]

    def packed(self, replies: Sequence[Reply], skip: int = 0) -> list[Request]:
        """The replies in requests, but for `skip` messages of the first one. Only the last message has quick replies.

        The ways out of earlier replies give way to those of the last; their own choices are buttons of their bubbles.
        """
        found = list(_packed([list(self._messages(reply)) for reply in replies], skip))
        if found:
            found[-1] = replace(found[-1], messages=_with_quick(found[-1].messages, _split(replies[-1])[1]))
        return found

    def with_more(self, request: Request, replies: Sequence[Reply]) -> tuple[Message, ...]:
        """The messages of a request that is not the last one: a button asks for the rest, before the ways out."""
        more = Choice(MORE, self._label(replies[request.done].lang, MORE_LABEL))
        whole = request.done > 0 and request.parts == 0
        ways_out = _split(replies[request.done - 1])[1] if whole else ()
        return _with_quick(request.messages, (more, *ways_out))

    def plain(self, replies: Sequence[Reply], done: int = 0) -> list[Request]:
        """The replies after the first `done` in words alone, for when LINE refuses their cards. None is ever torn."""
        found = _packed([_words(reply) for reply in replies[done:]], 0)
        return [replace(request, done=request.done + done) for request in found]

    def _messages(self, reply: Reply) -> tuple[Message, ...]:
        """The messages of a reply; the same reply is drawn once. Nobody changes them."""
        return self._drawn(reply)

    def _draw_reply(self, reply: Reply) -> Iterator[Message]:
        own, _ = _split(reply)
        buttons = (*map(_link, reply.links), *map(_postback, (*_ticks_of(reply), *own)))
        if not (buttons or reply.source or reply.cards):
            yield from ({"type": "text", "text": part} for part in parted(reply.text, TEXT_UTF16))
            return
        yield from self._flex(reply.text, list(self._bubbles(reply, buttons)))
        if reply.cards:
            yield from self._flex(reply.text, [_card(card) for card in reply.cards])

    def _bubbles(self, reply: Reply, buttons: Sequence[Button]) -> Iterator[Bubble]:
        """The reply as one bubble; more buttons than fit go on in further ones."""
        paragraphs = [part for part in reply.text.split("\n\n") if part.strip()]
        eyebrow, title = _heading(paragraphs) if reply.source else ("", "")
        first, rest = buttons[:BUTTONS_A_BUBBLE], buttons[BUTTONS_A_BUBBLE:]
        whole = Bubble(title, eyebrow, tuple(paragraphs), reply.source, tuple(first))
        if _size(self._draw(whole)) <= BUBBLE_BYTES:
            yield whole
        else:  # a text this long is read as a message of its own, see _flex
            yield Bubble(paragraphs=tuple(paragraphs), buttons=tuple(first))
        for start in range(0, len(rest), BUTTONS_A_BUBBLE):
            yield Bubble(buttons=tuple(rest[start : start + BUTTONS_A_BUBBLE]))

    def _flex(self, text: str, bubbles: list[Bubble]) -> Iterator[Message]:
        alt = cut_utf16(" ".join(text.split()) or "…", ALT_TEXT_UTF16)
        group: list[Bubble] = []
        for bubble in bubbles:
            if _size(self._draw(bubble)) > BUBBLE_BYTES:
                yield from ({"type": "text", "text": part} for part in parted(text, TEXT_UTF16))
                bubble = Bubble(bubble.title, bubble.eyebrow, (), bubble.source, bubble.buttons)
            if group and (len(group) == BUBBLES or self._weight([*group, bubble]) > CAROUSEL_BYTES):
                yield self._message(alt, group)
                group = []
            group.append(bubble)
        if group and (group[0].paragraphs or group[0].buttons or group[0].title):
            yield self._message(alt, group)

    def _weight(self, bubbles: Sequence[Bubble]) -> int:
        return sum(_size(self._draw(bubble)) + 2 for bubble in bubbles) + 40

    def _draw(self, bubble: Bubble) -> Message:
        drawn: Message = json.loads(self._bubble.render(b=bubble))
        return drawn

    def _message(self, alt: str, bubbles: Sequence[Bubble]) -> Message:
        contents = self._draw(bubbles[0]) if len(bubbles) == 1 else json.loads(self._carousel.render(bubbles=bubbles))
        return {"type": "flex", "altText": alt, "contents": contents}


def _packed(replies: Sequence[Sequence[Message]], skip: int) -> Iterator[Request]:
    """No reply is torn over two requests unless it has more than five messages by itself."""
    batch: list[Message] = []
    for place, messages in enumerate(replies):
        start = 0 if place else min(skip, len(messages))
        left = len(messages) - start
        if batch and left <= MESSAGES_A_REQUEST < len(batch) + left:
            yield Request(tuple(batch), place)
            batch = []
        for number in range(start, len(messages)):
            if len(batch) == MESSAGES_A_REQUEST:
                yield Request(tuple(batch), place, number)
                batch = []
            batch.append(messages[number])
    if batch:
        yield Request(tuple(batch), len(replies))


def _with_quick(messages: tuple[Message, ...], choices: Sequence[Choice]) -> tuple[Message, ...]:
    quick = _quick_replies(choices)
    return (*messages[:-1], {**messages[-1], "quickReply": {"items": quick}}) if quick else messages


def _words(reply: Reply) -> list[Message]:
    links = "\n".join(f"{link.label}: {link.href}" for link in reply.links)
    parts = parted("\n\n".join(part for part in (text_of(reply), links) if part.strip()) or "…", TEXT_UTF16)
    most = MESSAGES_A_REQUEST
    if len(parts) > most:
        parts[most - 1 :] = [cut_utf16("\n\n".join(parts[most - 1 :]), TEXT_UTF16)]
    return [{"type": "text", "text": part} for part in parts]


def _heading(paragraphs: list[str]) -> tuple[str, str]:
    """What stands above and in the title of a topic's bubble: its name, or its name and the aspect; taken off."""
    lines = paragraphs[0].split("\n") if len(paragraphs) > 1 else []
    if not 1 <= len(lines) <= 2 or any(line.startswith("•") for line in lines):
        return "", ""
    paragraphs.pop(0)
    return (lines[0], lines[1]) if len(lines) == 2 else ("", lines[0])


def _size(document: Message) -> int:
    return len(json.dumps(document, ensure_ascii=False).encode())


def _split(reply: Reply) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
    """Own choices and ways out; where there is nothing but ways out, quick replies are enough."""
    place = tuple(choice for choice in reply.choices if choice.id == LOCATION)
    own, ways_out = split([choice for choice in reply.choices if choice.ticked is None and choice.id != LOCATION])
    if own and all(map(is_way_out, own)):
        own, ways_out = (), own
    quick = (*place, *ways_out)
    most = QUICK_REPLIES - 1  # "see more" may come before them
    return (*own, *quick[most:]), quick[:most]


def _ticks_of(reply: Reply) -> tuple[Choice, ...]:
    return tuple(choice for choice in reply.choices if choice.ticked is not None)


def _action(choice: Choice, label: int) -> Message:
    """The postback of a choice; a location can be picked from a quick reply only, a day from LINE's own calendar."""
    if choice.id == LOCATION:
        return {"type": "location", "label": cut(choice.label, label)}
    if choice.id.startswith(PICK):
        data = f"answer:{choice.id.removeprefix(PICK)}"
        return {"type": "datetimepicker", "label": cut(choice.label, label), "data": data, "mode": "date"}
    return {
        "type": "postback",
        "label": cut(choice.marked, label),
        "data": choice.id,
        "displayText": cut(choice.label, DISPLAY_TEXT),
    }


def _postback(choice: Choice) -> Button:
    return Button("primary" if choice.id == "ticked:done" else "secondary", _action(choice, BUTTON_LABEL))


def _link(link: Link) -> Button:
    return Button("primary", {"type": "uri", "label": cut(link.label, BUTTON_LABEL), "uri": link.href})


def _card(card: Card) -> Bubble:
    paragraphs = tuple(part for part in card.text.split("\n\n") if part.strip())
    return Bubble(card.title, card.subtitle, paragraphs, card.source, tuple(map(_postback, card.choices)))


def _quick_replies(choices: Sequence[Choice]) -> list[Message]:
    return [{"type": "action", "action": _action(choice, QUICK_LABEL)} for choice in choices[:QUICK_REPLIES]]
