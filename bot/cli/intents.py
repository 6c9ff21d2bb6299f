"""`intents`: train, check and measure understanding."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from bot import config
from intents.encoder import Vector
from intents.encoder.many import encode_all


@click.group()
def intents() -> None:
    """Authored utterances and the trained model."""


@intents.command()
@click.option("--check", "only_check", is_flag=True, help="Only say whether the model is out of date; exit 1 if it is.")
@click.option(
    "--encoder/--no-encoder", default=True, help="Also train the second stage (needs the encoder and some minutes)."
)
def train(only_check: bool, encoder: bool) -> None:
    """Rebuild the model from the authored utterances (needs scikit-learn: `make train`)."""
    from intents import artefact
    from intents import train as training

    if only_check:
        sys.exit(int(training.stale()))
    built = training.train(encode=_encode if encoder else None)
    artefact.save(built)
    click.echo(training.table(built.report))
    for stage in (built.first, built.both):
        click.echo(f"{stage}")


def _encode(texts: Sequence[str]) -> Vector:
    """Vectors of many texts; those of an earlier run are remembered in the data folder."""
    return encode_all(texts, time.monotonic, config.load().data_dir / "vectors.npz")


@intents.command()
@click.option("--stolen", is_flag=True, help="Also look for sentences that another label steals (takes a minute).")
def check(stolen: bool) -> None:
    """Report duplicates, missing labels and files that do not parse; exit 1 if there is any."""
    from intents import check as checking

    faults = checking.check()
    for fault in faults:
        click.echo(f"intents/data/{fault}")
    if stolen:
        for fault in checking.stolen():
            click.echo(f"intents/data/{fault}")
    click.echo(f"faults: {len(faults)}" if faults else "no faults", err=True)
    sys.exit(1 if faults else 0)


@intents.command(name="eval")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def evaluate(file: Path) -> None:
    """Score a file of labeled messages, language by language."""
    from bot.pipeline.resources import load_resources
    from intents.evaluate import evaluate_file

    report = evaluate_file(load_resources().understander, file, time.perf_counter)
    click.echo(report.table())


@intents.command()
@click.argument("text")
@click.option("--lang", default="", help="The language the conversation is in.")
def explain(text: str, lang: str) -> None:
    """Show how a message is read and what spoke for it."""
    from bot.pipeline.resources import load_resources
    from intents import Context

    found = load_resources().understander.understand(text, Context(lang=lang))
    click.echo(
        f"{found.decision}  {found.intent}  {', '.join(found.topics)}  {found.confidence:.3f}  lang {found.lang or '?'}"
    )
    for each in found.why:
        click.echo(f"  {each.stage:12} {each.label:24} {each.score:.3f}  {each.detail}")
