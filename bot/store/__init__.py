"""What is kept: the one room that speaks SQL."""

from bot.store.codec import use_keys
from bot.store.database import Database, StoreUnavailable, exists
from bot.store.store import Store

__all__ = ["Database", "Store", "StoreUnavailable", "exists", "use_keys"]
