"""The lint of the rules: every planted fault is caught at its line; the page of rule cards is up to date."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from test_knowledge import Plant, copy, item, knowledge, matching

from bot.cli.main import main
from knowledge.cards import topics_with_rules
from knowledge.catalog.maintenance import LANGUAGES, merge
from knowledge.catalog.pofiles import po_path, read_catalog, write_catalog
from knowledge.check import check, lint, warnings
from knowledge.check.leaves import leaf_faults
from knowledge.check.rulebook import Written, locator_of
from knowledge.check.undefined import read_undefined
from knowledge.facts import load_facts
from knowledge.reading import read
from knowledge.rules import load_rules, mermaid, topic_of_rule
from knowledge.sources import PACKAGED

PAGE = Path(__file__).parent.parent / "docs" / "eligibility.md"
UNDEFINED = "plans/107/undefined.yaml"
FACT = """facts:
  - id: likes_tea
    type: bool
    subjects: [self]
    parsers: [bool]
    choices: {"yes": 喜歡, "no": 不喜歡}
    texts: {label: 喝茶, question: 請問您喜歡喝茶嗎？, help: 都可以。, why: 沒有原因。}
"""
BIG = (
    "        - {fact: FACT, name: big, at_least: 1000, source: 'SOURCE', text: {met: 大, unmet: 小, unknown: 不知道}}\n"
)


def rules(topic: str) -> str:
    return f"plans/107/rules/{topic}.yaml"


def big(fact: str, source: str) -> str:
    return BIG.replace("FACT", fact).replace("SOURCE", source)


def without(file: str, line: str, says: str, at: str) -> Plant:
    """The fault of a case that is gone."""
    return Plant(file, f"      - {line}\n", "", says, at)


PLANTS = {
    "unknown fact": Plant(rules("p18"), "fact: unemployed", "fact: jobless", "the fact 'jobless' is not in facts.yaml"),
    "never asked": Plant("facts.yaml", "facts:\n", FACT, "no rule asks for the fact 'likes_tea'", "  - id: likes_tea"),
    "wrong test": Plant(rules("p08"), "is: true", "at_least: 3", "is yes or no: test it with"),
    "useless leaf": Plant(
        rules("ov6"),
        "      all:\n",
        "      all:\n" + big("public_works_value", "overview 6, (三)"),
        "it never changes a verdict: remove it",
        "        - {fact",
    ),
    "contradictory leaf": Plant(
        rules("p20"),
        "        - any:\n",
        big("employees", "item 20, 一") + "        - any:\n",
        "can never be met together with employees",
        "        - {fact",
    ),
    "no source": Plant(
        rules("p10"), "      source: item 10, 一, (二)(三)\n", "", "such as 'item 10, 一'", "    when:\n"
    ),
    "no source of an audience": Plant(
        rules("p07"), "    source: item 7, 一\n", "", "the source is missing", "  - id: p07"
    ),
    "source of another item": Plant(rules("p16"), "source: item 16, 一", "source: item 17, 一", "begin with 'item 16'"),
    "source of an audience": Plant(rules("p05"), "source: item 5, 一", "source: overview 5, 一", "begin with 'item 5'"),
    "no case below": without(
        rules("p04"),
        "{but: {employees: 99}, expect: does_not_apply}",
        "no case has 'employees' just below 100",
        "    when:\n      fact: employees",
    ),
    "no case on a day": without(
        rules("p02"),
        '{but: {registered_since: "2012-07-30"}, expect: eligible}',
        "no case has 'registered_since' on 2012-07-30",
        "        - fact: registered_since",
    ),
    "no case of a no": without(
        rules("ov6"),
        "{but: {excellent_works_award: false}, expect: not_eligible}",
        "no case has 'excellent_works_award' as false",
        "    when:\n      fact: excellent_works_award",
    ),
    "total": Plant(item(15), "value: 20000", "value: 25000", "allowance x allowance_times is 20000"),
    "case that fails": Plant(
        rules("p20"),
        "{but: {employees: 51}, expect: not_eligible}",
        "{but: {employees: 51}, expect: eligible}",
        "the case expects eligible, the rule says not_eligible: correct the rule or the case",
    ),
    "no verdict": Plant(
        rules("p13"), "{given: {}, expect: cannot_tell}", "{given: {}, expect: no}", "write one of fits, cannot_tell"
    ),
    "fact of a case": Plant(rules("p12"), "{employed: false}", "{working: false}", "'working' is not in facts.yaml"),
    "value of a case": Plant(rules("p19"), "{unemployed: true}", "{unemployed: 3}", "3 is not true or false"),
    "undefined leaf": Plant(
        UNDEFINED, "    youth: ", "    age: ", "the rule p16 has no undefined leaf 'age': correct or remove this line"
    ),
    "undefined rule": Plant(
        UNDEFINED, "undefined:\n", "undefined:\n  p98:\n    size: none.\n", "p98 has no undefined leaf", "    size"
    ),
    "no label": Plant(
        rules("p25"),
        "    label: 新住民訓練專班\n",
        "",
        "p25 has several rules: give each a label",
        "  - id: p25.new_res",
    ),
    "label twice": Plant(
        rules("p25"),
        "label: 在職勞工訓練",
        "label: 失業者職業訓練",
        "another rule of p25 has the label",
        "label: 失業者",
    ),
}
NOT_LISTED = {
    "always": (rules("p16"), "leaf youth: the plan's undefined words", "        - name: youth"),
    "for some": (
        rules("p15"),
        "leaf casual_work: the plan's undefined words",
        "            - fact: work_since_graduation\n              name: casual_work",
    ),
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    root = copy(tmp_path_factory.mktemp("lint"))
    for plant in PLANTS.values():
        plant.put(root)
    Plant(UNDEFINED, "casual_work:", "casual_jobs:", "").put(root)
    return SimpleNamespace(root=root, faults=lint(root), checked=check(root))


def assert_caught(planted: SimpleNamespace, file: Path, says: str, line: int) -> None:
    found = matching(planted.faults, file, says)
    assert found, f"{says} is not among\n" + "\n".join(map(str, planted.faults))
    assert line in {fault.line for fault in found}, found


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_caught_at_its_line(planted: SimpleNamespace, name: str) -> None:
    plant = PLANTS[name]
    assert_caught(planted, plant.path(planted.root), plant.says, plant.line(planted.root))


@pytest.mark.parametrize("name", NOT_LISTED)
def test_an_undefined_leaf_must_be_on_the_closed_list(planted: SimpleNamespace, name: str) -> None:
    file, says, at = NOT_LISTED[name]
    text = (planted.root / file).read_text("utf-8")
    assert_caught(planted, planted.root / file, says, text[: text.index(at)].count("\n") + 1)


def test_one_command_shows_all(planted: SimpleNamespace) -> None:
    assert set(planted.faults) <= set(planted.checked)
    assert all(": " in fault.text for fault in planted.faults)


def test_every_choice_that_the_plan_leaves_open_needs_a_case(tmp_path: Path) -> None:
    root = copy(tmp_path)
    file = root / rules("p15")
    text = file.read_text("utf-8")
    file.write_text(text.replace("{work_since_graduation: military", "{work_since_graduation: regular"), "utf-8")
    assert matching(lint(root), file, "leaf casual_work: no case has 'work_since_graduation' as military")


def test_without_the_closed_list_nothing_is_excused(tmp_path: Path) -> None:
    root = copy(tmp_path)
    (root / UNDEFINED).unlink()
    assert matching(lint(root), root / UNDEFINED, "cannot be read")


RULE = """rules:
  - id: p15
    kind: benefit
    subjects: [self]
    when:
      {}
"""
USELESS, NEVER = "never changes a verdict", "can never be met together with first"


LEAF = re.compile(r"<(\w+) (\w+) (.*?)>")
WORDS = "source: 'item 15, 一', text: {met: 是, unmet: 否, unknown: 未知}"


def tree(text: str) -> str:
    """`<name fact test>` becomes a leaf."""
    return LEAF.sub(rf"{{name: \1, fact: \2, \3, {WORDS}}}", text)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("all: [<first age at_least: 18>, <other age at_most: 29>]", {}),
        ("all: [<first age at_least: 65>, <other age at_most: 29>]", {"other": NEVER}),
        ("all: [<first age at_least: 65>, {not: <other age at_least: 60>}]", {"other": NEVER}),
        ("all: [<first age at_least: 65>, {all: [<other age below: 65>]}]", {"other": NEVER}),
        ("all: [<first age below: 65>, <other age 'between': [64, 70]>]", {}),
        ("any: [<first age at_least: 65>, <other age at_most: 29>]", {}),
        ("all: [<first age at_least: 131>, <other student is: true>]", {"first": "it can never hold"}),
        ("all: [<first age at_least: 0>, <other student is: true>]", {"first": USELESS}),
        ("all: [<first age at_least: 18>, <other age 'between': [18, 29]>]", {"first": USELESS}),
        ("all: [<first student is: true>, <other student is: true>]", {"first": USELESS, "other": USELESS}),
        (
            "all: [<first age at_least: 65>, {any: [<other age at_most: 29>, <third student is: true>]}]",
            {"other": USELESS},
        ),
        (
            "all: [<first registered_since 'before': 2012-07-31>, <other registered_since 'on': 2012-07-31>]",
            {"other": NEVER},
        ),
    ],
)
def test_leaves_that_do_nothing(tmp_path: Path, when: str, expected: dict[str, str]) -> None:
    path = tmp_path / "p15.yaml"
    path.write_text(RULE.format(tree(when)), "utf-8")
    (rule,) = load_rules(path, {})
    faults = list(leaf_faults(Written(rule, read(path), 0), load_facts(PACKAGED / "facts.yaml")))
    found = {fault.text.partition("leaf ")[2].partition(":")[0]: fault.text for fault in faults}
    assert set(found) == set(expected), found
    assert all(text in found[name] for name, text in expected.items()), found


def test_where_a_rule_belongs() -> None:
    assert [topic_of_rule(name) for name in ("p04.duty", "p06.1", "p15", "ov6.reduction")] == [
        "p04",
        "p06.1",
        "p15",
        "ov6",
    ]
    assert [locator_of(name) for name in ("p04.duty", "p06.1", "ov6")] == ["item 4", "item 6", "overview 6"]
    assert locator_of("nothing") == ""


def test_the_packaged_rules_are_clean() -> None:
    assert [str(fault) for fault in lint()] == []


def test_every_language_has_the_texts_of_rules_and_facts() -> None:
    assert [str(warning) for warning in warnings()] == []


def test_a_text_that_a_language_lacks_is_a_warning_at_its_line(tmp_path: Path) -> None:
    root = copy(tmp_path)
    merge(root)
    for lang in LANGUAGES:
        po = read_catalog(root / "locale", lang)
        entries = [dataclasses.replace(entry, text=entry.text or "x", fuzzy=False) for entry in po.entries]
        late = {"vi": "rule.p15.age.met", "th": "fact.age.question"}.get(lang, "")
        entries = [dataclasses.replace(entry, fuzzy=True) if entry.key == late else entry for entry in entries]
        entries = [entry for entry in entries if lang != "id" or not entry.key.startswith("fact.age.")]
        write_catalog(dataclasses.replace(po, entries=tuple(entries)))
    found = {Path(fault.file).parts[-3]: fault for fault in warnings(root)}
    assert set(found) == {"vi", "th", "id"}
    text = po_path(root / "locale", "vi").read_text("utf-8")
    line = text[: text.index('msgctxt "rule.p15.age.met"')].count("\n") + 2
    assert (found["vi"].line, "1 texts of rules and facts" in found["vi"].text) == (line, True)
    assert "fact.age.question" in found["th"].text
    assert "fact.age.label" in found["id"].text
    done = CliRunner().invoke(main, ["eligibility", "lint", "--root", str(root)])
    assert (done.exit_code, done.stdout.count(": warning: ")) == (0, 3)


def test_the_verbs_say_it_by_their_exit_code(planted: SimpleNamespace) -> None:
    for verb in (["eligibility", "lint"], ["knowledge", "check"]):
        done = CliRunner().invoke(main, [*verb, "--root", str(planted.root)])
        assert done.exit_code == 1
        assert (
            f"{planted.root / rules('p18')}:6: the fact 'jobless' is not in facts.yaml: add or correct it"
            in done.stdout
        )
    assert CliRunner().invoke(main, ["eligibility", "lint"]).exit_code == 0


def test_the_page_of_rule_cards_is_what_the_command_writes(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["eligibility", "cards", "-o", str(tmp_path / "page.md")])
    assert done.exit_code == 0
    assert PAGE.read_text("utf-8") == (tmp_path / "page.md").read_text("utf-8"), (
        "run `labor-bot eligibility cards -o docs/eligibility.md`"
    )


def test_the_page_has_a_card_of_every_rule_and_every_undefined_word() -> None:
    page = PAGE.read_text("utf-8")
    for topic in topics_with_rules(knowledge()):
        assert f"\n## {topic.id} " in page
    for rule in knowledge().rules.values():
        assert f"\n### Rule `{rule.id}`" in page
        assert rule.kind == "audience" or f'  verdict(["{rule.id}: ' in page
        assert all(leaf.source in page for leaf in rule.leaves if leaf.source != "addressee")
    for leaves in read_undefined(PACKAGED).model.undefined.values():
        assert all(f": {reason}\n" in page for reason in leaves.values())


@pytest.mark.parametrize(
    ("name", "headings"),
    [
        ("p15", ["## p15 "]),
        ("p04.duty", ["## p04 "]),
        ("p06", [f"## p06.{number} " for number in range(1, 8)]),
        ("p06.3", ["## p06.3 "]),
    ],
)
def test_a_single_card(name: str, headings: list[str]) -> None:
    done = CliRunner().invoke(main, ["eligibility", "card", name])
    lines = [line for line in done.stdout.splitlines() if line.startswith("## ")]
    assert [line.startswith(heading) for line, heading in zip(lines, headings, strict=True)] == [True] * len(headings)


def test_a_card_of_nothing_is_an_error() -> None:
    done = CliRunner().invoke(main, ["eligibility", "card", "p99"])
    assert done.exit_code == 1
    assert "there is no rule for 'p99'" in done.output


def test_an_audience_card_says_that_nobody_is_refused() -> None:
    done = CliRunner().invoke(main, ["eligibility", "card", "p01"])
    assert "who fits is shown first, nobody is refused" in done.stdout
    assert "ranked up when (an audience: never refuses)" in done.stdout


def test_the_graph_of_an_audience_says_that_it_never_refuses() -> None:
    rules = knowledge().rules
    assert "ranked up when (an audience: never refuses)" in mermaid(rules["p01"])
    assert mermaid(rules["p03"]).endswith('(["p03: an audience, nobody is asked; never refuses"])\n')
    assert "all of its subjects; never refuses" in mermaid(rules["p26"])


def test_figures_in_a_graph_are_readable() -> None:
    types = {name: fact.type for name, fact in knowledge().facts.items()}
    drawn = mermaid(knowledge().rules["ov6.certification"], types)
    assert '[["all of these"]]' in drawn
    assert '["public works value: NT$50,000,000 or more"]' in drawn
    family = mermaid(knowledge().rules["p21.family"], types)
    assert '{{"one of these is enough"}}' in family
    assert 'leaf_high_risk["high risk: the plan does not define it"]:::open' in family


def test_a_rule_file_that_cannot_be_read_idles_no_fact(tmp_path: Path) -> None:
    root = copy(tmp_path)
    file = root / rules("p02")
    file.write_text(file.read_text("utf-8").replace("kind: benefit", "kind: [benefit"), "utf-8")
    assert [fault.file for fault in lint(root)] == [str(file)]


def test_a_copy_without_rules_still_lints(tmp_path: Path) -> None:
    root = copy(tmp_path)
    shutil.rmtree(root / "plans" / "107" / "rules")
    assert matching(lint(root), root / "facts.yaml", "no rule asks for the fact 'age'")
