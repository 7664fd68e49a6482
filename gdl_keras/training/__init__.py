"""A run: its settings, its folder, what is written while it trains, and how it goes on after a stop."""

from gdl_keras.training.config import Config
from gdl_keras.training.run import Run

__all__ = ["Config", "Run"]
