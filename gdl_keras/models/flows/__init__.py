"""Normalizing flows: models whose samples are latent points, sent through a map that can be gone both ways."""

from gdl_keras.models.flows.continuous_flow import ContinuousFlow, build_velocity_network
from gdl_keras.models.flows.image_flow import ImageFlow
from gdl_keras.models.flows.real_nvp import RealNVP, build_coupling_network, build_coupling_networks

__all__ = [
    "ContinuousFlow",
    "ImageFlow",
    "RealNVP",
    "build_coupling_network",
    "build_coupling_networks",
    "build_velocity_network",
]
