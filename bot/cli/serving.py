"""`serve` and `doctor`: run the house, and say whether it could run."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from importlib import metadata
from typing import TYPE_CHECKING

import click

from bot import config as settings
from bot import observe

if TYPE_CHECKING:
    from bot.pipeline.resources import Resources
    from intents.encoder.ahead import Ahead
    from intents.encoder.process import EncoderProcess

FIRST_CASEWORKER = "admin"
GRACE_SECONDS = 5


@click.command()
@click.option("--host", help="Address to listen on (LABOR_BOT_HOST).")
@click.option("--port", type=int, help="Port to listen on (LABOR_BOT_PORT).")
def serve(host: str | None, port: int | None) -> None:
    """Serve the web chat, the desk and the webhooks."""
    import uvicorn

    from bot.pipeline.house import HouseTaken
    from bot.server import Server

    config = _config()
    observe.setup(config.log_level)
    resources = _resources(config)
    try:
        app = Server(config, resources).app()
    except HouseTaken as taken:
        raise click.ClickException(
            f"another server already uses {taken}: stop it, or set LABOR_BOT_DATA_DIR."
        ) from None
    _first_caseworker(config)
    address, number = host or config.host, config.port if port is None else port
    click.echo(f"Chat:  http://{address}:{number}/\nDesk:  http://{address}:{number}/desk", err=True)
    uvicorn.run(
        app,
        host=address,
        port=number,
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=2000,
    )


def _config() -> settings.Config:
    try:
        return settings.load()
    except settings.ConfigError as error:
        raise click.ClickException(str(error)) from None


def _resources(config: settings.Config) -> Resources:
    from bot.pipeline.resources import load_resources
    from knowledge.faults import KnowledgeError

    try:
        return load_resources(extra=config.knowledge_dir, encoder=_encoder(config))
    except KnowledgeError as error:
        raise click.ClickException(str(error)) from None


def _encoder(config: settings.Config) -> Ahead | None:
    """The encoder as a server uses it: its process starts beside ours, and nothing ever waits for it."""
    from bot.pipeline.resources import start_encoder
    from intents.encoder.ahead import Ahead

    encoder = start_encoder() if config.encoder else None
    return Ahead(encoder) if encoder else None


def patient_encoder() -> EncoderProcess | None:
    """The encoder as a single command uses it: waits for the answer, so that the same message is read the same way."""
    from bot.pipeline.resources import start_encoder

    return start_encoder(patient=True) if _config().encoder else None


def _first_caseworker(config: settings.Config) -> None:
    """With no account yet, make one and print its password once."""
    from bot.desk.auth import hash_password, one_time_password
    from bot.store import Store

    store = Store(config.database)
    try:
        if store.staff_count() == 0:
            password = one_time_password()
            store.add_staff(FIRST_CASEWORKER, "admin", hash_password(password))
            click.echo(f"First caseworker: {FIRST_CASEWORKER}   one-time password (shown once): {password}", err=True)
    finally:
        store.close()


@click.command()
def doctor() -> None:
    """Check that everything the house needs is there; exit 1 if not."""
    failed = False
    for name, check in (
        ("python", _python),
        ("packages", _packages),
        ("sqlite", _sqlite),
        ("settings", _settings),
        ("data folder", _data_folder),
        ("knowledge", _knowledge),
        ("understanding", _understanding),
        ("encoder", _second_stage),
    ):
        try:
            click.echo(f"ok    {name}: {check()}")
        except Exception as error:  # a doctor reports whatever is wrong
            failed = True
            click.echo(f"FAIL  {name}: {error}")
    sys.exit(1 if failed else 0)


def _python() -> str:
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        raise RuntimeError(f"Python 3.11 to 3.13 is needed, this is {sys.version.split()[0]}")
    return sys.version.split()[0]


def _packages() -> str:
    names = ("starlette", "sqlite-utils", "rapidfuzz", "jinja2", "line-bot-sdk", "python-telegram-bot")
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def _sqlite() -> str:
    if sqlite3.sqlite_version_info < (3, 35):
        raise RuntimeError(f"SQLite 3.35 or newer is needed (RETURNING), this is {sqlite3.sqlite_version}")
    return sqlite3.sqlite_version


def _settings() -> str:
    return f"hook {'on' if settings.load().hook_on else 'off'}"


def _data_folder() -> str:
    folder = settings.load().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")
    return f"{folder} can be written"


def _knowledge() -> str:
    from knowledge.library import load

    loaded = load()
    return f"plan {loaded.plan}, {len(loaded.topics)} topics, {len(loaded.rules)} rules"


def _understanding() -> str:
    from bot.pipeline.resources import load_resources
    from intents import Context

    understood = load_resources().understander.understand("尋職津貼", Context())
    return f"answers ({understood.decision})"


def _second_stage() -> str:
    from intents import artefact
    from intents.encoder.process import installed

    if not settings.load().encoder:
        return "off (LABOR_BOT_ENCODER)"
    if not installed():
        return "not installed: unclear messages are read once"
    if artefact.load().head is None:
        return "installed, but the model was trained without it: run `labor-bot intents train`"
    encoder = patient_encoder()
    vector = encoder.encode("尋職津貼") if encoder else None
    if encoder:
        encoder.close()
    if vector is None:
        raise RuntimeError("installed, but gives no answer; the bot works without it (LABOR_BOT_ENCODER=off)")
    return "answers"
