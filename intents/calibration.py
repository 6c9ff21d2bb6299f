"""How far confidences can be believed: the calibration curve of a scored set, and its picture as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

BINS = 10
_COLORS = ("#1d4e89", "#c1440e", "#2a7f4f", "#8e44ad", "#b8860b", "#3b3b3b")
_LEFT, _TOP, _SIDE, _LEGEND = 64, 36, 360, 150


@dataclass(frozen=True, slots=True)
class Bin:
    """Messages answered with about the same confidence: how many, mean confidence, share of right ones (0 to 1)."""

    count: int
    confidence: float
    right: float


def curve(answers: Sequence[tuple[float, float]]) -> tuple[Bin, ...]:
    """Bins of (confidence, right) pairs, least confident first; empty ones are left out."""
    found = []
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        own = [pair for pair in answers if low <= pair[0] < high or (number == BINS - 1 and pair[0] >= high)]
        if own:
            count = len(own)
            found.append(Bin(count, sum(c for c, _ in own) / count, sum(r for _, r in own) / count))
    return tuple(found)


def error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean distance of confidence and share of right ones, weighted by messages."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.confidence - one.right) for one in bins) / total if total else 0.0


def svg(curves: Mapping[str, Sequence[Bin]], title: str) -> str:
    """The curves, one a language, over the diagonal on which they should lie."""
    width, height = _LEFT + _SIDE + _LEGEND, _TOP + _SIDE + 52
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14" font-weight="bold">{escape(title)}</text>',
        *_axes(),
    ]
    for place, (name, bins) in enumerate(curves.items()):
        parts += _line(name, bins, _COLORS[place % len(_COLORS)], place)
    return "\n".join([*parts, "</svg>", ""])


def _axes() -> list[str]:
    parts = []
    for step in range(0, 11, 2):
        share = step / 10
        x, y = _spot(share, share)
        parts += [
            f'<path d="M{x:.0f} {_TOP}V{_TOP + _SIDE}M{_LEFT} {y:.0f}H{_LEFT + _SIDE}" stroke="#dddddd" fill="none"/>',
            f'<text x="{x:.0f}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{share:.1f}</text>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{share:.1f}</text>',
        ]
    middle = _TOP + _SIDE / 2
    parts += [
        f'<path d="M{_LEFT} {_TOP + _SIDE}L{_LEFT + _SIDE} {_TOP}" stroke="#888888" stroke-dasharray="5 4"/>',
        f'<text x="{_LEFT + _SIDE / 2:.0f}" y="{_TOP + _SIDE + 40}" text-anchor="middle">confidence</text>',
        f'<text x="18" y="{middle:.0f}" text-anchor="middle" transform="rotate(-90 18 {middle:.0f})">'
        "share right</text>",
    ]
    return parts


def _line(name: str, bins: Sequence[Bin], color: str, place: int) -> list[str]:
    spots = [_spot(one.confidence, one.right) for one in bins]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
    at = _TOP + 14 + 20 * place
    parts = [f'<path d="M{path}" stroke="{color}" stroke-width="2" fill="none"/>'] if len(spots) > 1 else []
    for (x, y), one in zip(spots, bins, strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 + min(one.count, 400) ** 0.5 / 4:.1f}" fill="{color}"/>')
    parts.append(f'<rect x="{_LEFT + _SIDE + 16}" y="{at - 10}" width="12" height="12" fill="{color}"/>')
    count = sum(one.count for one in bins)
    label = f"{name}: {count}, error {100 * error(bins):.1f} %"
    parts.append(f'<text x="{_LEFT + _SIDE + 34}" y="{at}">{escape(label)}</text>')
    return parts


def _spot(across: float, up: float) -> tuple[float, float]:
    return _LEFT + _SIDE * across, _TOP + _SIDE * (1 - up)
