"""Does every name point at something: related topics, labels of audiences and themes, kinds of danger?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from knowledge.catalog.entries import Entry
from knowledge.faults import Fault, fault_at
from knowledge.hotlines import Danger
from knowledge.models import Audience, Theme
from knowledge.reading import Place
from knowledge.sources import Sources
from knowledge.validated import Validated


def reference_faults(sources: Sources, valid: Validated, entries: tuple[Entry, ...]) -> Iterator[Fault]:
    """Names that point at nothing; those of rules are in `rulebook`."""
    yield from _related_faults(sources)
    yield from _label_faults(sources, {entry.key for entry in entries})
    yield from _danger_faults(valid)


def _related_faults(sources: Sources) -> Iterator[Fault]:
    known = {topic.id for topic in sources.topics()} | sources.unread()
    for topic in sources.topics():
        related = topic.data.get("related")
        for index, name in enumerate(related if isinstance(related, list) else ()):
            place: Place = (*topic.place, "related", index)
            if name not in known:
                yield topic.document.fault(f"{topic.id}: related '{name}' is no topic: correct or remove it", *place)
            elif name == topic.id:
                yield topic.document.fault(f"{topic.id} names itself as related: remove it", *place)


def _label_faults(sources: Sources, keys: set[str]) -> Iterator[Fault]:
    file = sources.root / "texts" / "browse.yaml"
    for kind, names in (("audience", get_args(Audience)), ("theme", get_args(Theme))):
        for name in names:
            if f"browse.{kind}.{name}" not in keys:
                yield fault_at(file, 1, f"the label '{kind}.{name}' is missing: add it")


def _danger_faults(valid: Validated) -> Iterator[Fault]:
    for hotlines in valid.hotlines:
        for danger in get_args(Danger):
            if danger not in hotlines.model.dangers:
                yield hotlines.fault(f"no hotline for '{danger}': add it under 'dangers'", "dangers")
