"""Do the catalogs agree with the Chinese: same keys, same placeholders, no typed figures, labels that fit?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from knowledge.catalog.entries import Entry
from knowledge.catalog.maintenance import LANGUAGES, wanted
from knowledge.catalog.pofiles import PoFile, Translation, by_key, languages, read_catalog
from knowledge.catalog.templates import placeholders, stray_braces, typed_digits
from knowledge.check.glossary import term_faults
from knowledge.check.leftovers import leftover_texts
from knowledge.check.number_words import english_numbers
from knowledge.check.texts import Owners, figure_numbers, graphemes, is_label
from knowledge.faults import Fault, KnowledgeError, fault_at
from knowledge.glossary import Glossary
from knowledge.models import Figure
from knowledge.validated import Located

LABEL_LIMITS: Mapping[str, int] = {"en": 24}
LABEL_LIMIT = 30
MERGE = "run `labor-bot knowledge merge`"
URL = re.compile(r"https?:|www\.|\b[a-z0-9-]+\.(?:com|net|org|gov|tw)\b", re.IGNORECASE)


def translation_faults(
    locale: Path, entries: tuple[Entry, ...], owners: Owners, glossary: Located[Glossary] | None
) -> Iterator[Fault]:
    """The faults of every catalog. Only what is served is judged: a fuzzy or outdated entry counts as missing."""
    for lang in dict.fromkeys((*LANGUAGES, *languages(locale))):
        try:
            po = read_catalog(locale, lang)
        except KnowledgeError as error:
            yield from error.faults
            continue
        yield from po.faults
        yield from _step_faults(po, wanted(entries, lang))
        served = list(_served(po, wanted(entries, lang)))
        for entry, translation in served:
            yield from _entry_faults(po, entry, translation, owners.get(entry.owner, {}))
        if glossary is not None:
            yield from term_faults(po, served, glossary)


def _served(po: PoFile, entries: tuple[Entry, ...]) -> Iterator[tuple[Entry, Translation]]:
    known = by_key(po.entries)
    for entry in entries:
        translation = known.get(entry.key)
        if translation and translation.text and not translation.fuzzy and translation.source == entry.text:
            yield entry, translation


def _step_faults(po: PoFile, entries: tuple[Entry, ...]) -> Iterator[Fault]:
    if not po.reviewed_by:
        yield fault_at(po.path, 1, f"the header does not say who reviewed the catalog (Reviewed-By): {MERGE}")
    source = {entry.key: entry.text for entry in entries}
    known = by_key(po.entries)
    late = [key for key, text in source.items() if key not in known or known[key].source != text]
    late += [key for key in known if key not in source]
    if late:
        line = known[late[0]].line if late[0] in known else 1
        some = ", ".join(late[:3])
        yield fault_at(po.path, line, f"{len(late)} entries are behind the Chinese ({some} ...): {MERGE}")


def _entry_faults(po: PoFile, entry: Entry, translation: Translation, figures: Mapping[str, Figure]) -> Iterator[Fault]:
    texts = [
        *_form_texts(po.lang, entry, translation.text),
        *_figure_texts(po.lang, translation.text, figures),
        *leftover_texts(po.lang, entry.key, translation.text),
    ]
    for text in texts:
        yield fault_at(po.path, translation.line, f"{entry.key}: {text}")


def _form_texts(lang: str, entry: Entry, text: str) -> Iterator[str]:
    if stray_braces(text):
        yield "a brace without a partner or a bad name: a placeholder is {lower_case_name}"
    if digits := typed_digits(text):
        yield f"the digits {digits} are typed into the translation: use the placeholder of the Chinese"
    if URL.search(text):
        yield "a URL is typed into the translation: use the placeholder of the Chinese"
    # A text that leads on to something, "Language: ", may end in a blank.
    if text != (text.lstrip() if entry.text.endswith(("：", "、")) else text.strip()):
        yield "blanks at an end: remove them"
    for name in sorted(_same_year(entry.text) ^ _same_year(text)):
        where = "lost in" if name in _same_year(entry.text) else "only in"
        yield f"{{{name}}} is {where} the translation: both must have the same placeholders"
    limit = LABEL_LIMITS.get(lang, LABEL_LIMIT)
    if is_label(entry.key) and graphemes(text) > limit:
        yield f"a label of {graphemes(text)} characters: at most {limit} fit a button"


def _same_year(text: str) -> frozenset[str]:
    # Chinese prints the plan year twice, ROC and Western; other languages may say it once.
    return frozenset("plan_year" if name == "plan_year_ad" else name for name in placeholders(text))


def _figure_texts(lang: str, text: str, figures: Mapping[str, Figure]) -> Iterator[str]:
    numbers = figure_numbers(figures) if lang == "en" else {}
    for words, value in english_numbers(text) if numbers else ():
        if value in numbers:
            yield f"'{words}' is the figure '{numbers[value]}': write {{{numbers[value]}}}"
