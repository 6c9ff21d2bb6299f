"""`staff`: caseworkers' accounts."""

from __future__ import annotations

import click

from bot.cli.serving import _config
from bot.desk.auth import ROLES, hash_password, one_time_password
from bot.store import Store


@click.group()
def staff() -> None:
    """Caseworkers' accounts."""


@staff.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True, help="What the account may do.")
def add(name: str, role: str) -> None:
    """Add a caseworker and print a one-time password."""
    store = Store(_config().database)
    password = one_time_password()
    try:
        store.add_staff(name, role, hash_password(password))
    except ValueError as error:
        raise click.ClickException(f"{error}: choose another name.") from None
    finally:
        store.close()
    click.echo(f"{name} ({role})   one-time password (shown once): {password}")
