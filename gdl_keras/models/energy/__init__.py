"""Energy-based models: what is likely has a low energy, and the constant that would make a density of it is missing."""

from gdl_keras.models.energy.ebm import EBM, build_energy_network
from gdl_keras.models.energy.points import PointEBM, build_point_energy_network
from gdl_keras.models.energy.score_matching import ScoreMatching

__all__ = ["EBM", "PointEBM", "ScoreMatching", "build_energy_network", "build_point_energy_network"]
