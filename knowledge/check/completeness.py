"""Is the plan all there: every program, scheme and chapter once, numbered and sourced as it is printed?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from knowledge.faults import Fault, KnowledgeError, fault_at
from knowledge.models import Chapter, Program, Scheme, Strict
from knowledge.reading import Place, read, validate
from knowledge.sources import PLAN, Sources
from knowledge.validated import Located, Validated

_LOCATOR = re.compile(r"(item|overview) (\d+)(, \S.*)?")


class Frame(Strict):
    """What the plan consists of: how many programs and overview chapters, and the schemes of single programs."""

    programs: Annotated[int, Field(ge=1, le=99)]
    chapters: Annotated[int, Field(ge=1, le=9)]
    schemes: Mapping[str, Annotated[int, Field(ge=1, le=9)]]


def completeness_faults(sources: Sources, valid: Validated) -> Iterator[Fault]:
    """What is missing, stands twice, or is numbered or sourced as something else."""
    try:
        frame = validate(Frame, read(sources.root / "plans" / PLAN / "plan.yaml"))
    except KnowledgeError as error:
        yield from error.faults
        return
    yield from _missing(sources, frame)
    yield from _twice(sources)
    for program in valid.programs:
        yield from _number_faults(program, frame)
        yield from _source_faults(program, f"item {program.model.number}")
    for chapter in valid.chapters:
        if chapter.model.id != f"ov{chapter.model.number}":
            yield chapter.fault(f"chapter {chapter.model.number} must have the id ov{chapter.model.number}", "number")
        yield from _source_faults(chapter, f"overview {chapter.model.number}")


def stands_in(source: str, wanted: str) -> bool:
    """Whether a source is a place in the item or chapter `wanted`, such as `item 15` or `overview 6`."""
    match = _LOCATOR.fullmatch(source)
    return match is not None and f"{match[1]} {match[2]}" == wanted


def _missing(sources: Sources, frame: Frame) -> Iterator[Fault]:
    folder = sources.root / "plans" / PLAN / "programs"
    topics = {topic.id: topic for topic in sources.topics()}
    for number in (f"{number:02d}" for number in range(1, frame.programs + 1)):
        if f"p{number}" not in topics.keys() | sources.unread():
            yield fault_at(folder, 1, f"program p{number} is missing: add the file {number}-<name>.yaml")
    for program, count in frame.schemes.items():
        for scheme in (f"{program}.{number}" for number in range(1, count + 1)):
            if program in topics and scheme not in topics:
                yield topics[program].document.fault(f"scheme {scheme} is missing: add it under 'schemes'", "schemes")
    for document in sources.chapters:
        for chapter in (f"ov{number}" for number in range(1, frame.chapters + 1)):
            if chapter not in topics:
                yield document.fault(f"chapter {chapter} is missing: add it under 'chapters'")


def _twice(sources: Sources) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for topic in sources.topics():
        if topic.id in seen:
            text = f"{topic.id} stands here and in {seen[topic.id]}: keep one"
            yield topic.document.fault(text, *topic.place, "id")
        elif topic.id:
            seen[topic.id] = topic.document.path.name


def _number_faults(program: Located[Program], frame: Frame) -> Iterator[Fault]:
    model, number = program.model, f"{program.model.number:02d}"
    if model.id != f"p{number}":
        yield program.fault(f"number {model.number} and id {model.id} do not belong together: correct one", "number")
    if model.number > frame.programs:
        text = f"the plan has {frame.programs} programs: correct the number, or 'programs' in plan.yaml"
        yield program.fault(text, "number")
    if not program.document.path.name.startswith(f"{number}-"):
        yield program.fault(f"the file of item {model.number} must be named {number}-<name>.yaml", "number")
    for index, scheme in enumerate(model.schemes):
        if int(scheme.id.partition(".")[2]) > frame.schemes.get(model.id, 0) or not scheme.id.startswith(
            f"{model.id}."
        ):
            yield program.fault(f"the plan has no scheme {scheme.id} under {model.id}", "schemes", index, "id")


def _source_faults(located: Located[Program] | Located[Chapter], wanted: str) -> Iterator[Fault]:
    for place, source in _sources(located.model):
        if not stands_in(source, wanted):
            text = f"the source '{source}' must begin with '{wanted}' and name the place, such as '{wanted}, 一'"
            yield located.fault(text, *place)


def _sources(model: Program | Chapter) -> Iterator[tuple[Place, str]]:
    for name, figure in model.figures.items():
        yield ("figures", name, "source"), figure.source
    if isinstance(model, Program):
        for field in ("budget", "period", "apply"):
            part = getattr(model, field)
            if part is not None:
                yield (field, "source"), part.source
        yield from (_scheme_source(index, scheme) for index, scheme in enumerate(model.schemes))


def _scheme_source(index: int, scheme: Scheme) -> tuple[Place, str]:
    return ("schemes", index, "source"), scheme.source
