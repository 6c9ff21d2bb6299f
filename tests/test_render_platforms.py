"""Replies as LINE and Telegram messages: inside each limit in its own unit, in every language, and nothing left out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_languages import pressed

from bot.messages import Card, Choice, Link, Reply
from bot.pipeline.resources import TEMPLATES, Resources
from bot.render import limits, telegram
from bot.render.limits import clusters, cut, cut_utf16, graphemes, parted, utf16
from bot.render.line import LineRenderer
from bot.render.ways import split
from intents.labels import LANGUAGES

LINE = LineRenderer(TEMPLATES)
TAG = re.compile(r"<[^>]+>")
LETTERS = st.text(alphabet=st.sampled_from('a ก่ำ้ ệ新。.\n\u0301😀👨\u200d👩\u200d👧🇹🇼ế\ufe0f🏽<&"'), max_size=300)
# The same for whole replies, by pieces: drawn letter by letter, a reply of thirty buttons takes longer than its test.
_PIECES = (
    "新北市就業服務。",
    "สวัสดีค่ะ ที่นี่",
    "น้ำ",
    "👨\u200d👩\u200d👧",
    "🇹🇼🇹🇼🇹",
    "e\u0302\u0301" * 5,
    "Đây là",
    "a" * 25,
    "\n\n",
    '<&"',
)
SOME = st.lists(st.sampled_from((*_PIECES, *"a ก่ำ้ ệ新.\n\u0301😀\u200d🏽\ufe0f")), max_size=24).map("".join)
IDS = st.builds("{}:{}".format, st.sampled_from(("a", "topic", "x" * 10)), st.sampled_from(("a", "p15", "y" * 40)))


# --- lengths ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [("abc", 3), ("ế", 1), ("e\u0302\u0301", 1), ("ที่", 1), ("น้ำ", 1), ("👨‍👩‍👧", 1), ("🇹🇼🇹🇭", 2), ("👍🏽", 1)],
)
def test_letters_are_counted_as_a_reader_sees_them(text: str, count: int) -> None:
    assert graphemes(text) == count


def test_what_counts_as_standing_alone_joins_no_other_letter() -> None:
    """Texts of such letters alone are not looked through letter by letter."""
    alone = [letter for letter in map(chr, range(0x110000)) if limits._ALONE.fullmatch(letter)]
    assert len(alone) > 30_000
    assert not [hex(ord(letter)) for letter in alone if limits._continues("a", letter) or limits._is_flag(letter)]


@given(LETTERS, st.integers(2, 40))
def test_cutting_breaks_no_letter_and_keeps_the_limit(text: str, limit: int) -> None:
    assert graphemes(cut(text, limit)) <= limit
    shorter = cut(text, limit)
    assert shorter == text or set(clusters(shorter[:-1])) <= {*clusters(text)}


@given(LETTERS, st.integers(12, 60))
def test_parts_keep_the_limit_and_every_letter(text: str, limit: int) -> None:
    parts = parted(text, limit)
    assert all(utf16(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert utf16(cut_utf16(text, limit)) <= limit


# --- LINE ------------------------------------------------------------------------------------------------------------


def faults(batch: list[dict[str, Any]]) -> Iterator[str]:
    """What LINE would refuse or cut in one request."""
    if not 1 <= len(batch) <= 5:
        yield f"{len(batch)} messages"
    for place, message in enumerate(batch):
        if message["type"] == "text" and not 0 < utf16(message["text"]) <= 5000:
            yield f"a text of {utf16(message['text'])}"
        if message["type"] == "flex":
            yield from _flex_faults(message)
        quick = message.get("quickReply", {"items": []})["items"]
        if quick and place != len(batch) - 1:
            yield "quick replies that nobody sees"
        if len(quick) > 13:
            yield f"{len(quick)} quick replies"
        yield from (f"quick {a}" for item in quick if (a := _misfit(item["action"], 20)))


def _flex_faults(message: dict[str, Any]) -> Iterator[str]:
    if not 0 < utf16(message["altText"]) <= 1500:
        yield "alternative text"
    contents = message["contents"]
    bubbles = contents["contents"] if contents["type"] == "carousel" else [contents]
    if len(bubbles) > 12 or len(json.dumps(contents, ensure_ascii=False).encode()) > 50_000:
        yield f"a carousel of {len(bubbles)}"
    for bubble in bubbles:
        if len(json.dumps(bubble, ensure_ascii=False).encode()) > 30_000:
            yield "a bubble over 30 KB"
        if not bubble.keys() & {"header", "body", "footer"}:
            yield "an empty bubble"
        yield from (f"button {a}" for each in buttons_of(bubble) if (a := _misfit(each, 40)))


def _misfit(action: dict[str, Any], label: int) -> str:
    if not 0 < graphemes(action["label"]) <= label:
        return f"label {action['label']}"
    if action["type"] == "uri":
        return "" if action["uri"].startswith(("tel:", "https:")) else action["uri"]
    return "" if utf16(action["data"]) <= 300 and graphemes(action["displayText"]) <= 300 else action["data"]


def buttons_of(bubble: dict[str, Any]) -> list[dict[str, Any]]:
    """The actions of a bubble's footer."""
    return [each["action"] for each in bubble.get("footer", {}).get("contents", [])]


def said_on_line(batches: list[list[dict[str, Any]]]) -> tuple[str, set[str]]:
    """Every text of the messages, and every choice one can tap."""
    texts: list[str] = []
    ids: set[str] = set()
    for message in (message for batch in batches for message in batch):
        texts += _texts(message)
        found = json.dumps(message)
        ids |= set(re.findall(r'"data": "([^"]+)"', found))
    return "".join(texts), ids


def _texts(node: Any) -> list[str]:
    if isinstance(node, list):
        return [text for item in node for text in _texts(item)]
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for key, value in node.items() if key != "text" for text in _texts(value)]
    return []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reply_fits_both_platforms_and_loses_nothing(resources: Resources, lang: str) -> None:
    wrong: dict[str, Any] = {}
    for choice, reply in pressed(resources, lang):
        batches = LINE.requests([reply])
        found = [fault for batch in batches for fault in faults(batch)]
        text, ids = said_on_line(batches)
        own, out = split([each for each in reply.choices if each.ticked is None])
        wanted = {each.id for each in (*own, *out[:13])} | {c.id for card in reply.cards for c in card.choices}
        wanted |= {each.id for each in reply.choices if each.ticked is not None}
        if wanted - ids:
            found.append(f"not to be tapped: {sorted(wanted - ids)}")
        if _letters(reply.text) not in _letters(text):
            found.append("a text is missing")
        found += telegram_faults(reply)
        if found:
            wrong[choice] = found
    assert wrong == {}


def _letters(text: str) -> str:
    return "".join(text.split())


def telegram_faults(reply: Reply) -> list[str]:
    """What Telegram would refuse, and what of the reply is missing there."""
    found, ids, texts = [], set(), []
    for message in telegram.messages([reply]):
        plain = html.unescape(TAG.sub("", message.html))
        texts.append(plain)
        if not 0 < utf16(plain) <= 4096:
            found.append(f"a text of {utf16(plain)}")
        buttons = [button for row in message.rows for button in row]
        if len(buttons) > 100 or any(len(row) > 8 for row in message.rows):
            found.append("too many buttons")
        found += [b["callback_data"] for b in buttons if not 0 < len(b["callback_data"].encode()) <= 64]
        ids |= {button["callback_data"] for button in buttons}
    wanted = {c.id for c in reply.choices} | {c.id for card in reply.cards for c in card.choices}
    if wanted - ids:
        found.append(f"not to be tapped: {sorted(wanted - ids)}")
    if _letters(reply.text) not in _letters("".join(texts)):
        found.append("a text is missing")
    return found


choices = st.lists(st.builds(Choice, IDS, SOME.filter(str.strip)), max_size=30)
replies = st.builds(
    Reply,
    text=SOME.map(lambda text: (text * 30)[:9000]).filter(str.strip),
    lang=st.just("th"),
    source=st.sampled_from(["", "來源"]),
    choices=choices.map(tuple),
    cards=st.lists(
        st.builds(Card, SOME.filter(str.strip), SOME, SOME, st.just(""), choices.map(lambda c: tuple(c[:3]))),
        max_size=14,
    ).map(tuple),
    links=st.lists(st.builds(Link, SOME.filter(str.strip), st.just("tel:110")), max_size=3).map(tuple),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(replies, min_size=1, max_size=4))
def test_no_reply_whatever_breaks_a_limit(several: list[Reply]) -> None:
    batches = LINE.requests(several)
    assert [fault for batch in batches for fault in faults(batch)] == []
    for message in telegram.messages(several):
        assert 0 < utf16(html.unescape(TAG.sub("", message.html))) <= 4096


def test_only_the_last_message_of_a_bundle_has_quick_replies() -> None:
    menu = Choice("menu", "主選單")
    first = Reply("一", "zh-TW", choices=(Choice("change:age", "改"), menu))
    batches = LINE.requests([first, Reply("二", "zh-TW", choices=(menu, Choice("handoff", "找專人")))])
    (batch,) = batches
    assert ["quickReply" in message for message in batch] == [False, True]


def test_more_than_five_messages_go_in_several_requests() -> None:
    batches = LINE.requests([Reply(f"{number}", "en") for number in range(12)])
    assert [len(batch) for batch in batches] == [5, 5, 2]


def test_words_of_people_are_no_markup() -> None:
    (message,) = telegram.messages([Reply("<b>& 1 < 2", "en", source="x")])
    assert message.html.startswith("&lt;b&gt;&amp; 1 &lt; 2")
    assert list(islice(_texts(LINE.requests([Reply('"}], {{ x }}', "en", source="s")])), 1)) == ['"}], {{ x }}']


def test_a_day_is_picked_and_a_place_is_sent_by_line_itself() -> None:
    """LINE's calendar comes back as an answer; a place can be asked for by a quick reply only."""
    asks = Reply("哪一天？", "zh-TW", choices=(Choice("pick:registered_since", "選日期"), Choice("skip", "跳過")))
    (message,) = LINE.requests([asks])[0]
    (button,) = [item["action"] for item in message["contents"]["footer"]["contents"]]
    assert (button["type"], button["mode"], button["data"]) == ("datetimepicker", "date", "answer:registered_since")
    place = Reply(
        "在哪裡？",
        "zh-TW",
        choices=(Choice("location", "傳送位置"), Choice("topic:p13", "三重"), Choice("menu", "主選單")),
    )
    (message,) = LINE.requests([place])[0]
    first, _ = message["quickReply"]["items"]
    assert first["action"] == {"type": "location", "label": "傳送位置"}
    assert "location" not in json.dumps(message["contents"])
