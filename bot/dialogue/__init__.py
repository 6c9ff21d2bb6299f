"""What to do with a message: pure, from state and understanding to new state and effects."""

from bot.dialogue.step import step
from bot.dialogue.world import Heard, Staffing, World

__all__ = ["Heard", "Staffing", "World", "step"]
