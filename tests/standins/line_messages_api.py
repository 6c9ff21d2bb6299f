"""The endpoints around messages: reply, push, loading, contents, profiles, groups, quota, webhook."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from . import line_checks
from .line_account import Accepted, line_id
from .line_delivery import Postman
from .line_http import MONTHLY_LIMIT, RETRY_HEADER, Answer, Call, Gate, error
from .line_limits import Finding, check

NOT_FOUND = error(404, "Not found")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

Rows = list[tuple[str, str, str, Callable[[Call], Any], str]]


class MessagesApi:
    """Handlers; `rows` lists them as (method, path, operation, handler, schema of the answer)."""

    def __init__(self, gate: Gate, postman: Postman) -> None:
        self._gate = gate
        self._account = gate.account
        self._postman = postman

    def rows(self) -> Rows:
        """The endpoints."""
        group = "/v2/bot/{kind:str}/{chatId}"
        message = "/v2/bot/message"
        return [
            ("POST", f"{message}/reply", "reply", self._reply, "ReplyMessageResponse"),
            ("POST", f"{message}/push", "push", self._push, "PushMessageResponse"),
            ("POST", f"{message}/validate/reply", "validate", self._validate, ""),
            ("POST", f"{message}/validate/push", "validate", self._validate, ""),
            ("GET", f"{message}/quota", "quota", self._quota, "MessageQuotaResponse"),
            ("GET", f"{message}/quota/consumption", "consumption", self._consumption, "QuotaConsumptionResponse"),
            ("GET", f"{message}/{{id}}/content", "content", self._content, ""),
            ("GET", f"{message}/{{id}}/content/preview", "preview", self._content, ""),
            (
                "GET",
                f"{message}/{{id}}/content/transcoding",
                "transcoding",
                self._transcoding,
                "GetMessageContentTranscodingResponse",
            ),
            ("POST", "/v2/bot/chat/loading/start", "loading", self._loading, "ShowLoadingAnimationResponse"),
            ("GET", "/v2/bot/profile/{userId}", "profile", self._profile, "UserProfileResponse"),
            ("GET", "/v2/bot/info", "info", self._info, "BotInfoResponse"),
            ("GET", "/v2/bot/channel/webhook/endpoint", "webhook get", self._webhook, "GetWebhookEndpointResponse"),
            ("PUT", "/v2/bot/channel/webhook/endpoint", "webhook set", self._set_webhook, ""),
            ("POST", "/v2/bot/channel/webhook/test", "webhook test", self._test_webhook, "TestWebhookEndpointResponse"),
            ("GET", f"{group}/summary", "group", self._group, "GroupSummaryResponse"),
            ("GET", f"{group}/members/count", "group count", self._group_count, "GroupMemberCountResponse"),
            ("GET", f"{group}/member/{{userId}}", "group member", self._group_member, "GroupUserProfileResponse"),
            ("POST", f"{group}/leave", "group leave", self._group_leave, ""),
        ]

    def _reply(self, call: Call) -> Answer:
        if refused := self._gate.checked(call, line_checks.messages, "ReplyMessageRequest"):
            return refused
        chat = self._account.spend_reply_token(call.document.get("replyToken"))
        if chat is None:
            return error(400, "Invalid reply token")
        return Answer(document={"sentMessages": self._send(call, chat)})

    def _push(self, call: Call) -> Answer:
        key = call.headers.get(RETRY_HEADER)
        if key is not None and not _UUID.fullmatch(key):
            return self._gate.refuse(call, [Finding(RETRY_HEADER, "must be a UUID")])
        if key and (accepted := self._account.retried(key)):
            return self._again(call, accepted)
        if refused := self._gate.checked(call, line_checks.messages, "PushMessageRequest"):
            return refused
        if key is None:
            advice = Finding(RETRY_HEADER, "a push without a key cannot be repeated safely", False, "advice")
            self._account.blame(call.operation, [advice])
        to = str(call.document["to"]) if "to" in call.document else ""
        reached = self._account.recipients(to)
        if reached is None:
            wrong = error(400, "The property, 'to', in the request body is invalid (line: -, column: -)")
            return self._gate.refuse(call, [Finding("to", "nobody has this id", source="protocol")], wrong)
        if self._account.quota is not None and self._account.used + len(reached) > self._account.quota:
            return error(429, MONTHLY_LIMIT)
        self._account.used += len(reached)
        sent = self._send(call, to, "push")
        if key:
            accepted = Accepted(call.request_id, tuple(sent), call.digest, self._account.clock())
            self._account.accepted[key.lower()] = accepted
        return Answer(document={"sentMessages": sent})

    def _again(self, call: Call, accepted: Accepted) -> Answer:
        if accepted.digest != call.digest:
            other = Finding(RETRY_HEADER, "this key was used for another body", False, "protocol")
            self._account.blame(call.operation, [other])
        header = ("x-line-accepted-request-id", accepted.request_id)
        return error(409, "The retry key is already accepted", header, sentMessages=list(accepted.sent))

    def _send(self, call: Call, chat: str, how: str = "reply") -> list[Any]:
        return self._account.deliver(chat, call.document["messages"], how, call.request_id)

    def _validate(self, call: Call) -> Answer:
        return self._gate.checked(call, line_checks.messages, "ValidateMessageRequest") or Answer()

    def _loading(self, call: Call) -> Answer:
        if refused := self._gate.checked(call, line_checks.loading, "ShowLoadingAnimationRequest"):
            return refused
        self._account.loadings.append((call.document["chatId"], call.document.get("loadingSeconds", 20)))
        return Answer(202)

    def _quota(self, call: Call) -> Answer:
        quota = self._account.quota
        return Answer(document={"type": "none"} if quota is None else {"type": "limited", "value": quota})

    def _consumption(self, call: Call) -> Answer:
        return Answer(document={"totalUsage": self._account.used})

    def _content(self, call: Call) -> Answer:
        """202 while it is being prepared, 404 when it is gone, never came or cannot be shown."""
        content = self._account.contents.get(call.params["id"])
        if content is None or content.state == "failed":
            return NOT_FOUND
        if content.state == "processing":
            return Answer(202, raw=b"")
        if call.operation == "preview" and not content.media_type.startswith(("image/", "video/")):
            return NOT_FOUND
        return Answer(raw=content.body, media_type=content.media_type)

    def _transcoding(self, call: Call) -> Answer:
        content = self._account.contents.get(call.params["id"])
        return NOT_FOUND if content is None else Answer(document={"status": content.state})

    def _profile(self, call: Call) -> Answer:
        user = call.params["userId"]
        if user not in self._account.people:
            self._account.blame("profile", [Finding("userId", "nobody has this id", True, "protocol")])
        profile = self._account.profile(user)
        return NOT_FOUND if profile is None else Answer(document=profile)

    def _info(self, call: Call) -> Answer:
        return Answer(
            document={
                "userId": self._account.bot_id,
                "basicId": "@" + line_id("", "basic")[:8],
                "displayName": "stand-in",
                "chatMode": "bot",
                "markAsReadMode": "auto",
            }
        )

    def _webhook(self, call: Call) -> Answer:
        if not self._account.webhook:
            return NOT_FOUND
        return Answer(document={"endpoint": self._account.webhook, "active": self._account.webhook_active})

    def _set_webhook(self, call: Call) -> Answer:
        if refused := self._gate.checked(call, _endpoint, "SetWebhookEndpointRequest"):
            return refused
        self._account.webhook = call.document["endpoint"]
        return Answer()

    async def _test_webhook(self, call: Call) -> Answer:
        document = call.document or {}
        url = document.get("endpoint", self._account.webhook) if isinstance(document, dict) else ""
        if not url:
            return error(404, "Webhook endpoint is not set")
        delivery = await self._postman.deliver([], url)
        now = datetime.fromtimestamp(self._account.clock(), UTC)
        tried = delivery.attempts[-1]
        return Answer(
            document={
                "success": delivery.arrived,
                "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "statusCode": tried.status,
                "reason": tried.reason or "OK",
                "detail": str(tried.status),
            }
        )

    def _group(self, call: Call) -> Answer:
        chat = self._account.chats.get(call.params["chatId"])
        if chat is None or chat.left or call.params["kind"] != "group":
            return NOT_FOUND
        return Answer(document={"groupId": chat.id, "groupName": chat.name})

    def _group_count(self, call: Call) -> Answer:
        chat = self._account.chats.get(call.params["chatId"])
        return NOT_FOUND if chat is None or chat.left else Answer(document={"count": len(chat.members)})

    def _group_member(self, call: Call) -> Answer:
        chat, user = self._account.chats.get(call.params["chatId"]), call.params["userId"]
        if chat is None or chat.left or user not in chat.members:
            return NOT_FOUND
        return Answer(document={"userId": user, "displayName": self._account.person(user).name})

    def _group_leave(self, call: Call) -> Answer:
        chat = self._account.chats.get(call.params["chatId"])
        if chat is None or chat.left:
            return NOT_FOUND
        chat.left = True
        return Answer()


def _endpoint(document: Any) -> line_checks.Findings:
    yield from check("webhook", document, "")
    url = str(document.get("endpoint", ""))
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        yield Finding("endpoint", "Invalid webhook endpoint URL")
