"""Service hours at work: the page that sets single days, what citizens are told, and the clocks of cases."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import MovingClock
from markupsafe import escape
from site_app import Browser, Site, running

from bot.clock import parse
from bot.desk.rights import Role
from bot.desk.sweep import sweep_once, warn_late
from bot.hours import week_of, written
from bot.messages import Address, Incoming, Reply
from bot.pipeline.hub import DESK
from bot.pipeline.resources import Resources
from bot.pipeline.timetable import USUAL, Service, Timetable
from bot.store import Store
from bot.store.codec import decode
from bot.store.records import Bundle, CaseOpening, CaseRow, Turn

PAGE = "/desk/hours"
TYPHOON = {"day": "2026-11-24", "state": "closed", "spans": "", "reason": "颱風停班"}
EXTRA = {"day": "2026-11-28", "state": "open", "spans": "9:00－12:00", "reason": "加開"}


@pytest.fixture
def site(resources: Resources, tmp_path: Path, moving_clock: MovingClock) -> Iterator[Site]:
    with running(resources, tmp_path) as site:
        yield site


@pytest.fixture
def senior(site: Site) -> Browser:
    return site.caseworker("chen", "senior")


@pytest.fixture(scope="module")
def steady(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Browser]]:
    """A site that nothing changes, and a senior at its desk."""
    with running(resources, tmp_path_factory.mktemp("steady")) as site:
        yield site, site.caseworker("chen", "senior")


def kept(site: Site) -> list[Any]:
    """What is set: day, spans, reason."""
    return [
        (day, spans, decode(reason))
        for day, spans, reason in site.rows("SELECT day, spans, reason FROM hours_overrides ORDER BY day")
    ]


# -- the page


@pytest.mark.parametrize("role", list(Role))
def test_who_may_see_and_set_the_hours(site: Site, role: str) -> None:
    may = role in ("senior", "admin")
    asking = site.caseworker("who", role)
    assert asking.get(PAGE).status_code == (200 if may else 403)
    assert asking.post(PAGE, EXTRA).status_code == (303 if may else 403)
    assert bool(kept(site)) is may
    assert asking.post(f"{PAGE}/remove", {"day": EXTRA["day"]}).status_code == (303 if may else 403)


def test_without_a_log_in_nothing_is_shown(site: Site) -> None:
    stranger = site.browser()
    assert stranger.get(PAGE).headers["location"] == "/desk/login"
    assert stranger.post(PAGE, EXTRA).headers["location"] == "/desk/login"
    assert kept(site) == []


def test_the_page_shows_the_week_and_the_days_ahead(steady: tuple[Site, Browser]) -> None:
    site, senior = steady
    page = senior.get(PAGE).text
    assert page.count("08:00–12:00, 13:30–17:30") == 5
    assert site.words("zh-TW", "desk_hours.open_until", time="中午12:00") in page
    assert "12月25日（星期五）" in page
    assert "行憲紀念日" in page
    assert "2027年1月1日（星期五）" in page
    english = senior.get(PAGE, headers={"accept-language": "en"}).text
    assert "Open now, until 12:00 PM." in english
    assert "Friday, December 25" in english
    assert "Friday, January 1, 2027" in english
    assert "Constitution Day" in english


def test_outside_the_hours_the_page_says_when_they_begin(
    site: Site, senior: Browser, moving_clock: MovingClock
) -> None:
    moving_clock.moment = parse("2026-11-28T10:00")
    assert "現在沒有開放，11月30日（星期一） 上午8:00 開始" in senior.get(PAGE).text


def test_a_day_is_set_changed_and_removed(site: Site, senior: Browser) -> None:
    done = senior.post(PAGE, EXTRA)
    assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?saved=2026-11-28")
    page = senior.get(done.headers["location"]).text
    assert "已設定 11月28日（星期六）" in page
    assert "09:00–12:00" in page
    assert site.words("zh-TW", "desk_hours.set_by", name="chen") in page
    senior.post(PAGE, EXTRA | {"state": "closed", "reason": "不加開了"})
    assert kept(site) == [("2026-11-28", "", "不加開了")]
    gone = senior.post(f"{PAGE}/remove", {"day": "2026-11-28"})
    assert "已取消 11月28日（星期六）的設定" in senior.get(gone.headers["location"]).text.replace("） 的", "）的")
    assert kept(site) == []
    actions = site.rows("SELECT action, object FROM audit WHERE action LIKE 'hours.%' ORDER BY id")
    assert actions == [(f"hours.{verb}", "day/2026-11-28") for verb in ("set", "set", "remove")]


@pytest.mark.parametrize(
    ("changed", "fault", "said"),
    [
        ({"day": "2026-11-22"}, "day", ""),  # yesterday
        ({"day": "2029-01-01"}, "day", ""),
        ({"day": "next Monday"}, "day", ""),
        ({"day": "20261128"}, "day", ""),
        ({"day": ""}, "day", ""),
        ({"state": "ajar"}, "state", ""),
        ({"state": ""}, "state", ""),
        ({"reason": " "}, "reason", ""),
        ({"reason": "長" * 101}, "reason", ""),
        ({"spans": ""}, "spans_none", ""),
        ({"spans": "<b>早上</b>"}, "spans_form", "<b>早上</b>"),
        ({"spans": "22:00-06:00"}, "spans_midnight", "22:00-06:00"),
        ({"spans": "08:00-12:00 11:00-13:00"}, "spans_overlap", "11:00-13:00"),
    ],
)
@pytest.mark.parametrize("lang", ["zh-TW", "en"])
def test_a_wrong_form_says_why_and_keeps_what_was_typed(
    steady: tuple[Site, Browser], changed: dict[str, str], fault: str, said: str, lang: str
) -> None:
    site, senior = steady
    form = EXTRA | {"reason": "<i>加開</i>"} | changed
    refused = senior.post(PAGE, form, headers={"accept-language": lang})
    assert refused.status_code == 400
    assert site.words(lang, "desk_hours.error_summary") in refused.text
    why = site.words(lang, f"desk_hours.error_{fault}", example=written(USUAL.week[0]), limit=100, said=said)
    field = fault.partition("_")[0]
    assert f'<p class="fault" id="fault-{field}">{escape(why)}</p>' in refused.text
    assert re.search(rf'aria-invalid="true" aria-describedby="[a-z -]*fault-{field}"', refused.text)
    assert "<i>" not in refused.text
    assert "<b>" not in refused.text
    for name in ("day", "spans", "reason"):
        assert f'value="{escape(" ".join(form[name].split()))}"' in refused.text
    assert kept(site) == []


@pytest.mark.parametrize("day", ["2026-11-28", "2026-11-22", "", "x"])
def test_removing_what_is_not_there(steady: tuple[Site, Browser], day: str) -> None:
    site, senior = steady
    refused = senior.post(f"{PAGE}/remove", {"day": day})
    assert refused.status_code == 404
    assert site.words("zh-TW", "desk_hours.error_gone") in refused.text


def test_a_form_of_another_site_changes_nothing(steady: tuple[Site, Browser]) -> None:
    site, senior = steady
    for path in (PAGE, f"{PAGE}/remove"):
        assert senior.post(path, EXTRA, headers={"origin": "https://elsewhere.example"}).status_code == 403
    assert kept(site) == []


def test_past_days_stay_as_they_were(site: Site, senior: Browser, moving_clock: MovingClock) -> None:
    senior.post(PAGE, TYPHOON | {"reason": "全區停班"})
    assert "全區停班" in senior.get(PAGE).text
    moving_clock.moment = parse("2026-11-25T09:00")
    assert "全區停班" not in senior.get(PAGE).text
    assert senior.post(f"{PAGE}/remove", {"day": TYPHOON["day"]}).status_code == 404
    assert len(kept(site)) == 1


# -- what citizens are told


def test_a_typhoon_day_is_in_the_promise_at_once(site: Site, senior: Browser, moving_clock: MovingClock) -> None:
    moving_clock.moment = parse("2026-11-23T18:00")
    early = site.browser()
    early.tap("handoff")
    assert "11月24日（星期二）上午8:00恢復服務" in early.page()
    senior.post(PAGE, TYPHOON)
    late = site.browser()
    late.tap("handoff")
    assert "11月25日（星期三）上午8:00恢復服務" in late.page()


def test_who_logged_out_in_the_evening_was_there(site: Site, senior: Browser, moving_clock: MovingClock) -> None:
    """The last one out does not make the desk look deserted."""
    moving_clock.moment = parse("2026-11-23T18:00")
    senior.post("/desk/logout")
    citizen = site.browser()
    citizen.tap("handoff")
    assert "上午8:00恢復服務" in citizen.page()
    assert "老實說" not in citizen.page()


def test_the_hours_of_the_installation_count(resources: Resources, tmp_path: Path, moving_clock: MovingClock) -> None:
    moving_clock.moment = parse("2026-11-28T10:00")
    with running(resources, tmp_path, LABOR_BOT_SERVICE_HOURS="Mon-Fri 08:00-12:00; Sat 09:30-12:00") as site:
        site.caseworker()
        citizen = site.browser()
        citizen.tap("handoff")
        assert "現在是承辦人員的服務時間" in citizen.page()


# -- the clocks of cases


def case(opened: str, first: str | None = None, closed: str | None = None) -> CaseRow:
    """A case with these times."""
    at = {name: parse(iso).timestamp() if iso else None for name, iso in (("first", first), ("closed", closed))}
    return CaseRow(
        id=1,
        number="20261123-ABCDE",
        conversation=1,
        state="closed" if closed else "waiting",
        reason="asked",
        topic="",
        lang="vi",
        channel="web",
        urgent=False,
        holder=None,
        holder_name="",
        opened_at=parse(opened).timestamp(),
        answered_at=None,
        closed_at=at["closed"],
        closed_seq=None,
        first_answer_at=at["first"],
    )


@pytest.fixture
def timetable(tmp_path: Path) -> Iterator[Timetable]:
    store = Store(tmp_path / "t.db")
    yield Timetable(USUAL, store)
    store.close()


@pytest.mark.parametrize(
    ("row", "first", "whole"),
    [
        (case("2026-11-23T11:30", "2026-11-23T14:00", "2026-11-23T14:30"), 60, 90),
        (case("2026-11-27T22:00", "2026-11-30T08:20", "2026-12-01T08:00"), 20, 480),
        (case("2018-03-30T17:00", "2018-03-31T08:15", None), 45, None),
        (case("2026-11-23T09:00"), None, None),
    ],
)
def test_how_long_a_case_took(timetable: Timetable, row: CaseRow, first: int | None, whole: int | None) -> None:
    assert timetable.first_answer(row) == (None if first is None else 60 * first)
    assert timetable.resolution(row) == (None if whole is None else 60 * whole)


@pytest.mark.parametrize(
    ("row", "now", "late"),
    [
        (case("2026-11-23T11:30"), "2026-11-23T13:59", False),
        (case("2026-11-23T11:30"), "2026-11-23T14:00", True),
        (case("2026-11-27T17:00"), "2026-11-29T23:00", False),
        (case("2026-11-27T17:00"), "2026-11-30T08:30", True),
        (case("2026-11-23T09:00", "2026-11-23T12:00"), "2026-11-24T12:00", False),
        (case("2026-11-23T09:00", None, "2026-11-23T12:00"), "2026-11-24T12:00", False),
    ],
)
def test_a_case_is_late_in_service_time(timetable: Timetable, row: CaseRow, now: str, late: bool) -> None:
    assert timetable.late(row, parse(now).timestamp()) is late


def test_a_set_day_moves_the_deadline_at_once(timetable: Timetable) -> None:
    store, waiting = timetable.store, case("2026-11-23T17:00")
    staff, now = store.add_staff("lin", "senior", ""), parse("2026-11-24T08:30").timestamp()
    assert timetable.late(waiting, now)
    asyncio.run(store.hours.put(staff, "2026-11-24", "", "颱風停班"))
    assert not timetable.late(waiting, now)
    asyncio.run(store.hours.put(staff, "2026-11-24", "00:00-24:00", "全天"))
    assert timetable.late(waiting, now)
    assert asyncio.run(store.hours.remove("2026-11-24"))
    assert not asyncio.run(store.hours.remove("2026-11-24"))
    assert timetable.hours.days == {}


def test_a_service_day_without_anybody(timetable: Timetable) -> None:
    friday, monday = parse("2026-11-27T17:00").timestamp(), parse("2026-11-30T16:59").timestamp()
    assert timetable.within_a_day(friday, monday)
    assert not timetable.within_a_day(friday, monday + 60)
    assert not timetable.within_a_day(0.0, monday)


def stamp(site_store: Store, column: str, iso: str) -> None:
    """Move a time of all cases."""
    moment = parse(iso).timestamp()
    site_store.database.write_now(lambda c: c.execute(f"UPDATE cases SET {column} = :at", {"at": moment}))


def status(store: Store, name: str) -> None:
    """How the citizens' lines stand."""
    store.database.write_now(
        lambda c: c.execute("UPDATE messages SET status = :name WHERE author = 'citizen'", {"name": name})
    )


async def _case_of(house: Any, number: str) -> int:
    """A waiting case of a new conversation; its id."""
    address = Address("console", "here", number)
    await house.store.accept([Incoming(address, number, 1, text="hello")])
    (lease,) = await house.store.lease("w", 10)
    turn = Turn(lease.events[0], Reply("hello", "en"), case=CaseOpening(number, "asked"), bundles=(Bundle(()),))
    await house.store.commit(lease, [turn], "en", "")
    (row,) = [row for row in house.store.cases("waiting", 0) if row.number == number]
    return int(row.id)


def test_a_held_case_waits_for_service_time(open_house: Any, resources: Resources, moving_clock: MovingClock) -> None:
    async def story() -> None:
        async with open_house() as (house, _):
            one, lin = await _case_of(house, "A"), house.store.add_staff("lin", "agent", "")
            await house.store.claim(one, lin, Reply("here", "en"))
            await house.store.accept([Incoming(Address("console", "here", "A"), "2", 2, text="still there?")])
            (lease,) = await house.store.lease("w", 10)
            await house.store.commit(lease, [Turn(lease.events[0], Reply("still there?", "en"))], "en", "")
            stamp(house.store, "answered_at", "2018-01-05T17:00")  # a Friday
            wrote = parse("2018-01-05T17:10").timestamp()
            house.store.database.write_now(lambda c: c.execute("UPDATE messages SET at = :at", {"at": wrote}))
            moving_clock.moment = parse("2018-01-08T08:09")
            assert await sweep_once(house, resources, 1800) == 0
            moving_clock.moment = parse("2018-01-08T08:10")
            status(house.store, "unsent")  # who takes a message back waits for no answer to it
            assert await sweep_once(house, resources, 1800) == 0
            status(house.store, "sent")
            assert await sweep_once(house, resources, 1800) == 1

    asyncio.run(story())


def test_the_desk_is_woken_once_for_late_cases(
    open_house: Any, resources: Resources, moving_clock: MovingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with open_house() as (house, _):
            woken: list[Any] = []
            monkeypatch.setattr(house.hub, "publish", woken.append)
            await _case_of(house, "A")
            stamp(house.store, "opened_at", "2018-01-05T17:00")
            moving_clock.moment = parse("2018-01-08T08:29")
            assert warn_late(house, resources, 0.0) == 0.0
            moving_clock.moment = parse("2018-01-08T08:30")
            youngest = warn_late(house, resources, 0.0)
            assert youngest == parse("2018-01-05T17:00").timestamp()
            assert warn_late(house, resources, youngest) == youngest
            assert woken == [DESK]

    asyncio.run(story())


def test_hours_of_another_installation(tmp_path: Path) -> None:
    store = Store(tmp_path / "t.db")
    nights = Timetable(Service(week_of("Mon-Sun 00:00-24:00"), 600.0), store)
    assert nights.overdue(parse("2026-11-28T23:55").timestamp(), parse("2026-11-29T00:05").timestamp())
    assert not nights.overdue(parse("2026-11-28T23:55").timestamp(), parse("2026-11-29T00:04").timestamp())
    store.close()
