"""Rules: golden cases, what is asked and said, what would change a verdict, windows, faults of a rule file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import naive_rules
import pytest

from knowledge.facts import completed, read_value
from knowledge.faults import KnowledgeError
from knowledge.library import load
from knowledge.rules import Result, Rule, evaluate, load_rules, mermaid
from knowledge.rules.spans import add_months, begun_before, born_at_age, months_between, years_between
from knowledge.rules.values import NOT_ASKED, Born, Days, Range, Since, Unknown, Value, to_json
from knowledge.rules.window import Schedule, window
from knowledge.topics import Topic

KNOWLEDGE = load()
FACTS, RULES = KNOWLEDGE.facts, KNOWLEDGE.rules
P02, P15 = RULES["p02"], RULES["p15"]
ON = date(2018, 7, 15)
DAY = date(2012, 7, 31)
DOES_NOT_KNOW = Unknown("does_not_know")
Row = tuple[Value, ...]
YES_NO: Row = (True, False, NOT_ASKED)


def typical(rule: Rule, **changes: Any) -> dict[str, Value]:
    """The rule's typical facts with changes."""
    given = {name: read_value(FACTS[name], raw) for name, raw in rule.typical.items()}
    return {**given, **changes}


def cases() -> Iterator[Any]:
    """Every golden case of every rule."""
    for rule in RULES.values():
        for number, case in enumerate(rule.cases):
            yield pytest.param(rule, case, id=f"{rule.id}-{number}-{case.expect}")


def case_facts(rule: Rule, case: Any) -> dict[str, Value]:
    """The facts of a case, with what they exclude."""
    given = {name: read_value(FACTS[name], raw) for name, raw in case.facts(rule.typical).items()}
    return completed(FACTS, given)


@pytest.mark.parametrize(("rule", "case"), list(cases()))
def test_golden_case(rule: Rule, case: Any) -> None:
    assert evaluate(rule, case_facts(rule, case), case.on).verdict == case.expect


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.kind != "audience"])
def test_every_leaf_has_a_case_each_way(name: str) -> None:
    """A condition that the plan never explains is always open; a guard is never met."""
    rule = RULES[name]
    seen = {
        (leaf.name, leaf.truth)
        for case in rule.cases
        for leaf in evaluate(rule, case_facts(rule, case), case.on).leaves
    }
    for leaf in rule.leaves:
        ways = {None} if leaf.undefined else {False, None} if leaf.is_guard else {True, False, None}
        assert {truth for name, truth in seen if name == leaf.name} == ways, leaf.name


def test_order_of_questions() -> None:
    assert evaluate(P02, {}, ON).askable == P02.facts
    assert evaluate(P15, {}, ON).askable[:3] == ("age", "registered_in_city", "work_since_graduation")
    assert evaluate(P15, {}, ON).askable[-1] == "times_received"
    asked_again = evaluate(P02, typical(P02, registered_since=Days(date(2012, 7, 1), DAY)), ON)
    assert asked_again.askable == ("registered_since",)
    given_up = evaluate(P02, typical(P02, registered_since=Unknown("imprecise")), ON)
    assert given_up.settled
    assert given_up.missing == ("registered_since",)


def test_not_registered_ends_the_check_at_once() -> None:
    result = evaluate(P02, {"registered_in_city": False}, ON)
    assert (result.verdict, result.settled, result.askable, result.missing) == ("not_eligible", True, (), ())


def test_a_fact_of_another_rule_changes_nothing() -> None:
    assert evaluate(P02, typical(P02, employees=3, first_job_search=False), ON) == evaluate(P02, typical(P02), ON)


def test_reasons_say_what_is_needed_and_where_it_stands() -> None:
    result = evaluate(P02, typical(P02, age=64, registered_since=DAY), ON)
    age = next(leaf for leaf in result.leaves if leaf.fact == "age")
    assert (age.truth, age.value, dict(age.needed), age.text_key) == (False, 64, {"at_least": 65}, "rule.p02.age.unmet")
    assert dict(age.params) == {"age_min": 65}
    assert age.source == "item 2, 一, (二)"
    since = next(leaf for leaf in result.leaves if leaf.fact == "registered_since")
    assert (since.truth, since.why, since.text_key) == (
        None,
        "undefined_in_source",
        "rule.p02.registered_since.undefined",
    )
    assert dict(since.needed) == {"before": "2012-07-31"}


def results_of(rule: Rule) -> Iterator[Result]:
    """The results of a rule's cases, of nothing told, and of each yes and no alone."""
    told = [case_facts(rule, case) for case in rule.cases]
    told += [{fact: answer} for fact in rule.facts if FACTS[fact].type == "bool" for answer in (True, False)]
    for facts in ({}, *told):
        yield evaluate(rule, facts, ON)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_reason_has_its_text(rule: Rule) -> None:
    """A guard speaks only where the plan is silent, an audience has nothing to give reasons for."""
    silent = {leaf.name for leaf in rule.leaves if leaf.is_guard or rule.kind == "audience"}
    for result in results_of(rule):
        assert {leaf.text_key for leaf in result.leaves if leaf.text_key} <= set(rule.texts)
        assert {leaf.name for leaf in result.leaves if not leaf.text_key} <= silent


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_change_has_its_text(rule: Rule) -> None:
    for result in results_of(rule):
        assert {change.text_key for change in result.would_change} <= set(rule.texts)


def test_what_would_change_a_no() -> None:
    since = Since(date(2018, 3, 1), date(2018, 3, 1))
    result = evaluate(P15, typical(P15, months_without_work_since_graduation=since), ON)
    (change,) = result.would_change
    assert (change.kind, change.possible, change.on) == ("become", True, date(2018, 9, 1))
    assert change.text_key == "rule.p15.months_without_work_since_graduation.change"


def test_outside_the_plan_year_no_day_is_named() -> None:
    on = date(2026, 7, 15)
    since = Since(date(2026, 3, 1), date(2026, 3, 1))
    (change,) = evaluate(P15, typical(P15, months_without_work_since_graduation=since), on).would_change
    assert (change.possible, change.on) == (True, None)


def test_no_day_is_named_on_which_nobody_can_apply() -> None:
    in_july = evaluate(P02, typical(P02, age=Born(date(1953, 7, 20), date(1953, 7, 20))), date(2018, 7, 1))
    assert in_july.would_change[0].on == date(2018, 7, 20)
    too_late = evaluate(P02, typical(P02, age=Born(date(1953, 8, 20), date(1953, 8, 20))), date(2018, 7, 1))
    assert too_late.would_change[0].on is None


def test_what_is_over_cannot_change() -> None:
    (too_old,) = evaluate(P15, typical(P15, age=30), ON).would_change
    assert (too_old.possible, too_old.text_key) == (False, "rule.p15.age.unmet")
    (too_young,) = evaluate(P15, typical(P15, age=17), ON).would_change
    assert (too_young.possible, too_young.text_key) == (True, "rule.p15.age.change")
    both = evaluate(P15, typical(P15, age=30, accepts_referral=False), ON).would_change
    assert {change.fact for change in both} == {"age", "accepts_referral"}


def test_what_must_be_found_out() -> None:
    result = evaluate(P02, typical(P02, mine_insurance_record=DOES_NOT_KNOW), ON)
    assert [(change.kind, change.fact) for change in result.would_change] == [("find_out", "mine_insurance_record")]
    assert evaluate(P02, typical(P02, registered_since=DAY), ON).would_change == ()


def test_ages_and_months_grow() -> None:
    told = Born(*born_at_age(64, ON))
    assert evaluate(P02, typical(P02, age=told), ON).verdict == "not_eligible"
    assert evaluate(P02, typical(P02, age=told), date(2018, 12, 1)).verdict == "cannot_tell"
    assert evaluate(P02, typical(P02, age=told), date(2019, 7, 15)).verdict == "eligible"
    five = Since(*begun_before(5, ON))
    assert (
        evaluate(P15, typical(P15, months_without_work_since_graduation=five), date(2018, 8, 15)).verdict == "eligible"
    )


def test_a_value_of_the_wrong_type_is_an_error() -> None:
    with pytest.raises(ValueError, match="is not a number"):
        evaluate(P02, {"age": "old"}, ON)
    with pytest.raises(ValueError, match="cannot be compared"):
        evaluate(P02, {"coal_mine_work": 1}, ON)


@pytest.mark.parametrize("days", range(0, 800, 7))
def test_an_age_told_is_that_age_on_that_day(days: int) -> None:
    on = date(2018, 1, 1) + timedelta(days=days)
    for years in (0, 17, 18, 29, 30, 64, 65, 100):
        first, last = born_at_age(years, on)
        assert years_between(first, on) == years_between(last, on) == years
        assert years_between(first - timedelta(days=1), on) == years + 1
        assert years_between(last + timedelta(days=1), on) == max(0, years - 1)


@pytest.mark.parametrize("on", [date(2018, 2, 28), date(2020, 2, 29), date(2018, 4, 30), date(2018, 8, 31), ON])
def test_months_told_are_those_months_on_that_day(on: date) -> None:
    for months in range(25):
        first, last = begun_before(months, on)
        assert months <= months_between(last, on) <= months_between(first, on) < months + 1


def test_month_ends() -> None:
    assert add_months(date(2018, 8, 31), 6) == date(2019, 2, 28)
    assert months_between(date(2018, 8, 31), date(2019, 2, 28)) == 6
    assert months_between(date(2019, 1, 1), date(2018, 1, 1)) == 0


P02_TIMES = Schedule.of("2018-07", "2018-09", (7,))
P20_TIMES = Schedule.of("2018-01", "2018-11")


@pytest.mark.parametrize(
    ("times", "day", "expected"),
    [
        (P02_TIMES, "2018-06-30", "not_yet"),
        (P02_TIMES, "2018-07-01", "open"),
        (P02_TIMES, "2018-07-31", "open"),
        (P02_TIMES, "2018-08-01", "closed"),
        (P02_TIMES, "2017-12-31", "not_confirmed"),
        (P02_TIMES, "2019-07-15", "not_confirmed"),
        (P20_TIMES, "2018-01-01", "open"),
        (P20_TIMES, "2018-11-30", "open"),
        (P20_TIMES, "2018-12-01", "closed"),
        (P20_TIMES, "2018-12-31", "closed"),
        (P20_TIMES, "2019-01-01", "not_confirmed"),
        (Schedule.of("2018-02", "2018-12"), "2018-01-31", "not_yet"),
        (Schedule.of("2018-02", "2018-12"), "2018-02-01", "open"),
    ],
)
def test_window(times: Schedule, day: str, expected: str) -> None:
    assert window(times, date.fromisoformat(day)) == expected


@pytest.mark.parametrize("topic", KNOWLEDGE.topics.values(), ids=KNOWLEDGE.topics)
def test_the_window_of_every_topic_on_every_day(topic: Topic) -> None:
    for year in (2017, 2018, 2019, 2026):
        day = date(year, 1, 1)
        while day.year == year:
            assert window(topic, day) == naive_rules.window_of(topic.id, day), day
            day += timedelta(days=1)


def test_rules_and_their_topics_name_the_same_months() -> None:
    for rule in RULES.values():
        assert rule.apply_months in ((), KNOWLEDGE.topics[rule.id.partition(".")[0]].apply_months)
    assert P02.apply_months == KNOWLEDGE.topics["p02"].apply_months == (7,)


TREE = """
rules:
  - id: p20
    kind: KIND
    subjects: [business]
    when:
      all:
        - fact: employees
          at_most: {figure: most}
          source: item
          text: {met: 合, unmet: '要{most}人以下', unknown: 未知}
        - any:
            - all:
                - {fact: is_manufacturer, is: true, name: factory, source: item, text: TEXT}
                - {fact: factory_registration, is: true, source: item, text: TEXT}
            - all:
                - not: {fact: is_manufacturer, is: true, name: shop, source: item, text: TEXT}
                - {fact: business_registration, is: true, source: item, text: TEXT}
    cases: []
"""
UNDEFINED = """
rules:
  - id: p06.1
    kind: benefit
    subjects: [self]
    when:
      name: criteria
      undefined: always
      source: item
      text: {met: 合, unmet: 否, unknown: 未知, undefined: 沒有寫}
"""


def load_text(folder: Path, text: str, **figures: int) -> Rule:
    path = folder / "rules.yaml"
    path.write_text(text.replace("TEXT", "{met: 是, unmet: 否, unknown: 未知}"), encoding="utf-8")
    return load_rules(path, figures)[0]


def test_a_fact_that_two_branches_share(tmp_path: Path) -> None:
    """Only the registration of one's own branch is asked, exactly."""
    rule = load_text(tmp_path, TREE.replace("KIND", "duty"), most=50)
    values: dict[str, Row] = {
        "employees": (50, 51, NOT_ASKED),
        "is_manufacturer": YES_NO,
        "factory_registration": YES_NO,
        "business_registration": YES_NO,
    }
    assert rule.facts == tuple(values)
    verdicts = {}
    for row in product(*values.values()):
        verdicts[row] = evaluate(rule, dict(zip(values, row, strict=True)), ON)
    for row, result in verdicts.items():
        open_ones = [place for place in range(4) if row[place] == NOT_ASKED]
        for place in open_ones:
            decides = any(
                len(
                    {
                        verdicts[(*full[:place], value, *full[place + 1 :])].verdict
                        for value in (*values_at(values, place),)
                    }
                )
                > 1
                for full in product(*(values_at(values, p) if p in open_ones else (row[p],) for p in range(4)))
            )
            assert (rule.facts[place] in result.askable) == decides, row
    told: dict[str, Value] = {"employees": 50, "is_manufacturer": True}
    assert evaluate(rule, told, ON).askable == ("factory_registration",)
    assert evaluate(rule, {**told, "factory_registration": False}, ON).verdict == "does_not_apply"


def values_at(values: Mapping[str, Row], place: int) -> Row:
    return list(values.values())[place]


def test_the_nearest_miss_takes_the_cheaper_branch(tmp_path: Path) -> None:
    rule = load_text(tmp_path, TREE.replace("KIND", "benefit"), most=50)
    facts: dict[str, Value] = {
        "employees": 60,
        "is_manufacturer": True,
        "factory_registration": False,
        "business_registration": False,
    }
    changes = evaluate(rule, facts, ON).would_change
    assert [change.name for change in changes] == ["employees", "factory_registration"]
    assert dict(changes[0].params) == {"most": 50}


def test_a_condition_the_plan_never_explains(tmp_path: Path) -> None:
    rule = load_text(tmp_path, UNDEFINED)
    result = evaluate(rule, {}, ON)
    assert (result.verdict, result.settled, result.missing, result.askable) == ("cannot_tell", True, (), ())
    assert result.leaves[0].text_key == "rule.p06.1.criteria.undefined"


def test_an_audience_is_never_told_no(tmp_path: Path) -> None:
    words = "audience\n    addressee: 小店\n    source: item"
    rule = load_text(tmp_path, TREE.replace("KIND", words), most=50)
    assert evaluate(rule, {"employees": 51}, ON).verdict == "cannot_tell"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{figure: most}", "{figure: least}", "no figure 'least'"),
        ("要{most}人以下", "要{least}人以下", "no figure 'least'"),
        ("要{most}人以下", "要50人以下", "a number is typed into a text"),
        ("at_most: {figure: most}", "at_most: many", "employees|at_most"),
        ("name: shop", "name: factory", "two leaves are named factory"),
        ("is: true, name: factory", "is: true, at_most: 3, name: factory", "one operator"),
        ("kind: KIND", "kind: gift", "must be one of"),
        ("cases: []", "cases: [{expect: eligible}]", "either 'given' or 'but'"),
    ],
)
def test_faults_of_a_rule_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = TREE.replace(old, new).replace("KIND", "benefit")
    with pytest.raises(KnowledgeError, match=said) as error:
        load_text(tmp_path, text, most=50)
    assert "rules.yaml:" in str(error.value)


def test_graph() -> None:
    drawn = mermaid(P15, {name: fact.type for name, fact in FACTS.items()})
    assert drawn.startswith('flowchart TD\n  verdict(["p15: eligible when"])\n  n[["all of these"]]\n')
    assert 'leaf_age["age: 18 to 29 years"]' in drawn
    assert '{{"one of these is enough"}}' in drawn
    assert "work since graduation: part time or casual or military; the plan does not define it" in drawn
    assert "times received: less than 4" in drawn
    drawn = mermaid(P02)
    assert 'leaf_registered_since_open["on 2012-07-31: the plan does not define it"]:::open' in drawn
    assert "  leaf_registered_since -.-> leaf_registered_since_open\n" in drawn


def test_values_survive_the_store() -> None:
    assert to_json(Range(3, 4)) == [3, 4]
    assert to_json(NOT_ASKED) is None
