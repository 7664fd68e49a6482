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


class MeanOfPixels:
    """In the place of a model's discriminator: w times the mean of all pixels in [-1, 1], of slope w / their number."""

    def __init__(self, model, weight=3.0):
        self.trainable_variables = model.discriminator.trainable_weights[:1]
        self.weight = weight

    def __call__(self, images, fade, training=False):
        import tensorflow as tf

        return self.weight * tf.reduce_mean(2 * images - 1, axis=(1, 2))


class Always:
    """In the place of a model's generator: the same images, whatever it gets."""

    def __init__(self, model, images):
        self.trainable_variables = model.generator.trainable_weights[:1]
        self.images = images

    def __call__(self, inputs, fade, training=False):
        import tensorflow as tf

        return tf.constant(self.images)


def assert_fades_in_a_straight_line(smaller, fading, larger, tolerance):
    """A phase's images go from the smaller ones, their pixels doubled, to the larger ones; each a function of fade."""
    old, new = np.repeat(np.repeat(smaller(1.0), 2, axis=1), 2, axis=2), np.asarray(larger(1.0))
    np.testing.assert_allclose(fading(0.0), old, atol=tolerance)
    np.testing.assert_allclose(fading(1.0), new, atol=tolerance)
    np.testing.assert_allclose(fading(0.3), 0.7 * old + 0.3 * new, atol=tolerance)
    assert np.abs(old - new).max() > 0.1
