"""Understanding a message: its language, what is asked, how sure that is. Code beside its authored data."""

from intents.result import Context, Evidence, Understood

__all__ = ["Context", "Evidence", "Understood"]
