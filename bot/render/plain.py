"""A reply as plain text with a list of choices: for the console, the hook and `labor-bot ask`."""

from __future__ import annotations

from bot.messages import Card, Choice, Reply


def text_of(reply: Reply) -> str:
    """Text, cards, hotlines and source of a reply as plain text."""
    parts = [reply.text, *(_card(card) for card in reply.cards)]
    if reply.source:
        parts.append(reply.source)
    return "\n\n".join(part for part in parts if part)


def _card(card: Card) -> str:
    head = f"■ {card.title}" + (f" ({card.subtitle})" if card.subtitle else "")
    return "\n".join(line for line in (head, card.text) if line)


def choices_of(reply: Reply) -> tuple[Choice, ...]:
    """Every choice of a reply, those of its cards first, named by their card."""
    from_cards = tuple(
        Choice(choice.id, f"{card.title}: {choice.label}") for card in reply.cards for choice in card.choices
    )
    return (*from_cards, *(Choice(choice.id, choice.marked) for choice in reply.choices))
