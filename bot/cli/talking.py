"""`ask` and `chat`: one message, or a whole conversation, without a server."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import click

from bot import clock, observe

ONE_TURN = "ask"


def json_lines(stream: TextIO) -> Iterator[dict[str, Any]]:
    """Each line as an object; what is none becomes {"error": why}. Empty lines are passed over."""
    for line in stream:
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            yield {"error": "not JSON"}
            continue
        yield found if isinstance(found, dict) else {"error": "not an object"}


def _utf8() -> None:
    """Input with broken bytes is read with replacement marks, never refused."""
    if isinstance(sys.stdin, TextIO) or hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")


@click.command()
@click.option("--jsonl", is_flag=True, help='Read {"id", "text", "lang"?} a line, write one line of JSON each.')
@click.option("--lang", default="", help="The writer's language, if known.")
@click.argument("text", nargs=-1)
def ask(jsonl: bool, lang: str, text: tuple[str, ...]) -> None:
    """Understand one message and print the answer (or many, as JSON lines)."""
    from bot.cli.answering import Answering
    from bot.cli.serving import patient_encoder
    from bot.pipeline.resources import load_resources

    _utf8()
    answering = Answering(load_resources(encoder=patient_encoder()))
    if not jsonl:
        click.echo(answering.shown(" ".join(text), lang))
        return
    for line in json_lines(sys.stdin):
        message = line.get("text")
        answer = answering.answer(message if isinstance(message, str) else "", str(line.get("lang") or ""))
        sys.stdout.write(json.dumps({"id": line.get("id"), **answer}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


@click.command()
@click.option(
    "--jsonl", is_flag=True, help='Read {"text"} or {"choice"} (and "now") a line, write one line of JSON each.'
)
@click.option("--lang", default="", help="Start in this language.")
@click.option("--now", "now_iso", default="", help="Pretend that it is this ISO time.")
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Database to keep the conversation in (default: a passing one)."
)
def chat(jsonl: bool, lang: str, now_iso: str, keep: Path | None) -> None:
    """Talk with the assistant in the terminal; the same conversation as anywhere else."""
    _utf8()
    observe.setup("ERROR")
    if now_iso:
        _moment(now_iso)
    with tempfile.TemporaryDirectory() as passing:
        database = keep or Path(passing) / "chat.db"
        asyncio.run(_jsonl(database, lang, now_iso) if jsonl else _terminal(database, lang, now_iso))


def _moment(iso: str) -> datetime:
    try:
        return clock.parse(iso)
    except ValueError:
        raise click.ClickException(f"--now: {iso!r} is no ISO date or time.") from None


async def _jsonl(database: Path, lang: str, now_iso: str) -> None:
    from bot.cli.conversation import Conversation

    async with Conversation.open(database, lang, now_iso) as conversation:
        for line in json_lines(sys.stdin):
            sys.stdout.write(json.dumps(await conversation.line(line), ensure_ascii=False) + "\n")
            sys.stdout.flush()


async def _terminal(database: Path, lang: str, now_iso: str) -> None:
    from bot.channels.console import screen
    from bot.cli.conversation import Conversation
    from bot.render.plain import choices_of

    async with Conversation.open(database, lang, now_iso) as conversation:
        replies = [conversation.welcome()]
        while True:
            shown = [choice for reply in replies for choice in choices_of(reply)]
            first = 1
            for reply in replies:
                click.echo(f"\n{screen(reply, first)}")
                first += len(choices_of(reply))
            try:
                typed = (await asyncio.to_thread(input, "\n> ")).strip()
            except (EOFError, KeyboardInterrupt):
                return
            number = int(typed) if typed.isdecimal() and len(typed) < 4 else 0
            if 1 <= number <= len(shown) and not conversation.wants_number():
                replies = await conversation.say(choice=shown[number - 1].id)
            elif typed:
                replies = await conversation.say(text=typed)
            else:
                replies = []
