"""A rule drawn as a Mermaid flow chart, for the pages of rule authors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge.rules.tree import AllOf, AnyOf, Leaf, NotOf, Rule
from knowledge.rules.words import NOT_DEFINED, left_open, needed, plain

_TITLES: Mapping[str, str] = {
    "benefit": "eligible when",
    "duty": "applies when",
    "audience": "ranked up when (an audience: never refuses)",
}
_NO_TYPES: Mapping[str, str] = {}


def mermaid(rule: Rule, types: Mapping[str, str] = _NO_TYPES) -> str:
    """The rule as Mermaid text: facts by their ids, figures with units; dashed boxes are what the plan leaves open.

    `types` are the types of the facts by id (age, months, money), which give the figures their units.
    """
    lines = ["flowchart TD", f'  verdict(["{rule.id}: {_title(rule)}"])']
    if rule.kind != "audience" or rule.facts:
        _draw(rule.tree, "verdict", "n", types, lines)
    if any(line.endswith(":::open") for line in lines):
        lines.append("  classDef open stroke-dasharray: 5 5")
    return "\n".join(lines) + "\n"


def _title(rule: Rule) -> str:
    if rule.kind != "audience" or rule.facts:
        return _TITLES[rule.kind]
    whom = "all of its subjects" if not rule.leaves else "nobody is asked"
    return f"an audience, {whom}; never refuses"


def _draw(node: Any, above: str, name: str, types: Mapping[str, str], lines: list[str]) -> None:
    if isinstance(node, Leaf):
        _draw_leaf(node, above, types, lines)
        return
    shape, branches = _group(node)
    lines += [f"  {name}{shape}", f"  {above} --> {name}"]
    for index, branch in enumerate(branches):
        _draw(branch, name, f"{name}_{index}", types, lines)


def _group(node: Any) -> tuple[str, tuple[Any, ...]]:
    match node:
        case AllOf():
            return '[["all of these"]]', node.all
        case AnyOf():
            return '{{"one of these is enough"}}', node.any
        case NotOf():
            return '[["this must not hold"]]', (node.not_,)
    raise TypeError(type(node).__name__)


def _draw_leaf(leaf: Leaf, above: str, types: Mapping[str, str], lines: list[str]) -> None:
    name, kind = f"leaf_{leaf.name}", types.get(leaf.fact or "", "")
    lead = plain(leaf.fact or leaf.name)
    if leaf.undefined or leaf.is_guard:
        text = NOT_DEFINED if leaf.undefined else f"{left_open(leaf, kind)}; {NOT_DEFINED}"
        lines += [f'  {name}["{lead}: {text}"]:::open', f"  {above} -.-> {name}"]
        return
    lines += [f'  {name}["{lead}: {needed(leaf, kind)}"]', f"  {above} --> {name}"]
    if leaf.undefined_when:
        text = f"{left_open(leaf, kind)}: {NOT_DEFINED}"
        lines += [f'  {name}_open["{text}"]:::open', f"  {name} -.-> {name}_open"]
