"""How a line of the log is written: as text or as JSON, and never with what a library wants to quote."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

FORMS = ("text", "json")
OUTSPOKEN = ("uvicorn",)  # its messages are sentences of its own, such as why it cannot listen


class Text(logging.Formatter):
    """Time, level, message; behind it the tracing id and the fields that the message does not hold."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        found = _fields(record)
        shown = ("trace",) if record.args else tuple(name for name in found if name != "event")
        return super().format(record) + "".join(f" {name}={_short(found[name])}" for name in shown if found.get(name))


class Json(logging.Formatter):
    """One JSON object a line: time (UTC), level, event, and whatever the event has."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        found = _fields(record) or {"event": "message", "what": record.getMessage()}
        line = {"time": at, "level": record.levelname}
        return json.dumps(line | {name: value for name, value in found.items() if value != ""}, ensure_ascii=False)


class Contentless(logging.Formatter):
    """What libraries log, without their messages and traces: these may quote a person, or an address with a token."""

    def __init__(self, form: logging.Formatter) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Who logged it and where, with the kind of the error."""
        error = record.exc_info[0] if record.exc_info else None
        fields = {
            "event": "library",
            "what": record.getMessage().strip() if record.name.startswith(OUTSPOKEN) else "",
            "logger": record.name,
            "error": error.__name__ if error is not None else "",
            "place": f"{record.pathname}:{record.lineno}",
        }
        plain = logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, "library", None, None)
        plain.created, plain.msecs = record.created, record.msecs
        plain.fields = fields
        return self._form.format(plain)


def form_of(name: str) -> logging.Formatter:
    """`text` or `json`."""
    return Json() if name == "json" else Text()


def _fields(record: logging.LogRecord) -> dict[str, str | float]:
    found: dict[str, str | float] = getattr(record, "fields", {})
    return found


def _short(value: str | float) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
