"""Parsers of free-text answers: a fact's type and a text in, a value or an honest "cannot read this" out."""

from intents.slots.parse import parse
from intents.slots.parsed import FactLike, Parsed
from intents.slots.ticks import read_ticks
from intents.slots.words import Words, load_words
from intents.slots.yes_no import volunteered

__all__ = ["FactLike", "Parsed", "Words", "load_words", "parse", "read_ticks", "volunteered"]
