"""People on the platforms: they write, send, tap what they see, block, and read what came."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from standins.telegram_world import Received

from platforms.city import City

Json = dict[str, Any]
STATION = (25.012, 121.4657)


@dataclass(frozen=True)
class Seen:
    """One message as a person sees it. `how`: reply or push on LINE. `choices`: what its buttons send."""

    text: str
    choices: tuple[str, ...] = ()
    how: str = ""
    links: tuple[str, ...] = ()


class Person(ABC):
    """Somebody with a chat that the bot is in. What a person does returns what came of it."""

    def __init__(self, city: City) -> None:
        self.city = city
        self._read = 0

    @abstractmethod
    def send(self, *events: Json) -> list[Seen]:
        """Events of the platform, in their order."""

    @abstractmethod
    def everything(self) -> list[Seen]:
        """Every message that came so far."""

    @abstractmethod
    def follow(self) -> list[Seen]:
        """Open the chat for the first time."""

    @abstractmethod
    def say(self, text: str) -> list[Seen]:
        """Write something."""

    @abstractmethod
    def tap(self, choice: str) -> list[Seen]:
        """Press the newest button that sends this."""

    @abstractmethod
    def photo(self, content: bytes) -> list[Seen]:
        """Send a picture."""

    @abstractmethod
    def document(self, content: bytes) -> list[Seen]:
        """Send a file."""

    @abstractmethod
    def without_words(self, kind: str) -> list[Seen]:
        """Send a voice message, a sticker or a place."""

    @abstractmethod
    def block(self) -> list[Seen]:
        """Let the bot in no more, which the platform tells it."""

    @abstractmethod
    def come_back(self) -> list[Seen]:
        """Let the bot in again."""

    def news(self) -> list[Seen]:
        """What came since it was last asked, once everything has settled."""
        self.city.settle()
        found = self.everything()[self._read :]
        self._read += len(found)
        return found

    @property
    def asked(self) -> str:
        """The fact that the newest message asks for; empty when it asks nothing."""
        answers = [choice for choice in self.everything()[-1].choices if choice.startswith("answer:")]
        return answers[0].split(":")[1] if answers else ""


class OnLine(Person):
    """A friend of the LINE account. `language` None: LINE does not tell."""

    def __init__(self, city: City, language: str | None = "zh-TW", name: str = "An") -> None:
        super().__init__(city)
        self.id = city.line.user(name, language=language)
        self.make = city.line.events

    def send(self, *events: Json) -> list[Seen]:
        delivery = self.city.line.deliver(*events)
        assert delivery.status == 200, delivery
        return self.news()

    def everything(self) -> list[Seen]:
        return [_seen_on_line(each.message, each.how) for each in self.city.line.received(self.id)]

    def follow(self) -> list[Seen]:
        return self.send(self.make.follow(self.id))

    def say(self, text: str) -> list[Seen]:
        return self.send(self.make.text(self.id, text))

    def tap(self, choice: str) -> list[Seen]:
        shown = [action.get("data") for action in self.city.line.buttons(self.id)]
        assert choice in shown, f"no button sends {choice}, only {shown}"
        return self.send(self.make.postback(self.id, choice))

    def photo(self, content: bytes) -> list[Seen]:
        return self.send(self.make.image(self.id, content))

    def document(self, content: bytes) -> list[Seen]:
        return self.send(self.make.file(self.id, body=content))

    def without_words(self, kind: str) -> list[Seen]:
        if kind == "place":
            return self.send(self.make.location(self.id, *STATION))
        return self.send(self.make.audio(self.id) if kind == "voice" else self.make.sticker(self.id))

    def block(self) -> list[Seen]:
        return self.send(self.make.unfollow(self.id))

    def come_back(self) -> list[Seen]:
        return self.send(self.make.follow(self.id, unblocked=True))


class OnTelegram(Person):
    """Somebody with a private chat with the Telegram bot."""

    def __init__(self, city: City, language: str = "", number: int = 7001) -> None:
        super().__init__(city)
        self.id = number
        self.make = city.telegram.make
        self._tapped = 0
        city.telegram.world.user(number, lang=language)

    def send(self, *events: Json) -> list[Seen]:
        for update in events:
            assert self.city.telegram.deliver(update).wanted
        return self.news()

    def everything(self) -> list[Seen]:
        received = self.city.telegram.chat(self.id).received
        return [_seen_on_telegram(each) for each in received if each.kind == "message"]

    def follow(self) -> list[Seen]:
        return self.send(self.make.command(self.id, "start"))

    def say(self, text: str) -> list[Seen]:
        self.take_a_second()
        return self.send(self.make.text(self.id, text))

    def tap(self, choice: str) -> list[Seen]:
        self._tapped = int(time.time())
        return self.send(self.make.tap(self.id, choice))

    def photo(self, content: bytes) -> list[Seen]:
        return self.send(self.make.photo(self.id, content))

    def document(self, content: bytes) -> list[Seen]:
        return self.send(self.make.document(self.id, content))

    def without_words(self, kind: str) -> list[Seen]:
        if kind == "place":
            return self.send(self.make.location(self.id, *STATION))
        return self.send(self.make.voice(self.id) if kind == "voice" else self.make.sticker(self.id))

    def block(self) -> list[Seen]:
        return self.send(self.city.telegram.block(self.id))

    def come_back(self) -> list[Seen]:
        return self.send(self.city.telegram.unblock(self.id))

    def resume(self, token: str) -> list[Seen]:
        """Open a link that carries a token, some time after it was shown."""
        self._tapped = int(time.time())
        self.take_a_second()
        return self.send(self.make.command(self.id, "start", token))

    def take_a_second(self) -> None:
        """Nobody types within the second of a tap, and Telegram tells the time of a message in whole seconds."""
        self.city.wait(lambda: int(time.time()) > self._tapped)

    def news(self) -> list[Seen]:
        found = super().news()
        self.city.wait(lambda: not self.city.telegram.unanswered())
        return found


def _seen_on_telegram(received: Received) -> Seen:
    buttons = [button for row in received.rows for button in row]
    return Seen(
        received.text,
        tuple(button.data for button in buttons if button.data),
        links=tuple(button.url for button in buttons if button.url),
    )


def _seen_on_line(message: Mapping[str, Any], how: str) -> Seen:
    parts = list(_parts(message))
    texts = [part["text"] for part in parts if part.get("type") == "text" and "text" in part]
    return Seen(
        "\n".join(texts),
        tuple(part["data"] for part in parts if part.get("type") == "postback"),
        how,
        tuple(part["uri"] for part in parts if part.get("type") == "uri"),
    )


def _parts(value: object) -> Iterator[Mapping[str, Any]]:
    """Every object within a message, from the outside in."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _parts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _parts(each)
