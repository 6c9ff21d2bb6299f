"""Checks calls and updates against the machine-readable Bot API, where a copy lies beside the project."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .telegram_request import ATTACHED, Params

SPEC = Path(__file__).parents[3] / "shared" / "reference" / "specs" / "telegram-bot-api.min.json"
ARRAY = "Array of "
PLAIN: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
    "InputFile": (str,),
}
WRITTEN = {
    "String": re.compile(r"(?s).*"),
    "Integer": re.compile(r"-?\d+"),
    "Float": re.compile(r"-?\d+(\.\d+)?"),
    "Boolean": re.compile(r"(?i)true|false|yes|no|0|1"),
    "InputFile": re.compile(r"(?s).+"),
}


@dataclass(frozen=True)
class Spec:
    """Methods and types by name."""

    methods: dict[str, Any]
    types: dict[str, Any]

    def faults(self, method: str, params: Params) -> list[str]:
        """What is wrong with a call: unknown or missing parameters, wrong types."""
        known = {field["name"]: field for field in self.methods[method].get("fields", [])}
        found = [f"unknown parameter {name}" for name in params.values if name not in known]
        attached = json.dumps(params.values, default=str)
        for name in params.uploads:
            if name not in known and f"{ATTACHED}{name}" not in attached:
                found.append(f"unknown parameter {name}")
            elif name in known and "InputFile" not in known[name]["types"]:
                found.append(f"{name}: takes no file")
        for name, field in known.items():
            if field["required"] and not params.has(name):
                found.append(f"{name} is missing")
            elif name in params.values:
                found += self.parameter(name, params.values[name], field["types"])
        return found

    def parameter(self, name: str, value: Any, types: list[str]) -> list[str]:
        """A parameter may be written as text, whatever its type."""
        if not isinstance(value, str):
            return self.value(value, types, name)
        if any(kind in WRITTEN and WRITTEN[kind].fullmatch(value) for kind in types):
            return []
        rest = [kind for kind in types if kind not in WRITTEN]
        try:
            return self.value(json.loads(value), rest, name) if rest else [f"{name}: not of type {' or '.join(types)}"]
        except ValueError:
            return [f"{name}: can't parse JSON object"]

    def value(self, value: Any, types: list[str], path: str) -> list[str]:
        """The faults under the type that fits best."""
        tried = [self.one(value, kind, path) for kind in types]
        return min(tried, key=len) if tried else [f"{path}: wrong type"]

    def one(self, value: Any, kind: str, path: str) -> list[str]:
        """The faults of a JSON value as one type."""
        if kind in PLAIN:
            fits = isinstance(value, PLAIN[kind]) and (kind == "Boolean") == isinstance(value, bool)
            return [] if fits else [f"{path}: not of type {kind}"]
        if kind.startswith(ARRAY):
            if not isinstance(value, list):
                return [f"{path}: not a list"]
            inner = [kind.removeprefix(ARRAY)]
            return [fault for at, item in enumerate(value) for fault in self.value(item, inner, f"{path}[{at}]")]
        if subtypes := self.types[kind].get("subtypes"):
            return self.value(value, subtypes, path)
        return self.object(value, self.types[kind].get("fields", []), path)

    def object(self, value: Any, fields: list[dict[str, Any]], path: str) -> list[str]:
        """The faults of a JSON object."""
        if not isinstance(value, dict):
            return [f"{path}: not an object"]
        known = {field["name"]: field for field in fields}
        found = [f"{path}.{name} is unknown" for name in value if name not in known]
        for name, field in known.items():
            if name in value:
                found += self.value(value[name], field["types"], f"{path}.{name}")
            elif field["required"]:
                found.append(f"{path}.{name} is missing")
        return found


@cache
def load(path: Path = SPEC) -> Spec | None:
    """The published Bot API, None where it is not at hand."""
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return Spec(found["methods"], found["types"])
