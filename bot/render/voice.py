"""Texts for one reader, and a memory of whether any of them fell back to another language."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge.catalog import Catalog

Shown = str | int | float


class Voice:
    """Called with a catalog key and parameters, gives the text in the reader's language or its fallback."""

    def __init__(self, catalog: Catalog, lang: str, common: Mapping[str, str]) -> None:
        self.lang = lang
        self.language = lang
        self.fell_back = False
        self._catalog = catalog
        self._common = common

    def __call__(self, key: str, **params: Shown) -> str:
        """A text of the body: if it is not in the reader's language, the reply will say so."""
        text = self._catalog.text(
            self.lang, key, {**self._common, **{name: str(value) for name, value in params.items()}}
        )
        if text.lang != self.lang:
            self.fell_back = True
            self.language = text.lang
        return text.text

    def label(self, key: str, **params: Shown) -> str:
        """A button's label: falls back silently, the body says in which language it is."""
        return self._catalog.text(
            self.lang, key, {**self._common, **{name: str(value) for name, value in params.items()}}
        ).text

    def language_of(self, key: str) -> str:
        """The language a text will really be in: figures must be printed in the same."""
        if self._catalog.translated(self.lang, key):
            return self.lang
        return "en" if self._catalog.translated("en", key) else "zh-TW"

    def knows(self, key: str) -> bool:
        """Is there such a text?"""
        return key in self._catalog
