"""Replies as Telegram messages: escaped HTML and inline keyboards, inside Telegram's limits and units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape, unescape

from bot.messages import Choice, Reply
from bot.render.limits import cut, graphemes, parted
from bot.render.ways import split

TEXT_UTF16 = 4096
CALLBACK_BYTES = 64
LABEL = 60  # not limited by Telegram; a longer one is cut by phones
PAIR = 15  # two buttons of at most so many letters share a row
BUTTONS = 90
LOCATION = "location"  # the choice that asks for a place; only a button in place of the keyboard can
Row = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class TelegramMessage:
    """One message: its text as HTML, and the rows of its inline keyboard ({"text", and "callback_data" or "url"} each).

    `ask_location`: the label of the one button that stands in place of the person's keyboard and sends their location.
    """

    html: str
    rows: tuple[tuple[dict[str, str], ...], ...] = ()
    ask_location: str = ""

    @property
    def plain(self) -> str:
        """The text without markup."""
        return unescape(self.html.replace("<b>", "").replace("</b>", ""))


def messages(replies: Sequence[Reply], private: bool = True) -> list[TelegramMessage]:
    """The messages of the replies in order. Every choice whose id fits Telegram's 64 bytes is a button.

    `private`: only there a location can be asked for.
    """
    return [message for reply in replies for message in _asking(reply, private)]


def _asking(reply: Reply, private: bool) -> list[TelegramMessage]:
    """The messages of one reply. A message has one kind of button only: those inside it go one message ahead."""
    label = next((choice.label for choice in reply.choices if choice.id == LOCATION), "")
    found = list(_messages(replace(reply, choices=tuple(each for each in reply.choices if each.id != LOCATION))))
    if not (label and private):
        return found
    last = found[-1]
    if last.rows and (len(found) == 1 or reply.cards):
        return [*found, TelegramMessage(_html(label, ""), ask_location=cut(label, LABEL))]
    if last.rows:
        found[-2] = replace(found[-2], rows=last.rows)
    return [*found[:-1], TelegramMessage(last.html, ask_location=cut(label, LABEL))]


def _messages(reply: Reply) -> Iterator[TelegramMessage]:
    *parts, last = parted(_plain(reply), TEXT_UTF16)
    bold = _title(reply)
    for part in parts:
        yield TelegramMessage(_html(part, bold))
        bold = ""
    rows = tuple(map(tuple, _keyboard(reply)))
    if not reply.cards:
        yield TelegramMessage(_html(last, bold), rows)
        return
    yield TelegramMessage(_html(last, bold))
    for card in reply.cards[:-1]:
        yield _card_message(card.title, card.subtitle, card.text, card.choices, ())
    card = reply.cards[-1]
    yield _card_message(card.title, card.subtitle, card.text, card.choices, rows)


def _plain(reply: Reply) -> str:
    return "\n\n".join(part for part in (reply.text, reply.source) if part) or "…"


def _title(reply: Reply) -> str:
    head, _, rest = reply.text.partition("\n")
    return head if reply.source and rest.strip() else ""


def _html(text: str, bold: str) -> str:
    if bold and text.startswith(bold):
        return f"<b>{escape(bold, quote=False)}</b>{escape(text[len(bold) :], quote=False)}"
    return escape(text, quote=False)


def _card_message(
    title: str, subtitle: str, text: str, choices: Sequence[Choice], more: tuple[tuple[dict[str, str], ...], ...]
) -> TelegramMessage:
    whole = "\n".join(part for part in (title, subtitle, text) if part)
    first = parted(whole, TEXT_UTF16)[0]
    rows = tuple(map(tuple, _rows(choices)))
    return TelegramMessage(_html(first, title), (*rows, *more))


def _keyboard(reply: Reply) -> list[Row]:
    buttons = [choice for choice in reply.choices if choice.ticked is None]
    ticks = [choice for choice in reply.choices if choice.ticked is not None]
    own, ways_out = split(buttons)
    return [*_links(reply), *_rows(ticks), *_rows(own), *_rows(ways_out)]


def _links(reply: Reply) -> list[Row]:
    """Web addresses as buttons; a phone number is tapped in the text."""
    return [
        [{"text": cut(link.label, LABEL), "url": link.href}] for link in reply.links if link.href.startswith("http")
    ]


def _rows(choices: Sequence[Choice]) -> list[Row]:
    """One button a row; two short neighbors share one."""
    rows: list[Row] = []
    open_row = False
    for choice in choices[:BUTTONS]:
        if len(choice.id.encode()) > CALLBACK_BYTES:
            continue
        button = {"text": cut(choice.marked, LABEL), "callback_data": choice.id}
        short = graphemes(choice.marked) <= PAIR
        if short and open_row:
            rows[-1].append(button)
            open_row = False
        else:
            rows.append([button])
            open_row = short
    return rows
