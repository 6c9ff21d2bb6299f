"""The Telegram half of the sandbox: its people and groups, what they see, what they can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .sandbox_timeline import Entry, Impossible, Json, Order, Sending, Timeline, perform
from .telegram import Standin
from .telegram_keyboard import Button, rows_of, seen
from .telegram_trouble import Trouble
from .telegram_world import Chat, Received

CALLS = 12
TYPING_SECONDS = 5
TOAST_SECONDS = 4
SPIN_SECONDS = 10
FIRST_USER = 101
HIDDEN = ("from", "chat", "reply_to_message")


class TelegramSide:
    """Everybody on Telegram."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self.timeline = Timeline(standin.clock)
        self._world = standin.world
        self._make = standin.make
        self._outage: Trouble | None = None
        self._tapped: dict[str, tuple[int, str]] = {}
        self._world.listeners.append(self._came)
        self._deeds: dict[str, Callable[[Order], Sending | None]] = {
            "say": self._say,
            "tap": self._tap,
            "file": self._file,
            "voice": lambda order: self._message(order, self._make.voice(_user(order))),
            "sticker": lambda order: self._message(order, self._make.sticker(_user(order))),
            "place": self._place,
            "follow": self._start,
            "block": lambda order: self._note(order, "block", self.standin.block(_user(order))),
            "unblock": lambda order: self._note(order, "unblock", self.standin.unblock(_user(order))),
            "unsend": self._delete,
            "edit": self._edit,
            "join": self._join,
            "leave": lambda order: self._note(order, "leave", self.standin.expel(_user(order), int(order.chat))),
            "again": self._again,
        }

    # -- what the page shows

    def chats(self) -> list[Json]:
        """People, then groups."""
        with self._world.lock:
            chats = sorted(self._world.chats.values(), key=lambda chat: not chat.private)
            return [self._chat(chat) for chat in chats]

    def view(self, chat: str) -> Json:
        """An open chat: its lines as Telegram's JSON, keyboards, and what moves."""
        with self._world.lock:
            where = self._world.chats[int(chat)]
            entries = [shown for entry in self.timeline.of(chat) if (shown := self._shown(where, entry))]
            return {
                "entries": entries,
                "keyboard": self._keyboard(where),
                "loading": self._typing(where),
                "toast": self._toast(where),
                "spinning": self._spinning(where.id),
                "commands": [] if not where.private else self._commands(str(self._about(where).get("lang", ""))),
                "username": self._world.bot["username"],
                "calls": [[call.method, call.status] for call in self.standin.calls[-CALLS:]],
            }

    def situation(self) -> Json:
        """Outage, and what the webhook has not taken yet."""
        inbox = self.standin.inbox
        return {
            "outage": self._outage is not None,
            "pending": len(inbox.pending),
            "problem": inbox.problem.get("last_error_message", ""),
        }

    def faults(self) -> list[Json]:
        """What the bot did wrong; a tapped button that spins too long is among it."""
        found = [
            {"channel": "telegram", "where": fault.method, "what": fault.description, "refused": fault.refused}
            for fault in list(self.standin.faults)
        ]
        late = self.standin.clock() - SPIN_SECONDS
        spins = [query for query in self._world.queries.values() if not query.answers and query.at < late]
        words = f"a tapped button spins for more than {SPIN_SECONDS} s"
        return found + [
            {"channel": "telegram", "where": "answerCallbackQuery", "what": words, "refused": False} for _ in spins
        ]

    def content(self, name: str) -> tuple[bytes, str] | None:
        """Bytes and type of a picture that a person sent."""
        file = self._world.files.get(name)
        return (file.content, "image/jpeg") if file and file.path.startswith("photos/") else None

    def _chat(self, chat: Chat) -> Json:
        about = {"id": str(chat.id), "group": not chat.private, "blocked": bool(chat.closed), **self._about(chat)}
        return {**about, "channel": "telegram", "came": self.timeline.came(str(chat.id))}

    def _about(self, chat: Chat) -> Json:
        user = self._world.users.get(chat.id, {})
        return {
            "name": str(chat.about.get("title") or user.get("first_name", "")),
            "lang": user.get("language_code", ""),
        }

    def _shown(self, chat: Chat, entry: Entry) -> Json | None:
        """None for a message that was deleted."""
        number = entry.content.get("message")
        if number is None:
            return entry.shown()
        message = chat.messages.get(number)
        if message is None:
            return None
        return {**entry.shown(), "content": {key: value for key, value in message.items() if key not in HIDDEN}}

    def _keyboard(self, chat: Chat) -> list[list[Json]]:
        """The reply keyboard; one for a single use is gone once the person wrote."""
        found = [(number, each) for number, each in chat.markups.items() if "inline_keyboard" not in each]
        if not found or "keyboard" not in found[-1][1]:
            return []
        number, markup = found[-1]
        wrote = any(each > number and not _by_bot(message) for each, message in chat.messages.items())
        if markup.get("one_time_keyboard") and wrote:
            return []
        return [[_button(seen(button)) for button in row] for row in rows_of(markup["keyboard"])]

    def _typing(self, chat: Chat) -> bool:
        last = chat.received[-1] if chat.received else None
        return bool(last and last.kind == "action" and self.standin.clock() - last.at < TYPING_SECONDS)

    def _toast(self, chat: Chat) -> str:
        """What the newest answer to a tap says, for a few seconds."""
        answers = [each for each in chat.received if each.kind == "answer"]
        fresh = answers and self.standin.clock() - answers[-1].at < TOAST_SECONDS
        return answers[-1].text if fresh else ""

    def _spinning(self, chat: int) -> list[list[Any]]:
        """Message and data of the tapped buttons that wait for an answer."""
        waiting = [query for query in self._world.queries.values() if query.chat == chat and not query.answers]
        return [list(self._tapped[query.id]) for query in waiting if query.id in self._tapped]

    def _commands(self, lang: str) -> list[Json]:
        """The menu of commands that a person of this language sees."""
        known = self.standin.settings.commands
        places = [(scope, code) for scope in ("all_private_chats", "default") for code in (lang[:2], "")]
        return next((known[place] for place in places if known.get(place)), [])

    def _came(self, received: Received) -> None:
        if received.kind == "message":
            self.timeline.add(str(received.chat), "", {"message": received.message})

    # -- what people do

    def add(self, name: str, language: str) -> str:
        """A new person; their id."""
        with self._world.lock:
            user = max([FIRST_USER - 1, *self._world.users]) + 1
            self._world.user(user, name, language)
            return str(user)

    def set_outage(self, on: bool) -> None:
        """Telegram answers every call with 502, or works again."""
        planned = self.standin.plan.planned
        if on and self._outage is None:
            self._outage = self.standin.next("*", status=502, times=1_000_000_000)
        elif not on and self._outage in planned:
            planned.remove(self._outage)
        self._outage = self._outage if on else None

    def act(self, order: Order) -> Sending | None:
        """Do something as a person. Raises Impossible."""
        if not order.who.isdecimal() or int(order.who) not in self._world.users:
            raise Impossible("nobody has this id")
        return perform(self._deeds, order)

    def _say(self, order: Order) -> Sending | None:
        text, group = order.text("text"), _group(order)
        if group is None:
            return self._message(order, self._make.text(_user(order), text))
        if order.values.get("mention"):
            return self._message(order, self._make.mention(_user(order), group, text))
        update = self._make.text(_user(order), text, chat=group)
        if text.startswith("/"):
            return self._message(order, update)
        # without the right to read everything a bot gets only what is meant for it
        self._line(order, update, {"message": update["message"]["message_id"]}).delivery = "privacy"
        return None

    def _tap(self, order: Order) -> Sending:
        number, data = int(order.number("message")), order.text("data")
        update = self._make.tap(_user(order), data, chat=_group(order), message=number)
        self._tapped[update["callback_query"]["id"]] = (number, data)
        entry = self._line(order, update, {"note": "callback"})
        entry.how = f"callback {data}"
        return self._post(entry)

    def _file(self, order: Order) -> Sending:
        if order.picture:
            return self._message(order, self._make.photo(_user(order), order.content(), chat=_group(order)))
        mime = order.text("type") or "application/octet-stream"
        update = self._make.document(_user(order), order.content(), name=order.text("name"), mime=mime)
        return self._message(order, update)

    def _place(self, order: Order) -> Sending:
        where = order.number("latitude"), order.number("longitude")
        return self._message(order, self._make.location(_user(order), *where))

    def _start(self, order: Order) -> Sending:
        return self._message(order, self._make.command(_user(order), "start", str(order.values.get("payload", ""))))

    def _delete(self, order: Order) -> None:
        """Telegram tells the bot nothing of it."""
        entry = self._own(order)
        where = self._world.chats[int(order.chat)]
        where.messages.pop(entry.content["message"], None)
        self._line(order, {}, {"note": "deleted"})

    def _edit(self, order: Order) -> Sending:
        entry = self._own(order)
        update = self._make.edited(entry.event, order.text("text"))
        entry.event = update
        return self._note(order, "edited", update)

    def _join(self, order: Order) -> Sending:
        self._world.chats[int(order.chat)].closed = ""
        return self._note(order, "join", self._make.member(_user(order), present=True, chat=int(order.chat)))

    def _again(self, order: Order) -> Sending:
        return self._note(order, "again", self.timeline.newest(order.chat).event)

    def _own(self, order: Order) -> Entry:
        entry = self.timeline.find(order.chat, int(order.number("entry")))
        message: Json = entry.event.get("message") or entry.event.get("edited_message") or {}
        sender = message.get("from") or {}
        if sender.get("id") != _user(order) or "message" not in entry.content:
            raise Impossible("this is no message of theirs")
        return entry

    # -- on its way to the bot

    def _message(self, order: Order, update: Json) -> Sending:
        return self._post(self._line(order, update, {"message": update["message"]["message_id"]}))

    def _note(self, order: Order, kind: str, update: Json) -> Sending:
        return self._post(self._line(order, update, {"note": kind}))

    def _line(self, order: Order, update: Json, content: Json) -> Entry:
        who = str(self._world.users[_user(order)]["first_name"])
        return self.timeline.add(order.chat, who, content, event=update)

    async def _post(self, entry: Entry) -> None:
        delivery = await self.standin.adeliver(entry.event)
        entry.delivery = " ".join(map(str, delivery.statuses)) or ("waiting" if delivery.wanted else "unwanted")
        entry.failed = delivery.wanted and not delivery.taken


def _user(order: Order) -> int:
    return int(order.who)


def _group(order: Order) -> int | None:
    return None if order.chat == order.who else int(order.chat)


def _by_bot(message: Json) -> bool:
    return bool(message.get("from", {}).get("is_bot"))


def _button(button: Button) -> Json:
    return {"label": button.label, "asks": button.asks}
