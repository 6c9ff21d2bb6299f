"""`python -m bench.desk`: the pages of a small and of a large desk over HTTP, idle and with citizens beside them."""

from __future__ import annotations

import argparse
import http.client
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlencode

from bench.filling import fill
from bench.filling_desk import Filled, Size
from bench.recording import Talk, record
from bench.rounds import Failed, answer_of, load_process
from bench.servers import SECRET, Running, free_port, full, page
from bot import config
from bot.desk.auth import hash_password
from bot.pipeline.resources import load_resources
from bot.store import Store

SIZES = {"small": Size(1_000), "large": Size(50_000)}
ROLES = ("agent", "senior", "auditor", "privacy_officer")
PASSWORD = "the password of the bench"
CITIZENS = 20  # who write once a second each
LIMIT = 100.0  # milliseconds
PAUSE = 0.05
ROUNDS, SECONDS = 30, 15.0
KEPT_SECONDS = 2.0  # the server closes a connection that is idle for longer than 5


@dataclass
class Site:
    """A running server with a filled store, and who is logged in there, by role."""

    running: Running
    filled: Filled
    reply_port: int
    cookies: dict[str, str] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(3))
    connection: http.client.HTTPConnection | None = None
    used: float = 0.0

    def ask(self, path: str, role: str = "", cookie: str = "", form: Mapping[str, str] | None = None) -> Answer:
        """One request on a kept connection."""
        if self.connection is None or time.perf_counter() - self.used > KEPT_SECONDS:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.running.port, timeout=60)
        body = urlencode(form) if form is not None else None
        headers = {"Cookie": cookie or self.cookies.get(role, ""), "Accept-Language": "zh-TW"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        self.connection.request("GET" if form is None else "POST", path, body, headers)
        answer = self.connection.getresponse()
        text, self.used = answer.read(), time.perf_counter()
        return Answer(answer.status, text, answer.getheader("Set-Cookie", ""), 1000 * (self.used - began))

    def log_in(self, role: str) -> None:
        """A fresh account with a password of its own."""
        for form in ({"name": role, "password": PASSWORD}, None):
            path = "/desk/login" if form else "/desk/password"
            answer = self.ask(path, role, form=form or {"password": PASSWORD + "!", "again": PASSWORD + "!"})
            if answer.status != 303 or not answer.cookie:
                raise Failed(f"no log-in as {role}: {answer.status}")
            self.cookies[role] = answer.cookie.partition(";")[0]


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many milliseconds."""

    status: int
    body: bytes
    cookie: str
    took: float


Path_ = Callable[[Site], str]


def _case(kind: str) -> Path_:
    return lambda site: f"/desk/cases/{site.chance.choice(getattr(site.filled, kind))}"


def _queue(view: str, **asked: str) -> Path_:
    query = urlencode({"view": view, **asked})
    return lambda site: f"/desk?{query}"


def _number(site: Site) -> str:
    return f"/desk?view=closed&number={quote(site.chance.choice(site.filled.numbers))}"


# Name, role (or "web": a citizen), path. Days of filters are chosen when the bench runs.
def pages(today: float) -> list[tuple[str, str, Path_]]:
    """Every page that is measured."""
    week = time.strftime("%Y-%m-%d", time.gmtime(today - 7 * 86400))
    before = time.strftime("%Y-%m-%d", time.gmtime(today - 60 * 86400))
    return [
        ("queue, waiting", "agent", _queue("waiting")),
        ("queue, mine", "agent", _queue("mine")),
        ("queue, all", "agent", _queue("all")),
        ("queue, closed", "agent", _queue("closed")),
        ("closed, one number", "agent", _number),
        ("closed, no such number", "agent", _queue("closed", number="ZZZZ")),
        ("closed, a language", "agent", _queue("closed", lang="fil")),
        ("closed, a topic and a channel", "agent", _queue("closed", topic="p16", channel="hook")),
        ("closed, a topic without cases", "agent", _queue("closed", topic="p01.1")),
        ("closed, days long ago", "agent", _queue("closed", since=before, until=before)),
        ("waiting, language, topic, days", "agent", _queue("waiting", lang="vi", topic="p16", since=week)),
        ("case, short, waiting", "agent", _case("waiting")),
        ("case, short, closed", "senior", _case("closed")),
        ("case, 400 messages", "senior", _case("long")),
        ("case, 5,000 messages", "senior", lambda site: f"/desk/cases/{site.filled.longest}"),
        ("reports", "senior", lambda site: "/desk/reports"),
        ("phrasebook", "senior", lambda site: "/desk/phrases"),
        ("audit", "auditor", lambda site: "/desk/audit"),
        ("audit, one case", "auditor", lambda site: f"/desk/audit?object={site.chance.choice(site.filled.numbers)}"),
        ("privacy requests", "privacy_officer", lambda site: "/desk/privacy"),
        ("chat, resumed", "web", lambda site: "/"),
    ]


def opened(site: Site, role: str, path: Path_) -> float:
    """Milliseconds until the page was there."""
    cookie = f"labor_chat={site.chance.choice(site.filled.visitors)}" if role == "web" else ""
    answer = site.ask(path(site), role, cookie)
    if answer.status != 200:
        raise Failed(f"{path(site)} answered {answer.status}")
    return answer.took


# -- servers


@contextmanager
def _site(talks: list[Talk], size: Size) -> Iterator[Site]:
    with TemporaryDirectory() as folder:
        loaded = config.load({"LABOR_BOT_DATA_DIR": folder})
        filled = fill(loaded.database, talks, size, loaded.web_key())
        megabytes = loaded.database.stat().st_size / 1e6
        print(
            f"{size.conversations:,} cases, {filled.messages:,} messages: {megabytes:,.0f} MB,"
            f" filled in {filled.seconds:.0f} s",
            flush=True,
        )
        _accounts(loaded.database)
        reply_port = free_port()
        with full(reply_port, free_port(), folder=Path(folder)) as running:
            site = Site(running, filled, reply_port)
            for role in ROLES:
                site.log_in(role)
            yield site


def _accounts(database: Path) -> None:
    store = Store(database)
    try:
        for role in ROLES:
            store.add_staff(role, role, hash_password(PASSWORD))
    finally:
        store.close()


# -- measuring

Times = dict[str, list[float]]
Costs = dict[str, dict[str, float]]
"""CPU milliseconds of the server for one page: steadier than its time on a shared machine."""


def idle(sites: Mapping[str, Site], bare: Callable[[], float], rounds: int) -> tuple[dict[str, Times], Costs]:
    """Every page of every site in turns, so that a busy moment of the machine meets all; by page, then by site."""
    found: dict[str, Times] = {}
    costs: Costs = {}
    for name, role, path in pages(time.time()):
        times: Times = {"bare": [], **{each: [] for each in sites}}
        before: dict[str, float] = {}
        for number in range(rounds + 2):
            times["bare"].append(bare())
            for each, site in sites.items():
                times[each].append(opened(site, role, path))
            if number == 1:  # the first two are for warming up
                times = {each: [] for each in times}
                before = {each: site.running.cpu() for each, site in sites.items()}
        found[name] = times
        costs[name] = {each: 1000 * (site.running.cpu() - before[each]) / rounds for each, site in sites.items()}
    return found, costs


def beside_citizens(site: Site, seconds: float) -> tuple[Times, dict[str, float]]:
    """Pages by turns while citizens write; and how the citizens fared."""
    order = {
        "port": site.running.port,
        "reply_port": site.reply_port,
        "secret": SECRET,
        "answered": True,
        "connections": CITIZENS,
        "every": 1.0,
        "warm": 2.0,
        "seconds": seconds,
    }
    found: Times = {}
    with load_process(order) as load:
        answer_of(load)
        assert load.stdin is not None
        load.stdin.write("go\n")
        load.stdin.flush()
        if "begins" not in answer_of(load):
            raise Failed("the load did not begin")
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            for name, role, path in pages(time.time()):
                found.setdefault(name, []).append(opened(site, role, path))
                time.sleep(PAUSE)
        result = answer_of(load)
    if result["errors"]:
        raise Failed(result["errors"][0])
    return found, result


def p50(times: list[float]) -> float:
    """The median."""
    return statistics.median(times)


def p95(times: list[float]) -> float:
    """Nineteen of twenty are within."""
    return sorted(times)[int(0.95 * (len(times) - 1) + 0.5)]


def run(rounds: int, seconds: float) -> None:
    """Fill, measure, print."""
    talks = record(load_resources())
    with ExitStack() as stack:
        sites = {name: stack.enter_context(_site(talks, size)) for name, size in SIZES.items()}
        yardstick = Site(stack.enter_context(page(free_port())), Filled(), 0)
        found, costs = idle(sites, lambda: yardstick.ask("/?title=x").took, rounds)
        loaded: dict[str, Times] = {name: {} for name in sites}
        citizens: dict[str, list[dict[str, float]]] = {name: [] for name in sites}
        for _ in range(2):
            for name, site in sites.items():
                times, result = beside_citizens(site, seconds)
                citizens[name].append(result)
                for each, more in times.items():
                    loaded[name].setdefault(each, []).extend(more)
    _print(found, costs, loaded, citizens)


HEAD = f"{'':<32}{'1,000 cases':>16}{'50,000 cases':>16}{'growth':>8}{'x bare':>8}{'CPU':>14}{'with citizens':>32}"


def _print(
    found: dict[str, Times], costs: Costs, loaded: dict[str, Times], citizens: Mapping[str, list[dict[str, float]]]
) -> None:
    bare = p50([one for times in found.values() for one in times["bare"]])
    print(
        f"\na bare page: {bare:.1f} ms. Milliseconds: half within / 19 of 20 within; CPU of the server for one page,"
        f" 1,000 / 50,000 cases; beside {CITIZENS} turns a second\n\n{HEAD}"
    )
    for name, times in found.items():
        small, large = times["small"], times["large"]
        growth, cost = p50(large) / p50(small), f"{costs[name]['small']:.1f} / {costs[name]['large']:.1f}"
        beside = "".join(f"{_pair(loaded[each][name]):>16}" for each in SIZES)
        print(
            f"{name:<32}{_pair(small):>16}{_pair(large):>16}{growth:>8.2f}{p50(large) / bare:>8.1f}{cost:>14}{beside}"
        )
    for name, rows in citizens.items():
        each = ", ".join(f"{row['turns']:.0f}/s p50 {row['p50']:.0f} p99 {row['p99']:.0f} ms" for row in rows)
        print(f"citizens beside the {name} desk: {each}")
    worst = max((p50(times["large"]), name) for name, times in found.items() if name.startswith(("queue", "case")))
    print(f"slowest of queue and case at 50,000 cases: {worst[1]}, {worst[0]:.0f} ms (goal under {LIMIT:.0f})")


def _pair(times: list[float]) -> str:
    return f"{p50(times):.1f} / {p95(times):.1f}"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench.desk", description=__doc__)
    options.add_argument("--rounds", type=int, default=ROUNDS, help="how often each page is opened while idle (30)")
    options.add_argument("--seconds", type=float, default=SECONDS, help="length of each part beside citizens (15)")
    chosen = options.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before\n")
    run(chosen.rounds, chosen.seconds)


if __name__ == "__main__":
    main()
