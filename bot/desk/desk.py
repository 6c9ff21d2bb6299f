"""The routes of the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route

from bot.channels.web import METHODS
from bot.desk.account import Account
from bot.desk.afterwards import Afterwards
from bot.desk.audit import AuditPages
from bot.desk.authors import Authors
from bot.desk.case_pages import CasePages
from bot.desk.case_work import CaseWork
from bot.desk.frame import Frame
from bot.desk.hours import HoursPages
from bot.desk.keys import Keys
from bot.desk.legal_holds import LegalHolds
from bot.desk.oidc import Oidc
from bot.desk.people import People
from bot.desk.phrase_pages import PhrasePages
from bot.desk.phrases import Phrases
from bot.desk.privacy import PrivacyPages
from bot.desk.program_cards import ProgramCards
from bot.desk.queue import Queue
from bot.desk.reports import Reports
from bot.desk.sessions import Sessions
from bot.desk.set_aside import SetAside
from bot.desk.translation import Translation
from bot.desk.translator import Translator
from bot.desk.unmasking import Unmasking
from bot.pipeline.house import House
from bot.pipeline.resources import Resources

if TYPE_CHECKING:
    from bot.desk.provider import Provider


@dataclass
class Desk:
    """Pages and actions of the desk."""

    house: House
    resources: Resources
    secure: bool
    client_ip: Callable[[Request], str]
    translator: Translator | None = None
    totp_required: bool = False
    provider: Provider | None = None

    def routes(self) -> list[Route]:
        """One list: what the desk answers to, and at the end every other method on the same paths."""
        frame = Frame(
            self.house,
            self.resources,
            self.secure,
            self.client_ip,
            self.translator,
            self.totp_required,
            self.provider,
        )
        routes = [
            *Sessions(frame).routes(),
            *Queue(frame).routes(),
            *Keys(frame).routes(),
            *CasePages(frame).routes(),
            *CaseWork(frame).routes(),
        ]
        routes += [*AuditPages(frame).routes(), *Afterwards(frame).routes(), *Authors(frame).routes()]
        routes += [*Phrases(frame).routes(), *Translation(frame).routes(), *PhrasePages(frame).routes()]
        routes += [*ProgramCards(frame).routes(), *Unmasking(frame).routes()]
        routes += [*Account(frame).routes(), *People(frame).routes(), *Oidc(frame).routes()]
        routes += Reports(frame).routes()
        routes += [*HoursPages(frame).routes(), *SetAside(frame).routes()]
        privacy = PrivacyPages(frame)
        routes += [*privacy.routes(), *LegalHolds(frame, privacy).routes()]
        return [
            *routes,
            *(Route(path, frame.wrong_method, methods=METHODS) for path in {route.path for route in routes}),
        ]
