"""The messaging platforms that are switched on: their channels, their webhooks, what runs beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.port import Door, Messenger
from bot.config import Config
from bot.desk.notices import Notices, StaffGroup
from bot.pipeline.house import House
from bot.pipeline.resources import TEMPLATES, Resources

if TYPE_CHECKING:  # each SDK takes seconds to import: only where its platform is on
    from bot.channels.line import LineChannel
    from bot.channels.telegram import TelegramChannel

Run = Callable[[], Awaitable[None]]
Receive = Callable[[Request], Awaitable[Response]]


@dataclass
class Platforms:
    """LINE and Telegram as far as their secrets are set."""

    config: Config
    resources: Resources
    line: LineChannel | None = None
    telegram: TelegramChannel | None = None
    group: StaffGroup | None = None

    @property
    def messengers(self) -> Mapping[str, Messenger]:
        """The channels by name."""
        found: dict[str, Messenger] = {}
        if self.line is not None:
            found["line"] = self.line
        if self.telegram is not None:
            found["telegram"] = self.telegram
        return found

    def routes(self, door: Door) -> list[Route]:
        """Where the platforms post their events."""
        found: dict[str, Receive] = {}
        if self.line is not None:
            from bot.channels.line_inbox import LineInbox

            found["/webhook/line"] = LineInbox(door, self.config.line_secret).receive
        if self.telegram is not None and not self.config.telegram_polling:
            from bot.channels.telegram_inbox import TelegramInbox

            telegram, secret = self.telegram, self.config.telegram_secret
            found["/webhook/telegram"] = TelegramInbox(door, telegram.me, secret, telegram.answer).receive
        return [Route(path, receive, methods=["POST"]) for path, receive in found.items()]

    def beside(self, house: House) -> list[Run]:
        """What runs until the server stops: asking Telegram for updates, telling the staff group of cases."""
        found: list[Run] = []
        if self.telegram is not None and self.config.telegram_polling:
            from bot.channels.telegram_inbox import Poller

            found.append(Poller(self.telegram, house.door).run)
        if self.config.staff_notice_on:
            self.group = self._staff_group(house)
            found.append(Notices(house.store, self.resources, self.group, self.config.public_url).run)
        return found

    def _staff_group(self, house: House) -> StaffGroup:
        from bot.channels.staff_notice import StaffNotice

        config, store = self.config, house.store
        topic = self.resources.pages.words("zh-TW", "desk.notice_topic")
        return StaffNotice(
            config.staff_telegram_token,
            config.staff_telegram_chat,
            config.telegram_api_base,
            lambda: store.kept("staff."),
            store.keep,
            topic,
        )

    async def close(self) -> None:
        """Let go of what the house does not close itself."""
        if self.group is not None:
            await self.group.close()


def platforms(config: Config, resources: Resources) -> Platforms:
    """The platforms whose secrets are set."""
    found = Platforms(config, resources)
    if config.line_on:
        from bot.channels.line import LineChannel
        from bot.render.line import LineRenderer

        renderer = LineRenderer(TEMPLATES, lambda lang, key: resources.catalog.text(lang, key).text)
        found.line = LineChannel(renderer, config.line_token, config.line_api_base)
    if config.telegram_on:
        from bot.channels.telegram import TelegramChannel

        found.telegram = TelegramChannel(config.telegram_token, config.telegram_api_base)
    return found
