"""What the bot does in chats: messages, edits, buttons, files, topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .telegram_html import Entity, link_fault, parse, trim
from .telegram_keyboard import buttons, check
from .telegram_limits import (
    ACTIONS,
    DELETE_SECONDS,
    LIMITS,
    QUERY_SECONDS,
    Refusal,
    breach,
    hold,
)
from .telegram_request import Params
from .telegram_trouble import Rates
from .telegram_world import Chat, File, Received, World, words

Json = dict[str, Any]
SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)


@dataclass
class ChatMethods:
    """The methods that act in a chat; each takes the parameters and gives the result."""

    world: World
    rates: Rates
    patience: float = QUERY_SECONDS

    def table(self) -> Mapping[str, Callable[[Params], Any]]:
        """Method names as the Bot API spells them."""
        return {
            "sendMessage": self.send_message,
            "sendPhoto": self.send_photo,
            "sendDocument": self.send_document,
            "sendChatAction": self.send_action,
            "editMessageText": self.edit_text,
            "editMessageReplyMarkup": self.edit_markup,
            "deleteMessage": self.delete,
            "answerCallbackQuery": self.answer,
            "createForumTopic": self.create_topic,
            "getFile": self.get_file,
        }

    # -- sending

    def send_message(self, params: Params) -> Json:
        """sendMessage."""
        text, entities = self.formatted(params, "text", "entities", "sendMessage")
        content: Json = {"text": text, **({"entities": entities} if entities else {})}
        return self.send(params, content, text, entities)

    def send_photo(self, params: Params) -> Json:
        """sendPhoto, with a file, an id or an address."""
        file = self.sent_file(params, "photo", "photos/file_{}.jpg")
        sizes = [{**file.about, "width": 320, "height": 240}]
        return self.send_captioned(params, {"photo": sizes}, "sendPhoto")

    def send_document(self, params: Params) -> Json:
        """sendDocument, with a file, an id or an address."""
        upload = params.upload("document")
        file = self.sent_file(params, "document", "documents/file_{}")
        about = {**file.about, **({"file_name": upload.name} if upload else {})}
        return self.send_captioned(params, {"document": about}, "sendDocument")

    def send_captioned(self, params: Params, content: Json, method: str) -> Json:
        """A file with the text under it."""
        text, entities = self.formatted(params, "caption", "caption_entities", method)
        content |= {"caption": text} if text else {}
        content |= {"caption_entities": entities} if entities else {}
        return self.send(params, content, text, entities)

    def send(self, params: Params, content: Json, text: str, entities: list[Entity]) -> Json:
        """A new message of the bot."""
        chat = self.chat(params)
        markup = self.markup(params, chat)
        extra = self.world.thread(chat, params.integer("message_thread_id"))
        extra |= self.reply(params, chat)
        self.rates.send(chat.id)
        inline = {"reply_markup": markup} if "inline_keyboard" in markup else {}
        message = self.world.message(chat, self.world.bot, {**extra, **content, **inline})
        if markup:
            chat.markups[message["message_id"]] = markup
            self.keyboard(chat, markup)
        self.note(chat, "message", message, text, entities)
        return message

    def sent_file(self, params: Params, name: str, path: str) -> File:
        """The file of an upload, a known id or an address."""
        if upload := params.upload(name):
            hold(name, len(upload.content))
            return self.world.file(path, upload.content)
        given = params.text(name)
        if given.startswith(("http://", "https://")):
            return self.world.file(path, b"")
        if given not in self.world.files:
            raise breach(
                "wrong remote file identifier specified: Wrong string length" if given else f"{name} is missing"
            )
        return self.world.files[given]

    def send_action(self, params: Params) -> bool:
        """sendChatAction: "typing" and its kind."""
        if params.text("action") not in ACTIONS:
            raise breach("wrong parameter action in request")
        chat = self.chat(params)
        thread = self.world.thread(chat, params.integer("message_thread_id"))
        where = thread.get("message_thread_id", 0)
        action = Received("action", chat.id, text=params.text("action"), thread=where, at=self.world.clock())
        self.world.note(action)
        return True

    # -- changing

    def edit_text(self, params: Params) -> Json:
        """editMessageText: without buttons in the request the message loses its buttons."""
        text, entities = self.formatted(params, "text", "entities", "editMessageText")
        chat, message = self.own(params)
        markup = self.markup(params, chat)
        if "text" not in message:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        before = (message["text"], message.get("entities", []), message.get("reply_markup", {}))
        if before == (text, entities, markup):
            raise Refusal(400, f"Bad Request: {SAME}")
        self.rates.send(chat.id)
        message["text"] = text
        put(message, "entities", entities)
        self.changed(chat, message, markup)
        self.note(chat, "edit", message, text, entities)
        return message

    def edit_markup(self, params: Params) -> Json:
        """editMessageReplyMarkup: other buttons, or none."""
        chat, message = self.own(params)
        markup = self.markup(params, chat)
        if message.get("reply_markup", {}) == markup or not (buttons(markup) or message.get("reply_markup")):
            raise Refusal(400, f"Bad Request: {SAME}")
        self.rates.send(chat.id)
        self.changed(chat, message, markup)
        self.note(chat, "buttons", message, words(message), [])
        return message

    def changed(self, chat: Chat, message: Json, markup: Json) -> None:
        """The marks of an edit."""
        message["edit_date"] = int(self.world.clock())
        put(message, "reply_markup", markup if buttons(markup) else {})
        put(chat.markups, message["message_id"], message.get("reply_markup", {}))

    def delete(self, params: Params) -> bool:
        """deleteMessage: two days long."""
        chat = self.chat(params)
        number = params.integer("message_id")
        message = chat.messages.get(number)
        if message is None:
            raise Refusal(400, "Bad Request: message to delete not found")
        if self.world.clock() - message["date"] > DELETE_SECONDS:
            raise Refusal(400, "Bad Request: message can't be deleted for everyone")
        del chat.messages[number]
        chat.markups.pop(number, None)
        self.note(chat, "delete", message, words(message), [])
        return True

    def answer(self, params: Params) -> bool:
        """answerCallbackQuery: once, in time."""
        text = params.text("text")
        hold("callback_answer", text)
        number = params.text("callback_query_id")
        self.world.answered(number, dict(params.values), self.patience)
        self.world.note(Received("answer", self.world.queries[number].chat, text=text, at=self.world.clock()))
        return True

    def create_topic(self, params: Params) -> Json:
        """createForumTopic: counts as a send."""
        hold("topic_name", params.text("name"))
        chat = self.chat(params)
        self.rates.send(chat.id)
        thread = self.world.topic(chat, params.text("name"))
        self.world.note(Received("topic", chat.id, text=params.text("name"), thread=thread, at=self.world.clock()))
        return {"message_thread_id": thread, "name": params.text("name"), "icon_color": 7322096}

    def get_file(self, params: Params) -> Json:
        """getFile: a link that holds an hour."""
        file = self.world.files.get(params.text("file_id"))
        if file is None:
            raise breach("wrong file_id or the file is temporarily unavailable")
        if file.size > LIMITS["download"].high:
            raise Refusal(400, f"Bad Request: {LIMITS['download'].long}")
        file.linked = self.world.clock()
        return {**file.about, "file_path": file.path}

    # -- reading parameters

    def chat(self, params: Params) -> Chat:
        """The chat that is meant."""
        given = params.text("chat_id").strip()
        if not given:
            raise breach("chat_id is empty")
        return self.world.chat(int(given) if given.lstrip("-").isdecimal() else 0)

    def own(self, params: Params) -> tuple[Chat, Json]:
        """The bot's own message that is to be changed."""
        chat = self.chat(params)
        message = chat.messages.get(params.integer("message_id"))
        if message is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        replies = "reply_markup" not in message and buttons(chat.markups.get(message["message_id"]))
        if message.get("from") != self.world.bot or replies:
            raise Refusal(400, "Bad Request: message can't be edited")
        return chat, message

    def formatted(self, params: Params, name: str, key: str, method: str) -> tuple[str, list[Entity]]:
        """A text as seen; links that Telegram drops are faults without an error."""
        text, entities = params.text(name), params.document(key, list) or []
        mode = params.text("parse_mode").lower()
        if mode == "html":
            text, entities = parse(text)
        elif mode:
            raise breach(f"unsupported parse_mode (the stand-in reads HTML, not {mode})")
        blank = bool(text) and not text.strip()
        text, entities = trim(text, entities)
        if blank and name == "text":
            raise breach("text must be non-empty")
        hold(name, text)
        for url in [entity.get("url", "") for entity in entities if entity["type"] == "text_link"]:
            if fault := link_fault(url):
                self.world.quiet(method, f"no link to {url}: {fault}")
        if len(entities) > LIMITS["entities"].high:
            self.world.quiet(method, f"{len(entities)} entities")
        shown = [each for each in entities if each["type"] != "text_link" or not link_fault(each.get("url", ""))]
        return text, shown[: LIMITS["entities"].high]

    def markup(self, params: Params, chat: Chat) -> Json:
        """A keyboard that Telegram takes; empty when none was given."""
        markup: Json = params.document("reply_markup", dict) or {}
        if markup:
            check(markup, chat.private)
        return markup

    def reply(self, params: Params, chat: Chat) -> Json:
        """The message that is replied to."""
        about = params.document("reply_parameters", dict)
        if not about:
            return {}
        found = chat.messages.get(about.get("message_id", 0))
        if found is None and not about.get("allow_sending_without_reply"):
            raise Refusal(400, "Bad Request: message to be replied not found")
        return {"reply_to_message": plain(found)} if found else {}

    def keyboard(self, chat: Chat, markup: Json) -> None:
        """The reply keyboard that the person has from now on."""
        if "keyboard" in markup:
            chat.keyboard = buttons(markup)
        elif markup.get("remove_keyboard"):
            chat.keyboard = ()

    def note(self, chat: Chat, kind: str, message: Json, text: str, entities: list[Entity]) -> None:
        """What the chat saw of it."""
        number, thread = message["message_id"], message.get("message_thread_id", 0)
        rows = buttons(chat.markups.get(number))
        now = self.world.clock()
        self.world.note(Received(kind, chat.id, number, text, rows, tuple(entities), thread, now))


def plain(message: Json) -> Json:
    """A message without the one that it replies to."""
    return {key: value for key, value in message.items() if key != "reply_to_message"}


def put(target: Any, key: Any, value: Any) -> None:
    """Sets a field, or takes it away when there is nothing to say."""
    if value:
        target[key] = value
    else:
        target.pop(key, None)
