"""Checks a knowledge folder as a whole: the plan is complete, no figure is typed, rules hold, catalogs agree."""

from __future__ import annotations

from pathlib import Path

from knowledge.catalog.entries import collect
from knowledge.check.completeness import completeness_faults
from knowledge.check.glossary import exception_faults, read_glossary
from knowledge.check.references import reference_faults
from knowledge.check.rules import rule_faults, translation_warnings
from knowledge.check.texts import figures_of_owners, text_faults
from knowledge.check.translations import translation_faults
from knowledge.faults import Fault
from knowledge.sources import PACKAGED, read_sources
from knowledge.validated import validate_all

__all__ = ["check", "lint", "warnings"]


def check(root: Path = PACKAGED) -> list[Fault]:
    """Every fault of the folder, in the order of files and lines; an empty list when it is clean. Never raises."""
    sources = read_sources(root)
    valid = validate_all(sources)
    entries = tuple(collect(sources))
    owners = figures_of_owners(valid)
    glossary, glossary_faults = read_glossary(root)
    found = [
        *sources.faults,
        *valid.faults,
        *completeness_faults(sources, valid),
        *reference_faults(sources, valid, entries),
        *rule_faults(sources, valid),
        *text_faults(entries, owners),
        *glossary_faults,
        *(exception_faults(glossary, entries) if glossary else ()),
        *translation_faults(root / "locale", entries, owners, glossary),
    ]
    return sorted(set(found))


def lint(root: Path = PACKAGED) -> list[Fault]:
    """The faults of rules, facts and golden cases alone, and what keeps them from being read. Never raises."""
    sources = read_sources(root)
    valid = validate_all(sources)
    return sorted({*sources.faults, *valid.faults, *rule_faults(sources, valid)})


def warnings(root: Path = PACKAGED) -> list[Fault]:
    """What works and is not finished: texts of rules and facts that a language lacks. Never raises."""
    return sorted(translation_warnings(root / "locale", tuple(collect(read_sources(root)))))
