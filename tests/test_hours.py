"""Service hours: what can be written, real days of 2018 and 2026, and laws that hold for any hours."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import config
from bot.clock import TAIPEI, parse
from bot.hours import DEFAULT, Hours, HoursError, Spans, public_days, spans_of, week_of, written

OFFICE = Hours(week_of(DEFAULT))
MORNING, AFTERNOON = (480, 720), (810, 1050)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("08:00-12:00 13:30-17:30", (MORNING, AFTERNOON)),
        ("13:30-17:30, 8:00-12:00", (MORNING, AFTERNOON)),
        ("８：００－１２：００、13:30 – 17:30", (MORNING, AFTERNOON)),
        ("00:00-24:00", ((0, 1440),)),
        ("08:00-12:00 12:00-13:00", ((480, 780),)),
    ],
)
def test_spans_as_people_write_them(text: str, spans: Spans) -> None:
    assert spans_of(text) == spans
    assert spans_of(written(spans)) == spans


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "none"),
        ("morning", "form"),
        ("8-12", "form"),
        ("08:60-12:00", "form"),
        ("08:00-24:30", "form"),
        ("08:00-25:00", "form"),
        ("22:00-06:00", "midnight"),
        ("12:00-12:00", "midnight"),
        ("08:00-12:00 11:00-13:00", "overlap"),
    ],
)
def test_spans_that_cannot_be(text: str, kind: str) -> None:
    with pytest.raises(HoursError) as caught:
        spans_of(text)
    assert caught.value.kind == kind
    assert caught.value.said in text


def test_a_week_with_a_saturday() -> None:
    week = week_of("mon,WED-fri 08:00-12:00; Sat 09:00-10:00 11:00-12:00")
    assert week == ((MORNING,), (), (MORNING,), (MORNING,), (MORNING,), ((540, 600), (660, 720)), ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no hours are given"),
        (" ; ", "no hours are given"),
        ("Mon-Fri", "no hours are given"),
        ("Funday 08:00-12:00", "is no day"),
        ("Fri-Mon 08:00-12:00", "is no day"),
        ("Mon-Fri 08:00-12:00; Wed 13:00-14:00", "Wed is given twice"),
        ("Mon 22:00-06:00", "does not end after it begins"),
    ],
)
def test_the_setting_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(config.ConfigError, match=f"LABOR_BOT_SERVICE_HOURS must look like .*{why}"):
        config.load({"LABOR_BOT_SERVICE_HOURS": text})


def test_the_settings_reach_the_house() -> None:
    loaded = config.load({"LABOR_BOT_SERVICE_HOURS": "Sun 09:00-10:00", "LABOR_BOT_FIRST_ANSWER_MINUTES": "5"})
    assert loaded.service_hours[6] == ((540, 600),)
    assert loaded.first_answer_seconds == 300
    assert config.load({}).service_hours == OFFICE.week
    with pytest.raises(config.ConfigError, match="LABOR_BOT_FIRST_ANSWER_MINUTES"):
        config.load({"LABOR_BOT_FIRST_ANSWER_MINUTES": "0"})


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2018-02-14", True),  # the day before New Year's Eve
        ("2018-02-15", False),
        ("2018-02-20", False),  # in place of a Sunday of the New Year
        ("2018-02-21", True),
        ("2018-03-31", True),  # a Saturday worked for April 6
        ("2018-04-06", False),
        ("2018-04-07", False),
        ("2018-05-01", True),  # labor day was no day off of government offices
        ("2018-12-22", True),  # a Saturday worked for December 31
        ("2018-12-31", False),
        ("2026-02-13", True),
        ("2026-02-16", False),
        ("2026-02-20", False),
        ("2026-02-23", True),
        ("2026-05-01", False),
        ("2026-09-28", False),
        ("2026-10-09", False),  # in place of a Saturday
        ("2026-11-23", True),
        ("2026-12-25", False),
    ],
)
def test_days_of_the_public_calendar(day: str, working: bool) -> None:
    assert OFFICE.spans(date.fromisoformat(day)) == (OFFICE.workday if working else ())


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-23T07:59:59", "2026-11-23T08:00"),
        ("2026-11-23T08:00", "2026-11-23T08:00"),
        ("2026-11-23T11:59:59", "2026-11-23T11:59:59"),
        ("2026-11-23T12:00", "2026-11-23T13:30"),
        ("2026-11-23T17:30", "2026-11-24T08:00"),
        ("2026-11-27T18:00", "2026-11-30T08:00"),
        ("2026-02-13T17:30", "2026-02-23T08:00"),  # nine days of New Year
        ("2026-12-31T20:00", "2027-01-04T08:00"),
        ("2018-03-30T18:00", "2018-03-31T08:00"),  # the Saturday is worked
        ("2018-04-03T17:30", "2018-04-09T08:00"),
        ("2026-11-23T00:30+00:00", "2026-11-23T08:30"),  # half past eight in Taipei
    ],
)
def test_the_next_opening(at: str, opens: str) -> None:
    asked = datetime.fromisoformat(at) if "+" in at else parse(at)
    assert OFFICE.next_opening(asked) == parse(opens)
    assert OFFICE.is_open(asked) == (asked == parse(opens))


@pytest.mark.parametrize(
    ("begin", "end", "minutes"),
    [
        ("2026-11-23T09:00", "2026-11-23T10:00", 60),
        ("2026-11-23T11:30", "2026-11-23T14:00", 60),  # the noon break does not count
        ("2026-11-20T17:00", "2026-11-23T08:30", 60),  # neither does a weekend
        ("2026-02-13T17:00", "2026-02-23T08:30", 60),  # nor the New Year
        ("2018-03-30T17:00", "2018-03-31T08:30", 60),
        ("2026-11-21T00:00", "2026-11-23T00:00", 0),
        ("2026-11-23T10:00", "2026-11-23T09:00", 0),
        ("2018-01-01T00:00", "2019-01-01T00:00", 60 * 8 * 250),  # 115 days off in 2018
    ],
)
def test_time_counted_in_service_hours(begin: str, end: str, minutes: int) -> None:
    assert OFFICE.service_seconds(parse(begin), parse(end)) == 60 * minutes


def test_a_day_that_was_set_comes_before_everything() -> None:
    typhoon, extra, holiday = date(2026, 11, 24), date(2026, 11, 28), date(2026, 12, 25)
    hours = Hours(OFFICE.week, {typhoon: (), extra: (MORNING,), holiday: OFFICE.workday})
    assert hours.next_opening(parse("2026-11-23T18:00")) == parse("2026-11-25T08:00")
    assert hours.is_open(parse("2026-11-28T09:00"))
    assert hours.is_open(parse("2026-12-25T14:00"))
    assert hours.closing(parse("2026-11-28T09:00")) == parse("2026-11-28T12:00")
    assert hours.closing(parse("2026-11-24T09:00")) is None
    assert hours.add_service(parse("2026-11-23T17:00"), 3600) == parse("2026-11-25T08:30")


def test_what_never_comes_is_none() -> None:
    never = Hours(OFFICE.week, {date(2026, 1, 1) + timedelta(days=number): () for number in range(900)})
    assert never.next_opening(parse("2026-11-23T09:00")) is None
    assert never.add_service(parse("2026-11-23T09:00"), 1) is None
    assert never.add_service(parse("2026-11-23T09:00"), 0) == parse("2026-11-23T09:00")


def test_every_year_of_the_library_has_days_off() -> None:
    assert all(len(public_days(year).off) >= 9 for year in range(2018, 2051))
    assert not public_days(1990).off


# -- laws

minutes = st.integers(0, 1440)
spans = st.lists(minutes, max_size=6, unique=True).map(
    lambda ends: tuple(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)
moments = st.integers(int(parse("2017-12-01").timestamp()), int(parse("2027-02-01").timestamp())).map(
    lambda seconds: datetime.fromtimestamp(seconds, TAIPEI)
)
dates = st.dates(date(2017, 12, 1), date(2027, 3, 1))
weeks = st.tuples(*[spans] * 7).filter(any)
any_hours = st.builds(Hours, weeks, st.dictionaries(dates, spans, max_size=8))
lengths = st.integers(0, 40 * 3600)
short = st.integers(0, 20 * 86400).map(lambda seconds: timedelta(seconds=seconds))


@given(any_hours, moments, short, short)
def test_parts_add_up_and_never_shrink(hours: Hours, begin: datetime, first: timedelta, second: timedelta) -> None:
    middle, end = begin + first, begin + first + second
    parts = hours.service_seconds(begin, middle), hours.service_seconds(middle, end)
    assert hours.service_seconds(begin, end) == sum(parts)
    assert all(part >= 0 for part in parts)
    assert parts[0] <= first.total_seconds()


@given(any_hours, moments, lengths)
def test_a_deadline_is_the_first_moment_by_which_the_time_passed(hours: Hours, at: datetime, seconds: int) -> None:
    due = hours.add_service(at, seconds)
    assert due is not None
    assert hours.service_seconds(at, due) == seconds
    if seconds:
        assert hours.service_seconds(at, due - timedelta(seconds=1)) == seconds - 1


@given(any_hours, moments, lengths, lengths)
def test_later_and_longer_never_comes_earlier(hours: Hours, at: datetime, seconds: int, more: int) -> None:
    due = hours.add_service(at, seconds)
    later = hours.add_service(at + timedelta(seconds=more), seconds)
    longer = hours.add_service(at, seconds + more)
    assert due is not None
    assert later is not None
    assert longer is not None
    assert at <= due <= min(later, longer)
    assert hours.add_service(due, more) == longer or not seconds * more


@given(any_hours, moments)
def test_open_means_that_time_runs(hours: Hours, at: datetime) -> None:
    opens = hours.next_opening(at)
    assert opens is not None
    assert hours.service_seconds(at, opens) == 0
    assert hours.is_open(opens)
    assert hours.is_open(at) == (opens == at)
    closes = hours.closing(opens)
    assert closes is not None
    assert hours.service_seconds(opens, closes) == (closes - opens).total_seconds() > 0


@given(spans)
def test_what_is_written_is_read_again(found: Spans) -> None:
    if found:
        assert [end - begin for begin, end in spans_of(written(found))] == [end - begin for begin, end in found]
