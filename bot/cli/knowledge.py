"""`knowledge`: export, check, and the translators' tools."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from knowledge.faults import Fault
from knowledge.sources import PACKAGED

ROOT = click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True),
    default=PACKAGED,
    help="The knowledge folder (default: ours).",
)


@click.group()
def knowledge() -> None:
    """What the city offers: export it, check it, translate it."""


@knowledge.command()
@ROOT
def export(root: Path) -> None:
    """Print everything as one JSON document."""
    from knowledge.export import export as export_document
    from knowledge.library import load

    click.echo(json.dumps(export_document(load(root)), ensure_ascii=False, indent=2))


@knowledge.command()
@ROOT
def check(root: Path) -> None:
    """Report every fault with file and line, that of the rules too; exit 1 if there is any."""
    from knowledge.check import check as find_faults
    from knowledge.check import warnings

    sys.exit(report(find_faults(root), warnings(root)))


def report(faults: Sequence[Fault], warnings: Sequence[Fault]) -> int:
    """Prints faults, then what works and is not finished. Returns the exit code, which counts faults alone."""
    for fault in faults:
        click.echo(f"{fault}")
    for warning in warnings:
        if warning not in faults:
            click.echo(f"{warning.file}:{warning.line}: warning: {warning.text}")
    click.echo(f"faults: {len(faults)}" if faults else "no faults", err=True)
    return 1 if faults else 0


@knowledge.command()
@ROOT
def extract(root: Path) -> None:
    """List every text that can be translated, with its key."""
    from knowledge.catalog.maintenance import extract as entries

    for entry in entries(root):
        click.echo(f"{entry.key}\t{entry.text}")


@knowledge.command()
@ROOT
def merge(root: Path) -> None:
    """Bring every language's catalog up to date with the Chinese texts."""
    from knowledge.catalog.maintenance import merge as merge_catalogs

    changed = merge_catalogs(root)
    for path in changed:
        click.echo(path)
    click.echo(f"{len(changed)} catalogs changed", err=True)


@knowledge.command()
@ROOT
def coverage(root: Path) -> None:
    """Show how much of each language is translated."""
    from knowledge.catalog.maintenance import coverage as rows
    from knowledge.catalog.maintenance import coverage_table

    click.echo(coverage_table(rows(root)))


@knowledge.command()
@click.argument("lang")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write it (default: review-LANG.html).")
@ROOT
def review(lang: str, output: Path | None, root: Path) -> None:
    """Write every text of a language in context, as one page to print and correct."""
    from bot.pipeline.resources import TEMPLATES
    from bot.render.review import page
    from knowledge.catalog import Catalog
    from knowledge.catalog.pofiles import languages, read_catalog
    from knowledge.library import load

    if lang not in languages(root / "locale"):
        raise click.ClickException(f"no catalog {lang!r}: one of {', '.join(languages(root / 'locale'))}.")
    loaded = load(root)
    written = {entry.key: entry.text for entry in read_catalog(root / "locale", lang).entries if entry.text}
    path = output or Path(f"review-{lang}.html")
    path.write_text(page(loaded, Catalog.of(loaded), lang, written, TEMPLATES), "utf-8")
    click.echo(f"{path}: {len(written)} texts")
