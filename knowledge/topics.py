"""A topic: a program, a scheme under it, or a chapter of the overview, ready to be asked about."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from knowledge.models import Apply, Budget, Chapter, Figure, Period, Program, Scheme, Texts, year_month
from knowledge.sources import YEAR

ASPECT_TEXTS: Mapping[str, str] = {
    "overview": "summary",
    "eligibility": "eligibility",
    "amount": "amount",
    "period": "period",
    "where": "where",
    "how-to-apply": "how_to_apply",
    "documents": "documents",
    "contact": "contact",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where the plan prints a topic: the numbered item or overview chapter, and the `place` inside it if any."""

    kind: str
    number: int
    place: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """One topic. `texts` maps a text name to Chinese or None where the plan is silent.

    A scheme has the period, area, figures and policy sources of its program (the plan prints one for all of them)
    but no budget: the plan does not split it. A chapter has no budget, period, area or policy sources.
    """

    id: str
    kind: str
    number: int
    parent: str | None
    name: str
    label: str
    aliases: tuple[str, ...]
    texts: Mapping[str, str | None]
    figures: Mapping[str, Figure]
    audiences: tuple[str, ...]
    themes: tuple[str, ...]
    related: tuple[str, ...]
    source: Source
    policy_sources: tuple[str, ...] = ()
    budget: Budget | None = None
    period: Period | None = None
    apply: Apply | None = None
    area: str | None = None
    notes: tuple[str, ...] = ()

    def says(self, aspect: str) -> bool:
        """Whether the plan says anything on `aspect` (a name of design section 6, such as `how-to-apply`)."""
        if aspect == "budget":
            return self.budget is not None
        if aspect == "period" and self.period is not None:
            return True
        return self.texts.get(ASPECT_TEXTS.get(aspect, aspect)) is not None

    @property
    def year(self) -> int:
        """The plan's year, Western."""
        return YEAR

    @property
    def apply_months(self) -> tuple[int, ...]:
        """The months (1 to 12) in which one can apply; empty where the plan names none but the period."""
        return self.apply.months if self.apply else ()

    @property
    def period_start(self) -> date:
        """The first day of the period; of the plan's year where no period is printed."""
        return date(*year_month(self.period.start), 1) if self.period else date(YEAR, 1, 1)

    @property
    def period_end(self) -> date:
        """The last day of the period, included; of the plan's year where no period is printed."""
        year, month = year_month(self.period.end) if self.period else (YEAR, 12)
        return date(year, month, monthrange(year, month)[1])

    @property
    def frame_figures(self) -> dict[str, Figure]:
        """The figures of the print's frame: `start`, `end`, `budget` and `budget_<fund>`, as far as printed."""
        frame = {}
        if self.period:
            for name in ("start", "end"):
                value = getattr(self.period, name)
                frame[name] = Figure(value=value, unit="roc_year_month", source=self.period.source)
        if self.budget:
            amounts = {"budget": self.budget.thousand_ntd}
            amounts |= {f"budget_{fund}": part for fund, part in self.budget.parts.items()}
            for name, amount in amounts.items():
                frame[name] = Figure(value=amount, unit="thousand_ntd", source=self.budget.source)
        return frame


def program_topics(program: Program) -> Iterator[Topic]:
    """The program, then its schemes in the order of the print."""
    yield Topic(
        id=program.id,
        kind="program",
        number=program.number,
        parent=None,
        name=program.name,
        label=program.label,
        aliases=program.aliases,
        texts=_texts(program.texts),
        figures=program.figures,
        audiences=program.audiences,
        themes=program.themes,
        related=program.related,
        source=Source("item", program.number),
        policy_sources=program.policy_sources,
        budget=program.budget,
        period=program.period,
        apply=program.apply,
        area=program.area,
        notes=program.notes,
    )
    for scheme in program.schemes:
        yield _scheme_topic(scheme, program)


def _scheme_topic(scheme: Scheme, program: Program) -> Topic:
    return Topic(
        id=scheme.id,
        kind="scheme",
        number=program.number,
        parent=program.id,
        name=scheme.name,
        label=scheme.label,
        aliases=scheme.aliases,
        texts=_texts(scheme.texts),
        figures=program.figures,
        audiences=scheme.audiences,
        themes=scheme.themes,
        related=scheme.related,
        source=Source("item", program.number, scheme.source.partition(", ")[2]),
        policy_sources=program.policy_sources,
        period=program.period,
        area=program.area,
    )


def chapter_topic(chapter: Chapter) -> Topic:
    """The chapter as a topic."""
    return Topic(
        id=chapter.id,
        kind="chapter",
        number=chapter.number,
        parent=None,
        name=chapter.name,
        label=chapter.label,
        aliases=chapter.aliases,
        texts=_texts(chapter.texts),
        figures=chapter.figures,
        audiences=chapter.audiences,
        themes=chapter.themes,
        related=chapter.related,
        source=Source("overview", chapter.number),
        notes=chapter.notes,
    )


def _texts(texts: Texts) -> dict[str, str | None]:
    return {name: getattr(texts, name) for name in Texts.model_fields}
