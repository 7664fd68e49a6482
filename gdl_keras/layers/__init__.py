"""Keras layers that the models share, one idea a file."""

from gdl_keras.backend import use_tensorflow

use_tensorflow()

from gdl_keras.layers.activation_normalization import ActivationNormalization  # noqa: E402
from gdl_keras.layers.adaptive_instance_normalization import AdaptiveInstanceNormalization  # noqa: E402
from gdl_keras.layers.affine_coupling import AffineCoupling  # noqa: E402
from gdl_keras.layers.augmentation import AdaptiveAugmentation, AugmentationController  # noqa: E402
from gdl_keras.layers.batch_normalization import FusedBatchNormalization  # noqa: E402
from gdl_keras.layers.causal_attention import CausalSelfAttention  # noqa: E402
from gdl_keras.layers.clipping import ClipOutsideTraining  # noqa: E402
from gdl_keras.layers.conditional_batch_normalization import ConditionalBatchNormalization  # noqa: E402
from gdl_keras.layers.constant import Constant  # noqa: E402
from gdl_keras.layers.corruption import Corruption  # noqa: E402
from gdl_keras.layers.counts import Counts  # noqa: E402
from gdl_keras.layers.doubling import Doubling2D  # noqa: E402
from gdl_keras.layers.dropout import ReplicaDropout  # noqa: E402
from gdl_keras.layers.equalized import EqualizedConv2D, EqualizedDense  # noqa: E402
from gdl_keras.layers.finite_scalar_quantizer import FiniteScalarQuantizer  # noqa: E402
from gdl_keras.layers.grid_positions import GridPositions  # noqa: E402
from gdl_keras.layers.halving_convolution import DoublingConv2DTranspose, HalvingConv2D  # noqa: E402
from gdl_keras.layers.invertible_convolution import InvertibleConvolution  # noqa: E402
from gdl_keras.layers.layer_normalization import TokenNormalization  # noqa: E402
from gdl_keras.layers.leaky_relu import ZeroCurvatureLeakyReLU  # noqa: E402
from gdl_keras.layers.learned_positions import LearnedPositions  # noqa: E402
from gdl_keras.layers.masked_convolution import Gate, MaskedConv2D, RowAbove, UpperConv2D  # noqa: E402
from gdl_keras.layers.minibatch_deviation import MinibatchDeviation  # noqa: E402
from gdl_keras.layers.modulated_convolution import ModulatedConv2D  # noqa: E402
from gdl_keras.layers.modulation import ModulatedNormalization  # noqa: E402
from gdl_keras.layers.noise_embedding import NoiseEmbedding  # noqa: E402
from gdl_keras.layers.noise_injection import NoiseInjection  # noqa: E402
from gdl_keras.layers.one_hot import OneHot  # noqa: E402
from gdl_keras.layers.patches import FromPatches, ToPatches  # noqa: E402
from gdl_keras.layers.pixel_normalization import PixelNormalization  # noqa: E402
from gdl_keras.layers.replay_buffer import ReplayBuffer  # noqa: E402
from gdl_keras.layers.rotary import rotated  # noqa: E402
from gdl_keras.layers.sampling import Sampling  # noqa: E402
from gdl_keras.layers.second_order import warn_about_second_order  # noqa: E402
from gdl_keras.layers.seeds import SeedGenerator  # noqa: E402
from gdl_keras.layers.self_attention import SelfAttention2D  # noqa: E402
from gdl_keras.layers.spectral_normalization import SpectralNormalization  # noqa: E402
from gdl_keras.layers.transformer_block import TransformerBlock  # noqa: E402
from gdl_keras.layers.upfirdn2d import Resampling2D, upfirdn2d  # noqa: E402
from gdl_keras.layers.vector_quantizer import VectorQuantizer  # noqa: E402

__all__ = [
    "ActivationNormalization",
    "AdaptiveAugmentation",
    "AdaptiveInstanceNormalization",
    "AffineCoupling",
    "AugmentationController",
    "CausalSelfAttention",
    "ClipOutsideTraining",
    "ConditionalBatchNormalization",
    "Constant",
    "Corruption",
    "Counts",
    "Doubling2D",
    "DoublingConv2DTranspose",
    "EqualizedConv2D",
    "EqualizedDense",
    "FiniteScalarQuantizer",
    "FromPatches",
    "FusedBatchNormalization",
    "Gate",
    "GridPositions",
    "HalvingConv2D",
    "InvertibleConvolution",
    "LearnedPositions",
    "MaskedConv2D",
    "MinibatchDeviation",
    "ModulatedConv2D",
    "ModulatedNormalization",
    "NoiseEmbedding",
    "NoiseInjection",
    "OneHot",
    "PixelNormalization",
    "ReplayBuffer",
    "ReplicaDropout",
    "Resampling2D",
    "RowAbove",
    "Sampling",
    "SeedGenerator",
    "SelfAttention2D",
    "SpectralNormalization",
    "ToPatches",
    "TokenNormalization",
    "TransformerBlock",
    "UpperConv2D",
    "VectorQuantizer",
    "ZeroCurvatureLeakyReLU",
    "rotated",
    "upfirdn2d",
    "warn_about_second_order",
]
