"""Every model of the project, tiny, for the shared harness."""

import numpy as np

from tests.attention_gan_cases import biggan, sagan, without_classes_shared
from tests.diffusion_cases import book_diffusion, diffusion, diffusion_with_mixture, flow_matching, small_network
from tests.energy_cases import ebm, point_ebm, score_matching
from tests.flow_cases import arc, continuous_flow, image_flow, real_nvp
from tests.growing_cases import progan
from tests.harness import ModelCase, with_adam
from tests.image_token_cases import PatchCodec, codes, image_transformer
from tests.stylegan3_cases import large_images, large_labelled_images, stylegan3, turning_stylegan3
from tests.stylegan_cases import augmented_stylegan2, stylegan, stylegan2
from tests.text_cases import (
    dpo,
    gpt,
    ngram,
    pairs,
    ppo,
    recurrent,
    reward_model,
    tokens,
)

IMAGE_SHAPE = (8, 8, 1)


def with_optimizers(model, adam=None):
    """A GAN, compiled as the chapters do it, but with the Adam that is traced sooner unless told otherwise."""
    from gdl_keras.optimizers import FusedAdam

    adam = adam or FusedAdam
    model.compile(adam(2e-4, 0.5, 0.9), adam(2e-4, 0.5, 0.9))
    return model


def accumulating(model, steps):
    """The model, compiled anew with fresh optimizers that average over so many batches."""
    model.compile_from_config({**model.get_compile_config(), "accumulate": steps})
    return model


def images(n=16):
    """Smooth grey blobs: float32 (n, 8, 8, 1) in [0, 1]."""
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8))
    centre = rng.uniform(-0.6, 0.6, (n, 2))
    distance = (x - centre[:, :1, None]) ** 2 + (y - centre[:, 1:, None]) ** 2
    return np.exp(-4 * distance)[..., None].astype("float32")


def autoencoder(**options):
    """A tiny `Autoencoder`."""
    from gdl_keras.models import Autoencoder, build_decoder, build_encoder

    encoder, decoder = build_encoder(IMAGE_SHAPE, 2, (4, 4)), build_decoder(IMAGE_SHAPE, 2, (4, 4))
    model = Autoencoder(encoder, decoder, seed=1, **options)
    return with_adam(model)


def stacked_autoencoder(units=(8,), **options):
    """A tiny `Autoencoder` of dense layers."""
    from gdl_keras.models import Autoencoder, build_dense_decoder, build_dense_encoder

    encoder = build_dense_encoder(IMAGE_SHAPE, 2, units)
    model = Autoencoder(encoder, build_dense_decoder(IMAGE_SHAPE, 2, units), seed=1, **options)
    return with_adam(model)


def linear_autoencoder():
    """A tiny `Autoencoder` that is principal component analysis in the end."""
    return stacked_autoencoder((), final_activation="linear", loss="mean_squared_error")


def denoising_autoencoder():
    """A tiny `Autoencoder` that is trained on spoilt images."""
    from gdl_keras.layers import Corruption

    return autoencoder(loss="root_mean_squared_error", corruption=Corruption("gaussian", 0.3, seed=2))


def vae(**options):
    """A tiny `VAE`."""
    from gdl_keras.models import VAE, build_decoder, build_variational_encoder

    encoder = build_variational_encoder(IMAGE_SHAPE, 2, (4, 4))
    model = VAE(encoder, build_decoder(IMAGE_SHAPE, 2, (4, 4)), seed=1, **options)
    return with_adam(model)


def labelled_images():
    """(images, labels): class 0, 1 or 2 for each, int64."""
    return images(), np.arange(16) % 3


def images_with_attributes():
    """(images, attributes): two for each, any of them 1, float32."""
    return images(), np.stack([np.arange(16) % 2, np.arange(16) // 2 % 2], axis=1).astype("float32")


def gan(**options):
    """A tiny `GAN`."""
    from gdl_keras.models.gan import GAN, build_discriminator, build_generator

    model = GAN(build_generator(IMAGE_SHAPE, 4, (8,)), build_discriminator(IMAGE_SHAPE, (8,)), seed=1, **options)
    return with_optimizers(model)


def dcgan(upsampling="transposed", **options):
    """A tiny `DCGAN`."""
    from gdl_keras.models.dcgan import DCGAN, build_discriminator, build_generator

    generator = build_generator(IMAGE_SHAPE, 4, (4, 4), upsampling)
    model = DCGAN(generator, build_discriminator(IMAGE_SHAPE, (4, 4)), seed=1, **options)
    return with_optimizers(model)


def wgan_gp(**options):
    """A tiny `WGANGP`."""
    from gdl_keras.models.wgan_gp import WGANGP, build_critic, build_generator

    model = WGANGP(
        build_generator(IMAGE_SHAPE, 4, (4, 4)),
        build_critic(IMAGE_SHAPE, (4, 4)),
        **{"critic_steps": 2, "seed": 1, **options},
    )
    return with_optimizers(model)


def residual_wgan_gp():
    """A tiny `WGANGP` with the networks of the hinge GAN."""
    from gdl_keras.models.hinge_gan import build_discriminator, build_generator
    from gdl_keras.models.wgan_gp import WGANGP

    critic = build_discriminator(IMAGE_SHAPE, filters=4, units=4, spectral=False)
    generator = build_generator(IMAGE_SHAPE, latent_dim=4, filters=4, units=4)
    model = WGANGP(generator, critic, critic_steps=2, latents="uniform", seed=1)
    return with_optimizers(model)


def cgan(num_classes=3, attributes=False, **options):
    """A tiny `CGAN`, with the Adam of Keras."""
    from keras.optimizers import Adam

    from gdl_keras.models.cgan import CGAN, build_critic, build_generator

    generator = build_generator(IMAGE_SHAPE, num_classes, 4, (4, 4), attributes=attributes)
    critic = build_critic(IMAGE_SHAPE, num_classes, (4, 4), attributes=attributes)
    model = CGAN(generator, critic, num_classes, critic_steps=2, seed=1, **options)
    return with_optimizers(model, Adam)


def hinge_gan(spectral=True, conditioning="projection", **options):
    """A tiny `HingeGAN`."""
    from gdl_keras.models.hinge_gan import HingeGAN, build_discriminator, build_generator

    generator = build_generator(IMAGE_SHAPE, 3, latent_dim=4, filters=4, units=4)
    discriminator = build_discriminator(IMAGE_SHAPE, 3, 4, 4, spectral=spectral, conditioning=conditioning)
    model = HingeGAN(generator, discriminator, 3, seed=1, **options)
    return with_optimizers(model)


def codec_parts(learning="ema", image_shape=IMAGE_SHAPE):
    """The encoder, decoder and codebook of a tiny codec: 4 numbers for each 4x4 pixels."""
    from gdl_keras.layers import VectorQuantizer
    from gdl_keras.models.quantised.networks import build_codec_decoder, build_codec_encoder

    networks = (build(image_shape, 4, (4, 4), 1) for build in (build_codec_encoder, build_codec_decoder))
    return *networks, VectorQuantizer(6, 4, learning=learning, seed=3)


def vqvae(learning="ema"):
    """A tiny `VQVAE`."""
    from gdl_keras.models import VQVAE

    model = VQVAE(*codec_parts(learning), seed=1)
    return with_adam(model)


def vqgan(learning="ema", **options):
    """A tiny `VQGAN`."""
    from gdl_keras.models import VQGAN
    from gdl_keras.models.quantised.vqgan import build_patch_discriminator

    model = VQGAN(*codec_parts(learning), build_patch_discriminator(IMAGE_SHAPE, (4, 4)), seed=1, **options)
    return with_optimizers(model)


def classifier():
    """A tiny `Classifier`."""
    from gdl_keras.models import Classifier, build_cnn

    model = Classifier(build_cnn(IMAGE_SHAPE, 3, (4, 4), 8), seed=1)
    return with_adam(model)


def points(n=16):
    """Points along an arc, float32 (n, 2)."""
    angles = np.linspace(0, 3, n)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype("float32")


def histogram():
    """A tiny `Histogram`."""
    from gdl_keras.models import Histogram

    model = Histogram.around(points(), 4, seed=1)
    model.compile(None)
    return model


def pixel_cnn(image_shape=IMAGE_SHAPE, levels=4, filters=4, blocks=1, gated=False, **options):
    """A tiny `PixelCNN`."""
    from gdl_keras.models import PixelCNN, build_pixel_cnn

    model = PixelCNN(build_pixel_cnn(image_shape, levels, filters, blocks, gated), seed=1, **options)
    return with_adam(model)


def pixel_cnn_mixture(image_shape=IMAGE_SHAPE, components=2, filters=4, blocks=1, gated=True):
    """A tiny `PixelCNNMixture`."""
    from gdl_keras.models import PixelCNNMixture, build_pixel_cnn_mixture

    model = PixelCNNMixture(build_pixel_cnn_mixture(image_shape, components, filters, blocks, gated), seed=1)
    return with_adam(model)


def codes_transformer():
    """A tiny `ImageTransformer` that writes codes."""
    return image_transformer(codec=PatchCodec(name="codec"), ema_decay=0.9, network={"norm": "post"})


def gaussian():
    """A tiny `Gaussian`."""
    from gdl_keras.models import Gaussian

    model = Gaussian(seed=1)
    return with_adam(model)


def mixture(components=3):
    """A tiny `Mixture`."""
    from gdl_keras.models import Mixture

    model = Mixture(components, seed=1)
    model.start_from(points())
    return with_adam(model)


def point_gan():
    """A tiny `PointGAN`."""
    from gdl_keras.models.densities import PointGAN, build_point_discriminator, build_point_generator

    model = PointGAN(build_point_generator(units=(4,)), build_point_discriminator(units=(4,)), ema_decay=0.9, seed=1)
    return with_optimizers(model)


DEEPER = {"num_blocks": 2, "norm": "pre", "positions": "rotary", "tie_weights": True, "activation": "gelu"}

CASES = [
    ModelCase("histogram", histogram, points, draws_noise=False),
    ModelCase("gaussian", gaussian, points, draws_noise=False),
    ModelCase("mixture", mixture, points, draws_noise=False, stands_for_its_base=True),
    ModelCase("point_gan", point_gan, points),
    ModelCase("real_nvp", real_nvp, arc, draws_noise=False, stands_for_its_base=True),
    ModelCase("real_nvp, with l2", lambda: real_nvp(l2=0.1), arc, draws_noise=False, variant=True),
    ModelCase("continuous_flow", continuous_flow, arc, draws_noise=False),
    ModelCase("continuous_flow, adaptive", lambda: continuous_flow("adaptive"), arc, draws_noise=False, variant=True),
    ModelCase("continuous_flow, estimated", lambda: continuous_flow(trace_method="hutchinson"), arc, variant=True),
    ModelCase("image_flow", lambda: image_flow(levels=1), images),
    ModelCase("image_flow, two sizes", image_flow, images, variant=True),
    ModelCase("image_flow, variational", lambda: image_flow(dequantization="variational"), images, variant=True),
    ModelCase("ebm", ebm, images, stands_for_its_base=True),
    ModelCase("point_ebm", point_ebm, points),
    ModelCase("score_matching", score_matching, points),
    ModelCase("autoencoder", autoencoder, images, draws_noise=False),
    ModelCase("autoencoder, stacked", stacked_autoencoder, images, draws_noise=False, variant=True),
    ModelCase("autoencoder, linear", linear_autoencoder, images, draws_noise=False, variant=True),
    ModelCase("autoencoder, denoising", denoising_autoencoder, images, variant=True),
    ModelCase("vae", vae, images, stands_for_its_base=True),
    ModelCase("vae, book weighting", lambda: vae(weighting="book"), images, variant=True),
    ModelCase("vae, gaussian", lambda: vae(likelihood="gaussian", beta=2.0), images, variant=True),
    ModelCase("vqvae", vqvae, images, draws_noise=False, stands_for_its_base=True),
    ModelCase("vqvae, codebook by loss", lambda: vqvae("loss"), images, draws_noise=False, variant=True),
    ModelCase("vqgan", vqgan, images, draws_noise=False, still=("score/bias",)),
    ModelCase(
        "vqgan, codebook by loss",
        lambda: vqgan("loss", reconstruction="absolute", perceptual=None, start_step=1, penalty_weight=1.0),
        images,
        draws_noise=False,
        variant=True,
        still=("score/bias",),
    ),
    ModelCase("classifier", classifier, labelled_images, stands_for_its_base=True),
    ModelCase("gan", gan, images),
    ModelCase("dcgan", dcgan, images),
    ModelCase("dcgan, resized", lambda: dcgan("resize", label_noise="flip", ema_decay=0.9), images, variant=True),
    ModelCase("wgan_gp", wgan_gp, images, still=("score/bias",)),
    ModelCase("wgan_gp, as the book", lambda: wgan_gp(variant="book"), images, variant=True, still=("score/bias",)),
    ModelCase("wgan_gp, residual", residual_wgan_gp, images, variant=True, still=("score/bias",)),
    ModelCase("cgan", lambda: cgan(ema_decay=0.9), labelled_images, stands_for_its_base=True, still=("score/bias",)),
    ModelCase(
        "cgan, attributes",
        lambda: cgan(2, attributes=True),
        images_with_attributes,
        variant=True,
        still=("score/bias",),
    ),
    ModelCase("stylegan", lambda: stylegan(num_classes=3), labelled_images),
    ModelCase("stylegan, without labels", lambda: stylegan(mixing=0.0, ema_half_life=None), images, variant=True),
    # The path's penalty, which takes as long to trace as the rest, has its variant below, and tests of its own.
    ModelCase("stylegan2", lambda: stylegan2(num_classes=3, path_weight=0.0), labelled_images),
    ModelCase(
        "stylegan2, without labels",
        lambda: stylegan2(penalty_interval=1, path_interval=1, ema_half_life=None, mixing=0.0),
        images,
        variant=True,
    ),
    ModelCase("stylegan2, augmented", augmented_stylegan2, images, variant=True),
    # The penalty, which takes half as long to trace as the rest, is in its variant, and in StyleGAN2's case.
    ModelCase("stylegan3", lambda: stylegan3(num_classes=3, penalty_weight=0.0), large_labelled_images),
    ModelCase("stylegan3, turning", turning_stylegan3, large_images, variant=True),
    ModelCase("progan", lambda: progan(num_classes=3), labelled_images),
    ModelCase("progan, without labels", progan, images, variant=True),
    ModelCase("diffusion", lambda: diffusion(num_classes=3), labelled_images),
    ModelCase(
        "diffusion, deeper",
        lambda: diffusion(small_network(3, blocks=2, patch=2), num_classes=3),
        labelled_images,
        variant=True,
    ),
    ModelCase("diffusion, as the book", book_diffusion, images, variant=True),
    ModelCase("diffusion, mixture", diffusion_with_mixture, images, variant=True),
    ModelCase("flow_matching", flow_matching, images, stands_for_its_base=True),
    ModelCase("ngram", ngram, tokens, draws_noise=False),
    ModelCase("ngram, additive", lambda: ngram(2, smoothing="additive"), tokens, draws_noise=False, variant=True),
    ModelCase("lstm", recurrent, tokens, draws_noise=False, stands_for_its_base=True),
    ModelCase("gru, stacked", lambda: recurrent((6, 5), "gru", dropout=0.2), tokens, variant=True),
    ModelCase("pixel_cnn", pixel_cnn, images, draws_noise=False),
    ModelCase("pixel_cnn, gated", lambda: pixel_cnn(gated=True), images, draws_noise=False, variant=True),
    ModelCase("pixel_cnn_mixture", pixel_cnn_mixture, images, draws_noise=False, variant=True),
    ModelCase("image_transformer", lambda: image_transformer(num_classes=3), labelled_images, draws_noise=False),
    ModelCase("image_transformer, of codes", codes_transformer, codes, draws_noise=False, variant=True),
    ModelCase("gpt", gpt, tokens, draws_noise=False),
    ModelCase("gpt, deeper", lambda: gpt(**DEEPER, dropout=0.2), tokens, variant=True),
    # Only differences of rewards are learnt: what moves all of them alike has no slope.
    ModelCase("reward_model", reward_model, pairs, draws_noise=False, still=("value/bias", "norm_2/beta")),
    # Its own tests save, load and go on.
    ModelCase("dpo", dpo, pairs, draws_noise=False, variant=True),
    ModelCase("ppo", ppo, tokens),
    ModelCase(
        "ppo, texts that end",
        lambda: ppo(one_text=True, updates=2),
        tokens,
        variant=True,
        stands_for_its_base=True,
    ),
    # While all scores are between -1 and 1, the hinge loss pulls the bias up as much as down.
    ModelCase("hinge_gan", hinge_gan, labelled_images, still=("score/bias",)),
    ModelCase(
        "hinge_gan, as the notebook",
        lambda: hinge_gan(False, "planes", generator_loss="hinge", latents="uniform", ema_decay=None),
        labelled_images,
        variant=True,
        still=("score/bias",),
    ),
    ModelCase("sagan", sagan, labelled_images, still=("score/bias",)),
    ModelCase(
        "sagan, without all that",
        lambda: sagan(network={"spectral": False, "attention_size": None}, ema_decay=None),
        labelled_images,
        variant=True,
        still=("score/bias",),
    ),
    ModelCase("biggan", biggan, labelled_images, still=("score/bias",)),
    ModelCase(
        "biggan, classes not shared", without_classes_shared, labelled_images, variant=True, still=("score/bias",)
    ),
]
