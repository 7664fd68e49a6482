"""Models that turn noise into images step by step: diffusion, and flow matching on the same networks."""

from gdl_keras.models.diffusion.diffusion import Diffusion
from gdl_keras.models.diffusion.flow_matching import FlowMatching
from gdl_keras.models.diffusion.networks import build_quick_unet, build_unet
from gdl_keras.models.diffusion.normal_mixture import NormalMixture

__all__ = ["Diffusion", "FlowMatching", "NormalMixture", "build_quick_unet", "build_unet"]
