"""Builds webhook events as LINE sends them, with reply tokens that the stand-in knows."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from .line_account import Account, Content

Event = dict[str, Any]
_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LINE = {"type": "line"}
PIXEL = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def sign(secret: str, body: bytes) -> str:
    """The X-Line-Signature of a raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def event_id(ms: int) -> str:
    """A ULID: the time, then chance."""
    value = ms << 80 | int.from_bytes(secrets.token_bytes(10))
    return "".join(_ULID[value >> shift & 31] for shift in range(125, -1, -5))


def standby(event: Event) -> Event:
    """The event while another module holds the chat: it has no reply token."""
    return {key: value for key, value in event.items() if key != "replyToken"} | {"mode": "standby"}


def redelivered(event: Event) -> Event:
    """The same event as LINE sends it again."""
    return event | {"deliveryContext": {"isRedelivery": True}}


class Events:
    """Builders. `user` is an id; `group` puts the event into a group or room; `at` is its time in ms, now unless told.

    `user` may be empty in a group: some clients do not tell who wrote.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    def text(
        self,
        user: str,
        text: str,
        *,
        group: str = "",
        at: int | None = None,
        mentions: Sequence[str] = (),
        quoted: str = "",
        message_id: str = "",
    ) -> Event:
        """A text message. `mentions` are names such as "@bot" that stand in the text and mean the bot."""
        message: Event = {"type": "text", "text": text, **self._quotable(message_id)}
        if mentions:
            message["mention"] = {"mentionees": [self._mention(text, name) for name in mentions]}
        if quoted:
            message["quotedMessageId"] = quoted
        return self._message(user, message, group, at)

    def image(self, user: str, body: bytes = PIXEL, *, group: str = "", at: int | None = None, **more: Any) -> Event:
        """A photograph; `more` are further fields of the message, such as imageSet."""
        message = {"type": "image", "contentProvider": _LINE, **self._quotable(), **more}
        return self._with_content(user, message, Content(body, "image/png"), group, at)

    def video(self, user: str, body: bytes = b"video", *, ms: int = 3000, state: str = "processing") -> Event:
        """A film, at first still being prepared."""
        message = {"type": "video", "duration": ms, "contentProvider": _LINE, **self._quotable()}
        return self._with_content(user, message, Content(body, "video/mp4", state))

    def audio(self, user: str, body: bytes = b"audio", *, ms: int = 3000, state: str = "processing") -> Event:
        """A voice message, at first still being prepared."""
        message = {"type": "audio", "duration": ms, "contentProvider": _LINE, "id": self._account.message_id()}
        return self._with_content(user, message, Content(body, "audio/x-m4a", state))

    def file(self, user: str, name: str = "contract.pdf", body: bytes = b"%PDF-1.4", *, group: str = "") -> Event:
        """A document."""
        message = {"type": "file", "fileName": name, "fileSize": len(body), "id": self._account.message_id()}
        return self._with_content(user, message, Content(body, "application/octet-stream"), group)

    def location(
        self, user: str, latitude: float, longitude: float, title: str = "", address: str = "", *, group: str = ""
    ) -> Event:
        """A place; title and address may be missing."""
        named = {key: value for key, value in (("title", title), ("address", address)) if value}
        where = {"latitude": latitude, "longitude": longitude, **named}
        return self._message(user, {"type": "location", "id": self._account.message_id(), **where}, group, None)

    def sticker(self, user: str, package: str = "446", sticker: str = "1988", *, group: str = "") -> Event:
        """A sticker."""
        kind = {"packageId": package, "stickerId": sticker, "stickerResourceType": "STATIC"}
        return self._message(user, {"type": "sticker", **kind, **self._quotable()}, group, None)

    def postback(
        self,
        user: str,
        data: str,
        params: Mapping[str, str] | None = None,
        *,
        group: str = "",
        at: int | None = None,
    ) -> Event:
        """A tap; `params` come from a date picker or a rich menu switch."""
        postback = {"data": data, **({"params": dict(params)} if params else {})}
        return self._replyable("postback", user, group, at, postback=postback)

    def follow(self, user: str, *, unblocked: bool = False, at: int | None = None) -> Event:
        """Somebody adds the account, or unblocks it."""
        person = self._account.person(user)
        person.friend, person.blocked = True, False
        return self._replyable("follow", user, "", at, follow={"isUnblocked": unblocked})

    def unfollow(self, user: str, *, at: int | None = None) -> Event:
        """Somebody blocks the account: pushes to them are from now on delivered to nobody."""
        self._account.person(user).blocked = True
        return self._event("unfollow", user, "", at)

    def unsend(self, user: str, message_id: str, *, group: str = "", at: int | None = None) -> Event:
        """Somebody takes a message back; its content is gone."""
        self._account.contents.pop(message_id, None)
        return self._event("unsend", user, group, at, unsend={"messageId": message_id})

    def edited(self, user: str, message_id: str, text: str, *, group: str, at: int | None = None) -> Event:
        """Somebody changes a text, in a group."""
        message = {"type": "text", "text": text, **self._quotable(message_id)}
        return self._replyable("messageEdited", user, group, at, message=message)

    def join(self, group: str) -> Event:
        """The bot is taken into a group."""
        return self._replyable("join", "", group, None)

    def leave(self, group: str) -> Event:
        """The bot is sent away, or the group ends."""
        if group in self._account.chats:
            self._account.chats[group].left = True
        return self._event("leave", "", group, None)

    def member_joined(self, group: str, *users: str) -> Event:
        """People come into a group."""
        members = [{"type": "user", "userId": self._account.person(user).id} for user in users]
        return self._replyable("memberJoined", "", group, None, joined={"members": members})

    def member_left(self, group: str, *users: str) -> Event:
        """People leave a group."""
        members = [{"type": "user", "userId": user} for user in users]
        return self._event("memberLeft", "", group, None, left={"members": members})

    def _with_content(
        self, user: str, message: Event, content: Content, group: str = "", at: int | None = None
    ) -> Event:
        self._account.contents[message["id"]] = content
        return self._message(user, message, group, at)

    def _message(self, user: str, message: Event, group: str, at: int | None) -> Event:
        return self._replyable("message", user, group, at, message=message)

    def _replyable(self, kind: str, user: str, group: str, at: int | None, **fields: Any) -> Event:
        event = self._event(kind, user, group, at, **fields)
        event["replyToken"] = self._account.issue_reply_token(group or user, event["timestamp"] / 1000)
        return event

    def _event(self, kind: str, user: str, group: str, at: int | None, **fields: Any) -> Event:
        ms = self._account.clock.ms if at is None else at
        return {
            "type": kind,
            "mode": "active",
            "timestamp": ms,
            "source": self._source(user, group),
            "webhookEventId": event_id(ms),
            "deliveryContext": {"isRedelivery": False},
            **fields,
        }

    def _source(self, user: str, group: str) -> Event:
        named = {"userId": self._account.person(user).id} if user else {}
        if not group:
            return {"type": "user", **named}
        return (
            {"type": "room", "roomId": group, **named}
            if group[0] == "R"
            else {"type": "group", "groupId": group, **named}
        )

    def _quotable(self, message_id: str = "") -> Event:
        return {"id": message_id or self._account.message_id(), "quoteToken": secrets.token_urlsafe(16)}

    def _mention(self, text: str, name: str) -> Event:
        before = text[: text.index(name)]
        where = {"index": len(before.encode("utf-16-le")) // 2, "length": len(name.encode("utf-16-le")) // 2}
        return {"type": "user", "userId": self._account.bot_id, "isSelf": True, **where}


def body_of(destination: str, events: Sequence[Event]) -> bytes:
    """The raw body of a webhook delivery."""
    document = {"destination": destination, "events": list(events)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
