"""`python -m bench.understand --train FILE --test FILE`: the engine of `intents/` on any labeled JSON lines."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from intents.encoder.many import encode_all
from intents.encoder.process import EncoderProcess, installed
from intents.fitting import Sample, fit, fit_head, twins
from intents.head import Head, reads
from intents.labels import OUTSIDE
from intents.model import Floats, Model
from intents.normalise import fold

OOS = ("oos", OUTSIDE)
FALSE_REFUSALS = 0.05
SHARPNESS = 4.0


@dataclass(frozen=True)
class Engine:
    """Both stages, as `intents.train` builds them; `encoder` None: the first stage alone."""

    model: Model
    head: Head | None
    encoder: EncoderProcess | None

    def scores(self, text: str) -> Floats:
        """The margins of the labels for a raw text; the encoder is always asked."""
        folded = fold(text)
        margins = self.model.scores(folded)
        vector = self.encoder.encode(folded) if self.encoder else None
        return margins if vector is None or self.head is None else self.head.mixed(margins, vector)


def build(rows: Sequence[dict[str, Any]], store: Path | None, encoder: bool) -> Engine:
    """Train on labeled rows (`text`, `lang`, `label`)."""
    samples = [
        Sample(row["lang"], row["label"], text, f"{number}", 1.0)
        for number, row in enumerate(rows)
        for text in dict.fromkeys(twins(fold(row["text"]), row["lang"]))
    ]
    model = fit(samples, features=None)
    if not encoder:
        return Engine(model, None, None)
    samples = [sample for sample in samples if reads(sample.lang, sample.text)]
    vectors = encode_all([sample.text for sample in samples], time.monotonic, store)
    process = EncoderProcess(time.monotonic, seconds=5.0, patient=True)
    process.start()
    return Engine(model, fit_head(samples, vectors, model.labels), process)


def main() -> None:
    """Train, test, print."""
    options = argparse.ArgumentParser(prog="python -m bench.understand", description=__doc__)
    options.add_argument("--train", type=Path, required=True)
    options.add_argument("--test", type=Path, required=True, help="the label `oos` marks messages of no known label")
    options.add_argument("--store", type=Path, help="a file that remembers the encoder's vectors of the training rows")
    options.add_argument("--no-encoder", action="store_true")
    chosen = options.parse_args()
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    engine = build(_rows(chosen.train), chosen.store, installed() and not chosen.no_encoder)
    print(
        f"trained in {time.perf_counter() - began:.0f} s, {len(engine.model.labels)} labels,"
        f" {'both stages' if engine.encoder else 'the first stage alone'}"
    )
    test = _rows(chosen.test)
    scores, times = _scored(engine, test)
    _accuracy(engine, test, scores)
    _outside(engine, test, scores)
    print(f"ms a message: median {np.median(times):.2f}, 99th percentile {np.percentile(times, 99):.1f}")
    children = sum(child.memory_info().rss for child in psutil.Process().children(recursive=True))
    grown = psutil.Process().memory_info().rss - before + children
    print(f"memory added, training included: {grown / 1e6:.0f} MB, of it the encoder's process {children / 1e6:.0f} MB")


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _scored(engine: Engine, rows: Sequence[dict[str, Any]]) -> tuple[Floats, list[float]]:
    scores, times = [], []
    for row in rows:
        began = time.perf_counter()
        scores.append(engine.scores(row["text"]))
        times.append(1000 * (time.perf_counter() - began))
    return np.stack(scores), times


def _accuracy(engine: Engine, rows: Sequence[dict[str, Any]], scores: Floats) -> None:
    langs = np.array([row["lang"] for row in rows])
    truth = np.array([row["label"] for row in rows])
    known = ~np.isin(truth, OOS)
    hit = np.array(engine.model.labels)[scores.argmax(axis=1)] == truth
    shares = {lang: 100 * float(hit[known & (langs == lang)].mean()) for lang in dict.fromkeys(langs.tolist())}
    print("accuracy %  " + "  ".join(f"{lang} {share:.1f}" for lang, share in shares.items()))
    print(f"mean of the languages {np.mean(list(shares.values())):.2f}, of all messages {100 * hit[known].mean():.2f}")


def _outside(engine: Engine, rows: Sequence[dict[str, Any]], scores: Floats) -> None:
    """Out-of-scope messages told apart by the chance of the best label."""
    truth = np.array([row["label"] for row in rows])
    outside = np.isin(truth, OOS)
    if not outside.any():
        print("out of scope: no such messages in the test file")
        return
    raised = np.exp((scores - scores.max(axis=1, keepdims=True)) * SHARPNESS)
    best = (raised / raised.sum(axis=1, keepdims=True)).max(axis=1)
    limit = np.quantile(best[~outside], FALSE_REFUSALS)
    refused = 100 * float((best[outside] < limit).mean())
    print(f"out of scope refused at {100 * FALSE_REFUSALS:.0f} % false refusals: {refused:.1f} %")


if __name__ == "__main__":
    main()
