"""Files for an open case: wanted from the platform, kept privately, refused, or gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.messages import Address, Attachment, Reply
from bot.store import lines
from bot.store.codec import decode, decode_bytes, encode, encode_bytes
from bot.store.database import NOW, Connection, Database, Row

RETRY_SECONDS = 5.0
TRIES = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch, for whom, and how often it was tried."""

    id: int
    conversation: int
    address: Address
    attachment: Attachment
    attempts: int
    lang: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as the desk lists it. `state`: wanted, kept, refused, gone."""

    id: int
    conversation: int
    event_id: str
    kind: str
    name: str
    mime: str
    size: int
    state: str


def add(connection: Connection, conversation: int, address_id: int, event_id: str, attachment: Attachment) -> None:
    """A file that should be fetched now."""
    connection.execute(
        "INSERT INTO attachments (conversation_id, address_id, event_id, at, kind, ref, name, mime, size, due_at)"
        f" VALUES (:conversation, :address, :event, {NOW}, :kind, :ref, :name, :mime, :size, {NOW})",
        {
            "conversation": conversation,
            "address": address_id,
            "event": event_id,
            "kind": attachment.kind,
            "ref": attachment.ref,
            "name": encode(attachment.name),
            "mime": attachment.mime,
            "size": attachment.size,
        },
    )


def due(connection: Connection, limit: int) -> list[Wanted]:
    """Files to fetch now; each is tried again later unless it is settled."""
    rows = connection.all(
        "SELECT t.*, a.channel, a.account, a.user_id, v.lang FROM attachments t"
        " JOIN addresses a ON a.id = t.address_id JOIN conversations v ON v.id = t.conversation_id"
        f" WHERE t.state = 'wanted' AND t.due_at <= {NOW} ORDER BY t.due_at LIMIT :limit",
        {"limit": limit},
    )
    connection.many(
        f"UPDATE attachments SET attempts = attempts + 1, due_at = {NOW} + :pause WHERE id = :id",
        [{"id": row["id"], "pause": RETRY_SECONDS * 2.0 ** row["attempts"]} for row in rows],
    )
    return [
        Wanted(
            row["id"],
            row["conversation_id"],
            Address(row["channel"], row["account"], row["user_id"]),
            Attachment(row["kind"], row["ref"], decode(row["name"]), row["mime"], row["size"]),
            row["attempts"] + 1,
            row["lang"],
        )
        for row in rows
    ]


def keep(connection: Connection, number: int, mime: str, body: bytes) -> bool:
    """The content is here; False when the message was taken back meanwhile."""
    found = connection.execute(
        "UPDATE attachments SET state = 'kept', ref = '', mime = :mime, size = :size, body = :body"
        " WHERE id = :id AND state = 'wanted'",
        {"id": number, "mime": mime, "size": len(body), "body": encode_bytes(body)},
    )
    return found.rowcount == 1


def refuse(connection: Connection, number: int) -> bool:
    """It will never be fetched; False when it is settled already."""
    found = connection.execute(
        "UPDATE attachments SET state = 'refused', ref = '' WHERE id = :id AND state = 'wanted'", {"id": number}
    )
    return found.rowcount == 1


def drop(connection: Connection, conversation: int, events: Sequence[str]) -> None:
    """What came with these events is erased."""
    connection.many(
        "UPDATE attachments SET state = 'gone', ref = '', name = '', mime = '', size = 0, body = NULL"
        " WHERE conversation_id = :id AND event_id = :event",
        [{"id": conversation, "event": event} for event in events],
    )


def listing(connection: Connection, conversation: int) -> list[FileRow]:
    """The files of a conversation, oldest first."""
    rows = connection.all(
        "SELECT id, conversation_id, event_id, kind, name, mime, size, state FROM attachments"
        " WHERE conversation_id = :id ORDER BY id",
        {"id": conversation},
    )
    return [_file(row) for row in rows]


def _file(row: Row) -> FileRow:
    return FileRow(
        row["id"],
        row["conversation_id"],
        row["event_id"],
        row["kind"],
        decode(row["name"]),
        row["mime"],
        row["size"],
        row["state"],
    )


def content(connection: Connection, number: int) -> tuple[FileRow, bytes] | None:
    """A kept file with its content."""
    row = connection.one("SELECT * FROM attachments WHERE id = :id AND state = 'kept'", {"id": number})
    return None if row is None else (_file(row), decode_bytes(row["body"]))


class Attachments:
    """The files of conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, limit: int) -> list[Wanted]:
        """Files to fetch now (see due)."""
        return await self._database.write(lambda c: due(c, limit))

    async def keep(self, wanted: Wanted, mime: str, body: bytes, notice: Reply | None) -> bool:
        """The content is here, and the citizen is told; False when it was taken back meanwhile."""
        return await self._database.write(lambda c: _told(c, wanted, keep(c, wanted.id, mime, body), notice))

    async def refuse(self, wanted: Wanted, notice: Reply) -> bool:
        """It will never be here, and the citizen is told why."""
        return await self._database.write(lambda c: _told(c, wanted, refuse(c, wanted.id), notice))

    def of(self, conversation: int) -> list[FileRow]:
        """The files of a conversation."""
        return listing(self._database.read, conversation)

    def content(self, number: int) -> tuple[FileRow, bytes] | None:
        """A kept file with its content."""
        return content(self._database.read, number)


def _told(connection: Connection, wanted: Wanted, changed: bool, notice: Reply | None) -> bool:
    if changed and notice is not None:
        lines.tell(connection, wanted.conversation, notice, f"file/{wanted.id}")
    return changed
