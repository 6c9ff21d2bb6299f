"""`staff`: caseworkers' accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from bot.cli.serving import _config
from bot.clock import TAIPEI
from bot.desk.auth import ABSOLUTE_SECONDS, IDLE_SECONDS, ROLES, hash_password, one_time_password
from bot.store import Store, people, second
from bot.store.database import Connection

Change = Callable[[Connection, int], None]


@click.group()
def staff() -> None:
    """Caseworkers' accounts."""


@contextmanager
def _store() -> Iterator[Store]:
    store = Store(_config().database)
    try:
        yield store
    finally:
        store.close()


@staff.command("list")
def listing() -> None:
    """Every account: name, role, state, when it was used last."""
    with _store() as store:
        rows = store.people.listing(IDLE_SECONDS, ABSOLUTE_SECONDS)
    for row in rows:
        state = "disabled" if row.disabled else "one-time password" if row.must_change else "enabled"
        code = "code" if row.second else "no code"
        seen = datetime.fromtimestamp(row.seen_at, TAIPEI).strftime("%Y-%m-%d %H:%M") if row.seen_at else ""
        click.echo("\t".join((row.name, row.role, state, code, seen)).rstrip())


@staff.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True, help="What the account may do.")
def add(name: str, role: str) -> None:
    """Add a caseworker and print a one-time password."""
    password = one_time_password()
    with _store() as store:
        try:
            number = store.add_staff(name, role, hash_password(password))
        except ValueError as error:
            raise click.ClickException(f"{error}: choose another name.") from None
        asyncio.run(store.note(None, "staff.add", f"staff/{number}"))
    _print_once(f"{name} ({role})", password)


@staff.command()
@click.argument("name")
def disable(name: str) -> None:
    """Close an account: its sessions end at once."""
    _change(name, "staff.disable", people.disable)
    click.echo(f"{name} is disabled")


@staff.command()
@click.argument("name")
def enable(name: str) -> None:
    """Open an account again."""
    _change(name, "staff.enable", people.enable)
    click.echo(f"{name} is enabled")


@staff.command()
@click.argument("name")
@click.option("--code", is_flag=True, help="Take the code of the log-in away too: the phone and the codes are lost.")
def reset(name: str, code: bool) -> None:
    """Print a new one-time password; the account's sessions end at once."""
    password = one_time_password()
    hashed = hash_password(password)
    _change(name, "staff.password_reset", lambda c, number: people.reset_password(c, number, hashed))
    if code:
        _change(name, "staff.code_reset", second.reset_second)
    _print_once(name, password)


def _change(name: str, action: str, change: Change) -> None:
    with _store() as store:
        row = store.staff_by_name(name)
        if row is None:
            raise click.ClickException(f"there is no account named {name!r}: see `labor-bot staff list`.")
        try:
            store.database.write_now(lambda c: change(c, row.id))
        except people.LastAdmin:
            raise click.ClickException(f"{name} is the last admin who can log in: name another one before.") from None
        asyncio.run(store.note(None, action, f"staff/{row.id}"))


def _print_once(who: str, password: str) -> None:
    click.echo(f"{who}   one-time password (shown once): {password}")
