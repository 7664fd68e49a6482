"""StyleGAN3s, tiny, for the shared harness."""

import numpy as np

IMAGE_SHAPE = (16, 16, 1)


def large_images(n=16):
    """Smooth grey blobs: float32 (n, 16, 16, 1) in [0, 1]."""
    x, y = np.meshgrid(np.linspace(-1, 1, 16), np.linspace(-1, 1, 16))
    centre = np.random.default_rng(0).uniform(-0.6, 0.6, (n, 2))
    distance = (x - centre[:, :1, None]) ** 2 + (y - centre[:, 1:, None]) ** 2
    return np.exp(-4 * distance)[..., None].astype("float32")


def large_labelled_images():
    """(images, labels): class 0, 1 or 2 for each, int64."""
    return large_images(), np.arange(16) % 3


def stylegan3_networks(num_classes=None, **synthesis):
    """(generator, discriminator) of a tiny `StyleGAN3`."""
    from gdl_keras.models.stylegan.networks import build_discriminator
    from gdl_keras.models.stylegan3.networks import build_generator

    sizes = {"num_layers": 2, "num_critical": 1, "channel_max": 3, "margin": 1, "seed": 0, **synthesis}
    generator = build_generator(IMAGE_SHAPE, 6, num_classes, style_dim=5, mapping_layers=1, **sizes)
    return generator, build_discriminator(IMAGE_SHAPE, num_classes, mapping_layers=1, channel_max=3)


def stylegan3(num_classes=None, synthesis=None, **options):
    """A tiny `StyleGAN3`.

    Args:
        synthesis: keywords of `build_synthesis`.
    """
    from gdl_keras.models.stylegan3 import StyleGAN3
    from gdl_keras.optimizers import FusedAdam

    networks = stylegan3_networks(num_classes, **(synthesis or {}))
    model = StyleGAN3(*networks, num_classes=num_classes, seed=1, **options)
    model.compile(FusedAdam(2e-3, 0.0, 0.99), FusedAdam(2e-3, 0.0, 0.99))
    return model


def turning_stylegan3():
    """One that turns, whose discriminator sees blurred and augmented images, and that has no average."""
    from gdl_keras.layers import AdaptiveAugmentation

    augmentation = AdaptiveAugmentation(ramp_kimg=0.1, interval=1, seed=2)
    options = {"penalty_interval": 1, "ema_half_life": None, "mixing": 0.5}
    return stylegan3(synthesis={"rotation": True}, blur=0.1, blur_kimg=0.02, augmentation=augmentation, **options)
