"""`intents`: train, check and measure understanding."""

from __future__ import annotations

import click


@click.group()
def intents() -> None:
    """Authored utterances and the trained model."""
