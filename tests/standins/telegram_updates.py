"""Makes updates as Telegram sends them: what people write, tap, send, and what happens to chats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .telegram_keyboard import buttons
from .telegram_limits import TOKEN, hold
from .telegram_world import Chat, File, Query, World
from .units import utf16

Json = dict[str, Any]
MARKS = re.compile(r"(?<!\S)(/[A-Za-z0-9_]{1,32}(?:@\w+)?|@\w{5,32})(?!\w)")
SIZES = ((90, 67), (320, 240), (1280, 960))


@dataclass
class Updates:
    """Each function makes one update, ready for `Standin.deliver`. `chat`: a group; left out, the private chat."""

    world: World

    def update(self, kind: str, content: Json) -> Json:
        """Any update."""
        return {"update_id": next(self.world.updates), kind: content}

    def message(self, user: int, content: Json, chat: int | None = None, thread: int = 0) -> Json:
        """Any message."""
        with self.world.lock:
            sender = self.world.user(user)
            where = self.world.chats[user if chat is None else chat]
            extra = self.world.thread(where, thread)
            return self.update("message", dict(self.world.message(where, sender, {**extra, **content})))

    # -- words

    def text(self, user: int, text: str, *, chat: int | None = None, thread: int = 0, reply_to: int = 0) -> Json:
        """A text; commands and mentions in it are marked."""
        hold("text", text)
        content: Json = {"text": text, **({"entities": marks(text)} if marks(text) else {})}
        if reply_to:
            content["reply_to_message"] = self.world.chats[user if chat is None else chat].messages[reply_to]
        return self.message(user, content, chat, thread)

    def command(self, user: int, name: str, payload: str = "", *, chat: int | None = None) -> Json:
        """A command, in a group with the bot's name; a payload after /start as a link brings it."""
        if name == "start":
            hold("start_payload", payload)
            assert TOKEN.fullmatch(payload), "a link carries only A-Z, a-z, 0-9, _ and -"
        whom = "" if chat is None else f"@{self.world.bot['username']}"
        return self.text(user, f"/{name}{whom} {payload}".rstrip(), chat=chat)

    def mention(self, user: int, chat: int, text: str) -> Json:
        """A text in a group that calls the bot by its name."""
        return self.text(user, f"@{self.world.bot['username']} {text}", chat=chat)

    def edited(self, update: Json, text: str) -> Json:
        """The same message with another text."""
        before = update.get("message") or update["edited_message"]
        after = {**before, "text": text, "edit_date": int(self.world.clock())}
        after["entities"] = marks(text)
        if not after["entities"]:
            del after["entities"]
        self.world.chats[after["chat"]["id"]].messages[after["message_id"]] = after
        return self.update("edited_message", dict(after))

    def tap(self, user: int, button: str, *, chat: int | None = None, message: int = 0) -> Json:
        """A tap on an inline button, named by label or data, under the newest message that has it."""
        with self.world.lock:
            where = self.world.chats[user if chat is None else chat]
            number, data = found(where, button, message)
            query = Query(f"query{len(self.world.queries)}", where.id, self.world.clock())
            self.world.queries[query.id] = query
            tapped = {**where.messages[number]}
            content = {"id": query.id, "from": self.world.user(user), "message": tapped, "data": data}
            return self.update("callback_query", {**content, "chat_instance": f"i{where.id}"})

    # -- files and other things

    def photo(
        self,
        user: int,
        content: bytes = b"jpeg",
        *,
        caption: str = "",
        album: str = "",
        sizes: Sequence[tuple[int, int]] = SIZES,
        chat: int | None = None,
    ) -> Json:
        """A photo in several sizes, smallest first; the same `album` binds photos together."""
        files = [self.world.file("photos/file_{}.jpg", content) for _ in sizes]
        shown = [{**file.about, "width": w, "height": h} for file, (w, h) in zip(files, sizes, strict=True)]
        extra = {"media_group_id": album} if album else {}
        return self.message(user, {"photo": shown, **extra, **captioned(caption)}, chat)

    def document(
        self,
        user: int,
        content: bytes = b"%PDF-",
        *,
        name: str = "letter.pdf",
        mime: str = "application/pdf",
        size: int | None = None,
        caption: str = "",
    ) -> Json:
        """A file; `size` pretends that it is bigger than its content."""
        file = self.world.file("documents/file_{}", content, size)
        return self.message(
            user, {"document": {**file.about, "file_name": name, "mime_type": mime}, **captioned(caption)}
        )

    def voice(self, user: int, seconds: int = 3, content: bytes = b"OggS") -> Json:
        """A voice message."""
        file: File = self.world.file("voice/file_{}.oga", content)
        return self.message(user, {"voice": {**file.about, "duration": seconds, "mime_type": "audio/ogg"}})

    def location(self, user: int, latitude: float = 25.0120, longitude: float = 121.4657) -> Json:
        """A place."""
        return self.message(user, {"location": {"latitude": latitude, "longitude": longitude}})

    def contact(self, user: int, phone: str = "+886229603456", *, own: bool = True) -> Json:
        """A phone number, the person's own or another's."""
        name = self.world.user(user)["first_name"]
        extra = {"user_id": user} if own else {}
        return self.message(user, {"contact": {"phone_number": phone, "first_name": name, **extra}})

    def sticker(self, user: int, emoji: str = "👍") -> Json:
        """A sticker."""
        shape = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        file = self.world.file("stickers/file_{}.webp", b"RIFF")
        return self.message(user, {"sticker": {**file.about, **shape, "emoji": emoji}})

    # -- what happens to chats

    def member(self, user: int, *, present: bool, chat: int | None = None) -> Json:
        """my_chat_member: the bot was blocked or unblocked, in a group removed or added."""
        sender = self.world.user(user)
        where = self.world.chats[user if chat is None else chat]
        inside: Json = {"user": self.world.bot, "status": "member"}
        outside: Json = {"user": self.world.bot, "status": "kicked", "until_date": 0}
        old, new = (outside, inside) if present else (inside, outside)
        head: Json = {"chat": where.about, "from": sender, "date": int(self.world.clock())}
        return self.update("my_chat_member", {**head, "old_chat_member": old, "new_chat_member": new})

    def migrate(self, user: int, chat: int, successor: int) -> list[Json]:
        """A group becomes a supergroup: a message in the old one, one in the new one; the old one is dead then."""
        with self.world.lock:
            old = self.world.chats[chat]
            self.world.group(successor, old.about["title"])
            leaving = self.message(user, {"migrate_to_chat_id": successor}, chat)
            coming = self.message(user, {"migrate_from_chat_id": chat}, successor)
            old.successor = successor
            return [leaving, coming]

    def channel_post(self, chat: int, text: str) -> Json:
        """A post in a channel: nobody is named as its sender."""
        channel = Chat({"id": chat, "type": "channel", "title": "Channel"})
        where = self.world.chats.setdefault(chat, channel)
        return self.update("channel_post", self.world.message(where, None, {"text": text, "sender_chat": where.about}))


def found(chat: Chat, button: str, message: int) -> tuple[int, str]:
    """The message and the data of a button that the person can tap."""
    for number in [message] if message else sorted(chat.markups, reverse=True):
        inline = chat.markups.get(number, {}).get("inline_keyboard")
        for each in [each for row in buttons({"inline_keyboard": inline}) for each in row]:
            if each.data and button in (each.label, each.data):
                return number, each.data
    raise AssertionError(f"no button {button!r} to tap in {chat.id}")


def marks(text: str) -> list[Json]:
    """The entities of commands and mentions, in UTF-16 units."""
    return [
        {
            "type": "mention" if match[1].startswith("@") else "bot_command",
            "offset": utf16(text[: match.start(1)]),
            "length": utf16(match[1]),
        }
        for match in MARKS.finditer(text)
    ]


def captioned(caption: str) -> Json:
    """The words under a file."""
    hold("caption", caption)
    return {"caption": caption} if caption else {}
