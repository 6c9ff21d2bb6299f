"""The keys of the desk, as a page that also shows in a dialog. What they act on carries `data-key` in the templates."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.desk.frame import Frame
from bot.store.records import StaffRow

# (group, ((keys to press, name of what they do), ...)): one after the other where a space stands between.
KEYS = (
    ("everywhere", (("?", "help"), ("g w", "waiting"), ("g m", "mine"), ("g a", "all"), ("g c", "closed"))),
    ("list", (("j", "next"), ("k", "previous"), ("Enter", "open"), ("/", "filter"))),
    (
        "case",
        (
            ("c", "claim"),
            ("r", "reply"),
            ("p", "phrases"),
            ("n", "note"),
            ("t", "transfer"),
            ("s", "park"),
            ("x", "close"),
            ("f", "find"),
        ),
    ),
    ("field", (("Enter", "send"), ("Shift Enter", "line"), ("Esc", "leave"))),
)


@dataclass
class Keys:
    """Every account may read it."""

    frame: Frame

    def routes(self) -> list[Route]:
        """Its route."""
        return [Route("/desk/keys", self.frame.get(self.page), methods=["GET"])]

    async def page(self, request: Request, staff: StaffRow) -> Response:
        """The list of keys, with the switch that turns them off in this browser."""
        groups = [(name, [(keys.split(), what) for keys, what in pairs]) for name, pairs in KEYS]
        return self.frame.render(request, "keys", staff=staff, groups=groups)
