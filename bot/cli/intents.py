"""`intents`: train, check and measure understanding."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import click

from bot import config
from bot.cli.author_lists import STATE, settle, settled_in_words
from bot.cli.serving import patient_encoder
from bot.store import Store
from bot.store.authors import DONE, Sought
from intents.encoder import Vector
from intents.encoder.many import encode_all
from intents.redact import MASK


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
    for warning in checking.warnings():
        click.echo(f"intents/data/{warning.file}:{warning.line}: warning: {warning.text}")
    if stolen:
        for fault in checking.stolen():
            click.echo(f"intents/data/{fault}")
    click.echo(f"faults: {len(faults)}" if faults else "no faults", err=True)
    sys.exit(1 if faults else 0)


@intents.command(name="eval")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--svg", type=click.Path(path_type=Path), help="Also write the calibration curves as a picture.")
@click.option("--confusion", is_flag=True, help="Also list what was taken for what.")
@click.option("--cases", is_flag=True, help="Also list every message that was not right, by its id.")
def evaluate(file: Path, svg: Path | None, confusion: bool, cases: bool) -> None:
    """Score a file of labeled messages, language by language."""
    from bot.pipeline.resources import load_resources
    from intents import calibration
    from intents.evaluate import evaluate_file

    encoder = patient_encoder()
    report = evaluate_file(load_resources(encoder=encoder).understander, file, time.perf_counter)
    click.echo(report.table())
    median, p99 = report.times()
    asked = f", the encoder was asked for {100 * encoder.asked / len(report.cases):.0f} %" if encoder else ""
    click.echo(f"ms a message: median {median:.2f}, 99th percentile {p99:.1f}{asked}")
    curves = {lang: calibration.curve(report.answers(lang)) for lang in report.languages}
    click.echo("calibration error " + "  ".join(f"{lang} {calibration.error(b):.3f}" for lang, b in curves.items()))
    if confusion:
        for expected, found, times in report.confusion():
            click.echo(f"{times:4}  {expected:14} taken for {found}")
    if cases:
        for case in report.cases:
            if case.right < 1:
                taken = " ".join((case.found.decision, case.label, *case.found.topics[:3]))
                click.echo(f"{case.id:12} {' '.join(case.expect):24} {taken}")
    if svg:
        svg.write_text(calibration.svg(curves, f"Calibration on {file.name}"), "utf-8")


@intents.command()
@click.argument("lang")
@click.argument("label")
@click.option("-n", "count", default=20, show_default=True, help="How many sentences.")
def sample(lang: str, label: str, count: int) -> None:
    """Print sentences that the patterns of a label stand for, spread over all of them."""
    from intents.authored import read

    patterns = [each for each in read().patterns if each.lang == lang and each.label.startswith(label)]
    if not patterns:
        raise click.ClickException(f"no utterances of {label!r} in {lang!r}: see intents/data/<language>/<label>.yaml")
    sentences = [text for round_ in zip_longest(*(each.sentences for each in patterns)) for text in round_ if text]
    click.echo(f"{len(patterns)} patterns, {len(sentences)} sentences", err=True)
    for text in sentences[:: max(1, len(sentences) // count)][:count]:
        click.echo(text)


@intents.command()
@STATE
@click.option("--lang", default="", help="Only this language.")
@click.option("--limit", default=50, show_default=True)
@click.option("--jsonl", is_flag=True, help="One JSON object a line.")
def unanswered(state: str, lang: str, limit: int, jsonl: bool) -> None:
    """List messages the bot could not answer (personal details masked), newest first."""
    with contextlib.closing(Store(config.load().database)) as store:
        found = store.authors.unanswered(Sought(state, lang, limit=limit))
    for row in found:
        day, fate = _day(row.at), settled_in_words(row.fate)
        if jsonl:
            doc = {"id": row.id, "day": day, "lang": row.lang, "decision": row.decision, "text": row.text}
            doc |= {"offered": row.offered, "picked": row.picked, "state": row.fate.state}
            click.echo(json.dumps(doc, ensure_ascii=False))
        else:
            meant = f"  meant: {row.picked}" if row.picked else ""
            meant += f"  ({fate})" if fate else ""
            click.echo(f"{row.id:6}  {day}  {row.lang:5}  {row.decision:8}{meant}  {row.text}")
    click.echo(f"{len(found)} rows. Next: labor-bot intents adopt ID LABEL, or dismiss ID.", err=True)


@intents.command()
@STATE
@click.option("--lang", default="", help="Only this language.")
@click.option("--limit", default=50, show_default=True)
@click.option("--jsonl", is_flag=True, help="One JSON object a line.")
@click.option("--settle", "settled", type=int, multiple=True, help="Mark this row as done.")
@click.option("--dismiss", "dismissed", type=int, multiple=True, help="Mark this row as dismissed.")
def misread(
    state: str, lang: str, limit: int, jsonl: bool, settled: tuple[int, ...], dismissed: tuple[int, ...]
) -> None:
    """List messages that caseworkers say the bot misread (personal details masked), newest first."""
    if settled or dismissed:
        with contextlib.closing(Store(config.load().database)) as store:
            settle(store, "misread", settled, dismissed)
        return
    with contextlib.closing(Store(config.load().database)) as store:
        found = store.authors.misread(Sought(state, lang, limit=limit))
    for row in found:
        case, day, fate = row.misread, _day(row.at), settled_in_words(row.fate)
        if jsonl:
            doc = {"id": row.id, "day": day, "lang": case.lang, "text": case.text, "understood": case.understood}
            click.echo(json.dumps(doc | {"meant": case.meant, "state": row.fate.state}, ensure_ascii=False))
        else:
            read = f"{' '.join(case.understood)} -> {case.meant or 'none of these'}" + (f"  ({fate})" if fate else "")
            click.echo(f"{row.id:6}  {day}  {case.lang:5}  {read}  {case.text}")
    click.echo(f"{len(found)} rows. Done with one: labor-bot intents misread --settle ID.", err=True)


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))


@intents.command()
@click.argument("row", type=int)
@click.argument("label")
@click.option("--text", default="", help="Write this sentence instead of the message itself.")
def adopt(row: int, label: str, text: str) -> None:
    """Turn an unanswered message into an utterance of LABEL; then check and train again."""
    from intents.adopt import AdoptError
    from intents.adopt import adopt as put

    with contextlib.closing(Store(config.load().database)) as store:
        sought = Sought(before=row + 1, limit=1)
        found = next((each for each in store.authors.unanswered(sought) if each.id == row), None)
        if found is None:
            raise click.ClickException(f"no unanswered message {row}: see labor-bot intents unanswered.")
        sentence = text or found.text
        if MASK in sentence:
            raise click.ClickException("the message holds masked details: give a sentence without them with --text.")
        try:
            path = put(sentence, found.lang, label)
        except AdoptError as error:
            raise click.ClickException(f"{error}.") from None
        store.authors.settle_now("unanswered", [row], DONE)
    click.echo(f"{path}\nNow: labor-bot intents check, then labor-bot intents train.")


@intents.command()
@click.argument("rows", type=int, nargs=-1, required=True)
def dismiss(rows: tuple[int, ...]) -> None:
    """Take unanswered messages off the list."""
    with contextlib.closing(Store(config.load().database)) as store:
        settle(store, "unanswered", (), rows)


@intents.command()
@click.argument("text")
@click.option("--lang", default="", help="The language the conversation is in.")
def explain(text: str, lang: str) -> None:
    """Show how a message is read and what spoke for it."""
    from bot.pipeline.resources import load_resources
    from intents import Context

    found = load_resources(encoder=patient_encoder()).understander.understand(text, Context(lang=lang))
    click.echo(
        f"{found.decision}  {found.intent}  {', '.join(found.topics)}  {found.confidence:.3f}  lang {found.lang or '?'}"
    )
    for each in found.why:
        click.echo(f"  {each.stage:12} {each.label:24} {each.score:.3f}  {each.detail}")
