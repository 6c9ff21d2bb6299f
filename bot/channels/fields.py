"""Reading one field of a platform's event: what it must be, or else a ValueError that says so."""

from __future__ import annotations

from typing import Any

from bot.channels.text import sound

NAME_LIMIT = 200
Part = dict[str, Any]


def object_of(part: Part, field: str) -> Part:
    """A nested object."""
    value = part.get(field)
    if not isinstance(value, dict):
        raise ValueError(f"{field} must be an object")
    return value


def name_of(part: Part, field: str) -> str:
    """An id as it is: changing one would make two of them the same."""
    found = maybe_name(part, field)
    if not found:
        raise ValueError(f"{field} must be a text of 1 to {NAME_LIMIT} printable characters")
    return found


def maybe_name(part: Part, field: str) -> str:
    """The same where it may be missing: then empty."""
    value = part.get(field)
    return value if isinstance(value, str) and len(value) <= NAME_LIMIT and value.isprintable() else ""


def one_line(value: Any) -> str:
    """Words of a person in one line; empty for anything else."""
    return " ".join(sound(value).split()) if isinstance(value, str) else ""


def coordinates(part: Part) -> str:
    """Latitude and longitude of a place in degrees, as text."""
    return f"{_degrees(part.get('latitude'), 90):.6f}, {_degrees(part.get('longitude'), 180):.6f}"


def _degrees(value: Any, most: int) -> float:
    if type(value) not in (int, float) or not -most <= value <= most:
        raise ValueError("a location must have coordinates")
    return float(value)
