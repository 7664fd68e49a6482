"""GANs that grow, tiny, for the shared harness."""

import numpy as np


def progan(size=8, num_classes=None, latent_dim=4, channel_base=32, channel_max=4, **options):
    """A tiny `ProGAN` that soon begins to fade in images of 8x8, where all its weights are at work."""
    from gdl_keras.models import ProGAN
    from gdl_keras.models.growing.networks import build_discriminator, build_generator
    from gdl_keras.optimizers import FusedAdam

    shape, widths = (size, size, 1), (channel_base, channel_max)
    model = ProGAN(
        build_generator(shape, num_classes, latent_dim, *widths),
        build_discriminator(shape, num_classes, *widths),
        **{"num_classes": num_classes, "stable_kimg": 0.008, "transition_kimg": 0.2, "seed": 1, **options},
    )
    model.compile(FusedAdam(2e-3, 0.0, 0.99), FusedAdam(2e-3, 0.0, 0.99))
    return model


def random_images(count=16, size=8, channels=1):
    """Noise: float32 (count, size, size, channels) in [0, 1]."""
    return np.random.default_rng(0).uniform(size=(count, size, size, channels)).astype("float32")
