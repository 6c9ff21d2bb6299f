"""Small errands with messaging platforms, beside turns: files to fetch, menus to link, patience to ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot import observe
from bot.channels.port import FetchFailed, Messenger
from bot.dialogue.effects import Option, Say
from bot.messages import Address, Notice
from bot.pipeline.hub import DESK, Hub
from bot.render.replies import Renderer
from bot.store import Store
from bot.store.attachments import TRIES, Wanted
from bot.store.platforms import MenuDue, Slow

EVERY_SECONDS = 1.0
AT_ONCE = 8
FILE_BYTES = 10_000_000
MENUS_AT_ONCE = 20
MENU_ROUNDS = 300  # rounds between two looks at which menus there are
ANIMATE_AFTER = 3.0
TELL_AFTER = 40.0
FETCH_SECONDS = 20.0

_TYPES = (  # how a content begins, and what it is then
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)


def type_of(content: bytes) -> str:
    """What a content is by its first bytes: JPEG, PNG or PDF; empty for anything else, whatever it was announced as."""
    return next((mime for start, mime in _TYPES if content.startswith(start)), "")


@dataclass
class Errands:
    """Runs beside the worker and the sender; each errand is in the store, so a restart forgets none."""

    store: Store
    messengers: Mapping[str, Messenger]
    renderer: Renderer
    hub: Hub
    sent: asyncio.Event
    _animated: dict[int, float] = field(default_factory=dict)
    _rounds: int = 0

    async def run(self) -> None:
        """Look every second until cancelled."""
        while True:
            try:
                await self.once()
            except Exception as error:  # the store, or a fault of ours: what is due stays due
                observe.failure("errands", error)
            await asyncio.sleep(EVERY_SECONDS)

    async def once(self) -> None:
        """Everything that is due now."""
        await self._files()
        await self._menus()
        await self._patience()

    async def language(self, address: Address) -> str:
        """The language an account is set to, where its platform tells."""
        messenger = self.messengers.get(address.channel)
        return await messenger.language(address) if messenger is not None else ""

    # -- files for open cases

    async def _files(self) -> None:
        await asyncio.gather(*(self._file(each) for each in await self.store.attachments.due(AT_ONCE)))

    async def _file(self, wanted: Wanted) -> None:
        messenger = self.messengers.get(wanted.address.channel)
        try:
            if messenger is None:
                raise FetchFailed("channel off", True)
            async with asyncio.timeout(FETCH_SECONDS):
                content = await messenger.fetch(wanted.attachment, FILE_BYTES)
        except (FetchFailed, TimeoutError) as error:
            final = isinstance(error, FetchFailed) and error.final
            if final or wanted.attempts >= TRIES:
                large = isinstance(error, FetchFailed) and error.reason == "large"
                await self._refuse(wanted, "file_large" if large else "file_lost")
            return
        await self._keep(wanted, content)

    async def _keep(self, wanted: Wanted, content: bytes) -> None:
        mime = type_of(content)
        if not mime:
            await self._refuse(wanted, "file_type")
            return
        notice = self.renderer.say("conversation.file_kept", wanted.lang, Notice.CASE)
        if await self.store.attachments.keep(wanted, mime, content, notice):
            self._changed(wanted.conversation)

    async def _refuse(self, wanted: Wanted, key: str) -> None:
        params = {"limit": str(FILE_BYTES // 1_000_000)} if key == "file_large" else {}
        notice = self.renderer.say(f"conversation.{key}", wanted.lang, Notice.CASE, **params)
        if await self.store.attachments.refuse(wanted, notice):
            self._changed(wanted.conversation)

    def _changed(self, conversation: int) -> None:
        self.sent.set()
        self.hub.publish(conversation)
        self.hub.publish(DESK)

    # -- menus in the person's language

    async def _menus(self) -> None:
        if self._rounds % MENU_ROUNDS == 0:
            await self._new_menus()
        self._rounds += 1
        linked = await asyncio.gather(*(self._link(due) for due in self.store.menus_due(MENUS_AT_ONCE)))
        observe.count("menus.linked", sum(linked))

    async def _new_menus(self) -> None:
        """After new menus were made, the old ones are gone, and with them every link to them."""
        known = self.store.kept("menus.")
        for name, messenger in self.messengers.items():
            version = await messenger.menus()
            if version and version != known.get(f"menus.{name}"):
                await self.store.new_menus(name, version)

    async def _link(self, due: MenuDue) -> bool:
        messenger = self.messengers.get(due.address.channel)
        done = messenger is None or await messenger.link_menu(due.address, due.lang)
        if done:
            await self.store.menu_linked(due)
        return done

    # -- people who wait long

    async def _patience(self) -> None:
        """After a few seconds the platform shows that something is done; before the token is spent a word is said."""
        slow = self.store.slow(ANIMATE_AFTER, AT_ONCE)
        for event in slow:
            messenger = self.messengers.get(event.address.channel)
            if messenger is None:
                continue
            if event.id not in self._animated:
                await messenger.working(event.address)
            if event.age > TELL_AFTER and not event.told:
                await self._tell(event)
        self._animated = {event.id: event.age for event in slow}

    async def _tell(self, event: Slow) -> None:
        say = Say("conversation.working", (Option("more", "conversation.choice.more"),), notice=Notice.CASE)
        (reply,) = self.renderer.replies((say,), event.lang or "zh-TW")
        if await self.store.tell_working(event, reply):
            self.sent.set()
