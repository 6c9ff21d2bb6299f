"""A local LINE Messaging API: checks what a bot sends, keeps what people receive, delivers what they write.

A test: `with Standin() as line: line.deliver(line.events.text(line.user("An"), "你好")); line.received(user)`.
By hand: `python -m standins.line --port 8801`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from starlette.applications import Starlette
from starlette.routing import Route

from .line_account import Account, Chat, Fault, Person, Received, line_id
from .line_delivery import Delivery, Postman
from .line_events import Event, Events
from .line_http import Call, Gate, Trouble
from .line_limits import Json
from .line_menus_api import MenusApi
from .line_messages_api import MessagesApi
from .line_tokens_api import TokensApi
from .serving import Clock, ThreadServer

SECRET = "secret-of-the-stand-in"
TOKEN = "token-of-the-stand-in"


class Standin:
    """One official account on a server of its own. All times are seconds unless a name says ms."""

    def __init__(
        self, *, secret: str = SECRET, token: str = TOKEN, now: Callable[[], float] = time.time, port: int = 0
    ) -> None:
        self.secret = secret
        self.token = token
        self.clock = Clock(now)
        self.account = Account(self.clock)
        self.account.tokens[token] = None
        self.events = Events(self.account)
        self.postman = Postman(self.account, secret)
        self.gate = Gate(self.account, lambda scope: self._server.cut(scope))
        self._server = ThreadServer(self._app(), port)

    def _app(self) -> Starlette:
        rows = MessagesApi(self.gate, self.postman).rows() + MenusApi(self.gate).rows()
        rows += TokensApi(self.gate, self.secret).rows()
        return Starlette(
            routes=[
                Route(path, self.gate.endpoint(operation, work, schema), methods=[method])
                for method, path, operation, work, schema in rows
            ]
        )

    def start(self) -> None:
        """Returns once it answers at `url`."""
        self._server.start()

    def stop(self) -> None:
        """Ends it."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base of the API; contents are under the same."""
        return f"http://127.0.0.1:{self._server.port}"

    # people

    def user(self, name: str, *, language: str | None = "zh-TW", friend: bool = True, consents: bool = True) -> str:
        """A person, known to the account; returns the id, which is the same for the same name."""
        person = Person(line_id("U", name), name, language, friend, consents)
        self.account.people[person.id] = person
        return person.id

    def group(self, name: str, *members: str) -> str:
        """A group that the bot is in; returns its id."""
        return self._chat("C", name, members)

    def room(self, name: str, *members: str) -> str:
        """A multi-person chat of the old kind."""
        return self._chat("R", name, members)

    def _chat(self, letter: str, name: str, members: tuple[str, ...]) -> str:
        chat = Chat(line_id(letter, name), name, [self.account.person(user).id for user in members])
        self.account.chats[chat.id] = chat
        return chat.id

    def block(self, user: str) -> None:
        """Pushes to this person are accepted and delivered to nobody; no event is sent."""
        self.account.person(user).blocked = True

    def unblock(self, user: str) -> None:
        """They are delivered again."""
        self.account.person(user).blocked = False

    # what goes wrong

    def next(self, operation: str, *troubles: Trouble) -> None:
        """The next requests of an operation (reply, push, loading, profile, content, ...) meet these, one each."""
        self.gate.next(operation, *troubles)

    def outage(self, trouble: Trouble | None, operation: str = "") -> None:
        """Every request, or every one of an operation, meets this trouble, until it is None."""
        self.gate.outage(operation, trouble)

    def revoke(self) -> None:
        """No channel access token is good any more: 401."""
        self.account.tokens.clear()

    def limit(self, quota: int | None, used: int = 0) -> None:
        """The monthly quota of pushes and how much of it is used; None is no limit."""
        self.account.quota, self.account.used = quota, used

    def ready(self, message_id: str, state: str = "succeeded") -> None:
        """A film or voice message has been prepared, or could not be (failed)."""
        self.account.contents[message_id].state = state

    def expire(self, message_id: str) -> None:
        """LINE deletes what somebody sent, as it does after some time."""
        self.account.contents.pop(message_id, None)

    # what came of it

    @property
    def faults(self) -> list[Fault]:
        """What the bot did wrong, refused or not."""
        return self.account.faults

    @property
    def refused(self) -> list[Fault]:
        """The faults that were answered by an error."""
        return [fault for fault in self.account.faults if fault.refused]

    def calls(self, operation: str = "") -> list[Call]:
        """The requests, or those of an operation, in order."""
        return [call for call in self.gate.calls if operation in ("", call.operation)]

    def received(self, chat: str = "") -> list[Received]:
        """What a person or group received, in order; everything when none is named."""
        return [each for each in self.account.log if chat in ("", each.to)]

    def texts(self, chat: str) -> list[str]:
        """What a person reads, message by message."""
        return [each.text for each in self.received(chat)]

    def buttons(self, chat: str) -> list[Json]:
        """The actions a person can tap: of every message, but quick replies of the last one only."""
        messages = [each.message for each in self.received(chat)]
        found = [action for message in messages for action in _actions({**message, "quickReply": None})]
        return found + (list(_actions(messages[-1].get("quickReply"))) if messages else [])

    def tap(self, user: str, label: str, *, group: str = "") -> Event:
        """The event of tapping the newest button with this label: a postback or a message."""
        for action in reversed(self.buttons(group or user)):
            if action.get("label") == label and action["type"] in ("postback", "message"):
                if action["type"] == "message":
                    return self.events.text(user, action["text"], group=group)
                return self.events.postback(user, action["data"], group=group)
        raise AssertionError(f"no button {label!r}; there are {[each.get('label') for each in self.buttons(user)]}")

    def wait(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        """Blocks until it holds; in async tests call it by `asyncio.to_thread`."""
        end = time.monotonic() + seconds
        with self.account.changed:
            while not condition():
                if time.monotonic() > end:
                    raise AssertionError(f"not within {seconds} s; received {self.account.log}, faults {self.faults}")
                self.account.changed.wait(0.05)

    def wait_for(self, chat: str, count: int, seconds: float = 5.0) -> list[Received]:
        """Blocks until a person or group has received so many messages."""
        self.wait(lambda: len(self.received(chat)) >= count, seconds)
        return self.received(chat)

    # the webhook

    def signed(self, *events: Event) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a delivery, for a test that posts it itself."""
        return self.postman.signed(events)

    def deliver_soon(self, *events: Event, url: str = "") -> concurrent.futures.Future[Delivery]:
        """Post the events in one body, in the stand-in's own thread; await it by `asyncio.wrap_future`."""
        if self._server.loop is None:
            raise RuntimeError("the stand-in is not started")

        work = self.postman.deliver(events, url or self.account.webhook)
        return asyncio.run_coroutine_threadsafe(work, self._server.loop)

    def deliver(self, *events: Event, url: str = "") -> Delivery:
        """Post the events in one body to `url`, or to the account's webhook, and wait for what comes of it."""
        return self.deliver_soon(*events, url=url).result()


def _actions(value: Any) -> Iterator[Json]:
    """Every action within a message, in the order of its buttons."""
    if isinstance(value, dict):
        action = value.get("action")
        if isinstance(action, dict):
            yield action
        for name, each in value.items():
            if name == "actions" and isinstance(each, list):
                yield from each
            elif name != "action":
                yield from _actions(each)
    elif isinstance(value, list):
        for each in value:
            yield from _actions(each)


if __name__ == "__main__":
    from .line_console import main

    main()
