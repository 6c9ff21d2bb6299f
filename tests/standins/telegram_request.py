"""Reading a call's parameters from JSON, a form or a multipart body, each as the type a method needs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .telegram_limits import Refusal, breach

QUOTED = re.compile(rb'(\w+)\*?="((?:[^"\\]|\\.)*)"')
ATTACHED = "attach://"


@dataclass(frozen=True)
class Upload:
    """A file sent along."""

    name: str
    content: bytes


@dataclass
class Params:
    """What one call said. `values` are texts from a form, or JSON values."""

    values: dict[str, Any] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether it was given at all."""
        return name in self.values or name in self.uploads

    def text(self, name: str, default: str = "") -> str:
        """A text; a number counts as one."""
        value = self.values.get(name, default)
        if isinstance(value, bool | dict | list):
            raise breach(f'parameter "{name}" must be of type String')
        return str(value)

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number, from a form as digits."""
        value = self.values.get(name, default)
        if isinstance(value, bool) or not re.fullmatch(r"\s*-?\d{1,19}\s*", str(value)):
            raise breach(f'parameter "{name}" must be of type Integer')
        return int(value)

    def flag(self, name: str) -> bool:
        """Yes or no, as Telegram reads it."""
        return str(self.values.get(name, "")).lower() in ("true", "yes", "1")

    def document(self, name: str, kind: type) -> Any:
        """A JSON value of a kind, None when it was not given."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise breach(f"can't parse {name} JSON object") from None
        if not isinstance(value, kind):
            raise breach(f"can't parse {name} JSON object")
        return value

    def upload(self, name: str) -> Upload | None:
        """A file sent under this name, or under the one that the value points to."""
        value = str(self.values.get(name, ""))
        if value.startswith(ATTACHED):
            name = value.removeprefix(ATTACHED)
            if name not in self.uploads:
                raise breach("there is no file attached with that name")
        return self.uploads.get(name)


def read(content_type: str, body: bytes, query: str = "") -> Params:
    """The parameters of a request. Raises a Refusal for a body that cannot be read."""
    params = Params(dict(parse_qsl(query, keep_blank_values=True)))
    kind = content_type.split(";")[0].strip().lower()
    if kind == "application/json" and body:
        params.values |= read_json(body)
    elif kind == "multipart/form-data":
        read_multipart(content_type, body, params)
    elif kind == "application/x-www-form-urlencoded":
        params.values |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    return params


def read_json(body: bytes) -> dict[str, Any]:
    """A JSON object; what is null was not given."""
    try:
        found = json.loads(body)
    except ValueError:
        raise Refusal(400, "Bad Request: can't parse JSON object") from None
    if not isinstance(found, dict):
        raise Refusal(400, "Bad Request: can't parse JSON object")
    return {key: value for key, value in found.items() if value is not None}


def read_multipart(content_type: str, body: bytes, params: Params) -> None:
    """Parts with a file name are uploads, the others values."""
    match = re.search(r'boundary="?([^";]+)', content_type)
    if match is None:
        raise Refusal(400, "Bad Request: boundary is missing")
    for part in (b"\r\n" + body).split(b"\r\n--" + match[1].encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        names = {key.decode(): value.decode(errors="replace") for key, value in QUOTED.findall(head)}
        if "filename" in names:
            params.uploads[names.get("name", "")] = Upload(names["filename"], content)
        else:
            params.values[names.get("name", "")] = content.decode(errors="replace")
