"""Reads PO files through Babel and writes them so that tools and diffs stay calm: no dates, no line numbers."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog as Messages
from babel.messages.catalog import Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import PoFileError, denormalize, escape, read_po

from knowledge.catalog.figures import locale_of
from knowledge.faults import Fault, KnowledgeError, fault_at

DOMAIN = "labor_bot"
UNREVIEWED = "none (no native speaker has reviewed this catalog)"

# By hand where Babel and the usual tools differ, or where a wrong guess would go unnoticed.
_ONE_FORM = "nplurals=1; plural=0;"
_PLURALS = {"zh": _ONE_FORM, "vi": _ONE_FORM, "th": _ONE_FORM, "id": _ONE_FORM, "fil": "nplurals=2; plural=(n > 1);"}


@dataclass(frozen=True, slots=True)
class Translation:
    """One entry of a PO file. `source` is the Chinese it translates, `previous` the Chinese before it changed."""

    key: str
    source: str
    text: str = ""
    fuzzy: bool = False
    previous: str = ""
    files: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    line: int = 1


@dataclass(frozen=True, slots=True)
class PoFile:
    """One catalog: its language, who reviewed it, its entries in file order, and what is wrong with its form."""

    path: Path
    lang: str
    reviewed_by: str
    entries: tuple[Translation, ...]
    faults: tuple[Fault, ...] = ()


def po_path(locale: Path, lang: str) -> Path:
    """Where the catalog of a language lies."""
    return locale / lang / "LC_MESSAGES" / f"{DOMAIN}.po"


def languages(locale: Path) -> tuple[str, ...]:
    """The languages that have a folder, in the order of the alphabet."""
    return tuple(sorted(folder.parent.name for folder in locale.glob("*/LC_MESSAGES")))


def read_catalog(locale: Path, lang: str) -> PoFile:
    """The catalog of a language. Raises KnowledgeError where it is missing or no PO file."""
    path = po_path(locale, lang)
    try:
        return _read(path, lang, path.read_text(encoding="utf-8"))
    except PoFileError as error:
        raise KnowledgeError([fault_at(path, error.lineno + 1, f"not a valid PO file: {error}")]) from error
    except (OSError, ValueError) as error:
        raise KnowledgeError([fault_at(path, 1, f"cannot be read: {error}")]) from error


@lru_cache(maxsize=32)
def _read(path: Path, lang: str, text: str) -> PoFile:
    """Remembered: Babel is slow, and several checks look at the same files."""
    messages = read_po(io.BytesIO(text.encode()), abort_invalid=True, charset="utf-8")
    reviewed = re.search(r'"Reviewed-By: (.*?)\\n"', text.partition("\n\n")[0])
    entries = tuple(_translation(message) for message in messages if message.id)
    return PoFile(path, lang, reviewed[1] if reviewed else "", entries, tuple(_form_faults(path, messages, text)))


def write_catalog(po: PoFile) -> bool:
    """Writes the file where it would change. Returns whether it did."""
    text = "\n".join([_header(po), *("\n".join([*_lines(entry), ""]) for entry in po.entries)])
    if po.path.exists() and po.path.read_text(encoding="utf-8") == text:
        return False
    po.path.parent.mkdir(parents=True, exist_ok=True)
    po.path.write_text(text, encoding="utf-8", newline="\n")
    return True


def _translation(message: Message) -> Translation:
    previous = [comment[1:].strip() for comment in message.user_comments if comment.startswith("|")]
    return Translation(
        key=message.context or "",
        source=str(message.id),
        text=str(message.string or ""),
        fuzzy=message.fuzzy,
        previous=denormalize("\n".join(previous).removeprefix("msgid ")) if previous else "",
        files=tuple(file for file, _ in message.locations),
        comments=tuple(comment for comment in message.user_comments if not comment.startswith("|")),
        line=message.lineno or 1,
    )


def _form_faults(path: Path, messages: Messages, text: str) -> Iterator[Fault]:
    for message in messages:
        if message.id and not message.context:
            yield fault_at(path, message.lineno or 1, "an entry without msgctxt: run `labor-bot knowledge merge`")
    # Babel joins entries that stand twice, so they are looked for in the text.
    seen: set[str] = set()
    for match in re.finditer(r'^msgctxt "(.*)"$', text, re.MULTILINE):
        if match[1] in seen:
            yield fault_at(path, text.count("\n", 0, match.start()) + 1, f"{match[1]} stands here twice: keep one")
        seen.add(match[1])


def _header(po: PoFile) -> str:
    name = locale_of(po.lang).english_name
    plural = _PLURALS.get(po.lang.split("-")[0]) or get_plural(po.lang.replace("-", "_")).plural_forms
    fields = {
        "Project-Id-Version": "labor-bot",
        "Language": po.lang.replace("-", "_"),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": plural,
        "Reviewed-By": po.reviewed_by or UNREVIEWED,
    }
    lines = [f"# {name} texts. msgctxt is the stable key, msgid the Chinese source.", 'msgid ""', 'msgstr ""']
    return "\n".join([*lines, *(escape(f"{field}: {value}\n") for field, value in fields.items()), ""])


def _lines(entry: Translation) -> Iterator[str]:
    yield from (f"# {comment}".rstrip() for comment in entry.comments)
    yield from (f"#: {file}" for file in entry.files)
    if entry.fuzzy:
        yield "#, fuzzy"
    if entry.previous:
        yield f"#| msgid {escape(entry.previous)}"
    yield f"msgctxt {escape(entry.key)}"
    yield f"msgid {escape(entry.source)}"
    yield f"msgstr {escape(entry.text)}"


def by_key(entries: Iterable[Translation]) -> dict[str, Translation]:
    """The entries by key; the last one counts where a key stands twice."""
    return {entry.key: entry for entry in entries if entry.key}
