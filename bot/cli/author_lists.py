"""What the verbs for the authors' lists have in common."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from bot.store import Store
from bot.store.authors import DISMISSED, DONE, NEW, STATES, Fate

STATE = click.option(
    "--state", type=click.Choice(STATES), default=NEW, show_default=True, help="Only rows of this state."
)


def settle(store: Store, name: str, done: Sequence[int], dismissed: Sequence[int]) -> None:
    """Mark rows of a list, and say how many there were."""
    for ids, state, word in ((done, DONE, "settled"), (dismissed, DISMISSED, "dismissed")):
        if ids:
            click.echo(f"{store.authors.settle_now(name, ids, state)} {word}")


def settled_in_words(fate: Fate) -> str:
    """Such as "done 2018-07-15 lin"; empty while nobody dealt with it."""
    if fate.at is None:
        return ""
    return " ".join(filter(None, (fate.state, time.strftime("%Y-%m-%d", time.localtime(fate.at)), fate.who)))
