"""Asks LINE whether the account is set up as the house needs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from linebot.v3.messaging import ApiException, TestWebhookEndpointRequest

from bot.channels.checkup import Finding, Level, clock, elsewhere, fail, hint, near, ok, warn
from bot.channels.line_wire import FAILURES, TIMEOUT, Wire

PATH = "/webhook/line"
OWN = "labor-bot"  # how the names of our menus begin: labor-bot/LANGUAGE/HASH
SCARCE = 0.2  # of the month's quota
PUSH = "run `labor-bot line richmenu push`."
REFUSED = (
    "LINE refuses the channel access token: issue one in the LINE Developers console, tab Messaging API, and set"
    " LABOR_BOT_LINE_CHANNEL_TOKEN."
)
HINTS = (
    hint("line redelivery", 'LINE does not tell: switch on "Webhook redelivery" in the console, tab Messaging API.'),
    hint(
        "line greetings",
        "LINE does not tell: switch off greeting and auto-reply messages in the Official Account Manager.",
    ),
)
Question = Callable[[], Awaitable[list[Finding]]]


@dataclass(frozen=True, slots=True)
class Expected:
    """How it should be: our public address, the names of our menus by language, whether the server runs now."""

    public_url: str
    menus: Mapping[str, str]
    running: bool

    @property
    def webhook(self) -> str:
        """Where LINE should post."""
        return self.public_url + PATH


async def examine(token: str, api_base: str, expected: Expected, now: Callable[[], float]) -> list[Finding]:
    """Everything that can be asked for; where the token is refused, that alone. `now` gives Unix seconds."""
    wire = Wire(token, api_base)
    try:
        # the SDK is typed for its blocking half only
        return await _Examination(await wire.api(), api_base, expected, now).run()
    finally:
        await wire.close()


@dataclass
class _Examination:
    api: Any
    base: str
    expected: Expected
    now: Callable[[], float]

    async def run(self) -> list[Finding]:
        found = await self._account()
        if found[0].level is Level.FAIL:
            return found
        questions: dict[str, Question] = {
            "line webhook": self._webhook,
            "line webhook test": self._test,
            "line quota": self._quota,
            "line rich menus": self._menus,
        }
        for name, question in questions.items():
            found += await self._asked(name, question)
        return [*found, *HINTS]

    async def _asked(self, name: str, question: Question) -> list[Finding]:
        try:
            return await question()
        except FAILURES as error:
            return [fail(name, _reason(error, self.base))]

    async def _account(self) -> list[Finding]:
        """Token, name, who answers, and LINE's time, which comes with a refusal too."""
        try:
            answer = await self.api.get_bot_info_with_http_info(_request_timeout=TIMEOUT)
        except FAILURES as error:
            refused = [fail("line token", _reason(error, self.base))]
            return [*refused, *self._clock(error.headers)] if isinstance(error, ApiException) else refused
        info = answer.data
        found = [ok("line token", f"accepted, {info.display_name} ({info.basic_id})")]
        if info.chat_mode == "chat":
            found.append(
                warn(
                    "line chat",
                    "chat is on: switch it off in the Official Account Manager (Response settings), since what staff"
                    " write there never reaches this desk.",
                )
            )
        return [*found, *self._clock(answer.headers)]

    def _clock(self, headers: Mapping[str, str] | None) -> list[Finding]:
        return [clock("LINE", (headers or {}).get("Date", ""), self.now())]

    # -- the webhook

    def _address(self) -> str:
        """Why our address cannot be LINE's; empty when it can."""
        url = self.expected.public_url
        if url.startswith("https://") or (url.startswith("http://") and near(self.base)):
            return ""
        return "LINE posts to https addresses only: set LABOR_BOT_PUBLIC_URL to the one of your proxy."

    async def _webhook(self) -> list[Finding]:
        name, ours = "line webhook", self.expected.webhook
        if problem := self._address():
            return [fail(name, problem)]
        there = await self._endpoint()
        if there is None:
            return [fail(name, f"none is set: enter {ours} in the console, tab Messaging API.")]
        found = [ok(name, ours)]
        if there.endpoint != ours:
            where = elsewhere(there.endpoint, ours)
            found = [fail(name, f"LINE posts to {where}: enter {ours} in the console, tab Messaging API.")]
        if not there.active:
            found.append(fail("line webhook use", 'switch on "Use webhook" in the console, tab Messaging API.'))
        return found

    async def _endpoint(self) -> Any:
        """None where there is none."""
        try:
            return await self.api.get_webhook_endpoint(_request_timeout=TIMEOUT)
        except ApiException as error:
            if error.status != 404:
                raise
            return None

    async def _test(self) -> list[Finding]:
        """LINE posts a signed body without events to us: the one way to find out whether the secret is right."""
        if self._address():
            return []
        request = TestWebhookEndpointRequest(endpoint=self.expected.webhook)
        result = await self.api.test_webhook_endpoint(request, _request_timeout=TIMEOUT)
        name = "line webhook test"
        if result.success:
            return [ok(name, "LINE's signed call was taken, so LABOR_BOT_LINE_CHANNEL_SECRET is right too")]
        if result.status_code == 401:
            return [
                fail(
                    name,
                    "LINE's signature was refused: set LABOR_BOT_LINE_CHANNEL_SECRET to the channel secret of the"
                    " console, tab Basic settings, and restart the server.",
                )
            ]
        ended = f"LINE's call ended with {result.reason} ({result.status_code})"
        if not self.expected.running:
            return [warn(name, f"{ended}, and the server does not run here: start it and run the doctor again.")]
        if result.status_code == 404:
            return [fail(name, f"{ended}: restart the server, and let the proxy pass {PATH} on to it.")]
        return [fail(name, f"{ended}: check name, certificate and proxy of {self.expected.webhook}.")]

    # -- the account

    async def _quota(self) -> list[Finding]:
        quota = await self.api.get_message_quota(_request_timeout=TIMEOUT)
        used = (await self.api.get_message_quota_consumption(_request_timeout=TIMEOUT)).total_usage
        if quota.type != "limited":
            return [ok("line quota", f"no limit, {used} used this month")]
        left = max(0, quota.value - used)
        told = f"{left} of {quota.value} pushes left this month, {used} used"
        if left >= quota.value * SCARCE and left:
            return [ok("line quota", told)]
        late = "late answers wait for the person's next message" if not left else "late answers will wait soon"
        return [warn("line quota", f"{told}: {late}; a larger plan is chosen in the Official Account Manager.")]

    async def _menus(self) -> list[Finding]:
        name, wanted = "line rich menus", self.expected.menus
        menus = (await self.api.get_rich_menu_list(_request_timeout=TIMEOUT)).richmenus
        ours = {menu.name: menu.rich_menu_id for menu in menus if menu.name.startswith(f"{OWN}/")}
        there = {menu.split("/")[1] for menu in ours}
        missing = [lang for lang in wanted if lang not in there]
        if missing:
            return [warn(name, f"missing: {', '.join(missing)}: {PUSH}")]
        older = [lang for lang, menu in wanted.items() if menu not in ours]
        if older:
            return [warn(name, f"of an older version: {', '.join(older)}: {PUSH}")]
        if await self._default() not in ours.values():
            return [warn(name, f"none of ours is the default: {PUSH}")]
        return [ok(name, f"{len(wanted)} ({', '.join(wanted)}), the default is ours")]

    async def _default(self) -> str:
        """The id of the account's default menu; empty where there is none."""
        try:
            answer = await self.api.get_default_rich_menu_id(_request_timeout=TIMEOUT)
        except ApiException as error:
            if error.status != 404:
                raise
            return ""
        return str(answer.rich_menu_id)


def _reason(error: Exception, base: str) -> str:
    """In an operator's words; the SDK's own hold headers and bodies."""
    if isinstance(error, ValueError):
        return "LINE answers something that line-bot-sdk cannot read: check LABOR_BOT_LINE_API_BASE, update the SDK."
    if not isinstance(error, ApiException):
        return f"LINE does not answer at {base}: check the network and LABOR_BOT_LINE_API_BASE."
    if error.status in (401, 403):
        return REFUSED
    if error.status == 429:
        return "LINE takes no more questions now (429): run the doctor again in a minute."
    if error.status >= 500:
        return f"LINE is in trouble ({error.status}): run the doctor again later."
    return f"LINE refuses the question ({error.status}): check LABOR_BOT_LINE_API_BASE, update line-bot-sdk."
