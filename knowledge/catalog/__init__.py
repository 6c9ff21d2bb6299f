"""Texts in the reader's language: gettext catalogs over the Chinese source, and figures as each language has them."""

from knowledge.catalog.figures import SOURCE_LANGUAGE, format_figure, format_figures
from knowledge.catalog.lookup import Catalog, Text, figures_for

__all__ = ["SOURCE_LANGUAGE", "Catalog", "Text", "figures_for", "format_figure", "format_figures"]
