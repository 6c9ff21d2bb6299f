"""One person sends 5,000 messages while 50 others talk: how long the others wait. `python -m bench.flood [none]`."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from bot.channels.port import Parcel, Receipt, Sent
from bot.messages import Address, Incoming
from bot.pipeline.house import House, build_house
from bot.pipeline.resources import load_resources

SAID = (
    "尋職津貼怎麼申請",
    "menu please",
    "How do I apply for unemployment benefit?",
    "職訓",
    "tôi bị nợ lương",
    "topic",
)
PEOPLE, EACH, FLOOD, AT_ONCE = 50, 4, 5000, 100


class Channel:
    """Notes when each event was answered first."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    async def send(self, parcel: Parcel) -> Receipt:
        """Delivered."""
        self.at.setdefault(parcel.in_reply_to, time.monotonic())
        return Receipt(Sent.SENT)


def said(user: str, event: str, ms: int, text: str) -> Incoming:
    """One message."""
    return Incoming(Address("hook", "", user), event, ms, text=text)


async def flood(house: House) -> None:
    """As fast as they are kept, each text another one."""
    for start in range(0, FLOOD, AT_ONCE):
        numbers = range(start, start + AT_ONCE)
        await house.door.accept([said("flood", f"f{n}", n, f"{random.choice(SAID)} {n}") for n in numbers])


async def person(house: House, number: int, sent: dict[str, float]) -> None:
    """A message every two seconds or so."""
    await asyncio.sleep(random.uniform(0, 3))
    for each in range(EACH):
        event = f"u{number}_{each}"
        sent[event] = time.monotonic()
        await house.door.accept([said(f"u{number}", event, each, random.choice(SAID))])
        await asyncio.sleep(random.uniform(1.5, 3))


async def main(flooded: bool) -> None:
    """Print how long the fifty waited, and what is left of the flood."""
    with tempfile.TemporaryDirectory() as folder:
        channel, sent = Channel(), dict[str, float]()
        house = build_house(Path(folder) / "flood.db", load_resources(), {"hook": channel})
        await house.start()
        people = [person(house, number, sent) for number in range(PEOPLE)]
        await asyncio.gather(*people, *([flood(house)] if flooded else []))
        await asyncio.sleep(3)
        waits = sorted(channel.at[event] - at for event, at in sent.items() if event in channel.at)
        p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99) - 1]
        print(f"{len(waits)} of {len(sent)} answered; p50 {p50:.3f} s, p99 {p99:.3f} s; {house.store.crowd.queue()}")
        await house.stop()


if __name__ == "__main__":
    asyncio.run(main("none" not in sys.argv))
