"""Tables as CSV that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

Cell = str | int | float | None

# What a spreadsheet may take for the start of a formula; the wide forms are taken so where the locale is Chinese.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def rows_to_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The lines of a CSV file (RFC 4180), the header first; an empty header gives no line, for a later part of a file.

    Text that could be a formula gets a leading apostrophe; numbers stay numbers. Every text is quoted, so that no other
    separator than the comma starts a cell. Encode as utf-8-sig: without its mark Excel garbles Chinese.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, quoting=csv.QUOTE_NONNUMERIC)
    if header:
        writer.writerow([_safe(cell) for cell in header])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return lines.getvalue()


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
