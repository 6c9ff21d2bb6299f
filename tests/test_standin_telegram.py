"""The stand-in of Telegram, tried with the real python-telegram-bot: it takes what is right and refuses the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from conftest import free_port
from standins.telegram import TOKEN, Standin
from standins.telegram_cases import AN, BROKEN, FORUM, GROUP, HAN, HELD, MARKUP, WITH_CHAT, WRONG, bot, inline, made
from standins.telegram_html import link_fault, parse, trim
from standins.telegram_inbox import HEADER
from standins.telegram_limits import LIMITS, SCOPES, UPDATE_KINDS, Breach
from standins.telegram_request import read
from standins.telegram_spec import Spec, load
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    Update,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)

Story = Callable[[Bot], Awaitable[None]]


@pytest.fixture(autouse=True)
def _retry_after_as_a_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's coming form; without it the attribute warns."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
def standin() -> Iterator[Standin]:
    """A Telegram that knows one person, one group and one forum."""
    with Standin() as standin:
        standin.world.user(AN, "An", "vi")
        standin.world.group(GROUP, "Staff", plain=True)
        standin.world.group(FORUM, "Desk", forum=True)
        yield standin


def told(standin: Standin, story: Story, patience: float = 5) -> None:
    """Run a story with the real client; the stand-in's own mistakes would be errors of the client."""

    async def tell() -> None:
        async with bot(standin, patience=patience) as client:
            await story(client)

    asyncio.run(tell())


def words(standin: Standin) -> list[str]:
    """The faults as Telegram told them."""
    return [fault.description.removeprefix("Bad Request: ") for fault in standin.faults]


# -- what is right is taken


def test_a_conversation_is_kept_as_the_chat_sees_it(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        assert client.username == "standin_test_bot"
        await client.send_chat_action(AN, "typing")
        sent = await client.send_message(
            AN, "  <b>Xin chào</b> &amp; 你好😀 ", parse_mode="HTML", reply_markup=inline("A", "B")
        )
        assert sent.text == "Xin chào & 你好😀"
        assert sent.entities[0].type == "bold"
        assert (sent.entities[0].offset, sent.entities[0].length) == (0, 8)
        await client.edit_message_text("Chào", AN, sent.message_id, reply_markup=inline("C"))
        await client.edit_message_reply_markup(AN, sent.message_id)
        await client.send_message(AN, "x", reply_parameters=ReplyParameters(sent.message_id))
        await client.delete_message(AN, sent.message_id)

    told(standin, story)
    chat = standin.chat(AN)
    kinds = ["action", "message", "edit", "buttons", "message", "delete"]
    assert [item.kind for item in chat.received] == kinds
    assert chat.texts == ["Xin chào & 你好😀", "x"]
    assert [item.labels for item in chat.received[1:4]] == [["A", "B"], ["C"], []]
    assert chat.screen == ["x"]
    assert standin.faults == []
    assert [call.status for call in standin.calls] == [200] * 7
    assert [call.method for call in standin.called("sendMessage")] == ["sendMessage"] * 2


def test_an_edit_without_buttons_takes_them_away(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        sent = await client.send_message(AN, "x", reply_markup=inline("A"))
        edited = await client.edit_message_text("y", AN, sent.message_id)
        assert isinstance(edited, Message)
        assert edited.reply_markup is None

    told(standin, story)
    assert standin.chat(AN).rows == ()


def test_a_reply_keyboard_stays_until_it_is_removed(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        rows: list[list[str | KeyboardButton]] = [[KeyboardButton("Nơi tôi ở", request_location=True)], ["Bỏ qua"]]
        await client.send_message(AN, "?", reply_markup=ReplyKeyboardMarkup(rows, input_field_placeholder="…"))
        assert [[each.label for each in row] for row in standin.chat(AN).keyboard] == [["Nơi tôi ở"], ["Bỏ qua"]]
        assert standin.chat(AN).keyboard[0][0].asks == "request_location"
        await client.send_message(AN, "!", reply_markup=ReplyKeyboardRemove())

    told(standin, story)
    assert standin.chat(AN).keyboard == ()
    assert standin.faults == []


def test_what_the_bot_says_of_itself_is_kept_per_language_and_scope(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        for lang in ("", "vi", "th"):
            assert await client.set_my_commands([BotCommand("start", f"go {lang}")], language_code=lang)
            assert await client.set_my_description(f"d {lang}", lang)
            assert await client.set_my_short_description(f"s {lang}", lang)
        await client.set_my_commands([], scope=BotCommandScopeChat(AN))
        assert [each.description for each in await client.get_my_commands(language_code="vi")] == ["go vi"]
        assert await client.get_my_commands(language_code="my") == ()
        assert (await client.get_my_description("my")).description == "d "
        assert (await client.get_my_short_description("th")).short_description == "s th"
        await client.delete_my_commands(language_code="vi")
        assert await client.get_my_commands(language_code="vi") == ()
        assert await client.set_chat_menu_button()
        assert (await client.get_chat_menu_button()).type == "default"

    told(standin, story)
    assert standin.faults == []


def test_files_go_both_ways(standin: Standin) -> None:
    got = standin.make.photo(AN, b"\xff\xd8\r\n--big", caption="門牌", album="a")["message"]
    big = standin.make.document(AN, size=20_000_001)["message"]["document"]

    async def story(client: Bot) -> None:
        sent = await client.send_photo(AN, b"\xff\xd8\r\n\r\nsmall", caption="<i>ảnh</i>", parse_mode="HTML")
        assert sent.caption == "ảnh"
        assert bytes(await (await sent.photo[-1].get_file()).download_as_bytearray()) == b"\xff\xd8\r\n\r\nsmall"
        sent = await client.send_document(AN, b"%PDF", filename="thư.pdf")
        assert sent.document is not None
        assert sent.document.file_name == "thư.pdf"
        await client.send_document(AN, sent.document.file_id, reply_markup=inline("A"))
        file = await client.get_file(got["photo"][-1]["file_id"])
        assert bytes(await file.download_as_bytearray()) == b"\xff\xd8\r\n--big"
        with pytest.raises(BadRequest, match="File is too big"):
            await client.get_file(big["file_id"])
        standin.clock.advance(3601)
        with pytest.raises(InvalidToken):
            await file.download_as_bytearray()
        with pytest.raises(BadRequest, match="Wrong file_id"):
            await client.get_file("nothing")

    told(standin, story)
    assert len(got["photo"]) == 3
    assert words(standin) == ["wrong file_id or the file is temporarily unavailable"]


def test_topics_of_a_forum(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        topic = await client.create_forum_topic(FORUM, "A-17")
        sent = await client.send_message(FORUM, "x", message_thread_id=topic.message_thread_id)
        assert sent.is_topic_message
        del standin.chat(FORUM).topics[topic.message_thread_id]
        with pytest.raises(BadRequest, match="Message thread not found"):
            await client.send_message(FORUM, "x", message_thread_id=topic.message_thread_id)
        with pytest.raises(BadRequest, match="not a forum"):
            await client.create_forum_topic(GROUP, "A-17")

    told(standin, story)
    assert [item.kind for item in standin.chat(FORUM).received] == ["topic", "message"]


def test_json_forms_and_multipart_say_the_same(standin: Standin) -> None:
    url = f"{standin.base_url}{TOKEN}/SENDMESSAGE"
    with httpx.Client(trust_env=False, verify=False) as client:
        bodies: list[dict[str, Any]] = [
            {"json": {"chat_id": AN, "text": "1", "reply_markup": {"remove_keyboard": True}, "entities": None}},
            {"data": {"chat_id": "5", "text": "2", "reply_markup": '{"remove_keyboard": true}'}},
            {"files": {"chat_id": (None, "5"), "text": (None, "3")}},
            {"params": {"chat_id": "5", "text": "4"}},
        ]
        for body in bodies:
            assert client.post(url, **body).json()["ok"], body
        assert client.post(url, content=b"{", headers={"content-type": "application/json"}).status_code == 400
        assert client.post(url, content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 400
    assert standin.chat(AN).texts == ["1", "2", "3", "4"]


# -- each limit refuses


def test_each_limit_refuses(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        for case, (method, given, says) in WRONG.items():
            standin.faults.clear()
            more: dict[str, Any] = {"chat_id": AN} if method in WITH_CHAT else {}
            more |= {"text": "x"} if method == "send_message" else {}
            with pytest.raises(BadRequest) as caught:
                await getattr(client, method)(**{**more, **given})
            assert says.lower() in str(caught.value).lower(), case
            assert says in words(standin)[0], case

    told(standin, story)
    assert standin.chat(AN).received == []
    assert standin.chat(GROUP).received == []


def test_the_last_place_inside_each_limit_is_taken(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        await client.send_message(AN, "😀" * 2048)
        await client.send_message(AN, f"<b>{'x' * 4096}</b>", parse_mode="HTML")
        await client.send_message(AN, "x", reply_markup=inline(*"A" * 100, callback_data=HAN * 21 + "x"))
        await client.send_message(AN, "x", reply_markup=inline("A", url="https://labor.example.tw/?q=1"))
        await client.send_photo(AN, b"x", caption="x" * 1024)
        await client.set_my_commands([("a" * 32, "b" * 256)] * 100)
        await client.set_my_description("x" * 512)
        await client.set_my_short_description("x" * 120)
        await client.create_forum_topic(FORUM, "x" * 128)
        await client.get_updates(limit=100)
        await client.set_webhook("https://b.example:8443", secret_token="a" * 256, max_connections=100)

    told(standin, story)
    assert standin.faults == []


def test_links_that_lead_nowhere_are_dropped_and_noted(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        text = '<a href="tel:1955">1955</a> <a href="https://a.example">web</a>' + "<i>i</i>b" * 100
        sent = await client.send_message(AN, text, parse_mode="HTML")
        assert [each.url for each in sent.entities if each.type == "text_link"] == ["https://a.example"]
        assert len(sent.entities) == 100

    told(standin, story)
    assert words(standin) == ["no link to tel:1955: Wrong HTTP URL", "102 entities"]
    assert not any(fault.refused for fault in standin.faults)


def test_changes_that_change_nothing_or_come_too_late(standin: Standin) -> None:
    theirs = standin.make.text(AN, "hi")["message"]["message_id"]

    async def story(client: Bot) -> None:
        sent = await client.send_message(AN, "x", reply_markup=inline("A"))
        keys = await client.send_message(AN, "x", reply_markup=ReplyKeyboardMarkup([["A"]]))
        for number, says in (
            (sent.message_id, "Message is not modified"),
            (theirs, "Message can't be edited"),
            (keys.message_id, "Message can't be edited"),
            (1, "Message to edit not found"),
        ):
            with pytest.raises(BadRequest, match=says):
                await client.edit_message_text("x", AN, number, reply_markup=inline("A"))
        with pytest.raises(BadRequest, match="Message is not modified"):
            await client.edit_message_reply_markup(AN, sent.message_id, reply_markup=inline("A"))
        with pytest.raises(BadRequest, match="Message to be replied not found"):
            await client.send_message(AN, "x", reply_parameters=ReplyParameters(1))
        standin.clock.advance(49 * 3600)
        with pytest.raises(BadRequest, match="can't be deleted"):
            await client.delete_message(AN, sent.message_id)
        with pytest.raises(BadRequest, match="Message to delete not found"):
            await client.delete_message(AN, 1)

    told(standin, story)
    assert standin.faults == []


# -- taps


def test_a_tap_is_answered_once_and_in_time(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        await client.send_message(AN, "?", reply_markup=inline("Có", callback_data="yes"))
        first, second = standin.make.tap(AN, "Có"), standin.make.tap(AN, "yes")
        query = Update.de_json(first, client).callback_query
        assert query is not None
        assert query.data == "yes"
        assert isinstance(query.message, Message)
        assert await query.answer("OK")
        assert standin.unanswered() == [second["callback_query"]["id"]]
        with pytest.raises(BadRequest, match="Query is too old"):
            await query.answer()
        standin.clock.advance(16)
        with pytest.raises(BadRequest, match="Query is too old"):
            await client.answer_callback_query(second["callback_query"]["id"])

    told(standin, story)
    assert standin.chat(AN).received[-1].text == "OK"
    assert len(standin.faults) == 1, "an answer that is late is no breach, a second one is"
    with pytest.raises(AssertionError, match="no button"):
        standin.make.tap(AN, "Không")


# -- trouble


def test_closed_chats_raise_the_clients_own_errors(standin: Standin) -> None:
    blocked = standin.block(AN)
    moved = standin.make.migrate(AN, GROUP, -1007)
    standin.expel(AN, FORUM)

    async def story(client: Bot) -> None:
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await client.send_message(AN, "x")
        with pytest.raises(Forbidden, match="kicked from the supergroup"):
            await client.send_message(FORUM, "x")
        with pytest.raises(ChatMigrated) as caught:
            await client.send_message(GROUP, "x")
        assert caught.value.new_chat_id == -1007
        await client.send_message(-1007, "x")
        with pytest.raises(BadRequest, match="Chat not found"):
            await client.send_message(99, "x")
        standin.unblock(AN)
        await client.send_message(AN, "x")

    told(standin, story)
    assert blocked["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    assert moved[0]["message"]["migrate_to_chat_id"] == -1007
    assert moved[1]["message"]["migrate_from_chat_id"] == GROUP
    assert standin.faults == []


def test_planned_trouble_comes_once_and_where_it_was_planned(standin: Standin) -> None:
    standin.next("sendMessage", status=500)
    standin.next("sendMessage", status=502, times=2)
    standin.next("sendMessage", retry_after=7, chat=AN)
    standin.next("sendMessage", status=403, description="Forbidden: user is deactivated")
    standin.next("sendMessage", migrate_to=-9)
    standin.next("sendMessage", cut="before")
    standin.next("sendMessage", cut="after")

    async def story(client: Bot) -> None:
        await client.send_chat_action(AN, "typing")
        errors: list[Exception] = []
        for _ in range(8):
            with pytest.raises(Exception) as caught:  # noqa: PT011
                await client.send_message(AN, f"{len(errors)}")
            errors.append(caught.value)
        kinds = [
            NetworkError,
            NetworkError,
            NetworkError,
            RetryAfter,
            Forbidden,
            ChatMigrated,
            NetworkError,
            NetworkError,
        ]
        assert [type(error) for error in errors] == kinds
        assert isinstance(errors[3], RetryAfter)
        assert errors[3].retry_after == timedelta(seconds=7)
        await client.send_message(AN, "8")

    told(standin, story)
    assert standin.chat(AN).texts == ["7", "8"], "what was cut afterwards had been done"
    assert [call.status for call in standin.called("sendMessage")] == [500, 502, 502, 429, 403, 400, 0, 0, 200]


def test_slow_answers_time_out_though_the_message_came(standin: Standin) -> None:
    standin.next("sendMessage", delay=0.9)

    async def story(client: Bot) -> None:
        with pytest.raises(TimedOut):
            await client.send_message(AN, "x")

    told(standin, story, patience=0.4)
    assert standin.chat(AN).texts == ["x"]


def test_too_fast_is_too_many() -> None:
    standin = Standin(rates=True, now=lambda: 1_790_000_000.0)
    for user in (AN, *range(100, 130)):
        standin.world.user(user)
    standin.world.group(GROUP)

    async def refused(client: Bot, chat: int, seconds: int) -> None:
        with pytest.raises(RetryAfter) as caught:
            await client.send_message(chat, "x")
        assert caught.value.retry_after == timedelta(seconds=seconds)

    async def story(client: Bot) -> None:
        for _ in range(5):
            await client.send_message(AN, "x")
        await refused(client, AN, 1)
        assert standin.rates.hasty == []
        await refused(client, AN, 1)
        assert standin.rates.hasty == [AN], "it came again before the time was over"
        standin.clock.advance(1)
        await client.send_message(AN, "x")
        for _ in range(20):
            await client.send_message(GROUP, "x")
        await refused(client, GROUP, 60)
        standin.clock.advance(60)
        for user in range(100, 130):
            await client.send_message(user, "x")
        await refused(client, AN, 1)

    with standin:
        told(standin, story)
    assert standin.faults == []


def test_a_strange_token_is_nobody(standin: Standin) -> None:
    async def story() -> None:
        with pytest.raises(InvalidToken):
            async with bot(standin, "123456:another-token-of-somebody-else"):
                pass

    asyncio.run(story())


# -- long polling


def test_polling_repeats_what_was_not_confirmed(standin: Standin) -> None:
    first, second = (standin.make.text(AN, text) for text in "ab")

    async def story(client: Bot) -> None:
        assert await client.get_updates() == ()
        for update in (first, second):
            assert (await standin.adeliver(update)).statuses == ()
        for _ in range(2):
            assert [each.update_id for each in await client.get_updates()] == [first["update_id"], second["update_id"]]
        assert len(await client.get_updates(limit=1)) == 1
        assert [each.message.text for each in await client.get_updates(first["update_id"] + 1) if each.message] == ["b"]
        assert await client.get_updates(second["update_id"] + 1) == ()
        assert await client.get_updates() == ()

    told(standin, story)


def test_polling_waits_and_wakes(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        waiting = asyncio.create_task(client.get_updates(timeout=5))
        await asyncio.to_thread(standin.wait_for, lambda: standin.inbox.poll == 1)
        assert not waiting.done()
        await standin.adeliver(standin.make.command(AN, "start", "xyz"))
        (update,) = await waiting
        assert update.message is not None
        assert update.message.text == "/start xyz"
        assert update.message.entities[0].type == "bot_command"

    told(standin, story)


def test_two_who_poll_and_a_webhook_exclude_each_other(standin: Standin) -> None:
    async def story(client: Bot) -> None:
        first = asyncio.create_task(client.get_updates(timeout=5))
        await asyncio.to_thread(standin.wait_for, lambda: standin.inbox.poll == 1)
        second = asyncio.create_task(client.get_updates(timeout=5))
        await asyncio.to_thread(standin.wait_for, lambda: standin.inbox.poll == 2)
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        await client.set_webhook("https://bot.example/hook")
        with pytest.raises(Conflict, match="terminated by setWebhook"):
            await second
        with pytest.raises(Conflict, match="webhook is active"):
            await client.get_updates()
        await client.delete_webhook()
        assert await client.get_updates() == ()

    told(standin, story)
    assert standin.faults == []


# -- the webhook


class Hook:
    """Our side: keeps what is posted, answers as told."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.posted: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> int:
        self.posted.append((url, headers, json.loads(body)))
        return self.statuses.pop(0) if self.statuses else 200

    def updates(self) -> list[int]:
        """The numbers of what was posted."""
        return [update["update_id"] for _, _, update in self.posted]


def test_the_webhook_gets_updates_with_the_secret_until_it_takes_them(standin: Standin) -> None:
    hook = standin.inbox.post = Hook(503, 0, 200)
    standin.inbox.reach["https://bot.example"] = "http://127.0.0.1:1"
    update = standin.make.text(AN, "你好")

    async def story(client: Bot) -> None:
        kinds = ["message", "callback_query"]
        assert await client.set_webhook("https://bot.example/hook", secret_token="s-1", allowed_updates=kinds)
        assert (await standin.adeliver(update, pause=0.001)).statuses == (503, 0, 200)
        info = await client.get_webhook_info()
        assert (info.url, info.max_connections, info.pending_update_count) == ("https://bot.example/hook", 40, 0)
        assert info.last_error_message == "Connection failed"
        assert info.allowed_updates == ("message", "callback_query")
        assert not (await standin.adeliver(standin.block(AN))).wanted

    told(standin, story)
    assert hook.updates() == [update["update_id"]] * 3
    assert hook.posted[0][0] == "http://127.0.0.1:1/hook"
    assert hook.posted[0][1][HEADER] == "s-1"
    assert hook.posted[0][2] == update


def test_what_is_not_taken_waits_and_holds_up_its_chat_alone(standin: Standin) -> None:
    hook = standin.inbox.post = Hook(500, 500, 500, 200)
    standin.inbox.set(read("application/json", b'{"url": "https://bot.example"}'))
    first, second, third = standin.make.text(AN, "a"), standin.make.text(AN, "b"), standin.make.text(AN, "c")
    other = standin.make.text(6, "d")
    assert not standin.deliver(first, tries=2, pause=0.001).taken
    assert standin.deliver(second, tries=1).statuses == ()
    assert standin.deliver(other).taken
    assert standin.inbox.info()["pending_update_count"] == 2
    assert standin.deliver(third).taken
    numbers = [each["update_id"] for each in (first, first, first, other, first, second, third)]
    assert hook.updates() == numbers
    assert standin.inbox.pending == []


def test_a_real_post_reaches_a_server_or_nobody(standin: Standin) -> None:
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async def story() -> None:
        url = f"http://127.0.0.1:{free_port()}/x"
        standin.inbox.set(read("application/json", json.dumps({"url": url, "secret_token": "s"}).encode()))
        assert (await standin.adeliver(standin.make.text(AN, "x"), pause=0.001)).statuses == (0, 0, 0, 0)
        async with await asyncio.start_server(hear, "127.0.0.1", int(url.split(":")[2][:-2])):
            assert (await standin.adeliver(standin.make.text(AN, "y"))).statuses == (200,)

    asyncio.run(story())
    assert [b"x-telegram-bot-api-secret-token: s" in each.lower() for each in heard] == [True] * 2


# -- what is made


def test_made_updates_are_what_the_client_reads(standin: Standin) -> None:
    client = bot(standin)
    updates = made(standin)
    read_again = [Update.de_json(update, client) for update in updates]
    assert len({update.update_id for update in read_again}) == len(updates)
    assert all(not update.api_kwargs for update in read_again)
    assert read_again[14].message is not None
    assert read_again[14].message.text == "@standin_test_bot hi"
    assert read_again[15].message is not None
    assert read_again[15].message.text == "/help@standin_test_bot"
    assert read_again[16].effective_user is None
    mark = updates[1]["edited_message"]["entities"][0]
    assert mark == {"type": "bot_command", "offset": 0, "length": 5}
    with pytest.raises(Breach, match="START_PARAM_TOO_LONG"):
        standin.make.command(AN, "start", "x" * 65)


@pytest.fixture
def spec() -> Spec:
    """The published Bot API, where it is at hand."""
    found = load()
    if found is None:
        pytest.skip("no copy of the Bot API at hand")
    return found


def test_made_updates_and_kinds_are_the_published_ones(standin: Standin, spec: Spec) -> None:
    for update in made(standin):
        assert spec.value(update, ["Update"], "update") == []
    assert {field["name"] for field in spec.types["Update"]["fields"]} == UPDATE_KINDS | {"update_id"}
    assert set(standin.methods) <= set(spec.methods)
    assert len(spec.types["BotCommandScope"]["subtypes"]) == len(SCOPES)


@pytest.mark.usefixtures("spec")
def test_calls_are_held_to_the_published_ones(standin: Standin) -> None:
    with httpx.Client(trust_env=False, verify=False) as client:
        for method, given, status, says in HELD:
            standin.faults.clear()
            response = client.post(f"{standin.base_url}{TOKEN}/{method}", json={"chat_id": AN, "text": "x", **given})
            assert response.status_code == response.json()["error_code"] == status
            assert any(says in fault.description for fault in standin.faults), (says, standin.faults)


# -- markup


@pytest.mark.parametrize("case", MARKUP)
def test_markup_becomes_what_is_seen(case: str) -> None:
    source, text, entities = MARKUP[case]
    seen, found = trim(*parse(source))
    assert seen == text
    assert [(each["type"], each["offset"], each["length"]) for each in found] == entities


@pytest.mark.parametrize("source", BROKEN)
def test_broken_markup_is_refused_in_telegrams_words(source: str) -> None:
    with pytest.raises(Breach) as caught:
        parse(source)
    assert caught.value.description.startswith(f"Bad Request: can't parse entities: {BROKEN[source]}")


def test_the_table_is_whole() -> None:
    assert all(limit.unit in ("utf16", "bytes", "items", "value") and limit.remark for limit in LIMITS.values())
    assert [link_fault(url) for url in ("a.example/x", "https://127.0.0.1:8000", "tg://user?id=5")] == [""] * 3
