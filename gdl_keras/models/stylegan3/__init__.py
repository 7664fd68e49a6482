"""Networks whose images move and turn as what they are made from does (Karras et al. 2021, arXiv:2106.12423)."""

from gdl_keras.models.stylegan3.networks import build_synthesis

__all__ = ["build_synthesis"]
