"""The rule tree as written in YAML: `all`, `any`, `not`, and leaves that each test one fact against the plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from knowledge.models import FigureValue, Line, Name, Strict
from knowledge.rules.values import Reason

Kind: TypeAlias = Literal["benefit", "duty", "audience"]
Subject: TypeAlias = Literal["self", "other_person", "business"]
Number: TypeAlias = int | float
RuleId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^(p\d\d(\.\d)?|ov\d)(\.[a-z_]+)?$")]

OPERATORS = ("is", "one_of", "at_least", "at_most", "below", "between", "before", "on")
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class Condition(Strict):
    """One test of a fact, one operator. `between` takes both ends in; `below` and `before` leave the limit out."""

    is_: bool | Name | None = Field(default=None, alias="is")
    one_of: tuple[Name, ...] | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    below: Number | None = None
    between: tuple[Number, Number] | None = None
    before: date | None = None
    on: date | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        if len(self._operators()) != 1:
            raise ValueError(f"a test has exactly one of {', '.join(OPERATORS)}")
        return self

    def _operators(self) -> tuple[str, ...]:
        return tuple(name for name in OPERATORS if self._get(name) is not None)

    def _get(self, operator: str) -> Any:
        return getattr(self, "is_" if operator == "is" else operator)

    @cached_property
    def operator(self) -> str:
        """The operator's name."""
        return self._operators()[0]

    @cached_property
    def operand(self) -> Any:
        """What the fact is compared with."""
        return self._get(self.operator)


class LeafTexts(Strict):
    """What a reason says when the leaf is met, not met, not known, left open by the plan; and what would change it.

    A state without a text is not told as a reason: that of a leaf which only says where the plan is silent.
    """

    met: Line | None = None
    unmet: Line | None = None
    unknown: Line | None = None
    undefined: Line | None = None
    change: Line | None = None


class Leaf(Condition):
    """One condition of the plan.

    `undefined_when` names answers for which the plan's word has no meaning; `undefined: always` is a condition that the
    plan names and never explains. `likely` is the author's guess how often the leaf is met: it orders the questions and
    nothing else. `moves` says how the fact can change: `up` with time, `fixed` never, `free` by the person.
    """

    fact: Name | None = None
    named: Name | None = Field(default=None, alias="name")
    undefined_when: tuple[Condition, ...] = ()
    undefined: Literal["always"] | None = None
    text: LeafTexts = LeafTexts()
    source: Line = "addressee"
    likely: Annotated[float, Field(gt=0, lt=1)] = 0.5
    moves: Literal["up", "fixed", "free"] = "free"

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        wanted = 1 if self.undefined is None else 0
        if len(self._operators()) != wanted or (self.fact is None) == bool(wanted):
            raise ValueError("a leaf has a fact and one operator, or a name and `undefined: always`")
        if not self.name:
            raise ValueError("a leaf without a fact needs a name")
        return self

    @property
    def is_guard(self) -> bool:
        """It can never be met: it only says for which answers the plan's words have no meaning."""
        return self.one_of == ()

    @property
    def wordless(self) -> tuple[str, ...]:
        """The states that lack a text which a condition must have."""
        needed: tuple[str, ...] = () if self.undefined or self.is_guard else ("met", "unmet", "unknown")
        if self.undefined or self.undefined_when:
            needed = (*needed, "undefined")
        return tuple(state for state in needed if getattr(self.text, state) is None)

    @cached_property
    def name(self) -> str:
        """Its name in the catalog: the fact's, unless the author gave another."""
        return self.named or self.fact or ""

    @cached_property
    def needed(self) -> Mapping[str, Any]:
        """The test in JSON, such as `{"at_least": 65}`; empty where the plan explains nothing."""
        if self.undefined:
            return MappingProxyType({})
        operand = self.operand
        if isinstance(operand, tuple):
            operand = list(operand)
        return MappingProxyType({self.operator: operand.isoformat() if isinstance(operand, date) else operand})


class AllOf(Strict):
    """Met if every branch is."""

    all: Annotated[tuple[Node, ...], Field(min_length=1)]


class AnyOf(Strict):
    """Met if one branch is."""

    any: Annotated[tuple[Node, ...], Field(min_length=1)]


class NotOf(Strict):
    """Met if the branch is not."""

    not_: Node = Field(alias="not")


def _shape(data: Any) -> str:
    if isinstance(data, AllOf | AnyOf | NotOf | Leaf):
        return {AllOf: "all", AnyOf: "any", NotOf: "not", Leaf: "leaf"}[type(data)]
    keys = data if isinstance(data, dict) else {}
    return next((key for key in ("all", "any", "not") if key in keys), "leaf")


Node: TypeAlias = Annotated[
    Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[NotOf, Tag("not")]
    | Annotated[Leaf, Tag("leaf")],
    Discriminator(_shape),
]


class Case(Strict):
    """A golden row: the verdict these facts (JSON) must give, on a day (default: one inside the plan year).

    `given` are all the facts; `but` are changes to the rule's `typical` facts (null takes one away).
    """

    given: Mapping[Name, Any] | None = None
    but: Mapping[Name, Any] | None = None
    expect: Name
    on: date = date(2018, 7, 15)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.given is None) == (self.but is None):
            raise ValueError("a case has either 'given' or 'but'")
        return self

    def facts(self, typical: Mapping[str, Any]) -> dict[str, Any]:
        """All facts of the case as JSON."""
        return dict(self.given) if self.given is not None else {**typical, **(self.but or {})}


class RuleEntry(Strict):
    """One rule as written. `apply_months` are the months in which one can apply, where they differ from the period;
    `typical` are facts for which the rule says yes, the ground of its `cases`; `label` names the rule where its topic
    has several.

    An audience rule ranks and never refuses: it has an `addressee` in words, and `when` (facts that speak for it),
    `everyone: true` (all of its subjects), or neither (nobody is asked).
    """

    id: RuleId
    kind: Kind
    subjects: Annotated[tuple[Subject, ...], Field(min_length=1)]
    label: Line | None = None
    apply_months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    when: Node | None = None
    everyone: bool = False
    addressee: Line | None = None
    source: Line | None = None
    typical: Mapping[Name, Any] = Field(default_factory=dict)
    cases: tuple[Case, ...] = ()

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [leaf.name for leaf in leaves_of(self.tree)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two leaves are named {', '.join(twice)}: give one a name of its own")
        return self

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "audience":
            if self.addressee is None or self.source is None:
                raise ValueError("an audience rule names its 'addressee' and 'source'")
            if self.everyone and self.when is not None:
                raise ValueError("an audience rule has 'when' or 'everyone', not both")
            return self
        if self.when is None or self.everyone or self.addressee is not None or self.source is not None:
            raise ValueError("a benefit or duty has 'when', and no 'everyone', 'addressee' or 'source'")
        for leaf in leaves_of(self.when):
            if leaf.wordless:
                raise ValueError(f"the leaf {leaf.name} lacks the texts {', '.join(leaf.wordless)}")
            if leaf.source == Leaf.model_fields["source"].default:
                raise ValueError(f"the leaf {leaf.name} lacks its source")
        return self

    @cached_property
    def tree(self) -> AllOf | AnyOf | NotOf | Leaf:
        """The tree to walk; of an audience that nobody is asked about, one leaf that stays open."""
        if self.when is not None:
            return self.when
        if self.everyone:
            return AllOf.model_construct(all=())
        return Leaf.model_validate({"name": "addressee", "undefined": "always"})


@dataclass(frozen=True, eq=False, slots=True)
class Rule:
    """A rule with its figures filled in. Compared by identity, so that it can key a cache."""

    id: str
    kind: Kind
    subjects: tuple[str, ...]
    tree: AllOf | AnyOf | NotOf | Leaf
    figures: Mapping[str, FigureValue]
    apply_months: tuple[int, ...] = ()
    typical: Mapping[str, Any] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    label: str = ""
    addressee: str = ""
    source: str = ""
    leaves: tuple[Leaf, ...] = field(init=False)
    facts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        leaves = tuple(leaves_of(self.tree))
        object.__setattr__(self, "leaves", leaves)
        object.__setattr__(self, "facts", tuple(dict.fromkeys(leaf.fact for leaf in leaves if leaf.fact)))

    @property
    def texts(self) -> dict[str, str]:
        """Every text of the rule by its catalog key, such as `rule.p02.age.met`."""
        own = {f"rule.{self.id}.{name}": text for name in ("label", "addressee") if (text := getattr(self, name))}
        return own | {
            self.text_key(leaf, state): text
            for leaf in self.leaves
            for state, text in leaf.text.model_dump(exclude_none=True).items()
        }

    def text_key(self, leaf: Leaf, state: str) -> str:
        """The catalog key of a leaf's text; `state` is met, unmet, unknown, undefined or change."""
        return f"rule.{self.id}.{leaf.name}.{state}"

    def params(self, leaf: Leaf, state: str) -> Mapping[str, FigureValue]:
        """The figures a text names."""
        names = placeholders(getattr(leaf.text, state) or "")
        return MappingProxyType({name: self.figures[name] for name in names})


@dataclass(frozen=True, slots=True)
class LeafResult:
    """How one leaf came out. `value` and `needed` are JSON; `truth` None means unknown, with `why`.

    `counts`: it bears on the verdict; in a group of which one is enough, the others do not. `text_key` is empty where
    the author has nothing to say about it.
    """

    fact: str
    name: str
    truth: bool | None
    why: Reason | None
    value: Any
    needed: Mapping[str, Any]
    text_key: str
    params: Mapping[str, FigureValue]
    source: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would change a verdict.

    `kind`: `become` (it must become so) or `find_out` (it must be found out). `possible` is false for what cannot come
    about any more. `on`: the first day in the plan year on which time alone brings it about, if there is one.
    """

    fact: str
    name: str
    kind: Literal["become", "find_out"]
    text_key: str
    params: Mapping[str, FigureValue]
    possible: bool
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a rule says about some facts on a day.

    `settled`: no askable fact can change the verdict. `missing`: unknown facts that could, askable or not.
    `askable`: those that may be asked (not asked, in conflict, or told too roughly), the most useful first.
    """

    rule: str
    verdict: str
    settled: bool
    leaves: tuple[LeafResult, ...]
    missing: tuple[str, ...]
    would_change: tuple[Change, ...]
    askable: tuple[str, ...]


def topic_of_rule(rule_id: str) -> str:
    """The topic a rule belongs to: `p04.duty` is of p04, `p06.1` is a topic itself."""
    head, _, tail = rule_id.partition(".")
    return rule_id if tail.isdigit() else head


def leaves_of(node: Any) -> Iterator[Leaf]:
    """The leaves of a tree in author order."""
    match node:
        case AllOf():
            branches: tuple[Any, ...] = node.all
        case AnyOf():
            branches = node.any
        case NotOf():
            branches = (node.not_,)
        case _:
            yield node
            return
    for branch in branches:
        yield from leaves_of(branch)


@lru_cache(maxsize=4096)
def placeholders(text: str) -> tuple[str, ...]:
    """The names in braces in a text."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))
