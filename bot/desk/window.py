"""Which lines of a conversation a case's page shows: the newest ones, or earlier ones on request."""

from __future__ import annotations

from dataclasses import dataclass

from bot.messages import Entry
from bot.store import Store
from bot.store.records import CaseRow

LINES = 60
MOST = 5000  # looked through for words, and printed


@dataclass(frozen=True, slots=True)
class Window:
    """Some lines in order. `earlier`: the line before which the next earlier ones stand, 0 where there are none;
    `newest`: the last line is the case's last one."""

    entries: list[Entry]
    earlier: int = 0
    newest: bool = True


def window(store: Store, row: CaseRow, before: int = 0, lines: int = LINES) -> Window:
    """The last `lines` lines of a case, or those right before the line `before`. A closed case ends with its closing
    notice: what the citizen writes later is none of its business."""
    end = None if row.closed_at is None else (row.closed_seq or 0) + 1
    inside = 0 < before < (end or before + 1)
    found = store.entries(row.conversation, limit=lines + 1, before=before if inside else end)
    shown = found[-lines:]
    earlier = (shown[0].seq or 0) if len(found) > lines else 0
    return Window(shown, earlier, newest=not inside)
