"""Legal hold: an administrator keeps a conversation from being deleted, with a reason that is in the audit."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.desk.frame import Frame, whole
from bot.desk.privacy import REASON_LIMIT, PrivacyPages
from bot.desk.rights import Right
from bot.store.records import StaffRow

PAGE = "/desk/privacy#holds"


@dataclass
class LegalHolds:
    """Set by the number of a case, ended from the list on the page of privacy requests."""

    frame: Frame
    pages: PrivacyPages

    def routes(self) -> list[Route]:
        """Its routes."""
        post = self.frame.post
        return [
            Route("/desk/privacy/hold", post(self.hold, Right.PEOPLE), methods=["POST"]),
            Route("/desk/privacy/release", post(self.release, Right.PEOPLE), methods=["POST"]),
        ]

    async def hold(self, request: Request, staff: StaffRow) -> Response:
        """From now on the conversation of a case is neither purged nor deleted."""
        form = await self.frame.form(request)
        store = self.frame.house.store
        conversation = store.privacy.conversation_of_case(form.get("case", "").strip())
        reason = form.get("reason", "").strip()
        if conversation is None:
            return await self.pages.requests(request, staff, "desk_privacy.error_case", form)
        if not 0 < len(reason) <= REASON_LIMIT:
            return await self.pages.requests(request, staff, "desk_privacy.error_reason", form)
        await store.privacy.hold(conversation, staff.id, reason)
        await store.note(staff.id, "privacy.hold", f"conversation/{conversation}", reason)
        return RedirectResponse(PAGE, 303)

    async def release(self, request: Request, staff: StaffRow) -> Response:
        """The hold ends; what is past its time goes with the next purge."""
        form = await self.frame.form(request)
        store, reason = self.frame.house.store, form.get("reason", "").strip()
        conversation = whole(form.get("conversation"))
        if not 0 < len(reason) <= REASON_LIMIT:
            return await self.pages.requests(request, staff, "desk_privacy.error_reason", form)
        if await store.privacy.release(conversation):
            await store.note(staff.id, "privacy.release", f"conversation/{conversation}", reason)
        return RedirectResponse(PAGE, 303)
