"""Bar and line charts as inline SVG: as wide as their place, letters of one size, colors and dashes by class."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

Shown = int | float | str | None
"""A number; text where the number is not told, drawn as an empty dashed bar; None where there is none."""

PLOT = 160  # height of the plot in CSS pixels
HEAD = 28  # above it: the legend
FOOT = 26  # below it: dates
ROW = 20  # one bar across
GAP = 30  # above each group of bars: its label
WIDEST = 82  # per cent of the width for the longest bar: its number stands behind it
UNTOLD = 4.0  # how long a bar is whose number is not told,
UNTOLD_OF = 20.0  # and of how much at least: it must not look like a large one
MOST_LABELS = 5
MOST_NUMBERS = 12

_SVG = Markup(
    '<svg class="chart {kind}" role="img" aria-labelledby="{id}-title {id}-desc" width="100%" height="{height}"'
    ' xmlns="http://www.w3.org/2000/svg"><title id="{id}-title">{title}</title><desc id="{id}-desc">{desc}</desc>'
    "{body}</svg>"
)
_TEXT = Markup('<text class="{}" x="{}" y="{}">{}</text>')
_RECT = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>')
_LINE = Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>')
_ROUND = Markup('<circle class="point s0" cx="{}" cy="{}" r="4"/>')
# A square on its corner around a point in per cent: moved back by half of its own size.
_SQUARE = Markup('<rect class="point s1" x="{}" y="{}" width="8" height="8" transform="translate(-4 -4)"/>')
_SIGN = Markup('<svg x="{}" overflow="visible">{}</svg>')


@dataclass(frozen=True, slots=True)
class Caption:
    """What a chart says to those who do not see it. `id` is the only one of its kind on the page."""

    id: str
    title: str
    desc: str


def columns(caption: Caption, points: Sequence[tuple[str, Shown]]) -> Markup:
    """One upright bar for each (label, number), in the order of time."""
    scale = _Scale.of(number for _, number in points)
    slot = 100 / len(points)
    parts = [scale.grid()]
    for index, (_, number) in enumerate(points):
        if number is None:
            continue
        length = scale.length(_size(number))
        left = _percent(index * slot + slot * 0.15)
        parts.append(_RECT.format(_bar(number), left, _px(HEAD + PLOT - length), _percent(slot * 0.7), _px(length), 2))
        if len(points) <= MOST_NUMBERS:
            parts.append(_TEXT.format("number", _percent((index + 0.5) * slot), _px(HEAD + PLOT - length - 5), number))
    parts.append(_dates([label for label, _ in points]))
    return _svg(caption, "columns", HEAD + PLOT + FOOT, parts)


def lines(caption: Caption, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]]) -> Markup:
    """Up to two lines over the same labels: the second is dashed and has square points. None leaves a gap."""
    scale = _Scale.of(number for _, numbers in series for number in numbers)
    slot = 100 / len(labels)
    parts = [scale.grid(), _legend([name for name, _ in series], lined=True)]
    for which, (_, numbers) in enumerate(series):
        at = [None if n is None else (_percent((i + 0.5) * slot), _px(scale.y(n))) for i, n in enumerate(numbers)]
        parts += [_LINE.format(f"line s{which}", *a, *b) for a, b in itertools.pairwise(at) if a and b]
        parts += [(_SQUARE if which else _ROUND).format(*point) for point in at if point]
    parts.append(_dates(labels))
    return _svg(caption, "lines", HEAD + PLOT + FOOT, parts)


def bars(caption: Caption, rows: Sequence[tuple[str, Sequence[Shown]]], names: Sequence[str] = ()) -> Markup:
    """For each label one bar across, or several: `names` says of what. The second of a group is only an outline."""
    scale = _Scale.of(number for _, numbers in rows for number in numbers)
    parts = [_legend(names)] if names else []
    y = HEAD if names else 0
    for label, numbers in rows:
        parts.append(_TEXT.format("label", 0, y + GAP - 8, label))
        y += GAP
        for which, number in enumerate(numbers):
            wide = 0.0 if number is None else WIDEST * min(1.0, _size(number) / scale.top)
            if wide:
                parts.append(_RECT.format(f"{_bar(number)} s{which}", 0, y, _percent(wide), ROW - 4, 2))
            parts.append(_TEXT.format("number after", _percent(wide + 1), y + 13, "–" if number is None else number))
            y += ROW
    return _svg(caption, "bars", y + 4, parts)


@dataclass(frozen=True, slots=True)
class _Scale:
    """The upright axis: from nothing to `top` in even steps."""

    top: float
    step: float

    @classmethod
    def of(cls, numbers: Iterable[Shown]) -> _Scale:
        drawn = [number for number in numbers if number is not None]
        least = UNTOLD_OF if any(isinstance(number, str) for number in drawn) else 1.0
        highest = max([least, *map(_size, drawn)])
        raw = highest / 4
        unit = 10.0 ** math.floor(math.log10(raw))
        step = max(1.0, next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw - 1e-9))
        return cls(step * math.ceil(highest / step - 1e-9), step)

    def length(self, number: float) -> float:
        """Pixels of a bar."""
        return PLOT * number / self.top

    def y(self, number: float) -> float:
        """Where a point lies."""
        return HEAD + PLOT - self.length(number)

    def grid(self) -> Markup:
        """Lines across with their numbers in the margin."""
        steps = [self.step * index for index in range(round(self.top / self.step) + 1)]
        return Markup("").join(
            _LINE.format("grid", 0, _px(self.y(step)), "100%", _px(self.y(step)))
            + _TEXT.format("tick", -8, _px(self.y(step) + 4), f"{step:g}")
            for step in steps
        )


def _size(number: int | float | str) -> float:
    return UNTOLD if isinstance(number, str) else float(number)


def _bar(number: Shown) -> str:
    return "bar untold" if isinstance(number, str) else "bar"


def _dates(labels: Sequence[str]) -> Markup:
    """As many labels as have room on a narrow screen."""
    every, slot = math.ceil(len(labels) / MOST_LABELS), 100 / len(labels)
    return Markup("").join(
        _TEXT.format("date", _percent((index + 0.5) * slot), HEAD + PLOT + 18, label)
        for index, label in enumerate(labels)
        if index % every == 0
    )


def _legend(names: Sequence[str], lined: bool = False) -> Markup:
    """What each kind of bar or line stands for."""
    parts = []
    for which, name in enumerate(names):
        sign = _RECT.format(f"bar s{which}", 1, 3, 14, 10, 2)
        if lined:
            sign = _LINE.format(f"line s{which}", 0, 8, 22, 8) + (_SQUARE if which else _ROUND).format(11, 8)
        parts.append(_SIGN.format(f"{which * 45}%", sign + _TEXT.format("legend", 28, 13, name)))
    return Markup("").join(parts)


def _svg(caption: Caption, kind: str, height: int, parts: Sequence[Markup]) -> Markup:
    body = Markup("").join(parts)
    return _SVG.format(id=caption.id, title=caption.title, desc=caption.desc, kind=kind, height=height, body=body)


def _percent(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".") + "%"


def _px(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
