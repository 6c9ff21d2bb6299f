"""Do the translations use the binding terms? Wherever the Chinese says one, each catalog must say its form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from knowledge.catalog.entries import Entry
from knowledge.catalog.pofiles import PoFile, Translation
from knowledge.catalog.templates import PLACEHOLDER
from knowledge.faults import Fault, KnowledgeError, fault_at
from knowledge.glossary import Forms, Glossary
from knowledge.reading import read, validate
from knowledge.validated import Located

FILE = "glossary.yaml"
_GAP = "\n"
"""Stands for what was found already: no term reaches across a line."""


def read_glossary(root: Path) -> tuple[Located[Glossary] | None, tuple[Fault, ...]]:
    """The glossary of a knowledge folder, or what is wrong with it."""
    try:
        document = read(root / FILE)
        return Located(validate(Glossary, document), document), ()
    except KnowledgeError as error:
        return None, error.faults


def exception_faults(glossary: Located[Glossary], entries: Iterable[Entry]) -> Iterator[Fault]:
    """The exceptions for texts that do not exist or do not say the term."""
    texts = {entry.key: entry.text for entry in entries}
    spellings = tuple(glossary.model.spellings())
    for place, term in enumerate(glossary.model.terms):
        for index, exempt in enumerate(term.exempt):
            where = ("terms", place, "except", index, "key")
            if exempt.key not in texts:
                yield glossary.fault(f"no text has the key '{exempt.key}': correct or remove it", *where)
            elif place not in dict(_said(spellings, texts[exempt.key])):
                yield glossary.fault(f"{exempt.key} does not say {term.zh[0]}: remove the exception", *where)


def term_faults(
    po: PoFile, served: Iterable[tuple[Entry, Translation]], glossary: Located[Glossary]
) -> Iterator[Fault]:
    """The translations of one catalog that lack a term, and the exceptions they do not need."""
    spellings = tuple(glossary.model.spellings())
    for entry, translation in served:
        text = _plain(translation.text)
        for place, spelling in _said(spellings, entry.text):
            term = glossary.model.terms[place]
            forms = term.forms.get(po.lang)
            if not forms:
                continue
            right = any(_form(form).search(text) for form in forms)
            if term.exempts(entry.key, po.lang):
                if right:
                    yield _not_needed(glossary, place, entry.key, po.lang)
            elif not right:
                yield fault_at(po.path, translation.line, _wrong(entry.key, spelling, forms))


def missing_terms(glossary: Glossary, key: str, chinese: str, lang: str, text: str) -> Iterator[tuple[str, Forms]]:
    """The terms that one Chinese text says and its translation lacks, each with the forms it may take."""
    plain = _plain(text)
    for place, spelling in _said(tuple(glossary.spellings()), chinese):
        term = glossary.terms[place]
        forms = term.forms.get(lang, ())
        if forms and not term.exempts(key, lang) and not any(_form(form).search(plain) for form in forms):
            yield spelling, forms


def _wrong(key: str, spelling: str, forms: tuple[str, ...]) -> str:
    wanted = " or ".join(f"'{form}'" for form in forms)
    return f"{key}: {spelling} is {wanted} in the glossary: use it, or name the key under 'except' of {FILE}"


def _not_needed(glossary: Located[Glossary], place: int, key: str, lang: str) -> Fault:
    exempt = glossary.model.terms[place].exempt
    index = next(index for index, each in enumerate(exempt) if each.key == key and lang in each.lang)
    text = f"{key} says the term in {lang}: remove the exception"
    return glossary.fault(text, "terms", place, "except", index, "key")


def _said(spellings: tuple[tuple[str, int], ...], chinese: str) -> Iterator[tuple[int, str]]:
    """The terms of a text, each once, with the spelling met: where a longer one stands, no shorter one is read."""
    rest, seen = PLACEHOLDER.sub(_GAP, chinese), set[int]()
    for spelling, place in spellings:
        if spelling in rest:
            rest = rest.replace(spelling, _GAP)
            if place not in seen:
                seen.add(place)
                yield place, spelling


def _plain(text: str) -> str:
    # {allowance} is no word of the sentence.
    return unicodedata.normalize("NFC", PLACEHOLDER.sub(_GAP, text)).casefold()


@cache
def _form(form: str) -> re.Pattern[str]:
    """Finds a form at the start of a word; scripts without blanks between words have none."""
    start = r"(?<![^\W\d_])" if unicodedata.name(form[0], "").startswith("LATIN") else ""
    return re.compile(start + re.escape(unicodedata.normalize("NFC", form).casefold()))
