"""A fault of the content: where it is and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. `line` counts from 1 (1 when the whole file is meant); `text` says what is wrong and what to do."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class KnowledgeError(Exception):
    """Content that cannot be used. `faults` lists every reason found, each with file and line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def fault_at(file: Path, line: int, text: str) -> Fault:
    """A fault in `file`."""
    return Fault(str(file), line, text)
