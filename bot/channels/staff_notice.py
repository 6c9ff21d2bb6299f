"""Tells a staff group on Telegram of something, by a bot of its own, so that citizens' messages never wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, TelegramError

from bot import observe
from bot.channels.port import Receipt, Sent
from bot.channels.telegram import NO_PREVIEW
from bot.channels.telegram_pace import Pace
from bot.channels.telegram_wire import TooFast, bot_of, later, raw, receipt

CHAT, TOPIC = "staff.chat", "staff.topic"
OF = ".of"  # beside a kept id: for which group it holds, since the setting may name another one tomorrow
NAME_LETTERS = 128
_GONE = ("thread not found", "topic_deleted", "topic_closed")


class StaffNotice:
    """One group. `kept` gives what `keep` was told, also by an earlier process; `topic` names our topic in a forum."""

    def __init__(
        self,
        token: str,
        chat: str,
        api_base: str,
        kept: Callable[[], Mapping[str, str]],
        keep: Callable[[str, str], Awaitable[None]],
        topic: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bot = bot_of(token, api_base)
        self._configured = chat
        self._kept, self._keep = kept, keep
        self._name = topic[:NAME_LETTERS]
        self._pace = Pace(monotonic)
        self._forums: dict[str, bool] = {}
        self._fresh: dict[str, str] = {}
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Let go of every connection."""
        await self._bot.request.shutdown()

    async def post(self, html: str) -> Receipt:
        """Post a text, escaped for Telegram's HTML already. Never raises; RETRY says when to come again."""
        wait = self._pace.wait(self._chat())
        if wait:
            return later("pace", wait)
        try:
            await self._post(html)
        except TelegramError as error:
            observe.count("staff_notice.failed")
            if isinstance(error, TooFast) and error.seconds:
                self._pace.hold(self._chat(), error.seconds)
            return receipt(error)
        return Receipt(Sent.SENT)

    async def _post(self, html: str) -> None:
        try:
            await self._in_topic(html)
        except ChatMigrated as error:
            await self._remember(CHAT, str(error.new_chat_id), self._configured)
            await self._in_topic(html)

    async def _in_topic(self, html: str) -> None:
        chat = self._chat()
        thread = await self._thread(chat)
        try:
            await self._send(chat, thread, html)
        except BadRequest as error:
            if not thread or not any(words in error.message.lower() for words in _GONE):
                raise
            await self._send(chat, await self._opened(chat, instead=thread), html)

    async def _send(self, chat: str, thread: str, html: str) -> None:
        await self._bot.send_message(
            chat,
            html,
            parse_mode=ParseMode.HTML,
            message_thread_id=int(thread) if thread else None,
            link_preview_options=NO_PREVIEW,
        )

    # -- the topic

    async def _thread(self, chat: str) -> str:
        """The id of our topic; empty where there is none."""
        if chat not in self._forums:
            about = await raw(self._bot, "get__chat", chat_id=chat)
            self._forums[chat] = isinstance(about, dict) and about.get("is_forum") is True
        if not self._forums[chat]:
            return ""
        return self._known(TOPIC, chat) or await self._opened(chat, instead="")

    async def _opened(self, chat: str, instead: str) -> str:
        """A topic in place of one that is gone. Of several posts that miss it one opens it, for all."""
        async with self._opening:
            thread = self._known(TOPIC, chat)
            if thread != instead or not self._forums[chat]:
                return thread if self._forums[chat] else ""
            self._pace.count(chat)
            try:
                topic = await self._bot.create_forum_topic(chat, self._name)
            except BadRequest:  # topics were switched off, or we may not open one
                observe.count("staff_notice.no_topic")
                self._forums[chat] = False
                return ""
            thread = str(topic.message_thread_id)
            await self._remember(TOPIC, thread, chat)
            return thread

    # -- what is remembered

    def _chat(self) -> str:
        return self._known(CHAT, self._configured) or self._configured

    def _known(self, key: str, of: str) -> str:
        """What is kept under a key, if it holds for this group."""
        known = {**self._kept(), **self._fresh}
        return known.get(key, "") if known.get(key + OF) == of else ""

    async def _remember(self, key: str, value: str, of: str) -> None:
        """Keep it; where nothing can be kept now, it holds until the process ends."""
        self._fresh |= {key: value, key + OF: of}
        try:
            await self._keep(key + OF, of)
            await self._keep(key, value)
        except OSError as error:
            observe.failure("staff notice", error)
