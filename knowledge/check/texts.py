"""Do the Chinese texts keep to the rule that every figure comes in through a placeholder?"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from knowledge.catalog.entries import Entry
from knowledge.catalog.lookup import COMMON
from knowledge.catalog.templates import PLACEHOLDER, placeholders, stray_braces, typed_digits
from knowledge.check.number_words import chinese_numbers
from knowledge.faults import Fault
from knowledge.models import Figure
from knowledge.validated import Validated

Owners = Mapping[str, Mapping[str, Figure]]

LABEL_LIMIT = 12
_LABELS = ("browse.", "conversation.choice.", "conversation.aspect.")


def figures_of_owners(valid: Validated) -> dict[str, dict[str, Figure]]:
    """The figures that the texts of each program, chapter and hotline may quote."""
    owners = {name: {**COMMON, **figures} for name, figures in valid.figures().items()}
    for hotlines in valid.hotlines:
        owners |= {f"hotline.{each.id}": {**COMMON, **each.figures} for each in hotlines.model.hotlines}
    return owners


def figure_numbers(figures: Mapping[str, Figure]) -> dict[float, str]:
    """Every number that a number word may stand for, with the figure's name; ROC years also as Western years."""
    found = dict[float, str]()
    for name, figure in figures.items():
        for number in figure.numbers:
            found[number * 1000 if figure.unit == "thousand_ntd" else number] = name
            if figure.unit == "roc_year":
                found[number + 1911] = name
    return found


def is_label(key: str) -> bool:
    """Whether the text is a button label, which must be short."""
    return key.endswith(".label") or key.startswith(_LABELS)


def graphemes(text: str) -> int:
    """How many characters a reader sees."""
    shown = PLACEHOLDER.sub("0", text)
    return sum(unicodedata.category(sign) not in ("Mn", "Me", "Cf") for sign in shown)


def text_faults(entries: Iterable[Entry], owners: Owners) -> Iterator[Fault]:
    """Typed digits and number words, undefined placeholders, stray braces, labels that are too long."""
    seen = set[str]()
    for entry in entries:
        if entry.key in seen:
            yield _fault(entry, "this key stands twice: keep one")
        seen.add(entry.key)
        yield from _form_faults(entry)
        if entry.owner in owners:
            yield from _figure_faults(entry, owners[entry.owner])


def _form_faults(entry: Entry) -> Iterator[Fault]:
    if digits := typed_digits(entry.text):
        yield _fault(entry, f"the digits {digits} are typed into the text: make them a figure and write its {{name}}")
    if stray_braces(entry.text):
        yield _fault(entry, "a brace without a partner or a bad name: a placeholder is {lower_case_name}")
    if is_label(entry.key) and graphemes(entry.text) > LABEL_LIMIT:
        yield _fault(entry, f"a label of {graphemes(entry.text)} characters: at most {LABEL_LIMIT} fit a button")


def _figure_faults(entry: Entry, figures: Mapping[str, Figure]) -> Iterator[Fault]:
    for name in sorted(placeholders(entry.text) - figures.keys()):
        yield _fault(entry, f"{{{name}}} is not defined: add the figure '{name}' with unit and source, or correct it")
    numbers = figure_numbers(figures)
    for word, value in chinese_numbers(entry.text):
        if value in numbers:
            yield _fault(entry, f"'{word}' is the figure '{numbers[value]}': write {{{numbers[value]}}}")


def _fault(entry: Entry, text: str) -> Fault:
    return entry.document.fault(f"{entry.key}: {text}", *entry.place)
