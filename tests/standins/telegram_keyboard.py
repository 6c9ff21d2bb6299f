"""Keyboards under messages: the checks Telegram makes and the buttons a person sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .telegram_html import link_fault
from .telegram_limits import breach, hold

KINDS = {
    *("url", "callback_data", "web_app", "login_url", "copy_text", "callback_game", "pay"),
    *("switch_inline_query", "switch_inline_query_current_chat", "switch_inline_query_chosen_chat"),
}
PRIVATE_ONLY = {
    "request_contact": "phone number can be requested in private chats only",
    "request_location": "location can be requested in private chats only",
}


@dataclass(frozen=True)
class Button:
    """A button as seen. `asks` names what a reply keyboard's button requests of the person."""

    label: str
    data: str = ""
    url: str = ""
    asks: str = ""


Rows = tuple[tuple[Button, ...], ...]


def check(markup: Any, private: bool) -> None:
    """Raises a Breach for a keyboard Telegram would not take."""
    if not isinstance(markup, dict):
        raise breach("object expected as reply markup")
    if "inline_keyboard" in markup:
        check_inline(rows_of(markup["inline_keyboard"]))
    elif "keyboard" in markup:
        check_reply(markup, private)
    elif not (markup.get("remove_keyboard") or markup.get("force_reply")):
        raise breach("object expected as reply markup")


def rows_of(rows: Any) -> list[list[dict[str, Any]]]:
    """Rows of buttons, or a Breach. A reply keyboard may name a button by its text alone."""
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise breach("object expected as reply markup")
    return [[button if isinstance(button, dict) else {"text": str(button)} for button in row] for row in rows]


def check_inline(rows: list[list[dict[str, Any]]]) -> None:
    """Buttons inside the message."""
    hold("inline_keyboard", [button for row in rows for button in row])
    for row in rows:
        hold("row", row)
        for button in row:
            check_button(button)


def check_button(button: dict[str, Any]) -> None:
    """One inline button: a label and exactly one thing that it does."""
    if not isinstance(button.get("text"), str):
        raise breach('can\'t parse inline keyboard button: Field "text" must be of type String')
    hold("label", button["text"].strip())
    given = sorted(KINDS & set(button))
    kinds = [kind for kind in given if button[kind] not in (None, "") or kind.startswith("switch")]
    if not kinds:
        raise breach("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(kinds) > 1:
        raise breach(f"can't parse inline keyboard button: more than one of {', '.join(kinds)}")
    if "callback_data" in kinds:
        hold("callback_data", button["callback_data"])
    if "url" in kinds and (fault := link_fault(button["url"])):
        raise breach(f"inline keyboard button URL '{button['url']}' is invalid: {fault}")


def check_reply(markup: dict[str, Any], private: bool) -> None:
    """Buttons in place of the person's own keyboard."""
    rows = rows_of(markup["keyboard"])
    hold("keyboard", [button for row in rows for button in row])
    for row in rows:
        hold("keyboard_row", row)
        for button in row:
            hold("label", str(button.get("text", "")).strip())
            for key, words in PRIVATE_ONLY.items():
                if button.get(key) and not private:
                    raise breach(words)
    if (placeholder := markup.get("input_field_placeholder")) is not None:
        hold("input_field_placeholder", placeholder)


def buttons(markup: dict[str, Any] | None) -> Rows:
    """The buttons of a keyboard as rows; nothing for none."""
    rows = rows_of((markup or {}).get("inline_keyboard") or (markup or {}).get("keyboard") or [])
    return tuple(tuple(seen(button) for button in row) for row in rows if row)


def seen(button: dict[str, Any]) -> Button:
    """A button as a person sees it."""
    asks = next((key for key in button if key.startswith("request_") and button[key]), "")
    return Button(button["text"], button.get("callback_data", ""), button.get("url", ""), asks)
