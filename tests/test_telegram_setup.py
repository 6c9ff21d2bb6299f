"""`telegram push`: what Telegram shows of the bot in each language, the webhook, and clear words when it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from conftest import free_port
from standins.telegram import TOKEN, Standin

from bot.channels.telegram_events import COMMANDS as UNDERSTOOD
from bot.channels.telegram_inbox import ALLOWED
from bot.channels.telegram_setup import COMMANDS, LANGUAGES, Words, describe
from bot.channels.telegram_wire import bot_of
from bot.cli.telegram import telegram
from bot.render.limits import utf16

PUBLIC = "https://bot.example"


@pytest.fixture
def tg() -> Iterator[Standin]:
    with Standin() as standin:
        yield standin


def pushed(tg: Standin, **settings: str) -> Result:
    """What the command says with these settings."""
    given = {
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_SECRET": "s-1",
        "TELEGRAM_API_BASE": tg.base_url,
        "PUBLIC_URL": PUBLIC,
        **settings,
    }
    return CliRunner().invoke(telegram, ["push"], env={f"LABOR_BOT_{name}": value for name, value in given.items()})


def test_everything_is_set_in_each_language(tg: Standin) -> None:
    result = pushed(tg)
    assert result.exit_code == 0, result.output
    commands = {code: each for (scope, code), each in tg.settings.commands.items()}
    assert commands.keys() == LANGUAGES.keys()
    assert all(tuple(each["command"] for each in found) == COMMANDS for found in commands.values())
    assert commands[""] == commands["en"]
    lines = {code: tuple(each["description"] for each in found) for code, found in commands.items()}
    assert len(set(lines.values())) == len(LANGUAGES) - 1, "each language has its own words"
    for code in LANGUAGES:
        assert tg.settings.texts["description", code]
        assert 0 < utf16(tg.settings.texts["short_description", code]) <= 120
    assert tg.settings.menus[0]["type"] == "commands"
    webhook = tg.inbox.webhook
    assert webhook is not None
    assert (webhook.url, webhook.secret, webhook.connections) == (f"{PUBLIC}/webhook/telegram", "s-1", 40)
    assert tg.inbox.allowed == list(ALLOWED)
    assert "commands (zh): set" in result.output
    assert tg.faults == []


def test_every_command_that_is_shown_is_understood() -> None:
    assert set(COMMANDS) <= UNDERSTOOD.keys()


def test_a_second_time_changes_nothing(tg: Standin) -> None:
    first = pushed(tg)
    writes = len([call for call in tg.calls if call.method.startswith("setMy")])
    second = pushed(tg)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert len([call for call in tg.calls if call.method.startswith("setMy")]) == writes
    assert "commands (zh): unchanged" in second.output


def test_long_words_are_cut_to_what_telegram_takes(tg: Standin) -> None:
    async def story() -> None:
        bot = bot_of(TOKEN, tg.base_url)
        await describe(bot, {"th": Words((("menu", "x"),), "ที่😀" * 300)}, lambda line: None)
        await bot.request.shutdown()

    asyncio.run(story())
    assert 500 < utf16(tg.settings.texts["description", "th"]) <= 512
    assert 110 < utf16(tg.settings.texts["short_description", "th"]) <= 120
    assert tg.faults == []


def test_polling_needs_no_address_and_ends_the_webhook(tg: Standin) -> None:
    assert pushed(tg).exit_code == 0
    tg.inbox.pending.append(tg.make.text(5, "waits"))
    result = pushed(tg, TELEGRAM_MODE="polling", TELEGRAM_SECRET="", PUBLIC_URL="")
    assert result.exit_code == 0, result.output
    assert tg.inbox.webhook is None
    assert len(tg.inbox.pending) == 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"TELEGRAM_TOKEN": ""}, "LABOR_BOT_TELEGRAM_TOKEN is not set"),
        ({"PUBLIC_URL": ""}, "https"),
        ({"PUBLIC_URL": "http://bot.example", "TELEGRAM_API_BASE": "https://api.telegram.org/bot"}, "https"),
        ({"PUBLIC_URL": "https://bot.example:444"}, "can be set up only on ports"),
        ({"TELEGRAM_TOKEN": "123456:another-token-of-somebody-else"}, "does not know this bot"),
        ({"TELEGRAM_API_BASE": f"http://127.0.0.1:{free_port()}/bot"}, "does not answer"),
        ({"TELEGRAM_API_BASE": "http://127.0.0.1/"}, "must end in /bot"),
    ],
)
def test_what_is_wrong_is_said_clearly(tg: Standin, settings: dict[str, str], says: str) -> None:
    result = pushed(tg, **settings)
    assert result.exit_code == 1
    assert says in result.output
    assert "another-token" not in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ({"retry_after": 40}, "wait 40 seconds"),
        ({"status": 502}, "does not answer"),
        ({"status": 403, "description": "Forbidden: x"}, "refuses"),
    ],
)
def test_a_refusal_in_between_is_said_and_the_next_try_goes_on(
    tg: Standin, trouble: dict[str, object], says: str
) -> None:
    tg.next("setMyDescription", **trouble)
    result = pushed(tg)
    assert result.exit_code == 1
    assert says in result.output
    again = pushed(tg)
    assert again.exit_code == 0
    assert "commands (zh): unchanged" in again.output
    assert "commands (en): set" in again.output
