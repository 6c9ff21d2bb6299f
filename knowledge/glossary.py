"""The binding terms: how each word of the trade is said in every language, and where it rightly is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from knowledge.catalog.maintenance import LANGUAGES
from knowledge.models import Line, Strict

Forms: TypeAlias = Annotated[tuple[Line, ...], Field(min_length=1)]


class Exempt(Strict):
    """A text that rightly does without the term in the languages `lang`; `why` says so in a few words."""

    key: Line
    lang: Forms
    why: Line


class Term(Strict):
    """One term: its Chinese spellings and, by language, the forms a translation may use, the usual one first.

    A form may be the stem of a word; case does not count. A further language may have forms, it need not.
    """

    zh: Forms
    forms: Mapping[str, Forms]
    exempt: tuple[Exempt, ...] = Field(default=(), alias="except")

    @model_validator(mode="after")
    def _speaks_every_language(self) -> Self:
        for lang in LANGUAGES:
            if lang not in self.forms:
                raise ValueError(f"no form in the language {lang}: add one under 'forms'")
        return self

    @model_validator(mode="after")
    def _exempts_where_it_speaks(self) -> Self:
        seen = set[tuple[str, str]]()
        for exempt in self.exempt:
            for lang in exempt.lang:
                if lang not in self.forms:
                    raise ValueError(f"{exempt.key} is excepted in {lang}, which has no forms: correct or remove it")
                if (exempt.key, lang) in seen:
                    raise ValueError(f"{exempt.key} is excepted twice in {lang}: keep one")
                seen.add((exempt.key, lang))
        return self

    def exempts(self, key: str, lang: str) -> bool:
        """Whether the text `key` may do without the term in the language."""
        return any(exempt.key == key and lang in exempt.lang for exempt in self.exempt)


class Glossary(Strict):
    """All terms. A spelling belongs to one term only."""

    terms: Annotated[tuple[Term, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen = set[str]()
        for spelling in chain.from_iterable(term.zh for term in self.terms):
            if spelling in seen:
                raise ValueError(f"the term {spelling} stands here twice: keep one")
            seen.add(spelling)
        return self

    def spellings(self) -> Iterator[tuple[str, int]]:
        """Every Chinese spelling with the position of its term, the longest first."""
        found = [(spelling, place) for place, term in enumerate(self.terms) for spelling in term.zh]
        yield from sorted(found, key=lambda pair: -len(pair[0]))
