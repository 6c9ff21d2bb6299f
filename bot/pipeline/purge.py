"""The hourly purge: what was kept long enough goes, and the audit trail says how much of each kind."""

from __future__ import annotations

from collections.abc import Mapping

from bot import observe
from bot.messages import Retention
from bot.store import Store
from bot.store.purging import Report
from knowledge.facts import Fact


def special_facts(facts: Mapping[str, Fact]) -> frozenset[str]:
    """The facts that are kept shortest."""
    return frozenset(name for name, fact in facts.items() if fact.sensitivity == "special")


async def purge(store: Store, retention: Retention, facts: Mapping[str, Fact]) -> Report:
    """Purge now; what went, by kind. Raises StoreUnavailable."""
    report = await store.privacy.purge(retention, special_facts(facts))
    for kind, count in report.counts.items():
        observe.count(f"purged.{kind}", count)
    if report.total:
        await store.note(None, "purge", "store", ", ".join(f"{kind} {count}" for kind, count in report.counts.items()))
    return report
