"""Builds the artefact from the authored data: a deterministic build step (`python -m intents.train`)."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from intents import artefact, letters
from intents.artefact import Artefact
from intents.authored import DATA, Authored, inputs, read
from intents.calibrate import Scored, limits, sharpness
from intents.fitting import FOLDS, Sample, fit, fold_of, samples
from intents.lexicon import key
from intents.model import Floats
from intents.normalise import fold

_CODE = (
    "authored",
    "calibrate",
    "features",
    "fitting",
    "grammar",
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


def train(root: Path = DATA) -> Artefact:
    """The artefact of the data under `root`. Raises ValueError where a file does not parse."""
    authored = read(root)
    if authored.faults:
        raise ValueError("\n".join(map(str, authored.faults)))
    rows = samples(authored.patterns)
    model = fit(rows)
    scored = cross_validated(rows, model.labels)
    factors = sharpness(scored)
    found, reached = limits(scored, factors)
    report: dict[str, Any] = {"sentences": len(rows), "patterns": len(authored.patterns), "cross_validated": reached}
    return Artefact(
        inputs=fingerprint(root),
        model=model,
        letters=letters.build(authored),
        limits=found,
        sharpness=factors,
        exact=exact(authored),
        words=authored.words,
        languages=authored.languages,
        report=report,
    )


def cross_validated(rows: Sequence[Sample], labels: tuple[str, ...]) -> Scored:
    """The margins every sentence gets from a model that saw no sentence of its pattern."""
    parts = np.array([fold_of(row.group) for row in rows])
    scores: Floats = np.full((len(rows), len(labels)), -2.0, np.float32)
    for part in range(FOLDS):
        model = fit([row for row, own in zip(rows, parts, strict=True) if own != part])
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
    for lang, shares in report["cross_validated"].items():
        lines.append(f"{lang:6}" + "  ".join(f"{name} {100 * share:.1f}" for name, share in shares.items()))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains and saves; with --check only says whether the artefact is stale (exit code 1)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="do not train, only tell whether the artefact is stale")
    if parser.parse_args(arguments).check:
        return int(stale())
    built = train()
    artefact.save(built)
    sys.stdout.write(table(built.report) + f"\n{built.limits}\nsharpness {dict(built.sharpness)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
