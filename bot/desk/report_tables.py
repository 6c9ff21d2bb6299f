"""From counted rows to tables and pictures: one function a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from bot.desk.charts import Caption, bars, columns, lines
from bot.desk.counting import FEW, PERCENTILE, first_day, first_days, middle_of, share, slow_of, told, untold
from bot.desk.csv_safe import Cell
from bot.desk.period import Asked, Period
from bot.store.reports import CaseTimes, Missed, Rated, Talk

MINUTE, HOUR = 60.0, 3600.0
DAYS_AS_DAYS = 92  # longer periods are counted by weeks
TIMES_AS_DAYS = 14
MOST_BARS = 12
Elapsed = Callable[[float, float], float]
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What was counted for a period. `elapsed` measures how long something took, in seconds."""

    period: Period
    asked: Asked
    cases: Sequence[CaseTimes]
    talks: Sequence[Talk]
    missed: Sequence[Missed]
    rated: Sequence[Rated]
    elapsed: Elapsed

    @property
    def protect(self) -> bool:
        """Are the counts so divided that small ones could lead to a person?"""
        return self.asked.filtered

    def took(self, case: CaseTimes, end: float | None) -> float | None:
        """Seconds from the opening of a case to something that happened."""
        return None if end is None else self.elapsed(case.opened_at, end)


@dataclass(frozen=True, slots=True)
class Report:
    """One report: a table, and a picture of it where there is something to show."""

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    chart: Markup | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes reports in one language. `named` gives the text of a key, or the second key's where there is none."""

    words: Callable[..., str]
    named: Callable[[str, str], str]

    def say(self, key: str, **params: object) -> str:
        """A text of the reports."""
        return self.words(f"desk_reports.{key}", **params)

    def caption(self, name: str, title: str, **params: object) -> Caption:
        """What a picture says to those who do not see it."""
        return Caption(f"chart-{name}", title, self.say(f"desc_{name}", **params))

    def lang(self, lang: str) -> str:
        """A language in its own name."""
        return self.named(f"conversation.language.{lang}", "desk_reports.lang_unknown")

    def topic(self, label: str) -> str:
        """A topic, an intent or nothing."""
        if not label:
            return self.words("desk.no_topic")
        key = f"{label}.label" if label[-1].isdigit() else f"conversation.reading.{label}"
        return self.named(key, "desk_reports.other")


def cases_report(found: Found, pen: Pen) -> Report:
    """Cases opened per day, or per week in long periods."""
    weeks = found.period.days > DAYS_AS_DAYS
    days = first_days(found.period, weeks)
    counts = Counter(first_day(found.period, case.opened_at, weeks) for case in found.cases)
    cells = told([counts[day] for day in days], found.protect)
    title = pen.say("cases_weeks" if weeks else "cases_days")
    caption = pen.caption("cases", title, number=len(days))
    chart = columns(caption, list(zip(_short(days), cells, strict=True))) if found.cases else None
    return Report("cases", title, (_by(pen, weeks), pen.say("cases")), _rows(days, cells), chart)


def first_answer_report(found: Found, pen: Pen) -> Report:
    """How long people waited for a caseworker's first answer, in minutes."""
    return _times_report("first_answer", found, pen, MINUTE, lambda case: case.first_answer_at)


def resolution_report(found: Found, pen: Pen) -> Report:
    """How long cases took until they were closed, in hours."""
    return _times_report("resolution", found, pen, HOUR, lambda case: case.closed_at)


def _times_report(name: str, found: Found, pen: Pen, unit: float, until: Callable[[CaseTimes], float | None]) -> Report:
    """Median and slow end per day, or per week in longer periods, and of the whole."""
    weeks = found.period.days > TIMES_AS_DAYS
    days = first_days(found.period, weeks)
    opened: Counter[date] = Counter()
    times: dict[date, list[float]] = {day: [] for day in days}
    for case in found.cases:
        day, took = first_day(found.period, case.opened_at, weeks), found.took(case, until(case))
        opened[day] += 1
        if took is not None:
            times[day].append(took / unit)
    every = [time for day in days for time in times[day]]
    middle, slow = [middle_of(times[day]) for day in days], [slow_of(times[day]) for day in days]
    counts = [told(numbers, found.protect) for numbers in ([opened[x] for x in days], [len(times[x]) for x in days])]
    sums = (told([number], found.protect)[0] for number in (len(found.cases), len(every)))
    rows = (*_rows(days, *counts, middle, slow), (pen.say("whole"), *sums, middle_of(every), slow_of(every)))
    names = (pen.say(f"{name}_middle"), pen.say(f"{name}_slow", percent=PERCENTILE))
    header = (_by(pen, weeks), pen.say("cases"), pen.say(f"{name}_count"), *names)
    title, figures = pen.say(name), {"middle": said(middle_of(every)), "slow": said(slow_of(every))}
    caption = pen.caption(name, title, percent=PERCENTILE, **figures)
    legend = (pen.say("middle"), pen.say("slow", percent=PERCENTILE))
    drawn = any(number is not None for number in middle)
    chart = lines(caption, _short(days), list(zip(legend, (middle, slow), strict=True))) if drawn else None
    return Report(name, title, header, rows, chart, pen.say("times_note", few=FEW))


def reasons_report(found: Found, pen: Pen) -> Report:
    """Why conversations were handed over."""
    counts = Counter(case.reason for case in found.cases)
    return _by_count(
        "reasons", found, pen, counts, lambda reason: pen.named(f"desk.reason_{reason}", "desk_reports.other")
    )


def topics_report(found: Found, pen: Pen) -> Report:
    """What cases were about."""
    return _by_count("topics", found, pen, Counter(case.topic for case in found.cases), pen.topic)


def _by_count(name: str, found: Found, pen: Pen, codes: Counter[str], named: Callable[[str], str]) -> Report:
    """One count for each label, the largest first; the picture has the first ones only."""
    counts: Counter[str] = Counter()
    for code, count in codes.items():
        counts[named(code)] += count
    order = sorted(counts, key=lambda label: (-counts[label], label))
    cells = told([counts[label] for label in order], found.protect)
    title = pen.say(name)
    caption = pen.caption(name, title, first=order[0] if order else "–", number=len(order))
    drawn = [(label, (cell,)) for label, cell in zip(order, cells, strict=True)][:MOST_BARS]
    chart = bars(caption, drawn) if drawn else None
    return Report(
        name, title, (pen.say(f"{name}_one"), pen.say("cases")), _rows(order, cells), chart if order else None
    )


def languages_report(found: Found, pen: Pen) -> Report:
    """In which languages people write: all conversations, and those that became cases."""
    talks, cases = Counter(talk.lang for talk in found.talks), Counter(case.lang for case in found.cases)
    order = sorted({*talks, *cases}, key=lambda lang: (-talks[lang], lang))
    names = [pen.lang(lang) for lang in order]
    cells = [told([counts[lang] for lang in order], found.protect) for counts in (talks, cases)]
    title, header = pen.say("languages"), (pen.say("conversations"), pen.say("cases"))
    caption = pen.caption("languages", title, first=names[0] if names else "–", number=len(names))
    chart = bars(caption, list(zip(names, zip(*cells, strict=True), strict=True)), header) if names else None
    return Report("languages", title, (pen.say("languages_one"), *header), _rows(names, *cells), chart)


def unanswered_report(found: Found, pen: Pen) -> Report:
    """Questions the bot did not answer at once: by label, language and decision; the picture by label alone."""
    order = sorted(found.missed, key=lambda missed: (-missed.count, missed.label, missed.lang, missed.decision))
    columns_of = (
        [pen.topic(missed.label) for missed in order],
        [pen.lang(missed.lang) for missed in order],
        [pen.named(f"desk_reports.decision_{missed.decision}", "desk_reports.other") for missed in order],
    )
    labels: Counter[str] = Counter()
    for missed in found.missed:
        labels[pen.topic(missed.label)] += missed.count
    top = labels.most_common(MOST_BARS)
    title = pen.say("unanswered")
    caption = pen.caption("unanswered", title, first=top[0][0] if top else "–", number=len(labels))
    cells = untold([count for _, count in top])
    chart = bars(caption, [(label, (cell,)) for (label, _), cell in zip(top, cells, strict=True)]) if top else None
    header = (pen.say("topics_one"), pen.say("languages_one"), pen.say("decision"), pen.say("count"))
    return Report("unanswered", title, header, _rows(*columns_of, untold([each.count for each in order])), chart)


def ratings_report(found: Found, pen: Pen) -> Report:
    """Whether it helped, per language of the citizen."""
    counts = {(rated.lang, rated.helped): rated.count for rated in found.rated}
    order = sorted({rated.lang for rated in found.rated})
    names = [pen.lang(lang) for lang in order]
    cells = untold([counts.get((lang, helped), 0) for helped in (True, False) for lang in order])
    halves = (cells[: len(order)], cells[len(order) :])
    title, header = pen.say("ratings"), (pen.say("helped"), pen.say("not_helped"))
    caption = pen.caption("ratings", title, share=said(helped_share(found)), number=len(names))
    chart = bars(caption, list(zip(names, zip(*halves, strict=True), strict=True)), header) if names else None
    return Report("ratings", title, (pen.say("languages_one"), *header), _rows(names, *halves), chart)


def containment_report(found: Found, pen: Pen) -> Report:
    """Per week: how many conversations the bot carried alone."""
    weeks = first_days(found.period, weeks=True)
    every: Counter[date] = Counter()
    alone: Counter[date] = Counter()
    for talk in found.talks:
        week = first_day(found.period, talk.opened_at, weeks=True)
        every[week] += 1
        alone[week] += not talk.case
    shares = [share(alone[week], every[week], found.protect) for week in weeks]
    counts = [told([counted[week] for week in weeks], found.protect) for counted in (every, alone)]
    header = (pen.say("week"), pen.say("conversations"), pen.say("alone"), pen.say("share"))
    title = pen.say("containment")
    caption = pen.caption("containment", title, share=said(alone_share(found)))
    drawn = any(number is not None for number in shares)
    chart = lines(caption, _short(weeks), [(pen.say("share"), shares)]) if drawn else None
    return Report("containment", title, header, _rows(weeks, *counts, shares), chart)


REPORTS: dict[str, Callable[[Found, Pen], Report]] = {
    "cases": cases_report,
    "first_answer": first_answer_report,
    "resolution": resolution_report,
    "reasons": reasons_report,
    "languages": languages_report,
    "topics": topics_report,
    "unanswered": unanswered_report,
    "ratings": ratings_report,
    "containment": containment_report,
}


def glance(found: Found, pen: Pen) -> list[tuple[str, str]]:
    """The figures at the top of the page: (label, value)."""
    answers = [took / MINUTE for case in found.cases if (took := found.took(case, case.first_answer_at)) is not None]
    closings = [took / HOUR for case in found.cases if (took := found.took(case, case.closed_at)) is not None]
    cells: dict[str, Cell] = {
        "conversations": told([len(found.talks)], found.protect)[0],
        "cases": told([len(found.cases)], found.protect)[0],
        "share": alone_share(found),
        "first_answer_middle": middle_of(answers),
        "resolution_middle": middle_of(closings),
        "helped_share": helped_share(found),
    }
    return [(pen.say(key), said(cell)) for key, cell in cells.items()]


def alone_share(found: Found) -> float | None:
    """Per cent of the conversations that the bot carried alone."""
    return share(sum(not talk.case for talk in found.talks), len(found.talks), found.protect)


def helped_share(found: Found) -> float | None:
    """Per cent of the ratings that were yes."""
    return share(sum(each.count for each in found.rated if each.helped), sum(each.count for each in found.rated))


def said(cell: Cell) -> str:
    """A cell as it is read; a dash for none."""
    return "–" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell)


def _by(pen: Pen, weeks: bool) -> str:
    return pen.say("week" if weeks else "day")


def _short(days: Sequence[date]) -> list[str]:
    return [f"{day.month}/{day.day}" for day in days]


def _rows(*columns_of: Sequence[Cell] | Sequence[date]) -> tuple[Row, ...]:
    """Columns as rows; days in ISO form."""
    return tuple(
        tuple(cell.isoformat() if isinstance(cell, date) else cell for cell in row)
        for row in zip(*columns_of, strict=True)
    )
