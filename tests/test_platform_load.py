"""Under a load of LINE and Telegram, redelivered and out of order: nothing is lost, each event is taken once, in order.

LABOR_BOT_LOAD_SECONDS says how long 200 events a second come (10); `make endurance` lets them come for 60 s.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from platform_load import MORE, Load, Said
from platform_receivers import TELEGRAM_TOKEN, Arrived
from standins import line_checks, line_schema
from standins.telegram import Standin
from standins.telegram_request import Params

from bot.messages import reply_from_doc
from bot.pipeline.resources import TEMPLATES
from bot.render import telegram
from bot.render.line import LineRenderer
from bot.store.codec import decode

SECONDS = float(os.environ.get("LABOR_BOT_LOAD_SECONDS", "10"))
SAMPLE = 50
BEHIND = 2.0  # seconds; more than that means that the server could not keep up
WORDS = ("text", "altText", "label", "data")
Who = tuple[str, str]


@pytest.mark.slow
@pytest.mark.timeout(300 + 10 * SECONDS)
def test_two_hundred_events_a_second(tmp_path: Path) -> None:
    load = Load(tmp_path, SECONDS)
    try:
        asyncio.run(load.run())
    finally:
        load.stop()
    turns = turns_of(load)
    answers = answers_of(load)
    print(report(load, turns, answers))
    each_event_was_taken_once(load)
    each_event_was_answered_once(load)
    turns_were_taken_in_order(turns)
    late_events_are_marked(turns)
    answers_arrived_in_the_order_of_their_turns(load, answers)
    tokens_and_keys_were_used_once(load)
    pushed_only_where_the_token_was_stale(answers)
    samples_conform(load.receivers.arrived)
    assert load.receivers.unknown == []
    assert {f"q{one.id}" for one in load.said if one.channel == "telegram" and one.tap} == load.receivers.answered
    assert load.query("PRAGMA integrity_check")[0][0] == "ok"


# -- what the database says


@dataclass(frozen=True)
class Turn:
    """A citizen's line. Its platform time lies between `low` and `high` (ms): a tap on Telegram gets it on arrival.

    `lease`: the turns of one conversation with the same number were taken together; 0 where that is not known.
    """

    conversation: int
    lease: int
    late: bool
    low: int
    high: int
    accepted: float


def turns_of(load: Load) -> list[Turn]:
    """Every citizen's line in the order of the turns."""
    lines = load.query(
        "SELECT m.*, coalesce(o.fence, 0) AS lease FROM messages m LEFT JOIN outbox o"
        " ON o.conversation_id = m.conversation_id AND o.in_reply_to = m.event_id"
        " WHERE m.author = 'citizen' ORDER BY m.conversation_id, m.seq"
    )
    spans = _spans(load, {line["event_id"]: line["at"] for line in lines})
    return [
        Turn(line["conversation_id"], line["lease"], line["status"] == "late", *spans[line["event_id"]], line["at"])
        for line in lines
    ]


def _spans(load: Load, accepted: Mapping[str, float]) -> dict[str, tuple[int, int]]:
    """Between which two moments the bot must have placed each event.

    On Telegram an update with a higher number may be placed behind those of its chat that came before it.
    """
    found: dict[str, tuple[int, int]] = {}
    newest: dict[str, tuple[int, int]] = {}
    for one in sorted((one for one in load.said if one.id in accepted), key=lambda one: accepted[one.id]):
        low, high = _span(load, one, accepted[one.id])
        if one.channel == "telegram":
            number, behind = newest.get(one.user, (-1, -1))
            if one.number > number:
                high = max(high, behind + 1)
                newest[one.user] = one.number, high
        found[one.id] = low, high
    return found


def _span(load: Load, one: Said, accepted: float) -> tuple[int, int]:
    if one.channel == "line":
        return load.line_stamp(one), load.line_stamp(one)
    if one.tap:
        return int(load.first_posted[one.id] * 1000) - 1, int(accepted * 1000) + 1
    stamp = int(load.began + one.at) * 1000 + int(one.id) % 1000
    return stamp, stamp


def each_event_was_taken_once(load: Load) -> None:
    """Each has one line in the transcript and one place among the seen, and nothing is left over."""
    assert load.counts["never accepted"] == 0
    lines = load.query(
        "SELECT a.channel, a.user_id, m.event_id FROM messages m JOIN addresses a ON a.id = m.address_id"
        " WHERE m.author = 'citizen'"
    )
    assert Counter(map(tuple, lines)) == Counter((one.channel, one.user, one.id) for one in load.said)
    assert load.query("SELECT count(*) FROM seen")[0][0] == len(load.said)
    assert load.query("SELECT count(*) FROM inbox")[0][0] == 0


def each_event_was_answered_once(load: Load) -> None:
    """One outbox row each, all of them sent; a tap on "more" is answered by what waited."""
    rows = load.query("SELECT in_reply_to, count(*) FROM outbox WHERE in_reply_to <> '' GROUP BY in_reply_to")
    answered = dict(map(tuple, rows))
    ordinary = {one.id for one in load.said if one.what is not MORE}
    assert answered.keys() >= ordinary
    assert answered.keys() <= {one.id for one in load.said}
    assert set(answered.values()) == {1}
    assert [tuple(row) for row in load.query("SELECT DISTINCT state FROM outbox")] == [("sent",)]
    assert {row[0] for row in load.query("SELECT DISTINCT status FROM messages WHERE author = 'bot'")} == {"sent"}


def by_conversation(turns: Sequence[Turn]) -> Iterator[list[Turn]]:
    """The turns of each conversation."""
    found: dict[int, list[Turn]] = {}
    for turn in turns:
        found.setdefault(turn.conversation, []).append(turn)
    yield from found.values()


def turns_were_taken_in_order(turns: Sequence[Turn]) -> None:
    """Of what was there to be taken, what happened earlier was taken earlier."""
    for taken in by_conversation(turns):
        for place, turn in enumerate(taken):
            before = [each for each in taken[place + 1 :] if each.high < turn.low and were_both_there(turn, each)]
            assert before == [], f"{turn} was taken before {before}"
    together = Counter((turn.conversation, turn.lease) for turn in turns if turn.lease)
    assert max(together.values()) > 1, "no two events of a citizen were ever there together"


def were_both_there(turn: Turn, later: Turn) -> bool:
    """When the one was taken, the other one had been accepted for certain."""
    return later.accepted < turn.accepted or turn.lease == later.lease > 0


def late_events_are_marked(turns: Sequence[Turn]) -> None:
    """Late is what happened before something that was taken already, and nothing else."""
    late = 0
    for taken in by_conversation(turns):
        low = high = 0
        for turn in taken:
            if turn.high < low:
                assert turn.late, f"{turn} is not marked late"
                late += 1
            elif turn.low >= high:
                assert not turn.late, f"{turn} is marked late"
            low, high = max(low, turn.low), max(high, turn.high)
    assert late, "the shuffling made nothing late"


# -- what the receivers say


@dataclass(frozen=True)
class Answer:
    """A row of the outbox, and the requests that brought it."""

    who: Who
    event: str
    token_until: float
    brought_by: tuple[Arrived, ...]
    right: bool


def answers_of(load: Load) -> list[Answer]:
    """Each row of the outbox beside the messages that were received in its place."""
    received: dict[Who, list[tuple[str, Arrived]]] = {}
    for arrived in load.receivers.arrived:
        words = [_words(arrived.channel, message) for message in arrived.messages]
        received.setdefault((arrived.channel, arrived.user), []).extend((each, arrived) for each in words)
    rows = load.query(
        "SELECT o.id, o.in_reply_to, o.token_until, a.channel, a.user_id, m.body FROM outbox o"
        " JOIN addresses a ON a.id = o.address_id JOIN messages m ON m.conversation_id = o.conversation_id"
        " AND m.seq BETWEEN o.first_seq AND o.last_seq ORDER BY m.conversation_id, m.seq"
    )
    found = [_answer(row, received.get((row["channel"], row["user_id"]), [])) for row in rows]
    left = {who: len(messages) for who, messages in received.items() if messages}
    assert left == {}, "more was received than was ever said"
    return found


def _answer(row: Any, received: list[tuple[str, Arrived]]) -> Answer:
    """Takes as many of the received messages as the line has."""
    expected = _expected(row["channel"], row["body"])
    taken, received[:] = received[: len(expected)], received[len(expected) :]
    right = tuple(words for words, _ in taken) == expected
    brought = tuple(arrived for _, arrived in taken)
    return Answer((row["channel"], row["user_id"]), row["in_reply_to"], row["token_until"], brought, right)


@cache
def _expected(channel: str, body: str) -> tuple[str, ...]:
    """The words of the messages of a line."""
    reply = reply_from_doc(json.loads(decode(body)))
    if channel == "telegram":
        return tuple(message.html for message in telegram.messages([reply]))
    return tuple(_words("line", message) for request in _RENDERER.packed([reply]) for message in request.messages)


_RENDERER = LineRenderer(TEMPLATES)


def _words(channel: str, message: Mapping[str, Any]) -> str:
    """What can be read in a message; but for quick replies, which only the last of a request has."""
    if channel == "telegram":
        return str(message["text"])
    return "\n".join(sorted(_texts({key: part for key, part in message.items() if key != "quickReply"})))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key in WORDS and isinstance(part, str):
                yield f"{key}: {part}"
            else:
                yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def answers_arrived_in_the_order_of_their_turns(load: Load, answers: Sequence[Answer]) -> None:
    """Each citizen received exactly the lines of the transcript, in its order."""
    wrong = Counter(answer.who for answer in answers if not answer.right)
    assert wrong == {}, f"{wrong.total()} of {len(answers)} lines, of {len(wrong)} citizens"
    told = {answer.who for answer in answers}
    assert told == {(one.channel, one.user) for one in load.said}


def tokens_and_keys_were_used_once(load: Load) -> None:
    """No reply token and no retry key went out twice; LINE would have delivered neither."""
    twice = [key for keys in (load.receivers.used, load.receivers.keys) for key, times in keys.items() if times > 1]
    assert not twice, f"{len(twice)} tokens or keys went out twice"
    assert load.receivers.used.keys() <= {one.token for one in load.said}


def pushed_only_where_the_token_was_stale(answers: Sequence[Answer]) -> None:
    """What goes out by push had no token that was fresh."""
    pushed = [answer for answer in answers if any(arrived.how == "push" for arrived in answer.brought_by)]
    fresh = [answer for answer in pushed if answer.token_until > answer.brought_by[0].at]
    assert not fresh, f"{len(fresh)} of {len(pushed)} lines that were pushed had a token"


def samples_conform(arrived: Sequence[Arrived]) -> None:
    """Every fiftieth request passes the checks of the stand-ins, and the vendors' schemas where they are at hand."""
    sampled = {channel: [one for one in arrived if one.channel == channel] for channel in ("line", "telegram")}
    for one in sampled["line"][::SAMPLE]:
        assert line_faults(one) == [], one.how
    people = Standin(TELEGRAM_TOKEN)
    for one in sampled["telegram"][::SAMPLE]:
        people.chat(int(one.user))
        response, words = asyncio.run(people.perform(one.how, Params(dict(one.messages[0]))))
        assert (response.status_code, words, people.faults) == (200, "", [])
    assert all(sampled.values())


def line_faults(arrived: Arrived) -> list[Any]:
    """What LINE, or its schema, finds wrong with a request."""
    document = json.loads(arrived.body)
    faults = list(line_checks.messages(document))
    if vendor := line_schema.load("messaging-api"):
        faults += vendor.check(f"{arrived.how.title()}MessageRequest", document)
    return faults


# -- for people


def report(load: Load, turns: Sequence[Turn], answers: Sequence[Answer]) -> str:
    """What happened."""
    waits: dict[str, list[float]] = {"line": [], "telegram": []}
    for answer in answers:
        if answer.event and answer.brought_by:
            waits[answer.who[0]].append(answer.brought_by[-1].at - load.first_posted[answer.event])
    counts, calls = load.counts, load.receivers.calls
    most = [max((each[number] for each in load.waiting), default=0) for number in (1, 2)]
    total = len(load.said) - counts["asked for more"]
    last_event = max(load.first_posted[one.id] for one in load.said[:total]) - load.began
    behind = max(0.0, load.caught_up - last_event)
    return "\n".join(
        (
            f"\n{total} events in {load.seconds:.0f} s ({load.rate:.0f}/s), with {counts['redelivered']} repetitions"
            f" {counts['events posted'] / load.seconds:.0f}/s, in {counts['posts']} posts; {counts['insisted']} posts"
            f" sent again; the generator was behind by at most {1000 * max(load.behind):.0f} ms",
            f"the last new event came after {last_event:.1f} s, the last answer {behind:.1f} s later:"
            f" {f'{total / load.caught_up:.0f} events a second' if behind > BEHIND else 'it kept up'}; waiting at most"
            f' {most[0]} events and {most[1]} answers; "more" tapped {counts["asked for more"]} times',
            f"webhook answered: {_spread(load.answered_in)}; later than 2 s: {sum(s > 2 for s in load.answered_in)}",
            *(f"answer delivered, {name}: {_spread(seconds)}" for name, seconds in waits.items()),
            f"late: {sum(turn.late for turn in turns)}; calls: {dict(calls.most_common())}",
            f"while the load came: server {load.cores:.2f} cores, rig {load.own_cores:.2f} cores; in all"
            f" {1000 * load.cpu / total:.1f} ms CPU of the server an event, {load.memory:.0f} MB;"
            f" load average {', '.join(f'{each:.1f}' for each in os.getloadavg())}",
        )
    )


def _spread(seconds: Sequence[float]) -> str:
    found = sorted(seconds) or [0.0]
    p50, p99 = (1000 * found[int(len(found) * part)] for part in (0.5, 0.99))
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {1000 * found[-1]:.0f} ms"
