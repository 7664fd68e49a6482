"""A run: its settings, its folder, what is written while it trains, and how it goes on after a stop."""

from gdl_keras.training.config import Config, ImageConfig, LanguageConfig, PointConfig, TextConfig
from gdl_keras.training.ranges import above, at_least, between, halved_for_each, multiple_of
from gdl_keras.training.run import Run

__all__ = [
    "Config",
    "ImageConfig",
    "LanguageConfig",
    "PointConfig",
    "Run",
    "TextConfig",
    "above",
    "at_least",
    "between",
    "halved_for_each",
    "multiple_of",
]
