"""`purge`: what was kept long enough goes."""

from __future__ import annotations

import asyncio

import click

from bot.cli.serving import _config


@click.command()
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
def purge(dry_run: bool) -> None:
    """Delete what was kept long enough (the LABOR_BOT_KEEP_* settings) and print rows by kind.

    The server does the same once an hour. Conversations under legal hold, with an open case or an open privacy request
    stay; the audit trail is never purged.
    """
    from bot.pipeline.purge import purge as purge_now
    from bot.pipeline.purge import special_facts
    from bot.store import Store
    from knowledge.facts import load_facts
    from knowledge.sources import PACKAGED

    config, facts = _config(), load_facts(PACKAGED / "facts.yaml")
    store = Store(config.database)
    try:
        if dry_run:
            report = store.privacy.due(config.retention, special_facts(facts))
        else:
            report = asyncio.run(purge_now(store, config.retention, facts))
    finally:
        store.close()
    for kind, count in report.counts.items():
        click.echo(f"{kind}\t{count}")
    click.echo(f"{report.total} rows {'would go' if dry_run else 'gone'}", err=True)
