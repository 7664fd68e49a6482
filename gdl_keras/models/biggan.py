"""BigGAN: a SAGAN that is told its class and its latent point in every block, and can trade variety for quality.

One embedding of the class serves all blocks of the generator, and the latent point is cut into parts, one for the first
layer and one for each block: class and part together decide the gains and biases of that block's batch normalisation.
Latent points that are drawn nearer to zero than those of the training (**truncation**) give more typical images, and
fewer kinds; orthogonal kernels keep the generator smooth enough for that.

Paper: Brock et al. 2019, Large scale GAN training for high fidelity natural image synthesis, arXiv:1809.11096.
"""

import keras
import numpy as np
from keras import layers, ops
from keras.initializers import RandomNormal

from gdl_keras import losses
from gdl_keras.errors import InputError
from gdl_keras.layers import OneHot
from gdl_keras.layers.settings import Setting
from gdl_keras.models import sagan
from gdl_keras.models.parts.labels import label_input
from gdl_keras.models.parts.standing_statistics import keep_statistics_of
from gdl_keras.models.sagan import SAGAN, enlarge, multipliers_for
from gdl_keras.samplers.noise import random_truncated_normal, seed_or_any

INITIALIZER = "orthogonal"


def build_generator(
    image_shape,
    num_classes,
    latent_dim=120,
    channels=96,
    multipliers=None,
    attention_size=None,
    spectral=True,
    shared_dim=128,
    hierarchical=True,
    initializer=INITIALIZER,
):
    """The body of `sagan.build_generator`, whose blocks get a part of the latent point each, beside the class.

    Args:
        image_shape, num_classes, channels, multipliers, attention_size, spectral: as in `sagan.build_generator`.
        latent_dim: int, numbers per latent point; a multiple of the number of blocks plus one where it is cut up.
        shared_dim: int, numbers that stand for a class in all blocks; None: each block has tables of its own.
        hierarchical: whether the latent point is cut up; where not, all of it goes into the first layer.
        initializer: of all kernels but that of the embedding.

    Returns:
        `keras.Model`, [float (batch, latent_dim), int labels (batch,)] -> images (batch, *image_shape), float32 in
        [0, 1].  For (128, 128, 3), 1000 classes and attention at 64, 70,433,988 weights that are trained.

    Raises:
        InputError: as in `sagan.build_generator`, or `latent_dim` cannot be cut into equal parts.
    """
    multipliers = multipliers_for(image_shape, multipliers)
    latents = points = keras.Input((latent_dim,), name="latents")
    labels, vectors = label_input(num_classes)
    told = None
    if shared_dim is not None:
        # As large as the latent numbers, beside which labels would hardly count otherwise.
        embedding = layers.Dense(
            shared_dim, use_bias=False, kernel_initializer=RandomNormal(stddev=1.0), name="class_embedding"
        )
        vectors = embedding(vectors)
    if shared_dim is not None or hierarchical:
        told = {"spectral": spectral, "kernel_initializer": initializer}
    told_each = [vectors] * len(multipliers)
    if hierarchical:
        points, *parts = ops.split(points, parts_of(latent_dim, len(multipliers) + 1), axis=1)
        told_each = [layers.Concatenate()([vectors, part]) for part in parts]
    images = enlarge(points, told_each, image_shape, channels, multipliers, attention_size, spectral, initializer, told)
    return keras.Model([latents, labels], images, name="generator")


def build_discriminator(
    image_shape,
    num_classes,
    channels=96,
    multipliers=None,
    attention_size=None,
    spectral=True,
    initializer=INITIALIZER,
):
    """`sagan.build_discriminator` with orthogonal kernels.

    For (128, 128, 3), 1000 classes and attention at 64, 87,982,370 weights that are trained.
    """
    return sagan.build_discriminator(
        image_shape, num_classes, channels, multipliers, attention_size, spectral, initializer
    )


def parts_of(latent_dim, count):
    """`count`; raises InputError where a latent point cannot be cut into so many equal parts."""
    if latent_dim % count:
        raise InputError(
            f"A latent point goes in {count} equal parts to the first layer and to {count - 1} blocks: latent_dim is "
            f"a multiple of {count}, not {latent_dim}."
        )
    return count


@keras.saving.register_keras_serializable(package="gdl_keras")
class BigGAN(SAGAN):
    """The SAGAN's game on the networks above, with orthogonal regularisation of the generator.

        generator:  -E[D(G(z, label), label)] + orthogonal_weight * sum over kernels of 1/2 |W W^T o (1 - I)|^2

    A row of W has the weights of one output; those of the shared embedding are left out.

    Args:
        generator, discriminator, num_classes: as in `HingeGAN`.
        orthogonal_weight: float, such as 1e-4; 0 for no regularisation.
        kwargs: as in `HingeGAN`; the paper's `ema_decay` is 0.9999.
    """

    orthogonal_weight = Setting("not negative", lambda value: value >= 0)

    def __init__(self, generator, discriminator, num_classes, orthogonal_weight=1e-4, **kwargs):
        super().__init__(generator, discriminator, num_classes, **kwargs)
        self.orthogonal_weight = orthogonal_weight

    def generator_penalty(self):
        if not self.orthogonal_weight:
            return super().generator_penalty()
        return super().generator_penalty() + self.orthogonal_weight * sum(
            losses.orthogonality_penalty(kernel.value) for kernel in self.regularized_kernels()
        )

    def regularized_kernels(self):
        """The generator's kernels, without the embedding of classes: list of variables."""
        shared = [layer for layer in self.generator.layers if layer.name == "class_embedding"]
        left_out = {id(weight) for layer in shared for weight in layer.trainable_weights}
        weights = self.generator.trainable_weights
        return [weight for weight in weights if len(weight.shape) >= 2 and id(weight) not in left_out]

    # ---- generation ------------------------------------------------------------------------------------------------

    def draw(self, count, seed, first=0, *, truncation=None, **conditions):
        return self.decode_batch(self.sample_latents(count, seed, first, truncation), **conditions)

    def sample_latents(self, n, seed=None, first=0, truncation=None):
        """Latent points, as they are when each number is drawn again until it lies within `truncation`.

        Args:
            n, seed, first: as in `LatentModel`.
            truncation: float above 0, such as 0.5; None for points as in training.

        Raises:
            InputError: it is not above 0, or latent points are not normal.
        """
        if truncation is None:
            return super().sample_latents(n, seed, first)
        if self.latents != "normal" or not truncation > 0:
            raise InputError(
                f"truncation is above 0 and for normal latent points, not {truncation} for {self.latents}."
            )
        return random_truncated_normal((n, self.latent_dim), truncation, seed, first)

    def keep_standing_statistics(self, truncation=None, passes=16, batch_size=64, seed=0):
        """Has batch normalisation use the statistics of so many batches at a truncation, of all classes alike.

        Those that it followed in training are of points that lie farther out.  They hold for the network that makes
        images, until training goes on.

        Args:
            truncation: as in `sample_latents`.
            passes, batch_size: ints, how many batches, and how many images in each.
            seed: int or None.
        """
        seed = seed_or_any(seed)
        labels = self.conditions.in_turn(passes * batch_size)["labels"]
        starts = range(0, passes * batch_size, batch_size)
        keep_statistics_of(
            self.averaged_network,
            (
                [self.sample_latents(batch_size, seed, first, truncation), labels[first : first + batch_size]]
                for first in starts
            ),
        )

    def mix_classes(self, latents, first, second, shares):
        """Images of a mixture of two classes.

            embedding = (1 - share) embedding of the first + share embedding of the second

        Args:
            latents: array (n, latent_dim).
            first, second: ints, the classes.
            shares: array (n,), in [0, 1].

        Returns:
            float32 array (n, height, width, channels) in [0, 1].
        """
        network = self.averaged_network
        one_hot = next(layer for layer in network.layers if isinstance(layer, OneHot))
        told = keras.Model([network.inputs[0], one_hot.output], network.outputs[0])
        shares = np.asarray(shares, "float32")[:, None]
        classes = np.eye(self.num_classes, dtype="float32")
        return np.asarray(told([np.asarray(latents), (1 - shares) * classes[first] + shares * classes[second]]))
