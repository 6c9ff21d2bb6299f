"""LINE's webhook: what each kind of event means, what is refused, and that no bad event takes a good one with it."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standins import line_schema
from standins.line import Standin
from standins.line_events import redelivered, standby
from starlette.applications import Starlette
from starlette.routing import Route

from bot import observe
from bot.channels.line_events import CHOICE_LIMIT
from bot.channels.line_inbox import BODY_LIMIT, LineInbox, parse, sign, verify
from bot.messages import Address, Incoming, Kind

SECRET = "the-secret-of-the-test"
GOLDEN = Path(__file__).parent / "webhooks" / "line"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json") if not path.stem.endswith(".expected"))
SPEC_LACKS = ("edited", "edited_in_group", "batch_with_malformed", "unknown_kind", "unknown_message", "no_event_id")
NOT_TAKEN = {"no_user": "line.no_user", "group": ""}


@dataclass
class Doorstep:
    """Keeps what is accepted; the same event is new only once, as in the store."""

    kept: list[Incoming] = field(default_factory=list)
    error: OSError | None = None

    async def accept(self, incomings: Sequence[Incoming]) -> list[bool]:
        """As the house does."""
        if self.error:
            raise self.error
        known = {key_of(incoming) for incoming in self.kept}
        new = []
        for incoming in incomings:
            new.append(key_of(incoming) not in known)
            known.add(key_of(incoming))
            self.kept += [incoming] if new[-1] else []
        return new


def key_of(incoming: Incoming) -> tuple[str, str, str]:
    """By what the store tells events apart."""
    return incoming.address.channel, incoming.address.account, incoming.event_id


@pytest.fixture
def door() -> Doorstep:
    return Doorstep()


def post(door: Any, body: bytes, signature: bytes | str | None = None, **headers: str) -> httpx.Response:
    """Signed rightly unless a signature is given; an empty one is left out."""
    app = Starlette(routes=[Route("/webhook/line", LineInbox(door, SECRET).receive, methods=["POST"])])
    given = sign(SECRET, body) if signature is None else signature
    signed: dict[Any, Any] = {"x-line-signature": given} if given else {}

    async def posting() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post("/webhook/line", content=body, headers={**headers, **signed})

    return asyncio.run(posting())


def golden(name: str) -> dict[str, Any]:
    """The body of a delivery."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def expected(name: str) -> list[dict[str, Any]]:
    """What is made of its events."""
    found: list[dict[str, Any]] = json.loads((GOLDEN / f"{name}.expected.json").read_text(encoding="utf-8"))
    return found


def told(incoming: Incoming) -> dict[str, Any]:
    """An event without the fields that say nothing, as in the files."""
    said = {name: value for name, value in asdict(incoming).items() if value not in ("", None, False, Kind.SAID)}
    said["user"] = said.pop("address")["user"]
    if incoming.attachment:
        said["attachment"] = {name: value for name, value in said["attachment"].items() if value not in ("", 0)}
    return said


def body(*events: Any, destination: str = "U" + "b" * 32) -> bytes:
    """A delivery of these events."""
    return json.dumps({"destination": destination, "events": events}).encode()


# -- each kind of event


@pytest.mark.parametrize("name", NAMES)
def test_each_event_means_what_its_file_says(door: Doorstep, name: str) -> None:
    response = post(door, (GOLDEN / f"{name}.json").read_bytes())
    assert (response.status_code, response.json()["accepted"]) == (200, len(expected(name)))
    assert [told(incoming) for incoming in door.kept] == expected(name)
    assert {incoming.address.channel for incoming in door.kept} <= {"line"}
    assert {incoming.address.account for incoming in door.kept} <= {golden(name)["destination"]}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SPEC_LACKS])
def test_the_files_are_as_the_vendor_sends_them(name: str) -> None:
    schema = line_schema.load("webhook")
    if schema is None:
        pytest.skip("the vendor's schema is not beside this repository")
    assert schema.check("CallbackRequest", golden(name)) == []


@pytest.mark.parametrize("name", [name for name in NAMES if not expected(name) and name != "verify"])
def test_what_is_not_taken_is_counted_but_for_what_groups_say_to_each_other(
    door: Doorstep, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(observe, "count", lambda name, by=1: counted.append(name))
    post(door, (GOLDEN / f"{name}.json").read_bytes())
    counter = NOT_TAKEN.get(name, NOT_TAKEN.get(name.partition("_")[0], "line.skipped"))
    assert counted == ([counter] if counter else [])


def test_a_taken_event_is_said_by_text_or_by_choice_never_both() -> None:
    for name in NAMES:
        for incoming in parse(golden(name)):
            if incoming.kind is Kind.SAID:
                assert (incoming.text is None) != (incoming.choice is None), name
            assert (incoming.kind is Kind.FILE) == (incoming.attachment is not None)
            assert bool(incoming.about) == (incoming.kind in (Kind.EDITED, Kind.UNSENT))


@pytest.mark.parametrize(
    ("data", "params", "choice"),
    [
        ("x" * CHOICE_LIMIT, None, "x" * CHOICE_LIMIT),
        ("", None, "unknown"),
        ("a\u202eb", None, "unknown"),
        ("date:x", {"date": "soon"}, "unknown"),
        ("date:x", {"date": 7}, "unknown"),
        ("date:x", {"time": "10:00"}, "date:x"),
        ("date:x", ["date"], "date:x"),
    ],
)
def test_a_tap_on_anything_that_is_not_ours_is_unknown(data: str, params: Any, choice: str) -> None:
    document = golden("postback")
    document["events"][0]["postback"] = {"data": data, "params": params}
    assert [incoming.choice for incoming in parse(document)] == [choice]


@pytest.mark.parametrize(
    "text", ["resume abc", "resume " + "a" * 23, "please resume " + "a" * 22, "resume\n" + "a" * 22]
)
def test_what_only_resembles_a_resume_message_is_a_text(text: str) -> None:
    document = golden("text")
    document["events"][0]["message"]["text"] = text
    (incoming,) = parse(document)
    assert (incoming.text, incoming.resume) == (text, "")


@pytest.mark.parametrize(
    "span", [{}, {"index": -1, "length": 4}, {"index": "0", "length": None}, {"index": 99, "length": 9}]
)
def test_a_mention_at_an_odd_place_loses_no_word(span: dict[str, Any]) -> None:
    document = golden("group_mention")
    document["events"][0]["message"]["mention"]["mentionees"] = [{"isSelf": True, **span}]
    (incoming,) = parse(document)
    assert incoming.text == document["events"][0]["message"]["text"]


def test_a_resume_token_is_nothing_to_show_a_group() -> None:
    document = golden("group_mention")
    message = document["events"][0]["message"]
    message["text"] = "@勞工局 resume " + "a" * 22
    message["mention"]["mentionees"][0]["index"] = 0
    (incoming,) = parse(document)
    assert (incoming.text, incoming.resume) == ("resume " + "a" * 22, "")


# -- pitfalls


def test_pitfall_01_the_same_event_has_the_same_key_however_often_and_together_it_comes(door: Doorstep) -> None:
    with Standin() as line:
        event = line.events.text(line.user("An"), "你好")
    nameless = {key: value for key, value in event.items() if key != "webhookEventId"}
    for first in (event, nameless):
        answers = [post(door, body(first, redelivered(first))), post(door, body(redelivered(first)))]
        assert [(each.json()["accepted"], each.json()["repeated"]) for each in answers] == [(1, 1), (0, 1)]
    assert len({key_of(incoming) for incoming in door.kept}) == 2


def test_pitfall_03_a_malformed_event_is_counted_and_the_others_are_handled(
    door: Doorstep, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(observe, "count", lambda name, by=1: counted.append(name))
    document = golden("batch_with_malformed")
    assert post(door, json.dumps(document).encode()).status_code == 200
    assert [incoming.text for incoming in door.kept] == ["first", "last"]
    assert counted == ["line.malformed"] * (len(document["events"]) - 2)


REFUSED: dict[str, bytes | str] = {
    "missing": "",
    "forged": "A" * 44,
    "of another key": sign("another", body()),
    "of another body": sign(SECRET, body() + b" "),
    "non-ascii": "簽".encode() * 10,
    "latin": b"\xe9" * 44,
    "quoted": f'"{sign(SECRET, body())}"',
}


@pytest.mark.parametrize("which", REFUSED)
def test_pitfall_04_without_a_true_signature_nothing_is_read_and_nothing_is_logged(
    door: Doorstep, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="labor_bot"):
        response = post(door, body() if "body" in which else body(golden("text")["events"][0]), REFUSED[which])
    assert response.status_code == 401
    assert "X-Line-Signature" in response.json()["error"]
    assert door.kept == []
    assert [record for record in caplog.records if record.name == "labor_bot"] == []


@pytest.mark.parametrize("name", ["x-line-signature-256", "x-hub-signature-256", "x-signature"])
def test_pitfall_19_only_the_header_that_line_documents_counts(door: Doorstep, name: str) -> None:
    """Pages about LINE invent headers: a right signature under another name is none."""
    content = body(golden("text")["events"][0])
    response = post(door, content, "", **{name: sign(SECRET, content)})
    assert response.status_code == 401
    assert door.kept == []


def test_pitfall_13_a_group_is_heard_only_when_it_means_us(door: Doorstep) -> None:
    with Standin() as line:
        an = line.user("An")
        group, make = line.group("workers", an), line.events
        unheard = [
            make.text(an, "hi", group=group),
            make.image(an, group=group),
            make.postback(an, "menu", group=group),
        ]
        heard = make.text("", "hey @bot, unpaid!", group=group, mentions=["@bot"])
        assert post(door, body(*unheard, heard, make.unsend(an, "1", group=group))).status_code == 200
    assert [(each.kind, each.text, each.group) for each in door.kept] == [
        (Kind.SAID, "hey , unpaid!", True),
        (Kind.UNSENT, None, True),
    ]
    assert {each.address.user for each in door.kept} == {group}


def test_pitfall_15_a_standby_event_is_kept_and_nobody_answers(door: Doorstep) -> None:
    with Standin() as line:
        event = line.events.text(line.user("An"), "hi")
    post(door, body(standby(event)))
    post(door, body({**standby(event), "webhookEventId": "2", "replyToken": "t"}))
    assert [(each.text, each.silent, each.reply_token) for each in door.kept] == [("hi", True, None)] * 2


def test_pitfall_18_an_event_without_a_user_is_skipped_but_not_in_a_group(door: Doorstep) -> None:
    post(door, body(golden("no_user")["events"][0], golden("group_mention_without_user")["events"][0]))
    (incoming,) = door.kept
    assert incoming.address.user.startswith("C")


# -- the request as a whole


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe\xfd", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"events": null}', 400),
        (b'{"events": {}}', 400),
        (b"[" * 100_000, 400),
        (b'{"destination": 7, "events": []}', 200),
        (b'{"events": []}', 200),
        (b" " * (BODY_LIMIT + 1), 413),
    ],
    ids=lambda value: value if isinstance(value, int) else value[:12],
)
def test_bodies_that_are_no_delivery(door: Doorstep, raw: bytes, status: int) -> None:
    response = post(door, raw)
    assert response.status_code == status
    assert door.kept == []
    assert ("error" in response.json()) == (status != 200)


def test_the_empty_delivery_of_the_console_is_fine(door: Doorstep) -> None:
    with Standin(secret=SECRET) as line:
        raw, headers = line.signed()
        assert post(door, raw, headers["x-line-signature"]).json() == {"accepted": 0, "repeated": 0}


def test_the_signature_is_that_of_line() -> None:
    with Standin(secret=SECRET) as line:
        raw, headers = line.signed(line.events.follow(line.user("An")))
    assert verify(SECRET, raw, headers["x-line-signature"])
    assert not verify(SECRET, raw, None)


def test_what_cannot_be_kept_is_not_acknowledged(door: Doorstep) -> None:
    door.error = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        post(door, body(golden("text")["events"][0]))


# -- hostile bodies

GOODS = [golden(name)["events"][0] for name in ("text", "postback", "image", "unsend", "group_mention", "location")]
FIRSTS = [golden(name)["events"][0] for name in NAMES if golden(name)["events"]]
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """An event of the files of which some field, at any depth, is gone or something else."""
    event = copy.deepcopy(
        draw(st.sampled_from([golden(name)["events"][0] for name in NAMES if golden(name)["events"]]))
    )
    for _ in range(draw(st.integers(1, 3))):
        node: Any = event
        while True:
            key = draw(st.sampled_from(sorted(node)))
            if isinstance(node[key], dict) and node[key] and draw(st.booleans()):
                node = node[key]
                continue
            if draw(st.booleans()):
                node[key] = draw(junk)
            elif len(node) > 1:
                del node[key]
            break
    return event


@settings(max_examples=60, deadline=None)
@given(st.lists(mutated() | junk, max_size=4), st.lists(mutated() | junk, max_size=2), st.sampled_from(GOODS))
def test_no_event_whatever_loses_a_good_one_of_its_batch(before: list[Any], after: list[Any], good: Any) -> None:
    good = {**good, "webhookEventId": "the good one"}
    door = Doorstep()
    raw = json.dumps({"destination": "U" + "b" * 32, "events": [*before, good, *after]}).encode()
    assert post(door, raw).status_code == 200
    assert [told(each) for each in door.kept if each.event_id == "the good one"] == [
        told(each) for each in parse({"destination": "x", "events": [good]})
    ]
    for each in door.kept:
        assert all(isinstance(text, str) for text in (each.event_id, each.address.user, each.about, each.message_id))
        json.dumps(asdict(each), ensure_ascii=False).encode()  # can be written down


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_a_broken_body_is_refused_or_read_never_an_error(name: str, data: st.DataObject) -> None:
    raw = bytearray((GOLDEN / f"{name}.json").read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=4))
    forged = data.draw(st.booleans())
    response = post(Doorstep(), bytes(raw), sign("another", bytes(raw)) if forged else None)
    assert response.status_code in ((401,) if forged else (200, 400))


def test_the_account_of_an_odd_destination_is_empty() -> None:
    event = golden("text")["events"][0]
    for destination in (None, 7, "a\x00b"):
        (incoming,) = parse({"destination": destination, "events": [event]})
        assert incoming.address == Address("line", "", event["source"]["userId"])
