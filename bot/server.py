"""The Starlette app: one list of routes, and the house that runs behind it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import clock, observe, tracing
from bot.channels.budget import Budget
from bot.channels.hook import HookChannel, HookInbox
from bot.channels.own_data import OwnDataPages
from bot.channels.port import Channel
from bot.channels.visitors import Keys
from bot.channels.web import WebChannel, WebChat
from bot.config import Config
from bot.desk.desk import Desk
from bot.desk.sweep import sweep
from bot.desk.translator import Translator
from bot.pipeline.budgets import Limits
from bot.pipeline.house import House, build_house
from bot.pipeline.own_data import CopyDesk
from bot.pipeline.resources import TEMPLATES, Resources
from bot.pipeline.timetable import Service
from bot.platforms import Platforms, Run, platforms
from bot.store import StoreUnavailable, use_keys
from bot.watch import Watch

if TYPE_CHECKING:
    from bot.desk.provider import Provider

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class SafeHeaders:
    """Security headers on every answer, pages kept out of shared caches, traces kept out of answers and logs."""

    def __init__(self, app: ASGIApp, secure: bool, proxies: tuple[str, ...] = ()) -> None:
        self._app = app
        self._proxies = proxies
        self._headers = [*HEADERS, *((HSTS,) if secure else ())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        plain = scope["path"].startswith("/webhook/")
        cached = scope["path"].startswith("/static/")
        if scope["method"] == "POST":
            by_proxy = plain and scope["client"] is not None and scope["client"][0] in self._proxies
            tracing.arrive(scope["headers"] if by_proxy else ())

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if plain:
                    await send(message)
                    return
                kind = (
                    b"cache-control",
                    b"public, max-age=31536000, immutable"
                    if cached and message["status"] in (200, 304)
                    else b"no-store",
                )
                present = {name for name, _ in message["headers"]}
                added = [pair for pair in (*self._headers, kind) if pair[0] not in present]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except ClientDisconnect:  # nobody is there to be answered, and nothing of ours failed
            observe.count("requests.left")
        except Exception as error:
            observe.failure("request", error)
            if not started:
                answer = JSONResponse({"error": "something went wrong, nothing was changed; please try again"}, 500)
                await answer(scope, receive, with_headers)


@dataclass
class Server:
    """Everything that runs while the server does."""

    config: Config
    resources: Resources

    def app(self) -> Starlette:
        """The application with its routes."""
        config = self.config
        use_keys(config.store_keys)
        resources = dataclasses.replace(self.resources, retention=config.retention)
        hook = HookChannel(config.hook_secret, config.hook_reply_url)
        outside = platforms(config, resources)
        house = self._house(resources, hook, outside)
        chat = self._chat(house, resources)
        watch = Watch(house, outside.messengers, resources.encoder, config.metrics_token)
        routes = [  # the webhooks first: they carry the load, and routes are tried in order
            *_hook_routes(config, house),
            *outside.routes(house.door),
            *chat.routes(),
            *self._own_data(house, resources).routes(),
            *self._desk(house, resources).routes(),
            *watch.routes(),
            Mount("/static", StaticFiles(directory=TEMPLATES / "static")),
        ]
        app = Starlette(
            routes=routes,
            lifespan=_lifespan(house, resources, hook, outside, watch, config),
            middleware=[Middleware(SafeHeaders, secure=config.secure, proxies=config.trusted_proxies)],
            exception_handlers=_handlers(chat, house.store.database.engine.errors),
        )
        app.state.house = house
        return app

    def _ip(self) -> Callable[[Request], str]:
        return functools.partial(client_ip, trusted=self.config.trusted_proxies)

    def _house(self, resources: Resources, hook: HookChannel, outside: Platforms) -> House:
        config = self.config
        channels: dict[str, Channel] = {"web": WebChannel()} | ({"hook": hook} if config.hook_on else {})
        service = Service(config.service_hours, config.first_answer_seconds)
        limits = Limits(
            config.per_minute,
            config.burst,
            config.per_minute_channel,
            config.per_minute_all,
            float(config.saturated_seconds),
        )
        return build_house(config.database, resources, channels, outside.messengers, config.public_url, service, limits)

    def _chat(self, house: House, resources: Resources) -> WebChat:
        config = self.config
        return WebChat(
            door=house.door,
            pages=resources.pages,
            welcome=resources.renderer.welcome,
            keys=Keys(_web_key(config, house)),
            now_ms=lambda: clock.millis(resources.clock()),
            per_address=Budget(config.per_minute, time.monotonic),
            per_ip=Budget(config.per_minute_ip, time.monotonic),
            client_ip=self._ip(),
            exit_url=config.exit_url,
            secure=config.secure,
        )

    def _own_data(self, house: House, resources: Resources) -> OwnDataPages:
        budget = Budget(self.config.per_minute_ip, time.monotonic)
        return OwnDataPages(CopyDesk(house.store, resources), resources.pages, budget, self._ip())

    def _desk(self, house: House, resources: Resources) -> Desk:
        config = self.config
        translator = Translator(config.translate_url, config.translate_key) if config.translate_url else None
        return Desk(
            house,
            resources,
            config.secure,
            self._ip(),
            translator,
            totp_required=config.totp_required,
            provider=_provider(config),
        )


def _hook_routes(config: Config, house: House) -> list[Route]:
    if not config.hook_on:
        return []
    return [Route("/webhook/hook", HookInbox(house.door, config.hook_secret).receive, methods=["POST"])]


def _provider(config: Config) -> Provider | None:
    """The identity provider of the desk; what speaks to it is loaded only where there is one."""
    if not config.oidc_on:
        return None
    from bot.desk.oidc import BACK
    from bot.desk.provider import Client, Provider

    client = Client(config.oidc_client_id, config.oidc_client_secret, f"{config.public_url}{BACK}")
    return Provider(config.oidc_name, config.oidc_issuer, client)


def _web_key(config: Config, house: House) -> bytes:
    """The key of web sessions: in the data folder, or where all servers find it."""
    return config.web_key() if isinstance(config.database, Path) else house.store.shared_secret("web.key")


def _lifespan(
    house: House, resources: Resources, hook: HookChannel, outside: Platforms, watch: Watch, config: Config
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    """The house works while the server does."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await house.start()
        tasks = [asyncio.create_task(sweep(house, resources, config.hold_seconds))]
        tasks += [asyncio.create_task(_until_stopped(run)) for run in outside.beside(house)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            watch.close()
            await house.stop(config.drain_seconds)
            await hook.close()
            await outside.close()
            observe.told("stopped")

    return lifespan


async def _until_stopped(run: Run) -> None:
    await run()


def _handlers(
    chat: WebChat, errors: tuple[type[Exception], ...]
) -> dict[type[Exception] | int, Callable[[Request, Exception], Awaitable[Response]]]:
    """What is answered where no route or no store is."""

    async def missing(request: Request, error: Exception) -> Response:
        return chat.not_found(request)

    async def unavailable(request: Request, error: Exception) -> Response:
        observe.failure("request", error)
        if not request.url.path.startswith("/webhook/"):
            return chat.unavailable(request)
        return JSONResponse({"error": "the store cannot be written now, try again"}, 503, {"Retry-After": "5"})

    found: dict[type[Exception] | int, Callable[[Request, Exception], Awaitable[Response]]] = {404: missing}
    return found | dict.fromkeys((StoreUnavailable, *errors), unavailable)


def client_ip(request: Request, trusted: tuple[str, ...]) -> str:
    """The visitor's address: X-Forwarded-For counts only when a trusted proxy sent it, and only its last entry."""
    peer = request.client.host if request.client else "?"
    forwarded = request.headers.get("x-forwarded-for", "")
    return forwarded.rpartition(",")[2].strip() or peer if peer in trusted and forwarded else peer
