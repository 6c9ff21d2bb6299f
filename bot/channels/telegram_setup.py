"""What Telegram shows of the bot and where it sends updates, set once and again after each change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from telegram import Bot, BotCommand, MenuButtonCommands
from telegram.error import InvalidToken, NetworkError, TelegramError

from bot.channels.telegram_events import ALLOWED
from bot.channels.telegram_wire import Broken, NotSent, TooFast, Unknown, bot_of
from bot.render.limits import cut_utf16

COMMANDS = ("start", "menu", "check", "person", "language", "privacy", "withdraw", "forget")
LANGUAGES = {"zh": "zh-TW", "en": "en", "vi": "vi", "id": "id", "th": "th", "tl": "fil", "": "en"}
"""Telegram's two letters and our language. No letters: everybody else; last, since it stands in for what is not set."""
COMMAND_UTF16, ABOUT_UTF16, SHORT_UTF16 = 256, 512, 120
CONNECTIONS = 40
KEY = "platform.telegram."  # of the catalog
PATH = "/webhook/telegram"
Say = Callable[[str], None]
Text = Callable[[str, str], str]


class SetupRefused(Exception):
    """Telegram did not take a setting; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is shown to readers of one language: a line for each command, and what the bot is."""

    commands: tuple[tuple[str, str], ...]
    about: str


def words(text: Text) -> dict[str, Words]:
    """The words by Telegram's two letters. `text` gives the text of a language and a key."""
    return {
        code: Words(
            tuple((name, cut_utf16(text(lang, f"{KEY}{name}"), COMMAND_UTF16)) for name in COMMANDS),
            text(lang, f"{KEY}about"),
        )
        for code, lang in LANGUAGES.items()
    }


async def push(
    token: str, api_base: str, shown: Mapping[str, Words], webhook: tuple[str, str] | None, say: Say
) -> None:
    """Set everything, and say each thing done. `webhook`: our public address and the secret; None: polling.

    Raises SetupRefused. What is as it should be is left alone, so that a second try goes on where the first ended.
    """
    bot = bot_of(token, api_base)
    try:
        await bot.request.initialize()
        await describe(bot, shown, say)
        await (hook(bot, *webhook, say) if webhook else unhook(bot, say))
    except TelegramError as error:
        raise SetupRefused(_reason(error, api_base)) from None
    finally:
        await bot.request.shutdown()


async def describe(bot: Bot, shown: Mapping[str, Words], say: Say) -> None:
    """Commands, the text before the first message and the one of the profile, in each language; the menu button."""
    for code, each in shown.items():
        await _describe(bot, code, each, say)
    await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
    say("menu button: commands")


async def _describe(bot: Bot, code: str, shown: Words, say: Say) -> None:
    where = code or "default"
    commands = [BotCommand(name, line) for name, line in shown.commands]
    if changed := list(await bot.get_my_commands(language_code=code)) != commands:
        await bot.set_my_commands(commands, language_code=code)
    _report(say, f"commands ({where})", changed)
    about = cut_utf16(shown.about, ABOUT_UTF16)
    if changed := (await bot.get_my_description(code)).description != about:
        await bot.set_my_description(about, code)
    _report(say, f"description ({where})", changed)
    short = cut_utf16(shown.about, SHORT_UTF16)
    if changed := (await bot.get_my_short_description(code)).short_description != short:
        await bot.set_my_short_description(short, code)
    _report(say, f"short description ({where})", changed)


async def hook(bot: Bot, public_url: str, secret: str, say: Say) -> None:
    """Updates are posted to our public address, with the secret."""
    await bot.set_webhook(public_url + PATH, secret_token=secret, allowed_updates=ALLOWED, max_connections=CONNECTIONS)
    say(f"webhook: {public_url}{PATH}")


async def unhook(bot: Bot, say: Say) -> None:
    """Updates wait to be asked for; none is lost."""
    await bot.delete_webhook(drop_pending_updates=False)
    say("webhook: none, updates are asked for (polling)")


def _report(say: Say, what: str, changed: bool) -> None:
    say(f"{what}: {'set' if changed else 'unchanged'}")


def _reason(error: TelegramError, api_base: str) -> str:
    """In an operator's words. The SDK's own may hold the token."""
    if isinstance(error, InvalidToken):
        return "Telegram does not know this bot: check LABOR_BOT_TELEGRAM_TOKEN."
    if isinstance(error, TooFast):
        return f"Telegram asks to wait {error.seconds:.0f} seconds: run the command again after that."
    if isinstance(error, NotSent | Unknown | Broken):
        return f"Telegram does not answer at {api_base}: check the network and LABOR_BOT_TELEGRAM_API_BASE."
    if isinstance(error, NetworkError):
        return f"Telegram refuses: {error.message}"
    return f"Telegram refuses: {type(error).__name__}"
