"""A rule drawn as a Mermaid flow chart, for the pages of rule authors."""

from __future__ import annotations

from typing import Any

from knowledge.rules.tree import AllOf, AnyOf, Leaf, NotOf, Rule

_SIGNS = {"is": "=", "one_of": "in", "at_least": ">=", "at_most": "<=", "below": "<"}
_SIGNS |= {"between": "in", "before": "before", "on": "on"}


def mermaid(rule: Rule) -> str:
    """The rule as Mermaid text. Facts and figures only; dashed boxes are what the plan leaves open."""
    lines = ["flowchart TD", f'  verdict(["{rule.id} ({rule.kind})"])']
    _draw(rule.tree, "verdict", "n", lines)
    return "\n".join(lines) + "\n"


def _draw(node: Any, above: str, name: str, lines: list[str]) -> None:
    if isinstance(node, Leaf):
        _draw_leaf(node, above, name, lines)
        return
    word, branches = _branches(node)
    lines += [f'  {name}{{"{word}"}}', f"  {above} --> {name}"]
    for index, branch in enumerate(branches):
        _draw(branch, name, f"{name}_{index}", lines)


def _branches(node: Any) -> tuple[str, tuple[Any, ...]]:
    match node:
        case AllOf():
            return "all", node.all
        case AnyOf():
            return "any", node.any
        case NotOf():
            return "not", (node.not_,)
    raise TypeError(type(node).__name__)


def _draw_leaf(leaf: Leaf, above: str, name: str, lines: list[str]) -> None:
    lines += [f'  {name}["{_label(leaf)}"]', f"  {above} --> {name}"]
    for index, condition in enumerate(leaf.undefined_when):
        text = f"{leaf.fact} {_SIGNS[condition.operator]} {_plain(condition.operand)}"
        lines += [f'  {name}_u{index}["not defined: {text}"]', f"  {name} -.-> {name}_u{index}"]


def _label(leaf: Leaf) -> str:
    if leaf.undefined:
        return f"{leaf.name}: not defined"
    return f"{leaf.fact} {_SIGNS[leaf.operator]} {_plain(leaf.operand)}"


def _plain(operand: Any) -> str:
    if isinstance(operand, bool):
        return "yes" if operand else "no"
    return " .. ".join(map(str, operand)) if isinstance(operand, tuple) else str(operand)
