"""Which choices of a reply are its own, and which are the recurring ways out at its end."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Choice

WAYS_OUT = ("menu", "handoff", "back", "stop", "skip", "lang", "subject", "results")


def split(choices: Sequence[Choice]) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
    """Own choices and ways out. Where there are no own ones, the ways out are them (but not of a question)."""
    place = len(choices)
    while place and is_way_out(choices[place - 1]):
        place -= 1
    place = place or (0 if choices and choices[0].id.startswith("answer:") else len(choices))
    return tuple(choices[:place]), tuple(choices[place:])


def is_way_out(choice: Choice) -> bool:
    """Is it one of those that recur at the end of replies?"""
    head, _, rest = choice.id.partition(":")
    return head in WAYS_OUT or (head == "answer" and rest.endswith((":unknown", ":declined")))
