"""The conversation in a terminal, and line by line as JSON for scripts."""

from __future__ import annotations

from typing import Any

from bot.channels.port import Parcel, Receipt, Sent
from bot.messages import Address, Reply
from bot.render.plain import choices_of, text_of

CHANNEL = "console"
ADDRESS = Address(CHANNEL, "", "console")


class ConsoleChannel:
    """Collects what was delivered until it is printed."""

    def __init__(self) -> None:
        self._delivered: list[Reply] = []

    async def send(self, parcel: Parcel) -> Receipt:
        """Keep the replies for `collect`."""
        self._delivered.extend(parcel.replies)
        return Receipt(Sent.SENT)

    def collect(self) -> list[Reply]:
        """What was delivered since the last call."""
        delivered, self._delivered = self._delivered, []
        return delivered


def document(reply: Reply) -> dict[str, Any]:
    """A reply as {"text", "choices": [{"id", "label"}]}."""
    return {"text": text_of(reply), "choices": [{"id": c.id, "label": c.label} for c in choices_of(reply)]}


def screen(reply: Reply, first: int) -> str:
    """A reply for people: its choices numbered from `first`."""
    lines = [text_of(reply)]
    lines += [f"  [{number}] {choice.label}" for number, choice in enumerate(choices_of(reply), first)]
    return "\n".join(lines)
