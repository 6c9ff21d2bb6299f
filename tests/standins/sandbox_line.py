"""The LINE half of the sandbox: its people and groups, what they see, what they can do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .line import Standin
from .line_account import Received
from .line_events import Event, redelivered
from .line_http import UNAVAILABLE
from .sandbox_timeline import Entry, Impossible, Json, Order, Sending, Timeline, perform

BOT = "@bot"
CALLS = 12


class Loadings(list[tuple[str, int]]):
    """The loading animations of an account; notes until when each person sees theirs."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.until: dict[str, float] = {}

    def append(self, loading: tuple[str, int]) -> None:
        """One more."""
        super().append(loading)
        self.until[loading[0]] = self._clock() + loading[1]


class LineSide:
    """Everybody on LINE."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self.timeline = Timeline(standin.clock)
        self.outage = False
        self._account = standin.account
        self._events = standin.events
        self._loadings = self._account.loadings = Loadings(standin.clock)
        self._account.on_message = self._came
        self._deeds: dict[str, Callable[[Order], Sending | None]] = {
            "say": self._say,
            "tap": self._tap,
            "file": self._file,
            "voice": lambda order: self._message(order, self._events.audio(order.who, state="succeeded")),
            "sticker": lambda order: self._message(order, self._events.sticker(order.who, group=_group(order))),
            "place": self._place,
            "follow": self._follow,
            "block": lambda order: self._note(order, "unfollow", self._events.unfollow(order.who)),
            "unsend": self._unsend,
            "edit": self._edit,
            "join": self._join,
            "leave": lambda order: self._note(order, "leave", self._events.leave(order.chat)),
            "again": self._again,
        }

    # -- what the page shows

    def chats(self) -> list[Json]:
        """People, then groups."""
        people: list[Json] = [
            {"id": each.id, "name": each.name, "lang": each.language or "", "group": False, "blocked": each.blocked}
            for each in list(self._account.people.values())
        ]
        groups: list[Json] = [
            {"id": each.id, "name": each.name, "lang": "", "group": True, "blocked": each.left}
            for each in list(self._account.chats.values())
        ]
        return [{**each, "channel": "line", "came": self.timeline.came(each["id"])} for each in people + groups]

    def view(self, chat: str) -> Json:
        """An open chat: its lines as LINE's JSON, the rich menu, whether the loading animation runs."""
        entries = self.timeline.of(chat)
        return {
            "entries": [entry.shown() for entry in entries],
            "loading": self._loadings.until.get(chat, 0) > self.standin.clock(),
            "menu": None if chat in self._account.chats else self._menu(chat),
            "calls": [[call.operation, call.status] for call in self.standin.calls()[-CALLS:]],
        }

    def situation(self) -> Json:
        """Quota and outage."""
        return {"quota": self._account.quota, "used": self._account.used, "outage": self.outage}

    def faults(self) -> list[Json]:
        """What the bot did wrong."""
        return [
            {"channel": "line", "where": f"{fault.operation} {fault.path}".strip(), "what": fault.message}
            | {"refused": fault.refused, "source": fault.source}
            for fault in list(self.standin.faults)
        ]

    def content(self, name: str) -> tuple[bytes, str] | None:
        """Bytes and type of a rich menu's picture or of what a person sent."""
        if menu := self._account.menus.known.get(name):
            return menu.image, menu.media_type
        content = self._account.contents.get(name)
        return (content.body, content.media_type) if content else None

    def _menu(self, user: str) -> Json | None:
        menu = self._account.menus.known.get(self._account.menus.shown(user) or "")
        return {"id": menu.id, **menu.document} if menu else None

    def _came(self, received: Received) -> None:
        self._loadings.until.pop(received.to, None)
        self.timeline.add(received.to, "", dict(received.message), received.how)

    # -- what people do

    def add(self, name: str, language: str) -> str:
        """A new person, who is in every group; their id."""
        user = self.standin.user(name, language=language or None)
        for chat in self._account.chats.values():
            chat.members = [*dict.fromkeys([*chat.members, user])]
        return user

    def set_outage(self, on: bool) -> None:
        """LINE answers every request with 503, or works again."""
        self.outage = on
        self.standin.outage(UNAVAILABLE if on else None)

    def act(self, order: Order) -> Sending | None:
        """Do something as a person. Raises Impossible."""
        if order.who not in self._account.people:
            raise Impossible("nobody has this id")
        return perform(self._deeds, order)

    def _say(self, order: Order) -> Sending:
        text, group = order.text("text"), _group(order)
        mention = group and order.values.get("mention")
        text = f"{BOT} {text}" if mention else text
        event = self._events.text(order.who, text, group=group, mentions=[BOT] if mention else ())
        return self._message(order, event)

    def _tap(self, order: Order) -> Sending:
        action: Json = order.values["action"]
        if action["type"] == "message":
            return self._message(order, self._events.text(order.who, action["text"], group=_group(order)))
        params = order.values.get("params")
        if action["type"] == "richmenuswitch":
            params = self._switch(order.who, action["richMenuAliasId"])
        event = self._events.postback(order.who, action["data"], params, group=_group(order))
        words = action.get("displayText") or action.get("text")
        content = {"type": "text", "text": words} if words else {"type": "note", "event": "postback"}
        told = " ".join([action["data"], *(str(value) for value in (params or {}).values())])
        return self._deliver(order, event, content, f"postback {told}")

    def _switch(self, user: str, alias: str) -> dict[str, str]:
        menu = self._account.menus.aliases.get(alias)
        if menu:
            self._account.menus.of_users[user] = menu
        return {"newRichMenuAliasId": alias, "status": "SUCCESS" if menu else "RICHMENU_ALIAS_ID_NOTFOUND"}

    def _file(self, order: Order) -> Sending:
        body, group = order.content(), _group(order)
        if not order.picture:
            return self._message(order, self._events.file(order.who, order.text("name"), body, group=group))
        event = self._events.image(order.who, body, group=group)
        self._account.contents[event["message"]["id"]].media_type = order.text("type")
        return self._message(order, event)

    def _place(self, order: Order) -> Sending:
        where = order.number("latitude"), order.number("longitude")
        return self._message(order, self._events.location(order.who, *where, address=order.text("address")))

    def _follow(self, order: Order) -> Sending:
        again = self._account.people[order.who].blocked
        return self._note(order, "follow", self._events.follow(order.who, unblocked=again))

    def _unsend(self, order: Order) -> Sending:
        entry = self._own(order)
        event = self._events.unsend(order.who, entry.event["message"]["id"], group=_group(order))
        entry.content = {"type": "note", "event": "unsent"}
        return self._note(order, "unsend", event)

    def _edit(self, order: Order) -> Sending:
        if not _group(order):
            raise Impossible("on LINE only messages in groups can be changed")
        entry, text = self._own(order), order.text("text")
        event = self._events.edited(order.who, entry.event["message"]["id"], text, group=order.chat)
        entry.content = {**entry.content, "text": text, "edited": True}
        return self._note(order, "edited", event)

    def _join(self, order: Order) -> Sending:
        self._account.chats[order.chat].left = False
        return self._note(order, "join", self._events.join(order.chat))

    def _again(self, order: Order) -> Sending:
        return self._note(order, "again", redelivered(self.timeline.newest(order.chat).event))

    def _own(self, order: Order) -> Entry:
        entry = self.timeline.find(order.chat, int(order.number("entry")))
        if entry.who != self._account.person(order.who).name or "message" not in entry.event:
            raise Impossible("this is no message of theirs")
        return entry

    # -- on its way to the bot

    def _message(self, order: Order, event: Event) -> Sending:
        return self._deliver(order, event, event["message"])

    def _note(self, order: Order, kind: str, event: Event) -> Sending:
        return self._deliver(order, event, {"type": "note", "event": kind})

    def _deliver(self, order: Order, event: Event, content: Json, how: str = "") -> Sending:
        who = self._account.person(order.who).name
        return self._post(self.timeline.add(order.chat, who, content, how, event))

    async def _post(self, entry: Entry) -> None:
        delivery = await asyncio.wrap_future(self.standin.deliver_soon(entry.event))
        told: list[Any] = [tried.status or tried.reason for tried in delivery.attempts]
        entry.delivery = f"{' '.join(map(str, told))} · {delivery.attempts[-1].seconds * 1000:.0f} ms"
        entry.failed = not delivery.arrived


def _group(order: Order) -> str:
    return "" if order.chat == order.who else order.chat
