"""The live stream of the web chat: new lines and who speaks, as they come."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.requests import Request

from bot.channels.port import Door, Standing
from bot.render.pages import Pages

PING_SECONDS = 15


def stream(request: Request, door: Door, pages: Pages, conversation: int) -> EventSourceResponse:
    """Lines after the last one that the browser says it has: `last-event-id`, or `after` at the first time."""
    last = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    after = int(last) if last.isdecimal() and len(last) < 12 else 0
    events = _events(door, pages, conversation, after)
    return EventSourceResponse(events, ping=PING_SECONDS, headers={"Cache-Control": "no-store"})


async def _events(door: Door, pages: Pages, conversation: int, after: int) -> AsyncIterator[ServerSentEvent]:
    state = ""
    newest = after
    async for _ in door.watch(conversation):
        shown = door.shown(conversation, max(0, newest - 1))
        standing = door.standing(conversation)  # read after the lines: it is at least as new as they are
        # The newest line that the browser has is looked up again: it is gone once everything was forgotten.
        if standing.ended or (newest and [entry.seq for entry in shown[:1]] != [newest]):
            yield ServerSentEvent("", event="gone")
            return
        for entry in shown[1:] if newest else shown:
            newest = entry.seq or newest
            yield ServerSentEvent(pages.bubble(standing.lang, entry), event="message", id=str(newest))
        fresh = _state(standing)
        if fresh != state:
            state = fresh
            yield ServerSentEvent(state, event="state")


def _state(standing: Standing) -> str:
    return json.dumps(
        {"mode": standing.speaker.value, "typing": False, "quick_exit": standing.urgent, "lang": standing.lang}
    )
