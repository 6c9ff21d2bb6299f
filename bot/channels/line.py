"""The sending side of LINE: by reply token while one is fresh, else by push within the quota."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

import aiohttp
from linebot.v3.messaging import ShowLoadingAnimationRequest

from bot import observe
from bot.channels.line_account import Account, Menus
from bot.channels.line_wire import LOST, TIMEOUT, UNREACHED, Answer, Wire, looked_up
from bot.channels.port import Allowance, FetchFailed, Parcel, Receipt, Sent
from bot.channels.tongues import of_tag
from bot.messages import Address, Attachment
from bot.render.line import LineRenderer, Message, Request

KEYS = uuid.UUID("6f1d3c52-7a0e-5b0a-9c7e-2f4a8d6b1e93")
PAUSES = (0.2, 0.5)
LANGUAGE_SECONDS = 1.0
WORKING_SECONDS = 20
GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a parcel is delivered: whole replies, and messages of the next one."""

    done: int
    parts: int


class LineChannel:
    """LINE as the house needs it. `pauses`: seconds before each further try of a reply whose outcome is unknown.

    `public_url` is not needed as long as no message points to a file of ours.
    """

    bundles = True

    def __init__(
        self,
        renderer: LineRenderer,
        token: str,
        api_base: str,
        monotonic: Callable[[], float] = time.monotonic,
        public_url: str = "",
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._renderer = renderer
        self._pauses = tuple(pauses)
        self._wire = Wire(token, api_base)
        self._account = Account(self._wire, monotonic)
        self._menus = Menus(self._wire, monotonic)
        self._opened = False

    async def open(self) -> None:
        """Connect, and read quota and basic id."""
        if not self._opened:
            self._opened = True
            await self._account.read()

    async def close(self) -> None:
        """Close every connection."""
        self._opened = False
        await self._wire.close()

    # -- sending

    async def send(self, parcel: Parcel) -> Receipt:
        """Deliver one parcel. Where a reply token takes only its beginning, the rest waits for the next one."""
        requests = self._renderer.packed(parcel.replies, parcel.skip)
        if not requests:
            return Receipt(Sent.SENT)
        if parcel.reply_token:
            return await self._reply(parcel, requests)
        if parcel.unsure:  # a push could double what an earlier reply may have delivered
            return _perhaps(requests)
        return await self._push(parcel, requests)

    async def _reply(self, parcel: Parcel, requests: list[Request], plain: bool = False) -> Receipt:
        messages = self._of_reply(parcel, requests)
        answer, lost = await self._tried(parcel.reply_token, messages)
        unsure = parcel.unsure or lost
        if answer.accepted:
            return _sent(requests)
        if answer.stale:
            observe.count("line.token_stale")
            return _perhaps(requests) if unsure else await self._push(parcel, requests, plain)
        if answer.status == 400 and not plain:
            observe.count("line.plain")
            words = self._renderer.plain(parcel.replies)
            return await self._reply(replace(parcel, unsure=unsure), words, plain=True)
        return _failed(answer, Progress(0, parcel.skip), unsure)

    def _of_reply(self, parcel: Parcel, requests: list[Request]) -> tuple[Message, ...]:
        """The messages that fit one token. In a group a tap on "more" would not reach us: nothing there is for us."""
        if len(requests) == 1 or not _is_person(parcel.address):
            return requests[0].messages
        return self._renderer.with_more(requests[0], parcel.replies)

    async def _tried(self, token: str, messages: Sequence[Message]) -> tuple[Answer, bool]:
        """The last answer, and whether the outcome of any try is unknown. One token never delivers twice."""
        answer = await self._wire.reply(token, messages)
        lost = answer.unknown
        for pause in self._pauses:
            if not answer.unknown:
                break
            await asyncio.sleep(pause)
            answer = await self._wire.reply(token, messages)
        return answer, lost

    async def _push(self, parcel: Parcel, requests: list[Request], plain: bool = False) -> Receipt:
        """`plain`: the requests are words alone already."""
        before = Progress(0, parcel.skip)
        for request in requests:
            if await self._account.spent():
                return _waits("quota", before)
            answer = await self._wire.push(parcel.address.user, request.messages, retry_key(parcel, request))
            if answer.status == 400 and not plain:
                observe.count("line.plain")
                return await self._push_words(parcel, before)
            if not answer.accepted:
                return await self._not_pushed(answer, before)
            if answer.status != 409:  # which was counted when it was accepted
                self._account.pushed()
            before = Progress(request.done, request.parts)
        return Receipt(Sent.SENT)

    async def _push_words(self, parcel: Parcel, before: Progress) -> Receipt:
        """The rest in words alone, from the beginning of the reply that was refused."""
        receipt = await self._push(parcel, self._renderer.plain(parcel.replies, before.done), plain=True)
        untouched = receipt.result is not Sent.SENT and receipt.done <= before.done
        return replace(receipt, done=before.done, parts=before.parts) if untouched else receipt

    async def _not_pushed(self, answer: Answer, before: Progress) -> Receipt:
        if answer.status == 429:
            await self._account.read()
            allowance = self._account.allowance
            if (allowance is not None and allowance.left == 0) or "monthly" in answer.message.lower():
                return _waits("quota", before)
        return _failed(answer, before)

    # -- looking up

    def allowance(self) -> Allowance | None:
        """The month's quota as last read, with what was pushed since."""
        return self._account.allowance

    def resume_url(self, token: str) -> str:
        """A link that opens the chat with `resume TOKEN` ready to be sent; empty until the account's id is known."""
        if not self._account.basic_id:
            return ""
        return f"https://line.me/R/oaMessage/{quote(self._account.basic_id)}/?{quote(f'resume {token}')}"

    async def language(self, address: Address) -> str:
        """The language of the person's phone, as LINE tells it to accounts that they trust."""
        if not _is_person(address):
            return ""
        api = await self._wire.api()
        asking = api.get_profile(address.user, _request_timeout=TIMEOUT)
        profile = await looked_up("profile", asking, LANGUAGE_SECONDS)
        return of_tag(profile.language or "") if profile is not None else ""

    async def working(self, address: Address) -> None:
        """Show the loading animation; LINE has none for groups."""
        if _is_person(address):
            api = await self._wire.api()
            request = ShowLoadingAnimationRequest(chatId=address.user, loadingSeconds=WORKING_SECONDS)
            await looked_up("loading", api.show_loading_animation(request, _request_timeout=TIMEOUT), 5.0)

    async def link_menu(self, address: Address, lang: str) -> bool:
        """Give the person the rich menu of a language, where the account has one."""
        return not _is_person(address) or await self._menus.link(address.user, lang)

    async def menus(self) -> str:
        """Which menus of ours the account has."""
        return await self._menus.version()

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """The content of a file, at most `limit` bytes.

        Raises FetchFailed.
        """
        try:
            async with self._wire.content(attachment.ref) as response:
                if response.status != 200:
                    raise _unfetched(response.status)
                return await _read(response, limit)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FetchFailed(type(error).__name__, False) from error


def retry_key(parcel: Parcel, request: Request) -> str:
    """The same for an identical repetition, another for other messages.

    It hangs on what is sent, not on its place: what is left of a parcel begins at another place when it is tried again.
    """
    content = hashlib.sha256(json.dumps(request.messages, sort_keys=True).encode()).hexdigest()
    return str(uuid.uuid5(KEYS, f"{parcel.retry_key}/{content}"))


def _is_person(address: Address) -> bool:
    return address.user.startswith("U")


def _sent(requests: list[Request]) -> Receipt:
    first = Progress(requests[0].done, requests[0].parts)
    return Receipt(Sent.SENT) if len(requests) == 1 else _waits("more", first)


def _perhaps(requests: list[Request]) -> Receipt:
    """The first request may have arrived; what was never tried is not lost with it."""
    return Receipt(Sent.PROBABLY, "unknown") if len(requests) == 1 else _sent(requests)


def _waits(why: str, progress: Progress) -> Receipt:
    return Receipt(Sent.WAITING, why, done=progress.done, parts=progress.parts)


def _failed(answer: Answer, before: Progress, unsure: bool = False) -> Receipt:
    """An outage may end by itself or by an operator's hand; another refusal never."""
    if answer.status in (401, 403):
        observe.count("line.unauthorized")
    outage = answer.unknown or answer.status < 400 or answer.status in (401, 403)
    result = Sent.RETRY if outage or answer.status == 429 else Sent.DEAD
    error = {LOST: "no answer", UNREACHED: "not reached", 403: "401"}.get(answer.status, str(answer.status))
    return Receipt(result, error, outage=outage, done=before.done, parts=before.parts, unsure=unsure)


def _unfetched(status: int) -> FetchFailed:
    if status in GONE:
        return FetchFailed("gone", True)
    return FetchFailed("not ready" if status == 202 else str(status), False)


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Raises FetchFailed as soon as more is announced or sent."""
    body = bytearray()
    if (response.content_length or 0) > limit:
        raise FetchFailed("large", True)
    async for part in response.content.iter_chunked(65536):
        body += part
        if len(body) > limit:
            raise FetchFailed("large", True)
    return bytes(body)
