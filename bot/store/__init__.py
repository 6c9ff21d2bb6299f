"""What is kept: the one room that speaks SQL."""

from bot.store.database import Database, StoreUnavailable
from bot.store.store import Store

__all__ = ["Database", "Store", "StoreUnavailable"]
