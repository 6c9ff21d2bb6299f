"""All benefits and duties over the whole product of boundary values and unknowns, against a second evaluator."""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import product
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_rules import BOOL, NAIVE, UNKNOWNS, VALUES, Reading, agreed, column, plain, within
from test_rules import FACTS, ON, RULES, case_facts, cases

from knowledge.facts import completed, read_value
from knowledge.rules import Rule, evaluate, next_question
from knowledge.rules.outlook import states_of
from knowledge.rules.spans import add_months
from knowledge.rules.values import Unknown, Value, to_json

JUDGED = {name: rule for name, rule in RULES.items() if rule.kind != "audience"}
AUDIENCES = {name: rule for name, rule in RULES.items() if rule.kind == "audience"}

WIDE = 5_000  # a product with more rows than this is walked by kinds of values


@dataclass(frozen=True, eq=False)
class Cell:
    """A value of a fact as the second evaluator sees it: how it reads now, and how it may once it is asked.

    `later` is empty for what is known, or will not be told; `never` says that it was refused or is not known.
    """

    column: str
    now: Reading
    later: frozenset[Reading]
    never: bool

    @property
    def opened(self) -> Cell:
        """The same, as if it could be asked once more."""
        return NOT_ASKED[self.column] if self.never else self


Row = tuple[Cell, ...]
one_cell = cache(Cell)  # equal cells are the same cell
NOT_ASKED: dict[str, Cell] = {}  # by fact


def cell(rule: str, fact: str, raw: Any) -> Cell:
    """A value with what may still become of it."""
    read = NAIVE[rule].reads[fact]
    now = agreed(read(raw, ON))
    values = plain(column(rule, fact)) if raw is None else []
    if isinstance(raw, list) and now is None:
        values = within(raw, column(rule, fact), ON)
    later = frozenset(agreed(read(value, ON)) for value in values)
    return one_cell(f"{rule}.{fact}", now, later, raw in ("unknown", "declined"))


def walked(rule: Rule, fact: str, raw: Any) -> Hashable:
    """All that the walker's verdict can see of a value; values that look alike to it cannot be told apart."""
    values = [read_value(FACTS[name], raw if name == fact else None) for name in rule.facts]
    state = states_of(rule, values, ON)[rule.facts.index(fact)]
    return state.now, frozenset(state.may_be)


@cache
def table(name: str) -> tuple[tuple[tuple[Cell, Any], ...], ...]:
    """The columns of a rule's product; of a wide one, a value for each way that both evaluators tell apart."""
    rule = RULES[name]
    columns = [column(name, fact) for fact in rule.facts]
    rows = prod(len(values) for values in columns)
    found = []
    for fact, values in zip(rule.facts, columns, strict=True):
        NOT_ASKED[f"{name}.{fact}"] = cell(name, fact, None)
        cells = [(cell(name, fact, raw), raw) for raw in values]
        if rows > WIDE:
            alike = {(one, walked(rule, fact, raw)): (one, raw) for one, raw in reversed(cells)}
            cells = list(reversed(alike.values()))
        found.append(tuple(cells))
    return tuple(found)


class Judge:
    """What the second evaluator says of rows of cells: the verdict, and which facts still decide."""

    def __init__(self, name: str) -> None:
        self.naive = NAIVE[name]
        self.facts = RULES[name].facts
        self._verdict: dict[tuple[Reading, ...], str] = {}
        self._decides: dict[Row, int] = {}

    def verdict(self, row: Row) -> str:
        """The verdict of what is read now."""
        readings = tuple(one.now for one in row)
        if readings not in self._verdict:
            truth = self.naive.judge(**dict(zip(self.facts, readings, strict=True)))
            self._verdict[readings] = self.naive.word(truth)
        return self._verdict[readings]

    def decides(self, row: Row) -> set[str]:
        """The facts that change the verdict with some outcome of the other open ones, or with none."""
        bits = self._bits(row)
        return {fact for place, fact in enumerate(self.facts) if bits >> place & 1}

    def _bits(self, row: Row) -> int:
        if row not in self._decides:
            bits, verdict = 0, self.verdict(row)
            for place in range(len(row)):
                for filled in self.fillings(row, place):
                    bits |= self._bits(filled) | (self.verdict(filled) != verdict) << place
            self._decides[row] = bits
        return self._decides[row]

    def fillings(self, row: Row, place: int) -> Iterator[Row]:
        """The row with one open fact told."""
        one = row[place]
        for reading in one.later:
            yield (*row[:place], one_cell(one.column, reading, frozenset(), False), *row[place + 1 :])


def test_every_benefit_and_duty_has_a_second_evaluator() -> None:
    assert set(NAIVE) == set(JUDGED)
    for name, rule in JUDGED.items():
        assert set(NAIVE[name].reads) == set(rule.facts)
    columns = {f"{name}.{fact}": fact for name, rule in JUDGED.items() for fact in rule.facts}
    assert set(VALUES) <= set(columns)
    assert {FACTS[fact].type for key, fact in columns.items() if key not in VALUES} == {"bool"}


def parts() -> Iterator[Any]:
    """The rules; the widest in parts, one for each kind of value of its first fact."""
    for name in JUDGED:
        if name == "p15":
            yield from (pytest.param(name, part, marks=pytest.mark.slow) for part in range(len(table(name)[0])))
        else:
            yield pytest.param(name, None, id=name)


@pytest.mark.parametrize(("name", "part"), list(parts()))
def test_the_whole_product_against_a_second_evaluator(name: str, part: int | None) -> None:
    """Same verdict; askable and missing is exactly what can still decide; what is settled or decided stays so."""
    rule, judge, columns = RULES[name], Judge(name), table(name)
    if part is not None:
        columns = ((columns[0][part],), *columns[1:])
    typed = [
        {str(raw): read_value(FACTS[fact], raw) for _, raw in cells}
        for fact, cells in zip(rule.facts, columns, strict=True)
    ]
    for cells in product(*columns):
        row: Row = tuple(one for one, _ in cells)
        facts = {fact: values[str(raw)] for fact, values, (_, raw) in zip(rule.facts, typed, cells, strict=True)}
        result = evaluate(rule, facts, ON)
        assert result.verdict == judge.verdict(row), facts
        assert set(result.askable) == judge.decides(row), facts
        assert set(result.missing) == judge.decides(tuple(one.opened for one in row)), facts
        assert result.settled == (not result.askable)
        stays(judge, row, result.settled)


def stays(judge: Judge, row: Row, settled: bool) -> None:
    """A settled verdict stays whatever is still asked; a yes or a no stays whatever is ever told."""

    def later(of: Row) -> set[str]:
        return {judge.verdict(filled) for place in range(len(of)) for filled in judge.fillings(of, place)}

    verdict = judge.verdict(row)
    if settled:
        assert later(row) <= {verdict}
    if verdict != "cannot_tell":
        assert later(tuple(one.opened for one in row)) <= {verdict}


@pytest.mark.parametrize("name", ["p02", "p15", "p20"])
def test_rows_at_random_from_the_ungrouped_product(name: str) -> None:
    """The product as it stands, with reasons of not knowing that its columns leave out."""
    rule, judge, chance = RULES[name], Judge(name), random.Random(107)
    for _ in range(600):
        raws = {fact: chance.choice([*column(name, fact), *plain(column(name, fact))]) for fact in rule.facts}
        facts = typed_facts(raws)
        result = evaluate(rule, facts, ON)
        assert result.verdict == NAIVE[name].verdict(raws, ON), raws
        row = tuple(cell(name, fact, raw) for fact, raw in raws.items())
        assert set(result.askable) == judge.decides(row), raws
        conflict = {fact: Unknown("conflict") if raws[fact] is None else value for fact, value in facts.items()}
        assert evaluate(rule, conflict, ON).askable == result.askable
        rough = {fact: Unknown("imprecise") if raws[fact] == "unknown" else value for fact, value in facts.items()}
        assert evaluate(rule, rough, ON).missing == result.missing


def typed_facts(raws: Mapping[str, Any]) -> dict[str, Value]:
    """JSON facts as values."""
    return {fact: read_value(FACTS[fact], raw) for fact, raw in raws.items()}


@pytest.mark.parametrize("name", JUDGED)
def test_an_interview_ends_and_asks_nothing_twice(name: str) -> None:
    rule, chance = RULES[name], random.Random(107)
    for _ in range(100):
        facts: dict[str, Value] = {}
        while fact := next_question(rule, facts, ON):
            assert fact not in facts
            raw = chance.choice([*plain(column(name, fact)), "unknown", "declined"])
            facts[fact] = read_value(FACTS[fact], raw)
        assert evaluate(rule, facts, ON).settled


# -- dates one day either side of each edge

MONTH_ENDS = [date(2018, month, 1) - timedelta(days=1) for month in range(1, 13)]
DAYS = [*MONTH_ENDS, date(2018, 12, 31), ON, date(2018, 7, 1), date(2016, 2, 29), date(2020, 2, 29), date(2026, 3, 1)]


@pytest.mark.parametrize(("name", "years"), [("p02", 65), ("p15", 18), ("p15", 30)])
@pytest.mark.parametrize("on", DAYS, ids=str)
def test_one_day_either_side_of_a_birthday(name: str, years: int, on: date) -> None:
    before = {"p02": "not_eligible", "p15": "not_eligible" if years == 18 else "eligible"}[name]
    after = "eligible" if before == "not_eligible" else "not_eligible"
    for step in range(-40, 41):
        born = add_months(on, -12 * years) + timedelta(days=step)
        raw = {"born": [born.isoformat(), born.isoformat()]}
        verdict = with_typical(name, on, age=raw)
        assert verdict == NAIVE[name].verdict({**RULES[name].typical, "age": raw}, on)
        assert verdict == (after if step <= 0 else before)
    span = {"born": [(born - timedelta(days=60)).isoformat(), born.isoformat()]}
    assert with_typical(name, on, age=span) == "cannot_tell"


def with_typical(name: str, on: date, **changes: Any) -> str:
    """The verdict on a rule's typical facts with changes in JSON."""
    return evaluate(RULES[name], typed_facts({**RULES[name].typical, **changes}), on).verdict


@pytest.mark.parametrize("on", [ON, date(2018, 1, 1), date(2026, 7, 31)], ids=str)
def test_one_day_either_side_of_the_day_of_registration(on: date) -> None:
    edge = date(2012, 7, 31)
    for step in range(-5, 6):
        day = (edge + timedelta(days=step)).isoformat()
        expected = "cannot_tell" if step == 0 else "eligible" if step < 0 else "not_eligible"
        assert with_typical("p02", on, registered_since=day) == expected
        for length in range(8):
            interval = [day, (edge + timedelta(days=step + length)).isoformat()]
            whole = {*range(step, step + length + 1)}
            agreed_on = "eligible" if max(whole) < 0 else "not_eligible" if min(whole) > 0 else "cannot_tell"
            assert with_typical("p02", on, registered_since=interval) == agreed_on


@pytest.mark.parametrize("on", DAYS, ids=str)
def test_one_day_either_side_of_six_months_without_work(on: date) -> None:
    edge = add_months(on, -6)
    for step in range(-40, 41):
        since = edge + timedelta(days=step)
        raw = {"since": [since.isoformat(), since.isoformat()]}
        changed = {"months_without_work_since_graduation": raw}
        assert with_typical("p15", on, **changed) == NAIVE["p15"].verdict({**RULES["p15"].typical, **changed}, on)
        assert (with_typical("p15", on, **changed) == "eligible") == (add_months(since, 6) <= on)
    across = {"since": [(edge - timedelta(days=9)).isoformat(), (edge + timedelta(days=9)).isoformat()]}
    assert with_typical("p15", on, months_without_work_since_graduation=across) == "cannot_tell"


@pytest.mark.parametrize(("rule", "case"), list(cases()))
def test_the_day_moves_only_ages_and_durations(rule: Rule, case: Any) -> None:
    facts = case_facts(rule, case)
    kinds = {type(value).__name__ for value in facts.values()}
    if not kinds & {"Born", "Since"}:
        for on in (date(2017, 1, 1), date(2018, 12, 31), date(2030, 2, 28)):
            assert evaluate(rule, facts, on).verdict == case.expect


# -- the same thing told in another way

OTHERS: Mapping[str, Any] = {
    "bool": [True, False, None, "unknown"],
    "enum": ["none", "military", None],
    "age": [0, 64, [20, 40]],
    "months": [0, 5.5, 30],
    "integer": [0, 3, 50, 101],
    "money": [0, 50000000],
    "date": ["1990-01-01", ["2012-01-01", "2013-01-01"]],
}


@pytest.mark.parametrize(("rule", "case"), list(cases()))
def test_facts_of_other_rules_and_their_order_change_nothing(rule: Rule, case: Any) -> None:
    facts, chance = case_facts(rule, case), random.Random(7)
    expected = evaluate(rule, facts, case.on)
    for _ in range(5):
        strangers = {name: chance.choice(OTHERS[fact.type]) for name, fact in FACTS.items() if name not in rule.facts}
        pairs = [*facts.items(), *typed_facts(strangers).items()]
        chance.shuffle(pairs)
        assert evaluate(rule, dict(pairs), case.on) == expected


@pytest.mark.parametrize(("rule", "case"), list(cases()))
def test_the_leaves_that_count_give_the_verdict(rule: Rule, case: Any) -> None:
    facts = case_facts(rule, case)
    counting = {leaf.fact for leaf in evaluate(rule, facts, case.on).leaves if leaf.counts}
    alone = {fact: value for fact, value in facts.items() if fact in counting}
    assert evaluate(rule, alone, case.on).verdict == case.expect


@pytest.mark.parametrize(("rule", "case"), [case for case in cases() if case.values[0].id in NAIVE])
def test_what_would_change_a_no_does(rule: Rule, case: Any) -> None:
    """All the changes together end the no, and none of them can be left out."""
    naive, facts = NAIVE[rule.id], case_facts(rule, case)
    changes = evaluate(rule, facts, case.on).would_change
    if case.expect != naive.no:
        assert {change.kind for change in changes} <= {"find_out"}
        return
    assert {change.kind for change in changes} == {"become"}
    raws = {name: to_json(value) for name, value in facts.items()}
    ways = [[(change.fact, raw) for raw in plain(column(rule.id, change.fact))] for change in changes]
    assert any(naive.verdict({**raws, **dict(way)}, case.on) != naive.no for way in product(*ways))
    for place in range(len(ways)):
        fewer = product(*ways[:place], *ways[place + 1 :])
        assert all(naive.verdict({**raws, **dict(way)}, case.on) == naive.no for way in fewer)


def test_who_works_is_not_unemployed() -> None:
    """Only a fact that is not known follows from another; what was told stands."""
    for first, other in (("employed", "unemployed"), ("unemployed", "employed")):
        for told in (*UNKNOWNS, True, False):
            for answer in BOOL:
                found = completed(FACTS, typed_facts({first: answer, other: told}))
                follows = answer is True and told in UNKNOWNS
                assert found[other] == (False if follows else read_value(FACTS[other], told))
    assert evaluate(RULES["p25.unemployed"], completed(FACTS, {"employed": True}), ON).verdict == "not_eligible"
    assert evaluate(RULES["p25.middle_aged"], completed(FACTS, {"employed": True}), ON).verdict == "not_eligible"
    assert evaluate(RULES["p25.unemployed"], completed(FACTS, {"employed": False}), ON).verdict == "cannot_tell"
    assert "employed" not in evaluate(RULES["p22"], completed(FACTS, {"unemployed": True}), ON).askable


# -- anything at all

DATES = st.dates(date(1940, 1, 1), date(2030, 12, 31))
BITS_OF_TIME = st.integers(0, 500).map(lambda count: timedelta(days=count))


def spans() -> st.SearchStrategy[list[str]]:
    """Two ISO dates, the second at most some months later."""
    return st.builds(lambda first, length: [first.isoformat(), (first + length).isoformat()], DATES, BITS_OF_TIME)


def amounts(low: int, high: int) -> st.SearchStrategy[Any]:
    """A number, or two in order."""
    one = st.integers(low, high)
    return one | st.lists(one, min_size=2, max_size=2).map(sorted)


KINDS: Mapping[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "age": amounts(0, 120) | st.builds(lambda span: {"born": span}, spans()),
    "months": amounts(0, 24) | st.floats(0, 24) | st.builds(lambda span: {"since": span}, spans()),
    "integer": amounts(0, 6) | amounts(40, 110),
    "money": amounts(49_999_000, 50_001_000),
    "date": DATES.map(date.isoformat) | spans(),
}
REASONS = st.sampled_from([None, "unknown", "declined", {"unknown": "conflict"}, {"unknown": "imprecise"}])


def answers(facts: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Any answers to any of some facts, in JSON."""
    words = {name: st.sampled_from(sorted(FACTS[name].choices)) for name in facts if FACTS[name].type == "enum"}
    others = {name: KINDS[FACTS[name].type] for name in facts if name not in words}
    each = {name: answer | REASONS for name, answer in {**others, **words}.items()}
    return st.fixed_dictionaries({}, optional=each)


def judged_with_answers() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A benefit or duty and answers to its own facts and some others."""
    return st.sampled_from(sorted(JUDGED)).flatmap(
        lambda name: st.tuples(st.just(name), answers([*RULES[name].facts, "lives_in_city", "disability"]))
    )


@given(judged_with_answers(), st.dates(date(2010, 1, 1), date(2030, 12, 31)))
@settings(max_examples=200, derandomize=True, deadline=None, database=None)
def test_any_answers_on_any_day(told: tuple[str, dict[str, Any]], on: date) -> None:
    name, raws = told
    result = evaluate(RULES[name], typed_facts(raws), on)
    assert result.verdict == NAIVE[name].verdict(raws, on)
    assert set(result.askable) <= set(result.missing)
    assert result.settled == (not result.askable)


@given(answers(tuple(FACTS)), st.dates(date(2010, 1, 1), date(2030, 12, 31)))
@settings(max_examples=100, derandomize=True, deadline=None, database=None)
def test_an_audience_is_never_a_no(raws: dict[str, Any], on: date) -> None:
    facts = completed(FACTS, typed_facts(raws))
    for rule in AUDIENCES.values():
        result = evaluate(rule, facts, on)
        speaks_for_it = not rule.leaves or any(facts.get(fact) is True for fact in rule.facts)
        assert result.verdict == ("fits" if speaks_for_it else "cannot_tell")
        assert set(result.askable) <= set(rule.facts)
