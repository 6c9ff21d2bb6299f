"""The lists for authors: what could not be answered, what was misread, verdicts thought wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.store import authors, misread, proposals, unanswered
from bot.store.authors import LISTS, NEW, NOT_APART, Sought
from bot.store.database import Connection, Database
from bot.store.misread import Misread, MisreadRow
from bot.store.proposals import ProposalRow
from bot.store.unanswered import UnansweredRow

ListRow = UnansweredRow | MisreadRow | ProposalRow
_ROWS: Mapping[str, Callable[[Connection, Sought], Sequence[ListRow]]] = {
    "unanswered": unanswered.rows,
    "misread": misread.rows,
    "proposals": proposals.rows,
}
AT_ONCE = 500
COUNTED = 1000  # a longer list is as long as this and more


class AuthorLists:
    """Each method is one step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unanswered(self, sought: Sought) -> list[UnansweredRow]:
        """Messages the bot could not answer, newest first."""
        return unanswered.rows(self._database.read, sought)

    def misread(self, sought: Sought) -> list[MisreadRow]:
        """Messages the bot misread, newest first."""
        return misread.rows(self._database.read, sought)

    def proposals(self, sought: Sought) -> list[ProposalRow]:
        """Verdicts thought wrong, newest first."""
        return proposals.rows(self._database.read, sought)

    def rows(self, name: str, sought: Sought) -> Sequence[ListRow]:
        """Rows of the list of this name, newest first."""
        return _ROWS[name](self._database.read, sought)

    def pages(self, name: str, sought: Sought) -> Iterator[Sequence[ListRow]]:
        """All such rows, some at a time."""
        sought = replace(sought, limit=AT_ONCE)
        while page := self.rows(name, sought):
            yield page
            sought = replace(sought, before=page[-1].id)

    def open(self) -> dict[str, int]:
        """How many rows of each list nobody has dealt with, COUNTED at most."""
        found = {}
        for name in LISTS:
            shown = "" if name == "proposals" else f" AND {NOT_APART}"
            row = self._database.read.one(
                f"SELECT count(*) AS n FROM (SELECT 1 FROM {name} x WHERE x.state = :state{shown} LIMIT :most) counted",
                {"state": NEW, "most": COUNTED},
            )
            found[name] = int(row["n"]) if row else 0
        return found

    async def settle(self, name: str, number: int, state: str, staff: int) -> bool:
        """Give a row another state (see authors.settle); False when it is gone or has it already."""
        return bool(await self._database.write(lambda c: authors.settle(c, name, [number], state, staff)))

    def settle_now(self, name: str, ids: Sequence[int], state: str) -> int:
        """The same from the command line; how many there were."""
        return self._database.write_now(lambda c: authors.settle(c, name, ids, state))

    async def hand_on(self, staff: int, conversation: int, event_id: str, found: Misread) -> None:
        """Keep a message that was misread (see misread.add)."""
        await self._database.write(lambda c: misread.add(c, staff, conversation, event_id, found))

    def handed_on(self, conversation: int) -> dict[str, tuple[float, str]]:
        """What was handed on of a conversation (see misread.of_conversation)."""
        return misread.of_conversation(self._database.read, conversation)
