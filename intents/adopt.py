"""Puts a message that could not be answered into the authored utterances, where its author wants it."""

from __future__ import annotations

import re
from pathlib import Path

from intents.authored import DATA
from intents.labels import LANGUAGES, URGENT

_GRAMMAR = re.compile(r"[\[\]()|<>]")
_PLAIN = re.compile(r"[^\W_][\w ,.?'’-]*[\w.?]", re.UNICODE)


class AdoptError(ValueError):
    """It cannot be put there; the message says why and what to do."""


def adopt(text: str, lang: str, label: str, root: Path = DATA) -> Path:
    """Append `text` as an utterance of `label` (`p15`, `p06.4`, `urgent.injury`, `stations`); the file it went to.

    Raises AdoptError where there is no such file, or the sentence is there already.
    """
    if lang not in LANGUAGES:
        raise AdoptError(f"no language {lang}: one of {', '.join(LANGUAGES)}")
    stem, _, danger = label.partition(".") if label.startswith(URGENT) else (label, "", "")
    path = root / lang / f"{stem}.yaml"
    if not path.exists():
        raise AdoptError(f"no label {label}: there is no {path.name} in {lang}")
    line = _quoted(_GRAMMAR.sub(" ", text).strip())
    lines = path.read_text("utf-8").rstrip("\n").split("\n")
    if any(each.strip() == f"- {line}" for each in lines):
        raise AdoptError(f"{path.name} has this sentence already")
    at, indent = (len(lines), "  ") if not danger else _end_of_class(lines, danger)
    lines.insert(at, f"{indent}- {line}")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _end_of_class(lines: list[str], danger: str) -> tuple[int, str]:
    start = next((number for number, line in enumerate(lines) if line.strip() == f"{danger}:"), None)
    if start is None:
        raise AdoptError(f"no class of danger {danger!r}")
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith("    ")):
        end += 1
    return end, "    "


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in ("yes", "no", "true", "false", "null", "on", "off"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
