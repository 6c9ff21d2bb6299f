"""`phrasebook`: what the desk wrote, for the project's authors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import click
from babel.messages.pofile import escape

from bot.cli.serving import _config
from bot.store import Store
from bot.store.phrases import PhraseRow
from knowledge.catalog.figures import SOURCE_LANGUAGE

FILE = "phrasebook"


@click.group()
def phrasebook() -> None:
    """Sentences written or changed at the desk."""


@phrasebook.command()
def export() -> None:
    """Print them as fragments for the file of texts (YAML) and the catalogs (PO); retired ones as comments."""
    store = Store(_config().database)
    try:
        rows = store.phrases.newest()
    finally:
        store.close()
    for line in fragments(rows):
        click.echo(line)


def fragments(rows: Sequence[PhraseRow]) -> Iterator[str]:
    """The lines of all fragments: the Chinese first, then one catalog after another."""
    served = [row for row in rows if not row.wording.retired]
    yield f"# knowledge/texts/{FILE}.yaml"
    yield from (f"# retired at the desk: {row.key}" for row in rows if row.wording.retired)
    for row in served:  # a JSON text is a YAML text
        yield f"{row.key}: {json.dumps(row.wording.texts[SOURCE_LANGUAGE], ensure_ascii=False)}"
    for lang in sorted({lang for row in served for lang in row.wording.texts} - {SOURCE_LANGUAGE}):
        yield from ("", f"# knowledge/locale/{lang}/LC_MESSAGES/labor_bot.po")
        for row in served:
            if lang in row.wording.texts:
                yield from _entry(row, lang)


def _entry(row: PhraseRow, lang: str) -> Iterator[str]:
    yield f"msgctxt {escape(f'{FILE}.{row.key}')}"
    yield f"msgid {escape(row.wording.texts[SOURCE_LANGUAGE])}"
    yield from (f"msgstr {escape(row.wording.texts[lang])}", "")
