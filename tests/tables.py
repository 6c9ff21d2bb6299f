"""The tables of the tests, which are YAML, read the quick way."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from knowledge.composing import Node, compose


def table(path: Path) -> Any:
    """What a file holds: YAML 1.2, where keys may be of any kind and a day is a date."""
    return _value(compose(path.read_text(encoding="utf-8")))


def _value(node: Node) -> Any:
    if node.id == "mapping":
        return {_value(key): _value(value) for key, value in node.value}
    if node.id == "sequence":
        return [_value(item) for item in node.value]
    match str(node.tag).rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return node.value.lower() == "true"
        case "int":
            return int(node.value.replace("_", ""), 0 if node.value[:2] in ("0x", "0o") else 10)
        case "float":
            return float(node.value)
        case "timestamp":
            return date.fromisoformat(node.value)
    return node.value
