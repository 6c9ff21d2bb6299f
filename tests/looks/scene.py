"""A morning at the desk, played through the real doors, until every page has something to show."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from days.clock import DayClock, rule
from platforms.city import City, running
from platforms.people import OnLine, OnTelegram
from platforms.web import Visitor
from playwright._impl._api_structures import SetCookieParam
from ruamel.yaml import YAML
from standins.line import Standin as LineStandin
from standins.telegram import Standin as TelegramStandin

from bot.channels import telegram_pace
from bot.desk import codes, sweep
from bot.desk.auth import BY_PASSWORD, COOKIE, HALFWAY, HALFWAY_PATH, token_hash
from bot.messages import DataRequest
from bot.pipeline import errands
from bot.pipeline.resources import Resources
from bot.store import Store, aside, identities, own_data, privacy, second
from bot.store.database import NOW, Connection
from bot.store.phrases import Wording

MORNING: dict[str, Any] = YAML(typ="safe").load(Path(__file__).with_name("morning.yaml"))
FIRST_DAY, TODAY = "2026-11-09", "2026-11-23"
JPEG = b"\xff\xd8\xff\xe0 a photo"
FENCE = re.compile(r'name="fence" value="(\d+)"')
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PAUSE = 8.0  # seconds that people take for a message


@dataclass
class Scene:
    """The desk as it is at the end of the morning. `things`: what stands in addresses, by name; `people`: their ids."""

    city: City
    store: Store
    clock: DayClock
    tokens: dict[str, str] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, httpx.Client] = field(default_factory=dict)

    # -- time

    def until(self, moment: str, day: str = TODAY) -> None:
        """Go on to a later time."""
        self.clock.advance(self.clock.until(f"{day}T{moment}"))
        self._stay()

    def pause(self, minutes: float = 0.0) -> None:
        """A moment passes, or so many minutes."""
        self.clock.advance(minutes * 60 or PAUSE)
        if minutes:
            self._stay()

    def _stay(self) -> None:
        """Who is at the desk stays logged in."""
        now = f"created_at = {NOW}, seen_at = {NOW}, confirmed_at = {NOW}"
        self.write(lambda c: c.execute(f"UPDATE staff_sessions SET {now}"))

    # -- who is there

    def write(self, operation: Callable[[Connection], Any]) -> Any:
        """One change beside the server."""
        return self.store.database.write_now(operation)

    def hire(self, name: str, role: str) -> None:
        """An account that is logged in."""
        token = secrets.token_urlsafe(16)

        def insert(connection: Connection) -> int:
            row = connection.one(
                "INSERT INTO staff (name, role, password_hash, must_change, created_at)"
                f" VALUES (:name, :role, '', 0, {NOW}) RETURNING id",
                {"name": name, "role": role},
            )
            assert row is not None
            connection.execute(
                "INSERT INTO staff_sessions (token_hash, staff_id, created_at, seen_at, confirmed_at)"
                f" VALUES (:token, :id, {NOW}, {NOW}, {NOW})",
                {"token": token_hash(token), "id": row["id"]},
            )
            return int(row["id"])

        self.people[name], self.tokens[name] = self.write(insert), token

    def cookie(self, name: str) -> SetCookieParam:
        """What the browser of somebody who is logged in holds."""
        return {"name": COOKIE, "value": self.tokens[name], "domain": "127.0.0.1", "path": "/desk"}

    def does(self, name: str, path: str, **form: str) -> httpx.Response:
        """Somebody of the staff sends a form; it must be taken."""
        client = self._clients.get(name)
        if client is None:
            cookies = {COOKIE: self.tokens[name]}
            client = httpx.Client(base_url=self.city.url, cookies=cookies, trust_env=False, timeout=20)
            self._clients[name] = self.city.closing.enter_context(client)
        answer = client.post(path, data=form)
        assert answer.status_code == 303, (name, path, answer.status_code)
        assert not re.search("problem=|login|confirm", answer.headers["location"]), (path, answer.headers["location"])
        self.city.settle()
        return answer

    def on_case(self, name: str, case: str, action: str, **form: str) -> None:
        """Something is done with a case, with the fence that its page shows."""
        fence = self.rows(
            f"SELECT v.speaker_fence FROM cases c JOIN conversations v ON v.id = c.conversation_id WHERE c.id = {case}"
        )
        self.does(name, f"/desk/cases/{case}/{action}", fence=str(fence[0][0]), **form)

    def rows(self, sql: str) -> list[Any]:
        """What the database answers."""
        return self.city.rows(sql)

    def newest_case(self) -> str:
        """The id of the case that was opened last."""
        return str(self.rows("SELECT max(id) FROM cases")[0][0])

    def conversation(self, case: str) -> int:
        """The conversation of a case."""
        return int(self.rows(f"SELECT conversation_id FROM cases WHERE id = {case}")[0][0])

    # -- citizens

    def visitor(self, lang: str) -> Visitor:
        """Somebody on the web who chose their language."""
        visitor = Visitor(self.city, lang)
        self.tap(visitor, f"lang:{lang}")
        return visitor

    def say(self, who: Visitor | OnLine | OnTelegram, text: str) -> None:
        """They write."""
        self.pause()
        who.say(text)

    def tap(self, who: Visitor | OnLine | OnTelegram, choice: str) -> None:
        """They press a button."""
        self.pause()
        who.tap(choice)

    def wants_person(self, who: Visitor, *choices: str) -> str:
        """They ask for a person; the case."""
        for choice in (*choices, "handoff"):
            self.tap(who, choice)
        return self.newest_case()


class _OnTheirPhone(OnTelegram):
    """Somebody on Telegram whose seconds the scene lets pass."""

    def take_a_second(self) -> None:
        """Time is let pass before each message."""


@contextmanager
def opened(resources: Resources, folder: Path, more: Mapping[str, str] = {}) -> Iterator[Scene]:
    """The desk after the morning. `more`: settings. Everything in this process goes by the clock of that day."""
    with pytest.MonkeyPatch.context() as patch:
        clock = DayClock(f"{FIRST_DAY}T08:00")
        rule(patch, clock)
        patch.setattr(errands, "EVERY_SECONDS", 0.05)
        patch.setattr(sweep, "EVERY_SECONDS", 0.1)
        patch.setattr(telegram_pace, "BURST", 10_000)
        settings = {"LABOR_BOT_MESSAGES_PER_MINUTE": "100000", "LABOR_BOT_MESSAGES_PER_MINUTE_IP": "100000", **more}
        with running(resources, folder, now=clock, before=_limited, more=settings) as city:
            store = Store(city.database)
            try:
                scene = Scene(city, store, clock)
                _play(scene)
                yield scene
            finally:
                store.close()


def _limited(line: LineStandin, _: TelegramStandin) -> None:
    line.limit(500, 131)


def _play(scene: Scene) -> None:
    for name, role in MORNING["staff"].items():
        scene.hire(name, role)
    _the_weeks_before(scene)
    scene.until("08:05")
    _staff_arrives(scene)
    _held_on_line(scene)
    _others(scene)
    _afterwards(scene)
    _rest(scene)
    scene.until("10:24")
    for name in MORNING["on_duty"]:  # who is there uses the desk
        scene.does(name, "/desk/duty", on="yes")


def _the_weeks_before(scene: Scene) -> None:
    for told in MORNING["before"]:
        scene.until(told["time"], str(told["day"]))
        citizen = scene.visitor(told["lang"])
        case = scene.wants_person(citizen, f"topic:{told['topic']}")
        scene.pause(told["answer"])
        who = "林小姐" if told["answer"] < 15 else "陳先生"
        scene.on_case(who, case, "claim")
        scene.on_case(who, case, "reply", text="您好。", id=secrets.token_hex(4))
        scene.pause(told["end"] - told["answer"])
        scene.on_case(who, case, "close", outcome="answered" if told["end"] < 90 else "referred")
        if told["helped"]:
            scene.tap(citizen, f"rate:{told['helped']}")
        if "words" in told:
            scene.say(citizen, told["words"])


def _staff_arrives(scene: Scene) -> None:
    for name, spoken in MORNING["languages"].items():
        scene.does(name, "/desk/account/languages", **{f"lang_{code}": "on" for code in spoken})
    for name in MORNING["on_duty"]:
        scene.does(name, "/desk/duty", on="yes")


def _held_on_line(scene: Scene) -> None:
    """A check, a case, a photo, an unsent message, a phrase, a note, a wrong verdict, a wrong reading."""
    told, words, who = MORNING["linh"], MORNING["words"], "林小姐"
    linh = OnLine(scene.city, told["lang"], "Linh")
    linh.follow()
    scene.until("09:40")
    scene.say(linh, told["asks"])
    scene.tap(linh, f"check:{told['check']}")
    while fact := linh.asked:
        answer = told["answers"][fact]
        scene.tap(linh, f"answer:{fact}:{answer[1:]}") if answer.startswith("=") else scene.say(linh, answer)
    scene.say(linh, MORNING["misread"])
    scene.say(linh, told["wants_person"])
    case = scene.things["mine"] = scene.newest_case()
    scene.until("09:58")
    scene.on_case(who, case, "claim")
    scene.on_case(who, case, "phrase", phrase="ask.name", do="send", id="a")
    scene.say(linh, told["name"])
    event = scene.city.line.events.text(linh.id, told["regrets"])
    linh.send(event)
    scene.pause()
    linh.send(scene.city.line.events.unsend(linh.id, event["message"]["id"]))
    scene.say(linh, told["number"])
    scene.say(linh, told["sends"])
    linh.photo(JPEG)
    scene.until("10:06")
    documents = {"slot_documents": "bằng tốt nghiệp (畢業證書)"}
    scene.on_case(who, case, "phrase", phrase="doc.bring", do="send", id="b", **documents)
    scene.on_case(who, case, "reply", text=words["own"], id="c")
    scene.say(linh, told["thanks"])
    scene.on_case(who, case, "note", text=words["note"])
    scene.things["seq"] = str(_seq_of(scene, case))
    scene.does(who, f"/desk/cases/{case}/misread", seq=scene.things["seq"], text=MORNING["misread"], meant="p15")
    scene.does(
        who, f"/desk/cases/{case}/propose", rule="p15", subject="self", expect="not_eligible", note=words["proposal"]
    )


def _seq_of(scene: Scene, case: str) -> int:
    """The line of the case that is told to have been misread."""
    for entry in scene.store.entries(scene.conversation(case)):
        if entry.reply.text == MORNING["misread"]:
            return entry.seq or 0
    raise AssertionError("it was not said")


def _others(scene: Scene) -> None:
    """Cases that wait, are held by a colleague, are set aside, are closed."""
    things, words = scene.things, MORNING["words"]
    held = scene.visitor("zh-TW")
    scene.say(held, MORNING["held"]["says"])
    things["colleagues"] = scene.wants_person(held)
    scene.on_case("陳先生", things["colleagues"], "claim")
    scene.on_case("陳先生", things["colleagues"], "reply", text=words["zh"], id="d")
    aside = scene.visitor("zh-TW")
    scene.say(aside, MORNING["held"]["parked"])
    things["parked"] = scene.wants_person(aside)
    scene.on_case("林小姐", things["parked"], "claim")
    scene.on_case("林小姐", things["parked"], "park", **{"for": "day"})
    joy = scene.visitor(MORNING["joy"]["lang"])
    scene.say(joy, MORNING["joy"]["says"])
    things["aimed"] = scene.wants_person(joy)
    scene.on_case("陳先生", things["aimed"], "claim")
    scene.on_case("陳先生", things["aimed"], "transfer", to="lang:fil")
    scene.until("10:12")
    budi = _OnTheirPhone(scene.city, MORNING["budi"]["lang"])
    budi.follow()
    scene.say(budi, MORNING["budi"]["asks"])
    scene.say(budi, MORNING["budi"]["phone_me"])
    things["callback"] = scene.newest_case()
    hao = OnLine(scene.city, "zh-TW", "Hao")
    hao.follow()
    scene.say(hao, MORNING["hao"]["says"])
    scene.tap(hao, "handoff")
    hao.block()
    things["blocked"] = scene.newest_case()
    mei = scene.visitor("zh-TW")
    scene.say(mei, MORNING["mei"]["says"])
    things["waiting"] = scene.wants_person(mei)
    malee = scene.visitor("th")
    scene.say(malee, MORNING["malee"]["says"])
    scene.tap(malee, "handoff:urgent")
    things["urgent"] = scene.newest_case()


def _afterwards(scene: Scene) -> None:
    """Closed and rated; somebody barred; messages without an answer."""
    things = scene.things
    closed = scene.visitor("zh-TW")
    scene.say(closed, MORNING["closed"]["says"])
    things["closed"] = scene.wants_person(closed)
    scene.on_case("林小姐", things["closed"], "claim")
    scene.on_case("林小姐", things["closed"], "reply", text="您好，請看上面的說明。", id="e")
    scene.on_case("林小姐", things["closed"], "close", outcome="answered")
    scene.tap(closed, "rate:yes")
    scene.say(closed, MORNING["closed"]["rating"])
    rude = scene.visitor("zh-TW")
    scene.say(rude, MORNING["abuse"])
    things["barred"] = scene.wants_person(rude)
    scene.on_case("王小姐", things["barred"], "claim")
    scene.on_case("王小姐", things["barred"], "bar", why=MORNING["words"]["bar"])
    curious = scene.visitor("zh-TW")
    for text in MORNING["unanswered"]:
        scene.say(curious, text)
    scene.city.settle()


def _rest(scene: Scene) -> None:
    """Requests about personal data, days, sentences, accounts."""
    things, words, people = scene.things, MORNING["words"], scene.people

    def asked(case: str, kind: str, settled: bool = False) -> str:
        def write(connection: Connection) -> int:
            own_data.ask(connection, scene.conversation(case), DataRequest(kind, settled), "zh-TW")
            row = connection.one("SELECT max(id) AS id FROM privacy_requests")
            assert row is not None
            return int(row["id"])

        return str(scene.write(write))

    things["request"] = asked(things["mine"], "correct")
    things["request_of_another"] = asked(things["waiting"], "stop")
    things["settled"] = asked(things["closed"], "see", settled=True)
    held = scene.conversation(things["colleagues"])
    scene.write(lambda c: privacy.hold(c, held, people["吳先生"], words["hold"]))
    for day, state, reason in (("2026-11-26", "closed", words["day"]), ("2026-12-05", "open", words["make_up"])):
        scene.does("王小姐", "/desk/hours", day=day, state=state, spans="09:00-12:00", reason=reason)
    texts = {"zh-TW": words["phrase"]}
    things["own_phrase"] = asyncio.run(scene.store.phrases.keep("", 0, Wording(texts), people["王小姐"]))
    scene.does("王小姐", "/desk/phrases/doc.letter/retire", version="0")
    event = scene.rows(f"SELECT max(id) FROM inbox WHERE conversation_id = {scene.conversation(things['aimed'])}")[0][0]
    scene.write(lambda c: aside.put(c, event))
    _accounts(scene)


def _accounts(scene: Scene) -> None:
    """A code at every log-in, a second device, a closed account, one that is new, one that is connected elsewhere."""
    people = scene.people
    scene.hire(MORNING["left"], "agent")
    scene.hire(MORNING["newcomer"], "agent")
    scene.does("吳先生", f"/desk/people/{people[MORNING['left']]}/disable")
    scene.write(
        lambda c: c.execute("UPDATE staff SET must_change = 1 WHERE id = :id", {"id": people[MORNING["newcomer"]]})
    )
    hashes = [codes.recovery_hash(code) for code in codes.fresh_recovery()]
    scene.write(lambda c: second.want_second(c, people["王小姐"], SECRET))
    scene.write(lambda c: second.keep_second(c, people["王小姐"], SECRET, 1, hashes))
    scene.write(lambda c: second.want_second(c, people["張小姐"], SECRET))
    scene.write(
        lambda c: c.execute(
            "INSERT INTO staff_sessions (token_hash, staff_id, created_at, seen_at, confirmed_at)"
            f" VALUES (:token, :id, {NOW}, {NOW}, {NOW})",
            {"token": token_hash("another device"), "id": people["王小姐"]},
        )
    )
    scene.write(lambda c: identities.link(c, people["陳先生"], "http://127.0.0.1:1", "somebody"))


def halfway(scene: Scene) -> SetCookieParam:
    """The cookie of somebody who gave the right password and owes the code."""
    token = secrets.token_urlsafe(16)
    scene.write(lambda c: second.open_half(c, token_hash(token), scene.people["王小姐"], 300.0, BY_PASSWORD))
    return {"name": HALFWAY, "value": token, "domain": "127.0.0.1", "path": HALFWAY_PATH}
