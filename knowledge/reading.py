"""Reads YAML 1.2 into plain data that still knows the line of every key, and checks it against a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from knowledge.composing import Node, compose
from knowledge.faults import Fault, KnowledgeError, fault_at

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]

_CORE = "tag:yaml.org,2002:"
_MISSING = {"source": "say where it is printed, such as 'item 15, 一'", "unit": "say what it counts"}


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its plain data (dict, list, str, int, float, bool, None) and the line of each place in it."""

    path: Path
    data: Any
    lines: Mapping[Place, int]

    def line(self, *place: str | int) -> int:
        """The line (from 1) of `place`, or of the nearest place above it that exists."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def part(self, *place: str | int) -> Any:
        """What stands at `place`, or None where there is no such place."""
        data = self.data
        for step in place:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return None
        return data

    def fault(self, text: str, *place: str | int) -> Fault:
        """A fault at `place`."""
        return fault_at(self.path, self.line(*place), text)


def read(path: Path) -> Document:
    """The file as a document. Raises KnowledgeError for a file that is missing, not UTF-8, or not YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError([fault_at(path, 1, f"cannot be read: {error}")]) from error
    try:
        data, lines = _parsed(text)
    except _Unreadable as error:
        raise KnowledgeError([fault_at(path, error.line, error.text)]) from error
    return Document(path, data, lines)


class _Unreadable(Exception):
    """What is wrong with a text, and in which line."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


@lru_cache(maxsize=512)
def _parsed(text: str) -> tuple[Any, Mapping[Place, int]]:
    """Data and lines of a YAML text. Remembered: parsing is what costs, and several readers look at the same files."""
    try:
        root = compose(text)
    except YAMLError as error:
        raise _syntax_fault(error) from error
    if root is None:
        raise _Unreadable(1, "the file is empty: fill it or remove it")
    lines: dict[Place, int] = {}
    return _plain(root, (), lines), lines


def validate(model: type[M], document: Document, *place: str | int) -> M:
    """The part of `document` at `place` as a strict `model`. Raises KnowledgeError with the line of every fault."""
    try:
        # JSON mode is strict about types, yet takes a list where the frozen models hold a tuple.
        return model.model_validate_json(json.dumps(document.part(*place)), strict=True)
    except ValidationError as error:
        raise KnowledgeError(_model_faults(document, place, error)) from error


def _syntax_fault(error: YAMLError) -> _Unreadable:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return _Unreadable(error.problem_mark.line + 1, f"not valid YAML: {error.problem}")
    return _Unreadable(1, f"not valid YAML: {error}")


def _plain(node: Node, place: Place, lines: dict[Place, int]) -> Any:
    lines.setdefault(place, node.start_mark.line + 1)
    if node.id == "mapping":
        return _mapping(node, place, lines)
    if node.id == "sequence":
        return [_plain(item, (*place, index), lines) for index, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: Node, place: Place, lines: dict[Place, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, line = key_node.value, key_node.start_mark.line + 1
        if key_node.id != "scalar" or key_node.tag != f"{_CORE}str":
            raise _Unreadable(line, f"the key {key} is not a text: put it in quotes")
        if key in found:
            raise _Unreadable(line, f"the key '{key}' stands here twice: keep one")
        lines[*place, key] = line
        found[key] = _plain(value_node, (*place, key), lines)
    return found


def _scalar(node: Node) -> Any:
    # Times and dates stay texts: the models say what a text must look like.
    text = node.value
    try:
        match str(node.tag).removeprefix(_CORE):
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text.replace("_", ""), 0 if text[:2] in ("0x", "0o") else 10)
            case "float":
                return float(text.replace("_", ""))
    except ValueError as error:
        raise _Unreadable(node.start_mark.line + 1, f"not a number: {text}") from error
    return text


def _model_faults(document: Document, place: Place, error: ValidationError) -> Iterator[Fault]:
    errors = error.errors(include_url=False)
    for entry in errors:
        place_inside = entry["loc"]
        # An item that does not fit also makes its list too short; once is enough.
        inner = [each for each in errors if each["loc"][: len(place_inside)] == place_inside]
        if entry["type"] == "too_short" and len(inner) > 1:
            continue
        where = (*place, *place_inside)
        yield document.fault(_explain(entry["type"], entry["msg"], where, entry.get("ctx", {})), *where)


def _explain(kind: str, message: str, where: Place, context: Mapping[str, Any]) -> str:
    name = ".".join(map(str, where))
    if kind == "missing":
        hint = _MISSING.get(str(where[-1]), "add it, null if the plan is silent and the key allows it")
        return f"'{name}' is missing: {hint}"
    if kind == "extra_forbidden":
        return f"unknown key '{name}': correct its spelling or remove it"
    if kind == "literal_error":
        return f"'{name}' must be one of {context.get('expected')}"
    if kind == "string_too_short":
        return f"'{name}' is empty: fill it, or write null if the plan is silent and the key allows it"
    if kind == "value_error":
        return f"'{name}': {context['error']}"
    return f"'{name}': {message[:1].lower()}{message[1:]}"
