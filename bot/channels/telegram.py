"""The sending side of Telegram: replies as messages, in the order and at the pace that Telegram takes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, LinkPreviewOptions, ReplyKeyboardMarkup
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, TelegramError

from bot import observe
from bot.channels.port import Allowance, FetchFailed, Parcel, Receipt, Sent
from bot.channels.telegram_events import DOWNLOAD_BYTES, Self
from bot.channels.telegram_pace import Pace
from bot.channels.telegram_wire import AT_ONCE, TooFast, bot_of, later, receipt
from bot.messages import Address, Attachment
from bot.render.telegram import TelegramMessage, messages

CONNECTIONS = 100
ANSWERS_WAITING = 200
ANSWERS_AT_ONCE = 8
SEND_SECONDS = 20.0  # one parcel keeps its sender no longer, even where every message times out
FETCH_SECONDS = 60.0
ASK_AGAIN_SECONDS = 30.0
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_FORM = ("parse entities", "entit", "markup", "keyboard", "button", "unsupported start tag")


class TelegramChannel:
    """One bot. `api_base` ends in /bot; `monotonic` gives seconds."""

    bundles = False

    def __init__(self, token: str, api_base: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.bot = bot_of(token, api_base, CONNECTIONS)
        self._monotonic = monotonic
        self._pace = Pace(monotonic)
        self._me = Self(token.partition(":")[0])
        self._ask_again = float("-inf")
        self._asking: set[asyncio.Task[None]] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._answering = asyncio.Semaphore(ANSWERS_AT_ONCE)

    # -- running

    async def open(self) -> None:
        """Connect, and learn our own name; where Telegram does not answer, later."""
        await self.bot.request.initialize()
        await self._introduce()

    async def close(self) -> None:
        """Let go of every connection."""
        for task in (tasks := [*self._asking, *self._answers]):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.bot.request.shutdown()

    def me(self) -> Self:
        """Who we are. While our name is not known, Telegram is asked for it now and then, beside everything else."""
        if not self._me.username and not self._asking and self._monotonic() >= self._ask_again and _in_loop():
            _start(self._introduce(), self._asking)
        return self._me

    async def _introduce(self) -> None:
        self._ask_again = self._monotonic() + ASK_AGAIN_SECONDS
        try:
            user = await self.bot.get_me()
        except TelegramError as error:
            observe.failure("telegram getMe", error)
            return
        self._me = Self(str(user.id), user.username or "")

    # -- sending

    async def send(self, parcel: Parcel) -> Receipt:
        """Send one parcel message by message. Never waits: what may not go yet comes back with a delay."""
        chat, unsure, until = parcel.address.user, parcel.unsure, self._monotonic() + SEND_SECONDS
        for done, parts, message in list(_waiting(parcel)):
            found = self._not_yet(chat, until) or await self._message(chat, message)
            if found.result not in (Sent.SENT, Sent.PROBABLY):
                return replace(found, done=done, parts=parts, unsure=unsure)
            unsure = unsure or found.result is Sent.PROBABLY
        return Receipt(Sent.PROBABLY, "no answer", unsure=True) if unsure else Receipt(Sent.SENT)

    def _not_yet(self, chat: str, until: float) -> Receipt | None:
        if self._monotonic() > until:
            return Receipt(Sent.RETRY, "slow", AT_ONCE, outage=True)
        wait = self._pace.wait(chat)
        return later("pace", wait) if wait else None

    async def _message(self, chat: str, message: TelegramMessage) -> Receipt:
        try:
            await self.bot.send_message(
                chat,
                message.html,
                parse_mode=ParseMode.HTML,
                reply_markup=_markup(message),
                link_preview_options=NO_PREVIEW,
            )
        except BadRequest as error:
            return await self._plain(chat, message) if _about_form(error) else receipt(error)
        except TelegramError as error:
            return self._trouble(chat, error)
        return Receipt(Sent.SENT)

    async def _plain(self, chat: str, message: TelegramMessage) -> Receipt:
        """The words alone, where Telegram refused their form: better than nothing."""
        observe.count("telegram.plain")
        try:
            await self.bot.send_message(chat, message.plain, link_preview_options=NO_PREVIEW)
        except TelegramError as error:
            return self._trouble(chat, error)
        return Receipt(Sent.SENT)

    def _trouble(self, chat: str, error: TelegramError) -> Receipt:
        if isinstance(error, TooFast) and error.seconds:
            self._pace.hold(chat, error.seconds)
        found = receipt(error)
        observe.count(f"telegram.{found.result}")
        return found

    # -- beside sending

    def answer(self, query: str) -> None:
        """Let a tapped button stop spinning, beside everything else. Of too many some go unanswered."""
        if len(self._answers) >= ANSWERS_WAITING:
            observe.count("telegram.unanswered")
            return
        _start(self._answer(query), self._answers)

    async def _answer(self, query: str) -> None:
        async with self._answering:
            try:
                await self.bot.answer_callback_query(query)
            except TelegramError:  # too late: the button has stopped by itself
                observe.count("telegram.answer_failed")

    async def language(self, address: Address) -> str:
        """Empty: updates carry the language themselves."""
        return ""

    async def working(self, address: Address) -> None:
        """Show that an answer is being typed; it does not matter where that fails."""
        try:
            await self.bot.send_chat_action(address.user, ChatAction.TYPING)
        except TelegramError:
            observe.count("telegram.working_failed")

    async def link_menu(self, address: Address, lang: str) -> bool:
        """True: the menu follows the language of the person's own program."""
        return True

    async def menus(self) -> str:
        """None: commands are the same for all who read a language."""
        return ""

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """The content of a file, at most `limit` bytes and what Telegram lets a bot load.

        Raises FetchFailed.
        """
        most = min(limit, DOWNLOAD_BYTES)
        if attachment.size > most:
            raise FetchFailed("large", final=True)
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._fetch(attachment.ref, most)
        except BadRequest as error:
            raise _unfetched(error) from None
        except (TelegramError, TimeoutError, RuntimeError) as error:  # RuntimeError: Telegram gave no path
            raise FetchFailed(type(error).__name__, final=False) from None

    async def _fetch(self, ref: str, most: int) -> bytes:
        file = await self.bot.get_file(ref)
        if (file.file_size or 0) > most:
            raise FetchFailed("large", final=True)
        if file.file_path and not file.file_path.startswith(f"{self.bot.base_file_url}/"):
            # A path that exists on this machine: the SDK would read that file.
            raise FetchFailed("path", final=True)
        content = bytes(await file.download_as_bytearray())
        if len(content) > most:
            raise FetchFailed("large", final=True)
        return content

    def allowance(self) -> Allowance | None:
        """None: there is no quota."""
        return None

    def resume_url(self, token: str) -> str:
        """A link that opens a chat here and carries a resume token; empty while our name is not known."""
        name = self.me().username
        return f"https://t.me/{name}?start={token}" if name else ""


def _waiting(parcel: Parcel) -> Iterator[tuple[int, int, TelegramMessage]]:
    """What is still to be sent: how many replies, and of the next one messages, are there already, and the message."""
    private = not parcel.address.user.startswith("-")
    for done, reply in enumerate(parcel.replies):
        for parts, message in enumerate(messages([reply], private)):
            if done or parts >= parcel.skip:
                yield done, parts, message


def _markup(message: TelegramMessage) -> InlineKeyboardMarkup | ReplyKeyboardMarkup | None:
    if message.ask_location:
        button = KeyboardButton(message.ask_location, request_location=True)
        return ReplyKeyboardMarkup([[button]], resize_keyboard=True, one_time_keyboard=True)
    if not message.rows:
        return None
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(button["text"], button.get("url"), button.get("callback_data")) for button in row]
            for row in message.rows
        ]
    )


def _about_form(error: BadRequest) -> bool:
    words = error.message.lower()
    return any(part in words for part in _FORM)


def _unfetched(error: BadRequest) -> FetchFailed:
    words = error.message.lower()
    if "too big" in words:
        return FetchFailed("large", final=True)
    return FetchFailed("refused", final="temporarily unavailable" not in words)


def _start(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
