"""Files that citizens sent, opened by the caseworker who holds the case and by nobody else."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import Response

from bot.store import Store
from bot.store.attachments import FileRow
from bot.store.records import StaffRow

ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}


def opened(store: Store, number: int, staff: StaffRow) -> tuple[FileRow, bytes] | None:
    """The file, if this caseworker holds the open case of its conversation now."""
    found = store.attachments.content(number)
    if found is None:
        return None
    speaking = store.speaker(found[0].conversation) or {}
    return found if speaking.get("speaker") == "human" and speaking.get("holder") == staff.id else None


def response(file: FileRow, content: bytes) -> Response:
    """The content with the type it was checked to have; it can run nothing and is kept by no cache."""
    name = f"{file.id}{ENDINGS.get(file.mime, '')}"
    disposition = "inline" if file.mime.startswith("image/") else "attachment"
    headers = {
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=file.mime, headers=headers)
