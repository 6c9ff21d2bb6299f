"""`serve`: run the house."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from bot import config as settings
from bot import observe

if TYPE_CHECKING:
    from bot.pipeline.resources import Resources
    from bot.pipeline.timetable import Service
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

    from bot.draining import Draining
    from bot.pipeline.house import HouseTaken
    from bot.server import Server
    from bot.slow import patient_for
    from bot.store import StoreUnavailable

    config = _config()
    observe.setup(config.log_level, config.log_format)
    _readable(config)
    resources = _resources(config)
    try:
        app = Server(config, resources).app()
    except HouseTaken as taken:
        raise click.ClickException(
            f"another server already uses {taken}: stop it, or set LABOR_BOT_DATA_DIR."
        ) from None
    except StoreUnavailable as error:
        raise click.ClickException(f"the database cannot be opened: {error}.") from None
    _first_caseworker(config)
    address, number = host or config.host, config.port if port is None else port
    click.echo(f"Chat:  http://{address}:{number}/\nDesk:  http://{address}:{number}/desk", err=True)
    running = uvicorn.Config(
        app,
        host=address,
        port=number,
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=2000,
        http=patient_for(config.request_seconds),
    )
    observe.told("serving", port=number)
    Draining(running, config.notice_seconds, app.state.house.drain).run_until_told()


def _config() -> settings.Config:
    try:
        return settings.load()
    except settings.ConfigError as error:
        raise click.ClickException(str(error)) from None


def service() -> Service:
    """The service hours of this installation."""
    from bot.pipeline.timetable import Service

    config = _config()
    return Service(config.service_hours, config.first_answer_seconds)


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


def _readable(config: settings.Config) -> None:
    """Without the key that everything is under, nothing would work; and what is new would be written plain."""
    from bot.store import Database, StoreUnavailable, exists
    from bot.store.rekeying import missing_of_newest

    if not exists(config.database):
        return
    try:
        with contextlib.closing(Database(config.database)) as database:
            name = missing_of_newest(database.read)
    except StoreUnavailable as error:
        raise click.ClickException(f"the database cannot be opened: {error}.") from None
    if name:
        raise click.ClickException(f"the store is under key {name!r}: add it to LABOR_BOT_STORE_KEYS.")


def _first_caseworker(config: settings.Config) -> None:
    """With no account yet, make one and print its password once."""
    from bot.desk.auth import hash_password, one_time_password
    from bot.store import Store

    store = Store(config.database)
    try:
        if store.staff_count() == 0:
            password = one_time_password()
            try:
                store.add_staff(FIRST_CASEWORKER, "admin", hash_password(password))
            except ValueError:  # another server that starts now was quicker, and prints it
                return
            click.echo(f"First caseworker: {FIRST_CASEWORKER}   one-time password (shown once): {password}", err=True)
    finally:
        store.close()
