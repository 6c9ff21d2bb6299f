"""`audit`: the audit trail proved, shown, and its head to write down."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import datetime

import click

from bot.cli.serving import _config
from bot.clock import TAIPEI, parse
from bot.store import Store, exists
from bot.store.audit import SYSTEM, Fault, Sought, Verified


@click.group()
def audit() -> None:
    """The audit trail: who did what, on what, when and why."""


@contextlib.contextmanager
def _store() -> Iterator[Store]:
    path = _config().database
    if not exists(path):  # a mistyped folder must not look like a trail in good order
        raise click.ClickException(f"there is no database at {path}.")
    with contextlib.closing(Store(path)) as store:
        yield store


@audit.command()
@click.option("--head", default="", help="A hash written down earlier: the trail must still hold its row.")
def verify(head: str) -> None:
    """Compute the chain anew; exit 1 and name the first row that is not right."""
    wanted = "".join(head.split()).lower()
    if wanted and not re.fullmatch("[0-9a-f]{64}", wanted):
        raise click.ClickException("--head: a hash is 64 letters and digits, as `labor-bot audit head` prints it.")
    with _store() as store:
        found = store.audit.verify(wanted)
    if found.fault:
        raise click.ClickException(_fault(found))
    click.echo(f"{found.rows} rows, none changed or missing" + (f"; head {found.head}" if found.head else ""))
    if found.before:
        click.echo(f"The first {found.before} are from before the chain, which starts after them.")


def _fault(found: Verified) -> str:
    row, older = found.row, f" (or one of the {found.before} rows from before the chain)" if found.before else ""
    return {
        Fault.MISSING: f"row {row} is missing.",
        Fault.CHANGED: f"row {row}{older if row == found.before + 1 else ''} was changed.",
        Fault.UNREADABLE: f"row {row} cannot be read.",
        Fault.CUT_OFF: f"the trail has no row with that hash: it was cut off after row {row - 1} or made anew.",
    }[found.fault or Fault.CHANGED]


@audit.command()
@click.option("--since", default="", help="From this time on (ISO; Taipei's time unless it has a zone).")
@click.option("--object", "what", default="", help="Of one object, such as case/12, or of a case's number.")
@click.option("--who", default="", help=f"Of one account; {SYSTEM} for the system.")
def show(since: str, what: str, who: str) -> None:
    """Print rows, newest first: number, time, who, action, object, reason."""
    try:
        start = parse(since).timestamp() if since else 0.0
    except ValueError:
        raise click.ClickException(f"--since: {since!r} is no ISO time such as 2026-11-23T08:00.") from None
    with _store() as store:
        for page in store.audit.pages(Sought(what, who, since=start)):
            for row in page:
                at = datetime.fromtimestamp(row.at, TAIPEI).isoformat(timespec="seconds")
                cells = (str(row.id), at, row.who, row.action, row.object, row.why)
                click.echo("\t".join(map(_printable, cells)).rstrip())


def _printable(text: str) -> str:
    """On one line, and nothing that steers a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


@audit.command()
def head() -> None:
    """Print the hash of the newest row: written down elsewhere, it proves later that nothing before it was touched."""
    with _store() as store:
        found = store.audit.head()
    if not found:
        raise click.ClickException("nothing is in the chain yet.")
    click.echo(found)
