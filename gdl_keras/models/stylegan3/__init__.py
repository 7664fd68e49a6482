"""Networks whose images move and turn as what they are made from does (Karras et al. 2021, arXiv:2106.12423)."""

from gdl_keras.models.stylegan3.networks import build_synthesis
from gdl_keras.models.stylegan3.stylegan3 import StyleGAN3

__all__ = ["StyleGAN3", "build_synthesis"]
