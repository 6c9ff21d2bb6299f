"""The routes of the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Route

from bot.channels.web import METHODS
from bot.desk.case_pages import CasePages
from bot.desk.frame import Frame
from bot.desk.queue import Queue
from bot.desk.sessions import Sessions
from bot.pipeline.house import House
from bot.pipeline.resources import Resources


@dataclass
class Desk:
    """Pages and actions of the desk."""

    house: House
    resources: Resources
    secure: bool
    client_ip: Callable[[Request], str]

    def routes(self) -> list[Route]:
        """One list: what the desk answers to, and at the end every other method on the same paths."""
        frame = Frame(self.house, self.resources, self.secure, self.client_ip)
        routes = [*Sessions(frame).routes(), *Queue(frame).routes(), *CasePages(frame).routes()]
        return [
            *routes,
            *(Route(path, frame.wrong_method, methods=METHODS) for path in {route.path for route in routes}),
        ]
