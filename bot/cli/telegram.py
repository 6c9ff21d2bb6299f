"""`telegram`: what Telegram shows of the bot, and where it sends messages."""

from __future__ import annotations

import asyncio

import click

from bot.cli.serving import _config
from bot.config import Config
from knowledge.catalog import Catalog
from knowledge.library import load


@click.group()
def telegram() -> None:
    """The Telegram bot's settings at Telegram."""


@telegram.command()
def push() -> None:
    """Set commands, descriptions and the webhook at Telegram; may be repeated."""
    from bot.channels import telegram_setup as setup

    config = _config()
    if not config.telegram_on:
        raise click.ClickException("LABOR_BOT_TELEGRAM_TOKEN is not set: BotFather gives it.")
    webhook = None if config.telegram_polling else _webhook(config)
    catalog = Catalog.of(load())
    shown = setup.words(lambda lang, key: catalog.text(lang, key).text)
    try:
        asyncio.run(setup.push(config.telegram_token, config.telegram_api_base, shown, webhook, click.echo))
    except setup.SetupRefused as error:
        raise click.ClickException(str(error)) from None


def _webhook(config: Config) -> tuple[str, str]:
    """Telegram itself posts to https only; a Bot API server of one's own posts anywhere."""
    own_server = config.telegram_api_base.startswith("http://")
    if not config.secure and not (own_server and config.public_url):
        raise click.ClickException(
            "Telegram posts to https addresses only: set LABOR_BOT_PUBLIC_URL to one,"
            " or LABOR_BOT_TELEGRAM_MODE=polling."
        )
    return config.public_url, config.telegram_secret
