"""The servers that share a database: their signs of life, and freeing what a dead one held."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from bot.store.database import NOW, Connection, Database

QUIET_SECONDS = 5.0  # without a sign for so long, a server counts as dead
LATE_SECONDS = 2.5  # and for so long, its signs are missed
OWN_SIGNS = 3  # at which the other's was missed: the database may have stood still for all


class Servers:
    """Each server gives a sign every second; by the fence, one that was only slow can do no harm when it comes back."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._missed: dict[str, int] = {}

    async def beat(self, server: str) -> int:
        """A sign of life of this server. Frees what servers held that give none; how many of them there were.

        A server counts as dead when its sign was missed at several of this one, however far apart those are.
        """
        late = await self._database.write(lambda c: beat(c, server), beside=True)
        self._missed = {other: self._missed.get(other, 0) + 1 for other in late}
        dead = [other for other, times in self._missed.items() if times >= OWN_SIGNS]
        return await self._database.write(lambda c: bury(c, dead)) if dead else 0

    async def leave(self, server: str) -> None:
        """An orderly end: others go on at once."""
        await self._database.write(lambda c: free(c, server))

    def living(self) -> list[str]:
        """Who gave a sign lately, oldest first."""
        query = f"SELECT id FROM servers WHERE seen_at > {NOW} - :quiet ORDER BY started_at, id"
        return [row["id"] for row in self._database.read.all(query, {"quiet": QUIET_SECONDS})]


def beat(connection: Connection, server: str) -> list[str]:
    """Note the sign; the servers whose sign is late."""
    connection.execute(
        f"INSERT INTO servers (id, host, pid, started_at, seen_at) VALUES (:id, :host, :pid, {NOW}, {NOW})"
        " ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        {"id": server, "host": socket.gethostname(), "pid": os.getpid()},
    )
    query = f"SELECT id FROM servers WHERE seen_at <= {NOW} - :late AND id <> :id"
    return [row["id"] for row in connection.all(query, {"late": LATE_SECONDS, "id": server})]


def bury(connection: Connection, quiet: Sequence[str]) -> int:
    """Free what those of these held that were quiet for too long; how many they were."""
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
