"""Checks JSON against the vendor's own schema where it lies beside the repository: strict, also on unknown keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .line_limits import Finding, join

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "specs"
_REF = "#/components/schemas/"
_KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_FORMATS = {
    "uri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+"),
    "uuid": re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
}
_BITS = {"int32": 31, "int64": 63}

Schema = Mapping[str, Any]
Findings = Iterator[Finding]


@cache
def load(name: str) -> LineSchema | None:
    """`messaging-api` or `webhook`; None where the vendor's file is not at hand."""
    path = FOLDER / f"line-{name}.strict.json"
    if not path.is_file():
        return None
    return LineSchema(json.loads(path.read_text(encoding="utf-8"))["components"]["schemas"])


class LineSchema:
    """The named schemas of one document."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def check(self, name: str, value: Any, path: str = "") -> list[Finding]:
        """What is wrong with a value; an unknown key is a finding that LINE does not refuse."""
        return list(self._check(self._schemas[name], value, path, closed=True))

    def _check(self, schema: Schema, value: Any, path: str, closed: bool) -> Findings:
        if "$ref" in schema:
            yield from self._check(self._schemas[schema["$ref"].removeprefix(_REF)], value, path, closed)
            return
        if value is None and schema.get("nullable"):
            return
        if "discriminator" in schema:
            yield from self._one_of(schema, value, path)
            return
        if (kind := schema.get("type")) and not _is(kind, value):
            yield _finding(path, f"must be of type {kind}")
            return
        for part in schema.get("allOf", ()):
            yield from self._check(part, value, path, closed=False)
        yield from _plain(schema, value, path)
        if isinstance(value, dict):
            yield from self._object(schema, value, path, closed)
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._check(schema.get("items", {}), item, f"{path}[{index}]", closed=True)

    def _one_of(self, schema: Schema, value: Any, path: str) -> Findings:
        field = schema["discriminator"]["propertyName"]
        known: Mapping[str, str] = schema["discriminator"]["mapping"]
        kind = str(value.get(field)) if isinstance(value, dict) else ""
        if kind not in known:
            yield _finding(join(path, field), f"Must be one of the following values: [{', '.join(known)}]")
            return
        yield from self._check({"$ref": known[kind]}, value, path, closed=True)

    def _object(self, schema: Schema, value: Mapping[str, Any], path: str, closed: bool) -> Findings:
        for field in schema.get("required", ()):
            if field not in value:
                yield _finding(join(path, field), "May not be empty")
        for field, each in schema.get("properties", {}).items():
            if field in value:
                yield from self._check(each, value[field], join(path, field), closed=True)
        if isinstance(more := schema.get("additionalProperties"), dict):
            for field in value:
                yield from self._check(more, value[field], join(path, field), closed=True)
        elif closed and (known := self._known(schema)):
            for field in value.keys() - known:
                yield _finding(join(path, field), "unknown key, ignored by LINE", refused=False)

    def _known(self, schema: Schema) -> set[str]:
        """The keys that a schema names."""
        if "$ref" in schema:
            return self._known(self._schemas[schema["$ref"].removeprefix(_REF)])
        found = set(schema.get("properties", ()))
        return found.union(*(self._known(part) for part in schema.get("allOf", ())))


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _plain(schema: Schema, value: Any, path: str) -> Findings:
    """Constraints on one value."""
    if "enum" in schema and value not in schema["enum"]:
        yield _finding(path, f"Must be one of the following values: [{', '.join(map(str, schema['enum']))}]")
    if isinstance(value, str):
        yield from _between(schema, "Length", "minLength", "maxLength", len(value), path)
        form = _FORMATS.get(schema.get("format", ""))
        if form and not form.fullmatch(value):
            yield _finding(path, f"must be a {schema['format']}")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield _finding(path, f"must match {schema['pattern']}")
    elif isinstance(value, list):
        yield from _between(schema, "Size", "minItems", "maxItems", len(value), path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _between(schema, "Value", "minimum", "maximum", value, path)
        bits = _BITS.get(schema.get("format", ""))
        if bits and not -(2**bits) <= value < 2**bits:
            yield _finding(path, f"must be an {schema['format']}")


def _between(schema: Schema, word: str, least: str, most: str, size: float, path: str) -> Findings:
    if size < schema.get(least, size) or size > schema.get(most, size):
        yield _finding(path, f"{word} must be between {schema.get(least, 0)} and {schema.get(most, 'any')}")


def _finding(path: str, message: str, refused: bool = True) -> Finding:
    return Finding(path, message, refused, "schema")
