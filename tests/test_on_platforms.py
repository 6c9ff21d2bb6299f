"""The whole house on both platforms: the main job in six languages, pitfalls that need all of it, files, moving on."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from conftest import MovingClock
from platforms.city import Before, City, running
from platforms.desk import Caseworker
from platforms.people import OnLine, OnTelegram, Person, Seen
from platforms.web import Visitor
from standins.line_account import RichMenu
from standins.line_events import PIXEL, redelivered, standby
from standins.line_http import CUT_AFTER
from standins.line_samples import menu
from tables import table

from bot import clock
from bot.channels import telegram_pace
from bot.desk import auth
from bot.pipeline import errands
from bot.pipeline.resources import Resources

PLATFORMS = ("line", "telegram")
JPEG = b"\xff\xd8\xff\xe0 a photo"
PUSHED = ["push", "push", "push"]
MANY = 10_000
DAY = 86_400.0
STORIES = table(Path(__file__).parent / "conversations" / "on-platforms.yaml")
SCRIPTS = {"zh-TW": re.compile(r"[\u4e00-\u9fff]"), "th": re.compile(r"[\u0e00-\u0e7f]")}
LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
OPEN = Callable[..., City]


@pytest.fixture
def open_city(resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OPEN]:
    """Opens the city, in which nobody waits without need; in the end no platform may have had a complaint.

    What only makes people wait is taken away: the pace at Telegram, the cost of a password, the pauses of errands.
    """
    monkeypatch.setattr(errands, "EVERY_SECONDS", 0.02)
    monkeypatch.setattr(telegram_pace, "BURST", MANY)
    monkeypatch.setattr(auth, "_hasher", PasswordHasher(1, 8, 1))
    with ExitStack() as stack:

        def opened(mode: str = "webhook", before: Before | None = None) -> City:
            more = {"before": before} if before else {}
            city: City = stack.enter_context(running(resources, tmp_path, mode, **more))
            stack.callback(lambda: _without_faults(city))
            return city

        yield opened


def _without_faults(city: City) -> None:
    assert city.faults == []


@pytest.fixture
def city(open_city: OPEN) -> City:
    """The city with both webhooks."""
    return open_city()


@pytest.fixture
def live_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The web chat's clock goes as that of the platforms does."""
    monkeypatch.setattr(MovingClock, "__call__", lambda self: clock.now())


def somebody(city: City, platform: str, lang: str = "zh-TW") -> Person:
    """A person on a platform, whose account is set to a language."""
    return OnLine(city, lang) if platform == "line" else OnTelegram(city, lang)


def texts(seen: list[Seen]) -> list[str]:
    """The words of messages; each platform parts paragraphs its own way."""
    return [re.sub(r"\n+", "\n", each.text) for each in seen]


def squeezed(text: str) -> str:
    """Without the blanks, which each platform sets its own way."""
    return "".join(text.split())


def with_case(city: City, person: Person) -> Caseworker:
    """The person asks for a person; a minute later this caseworker takes the case."""
    person.follow()
    person.say("我要找真人")
    city.pass_time(61)
    lin = Caseworker(city)
    lin.claim()
    person.news()
    return lin


# -- the main job


def told_in(lang: str, text: str) -> bool:
    """Do most letters belong to the script of the language? What stands in brackets is for showing at a counter."""
    spoken = re.sub(r"[(（][^)）]*[)）]", "", text)
    letters = [letter for letter in spoken if letter.isalpha()]
    script = SCRIPTS.get(lang, LATIN)
    return sum(bool(script.match(letter)) for letter in letters) > 0.6 * len(letters)


def check_in_full(person: Person, story: dict[str, Any]) -> list[Seen]:
    """The check, by what is typed and what is tapped, up to its result."""
    typed, tapped = dict(story["typed"]), dict(STORIES["tapped"])
    seen = person.tap("check:p15")
    while fact := person.asked:
        seen = person.say(typed.pop(fact)) if fact in typed else person.tap(f"answer:{fact}:{tapped.pop(fact)}")
    assert not typed, f"never asked: {typed}"
    return seen


def ask_and_check(city: City, person: Person, story: dict[str, Any]) -> list[Seen]:
    """From the first notice to the case."""
    lang = story["lang"]
    (first,) = person.follow()
    assert squeezed(first.text) == squeezed(city.resources.renderer.welcome(lang).text)
    said = [first, *(card := person.say(story["asks"]))]
    assert all(words in card[-1].text for words in story["card"]), card
    said += (aspect := person.tap(f"aspect:p15:{story['aspect']}"))
    assert all(words in aspect[-1].text for words in story["aspect_says"]), aspect
    said += (verdict := check_in_full(person, story))
    assert all(words in verdict[-1].text for words in story["verdict"]), verdict
    said += (case := person.say(story["wants_person"]))
    ((number,),) = city.rows("SELECT number FROM cases")
    assert number in case[-1].text
    return said


def tell(city: City, person: Person, story: dict[str, Any]) -> tuple[list[Seen], list[Seen]]:
    """The whole story; what the bot answered, and what came from the desk."""
    lang = story["lang"]
    answered = ask_and_check(city, person, story)
    city.pass_time(61)
    lin = Caseworker(city)
    lin.claim()
    lin.answer(story["caseworker"])
    lin.close()
    from_desk = person.news()
    claimed, closed = (city.words(lang, f"conversation.case_{how}", name="lin") for how in ("claimed", "closed"))
    assert texts(from_desk) == [claimed, story["caseworker"], f"{closed}\n{city.words(lang, 'conversation.case_rate')}"]
    last = person.say(story["asks_again"])
    assert all(words in last[0].text for words in story["again_says"]), last
    return [*answered, *last], from_desk


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("story", STORIES["people"], ids=lambda story: story["lang"])
def test_main_job(city: City, platform: str, story: dict[str, Any]) -> None:
    person = somebody(city, platform, lang=story["accounts"][platform])
    answered, from_desk = tell(city, person, story)
    assert [each.text for each in answered if not told_in(story["lang"], each.text)] == []
    assert city.spoken() == {story["lang"]}
    if platform == "line":
        assert {each.how for each in answered} == {"reply"}
        assert [each.how for each in from_desk] == PUSHED
        assert city.line.account.used == len(PUSHED)
        assert len({call.headers["x-line-retry-key"] for call in city.line.calls("push")}) == len(PUSHED)


@pytest.mark.slow
def test_main_job_where_telegram_is_asked_for_updates(open_city: OPEN) -> None:
    city = open_city("polling")
    story = STORIES["people"][1]
    tell(city, somebody(city, "telegram", lang="en"), story)


@pytest.mark.parametrize("tag", [None, "ja", "de-DE"])
def test_an_account_in_another_language_is_greeted_in_chinese_with_all_six_to_choose(
    city: City, tag: str | None
) -> None:
    person = OnLine(city, tag)
    (first,) = person.follow()
    assert squeezed(first.text) == squeezed(city.resources.renderer.welcome("zh-TW").text)
    assert {f"lang:{story['lang']}" for story in STORIES["people"]} <= set(first.choices)


def test_what_waited_at_telegram_is_taken_in_its_order(city: City) -> None:
    """A tap has no time of its own: after an outage it comes together with what was typed five minutes ago."""
    person = OnTelegram(city)
    person.follow()
    person.say("青年尋職津貼")
    city.telegram.clock.advance(-300)
    person.tap("check:p15")
    assert person.asked == "age"
    person.say("24歲")
    assert person.asked == "registered_in_city", person.everything()[-1].text


# -- pitfalls: once, in order, nothing lost


def test_pitfall_01_the_same_event_of_line_many_times_at_once_is_answered_once(city: City) -> None:
    person = OnLine(city)
    person.follow()
    event = city.line.events.text(person.id, "尋職津貼可以領多少")
    posts = [city.line.deliver_soon(event) for _ in range(5)]
    assert {post.result().status for post in posts} == {200}
    assert len(person.news()) == 1
    assert person.send(redelivered(event)) == []


def test_pitfall_01_the_same_update_of_telegram_many_times_at_once_is_answered_once(city: City) -> None:
    person = OnTelegram(city)
    person.follow()
    update, webhook = city.telegram.make.text(person.id, "尋職津貼可以領多少"), city.telegram.inbox.webhook
    assert webhook is not None

    async def at_once() -> list[int]:
        return await asyncio.gather(*(city.telegram.inbox.once(update, webhook) for _ in range(5)))

    assert set(asyncio.run(at_once())) == {200}
    assert len(person.news()) == 1
    assert person.send(update) == []


def test_pitfall_02_unsent_before_it_came_it_is_neither_kept_nor_answered(city: City) -> None:
    person = OnLine(city)
    person.follow()
    event = city.line.events.text(person.id, "我住在秘密路三段")
    assert person.send(city.line.events.unsend(person.id, event["message"]["id"])) == []
    assert person.send(event) == []
    assert person.send(redelivered(event)) == []
    assert "秘密路" not in city.kept()


def test_pitfall_02_unsent_after_its_answer_it_is_gone_everywhere(city: City) -> None:
    person = OnLine(city)
    person.follow()
    unclear = city.line.events.text(person.id, "秘密路的火星移民要怎麼辦")
    person.send(unclear)
    person.say("青年尋職津貼")
    person.tap("check:p15")
    age = city.line.events.text(person.id, "我今年24歲，住秘密路")
    person.send(age)
    person.say("我要找真人")
    lin = Caseworker(city)
    lin.claim()
    lin.answer("您說「我今年24歲，住秘密路」，我記下了。")
    assert lin.case().count("秘密路") == 4  # two lines, what was answered, and beside the age that was read in it
    assert city.rows("SELECT count(*) FROM facts WHERE fact = 'age'") == [(1,)]
    assert "秘密路" in str(city.rows("SELECT text FROM unanswered"))
    for event in (unclear, age):
        person.send(city.line.events.unsend(person.id, event["message"]["id"]))
        person.send(redelivered(event))
    assert "秘密路" not in city.kept()
    assert city.rows("SELECT count(*) FROM facts WHERE fact = 'age'") == [(0,)]
    page = lin.case()
    assert "秘密路" not in page
    assert page.count(city.resources.pages.words("zh-TW", "web.unsent")) >= 2


def test_pitfall_03_malformed_events_do_not_lose_their_neighbors(city: City) -> None:
    person = OnLine(city)
    person.follow()
    make = city.line.events
    bad: list[dict[str, Any]] = [
        {},
        {"type": "message"},
        make.text(person.id, "x") | {"timestamp": "now"},
        make.text(person.id, "x") | {"source": {"type": "moon"}},
        make.text(person.id, "x") | {"message": {"type": "text", "id": "1", "text": 7}},
        make.postback(person.id, "menu") | {"postback": None},
    ]
    first, second = make.text(person.id, "尋職津貼可以領多少"), make.text(person.id, "就業服務站在哪裡")
    seen = person.send(*bad[:3], first, *bad[3:], second)
    assert ["5,000元" in seen[0].text, "板橋" in seen[-1].text, len(seen)] == [True, True, 2]


# -- pitfalls: slow, without quota, unsure


def _busy(city: City, seconds: float) -> None:
    """No worker takes the conversation for so long."""
    city.change(
        "UPDATE conversations SET leased_until = leased_until + (julianday('now') - 2440587.5) * 86400 + ?", seconds
    )


def _free(city: City) -> None:
    city.change("UPDATE conversations SET leased_until = 0")


def test_pitfall_05_who_waits_long_is_told_and_a_tap_brings_the_answer(city: City) -> None:
    person = OnLine(city)
    person.follow()
    city.line.limit(200, used=200)
    _busy(city, 1000)
    city.line.deliver(city.line.events.text(person.id, "尋職津貼可以領多少"))
    city.pass_time(45)
    city.line.wait_for(person.id, 2)
    working = person.everything()[-1]
    assert working.text == city.words("zh-TW", "conversation.working")
    assert working.choices == ("more",)
    assert city.line.account.loadings == [(person.id, 20)]
    city.pass_time(30)
    city.line.deliver(city.line.tap(person.id, city.words("zh-TW", "conversation.choice.more")))
    _free(city)
    told, *answer = person.news()
    assert (told, len(answer)) == (working, 1)
    assert "5,000元" in answer[0].text
    assert {each.how for each in answer} == {"reply"}
    assert city.line.account.used == 200


def test_pitfall_05_an_answer_that_is_late_without_a_tap_is_pushed(city: City) -> None:
    person = OnLine(city)
    person.follow()
    _busy(city, 1000)
    city.line.deliver(city.line.events.text(person.id, "尋職津貼可以領多少"))
    city.pass_time(75)
    _free(city)
    (answer,) = person.news()
    assert ("5,000元" in answer.text, answer.how) == (True, "push")


def test_pitfall_05_without_quota_what_staff_wrote_is_kept_and_comes_with_the_next_answer(city: City) -> None:
    city.line.limit(200, used=200)
    person = OnLine(city)
    lin = with_case(city, person)
    lin.answer("請週三來板橋站")
    assert city.resources.pages.words("zh-TW", "desk.status_waiting") in lin.case()
    assert city.resources.pages.words("zh-TW", "desk.quota", left=0, limit=200) in lin.case()
    lin.close()
    assert person.news() == []
    calls = len(city.line.calls("reply"))
    seen = person.say("就業服務站在哪裡")
    claimed, closed = (city.words("zh-TW", f"conversation.case_{how}", name="lin") for how in ("claimed", "closed"))
    rate = city.words("zh-TW", "conversation.case_rate")
    assert texts(seen)[:3] == [claimed, "請週三來板橋站", f"{closed}\n{rate}"]
    assert "三重" in seen[3].text
    assert len(city.line.calls("reply")) == calls + 1
    assert city.line.account.used == 200
    assert city.rows("SELECT count(*) FROM messages WHERE status NOT IN ('sent', 'unsent')") == [(0,)]


def test_pitfall_06_an_answer_lost_on_the_way_and_then_409_counts_as_sent(city: City) -> None:
    person = OnLine(city)
    lin = with_case(city, person)
    city.line.next("push", CUT_AFTER)
    used = city.line.account.used
    lin.answer("請週三來板橋站")
    assert texts(person.news()) == ["請週三來板橋站"]
    first, second = city.line.calls("push")[-2:]
    assert first.headers["x-line-retry-key"] == second.headers["x-line-retry-key"]
    assert second.status == 409
    assert city.line.account.used == used + 1
    assert city.rows("SELECT status FROM messages WHERE author = 'staff'") == [("sent",)]


def test_pitfall_07_more_than_five_messages_wait_behind_see_more(city: City) -> None:
    city.line.limit(200, used=200)
    person = OnLine(city)
    lin = with_case(city, person)
    answers = [f"第{number}件事" for number in range(1, 9)]
    for answer in answers:
        lin.answer(answer)
    first = person.say("好")
    assert texts(first) == [city.words("zh-TW", "conversation.case_claimed", name="lin"), *answers[:4]]
    assert [each.choices[:1] for each in first] == [(), (), (), (), ("more",)]
    rest = person.tap("more")
    assert texts(rest) == answers[4:]
    assert {each.how for each in (*first, *rest)} == {"reply"}
    assert city.rows("SELECT count(*) FROM outbox WHERE state <> 'sent'") == [(0,)]


def test_pitfall_07_only_the_last_message_of_a_request_has_quick_replies(city: City) -> None:
    person = OnLine(city)
    person.say("老闆扣我的護照，也不付薪水，我想換雇主")
    person.tap("menu")
    person.tap("checks")
    sent = [call.document["messages"] for call in city.line.calls("reply")]
    assert [len(messages) for messages in sent] != [1] * len(sent)
    assert not any("quickReply" in message for messages in sent for message in messages[:-1])
    assert any("quickReply" in messages[-1] for messages in sent)


# -- pitfalls: people who block, write after days, in groups


@pytest.mark.parametrize("platform", PLATFORMS)
def test_pitfall_10_who_blocked_us_is_told_to_the_caseworker_and_gets_the_answer_later(
    city: City, platform: str
) -> None:
    person = somebody(city, platform)
    lin = with_case(city, person)
    words = city.resources.pages.words("zh-TW", "desk.blocked")
    assert words not in lin.case()
    person.block()
    assert words in lin.case()
    pushes, sends = len(city.line.calls("push")), len(city.telegram.called("sendMessage"))
    lin.answer("請週三來板橋站")
    assert (len(city.line.calls("push")), len(city.telegram.called("sendMessage"))) == (pushes, sends)
    assert city.resources.pages.words("zh-TW", "desk.status_waiting") in lin.case()
    assert "請週三來板橋站" in texts(person.come_back())
    assert words not in lin.case()


def test_pitfall_10_telegram_says_only_when_we_send_that_we_are_blocked(city: City) -> None:
    person = OnTelegram(city)
    lin = with_case(city, person)
    city.telegram.block(person.id)
    lin.answer("請週三來板橋站")
    assert city.resources.pages.words("zh-TW", "desk.blocked") in lin.case()
    assert texts(person.come_back()).count("請週三來板橋站") == 1


def test_pitfall_11_after_days_a_caseworker_pushes_and_sees_the_quota(open_city: OPEN) -> None:
    city = open_city(before=lambda line, telegram: line.limit(200, used=17))
    person = OnLine(city)
    lin = with_case(city, person)
    city.pass_time(3 * DAY)
    assert city.resources.pages.words("zh-TW", "desk.quota", left=182, limit=200) in lin.case()
    lin.answer("請週三來板橋站")
    (seen,) = person.news()
    assert (seen.text, seen.how) == ("請週三來板橋站", "push")
    assert uuid.UUID(city.line.calls("push")[-1].headers["x-line-retry-key"])
    assert city.resources.pages.words("zh-TW", "desk.quota", left=181, limit=200) in lin.queue()


def test_pitfall_13_in_a_group_of_line_only_a_mention_is_answered_and_no_case_is_discussed(city: City) -> None:
    person = OnLine(city)
    group = city.line.group("coworkers", person.id, city.line.user("Binh"))
    make = city.line.events

    def heard(*events: dict[str, Any]) -> list[str]:
        before = len(city.line.texts(group))
        person.send(*events)
        assert person.everything() == []
        return city.line.texts(group)[before:]

    assert heard(make.join(group)) == [city.words("zh-TW", "conversation.group_joined")]
    assert heard(make.text(person.id, "尋職津貼可以領多少", group=group)) == []
    assert heard(make.postback(person.id, "handoff", group=group)) == []
    assert heard(make.image(person.id, group=group)) == []
    (answer,) = heard(make.text(person.id, "@bot 尋職津貼可以領多少", group=group, mentions=["@bot"]))
    assert "5,000" in answer
    private = city.words("zh-TW", "conversation.group_private")
    assert heard(make.text(person.id, "@bot 我要找真人", group=group, mentions=["@bot"])) == [private]
    assert city.line.buttons(group) == []
    assert city.rows("SELECT count(*) FROM cases") == [(0,)]


def test_pitfall_13_in_a_group_of_telegram_only_a_mention_is_answered_and_no_case_is_discussed(city: City) -> None:
    person = OnTelegram(city)
    group, make = city.telegram.world.group(-1001, "Coworkers").id, city.telegram.make

    def heard(update: dict[str, Any]) -> list[str]:
        before = len(city.telegram.chat(group).texts)
        person.send(update)
        assert person.everything() == []
        return city.telegram.chat(group).texts[before:]

    assert heard(make.member(person.id, present=True, chat=group)) == [city.words("zh-TW", "conversation.group_joined")]
    assert heard(make.text(person.id, "尋職津貼可以領多少", chat=group)) == []
    assert heard(make.photo(person.id, chat=group)) == []
    (answer,) = heard(make.mention(person.id, group, "尋職津貼可以領多少"))
    assert "5,000" in answer
    private = city.words("zh-TW", "conversation.group_private")
    assert heard(make.mention(person.id, group, "我要找真人")) == [private]
    assert city.telegram.chat(group).rows == ()
    assert city.rows("SELECT count(*) FROM cases") == [(0,)]


# -- pitfalls: edits, other programs, chats that move


def test_pitfall_14_staff_see_both_versions_of_an_edit_on_telegram(city: City) -> None:
    person = OnTelegram(city)
    lin = with_case(city, person)
    update = city.telegram.make.text(person.id, "合約到三月底")
    assert person.send(update) == []
    assert person.send(city.telegram.make.edited(update, "合約到四月底")) == []
    page = lin.case()
    assert ("合約到三月底" in page, "合約到四月底" in page) == (True, True)
    assert city.resources.pages.words("zh-TW", "web.edited") in page


def test_pitfall_14_staff_see_only_the_new_version_of_an_edit_on_line(city: City) -> None:
    person = OnLine(city)
    lin = with_case(city, person)
    event = city.line.events.text(person.id, "合約到三月底")
    assert person.send(event) == []
    assert person.send(city.line.events.edited(person.id, event["message"]["id"], "合約到四月底", group="")) == []
    assert person.send(redelivered(event)) == []
    page = lin.case()
    assert ("合約到三月底" in page, "合約到四月底" in page) == (False, True)
    assert "合約到三月底" not in city.kept()


def test_pitfall_15_while_another_program_answers_we_keep_what_is_said_and_are_silent(city: City) -> None:
    person = OnLine(city)
    person.follow()
    assert person.send(standby(city.line.events.text(person.id, "尋職津貼可以領多少"))) == []
    assert "尋職津貼可以領多少" in str(city.rows("SELECT body FROM messages WHERE author = 'citizen'"))
    assert city.rows("SELECT count(*) FROM outbox WHERE state <> 'sent'") == [(0,)]
    assert person.say("就業服務站在哪裡") != []


def test_pitfall_18_a_group_that_gets_another_id_is_answered_there(city: City) -> None:
    person, old, new = OnTelegram(city), -55, -1_000_000_055
    city.telegram.world.group(old, "Coworkers", plain=True)
    make = city.telegram.make
    asked = make.mention(person.id, old, "尋職津貼可以領多少")
    leaving, coming = make.migrate(person.id, old, new)
    person.send(asked)  # its answer meets the move
    assert "5,000" in city.telegram.chat(new).texts[-1]
    person.send(leaving, coming, make.mention(person.id, new, "就業服務站在哪裡"))
    assert "板橋" in city.telegram.chat(new).texts[-1]
    assert city.telegram.chat(old).texts == []
    assert city.rows("SELECT user_id FROM addresses") == [(str(new),)]


def test_pitfall_18_an_update_without_a_sender_changes_nothing(city: City) -> None:
    city.telegram.inbox.allowed = None  # Telegram sends every kind
    update = city.telegram.make.channel_post(-1009, "尋職津貼可以領多少")
    assert city.telegram.deliver(update).taken
    city.settle()
    assert city.rows("SELECT count(*) FROM conversations") == [(0,)]
    assert city.telegram.called("sendMessage") == []


# -- files, voices, places


@pytest.mark.parametrize(
    ("platform", "content", "mime"), [("line", PIXEL, "image/png"), ("telegram", JPEG, "image/jpeg")]
)
def test_a_photo_for_an_open_case_is_for_its_holder_only(city: City, platform: str, content: bytes, mime: str) -> None:
    person = somebody(city, platform)
    person.follow()
    person.say("我要找真人")
    (told,) = person.photo(content)
    assert told.text == city.words("zh-TW", "conversation.file_kept")
    lin, chen = Caseworker(city), Caseworker(city, "chen")
    assert (lin.files(), lin.get("/desk/files/1").status_code) == ([], 403)
    lin.claim()
    (path,) = lin.files()
    opened = lin.get(path)
    assert (opened.content, opened.headers["content-type"]) == (content, mime)
    assert opened.headers["cache-control"] == "no-store"
    assert (chen.get("/desk/cases/1").status_code, chen.get(path).status_code) == (403, 403)
    lin.close()
    assert lin.get(path).status_code == 403
    assert person.city.rows("SELECT count(*) FROM attachments WHERE ref <> ''") == [(0,)]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_file_of_another_kind_or_too_large_is_refused_with_the_reason(city: City, platform: str) -> None:
    person = somebody(city, platform)
    lin = with_case(city, person)
    (wrong,) = person.document(b"MZ\x90 a program")
    assert wrong.text == city.words("zh-TW", "conversation.file_type")
    (large,) = person.document(b"%PDF-1.7" + b" " * 10_000_000)
    assert large.text == city.words("zh-TW", "conversation.file_large", limit="10")
    assert lin.files() == []
    assert lin.case().count(city.resources.pages.words("zh-TW", "desk.file_refused")) == 2
    assert city.rows("SELECT count(*) FROM attachments WHERE body IS NOT NULL") == [(0,)]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_photo_without_a_case_is_not_fetched_and_a_way_is_shown(city: City, platform: str) -> None:
    person = somebody(city, platform)
    person.follow()
    (told,) = person.photo(JPEG)
    assert told.text == city.words("zh-TW", "conversation.file_no_case")
    assert "handoff" in told.choices
    assert city.line.calls("content") == []
    assert city.telegram.called("getFile") == []


def test_what_is_written_under_a_photo_is_answered_too(city: City) -> None:
    person = OnTelegram(city)
    person.follow()
    told, answer = person.send(city.telegram.make.photo(person.id, JPEG, caption="尋職津貼可以領多少"))
    assert told.text == city.words("zh-TW", "conversation.file_no_case")
    assert "5,000元" in answer.text


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("kind", ["voice", "sticker", "place"])
def test_what_is_no_text_gets_a_helpful_answer(city: City, platform: str, kind: str) -> None:
    person = somebody(city, platform)
    person.follow()
    seen = person.without_words(kind)
    assert seen[0].text == city.words("zh-TW", f"conversation.{kind}")
    assert city.rows("SELECT count(*) FROM cases") == [(int(kind == "voice"),)]
    if kind == "place":
        assert "板橋" in seen[1].text


def test_the_last_message_is_withdrawn_on_telegram(city: City) -> None:
    person = OnTelegram(city)
    lin = with_case(city, person)
    person.say("我住在秘密路三段")
    assert "秘密路" in lin.case()
    withdraw = city.telegram.make.command
    (told,) = person.send(withdraw(person.id, "withdraw"))
    assert told.text == city.words("zh-TW", "conversation.withdrawn")
    assert "秘密路" not in lin.case()
    assert "秘密路" not in city.kept()
    while (told := person.send(withdraw(person.id, "withdraw"))[0]).text == city.words(
        "zh-TW", "conversation.withdrawn"
    ):
        continue
    assert told.text == city.words("zh-TW", "conversation.nothing_to_withdraw")


# -- moving on


TELEGRAM_LINK = "https://t.me/standin_test_bot?start="


def offered_to(visitor: Visitor) -> str:
    """A fresh token for Telegram, as the web chat offers it."""
    visitor.tap("move")
    return visitor.links(TELEGRAM_LINK)[-1].removeprefix(TELEGRAM_LINK)


@pytest.mark.usefixtures("live_clock")
def test_a_conversation_goes_on_from_the_web_on_telegram(city: City) -> None:
    visitor, person = Visitor(city), OnTelegram(city)
    visitor.tap("check:p15")
    visitor.say("24歲")
    token = offered_to(visitor)
    seen = person.resume(token)
    assert seen[-1].text == city.words("zh-TW", "conversation.moved")
    assert city.words("zh-TW", "conversation.moved_away") in visitor.page()
    person.tap("continue")
    assert person.asked == "registered_in_city"
    assert "24" in str(city.rows("SELECT value FROM facts WHERE fact = 'age'"))
    assert city.rows("SELECT count(*) FROM conversations") == [(1,)]
    stranger = OnTelegram(city, number=7002)
    again = stranger.resume(token)
    assert again[-1].text == city.words("zh-TW", "conversation.move_expired")


@pytest.mark.usefixtures("live_clock")
def test_a_conversation_goes_on_from_telegram_on_the_web(city: City) -> None:
    person, visitor = OnTelegram(city), Visitor(city)
    person.follow()
    person.say("尋職津貼可以領多少")
    person.tap("menu")
    (offer,) = person.tap("move")
    (link,) = [each for each in offer.links if each.startswith(city.url)]
    page = visitor.follow(link)
    assert "尋職津貼可以領多少" in page
    assert city.words("zh-TW", "conversation.moved") in page
    assert texts(person.news()) == [city.words("zh-TW", "conversation.moved_away")]
    assert city.words("zh-TW", "conversation.move_expired") in Visitor(city).follow(link)
    visitor.say("就業服務站在哪裡")
    assert "板橋" in visitor.page()
    assert person.news() == []


def test_a_conversation_goes_on_from_telegram_on_line(city: City) -> None:
    person, friend = OnTelegram(city), OnLine(city)
    person.follow()
    person.say("我要找真人")
    person.tap("menu")
    (offer,) = person.tap("move")
    (link,) = [each for each in offer.links if each.startswith("https://line.me/")]
    seen = friend.say(f"resume {link.rpartition('%20')[2]}")
    assert texts(seen) == [city.words("zh-TW", "conversation.moved")]
    assert texts(person.news()) == [city.words("zh-TW", "conversation.moved_away")]
    lin = Caseworker(city)
    lin.claim()
    lin.answer("請週三來板橋站")
    assert texts(friend.news())[-1] == "請週三來板橋站"
    assert person.news() == []


@pytest.mark.usefixtures("live_clock")
def test_a_resume_link_ends_after_ten_minutes(city: City) -> None:
    visitor, person = Visitor(city), OnTelegram(city)
    visitor.say("尋職津貼可以領多少")
    token = offered_to(visitor)
    city.pass_time(601)
    seen = person.resume(token)
    assert seen[-1].text == city.words("zh-TW", "conversation.move_expired")
    assert city.words("zh-TW", "conversation.moved_away") not in visitor.page()


@pytest.mark.usefixtures("live_clock")
def test_where_a_conversation_is_already_no_other_is_moved_and_the_link_stays_good(city: City) -> None:
    visitor, person, empty = Visitor(city), OnTelegram(city), OnTelegram(city, number=7002)
    visitor.say("尋職津貼可以領多少")
    person.say("就業服務站在哪裡")
    token = offered_to(visitor)
    seen = person.resume(token)
    assert seen[-1].text == city.words("zh-TW", "conversation.move_busy")
    moved = empty.resume(token)
    assert moved[-1].text == city.words("zh-TW", "conversation.moved")


def test_the_rich_menu_follows_the_language(open_city: OPEN) -> None:
    names = {"labor-bot/vi/x": "vi-menu", "labor-bot/zh-TW/y": "zh-menu"}

    def menus(line: Any, telegram: Any) -> None:
        for name, number in names.items():
            line.account.menus.known[number] = RichMenu(number, menu(name=name), b"png", "image/png")

    city = open_city(before=menus)
    person = OnLine(city, "vi")
    person.follow()
    assert city.line.account.menus.shown(person.id) == "vi-menu"
    person.tap("lang:zh-TW")
    assert city.line.account.menus.shown(person.id) == "zh-menu"
