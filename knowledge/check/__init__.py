"""Checks a knowledge folder as a whole: the plan is complete, texts hold no typed figures, catalogs agree."""

from __future__ import annotations

from pathlib import Path

from knowledge.catalog.entries import collect
from knowledge.check.completeness import completeness_faults
from knowledge.check.references import reference_faults
from knowledge.check.texts import figures_of_owners, text_faults
from knowledge.check.translations import translation_faults
from knowledge.faults import Fault
from knowledge.sources import PACKAGED, read_sources
from knowledge.validated import validate_all

__all__ = ["check"]


def check(root: Path = PACKAGED) -> list[Fault]:
    """Every fault of the folder, in the order of files and lines; an empty list when it is clean. Never raises."""
    sources = read_sources(root)
    valid = validate_all(sources)
    entries = tuple(collect(sources))
    owners = figures_of_owners(valid)
    found = [
        *sources.faults,
        *valid.faults,
        *completeness_faults(sources, valid),
        *reference_faults(sources, valid, entries),
        *text_faults(entries, owners),
        *translation_faults(root / "locale", entries, owners),
    ]
    return sorted(set(found))
