"""Augmentation of what a discriminator sees, real and generated, as strong as it needs (Karras et al. 2020).

Paper: Training generative adversarial networks with limited data, arXiv:2006.06676; its appendix B has the pipeline.
Each file holds a group of transforms, as functions of images in [-1, 1]: `random_...` draws the parameters of the
function beside it.
"""

from gdl_keras.layers.augmentation.controller import AugmentationController
from gdl_keras.layers.augmentation.pipeline import AdaptiveAugmentation

__all__ = ["AdaptiveAugmentation", "AugmentationController"]
