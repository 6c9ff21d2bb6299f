"""The trained artefact: what training leaves and understanding loads. Two files, no pickle, numpy and JSON alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intents.decide import Limits, Stage
from intents.head import Head
from intents.language import Letters
from intents.model import Model, Space

PACKAGED = Path(__file__).parent / "artefact"
FORMAT = 2


class ArtefactError(RuntimeError):
    """The artefact is missing, damaged or of another format; the message says how to rebuild it."""


@dataclass(frozen=True)
class Artefact:
    """Everything understanding needs that does not come from the knowledge.

    `inputs` is the hash of what it was trained from. `first` reads the scores of the model alone; `head` and `both`
    are the second stage and how the scores of both together are read (None where it was trained without an encoder).
    `ask` is the chance of the best reading below which the second stage is asked.

    `exact` holds the authored sentences by key. `words` and `languages` are the authored lists, so that no YAML has to
    be read at start-up. `report` holds the figures of the cross-validation.
    """

    inputs: str
    model: Model
    letters: Letters
    first: Stage
    head: Head | None
    both: Stage | None
    ask: float
    districts: Mapping[str, Any]
    cities: Mapping[str, Any]
    exact: Mapping[str, str]
    words: Mapping[str, Any]
    languages: Mapping[str, Any]
    report: Mapping[str, Any]


def save(artefact: Artefact, folder: Path = PACKAGED) -> None:
    """Writes `model.npz` and `model.json`; the same artefact gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    model, letters = artefact.model, artefact.letters
    head = artefact.head
    second: dict[str, Any] = (
        {"head": head.weights.astype(np.float16), "head_mean": head.mean, "head_bias": head.bias} if head else {}
    )
    np.savez_compressed(
        folder / "model.npz",
        **second,
        weights=model.weights,
        scales=model.scales,
        bias=model.bias,
        rarity=model.space.rarity.astype(np.float16),
        names=_pack("\n".join(model.space.index)),
        triples=np.array(list(letters.triples.values()), np.float16),
        triple_names=_pack("\n".join(letters.triples)),
        known=np.array(list(letters.words.values()), np.float16),
        known_names=_pack("\n".join(letters.words)),
    )
    doc = {
        "format": FORMAT,
        "inputs": artefact.inputs,
        "labels": list(model.labels),
        "first": asdict(artefact.first),
        "both": asdict(artefact.both) if artefact.both else None,
        "ask": artefact.ask,
        "districts": artefact.districts,
        "cities": artefact.cities,
        "latin": list(letters.langs),
        "neutral": sorted(letters.neutral),
        "report": artefact.report,
        "languages": artefact.languages,
        "words": artefact.words,
        "exact": dict(sorted(artefact.exact.items())),
    }
    text = json.dumps(doc, ensure_ascii=False, indent=0, separators=(",", ":"))
    (folder / "model.json").write_text(text + "\n", "utf-8")


def load(folder: Path = PACKAGED) -> Artefact:
    """Reads what `save` wrote. Raises ArtefactError."""
    try:
        doc = json.loads((folder / "model.json").read_text("utf-8"))
        with np.load(folder / "model.npz", allow_pickle=False) as arrays:
            parts = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError) as error:
        raise ArtefactError(f"cannot read {folder}: {error}; run `labor-bot intents train`") from error
    if doc.get("format") != FORMAT:
        raise ArtefactError(f"{folder} is of another format; run `labor-bot intents train`")
    return Artefact(
        inputs=doc["inputs"],
        model=_model(doc, parts),
        letters=_letters(doc, parts),
        first=_stage(doc["first"]),
        head=_head(parts),
        both=_stage(doc["both"]) if doc["both"] else None,
        ask=doc["ask"],
        districts=doc["districts"],
        cities=doc["cities"],
        exact=doc["exact"],
        words=doc["words"],
        languages=doc["languages"],
        report=doc["report"],
    )


def _model(doc: Mapping[str, Any], parts: Mapping[str, Any]) -> Model:
    names = _unpack(parts["names"])
    space = Space({name: number for number, name in enumerate(names)}, parts["rarity"].astype(np.float32))
    return Model(tuple(doc["labels"]), space, parts["weights"], parts["scales"], parts["bias"])


def _stage(doc: Mapping[str, Any]) -> Stage:
    return Stage(doc["sharpness"], Limits(**doc["limits"]))


def _head(parts: Mapping[str, Any]) -> Head | None:
    if "head" not in parts:
        return None
    return Head(parts["head_mean"], parts["head"].astype(np.float32), parts["head_bias"])


def _letters(doc: Mapping[str, Any], parts: Mapping[str, Any]) -> Letters:
    words = dict(zip(_unpack(parts["known_names"]), map(tuple, parts["known"].tolist()), strict=True))
    triples = dict(zip(_unpack(parts["triple_names"]), map(tuple, parts["triples"].tolist()), strict=True))
    return Letters(tuple(doc["latin"]), words, triples, frozenset(doc["neutral"]))


def _pack(text: str) -> Any:
    return np.frombuffer(text.encode(), np.uint8)


def _unpack(packed: Any) -> list[str]:
    return str(packed.tobytes(), "utf-8").split("\n")
