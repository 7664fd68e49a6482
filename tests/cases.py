"""Every model of the project, tiny, for the shared harness."""

import numpy as np

from tests.harness import ModelCase

IMAGE_SHAPE = (8, 8, 1)


def images(n=16):
    """Smooth grey blobs: float32 (n, 8, 8, 1) in [0, 1]."""
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8))
    centre = rng.uniform(-0.6, 0.6, (n, 2))
    distance = (x - centre[:, :1, None]) ** 2 + (y - centre[:, 1:, None]) ** 2
    return np.exp(-4 * distance)[..., None].astype("float32")


def autoencoder():
    """A tiny `Autoencoder`."""
    from gdl_keras.models import Autoencoder, build_decoder, build_encoder

    model = Autoencoder(build_encoder(IMAGE_SHAPE, 2, (4, 4)), build_decoder(IMAGE_SHAPE, 2, (4, 4)), seed=1)
    model.compile("adam")
    return model


def vae(**options):
    """A tiny `VAE`."""
    from gdl_keras.models import VAE, build_decoder, build_variational_encoder

    encoder = build_variational_encoder(IMAGE_SHAPE, 2, (4, 4))
    model = VAE(encoder, build_decoder(IMAGE_SHAPE, 2, (4, 4)), seed=1, **options)
    model.compile("adam")
    return model


CASES = [
    ModelCase("autoencoder", autoencoder, images, draws_noise=False),
    ModelCase("vae", vae, images),
    ModelCase("vae, book weighting", lambda: vae(weighting="book"), images),
    ModelCase("vae, gaussian", lambda: vae(likelihood="gaussian", beta=2.0), images),
]
