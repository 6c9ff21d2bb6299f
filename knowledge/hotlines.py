"""National hotlines: the only facts built in from outside the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from knowledge.models import Figure, Line, Strict

Danger: TypeAlias = Literal[
    "violence", "harassment", "injury", "withheld_papers", "confinement", "self_harm", "trafficking", "unpaid_wages",
    "deportation",
]  # fmt: skip


class HotlineTexts(Strict):
    """Whose line it is, and what to call it for."""

    name: Line
    use: Line


class Hotline(Strict):
    """One hotline. `figures` holds its `number`."""

    id: Line
    figures: Mapping[str, Figure]
    texts: HotlineTexts

    @property
    def number(self) -> str:
        """The number to dial, as printed."""
        return str(self.figures["number"].value)

    @model_validator(mode="after")
    def _has_number(self) -> Self:
        number = self.figures.get("number")
        if number is None or number.unit != "phone":
            raise ValueError("figures needs a 'number' of unit phone")
        return self


class Hotlines(Strict):
    """All hotlines, and for each kind of danger which of them to show, the first one first."""

    origin: Literal["outside_plan"]
    hotlines: Annotated[tuple[Hotline, ...], Field(min_length=1)]
    dangers: Mapping[Danger, Annotated[tuple[str, ...], Field(min_length=1)]]

    @model_validator(mode="after")
    def _all_known(self) -> Self:
        known = {hotline.id for hotline in self.hotlines}
        for danger, ids in self.dangers.items():
            for unknown in [name for name in ids if name not in known]:
                raise ValueError(f"dangers.{danger} names the hotline {unknown}, which is not in the list")
        return self
