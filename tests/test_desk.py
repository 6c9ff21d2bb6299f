"""The desk beyond one caseworker's day: who may take a case, and what a closed case still shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from site_app import Site, running

from bot.pipeline.resources import Resources


@pytest.fixture
def site(resources: Resources, tmp_path: Path) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


@pytest.mark.parametrize("role", ["auditor", "editor", "privacy_officer"])
def test_who_only_looks_cannot_take_a_case(site: Site, role: str) -> None:
    site.browser().tap("handoff")
    looking = site.caseworker("looking", role)
    page = looking.get("/desk/cases/1").text
    assert site.words("zh-TW", "desk.error_role") in page
    assert 'action="/desk/cases/1/claim"' not in page
    refused = looking.post("/desk/cases/1/claim")
    assert refused.status_code == 403
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
