"""The rules of p02 and p15 over the product of boundary values and unknowns, against an evaluator of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from test_rules import DOES_NOT_KNOW, ON, P02, P15, YES_NO, Row

from knowledge.rules import Rule, evaluate, next_question
from knowledge.rules.values import NOT_ASKED, Days, Range, Unknown, Value

DAY = date(2012, 7, 31)

# An evaluator that shares nothing with the walker: each condition by hand, then the least of them.


def naive_p02(facts: Mapping[str, Value]) -> str:
    return least(
        plain(facts["coal_mine_work"]),
        over(facts["age"], lambda age: age >= 65),
        plain(facts["registered_in_city"]),
        over(facts["registered_since"], lambda day: None if day == DAY else day < DAY),
        flipped(plain(facts["moved_out_since"])),
        plain(facts["mine_insurance_record"]),
    )


def naive_p15(facts: Mapping[str, Value]) -> str:
    work = {"none": True, "regular": False, "part_time_or_casual": None, "military": None}
    return least(
        over(facts["age"], lambda age: 18 <= age < 30),
        plain(facts["registered_in_city"]),
        over(facts["work_since_graduation"], lambda kind: work[kind]),
        over(facts["months_without_work_since_graduation"], lambda months: months >= 6),
        plain(facts["first_job_search"]),
        plain(facts["accepts_counselling"]),
        plain(facts["accepts_referral"]),
        over(facts["times_received"], lambda times: times <= 3),
    )


def least(*truths: bool | None) -> str:
    if False in truths:
        return "not_eligible"
    return "cannot_tell" if None in truths else "eligible"


def plain(value: Value) -> bool | None:
    return value if isinstance(value, bool) else None


def flipped(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def over(value: Value, holds: Callable[[Any], bool | None]) -> bool | None:
    if isinstance(value, Unknown):
        return None
    if isinstance(value, Range):
        found = {holds(number) for number in range(int(value.lo), int(value.hi) + 1)}
    elif isinstance(value, Days):
        length = (value.hi - value.lo).days
        found = {holds(value.lo + timedelta(days=step)) for step in range(length + 1)}
    else:
        found = {holds(value)}
    return found.pop() if len(found) == 1 else None


TABLES: dict[str, tuple[Rule, Callable[[Mapping[str, Value]], str], dict[str, Row]]] = {
    "p02": (
        P02,
        naive_p02,
        {
            "coal_mine_work": (*YES_NO, DOES_NOT_KNOW),
            "age": (64, 65, Range(64, 66), NOT_ASKED, Unknown("declined")),
            "registered_in_city": (*YES_NO, DOES_NOT_KNOW),
            "registered_since": (
                DAY - timedelta(days=1),
                DAY,
                DAY + timedelta(days=1),
                Days(date(2012, 7, 1), DAY),
                NOT_ASKED,
            ),
            "moved_out_since": (*YES_NO, Unknown("undefined_in_source")),
            "mine_insurance_record": (*YES_NO, DOES_NOT_KNOW),
        },
    ),
    "p15": (
        P15,
        naive_p15,
        {
            "age": (17, 29, 30, NOT_ASKED),
            "registered_in_city": YES_NO,
            "work_since_graduation": ("none", "part_time_or_casual", "military", "regular", NOT_ASKED),
            "months_without_work_since_graduation": (5.9, 6, NOT_ASKED),
            "first_job_search": YES_NO,
            "accepts_counselling": YES_NO,
            "accepts_referral": YES_NO,
            "times_received": (3, 4, NOT_ASKED),
        },
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_whole_product_against_a_second_evaluator(name: str) -> None:
    """Same verdict; what is settled stays so whatever is filled in; what is not settled has something to ask."""
    rule, naive, table = TABLES[name]
    results = {}
    for row in product(*table.values()):
        facts = dict(zip(table, row, strict=True))
        result = evaluate(rule, facts, ON)
        assert result.verdict == naive(facts), facts
        assert set(result.askable) <= set(result.missing)
        results[row] = (result.verdict, result.settled)
    for row, (verdict, settled) in results.items():
        if settled:
            assert {results[filled][0] for filled in fillings(row, table)} <= {verdict}, row


def fillings(row: Row, table: Mapping[str, Row]) -> Iterator[Row]:
    """The row with each fact that was not asked filled in, one at a time."""
    for place, values in enumerate(table.values()):
        if row[place] == NOT_ASKED:
            yield from ((*row[:place], value, *row[place + 1 :]) for value in values)


@pytest.mark.parametrize("name", TABLES)
def test_only_what_can_matter_is_asked(name: str) -> None:
    """A fact is askable exactly if some outcome of the other open facts makes it decide."""
    rule, naive, table = TABLES[name]
    chance = random.Random(20180715)
    known = {fact: [value for value in values if value != NOT_ASKED] for fact, values in table.items()}
    for _ in range(400):
        row = {fact: chance.choice(values) for fact, values in known.items()}
        unasked = chance.sample(list(row), chance.randint(1, 4))
        facts = {fact: value for fact, value in row.items() if fact not in unasked}
        facts = {fact: Unknown("imprecise") if isinstance(v, Range | Days) else v for fact, v in facts.items()}
        expected = {fact for fact in unasked if decides(fact, unasked, facts, table, naive)}
        assert set(evaluate(rule, facts, ON).askable) == expected, facts


def decides(
    fact: str,
    unasked: list[str],
    facts: Mapping[str, Value],
    table: Mapping[str, Row],
    naive: Callable[[Mapping[str, Value]], str],
) -> bool:
    others = [other for other in unasked if other != fact]
    for values in product(*(table[other] for other in others)):
        rest = {**facts, **dict(zip(others, values, strict=True))}
        if len({naive({**rest, fact: value}) for value in table[fact]}) > 1:
            return True
    return False


@pytest.mark.parametrize("rule", [P02, P15], ids=lambda rule: rule.id)
def test_an_interview_ends_and_asks_nothing_twice(rule: Rule) -> None:
    table = next(table for found, _, table in TABLES.values() if found is rule)
    chance = random.Random(107)
    for _ in range(200):
        facts: dict[str, Value] = {}
        while fact := next_question(rule, facts, ON):
            assert fact not in facts
            answers = [v for v in table[fact] if v != NOT_ASKED and not isinstance(v, Range | Days)]
            facts[fact] = chance.choice([*answers, DOES_NOT_KNOW])
        assert evaluate(rule, facts, ON).settled
