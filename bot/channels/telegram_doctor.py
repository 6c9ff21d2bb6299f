"""Asks Telegram whether the bot, its webhook and the staff group are set up as the house needs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from telegram import Bot, BotCommand, User, WebhookInfo
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError

from bot.channels.checkup import Finding, clock, elsewhere, fail, near, ok, warn
from bot.channels.telegram_events import ALLOWED
from bot.channels.telegram_setup import PATH, Words
from bot.channels.telegram_wire import TooFast, bot_of, raw

SECONDS = 10.0  # for each question
MANY_WAIT = 100
ERROR_LETTERS = 200
PUSH = "run `labor-bot telegram push`."
TOKEN, STAFF_TOKEN = "LABOR_BOT_TELEGRAM_TOKEN", "LABOR_BOT_STAFF_TELEGRAM_TOKEN"
CHAT = "LABOR_BOT_STAFF_TELEGRAM_CHAT"
FAILURES = (TelegramError, TimeoutError, ValueError)
T = TypeVar("T")
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """How it should be: our public address, whether updates are asked for instead, what is shown by language."""

    public_url: str
    polling: bool
    shown: Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class Staff:
    """The staff group's bot and group, and the token of the citizens' bot, which should be another one."""

    token: str
    chat: str
    citizens: str


async def examine(token: str, api_base: str, expected: Expected) -> list[Finding]:
    """The citizens' bot; where the token is refused, that alone."""
    async with _asking(token, api_base) as bot:
        try:
            found = _introduced("telegram token", await _within(bot.get_me()))
        except FAILURES as error:
            return [fail("telegram token", _reason(error, api_base, TOKEN))]
        for name, question in (("telegram webhook", _webhook), ("telegram commands", _commands)):
            try:
                found += await question(bot, api_base, expected)
            except FAILURES as error:
                found.append(fail(name, _reason(error, api_base, TOKEN)))
        return found


async def examine_staff(staff: Staff, api_base: str) -> list[Finding]:
    """The staff group's bot, and what it may do in the group."""
    async with _asking(staff.token, api_base) as bot:
        try:
            me = await _within(bot.get_me())
        except FAILURES as error:
            return [fail("staff notice token", _reason(error, api_base, STAFF_TOKEN))]
        found = [ok("staff notice token", f"accepted, @{me.username}")]
        if staff.token == staff.citizens:
            text = f"it is the citizens' bot, whose messages then wait for the group's: set {STAFF_TOKEN} to another's."
            found = [warn("staff notice token", text)]
        try:
            return [*found, *await _group(bot, staff.chat, me.id)]
        except FAILURES as error:
            return [*found, fail("staff notice group", _reason(error, api_base, STAFF_TOKEN))]


async def examine_clock(api_base: str, now: Callable[[], float]) -> Finding:
    """Telegram's time, by any answer of its server; no token is needed. `now` gives Unix seconds."""
    parts = urlsplit(api_base)
    try:
        async with httpx.AsyncClient(timeout=SECONDS, trust_env=not near(api_base)) as client:
            answer = await _within(client.get(f"{parts.scheme}://{parts.netloc}/"))
    except (httpx.HTTPError, TimeoutError):
        return clock("Telegram", "", now())
    return clock("Telegram", answer.headers.get("Date", ""), now())


@asynccontextmanager
async def _asking(token: str, api_base: str) -> AsyncIterator[Bot]:
    bot = bot_of(token, api_base)
    try:
        await bot.request.initialize()
        yield bot
    finally:
        await bot.request.shutdown()


async def _within(question: Awaitable[T]) -> T:
    async with asyncio.timeout(SECONDS):
        return await question


def _introduced(name: str, me: User) -> list[Finding]:
    found = [ok(name, f"accepted, {me.full_name} (@{me.username})")]
    if me.can_read_all_group_messages:
        found.append(
            warn(
                "telegram privacy mode",
                "off, so that Telegram sends us all that is said in groups: switch it on with /setprivacy in BotFather"
                " and add the bot to its groups anew.",
            )
        )
    else:
        found.append(ok("telegram privacy mode", "on: of groups we see only what is said to us"))
    return found


# -- the webhook


async def _webhook(bot: Bot, api_base: str, expected: Expected) -> list[Finding]:
    name, url = "telegram webhook", expected.public_url
    info = await _within(bot.get_webhook_info())
    if expected.polling:
        if info.url:
            return [fail(name, f"Telegram posts to {elsewhere(info.url, '')}, so nothing can be asked for: {PUSH}")]
        return [ok(name, "none, updates are asked for (polling)"), *_waiting(info)]
    if not url.startswith("https://") and not (url and api_base.startswith("http://")):
        text = "Telegram posts to https addresses only: set LABOR_BOT_PUBLIC_URL, or LABOR_BOT_TELEGRAM_MODE=polling."
        return [fail(name, text)]
    return [*_hooked(info, url + PATH), *_waiting(info)]


def _hooked(info: WebhookInfo, ours: str) -> Iterator[Finding]:
    name = "telegram webhook"
    if info.url == ours:
        yield ok(name, ours)
    elif info.url:
        yield fail(name, f"Telegram posts to {elsewhere(info.url, ours)}: {PUSH}")
    else:
        yield fail(name, f"none is set: {PUSH}")
        return
    if info.has_custom_certificate:
        text = f"Telegram trusts an uploaded certificate alone; with a public one at the proxy none is needed: {PUSH}"
        yield warn("telegram certificate", text)
    missing = set(ALLOWED).difference(info.allowed_updates or ALLOWED)
    if missing:
        yield fail("telegram updates", f"not sent to us: {', '.join(sorted(missing))}: {PUSH}")


def _waiting(info: WebhookInfo) -> Iterator[Finding]:
    """What Telegram could not deliver yet, and why."""
    count = info.pending_update_count
    if count >= MANY_WAIT:
        yield warn("telegram pending", f"{count} updates wait at Telegram: start the server, or see why it is slow.")
    else:
        yield ok("telegram pending", f"{count} updates wait at Telegram")
    if info.last_error_message:
        at = f"{info.last_error_date:%Y-%m-%d %H:%M} UTC" if info.last_error_date else "some time ago"
        words = " ".join(info.last_error_message.split())[:ERROR_LETTERS]
        secret = "401" in words
        todo = f"the secret there is another one: {PUSH}" if secret else "check server, proxy and certificate."
        yield warn("telegram delivery", f'last trouble {at}, "{words}": {todo}')


# -- what is shown


async def _commands(bot: Bot, api_base: str, expected: Expected) -> list[Finding]:
    """The commands of each language against ours."""
    other = []
    for code, words in expected.shown.items():
        there = await _within(bot.get_my_commands(language_code=code))
        if list(there) != [BotCommand(name, line) for name, line in words.commands]:
            other.append(code or "default")
    if other:
        return [warn("telegram commands", f"missing or of an older version: {', '.join(other)}: {PUSH}")]
    return [ok("telegram commands", ", ".join(code or "default" for code in expected.shown))]


# -- the staff group


async def _group(bot: Bot, chat: str, me: int) -> list[Finding]:
    name = "staff notice group"
    try:
        about = await _within(raw(bot, "get__chat", chat_id=chat))
    except ChatMigrated as error:
        moved = str(error.new_chat_id)
        return [warn(name, f"it has another id since it grew: set {CHAT} to {moved}."), *await _group(bot, moved, me)]
    except (BadRequest, Forbidden):
        return [fail(name, f"not found: add the bot to the group, and set {CHAT} to the group's id (as -100123...).")]
    if about.get("type") not in ("group", "supergroup"):
        return [fail(name, f"{CHAT} is not a group's id: such ids begin with -.")]
    found = [ok(name, "reachable")]
    if about.get("username"):
        found = [warn(name, "it is public, so that anybody can read the notices: make the group private.")]
    member = await _within(raw(bot, "get__chat__member", chat_id=chat, user_id=me))
    return [*found, *_rights(about, member)]


def _rights(about: Fields, member: Fields) -> Iterator[Finding]:
    """Whether the bot may post; in a forum also whether it may open its topic."""
    name = "staff notice rights"
    if not _may(about, member, "can_send_messages"):
        yield fail(name, "the bot may not post: add it to the group, and let it send messages.")
    elif about.get("is_forum") is True and not _may(about, member, "can_manage_topics"):
        text = (
            'the bot may not open a topic, so that notices go to "General": make it administrator with Manage topics.'
        )
        yield warn(name, text)
    else:
        yield ok(name, "can post, in a topic of its own" if about.get("is_forum") is True else "can post")


def _may(about: Fields, member: Fields, right: str) -> bool:
    """An administrator has rights of its own and may always write; others have the group's."""
    status = member.get("status")
    if status in ("creator", "administrator"):
        return status == "creator" or right == "can_send_messages" or member.get(right) is True
    if status == "restricted":
        return member.get("is_member") is not False and member.get(right) is True
    if status != "member":
        return False
    permissions = about.get("permissions") or {}
    return permissions.get(right, right == "can_send_messages") is True


def _reason(error: Exception, api_base: str, setting: str) -> str:
    """In an operator's words. The SDK's own may hold the token."""
    if isinstance(error, InvalidToken):
        return f"Telegram does not know this bot: set {setting} to what BotFather gives for /token."
    if isinstance(error, TooFast):
        return f"Telegram asks to wait {error.seconds:.0f} seconds: run the doctor again after that."
    if isinstance(error, BadRequest | Forbidden):
        return f"Telegram refuses the question ({type(error).__name__}): update python-telegram-bot."
    return f"Telegram does not answer at {api_base}: check the network and LABOR_BOT_TELEGRAM_API_BASE."
