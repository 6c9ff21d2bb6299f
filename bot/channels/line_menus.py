"""Puts the rich menus into the LINE account: makes those that are missing, then takes our older ones away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    AsyncMessagingApiBlob,
    Configuration,
    RichMenuRequest,
)

from bot.render.richmenu import OWN, RichMenu

LINE = "https://api.line.me"  # there pictures have a host of their own, which the SDK knows
SECONDS = 20.0
REASON_LETTERS = 300
PNG = {"Content-Type": "image/png"}
Tell = Callable[[str], None]


class PushFailed(Exception):
    """The menus could not be put there; the message says why and what to do. What citizens had they still have."""


async def push(menus: Sequence[RichMenu], default: str, token: str, base: str, tell: Tell) -> None:
    """Make the account's menus these, `default` the language of those who have not chosen one. Repeatable at any time.

    Menus of other tools are left alone. `tell` gets a line for each thing done. Raises PushFailed.
    """
    with _failures(base):
        configuration = Configuration(host=None if base == LINE else base, access_token=token)
        async with AsyncApiClient(configuration) as client:
            await _Account(client, tell).become(menus, default)


class _Account:
    def __init__(self, client: AsyncApiClient, tell: Tell) -> None:
        # the SDK is typed for its blocking half only
        self._api: Any = AsyncMessagingApi(client)
        self._blob: Any = AsyncMessagingApiBlob(client)
        self._tell = tell

    async def become(self, menus: Sequence[RichMenu], default: str) -> None:
        """New ones first, so that at no moment a citizen is without."""
        there = await self._ours()
        by_name = {name: menu_id for menu_id, name in there.items()}
        await self._validate([menu for menu in menus if menu.name not in by_name])
        wanted = {menu.lang: await self._ensure(menu, by_name.get(menu.name, "")) for menu in menus}
        await self._api.set_default_rich_menu(wanted[default], _request_timeout=SECONDS)
        self._tell(f"default: {default}")
        for menu_id in [each for each in there if each not in wanted.values()]:
            await self._api.delete_rich_menu(menu_id, _request_timeout=SECONDS)
            self._tell(f"deleted {there[menu_id]} ({menu_id})")

    async def _ours(self) -> dict[str, str]:
        """The names of our menus by id."""
        try:
            answer = await self._api.get_rich_menu_list(_request_timeout=SECONDS)
        except ValueError:  # another tool's menu with something that the SDK does not know yet
            raise PushFailed("line-bot-sdk cannot read the account's menus: install a newer version of it.") from None
        return {each.rich_menu_id: each.name for each in answer.richmenus if each.name.startswith(OWN)}

    async def _validate(self, menus: Sequence[RichMenu]) -> None:
        """Let LINE look at all of them before the first is made: making is limited by the hour."""
        for menu in menus:
            await self._api.validate_rich_menu_object(_request(menu), _request_timeout=SECONDS)

    async def _ensure(self, menu: RichMenu, menu_id: str) -> str:
        """The id of the menu, which is made unless it is there with its picture."""
        if not menu_id:
            return await self._make(menu)
        if not await self._has_picture(menu_id):  # a push ended between the two
            await self._set_picture(menu_id, menu)
        self._tell(f"{menu.lang}: unchanged ({menu_id})")
        return menu_id

    async def _make(self, menu: RichMenu) -> str:
        answer = await self._api.create_rich_menu(_request(menu), _request_timeout=SECONDS)
        menu_id: str = answer.rich_menu_id
        try:
            await self._set_picture(menu_id, menu)
        except (ApiException, aiohttp.ClientError, TimeoutError, OSError):
            with suppress(ApiException, aiohttp.ClientError, TimeoutError, OSError):
                await self._api.delete_rich_menu(menu_id, _request_timeout=SECONDS)
            raise
        self._tell(f"{menu.lang}: created {menu.name} ({menu_id})")
        return menu_id

    async def _has_picture(self, menu_id: str) -> bool:
        try:
            await self._blob.get_rich_menu_image(menu_id, _request_timeout=SECONDS)
        except ApiException as error:
            if error.status != 404:
                raise
            return False
        return True

    async def _set_picture(self, menu_id: str, menu: RichMenu) -> None:
        await self._blob.set_rich_menu_image(menu_id, body=menu.picture, _headers=dict(PNG), _request_timeout=SECONDS)


def _request(menu: RichMenu) -> RichMenuRequest:
    return RichMenuRequest.from_json(menu.document)


@contextmanager
def _failures(base: str) -> Iterator[None]:
    """What goes wrong as a PushFailed in plain words."""
    try:
        yield
    except ApiException as error:
        raise PushFailed(_reason(error.status, error.body)) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise PushFailed(f"LINE does not answer at {base} ({type(error).__name__}): push again later.") from None


def _reason(status: int, body: str | None) -> str:
    if status in (401, 403):
        return (
            "LINE refuses the channel access token: issue one in the LINE Developers console (Messaging API of the"
            " channel) and set LABOR_BOT_LINE_CHANNEL_TOKEN."
        )
    if status == 429:
        return "LINE lets an account create 100 rich menus an hour, and as many be deleted: push again in an hour."
    if status < 500:
        return f"LINE refuses the request ({status}): {_message(body)}"
    return f"LINE answers {status}: push again later."


def _message(body: str | None) -> str:
    """What LINE says is wrong, and where."""
    try:
        document = json.loads(body or "")
        details = [f"{each.get('property')}: {each.get('message')}" for each in document.get("details", ())]
        return "; ".join([str(document["message"]), *details])[:REASON_LETTERS]
    except (ValueError, KeyError, AttributeError, TypeError):
        return "it does not say why."
