"""Rules of the plan: trees of conditions over facts, and the one walk that judges, explains and asks."""

from knowledge.rules.graph import mermaid
from knowledge.rules.load import load_rules
from knowledge.rules.tree import Change, Leaf, LeafResult, Result, Rule, topic_of_rule
from knowledge.rules.walker import VERDICTS, evaluate, next_question, usefulness

__all__ = [
    "VERDICTS",
    "Change",
    "Leaf",
    "LeafResult",
    "Result",
    "Rule",
    "evaluate",
    "load_rules",
    "mermaid",
    "next_question",
    "topic_of_rule",
    "usefulness",
]
