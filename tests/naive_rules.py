"""Every benefit and duty of the plan in plain Python, by hand from its text: a second opinion that shares no code.

Facts are JSON, as `labor-bot eligibility check` takes them. A rule reads each fact into a yes, a no, a word or None
(not known, or not of one mind), then judges what it has read: True, False, or None where nobody can tell.
At the end: when one can apply, and the values on both sides of each edge.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

Reading = bool | str | None
Reader = Callable[[Any, date], frozenset[Reading]]
DAY = date(2012, 7, 31)


@dataclass(frozen=True)
class Naive:
    """How each fact is read, and how the readings are judged; `yes` and `no` are the rule's words for it."""

    reads: Mapping[str, Reader]
    judge: Callable[..., bool | None]
    yes: str = "eligible"
    no: str = "not_eligible"

    def readings(self, facts: Mapping[str, Any], on: date) -> dict[str, Reading]:
        """What is read of the facts on a day."""
        return {fact: agreed(read(facts.get(fact), on)) for fact, read in self.reads.items()}

    def verdict(self, facts: Mapping[str, Any], on: date) -> str:
        """The verdict on JSON facts on a day."""
        return self.word(self.judge(**self.readings(facts, on)))

    def word(self, truth: bool | None) -> str:
        """The verdict of a judgement."""
        return "cannot_tell" if truth is None else self.yes if truth else self.no


def agreed(found: frozenset[Reading]) -> Reading:
    """The reading, if there is exactly one."""
    return next(iter(found)) if len(found) == 1 else None


# -- reading one fact: every reading that its value allows


def told(value: Any, on: date) -> frozenset[Reading]:
    """A yes or a no."""
    return frozenset([value]) if isinstance(value, bool) else frozenset()


def work(value: Any, on: date) -> frozenset[Reading]:
    """Work since graduating: none, regular, or a kind for which 初次尋職 and 未就業 have no meaning."""
    kinds = {"none": "none", "regular": "regular", "part_time_or_casual": "undefined", "military": "undefined"}
    return frozenset([kinds[value]]) if isinstance(value, str) and value in kinds else frozenset()


def number(holds: Callable[[float], bool]) -> Reader:
    """A number, a range, an age by days of birth, or months since a day."""
    return lambda value, on: frozenset(holds(one) for one in numbers(value, on))


def day(holds: Callable[[date], bool | None]) -> Reader:
    """A day, or one within an interval."""
    return lambda value, on: frozenset(holds(one) for one in days(value))


def numbers(value: Any, on: date) -> list[float]:
    """Every number that a value can be; of a wide range a thousand of them, and both ends."""
    if isinstance(value, dict) and "born" in value:
        return [age_of(born, on) for born in days(value["born"])]
    if isinstance(value, dict) and "since" in value:
        return [months_of(since, on) for since in days(value["since"])]
    if isinstance(value, list):
        low, high = value
        step = max(1, int(high - low) // 1000)
        return [low + step * count for count in range(int(high - low) // step + 1)] + [high]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def days(value: Any) -> list[date]:
    """Every day that a value can be."""
    if isinstance(value, list):
        first, last = (date.fromisoformat(end) for end in value)
        return [first + timedelta(days=count) for count in range((last - first).days + 1)]
    is_day = isinstance(value, str) and value[:1].isdigit()
    return [date.fromisoformat(value)] if is_day else []


def age_of(born: date, on: date) -> int:
    """Birthdays had; who was born on a leap day has them on the first of March in other years."""
    leap_day = (born.month, born.day) == (2, 29)
    years = range(born.year + 1, on.year + 1)
    birthdays = (date(year, 3, 1) if leap_day and not isleap(year) else born.replace(year=year) for year in years)
    return sum(birthday <= on for birthday in birthdays)


def months_of(since: date, on: date) -> int:
    """Whole months that have passed; a month too short for the day is full on its last day."""
    passed, year, month = 0, since.year, since.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        if date(year, month, min(since.day, monthrange(year, month)[1])) > on:
            return passed
        passed += 1


# -- judging


def every(*truths: bool | None) -> bool | None:
    """All are needed."""
    return False if False in truths else None if None in truths else True


def some(*truths: bool | None) -> bool | None:
    """One is enough."""
    return True if True in truths else None if None in truths else False


def no(truth: bool | None) -> bool | None:
    """The other way."""
    return None if truth is None else not truth


def p02(
    coal_mine_work: bool | None,
    age: bool | None,
    registered_in_city: bool | None,
    registered_since: bool | None,
    moved_out_since: bool | None,
    mine_insurance_record: bool | None,
) -> bool | None:
    """於101年7月31日前設籍本市，且至申請時未曾遷出、年滿65歲以及曾從事煤礦工作且有投保紀錄者."""
    never_left = no(moved_out_since)
    return every(registered_in_city, registered_since, never_left, age, every(coal_mine_work, mine_insurance_record))


def before_the_day(since: date) -> bool | None:
    """101年7月31日前: the day itself is left open."""
    return None if since == DAY else since < DAY


def p15(
    age: bool | None,
    registered_in_city: bool | None,
    work_since_graduation: str | None,
    months_without_work_since_graduation: bool | None,
    first_job_search: bool | None,
    accepts_counselling: bool | None,
    accepts_referral: bool | None,
    times_received: bool | None,
) -> bool | None:
    """設籍本市且年滿18歲至29歲之初次尋職青年，自畢業後連續6個月以上仍未就業…願意接受輔導及推介者，最多可請領4次."""
    if work_since_graduation == "regular":
        never_worked: bool | None = False
    elif work_since_graduation == "none":
        never_worked = every(months_without_work_since_graduation, first_job_search)
    else:  # after casual work or the army the plan's words have no meaning
        never_worked = None
    return every(age, registered_in_city, never_worked, accepts_counselling, accepts_referral, times_received)


def p20(
    employees: bool | None,
    is_manufacturer: bool | None,
    factory_registration: bool | None,
    business_registration: bool | None,
) -> bool | None:
    """僱用勞工50人以下（屬製造業者應依法取得工廠登記證；製造業以外其他行業應具備公司或商業營業登記證）."""
    if is_manufacturer is None:  # enough if both are there; one that is missing may be the one needed
        return every(employees, True if factory_registration and business_registration else None)
    return every(employees, factory_registration if is_manufacturer else business_registration)


def p21_visit(
    new_factory: bool | None, temporary_work: bool | None, had_accident: bool | None, asks_for_visit: bool | None
) -> bool | None:
    """以新設立工廠、臨時性作業、曾發生職災事故之廠場或向本府申請輔導之中、小型事業單位為輔導對象."""
    asks_and_is_small = None if asks_for_visit is not False else False
    return some(new_factory, temporary_work, had_accident, asks_and_is_small)


def p21_family(employees: bool | None, had_accident: bool | None) -> bool | None:
    """勞工人數在100人以下或曾發生職災、具潛在高風險或亟需改善作業環境: nobody can be told no."""
    return True if employees or had_accident else None


def in_the_city(registered_in_city: bool | None, lives_in_city: bool | None) -> bool | None:
    """p16, p17: 設籍或實際居住; the other words of both have no meaning, so that nobody can be told yes."""
    return False if registered_in_city is False and lives_in_city is False else None


def same(**truths: bool | None) -> bool | None:
    """One condition."""
    (truth,) = truths.values()
    return truth


def both(**truths: bool | None) -> bool | None:
    """Every condition."""
    return every(*truths.values())


def any_of(**truths: bool | None) -> bool | None:
    """One condition is enough."""
    return some(*truths.values())


def never_yes(unemployed: bool | None) -> bool | None:
    """中高齡之失業者: no age is printed, so only the employed can be told something."""
    return False if unemployed is False else None


def bare_name() -> bool | None:
    """A scheme of which the plan prints the name alone."""
    return None


CITY = {"registered_in_city": told, "lives_in_city": told}
NAIVE: Mapping[str, Naive] = {
    "p02": Naive(
        {
            "coal_mine_work": told,
            "age": number(lambda years: years >= 65),
            "registered_in_city": told,
            "registered_since": day(before_the_day),
            "moved_out_since": told,
            "mine_insurance_record": told,
        },
        p02,
    ),
    "p04.subsidy": Naive({"childcare_running": told}, same),
    "p04.duty": Naive({"employees": number(lambda count: count >= 100)}, same, "applies", "does_not_apply"),
    **{f"p06.{scheme}": Naive({}, bare_name) for scheme in range(1, 8)},
    "p10": Naive({"massage_business": told}, same),
    "p15": Naive(
        {
            "age": number(lambda years: 18 <= years <= 29),
            "registered_in_city": told,
            "work_since_graduation": work,
            "months_without_work_since_graduation": number(lambda months: months >= 6),
            "first_job_search": told,
            "accepts_counselling": told,
            "accepts_referral": told,
            "times_received": number(lambda times: times <= 3),
        },
        p15,
    ),
    "p16": Naive(CITY, in_the_city),
    "p17": Naive(CITY, in_the_city),
    "p20": Naive(
        {
            "employees": number(lambda count: count <= 50),
            "is_manufacturer": told,
            "factory_registration": told,
            "business_registration": told,
        },
        p20,
    ),
    "p21.visit": Naive(
        {"new_factory": told, "temporary_work": told, "had_accident": told, "asks_for_visit": told}, p21_visit
    ),
    "p21.family": Naive({"employees": number(lambda count: count <= 100), "had_accident": told}, p21_family),
    "p22": Naive({"construction_day_worker": told, "safety_supervisor": told, "employed": told}, any_of),
    "p25.unemployed": Naive({"unemployed": told}, same),
    "p25.new_resident": Naive({"unemployed": told, "new_resident": told}, both),
    "p25.indigenous": Naive({"unemployed": told, "indigenous": told}, both),
    "p25.middle_aged": Naive({"unemployed": told}, never_yes),
    "p25.employed": Naive({"employed": told}, same),
    "ov6.certification": Naive(
        {"contracted_with_city": told, "public_works_value": number(lambda ntd: ntd >= 50_000_000)},
        both,
        "applies",
        "does_not_apply",
    ),
    "ov6.reduction": Naive({"excellent_works_award": told}, same),
}

# -- when one can apply: month of the first day and of the last, by the plan's 計畫期程 and, for item 2, 每年7月份受理

WHOLE_YEAR = (1, 12)
MONTHS: Mapping[str, tuple[int, int]] = {
    "p02": (7, 7),
    "p20": (1, 11),
    "p21": (2, 12),
    "p22": (2, 11),
    "p23": (3, 11),
    "p24": (3, 11),
}


def window_of(topic: str, on: date) -> str:
    """open, not_yet or closed within 2018; nothing is known of other years."""
    first, last = MONTHS.get(topic, WHOLE_YEAR)
    if on.year != 2018:
        return "not_confirmed"
    return "not_yet" if on.month < first else "closed" if on.month > last else "open"


# -- the values: one below, on and one above each edge, intervals across it, every word, and not known

UNKNOWNS: list[Any] = [None, "unknown", "declined"]
OPEN_ENDED = {"unknown": "undefined_in_source"}
BOOL = [True, False, *UNKNOWNS]
VALUES: Mapping[str, list[Any]] = {
    "p02.age": [64, 65, 66, [64, 66], *UNKNOWNS],
    "p02.registered_since": ["2012-07-30", "2012-07-31", "2012-08-01", ["2012-07-30", "2012-08-01"], *UNKNOWNS],
    "p02.moved_out_since": [*BOOL, OPEN_ENDED],
    "p04.duty.employees": [99, 100, 101, [99, 101], *UNKNOWNS],
    "p15.age": [17, 18, 19, 28, 29, 30, [17, 18], [29, 30], [17, 30], *UNKNOWNS],
    "p15.work_since_graduation": ["none", "part_time_or_casual", "military", "regular", *UNKNOWNS],
    "p15.months_without_work_since_graduation": [5, 5.9, 6, 7, [5, 7], *UNKNOWNS],
    "p15.times_received": [3, 4, 5, [3, 4], *UNKNOWNS],
    "p20.employees": [49, 50, 51, [49, 51], *UNKNOWNS],
    "p21.family.employees": [99, 100, 101, [99, 101], *UNKNOWNS],
    "ov6.certification.public_works_value": [49999999, 50000000, 50000001, [49999999, 50000001], *UNKNOWNS],
}


def column(rule: str, fact: str) -> list[Any]:
    """The values of a fact in a rule's product."""
    return VALUES.get(f"{rule}.{fact}", BOOL)


def plain(values: list[Any]) -> list[Any]:
    """The values that are neither an interval nor unknown."""
    return [value for value in values if not isinstance(value, list | dict) and value not in UNKNOWNS]


def within(interval: Any, values: list[Any], on: date) -> list[Any]:
    """The plain values that lie in an interval."""
    if isinstance(interval[0], str):
        return [value for value in plain(values) if date.fromisoformat(value) in days(interval)]
    low, high = min(numbers(interval, on)), max(numbers(interval, on))
    return [value for value in plain(values) if low <= value <= high]
