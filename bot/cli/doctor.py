"""`doctor`: say whether the house could run here, and whether the platforms are set up for it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shlex
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import metadata
from pathlib import Path

import click

from bot import config as settings
from bot.channels.checkup import Finding, Level, fail, ok, warn
from bot.cli import doctor_store
from bot.cli.serving import patient_encoder
from bot.config import Config
from bot.settings import TABLE

OTHERS = 0o004
NOT_THE_OWNER = 0o077


@click.command()
def doctor() -> None:
    """Check that everything the house needs is there and set up; exit 1 if not."""
    failed = False
    for finding in _findings():
        click.echo(str(finding))
        failed = failed or finding.level is Level.FAIL
    sys.exit(1 if failed else 0)


def _findings() -> Iterator[Finding]:
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
        yield _found(name, check)
    try:
        config = settings.load()
    except settings.ConfigError:
        return  # told above
    yield from _permissions(config)
    yield from doctor_store.examine(config)
    yield _encryption(config)
    yield _found("queue", lambda: _queue(config))
    yield from _platforms(config)


def _found(name: str, check: Callable[[], str]) -> Finding:
    try:
        return ok(name, check())
    except Exception as error:  # a doctor reports whatever is wrong
        return fail(name, str(error))


# -- the house


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
    config = settings.load()
    switches = {
        "hook": config.hook_on,
        "LINE": config.line_on,
        "Telegram": config.telegram_on,
        "staff notice": config.staff_notice_on,
    }
    return ", ".join(f"{name} {'on' if on else 'off'}" for name, on in switches.items())


def _data_folder() -> str:
    folder = settings.load().data_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def _queue(config: Config) -> str:
    from bot.store import exists
    from bot.store.aside import count
    from bot.store.crowd import queue
    from bot.store.database import engine_of

    if not exists(config.database):
        return "no database yet"
    engine = engine_of(config.database)
    try:
        with contextlib.closing(engine.reader()) as reader:
            waits, aside = queue(reader), count(reader)
    except engine.errors as error:
        raise RuntimeError(f"cannot be read ({type(error).__name__}): run `labor-bot migrate`") from None
    waiting = f"{waits.events} messages of {waits.people} people wait, the oldest for {waits.oldest:.0f} s"
    return f"{waiting}; {aside} could not be worked on"


# -- who may read


def _permissions(config: Config) -> Iterator[Finding]:
    """What people wrote and the installation's secrets are for the account of the server alone."""
    found = [*_private(config), *_secrets()]
    yield from found or [ok("permissions", "only the owner can read data and secrets")]


def _private(config: Config) -> Iterator[Finding]:
    files = [config.data_dir / "web.key"]
    if isinstance(database := config.database, Path):
        files += [database, *(database.with_name(f"{database.name}{end}") for end in ("-wal", "-shm"))]
    for path, mode in [(config.data_dir, "700"), *((path, "600") for path in files)]:
        if _open_to(path, NOT_THE_OWNER):
            yield warn("permissions", f"others than the owner can use {path}: chmod {mode} {shlex.quote(str(path))}")


def _secrets() -> Iterator[Finding]:
    for setting in TABLE:
        file = os.environ.get(f"{setting.name}_FILE") if setting.secret else None
        if file and _open_to(Path(file), OTHERS):
            yield warn("permissions", f"everybody here can read the file of {setting.name}_FILE: chmod o-rwx {file}")


def _open_to(path: Path, whom: int) -> bool:
    try:
        return bool(path.stat().st_mode & whom)
    except OSError:
        return False


def _encryption(config: Config) -> Finding:
    """Is what people wrote stored under a key, all of it, and is every key there?"""
    from bot.store import exists, use_keys
    from bot.store.database import engine_of
    from bot.store.rekeying import standing

    use_keys(config.store_keys)
    first = config.store_keys[0][0] if config.store_keys else ""
    told = f"texts are stored under key {first}" if first else "off: texts are stored plain (LABOR_BOT_STORE_KEYS)"
    if not exists(config.database):
        return ok("encryption", told)
    engine = engine_of(config.database)
    try:
        with contextlib.closing(engine.reader()) as reader:
            found = standing(reader)
    except engine.errors as error:
        return fail("encryption", f"the database cannot be read ({type(error).__name__}): run `labor-bot migrate`")
    if found.missing:
        return fail("encryption", f"rows are under {', '.join(found.missing)}: add these keys to LABOR_BOT_STORE_KEYS")
    if found.stale:
        return warn("encryption", f"{told}, but not all are yet: run `labor-bot store rekey`")
    return ok("encryption", told)


# -- the platforms


def _platforms(config: Config) -> Iterator[Finding]:
    """Each platform's SDK takes seconds to import: only where it is on."""
    yield from _examined("line", _line(config)) if config.line_on else [ok("line", "off")]
    yield from _examined("telegram", _telegram(config)) if config.telegram_on else [ok("telegram", "off")]
    yield from _examined("staff notice", _staff(config)) if config.staff_notice_on else [ok("staff notice", "off")]
    if not (config.line_on or config.telegram_on or config.staff_notice_on):
        yield ok("clock", "not compared, since no platform is on")


def _examined(name: str, examination: Awaitable[list[Finding]]) -> list[Finding]:
    async def run() -> list[Finding]:
        return await examination

    try:
        return asyncio.run(run())
    except click.ClickException as error:
        return [fail(name, error.message)]
    except Exception as error:  # its message may hold a token
        return [fail(name, f"the examination broke off ({type(error).__name__}): please report this.")]


async def _line(config: Config) -> list[Finding]:
    from bot.channels.line_doctor import Expected, examine

    expected = Expected(config.public_url, _menus(config), _running(config))
    return await examine(config.line_token, config.line_api_base, expected, time.time)


def _menus(config: Config) -> dict[str, str]:
    """The names of the rich menus as they are now, by language."""
    from bot.cli.line import _picture, _words
    from bot.pipeline.resources import TEMPLATES
    from bot.render.richmenu import picture_path, rich_menu

    catalog, languages = _words(config.knowledge_dir)
    return {lang: rich_menu(catalog, lang, _picture(picture_path(TEMPLATES, lang))).name for lang in languages}


def _running(config: Config) -> bool:
    """Does a server hold the lock of this database? On a shared one that cannot be told from here."""
    if not isinstance(config.database, Path):
        return True
    try:
        lock = os.open(config.database.with_suffix(".lock"), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


async def _telegram(config: Config) -> list[Finding]:
    from bot.channels.telegram_doctor import Expected, examine, examine_clock
    from bot.channels.telegram_setup import words
    from knowledge.catalog import Catalog
    from knowledge.library import load

    catalog = Catalog.of(load())  # as `telegram push` has it
    shown = words(lambda lang, key: catalog.text(lang, key).text)
    found = await examine(
        config.telegram_token, config.telegram_api_base, Expected(config.public_url, config.telegram_polling, shown)
    )
    return [*found, await examine_clock(config.telegram_api_base, time.time)]


async def _staff(config: Config) -> list[Finding]:
    from bot.channels.telegram_doctor import Staff, examine_clock, examine_staff

    staff = Staff(config.staff_telegram_token, config.staff_telegram_chat, config.telegram_token)
    found = await examine_staff(staff, config.telegram_api_base)
    if config.telegram_on:
        return found
    return [*found, await examine_clock(config.telegram_api_base, time.time)]
