"""Judges one sentence of the phrasebook in all its languages by the rules of the texts, each fault as a code."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from knowledge.catalog.figures import SOURCE_LANGUAGE
from knowledge.catalog.templates import PLACEHOLDER, placeholders, stray_braces, typed_digits
from knowledge.check.glossary import missing_terms
from knowledge.check.leftovers import leftover_texts
from knowledge.check.texts import graphemes
from knowledge.check.translations import URL
from knowledge.glossary import Glossary

LENGTH_LIMIT = 400


@dataclass(frozen=True, slots=True)
class PhraseFault:
    """One fault in the text of `lang`. `what` names it: a slot, digits, a term; `wanted`: what should stand there.

    Codes: empty, long, digits, braces, url, slot (not one that the desk can fill), lost and extra (a slot that the
    Chinese has and the translation has not, and the other way round), script, same (as in another language), term.
    """

    lang: str
    code: str
    what: str = ""
    wanted: str = ""


def tidy(text: str) -> str:
    """A sentence on one line, its letters composed."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def phrase_faults(
    key: str, texts: Mapping[str, str], glossary: Glossary, slots: Collection[str]
) -> Iterator[PhraseFault]:
    """What is wrong with a sentence. `texts` by language, empty where it is not translated; `slots` are those known."""
    chinese = texts.get(SOURCE_LANGUAGE, "")
    if not chinese:
        yield PhraseFault(SOURCE_LANGUAGE, "empty")
    for name in sorted(placeholders(chinese) - set(slots)):
        yield PhraseFault(SOURCE_LANGUAGE, "slot", name)
    if chinese and not any("\u4e00" <= sign <= "\u9fff" for sign in chinese):
        yield PhraseFault(SOURCE_LANGUAGE, "script")
    for lang, text in texts.items():
        if text:
            yield from _form(lang, text)
        if text and chinese and lang != SOURCE_LANGUAGE:
            yield from _translation(key, chinese, lang, text, glossary)
    yield from _same(texts)


def _form(lang: str, text: str) -> Iterator[PhraseFault]:
    if graphemes(text) > LENGTH_LIMIT:
        yield PhraseFault(lang, "long", wanted=str(LENGTH_LIMIT))
    if digits := typed_digits(text):
        yield PhraseFault(lang, "digits", digits)
    if stray_braces(text):
        yield PhraseFault(lang, "braces")
    if found := URL.search(PLACEHOLDER.sub("", text)):
        yield PhraseFault(lang, "url", found[0])


def _translation(key: str, chinese: str, lang: str, text: str, glossary: Glossary) -> Iterator[PhraseFault]:
    for name in sorted(placeholders(chinese) - placeholders(text)):
        yield PhraseFault(lang, "lost", name)
    for name in sorted(placeholders(text) - placeholders(chinese)):
        yield PhraseFault(lang, "extra", name)
    if any(leftover_texts(lang, key, text)):
        yield PhraseFault(lang, "script")
    for spelling, forms in missing_terms(glossary, key, chinese, lang, text):
        yield PhraseFault(lang, "term", spelling, " / ".join(forms))


def _same(texts: Mapping[str, str]) -> Iterator[PhraseFault]:
    """The same words in two languages: one of them was pasted into the wrong field."""
    seen: dict[str, str] = {}
    for lang, text in texts.items():
        plain = text.casefold()
        if PLACEHOLDER.sub("", plain).strip() and plain in seen:
            yield PhraseFault(lang, "same", seen[plain])
        seen.setdefault(plain, lang)
