"""The routes of the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Route

from bot.channels.web import METHODS
from bot.desk.account import Account
from bot.desk.audit import AuditPages
from bot.desk.case_pages import CasePages
from bot.desk.case_work import CaseWork
from bot.desk.frame import Frame
from bot.desk.hours import HoursPages
from bot.desk.legal_holds import LegalHolds
from bot.desk.people import People
from bot.desk.phrase_pages import PhrasePages
from bot.desk.phrases import Phrases
from bot.desk.privacy import PrivacyPages
from bot.desk.queue import Queue
from bot.desk.reports import Reports
from bot.desk.sessions import Sessions
from bot.desk.translation import Translation
from bot.desk.translator import Translator
from bot.pipeline.house import House
from bot.pipeline.resources import Resources


@dataclass
class Desk:
    """Pages and actions of the desk."""

    house: House
    resources: Resources
    secure: bool
    client_ip: Callable[[Request], str]
    translator: Translator | None = None
    totp_required: bool = False

    def routes(self) -> list[Route]:
        """One list: what the desk answers to, and at the end every other method on the same paths."""
        frame = Frame(self.house, self.resources, self.secure, self.client_ip, self.translator, self.totp_required)
        routes = [
            *Sessions(frame).routes(),
            *Queue(frame).routes(),
            *CasePages(frame).routes(),
            *CaseWork(frame).routes(),
        ]
        routes += AuditPages(frame).routes()
        routes += [*Phrases(frame).routes(), *Translation(frame).routes(), *PhrasePages(frame).routes()]
        routes += [*Account(frame).routes(), *People(frame).routes()]
        routes += Reports(frame).routes()
        routes += HoursPages(frame).routes()
        privacy = PrivacyPages(frame)
        routes += [*privacy.routes(), *LegalHolds(frame, privacy).routes()]
        return [
            *routes,
            *(Route(path, frame.wrong_method, methods=METHODS) for path in {route.path for route in routes}),
        ]
