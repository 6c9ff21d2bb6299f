"""Looks up a text in the reader's language, falls back to English, then Chinese, and fills in the figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from knowledge.catalog.figures import SOURCE_LANGUAGE, format_figure, format_figures
from knowledge.catalog.pofiles import UNREVIEWED, languages, read_catalog
from knowledge.catalog.templates import Template, compile_template
from knowledge.models import Figure
from knowledge.sources import PLAN, YEAR

if TYPE_CHECKING:
    from knowledge.library import Knowledge
    from knowledge.topics import Topic

FALLBACK = "en"
_LEFT_OUT = "…"
Params = Mapping[str, Figure | str | int]
_NOTHING: Params = MappingProxyType({})

COMMON: Mapping[str, Figure] = MappingProxyType(
    {
        "plan_year": Figure(value=int(PLAN), unit="roc_year", source="title of the plan"),
        "plan_year_ad": Figure(value=str(YEAR), unit="code", source="title of the plan"),
    }
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text and the language it really is in."""

    text: str
    lang: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    template: Template
    lang: str
    plain: Text | None


class Catalog:
    """All texts in all languages. Holds no state but caches; a language is read when it is first asked for."""

    def __init__(self, texts: Mapping[str, str], locale: Path) -> None:
        """`texts`: the Chinese source by key; `locale`: the folder of `<lang>/LC_MESSAGES/labor_bot.po`."""
        self._source = texts
        self._locale = locale
        self._languages = frozenset(languages(locale))
        self._read: dict[str, dict[str, str]] = {}
        self._reviews: dict[str, str] = {}
        self._candidates: dict[tuple[str, str], tuple[_Candidate, ...]] = {}

    @classmethod
    def of(cls, knowledge: Knowledge) -> Catalog:
        """The catalog of a loaded knowledge folder."""
        return cls(knowledge.texts, knowledge.root / "locale")

    def text(self, lang: str, key: str, params: Params = _NOTHING) -> Text:
        """The text of `key` for a reader of `lang`, with `params` filled in; figures print as that language does.

        A translation that needs a parameter not given is passed over. Raises KeyError for an unknown key only.
        """
        candidates = self._candidates.get((lang, key)) or self._find(lang, key)
        for candidate in candidates:
            if candidate.plain is not None:
                return candidate.plain
            try:
                return Text(_fill(candidate, params), candidate.lang)
            except KeyError:
                continue
        # Better a gap than an error page for a citizen; tests and the check look for missing parameters.
        last = candidates[-1]
        return Text(_fill(last, params, _LEFT_OUT), last.lang)

    def translated(self, lang: str, key: str) -> bool:
        """Whether `lang` has a text of its own for `key`."""
        return key in self._source and (lang == SOURCE_LANGUAGE or key in self._messages(lang))

    def reviewed_by(self, lang: str) -> str:
        """Who reviewed the catalog of `lang`; an empty string where nobody did. The Chinese source needs none."""
        if lang == SOURCE_LANGUAGE or lang not in self._languages:
            return ""
        self._messages(lang)
        review = self._reviews[lang]
        return "" if review == UNREVIEWED else review

    def __contains__(self, key: object) -> bool:
        return key in self._source

    def _find(self, lang: str, key: str) -> tuple[_Candidate, ...]:
        found = [_candidate(self._source[key], SOURCE_LANGUAGE)]
        if lang != SOURCE_LANGUAGE:
            for each in dict.fromkeys((FALLBACK, lang)):
                text = self._messages(each).get(key)
                found[:0] = [_candidate(text, each)] if text else []
        self._candidates[lang, key] = tuple(found)
        return self._candidates[lang, key]

    def _messages(self, lang: str) -> dict[str, str]:
        found = self._read.get(lang)
        if found is None:
            found = self._read[lang] = self._load(lang) if lang in self._languages else {}
        return found

    def _load(self, lang: str) -> dict[str, str]:
        po = read_catalog(self._locale, lang)
        self._reviews[lang] = po.reviewed_by
        # An entry whose Chinese has changed since is as good as missing.
        return {
            entry.key: entry.text
            for entry in po.entries
            if entry.text and not entry.fuzzy and self._source.get(entry.key) == entry.source
        }


@lru_cache(maxsize=4096)
def _cached_figures(topic: Topic, lang: str) -> Mapping[str, str]:
    return MappingProxyType(format_figures({**COMMON, **topic.frame_figures, **topic.figures}, lang))


def figures_for(topic: Topic, lang: str) -> dict[str, str]:
    """Every figure of the topic as `lang` prints it, with {plan_year}, {plan_year_ad} and the frame of the print."""
    return dict(_cached_figures(topic, lang))


def _candidate(text: str, lang: str) -> _Candidate:
    template = compile_template(text)
    if set(template.names) <= set(COMMON):
        return _Candidate(template, lang, Text(_fill_common(template, lang), lang))
    return _Candidate(template, lang, None)


def _fill_common(template: Template, lang: str) -> str:
    return template.fill(lambda name: format_figure(COMMON[name], lang))


def _fill(candidate: _Candidate, params: Params, gap: str | None = None) -> str:
    def value_of(name: str) -> str:
        value = params.get(name)
        if value is None:
            value = COMMON.get(name, gap)
        if value is None:
            raise KeyError(name)
        return format_figure(value, candidate.lang) if isinstance(value, Figure) else str(value)

    return candidate.template.fill(value_of)
