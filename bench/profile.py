"""Where the CPU time of a turn goes, by room, from what `bench.profiled` counted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

ROOT = str(Path(__file__).parent.parent) + "/"
ROOMS = ("bot", "intents", "knowledge", "templates")


def room_of(file: str, function: str) -> str:
    """A room of the house, a library, or a C function."""
    if file == "~":
        name = function.rpartition(":")[0]
        return "sqlite3 (C)" if "sqlite3" in name else "uvloop, C functions"
    if "site-packages/" in file:
        return file.partition("site-packages/")[2].partition("/")[0]
    if file.startswith(ROOT):
        return ".".join(file.removeprefix(ROOT).removesuffix(".py").split("/")[:3])
    path = Path(file)
    return f"python: {path.stem if path.parent.name.startswith('python') else path.parent.name}"


def table(report: Path) -> str:
    """Microseconds a turn by thread and room, then the functions that cost most."""
    found = json.loads(report.read_text())
    turns = found["turns"] or 1
    parts = [f"{turns} turns; CPU microseconds a turn (watching makes small functions look dearer than they are)"]
    for thread, functions in found["threads"].items():
        rooms: Counter[str] = Counter()
        for file, function, _, own in functions:
            rooms[room_of(file, function)] += own
        parts.append(f"\n{thread}: {1e6 * sum(rooms.values()) / turns:.0f}")
        parts += [f"  {1e6 * own / turns:7.0f}  {room}" for room, own in rooms.most_common(22)]
        parts.append("  functions")
        dearest = sorted(functions, key=lambda each: -each[3])[:22]
        parts += [
            f"  {1e6 * own / turns:7.0f}  {calls / turns:6.2f} calls  {file.removeprefix(ROOT)[-60:]} {function}"
            for file, function, calls, own in dearest
        ]
    return "\n".join(parts)
