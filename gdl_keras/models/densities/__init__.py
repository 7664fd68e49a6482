"""Densities of a few numbers, such as points in the plane: the smallest generative models there are, a file each."""

from gdl_keras.models.densities.gaussian import Gaussian
from gdl_keras.models.densities.histogram import Histogram
from gdl_keras.models.densities.mixture import Mixture
from gdl_keras.models.densities.point_gan import PointGAN, build_point_discriminator, build_point_generator

__all__ = ["Gaussian", "Histogram", "Mixture", "PointGAN", "build_point_discriminator", "build_point_generator"]
