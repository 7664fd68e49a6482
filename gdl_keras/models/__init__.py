"""The models, one family a file: functions that build the networks, and the `keras.Model` that trains them."""

from gdl_keras.backend import use_tensorflow

use_tensorflow()

import gdl_keras.optimizers  # noqa: E402, F401  saved models may be compiled with them
from gdl_keras.models.autoencoder import Autoencoder, build_decoder, build_encoder  # noqa: E402
from gdl_keras.models.autoregressive.dpo import DPO  # noqa: E402
from gdl_keras.models.autoregressive.gpt import GPT, build_gpt  # noqa: E402
from gdl_keras.models.autoregressive.ngram import NGram  # noqa: E402
from gdl_keras.models.autoregressive.pixel_cnn import PixelCNN, build_pixel_cnn  # noqa: E402
from gdl_keras.models.autoregressive.pixel_cnn_mixture import PixelCNNMixture, build_pixel_cnn_mixture  # noqa: E402
from gdl_keras.models.autoregressive.ppo import PPO  # noqa: E402
from gdl_keras.models.autoregressive.recurrent import RecurrentLanguageModel, build_recurrent_network  # noqa: E402
from gdl_keras.models.autoregressive.reward_model import RewardModel, build_reward_network  # noqa: E402
from gdl_keras.models.biggan import BigGAN  # noqa: E402
from gdl_keras.models.cgan import CGAN  # noqa: E402
from gdl_keras.models.classifier import Classifier, build_cnn, build_mlp  # noqa: E402
from gdl_keras.models.dcgan import DCGAN  # noqa: E402
from gdl_keras.models.dense_autoencoder import build_dense_decoder, build_dense_encoder  # noqa: E402
from gdl_keras.models.densities import Gaussian, Histogram, Mixture, PointGAN  # noqa: E402
from gdl_keras.models.diffusion import (  # noqa: E402
    Diffusion,
    FlowMatching,
    NormalMixture,
    build_quick_unet,
    build_unet,
)
from gdl_keras.models.energy import (  # noqa: E402
    EBM,
    PointEBM,
    ScoreMatching,
    build_energy_network,
    build_point_energy_network,
)
from gdl_keras.models.flows import ContinuousFlow, ImageFlow, RealNVP  # noqa: E402
from gdl_keras.models.gan import GAN  # noqa: E402
from gdl_keras.models.growing.progan import ProGAN  # noqa: E402
from gdl_keras.models.hinge_gan import HingeGAN  # noqa: E402
from gdl_keras.models.parts.copies import copied  # noqa: E402
from gdl_keras.models.quantised.image_transformer import ImageTransformer  # noqa: E402
from gdl_keras.models.quantised.networks import build_codec_decoder, build_codec_encoder  # noqa: E402
from gdl_keras.models.quantised.transformer_network import build_image_transformer  # noqa: E402
from gdl_keras.models.quantised.vqgan import VQGAN  # noqa: E402
from gdl_keras.models.quantised.vqvae import VQVAE  # noqa: E402
from gdl_keras.models.sagan import SAGAN  # noqa: E402
from gdl_keras.models.stylegan import StyleGAN, StyleGAN2  # noqa: E402
from gdl_keras.models.stylegan3 import StyleGAN3  # noqa: E402
from gdl_keras.models.vae import VAE, build_variational_encoder  # noqa: E402
from gdl_keras.models.wgan_gp import WGANGP  # noqa: E402

__all__ = [
    "CGAN",
    "DCGAN",
    "DPO",
    "EBM",
    "GAN",
    "GPT",
    "PPO",
    "SAGAN",
    "VAE",
    "VQGAN",
    "VQVAE",
    "WGANGP",
    "Autoencoder",
    "BigGAN",
    "Classifier",
    "ContinuousFlow",
    "Diffusion",
    "FlowMatching",
    "Gaussian",
    "HingeGAN",
    "Histogram",
    "ImageFlow",
    "ImageTransformer",
    "Mixture",
    "NGram",
    "NormalMixture",
    "PixelCNN",
    "PixelCNNMixture",
    "PointEBM",
    "PointGAN",
    "ProGAN",
    "RealNVP",
    "RecurrentLanguageModel",
    "RewardModel",
    "ScoreMatching",
    "StyleGAN",
    "StyleGAN2",
    "StyleGAN3",
    "build_cnn",
    "build_codec_decoder",
    "build_codec_encoder",
    "build_decoder",
    "build_dense_decoder",
    "build_dense_encoder",
    "build_encoder",
    "build_energy_network",
    "build_gpt",
    "build_image_transformer",
    "build_mlp",
    "build_pixel_cnn",
    "build_pixel_cnn_mixture",
    "build_point_energy_network",
    "build_quick_unet",
    "build_recurrent_network",
    "build_reward_network",
    "build_unet",
    "build_variational_encoder",
    "copied",
]
