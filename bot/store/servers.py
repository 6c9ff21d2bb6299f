"""The servers that share a database: their signs of life, and freeing what a dead one held."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from bot.store.database import NOW, Connection, Database

QUIET_SECONDS = 5.0  # without a sign for so long, a server counts as dead
OWN_SECONDS = 2.5  # whoever was as quiet itself judges nobody: the database may have stood still for all


class Servers:
    """Each server gives a sign every second; by the fence, one that was only slow can do no harm when it comes back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, server: str) -> int:
        """A sign of life of this server. Frees what servers held that give none; how many of them there were."""
        quiet = await self._database.write(lambda c: beat(c, server), beside=True)
        return await self._database.write(lambda c: bury(c, quiet)) if quiet else 0

    async def leave(self, server: str) -> None:
        """An orderly end: others go on at once."""
        await self._database.write(lambda c: free(c, server))

    def living(self) -> list[str]:
        """Who gave a sign lately, oldest first."""
        query = f"SELECT id FROM servers WHERE seen_at > {NOW} - :quiet ORDER BY started_at, id"
        return [row["id"] for row in self._database.read.all(query, {"quiet": QUIET_SECONDS})]


def beat(connection: Connection, server: str) -> list[str]:
    """Note the sign; the servers that gave none, unless this one itself was quiet."""
    before = connection.one(f"SELECT {NOW} - seen_at AS quiet FROM servers WHERE id = :id", {"id": server})
    connection.execute(
        f"INSERT INTO servers (id, host, pid, started_at, seen_at) VALUES (:id, :host, :pid, {NOW}, {NOW})"
        " ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        {"id": server, "host": socket.gethostname(), "pid": os.getpid()},
    )
    if before is None or before["quiet"] > OWN_SECONDS:
        return []
    query = f"SELECT id FROM servers WHERE seen_at <= {NOW} - :quiet AND id <> :id"
    return [row["id"] for row in connection.all(query, {"quiet": QUIET_SECONDS, "id": server})]


def bury(connection: Connection, quiet: Sequence[str]) -> int:
    """Free what these held, if they are still quiet; how many were."""
    dead = [
        row["id"]
        for server in quiet
        for row in connection.all(
            f"SELECT id FROM servers WHERE id = :id AND seen_at <= {NOW} - :quiet",
            {"id": server, "quiet": QUIET_SECONDS},
        )
    ]
    for server in dead:
        free(connection, server)
    return len(dead)


def free(connection: Connection, server: str) -> None:
    """Its leases end now, and it is no server any more until its next sign."""
    connection.execute(
        "UPDATE conversations SET leased_until = 0, leased_by = '' WHERE pending > 0 AND leased_by = :id",
        {"id": server},
    )
    connection.execute(
        "UPDATE conversations SET sending_until = 0, sending_by = ''"
        " WHERE outgoing > 0 AND (sending_by = :id OR sending_by LIKE :handed)",
        {"id": server, "handed": f"{server}/%"},  # an answer handed over at its commit: see turns.TAKE_FENCE_HANDING
    )
    connection.execute("DELETE FROM servers WHERE id = :id", {"id": server})
