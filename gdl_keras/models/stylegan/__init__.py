"""Generators that make images out of styles: what is learnt of a latent point is said to every layer by itself."""

from gdl_keras.models.stylegan.stylegan import StyleGAN
from gdl_keras.models.stylegan.stylegan2 import StyleGAN2

__all__ = ["StyleGAN", "StyleGAN2"]
