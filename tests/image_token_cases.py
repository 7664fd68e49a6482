"""The transformer of images, tiny, over levels and over the codes of a codec that is simple enough to check by hand."""

import keras
import numpy as np
import tensorflow as tf

from tests.harness import with_adam


@keras.saving.register_keras_serializable(package="tests")
class PatchCodec(keras.Model):
    """The mean of each patch of 2x2 pixels, in four steps: what the transformer asks of a `VQVAE`, and nothing else."""

    num_codes = 4
    code_shape = (4, 4)
    image_shape = (8, 8, 1)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.values = self.add_weight(shape=(4,), initializer="zeros", name="values")
        self.values.assign(np.linspace(0, 1, 4))
        self.built = True

    def encode(self, images):
        means = np.asarray(images).reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4))
        return np.rint(3 * means).astype("int32")

    def decode_codes(self, codes):
        values = tf.gather(tf.convert_to_tensor(self.values), codes)
        return tf.repeat(tf.repeat(values, 2, axis=1), 2, axis=2)[..., None]

    def frozen(self):
        copy = PatchCodec()
        copy.set_weights(self.get_weights())
        copy.trainable = False
        return copy

    def get_config(self):
        return {"name": self.name}


def codes(n=16):
    """Codes, neighbours alike more often than not: int32 (n, 4, 4)."""
    rng = np.random.default_rng(0)
    return (rng.integers(0, 4, (n, 1, 4)) + (rng.random((n, 4, 4)) < 0.2)).astype("int32") % 4


def image_transformer(grid=(8, 8, 1), levels=4, num_classes=None, codec=None, network=None, **options):
    """A tiny `ImageTransformer`.

    Args:
        network: keywords of `build_image_transformer`.
    """
    from gdl_keras.models import ImageTransformer, build_image_transformer

    sizes = {"embedding_dim": 12, "num_blocks": 1, "num_heads": 2, "feed_forward_dim": 8, **(network or {})}
    grid, count = (grid, levels) if codec is None else (codec.code_shape, codec.num_codes)
    network = build_image_transformer(grid, count, **{"num_starts": num_classes or 1, **sizes})
    model = ImageTransformer(network, levels, codec, num_classes, seed=1, **options)
    return with_adam(model)
