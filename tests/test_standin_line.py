"""The stand-in of LINE against the real SDK: good requests pass, each limit refuses, troubles are those of LINE."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import ModuleType
from typing import Any

import aiohttp
import httpx
import pytest
from standins import line_http, line_schema
from standins.line import Standin
from standins.line_delivery import ERROR_STATUS, TIMEOUT, UNREACHABLE
from standins.line_events import Event, redelivered, standby
from standins.line_http import CUT, CUT_AFTER, MONTHLY_LIMIT, RATE_LIMIT, SERVER_ERROR, SERVER_ERROR_AFTER, slow
from standins.line_limits import LIMITS, WHOLE, Limit, Unit, check
from standins.line_samples import BROKEN, GOOD, Message, bubble, flex, menu, png, quick, tap, text
from standins.units import graphemes, utf16

KEY = "123e4567-e89b-12d3-a456-426614174000"
Api = Any


@pytest.fixture(scope="module")
def sdk() -> ModuleType:
    """LINE's SDK, which takes its time to load."""
    import linebot.v3.messaging

    return linebot.v3.messaging


@pytest.fixture(scope="module")
def api(sdk: ModuleType) -> Iterator[Api]:
    """The SDK's asynchronous client, once: it takes long to make. Its blob client and its loop are at hand too."""
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("NO_PROXY", "127.0.0.1")  # the SDK heeds a proxy of the environment even for this machine

        async def make() -> Api:
            return sdk.AsyncApiClient(sdk.Configuration(access_token="-", host="-"))

        client = runner.run(make())
        found = sdk.AsyncMessagingApi(client)
        found.blob, found.runner = sdk.AsyncMessagingApiBlob(client), runner
        yield found
        runner.run(client.close())


@pytest.fixture(scope="module")
def shared() -> Iterator[Standin]:
    """For tests that leave nothing behind but faults and a log."""
    with Standin() as standin:
        yield standin


@pytest.fixture
def line() -> Iterator[Standin]:
    with Standin() as standin:
        yield standin


@pytest.fixture
def call(line: Standin, api: Api, sdk: ModuleType) -> Callable[[Callable[[Api], Awaitable[Any]]], Any]:
    """Does something with the SDK."""
    api.api_client.configuration = sdk.Configuration(access_token=line.token, host=line.url)

    async def calling(work: Callable[[Api], Awaitable[Any]]) -> Any:
        return await work(api)

    return lambda work: api.runner.run(calling(work))


@pytest.fixture
def push(line: Standin, call: Any, sdk: ModuleType) -> Callable[..., Any]:
    """Pushes a text; the answer with status and headers."""

    def pushing(to: str, words: str = "hi", key: str | None = None) -> Any:
        request = sdk.PushMessageRequest(to=to, messages=[sdk.TextMessage(text=words)])
        key = key or str(uuid.uuid4())
        return call(lambda api: api.push_message_with_http_info(request, x_line_retry_key=key))

    return pushing


@pytest.fixture
def reply(call: Any, sdk: ModuleType) -> Callable[..., Any]:
    """Replies with a text."""

    def replying(token: str, words: str = "hi") -> Any:
        request = sdk.ReplyMessageRequest(reply_token=token, messages=[sdk.TextMessage(text=words)])
        return call(lambda api: api.reply_message(request))

    return replying


def refused(line: Standin, *messages: Any, **more: Any) -> httpx.Response:
    """A push made by hand, as no SDK would let it out."""
    body = {"to": line.user("An"), "messages": list(messages), **more}
    return raw(line, "POST", "/v2/bot/message/push", json=body)


def raw(line: Standin, method: str, path: str, **more: Any) -> httpx.Response:
    """A request by hand."""
    with httpx.Client(verify=False, trust_env=False, base_url=line.url) as client:
        return client.request(method, path, headers={"authorization": f"Bearer {line.token}"}, **more)


def status(error: pytest.ExceptionInfo[Any]) -> tuple[int, str]:
    """Status and message of what the SDK raised."""
    return error.value.status, json.loads(error.value.body)["message"]


# messages


def test_a_reply_and_a_push_of_the_sdk_conform_and_arrive_in_order(
    line: Standin, call: Any, push: Any, sdk: ModuleType
) -> None:
    an = line.user("An")
    event = line.events.text(an, "你好")
    buttons = sdk.QuickReply(
        items=[sdk.QuickReplyItem(action=sdk.PostbackAction(label="Có", data="yes", display_text="Có"))]
    )
    box = sdk.FlexBox(
        layout="vertical", contents=[sdk.FlexText(text="t", wrap=True), sdk.FlexButton(action=buttons.items[0].action)]
    )
    card = sdk.FlexMessage(alt_text="card", contents=sdk.FlexBubble(body=box), quick_reply=buttons)
    request = sdk.ReplyMessageRequest(reply_token=event["replyToken"], messages=[sdk.TextMessage(text="one"), card])
    answer = call(lambda api: api.reply_message(request))
    push(an, "three")
    assert len({each.id for each in answer.sent_messages}) == 2
    assert line.texts(an) == ["one", "card", "three"]
    assert [each.how for each in line.received(an)] == ["reply", "reply", "push"]
    assert line.faults == []


@pytest.mark.parametrize("message", GOOD, ids=lambda each: f"{each['type']}-{len(str(each))}")
def test_what_is_at_the_limit_is_taken(shared: Standin, message: Message) -> None:
    shared.faults.clear()
    answer = refused(shared, message)
    assert (answer.status_code, shared.refused) == (200, []), answer.text


@pytest.mark.parametrize(("message", "where"), BROKEN, ids=lambda each: each if isinstance(each, str) else "")
def test_each_broken_limit_is_refused_without_the_vendors_schema(
    shared: Standin, message: Message, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_http, "load", lambda name: None)
    shared.faults.clear()
    before = len(shared.received())
    answer = refused(shared, message)
    assert answer.status_code == 400
    assert f"messages[0].{where}" in [fault.path for fault in shared.refused]
    assert len(shared.received()) == before
    assert answer.json()["details"]


@pytest.mark.parametrize(
    "limit", [each for each in LIMITS if each.field != WHOLE], ids=lambda each: f"{each.kind}.{each.field}"
)
def test_each_row_of_the_table_takes_its_most_and_not_one_more(limit: Limit) -> None:
    def filled(size: int) -> Any:
        return {Unit.ITEMS: [{}] * size, Unit.VALUE: size}.get(limit.unit, "x" * size)

    def wrong(size: int) -> bool:
        return any(each.path == limit.field for each in check(limit.kind, {limit.field: filled(size)}, ""))

    if limit.most < 10_000:
        assert wrong(limit.most + 1)
        assert not wrong(limit.most)
    if limit.least:
        assert wrong(limit.least - 1)
    assert limit.source


def test_five_messages_pass_and_none_or_six_are_refused(line: Standin) -> None:
    assert refused(line, *[text()] * 5).status_code == 200
    assert refused(line, *[text()] * 6).json()["details"][0]["property"] == "messages"
    assert refused(line).status_code == 400


def test_a_flex_fault_is_told_as_line_tells_it(line: Standin) -> None:
    answer = refused(line, text(), flex(bubble({"type": "text", "text": ""})))
    assert answer.json()["message"] == "A message (messages[1]) in the request body is invalid"
    assert answer.json()["details"][0] == {
        "message": "May not be empty",
        "property": "/contents/body/contents/0/text",
    }


def test_lost_quick_replies_and_unknown_keys_are_noted_though_line_takes_them(line: Standin) -> None:
    assert refused(line, quick(tap()), text(sparkle=True)).status_code == 200
    assert "messages[0].quickReply" in [fault.path for fault in line.faults]
    if line_schema.load("messaging-api"):
        assert "messages[1].sparkle" in [fault.path for fault in line.faults]
    assert line.refused == []


def test_too_large_and_unreadable_bodies(line: Standin) -> None:
    assert refused(line, text("x" * 2_100_000)).status_code == 413
    assert raw(line, "POST", "/v2/bot/message/push", content=b"{").status_code == 400


def test_units_count_as_line_does() -> None:
    assert (utf16("😀漢"), graphemes("😀漢")) == (3, 2)
    assert [graphemes(each) for each in ("👨‍👩‍👧", "🇹🇼🇻🇳", "น้ำ", "ကျွန်ုပ်", "각", "Đẩ")] == [1, 2, 1, 3, 1, 2]


def test_the_vendors_schema_refuses_what_the_table_does_not_know(line: Standin) -> None:
    if line_schema.load("messaging-api") is None:
        pytest.skip("the vendor's schema is not beside this repository")
    answer = refused(line, flex(bubble(direction="upwards")))
    assert (answer.status_code, line.refused[0].source) == (400, "schema")
    assert refused(line, flex(bubble({"type": "text", "text": "t", "wrap": "yes"}))).status_code == 400


# tokens, keys, quota


def test_a_reply_token_is_good_once(line: Standin, reply: Any, sdk: ModuleType) -> None:
    token = line.events.text(line.user("An"), "hi")["replyToken"]
    reply(token)
    for bad in (token, "made-up"):
        with pytest.raises(sdk.ApiException) as error:
            reply(bad)
        assert status(error) == (400, "Invalid reply token")


def test_a_reply_token_expires_and_redelivery_renews_it_for_twenty_minutes(
    line: Standin, reply: Any, sdk: ModuleType
) -> None:
    events = [line.events.text(line.user("An"), "hi") for _ in range(2)]
    line.clock.advance(61)
    with pytest.raises(sdk.ApiException):
        reply(events[0]["replyToken"])
    line.signed(redelivered(events[0]))
    reply(events[0]["replyToken"])
    line.clock.advance(20 * 60)
    line.signed(redelivered(events[1]))
    with pytest.raises(sdk.ApiException):
        reply(events[1]["replyToken"])


def test_a_refused_body_leaves_the_reply_token_good(line: Standin, reply: Any) -> None:
    token = line.events.text(line.user("An"), "hi")["replyToken"]
    body = {"replyToken": token, "messages": [text("")]}
    assert raw(line, "POST", "/v2/bot/message/reply", json=body).status_code == 400
    reply(token)


def test_a_retry_key_is_accepted_once_a_day(line: Standin, push: Any, sdk: ModuleType) -> None:
    an = line.user("An")
    first = push(an, key=KEY)
    with pytest.raises(sdk.ApiException) as error:
        push(an, key=KEY.upper())
    assert status(error) == (409, "The retry key is already accepted")
    assert error.value.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert json.loads(error.value.body)["sentMessages"][0]["id"] == first.data.sent_messages[0].id
    assert line.texts(an) == ["hi"]
    line.clock.advance(24 * 3600)
    push(an, key=KEY)
    assert line.texts(an) == ["hi", "hi"]
    assert line.faults == []


def test_a_retry_key_is_misused(line: Standin, push: Any, sdk: ModuleType) -> None:
    an = line.user("An")
    with pytest.raises(sdk.ApiException):
        push(an, key="no-uuid")
    push(an, "one", KEY)
    with pytest.raises(sdk.ApiException):
        push(an, "two", KEY)
    assert [fault.message for fault in line.faults] == ["must be a UUID", "this key was used for another body"]
    with httpx.Client(verify=False, trust_env=False) as client:
        headers = {"authorization": f"Bearer {line.token}", "x-line-retry-key": KEY}
        assert client.get(f"{line.url}/v2/bot/info", headers=headers).status_code == 400


def test_the_quota_counts_people_and_ends(line: Standin, call: Any, push: Any, reply: Any, sdk: ModuleType) -> None:
    an, binh, gone = line.user("An"), line.user("Bình"), line.user("gone")
    group = line.group("workers", an, binh)
    line.block(gone)
    line.limit(3)
    push(gone)
    push(group)
    push(an)
    with pytest.raises(sdk.ApiException) as error:
        push(an)
    assert status(error) == (429, MONTHLY_LIMIT)
    reply(line.events.text(an, "hi")["replyToken"])
    quota, used = call(lambda api: asyncio.gather(api.get_message_quota(), api.get_message_quota_consumption()))
    assert (quota.type, quota.value, used.total_usage) == ("limited", 3, 3)
    assert line.received(gone) == []
    assert [each.to for each in line.received()] == [group, an, an]


def test_a_stranger_cannot_be_pushed_to(line: Standin, push: Any, sdk: ModuleType) -> None:
    with pytest.raises(sdk.ApiException) as error:
        push("U" + "0" * 32)
    assert error.value.status == 400
    assert line.refused[0].path == "to"


# troubles


def test_errors_are_answered_when_ordered_and_once_each(line: Standin, push: Any, sdk: ModuleType) -> None:
    an = line.user("An")
    line.next("push", SERVER_ERROR, RATE_LIMIT)
    for expected in (500, 429):
        with pytest.raises(sdk.ApiException) as error:
            push(an, key=KEY)
        assert error.value.status == expected
    assert push(an, key=KEY).status_code == 200
    assert [call.status for call in line.calls("push")] == [500, 429, 200]


def test_an_error_after_the_work_makes_the_repeat_a_409(line: Standin, push: Any, sdk: ModuleType) -> None:
    an = line.user("An")
    line.next("push", SERVER_ERROR_AFTER)
    codes = []
    for _ in range(2):
        with pytest.raises(sdk.ApiException) as error:
            push(an, key=KEY)
        codes.append(error.value.status)
    assert (codes, line.texts(an)) == ([500, 409], ["hi"])


@pytest.mark.parametrize(("trouble", "arrives"), [(CUT, False), (CUT_AFTER, True)])
def test_a_cut_connection(line: Standin, reply: Any, trouble: Any, arrives: bool) -> None:
    an = line.user("An")
    token = line.events.text(an, "hi")["replyToken"]
    line.next("reply", trouble)
    with pytest.raises(aiohttp.ClientError):
        reply(token)
    assert bool(line.received(an)) is arrives


def test_a_slow_answer_comes_after_the_work(line: Standin, call: Any, sdk: ModuleType) -> None:
    token = line.events.text(line.user("An"), "hi")["replyToken"]
    request = sdk.ReplyMessageRequest(reply_token=token, messages=[sdk.TextMessage(text="late")])
    line.next("reply", slow(5))
    with pytest.raises(TimeoutError):
        call(lambda api: api.reply_message(request, _request_timeout=0.2))
    assert line.texts(line.user("An")) == ["late"]


def test_an_outage_lasts_until_it_is_over(line: Standin, push: Any, sdk: ModuleType) -> None:
    line.outage(SERVER_ERROR)
    for _ in range(2):
        with pytest.raises(sdk.ApiException):
            push(line.user("An"))
    line.outage(None)
    push(line.user("An"))


def test_a_revoked_token_and_documented_rates(line: Standin, push: Any, call: Any, sdk: ModuleType) -> None:
    line.account._calls["loading"].extend([line.clock()] * 100)
    with pytest.raises(sdk.ApiException) as error:
        call(lambda api: api.show_loading_animation(sdk.ShowLoadingAnimationRequest(chat_id=line.user("An"))))
    assert error.value.status == 429
    line.revoke()
    with pytest.raises(sdk.ApiException) as error:
        push(line.user("An"))
    assert error.value.status == 401


# the other endpoints


def test_loading_profile_and_info(line: Standin, call: Any, sdk: ModuleType) -> None:
    an, shy = line.user("An", language="vi"), line.user("shy", consents=False)
    ask = sdk.ShowLoadingAnimationRequest
    answer = call(lambda api: api.show_loading_animation_with_http_info(ask(chat_id=an, loading_seconds=10)))
    assert (answer.status_code, line.account.loadings) == (202, [(an, 10)])
    for wrong in (ask(chat_id=an, loading_seconds=7), ask(chat_id=line.group("workers"))):
        with pytest.raises(sdk.ApiException):
            call(lambda api, wrong=wrong: api.show_loading_animation(wrong))
    assert call(lambda api: api.get_profile(an)).language == "vi"
    with pytest.raises(sdk.ApiException) as error:
        call(lambda api: api.get_profile(shy))
    assert error.value.status == 404
    assert call(lambda api: api.get_bot_info()).user_id == line.account.bot_id


def test_contents_are_got_once_prepared_until_they_are_gone(line: Standin, call: Any, sdk: ModuleType) -> None:
    picture = line.events.image(line.user("An"), b"\x89PNG")["message"]["id"]
    voice = line.events.audio(line.user("An"), b"voice")["message"]["id"]
    assert bytes(call(lambda api: api.blob.get_message_content(picture))) == b"\x89PNG"
    assert call(lambda api: api.blob.get_message_content_with_http_info(voice)).status_code == 202
    state = call(lambda api: api.blob.get_message_content_transcoding_by_message_id(voice))
    assert state.status == "processing"
    line.ready(voice)
    assert bytes(call(lambda api: api.blob.get_message_content(voice))) == b"voice"
    line.expire(voice)
    with pytest.raises(sdk.ApiException) as error:
        call(lambda api: api.blob.get_message_content(voice))
    assert error.value.status == 404


def test_a_rich_menu_from_its_making_to_its_end(line: Standin, call: Any, sdk: ModuleType) -> None:
    an = line.user("An")
    request = sdk.RichMenuRequest.from_dict(menu())
    made = call(lambda api: api.create_rich_menu(request)).rich_menu_id
    with pytest.raises(sdk.ApiException) as error:
        call(lambda api: api.link_rich_menu_id_to_user(an, made))
    assert error.value.status == 400

    async def rest(api: Api) -> None:
        picture = {"_headers": {"Content-Type": "image/png"}}
        await api.blob.set_rich_menu_image(made, body=png(2500, 843), **picture)
        await api.set_default_rich_menu(made)
        await api.link_rich_menu_id_to_user(an, made)
        await api.create_rich_menu_alias(sdk.CreateRichMenuAliasRequest(rich_menu_alias_id="vi", rich_menu_id=made))
        assert [each.rich_menu_id for each in (await api.get_rich_menu_list()).richmenus] == [made]
        assert (await api.get_rich_menu_id_of_user(an)).rich_menu_id == made
        assert (await api.get_rich_menu_alias("vi")).rich_menu_id == made
        await api.unlink_rich_menu_id_from_user(an)
        await api.delete_rich_menu_alias("vi")
        await api.delete_rich_menu(made)

    call(rest)
    assert line.account.menus.shown(an) is None


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (menu(700, 300), "size.width"),
        (menu(2500, 200), "size.height"),
        (menu(1000, 900), "size"),
        (menu(chatBarText="x" * 15), "chatBarText"),
        (menu(name="x" * 301), "name"),
        (menu(areas=menu()["areas"] * 21), "areas"),
        (menu(1200, 800, areas=menu()["areas"]), "areas[0].bounds"),
    ],
)
def test_a_rich_menu_has_limits(line: Standin, wrong: Message, where: str) -> None:
    assert raw(line, "POST", "/v2/bot/richmenu", json=wrong).status_code == 400
    assert where in [fault.path for fault in line.refused]


def test_a_rich_menu_picture_must_fit(line: Standin) -> None:
    made = raw(line, "POST", "/v2/bot/richmenu", json=menu()).json()["richMenuId"]
    with httpx.Client(verify=False, trust_env=False, base_url=line.url) as client:
        for body, kind, code in (
            (png(2500, 1686), "image/png", 400),
            (b"\0" * 1_100_000, "image/png", 413),
            (b"GIF89a", "image/gif", 415),
        ):
            headers = {"authorization": f"Bearer {line.token}", "content-type": kind}
            answer = client.post(f"/v2/bot/richmenu/{made}/content", content=body, headers=headers)
            assert answer.status_code == code


def test_tokens_are_issued_verified_and_end(line: Standin) -> None:
    import linebot.v3.oauth as oauth

    async def work() -> tuple[str, int]:
        async with oauth.AsyncApiClient(oauth.Configuration(host=line.url)) as client:
            api = oauth.AsyncChannelAccessToken(client)
            issued = await api.issue_stateless_channel_token_by_client_secret(client_id="1", client_secret=line.secret)
            verified = await api.verify_channel_token_by_jwt(access_token=issued.access_token)
            return issued.access_token, verified.expires_in

    token, seconds = asyncio.run(work())
    assert 890 <= seconds <= 900
    line.token = token
    assert raw(line, "GET", "/v2/bot/info").status_code == 200
    line.clock.advance(901)
    assert raw(line, "GET", "/v2/bot/info").status_code == 401


# the webhook


def every_event(line: Standin) -> list[Event]:
    """One of each kind."""
    an, make = line.user("An"), line.events
    group = line.group("workers", an)
    said = make.text(an, "😀 @bot hi", group=group, mentions=["@bot"])
    return [
        said,
        make.text("", "who?", group=line.room("room")),
        make.image(an),
        make.video(an),
        make.audio(an),
        make.file(an),
        make.location(an, 25.0, 121.5, address="新北市"),
        make.sticker(an),
        make.postback(an, "d", {"date": "2026-11-23"}),
        make.follow(an, unblocked=True),
        make.unfollow(an),
        make.unsend(an, said["message"]["id"], group=group),
        make.join(group),
        make.member_joined(group, an),
        make.member_left(group, an),
        make.leave(group),
        standby(make.text(an, "hi")),
        redelivered(make.text(an, "hi", at=1_790_000_000_000)),
    ]


def test_events_conform_to_the_vendors_schema_and_the_sdk_reads_them(line: Standin) -> None:
    from linebot.v3 import WebhookParser

    events = every_event(line)
    if schema := line_schema.load("webhook"):
        assert schema.check("CallbackRequest", {"destination": line.account.bot_id, "events": events}) == []
    events.append(line.events.edited(line.user("An"), "1", "new", group=line.group("workers")))
    body, headers = line.signed(*events)
    parsed = WebhookParser(line.secret).parse(body.decode(), headers["x-line-signature"])
    assert [each.type for each in parsed] == [each["type"] for each in events]
    assert parsed[0].message.mention.mentionees[0].index == 3
    assert len({each["webhookEventId"] for each in events}) == len(events)


class Hook:
    """A bot's webhook: answers as told, one status a request; a float sleeps first."""

    def __init__(self, *answers: int) -> None:
        self.bodies: list[Any] = []
        hook, left = self, list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(left.pop(0) if left else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self) -> Hook:
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_events_are_delivered_once_unless_redelivery_is_on(line: Standin) -> None:
    event = line.events.text(line.user("An"), "hi")
    with Hook(500) as hook:
        delivery = line.deliver(event, url=hook.url)
        assert (len(hook.bodies), delivery.attempts[0].reason) == (1, ERROR_STATUS)
    line.postman.redeliver = True
    with Hook(500, 503) as hook:
        delivery = line.deliver(event, url=hook.url)
        assert [each.status for each in delivery.attempts] == [500, 503, 200]
        again = [body["events"][0] for body in hook.bodies]
        assert [each["deliveryContext"]["isRedelivery"] for each in again] == [False, True, True]
        assert len({(each["webhookEventId"], each["replyToken"]) for each in again}) == 1


def test_a_webhook_that_is_slow_or_away(line: Standin) -> None:
    with Hook() as hook:
        line.postman.seconds = 0.1
        line.postman.redeliver = False
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:
        event = line.events.text(line.user("An"), "hi")
        assert line.deliver(event, url=f"http://127.0.0.1:{silent.server_port}/").attempts[0].reason == TIMEOUT
    assert line.deliver(event, url=hook.url).attempts[0].reason == UNREACHABLE


def test_the_webhook_can_be_set_and_tested(line: Standin, call: Any, sdk: ModuleType) -> None:
    with Hook() as hook:
        call(lambda api: api.set_webhook_endpoint(sdk.SetWebhookEndpointRequest(endpoint=hook.url)))
        assert call(lambda api: api.get_webhook_endpoint()).active
        tested = call(lambda api: api.test_webhook_endpoint(sdk.TestWebhookEndpointRequest()))
        assert (tested.success, tested.status_code) == (True, 200)
        assert hook.bodies == [{"destination": line.account.bot_id, "events": []}]


def test_a_person_taps_a_button_they_see(line: Standin) -> None:
    an = line.user("An")
    refused(line, quick(tap("old", data="1")))
    refused(line, flex(bubble({"type": "button", "action": tap("card", data="2")})))
    assert [each["label"] for each in line.buttons(an)] == ["card"]
    assert line.tap(an, "card")["postback"]["data"] == "2"
    with pytest.raises(AssertionError, match="no button"):
        line.tap(an, "old")
    assert len(line.wait_for(an, 2)) == 2
