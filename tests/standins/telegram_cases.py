"""What the tests of the Telegram stand-in try: the real client, calls that break a limit, markup, updates."""

from __future__ import annotations

from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup
from telegram.request import HTTPXRequest

from .telegram import TOKEN, Standin

AN, GROUP, FORUM = 5, -100_5, -100_6


def bot(standin: Standin, token: str = TOKEN, patience: float = 5) -> Bot:
    """The real client."""
    local: dict[str, Any] = {"trust_env": False, "verify": False}
    ways = [HTTPXRequest(httpx_kwargs=local, read_timeout=patience) for _ in range(2)]
    urls = (standin.base_url, standin.base_file_url)
    return Bot(token, *urls, request=ways[0], get_updates_request=ways[1])


def inline(*labels: str, **button: Any) -> InlineKeyboardMarkup:
    """A keyboard with a button on each row."""
    given = button or {"callback_data": "c"}
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, **given)] for label in labels])


def made(standin: Standin) -> list[dict[str, Any]]:
    """One update of each kind."""
    make = standin.make
    text = make.text(AN, "hi")
    updates = [
        text,
        make.edited(text, "/help 😀"),
        make.command(AN, "start", "abc_-"),
        make.text(AN, "x", reply_to=1001),
    ]
    updates += [make.photo(AN, caption="c", album="1"), make.document(AN), make.voice(AN), make.location(AN)]
    updates += [make.contact(AN), make.contact(AN, own=False), make.sticker(AN)]
    updates += [standin.block(AN), standin.unblock(AN), make.member(AN, present=True, chat=GROUP)]
    updates += [make.mention(AN, GROUP, "hi"), make.command(AN, "help", chat=GROUP), make.channel_post(-1009, "news")]
    updates += [make.text(AN, "in a topic", chat=FORUM, thread=standin.world.topic(standin.chat(FORUM), "t"))]
    return updates + make.migrate(AN, GROUP, -1008)


HAN = "漢"
WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "no text": ("send_message", {"text": ""}, "message text is empty"),
    "blank text": ("send_message", {"text": " \n"}, "text must be non-empty"),
    "only markup": ("send_message", {"text": "<b></b>", "parse_mode": "HTML"}, "message text is empty"),
    "long text": ("send_message", {"text": "😀" * 2048 + "x"}, "message is too long"),
    "open tag": ("send_message", {"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities: Can't find end tag"),
    "unknown tag": ("send_message", {"text": "é<br>", "parse_mode": "HTML"}, '"br" at byte offset 2'),
    "other markup": ("send_message", {"text": "x", "parse_mode": "MarkdownV2"}, "unsupported parse_mode"),
    "long data": ("send_message", {"reply_markup": inline("A", callback_data=HAN * 22)}, "BUTTON_DATA_INVALID"),
    "no label": ("send_message", {"reply_markup": inline(" ")}, "button text is empty"),
    "phone link": ("send_message", {"reply_markup": inline("A", url="tel:1955")}, "Wrong HTTP URL"),
    "other link": ("send_message", {"reply_markup": inline("A", url="ftp://a.example")}, "Unsupported URL protocol"),
    "bad link": ("send_message", {"reply_markup": inline("A", url="http://localhost/")}, "Wrong HTTP URL"),
    "wide": (
        "send_message",
        {"reply_markup": InlineKeyboardMarkup([[InlineKeyboardButton("A", callback_data="c")] * 9])},
        "REPLY_MARKUP_TOO_LONG",
    ),
    "many buttons": ("send_message", {"reply_markup": inline(*"A" * 101)}, "REPLY_MARKUP_TOO_LONG"),
    "no deed": (
        "send_message",
        {"reply_markup": {"inline_keyboard": [[{"text": "A"}]]}},
        "Text buttons are unallowed in the inline keyboard",
    ),
    "two deeds": (
        "send_message",
        {"reply_markup": {"inline_keyboard": [[{"text": "A", "url": "https://a.b", "callback_data": "c"}]]}},
        "more than one of callback_data, url",
    ),
    "place in a group": (
        "send_message",
        {"chat_id": GROUP, "reply_markup": ReplyKeyboardMarkup([[KeyboardButton("A", request_location=True)]])},
        "location can be requested in private chats only",
    ),
    "long placeholder": (
        "send_message",
        {"reply_markup": ReplyKeyboardMarkup([["A"]], input_field_placeholder="x" * 65)},
        "placeholder is too long",
    ),
    "wide keyboard": ("send_message", {"reply_markup": ReplyKeyboardMarkup([["A"] * 13])}, "REPLY_MARKUP_TOO_LONG"),
    "long keyboard": ("send_message", {"reply_markup": ReplyKeyboardMarkup([["A"]] * 301)}, "REPLY_MARKUP_TOO_LONG"),
    "long label": ("send_message", {"reply_markup": inline("x" * 4097)}, "REPLY_MARKUP_INVALID"),
    "no such action": ("send_chat_action", {"action": "thinking"}, "wrong parameter action in request"),
    "long notice": ("answer_callback_query", {"callback_query_id": "q", "text": "x" * 201}, "MESSAGE_TOO_LONG"),
    "no such query": ("answer_callback_query", {"callback_query_id": "q"}, "query is too old"),
    "long caption": ("send_photo", {"photo": b"x", "caption": "x" * 1025}, "message caption is too long"),
    "empty photo": ("send_photo", {"photo": b""}, "file must be non-empty"),
    "big photo": ("send_photo", {"photo": b"x" * 10_000_001}, "file is too big"),
    "no such document": ("send_document", {"document": "nothing"}, "wrong remote file identifier"),
    "many commands": ("set_my_commands", {"commands": [("a", "b")] * 101}, "BOT_COMMANDS_TOO_MUCH"),
    "capitals": ("set_my_commands", {"commands": [("Start", "b")]}, "BOT_COMMAND_INVALID"),
    "long command": ("set_my_commands", {"commands": [("a" * 33, "b")]}, "BOT_COMMAND_INVALID"),
    "no description": ("set_my_commands", {"commands": [("a", "")]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
    "wordy": ("set_my_commands", {"commands": [("a", "b" * 257)]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
    "long language": ("set_my_commands", {"commands": [("a", "b")], "language_code": "zh-TW"}, "LANG_CODE_INVALID"),
    "long about": ("set_my_description", {"description": "x" * 513}, "bot description is too long"),
    "long short": ("set_my_short_description", {"short_description": "x" * 121}, "bot short description is too long"),
    "long name": ("set_my_name", {"name": "x" * 65}, "bot name is too long"),
    "bare url": ("set_webhook", {"url": "http://bot.example/x"}, "An HTTPS URL must be provided"),
    "odd port": ("set_webhook", {"url": "https://bot.example:8000/x"}, "only on ports 80, 88, 443 or 8443"),
    "odd secret": ("set_webhook", {"url": "https://bot.example/x", "secret_token": "a.b"}, "unallowed characters"),
    "long secret": ("set_webhook", {"url": "https://b.example", "secret_token": "a" * 257}, "secret token is too long"),
    "too eager": ("set_webhook", {"url": "https://bot.example/x", "max_connections": 101}, "max_connections"),
    "odd kinds": ("set_webhook", {"url": "https://bot.example", "allowed_updates": ["messages"]}, "messages"),
    "greedy": ("get_updates", {"limit": 101}, "limit is too big"),
    "long topic": ("create_forum_topic", {"chat_id": FORUM, "name": "x" * 129}, "TOPIC_TITLE_TOO_LONG"),
}
WITH_CHAT = {"send_message", "send_chat_action", "send_photo", "send_document"}


HELD: list[tuple[str, dict[str, Any], int, str]] = [
    ("sendMessages", {}, 404, "Not Found"),
    ("sendPoll", {}, 404, "Not Found: the stand-in does not know sendPoll"),
    ("sendMessage", {"colour": "red"}, 400, "unknown parameter colour"),
    ("sendMessage", {"text": None}, 400, "text is missing"),
    ("sendMessage", {"chat_id": [1]}, 400, "chat_id: not of type Integer"),
    ("sendMessage", {"message_thread_id": "a"}, 400, "message_thread_id: not of type"),
    ("sendMessage", {"entities": '[{"type": "bold"}]'}, 400, "entities[0].offset is missing"),
    ("sendMessage", {"reply_markup": "{"}, 400, "reply_markup: can't parse JSON object"),
    ("sendMessage", {"reply_markup": {"keys": []}}, 400, "reply_markup.keys is unknown"),
    ("sendMessage", {"disable_notification": "perhaps"}, 400, "not of type Boolean"),
]


MARKUP: dict[str, tuple[str, str, list[tuple[str, int, int]]]] = {
    "nested": ("<b>a<i>漢😀</i></b>c", "a漢😀c", [("bold", 0, 4), ("italic", 1, 3)]),
    "signs": ("&lt;b&gt; &amp;amp; &quot;&#39;&#x1F600; &copy; 1 > 0", "<b> &amp; \"'😀 &copy; 1 > 0", []),
    "link": ("<a href='https://a.b/?x=1&amp;y=2'>x</a>", "x", [("text_link", 0, 1)]),
    "spoiler": ('<span class="tg-spoiler">x</span >', "x", [("spoiler", 0, 1)]),
    "quote": ("<BLOCKQUOTE expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
    "code": ('<pre><code class="language-py">x</code></pre>', "x", [("pre", 0, 1), ("code", 0, 1)]),
    "trimmed": (" <u> x </u>\n", "x", [("underline", 0, 1)]),
}
BROKEN = {
    "a < b": 'Unsupported start tag "" at byte offset 2',
    "<b>x</i>": 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"',
    "x</b>": "Unexpected end tag at byte offset 1",
    "<b>x</b": "Unclosed end tag at byte offset 4",
    "<b": "Unclosed start tag at byte offset 0",
    "<a href>x</a>": 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0',
    "<a href=": "Expected equal sign",
    "漢<span>x</span>": 'Tag "span" must have class "tg-spoiler" at byte offset 3',
    "<!-- -->": 'Unsupported start tag "!--" at byte offset 0',
    "<b><i>x</i>": 'Can\'t find end tag corresponding to start tag "b"',
}
