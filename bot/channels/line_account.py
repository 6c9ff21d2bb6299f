"""What is looked up of the LINE account itself and remembered: monthly quota, basic id, rich menus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from linebot.v3.messaging import ApiException

from bot import observe
from bot.channels.line_wire import FAILURES, TIMEOUT, Wire, looked_up
from bot.channels.port import Allowance

QUOTA_SECONDS = 600.0
SOON_SECONDS = 10.0  # where a language has no menu yet: it may just have been made
MENU_SECONDS = 3600.0
LOOK_SECONDS = 5.0
MENU_NAME = "labor-bot"


class Account:
    """The quota of pushes and the basic id, as last read."""

    def __init__(self, wire: Wire, monotonic: Callable[[], float]) -> None:
        self.allowance: Allowance | None = None
        self.basic_id = ""
        self._wire = wire
        self._monotonic = monotonic
        self._read_at: float | None = None
        self._reads = 0
        self._lock = asyncio.Lock()

    async def spent(self) -> bool:
        """Is nothing left of the quota? Read again when it was read long ago."""
        if self._read_at is None or self._monotonic() - self._read_at > QUOTA_SECONDS:
            await self.read()
        return self.allowance is not None and self.allowance.left == 0

    async def read(self) -> None:
        """Ask LINE; those who want it meanwhile share the answer."""
        before = self._reads
        async with self._lock:
            if self._reads != before:
                return
            await asyncio.gather(self._read_quota(), self._read_id())
            self._reads += 1
            self._read_at = self._monotonic()

    def pushed(self) -> None:
        """One more was used."""
        if self.allowance is not None:
            self.allowance = Allowance(self.allowance.limit, self.allowance.used + 1)

    async def _read_quota(self) -> None:
        api = await self._wire.api()
        quota, used = await asyncio.gather(
            looked_up("quota", api.get_message_quota(_request_timeout=TIMEOUT), LOOK_SECONDS),
            looked_up("quota", api.get_message_quota_consumption(_request_timeout=TIMEOUT), LOOK_SECONDS),
        )
        if quota is not None and used is not None:
            self.allowance = Allowance(quota.value if quota.type == "limited" else None, used.total_usage)

    async def _read_id(self) -> None:
        if not self.basic_id:
            api = await self._wire.api()
            info = await looked_up("info", api.get_bot_info(_request_timeout=TIMEOUT), LOOK_SECONDS)
            self.basic_id = info.basic_id if info is not None else ""


class Menus:
    """The account's rich menus that are ours, by language; made elsewhere, linked here."""

    def __init__(self, wire: Wire, monotonic: Callable[[], float]) -> None:
        self._wire = wire
        self._monotonic = monotonic
        self._known: dict[str, str] = {}
        self._read_at: float | None = None
        self._lock = asyncio.Lock()

    async def link(self, user: str, lang: str) -> bool:
        """Give a person the menu of a language; True also where there is none. False: not now."""
        try:
            menu = (await self._menus()).get(lang) or (await self._menus(SOON_SECONDS)).get(lang)
            if menu is None or await self._linked(user, menu):
                return True
            self._read_at = None  # it was replaced: once more, by its successor
            successor = (await self._menus()).get(lang)
            return successor is None or await self._linked(user, successor)
        except FAILURES:
            observe.count("line.menu.failed")
            return False

    async def version(self) -> str:
        """Which menus there are, as a short text that changes with them; empty where there are none or LINE fails."""
        try:
            return " ".join(sorted((await self._menus(0.0)).values()))
        except FAILURES:
            return ""

    async def _menus(self, at_most: float = MENU_SECONDS) -> dict[str, str]:
        """The menus as read at most so many seconds ago."""
        async with self._lock:
            if self._read_at is None or self._monotonic() - self._read_at >= at_most:
                api = await self._wire.api()
                found = (await api.get_rich_menu_list(_request_timeout=TIMEOUT)).richmenus
                named = [(menu.name.split("/"), menu.rich_menu_id) for menu in found]
                self._known = {name[1]: id for name, id in named if len(name) == 3 and name[0] == MENU_NAME}
                self._read_at = self._monotonic()
            return self._known

    async def _linked(self, user: str, menu: str) -> bool:
        """False where there is no such menu any more."""
        api = await self._wire.api()
        try:
            await api.link_rich_menu_id_to_user(user, menu, _request_timeout=TIMEOUT)
        except ApiException as error:
            if error.status != 404:
                raise
            return False
        return True
