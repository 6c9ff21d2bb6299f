"""Understanding a message: its language, what is asked, how sure that is. Code beside its authored data."""

from intents.result import Callback, Context, Detail, Evidence, Understood

__all__ = ["Callback", "Context", "Detail", "Evidence", "Understood"]
