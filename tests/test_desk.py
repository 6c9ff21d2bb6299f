"""The desk beyond one caseworker's day: who may take a case, and what a closed case still shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from site_app import Site, running

from bot.cli.main import main
from bot.pipeline.resources import Resources
from bot.store.codec import decode


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


@pytest.mark.parametrize("role", ["auditor", "editor", "privacy_officer"])
def test_who_answers_nobody_sees_no_case_and_takes_none(site: Site, role: str) -> None:
    site.browser().tap("handoff")
    looking = site.caseworker("looking", role)
    for page in (looking.get("/desk/cases/1"), looking.get("/desk/cases/1/print"), looking.post("/desk/cases/1/claim")):
        assert page.status_code == 403
        assert site.words("zh-TW", "desk.error_right") in page.text
    assert site.rows("SELECT state FROM cases") == [("waiting",)]


def test_a_closed_case_does_not_follow_the_citizen(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("handoff")
    lin = site.caseworker()
    lin.post("/desk/cases/1/claim")
    fence = str(site.rows("SELECT speaker_fence FROM conversations")[0][0])
    lin.post("/desk/cases/1/close", {"fence": fence})
    citizen.say("尋職津貼可以領多少")
    assert "尋職津貼可以領多少" in citizen.page()
    shown = lin.get("/desk/cases/1").text
    assert "尋職津貼可以領多少" not in shown
    assert site.words("zh-TW", "conversation.case_closed") in shown


def test_a_verdict_thought_wrong_goes_to_the_authors_without_the_person(site: Site) -> None:
    """The check is proposed as a golden case: an age, not a birthday; no words of the citizen."""
    citizen = site.browser()
    citizen.tap("check:p15")
    citizen.say("民國50年5月1日生")
    citizen.tap("handoff")
    lin = site.caseworker()
    page = lin.get("/desk/cases/1").text
    assert 'action="/desk/cases/1/propose"' in page
    done = lin.post("/desk/cases/1/propose", {"rule": "p15", "expect": "eligible", "note": "電話 0912345678 說的"})
    assert done.status_code == 303
    assert site.words("zh-TW", "desk.proposed") in lin.get(done.headers["location"]).text
    ((rule, verdict, expect, given, note),) = site.rows("SELECT rule, verdict, expect, given, note FROM proposals")
    assert (rule, verdict, expect) == ("p15", "not_eligible", "eligible")
    facts = json.loads(decode(given))
    assert list(facts) == ["age"]
    assert isinstance(facts["age"], int)
    assert "0912" not in note
    listed = CliRunner().invoke(
        main, ["eligibility", "proposals"], env={"LABOR_BOT_DATA_DIR": str(site.database.parent)}
    )
    assert f"- {{given: {decode(given)}, expect: eligible" in listed.output
    settled = CliRunner().invoke(
        main, ["eligibility", "proposals", "--settle", "1"], env={"LABOR_BOT_DATA_DIR": str(site.database.parent)}
    )
    assert settled.output == "1 settled\n"


@pytest.mark.parametrize(
    "form",
    [{}, {"rule": "p15", "expect": "not_eligible"}, {"rule": "p15", "expect": "maybe"}, {"rule": "p99", "expect": "x"}],
)
def test_a_proposal_that_says_nothing_is_refused(site: Site, form: dict[str, str]) -> None:
    citizen = site.browser()
    citizen.tap("check:p15")
    citizen.say("民國50年5月1日生")
    citizen.tap("handoff")
    lin = site.caseworker()
    assert lin.post("/desk/cases/1/propose", form).status_code == 400
    assert site.rows("SELECT count(*) FROM proposals") == [(0,)]


def test_who_only_looks_proposes_nothing(site: Site) -> None:
    citizen = site.browser()
    citizen.tap("check:p15")
    citizen.say("60歲")
    citizen.tap("handoff")
    looking = site.caseworker("looking", "auditor")
    assert 'propose"' not in looking.get("/desk/cases/1").text
    assert looking.post("/desk/cases/1/propose", {"rule": "p15", "expect": "eligible"}).status_code == 403
