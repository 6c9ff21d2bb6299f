"""The command line: every verb of `labor-bot`."""

from bot.cli.main import main

__all__ = ["main"]
