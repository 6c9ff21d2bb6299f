"""Builds the artefact from the authored data: a deterministic build step (`labor-bot intents train`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from intents import artefact, letters
from intents.artefact import Artefact
from intents.authored import DATA, Authored, inputs, read
from intents.calibrate import UNSURE_ALARMS, Scored, stage, together, unsure
from intents.elsewhere import SIGN, Elsewhere
from intents.encoder import Vector
from intents.fitting import FOLDS, Sample, chosen, fit, fit_head, fold_of, samples
from intents.head import affordable
from intents.lexicon import key
from intents.model import Floats
from intents.normalise import fold

Encode = Callable[[Sequence[str]], Vector]

PROCESSES = 2
"""Folds fitted at the same time."""

ASK = 0.9
"""Chance of the best reading below which the second stage is asked."""

_CODE = (
    "authored",
    "calibrate",
    "elsewhere",
    "features",
    "fitting",
    "grammar",
    "head",
    "letters",
    "model",
    "normalise",
)


def fingerprint(root: Path = DATA) -> str:
    """Hash of all that the artefact depends on: the data, and the code that turns it into weights."""
    digest = hashlib.sha256()
    for path in inputs(root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for name in _CODE:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()


def stale(root: Path = DATA, folder: Path = artefact.PACKAGED) -> bool:
    """Was the artefact built from other data or code than what lies there now?"""
    try:
        return artefact.load(folder).inputs != fingerprint(root)
    except artefact.ArtefactError:
        return True


def train(root: Path = DATA, encode: Encode | None = None) -> Artefact:
    """The artefact of the data under `root`; with `encode` also its second stage.

    Raises ValueError where a file does not parse.
    """
    authored = read(root)
    if authored.faults:
        raise ValueError("\n".join(map(str, authored.faults)))
    rows = samples(authored.patterns, Elsewhere.of(authored.cities).marked)
    model = fit(rows)
    scored = cross_validated(rows, model.labels)
    first, reached = stage(scored)
    report: dict[str, Any] = {"sentences": len(rows), "patterns": len(authored.patterns), "cross_validated": reached}
    built = Artefact(
        inputs=fingerprint(root),
        model=model,
        letters=letters.build(authored),
        first=first,
        head=None,
        both=None,
        ask=ASK,
        districts=authored.districts,
        cities=authored.cities,
        exact=exact(authored),
        words=authored.words,
        languages=authored.languages,
        report=report,
    )
    return _with_head(built, rows, scored, encode) if encode else built


def _with_head(built: Artefact, rows: Sequence[Sample], scored: Scored, encode: Encode) -> Artefact:
    picked = np.array(chosen(rows))
    some = [rows[number] for number in picked.tolist()]
    vectors = encode([row.text.removesuffix(SIGN) for row in some])
    margins = scored.of(picked)
    both = replace(margins, scores=second_validated(some, vectors, margins))
    asked = unsure(margins, built.first, ASK) & np.array([affordable(row.text) for row in some])
    read, _ = stage(both.of(asked), UNSURE_ALARMS)
    reached, share = together(margins, both, (built.first, read), asked)
    report = {**built.report, "both": reached, "asked": round(share, 3)}
    head = fit_head(some, vectors, built.model.labels)
    return replace(built, head=head, both=read, report=report)


def cross_validated(rows: Sequence[Sample], labels: tuple[str, ...]) -> Scored:
    """The margins every sentence gets from a model that saw no sentence of its pattern."""
    parts = np.array([fold_of(row.group) for row in rows])
    scores: Floats = np.full((len(rows), len(labels)), -2.0, np.float32)
    others = [[row for row, own in zip(rows, parts, strict=True) if own != part] for part in range(FOLDS)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        models = list(pool.map(partial(fit, features=None), others))
    for part, model in enumerate(models):
        columns = [labels.index(label) for label in model.labels]
        for number in np.flatnonzero(parts == part).tolist():
            scores[number, columns] = model.scores(rows[number].text)
    return Scored(
        labels,
        scores,
        np.array([row.lang for row in rows]),
        np.array([row.label for row in rows]),
        np.array([row.weight**2 for row in rows], np.float32),
    )


def second_validated(rows: Sequence[Sample], vectors: Vector, margins: Scored) -> Floats:
    """The scores of both stages, the second one also from a model that saw no sentence of the pattern."""
    parts = np.array([fold_of(row.group) for row in rows])
    scores: Floats = margins.scores.copy()
    for part in range(FOLDS):
        own, others = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
        head = fit_head([rows[number] for number in others.tolist()], vectors[others], margins.labels)
        scores[own] = head.mixed(scores[own], vectors[own])
    return scores


def exact(authored: Authored) -> dict[str, str]:
    """Authored sentences by key; one that stands under two labels is left out."""
    found: dict[str, set[str]] = {}
    for pattern in authored.patterns:
        for text in pattern.sentences:
            found.setdefault(key(fold(text)), set()).add(pattern.label)
    return {text: next(iter(labels)) for text, labels in found.items() if text and len(labels) == 1}


def table(report: Mapping[str, Any]) -> str:
    """The cross-validated figures as text, one line per language, in percent."""
    lines = [f"{report['patterns']} patterns, {report['sentences']} sentences, cross-validated by pattern:"]
    lines += _rows(report["cross_validated"])
    if "both" in report:
        lines.append(f"with the encoder, asked for {100 * report['asked']:.0f} % of the messages:")
        lines += _rows(report["both"])
    return "\n".join(lines)


def _rows(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [
        f"{lang:6}" + "  ".join(f"{name} {100 * share:.1f}" for name, share in shares.items())
        for lang, shares in figures.items()
    ]
