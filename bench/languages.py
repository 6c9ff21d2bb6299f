"""`python -m bench.languages FILE...`: our language detection beside py3langid and lingua on labeled messages.

The two libraries are no dependencies of ours: `pip install py3langid lingua-language-detector` brings them for this.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from intents import artefact
from intents.labels import LANGUAGES
from intents.language import detect, guess, scripts
from intents.normalise import fold, plain

SHORT = 15
Detector = Callable[[str], str | None]


def main() -> None:
    """Load, compare, print."""
    options = argparse.ArgumentParser(prog="python -m bench.languages", description=__doc__)
    options.add_argument("files", type=Path, nargs="+", help="JSON lines or YAML lists with lang and text")
    chosen = options.parse_args()
    rows = [row for path in chosen.files for row in _rows(path) if "language" not in row.get("expect", ())]
    detectors = {"ours": ours(), **langid(), **lingua()}
    parts = {
        "two words or more": [row for row in rows if len(row["text"].split()) > 1 or row["lang"] in ("zh-TW", "th")],
        f"short, at most {SHORT} Latin letters": [
            row for row in rows if row["text"].isascii() and _letters(row["text"]) <= SHORT
        ],
        "Vietnamese without diacritics": [
            {**row, "text": plain(row["text"])} for row in rows if row["lang"] == "vi" and len(row["text"].split()) > 1
        ],
    }
    for part, own in parts.items():
        print(f"\n{part}: {len(own)} messages")
        for name, detector in detectors.items():
            print(f"  {name:24} " + _figures(detector, own))


def _rows(path: Path) -> list[dict[str, Any]]:
    text = path.read_text("utf-8")
    if path.suffix == ".yaml":
        return [{"lang": path.stem, **row} for row in YAML(typ="safe").load(text)]
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _figures(detector: Detector, rows: list[dict[str, Any]]) -> str:
    began = time.perf_counter()
    found = [detector(row["text"]) for row in rows]
    each = 1000 * (time.perf_counter() - began) / max(1, len(rows))
    right = [one == row["lang"] for one, row in zip(found, rows, strict=True)]
    by_lang = []
    for lang in LANGUAGES:
        own = [hit for hit, row in zip(right, rows, strict=True) if row["lang"] == lang]
        if own:
            by_lang.append(f"{lang} {100 * sum(own) / len(own):.1f}")
    unsure = sum(one is None for one in found)
    return f"{100 * sum(right) / max(1, len(rows)):5.1f} %  ({'  '.join(by_lang)})  unsure {unsure}  {each:.3f} ms"


def ours() -> Detector:
    """Scripts, then words and letter triples of our own utterances, as for the first message of a conversation."""
    letters = artefact.load().letters
    return lambda text: detect(fold(text), letters) or guess(fold(text), letters) or None


def langid() -> dict[str, Detector]:
    """py3langid, told of our six languages; scripts first, as for ours."""
    try:
        import py3langid
    except ImportError:
        print("py3langid is not installed: left out")
        return {}
    py3langid.set_languages(["en", "vi", "id", "tl"])
    return {"scripts + py3langid": lambda text: scripts(fold(text)) or _ours(py3langid.classify(text)[0])}


def lingua() -> dict[str, Detector]:
    """lingua, told of our six languages; scripts first, as for ours."""
    try:
        from lingua import Language, LanguageDetectorBuilder
    except ImportError:
        print("lingua is not installed: left out")
        return {}
    four = (Language.ENGLISH, Language.VIETNAMESE, Language.INDONESIAN, Language.TAGALOG)
    detector = LanguageDetectorBuilder.from_languages(*four).build()

    def named(text: str) -> str | None:
        found = detector.detect_language_of(text)
        return _ours(found.iso_code_639_1.name.lower()) if found else None

    return {"scripts + lingua": lambda text: scripts(fold(text)) or named(text)}


def _ours(code: str) -> str:
    return {"tl": "fil"}.get(code, code)


if __name__ == "__main__":
    main()
