"""Beside a case: facts and how sure they are, verdicts with every reason and its source, program cards to send."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, time
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from site_app import Browser, Site, running

from bot.clock import TAIPEI
from bot.desk import side_pane
from bot.desk.program_cards import SHOWN, cards, source_words
from bot.dialogue.state import State
from bot.dialogue.world import Staffing, World
from bot.pipeline.resources import Resources, load_resources
from bot.render.voice import Voice
from bot.store.codec import decode, encode
from knowledge.library import load
from knowledge.rules import VERDICTS, Rule, evaluate, topic_of_rule
from knowledge.rules.tree import Case

CASE = "/desk/cases/1"
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
ADDITION = """additions:
  - topic: p15
    aspect: contact
    text: 請打{phone}。
    figures:
      phone: {value: "02-1234-5678", unit: phone, source: letter of the bureau}
    source: 勞工局來函
    as_of: 2018-03-01
"""
RULES = [rule for rule in load().rules.values() if rule.facts and rule.kind != "audience"]
LANGUAGES = ("zh-TW", "en")


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


def words(html: str) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def side(page: str, part: str) -> str:
    """One section of the pane."""
    return page.partition(f'<section class="{part}"')[2].partition("</section>")[0]


def claimed(site: Site, lang: str = "zh-TW") -> tuple[Browser, str]:
    """The caseworker who takes the case, and its page."""
    lin = site.caseworker()
    lin.post(f"{CASE}/claim")
    return lin, lin.get(CASE, headers={"accept-language": lang}).text


# -- verdicts, for every rule and all its golden cases


def world_on(resources: Resources, day: date) -> World:
    """The world of a case's day."""
    return resources.world(datetime.combine(day, time(10), TAIPEI), Staffing())


def lines_of(resources: Resources, rule: Rule, case: Case, subject: str, lang: str) -> list[side_pane.VerdictLine]:
    """What the pane makes of a golden case."""
    given = {name: value for name, value in case.facts(rule.typical).items() if value is not None}
    world, voice = world_on(resources, case.on), Voice(resources.catalog, lang, {})
    state = State(subject=subject, facts={subject: given})
    groups = side_pane.verdicts(state, world, (topic_of_rule(rule.id),), voice)
    assert not voice.fell_back
    return [line for _, lines in groups for line in lines if line.rule == rule.id]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_verdict_says_all_its_conditions_with_their_source(resources: Resources, rule: Rule) -> None:
    seen = set()
    for case in rule.cases:
        for line in lines_of(resources, rule, case, rule.subjects[0], "zh-TW"):
            seen.add(line.verdict)
            assert line.verdict == case.expect
            result = evaluate(resources.knowledge.rules[rule.id], _values(resources, rule, case), case.on)
            spoken = [leaf for leaf in result.leaves if leaf.text_key]
            assert len(line.leaves) == len(spoken) > 0
            assert sum(leaf.counts for leaf in line.leaves) == sum(leaf.counts for leaf in spoken)
            for leaf in line.leaves:
                assert re.match(r"計畫第\d+項，|施政重點第\d章，", leaf.source)
                assert leaf.text
                assert bool(leaf.why) == (leaf.state == "open")
                assert leaf.told or leaf.state == "open"
            if line.verdict == "cannot_tell" and result.missing:
                assert line.missing
            if line.verdict in ("not_eligible", "does_not_apply"):
                assert line.changes or line.hopeless
    assert seen == {case.expect for case in rule.cases if any(case.facts(rule.typical).values())} or len(seen) > 1
    assert seen <= set(VERDICTS[rule.kind].values())


def _values(resources: Resources, rule: Rule, case: Case) -> Any:
    from knowledge.facts import completed, read_value

    facts = resources.knowledge.facts
    given = {name: read_value(facts[name], raw) for name, raw in case.facts(rule.typical).items()}
    return completed(facts, given)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_verdict_is_shown_with_its_outcome_outside(resources: Resources, rule: Rule, lang: str) -> None:
    """One case for each verdict and each subject, as the page shows it."""
    pages = resources.pages
    firsts = {case.expect: case for case in reversed(rule.cases) if any(case.facts(rule.typical).values())}
    for case in firsts.values():
        for subject in rule.subjects:
            lines = lines_of(resources, rule, case, subject, lang)
            html = pages.render(
                "desk/_verdicts.html", lang, verdicts=[("s", lines)], c={"id": 1}, proposed="", can_propose=True
            )
            text = words(html)
            for line in lines:
                summary = words(html.partition(f'id="verdict-{line.key}"')[2].partition("</summary>")[0])
                assert pages.words(lang, f"desk.verdict_{line.verdict}") in summary
                for leaf in line.leaves:
                    assert leaf.text in text
                    assert leaf.source in text
            assert pages.words(lang, "desk.verdicts_note") in text


def test_a_place_in_the_plan_in_words(resources: Resources) -> None:
    chinese, english = (Voice(resources.catalog, lang, {}) for lang in LANGUAGES)
    assert source_words("item 2, 一, (二)", chinese) == "計畫第2項，一(二)"
    assert source_words("item 15", english) == "Program 15"
    assert source_words("overview 6, (三)", chinese) == "施政重點第6章，(三)"
    assert source_words("a letter", chinese) == "a letter"


def test_an_open_condition_says_why(resources: Resources) -> None:
    rule = resources.knowledge.rules["p15"]
    given = {
        "age": {"unknown": "imprecise"},
        "first_job_search": {"unknown": "conflict"},
        "registered_in_city": "unknown",
        "work_since_graduation": "military",
        "accepts_referral": "declined",
    }
    case = Case(given=given, expect="cannot_tell")
    (line,) = lines_of(resources, rule, case, "self", "zh-TW")
    assert {leaf.why for leaf in line.leaves if leaf.state == "open"} == {
        resources.pages.words("zh-TW", f"desk_side.why_{why}")
        for why in ("imprecise", "conflict", "does_not_know", "undefined_in_source", "declined", "not_asked")
    }
    assert not line.settled
    assert line.missing


def test_what_follows_from_another_answer_says_so(resources: Resources) -> None:
    facts = resources.knowledge.facts
    name, other = next((name, fact.excludes[0]) for name, fact in facts.items() if fact.excludes)
    rule = next(rule for rule in RULES if other in rule.facts)
    case = Case(given={name: True}, expect="not_eligible")
    world = world_on(resources, case.on)
    state = State(subject=rule.subjects[0], facts={rule.subjects[0]: {name: True}})
    groups = side_pane.verdicts(state, world, (topic_of_rule(rule.id),), Voice(resources.catalog, "zh-TW", {}))
    told = {leaf.told for _, lines in groups for line in lines if line.rule == rule.id for leaf in line.leaves}
    no = resources.pages.words("zh-TW", f"fact.{other}.choice.no")
    assert resources.pages.words("zh-TW", "desk_side.follows", value=no) in told


# -- facts


def test_each_fact_says_how_it_was_told_and_about_whom(site: Site) -> None:
    citizen = site.browser()
    citizen.say("我24歲，想問尋職津貼")
    citizen.tap("check:p15")
    citizen.say("我設籍新北市")
    citizen.tap("answer:work_since_graduation:none")
    citizen.say("不想回答")
    citizen.say("不知道")
    citizen.tap("subject:other_person")
    citizen.say("72歲")
    citizen.tap("check:p20")
    citizen.tap("answer:is_manufacturer:yes")
    citizen.tap("handoff")
    how = {(subject, fact): how for subject, fact, how in site.rows("SELECT subject, fact, how FROM facts")}
    assert how["self", "age"] == "passing"
    assert how["self", "registered_in_city"] == "text"
    assert how["self", "work_since_graduation"] == "choice"
    _, page = claimed(site)
    facts = words(side(page, "told"))
    zh = partial(site.words, "zh-TW")
    for subject in ("self", "other_person", "business"):
        assert zh(f"desk.subject_{subject}") in facts
    assert f"24 {zh('desk_side.how_let_stand')}" in facts
    assert f"{zh('desk_side.quote')} 我設籍新北市" in facts
    assert zh("desk_side.how_choice") in facts
    assert zh("conversation.value.declined") in facts
    assert zh("conversation.value.unknown") in facts
    assert zh("desk_side.mark_unconfirmed") not in facts
    subjects = set(re.findall(r'id="verdict-(\w+)-', page))
    assert subjects == {"self", "other_person", "business"}


def test_what_was_only_mentioned_is_not_confirmed(site: Site) -> None:
    citizen = site.browser()
    citizen.say("我24歲，想問尋職津貼")
    citizen.tap("handoff")
    lin, page = claimed(site)
    facts = words(side(page, "told"))
    assert site.words("zh-TW", "desk_side.how_heard") in facts
    assert site.words("zh-TW", "desk_side.mark_unconfirmed") in facts
    assert 'class="verdicts"' not in page
    english = words(side(lin.get(CASE, headers={"accept-language": "en"}).text, "told"))
    assert site.words("en", "desk_side.how_heard") in english
    assert not re.search(r"[\u4e00-\u9fff]", english)


def test_read_back_and_nothing_said_since_is_not_confirmed_yet(site: Site) -> None:
    citizen = site.browser()
    citizen.say("我24歲，想問尋職津貼")
    citizen.tap("handoff")
    citizen.tap("check:p15")
    _, page = claimed(site)
    facts = words(side(page, "told"))
    assert site.words("zh-TW", "desk_side.how_taken_over") in facts
    assert site.words("zh-TW", "desk_side.mark_unconfirmed") in facts


def test_a_list_says_what_was_ticked_and_what_was_not(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("screening")
    citizen.tap("ticked:1")
    citizen.tap("handoff")
    assert {how for (how,) in site.rows("SELECT how FROM facts")} == {"list"}
    facts = words(side(claimed(site)[1], "told"))
    assert facts.count(site.words("zh-TW", "desk_side.how_list_yes")) == 1
    assert facts.count(site.words("zh-TW", "desk_side.how_list_no")) > 1


def test_told_and_mentioned_otherwise_is_a_contradiction(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("check:p15")
    citizen.say("24歲")
    citizen.tap("stop")
    citizen.say("我30歲，想問尋職津貼")
    citizen.tap("handoff")
    facts = words(side(claimed(site)[1], "told"))
    assert site.words("zh-TW", "desk_side.mark_conflict") in facts
    assert site.words("zh-TW", "desk_side.conflict", value="30") in facts


def test_words_of_the_citizen_and_old_facts_inject_nothing(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("check:p15")
    citizen.say("24歲")
    citizen.tap("handoff")
    rows = [
        ("self", "registered_in_city", json.dumps(HOSTILE)),
        ("self", HOSTILE, json.dumps({HOSTILE: [HOSTILE]})),
        (HOSTILE, "age", "24"),
        ("self", "times_received", json.dumps({"born": 3})),
    ]
    connection = sqlite3.connect(site.database)
    with connection:
        for subject, fact, value in rows:
            connection.execute(
                "INSERT INTO facts (conversation_id, subject, fact, value, at, event_id, how)"
                " SELECT id, ?, ?, ?, 0, '', 'text' FROM conversations",
                (subject, fact, encode(value)),
            )
        (body,) = connection.execute("SELECT body FROM messages WHERE author = 'citizen' ORDER BY seq").fetchall()[1]
        said = {**json.loads(decode(body)), "text": f"24歲 {HOSTILE}"}
        connection.execute("UPDATE messages SET body = ? WHERE body = ?", (encode(json.dumps(said)), body))
    connection.close()
    lin, _ = claimed(site)
    for lang in LANGUAGES:
        page = lin.get(CASE, headers={"accept-language": lang}).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert words(side(page, "told")).count(HOSTILE) >= len(rows) - 1
        assert side(page, "told").count("mark-retired") == len(rows)
        assert 'id="verdict-self-p15"' in page


def test_what_is_told_after_a_case_closed_is_not_shown_with_it(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("check:p15")
    citizen.say("24歲")
    citizen.tap("handoff")
    lin, _ = claimed(site)
    lin.post(f"{CASE}/close", {"fence": fence(site)})
    citizen.tap("check:p02")
    citizen.tap("answer:registered_in_city:yes")
    citizen.say("我設籍新北市，想問托育")
    page = lin.get(CASE).text
    facts = words(side(page, "told"))
    assert site.words("zh-TW", "fact.age.label") in facts
    assert site.words("zh-TW", "fact.registered_in_city.label") not in facts
    assert 'id="program-p02"' not in page


def test_a_verdict_about_another_is_proposed_with_their_facts(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("check:p15")
    citizen.say("24歲")
    citizen.tap("subject:other_person")
    citizen.say("72歲")
    citizen.tap("subject:self")
    citizen.tap("handoff")
    lin, page = claimed(site)
    assert 'id="wrong-other_person-p15"' in page
    assert 'id="wrong-self-p15"' not in page  # a check that still asks is not yet wrong
    form = {"rule": "p15", "subject": "other_person", "expect": "eligible", "note": ""}
    assert lin.post(f"{CASE}/propose", {**form, "subject": "nobody"}).status_code == 400
    assert lin.post(f"{CASE}/propose", form).status_code == 303
    ((given,),) = site.rows("SELECT given FROM proposals")
    assert json.loads(decode(given)) == {"age": 72}


def test_a_correction_by_the_privacy_officer_says_so(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("check:p15")
    citizen.say("24歲")
    citizen.tap("handoff")
    connection = sqlite3.connect(site.database)
    with connection:
        connection.execute("UPDATE facts SET how = 'desk', event_id = ''")
    connection.close()
    assert site.words("zh-TW", "desk_side.how_desk") in side(claimed(site)[1], "told")


# -- program cards


def test_an_installations_own_answer_stands_on_the_card_with_its_source(tmp_path: Path) -> None:
    (tmp_path / "additions").mkdir()
    (tmp_path / "additions" / "ours.yaml").write_text(ADDITION, encoding="utf-8")
    resources = load_resources(extra=tmp_path)
    world, voice = world_on(resources, date(2018, 7, 15)), Voice(resources.catalog, "zh-TW", {})
    (card,) = cards(resources, ("p15",), world, voice)
    (contact,) = (section.lines for section in card.sections if section.aspect == "contact")
    assert contact[0] == "請打02-1234-5678。"
    assert "勞工局來函" in contact[1]


def fence(site: Site) -> str:
    """The fence to answer with."""
    return str(site.rows("SELECT speaker_fence FROM conversations")[0][0])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_topic_has_a_card(resources: Resources, lang: str) -> None:
    """In the reader's language, with figures and their source; the oddities in Chinese as they are noted."""
    world, voice = world_on(resources, date(2018, 7, 15)), Voice(resources.catalog, lang, {})
    for topic, card in zip(
        resources.knowledge.topics.values(),
        cards(resources, tuple(resources.knowledge.topics), world, voice),
        strict=True,
    ):
        html = resources.pages.render("desk/_program.html", lang, programs=[card], c={"id": 1}, mine=False)
        text = words(html)
        assert str(topic.number) in card.number
        assert card.official in text
        assert bool(card.window) == (topic.period is not None)
        for note in topic.notes:
            assert note in text
        for section in card.sections:
            assert section.lines or section.aspect == "period"
        spoken = {section.aspect for section in card.sections}
        for aspect in set(SHOWN) - spoken:
            assert resources.pages.words(lang, f"conversation.aspect.{aspect}") in card.silent
        if topic.texts.get("amount") and "{" in (topic.texts["amount"] or ""):
            amount = next(section for section in card.sections if section.aspect == "amount")
            assert amount.sources
    assert not voice.fell_back


def test_a_card_goes_out_in_the_citizens_language_once(site: Site) -> None:
    citizen = site.browser("vi")
    citizen.say("trợ cấp tìm việc lần đầu")
    citizen.tap("topic:p15")
    citizen.tap("handoff")
    lin, page = claimed(site)
    assert 'id="program-p15"' in page
    form = {"topic": "p15", "aspect": "amount", "fence": fence(site), "id": "9"}
    for _ in range(2):
        assert lin.post(f"{CASE}/card", form).status_code == 303
    ((body, reading),) = site.rows("SELECT body, reading FROM messages WHERE author = 'staff'")
    said, kept = json.loads(decode(body)), json.loads(decode(reading))
    assert said["lang"] == "vi"
    assert "5.000" in said["text"]
    assert "choices" not in said
    assert "新臺幣5,000元" in kept["original"]
    assert kept["original"].splitlines()[0] in words(lin.get(CASE).text)
    actions = [row[0] for row in site.rows("SELECT action FROM audit WHERE object = 'case/1'")]
    assert "card.send" in actions
    assert lin.post(f"{CASE}/card", {**form, "aspect": "overview"}).status_code == 303
    assert site.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == [(2,)]


@pytest.mark.parametrize(
    "form", [{"topic": "p99"}, {}, {"topic": "p15", "aspect": "budget"}, {"topic": "p15", "aspect": "contact"}]
)
def test_a_card_that_is_none_is_refused(site: Site, form: dict[str, str]) -> None:
    site.browser().tap("handoff")
    lin, _ = claimed(site)
    assert lin.post(f"{CASE}/card", {"fence": fence(site), **form}).status_code == 404
    assert site.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == [(0,)]


def test_only_the_holder_sends_a_card(site: Site) -> None:
    site.browser().tap("handoff")
    lin, _ = claimed(site)
    form = {"topic": "p15", "fence": fence(site)}
    assert lin.post("/desk/cases/7/card", form).status_code == 404
    assert lin.post(f"{CASE}/card", {**form, "fence": "0"}).status_code == 409
    assert site.caseworker("chen", "senior").post(f"{CASE}/card", form).status_code == 409
    assert site.caseworker("wang", "agent").post(f"{CASE}/card", form).status_code == 403
    for role in ("editor", "privacy_officer", "auditor"):
        assert site.caseworker(f"some-{role}", role).post(f"{CASE}/card", form).status_code == 403
    assert site.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == [(0,)]
    assert 'action="/desk/cases/1/card"' not in site.caseworker("wu", "senior").get(CASE).text
