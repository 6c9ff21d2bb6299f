"""The plan as one JSON document, in the shape that outside scripts rely on (docs/api.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge.catalog.figures import SOURCE_LANGUAGE, format_figure
from knowledge.catalog.lookup import COMMON
from knowledge.catalog.templates import compile_template
from knowledge.library import Knowledge
from knowledge.models import Figure
from knowledge.topics import Topic


def export(knowledge: Knowledge) -> dict[str, Any]:
    """The plan's programs, schemes and chapters with their figures. Budgets are in thousand NT$, months `YYYY-MM`."""
    topics = knowledge.topics.values()
    return {
        "plan": knowledge.plan,
        "programs": [_program(topic, knowledge) for topic in topics if topic.kind == "program"],
        "chapters": [_chapter(topic) for topic in topics if topic.kind == "chapter"],
    }


def _program(topic: Topic, knowledge: Knowledge) -> dict[str, Any]:
    assert topic.budget is not None
    assert topic.period is not None
    schemes = [scheme for scheme in knowledge.topics.values() if scheme.parent == topic.id]
    return {
        "id": topic.id,
        "number": topic.number,
        "name": _name(topic),
        "budget_thousand_ntd": topic.budget.thousand_ntd,
        "funding": dict(topic.budget.parts),
        "policy_sources": list(topic.policy_sources),
        "start": topic.period.start,
        "end": topic.period.end,
        "area": topic.area,
        "figures": _figures(topic.figures),
        "schemes": [{"id": scheme.id, "name": _name(scheme)} for scheme in schemes],
    }


def _chapter(topic: Topic) -> dict[str, Any]:
    return {"id": topic.id, "number": topic.number, "name": _name(topic), "figures": _figures(topic.figures)}


def _name(topic: Topic) -> str:
    figures = {**COMMON, **topic.figures}
    return compile_template(topic.name).fill(lambda name: format_figure(figures[name], SOURCE_LANGUAGE))


def _figures(figures: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    return {
        name: {"value": _value(figure), "unit": figure.unit, "source": figure.source}
        for name, figure in figures.items()
    }


def _value(figure: Figure) -> Any:
    return list(figure.value) if isinstance(figure.value, tuple) else figure.value
